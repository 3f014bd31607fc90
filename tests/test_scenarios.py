"""Cases in which an answer would harm somebody if it were wrong, over the packs that ship, from bytes to verdict."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from analysis.evidence import NO_SERVERS, Servers
from analysis.example import exchange_of
from analysis.model import Comparison, Verdict
from analysis.pack import ExampleCall
from analysis.pipeline import Result, run
from analysis.report import terminal
from analysis.report.private import private
from captures.model import Capture, Source
from shipped import KNOWLEDGE


def when(day: str) -> float:
    return dt.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()


def result(*texts: str, day: str = "2025-06-15", named: Servers = NO_SERVERS) -> Result:
    exchanges = tuple(
        replace(
            exchange_of(ExampleCall(text.strip()), "test"),
            time=when(day) + n, end=when(day) + n, source=Source(0, n),
        )
        for n, text in enumerate(texts)
    )  # fmt: skip
    capture = Capture("evening.har", "har", lambda: iter(exchanges), lambda: "ab" * 32)
    return run([capture], KNOWLEDGE, named=named)


def verdicts(found: Result) -> dict[str, str]:
    """Item -> its verdict, of what was sent."""
    return {c.item: str(c.verdict) for c in found.comparisons if c.verdict is not Verdict.NOT_SEEN}


def of(found: Result, item: str) -> Comparison:
    (comparison,) = [c for c in found.comparisons if c.item == item and c.verdict is not Verdict.NOT_SEEN]
    return comparison


def first_screen(found: Result) -> str:
    return terminal.render(private(found), width=200).split("Who was called")[0]


def test_jellyfins_metadata_providers_are_documented_and_no_accusation() -> None:
    found = result("""
GET https://api.themoviedb.org/3/search/movie?query=an+invented+film&year=2031&language=de-AT
user-agent: Jellyfin-Server/10.11.0
""")
    assert set(verdicts(found).values()) == {"documented"}
    title = of(found, "media.title")
    assert (title.product, title.statement, title.declared) == ("jellyfin", "providers", "2026-08-22")
    assert "Sent, and covered by no list" not in first_screen(found)


def test_jellyfin_sending_statistics_would_have_no_list_and_its_general_denial_is_quoted() -> None:
    found = result("""
POST https://www.google-analytics.com/mp/collect?measurement_id=G-INVENTED&api_secret=invented
user-agent: Jellyfin-Server/10.11.0

{"client_id": "0000aaaa-0000-4000-8000-000000000001", "events": [{"name": "start"}]}
""")
    comparison = of(found, "client.user_agent")
    assert str(comparison.verdict) == "no-list"
    assert "It says in general: “no tracking, phone-home, or central servers" in comparison.reason


def test_tautulli_on_the_first_screen() -> None:
    found = result("""
POST https://www.google-analytics.com/mp/collect?measurement_id=G-INVENTED&api_secret=invented
user-agent: Tautulli/2.17.2

{"client_id": "0000aaaa-0000-4000-8000-000000000001", "events": [{"name": "start", "params": {"language": "de"}}]}
""")
    assert set(verdicts(found).values()) == {"no-list"}
    assert {c.product for c in found.comparisons} == {"tautulli"}
    assert "usage statistics; no-list" in first_screen(found)


SENTRY = """
POST https://o123.ingest.sentry.io/api/456/envelope/
x-plex-product: Plex for Android (Mobile)
x-plex-client-identifier: 0000aaaa-device
x-plex-version: 10.12.1

{"event_id":"00000000000000000000000000000001","sdk":{"name":"sentry.java.android"}}
{"type":"event"}
{"event_id":"00000000000000000000000000000001","level":"error","exception":{"values":[{"type":"IOException","value":"cannot open /data/films/An Invented Film (2031).mkv"}]}}
"""  # noqa: E501 - a Sentry envelope has its items on one line each


def test_sentry_inside_plex_is_judged_by_plexs_list_as_a_crash_reporter() -> None:
    found = result(SENTRY)
    (call,) = found.calls
    assert (call.product, call.service, str(call.category)) == ("plex", "sentry", "crash-report")
    comparison = of(found, "client.id")
    assert (str(comparison.verdict), comparison.recipient) == ("declared-vaguely", "processor-crash")


def test_a_file_name_in_a_crash_report_is_the_named_exception_and_a_title_in_statistics_is_none() -> None:
    assert verdicts(result(SENTRY))["media.file_path_or_name"] in ("optional", "declared-vaguely")
    assert "denied" not in verdicts(result(SENTRY)).values()
    found = result("""
