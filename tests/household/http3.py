"""`http3.py serve CHAIN ADDRESS` or `get AUTHORITY ADDRESS PATH`: HTTP/3 by aioquic, on port 443, as plex.tv."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent


class Speaker(QuicConnectionProtocol):
    """Either end: turns what QUIC brings into events of HTTP/3."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # passed through
        self.http = H3Connection(self._quic)
        self.body = b""
        self.ended = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event: QuicEvent) -> None:
        """Hands it on; says why a connection ended with an error."""
        if isinstance(event, ConnectionTerminated) and event.error_code:
            print(f"ended with {event.error_code:#x}: {event.reason_phrase}", flush=True)
        for told in self.http.handle_event(event):
            self.told(told)

    def told(self, event: H3Event) -> None:
        """The client's: collects the answer."""
        if isinstance(event, DataReceived):
            self.body += event.data
        if isinstance(event, HeadersReceived | DataReceived) and event.stream_ended and not self.ended.done():
            self.ended.set_result(None)


class Server(Speaker):
    """Answers with the path and the visitor's address, as the HTTPS server of the lab does."""

    def told(self, event: H3Event) -> None:
        """A request."""
        if isinstance(event, HeadersReceived):
            path = dict(event.headers)[b":path"]
            peer = str(self._quic._network_paths[0].addr[0]).removeprefix("::ffff:")
            self.http.send_headers(event.stream_id, [(b":status", b"200")])
            self.http.send_data(event.stream_id, path + b" h3 " + peer.encode() + b"\n", end_stream=True)
            self.transmit()


async def answer(chain: str, address: str) -> None:
    """Serves for ever.  One address: from another one, answers would not be recognised."""
    settings = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    # Both stand in one file.
    settings.load_cert_chain(Path(chain), Path(chain))
    await serve(address, 443, configuration=settings, create_protocol=Server)
    print("serving", flush=True)
    await asyncio.Event().wait()


async def ask(authority: str, address: str, path: str) -> None:
    """Prints what comes back."""
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, server_name="plex.tv", idle_timeout=8)
    settings.load_verify_locations(authority)
    async with connect(address, 443, configuration=settings, create_protocol=Speaker) as plain:
        client = cast("Speaker", plain)
        stream = client._quic.get_next_available_stream_id()
        named = ((":method", "GET"), (":scheme", "https"), (":authority", "plex.tv"), (":path", path))
        client.http.send_headers(stream, [(name.encode(), value.encode()) for name, value in named], end_stream=True)
        client.transmit()
        async with asyncio.timeout(8):
            await client.ended
        print(client.body.decode(), end="")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(answer(*sys.argv[2:]))
    else:
        try:
            asyncio.run(ask(*sys.argv[2:]))
        except (OSError, TimeoutError) as error:
            print(f"{type(error).__name__}: {error}")
