"""pcap and pcapng: file -> batches of records, their headers read in columns.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from captures.packets.bytes_at import Ints, Mapped, beginnings

if TYPE_CHECKING:
    import numpy as np

BATCH = 1 << 15
"""Packets in a batch: large enough that NumPy's calls cost nothing, small enough that a batch is a few megabytes."""

_PCAP = {b"\xa1\xb2\xc3\xd4": (6, 16), b"\xa1\xb2\x3c\x4d": (9, 16), b"\xa1\xb2\xcd\x34": (6, 24)}
"""First four bytes, big end first -> (digits of a second's fraction, size of a record's header)."""

_SECTION = b"\x0a\x0d\x0d\x0a"

_PACKETS = frozenset((2, 3, 6))
"""Kinds of pcapng blocks that hold a packet: an old one, a simple one, an enhanced one."""

_SECRETS = 10
"""Kind of a block that holds keys."""

_LONGEST = 1 << 18
"""Bytes in a packet: tcpdump's own limit; a longer one is taken for damage."""

_LONGEST_BLOCK = 1 << 24

_SEARCHED = 1 << 20
"""Bytes after a damaged place in which the next good record is looked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive packets of one file; the columns are of equal length."""

    mapped: Mapped
    """The whole file."""
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


class Secrets:
    """A block of a pcapng file that holds keys of TLS connections."""


def batches(mapped: Mapped) -> Iterator[Batch | Damage | Secrets]:
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
    end, packets = len(mapped), 0
    if end < 24:
        yield Damage(0, 0, end, "is cut off")
        return
    link = struct.unpack_from(order + "I", mapped, 20)[0] & 0xFFFF
    at = 24
    while at < end:
        starts, at, whole = _walk(mapped, order, at, head)
        if starts:
            begin = np.array(starts, np.int64)
            heads = beginnings(mapped, begin, 16).view(order + "u4").reshape(-1, 4).astype(np.int64)
            captured, length = heads[:, 2], np.maximum(heads[:, 3], heads[:, 2])
            time = heads[:, 0] + heads[:, 1] / 10.0**digits
            yield Batch(mapped, begin + head, captured, length, time, np.full(len(begin), link))
            packets += len(starts)
        if not whole:
            following = _following(mapped, order, at, head)
            reason = "is cut off" if following == end else "is damaged"
            yield Damage(packets, at, following - at, reason)
            at = following


def _walk(mapped: Mapped, order: str, at: int, head: int) -> tuple[list[int], int, bool]:
    """Begins of up to `BATCH` records, where the next one begins, and whether that is a good place."""
    starts: list[int] = []
    unpack, append, end = struct.Struct(order + "8xI").unpack_from, starts.append, len(mapped)
    last = end - head
    # The one loop in Python over all packets.
    for _ in range(BATCH):
        if at > last:
            if at > end:
                at = starts.pop()
            return starts, at, at == end
        (captured,) = unpack(mapped, at)
        if captured > _LONGEST:
            return starts, at, False
        append(at)
        at += head + captured
    if at <= end:
        return starts, at, True
    at = starts.pop()
    return starts, at, False


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

    def batches(self) -> Iterator[Batch | Damage | Secrets]:
        at, end = 0, len(self.mapped)
        while at + 12 <= end:
            if bytes(self.mapped[at : at + 4]) == _SECTION:
                self.order = _order(bytes(self.mapped[at + 8 : at + 12])) or self.order
                self.interfaces = []
            kind, size = struct.unpack_from(self.order + "II", self.mapped, at)
            if not self._whole(at, size):
                following = self._following(at)
                reason = "is cut off" if following == end else "is damaged"
                yield Damage(self.packets, at, following - at, reason)
                at = following
            elif kind in _PACKETS:
                starts, at = self._walk(at)
                yield self._batch(starts)
            else:
                if kind == 1:
                    self._interface(at, size)
                elif kind == _SECRETS:
                    yield Secrets()
                at += size
        if at < end:
            yield Damage(self.packets, at, end - at, "is cut off")

    def _walk(self, at: int) -> tuple[list[int], int]:
        """A good block of a packet -> where it and up to `BATCH` that follow it begin, and where the next begins."""
        starts: list[int] = []
        unpack, append = struct.Struct(self.order + "III").unpack_from, starts.append
        mapped, last = self.mapped, len(self.mapped) - 8
        (size,) = struct.unpack_from(self.order + "I", mapped, at + 4)
        # The one loop in Python over all packets: the length at the end of a block, kind and length of the next.
        for _ in range(BATCH):
            append(at)
            at += size
            if at > last:
                break
            _, kind, size = unpack(mapped, at - 4)
            if kind not in _PACKETS or not self._whole(at, size):
                break
        return starts, at

    def _whole(self, at: int, size: int) -> bool:
        if size < 12 or size % 4 or size > _LONGEST_BLOCK or at + size > len(self.mapped):
            return False
        return bool(struct.unpack_from(self.order + "I", self.mapped, at + size - 4)[0] == size)

    def _following(self, at: int) -> int:
        """The next place that looks like a block of packets and has its length at both ends; else the file's end."""
        for place in range(at + 4, min(at + _SEARCHED, len(self.mapped) - 12), 4):
            kind, size = struct.unpack_from(self.order + "II", self.mapped, place)
            if (kind in _PACKETS or kind == 0x0A0D0D0A) and self._whole(place, size):
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

    def _batch(self, starts: list[int]) -> Batch:
        import numpy as np

        begin = np.array(starts, np.int64)
        heads = beginnings(self.mapped, begin, 28).view(self.order + "u4").reshape(-1, 7).astype(np.int64)
        kind, size = heads[:, 0], heads[:, 1]
        simple = kind == 3
        # An old packet block keeps a count of losses in its other half; a simple one belongs to the first interface.
        old = heads[:, 2] >> 16 if self.order == ">" else heads[:, 2] & 0xFFFF
        number = np.where(simple, 0, np.where(kind == 2, old, heads[:, 2]))
        known = number < len(self.interfaces)
        place = np.where(known, number, len(self.interfaces))
        table = [*self.interfaces, _Interface(-1, 0)]
        snap = np.array([x.snap or _LONGEST for x in table])[place]
        length = np.where(simple, heads[:, 2], heads[:, 6])
        room = size - np.where(simple, 16, 32)
        captured = np.where(simple, np.minimum(length, snap), heads[:, 5])
        captured = np.maximum(np.minimum(captured, room), 0)
        ticks = heads[:, 3] * 2.0**32 + heads[:, 4]
        time = ticks / np.array([x.ticks for x in table])[place] + np.array([x.offset for x in table])[place]
        time[simple] = np.nan
        link = np.array([x.link for x in table])[place]
        at = begin + np.where(simple, 12, 28)
        self.packets += len(starts)
        return Batch(self.mapped, at, captured, np.maximum(length, captured), time, link)