POST https://analytics.plex.tv/collect/event
content-type: text/plain;charset=UTF-8
x-plex-product: Plex Web

{"deviceIdentifier": "browser-0001", "context": {"device": {"product": "Plex Web"}}, "event": "playback:itemend",
"properties": {"serverType": "owned", "identifier": "com.plexapp.plugins.library", "title": "An Invented Film"}}
""")
    assert verdicts(found)["media.title"] == "denied"


def test_a_call_from_the_browser_is_the_pages() -> None:
    call = """
POST https://www.google-analytics.com/g/collect?v=2&tid=G-INVENTED&cid=111.222&dl=https%3A%2F%2Fnews.example%2F&en=page_view
user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
referer: """
    elsewhere = result(call + "https://news.example/")
    assert {c.product for c in elsewhere.comparisons} == {""}
    assert set(verdicts(elsewhere).values()) == {"no-list"}
    website = result(call + "https://www.plex.tv/about/")
    assert {c.product for c in website.comparisons if c.count} == {"plex"}
    assert verdicts(website)["client.user_agent"] in ("declared", "declared-vaguely")


def test_a_tool_that_uses_plexs_headers_is_not_held_to_plexs_list() -> None:
    found = result("""
GET https://plex.tv/api/v2/user
x-plex-product: Somebody's Own Script
x-plex-token: made-up-token-0001
x-plex-client-identifier: 0000aaaa-script
""")
    assert set(verdicts(found).values()) == {"no-list"}
    assert {c.product for c in found.comparisons} == {""}
    assert not any(c.sure for c in found.comparisons)


STATISTICS = """
POST https://analytics.plex.tv/collect/event
content-type: text/plain;charset=UTF-8
x-plex-product: Plex Web

{"deviceIdentifier": "browser-0001", "context": {"device": {"product": "Plex Web"}}, "event": "playback:itemend",
"properties": {"serverType": "owned", "identifier": "com.plexapp.plugins.library", "duration": 5460}}
"""


@pytest.mark.parametrize(
    ("day", "declared", "verdict"),
    [
        ("2024-06-27", "2018-05-23", "undeclared"),
        ("2024-06-28", "2024-06-28", "declared"),
        ("2017-01-01", "2018-05-23", "undeclared"),
    ],
)
def test_the_list_of_the_day_decides(day: str, declared: str, verdict: str) -> None:
    comparison = of(result(STATISTICS, day=day), "client.id")
    assert (comparison.declared, str(comparison.verdict)) == (declared, verdict)


def test_a_promise_that_is_broken_is_told_though_no_policy_repeats_it() -> None:
    switch = "PUT https://plex.tv/api/v2/user/privacy?optOutPlayback=1&optOutLibraryStats=1\nx-plex-product: Plex Web"
    found = result(switch, STATISTICS)
    promise = next(c for c in found.promised if c.item == "media.duration")
    assert (str(promise.verdict), promise.declared) == ("opted-out", "2017-08-19")
    assert result(STATISTICS, day="2017-08-18").promised == ()
    assert [str(c.verdict) for c in result(STATISTICS).promised if c.item == "media.duration"] == ["optional"]


def test_between_two_own_machines_nothing_is_judged() -> None:
    query = "key=%2Flibrary%2Fmetadata%2F1&duration=5460000&time=1000&state=playing&X-Plex-Token=made-up-token-0001"
    call = "GET {}/:/timeline?" + query + "\nx-plex-product: Plex Web"
    home = result(call.format("http://192.168.1.5:32400"))
    assert home.findings
    assert home.comparisons == ()
    assert home.promised == ()
    assert (
        result(
            call.format("https://media.example.org"), named=Servers(hosts=frozenset({"media.example.org"}))
        ).comparisons
        == ()
    )


def test_a_viewers_address_is_somebody_elses() -> None:
    found = result("""
GET https://plex.tv/api/v2/geoip?ip_address=203.0.113.77
x-plex-product: Tautulli
x-plex-token: made-up-token-0001
""")
    assert KNOWLEDGE.items["net.other_ip"].subject == "other-person"
    assert verdicts(found)["net.other_ip"] == "no-list"
    assert [f.value for f in found.findings if f.item == "net.other_ip"] == ["203.0.113.77"]
    assert not any(f.item == "net.public_ip" and f.value == "203.0.113.77" for f in found.findings)
