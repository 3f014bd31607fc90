"""pcap and pcapng: file -> batches of records, their headers read in columns.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from captures.packets.bytes_at import Bytes, Ints, Mapped

if TYPE_CHECKING:
    import numpy as np

BATCH = 1 << 16
"""Packets in a batch: large enough that NumPy's calls cost nothing, small enough that a batch is a few megabytes."""

_PCAP = {b"\xa1\xb2\xc3\xd4": (6, 16), b"\xa1\xb2\x3c\x4d": (9, 16), b"\xa1\xb2\xcd\x34": (6, 24)}
"""First four bytes, big end first -> (digits of a second's fraction, size of a record's header)."""

_SECTION = b"\x0a\x0d\x0d\x0a"

_LONGEST = 1 << 18
"""Bytes in a packet: tcpdump's own limit; a longer one is taken for damage."""

_LONGEST_BLOCK = 1 << 24

_SEARCHED = 1 << 20
"""Bytes after a damaged place in which the next good record is looked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive packets of one file; the columns are of equal length."""

    data: Bytes
    """The whole file, its numbers big end first, as networks have them."""
    at: Ints
    """Where in it the packet's first byte stands."""
    captured: Ints
    """Bytes that were kept."""
    length: Ints
    """Bytes on the wire; not less than `captured`."""
    time: np.ndarray[Any, np.dtype[np.float64]]
    """Seconds since the epoch (UTC); NaN when the file does not say."""
    link: Ints
    """Link type (LINKTYPE_…); -1 for a packet of an interface that the file does not describe."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A place that could not be read."""

    packet: int
    """Packets before it."""
    at: int
    """Where it begins."""
    size: int
    """Bytes that were skipped."""
    reason: str
    """What is wrong, in a few words."""


def is_packets(head: bytes) -> bool:
    """Beginning of a file -> whether it is a pcap or pcapng file."""
    return head[:4] in _PCAP or head[3::-1] in _PCAP or (head[:4] == _SECTION and _order(head[8:12]) != "")


def batches(mapped: Mapped) -> Iterator[Batch | Damage]:
    """A whole file -> its packets in their order.  What is damaged is told once and skipped; nothing is raised."""
    head = bytes(mapped[:4])
    if head == _SECTION:
        yield from _PcapNg(mapped).batches()
    else:
        yield from _pcap(mapped, ">" if head in _PCAP else "<")


