"""Exact numbers and what was reported of them -> to which grid they were rounded.

Every grid that could have made the reported numbers is a candidate; a step is only told when a single one is left.  The
rules are those of docs/statistics.md.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Numbers = NDArray[np.float64]

type GridKind = Literal["fixed", "powers-of-two", "digits", "bins"]
"""`fixed`: multiples of a step; `powers-of-two`: multiples of a step that is one (from 16 on), or powers of two
themselves (`step` is then 2); `digits`: so many significant digits; `bins`: a few values, each for a range."""

type Mode = Literal["nearest", "floor", "ceil"]
"""Which neighbour on the grid is taken."""

type Rounding = Literal["rounded", "not-rounded", "cannot-tell"]
"""The first of the two answers."""

MODES: tuple[Mode, ...] = ("nearest", "floor", "ceil")

MOST_OUTLIERS = 0.05
"""Share of the pairs that may lie off the grid."""

TELLABLE = 4
"""A step below so many times the uncertainty of a pair is not told."""

_RATIO = math.log(1_000)
"""A candidate so many times less likely than the best is given up."""

_OFF_GRID = math.log(2e-5)
"""Likelihood of a number that a grid cannot explain: two in a hundred are off, anywhere among a thousand values."""

_LOOSER = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""What is added to the uncertainty of readings of a clock, in seconds, until a grid fits.  A player tells its server
where it is every ten seconds or so."""

_DIGITS = (1, 2, 3, 4)
"""Numbers of significant digits that are tried."""

_NEGLIGIBLE = 0.005
"""A step below this share of the numbers takes nothing away that matters."""

_LEAST_BINNED = 10
"""Pairs from which on bins are looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One grid that could have made the reported numbers."""

    grid: GridKind
    """Which family."""
    step: float | None
    """Step in the unit of the reported numbers; of `digits` their number, of powers of two 2; `None` for bins."""
    mode: Mode | None
    """Which neighbour is taken; `None` when that is not known."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What the pairs say."""

    verdict: Rounding
    """Whether the numbers were rounded."""
    candidates: tuple[Candidate, ...] = ()
    """All grids that are left, the likeliest first; the step is told iff it is one."""
    why: str = ""
    """Key of the sentence in `texts.GENERALISED` that gives the reason."""
    outliers: tuple[int, ...] = ()
    """Positions of the pairs that lie off the only candidate."""
    uncertainty: float = 0.0
    """Median uncertainty of a pair, in the unit of the numbers."""
    missing: int | None = None
    """Estimated number of further distinct pairs after which one candidate would be left; `None`: not estimated."""

    @property
    def told(self) -> Candidate | None:
        """The only candidate, or `None`."""
        return self.candidates[0] if self.verdict == "rounded" and len(self.candidates) == 1 else None


def fit(
    exact: Sequence[float] | Numbers,
    reported: Sequence[float] | Numbers,
    uncertainty: Sequence[float] | Numbers | None = None,
    *,
    quantum: float = 1.0,
    resolution: float = 0.001,
    second: float | None = None,
) -> Fit:
    """Pairs of numbers -> what they say of rounding.  All are in the unit of the reported ones.

    `uncertainty` is how far each exact number may be off when the report was made (nothing given: not at all).
    `quantum` is the smallest difference that a reported number can show as it was sent, `resolution` that of an exact
    one.  `second` is the length of a second in this unit if the numbers were read off a running clock: then the
    uncertainty is raised, up to ten seconds, until a grid fits.  Empty: `cannot-tell`.
    """
    import numpy as np

    x, r = np.asarray(exact, float), np.asarray(reported, float)
    known = np.zeros(len(x)) if uncertainty is None else np.asarray(uncertainty, float)
    if not len(x):
        return Fit("cannot-tell", why="no-pairs")
    if not r.any() and np.all(np.abs(x) <= np.maximum(known, resolution)):
        return Fit("cannot-tell", why="nothing-but-zero")
    if np.all(np.abs(x / quantum - np.round(x / quantum)) < 1e-6):
        resolution = max(resolution, quantum)  # whole numbers lose nothing when they are sent as such
    levels = _LOOSER if second else (0.0,)
    found = Fit("cannot-tell", why="no-grid")
    for level in levels:
        wide = np.maximum(known, level * (second or 0.0))
        if resolution > quantum:
            wide = np.maximum(wide, resolution / 2)
        found = _fit(x, r, wide, quantum, resolution)
        if found.why != "no-grid":
            return found
    return _bins(x, r) or found


