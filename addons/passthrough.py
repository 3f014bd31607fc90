"""Keeps devices working that do not accept the proxy's certificate: after one failure their connections pass untouched.

What passes is recorded as a contact that was not inspected, with its bytes.  What was learned is kept in a file, so
that a device need not fail again after each start.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mitmproxy import connection, ctx, exceptions, http, tcp, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers import TCPLayer
from mitmproxy.proxy.layers.tls import parse_client_hello
from mitmproxy.proxy.mode_specs import ReverseMode

from addons.handshake import EARLY, by_device, by_server
from addons.observe import Observe, guarded
from captures import clock
from captures.gateway import authority, refusals
from captures.gateway.refusals import Cause, Refusal
from captures.model import CaptureError

AT_ONCE = 3.0
"""Seconds.  An app that pins its certificates leaves right after the handshake; a browser that opens connections in
advance keeps them for longer."""

_MOST = 10_000
"""Pairs that are remembered."""

_LONGEST = 64 * 1024
"""Bytes in which a ClientHello must be complete."""

_SOON = 1.0
"""Seconds from learning something to its being written; an app refuses many names at once."""

REASON = "not inspected: the app does not accept the proxy's certificate"

_PASSES: dict[Cause, str] = {
    "left": REASON,
    "certificate": REASON,
    "tls": "not inspected: device, proxy and server have no version or cipher of TLS in common",
    "server": "not inspected: the proxy cannot verify the server's certificate, so the app decides by itself",
    "asked": "not inspected: the server wants a certificate that only the device has",
}
"""What was learned -> what is said of connections that pass for it."""

NEVER = "not inspected: on your list of names that are never intercepted"

_BEHIND: dict[Cause, str] = {"server": "certificate", "tls": "refused-tls"}
"""Why the server's half failed -> kind of effect."""

LEFT = "client accepted the handshake and left without a request"

type Pair = tuple[str, str]
"""Address of the device and name of the server: other names on the same server are still inspected."""


@dataclass(slots=True)
class _Handshake:
    """A connection whose handshake went well, and no request came yet."""

    pair: Pair
    server: connection.Server
    at: float


