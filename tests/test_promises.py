"""Promises: kept, broken, no longer in the policy in force, or not to be told, each for its reason."""

from __future__ import annotations

import pytest
from msgspec import structs

from analysis.promises import Promise, promises
from analysis.report import markdown
from analysis.report.private import private
from simulated_home import DAY, HOUR, START, STATISTIC, STATISTICS, Home, evenings


def judged(home: Home) -> dict[str, Promise]:
    return {promise.kind: promise for promise in promises(home.result())}


def one_capture(home: Home, *, turned: bool = True) -> Home:
    """The two evenings in one recording, with the switch turned off in between."""
    for call in home.calls:
        structs.force_setattr(call.observation, "source", call.observation.source._replace(capture=0))
    if turned:
        home.switch(START + DAY - 1, False)
    return home


def test_a_switch_that_stops_everything_keeps_its_promise() -> None:
    promise = judged(one_capture(evenings(8, 8)))["switched-off"]
    assert (promise.product, promise.made, promise.verdict, promise.policy, promise.repeated) == (
        "plex", "2017-08-19", "kept", "2024-06-28", True,
    )  # fmt: skip
    assert promise.text == (
        "Plex promised on 19 August 2017 that playback data of the own library can be switched off. As far as this "
        "capture shows, that was kept: what was sent before the switch was turned off was not sent afterwards (bit "
        "rate, format, length of the film). The policy of 28 June 2024 offers such a switch too."
    )


def test_optional_data_that_goes_on_breaks_it() -> None:
    promise = judged(one_capture(evenings(8, 8, stops=("media.bitrate", "media.codec_container"))))["switched-off"]
    assert promise.verdict == "broken"
    assert "no longer sent (bit rate, format); items were sent all the same" in promise.text
    assert "(length of the film)" in promise.text


def test_what_the_policy_in_force_calls_required_does_not_break_it() -> None:
    promise = judged(one_capture(evenings(8, 8, stops=("media.bitrate", "media.duration"))))["switched-off"]
    assert promise.verdict == "not-in-force"
    assert "(format), and the policy in force lists these as always collected" in promise.text
    assert promise.text.endswith("The policy of 28 June 2024, which is in force, offers less.")


def test_too_few_films_do_not_tell() -> None:
    promise = judged(one_capture(evenings(3, 2)))["switched-off"]
    assert promise.verdict == "cannot-tell"
    assert "3 films were played with the switch on and 2 with it off" in promise.text


@pytest.mark.parametrize(("state", "words"), [(None, "the switch was not seen"), (True, "the switch was not off")])
def test_a_switch_that_was_not_off_was_not_tested(state: bool | None, words: str) -> None:
    home = one_capture(evenings(8, 8), turned=False)
    if state is not None:
        home.shows(START, state)
    promise = judged(home)["switched-off"]
    assert promise.verdict == "cannot-tell"
    assert words in promise.text


def test_off_all_the_time_shows_little_but_what_was_sent_all_the_same() -> None:
    home = one_capture(evenings(0, 8), turned=False)
    home.shows(START + DAY - 1, False)
    home.add(START + 3 * DAY, "plex/usage-statistics-web", {"client.id": "made-up"})
    assert judged(home)["switched-off"].verdict == "cannot-tell"
    assert "8 films were played, and nothing of it was sent" in judged(home)["switched-off"].text
    home.add(START + 3 * DAY, "plex/usage-statistics-web", STATISTIC)
    assert judged(home)["switched-off"].verdict == "broken"


def test_a_list_that_names_everything_keeps_its_promise_as_far_as_all_was_read() -> None:
    home = Home()
    home.add(START, "plex/usage-statistics-web", {"media.codec_container": "mkv"})
    assert judged(home)["listed"].verdict == "kept"
    home.contact(START + HOUR, STATISTICS)
    assert judged(home)["listed"].verdict == "cannot-tell"
    home.add(START, "plex/usage-statistics-web", {"account.id": "31415926"})
    assert judged(home)["listed"].verdict == "broken"
    assert "(account number)" in judged(home)["listed"].text


def test_numbers_that_were_not_sent_say_nothing_of_their_rounding() -> None:
    home = Home()
    home.add(START, "plex/usage-statistics-web", {"media.codec_container": "mkv"})
    promise = judged(home)["rounded"]
    assert (promise.verdict, promise.repeated) == ("not-in-force", False)
    assert "no such number was sent" in promise.text


def test_nobody_is_held_to_a_promise_who_sent_nothing() -> None:
    home = Home()
    home.add(START, "", {"media.duration": "5460"}, product="tautulli")
    assert promises(home.result()) == ()


def test_each_promise_has_its_section() -> None:
    text = markdown.render(private(one_capture(evenings(8, 8)).result()))
    assert "Plex, can be switched off: kept, as far as was seen" in text
    assert "Plex, rounded, so that nobody can be recognised by his files" in text
    assert "Plex, everything is listed" in text
