"""Where each way in listens, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from captures.gateway import ways, wireguard
from captures.gateway.ways import Places, placed, tunnels


def placed_by_default(*modes: str) -> Places:
    return placed(modes, "127.0.0.1", 8080, chosen=False)


def test_a_proxy_is_for_this_machine_unless_told_otherwise() -> None:
    assert placed_by_default() == Places(("regular",), "127.0.0.1", 8080)
    modes = ("reverse:http://127.0.0.1:32401@32400", "socks5")
    assert placed_by_default(*modes) == Places(modes, "127.0.0.1", 8080)
    assert placed(("wireguard",), "192.0.2.1", 99, chosen=True) == Places(("wireguard",), "192.0.2.1", 99)


def test_wireguard_listens_for_other_devices_and_opens_nothing_else_to_them() -> None:
    assert placed_by_default("wireguard", "socks5@1080", "local:curl", "regular", "reverse:http://a:1@192.0.2.1:2") == (
        Places(
            ("wireguard@51820", "socks5@127.0.0.1:1080", "local:curl", "regular@127.0.0.1:8080",
             "reverse:http://a:1@192.0.2.1:2"),
            "", 51820,
        )
    )  # fmt: skip


def test_the_settings_name_the_place_at_which_devices_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wireguard, "here", lambda: "192.0.2.7")
    keys = tmp_path / "wireguard.conf"
    for place, found in (
        (placed_by_default("wireguard"), (keys, "192.0.2.7", 51820)),
        (placed_by_default("wireguard@1234"), (keys, "192.0.2.7", 1234)),
        (placed_by_default(f"wireguard:{tmp_path}/mine@[::]:1"), (tmp_path / "mine", "192.0.2.7", 1)),
        (placed(("wireguard",), "192.0.2.9", 99, chosen=True), (keys, "192.0.2.9", 99)),
        (placed(("wireguard",), "0.0.0.0", 99, chosen=True), (keys, "192.0.2.7", 99)),  # noqa: S104 - what is tested
    ):
        assert list(tunnels(place, tmp_path)) == [found]
    assert list(tunnels(placed_by_default("regular"), tmp_path)) == []


def test_what_a_way_costs_is_said_before() -> None:
    assert list(ways.remarks(("regular", "wireguard"))) == []
    (reverse,) = ways.remarks(("reverse:http://127.0.0.1:32401@32400",))
    assert "the server at http://127.0.0.1:32401 sees every visitor come from this machine" in reverse
    (local,) = ways.remarks(("local:curl",))
    assert local.startswith("only what curl connects to from now on is seen")
    assert "nothing was seen of curl yet" in ways.silent(("regular", "local:curl"))
    assert ways.silent(("regular",)) == ""
