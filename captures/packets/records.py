"""pcap: records one after another -> batches.  Source: draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from captures.packets import batch
from captures.packets.batch import LONGEST, SEARCHED, Batch, Damage
from captures.packets.bytes_at import Ints, Mapped, beginnings
from captures.packets.walk import walk, words

FORMS = {b"\xa1\xb2\xc3\xd4": (6, 16), b"\xa1\xb2\x3c\x4d": (9, 16), b"\xa1\xb2\xcd\x34": (6, 24)}
"""First four bytes, big end first -> (digits of a second's fraction, size of a record's header)."""

_HEADER = 24

_ROOM = SEARCHED + 4 * LONGEST
"""Bytes after a place that must be known to say that it is damaged."""


class Records:
    """Reads one file, a part after another."""

    def __init__(self, order: str) -> None:
        """`order` is `>` when the big end comes first, else `<`."""
        self._order = order
        self._digits, self._head, self._link = 6, 16, -1
        self._at = 0
        """Where in the window reading goes on."""
        self._before = 0
        """Bytes of the file before the window."""
        self._packets = 0
        self._size = 0.0
        """Bytes of a record on average; 0 when that is not known."""
        self._lost: int | None = None
        """Place in the file from which on nothing could be read any more."""

    def keep(self, window: bytes) -> bytes:
        """What of the window the next one must begin with."""
        self._before, at, self._at = self._before + self._at, self._at, 0
        return window[at:]

    def read(self, window: Mapped, *, last: bool) -> Iterator[Batch | Damage]:
        """The file, or the part that begins with what was kept -> its packets; `last` when nothing more comes."""
        end = len(window)
        if self._link < 0 and (end >= _HEADER or last):
            yield from self._begin(window)
        while self._link >= 0 and self._at < end and self._lost is None:
            begin, following, whole = self._records(window, self._at)
            if len(begin):
                self._size = (following - self._at) / len(begin) if 2 * len(begin) > batch.BATCH else 0.0
                self._at = following
                yield self._batch(window, begin)
            if not whole and not last and end - following < _ROOM:
                break
            if not whole:
                yield from self._damage(window, following)
        if self._lost is not None:
            self._at = end
            if last:
                yield Damage(self._packets, self._lost, self._before + end - self._lost, "is cut off")

    def _begin(self, window: Mapped) -> Iterator[Damage]:
        if len(window) < _HEADER:
            self._at = len(window)
            yield Damage(0, 0, len(window), "is cut off")
            return
        magic = bytes(window[:4]) if self._order == ">" else bytes(window[3::-1])
        self._digits, self._head = FORMS[magic]
        self._link = struct.unpack_from(self._order + "I", window, 20)[0] & 0xFFFF
        self._at = _HEADER

    def _damage(self, window: Mapped, at: int) -> Iterator[Damage]:
        """Steps over a damaged place."""
        following = _following(window, self._order, at, self._head)
        if following < 0:
            self._lost = self._before + at
        else:
            yield Damage(self._packets, self._before + at, following - at, "is damaged")
            self._at = following

    def _batch(self, window: Mapped, begin: Ints) -> Batch:
        import numpy as np

        heads = beginnings(window, begin, 16).view(self._order + "u4").reshape(-1, 4).astype(np.int64)
        captured, length = heads[:, 2], np.maximum(heads[:, 3], heads[:, 2])
        time = heads[:, 0] + heads[:, 1] / 10.0**self._digits
        self._packets += len(begin)
        return Batch(window, begin + self._head, captured, length, time, np.full(len(begin), self._link))

    def _records(self, mapped: Mapped, at: int) -> tuple[Ints, int, bool]:
        """Begins of up to about `BATCH` records, where the next one begins, and whether that is a good place."""
        import numpy as np

        if self._size and len(mapped) >= self._head:
            end = len(mapped)
            numbers, last, head = words(mapped, self._order), end - self._head, self._head
            seconds = struct.unpack_from(self._order + "I", mapped, at)[0] if at <= last else 0

            def following(places: Ints) -> Ints:
                captured = numbers[np.minimum(places, last) + 8].astype(np.int64)
                ends = places + head + captured
                return np.where((places <= last) & (captured <= LONGEST) & (ends <= end), ends, -1)

            begin, reached = walk(
                at, end, batch.BATCH, self._size, following, lambda a, b: self._guess(mapped, seconds, a, b)
            )
            if len(begin):
                return begin, reached, True
        starts, reached, whole = _walk(mapped, self._order, at, self._head)
        return np.array(starts, np.int64), reached, whole

    def _guess(self, mapped: Mapped, seconds: int, begin: int, end: int) -> int:
        """A place within bounds that looks like a record of about this time, or -1."""
        big = self._order == ">"
        upper = (seconds >> 16).to_bytes(2, "big" if big else "little")
        unpack, skip, last = struct.Struct(self._order + "4xIII").unpack_from, 0 if big else 2, len(mapped) - 16
        limit, found = 10**self._digits, begin + skip - 1
        while (found := mapped.find(upper, found + 1, end)) >= 0:
            place = found - skip
            for _ in range(2):
                if place > last:
                    break
                fraction, captured, length = unpack(mapped, place)
                if fraction >= limit or not captured <= length <= LONGEST:
                    break
                place += self._head + captured
            else:
                return found - skip
        return -1


def _walk(mapped: Mapped, order: str, at: int, head: int) -> tuple[list[int], int, bool]:
    """Begins of up to `BATCH` records, where the next one begins, and whether that is a good place."""
    starts: list[int] = []
    unpack, append, end = struct.Struct(order + "8xI").unpack_from, starts.append, len(mapped)
    last = end - head
    for _ in range(batch.BATCH):
        if at > last:
            if at > end:
                at = starts.pop()
            return starts, at, at == end
        (captured,) = unpack(mapped, at)
        if captured > LONGEST:
            return starts, at, False
        append(at)
        at += head + captured
    if at <= end:
        return starts, at, True
    at = starts.pop()
    return starts, at, False


def _following(mapped: Mapped, order: str, at: int, head: int) -> int:
    """Where reading goes on after a damaged record: at a header that is followed by two more; -1 for none."""
    unpack, end = struct.Struct(order + "IIII").unpack_from, len(mapped)

    def record(place: int) -> tuple[int, int] | None:
        if place + head > end:
            return None
        seconds, fraction, captured, length = unpack(mapped, place)
        if not 14 <= captured <= length <= LONGEST or fraction >= 1_000_000_000 or not seconds:
            return None
        return seconds, place + head + captured

    for place in range(at + 1, min(at + SEARCHED, end - head)):
        if not (first := record(place)):
            continue
        second = record(first[1])
        third = record(second[1]) if second else None
        if first[1] == end or (second and second[1] == end and abs(second[0] - first[0]) < 3600):
            return place
        if second and third and abs(second[0] - first[0]) < 3600 and abs(third[0] - second[0]) < 3600:
            return place
    return -1
