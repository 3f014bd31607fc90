"""Devices that do not accept the proxy's certificate go on working, and everybody else is still looked into."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from addons.passthrough import AT_ONCE, LEFT, REASON
from analysis.demo.certificates import make
from analysis.proxy import Proxy
from captures.gateway import refusals
from captures.model import Contact, Exchange, Unreadable
from fake_cloud import Shared, connect, read_request, recorded, shared, small, trust, written

ANSWER = b'{"ok": true}'
OTHER = "analytics.plex.tv"


@pytest.fixture(scope="module")
def _recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shared, Iterator[str]]]:
    names = tuple(f"server-{number}.plex.tv" for number in range(9))
    with shared(tmp_path_factory.mktemp("shared"), (*names, OTHER)) as one:
        yield one, iter(names)


@pytest.fixture
def recording(_recording: tuple[Shared, Iterator[str]]) -> tuple[Shared, str]:
    """One proxy for all tests that do not set it otherwise, and a name that no test before has asked for."""
    one, names = _recording
    return one.taken(), next(names)


def strict(folder: Path) -> ssl.SSLContext:
    """Trusts the vendor's authority alone."""
    return ssl.create_default_context(cafile=str(folder / "demo-ca.pem"))


def fetch(proxy: Proxy, context: ssl.SSLContext, host: str = "plex.tv", patience: float = 20.0) -> bytes:
    with connect(proxy, context, host) as connection:
        connection.timeout = patience
        connection.request("GET", "/")
        return connection.getresponse().read()


def refuse(proxy: Proxy, folder: Path, host: str = "plex.tv") -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(proxy, strict(folder), host)


def test_after_one_refusal_a_device_gets_through_and_its_bytes_are_counted(recording: tuple[Shared, str]) -> None:
    one, name = recording
    refuse(one.proxy, one.folder, name)
    one.written(1)
    assert fetch(one.proxy, strict(one.folder), name) == ANSWER
    first, second = one.written(2)
    assert isinstance(first, Contact)
    assert (first.host, first.reason) == (name, "client rejected the certificate")
    assert isinstance(second, Contact)
    assert (second.host, second.name_source, second.protocol, second.reason) == (name, "sni", "tls", REASON)
    # Handshake and request; certificate and answer.
    assert second.bytes_out > 400
    assert second.bytes_in > 1000
    assert second.packets_out >= 2


def test_other_names_and_who_never_refused_are_still_looked_into(recording: tuple[Shared, str]) -> None:
    one, name = recording
    refuse(one.proxy, one.folder, name)
    one.written(1)
    assert fetch(one.proxy, trust(one.folder), OTHER) == ANSWER
    seen = one.written(2)[1]
    assert isinstance(seen, Exchange)
    assert seen.host == OTHER


def leave_after_handshake(one: Shared, name: str, wait: float = 0.0) -> None:
    """As an app that pins its certificates does: it looks at the certificate after the handshake."""
    with one.connect(name) as connection:
        connection.connect()
        time.sleep(wait)


def test_who_leaves_right_after_the_handshake_gets_through_the_next_time(recording: tuple[Shared, str]) -> None:
    one, name = recording
    leave_after_handshake(one, name)
    one.written(1)
    assert fetch(one.proxy, strict(one.folder), name) == ANSWER
    seen = [(x.reason, x.server.port if x.server else 0) for x in one.written(2) if isinstance(x, Contact)]
    assert [reason for reason, _ in seen] == [LEFT, REASON]


def test_a_browser_that_connects_in_advance_does_not_count_as_one_that_pins(recording: tuple[Shared, str]) -> None:
    one, name = recording
    # It used the name before …
    assert fetch(one.proxy, trust(one.folder), name) == ANSWER
    leave_after_handshake(one, name)
    assert fetch(one.proxy, trust(one.folder), name) == ANSWER
    assert [type(x) for x in one.written(2)] == [Exchange, Exchange]


def test_one_that_keeps_its_connection_for_a_while_does_not_either(recording: tuple[Shared, str]) -> None:
    one, name = recording
    leave_after_handshake(one, name, AT_ONCE + 0.5)
    assert fetch(one.proxy, trust(one.folder), name) == ANSWER
    assert [type(x) for x in one.written(1)] == [Exchange]


def test_a_request_on_another_connection_disproves_that_leaving_was_a_refusal(recording: tuple[Shared, str]) -> None:
    """Of two connections that a browser races, one is dropped."""
    one, name = recording
    with one.connect(name) as winner:
        winner.connect()
        leave_after_handshake(one, name)
        one.written(1)
        winner.request("GET", "/")
        assert winner.getresponse().read() == ANSWER
        assert fetch(one.proxy, trust(one.folder), name) == ANSWER
        assert [type(x) for x in one.written(3)] == [Contact, Exchange, Exchange]


