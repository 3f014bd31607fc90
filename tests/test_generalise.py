"""From a capture to what its numbers say of rounding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.generalise import Quantity, generalise
from analysis.grid import Candidate
from analysis.pipeline import Result, run
from captures import formats
from sessions import entry, har, plex_web
from shipped import KNOWLEDGE


def result_of(tmp_path: Path, entries: Sequence[Mapping[str, Any]]) -> Result:
    path = tmp_path / "session.har"
    path.write_bytes(har(entries))
    return run([formats.read(str(path), 0)], KNOWLEDGE)


def quantities(tmp_path: Path, entries: Sequence[Mapping[str, Any]]) -> dict[str, Quantity]:
    return {q.at.rpartition(".")[2]: q for q in generalise(result_of(tmp_path, entries)).quantities}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Quantity]:
    return quantities(tmp_path_factory.mktemp("web"), plex_web())


def test_two_play_times_leave_one_grid(web: dict[str, Quantity]) -> None:
    watched = web["playbackTime"]
    assert (watched.verdict, watched.step, watched.mode, watched.grid) == ("rounded", 60, "nearest", "fixed")
    assert watched.pairs == 2
    assert watched.unit == "s"
    assert [(p.exact, p.reported, p.own_at) for p in watched.shown] == [
        (37.844, 60, "query.playbackTime"),
        (11.433, 0, "query.playbackTime"),
    ]


def test_one_length_shows_rounding_and_no_step_but_with_the_play_times_a_minute(web: dict[str, Quantity]) -> None:
    duration = web["duration"]
    assert (duration.verdict, duration.step, duration.pairs) == ("rounded", None, 1)
    assert {(c.step, c.mode) for c in duration.alternatives} >= {
        (55, "nearest"), (60, "nearest"), (66, "nearest"), (110, "nearest"), (30, "ceil"), (60, "ceil"),
    }  # fmt: skip
    assert duration.pooled == Candidate("fixed", 60, "nearest")
    assert "hypothesis" in duration.reason


def test_latency_and_the_sizes_of_the_window_are_not_rounded(web: dict[str, Quantity]) -> None:
    assert [(web[name].verdict, web[name].numbers) for name in ("latency", "screenResolution")] == [
        ("not-rounded", (523, 540)),
        ("not-rounded", (921, 1080, 1683, 1920)),
    ]


def test_a_bit_rate_without_an_exact_one_and_a_position_of_zero_say_nothing(web: dict[str, Quantity]) -> None:
    assert [(web[name].verdict, web[name].step) for name in ("bitrate", "offset")] == [("cannot-tell", None)] * 2


def test_what_all_times_say_together_is_given_in_the_unit_of_each(tmp_path: Path) -> None:
    """The position goes out in milliseconds, the time watched in seconds."""
    entries = plex_web()
    for time, seconds in ((38.1, 60), (71.7, 0)):
        said = {"event": "playback_stop", "position_ms": 1_000 * seconds, "seconds_watched": seconds}
        entries.append(entry(time, "POST", "https://stats.example/e", body=json.dumps(said)))
    found = [q for q in generalise(result_of(tmp_path, entries)).quantities if q.entity == "stats.example"]
    assert {(q.unit, q.pooled) for q in found} == {
        ("ms", Candidate("fixed", 60_000, "nearest")),
        ("s", Candidate("fixed", 60, "nearest")),
    }
