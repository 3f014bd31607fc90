"""Which grids explain pairs of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.grid import Candidate, alone, fit, rounded, stands_for
from simulated_pairs import tally


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


def test_the_simulations_are_answered_rightly_wherever_the_rules_allow_an_answer() -> None:
    counted = tally(300, seed=11)
    tellable = sum(n for (can, _), n in counted.items() if can)
    assert counted[True, "right"] >= 0.99 * tellable
    assert counted[True, "wrong"] + counted[False, "wrong"] <= 3
    assert tellable > 200
    assert counted[False, "open"] > 10


def test_one_pair_shows_rounding_but_several_grids_and_how_many_more_pairs_decide() -> None:
    found = fit([634.0], [660.0])
    assert (found.verdict, found.told) == ("rounded", None)
    assert [c.step for c in found.candidates if c.mode == "nearest"] == [60, 55, 66, 110, 132, 165, 220, 330, 660]
    assert found.missing is not None
    assert 1 <= found.missing <= 20


def test_a_step_below_four_times_the_uncertainty_is_not_told() -> None:
    true = np.random.default_rng(2).uniform(100, 9000, 20)
    reported = rounded(true, Candidate("fixed", 30, "nearest"))
    assert fit(true, reported, np.full(20, 7.4)).told == Candidate("fixed", 30, "nearest")
    late = fit(true, reported, np.full(20, 7.6))
    assert (late.verdict, late.why) == ("cannot-tell", "too-fine")


@pytest.mark.parametrize(("outliers", "told"), [(1, True), (2, False)])
def test_one_in_twenty_may_lie_off_the_grid_and_is_shown(outliers: int, told: bool) -> None:
    exact = np.random.default_rng(3).uniform(100, 9000, 20).round(3)
    reported = rounded(exact, Candidate("fixed", 60, "floor"))
    reported[:outliers] += 17
    found = fit(exact, reported)
    assert (found.told is not None) == told
    if told:
        assert found.outliers == (0,)


def test_numbers_that_come_in_whole_minutes_anyway_do_not_show_rounding() -> None:
    exact = [60.0 * n for n in range(80, 100)]
    found = fit(exact, exact)
    assert (found.verdict, found.why) == ("cannot-tell", "on-grid-anyway")
    assert Candidate("fixed", 60, "nearest") in found.candidates


def test_the_open_end_of_a_cell_is_open() -> None:
    assert Candidate("fixed", 60, "floor") not in fit([120.0, 185.0], [60.0, 180.0]).candidates
    assert Candidate("fixed", 60, "floor") in fit([119.9, 185.0], [60.0, 180.0]).candidates


def test_digits_and_a_step_that_do_the_same_everywhere_are_both_left() -> None:
    exact = np.random.default_rng(4).uniform(1_000, 9_900, 20)
    found = fit(exact, rounded(exact, Candidate("digits", 3, "nearest")))
    assert found.verdict == "rounded"
    assert set(found.candidates) == {Candidate("fixed", 10, "nearest"), Candidate("digits", 3, "nearest")}
    wide = np.exp(np.random.default_rng(4).uniform(3, 11, 20))
    assert fit(wide, rounded(wide, Candidate("digits", 3, "nearest"))).told == Candidate("digits", 3, "nearest")


def test_a_few_values_for_ranges_are_bins_and_have_no_step() -> None:
    exact = np.random.default_rng(5).uniform(0, 100, 24)
    reported = np.select([exact < 13, exact < 55], [7, 31], 94.0)
    found = fit(exact, reported)
    assert (found.verdict, found.candidates) == ("rounded", (Candidate("bins", None, None),))


def test_numbers_of_something_else_are_no_rounding() -> None:
    draw = np.random.default_rng(6)
    assert fit(draw.uniform(0, 9000, 20), draw.uniform(0, 9000, 20).round()).verdict == "cannot-tell"


def test_a_clock_that_is_read_late_is_given_more_room_until_a_grid_fits() -> None:
    true = np.random.default_rng(7).uniform(100, 9000, 20)
    exact = true + 8
    reported = rounded(true, Candidate("fixed", 60, "nearest"))
    assert fit(exact, reported, np.full(20, 0.1), second=1.0).told == Candidate("fixed", 60, "nearest")
    assert fit(exact, reported, np.full(20, 0.1)).told is None


def test_nothing_but_zero_says_nothing() -> None:
    assert fit([0.0], [0.0]).why == "nothing-but-zero"
    assert alone([0.0]).why == "nothing-but-zero"


def test_alone_numbers_are_held_against_the_own_library() -> None:
    reported = [5400.0, 6060, 7320, 5820]
    odd = np.random.default_rng(9).uniform(3000, 9000, 200)
    assert alone(reported).why == "no-library"
    found = alone(reported, odd)
    assert (found.verdict, found.candidates[0]) == ("rounded", Candidate("fixed", 60, None))
    assert alone(reported, 60 * np.round(odd / 60)).why == "library-too"


@pytest.mark.parametrize("grid", [("fixed", 60), ("digits", 2), ("powers-of-two", 2), ("powers-of-two", 512)])
@pytest.mark.parametrize("mode", ["nearest", "floor", "ceil"])
def test_what_a_number_stands_for_holds_every_number_that_becomes_it(grid: tuple[str, int], mode: str) -> None:
    exact = np.random.default_rng(10).uniform(200, 9000, 50)
    candidate = Candidate(grid[0], grid[1], mode)  # type: ignore[arg-type]  # names of the type's values
    for x, r in zip(exact, rounded(exact, candidate), strict=True):
        low, high = stands_for(float(r), candidate)
        assert low - 1e-6 <= x <= high * (1.06 if grid == ("powers-of-two", 2) else 1) + 1e-6
