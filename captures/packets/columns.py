"""Batch of packets -> who sent how much to whom, in columns: link, network and transport headers.

Sources: IEEE 802.3, 802.1Q, 802.11; RFC 791, 1661, 2516, 2784, 4303, 8200, 9293; tcpdump.org/linktypes.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from captures.packets.bytes_at import Bytes
from captures.packets.containers import Batch

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Ints, Mask

TCP, UDP = 6, 17

_V4, _V6 = 0x0800, 0x86DD
_VLANS = (0x8100, 0x88A8, 0x9100, 0x9200)
_PPPOE, _MPLS = 0x8864, 0x8847
_BY_VERSION = -4
"""In place of an ethertype: the first four bits of the packet say which IP it is."""
_CLOSED = -2
"""In place of an ethertype: encrypted at the radio layer."""

_EXTENSIONS = (0, 43, 60, 135, 139, 140)
"""IPv6 headers that are stepped over; each has its length in units of eight bytes in its second byte."""


@dataclass(frozen=True, slots=True)
class Columns:
    """TCP and UDP packets in their order; the columns are of equal length."""

    row: Ints
    """Position in the batch."""
    time: np.ndarray[Any, np.dtype[np.float64]]
    """Seconds since the epoch (UTC)."""
    length: Ints
    """Bytes of the whole packet on the wire."""
    protocol: Ints
    """6 or 17."""
    source: Ints
    """Place of the sender's address in the file."""
    destination: Ints
    """Place of the receiver's address."""
    wide: Mask
    """Whether these are IPv6 addresses."""
    source_port: Ints
    """The sender's port."""
    destination_port: Ints
    """The receiver's port."""
    mac: Ints
    """Place of the sender's MAC address, or -1."""
    flags: Ints
    """TCP's flags; 0 for UDP."""
    sequence: Ints
    """TCP's sequence number; 0 for UDP."""
    acknowledged: Ints
    """Number of the byte that TCP expects from the other end; 0 for UDP."""
    payload: Ints
    """Place of the payload."""
    size: Ints
    """Bytes of the payload that were kept."""
    sent: Ints
    """Bytes of the payload on the wire."""
    fragment: Mask
    """Whether it is the first fragment of several."""

    def __len__(self) -> int:
        return len(self.row)

    def chosen(self, mask: Mask | Ints) -> Columns:
        """Some of the packets."""
        return Columns(*(getattr(self, column.name)[mask] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Fragments:
    """Fragments of IP packets: what is needed to put them together."""

    row: Ints
    """Position in the batch."""
    header: Ints
    """Place of the IP header."""
    payload: Ints
    """Place of what was cut into pieces."""
    size: Ints
    """Bytes of it that were kept."""
    offset: Ints
    """Where this piece belongs."""
    more: Mask
    """Whether others follow."""
    protocol: Ints
    """Of what was cut into pieces."""


def columns(batch: Batch) -> tuple[Columns, Fragments, Counter[str]]:
    """Batch -> its TCP and UDP packets, its fragments, and how many packets could not be read, by reason.

    What is no IP (ARP, spanning tree) and IP that carries neither TCP nor UDP says nothing here and is left out.
    """
    import numpy as np

    problems: Counter[str] = Counter()
    data, end = batch.data, batch.at + batch.captured
    network, kind, mac = _links(data, batch, problems)
    network, kind = _wrapped(data, network, kind)
    problems["is encrypted on the radio link"] += int((kind == _CLOSED).sum())
    state = _Ip(data, network, kind, end)
    state.read()
    short = int(state.short.sum())
    problems["is cut off within its headers"] += short
    here = (state.protocol == TCP) | (state.protocol == UDP)
    whole = here & (state.offset == 0) & (state.transport + 8 <= end)
    problems["is cut off within its headers"] += int((here & (state.offset == 0) & ~whole).sum())
    rows = np.flatnonzero(whole)
    pieces = np.flatnonzero((state.offset > 0) | state.more)
    fragments = Fragments(
        pieces,
        state.network[pieces],
        state.transport[pieces],
        np.maximum(np.minimum(end, state.end)[pieces] - state.transport[pieces], 0),
        state.offset[pieces],
        state.more[pieces],
        state.protocol[pieces],
    )
    return _transport(data, batch, state, mac, rows), fragments, +problems


def _transport(data: Bytes, batch: Batch, ip: _Ip, mac: Ints, rows: Ints) -> Columns:
    import numpy as np

    at, protocol, wide = ip.transport[rows], ip.protocol[rows], ip.wide[rows]
    header, tcp = ip.network[rows], protocol == TCP
    end = (batch.at + batch.captured)[rows]
    ports, long = data.u32(at), tcp & (at + 14 <= end)
    size = np.where(tcp, np.where(long, np.maximum((data.u8(at + 12) >> 4) * 4, 20), 20), 8)
    payload = at + size
    # A datagram may be shorter than the packet that carries it.
    stated = data.u16(at + 4)
    wire = np.where(tcp | (stated < 8), ip.end[rows], np.minimum(at + stated, ip.end[rows]))
    return Columns(
        row=rows,
        time=batch.time[rows],
        length=batch.length[rows],
        protocol=protocol,
        source=header + np.where(wide, 8, 12),
        destination=header + np.where(wide, 24, 16),
        wide=wide,
        source_port=ports >> 16,
        destination_port=ports & 0xFFFF,
        mac=mac[rows],
        flags=np.where(long, data.u8(at + 13), 0),
        sequence=np.where(tcp, data.u32(at + 4), 0),
        acknowledged=np.where(tcp, data.u32(at + 8), 0),
        payload=payload,
        size=np.maximum(np.minimum(wire, end) - payload, 0),
        sent=np.maximum(wire - payload, 0),
        fragment=ip.more[rows],
    )


class _Ip:
    """IP headers, with what may stand between them and the transport: extensions, tunnels."""

    def __init__(self, data: Bytes, network: Ints, kind: Ints, end: Ints) -> None:
        import numpy as np

        count = len(network)
        self.data, self.network, self.kind, self.last = data, network.copy(), kind, end
        self.protocol = np.full(count, -1)
        self.transport = np.zeros(count, np.int64)
        self.end = np.zeros(count, np.int64)
        self.offset = np.zeros(count, np.int64)
        self.more = np.zeros(count, np.bool_)
        self.wide = np.zeros(count, np.bool_)
        self.short = np.zeros(count, np.bool_)

    def read(self) -> None:
        """Fills all columns; `protocol` stays -1 for what is no IP."""
        import numpy as np

        version = self.data.u8(self.network) >> 4
        self.kind = np.where(self.kind == _BY_VERSION, np.where(version == 4, _V4, _V6), self.kind)
        rows = np.flatnonzero((self.kind == _V4) | (self.kind == _V6))
        # Tunnels in tunnels: three are more than anybody has.
        for _ in range(4):
            version = self.data.u8(self.network[rows]) >> 4
            self._v4(rows[(self.kind[rows] == _V4) & (version == 4)])
            self._v6(rows[(self.kind[rows] == _V6) & (version == 6)])
            rows = self._tunnelled(rows)
            if not len(rows):
                break

    def _v4(self, rows: Ints) -> None:
        import numpy as np

        at = self.network[rows]
        fits = at + 20 <= self.last[rows]
        self.short[rows[~fits]] = True
        rows, at = rows[fits], at[fits]
        if not len(rows):
            return
        head = np.maximum((self.data.u8(at) & 15) * 4, 20)
        total, piece = self.data.u16(at + 2), self.data.u16(at + 6)
        self.wide[rows] = False
        self.transport[rows] = at + head
        # Network cards that cut up the packets themselves leave the length at 0.
        self.end[rows] = np.where(total >= head, at + total, self.last[rows])
        self.protocol[rows] = self.data.u8(at + 9)
        self.offset[rows] = (piece & 0x1FFF) * 8
        self.more[rows] = (piece & 0x2000) > 0

    def _v6(self, rows: Ints) -> None:
        import numpy as np

        at = self.network[rows]
        fits = at + 40 <= self.last[rows]
        self.short[rows[~fits]] = True
        rows, at = rows[fits], at[fits]
        if not len(rows):
            return
        size = self.data.u16(at + 4)
        self.wide[rows] = True
        self.transport[rows] = at + 40
        self.end[rows] = np.where(size > 0, at + 40 + size, self.last[rows])
        self.protocol[rows] = self.data.u8(at + 6)
        for _ in range(8):
            header = self.protocol[rows]
            rows = rows[np.isin(header, (*_EXTENSIONS, 44, 51)) & (self.transport[rows] + 8 <= self.last[rows])]
            if not len(rows):
                return
            self._extension(rows)

    def _extension(self, rows: Ints) -> None:
        import numpy as np

        at, header = self.transport[rows], self.protocol[rows]
        length = self.data.u8(at + 1)
        # RFC 4302 counts an authentication header in units of four.
        step = np.where(header == 44, 8, np.where(header == 51, (length + 2) * 4, (length + 1) * 8))
        piece = self.data.u16(at + 2)
        cut = header == 44
        self.offset[rows[cut]] = (piece[cut] >> 3) * 8
        self.more[rows[cut]] = (piece[cut] & 1) > 0
        self.protocol[rows] = self.data.u8(at)
        self.transport[rows] = at + step
        # What follows in a later fragment is no header.
        later = rows[cut & (self.offset[rows] > 0)]
        self.protocol[later] = np.where(np.isin(self.protocol[later], _EXTENSIONS), -1, self.protocol[later])

    def _tunnelled(self, rows: Ints) -> Ints:
        import numpy as np

        protocol = self.protocol[rows]
        inside = np.isin(protocol, (4, 41, 47)) & (self.offset[rows] == 0) & ~self.more[rows]
        rows, protocol = rows[inside], protocol[inside]
        if not len(rows):
            return rows
        at = self.transport[rows]
        flags = self.data.u16(at)
        generic = protocol == 47
        options = 4 * ((flags >> 15) & 1) + 4 * ((flags >> 13) & 1) + 4 * ((flags >> 12) & 1)
        kind = np.where(generic, self.data.u16(at + 2), np.where(protocol == 4, _V4, _V6))
        known = ((kind == _V4) | (kind == _V6)) & (~generic | ((flags & 7) == 0))
        self.network[rows] = at + np.where(generic, 4 + options, 0)
        self.kind[rows] = kind
        self.protocol[rows] = -1
        inner: Ints = rows[known]
        return inner


def _links(data: Bytes, batch: Batch, problems: Counter[str]) -> tuple[Ints, Ints, Ints]:
    """For each packet: place of what the link carries, its ethertype, place of the sender's MAC address."""
    import numpy as np

    count = len(batch.at)
    network, kind, mac = np.zeros(count, np.int64), np.full(count, -1), np.full(count, -1)
    for link in np.unique(batch.link):
        rows = np.flatnonzero(batch.link == link)
        reader = _LINKS.get(int(link))
        if not reader:
            problems[f"is of link type {int(link)}, which is not known" if link >= 0 else "has no interface"] += len(
                rows
            )
            continue
        end = (batch.at + batch.captured)[rows]
        found = reader(data, batch.at[rows], end)
        short = found[0] > end
        problems["is cut off within its headers"] += int(short.sum())
        network[rows], kind[rows], mac[rows] = found[0], np.where(short, -1, found[1]), found[2]
    return network, kind, mac


def _wrapped(data: Bytes, network: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """Steps over VLAN tags, PPPoE, MPLS and 802.2 headers."""
    import numpy as np

    for _ in range(6):
        rows = np.flatnonzero(np.isin(kind, (*_VLANS, _PPPOE, _MPLS)) | ((kind >= 0) & (kind < 1536)))
        if not len(rows):
            break
        at, outer = network[rows], kind[rows]
        tag, label = np.isin(outer, _VLANS), outer == _MPLS
        snap = (outer < 1536) & (data.u16(at) == 0xAAAA)
        ppp = _ppp_kind(data.u16(at + 6))
        bottom = (data.u32(at) & 0x100) > 0
        step = np.where(tag | label, 4, 8)
        inner = np.where(
            tag,
            data.u16(at + 2),
            np.where(label, np.where(bottom, _BY_VERSION, _MPLS), np.where(snap, data.u16(at + 6), ppp)),
        )
        network[rows] = at + step
        kind[rows] = np.where(~snap & (outer < 1536), -1, inner)
    return network, kind


def _ppp_kind(protocol: Ints) -> Ints:
    import numpy as np

    return np.select([protocol == 0x21, protocol == 0x57], [_V4, _V6], -1)


type _Found = tuple[Ints, Ints, Ints]


def _ethernet(data: Bytes, at: Ints, _: Ints) -> _Found:
    return at + 14, data.u16(at + 12), at + 6


def _raw(_: Bytes, at: Ints, __: Ints) -> _Found:
    import numpy as np

    return at, np.full(len(at), _BY_VERSION), np.full(len(at), -1)


def _loopback(_: Bytes, at: Ints, __: Ints) -> _Found:
    """Four bytes of address family, in the order of whoever recorded it: the version of IP says the same."""
    import numpy as np

    return at + 4, np.full(len(at), _BY_VERSION), np.full(len(at), -1)


def _cooked(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 16, data.u16(at + 14), np.where(data.u16(at + 4) == 6, at + 6, -1)


def _cooked2(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 20, data.u16(at), np.where(data.u8(at + 11) == 6, at + 12, -1)


def _ppp(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    framed = data.u16(at) == 0xFF03
    place = at + np.where(framed, 2, 0)
    short = (data.u8(place) & 1) > 0
    kind = _ppp_kind(np.where(short, data.u8(place), data.u16(place)))
    return place + np.where(short, 1, 2), kind, np.full(len(at), -1)


def _pppoe(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 8, _ppp_kind(data.u16(at + 6)), np.full(len(at), -1)


def _hdlc(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 4, data.u16(at + 2), np.full(len(at), -1)


def _wireless(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return _frames(data, at, np.zeros(len(at), np.bool_))


def _frames(data: Bytes, at: Ints, padded: Mask) -> _Found:
    """802.11: data frames with an 802.2 header; what is encrypted at this layer is told apart.

    `padded` says which headers were brought to a multiple of four bytes by the network card.
    """
    import numpy as np

    control, flags = data.u8(at), data.u8(at + 1)
    carries = ((control & 0x0C) == 0x08) & ((control & 0x40) == 0)
    relayed, quality = (flags & 3) == 3, (control & 0x80) > 0
    head = 24 + np.where(relayed, 6, 0) + np.where(quality, np.where((flags & 0x80) > 0, 6, 2), 0)
    inner = at + head + np.where(padded, -head % 4, 0)
    closed = (flags & 0x40) > 0
    snap = carries & ~closed & (data.u16(inner) == 0xAAAA)
    kind = np.where(snap, data.u16(inner + 6), np.where(carries & closed, _CLOSED, -1))
    # To the access point the sender is the second address, from it the third.
    sender = np.where((flags & 3) == 2, at + 16, np.where(relayed, at + 24, at + 10))
    return inner + np.where(snap, 8, 0), kind, sender


def _radiotap(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    size, present = data.u8(at + 2) | data.u8(at + 3) << 8, data.u8(at + 4)
    # With the usual single word of presence bits the flags are the first or the second field.
    single = (data.u8(at + 7) & 0x80) == 0
    flags = data.u8(at + np.where((present & 1) > 0, 16, 8))
    return _frames(data, at + size, single & ((present & 2) > 0) & ((flags & 0x20) > 0))


def _per_packet(data: Bytes, at: Ints, end: Ints) -> _Found:
    """PPI: a header of its own before the frame of another link type."""
    import numpy as np

    size, link = data.u8(at + 2) | data.u8(at + 3) << 8, data.u8(at + 4)
    radio = _wireless(data, at + size, end)
    wired = _ethernet(data, at + size, end)
    return (
        np.where(link == 105, radio[0], wired[0]),
        np.where(link == 105, radio[1], np.where(link == 1, wired[1], -1)),
        np.where(link == 105, radio[2], wired[2]),
    )


_LINKS: dict[int, Callable[[Bytes, Ints, Ints], _Found]] = {
    0: _loopback,
    1: _ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    51: _pppoe,
    101: _raw,
    104: _hdlc,
    105: _wireless,
    108: _loopback,
    113: _cooked,
    127: _radiotap,
    192: _per_packet,
    228: _raw,
    229: _raw,
    276: _cooked2,
}
"""Link type -> what it carries."""
