"""Which exact number a reported one belongs to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.pairs import Pair, Paired, pairs
from sessions import SERVER, entry, plex_headers, statistics, timeline
from test_generalise import result_of


def paired(tmp_path: Path, *entries: Mapping[str, Any]) -> Paired:
    return pairs(result_of(tmp_path, entries))


def of(found: Paired, name: str) -> list[Pair]:
    return [pair for (_, at), pair in found.pairs.items() if at.endswith(name)]


def why(found: Paired, name: str) -> list[str]:
    return [rejected.why for rejected in found.rejected if rejected.at.endswith(name)]


def play(at: float, key: int, duration: int, watched: int, **more: Any) -> list[dict[str, Any]]:
    """A play that tells how much of it was watched when it stops."""
    end = at + watched / 1000
    return [
        timeline(at, "playing", 0, duration, key=key, **more),
        timeline(end, "stopped", watched, duration, key=key, playbackTime=watched, **more),
    ]


def test_each_film_of_a_capture_is_paired_with_its_own_report(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        *play(0, 1, 5_400_123, 50_000),
        statistics(50.1, "playback:itemend", duration=5400, playbackTime=60),
        *play(51, 2, 7_201_777, 20_000),
        statistics(51.2, "playback:itemstart", duration=7200),
        statistics(71.1, "playback:itemend", duration=7200, playbackTime=0),
    )
    assert [(p.exact, p.reported) for p in of(found, "duration")] == [
        (5400.123, 5400), (7201.777, 7200), (7201.777, 7200),
    ]  # fmt: skip
    assert [(p.exact, p.reported, p.event) for p in of(found, "playbackTime")] == [(50, 60, "end"), (20, 0, "end")]


def test_a_film_played_twice_is_two_play_times_and_one_length(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        *play(0, 1, 5_400_123, 50_000),
        statistics(50.1, "playback:itemend", duration=5400, playbackTime=60),
        *play(60, 1, 5_400_123, 20_000),
        statistics(80.1, "playback:itemend", duration=5400, playbackTime=0),
    )
    assert [p.exact for p in of(found, "playbackTime")] == [50, 20]
    assert {p.exact for p in of(found, "duration")} == {5400.123}


def test_two_clients_at_once_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        *play(0, 1, 5_400_123, 50_000, client="web-0001"),
        *play(0.5, 2, 7_201_777, 50_000, client="web-0002"),
        statistics(50.6, "playback:itemend", client="web-0001", duration=5400),
        statistics(50.7, "playback:itemend", client="web-0002", duration=7200),
        statistics(50.8, "playback:itemend", client="web-0003", duration=5400),
    )
    assert [(p.exact, p.reported) for p in of(found, "duration")] == [(5400.123, 5400), (7201.777, 7200)]
    assert why(found, "duration") == ["no-play"]


def test_two_plays_that_fit_equally_well_are_no_pair(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        *play(0, 1, 5_400_123, 50_000),
        *play(0.5, 2, 7_201_777, 50_000),
        statistics(50.3, "playback:itemend", duration=5400),
    )
    assert (found.pairs, why(found, "duration")) == ({}, ["two-plays"])


def test_a_report_far_from_any_play_is_no_pair(tmp_path: Path) -> None:
    found = paired(tmp_path, *play(0, 1, 5_400_123, 50_000), statistics(200, "playback:itemend", duration=5400))
    assert why(found, "duration") == ["not-near"]


def test_time_watched_is_worked_out_from_the_reports_without_pauses(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        timeline(0, "playing", 600_000, 5_400_000),
        timeline(10, "playing", 610_000, 5_400_000),
        timeline(15, "paused", 615_000, 5_400_000),
        timeline(25, "paused", 615_000, 5_400_000),
        timeline(30, "playing", 615_000, 5_400_000),
        timeline(50, "stopped", 635_000, 5_400_000),
        statistics(50.1, "playback:itemend", playbackTime=60),
    )
    (pair,) = of(found, "playbackTime")
    assert (round(pair.exact, 3), pair.derived) == (35.0, True)
    assert pair.uncertainty < 1


def test_when_the_stop_was_lost_the_uncertainty_is_the_time_since_the_last_report(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        timeline(0, "playing", 0, 5_400_000, playbackTime=0),
        timeline(10, "playing", 10_000, 5_400_000, playbackTime=10_000),
        statistics(17, "playback:itemend", playbackTime=0),
    )
    (pair,) = of(found, "playbackTime")
    assert (pair.exact, round(pair.uncertainty, 1)) == (10, 7.0)


def test_the_clock_of_a_client_may_be_wrong_and_its_events_may_be_sent_late(tmp_path: Path) -> None:
    """Both events are sent together after the second play; their own times, an hour slow, say which is which."""
    first, second = play(0, 1, 5_400_123, 50_000), play(100, 2, 7_201_777, 20_000)
    slow = 1_750_000_000 - 3600
    events = [
        json.loads(statistics(0, "playback:itemend", duration=seconds)["request"]["postData"]["text"])
        | {"timestamp": slow + time}
        for time, seconds in ((50.1, 5400), (120.1, 7200))
    ]
    batch = entry(
        120.2,
        "POST",
        "https://analytics.plex.tv/collect/event",
        body=json.dumps(events),
        headers={"Content-Type": "text/plain"},
    )
    found = paired(tmp_path, *first, *second, batch)
    assert [(p.exact, p.reported) for p in of(found, "duration")] == [(5400.123, 5400), (7201.777, 7200)]


def test_an_offset_at_the_end_may_be_where_it_began_and_is_no_pair(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        timeline(0, "playing", 600_000, 5_400_000),
        statistics(0.2, "playback:itemstart", offset=600),
        timeline(20, "stopped", 620_000, 5_400_000),
        statistics(20.1, "playback:itemend", offset=600),
    )
    assert [(p.exact, p.reported, p.event) for p in of(found, "offset")] == [(600, 600, "start")]
    assert why(found, "offset") == ["start-or-end"]


FILM = """<MediaContainer><Video ratingKey="1" duration="5400123"><Media bitrate="4486" width="1920" height="1080"
 videoCodec="h264" audioCodec="aac" container="mkv"><Part size="1"><Stream bitrate="4000"/></Part></Media>{more}</Video>
