"""Which bodies pass through piece by piece, and what is kept of them: a film must never wait in our memory."""

from __future__ import annotations

from mitmproxy import http

from captures.recorder import Streamed

LARGE = 1024 * 1024
"""Bytes.  A body announced as larger is streamed."""

BEGINNING = 64 * 1024
"""Bytes that are kept of an event stream, which may last for days."""

WHOLE = 1024 * 1024
"""Bytes that are kept of other streamed texts: as many as the ledger keeps."""

_MEDIA = (
    b"video/", b"audio/", b"image/", b"font/", b"application/octet-stream", b"application/zip", b"multipart/x-mixed",
)  # fmt: skip
_EVENTS = (b"text/event-stream", b"application/x-ndjson", b"application/stream+json", b"application/grpc")


class Stream:
    """Passes a body on piece by piece, counts it, and keeps its beginning.  mitmproxy calls it with each piece."""

    __slots__ = ("_most", "kept", "size")

    def __init__(self, most: int) -> None:
        """`most` is the number of bytes to keep."""
        self._most = most
        self.kept = bytearray()
        self.size = 0

    def __call__(self, data: bytes) -> bytes:
        """Takes a piece and gives it back; never raises, since the client would wait for ever."""
        self.size += len(data)
        if (room := self._most - len(self.kept)) > 0:
            try:
                self.kept += data[:room]
            except MemoryError:
                self._most = len(self.kept)
        return data

    def passed(self) -> Streamed:
        """What passed."""
        return Streamed(self.size, bytes(self.kept))


def kept(headers: http.Headers, *, unannounced: bool) -> int | None:
    """Headers of a message -> bytes of it to keep while it is streamed; `None`: it is not to be streamed.

    `unannounced`: whether texts of a length that is not announced are streamed too.
    """
    # Its own look-up by name costs ten times as much, and this stands in the way of each request twice.
    named = {name.lower(): value for name, value in reversed(headers.fields)}
    kind, length = named.get(b"content-type", b"").lower(), named.get(b"content-length", b"")
    if kind.startswith(_EVENTS):
        return BEGINNING
    known = length.isdigit() and len(length) < 20
    if known and int(length) <= LARGE:
        return None
    if kind.startswith(_MEDIA):
        return 0
    return WHOLE if known or (unannounced and (kind or b"transfer-encoding" in named)) else None
