"""Which grids explain pairs of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.grid import Candidate, alone, fit, rounded


def test_two_play_times_with_their_uncertainty_leave_the_nearest_minute() -> None:
    found = fit([37.844, 11.433], [60, 0], [0.1, 0.1], second=1.0)
    assert (found.verdict, found.told) == ("rounded", Candidate("fixed", 60, "nearest"))


@pytest.mark.parametrize("mode", ["nearest", "floor", "ceil"])
@pytest.mark.parametrize("step", [7, 30, 60, 512])
def test_twenty_pairs_leave_the_grid_that_made_them(step: int, mode: str) -> None:
    exact = np.random.default_rng(step).uniform(100, 9000, 20).round(3)
    truth = Candidate("powers-of-two" if step == 512 else "fixed", step, mode)  # type: ignore[arg-type]
    assert fit(exact, rounded(exact, truth)).told == truth


def test_numbers_that_equal_the_exact_ones_are_not_rounded() -> None:
    exact = np.random.default_rng(1).uniform(100, 9000, 5).round(3)
    assert fit(exact, exact, quantum=0.001).verdict == "not-rounded"


def test_two_numbers_without_a_common_step_are_not_rounded() -> None:
    assert alone([540, 523]).verdict == "not-rounded"
