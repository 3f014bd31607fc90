"""Leaves no two ways to read a header that is handed on.

mitmproxy refuses what serves to hide one request behind another in lengths and encodings, but hands on lines that are
folded, and single carriage returns and NULs in values, which some servers take for the end of a line.  RFC 9112, 2.2
and 5.2, and RFC 9110, 5.5: a proxy puts a space in their place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mitmproxy import http

from addons.observe import guarded

if TYPE_CHECKING:
    from addons.observe import Observe

_BREAK = re.compile(rb"[\r\n\0][\r\n\0 \t]*")


class Wellformed:
    """The addon."""

    def __init__(self, observe: Observe) -> None:
        """`observe` counts what goes wrong."""
        self._observe = observe

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request begins."""
        if _mend(flow.request.headers):
            self._observe.effect("mended", flow.client_conn, flow.request.host)

    @guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Its answer begins."""
        if flow.response and _mend(flow.response.headers):
            self._observe.effect("mended", flow.client_conn, flow.request.host)

    @guarded
    def request(self, flow: http.HTTPFlow) -> None:
        """It is complete; what followed its body was not handed on yet."""
        if flow.request.trailers and _mend(flow.request.trailers):
            self._observe.effect("mended", flow.client_conn, flow.request.host)

    @guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """Likewise."""
        if flow.response and flow.response.trailers and _mend(flow.response.trailers):
            self._observe.effect("mended", flow.client_conn, flow.request.host)


def _mend(headers: http.Headers) -> bool:
    """Whether there was anything to mend."""
    # One look over all of them; nearly always nothing is to be done.
    if not _BREAK.search(b"".join([value for _, value in headers.fields])):
        return False
    headers.fields = tuple((name, _BREAK.sub(b" ", value)) for name, value in headers.fields)
    return True
