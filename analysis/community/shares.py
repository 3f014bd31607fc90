"""How many people, and how sure that is: what may be published of a number."""

from __future__ import annotations

import math
from typing import NamedTuple

MINIMUM = 5
"""People of whom anything is published, unless somebody sets it otherwise."""

LEAST = 3
"""It cannot be set lower."""

COLLUDERS = 5
"""So many people who agree to lie must not move a headline."""

CLASSES = (100, 50, 20, 10, 5, 3)
"""Numbers of people that are told apart, and no others."""

STEP = 0.05
"""Shares are rounded to this, so that they do not tell the number."""

_Z = 1.96
"""Two-sided 95 % of the normal distribution."""


class Share(NamedTuple):
    """A part of the people who looked."""

    posters: str
    """How many, in classes: `10+`."""
    of: str
    """Of how many, likewise."""
    low: float
    """Lower 95 % bound of the share, rounded down."""
    high: float
    """Upper one, rounded up; 1 also where fewer people than the minimum did not see it."""


def people(n: int) -> str:
    """A number of people -> its class.

    >>> [people(n) for n in (0, 2, 4, 5, 49, 1000)]
    ['fewer than 3', 'fewer than 3', '3+', '5+', '20+', '100+']
    """
    return next((f"{least}+" for least in CLASSES if n >= least), f"fewer than {CLASSES[-1]}")


def share(k: int, n: int, minimum: int) -> Share:
    """`k` of `n` people -> what may be told of it.  `n` is at least `minimum`.

    Where fewer than `minimum` people are left over, all such cases look the same: who is alone cannot be told.

    >>> share(40, 100, 5)
    Share(posters='20+', of='100+', low=0.3, high=0.5)
    >>> share(97, 100, 5) == share(100, 100, 5)._replace(posters="50+")
    True
    """
    if n - k < minimum:
        return Share(people(k), people(n), _down(interval(n - minimum + 1, n)[0]), 1.0)
    low, high = interval(k, n)
    return Share(people(k), people(n), _down(low), _up(high))


def interval(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); all of it when nobody looked."""
    if not n:
        return 0.0, 1.0
    p, z2 = k / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def is_outlier(k: int, n: int, minimum: int) -> bool:
    """Whether so few of many say it that a handful who agree could have made it up."""
    return k < minimum + COLLUDERS and k < n / 2


def _down(value: float) -> float:
    return round(math.floor(value / STEP + 1e-9) * STEP, 2)


def _up(value: float) -> float:
    return round(math.ceil(value / STEP - 1e-9) * STEP, 2)
