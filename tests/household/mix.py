"""What is heavy: `serve CHAIN` on the Internet; `load AUTHORITY ADDRESS` on a device asks for all of it at once.

That is three films of 300 MB, a WebSocket with 20,000 messages (JSON of 2 kB; each is answered by as much), 300 MB over
plain TCP, and an event stream with 2,000 events.  `flows AUTHORITY ADDRESS COUNT` sends so many small requests to the
HTTPS server of the lab, on ever new connections.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import ssl
import struct
import sys

MEGABYTE = 1024 * 1024
FILM = RAW = 300 * MEGABYTE
MESSAGES = 20_000
EVENTS = 2_000
SECURE, PLAIN = 8443, 9999

_MESSAGE = json.dumps({"type": "timeline", "entries": [{"id": n, "state": n % 6} for n in range(80)]}).encode()
_AHEAD = 50
"""Messages that are on their way at the same time."""


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Payload of one frame of a WebSocket (RFC 6455); those of this script have two bytes of length."""
    head = await reader.readexactly(4)
    masked, (length,) = head[1] & 0x80, struct.unpack(">H", head[2:])
    if masked:
        await reader.readexactly(4)
    return await reader.readexactly(length)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server's side of a TLS connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode()
    if path.startswith("/film"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % FILM)
        for _ in range(FILM // 65536):
            writer.write(bytes(65536))
            await writer.drain()
    elif path == "/events":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(EVENTS):
            writer.write(b"data: %d %s\n\n" % (number, b"y" * 200))
            await writer.drain()
            await asyncio.sleep(0.002)
    else:
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        for _ in range(MESSAGES):
            assert len(await _frame(reader)) == len(_MESSAGE)
            writer.write(b"\x81\x7e" + struct.pack(">H", len(_MESSAGE)) + _MESSAGE)
            await writer.drain()
    await writer.drain()
    writer.close()


async def _pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Plain bytes, and what they are is nobody's business."""
    for _turn in range(RAW // 65536):
        writer.write(b"\x00\xff" * 32768)
        await writer.drain()
    writer.close()


async def _serve(chain: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    secure = await asyncio.start_server(_answer, "0.0.0.0", SECURE, ssl=context)  # noqa: S104 - in a namespace
    plain = await asyncio.start_server(_pour, "0.0.0.0", PLAIN)  # noqa: S104 - in a namespace
    print("serving", flush=True)
    await asyncio.gather(secure.serve_forever(), plain.serve_forever())


async def _drained(reader: asyncio.StreamReader, most: int) -> int:
    """Bytes that come until the end, or until there are so many."""
    size = 0
    while size < most and (part := await reader.read(MEGABYTE)):
        size += len(part)
    return size


async def _load(authority: str, address: str) -> None:
    """Prints what has come, as JSON."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT

    async def ask(path: str, extra: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(address, SECURE, ssl=context, server_hostname="plex.tv")
        writer.write(f"GET {path} HTTP/1.1\r\nHost: plex.tv:{SECURE}\r\n{extra}\r\n".encode())
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        assert status in (b"200", b"101"), status
        return reader, writer

    async def film(number: int) -> int:
        reader, _ = await ask(f"/film/{number}")
        return await _drained(reader, FILM)

    async def events() -> int:
        reader, _ = await ask("/events")
        seen = 0
        while line := await reader.readline():
            seen += line.startswith(b"data: ")
        return seen

    async def socket() -> int:
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = (
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        )
        reader, writer = await ask("/socket", upgrade)
        frame = b"\x81\xfe" + struct.pack(">H", len(_MESSAGE)) + bytes(4) + _MESSAGE
        back = 0
        for sent in itertools.count(1):
            if sent <= MESSAGES:
                writer.write(frame)
                await writer.drain()
            if sent > _AHEAD:
                assert await _frame(reader) == _MESSAGE
                back += 1
            if back == MESSAGES:
                return back
        raise AssertionError

    async def raw() -> int:
        reader, _ = await asyncio.open_connection(address, PLAIN)
        return await _drained(reader, RAW)

    one, two, three, messages, told, plain = await asyncio.gather(film(1), film(2), film(3), socket(), events(), raw())
    print(json.dumps({"films": [one, two, three], "messages": messages, "events": told, "raw": plain}))


_WORKERS, _EACH = 8, 20
"""Connections at the same time, and requests on each."""

_REQUEST = (
    b"POST /api/v2/ping?x=1 HTTP/1.1\r\nHost: plex.tv\r\nX-Plex-Product: Plex for Smart TV\r\n"
    b"X-Plex-Client-Identifier: made-up-client-0001\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


async def _flows(authority: str, address: str, count: str) -> None:
    """Prints how many were answered."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    numbers = iter(range(int(count)))
    answered = 0

    async def work() -> None:
        nonlocal answered
        while part := list(itertools.islice(numbers, _EACH)):
            reader, writer = await asyncio.open_connection(address, 443, ssl=context, server_hostname="plex.tv")
            for number in part:
                body = json.dumps({"event": "client:view", "n": number, "page": "home" * 100}).encode()
                writer.write(_REQUEST % (len(body), body))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
                answered += head.startswith(b"HTTP/1.1 200")
            writer.close()

    await asyncio.gather(*(work() for _ in range(_WORKERS)))
    print(answered)


if __name__ == "__main__":
    match sys.argv[1]:
        case "serve":
            asyncio.run(_serve(sys.argv[2]))
        case "load":
            asyncio.run(_load(*sys.argv[2:]))
        case _:
            asyncio.run(_flows(*sys.argv[2:]))
