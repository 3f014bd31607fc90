"""Labels every flow with what it is for, and appends it to the ledger.

Also usable alone, inside mitmproxy's own programs: `mitmweb -s observe.py` labels flows, and records them if
`--set phonehome_ledger=FILE` is given; `~comment` and `~marker` then filter them, and in mitmweb and mitmproxy the
worst verdict is appended to the comment as soon as another process has worked it out.

In the hooks happens only what the next byte waits for.  A fault of ours is counted, and never reaches the traffic.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import ipaddress
import itertools
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Protocol

from mitmproxy import ctx, dns, hooks, http, tcp, tls, udp
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client, Server
from mitmproxy.flow import Flow
from mitmproxy.proxy.mode_specs import RegularMode, ReverseMode, UpstreamMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tools.dump import DumpMaster
from msgspec.structs import replace

# As a script of mitmproxy's programs this file may stand in a folder that is not installed.
if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.append(_root)

from addons import handshake
from addons.bodies import Stream, kept
from addons.effects import Effects
from addons.recorder import Recorder

# Not its `load` alone: mitmproxy takes functions of a script that are named like its events for hooks.
from analysis import knowledge
from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Category
from analysis.schema import KnowledgeError
from analysis.verdicts import Verdicts
from captures import home
from captures.formats import flows
from captures.gateway.refusals import Cause
from captures.model import CaptureError, Contact, Effect, Endpoint, Exchange, Observation, Source, Unreadable
from captures.recorder import Raw, Streamed, exchange

_MESSAGE = 1024 * 1024
"""Bytes of a WebSocket message that are kept."""

_ROWS = 1000
"""Faults that are recorded one by one; of more only the number."""

_FAILED: dict[Cause, str] = {
    "left": "client left during the handshake",
    "certificate": "client rejected the certificate",
    "tls": "client and proxy share no version or cipher of TLS",
}
_FAILED_BEHIND: dict[Cause, str] = {
    "server": "the server's certificate is not trusted",
    "tls": "server refused TLS",
    "asked": "the server asked for a certificate that only the device has",
}
"""Why a handshake failed -> what is said of the connection, of the device's half and of the server's."""

_MOST_ASKING = 10_000
"""Connections of servers that asked for a certificate, which are remembered."""

_NOTHING = Evidence()

type _Address = tuple[Any, ...]

MARKERS = {
    Category.UPDATE_CHECK: ":arrows_counterclockwise:",
    Category.REMOTE_DISCOVERY: ":satellite:",
    Category.ACCOUNT_AUTH: ":key:",
    Category.USAGE_STATISTICS: ":bar_chart:",
    Category.SESSION_REPLAY: ":movie_camera:",
    Category.CRASH_REPORT: ":boom:",
    Category.ADVERTISING: ":moneybag:",
    Category.METADATA_LOOKUP: ":mag:",
    Category.PLAYBACK_REPORT: ":arrow_forward:",
    Category.SERVER_API: ":house:",
    Category.MEDIA_STREAM: ":film_strip:",
    Category.UNKNOWN: ":question:",
}
"""Mark of a flow by its purpose, as `~marker` finds it; the others get `OTHER`."""

OTHER = ":small_blue_diamond:"


class Counts(Protocol):
    """An addon that counts its faults."""

    def fault(self, place: str, reason: str) -> None:
        """Takes note of one."""
        ...


def guarded[A: Counts, **P](hook: Callable[Concatenate[A, P], None]) -> Callable[Concatenate[A, P], None]:
    """A hook that counts its own faults instead of raising them; only who ends the process passes."""

    @functools.wraps(hook)
    def guard(self: A, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(self, *args, **kwargs)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as fault:
            # Its text may hold what was captured.
            self.fault(f"hook {hook.__name__}", f"a fault of phonehome's ({type(fault).__name__})")

    return guard


class Observe:
    """The addon."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._verdicts: Verdicts | None = None
        self._knowledge: Knowledge | None = None
        self._numbers = itertools.count()
        self._device = ""
        self._flat = False
        self._shown = True
        self._faults = 0
        self._effects = Effects(self._put)
        self._open: dict[str, http.HTTPFlow] = {}
        self._streams: dict[tuple[str, str], Stream] = {}
        self._handshakes: dict[str, tuple[Exchange, int]] = {}
        self._raw: dict[str, tuple[tcp.TCPFlow | udp.UDPFlow, list[int]]] = {}
        self._asked: dict[int, http.HTTPFlow] = {}
        self.untouched: dict[str, str] = {}
        """Id of a client's connection that passes untouched -> why; set by `Passthrough`."""
        self.asking: dict[str, None] = {}
        """Ids of connections whose servers asked for a certificate of the device's own."""
        self.unrecorded: Callable[[http.HTTPFlow], str] = lambda _: ""
        """Why a request is not recorded though it can be read, or nothing; set by `Passthrough`."""

    def load(self, loader: Loader) -> None:
        """Adds our options."""
        loader.add_option("phonehome_ledger", str, "", "Ledger to append to; empty: only label flows.")
        loader.add_option("phonehome_device", str, "", "Name of the device all traffic is from; empty: its address.")
        loader.add_option("phonehome_keep_secrets", bool, False, "Keep tokens and passwords as they are.")
        loader.add_option("phonehome_flat", bool, False, "Keep no messages and no large bodies in the flows.")

    def running(self) -> None:
        """Opens the ledger.  What is wrong now is logged as an error, and mitmproxy does not start."""
        try:
            self._knowledge = knowledge.load(home.packs(), home.cache())
            self._device = ctx.options.phonehome_device
            self._flat = ctx.options.phonehome_flat
            # Nobody sees a label of `python -m addons`, unless flows are saved or another script looks at them.
            self._shown = not self._flat or bool(ctx.options.save_stream_file or ctx.options.scripts)
            if ctx.options.phonehome_ledger:
                path = Path(ctx.options.phonehome_ledger)
                self._recorder = Recorder(path, keep_secrets=ctx.options.phonehome_keep_secrets)
                self._numbers = itertools.count(self._recorder.next_flow)
            if not isinstance(ctx.master, DumpMaster):
                self._verdicts = Verdicts(self._told)
        except (CaptureError, KnowledgeError, OSError) as error:
            logging.error(str(error))
        # What is known stays for ever: the garbage collector need not walk through it again and again.
        gc.collect()
        gc.freeze()

    @guarded
    def done(self) -> None:
        """Writes what is left, also of connections that are still open."""
        for flow in list(self._open.values()):
            self._http(flow)
        for raw, _ in list(self._raw.values()):
            self._raw_end(raw)
        self._effects.tell()
        if self._verdicts:
            self._verdicts.close()
        if self._recorder:
            if self._faults > _ROWS:
                self._put(Unreadable(self._source(), time.time(), "hooks", f"{self._faults - _ROWS} further faults"))
            self._recorder.close()

    def fault(self, place: str, reason: str) -> None:
        """Counts a fault, and records it; never raises."""
        self._faults += 1
        if self._faults <= _ROWS:
            with contextlib.suppress(Exception):
                self._put(Unreadable(self._source(), time.time(), place, reason))

    def effect(self, kind: str, client: Client, host: str = "") -> None:
        """Counts what our presence changed for a device; never raises."""
        with contextlib.suppress(Exception):
            self._effects.say(kind, self._device or (str(client.peername[0]) if client.peername else ""), host.lower())

    def _source(self) -> Source:
        return Source(0, next(self._numbers))

    def _put(self, seen: Observation | Effect) -> None:
        if self._recorder:
            self._recorder.put(seen)

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request begins: is what the device sends streamed?"""
        self._open[flow.id] = flow
        if (most := kept(flow.request.headers, unannounced=self._flat)) is not None:
            flow.request.stream = self._streams[flow.id, "request"] = Stream(most)

    @guarded
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Decides whether the answer is streamed: media and event streams must not wait in our memory."""
        if flow.response and (most := kept(flow.response.headers, unannounced=self._flat)) is not None:
            flow.response.stream = self._streams[flow.id, "response"] = Stream(most)

    @guarded
    def response(self, flow: http.HTTPFlow) -> None:
        """A request and its answer."""
        self._http(flow)

    @guarded
    def error(self, flow: http.HTTPFlow) -> None:
        """A request without an answer, or with a part of one.  What was recorded before is not recorded again."""
        if flow.id in self._open:
            self._http(flow)

    def _http(self, flow: http.HTTPFlow) -> None:
        self._open.pop(flow.id, None)
        sent, answered = self._passed(flow, "request"), self._passed(flow, "response")
        if why := self.unrecorded(flow):
            named = (flow.request.pretty_host, flow.request.port)
            self._put(self._contact(flow.client_conn, named, flow.server_conn.peername, "tcp", why))
            return
        raw = Raw(_state(flow), next(self._numbers), self._device, sent, answered)
        if self._recorder:
            self._recorder.put(raw)
        upgrade = flow.response is not None and flow.response.status_code == 101
        if self._shown or upgrade:
            self._look(flow, exchange(raw), upgrade=upgrade)

    def _passed(self, flow: http.HTTPFlow, side: str) -> Streamed | None:
        stream = self._streams.pop((flow.id, side), None)
        return stream.passed() if stream else None

    def _look(self, flow: http.HTTPFlow, seen: Exchange | Unreadable, *, upgrade: bool) -> None:
        """What only some need: the exchange itself, to show what it is for or to go on with its messages."""
        self._label(flow, seen)
        if not isinstance(seen, Exchange):
            return
        if upgrade:
            self._handshakes[flow.id] = (seen, 0)
        if self._verdicts and self._verdicts.ask(seen.source.index, seen):
            self._asked[seen.source.index] = flow

    def _label(self, flow: Flow, observation: Observation) -> None:
        if self._knowledge is None or not self._shown:
            return
        call = classify(observation, self._knowledge, _NOTHING)
        flow.metadata["phonehome.category"] = call.category.value
        flow.metadata["phonehome.product"] = call.product
        if not flow.comment:
            flow.comment = f"{call.category.value} · {call.product or 'unknown sender'}"
        if not flow.marked:
            flow.marked = MARKERS.get(call.category, OTHER)

    def _told(self, number: int, verdict: str) -> None:
        """In a thread: the other process has worked out a verdict."""
        ctx.master.event_loop.call_soon_threadsafe(self._append, number, verdict)

    @guarded
    def _append(self, number: int, verdict: str) -> None:
        flow = self._asked.pop(number, None)
        if flow and verdict:
            # `~meta` does not filter in mitmweb, `~comment` does.
            flow.metadata["phonehome.verdict"] = verdict
            flow.comment = f"{flow.comment} · {verdict}"
            ctx.master.addons.trigger(hooks.UpdateHook([flow]))

    @guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """A message; what the device sent is handed on, and none piles up."""
        if flow.websocket is None or not flow.websocket.messages:
            return
        last = flow.websocket.messages[-1]
        known = self._handshakes.get(flow.id)
        if last.from_client and known:
            handshake, part = known
            self._handshakes[flow.id] = (handshake, part + 1)
            self._put(flows.message(handshake, part + 1, last.content[:_MESSAGE], last.timestamp))
        if self._flat:
            del flow.websocket.messages[:-1]

    @guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """The end of a WebSocket."""
        self._handshakes.pop(flow.id, None)

    @guarded
    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """A device asked for a tunnel to a server that cannot be reached."""
        self._unreached(flow.client_conn, (flow.request.host, flow.request.port))

    @guarded
    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """A connection to a server failed; where devices do not know of the proxy, no request may ever follow."""
        if data.server.address and not isinstance(data.client.proxy_mode, RegularMode | UpstreamMode):
            self._unreached(data.client, data.server.address)

    def _unreached(self, client: Client, address: _Address) -> None:
        self._put(self._contact(client, address, None, "tcp", "the server could not be reached"))

    @guarded
    def tcp_start(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """A connection that is not looked into, or a conversation by UDP."""
        self._raw[flow.id] = (flow, [0, 0, 0, 0])

    @guarded
    def tcp_message(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """A piece of it: counted, and not kept."""
        _, counts = self._raw[flow.id]
        message = flow.messages[-1]
        side = 0 if message.from_client else 1
        counts[side] += len(message.content)
        counts[2 + side] += 1
        if self._flat:
            flow.messages.clear()

    @guarded
    def tcp_end(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """The end of it, in order or not."""
        self._raw_end(flow)

    udp_start, udp_message, udp_end = tcp_start, tcp_message, tcp_end
    tcp_error = udp_error = tcp_end

    def _raw_end(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        _, (out, back, packets_out, packets_back) = self._raw.pop(flow.id, (flow, [0, 0, 0, 0]))
        client, server = flow.client_conn, flow.server_conn
        named = isinstance(flow, tcp.TCPFlow) and client.sni
        protocol = "tls" if named else "quic" if client.sni else flow.type
        why = self.untouched.pop(client.id, "") or (
            "was not looked into" if named and not client.tls else "is not HTTP"
        )
        seen = replace(
            self._contact(client, server.address, server.peername, protocol, why),
            bytes_out=out,
            bytes_in=back,
            packets_out=packets_out,
            packets_in=packets_back,
        )
        self._label(flow, seen)
        self._put(seen)

    @guarded
    def dns_response(self, flow: dns.DNSFlow) -> None:
        """A question and its answer, or that none came."""
        for seen in flows.observations(flow.get_state(), self._source()):
            named = replace(seen, device=self._device or seen.device)
            self._label(flow, named)
            self._put(named)

    dns_error = dns_response

    @guarded
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """The device would not go on with the proxy's certificate, or left."""
        reason = _FAILED[handshake.by_device(data.conn.error or "")]
        self.closed(data.context.client, data.context.server, reason)

    @guarded
    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The other end would not go on with the proxy, or could not prove who it is."""
        cause = handshake.by_server(data.conn.error or "", asked=data.conn.id in self.asking)
        self.closed(data.context.client, data.context.server, _FAILED_BEHIND[cause])

    def ask(self, server: str) -> None:
        """A server asked for a certificate, on the connection with this id."""
        if len(self.asking) >= _MOST_ASKING:
            self.asking.pop(next(iter(self.asking)))
        self.asking[server] = None

    def closed(self, client: Client, server: Server, reason: str) -> None:
        """Records an encrypted connection that was not looked into."""
        self._put(self._contact(client, server.address, server.peername, "tls", reason))

    def _contact(
        self, client: Client, named: _Address | None, connected: _Address | None, protocol: str, reason: str
    ) -> Contact:
        """A connection whose content is not known: the server as it was `named`, and as it was really connected to."""
        peer, end = _endpoint(client.peername), _endpoint(connected) or _endpoint(named)
        host = client.sni or (str(named[0]) if named else end.address if end else "")
        return Contact(
            source=self._source(),
            time=client.timestamp_start,
            end=time.time(),
            device=self._device or (peer.address if peer else ""),
            client=peer,
            server=end,
            host=host.lower(),
            name_source="sni" if client.sni else "address" if end and host == end.address else "host",
            protocol=protocol,
            bytes_out=0,
            bytes_in=0,
            packets_out=0,
            packets_in=0,
            reason=reason,
            initiator="outside" if isinstance(client.proxy_mode, ReverseMode) else "inside",
        )


def _state(flow: http.HTTPFlow) -> dict[str, Any]:
    """What `flows.observations` looks at; the whole state would write out every certificate anew for each flow."""
    client, server = flow.client_conn, flow.server_conn
    return {
        "type": "http",
        "request": flow.request.get_state(),
        "response": flow.response.get_state() if flow.response else None,
        "websocket": None,
        "client_conn": {
            "peername": client.peername,
            "sni": client.sni,
            "proxy_mode": client.proxy_mode.full_spec,
        },
        "server_conn": {"peername": server.peername, "address": server.address},
    }


def _endpoint(address: _Address | None) -> Endpoint | None:
    """`None` also for a name."""
    if not address:
        return None
    text = str(address[0]).partition("%")[0]
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return Endpoint(text, int(address[1]))


addons = [Observe()]
