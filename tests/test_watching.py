"""Who learns what is watched, and who is handed identifiers for advertising."""

from __future__ import annotations

from msgspec.structs import replace

from analysis.model import Category, Party
from analysis.watching import Watcher, watching
from reporting import call, exchange, finding, result


def test_a_third_party_that_is_told_a_title_is_named_with_what_it_can_join_it_by() -> None:
    calls = (
        call(exchange("api.example"), Category.METADATA_LOOKUP, party=Party.THIRD_PARTY, entity="Films Ltd"),
        call(exchange("api.example", index=1), Category.UNKNOWN, party=Party.THIRD_PARTY, entity="Films Ltd"),
    )
    found = watching(
        result(
            tuple(replace(made, service="") for made in calls),
            (
                finding(0, "media.title", "A Made-up Film"),
                finding(0, "play.start_time", "1"),
                finding(1, "client.id", "made-up"),
                finding(1, "play.position_time", "7"),
                finding(1, "media.codec_container", "mkv"),
            ),
        )
    )
    assert found == (Watcher("Films Ltd", ("media.title", "play.start_time"), ("client.id",), False),)


def test_the_vendor_itself_is_no_third_party_and_a_time_alone_says_nothing() -> None:
    calls = (
        call(exchange("plex.tv", index=0), Category.METADATA_LOOKUP),
        call(exchange("api.example", index=1), party=Party.THIRD_PARTY, entity="Times Ltd", service=""),
    )
    assert watching(result(calls, (finding(0, "media.title", "x"), finding(1, "play.start_time", "1")))) == ()


def test_an_advertiser_is_named_with_the_identifiers_that_it_was_handed() -> None:
    calls = (
        call(exchange("ads.example"), Category.ADVERTISING, party=Party.THIRD_PARTY, entity="Ads Ltd", service=""),
    )
    found = watching(result(calls, (finding(0, "client.advertising_id", "x"), finding(0, "client.screen", "1x1"))))
    assert found == (Watcher("Ads Ltd", (), ("client.advertising_id",), True),)


def test_what_stood_in_an_answer_was_not_told_to_anybody() -> None:
    calls = (call(exchange("api.example"), party=Party.THIRD_PARTY, entity="Films Ltd", service=""),)
    assert watching(result(calls, (finding(0, "media.title", "x", direction="received"),))) == ()
