"""Labels every flow with what it is for, and appends it to the ledger.

Also usable alone, inside mitmproxy's own programs: `mitmweb -s observe.py` labels flows, and records them if
`--set phonehome_ledger=FILE` is given; `~comment` and `~marker` then filter them.

In the hooks happens only what the next byte waits for.  A fault of ours is counted, and never reaches the traffic.
"""

from __future__ import annotations

import functools
import gc
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mitmproxy import ctx, dns, http, tcp, tls, udp
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Connection
from mitmproxy.proxy.context import Context

from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge, load
from analysis.model import Category
from captures import home
from captures.content import undo
from captures.formats import flows
from captures.ledger import Writer
from captures.model import Body, Contact, Endpoint, Exchange, Observation, Source, Unreadable
from captures.pseudonym import key

_LARGE = 1024 * 1024
"""Bodies announced as larger are streamed."""

_KEPT = 64 * 1024
"""Bytes that are kept of a streamed body that is no medium."""

_MEDIA = ("video/", "audio/", "image/", "font/", "application/octet-stream", "application/zip")
_EVENTS = ("text/event-stream", "application/x-ndjson", "application/grpc")

MARKERS = {
    Category.UPDATE_CHECK: ":arrows_counterclockwise:",
    Category.REMOTE_DISCOVERY: ":satellite:",
    Category.ACCOUNT_AUTH: ":key:",
    Category.USAGE_STATISTICS: ":bar_chart:",
    Category.SESSION_REPLAY: ":movie_camera:",
    Category.CRASH_REPORT: ":boom:",
    Category.ADVERTISING: ":moneybag:",
    Category.METADATA_LOOKUP: ":mag:",
    Category.PLAYBACK_REPORT: ":arrow_forward:",
    Category.SERVER_API: ":house:",
    Category.MEDIA_STREAM: ":film_strip:",
    Category.UNKNOWN: ":question:",
}
"""Mark of a flow by its purpose, as `~marker` finds it; the others get `OTHER`."""

OTHER = ":small_blue_diamond:"


