"""A list beside what was seen: what has a switch, what the list lacks, and what it says that something was not seen."""

from __future__ import annotations

from msgspec.structs import replace

from analysis.listed import counted, listed
from shipped import KNOWLEDGE
from simulated_home import START, STATISTIC, Home, evenings

PLEX = next(x for x in KNOWLEDGE.lists if (x.product, x.id) == ("plex", "2024-06-28"))


def test_plex_lists_143_items_of_which_14_have_a_switch_of_its_own() -> None:
    found = counted(PLEX, KNOWLEDGE.products["plex"])
    assert (found.listed, dict(found.switched), found.elsewhere) == (143, {"account": 14, "device": 1}, 5)


def test_items_that_were_seen_are_told_by_the_names_of_their_fields() -> None:
    home = Home()
    home.add(START, "plex/usage-statistics-web", {"media.duration": "5460", "media.bitrate": "8000"})
    home.findings[0] = replace(home.findings[0], at="body.duration")
    home.findings[1] = replace(home.findings[1], at="body.kbps")
    (found,) = listed(home.result())
    assert (found.seen, found.seen_switched) == (("duration",), 1)
    assert found.perhaps == ("audio bitrate", "bit rate", "video bitrate")


def test_what_is_not_declared_is_told_from_what_is() -> None:
    home = Home()
    home.add(START, "plex/usage-statistics-web", {"media.duration": "5460", "account.id": "31415926"})
    (found,) = listed(home.result())
    assert (found.declared_seen, found.undeclared) == (("media.duration",), ("account.id",))


def test_that_something_was_not_seen_says_the_more_the_more_could_have_carried_it() -> None:
    (found,) = listed(evenings(10, 0).result())
    said = {wording: group.says for group in found.not_seen for wording in group.wordings}
    assert said["advertising id"].startswith("something: 10 calls that can carry it were made without it")
    assert "fewer than 26\N{NO-BREAK SPACE}%" in said["advertising id"]
    assert said["num channels"].startswith("nothing: there was no occasion")
    assert said["location from the IP address, to the city"].startswith("nothing: the recipient works it out")
    assert said["control by third parties such as voice assistants"].startswith("nothing")


def test_the_switches_say_what_they_turn_off_and_whether_they_are_off() -> None:
    home = evenings(1, 1)
    home.switch(START, False)
    (found,) = listed(home.result())
    lines = {line.switch.id: line for line in found.switches}
    assert lines["send-playback-data"].state is False
    assert {"bit rate", "duration"} <= set(lines["send-playback-data"].statements)
    assert lines["crash-reports"].state is None


def test_without_a_list_there_is_nothing_beside_it() -> None:
    home = Home()
    home.add(START, "", STATISTIC, product="tautulli")
    assert listed(home.result()) == ()
