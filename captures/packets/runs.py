"""Segments of TCP -> runs of those that follow one another without a gap and without a word of the other end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from captures.packets.bytes_at import Ints
    from captures.packets.summary import Filled


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows by conversation, in runs of at least one."""

    order: Ints
    """The rows, run after run."""
    begins: Ints
    """Where in `order` each run begins."""
    ends: Ints
    """Where it ends."""
    passed: Ints
    """Bytes of all rows in `order` before each, with one more at the end."""

    def size(self, begin: int, end: int) -> int:
        """Bytes of the rows between two places in `order`."""
        return int(self.passed[end] - self.passed[begin])

    def reach(self, begin: int, most: int) -> int:
        """The furthest place in `order` up to which the rows from `begin` on have at most so many bytes."""
        import numpy as np

        return int(np.searchsorted(self.passed, self.passed[begin] + most, "right")) - 1


def runs(conversation: Ints, way: Ints, filled: Filled) -> Runs:
    """Columns of the same length, at least one (number of the conversation, 0 or 1, the packets) -> their runs.

    A datagram, and a segment of which a part was not recorded, is a run of its own.
    """
    import numpy as np

    order = np.argsort(conversation, kind="stable")
    same = (conversation[order][1:] == conversation[order][:-1]) & (way[order][1:] == way[order][:-1])
    size, sequence = filled.size[order], filled.sequence[order]
    whole = (filled.tcp & (filled.size == filled.sent))[order]
    due = sequence[:-1] + size[:-1] & 0xFFFFFFFF
    goes_on = same & whole[1:] & whole[:-1] & (sequence[1:] == due)
    begins = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), ~goes_on)))
    passed = np.concatenate((np.zeros(1, np.int64), np.cumsum(size)))
    return Runs(order, begins, np.append(begins[1:], len(order)), passed)