def test_a_server_that_only_the_device_trusts_is_reached_the_next_time(tmp_path: Path) -> None:
    with recorded(tmp_path, small, ssl_verify_upstream_trusted_ca=None) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        written(path, 2)
        assert fetch(proxy, strict(tmp_path)) == ANSWER
        seen = written(path, 3)
    assert [x.reason for x in seen if isinstance(x, Contact)] == [
        "the server's certificate is not trusted",
        "not inspected: the proxy cannot verify the server's certificate, so the app decides by itself",
    ]


def test_who_leaves_while_a_server_is_slow_has_refused_nothing(tmp_path: Path) -> None:
    make(tmp_path, ("plex.tv",))
    with socket.create_server(("127.0.0.1", 0)) as slow:
        reroute = json.dumps({"plex.tv": ["127.0.0.1", slow.getsockname()[1]]})
        with recorded(tmp_path, small, phonehome_reroute=reroute) as (proxy, path):
            for count in (1, 2):
                with connect(proxy, strict(tmp_path), "plex.tv") as connection:
                    connection.timeout = 0.3
                    with pytest.raises(TimeoutError):
                        connection.connect()
                # The server accepts, and says nothing until the device has left.
                slow.accept()[0].close()
                rows = [x.reason for x in written(path, 2 * count) if isinstance(x, Contact)]
                assert rows == ["server refused TLS", "client left during the handshake"] * count


def test_what_was_learned_of_a_device_holds_for_the_next_recording_too(tmp_path: Path) -> None:
    kept = tmp_path / "refusals.json"
    with recorded(tmp_path, small, phonehome_refusals=str(kept)) as (proxy, path):
        refuse(proxy, tmp_path)
        written(path, 1)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [(refusal.name, refusal.sure) for refusal in refusals.read(kept, time.time())] == [("plex.tv", True)]
    with recorded(tmp_path, small, phonehome_refusals=str(kept)) as (proxy, path):
        assert fetch(proxy, strict(tmp_path)) == ANSWER
        seen = written(path, 2)
    assert [x.reason for x in seen if isinstance(x, Contact)] == ["client rejected the certificate", REASON]


def test_a_file_that_cannot_be_written_costs_the_memory_alone(tmp_path: Path) -> None:
    with recorded(tmp_path, small, phonehome_refusals=str(tmp_path / "missing" / "refusals.json")) as (proxy, path):
        refuse(proxy, tmp_path)
        written(path, 1)
        assert fetch(proxy, strict(tmp_path)) == ANSWER
    assert "could not be kept" in " ".join(x.reason for x in written(path, 3) if isinstance(x, Unreadable))


@pytest.mark.parametrize(
    ("age", "holds"),
    [(0, True), (refusals.EXPIRES, True), (refusals.EXPIRES + 1, False), (-1, False)],
    ids=["now", "a day", "more", "the clock was set back"],
)
def test_a_refusal_is_heeded_for_a_day(tmp_path: Path, age: float, holds: bool) -> None:
    kept = tmp_path / "refusals.json"
    known = refusals.Refusal("192.168.1.20", "plex.tv", 1_900_000_000.0, True)
    refusals.write(kept, [known])
    assert refusals.read(kept, known.at + age) == ([known] if holds else [])


@pytest.mark.parametrize("text", [b"", b"[", b'{"a": 1}', b'[{"device": 1}]', b"\xff", b"[" * 100_000])
def test_a_damaged_file_of_refusals_is_none(tmp_path: Path, text: bytes) -> None:
    kept = tmp_path / "refusals.json"
    kept.write_bytes(text)
    assert refusals.read(kept, 0) == []


def test_what_still_passes_at_the_end_is_recorded(tmp_path: Path) -> None:
    def silent(connection: ssl.SSLSocket) -> None:
        read_request(connection)
        connection.recv(1)

    with recorded(tmp_path, silent) as (proxy, path):
        refuse(proxy, tmp_path)
        written(path, 1)
        with connect(proxy, strict(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/")
            time.sleep(0.3)
            proxy.__exit__()
        seen = written(path, 2)[1]
    assert isinstance(seen, Contact)
    assert seen.reason == REASON
    assert seen.bytes_out > 400


@pytest.mark.parametrize(
    "hello",
    [b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x16\x03\x01\xff\xff" + bytes(70_000), b"\x16\x03"],
    ids=["short", "endless", "cut"],
)
def test_a_hostile_handshake_harms_nobody_else(recording: tuple[Shared, str], hello: bytes) -> None:
    one, name = recording
    refuse(one.proxy, one.folder, name)
    with socket.create_connection(one.proxy.listening[0], timeout=5) as plain:
        plain.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        assert b"200" in plain.recv(4096)
        plain.sendall(hello)
    assert fetch(one.proxy, trust(one.folder), OTHER) == ANSWER
    seen = one.written(3)
    assert [x.host for x in seen if isinstance(x, Exchange)] == [OTHER]
    assert [x for x in seen if isinstance(x, Unreadable)] == []
