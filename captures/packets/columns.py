"""Batch of packets -> who sent how much to whom, in columns: link, network and transport headers.

Sources: RFC 791, 2784, 4302, 7348, 8200, 9293; 3GPP TS 29.281.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from captures.packets.batch import Batch
from captures.packets.bytes_at import Bytes, beginnings
from captures.packets.links import BY_VERSION, V4, V6, links

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Ints, Mask, Octets

TCP, UDP = 6, 17
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_VXLAN, _GTP = 4789, 2152
TUNNELS = (_VXLAN, _GTP)
"""Ports that tunnels in UDP are sent to."""

_EXTENSIONS = (0, 43, 60, 135, 139, 140)
"""IPv6 headers that are stepped over; each has its length in units of eight bytes in its second byte."""


@dataclass(frozen=True, slots=True)
class Columns:
    """TCP and UDP packets in their order; the columns are of equal length.

    Places are places in `Seen.octets`.
    """

    row: Ints
    """Position in the batch."""
    time: np.ndarray[Any, np.dtype[np.float64]]
    """Seconds since the epoch (UTC)."""
    length: Ints
    """Bytes of the whole packet on the wire."""
    origin: Ints
    """What to add to a place to have it in the file."""
    protocol: Ints
    """6 or 17."""
    source: Ints
    """Place of the sender's address."""
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

    def moved(self, rows: Ints, by: int) -> Columns:
        """The same packets at other positions in the batch, with `by` more bytes before them in the data."""
        import numpy as np

        return replace(
            self,
            row=rows[self.row],
            origin=self.origin - by,
            source=self.source + by,
            destination=self.destination + by,
            mac=np.where(self.mac < 0, -1, self.mac + by),
            payload=self.payload + by,
        )

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """Packets of one batch whose bytes stand in the same data, in their order."""
        import numpy as np

        full = [part for part in parts if len(part)] or parts[:1]
        if len(full) == 1:
            return full[0]
        order = np.argsort(np.concatenate([part.row for part in full]), kind="stable")
        return Columns(
            *(np.concatenate([getattr(part, column.name) for part in full])[order] for column in fields(Columns))
        )


