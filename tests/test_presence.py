"""What the proxy changes for a device is noticed, and a device gets nothing older or weaker than it would accept."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from addons.presence import Offer, offered
from analysis.demo.certificates import make
from analysis.proxy import Proxy
from captures import ledger
from fake_cloud import connect, recorded, small, trust

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path / "home"))


@contextmanager
def serving(folder: Path, context: ssl.SSLContext) -> Iterator[int]:
    """A TLS server with this context, which answers each request -> its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            small(secure)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with server:
        yield server.getsockname()[1]


def told(path: Path, *wanted: str) -> Counter[str]:
    """What is said of effects, as soon as all wanted ones are there."""
    end = time.monotonic() + 10
    while True:
        found = Counter({one.kind: one.count for one in ledger.effects(path)})
        if set(wanted) <= set(found) or time.monotonic() > end:
            return found
        time.sleep(0.05)


@contextmanager
def before(folder: Path, context: ssl.SSLContext, **options: object) -> Iterator[tuple[Proxy, Path]]:
    with serving(folder, context) as port:
        (folder / "x").mkdir()
        reroute = json.dumps({"plex.tv": ["127.0.0.1", port]})
        authority = str(folder / "demo-ca.pem")
        with recorded(
            folder / "x", small, ssl_verify_upstream_trusted_ca=authority, phonehome_reroute=reroute, **options
        ) as found:
            yield found


def test_an_older_tls_of_the_server_that_the_device_does_not_see_is_counted(tmp_path: Path) -> None:
    _, old = make(tmp_path, ("plex.tv",))
    old.maximum_version = TLS12
    with before(tmp_path, old) as (proxy, path):
        for _ in range(2):
            with connect(proxy, trust(tmp_path / "x"), "plex.tv") as connection:
                connection.request("GET", "/")
                assert connection.sock.version() == "TLSv1.3"
                assert connection.getresponse().status == 200
        found = told(path, "older-tls")
    assert found == {"way:regular": 2, "older-tls": 2}


def test_who_accepts_no_older_tls_gets_none_by_our_presence(tmp_path: Path) -> None:
    _, old = make(tmp_path, ("plex.tv",))
    old.maximum_version = TLS12
    with before(tmp_path, old) as (proxy, path):
        careful = trust(tmp_path / "x")
        careful.minimum_version = TLS13
        with connect(proxy, careful, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        assert set(told(path, "refused-tls", "failed-once")) == {"way:regular", "refused-tls", "failed-once"}


def test_who_accepts_no_weaker_cipher_gets_none_by_our_presence(tmp_path: Path) -> None:
    _, weak = make(tmp_path, ("plex.tv",))
    weak.maximum_version = TLS12
    weak.set_ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA")
    with before(tmp_path, weak) as (proxy, path):
        careful = trust(tmp_path / "x")
        careful.set_ciphers("ECDHE+AESGCM")
        with connect(proxy, careful, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        # What is learned holds for the device; from another address the next one comes.
        careless = trust(tmp_path / "x")
        careless.maximum_version = TLS12
        careless.set_ciphers("ECDHE+AESGCM:AES128-SHA")
        there = http.client.HTTPSConnection(
            *proxy.listening[0], timeout=20, context=careless, source_address=("127.0.0.2", 0)
        )
        there.set_tunnel("plex.tv", 443)
        with contextlib.closing(there):
            there.request("GET", "/")
            assert there.getresponse().status == 200
        told(path, "weaker-cipher")
        found = [(one.kind, one.device, one.host) for one in ledger.effects(path) if not one.kind.startswith("way")]
    assert found == [
        ("failed-once", "127.0.0.1", "plex.tv"),
        ("refused-tls", "127.0.0.1", "plex.tv"),
        ("weaker-cipher", "127.0.0.2", "plex.tv"),
    ]


def hello(body: bytes, *ciphers: int, versions: tuple[int, ...] = ()) -> Offer:
    listed = b"".join(version.to_bytes(2) for version in versions)
    return offered(body, {43: bytes([len(listed)]) + listed} if versions else {}, list(ciphers))


def test_what_a_device_offers_is_read_from_its_hello() -> None:
    gcm, cbc, rsa, tls13, odd = 0xC02F, 0xC013, 0x002F, 0x1301, 0x0A0A
    assert hello(b"\3\3", tls13, odd, versions=(0x2A2A, 0x304)) == Offer(0x304, 0x304, 0)
    assert hello(b"\3\3", tls13, gcm, cbc, versions=(0x304, 0x303)) == Offer(0x303, 0x304, 1)
    assert hello(b"\3\3", gcm, rsa) == Offer(0x300, 0x303, 2)
    assert hello(b"\3\1", cbc) == Offer(0x300, 0x301, 1)
    # Odd ones are taken for one that accepts anything, so that nothing changes for it.
    assert offered(b"", {43: b"\3\3"}, []) == Offer(0x000, 0x300, 2)


def test_a_device_that_gets_what_it_would_get_without_us_is_not_counted(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        old = trust(tmp_path)
        old.maximum_version = TLS12
        with connect(proxy, old, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        time.sleep(1.3)
        assert told(path, "way:regular") == {"way:regular": 2}
