"""What a switch stopped: each answer, and what must hold before it is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from analysis.model import Finding
from analysis.optout import OptOut, optout
from captures.model import Body
from simulated_home import DAY, HOUR, SERVER, START, STATISTIC, STATISTICS, VENDOR, Home, evenings


def compared(home: Home, **more: float) -> OptOut:
    return optout(home.result(), off=(1,), on=(0,), **more)


def verdicts(found: OptOut) -> dict[str, str]:
    return {row.item: row.verdict for row in found.items}


def test_what_came_with_every_play_and_no_longer_comes_has_stopped() -> None:
    found = compared(evenings(5, 4))
    assert verdicts(found) == dict.fromkeys(STATISTIC, "stopped")
    (row,) = [row for row in found.items if row.item == "media.duration"]
    assert (row.product, row.recipient, row.entity, row.before, row.after, row.expected) == (
        "plex", "vendor", "Plex", 5, 0, 4.0,
    )  # fmt: skip
    assert (row.listed, row.switch) == ("optional", "send-playback-data")
    assert found.plays == (5, 4)


def test_items_that_stop_are_told_from_those_that_go_on_in_the_same_call() -> None:
    found = compared(evenings(6, 6, stops=("media.duration", "media.bitrate")))
    assert verdicts(found) == {
        "media.duration": "stopped",
        "media.bitrate": "stopped",
        "media.codec_container": "goes-on",
        "client.id": "goes-on",
    }
    assert [(row.whole, row.items) for row in found.calls] == [
        (True, ("client.id", "media.codec_container")),
        (False, ("media.bitrate", "media.duration")),
    ]


def test_an_item_has_not_stopped_while_one_kind_of_call_that_carried_it_was_not_tested() -> None:
    home = evenings(8, 8)
    home.add(START, "plex/sign-in", {"client.id": "made-up"}, host=VENDOR)
    found = verdicts(compared(home))
    assert (found["client.id"], found["media.duration"]) == ("cannot-tell", "stopped")


def test_nothing_played_means_that_nothing_was_tested() -> None:
    home = evenings(8, 0)
    home.add(START + 3 * DAY, "plex/own-identity", capture=1, host=SERVER)
    home.add(START + 3 * DAY, "plex/ping", {"client.id": "made-up"}, capture=1, host=VENDOR)
    found = compared(home)
    assert verdicts(found)["media.duration"] == "cannot-tell"
    (row,) = [row for row in found.calls if row.rule == "plex/usage-statistics-web"]
    assert (row.occasion, row.seen.exposure_before, row.seen.exposure_after) == ("play", 8, 0)
    assert row.missing is not None
    assert (row.missing.before, row.missing.after) == (0, 3)


def test_too_few_plays_say_how_many_are_missing() -> None:
    found = compared(evenings(5, 2))
    assert verdicts(found) == dict.fromkeys(STATISTIC, "cannot-tell")
    assert [row.missing and row.missing.after for row in found.calls] == [2]


def test_once_after_is_enough_to_go_on() -> None:
    home = evenings(9, 9)
    home.add(START + 5 * DAY, "plex/usage-statistics-web", {"media.duration": "60"}, capture=1)
    found = verdicts(compared(home))
    assert found["media.duration"] == "goes-on"
    assert found["media.bitrate"] == "stopped"


def test_less_often_is_reduced_only_if_chance_does_not_explain_it() -> None:
    home = evenings(20, 20)
    home.add(START + 20 * HOUR + DAY + 10, "plex/usage-statistics-web", STATISTIC, capture=1)
    assert set(verdicts(compared(home)).values()) == {"reduced"}
    few = evenings(4, 4)
    few.add(START + 4 * HOUR + DAY + 10, "plex/usage-statistics-web", STATISTIC, capture=1)
    assert set(verdicts(compared(few)).values()) == {"goes-on"}


def test_what_comes_with_every_play_since_is_new() -> None:
    home = Home()
    for i in range(12):
        capture = int(i >= 6)
        time = START + i * HOUR + capture * DAY
        home.play(time, f"film-{i}", capture=capture)
        if capture:
            home.add(time + 301, "plex/usage-statistics-web", {"media.title": "x"}, capture=1)
    found = compared(home)
    assert verdicts(found) == {"media.title": "new"}
    home.contact(START + HOUR, STATISTICS, capture=0)
    assert verdicts(compared(home)) == {"media.title": "cannot-tell"}


HINDRANCES: dict[str, Callable[[Home], object]] = {
    "unreadable": lambda home: home.contact(START + 8 * HOUR + DAY, STATISTICS, capture=1),
    "refused": lambda home: home.lookup(START + 8 * HOUR + DAY, STATISTICS, "NXDOMAIN", capture=1),
    "damaged": lambda home: home.damage(capture=1),
    "dropped": lambda home: home.dropped.update({1: 3}),
    "version": lambda home: [
        home.add(START, "plex/own-identity", {"client.app": "4.1.0"}, host=SERVER),
        home.add(START + 8 * HOUR + DAY, "plex/own-identity", {"client.app": "4.2.0"}, capture=1, host=SERVER),
    ],
    "account": lambda home: [
        home.add(START, "plex/own-identity", {"account.id": "31415926"}, host=SERVER),
        home.add(START + 8 * HOUR + DAY, "plex/own-identity", {"account.id": "27182818"}, capture=1, host=SERVER),
    ],
}
"""Obstacle -> what makes it."""

NEAR_MISSES: dict[str, Callable[[Home], object]] = {
    "another host": lambda home: home.contact(START + 8 * HOUR + DAY, VENDOR, capture=1),
    "before the switch": lambda home: home.contact(START, STATISTICS, capture=0),
    "answered": lambda home: home.lookup(START + 8 * HOUR + DAY, STATISTICS, "NOERROR", ("203.0.113.9",), capture=1),
    "damaged before": lambda home: home.damage(capture=0),
    "dropped before": lambda home: home.dropped.update({0: 3}),
    "same version": lambda home: [
        home.add(START, "plex/own-identity", {"client.app": "4.1.0"}, host=SERVER),
        home.add(START + 8 * HOUR + DAY, "plex/own-identity", {"client.app": "4.1.0"}, capture=1, host=SERVER),
    ],
    "same account": lambda home: [
        home.add(START, "plex/own-identity", {"account.id": "31415926"}, host=SERVER),
        home.add(START + 8 * HOUR + DAY, "plex/own-identity", {"account.id": "31415926"}, capture=1, host=SERVER),
    ],
}
"""What only looks like an obstacle."""


@pytest.mark.parametrize("obstacle", HINDRANCES)
def test_nothing_stopped_while_something_else_may_be_the_reason(obstacle: str) -> None:
    home = evenings(8, 8)
    HINDRANCES[obstacle](home)
    found = compared(home)
    assert verdicts(found)["media.duration"] == "cannot-tell"
    assert [row.obstacles for row in found.calls if row.rule == "plex/usage-statistics-web"] == [(obstacle,)]


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_what_only_looks_like_an_obstacle_is_none(case: str) -> None:
    home = evenings(8, 8)
    NEAR_MISSES[case](home)
    assert verdicts(compared(home))["media.duration"] == "stopped"


def test_items_of_calls_whose_content_was_cut_have_not_stopped() -> None:
    home = evenings(6, 6, stops=("media.duration",))
    home.add(
        START + 5 * DAY, "plex/usage-statistics-web", {"client.id": "x"}, capture=1, body=Body(None, 9, problem="cut")
    )
    found = compared(home)
    assert verdicts(found)["media.duration"] == "cannot-tell"
    assert [row.obstacles for row in found.calls if "media.duration" in row.items] == [("cut",)]


def test_a_quarter_of_an_hour_after_the_switch_is_left_out() -> None:
    home = evenings(8, 8)
    changed = START + 8 * HOUR + DAY - 60
    home.switch(changed, False, capture=0)
    home.add(changed + 899, "plex/usage-statistics-web", STATISTIC, capture=1)
    found = compared(home)
    assert set(verdicts(found).values()) == {"stopped"}
    assert found.left_out == 1
    home.add(changed + 901, "plex/usage-statistics-web", STATISTIC, capture=1)
    assert set(verdicts(compared(home)).values()) == {"goes-on"}


def test_a_switch_in_the_middle_splits_one_capture() -> None:
    home = evenings(8, 8)
    for call in home.calls:
        structs.force_setattr(call.observation, "source", call.observation.source._replace(capture=0))
    home.switch(START + DAY - 1, False)
    found = optout(home.result())
    assert set(verdicts(found).values()) == {"stopped"}
    assert (found.turns, found.plays) == (1, (8, 8))


def test_without_a_switch_or_a_word_of_the_user_nothing_is_compared() -> None:
    found = optout(evenings(8, 8).result())
    assert (found.items, found.calls, found.lacking) == ((), (), ("on", "off"))


def test_off_on_off_is_counted_as_turns() -> None:
    home = Home()
    for i in range(18):
        capture = i // 6
        time = START + i * HOUR + capture * DAY
        home.play(time, f"film-{i}", capture=capture)
        home.add(time + 100, "plex/ping", {"client.id": "made-up"}, capture=capture, host=VENDOR)
        if capture == 1:
            home.add(time + 301, "plex/usage-statistics-web", {"media.duration": "60"}, capture=1)
    found = optout(home.result(), off=(0, 2), on=(1,))
    assert found.turns == 2
    assert verdicts(found) == {"media.duration": "stopped", "client.id": "goes-on"}


def test_a_timer_is_not_judged_before_three_whole_periods() -> None:
    def home(days: float) -> Home:
        made = Home()
        for capture, length in ((0, 20.0), (1, days)):
            begin = START + capture * 40 * DAY
            for hour in range(int(length * 24) + 1):
                made.add(begin + hour * HOUR, "plex/own-identity", capture=capture, host=SERVER, role="server")
            for day in range(int(length) if not capture else 0):
                said = {"library.counts": "3"}
                made.add(
                    begin + (day + 0.5) * DAY, "plex/usage-statistics-server", said, capture=capture, role="server"
                )
        return made

    assert verdicts(compared(home(2.9))) == {"library.counts": "cannot-tell"}
    assert verdicts(compared(home(3.1))) == {"library.counts": "stopped"}
    (row,) = compared(home(3.1)).calls
    assert (row.occasion, row.period, row.seen.exposure_before, row.seen.exposure_after) == ("timer", DAY, 20, 3)


def test_a_timer_whose_program_did_not_run_was_not_tested() -> None:
    home = Home()
    for day in range(9):
        home.add(START + (day + 0.5) * DAY, "plex/usage-statistics-server", {"library.counts": "3"}, role="server")
    home.add(START, "plex/own-identity", host=SERVER, role="server")
    for capture_time in (60, 69):
        home.add(
            START + capture_time * DAY, "plex/own-identity", capture=1, host=SERVER, role="app", product="tautulli"
        )
    assert verdicts(compared(home)) == {"library.counts": "cannot-tell"}


def test_plays_on_another_device_say_nothing_of_this_one() -> None:
    home = evenings(8, 0)
    for i in range(8):
        home.play(START + i * HOUR + 2 * DAY, f"film-{i}", capture=1, device="192.168.7.99")
        home.add(START + i * HOUR + 2 * DAY, "plex/ping", {"client.id": "other"}, capture=1, host=VENDOR)
    assert verdicts(compared(home))["media.duration"] == "cannot-tell"


def test_what_went_on_for_a_function_is_listed_with_what_it_carries_beyond() -> None:
    home = evenings(1, 1)
    said = {"net.lan_ip": "192.168.7.2", "auth.token": "made-up", "server.machine_id": "x", "client.device_name": "tv"}
    home.add(START, "plex/publish-connections", said, host=VENDOR, role="server")
    n = home.add(START + 3 * DAY, "plex/publish-connections", said, capture=1, host=VENDOR, role="server")
    home.findings.append(Finding(n, "sent", "net.public_ip", "", "", (), "implied"))
    (found,) = compared(home).exceptions
    assert (found.category.value, found.entity, found.calls) == ("remote-discovery", "Plex", 1)
    assert found.needed == ("auth.token", "server.machine_id")
    assert found.beyond == ("client.device_name", "net.lan_ip")
    assert "VPN" in found.need.without
