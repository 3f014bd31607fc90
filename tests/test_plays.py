"""What clients tell their own server is put together as plays."""

from __future__ import annotations

from pathlib import Path

from analysis.plays import plays
from sessions import plex_web, timeline
from test_generalise import result_of


def test_a_stop_another_film_and_a_long_silence_end_a_play(tmp_path: Path) -> None:
    found = plays(
        result_of(
            tmp_path,
            [
                timeline(0, "playing", 0, 100_000, key=1),
                timeline(10, "stopped", 10_000, 100_000, key=1),
                timeline(10.2, "stopped", 10_000, 100_000, key=1),
                timeline(20, "playing", 0, 100_000, key=1),
                timeline(30, "playing", 0, 200_000, key=2),
                timeline(30 + 2_000, "playing", 0, 200_000, key=2),
            ],
        )
    )
    assert [(sorted(play.keys), len(play.reports), play.stopped) for play in found] == [
        (["1"], 3, True), (["1"], 1, False), (["2"], 1, False), (["2"], 1, False),
    ]  # fmt: skip
    assert [play.end - play.start for play in found] == [10, 0, 0, 0]


def test_the_session_of_plex_web_is_two_plays_with_their_readings(tmp_path: Path) -> None:
    first, second = plays(result_of(tmp_path, plex_web()))
    assert [reading.value for reading in first.readings("play.watched_time")] == [0, 9.8, 19.8, 29.8, 37.844]
    assert {reading.value for reading in second.readings("media.duration")} == {634.0}
    assert {reading.at for reading in second.readings("play.position_time")} == {"query.time"}