def guarded[**P](hook: Callable[P, None]) -> Callable[P, None]:
    """A hook that counts its own faults instead of raising them."""

    @functools.wraps(hook)
    def guard(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(*args, **kwargs)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as fault:
            FAULTS.append(type(fault).__name__)
            del FAULTS[:-100]
            COUNTS["faults"] += 1

    return guard


FAULTS: list[str] = []
"""Kinds of the last faults."""

COUNTS = {"faults": 0}
"""How many there were in all."""


class Stream:
    """Passes a body on piece by piece, counts it, and keeps its beginning."""

    __slots__ = ("_most", "kept", "size")

    def __init__(self, most: int) -> None:
        self._most = most
        self.kept = bytearray()
        self.size = 0

    def __call__(self, data: bytes) -> bytes:
        """Takes a piece and gives it back; never raises, since the client would wait for ever."""
        try:
            self.size += len(data)
            room = self._most - len(self.kept)
            if room > 0:
                self.kept += data[:room]
        except MemoryError:
            COUNTS["faults"] += 1
        return data

    def body(self, encoding: str) -> Body:
        """What was kept."""
        if not self._most:
            return Body(None, self.size, self.size > 0, "a medium, which is not kept")
        whole = self.size <= len(self.kept)
        opened = undo(bytes(self.kept), encoding)
        return Body(opened.content, self.size, not whole, "" if whole else "only the beginning was kept")


class Observe:
    """The addon."""

    def __init__(self) -> None:
        self._writer: Writer | None = None
        self._knowledge: Knowledge | None = None
        self._numbers = itertools.count()
        self._streams: dict[tuple[str, str], Stream] = {}
        self._handshakes: dict[str, tuple[Exchange, int]] = {}
        self._raw: dict[str, list[int]] = {}
        self._device = ""

    def load(self, loader: Loader) -> None:
        """Adds our options."""
        loader.add_option("phonehome_ledger", str, "", "Ledger to append to; empty: only label flows.")
        loader.add_option("phonehome_device", str, "", "Name of the device all traffic is from; empty: its address.")
        loader.add_option("phonehome_keep_secrets", bool, False, "Keep tokens and passwords as they are.")

    def running(self) -> None:
        """Opens the ledger; from here on nothing of ours may fail loudly."""
        self._knowledge = load(home.packs(), home.cache())
        # What is known stays for ever: the garbage collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        self._device = ctx.options.phonehome_device
        if ctx.options.phonehome_ledger:
            secret = None if ctx.options.phonehome_keep_secrets else key()
            self._writer = Writer(Path(ctx.options.phonehome_ledger), secret)
            self._numbers = itertools.count(self._writer.next_flow)

    def done(self) -> None:
        """Writes what is left."""
        if self._writer:
            faults = COUNTS["faults"]
            if faults:
                place = f"{faults} times in the proxy's hooks"
                self._writer.put(Unreadable(self._source(), time.time(), place, "a fault of phonehome's"))
            self._writer.close()

    def _source(self) -> Source:
        return Source(0, next(self._numbers))

    def _put(self, observation: Observation) -> None:
        if self._writer:
            self._writer.put(observation)

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Decides whether what the device sends is streamed."""
        if (most := _streamed(flow.request.headers)) is not None:
            stream = Stream(most)
            flow.request.stream = stream
            self._streams[flow.id, "request"] = stream

    @guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Decides whether the answer is streamed: media and event streams must not wait in our memory."""
        if flow.response and (most := _streamed(flow.response.headers)) is not None:
            stream = Stream(most)
            flow.response.stream = stream
            self._streams[flow.id, "response"] = stream

    @guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """A request and its answer."""
        self._http(flow)

    @guarded
    def error(self, flow: http.HTTPFlow) -> None:
        """A request without an answer, or with a part of one."""
        if isinstance(flow, http.HTTPFlow) and flow.websocket is None:
            self._http(flow)

    def _http(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchange(flow)
        if flow.response and flow.response.status_code == 101:
            self._handshakes[flow.id] = (exchange, 0)
        self._label(flow, exchange)
        self._put(exchange)

    def _exchange(self, flow: http.HTTPFlow) -> Exchange:
        seen = next(iter(flows.observations(_state(flow), self._source())))
        if not isinstance(seen, Exchange):
            raise TypeError
        request = self._streams.pop((flow.id, "request"), None)
        response = self._streams.pop((flow.id, "response"), None)
        return _with_streams(seen, self._device, request, response)

    def _label(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        if self._knowledge is None:
            return
        call = classify(exchange, self._knowledge, Evidence())
        flow.metadata["phonehome.category"] = call.category.value
        flow.metadata["phonehome.product"] = call.product
        if not flow.comment:
            flow.comment = f"{call.category.value} · {call.product or 'unknown sender'}"
        if not flow.marked:
            flow.marked = MARKERS.get(call.category, OTHER)

    @guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """A message; what the device sent is handed on, and none piles up."""
        if flow.websocket is None or not flow.websocket.messages:
            return
        last = flow.websocket.messages[-1]
        known = self._handshakes.get(flow.id)
        if last.from_client and known:
            handshake, part = known
            self._handshakes[flow.id] = (handshake, part + 1)
            self._put(flows.message(handshake, part + 1, last.content[:_LARGE], last.timestamp))
        del flow.websocket.messages[:-1]

    @guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """The end of a WebSocket."""
        self._handshakes.pop(flow.id, None)

    @guarded
    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """A piece of a connection that is not looked into: counted, and not kept."""
        self._count(flow)

    @guarded
    def udp_message(self, flow: udp.UDPFlow) -> None:
        """Likewise."""
        self._count(flow)

    def _count(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        counts = self._raw.setdefault(flow.id, [0, 0, 0, 0])
        for message in flow.messages:
            side = 0 if message.from_client else 1
            counts[side] += len(message.content)
            counts[2 + side] += 1
        flow.messages.clear()

    @guarded
    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        """The end of such a connection."""
        self._raw_end(flow, "tcp")

    @guarded
    def tcp_error(self, flow: tcp.TCPFlow) -> None:
        """Likewise."""
        self._raw_end(flow, "tcp")

    @guarded
    def udp_end(self, flow: udp.UDPFlow) -> None:
        """Likewise."""
        self._raw_end(flow, "udp")

    @guarded
    def udp_error(self, flow: udp.UDPFlow) -> None:
        """Likewise."""
        self._raw_end(flow, "udp")

    def _raw_end(self, flow: tcp.TCPFlow | udp.UDPFlow, protocol: str) -> None:
        out, back, packets_out, packets_back = self._raw.pop(flow.id, [0, 0, 0, 0])
        client, server = flow.client_conn, flow.server_conn
        protocol = "tls" if client.sni and protocol == "tcp" else "quic" if client.sni else protocol
        reason = "was not looked into" if protocol in ("tls", "quic") else "is not HTTP"
        contact = _contact(client, server, protocol, reason, self._source(), self._device)
        counted = {"bytes_out": out, "bytes_in": back, "packets_out": packets_out, "packets_in": packets_back}
        self._put(_replaced(contact, counted))

    @guarded
    def dns_response(self, flow: dns.DNSFlow) -> None:
        """A question and its answer."""
        self._dns(flow)

    @guarded
    def dns_error(self, flow: dns.DNSFlow) -> None:
        """A question without an answer."""
        self._dns(flow)

    def _dns(self, flow: dns.DNSFlow) -> None:
        for seen in flows.observations(flow.get_state(), self._source()):
            self._put(seen)

    @guarded
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """The device would not go on with the proxy's certificate, or left."""
        error = (data.conn.error or "").lower()
        left = "disconnected during the handshake" in error
        reason = "client left during the handshake" if left else "client rejected the certificate"
        self._failed(data.context, reason)

    @guarded
    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The other end would not go on with the proxy, or could not prove who it is."""
        self._failed(data.context, "no trusted connection to the server")

    def passed(self, client: Connection, server: Connection, reason: str) -> None:
        """A connection that went through without being looked into."""
        self._put(_contact(client, server, "tls", reason, self._source(), self._device))

    def _failed(self, context: Context, reason: str) -> None:
        contact = _contact(context.client, context.server, "tls", reason, self._source(), self._device)
        self._put(contact)


def _state(flow: http.HTTPFlow) -> dict[str, Any]:
    """What `flows.observations` looks at; the whole state would write out every certificate anew for each flow."""
    client, server = flow.client_conn, flow.server_conn
    return {
        "type": "http",
        "request": flow.request.get_state(),
        "response": flow.response.get_state() if flow.response else None,
        "websocket": None,
        "client_conn": {
            "peername": client.peername,
            "sni": client.sni,
            "proxy_mode": client.proxy_mode.full_spec,
        },
        "server_conn": {"peername": server.peername, "address": server.address},
    }


def _streamed(headers: http.Headers) -> int | None:
    """Headers of a message -> how many bytes of it are kept while it is streamed; `None`: it is not streamed."""
    kind = headers.get("content-type", "").lower()
    if kind.startswith(_EVENTS):
        return _KEPT
    length = headers.get("content-length", "")
    large = not length.isdigit() or int(length) > _LARGE
    if kind.startswith(_MEDIA):
        return 0 if large else None
    return _KEPT if length.isdigit() and large else None


def _with_streams(exchange: Exchange, device: str, request: Stream | None, response: Stream | None) -> Exchange:
    changes: dict[str, Any] = {"device": device} if device else {}
    if request:
        body = request.body(exchange.header("content-encoding"))
        changes |= {"body": body, "bytes_out": exchange.bytes_out + body.size}
    if response:
        encoding = next((value for name, value in exchange.response_headers if name == "content-encoding"), "")
        body = response.body(encoding)
        changes |= {"response_body": body, "bytes_in": exchange.bytes_in + body.size}
    return _replaced(exchange, changes) if changes else exchange


def _replaced[T: (Exchange, Contact)](value: T, changes: dict[str, Any]) -> T:
    from dataclasses import replace

    return replace(value, **changes)


def _contact(
    client: Connection, server: Connection, protocol: str, reason: str, source: Source, device: str
) -> Contact:
    address = server.peername or getattr(server, "address", None)
    named = getattr(server, "address", None)
    end = Endpoint(str(address[0]), int(address[1])) if address else None
    host = client.sni or (named[0] if named else "") or (end.address if end else "")
    peer = client.peername
    return Contact(
        source=source,
        time=client.timestamp_start,
        end=time.time(),
        device=device or (str(peer[0]) if peer else ""),
        client=Endpoint(str(peer[0]), int(peer[1])) if peer else None,
        server=end,
        host=str(host).lower(),
        name_source="sni" if client.sni else "address" if end and host == end.address else "host",
        protocol=protocol,
        bytes_out=0,
        bytes_in=0,
        packets_out=0,
        packets_in=0,
        reason=reason,
    )


addons = [Observe()]
