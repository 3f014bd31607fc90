"""Requests over HTTP/3 that another reader may read differently, through a real proxy between two ends of aioquic."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.server import serve
from aioquic.h3 import connection as http3
from aioquic.h3.connection import H3_ALPN
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration

from analysis.demo.certificates import make
from analysis.proxy import Proxy
from captures import ledger
from captures.model import Exchange
from household.http3 import Speaker

type Fields = tuple[tuple[bytes, bytes], ...]

BREAK = b"b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plex.tv\r\n\r\n"

FINE: Fields = ((b"x-a", b"b"),)

FIELDS: dict[str, Fields] = {
    "a line break in a value": ((b"x-a", BREAK),),
    "a line feed in a value": ((b"x-a", b"b\nTransfer-Encoding: chunked"),),
    "NUL in a value": ((b"x-a", b"b\0c"),),
    "a line break in a name": ((b"x-a: b\r\nx-c", b"d"),),
    "a colon in a name": ((b"content-length: 0", b"x"),),
    "a space in a name": ((b"x a", b"b"),),
    "an encoding": ((b"transfer-encoding", b"chunked"),),
    "two lengths": ((b"content-length", b"5"), (b"content-length", b"3")),
    "a length that is wrong": ((b"content-length", b"3"),),
    "a second path": ((b":path", b"/smuggled"),),
    "a target with a line break": ((b":path", b"/a HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled"),),
}
"""What is wrong -> fields after the usual ones, or after the body."""

CASES: dict[str, tuple[Fields, Fields]] = {
    "nothing": (FINE, ()),
    "nothing, with trailers": (FINE, FINE),
    **{name: (fields, ()) for name, fields in FIELDS.items()},
    **{f"trailers: {name}": ((), fields) for name, fields in FIELDS.items()},
}


class Server(Speaker):
    """Takes everything for what it is, and answers nothing but an empty 200."""

    got: list[list[Fields]]
    """Of each connection, blocks of fields."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.blocks: list[Fields] = []
        self.got.append(self.blocks)

    def told(self, event: H3Event) -> None:
        """Fields before or after a body, which of both the server need not know; or a body."""
        if isinstance(event, HeadersReceived):
            self.blocks.append(tuple(event.headers))
        if isinstance(event, HeadersReceived | DataReceived) and event.stream_ended:
            self.http.send_headers(event.stream_id, [(b":status", b"200")], end_stream=True)
            self.transmit()


async def handed_on(chain: Path, authority: Path, place: Path) -> list[list[Fields]]:
    """Connections that reach the server -> blocks of fields on each."""
    got: list[list[Fields]] = []
    settings = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    settings.load_cert_chain(chain, chain)
    kind = type("Kept", (Server,), {"got": got})
    server = await serve("127.0.0.1", 0, configuration=settings, create_protocol=kind)
    assert server._transport
    port = server._transport.get_extra_info("sockname")[1]
    wanted = {
        "mode": [f"reverse:http3://localhost:{port}"], "listen_host": "127.0.0.1", "listen_port": 0,
        "confdir": str(place / "ca"), "ssl_verify_upstream_trusted_ca": str(authority),
        "phonehome_ledger": str(place / "test.ledger"),
    }  # fmt: skip
    proxy = Proxy(wanted)
    await asyncio.to_thread(proxy.__enter__)
    try:
        port = proxy.listening[0][1]
        await asyncio.gather(*(sent(port, place, n, *fields) for n, fields in enumerate(CASES.values())))
    finally:
        await asyncio.to_thread(proxy.__exit__)
        server.close()  # type: ignore[no-untyped-call]  # aioquic's
    return [blocks for blocks in got if blocks]


async def sent(port: int, place: Path, number: int, fields: Fields, trailers: Fields) -> None:
    """Sends what a client sends, and waits for its end."""
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, server_name="localhost", idle_timeout=5)
    settings.load_verify_locations(str(place / "ca" / "mitmproxy-ca-cert.pem"))
    async with connect("127.0.0.1", port, configuration=settings, create_protocol=Speaker) as plain:
        client = cast("Speaker", plain)
        stream = client._quic.get_next_available_stream_id()
        path = b"/outer-%d" % number
        usual = ((b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", path))
        client.http.send_headers(stream, [*usual, *fields])
        client.http.send_data(stream, b"hello", end_stream=not trailers)
        if trailers:
            client.http.send_headers(stream, [*trailers], end_stream=True)
        client.transmit()
        gone = asyncio.ensure_future(client.wait_closed())
        await asyncio.wait({client.ended, gone}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()


@pytest.fixture
def credulous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends on our side send and take what is forbidden; the proxy has a process of its own."""
    for name in ("validate_request_headers", "validate_trailers"):
        monkeypatch.setattr(http3, name, lambda *_, **__: None)


@pytest.mark.usefixtures("credulous")
def test_http3_says_nothing_that_could_be_read_otherwise_and_all_of_it_is_recorded(tmp_path: Path) -> None:
    authority, _ = make(tmp_path, ("localhost",))
    ledger.create(tmp_path / "test.ledger")
    found = asyncio.run(handed_on(tmp_path / "demo-cloud.pem", authority, tmp_path))
    paths = {b"/outer-%d" % number: name for number, name in enumerate(CASES)}
    named = {}
    for blocks in found:
        every = [pair for block in blocks for pair in block]
        (path,) = (value for field, value in every if field == b":path")
        named[paths[path]] = blocks
        assert not [pair for pair in every if set(pair[0] + pair[1]) & set(b"\r\n\0") or b" " in pair[0]], paths[path]
        assert not [field for field, _ in every if field in (b"transfer-encoding", b"content-length: 0")], paths[path]
        assert [value for field, value in blocks[0] if field == b"content-length"] in ([], [b"5"]), paths[path]
    assert dict(named["nothing"][0])[b"x-a"] == b"b"
    assert named["nothing, with trailers"][1:] == [FINE]
    rows = [o for _, o in ledger.read(tmp_path / "test.ledger") if isinstance(o, Exchange)]
    # What was handed on is recorded, trailers too.
    assert {paths[row.path.encode()] for row in rows} >= set(named)
    (whole,) = (row for row in rows if paths[row.path.encode()] == "nothing, with trailers")
    assert [name for name, _ in whole.headers].count("x-a") == 2
