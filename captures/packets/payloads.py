"""The few packets that say something -> what they say, kept with their conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, Literal, cast

from captures.packets import discovery, dns, http1, http2, quic, tls
from captures.packets.columns import TCP
from captures.packets.conversations import Conversation, Place
from captures.packets.names import Names
from captures.packets.runs import runs
from captures.packets.speaking import DNS, SHOUTED, STUN
from captures.packets.streams import Stream

if TYPE_CHECKING:
    from captures.packets.bytes_at import Ints, Mapped, Mask
    from captures.packets.fragments import Whole
    from captures.packets.summary import Filled

_LONGEST_HELLO = 64 * 1024

_MOST_LOOKUPS = 500_000
"""Of one file: each takes about 0.5 kB."""


@dataclass(slots=True)
class Asked:
    """One question or discovery datagram, and what came back."""

    time: float
    """Of the question, or of the answer when the question is not in the capture."""
    way: int
    """0 when `ends[0]` asked, else 1."""
    protocol: str
    """As `Lookup.protocol`."""
    host: str
    """Name asked for."""
    kind: str
    """Record or message type."""
    answers: tuple[str, ...] = ()
    """What came back, or what was announced."""
    rcode: str = ""
    """Result; empty while no answer came."""
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    """Payload out and in."""


@dataclass(slots=True)
class Said:
    """What the content of a conversation has shown so far."""

    name: str = ""
    """Name of the other end."""
    name_source: Literal["", "sni", "quic", "host"] = ""
    """How it is known."""
    protocol: str = ""
    """`tls` or `quic`; empty for anything else."""
    hello: tls.Hello | None = None
    """The ClientHello."""
    reason: str = ""
    """Why the content is not known, when the conversation itself says so."""
    http: http1.Http | http2.Http2 | None = None
    """Requests and answers, in clear or decrypted."""
    asked: list[Asked] = field(default_factory=list)
    """Questions and discovery."""
    reading: Literal["", "hello", "http", "dns"] = ""
    """What the following packets are needed for."""
    streams: tuple[Stream, Stream] = field(default_factory=lambda: (Stream(), Stream()))
    """Of `ends[0]` and of `ends[1]`."""
    buffers: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    """What was put in order and is not yet whole."""
    early: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Segments that came before the one that begins: (way, sequence number, payload)."""
    ended: set[int] = field(default_factory=set)
    """Directions of which nothing more is needed while the other is still read."""
    quic: quic.Handshake | None = None
    """Crypto frames of the client."""
    open: dict[tuple[int, str, str], Asked] = field(default_factory=dict)
    """Questions by number, name and kind."""