def _fit(x: Numbers, r: Numbers, wide: Numbers, quantum: float, resolution: float) -> Fit:
    """Pairs with a given uncertainty -> what they say, without bins."""
    import numpy as np

    median = float(np.median(wide))
    grids, low, high, steps = _cells(r, quantum, resolution)
    likely, off = _likelihoods(x, wide, low, high)
    same, same_off = _likelihoods(x, wide, r[None] - resolution / 2, r[None] + resolution / 2)
    allowed = int(MOST_OUTLIERS * len(x) + 1e-9)
    fits = off.sum(axis=1) <= allowed
    exact = int(same_off.sum()) <= allowed
    best = max([*likely[fits], *(same if exact else ())], default=-math.inf)
    fits &= likely >= best - _RATIO
    exact = exact and bool(same[0] >= best - _RATIO)
    order = sorted(
        np.flatnonzero(fits).tolist(), key=lambda n: (-round(float(likely[n]), 3), not _usual(grids[n]), steps[n], n)
    )
    left = tuple(grids[n] for n in order)
    if not left:
        if not exact:
            return Fit("cannot-tell", why="no-grid", uncertainty=median)
        return Fit("not-rounded", why="same" if median == 0 else "as-fine", uncertainty=median)
    if exact:
        visible = [n for n in order if _usual(grids[n]) and steps[n] > _NEGLIGIBLE * float(np.median(np.abs(x)))]
        if not visible and median == 0:
            return Fit("not-rounded", why="same", uncertainty=median)
        return Fit("cannot-tell", tuple(grids[n] for n in visible), "on-grid-anyway", uncertainty=median)
    coarse = [n for n in order if steps[n] >= TELLABLE * median]
    if not coarse or any(_finest(grids[n], quantum) and steps[n] < TELLABLE * median for n in order):
        return Fit("cannot-tell", left, "too-fine", uncertainty=median)
    if len(left) > 1:
        return Fit("rounded", left, "several", (), median, _missing(x, order, grids, quantum, resolution))
    return Fit("rounded", left, "one", tuple(map(int, np.flatnonzero(off[order[0]]))), median)


def _finest(grid: Candidate, quantum: float) -> bool:
    """Whether it is the grid that writing the number in its unit makes anyway."""
    return grid.grid == "fixed" and grid.step is not None and grid.step <= quantum * 1.000001


def _cells(r: Numbers, quantum: float, resolution: float) -> tuple[list[Candidate], Numbers, Numbers, Numbers]:
    """Reported numbers -> the grids on which they lie; of each number, the range of exact ones that it stands for.

    Gives candidates, lower and upper ends of shape (candidates, numbers), and the step of each candidate (of one whose
    step grows with the number, the median).
    """
    import numpy as np

    grids: list[Candidate] = []
    low: list[Numbers] = []
    high: list[Numbers] = []
    steps: list[float] = []
    allowed = int(MOST_OUTLIERS * len(r) + 1e-9)

    def add(
        kind: GridKind,
        step: float,
        on: NDArray[np.bool_],
        below: Numbers,
        above: Numbers,
        half: tuple[Numbers, Numbers],
    ) -> None:
        """`on` are the numbers that lie on the grid; `below` and `above` the distances to the neighbours of each;
        `half`: where nearest changes over."""
        size = float(np.median(above))
        if size <= resolution * 1.000001:
            return
        # The far end is open: 120 is rounded down to 120, not to 60.
        edge = resolution / 10
        for mode, under, over in (("nearest", *half), ("floor", 0 * r, above - edge), ("ceil", below - edge, 0 * r)):
            grids.append(Candidate(kind, step, mode))  # type: ignore[arg-type]  # the modes of the line above
            low.append(np.where(on, r - under, np.inf))
            high.append(np.where(on, r + over, -np.inf))
            steps.append(size)

    counted = np.round(r / quantum).astype(np.int64)
    for step in _steps(counted, allowed):
        width = np.full(len(r), step * quantum)
        add(_kind(step * quantum), step * quantum, counted % step == 0, width, width, (width / 2, width / 2))
    size = np.abs(r)
    with np.errstate(divide="ignore"):
        order = np.where(size > 0, np.floor(np.log10(size) + 1e-12), 0)
        power = np.where(size > 0, np.log2(size), 0.5)
    for digits in _DIGITS:
        above = np.maximum(10.0 ** (order - digits + 1), quantum)
        if np.all(above <= quantum):  # every whole number has so many digits
            continue
        on = (np.abs(r / above - np.round(r / above)) < 1e-6) & (size > 0)
        if (~on).sum() > allowed:
            continue
        first = np.abs(size - 10.0**order) < quantum / 2
        below = np.where(first, np.maximum(above / 10, quantum), above)
        add("digits", digits, on, below, above, (below / 2, above / 2))
    on = np.abs(power - np.round(power)) < 1e-9
    if (~on).sum() <= allowed:
        # The nearest power is meant in either sense: by difference, or by ratio.
        add("powers-of-two", 2, on, size / 2, size, (size * (1 - math.sqrt(0.5)), size / 2))
    shape = (len(grids), len(r))
    return grids, np.array(low).reshape(shape), np.array(high).reshape(shape), np.array(steps)


