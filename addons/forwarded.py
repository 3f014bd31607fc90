"""Tells a media server before which the proxy stands who its visitors are, in `X-Forwarded-For`.

The server sees all of them come from this machine.  Jellyfin and others take the address from this header when they are
told to trust this machine; who does not know it leaves it alone.  What is recorded is what the visitor has sent.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from mitmproxy import http
from mitmproxy.proxy.mode_specs import ReverseMode

from addons.observe import guarded
from analysis.evidence import household

if TYPE_CHECKING:
    from addons.observe import Observe

_HEADER = "X-Forwarded-For"


class Forwarded:
    """The addon.  It must stand before the one that records."""

    def __init__(self, observe: Observe) -> None:
        """`observe` counts what goes wrong."""
        self._observe = observe
        self._sent: dict[str, tuple[http.HTTPFlow, list[str]]] = {}

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request begins.

        What a visitor says about himself is not believed: servers take the first address, and this machine's own may
        open doors.  Another proxy on this machine is believed.
        """
        mode, peer = flow.client_conn.proxy_mode, flow.client_conn.peername
        if not isinstance(mode, ReverseMode) or not household(mode.address[0]) or not peer:
            return
        sent = flow.request.headers.get_all(_HEADER)
        self._sent[flow.id] = (flow, sent)
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        before = sent if address.is_loopback else []
        flow.request.headers[_HEADER] = ", ".join([*before, str(address)])
        self._observe.effect("forwarded", flow.client_conn)

    @guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """It has gone out: what is recorded is what was sent."""
        self._back(flow)

    error = response

    @guarded
    def done(self) -> None:
        """Likewise for what is still open."""
        for flow, _ in list(self._sent.values()):
            self._back(flow)

    def _back(self, flow: http.HTTPFlow) -> None:
        if entry := self._sent.pop(flow.id, None):
            flow.request.headers.set_all(_HEADER, entry[1])