class Payloads:
    """Reads what the packets of a file say, batch after batch."""

    def __init__(self) -> None:
        self.names = Names()
        self._room_for_bodies = http1.Room()
        self.left_out = 0
        """Questions that there was no room for."""
        self._lookups = 0

    def take(self, mapped: Mapped, filled: Filled, needs: Sequence[int], places: Sequence[Place | None]) -> None:
        """The packets of one batch that have content, and their conversations."""
        import numpy as np

        flips = np.array([place.flip if place else 0 for place in places], np.int64)
        numbers = np.array([place.conversation.index if place else -1 for place in places], np.int64)
        follows = self._followed(needs, places, numbers)[2 * filled.group + filled.way]
        rows = np.flatnonzero((filled.speaks | (filled.tcp & follows)) & (numbers >= 0)[filled.group])
        if not len(rows):
            return
        wanted = filled.chosen(rows)
        ways = wanted.way ^ flips[wanted.group]
        found = runs(numbers[wanted.group], ways, wanted)
        columns = (wanted.group, ways, wanted.at, wanted.size, wanted.sent, wanted.sequence, wanted.acknowledged)
        group, way, at, size, sent, sequence, expected = (column.tolist() for column in columns)
        tcp, time = wanted.tcp.tolist(), wanted.time.tolist()
        # The next row of each run, so that all rows come in the order of the file.
        queue = list(zip(found.order[found.begins].tolist(), found.begins.tolist(), found.ends.tolist(), strict=True))
        heapify(queue)
        while queue:
            row, place, end = queue[0]
            conversation = cast("Place", places[group[row]]).conversation
            payload, cut = bytes(mapped[at[row] : at[row] + size[row]]), sent[row] - size[row]
            if not tcp[row]:
                self.datagram(conversation, way[row], payload, time[row])
            else:
                self._segment(conversation, way[row], sequence[row], expected[row], payload, cut, time[row])
            place += 1
            if place < end:
                following = int(found.order[place])
                unread = _unread(conversation, way[row], sequence[following])
                reached = min(found.reach(place, unread), end) if unread else place
                if reached > place:
                    _pass_over(conversation, way[row], found.size(place, reached), time[int(found.order[reached - 1])])
                place = reached
            if place < end:
                heapreplace(queue, (int(found.order[place]), place, end))
            else:
                heappop(queue)

    def _followed(self, needs: Sequence[int], places: Sequence[Place | None], numbers: Ints) -> Mask:
        """For each way of each group whether what goes that way is read on."""
        import numpy as np

        # The two directions of a redirected connection are two groups of one conversation.
        both = np.isin(numbers, numbers[np.array(needs, np.int64)])
        found = np.repeat(both, 2)
        for group, place in enumerate(places):
            said = cast("Said | None", place.conversation.said) if place else None
            if place and said and said.reading:
                for way in {0, 1} - said.ended:
                    found[2 * group + (way ^ place.flip)] = True
        return found

    def finish(self, conversations: list[Conversation]) -> None:
        """Nothing more comes of these: gives up the gaps that were never filled."""
        for conversation in conversations:
            said = cast("Said | None", conversation.said)
            if said and said.reading:
                for way in (0, 1):
                    self._give_up(conversation, said, way, conversation.last)
            self._lookups -= len(said.asked) if said else 0

    def whole(self, packet: Whole) -> None:
        """One packet that came in fragments."""
        content = packet.content
        if packet.protocol == TCP and len(content) >= 20:
            sequence, expected = int.from_bytes(content[4:8]), int.from_bytes(content[8:12])
            payload = content[(content[12] >> 4) * 4 :]
            if payload:
                self._segment(packet.conversation, packet.way, sequence, expected, payload, 0, packet.time)
        elif packet.protocol != TCP and len(content) > 8:
            self.datagram(packet.conversation, packet.way, content[8:], packet.time)

    def _said(self, conversation: Conversation) -> Said:
        if conversation.said is None:
            conversation.said = Said()
        return cast("Said", conversation.said)

    def _segment(
        self, conversation: Conversation, way: int, sequence: int, expected: int, payload: bytes, cut: int, time: float
    ) -> None:
        said = self._said(conversation)
        if way in said.ended:
            return
        if not said.reading:
            self._begin(conversation, said, way, sequence, expected, payload)
            if not said.reading:
                return
        stream = said.streams[way]
        self._feed(conversation, said, way, stream.feed(sequence, payload), time)
        # After the segment that begins: what was sent before it with the same numbers is no part of it.
        for side, number, early in said.early:
            self._feed(conversation, said, side, said.streams[side].feed(number, early), time)
        said.early.clear()
        if cut and stream.due == (sequence + len(payload)) & 0xFFFFFFFF:
            stream.due = stream.due + cut & 0xFFFFFFFF
            self._gap(conversation, said, way, cut)
        if stream.waiting > 1 << 18:
            self._give_up(conversation, said, way, time)

    def _begin(
        self, conversation: Conversation, said: Said, way: int, sequence: int, expected: int, payload: bytes
    ) -> None:
        """Decides by a segment what its conversation is, if it shows."""
        port = {end.port for end in conversation.ends}
        if payload[:1] == b"\x16" and payload[1:2] in b"\3" and payload[5:6] in b"\1":
            if said.hello is None and conversation.opener in (way, None):
                said.reading = "hello"
                conversation.opener = way
        elif payload[:2] == b"\x15\x03":
            if way == conversation.opener and not said.reason:
                said.reason = tls.rejection(payload)
            return
        elif 53 in port:
            said.reading = "dns"
        elif http1.is_request(payload):
            said.reading = "http"
            said.http = said.http or http1.Http(self._room_for_bodies)
            conversation.opener = way
        elif name := _socks(payload):
            said.name, said.name_source = name, "host"
            return
        if not said.reading:
            if len(said.early) < 16:
                said.early.append((way, sequence, payload))
            return
        fresh = (Stream(sequence), Stream(expected))
        said.streams = fresh if way == 0 else (fresh[1], fresh[0])
        for buffer in said.buffers:
            buffer.clear()

    def _feed(self, conversation: Conversation, said: Said, way: int, data: bytes, time: float) -> None:
        if not data:
            return
        if said.reading == "http" and isinstance(said.http, http1.Http):
            said.http.feed(data, time, from_client=way == conversation.opener)
            if said.http.ended(from_client=way == conversation.opener):
                said.ended.add(way)
            if len(said.ended) == 2:
                said.reading = ""
            if said.http.tunnel:
                said.name = tls.host_name(said.http.tunnel.rpartition(":")[0].encode())
                said.name_source = "host" if said.name else ""
                said.reading, said.http = "", None
        elif said.reading == "dns":
            self._dns_stream(conversation, said, way, data, time)
        elif said.reading == "hello" and way == conversation.opener:
            said.buffers[way].extend(data)
            message, more = tls.handshake(bytes(said.buffers[way]))
            size = tls.size(message)
            if not more or len(said.buffers[way]) > _LONGEST_HELLO or (size is not None and len(message) >= size):
                self._hello(said, tls.hello(message), "sni")
                said.reading = ""
                said.buffers[way].clear()

    def _hello(self, said: Said, hello: tls.Hello | None, source: Literal["sni", "quic"]) -> None:
        said.hello = hello or said.hello
        if hello and source == "sni":
            said.protocol = "tls"
        if hello and hello.name:
            said.name, said.name_source = hello.name, source

    def _gap(self, conversation: Conversation, said: Said, way: int, missing: int) -> None:
        if said.reading == "http" and isinstance(said.http, http1.Http):
            said.http.gap(missing, from_client=way == conversation.opener)
        elif said.reading:
            said.reading = ""

    def _give_up(self, conversation: Conversation, said: Said, way: int, time: float) -> None:
        while said.reading:
            missing, data = said.streams[way].skip()
            if not missing and not data:
                return
            self._gap(conversation, said, way, missing)
            self._feed(conversation, said, way, data, time)

    def _dns_stream(self, conversation: Conversation, said: Said, way: int, data: bytes, time: float) -> None:
        buffer = said.buffers[way]
        buffer.extend(data)
        while len(buffer) >= 2 and len(buffer) >= 2 + (size := buffer[0] << 8 | buffer[1]):
            self._dns(conversation, said, way, bytes(buffer[2 : 2 + size]), "dns", time)
            del buffer[: 2 + size]

    def datagram(self, conversation: Conversation, way: int, payload: bytes, time: float) -> None:
        """One UDP payload."""
        said = self._said(conversation)
        ports = conversation.ends[way].port, conversation.ends[1 - way].port
        for port in ports[::-1]:
            if port in DNS:
                self._dns(conversation, said, way, payload, DNS[port], time)
                return
            if port in discovery.PORTS:
                found = discovery.datagram(port, payload, to_port=port == ports[1])
                if found:
                    self._discovered(said, way, found, len(payload), time)
                    return
        if payload[:4] in SHOUTED:
            found = discovery.datagram(1900, payload, to_port=False)
            if found:
                self._discovered(said, way, found, len(payload), time)
        elif int.from_bytes(payload[4:8]) == STUN and payload[0] < 64:
            said.reason = "is STUN"
        elif payload[0] & 0x80 and quic.is_initial(int.from_bytes(payload[1:5])):
            self._quic(conversation, said, way, payload)
        elif name := tls.host_name(quic.google_name(payload)):
            said.name, said.name_source, said.protocol, conversation.opener = name, "quic", "quic", way

    def _quic(self, conversation: Conversation, said: Said, way: int, payload: bytes) -> None:
        said.protocol = "quic"
        if said.hello or (conversation.opener is not None and way != conversation.opener):
            return
        said.quic = said.quic or quic.Handshake()
        message = said.quic.feed(payload)
        if name := tls.host_name(said.quic.google):
            said.name, said.name_source, conversation.opener = name, "quic", way
        if not message:
            return
        conversation.opener = way
        self._hello(said, tls.hello(message, "q"), "quic")
        if said.hello:
            said.quic = None

    def _room(self) -> bool:
        if self._lookups >= _MOST_LOOKUPS:
            self.left_out += 1
            return False
        self._lookups += 1
        return True

    def _discovered(self, said: Said, way: int, found: discovery.Datagram, size: int, time: float) -> None:
        last = said.asked[-1] if said.asked else None
        if found.answer and last and last.way != way and not last.answers and not last.rcode:
            last.answers, last.rcode, last.bytes[1] = found.told, found.rcode, size
        elif self._room():
            said.asked.append(
                Asked(time, way, found.protocol, found.wanted, found.kind, found.told, found.rcode, [size, 0])
            )

    def _dns(self, conversation: Conversation, said: Said, way: int, raw: bytes, protocol: str, time: float) -> None:
        message = dns.message(raw)
        if message is None:
            return
        if message.answer:
            self._answered(conversation, said, way, message, protocol, len(raw), time)
            return
        for question in message.questions[:50]:
            key = (message.number, question.name, question.kind)
            if key in said.open and protocol != "mdns":
                # Asked again because no answer came.
                said.open[key].bytes[0] += len(raw)
            elif self._room():
                asked = Asked(time, way, protocol, question.name, question.kind, bytes=[len(raw), 0])
                said.asked.append(asked)
                if protocol != "mdns" and len(said.open) < 1000:
                    said.open[key] = asked

    def _answered(
        self,
        conversation: Conversation,
        said: Said,
        way: int,
        message: dns.Message,
        protocol: str,
        size: int,
        time: float,
    ) -> None:
        texts = tuple(dict.fromkeys(text for record in message.records for text in record.texts))
        question = message.questions[0] if message.questions else None
        if protocol == "mdns":
            name = question.name if question else next((record.name for record in message.records), "")
            kind = question.kind if question else "announcement"
            if self._room():
                said.asked.append(Asked(time, way, protocol, name, kind, texts, message.rcode, [size, 0]))
        elif question:
            asked = said.open.pop((message.number, question.name, question.kind), None)
            if asked is None and self._room():
                asked = Asked(time, 1 - way, protocol, question.name, question.kind)
                said.asked.append(asked)
            if asked:
                asked.answers, asked.rcode, asked.bytes[1] = texts, message.rcode, asked.bytes[1] + size
        client = conversation.ends[1 - way].address
        for record in message.records:
            asked_name = question.name if question and protocol != "mdns" else record.name
            for address in record.addresses:
                self.names.bind(address, asked_name, client, time)


