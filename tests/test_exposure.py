"""Occasions: plays, starts and periods, and what only looks like one."""

from __future__ import annotations

from analysis.exposure import Occasion, occasions, periods, windows
from shipped import KNOWLEDGE
from simulated_home import HOUR, SERVER, START, VENDOR, Home


def happened(home: Home) -> dict[str, list[tuple[float, float]]]:
    found = occasions(home.calls, home.findings, KNOWLEDGE)
    return {kind: [(o.start - START, o.end - START) for o in several] for kind, several in found.items()}


def test_a_film_is_one_play_however_often_it_is_reported() -> None:
    home = Home()
    home.play(START, "101", minutes=10)
    assert happened(home) == {"play": [(0, 600)]}


def test_another_film_a_stop_and_a_long_pause_begin_another_play() -> None:
    home = Home()
    home.play(START, "101")
    home.play(START + 400, "102")
    home.play(START + 800, "101")
    assert len(happened(home)["play"]) == 3
    said = {"media.library_key": "/library/metadata/103", "play.position_time": "1"}
    home.add(START + HOUR, "plex/own-timeline", said, host=SERVER)
    home.add(START + HOUR + 1700, "plex/own-timeline", said | {"media.library_key": "103"}, host=SERVER)
    home.add(START + HOUR + 1700 + 1900, "plex/own-timeline", said, host=SERVER)
    assert happened(home)["play"][3:] == [(HOUR, HOUR + 1700), (HOUR + 3600, HOUR + 3600)]


def test_two_clients_with_the_same_film_are_two_plays() -> None:
    home = Home()
    home.play(START, "101", device="192.168.7.23")
    home.play(START + 10, "101", device="192.168.7.24")
    assert len(happened(home)["play"]) == 2


def test_marking_a_film_as_watched_is_no_play() -> None:
    home = Home()
    home.add(START, "plex/own-scrobble", {"media.library_key": "101"}, host=SERVER)
    assert happened(home) == {}


def test_a_stream_without_a_report_is_a_play_and_one_beside_a_report_is_not() -> None:
    home = Home()
    for i in range(5):
        home.add(START + 10 * i, "plex/own-file", {"media.file_path_or_name": "x"}, host=SERVER)
    assert happened(home) == {"play": [(0, 40)]}
    home = Home()
    home.play(START, "101")
    home.add(START + 100, "plex/own-file", {"media.file_path_or_name": "x"}, host=SERVER)
    assert len(happened(home)["play"]) == 1


def test_calls_that_are_made_on_a_start_show_one_start_of_their_sender() -> None:
    home = Home()
    for at in (0.0, 5.0, 200.0, 1000.0):
        home.add(START + at, "plex/publish-connections", host=VENDOR, role="server")
    home.add(START + 6, "plex/resources", host=VENDOR, role="app")
    assert happened(home) == {"start": [(0, 200), (6, 6), (1000, 1000)]}


def test_what_is_sent_between_two_occasions_belongs_to_the_nearer_one_and_rather_to_the_earlier() -> None:
    chosen = [Occasion(at, at + 10, frozenset("a"), frozenset("r"), 0) for at in (1000.0, 1050.0, 9000.0)]
    assert [(w.start, w.end) for w in windows(chosen)] == [(940.0, 1040.0), (1040.0, 1960.0), (8940.0, 9910.0)]


def test_only_whole_periods_count() -> None:
    assert periods([(0, 29.9), (50, 59.9)], 10) == [(0, 10), (10, 20)]
