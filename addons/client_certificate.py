"""Servers that ask for a certificate that only the device has: its connections pass untouched from the second try on.

The handshake goes on without one all the same, and a server may go on, too, so that only its refusal counts: in the
handshake, in words after it (TLS 1.3), by hanging up, or by an answer that says so.  A server that asks later than in
the handshake, of one path only, and answers as if nothing was wrong is not told from any other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mitmproxy import connection, ctx, http, tls
from OpenSSL import SSL

from addons.observe import Observe, guarded

if TYPE_CHECKING:
    from addons.passthrough import Passthrough

_REQUESTED = b"SSLv3/TLS read server certificate request"
"""OpenSSL's name of the moment at which a CertificateRequest was read, of any version of TLS (RFC 8446, 4.3.2)."""

_NO_CERTIFICATE = (400, 495, 496)
"""Status of an answer to who has shown no certificate (nginx)."""

_FATAL = 2
_REFUSALS = (40, 42, 116)
"""Alerts of a server that wants a certificate: handshake failure, bad certificate, certificate required."""

_LOOP = 0x1001
"""Where OpenSSL is: a client, in the handshake."""


class ClientCertificate:
    """The addon.  It must stand behind mitmproxy's `TlsConfig`, which makes what is listened to here."""

    def __init__(self, observe: Observe, passthrough: Passthrough) -> None:
        """`observe` keeps who asked, `passthrough` what was learned of a device."""
        self._observe = observe
        self._passthrough = passthrough

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def tls_start_server(self, data: tls.TlsData) -> None:
        """A handshake begins, and OpenSSL says what it reads and what the server complains of."""
        if data.ssl_conn is None or data.is_dtls:
            return
        client, server = data.context.client, data.conn
        loop = asyncio.get_running_loop()

        def told(ssl_conn: SSL.Connection, where: int, alert: int) -> None:
            if where == _LOOP and ssl_conn.get_state_string() == _REQUESTED:
                self._asks(client, server)
            elif where == SSL.SSL_CB_READ_ALERT and alert >> 8 == _FATAL and server.tls_established:
                loop.call_soon(self._refused, client, server, ssl_conn, alert & 0xFF)

        data.ssl_conn.set_info_callback(told)

    @guarded
    def _asks(self, client: connection.Client, server: connection.Connection) -> None:
        self._observe.ask(server.id)
        self._observe.effect("client-certificate", client, server.sni or "")

    @guarded
    def _refused(
        self, client: connection.Client, server: connection.Connection, ssl_conn: SSL.Connection, reason: int
    ) -> None:
        """A server gave up after the handshake, most often since it got no certificate: nobody waits for it any more.

        OpenSSL takes this for the end, and mitmproxy for one that it has passed on already, so that it would pass on
        no other.
        """
        if reason in _REFUSALS:
            self._learn(client)
        ssl_conn.set_shutdown(0)
        proxyserver = ctx.master.addons.get("proxyserver")
        for handler in list(proxyserver.connections.values()):
            if (transport := handler.transports.get(server)) and transport.writer:
                transport.writer.close()

    @guarded
    def error(self, flow: http.HTTPFlow) -> None:
        """A server that has asked for a certificate and got none ends the connection."""
        if flow.server_conn.id in self._observe.asking:
            self._learn(flow.client_conn)

    @guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """Or it says so."""
        asked = flow.server_conn.id in self._observe.asking
        if asked and flow.response and flow.response.status_code in _NO_CERTIFICATE:
            self._learn(flow.client_conn)

    def _learn(self, client: connection.Client) -> None:
        self._passthrough.learn(client, client.sni, "asked")
