"""Made-up pairs of exact and reported numbers, with the grid that made them, and what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.grid import MODES, TELLABLE, Candidate, Fit, fit, rounded

type Outcome = Literal["right", "open", "wrong"]
"""The grid that was, none or several, or another one."""

JITTERS = (0.0, 0.1, 1.0, 2.5, 10.0)
"""How far, in seconds, an exact number may be off when the report is made: not at all, or up to a timeline's beat."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Twenty distinct pairs of plays, in seconds."""

    truth: Candidate
    """The grid."""
    exact: NDArray[np.float64]
    """As the own server was told."""
    reported: NDArray[np.float64]
    """What the vendor was told."""
    uncertainty: NDArray[np.float64]
    """What is known of how far they are apart in time."""
    tellable: bool
    """Whether the rules allow an answer: the step is at least four times the uncertainty, and no other grid of the
    named families makes the same of all these numbers."""


def simulated(number: int, seed: int, pairs: int = 20) -> Iterator[Simulated]:
    """Draws sets of pairs: three in five with a step of 1 to 600 s, the others with steps of 2^n, powers of two, and
    three significant digits; a tenth of the last reports is dropped, so that the one before must do."""
    draw = np.random.default_rng(seed)
    for _ in range(number):
        truth = _truth(draw)
        long = truth.grid == "digits" or _is_power(truth)
        true = np.exp(draw.uniform(np.log(20), np.log(60_000), pairs)) if long else draw.uniform(5, 9_000, pairs)
        reported = rounded(true, truth)
        jitter = float(draw.choice(JITTERS))
        dropped = draw.random(pairs) < 0.1
        uncertainty = np.where(dropped, np.maximum(jitter, 10.0 * draw.random(pairs)), jitter)
        exact = (true + draw.uniform(-1, 1, pairs) * uncertainty).round(3)
        # The exact number is known to the millisecond: on the very edge of a cell that decides.
        yield Simulated(truth, exact, reported, uncertainty + 0.0005, _tellable(truth, true, reported, uncertainty))


def _truth(draw: np.random.Generator) -> Candidate:
    mode = MODES[draw.integers(3)]
    match draw.integers(10):
        case 0 | 1:
            return _named(2.0 ** int(draw.integers(0, 10)), mode)
        case 2:
            return Candidate("powers-of-two", 2, mode)
        case 3:
            return Candidate("digits", 3, mode)
        case _:
            return _named(float(draw.integers(1, 601)), mode)


def _named(step: float, mode: str) -> Candidate:
    power = step >= 16 and not int(step) & (int(step) - 1)
    return Candidate("powers-of-two" if power else "fixed", step, mode)  # type: ignore[arg-type]  # one of MODES


def _tellable(
    truth: Candidate, true: NDArray[np.float64], reported: NDArray[np.float64], uncertainty: NDArray[np.float64]
) -> bool:
    step = float(np.median(_steps(truth, reported)))
    if step < TELLABLE * float(np.median(uncertainty + 0.0005)):
        return False
    others = [Candidate("digits", d, truth.mode) for d in range(1, 5)]
    others += [Candidate("fixed", 10.0**n, truth.mode) for n in range(4)]
    return not any(np.array_equal(rounded(true, other), reported) for other in others if other != truth)


def _is_power(truth: Candidate) -> bool:
    return truth.grid == "powers-of-two" and truth.step == 2


def _steps(truth: Candidate, reported: NDArray[np.float64]) -> NDArray[np.float64]:
    if truth.grid == "digits":
        return np.maximum(10.0 ** (np.floor(np.log10(np.maximum(reported, 1))) - 2), 1.0)
    return np.maximum(reported, 1.0) if _is_power(truth) else np.full(len(reported), truth.step)


def outcome(found: Fit, truth: Candidate) -> Outcome:
    """What an answer is worth.  That numbers with a step were not rounded is wrong too."""
    if found.told == truth:
        return "right"
    return "wrong" if found.told or found.verdict == "not-rounded" else "open"


def tally(number: int, seed: int) -> Counter[tuple[bool, Outcome]]:
    """Simulations -> how many were tellable or not, and answered how."""
    return Counter(
        (s.tellable, outcome(fit(s.exact, s.reported, s.uncertainty, second=1.0), s.truth))
        for s in simulated(number, seed)
    )
