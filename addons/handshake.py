"""Why a handshake failed: mitmproxy's and OpenSSL's words -> one of a few causes."""

from __future__ import annotations

from captures.gateway.refusals import Cause

EARLY = "connection closed early"
"""mitmproxy's words for a device that has left before a certificate was shown to it, since the server took so long."""

_LEFT = (EARLY, "disconnected during the handshake")
_NO_TLS = ("cannot agree on a tls version", "unsupported protocol", "no shared cipher")


def by_device(error: str) -> Cause:
    """What mitmproxy says of a handshake between device and proxy that failed -> why it did."""
    error = error.lower()
    if any(words in error for words in _LEFT):
        return "left"
    return "tls" if any(words in error for words in _NO_TLS) else "certificate"


def by_server(error: str, *, asked: bool) -> Cause:
    """Likewise between proxy and server; `asked`: whether the server asked for a certificate of the client's.

    A server that got none may also speak of certificates, so what it asked for comes first.
    """
    if asked:
        return "asked"
    return "server" if "certificate" in error.lower() else "tls"
