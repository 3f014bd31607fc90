"""Keeps one message of HTTP/1.1 one message, where mitmproxy does not.

What follows a body in chunks (trailers) makes it give the connection up.  Here it is not handed on, which everybody
between two ends may decide (RFC 9110, 6.5.1), so that nothing can be hidden in it either.  A body whose length HTTP/2
did not tell is handed on while it comes: without chunks, the server would take it for the next request.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import h11
from h11._readers import ChunkedReader
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._events import HttpEvent, RequestHeaders, RequestTrailers, ResponseTrailers

type _Send = Callable[[Any, HttpEvent], CommandGenerator[None]]


def mended() -> None:
    """From now on it is so in this process."""
    vars(_http1)["ChunkedReader"] = _Reader
    for side in (_http1.Http1Client, _http1.Http1Server):
        setattr(side, "send", _mended(side.send))  # noqa: B010 - a method is replaced, which mypy forbids


class _Reader(ChunkedReader):
    """Of a body in chunks."""

    def __call__(self, buffer: Any) -> Any:
        """Takes what has come -> what it means; at the end no word of trailers."""
        event = super().__call__(buffer)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def _mended(send: _Send) -> _Send:
    @functools.wraps(send)
    def sending(self: Any, event: HttpEvent) -> CommandGenerator[None]:
        if isinstance(event, RequestHeaders) and not event.end_stream:
            event = _framed(event)
        if not isinstance(event, RequestTrailers | ResponseTrailers):
            yield from send(self, event)

    return sending


def _framed(event: RequestHeaders) -> RequestHeaders:
    """The beginning of a request with a body, which says how its end is found (RFC 9112, 6.3)."""
    headers = event.request.headers
    if "content-length" in headers or "transfer-encoding" in headers or event.request.method == "CONNECT":
        return event
    request = event.request.copy()
    request.headers["Transfer-Encoding"] = "chunked"
    return replace(event, request=request)