class Passthrough:
    """The addon.  It must stand before mitmproxy's own `NextLayer`, which leaves alone what is decided."""

    def __init__(self, observe: Observe) -> None:
        """`observe` records what passes."""
        self._observe = observe
        self._refusals: dict[Pair, Refusal] = {}
        self._waiting: asyncio.TimerHandle | None = None
        self._writing = threading.Lock()
        self._accepted: dict[Pair, None] = {}
        self._open: dict[str, _Handshake] = {}
        self._servers: dict[str, tuple[connection.Server, str]] = {}
        self._never: frozenset[str] = frozenset()

    def load(self, loader: Loader) -> None:
        """Adds our options."""
        loader.add_option("phonehome_never", str, "", "File with names that are never intercepted; empty: none.")
        loader.add_option("phonehome_refusals", str, "", "File that keeps who refused; empty: forgotten at the end.")

    def configure(self, updated: set[str]) -> None:
        """Reads the files once.  Raises `OptionsError` for a list that cannot be read."""
        if "phonehome_refusals" in updated and ctx.options.phonehome_refusals:
            kept = refusals.read(Path(ctx.options.phonehome_refusals), clock.steady())
            self._refusals = {(refusal.device, refusal.name): refusal for refusal in kept[-_MOST:]}
        if "phonehome_never" in updated and ctx.options.phonehome_never:
            try:
                self._never = frozenset(authority.names(Path(ctx.options.phonehome_never)))
            except (CaptureError, OSError, UnicodeError) as error:
                raise exceptions.OptionsError(f"phonehome_never: {error}") from error
            self._observe.unrecorded = self._clear

    def _clear(self, flow: http.HTTPFlow) -> str:
        """Why a request in the clear is not recorded; empty when it is."""
        hosts = (flow.request.host, flow.request.host_header or "")
        return NEVER if any(self._is_never(host.partition(":")[0]) for host in hosts) else ""

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def next_layer(self, nextlayer: NextLayer) -> None:
        """A connection begins: if it is one to pass, its bytes are relayed and counted, and nothing is looked into."""
        client = nextlayer.context.client
        if not (self._refusals or self._never) or client.tls or client.transport_protocol != "tcp":
            return
        data = nextlayer.data_client()
        if not starts_like_tls_record(data) or len(data) > _LONGEST:
            return
        try:
            hello = parse_client_hello(data)
        except ValueError:
            return
        if hello and (why := self._untouched(client, hello.sni, nextlayer.context.server)):
            client.sni = hello.sni
            self._observe.untouched[client.id] = why
            self._observe.effect("passed", client, hello.sni or "")
            nextlayer.layer = TCPLayer(nextlayer.context)

    @guarded
    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """What could not be decided above: QUIC, and a ClientHello in pieces.  mitmproxy shows no bytes of these."""
        client = data.context.client
        if why := self._untouched(client, data.client_hello.sni, data.context.server):
            data.ignore_connection = True
            self._observe.effect("passed", client, data.client_hello.sni or "")
            self._servers[client.id] = (data.context.server, why)

    @guarded
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """A device refused, or left."""
        error, client = data.conn.error or "", data.context.client
        if EARLY not in error:
            cause = by_device(error)
            if cause == "tls":
                self._observe.effect("refused-device", client, data.conn.sni or "")
            self.learn(client, data.conn.sni, cause)

    @guarded
    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The server is one that only the device trusts, or talks a TLS that only the device accepts."""
        client = data.context.client
        if client.connected:
            cause = by_server(data.conn.error or "", asked=data.conn.id in self._observe.asking)
            if kind := _BEHIND.get(cause):
                self._observe.effect(kind, client, data.conn.sni or "")
            self.learn(client, client.sni, cause)

    @guarded
    def tls_established_client(self, data: tls.TlsData) -> None:
        """A device accepted the handshake; an app that pins its certificates leaves now without a request."""
        client = data.context.client
        self._open[client.id] = _Handshake(
            (_address(client), data.conn.sni or ""), data.context.server, time.monotonic()
        )

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request came, so the handshake was meant."""
        self._used(flow.client_conn)

    @guarded
    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        """Likewise."""
        self._used(flow.client_conn)

    def _used(self, client: connection.Client) -> None:
        handshake = self._open.pop(client.id, None)
        if handshake is None:
            return
        _remember(self._accepted, handshake.pair, None)
        if (refusal := self._refusals.get(handshake.pair)) and not refusal.sure:
            del self._refusals[handshake.pair]
            self.keep()

    @guarded
    def client_disconnected(self, client: connection.Client) -> None:
        """A device left: what passed is recorded, and who left at once without a request is remembered."""
        self._observe.untouched.pop(client.id, None)
        if passed := self._servers.pop(client.id, None):
            self._observe.closed(client, *passed)
        handshake = self._open.pop(client.id, None)
        if handshake and time.monotonic() - handshake.at < AT_ONCE and self.learn(client, client.sni, "left"):
            self._observe.closed(client, handshake.server, LEFT)

    def _untouched(self, client: connection.Client, sni: str | None, server: connection.Server) -> str:
        """Why a connection is not looked into; empty when it is.

        A device that names no server in the handshake, or another one, may have asked the proxy for one by name.
        """
        if self._is_never(sni or "") or (server.address and self._is_never(server.address[0])):
            return NEVER
        refusal = self._holding((_address(client), sni or ""))
        return _PASSES[refusal.cause] if refusal else ""

    def _is_never(self, host: str) -> bool:
        labels = host.lower().rstrip(".").split(".")
        return any(".".join(labels[place:]) in self._never for place in range(len(labels)))

    def _holding(self, pair: Pair) -> Refusal | None:
        refusal = self._refusals.get(pair)
        if refusal and not refusal.holds(clock.steady()):
            del self._refusals[pair]
            return None
        return refusal

    def learn(self, client: connection.Client, sni: str | None, cause: Cause) -> bool:
        """A connection failed -> whether something was learned: not of visitors of the own server, nor of who accepted
        the name before and only left now."""
        pair, sure = (_address(client), sni or ""), cause != "left"
        if not sni or isinstance(client.proxy_mode, ReverseMode) or (pair in self._accepted and not sure):
            return False
        if pair not in self._refusals:
            self._observe.effect("failed-once", client, sni)
        _remember(self._refusals, pair, Refusal(*pair, clock.steady(), sure, cause))
        self.keep()
        return True

    def keep(self) -> None:
        """Has what was learned written soon."""
        if ctx.options.phonehome_refusals and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(_SOON, self._begin)

    def _begin(self) -> None:
        """By a thread: no byte waits for a disk."""
        self._waiting = None
        asyncio.get_running_loop().run_in_executor(None, self._write, tuple(self._refusals.values()))

    def _write(self, learned: tuple[Refusal, ...]) -> None:
        try:
            with self._writing:
                refusals.write(Path(ctx.options.phonehome_refusals), learned, clock.ahead())
        except (CaptureError, OSError) as error:
            self.fault("refusals", f"what was learned of devices could not be kept: {error}")

    @guarded
    def done(self) -> None:
        """What waits to be written is written."""
        if self._waiting:
            self._waiting.cancel()
            self._write(tuple(self._refusals.values()))


def _remember[K, V](table: dict[K, V], key: K, value: V) -> None:
    if len(table) >= _MOST and key not in table:
        table.pop(next(iter(table)))
    table[key] = value


def _address(client: connection.Client) -> str:
    return str(client.peername[0]) if client.peername else ""
