"""A clock that somebody sets, in a live recording of packets; by the proxy: household/test_clock.py."""

from __future__ import annotations

import time

import pytest

from captures import clock


def test_it_goes_on_evenly_whatever_is_done_to_the_clock_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = clock.steady(), time.time
    assert abs(clock.ahead()) < clock.APART
    monkeypatch.setattr(time, "time", lambda: real() - 7200)
    assert before <= clock.steady()
    assert clock.steady() - before < clock.APART
    assert round(clock.ahead() / 60) == -120
    assert clock.jumped(clock.ahead()).startswith("the clock was set back by 2 h 0 min ")


def test_a_jump_is_seen_once_and_what_a_network_corrects_never(monkeypatch: pytest.MonkeyPatch) -> None:
    jumps, real = clock.Jumps(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 30)
    assert jumps.seen() == 0.0
    monkeypatch.setattr(time, "time", lambda: real() + 3630)
    assert round(jumps.seen()) == 3600
    assert jumps.seen() == 0.0
