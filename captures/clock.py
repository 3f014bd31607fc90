"""This machine's clock, which somebody may set at any moment; a time that goes on evenly; how far both are apart."""

from __future__ import annotations

import time

APART = 60.0
"""Seconds; smaller steps are those by which a network keeps a clock right."""

_EVEN = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux one that counts the time for which the machine slept."""

_BEGUN = time.time() - time.clock_gettime(_EVEN)


def steady() -> float:
    """Seconds since the epoch (UTC) by the clock as it was when this process began, whatever was done to it since."""
    return _BEGUN + time.clock_gettime(_EVEN)


def ahead() -> float:
    """Seconds by which the clock was set forward since this process began; negative: back."""
    return time.time() - steady()


class Jumps:
    """Tells, at each look, by how much the clock was set since the one before."""

    def __init__(self) -> None:
        self._ahead = ahead()

    def seen(self) -> float:
        """Seconds, negative: back; 0 for what a network corrects."""
        now = ahead()
        jump, self._ahead = now - self._ahead, now
        return jump if abs(jump) >= APART else 0.0


_FORWARD = "the clock was set forward by {n} h {m} min while it recorded: times before and after do not fit together"
_BACK = "the clock was set back by {n} h {m} min while it recorded: times before and after do not fit together"


def jumped(seconds: float) -> str:
    """By how many seconds the clock was set -> why the times of a recording do not fit together.

    >>> jumped(-273600.4)
    'the clock was set back by 76 h 0 min while it recorded: times before and after do not fit together'
    """
    hours, minutes = divmod(round(abs(seconds) / 60), 60)
    return (_FORWARD if seconds > 0 else _BACK).format(n=hours, m=minutes)
