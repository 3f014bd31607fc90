"""Where each way in listens, and what is said of it."""

from __future__ import annotations

import os
import subprocess
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
    assert list(ways.remarks(("regular",))) == []
    (tunnel,) = ways.remarks(("regular", "wireguard@51820"))
    assert "switch the tunnel off on the device before you end this" in tunnel
    (reverse,) = ways.remarks(("reverse:http://127.0.0.1:32401@32400",))
    assert "the server at http://127.0.0.1:32401 sees every visitor come from this machine" in reverse
    (local,) = ways.remarks(("local:curl",))
    assert local.startswith("only what curl connects to from now on is seen")
    assert "nothing was seen of curl yet" in ways.silent(("regular", "local:curl"))
    assert ways.silent(("regular",)) == ""


def test_a_process_is_spoken_of_by_its_number_and_never_longer_than_it_runs() -> None:
    own, over = f"local:{os.getpid()}", subprocess.Popen(["true"])
    os.waitid(os.P_PID, over.pid, os.WEXITED | os.WNOWAIT)
    gone = f"local:{over.pid}"
    assert list(ways.remarks((own,))) == [
        f"only what process {os.getpid()} connects to from now on is seen; what it has opened before is not"
    ]
    assert "nothing was seen of process 7 yet: see that it still runs" in ways.silent(("local:7",))
    assert ways.gone((gone,)) == f"process {over.pid} ended, and with that the recording"
    over.wait()
    assert ways.gone((gone,))
    assert not any(map(ways.gone, ((own,), (own, gone), (gone, "regular"), ("local:curl",), ())))


def test_who_is_offline_without_the_proxy_is_told_so_and_nobody_else() -> None:
    offline = {
        mode: [text.split(" offline")[0] for text in ways.ended((mode,))]
        for mode in (
            "wireguard@1",
            "reverse:http://192.0.2.1:2",
            "regular@1:2",
            "upstream:http://192.0.2.1:2",
            "local:curl",
        )
    }
    assert offline.pop("local:curl") == []
    assert all(len(told) == 1 for told in offline.values())
    assert list(ways.ended(())) == list(ways.ended(("regular",)))
    assert [ways.frees(modes) for modes in ((), ("local:a",), ("local:a", "wireguard"))] == [False, True, False]
