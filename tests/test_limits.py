"""One device, or one server, does not take from the others what they need."""

from __future__ import annotations

import contextlib
import http.client
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from addons.limits import FULL, SILENT
from captures.model import Contact, Exchange, Unreadable
from fake_cloud import connect, recorded, small, trust, written

FILES = 128


def tunnel(stack: ExitStack, proxy: tuple[str, int], device: str) -> bool:
    """Opens a tunnel as a device with this address -> whether it was opened; it stays open as long as `stack`."""
    plain = stack.enter_context(socket.create_connection(proxy, timeout=20, source_address=(device, 0)))
    try:
        plain.sendall(b"CONNECT plex.tv:443 HTTP/1.1\r\nHost: plex.tv:443\r\n\r\n")
        return b" 200 " in plain.recv(4096)
    except ConnectionError:
        return False


def answer(plain: socket.socket) -> bytes:
    """What the proxy says, as far as it matters here."""
    said = plain.recv(4096)
    while SILENT.encode() not in said and (more := plain.recv(4096)):
        said += more
    return said


def fetched(proxy: tuple[str, int], folder: Path, device: str) -> bytes:
    """What a device with this address gets."""
    connection = http.client.HTTPSConnection(*proxy, timeout=20, context=trust(folder), source_address=(device, 0))
    connection.set_tunnel("plex.tv", 443)
    with closing(connection):
        connection.request("GET", "/")
        return connection.getresponse().read()


def test_a_flood_of_tunnels_takes_nothing_from_others_and_is_counted_in_one_row(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path):
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        place = proxy.listening[0]
        with ExitStack() as stack:
            opened = [tunnel(stack, place, "127.0.0.1") for _ in range(FILES // 2)]
            # It gets its share: two files for each.
            assert 5 < sum(opened) < FILES // 2
            assert not any(opened[-20:])
            for _ in range(3):
                assert fetched(place, tmp_path, "127.0.0.2") == b'{"ok": true}'
        # And when it has let go, it is served as before.
        for _ in range(50):
            with contextlib.suppress(OSError, http.client.HTTPException):
                if fetched(place, tmp_path, "127.0.0.1"):
                    break
        else:
            pytest.fail("the device is not served any more")
    rows = written(path, 0)
    told = [row.reason for row in rows if isinstance(row, Unreadable)]
    assert all(reason.endswith(FULL) for reason in told)
    # The first at once, the rest at the end.
    assert len(told) == 2
    assert sum(int(reason.split()[0]) for reason in told) >= opened.count(False)
    assert [row.host for row in rows if isinstance(row, Exchange)] == ["plex.tv"] * 4


@pytest.fixture
def silent() -> Iterator[int]:
    """Port of a server that never takes a connection: those of others wait before ours."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


def test_a_server_that_does_not_answer_is_given_up_and_holds_up_nobody(tmp_path: Path, silent: int) -> None:
    with recorded(tmp_path, small, phonehome_patience=1) as (proxy, path):
        place = proxy.listening[0]
        with ExitStack() as stack:
            devices = []
            for _ in range(12):
                plain = stack.enter_context(socket.create_connection(place, timeout=20))
                plain.sendall(f"CONNECT 127.0.0.1:{silent} HTTP/1.1\r\nHost: 127.0.0.1:{silent}\r\n\r\n".encode())
                devices.append(plain)
            # More than mitmproxy makes to one address at a time, on one connection.
            with connect(proxy, trust(tmp_path), "plex.tv") as connection:
                connection.request("GET", "/")
                assert connection.getresponse().read() == b'{"ok": true}'
            said = [answer(plain) for plain in devices]
        assert all(b" 502 " in answer and SILENT.encode() in answer for answer in said)
        told = [row for row in written(path, 13) if isinstance(row, Contact)]
    assert {row.reason for row in told} == {"the server could not be reached"}
    assert len(told) == 12
