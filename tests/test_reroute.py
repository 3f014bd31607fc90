"""The demo's table of names: only the address changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from addons.reroute import Reroute
from captures.model import CaptureError, Exchange
from fake_cloud import Cloud, connect, recorded, small, trust, written


def test_the_name_stays_and_the_address_is_another(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path), connect(proxy, trust(tmp_path), "plex.tv") as connection:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b'{"ok": true}'
        (seen,) = written(path, 1)
    assert isinstance(seen, Exchange)
    assert (seen.host, seen.port, seen.server_name) == ("plex.tv", 443, "plex.tv")
    assert seen.server
    assert seen.server.address == "127.0.0.1"


def test_the_name_is_still_verified_towards_the_server(tmp_path: Path) -> None:
    """A certificate for another name is refused."""
    (tmp_path / "wrong").mkdir()
    wrong = Cloud(tmp_path / "wrong", ("other.example",), small)
    options: dict[str, Any] = {
        "phonehome_reroute": json.dumps({"plex.tv": ["127.0.0.1", wrong.port]}),
        "ssl_verify_upstream_trusted_ca": str(wrong.authority),
    }
    with recorded(tmp_path, small, **options) as (proxy, _), connect(proxy, trust(tmp_path), "plex.tv") as connection:
        connection.request("GET", "/")
        assert connection.getresponse().status == 502
    wrong.close()


@pytest.mark.parametrize("text", ["[", "[1]", '{"a": 1}', '{"a": ["127.0.0.1", "x"]}'])
def test_what_is_no_table_is_one_sentence(text: str) -> None:
    with (
        taddons.context(Reroute()) as context,
        pytest.raises(exceptions.OptionsError, match="phonehome_reroute: is no table of hosts"),
    ):
        context.options.update(phonehome_reroute=text)


def test_a_wrong_table_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(CaptureError, match="the proxy did not start: phonehome_reroute: is no table of hosts"),
        recorded(tmp_path, small, phonehome_reroute="{"),
    ):
        pass
