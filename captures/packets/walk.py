"""Records of which each says where the next one begins -> where they begin, many stretches of a file at once.

A loop in Python follows a million records a second.  Here some hundred stretches are followed side by side in NumPy,
each from a place that looks like a record.  What a stretch found counts only when the one before it ended exactly where
it began: a wrong guess costs time and never changes what is found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Ints, Mapped

_STRETCHES = 256
_FEWEST = 32
"""Stretches below which following them side by side takes longer than one after another."""


def words(mapped: Mapped, order: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """A file of at least four bytes -> the number of four bytes that stands at each of its places."""
    import numpy as np

    return np.ndarray((len(mapped) - 3,), order + "u4", mapped, strides=(1,))


def walk(
    at: int, end: int, most: int, size: float, following: Callable[[Ints], Ints], guess: Callable[[int, int], int]
) -> tuple[Ints, int]:
    """A good place and about how many bytes a record has -> where up to about `most` records begin, and the next.

    `following` gives for places where the next record begins, or -1 for what is no good record within the file;
    `guess` a place between two that looks like a record, or -1.  Finds nothing where stretches do not pay, and less
    where a guess was wrong or a record is not good: reading goes on from there.
    """
    import numpy as np

    each = most // _STRETCHES
    starts, limit = _starts(at, min(int(at + most * size), end), max(int(each * size), 1), guess)
    if len(starts) < _FEWEST:
        return np.empty(0, np.int64), at
    begins = np.array(starts, np.int64)
    limits, reached = np.append(begins[1:], limit), begins.copy()
    found = np.full((len(begins), 3 * each), -1)
    active = np.arange(len(begins))
    for step in range(3 * each):
        here = reached[active]
        there = following(here)
        good = there >= 0
        active, here, there = active[good], here[good], there[good]
        found[active, step] = here
        reached[active] = there
        active = active[there < limits[active]]
        if not len(active):
            break
    wrong = np.flatnonzero(reached[:-1] != begins[1:])
    last = int(wrong[0]) if len(wrong) else len(begins) - 1
    table = found[: last + 1]
    return table[table >= 0], int(reached[last])


def _starts(at: int, end: int, stretch: int, guess: Callable[[int, int], int]) -> tuple[list[int], int]:
    """The places at which stretches begin, the first of them certain, and where the last one ends."""
    starts = [at]
    for lower in range(at + stretch, end - stretch, stretch):
        place = guess(lower, lower + stretch)
        if place >= 0:
            starts.append(place)
    return starts, end
