"""Columns of packets -> which of them belong to one conversation, and which way each goes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from captures.packets.columns import ACK, SYN, TCP, Columns

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Bytes, Ints, Mask

type Keys = np.ndarray[Any, np.dtype[np.uint64]]
"""A column of hashes."""

_FACTORS = [secrets.randbits(64) | 1 for _ in range(5)]
"""Drawn anew in each run, so that nobody can make addresses that fall together."""


def salt() -> list[int]:
    """What the keys of this run depend on."""
    return _FACTORS.copy()


def salted(other: list[int]) -> None:
    """From now on keys are those of the run whose `salt` this is."""
    _FACTORS[:] = other


class Opening(NamedTuple):
    """How TCP begins, as a packet has it."""

    flags: int
    sequence: int
    acknowledged: int

    @property
    def number(self) -> int:
        """Sequence number of the SYN that this is, or that this answers."""
        return self.acknowledged - 1 & 0xFFFFFFFF if self.flags & ACK else self.sequence


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups by their first packet: those of the same two ends; a SYN with another number begins another one."""

    of: Ints
    """The group of each packet."""
    way: Ints
    """0 for a packet that goes the way of its group's first one, else 1."""
    firsts: Ints
    """Position of the first packet of each group."""
    keys: Keys
    """Of each group a number of its two ends and the protocol, the same both ways."""


def grouping(data: Bytes, seen: Columns) -> Grouping:
    """Packets of a batch -> their groups."""
    import numpy as np

    key, smaller = _keys(data, seen)
    of, firsts = _parts(key, seen)
    # A packet goes the way of the group's first one when its sender's end has the same place in the order of hashes.
    return Grouping(of, (smaller != smaller[firsts][of]).astype(np.int64), firsts, key[firsts])


def lists(rows: Ints, *columns: np.ndarray[Any, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of columns of the same length -> what stands in each of these, one row after another."""
    return zip(*(column[rows].tolist() for column in columns), strict=True)


def _parts(key: Keys, seen: Columns) -> tuple[Ints, Ints]:
    """Keys of packets -> the group of each, by the first packet, and the position of each group's first packet."""
    import numpy as np

    of, firsts = _numbered(key)
    cuts: dict[int, list[int]] = {}
    numbers: dict[int, int] = {}
    rows = np.flatnonzero((seen.flags & SYN) > 0)
    columns = (of, firsts[of], seen.flags, seen.sequence, seen.acknowledged)
    for row, (group, first, *opening) in zip(rows.tolist(), lists(rows, *columns), strict=True):
        number = Opening(*opening).number
        if numbers.get(group) != number and row > first:
            cuts.setdefault(group, []).append(row)
        numbers[group] = number
    if not cuts:
        return of, firsts
    order = np.argsort(of, kind="stable")
    wanted = sorted(cuts)
    begins, ends = np.searchsorted(of[order], wanted, "left"), np.searchsorted(of[order], wanted, "right")
    parts, count = of.astype(np.uint64), len(firsts)
    for group, begin, end in zip(wanted, begins.tolist(), ends.tolist(), strict=True):
        rows = order[begin:end]
        age = np.searchsorted(np.array(cuts[group]), rows, "right")
        parts[rows[age > 0]] = count + age[age > 0] - 1
        count += len(cuts[group])
    return _numbered(parts)


def _numbered(key: Keys) -> tuple[Ints, Ints]:
    """Keys -> numbers from 0 in the order in which they first appear, and where each appears first.

    By a table of slots instead of sorting, in a tenth of the time; keys that share a slot with another are sorted.
    """
    import numpy as np

    count = len(key)
    slot = ((key * np.uint64(_FACTORS[4])) >> np.uint64(47)).astype(np.int64)
    table = np.empty(1 << 17, np.int64)
    # Of what is assigned to one slot the last remains, so that it is the first row.
    table[slot[::-1]] = np.arange(count - 1, -1, -1)
    first = table[slot]
    shared = np.flatnonzero(key[first] != key)
    if len(shared):
        _, begin, inverse = np.unique(key[shared], return_index=True, return_inverse=True)
        first[shared] = shared[begin][inverse]
    begins = np.zeros(count, np.bool_)
    begins[first] = True
    number = np.cumsum(begins) - 1
    return number[first], np.flatnonzero(begins)


def _keys(data: Bytes, seen: Columns) -> tuple[Keys, Mask]:
    """For each packet a number of its conversation, the same both ways, and whether its sender has the smaller hash."""
    import numpy as np

    source = _hash(data, seen.source, seen.source_port, seen.wide)
    destination = _hash(data, seen.destination, seen.destination_port, seen.wide)
    protocol = (seen.protocol == TCP).astype(np.uint64) * np.uint64(_FACTORS[3])
    return source + destination + protocol, source <= destination


def _hash(data: Bytes, at: Ints, port: Ints, wide: Mask) -> Keys:
    import numpy as np

    mixed = (data.u32(at) << 16 | port).astype(np.uint64) * np.uint64(_FACTORS[0])
    rows = np.flatnonzero(wide)
    if len(rows):
        for factor, step in ((1, 4), (2, 8), (4, 12)):
            mixed[rows] += data.u32(at[rows] + step).astype(np.uint64) * np.uint64(_FACTORS[factor])
            mixed[rows] ^= mixed[rows] >> np.uint64(29)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_FACTORS[1])
    mixed ^= mixed >> np.uint64(29)
    return mixed
