"""Numbers, their units and places."""

from __future__ import annotations

import pytest

from analysis.at import compile_places
from analysis.model import Finding
from analysis.pack import ItemPlace
from analysis.quantities import read


def number(item: str, at: str, value: str, *places: ItemPlace) -> tuple[float, str, float] | None:
    found = list(read(Finding(0, "sent", item, at, value, (), "rule"), compile_places(places)))
    return (found[0].value, found[0].unit, found[0].quantum) if found else None


@pytest.mark.parametrize(
    ("item", "at", "value", "expected"),
    [
        ("media.duration", "body.duration", "660", (660, "s", 1)),
        ("media.duration", "body.duration", "634000", (634, "ms", 0.001)),
        ("media.duration", "body.RunTimeTicks", "6340000000", (634, "ticks", 1e-7)),
        ("media.duration", "body.durationMs", "30000", (30, "ms", 0.001)),
        ("media.duration", "body.runtime_minutes", "95", (5700, "min", 60)),
        ("media.duration", "body.duration", "634.5", (634.5, "s", 0.1)),
        ("media.bitrate", "body.bitrate", "4608", (4608, "kbps", 1)),
        ("media.bitrate", "body.bitrate", "4486123", (4486.123, "bps", 0.001)),
        ("play.position_time", "body.position", "30", (30, "", 1)),
        ("play.watched_time", "body.percentWatched", "30", None),
        ("play.watched_time", "body.secondsWatched", "30", (30, "s", 1)),
        ("play.watched_time", "body.ms_played", "30000", (30, "ms", 0.001)),
        ("play.watched_time", "body.secondary", "30", (30, "", 1)),
        ("media.duration", "body.duration", "1:30:00", None),
    ],
)
def test_units_follow_from_the_name_or_from_what_a_film_can_have(
    item: str, at: str, value: str, expected: tuple[float, str, float] | None
) -> None:
    assert number(item, at, value) == expected


def test_what_a_rule_says_of_the_unit_outranks_the_rest() -> None:
    place = ItemPlace("media.duration", ("body.duration",), "made up", unit="s")
    assert number("media.duration", "body.duration", "90000", place) == (90_000, "s", 1)
    assert number("media.duration", "body.other", "90000", place) == (90, "ms", 0.001)


def test_sizes_of_a_window_and_a_screen_are_four_numbers() -> None:
    finding = Finding(0, "sent", "client.screen", "body.screenResolution", "1683x921,1920x1080", (), "rule")
    assert [n.value for n in read(finding, compile_places(()))] == [1683, 921, 1920, 1080]
