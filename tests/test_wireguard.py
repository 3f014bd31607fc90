"""Keys, settings and the picture of WireGuard."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from captures.gateway import network, wireguard
from captures.model import CaptureError


def test_keys_are_for_the_user_alone_under_any_umask_and_stay_the_same(tmp_path: Path) -> None:
    path = tmp_path / "wireguard.conf"
    before = os.umask(0)
    try:
        keys = wireguard.ensure(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert wireguard.ensure(path) == keys
    assert json.loads(path.read_text()) == {"server_key": keys.server, "client_key": keys.client}
    assert keys.server != keys.client


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "wireguard.conf"
    wireguard.ensure(path)
    path.chmod(0o644)
    wireguard.ensure(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"server_key": "x"}', ""])
def test_a_file_without_keys_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wireguard.conf"
    path.write_text(text)
    with pytest.raises(CaptureError, match=r"wireguard\.conf: holds no keys of WireGuard; delete it"):
        wireguard.ensure(path)


def test_keys_that_are_none_are_said() -> None:
    with pytest.raises(CaptureError, match="holds no keys of WireGuard"):
        wireguard.settings(wireguard.Keys("x", "y"), "192.0.2.1", 51820)


def test_settings_hold_what_mitmproxy_expects_and_leave_no_way_past_the_tunnel(tmp_path: Path) -> None:
    import mitmproxy_rs

    keys = wireguard.ensure(tmp_path / "wireguard.conf")
    lines = wireguard.settings(keys, "2001:db8::1", 51820).splitlines()
    assert f"PublicKey = {mitmproxy_rs.wireguard.pubkey(keys.server)}" in lines
    assert f"PrivateKey = {keys.client}" in lines
    assert "AllowedIPs = 0.0.0.0/0, ::/0" in lines
    assert "Endpoint = [2001:db8::1]:51820" in lines
    assert keys.server not in "\n".join(lines)


def test_the_picture_fits_a_terminal(tmp_path: Path) -> None:
    keys = wireguard.ensure(tmp_path / "wireguard.conf")
    drawn = wireguard.picture(wireguard.settings(keys, "192.0.2.1", 51820)).splitlines()
    assert max(map(len, drawn)) < 80
    assert len(drawn) < 45


def test_a_router_is_found_at_its_address_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wireguard, "_towards", lambda family, _: "203.0.113.7" if family == socket.AF_INET else "")
    monkeypatch.setattr(network, "addresses", lambda: ("203.0.113.7", "2001:db8::1", "192.168.1.1"))
    assert wireguard.here() == "192.168.1.1"
    monkeypatch.setattr(network, "addresses", lambda: ("203.0.113.7",))
    assert wireguard.here() == "203.0.113.7"
    monkeypatch.setattr(wireguard, "_towards", lambda *_: "")
    monkeypatch.setattr(network, "addresses", lambda: ())
    assert wireguard.here() == ""
