"""Keeps devices working that do not accept the proxy's certificate: after one failure their connections pass untouched.

What passes is recorded as a contact that was not inspected.  mitmproxy shows nothing of such a connection, so its bytes
are not counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from mitmproxy import connection, http, tcp, tls

from addons.observe import Observe, guarded

EXPIRES = 24 * 3600.0
"""Seconds after which a device is tried again."""

_MOST = 10_000
"""Pairs that are remembered."""

REASON = "not inspected: the app does not accept the proxy's certificate"


@dataclass(slots=True)
class _Handshake:
    """A connection whose handshake went well; whether a request followed."""

    pair: tuple[str, str]
    used: bool = False


class Passthrough:
    """The addon."""

    def __init__(self, observe: Observe) -> None:
        """`observe` records what passes."""
        self._observe = observe
        self._passed: dict[str, connection.Server] = {}
        self._refused: dict[tuple[str, str], float] = {}
        self._open: dict[str, _Handshake] = {}

    @guarded
    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """A device begins a handshake: is it one that refused this name before?"""
        pair = (_address(data.context.client), data.client_hello.sni or "")
        since = self._refused.get(pair)
        if since is None:
            return
        if time.monotonic() - since > EXPIRES:
            del self._refused[pair]
        else:
            data.ignore_connection = True
            self._passed[data.context.client.id] = data.context.server

    @guarded
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """A device refused."""
        self._learn((_address(data.context.client), data.conn.sni or ""))

    @guarded
    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The server is one that only the device trusts, or talks a TLS that only the device accepts."""
        self._learn((_address(data.context.client), data.context.client.sni or ""))

    @guarded
    def tls_established_client(self, data: tls.TlsData) -> None:
        """A device accepted the handshake; an app that pins its certificates leaves now without a request."""
        self._open[data.context.client.id] = _Handshake((_address(data.context.client), data.conn.sni or ""))

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request came, so the handshake was meant."""
        if handshake := self._open.get(flow.client_conn.id):
            handshake.used = True

    @guarded
    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        """Likewise."""
        if handshake := self._open.get(flow.client_conn.id):
            handshake.used = True

    @guarded
    def client_disconnected(self, client: connection.Client) -> None:
        """A device left: what passed is recorded, and who left without a request is remembered."""
        if server := self._passed.pop(client.id, None):
            self._observe.passed(client, server, REASON)
        handshake = self._open.pop(client.id, None)
        if handshake and not handshake.used:
            self._learn(handshake.pair)

    def _learn(self, pair: tuple[str, str]) -> None:
        if not pair[1]:
            return
        if len(self._refused) >= _MOST:
            self._refused.pop(next(iter(self._refused)))
        self._refused[pair] = time.monotonic()


def _address(client: connection.Client) -> str:
    return str(client.peername[0]) if client.peername else ""
