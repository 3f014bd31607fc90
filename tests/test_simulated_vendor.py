"""Who holds a vendor's logs cannot tell whose report he reads; told exact counts and times, he could."""

from __future__ import annotations

import numpy as np
import pytest

from reader_of_logs import recognised, said, told
from simulated_vendor import DAY, MONTH, SENDERS, SPANS, Household, counts, households, recording, report

WEEK = 7 * DAY


@pytest.fixture(scope="module")
def homes() -> list[Household]:
    return households(300, 8)


def test_a_report_does_not_name_its_household(homes: list[Household]) -> None:
    """One in three among three hundred, as `bench/matcher.py` asks for one in a hundred among ten thousand."""
    named = recognised(homes, 30, 9, ("1-7d",), 60)
    assert named["1-7d"][0] <= 10


def test_the_reader_knows_what_a_report_would_say(homes: list[Household]) -> None:
    """A reader who expects anything else than `redact` writes would find nobody, whatever is told."""
    chance = np.random.default_rng(7)
    for home in homes[:12]:
        for length in SPANS:
            made = recording(home, chance, length)
            led = np.array([[sender in made.senders] for sender in SENDERS])
            expected = told(home, np.array([made.begin]), np.array([made.end]), led, length)
            assert said(report(made)) == {field: int(value[0]) for field, value in expected.items()}


def test_the_reader_uses_every_field_that_may_differ() -> None:
    """What is new in a report gets its place in the simulation, or a reason in docs/community.md."""
    from analysis.shared_report import SharedReport

    used = {field[0] for field in said(report(recording(households(1, 1)[0], np.random.default_rng(1))))}
    without_use = {"schema", "report", "tool", "packs", "lists", "month", "length", "shown", "left_out"}
    assert used | without_use == set(SharedReport.__struct_fields__)


def test_exact_counts_and_times_would_name_it(homes: list[Household]) -> None:
    chance = np.random.default_rng(10)
    named = 0
    for author in chance.choice(len(homes), 20, replace=False):
        begin = chance.uniform(0, MONTH - WEEK)
        seen = counts(homes[author], begin, begin + WEEK)
        fits = [n for n, home in enumerate(homes) if counts(home, begin, begin + WEEK) == seen]
        named += fits == [author]
    assert named >= 15
