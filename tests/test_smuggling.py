"""Requests that two readers may read differently: what the proxy hands on leaves no choice, and all of it is recorded.

A server that reads one request where the proxy saw none could be made to believe another device, and our record would
lie.  Source: RFC 9112, sections 2.2, 5 and 6; the pairs are those of the usual lists (CL.TE, TE.CL, TE.TE).
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analysis.proxy import Proxy
from captures import ledger
from captures.model import Exchange
from fake_cloud import recorded, trust

HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass
class Server:
    """A plain server on loopback that keeps every byte it gets, and never answers with anything but an empty 200."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    got: list[bytearray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, bytearray()), daemon=True).start()

    def _serve(self, connection: socket.socket, kept: bytearray) -> None:
        self.got.append(kept)
        connection.settimeout(0.4)
        with connection:
            while True:
                try:
                    part = connection.recv(65536)
                except TimeoutError:
                    if kept and not kept.endswith(b"answered"):
                        connection.sendall(self.answer)
                        kept += b"answered"
                    continue
                except OSError:
                    return
                if not part:
                    return
                kept += part

    def close(self) -> None:
        self._socket.close()


def requests(data: bytes) -> list[bytes]:
    """What stands on a connection -> the lines with which requests begin; fails where there are two ways to read it."""
    lines = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"a head without an end: {head!r}"
        line, *fields = head.split(b"\r\n")
        lines.append(line)
        lengths, encodings = [], []
        for each in fields:
            name, colon, value = each.partition(b":")
            assert colon, each
            assert _NAME.fullmatch(name), each
            assert not set(value) & set(b"\r\n\0"), each
            if name.lower() == b"content-length":
                lengths.append(value.strip(b" \t"))
            if name.lower() == b"transfer-encoding":
                encodings.append(value.strip(b" \t").lower())
        assert len(lengths) + len(encodings) <= 1, fields
        if lengths:
            assert lengths[0].isdigit(), lengths
            data = data[int(lengths[0]) :]
        elif encodings:
            assert encodings == [b"chunked"], encodings
            while data:
                size, _, data = data.partition(b"\r\n")
                assert re.fullmatch(rb"[0-9a-fA-F]+", size), size
                count = int(size, 16)
                if count >= len(data):
                    # The rest has not come; nothing but a body can.
                    data = b""
                    break
                assert data[count : count + 2] == b"\r\n"
                data = data[count + 2 :]
                if not count:
                    break
    return lines


