"""A small run of what bench/optout.py does at length: clustering, batches, drifting rates, machines that are off."""

from __future__ import annotations

from simulated_optouts import simulate


def test_nothing_is_said_to_have_stopped_that_had_not() -> None:
    assert [seed for seed in range(40) if simulate(seed, effect=False).false] == []


def test_what_stopped_is_told_where_enough_was_played() -> None:
    outcomes = [simulate(seed, effect=True) for seed in range(40)]
    assert not any(outcome.false for outcome in outcomes)
    enough = [outcome.told for outcome in outcomes if min(outcome.plays) >= 12]
    assert sum(enough) >= 0.6 * len(enough) > 0
    assert not any(outcome.told for outcome in outcomes if min(outcome.plays) == 0)
