"""pcapng: sections, in each interfaces and the blocks of their packets -> batches.

Source: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from captures.packets import batch
from captures.packets.batch import LONGEST, SEARCHED, Batch, Damage, Secrets
from captures.packets.bytes_at import Ints, Mapped, beginnings
from captures.packets.walk import walk, words

SECTION = b"\x0a\x0d\x0d\x0a"
"""How a file begins, in either byte order."""

_PACKETS = (2, 3, 6)
"""Kinds of blocks that hold a packet: an old one, a simple one, an enhanced one."""

_INTERFACE, _SECRETS = 1, 10

_LONGEST = 1 << 24
"""Bytes of a block."""

_ROOM = SEARCHED + 2 * _LONGEST
"""Bytes after a place that must be known to say that it is damaged."""


def order_of(magic: bytes) -> str:
    """Number of a section's byte order, as it stands in the file -> `>`, `<`, or empty for another one."""
    return {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(magic, "")


@dataclass(slots=True)
class _Interface:
    link: int
    snap: int
    ticks: float = 1e6
    offset: float = 0.0


class Blocks:
    """Reads one file, a part after another."""

    def __init__(self) -> None:
        """Nothing is known before the first section."""
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._packets = 0
        self._at = 0
        """Where in the window reading goes on."""
        self._before = 0
        """Bytes of the file before the window."""
        self._size = 0.0
        """Bytes of a block on average; 0 when that is not known."""
        self._lost: int | None = None
        """Place in the file from which on nothing could be read any more."""

    def keep(self, window: bytes) -> bytes:
        """What of the window the next one must begin with."""
        self._before, at, self._at = self._before + self._at, self._at, 0
        return window[at:]

    def read(self, window: Mapped, *, last: bool) -> Iterator[Batch | Damage | Secrets]:
        """The file, or the part that begins with what was kept -> its packets; `last` when nothing more comes."""
        end = len(window)
        while self._at + 12 <= end and self._lost is None:
            if bytes(window[self._at : self._at + 4]) == SECTION:
                self._order = order_of(bytes(window[self._at + 8 : self._at + 12])) or self._order
                self._interfaces = []
            kind, size = struct.unpack_from(self._order + "II", window, self._at)
            if self._whole(window, self._at, size):
                yield from self._block(window, kind, size)
            elif not last and end - self._at < _ROOM:
                return
            else:
                yield from self._damage(window)
        if self._lost is not None:
            self._at = end
        if last and (self._lost is not None or self._at < end):
            lost = self._before + self._at if self._lost is None else self._lost
            yield Damage(self._packets, lost, self._before + end - lost, "is cut off")

    def _block(self, window: Mapped, kind: int, size: int) -> Iterator[Batch | Secrets]:
        if kind in _PACKETS:
            begin, following = self._walk(window)
            self._size = (following - self._at) / len(begin) if 2 * len(begin) > batch.BATCH else 0.0
            self._at = following
            yield self._batch(window, begin)
            return
        if kind == _INTERFACE:
            self._interface(window, self._at, size)
        elif kind == _SECRETS:
            yield Secrets()
        self._at += size

    def _damage(self, window: Mapped) -> Iterator[Damage]:
        """Steps over a damaged place, to the next block of packets or section that has its length at both ends."""
        for place in range(self._at + 4, min(self._at + SEARCHED, len(window) - 12), 4):
            kind, size = struct.unpack_from(self._order + "II", window, place)
            if (kind in _PACKETS or kind == 0x0A0D0D0A) and self._whole(window, place, size):
                yield Damage(self._packets, self._before + self._at, place - self._at, "is damaged")
                self._at = place
                return
        self._lost = self._before + self._at

    def _walk(self, window: Mapped) -> tuple[Ints, int]:
        """Begins of up to about `BATCH` blocks of packets, the first of them known as good, and of the next block."""
        import numpy as np

        at, end = self._at, len(window)
        if self._size:
            numbers = words(window, self._order)

            def following(places: Ints) -> Ints:
                fits = places <= end - 12
                here = np.where(fits, places, 0)
                kind, size = numbers[here], numbers[here + 4].astype(np.int64)
                fits &= (size >= 12) & (size % 4 == 0) & (size <= _LONGEST) & (here + size <= end)
                fits &= (kind == 6) | (kind == 3) | (kind == 2)
                fits &= numbers[np.where(fits, here + size - 4, 0)] == size
                return np.where(fits, here + size, -1)

            begin, reached = walk(at, end, batch.BATCH, self._size, following, lambda a, b: self._guess(window, a, b))
            if len(begin):
                return begin, reached
        starts: list[int] = []
        unpack, append, last = struct.Struct(self._order + "III").unpack_from, starts.append, end - 8
        (size,) = struct.unpack_from(self._order + "I", window, at + 4)
        # The length at the end of a block, kind and length of the next.
        for _ in range(batch.BATCH):
            append(at)
            at += size
            if at > last:
                break
            _, kind, size = unpack(window, at - 4)
            if kind not in _PACKETS or not self._whole(window, at, size):
                break
        return np.array(starts, np.int64), at

    def _guess(self, window: Mapped, begin: int, end: int) -> int:
        """A place within bounds that looks like an enhanced packet's block, or -1."""
        kind = struct.pack(self._order + "I", 6)
        place = begin - 1
        while (place := window.find(kind, place + 1, end)) >= 0:
            if place + 12 <= len(window):
                (size,) = struct.unpack_from(self._order + "I", window, place + 4)
                if size >= 32 and self._whole(window, place, size):
                    return place
        return -1

    def _whole(self, window: Mapped, at: int, size: int) -> bool:
        if size < 12 or size % 4 or size > _LONGEST or at + size > len(window):
            return False
        return bool(struct.unpack_from(self._order + "I", window, at + size - 4)[0] == size)

    def _interface(self, window: Mapped, at: int, size: int) -> None:
        link, snap = struct.unpack_from(self._order + "H2xI", window, at + 8) if size >= 20 else (0, 0)
        interface = _Interface(link, snap)
        place, end = at + 16, at + size - 4
        while place + 4 <= end:
            code, length = struct.unpack_from(self._order + "HH", window, place)
            value = bytes(window[place + 4 : min(place + 4 + length, end)])
            if code == 0:
                break
            if code == 9 and value:
                # The highest bit says that it is a power of two.
                interface.ticks = 2.0 ** (value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** value[0]
            elif code == 14 and len(value) == 8:
                interface.offset = float(struct.unpack(self._order + "q", value)[0])
            place += 4 + length + -length % 4
        self._interfaces.append(interface)

    def _batch(self, window: Mapped, begin: Ints) -> Batch:
        import numpy as np

        heads = beginnings(window, begin, 28).view(self._order + "u4").reshape(-1, 7).astype(np.int64)
        kind, size = heads[:, 0], heads[:, 1]
        simple = kind == 3
        # An old packet block keeps a count of losses in its other half; a simple one belongs to the first interface.
        old = heads[:, 2] >> 16 if self._order == ">" else heads[:, 2] & 0xFFFF
        number = np.where(simple, 0, np.where(kind == 2, old, heads[:, 2]))
        known = number < len(self._interfaces)
        place = np.where(known, number, len(self._interfaces))
        table = [*self._interfaces, _Interface(-1, 0)]
        snap = np.array([x.snap or LONGEST for x in table])[place]
        length = np.where(simple, heads[:, 2], heads[:, 6])
        room = size - np.where(simple, 16, 32)
        captured = np.where(simple, np.minimum(length, snap), heads[:, 5])
        captured = np.maximum(np.minimum(captured, room), 0)
        ticks = heads[:, 3] * 2.0**32 + heads[:, 4]
        time = ticks / np.array([x.ticks for x in table])[place] + np.array([x.offset for x in table])[place]
        time[simple] = np.nan
        link = np.array([x.link for x in table])[place]
        at = begin + np.where(simple, 12, 28)
        self._packets += len(begin)
        return Batch(window, at, captured, np.maximum(length, captured), time, link)