def smuggling() -> dict[str, bytes]:
    """Name -> what a client sends; HOST stands for the server."""
    chunked = b"5\r\nhello\r\n0\r\n\r\n"
    pairs = {
        "CL.TE": (b"Content-Length: %d\r\nTransfer-Encoding: chunked" % (5 + len(HIDDEN)), b"0\r\n\r\n" + HIDDEN),
        "TE.CL": (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)),
        "two lengths": (b"Content-Length: 0\r\nContent-Length: %d" % len(HIDDEN), HIDDEN),
        "two equal lengths": (b"Content-Length: 5\r\nContent-Length: 5", b"hello" + HIDDEN),
        "a list of lengths": (b"Content-Length: 0, %d" % len(HIDDEN), HIDDEN),
        "a signed length": (b"Content-Length: +5", b"hello" + HIDDEN),
        "a length in hex": (b"Content-Length: 0x5", b"hello" + HIDDEN),
        "a negative length": (b"Content-Length: -1", HIDDEN),
        "a length of digits elsewhere": ("Content-Length: ٥".encode(), b"hello" + HIDDEN),
        "a folded length": (b"Content-Length:\r\n 5", b"hello" + HIDDEN),
        "a folded encoding": (b"Transfer-Encoding:\r\n chunked", chunked + HIDDEN),
        "an encoding in a fold": (b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "a space before the colon": (b"Transfer-Encoding : chunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "a tab before the colon": (b"Content-Length\t: 0\r\nContent-Length: 5", b"hello" + HIDDEN),
        "an unknown encoding": (b"Transfer-Encoding: xchunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "two encodings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", chunked + HIDDEN),
        "an encoding in quotes": (b'Transfer-Encoding: "chunked"\r\nContent-Length: 5', b"hello" + HIDDEN),
        "a vertical tab": (b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "a bare line feed": (b"X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "a bare carriage return": (b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 5", b"hello" + HIDDEN),
        "NUL in a value": (b"X-A: b\0c\r\nContent-Length: 5", b"hello" + HIDDEN),
        "NUL in a name": (b"Content-Length\0: 5\r\nContent-Length: 0", HIDDEN),
        "a size of a chunk with a sign": (b"Transfer-Encoding: chunked", b"+5\r\nhello\r\n0\r\n\r\n" + HIDDEN),
        "a size of a chunk too large": (b"Transfer-Encoding: chunked", b"1%016d\r\nhello\r\n0\r\n\r\n" % 5 + HIDDEN),
        "a size of a chunk with a bare line feed": (b"Transfer-Encoding: chunked", b"5\nhello\r\n0\r\n\r\n" + HIDDEN),
        "a body of a GET": (b"Content-Length: %d" % len(HIDDEN), HIDDEN),
        "trailers": (b"Transfer-Encoding: chunked", b"0\r\nX-A: b\r\n\r\n" + HIDDEN),
        "a length in a trailer": (b"Transfer-Encoding: chunked", b"0\r\nContent-Length: 9\r\n\r\n" + HIDDEN),
        "an encoding in a trailer": (b"Transfer-Encoding: chunked", b"0\r\nTransfer-Encoding: x\r\n\r\n" + HIDDEN),
        "a request as a trailer": (b"Transfer-Encoding: chunked", b"0\r\n" + HIDDEN),
        "a bare line feed in a trailer": (b"Transfer-Encoding: chunked", b"0\r\nX-A: b\n\nGET /c HTTP/1.1\r\n\r\n"),
        "an extension of a chunk": (b"Transfer-Encoding: chunked", b"5;a=b\nc\r\nhello\r\n0\r\n\r\n" + HIDDEN),
    }  # fmt: skip
    whole = {
        name: b"POST http://HOST/outer HTTP/1.1\r\nHost: HOST\r\n%s\r\n\r\n%s" % (fields, body)
        for name, (fields, body) in pairs.items()
    }
    whole["a body of a GET"] = whole["a body of a GET"].replace(b"POST", b"GET")
    whole["an old version"] = whole["CL.TE"].replace(b"/outer HTTP/1.1", b"/outer HTTP/1.0")
    whole["a line break in the target"] = b"GET http://HOST/a\rb HTTP/1.1\r\nHost: HOST\r\n\r\n"
    whole["NUL in the target"] = b"GET http://HOST/a\0b HTTP/1.1\r\nHost: HOST\r\n\r\n"
    whole["three words in the target"] = b"GET http://HOST/a HTTP/1.1 HTTP/1.1\r\nHost: HOST\r\n\r\n"
    return whole


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smuggling")


@pytest.fixture(scope="module")
def proxy(place: Path) -> Iterator[Proxy]:
    ledger.create(place / "test.ledger")
    settings = {
        "listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(place / "ca"),
        "phonehome_ledger": str(place / "test.ledger"),
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(place / "home"))
        with Proxy(settings) as running:
            yield running


def sent(proxy: Proxy, data: bytes) -> bytes:
    """Sends to the proxy what a client sends -> what comes back."""
    with closing(socket.create_connection(proxy.listening[0], timeout=5)) as connection:
        connection.sendall(data)
        connection.settimeout(1.2)
        got = b""
        try:
            while part := connection.recv(65536):
                got += part
        except (TimeoutError, ConnectionError):
            pass
    return got


@pytest.mark.parametrize("name", smuggling())
def test_what_is_handed_on_can_be_read_in_one_way_and_stands_in_the_ledger(
    proxy: Proxy, place: Path, name: str
) -> None:
    server = Server()
    try:
        host = f"127.0.0.1:{server.port}".encode()
        sent(proxy, smuggling()[name].replace(b"HOST", host))
        time.sleep(0.3)
        got = [line for kept in server.got for line in requests(bytes(kept).replace(b"answered", b""))]
    finally:
        server.close()
    seen = Counter(
        f"{o.method} {o.path}".encode()
        for _, o in ledger.read(place / "test.ledger")
        if isinstance(o, Exchange) and o.port == server.port
    )
    # What was handed on and is not in the ledger was hidden from it; what was refused is there as well.
    assert Counter(line.rpartition(b" ")[0] for line in got) <= seen


def test_a_request_as_it_should_be_is_handed_on(proxy: Proxy) -> None:
    """Else the tests above would find nothing wrong in a proxy that is broken."""
    server = Server()
    try:
        host = f"127.0.0.1:{server.port}".encode()
        fine = b"POST http://HOST/outer HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello".replace(b"HOST", host)
        assert sent(proxy, fine).startswith(b"HTTP/1.1 200 OK")
        assert [requests(bytes(kept).replace(b"answered", b"")) for kept in server.got] == [[b"POST /outer HTTP/1.1"]]
    finally:
        server.close()


def test_what_follows_a_body_in_chunks_stops_neither_it_nor_what_comes_next(proxy: Proxy) -> None:
    """Trailers are for who knows of them; a server may send them to anybody, and mitmproxy gives up at them."""
    chunked = (
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nServer-Timing: a;dur=1\r\nX-Digest: made-up\r\n\r\n"
    )
    server = Server(b"HTTP/1.1 200 OK\r\n" + chunked)
    try:
        host = f"127.0.0.1:{server.port}".encode()
        fine = b"POST http://HOST/outer HTTP/1.1\r\nHost: HOST\r\n".replace(b"HOST", host) + chunked
        got = sent(proxy, fine * 2)
        assert got.count(b"HTTP/1.1 200 OK") == got.count(b"5\r\nhello\r\n0\r\n\r\n") == 2
        handed = [bytes(kept).replace(b"answered", b"") for kept in server.got]
        assert [line for data in handed for line in requests(data)] == [b"POST /outer HTTP/1.1"] * 2
        assert b"X-Digest" not in b"".join(handed) + got
    finally:
        server.close()


SPLITTING = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: 60",
    "a length and an encoding": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    "a space before the colon": b"Content-Length : 4\r\nContent-Length: 0",
    "a bare carriage return": b"X-A: b\rSet-Cookie: a=b\r\nContent-Length: 0",
    "NUL": b"X-A: b\0c\r\nContent-Length: 0",
}


@pytest.mark.parametrize("name", SPLITTING)
def test_an_answer_that_can_be_read_in_two_ways_is_not_handed_on(proxy: Proxy, name: str) -> None:
    forged = b"HTTP/1.1 200 OK\r\nX-Forged: yes\r\nContent-Length: 0\r\n\r\n"
    server = Server(b"HTTP/1.1 200 OK\r\n" + SPLITTING[name] + b"\r\n\r\n" + forged)
    try:
        host = f"127.0.0.1:{server.port}".encode()
        got = sent(proxy, b"GET http://HOST/a HTTP/1.1\r\nHost: HOST\r\n\r\n".replace(b"HOST", host) * 2)
    finally:
        server.close()
    assert b"X-Forged" not in got
    assert b"\0" not in got
    assert not re.search(rb"\r[^\n]", got.partition(b"\r\n\r\n")[0])


DOWNGRADED = {
    "an encoding": (("transfer-encoding", "chunked"),),
    "a length that is wrong": (("content-length", "3"),),
    "two lengths": (("content-length", "5"), ("content-length", "3")),
    "a line break in a value": (("x-a", "b\r\nTransfer-Encoding: chunked"),),
    "a line feed in a value": (("x-a", "b\nTransfer-Encoding: chunked"),),
    "a line break in a name": (("x-a: b\r\nx-c", "d"),),
    "a colon in a name": (("content-length: 0", "x"),),
    "NUL in a value": (("x-a", "b\0c"),),
    "a body of a length that is not known": (("content-type", "text/plain"),),
}

TRAILERS = {
    "nothing": (),
    "a field": (("x-a", "b"),),
    "a length": (("content-length", "3"),),
    "an encoding": (("transfer-encoding", "chunked"),),
    "a line break in a value": (("x-a", "b\r\n\r\nGET /smuggled HTTP/1.1"),),
    "a line break in a name": (("x-a: b\r\n\r\nGET /smuggled HTTP/1.1\r\nx-c", "d"),),
}


PLAIN = (("content-type", "text/plain"),)


@pytest.fixture(scope="module")
def downgrading(place: Path) -> Iterator[tuple[Proxy, ssl.SSLContext, bytearray, Iterator[str]]]:
    """A proxy that takes HTTP/2 before a server of HTTP/1.1 -> with whom a client trusts, what the server got, and its
    names: who was cut off at one passes there from then on."""
    got = bytearray()

    def keep(connection: ssl.SSLSocket) -> None:
        connection.settimeout(0.7)
        try:
            while part := connection.recv(65536):
                got.extend(part)
        except TimeoutError:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    folder, names = place / "downgrading", tuple(f"n{n}.example" for n in range(len(DOWNGRADED) + len(TRAILERS)))
    folder.mkdir()
    # Eagerly, a device is offered what the server speaks.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(folder / "home"))
        with recorded(folder, keep, names, connection_strategy="lazy") as (proxy, _):
            context = trust(folder)
            context.set_alpn_protocols(["h2"])
            yield proxy, context, got, iter(names)


@pytest.mark.parametrize(
    ("fields", "trailers"),
    [*((fields, ()) for fields in DOWNGRADED.values()), *((PLAIN, trailers) for trailers in TRAILERS.values())],
    ids=[*DOWNGRADED, *(f"trailers: {name}" for name in TRAILERS)],
)
def test_http2_says_nothing_that_http1_would_read_otherwise(
    downgrading: tuple[Proxy, ssl.SSLContext, bytearray, Iterator[str]],
    fields: tuple[tuple[str, str], ...],
    trailers: tuple[tuple[str, str], ...],
) -> None:
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    proxy, context, got, names = downgrading
    got.clear()
    name = next(names)
    with closing(socket.create_connection(proxy.listening[0], timeout=5)) as plain:
        plain.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        assert b" 200 " in plain.recv(4096)
        with context.wrap_socket(plain, server_hostname=name) as secure:
            assert secure.selected_alpn_protocol() == "h2"
            settings = H2Configuration(
                client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
            )
            client = H2Connection(settings)
            client.initiate_connection()
            pseudo = ((":method", "POST"), (":scheme", "https"), (":authority", name), (":path", "/outer"))
            client.send_headers(1, [*pseudo, *fields])
            client.send_data(1, b"hello" + HIDDEN, end_stream=not trailers)
            if trailers:
                client.send_headers(1, trailers, end_stream=True)
            secure.sendall(client.data_to_send())
            secure.settimeout(1.5)
            try:
                while secure.recv(65536):
                    pass
            except (TimeoutError, OSError):
                pass
    assert requests(bytes(got)) in ([], [b"POST /outer HTTP/1.1"])
    if fields == PLAIN and trailers in ((), TRAILERS["a field"]):
        assert got.endswith(b"hello" + HIDDEN) or b"hello" + HIDDEN + b"\r\n0\r\n\r\n" in got