def _order(magic: bytes) -> str:
    return {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(magic, "")


def _pcap(mapped: Mapped, order: str) -> Iterator[Batch | Damage]:
    import numpy as np

    digits, head = _PCAP[bytes(mapped[:4]) if order == ">" else bytes(mapped[3::-1])]
    data, heads, end, packets = Bytes(mapped), Bytes(mapped, order), len(mapped), 0
    if end < 24:
        yield Damage(0, 0, end, "is cut off")
        return
    link = struct.unpack_from(order + "I", mapped, 20)[0] & 0xFFFF
    at = 24
    while at < end:
        starts, at, whole = _walk(mapped, order, at, head)
        if starts:
            begin = np.array(starts, np.int64)
            captured = heads.u32(begin + 8)
            time = heads.u32(begin) + heads.u32(begin + 4) / 10.0**digits
            length = np.maximum(heads.u32(begin + 12), captured)
            yield Batch(data, begin + head, captured, length, time, np.full(len(begin), link))
            packets += len(starts)
        if not whole:
            following = _following(mapped, order, at, head)
            reason = "is cut off" if following == end else "is damaged"
            yield Damage(packets, at, following - at, reason)
            at = following


def _walk(mapped: Mapped, order: str, at: int, head: int) -> tuple[list[int], int, bool]:
    """Begins of up to `BATCH` records, where the next one begins, and whether that is a good place."""
    starts: list[int] = []
    unpack, append, last = struct.Struct(order + "8xI").unpack_from, starts.append, len(mapped) - head
    end = last + head
    for _ in range(BATCH):
        if at > last:
            return starts, at, at == end
        (captured,) = unpack(mapped, at)
        following = at + head + captured
        if captured > _LONGEST or following > end:
            return starts, at, False
        append(at)
        at = following
    return starts, at, True


def _following(mapped: Mapped, order: str, at: int, head: int) -> int:
    """Where reading goes on after a damaged record: at a header that is followed by two more; else the file's end."""
    unpack, end = struct.Struct(order + "IIII").unpack_from, len(mapped)

    def record(place: int) -> tuple[int, int] | None:
        if place + head > end:
            return None
        seconds, fraction, captured, length = unpack(mapped, place)
        if not 14 <= captured <= length <= _LONGEST or fraction >= 1_000_000_000 or not seconds:
            return None
        return seconds, place + head + captured

    for place in range(at + 1, min(at + _SEARCHED, end - head)):
        if not (first := record(place)):
            continue
        second = record(first[1])
        third = record(second[1]) if second else None
        if first[1] == end or (second and second[1] == end and abs(second[0] - first[0]) < 3600):
            return place
        if second and third and abs(second[0] - first[0]) < 3600 and abs(third[0] - second[0]) < 3600:
            return place
    return end


@dataclass(slots=True)
class _Interface:
    link: int
    snap: int
    ticks: float = 1e6
    offset: float = 0.0


@dataclass(slots=True)
class _PcapNg:
    """A pcapng file: sections, in each interfaces and the packets of these."""

    mapped: Mapped
    order: str = "<"
    interfaces: list[_Interface] = field(default_factory=list)
    packets: int = 0

    def batches(self) -> Iterator[Batch | Damage]:
        at, end, starts = 0, len(self.mapped), list[int]()
        while at + 12 <= end:
            if bytes(self.mapped[at : at + 4]) == _SECTION:
                yield from self._batch(starts)
                starts = []
                self.order = _order(bytes(self.mapped[at + 8 : at + 12])) or self.order
                self.interfaces = []
            kind, size = struct.unpack_from(self.order + "II", self.mapped, at)
            if not self._whole(at, size):
                yield from self._batch(starts)
                starts = []
                following = self._following(at)
                reason = "is cut off" if following == end else "is damaged"
                yield Damage(self.packets, at, following - at, reason)
                at = following
                continue
            if kind in (2, 3, 6):
                starts.append(at)
                if len(starts) == BATCH:
                    yield from self._batch(starts)
                    starts = []
            elif kind == 1:
                self._interface(at, size)
            at += size
        yield from self._batch(starts)
        if at < end:
            yield Damage(self.packets, at, end - at, "is cut off")

    def _whole(self, at: int, size: int) -> bool:
        if size < 12 or size % 4 or size > _LONGEST_BLOCK or at + size > len(self.mapped):
            return False
        return bool(struct.unpack_from(self.order + "I", self.mapped, at + size - 4)[0] == size)

    def _following(self, at: int) -> int:
        """The next place that looks like a block of packets and has its length at both ends; else the file's end."""
        for place in range(at + 4, min(at + _SEARCHED, len(self.mapped) - 12), 4):
            kind, size = struct.unpack_from(self.order + "II", self.mapped, place)
            if kind in (2, 3, 6, 0x0A0D0D0A) and self._whole(place, size):
                return place
        return len(self.mapped)

    def _interface(self, at: int, size: int) -> None:
        link, snap = struct.unpack_from(self.order + "H2xI", self.mapped, at + 8) if size >= 20 else (0, 0)
        interface = _Interface(link, snap)
        place, end = at + 16, at + size - 4
        while place + 4 <= end:
            code, length = struct.unpack_from(self.order + "HH", self.mapped, place)
            value = bytes(self.mapped[place + 4 : min(place + 4 + length, end)])
            if code == 0:
                break
            if code == 9 and value:
                # The highest bit says that it is a power of two.
                interface.ticks = 2.0 ** (value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** value[0]
            elif code == 14 and len(value) == 8:
                interface.offset = float(struct.unpack(self.order + "q", value)[0])
            place += 4 + length + -length % 4
        self.interfaces.append(interface)

    def _batch(self, starts: list[int]) -> Iterator[Batch]:
        import numpy as np

        if not starts:
            return
        heads, begin = Bytes(self.mapped, self.order), np.array(starts, np.int64)
        kind, size = heads.u32(begin), heads.u32(begin + 4)
        simple = kind == 3
        # An old packet block keeps a count of losses in the upper half; a simple one belongs to the first interface.
        number = np.where(simple, 0, np.where(kind == 2, heads.u16(begin + 8), heads.u32(begin + 8)))
        known = number < len(self.interfaces)
        place = np.where(known, number, len(self.interfaces))
        table = [*self.interfaces, _Interface(-1, 0)]
        snap = np.array([x.snap or _LONGEST for x in table])[place]
        length = np.where(simple, heads.u32(begin + 8), heads.u32(begin + 24))
        room = size - np.where(simple, 16, 32)
        captured = np.where(simple, np.minimum(length, snap), heads.u32(begin + 20))
        captured = np.maximum(np.minimum(captured, room), 0)
        ticks = heads.u32(begin + 12) * 2.0**32 + heads.u32(begin + 16)
        time = ticks / np.array([x.ticks for x in table])[place] + np.array([x.offset for x in table])[place]
        time[simple] = np.nan
        link = np.array([x.link for x in table])[place]
        at = begin + np.where(simple, 12, 28)
        yield Batch(Bytes(self.mapped), at, captured, np.maximum(length, captured), time, link)
        self.packets += len(starts)
