"""Exact tests, their correction, and what is missing for an answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import rates
from analysis.rates import Missing, Seen, chance, decide, highest_ratio, least_chance, missing


def test_five_plays_before_and_four_after_suffice_for_one_test() -> None:
    assert chance(Seen(5, 5, 0, 4)) == pytest.approx(1 / 126)
    assert decide([Seen(5, 5, 0, 4)]).hold == (True,)
    assert decide([Seen(5, 5, 0, 3)]).hold == (False,)


def test_many_calls_that_go_on_at_every_occasion_do_not_weaken_the_others() -> None:
    assert decide([Seen(5, 5, 0, 4), *[Seen(5, 5, 4, 4)] * 50]).hold == (True, *[False] * 50)


def test_what_could_have_come_out_counts_in_the_correction() -> None:
    assert decide([Seen(5, 5, 0, 4), Seen(8, 10, 6, 10)]).hold == (False, False)
    assert decide([Seen(7, 7, 0, 7), Seen(8, 10, 6, 10)]).hold == (True, False)


def test_holm_goes_on_with_what_is_left() -> None:
    """The second holds only because the first one is out."""
    tests = [Seen(9, 9, 0, 9), Seen(5, 5, 0, 4)]
    assert chance(tests[1]) > rates.ALPHA / 2
    assert decide(tests).hold == (True, True)


@pytest.mark.parametrize(
    "seen", [Seen(0, 5, 0, 5), Seen(0, 5, 4, 5), Seen(3, 0, 0, 5), Seen(5, 5, 0, 0), Seen(9, 9, 0, 0, exact=False)]
)
def test_where_nothing_was_tested_the_chance_is_one(seen: Seen) -> None:
    assert chance(seen) == 1.0
    assert decide([seen]).hold == (False,)


def test_calls_without_an_occasion_need_more_because_their_rate_drifts() -> None:
    seen = Seen(12, 20, 0, 20, exact=False)
    assert chance(seen) == pytest.approx((20 / (20 + 20 / rates.DRIFT)) ** 12)
    assert chance(Seen(8, 20, 0, 20, exact=False)) > rates.ALPHA


def test_less_often_is_said_only_if_the_bound_says_so() -> None:
    assert highest_ratio(Seen(40, 40, 4, 40)) < 1
    assert highest_ratio(Seen(5, 5, 4, 5)) > 1
    assert highest_ratio(Seen(0, 5, 4, 5)) == math.inf


def test_missing_occasions_are_the_fewest_that_would_do() -> None:
    assert missing(Seen(5, 5, 0, 2), 0.01) == Missing(0, 2)
    assert missing(Seen(3, 3, 0, 0), 0.01) == Missing(1, 5)
    assert missing(Seen(1, 10, 0, 5), 0.01) is None
    assert missing(Seen(0, 10, 0, 5), 0.01) is None


counts = st.integers(0, 12)


@given(counts, counts, counts, counts)
def test_nothing_is_less_likely_than_the_least(k1: int, n1: int, k2: int, n2: int) -> None:
    seen = Seen(min(k1, n1), n1, min(k2, n2), n2)
    assert 0 <= least_chance(seen) <= chance(seen) * (1 + 1e-9) <= 1 + 1e-6


@given(counts, counts, counts)
def test_what_is_missing_is_enough(k1: int, n1: int, n2: int) -> None:
    seen = Seen(min(k1, n1), n1, 0, n2)
    if found := missing(seen, 0.01):
        rate = seen.before / seen.exposure_before
        more = Seen(seen.before + int(found.before * rate), n1 + found.before, 0, n2 + found.after)
        assert chance(more) <= 0.01
