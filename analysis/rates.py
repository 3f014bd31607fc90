"""Was something seen less often than before?  Exact tests, with one promise about all of a report's tests together.

Nothing here is estimated from the traffic and put in as if it were known: all tests condition on what was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

ALPHA = 0.01
"""Largest chance of a wrong "stopped" or "new", in a whole report."""

DRIFT = 2.0
"""How much rarer calls without an occasion may become for reasons of their own; the time after counts so much less."""

_MOST_MISSING = 60
"""Occasions that a person is told to add at most; beyond that the answer is that it cannot be had this way."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often something was seen on the two sides.

    `exact`: occasions, at each of which it was there or not.  Otherwise exposure: time in which it could have come.
    """

    before: int
    """Occasions (or stretches of time) before with it."""
    exposure_before: float
    """All occasions (or time) before."""
    after: int
    """With it, after."""
    exposure_after: float
    """All of them after."""
    exact: bool = True
    """Whether the exposures are occasions."""

    def mirrored(self) -> Seen:
        """The same with the sides exchanged, to test whether something is new."""
        return Seen(self.after, self.exposure_after, self.before, self.exposure_before, self.exact)


@lru_cache(maxsize=4096)
def chance(seen: Seen) -> float:
    """The chance of as few after, or fewer, if nothing had changed; 1 when nothing was tested.

    Occasions: Fisher's exact test, one-sided.  Else the conditional binomial: each of the k seen fell on the side
    before with E1 / (E1 + E2), where E2 is divided by `DRIFT`.

    >>> round(chance(Seen(5, 5, 0, 4)), 5) == round(1 / 126, 5)
    True
    >>> chance(Seen(5, 5, 0, 0)), chance(Seen(0, 5, 0, 5))
    (1.0, 1.0)
    """
    if not seen.exposure_before or not seen.exposure_after or not seen.before:
        return 1.0
    if seen.exact:
        from scipy.stats import fisher_exact  # type: ignore[import-untyped]  # no stubs; 0.6 s to load

        table = [
            [seen.after, round(seen.exposure_after) - seen.after],
            [seen.before, round(seen.exposure_before) - seen.before],
        ]
        return float(fisher_exact(table, alternative="less").pvalue)
    from scipy.stats import binom

    return float(binom.cdf(seen.after, seen.before + seen.after, _share_after(seen)))


def least_chance(seen: Seen) -> float:
    """The smallest chance that could have come out, given how often it was seen on both sides together."""
    total = seen.before + seen.after
    if not total or not seen.exposure_before or not seen.exposure_after:
        return 1.0
    if not seen.exact:
        return float((1 - _share_after(seen)) ** total)
    n1, n2 = round(seen.exposure_before), round(seen.exposure_after)
    fewest = max(0, total - n1)
    return math.comb(n2, fewest) * math.comb(n1, total - fewest) / math.comb(n1 + n2, total)


def _share_after(seen: Seen) -> float:
    after = seen.exposure_after / DRIFT
    return after / (seen.exposure_before + after)


def highest_ratio(seen: Seen) -> float:
    """Upper 99 % bound of (rate after / rate before), Clopper and Pearson; infinite when nothing was tested.

    >>> highest_ratio(Seen(40, 40, 4, 40)) < 1 < highest_ratio(Seen(4, 4, 3, 4))
    True
    """
    if not seen.before or not seen.exposure_after or not seen.exposure_before:
        return math.inf
    from scipy.stats import beta

    share = float(beta.ppf(1 - ALPHA, seen.after + 1, seen.before))
    after = seen.exposure_after if seen.exact else seen.exposure_after / DRIFT
    return share / (1 - share) * seen.exposure_before / after if share < 1 else math.inf


@dataclass(frozen=True, slots=True)
class Decided:
    """What holds among all tests of a report."""

    hold: tuple[bool, ...]
    """For each test, in order, whether it holds."""
    threshold: float
    """The chance that the next test would have had to reach."""


def decide(tests: Sequence[Seen]) -> Decided:
    """All tests of a report -> which hold, so that with `1 - ALPHA` none holds wrongly (Holm 1979).

    Tests that could not have come out, however few had been seen after, count for nothing in the correction (Tarone
    1990, in steps: Hommel and Krummenauer 1998).  That many calls go on unchanged does not weaken the others.
    """
    chances = [chance(test) for test in tests]
    least = [least_chance(test) for test in tests]
    open_, factor = set(range(len(tests))), 1
    while True:
        factor = next(m for m in range(1, len(open_) + 2) if sum(least[i] <= ALPHA / m for i in open_) <= m)
        new = {i for i in open_ if chances[i] <= ALPHA / factor}
        if not new:
            return Decided(tuple(i not in open_ for i in range(len(tests))), ALPHA / factor)
        open_ -= new


@dataclass(frozen=True, slots=True)
class Missing:
    """What a person would have to add for an answer."""

    before: int
    """Occasions (or stretches of time) before the switch."""
    after: int
    """After it."""


def missing(seen: Seen, threshold: float) -> Missing | None:
    """The fewest occasions to add, if it keeps coming before as often as it did and stays away after.

    `None` when not even many would do, or nothing was seen before.

    >>> missing(Seen(5, 5, 0, 2), 0.01), missing(Seen(3, 3, 0, 0), 0.01), missing(Seen(1, 10, 0, 5), 0.01)
    (Missing(before=0, after=2), Missing(before=1, after=5), None)
    """
    if not seen.before:
        return None
    rate = seen.before / seen.exposure_before
    for total in range(1, _MOST_MISSING + 1):
        for before in range(total + 1):
            n1 = seen.exposure_before + before
            more = Seen(seen.before + int(before * rate), n1, 0, seen.exposure_after + total - before, seen.exact)
            if least_chance(more) <= threshold:
                return Missing(before, total - before)
    return None
