"""Notices what our presence changes for a device, and keeps it from becoming less safe by it.

A device cannot see how the proxy talks to the server.  So the server gets nothing older or weaker from the proxy than
the device itself would accept; where device and server would have met at something else than the two halves do now,
that is counted, and the report says so.
"""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING, NamedTuple

from mitmproxy import ctx, tls

from addons.observe import guarded

if TYPE_CHECKING:
    from mitmproxy import connection

    from addons.observe import Observe

_MOST = 100_000
"""Offers of devices that are remembered."""

_VERSIONS = {"SSLv3": 0x300, "TLSv1": 0x301, "TLSv1.1": 0x302, "TLSv1.2": 0x303, "TLSv1.3": 0x304}

_NEWEST = 0x304
"""That the proxy knows."""

_SWITCHED_OFF = {0x301: ssl.OP_NO_TLSv1, 0x302: ssl.OP_NO_TLSv1_1, 0x303: ssl.OP_NO_TLSv1_2}
"""Version -> what forbids it."""

_SUPPORTED_VERSIONS, _EARLY_DATA, _ECH = 43, 42, 0xFE0D
"""Extensions of a ClientHello (RFC 8446, RFC 9849)."""

_CLASSES = (
    ("ECDHE+AESGCM", "ECDHE+CHACHA20", "DHE+AESGCM", "DHE+CHACHA20"),
    ("ECDHE+AES", "DHE+AES"),
)
"""Ciphers as OpenSSL names them, the best first: authenticated and with forward secrecy; with forward secrecy.  A third
class has neither."""


class Offer(NamedTuple):
    """What a device offers in its ClientHello, as far as it matters here."""

    oldest: int
    """Version of TLS."""
    newest: int
    """Likewise."""
    weakest: int
    """Class of its weakest cipher."""


class Presence:
    """The addon.  It must stand before mitmproxy's own `TlsConfig`, which leaves alone what is decided."""

    def __init__(self, observe: Observe) -> None:
        """`observe` keeps what is noticed."""
        self._observe = observe
        self._offers: dict[str, Offer] = {}

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def client_connected(self, client: connection.Client) -> None:
        """A device came by some way."""
        self._observe.effect(f"way:{client.proxy_mode.type_name}", client)

    @guarded
    def client_disconnected(self, client: connection.Client) -> None:
        """It is gone."""
        self._offers.pop(client.id, None)

    @guarded
    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """What a device offers."""
        client, hello = data.context.client, data.client_hello
        if data.ignore_connection:
            return
        extensions = dict(hello.extensions)
        # Of QUIC, which knows no older TLS, mitmproxy shows no bytes.
        if client.transport_protocol == "tcp" and len(self._offers) < _MOST:
            self._offers[client.id] = offered(hello.raw_bytes(wrap_in_record=False), extensions, hello.cipher_suites)
        for extension, kind in ((_ECH, "ech"), (_EARLY_DATA, "early-data")):
            if extension in extensions:
                self._observe.effect(kind, client, hello.sni or "")

    @guarded
    def tls_start_server(self, data: tls.TlsData) -> None:
        """The server is offered nothing that the device would not accept."""
        offer = self._offers.get(data.context.client.id)
        if offer is None or data.ssl_conn or data.is_dtls:
            return
        if offer.weakest < len(_CLASSES) and not (data.conn.cipher_list or ctx.options.ciphers_server):
            data.conn.cipher_list = [name for names in _CLASSES[: offer.weakest + 1] for name in names]
        ctx.master.addons.get("tlsconfig").tls_start_server(data)
        if data.ssl_conn:
            for version, off in _SWITCHED_OFF.items():
                if version < offer.oldest:
                    data.ssl_conn.set_options(off)

    @guarded
    def tls_established_client(self, data: tls.TlsData) -> None:
        """Device and proxy have agreed."""
        client = data.context.client
        offer, version = self._offers.get(client.id), _VERSIONS.get(client.tls_version or "")
        if offer and version and version < min(offer.newest, _NEWEST):
            self._observe.effect("lower-tls", client, client.sni or "")
        self._both(client, data.context.server)

    @guarded
    def tls_established_server(self, data: tls.TlsData) -> None:
        """Proxy and server have."""
        self._both(data.context.client, data.conn)

    def _both(self, client: connection.Client, server: connection.Connection) -> None:
        """Compares the two halves as soon as both are there."""
        if not (client.tls_established and server.tls_established) or client.transport_protocol != "tcp":
            return
        host = client.sni or server.sni or ""
        ours, theirs = (_VERSIONS.get(one.tls_version or "") for one in (client, server))
        if ours and theirs and theirs < ours:
            self._observe.effect("older-tls", client, host)
        elif ours and theirs and _class_of(server.cipher) > _class_of(client.cipher):
            self._observe.effect("weaker-cipher", client, host)
        if (client.alpn == b"h2") != (server.alpn == b"h2"):
            self._observe.effect("http-version", client, host)


def offered(hello: bytes, extensions: dict[int, bytes], ciphers: list[int]) -> Offer:
    """A ClientHello without its head, its extensions and its ciphers -> what it offers (RFC 8446, 4.2.1)."""
    listed = extensions.get(_SUPPORTED_VERSIONS, b"")[1:]
    pairs = [int.from_bytes(listed[place : place + 2]) for place in range(0, len(listed) - 1, 2)]
    versions = [version for version in pairs if version in _VERSIONS.values()]
    if not versions:
        # An old one names its newest alone.
        versions = [0x300, min(int.from_bytes(hello[:2]), 0x303)]
    known = _classes()
    return Offer(min(versions), max(versions), max((known[c] for c in ciphers if c in known), default=len(_CLASSES)))


@functools.cache
def _classes() -> dict[int | str, int]:
    """Cipher, by number and by OpenSSL's name -> its class."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    found: dict[int | str, int] = {}
    for cipher in context.get_ciphers():
        secret = cipher["protocol"] == "TLSv1.3" or cipher["kea"] in ("kx-ecdhe", "kx-dhe")
        found[cipher["id"] & 0xFFFF] = found[cipher["name"]] = (0 if cipher["aead"] else 1) if secret else 2
    return found


def _class_of(cipher: str | None) -> int:
    return _classes().get(cipher or "", len(_CLASSES))