def _unread(conversation: Conversation, way: int, sequence: int) -> int:
    """How many bytes from this sequence number on need not be looked at: those within a body that is not kept."""
    said = cast("Said", conversation.said)
    stream = said.streams[way]
    if said.reading != "http" or not isinstance(said.http, http1.Http) or way in said.ended:
        return 0
    if stream.due != sequence or stream.waiting:
        return 0
    return said.http.unread(from_client=way == conversation.opener)


def _pass_over(conversation: Conversation, way: int, size: int, time: float) -> None:
    said = cast("Said", conversation.said)
    stream = said.streams[way]
    stream.due = (stream.due or 0) + size & 0xFFFFFFFF
    cast("http1.Http", said.http).pass_over(size, time, from_client=way == conversation.opener)


def _socks(payload: bytes) -> str:
    """Request to a SOCKS proxy (RFC 1928; SOCKS 4a) -> the name in it; empty when there is none."""
    if payload[:2] == b"\5\1" and payload[3:4] == b"\3" and len(payload) > 4 and len(payload) == 7 + payload[4]:
        return tls.host_name(payload[5 : 5 + payload[4]])
    if payload[:2] == b"\4\1" and payload[4:7] == b"\0\0\0" and payload[-1:] == b"\0":
        return tls.host_name(payload[8:-1].rpartition(b"\0")[2])
    return ""
