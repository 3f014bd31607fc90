"""Which bodies pass through piece by piece, and what is kept of them: a film must never wait in our memory."""

from __future__ import annotations

from mitmproxy import http

from captures.content import Limits, undo
from captures.model import Body

LARGE = 1024 * 1024
"""Bytes.  A body announced as larger is streamed."""

BEGINNING = 64 * 1024
"""Bytes that are kept of an event stream, which may last for days."""

WHOLE = 1024 * 1024
"""Bytes that are kept of other streamed texts: as many as the ledger keeps."""

_MEDIA = ("video/", "audio/", "image/", "font/", "application/octet-stream", "application/zip", "multipart/x-mixed")
_EVENTS = ("text/event-stream", "application/x-ndjson", "application/stream+json", "application/grpc")

# Unpacking happens in the hook, so a small bomb must cost little.
_LIMITS = Limits(size=4 * WHOLE)


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

    def body(self, encoding: str) -> Body:
        """What was kept, after this `Content-Encoding` was undone as far as it goes."""
        if not self.size:
            return Body()
        if not self.kept:
            return Body(None, self.size, True, "a medium, which is not kept")
        opened = undo(bytes(self.kept), encoding, _LIMITS)
        if self.size == len(self.kept):
            return opened
        return Body(opened.content, self.size, True, "only the beginning was kept")


def kept(headers: http.Headers, *, unannounced: bool) -> int | None:
    """Headers of a message -> bytes of it to keep while it is streamed; `None`: it is not to be streamed.

    `unannounced`: whether texts of a length that is not announced are streamed too.
    """
    kind = headers.get("content-type", "").lower()
    if kind.startswith(_EVENTS):
        return BEGINNING
    length = headers.get("content-length", "")
    known = length.isascii() and length.isdigit() and len(length) < 20
    if known and int(length) <= LARGE:
        return None
    if kind.startswith(_MEDIA):
        return 0
    return WHOLE if known or (unannounced and ("transfer-encoding" in headers or kind)) else None