</MediaContainer>"""


def metadata(more: str = "") -> Mapping[str, Any]:
    return entry(-5, "GET", f"{SERVER}/library/metadata/1", headers=plex_headers(), answer=FILM.format(more=more))


def test_bit_rate_and_size_stand_in_what_the_own_server_answered(tmp_path: Path) -> None:
    event = statistics(50.1, "playback:itemend", bitrate=4608, videoHeight=1088)
    found = paired(tmp_path, metadata(), *play(0, 1, 5_400_123, 50_000), event)
    assert [(p.exact, p.reported, p.own_call) for p in of(found, "bitrate")] == [(4486, 4608, 0)]
    assert [(p.exact, p.reported) for p in of(found, "videoHeight")] == [(1080, 1088)]


def test_of_a_film_in_two_versions_it_is_not_known_which_was_played(tmp_path: Path) -> None:
    event = statistics(50.1, "playback:itemend", bitrate=4608)
    found = paired(tmp_path, metadata('<Media bitrate="9000"/>'), *play(0, 1, 5_400_123, 50_000), event)
    assert why(found, "bitrate") == ["several-versions"]


def jellyfin(time: float, what: str, ticks: int) -> dict[str, Any]:
    body = {
        "ItemId": "ffaa00bb00cc00dd00ee00ff00110033",
        "PlaySessionId": "p1",
        "PositionTicks": ticks,
        "IsPaused": False,
    }
    return entry(
        time, "POST", f"http://192.168.7.41:8096/Sessions/Playing{what}", body=json.dumps(body),
        headers={"Authorization": 'MediaBrowser Client="Jellyfin Web", Device="x", DeviceId="d1", Version="10.11"'},
    )  # fmt: skip


def test_ticks_of_jellyfin_are_seconds(tmp_path: Path) -> None:
    sessions: Sequence[Mapping[str, Any]] = [
        jellyfin(0, "", 0), jellyfin(10, "/Progress", 100_000_000), jellyfin(20, "/Stopped", 200_000_000),
        entry(20.1, "POST", "https://stats.example/e", body='{"event": "playback_stop", "position_ms": 20000}'),
    ]  # fmt: skip
    found = paired(tmp_path, *sessions)
    assert [(p.exact, p.reported) for p in of(found, "position_ms")] == [(20, 20)]