def _kind(step: float) -> GridKind:
    whole = round(step)
    return "powers-of-two" if whole >= 16 and whole == step and not whole & (whole - 1) else "fixed"


def _steps(counted: NDArray[np.int64], allowed: int) -> list[int]:
    """Whole numbers -> all steps of which all but `allowed` are multiples.  Empty when all are zero."""
    import numpy as np

    some = np.unique(np.abs(counted[counted != 0]))
    if not len(some):
        return []
    # A step that fits nearly all numbers divides two neighbours of them, and so their greatest common divisor.
    shared = np.unique(np.gcd(some[:-1], some[1:])) if len(some) > 1 else some
    tried = np.array(sorted({d for g in shared.tolist() for d in _divisors(g)}))
    off = (counted[None, :] % tried[:, None] != 0).sum(axis=1)
    return [int(step) for step in tried[off <= allowed]]


@functools.lru_cache(maxsize=20_000)
def _divisors(number: int) -> tuple[int, ...]:
    """Of numbers above 10^12 only those divisors that are small, or whose complement is."""
    import numpy as np

    tried = np.arange(1, min(math.isqrt(number), 1_000_000) + 1)
    small = tried[number % tried == 0].tolist()
    return tuple(sorted({*small, *(number // d for d in small)}))


def _likelihoods(x: Numbers, wide: Numbers, low: Numbers, high: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Of each candidate its log likelihood, and which pairs it cannot explain.

    The exact number is taken to be anywhere within its uncertainty with the same chance.
    """
    import numpy as np

    tiny = 1e-11 * (1 + np.abs(x))
    reach = np.maximum(wide, tiny)
    off = (x - wide > high + tiny) | (x + wide < low - tiny)
    share = (np.minimum(high, x + reach) - np.maximum(low, x - reach)) / (2 * reach)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(wide > 0, np.log(np.clip(share, 1e-12, 1)), 0.0)
    each = np.where(off, _OFF_GRID, np.maximum(each, _OFF_GRID))
    return each.sum(axis=1), off


def _usual(grid: Candidate) -> bool:
    """Whether people round to such a step: 1, 2, 3, 5, 6 or a quarter, times a power of ten or sixty, or 2^n."""
    if grid.grid != "fixed" or grid.step is None:
        return True
    step = grid.step
    for base in (1, 60, 3600):
        if step >= base:
            lead = step / base / 10.0 ** math.floor(math.log10(step / base) + 1e-12)
            if any(abs(lead - usual) < 1e-6 for usual in (1, 1.2, 1.5, 2, 2.5, 3, 4, 4.5, 5, 6)):
                return True
    return False


def _missing(
    x: Numbers, order: Sequence[int], grids: Sequence[Candidate], quantum: float, resolution: float
) -> int | None:
    """How many more distinct pairs leave one candidate: each of the likeliest is taken for the truth in turn, and the
    numbers are drawn evenly from a little more than the range that was seen; the median."""
    import numpy as np

    top = [grids[n] for n in order[:8]]
    draw = np.random.default_rng(1)
    drawn = draw.uniform(0.2 * float(np.min(np.abs(x))), 1.5 * float(np.max(np.abs(x))) + 1e-9, 64)
    needed = []
    for truth in top:
        made = rounded(drawn, truth, quantum)
        refuted = [
            1 - np.mean(np.abs(rounded(drawn, other, quantum) - made) < resolution) for other in top if other != truth
        ]
        least = min(refuted, default=1.0)
        if least > 0:
            needed.append(1 if least >= 0.99 else math.ceil(math.log(0.05 / len(top)) / math.log(1 - least)))
    return int(np.median(needed)) if needed else None


def rounded(exact: Sequence[float] | Numbers, grid: Candidate, quantum: float = 1.0) -> Numbers:
    """Exact numbers -> what this grid makes of them.  Not for bins."""
    import numpy as np

    x = np.asarray(exact, float)

    def place(y: Numbers) -> Numbers:
        whole = np.ceil(y) if grid.mode == "ceil" else np.floor(y if grid.mode == "floor" else y + 0.5)
        return np.asarray(whole)

    step = grid.step or quantum
    if grid.grid == "digits":
        with np.errstate(divide="ignore"):
            order = np.where(x > 0, np.floor(np.log10(np.abs(x)) + 1e-12), 0)
        width = np.maximum(10.0 ** (order - step + 1), quantum)
        return np.asarray(place(x / width) * width)
    if grid.grid == "powers-of-two" and step == 2:
        with np.errstate(divide="ignore"):
            return np.asarray(np.where(x > 0, 2.0 ** place(np.log2(np.maximum(x, 1e-300))), 0.0))
    return np.asarray(place(x / step) * step)


def stands_for(value: float, grid: Candidate) -> tuple[float, float]:
    """A number on a grid -> the lowest and the highest exact one that it stands for; of bins, itself."""
    if not grid.step or (value == 0 and grid.grid == "digits"):
        return value, value
    width, part = grid.step, {"nearest": 0.5, "floor": 0.0, "ceil": 1.0}[grid.mode or "nearest"]
    if grid.grid == "digits":
        width = 10.0 ** (math.floor(math.log10(abs(value)) + 1e-12) - grid.step + 1)
    elif grid.grid == "powers-of-two" and grid.step == 2:
        return value / 2**part, value * 2 ** (1 - part)
    return value - part * width, value + (1 - part) * width


def _bins(x: Numbers, r: Numbers) -> Fit | None:
    """Whether a few values stand for ranges that follow one another; `None` when they do not."""
    import numpy as np

    values = np.unique(r)
    if len(x) < _LEAST_BINNED or not 1 < len(values) <= len(x) / 3:
        return None
    order = np.argsort(x, kind="stable")
    falls = int((np.diff(r[order]) < 0).sum())
    if falls > MOST_OUTLIERS * len(x):
        return None
    return Fit("rounded", (Candidate("bins", None, None),), "bins")


def alone(numbers: Sequence[float] | Numbers, library: Sequence[float] | Numbers = (), *, quantum: float = 1.0) -> Fit:
    """Reported numbers without exact ones -> what they say alone.

    `library` are exact values of the same field in the user's own library, in the same unit: the null hypothesis is how
    these are distributed, for many fields come in whole minutes anyway.
    """
    import numpy as np

    r = np.unique(np.asarray(numbers, float))
    some = r[np.abs(r) > quantum / 2]
    if not len(some):
        return Fit("cannot-tell", why="nothing-but-zero")
    counted = np.round(some / quantum).astype(np.int64)
    allowed = int(MOST_OUTLIERS * len(some) + 1e-9)
    steps = _steps(counted, allowed)
    largest = max(steps)
    chance = (1 / largest) ** len(some)
    if len(some) > 1 and (
        largest == 1 or (largest <= 4 and largest < _NEGLIGIBLE * np.median(np.abs(counted)) and chance > 1e-3)
    ):
        return Fit("not-rounded", why="every-unit")
    # A finer step would have hit the coarser one's multiples each time by chance.
    left = [s for s in steps if s > 1 and len(some) * math.log(largest / s) <= _RATIO]
    candidates = tuple(Candidate(_kind(s * quantum), s * quantum, None) for s in reversed(left))
    if len(some) == 1:
        return Fit("cannot-tell", (), why="one-number")
    x = np.asarray(library, float)
    if len(x) < 20:
        return Fit("cannot-tell", candidates, why="no-library")
    on = np.abs(x / (largest * quantum) - np.round(x / (largest * quantum))) * largest < 0.5
    # Upper 95 % bound of the share, so that a small library proves little (Wilson's score interval).
    share = _upper(int(on.sum()), len(x))
    if len(some) * math.log(share) > math.log(1e-3):
        return Fit("cannot-tell", candidates, why="library-too")
    return Fit("rounded", candidates, "alone-one" if len(candidates) == 1 else "alone-several")


def _upper(hits: int, n: int) -> float:
    z = 1.645
    share = hits / n
    middle = share + z * z / (2 * n)
    return min(1.0, (middle + z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n))


def scaled(found: Fit, factor: float) -> Fit:
    """The same answer in another unit, which is `factor` times smaller."""
    return replace(
        found,
        candidates=tuple(
            replace(c, step=c.step * factor) if c.step and c.grid not in ("digits", "bins") else c
            for c in found.candidates
        ),
        uncertainty=found.uncertainty * factor,
    )