@dataclass(frozen=True, slots=True)
class Fragments:
    """Fragments of IP packets: what is needed to put them together."""

    row: Ints
    """Position in the batch."""
    length: Ints
    """Bytes of the whole packet on the wire."""
    header: Ints
    """Place of the IP header in the file."""
    payload: Ints
    """Place of what was cut into pieces, likewise."""
    size: Ints
    """Bytes of it that were kept."""
    offset: Ints
    """Where this piece belongs."""
    more: Mask
    """Whether others follow."""
    protocol: Ints
    """Of what was cut into pieces."""

    @staticmethod
    def none() -> Fragments:
        """No fragments."""
        import numpy as np

        empty = np.empty(0, np.int64)
        return Fragments(empty, empty, empty, empty, empty, empty, np.empty(0, np.bool_), empty)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the headers of a batch say."""

    octets: Octets
    """The beginnings of its packets, one after another."""
    packets: Columns
    """TCP and UDP."""
    fragments: Fragments
    """Of IP packets."""
    problems: Counter[str]
    """How many packets could not be read, by reason."""


_WIDTH, _WIDE = 192, 4096
"""Bytes of a packet in which its headers are looked for, and those in which they are looked for once more."""

_MARGIN = 76
"""Bytes after the beginning of the last header which must stand in the window, too: the longest TCP header, and what
of the payload `payloads` looks at in columns."""


def columns(batch: Batch) -> Seen:
    """Batch -> its TCP and UDP packets, its fragments, and how many packets could not be read, by reason.

    What is no IP (ARP, spanning tree) and IP that carries neither TCP nor UDP says nothing here and is left out.
    """
    import numpy as np

    octets, at = beginnings(batch.mapped, batch.at, _WIDTH), np.arange(len(batch.at)) * _WIDTH
    ip, mac, problems = _headers(Bytes(octets), batch, at)
    furthest = np.maximum(ip.network, ip.transport)
    deep = np.flatnonzero((batch.captured > _WIDTH) & (furthest + _MARGIN > at + _WIDTH))
    if len(deep):
        at[deep] = len(octets) + np.arange(len(deep)) * _WIDE
        octets = np.concatenate((octets, beginnings(batch.mapped, batch.at[deep], _WIDE)))
        ip, mac, problems = _headers(Bytes(octets), batch, at)
    end, origin = at + batch.captured, batch.at - at
    problems["is cut off within its headers"] += int(ip.short.sum())
    here = ((ip.protocol == TCP) | (ip.protocol == UDP)) & (ip.offset == 0)
    whole = here & (ip.transport + 8 <= end)
    problems["is cut off within its headers"] += int((here & ~whole).sum())
    pieces = np.flatnonzero((ip.offset > 0) | ip.more)
    fragments = Fragments(
        pieces,
        batch.length[pieces],
        (ip.network + origin)[pieces],
        (ip.transport + origin)[pieces],
        np.maximum(np.minimum(end, ip.end)[pieces] - ip.transport[pieces], 0),
        ip.offset[pieces],
        ip.more[pieces],
        ip.protocol[pieces],
    )
    packets = _transport(Bytes(octets), batch, ip, mac, at, np.flatnonzero(whole))
    return Seen(octets, packets, fragments, +problems)


def _headers(data: Bytes, batch: Batch, at: Ints) -> tuple[_Ip, Ints, Counter[str]]:
    """The packets whose windows begin at these places -> their IP headers, places of MAC addresses, problems."""
    network, kind, mac, problems = links(data, batch, at)
    ip = _Ip(data, network, kind, at + batch.captured)
    ip.read()
    return ip, mac, problems


def _transport(data: Bytes, batch: Batch, ip: _Ip, mac: Ints, begin: Ints, rows: Ints) -> Columns:
    import numpy as np

    at, protocol, wide = ip.transport[rows], ip.protocol[rows], ip.wide[rows]
    header, tcp = ip.network[rows], protocol == TCP
    end = (begin + batch.captured)[rows]
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
        origin=(batch.at - begin)[rows],
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
        self.kind = np.where(self.kind == BY_VERSION, np.where(version == 4, V4, V6), self.kind)
        rows = np.flatnonzero((self.kind == V4) | (self.kind == V6))
        # Tunnels in tunnels: three are more than anybody has.
        for _ in range(4):
            version = self.data.u8(self.network[rows]) >> 4
            self._v4(rows[(self.kind[rows] == V4) & (version == 4)])
            self._v6(rows[(self.kind[rows] == V6) & (version == 6)])
            rows = np.concatenate((self._tunnelled(rows), self._in_datagrams(rows)))
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
        kind = np.where(generic, self.data.u16(at + 2), np.where(protocol == 4, V4, V6))
        known = ((kind == V4) | (kind == V6)) & (~generic | ((flags & 7) == 0))
        self.network[rows] = at + np.where(generic, 4 + options, 0)
        self.kind[rows] = kind
        self.protocol[rows] = -1
        inner: Ints = rows[known]
        return inner

    def _in_datagrams(self, rows: Ints) -> Ints:
        """Tunnels in UDP: VXLAN between hosts of several machines, GTP in mobile networks.

        A datagram to such a port that carries something else stays what it is.
        """
        import numpy as np

        plain = (self.protocol[rows] == UDP) & (self.offset[rows] == 0) & ~self.more[rows]
        rows = rows[plain]
        port = self.data.u16(self.transport[rows] + 2)
        rows, port = rows[chosen := np.isin(port, TUNNELS)], port[chosen]
        if not len(rows):
            return rows
        at, data = self.transport[rows] + 8, self.data
        network, kind = at.copy(), np.full(len(at), -1)
        is_vxlan = (port == _VXLAN) & (data.u32(at) == 0x08000000)
        network, kind = np.where(is_vxlan, at + 22, network), np.where(is_vxlan, data.u16(at + 20), kind)
        # Version 1 with a user's packet; a fourth word when one of three flags is set, and no header after it.
        first = data.u8(at)
        is_gtp = (port == _GTP) & ((first & 0xF0) == 0x30) & (data.u8(at + 1) == 0xFF)
        optional = np.where((first & 7) > 0, 4, 0)
        is_gtp &= ((first & 4) == 0) | (data.u8(at + 11) == 0)
        network, kind = np.where(is_gtp, at + 8 + optional, network), np.where(is_gtp, BY_VERSION, kind)
        version = data.u8(network) >> 4
        kind = np.where(kind == BY_VERSION, np.where(version == 4, V4, np.where(version == 6, V6, -1)), kind)
        known = ((kind == V4) & (version == 4)) | ((kind == V6) & (version == 6))
        known &= network + 20 <= self.last[rows]
        inner: Ints = rows[known]
        self.network[inner], self.kind[inner], self.protocol[inner] = network[known], kind[known], -1
        return inner
