"""A stretch of time in equal spans, as a picture of when something happened divides it."""

from __future__ import annotations

from typing import NamedTuple

_MOST = 96
"""Spans, at most."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)
"""Lengths of a span, in seconds."""


class Spans(NamedTuple):
    """Spans of equal length."""

    begin: float
    """When the first one begins, seconds since the epoch (UTC)."""
    step: float
    """Their length in seconds."""
    number: int
    """How many; the last one holds the last moment."""

    def of(self, time: float) -> int:
        """Number of the span in which a moment is."""
        return min(int((time - self.begin) // self.step), self.number - 1)


def spans(first: float, last: float) -> Spans:
    """The first and the last moment, which differ -> round spans between them."""
    step = next((s for s in _STEPS if (last - first) / s < _MOST), (last - first) / (_MOST - 1))
    begin = first - first % step
    return Spans(begin, step, int((last - begin) // step) + 1)
