"""The dashboard over a ledger that grows, and what is kept beside it."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from msgspec import structs

from analysis import sample
from analysis.evidence import NO_SERVERS
from analysis.pipeline import Result
from analysis.report.phrases import local_time
from analysis.report.private import private
from analysis.texts import dashboard as say
from analysis.web import filters, notes, pages, store
from analysis.web import origin as origins
from analysis.web.curl import curl
from analysis.web.filters import Filter
from analysis.web.kinds import CallKind, Row
from analysis.web.origin import InUseError, Ledger
from analysis.web.store import Store
from captures import ledger
from captures.ledger import Writer
from captures.model import Body, Exchange, Observation
from dashboard import served
from reporting import START, contact, evening, exchange, finding, known


def record(path: Path, observations: Sequence[Observation]) -> None:
    writer = Writer(path, None)
    for observation in observations:
        writer.put(observation)
    writer.close()


@contextmanager
def followed(path: Path) -> Iterator[Ledger]:
    origin = Ledger(path, known(), NO_SERVERS, None)
    try:
        yield origin
    finally:
        origin.close()


def until(seen: Callable[[], object], wanted: object) -> None:
    """Waits until something is as it should be."""
    end = time.monotonic() + 20
    while seen() != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert seen() == wanted


def called(origin: Ledger, wanted: Filter = Filter(noise="1")) -> list[str]:  # noqa: B008  a frozen value
    # It may just be made anew.
    with suppress(sqlite3.OperationalError), closing(Store(origin.path)) as store:
        return [call.path for call in store.page(wanted).calls]
    return []


def numbered(n: int, host: str = "plex.tv", path: str = "") -> Exchange:
    return exchange(host, path or f"/{n}", index=n)


def test_rows_that_come_are_shown_each_once_and_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(0), numbered(1)])
    with followed(path) as origin:
        until(lambda: called(origin), ["/1", "/0"])
        record(path, [numbered(2)])
        until(lambda: called(origin), ["/2", "/1", "/0"])
        assert origin.one(3).calls[0].n == 2
    with followed(path) as origin:
        record(path, [numbered(3)])
        until(lambda: called(origin), ["/3", "/2", "/1", "/0"])
        store = Store(origin.path)
        assert [call.n for call in store.page(Filter(noise="1")).calls] == [3, 2, 1, 0]
        assert store.total(outside=False).calls == 4
        store.close()
    kept = path.with_name("x.ledger.view")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_page_that_is_late_says_up_to_when_it_shows_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(0), numbered(1)])
    origin = Ledger(path, known(), NO_SERVERS, None)
    with served(origin) as client:
        client.enter()
        until(lambda: called(origin), ["/1", "/0"])
        assert '<p class="warn" id="behind" hidden></p>' in client.ask("/").text
        # As if others had all processors.
        origin._ending.set()
        origin._thread.join()
        record(path, [numbered(2)])
        late = (
            f"Shown are calls up to {local_time(START + 1, zone=False)}: 2 of 3 are looked at so far; the rest follows."
        )
        assert f'<p class="warn" id="behind">{late}</p>' in client.ask("/calls").text
        with closing(http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)) as connection:
            connection.request("GET", "/live", headers={"Cookie": client.cookie})
            answer = connection.getresponse()
            assert answer.readline() == b"event: calls\n"
            assert json.loads(answer.readline().removeprefix(b"data:")) == {"fresh": 0, "behind": late}
        monkeypatch.setattr(pages, "_MOMENT", 1e12)
        assert '<p class="warn" id="behind" hidden></p>' in client.ask("/calls").text


def test_after_rows_were_deleted_it_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(0), structs.replace(numbered(1), time=time.time())])
    with followed(path) as origin:
        until(lambda: called(origin), ["/1", "/0"])
        assert ledger.prune(path, 1) == 1
        until(lambda: called(origin), ["/1"])
        record(path, [structs.replace(numbered(2), time=time.time())])
        until(lambda: called(origin), ["/2", "/1"])


def test_calls_to_a_server_that_turns_out_to_be_the_own_one_are_judged_again(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    ledger.create(path)
    owned = json.dumps(
        [{"name": "x", "provides": "server", "clientIdentifier": "a" * 40, "owned": True, "presence": True,
          "publicAddressMatches": True, "connections": [{"uri": "https://media.alice.example:443", "local": False,
          "address": "media.alice.example", "port": 443, "protocol": "https", "relay": False}]}]
    ).encode()  # fmt: skip
    answer = structs.replace(
        numbered(1, path="/api/v2/resources"), method="GET", response_body=Body(owned, len(owned)),
        response_headers=(("content-type", "application/json"),),
    )  # fmt: skip
    with followed(path) as origin:
        record(path, [numbered(0, "media.alice.example", "/library/sections")])
        until(lambda: called(origin, Filter()), ["/library/sections"])
        record(path, [answer])
        until(lambda: called(origin, Filter()), ["/api/v2/resources"])
        until(lambda: called(origin), ["/api/v2/resources", "/library/sections"])
        store = Store(origin.path)
        assert store.total(outside=False).calls == 2
        assert {one.name: one.calls for one in store.sums("party", outside=False)} == {"own": 1, "vendor": 1}
        store.close()


def test_a_second_dashboard_keeps_its_view_elsewhere_and_shows_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(0)])
    with followed(path) as first, followed(path) as second:
        assert first.path != second.path
        for origin in (first, second):
            until(lambda origin=origin: called(origin), ["/0"])  # type: ignore[misc]  # bound now


def test_two_periods_are_two_captures_of_the_same_ledger(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(n) for n in range(10)])
    with followed(path) as origin:
        result = origin.whole([(START, START + 4), (START + 6, START + 8)])
    assert [(call.observation.source.capture, call.observation.source.index) for call in result.calls] == [
        (0, 0), (0, 1), (0, 2), (0, 3), (1, 6), (1, 7)
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [10, 100, 1000, 100_000])
def test_the_periods_that_are_proposed_can_be_compared(tmp_path: Path, seconds: int) -> None:
    path = tmp_path / "x.ledger"
    record(path, [structs.replace(numbered(n), time=START + n * seconds / 9) for n in range(10)])
    with served(Ledger(path, known(), NO_SERVERS, None)) as client:
        client.enter()
        until(lambda: "10 calls outside" in client.ask("/").text, True)
        page = client.ask("/compare").text
        given = re.findall(r'name="((?:since|until)[12])" value="([^"]+)"', page)
        assert [name for name, _ in given] == ["since1", "until1", "since2", "until2"]
        asked = "&".join(f"{name}={value.removesuffix(':00')}" for name, value in given)
        assert "<h2" in client.ask(f"/compare?go=1&{asked}").text


def test_pages_follow_one_another_without_gap_or_repetition(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(n, f"h{n % 3}.example") for n in range(120)])
    with followed(path) as origin:
        until(lambda: len(called(origin)), 50)
        store = Store(origin.path)
        for wanted, every in ((Filter(), 1), (Filter(host="h1.example"), 3), (Filter(text="example"), 1)):
            found, before = [], 0
            while True:
                page = store.page(wanted, before)
                found += [call.n for call in page.calls]
                before = page.older
                if not before:
                    break
            assert found == [n for n in range(119, -1, -1) if every == 1 or n % 3 == 1]
            assert store.since(wanted, 60) == len([n for n in found if n >= 60])
        store.close()


@pytest.mark.parametrize(("rare", "beginnings"), [(30_000, 256), (0, 0)])
def test_whichever_way_calls_are_looked_up_the_same_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rare: int, beginnings: int
) -> None:
    """Few calls by their kinds and many on the way back; words that begin so one by one or all together."""
    monkeypatch.setattr(store, "_RARE", rare)
    monkeypatch.setattr(store, "_BEGINNINGS", beginnings)
    common = CallKind("tv", "plex", "a.example", "update-check", "vendor", "Plex", "GET", "", "", True, True, "")
    kinds = [
        replace(common, device=device, host=host) for device in ("tv", "pc") for host in ("a.example", "b.example")
    ]
    words = ("collecting", "collected café", "other")
    made = {
        id_: Row(id_, kinds[id_ % 4], START + 60.0 * (id_ ^ 1), "/", 200, 1, 1, words[id_ % 3]) for id_ in range(1, 61)
    }
    kept = Store(tmp_path / "calls", "")
    kept.add(made.items())
    times = [dt.datetime.fromtimestamp(START + 60 * minute).isoformat() for minute in (10, 40)]
    for device, host, text, since, before in product(
        ("", "pc"),
        ("", "b.example"),
        ("", "collected", "collec", "colle cafe", "c café", "x"),
        ("", *times),
        (0, 33),
    ):
        wanted = Filter(device=device, host=host, text=text, since=since, until=times[1] if since else "")
        fits = [
            id_
            for id_, row in made.items()
            if device in ("", row.kind.device)
            and host in ("", row.kind.host)
            and all(any(said.startswith(part) for said in row.words.replace("é", "e").split())
                    for part in text.replace("é", "e").split())
            and (not since or dt.datetime.fromisoformat(since).timestamp() <= (row.time or 0) < START + 40 * 60)
        ]  # fmt: skip
        page = kept.page(wanted, before, limit=7)
        assert page.count == len(fits)
        below = sorted((id_ for id_ in fits if not before or id_ < before), reverse=True)
        assert [call.id for call in page.calls] == below[:7]
        assert kept.since(wanted, 20) == sum(id_ > 20 for id_ in fits)
    kept.close()


def test_the_report_of_a_long_ledger_comes_from_its_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "ALL", 10)
    path = tmp_path / "a.ledger"
    record(path, [numbered(n, path=f"/{n}3") for n in range(12)])
    with followed(path) as origin:
        # While it takes in rows the index is in use, and the page reads them all.
        until(lambda: len(called(origin)), 12)
        found, whole = origin.page(), origin.whole()
        assert (len(found.calls), len(whole.calls)) == (1, 12)
        assert private(found, page=True) == private(whole, page=True)


def test_a_report_waits_for_another_program_and_does_not_read_a_long_ledger_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "ALL", 10)
    monkeypatch.setattr(origins, "SMALL", 10)
    path = tmp_path / "a.ledger"
    record(path, [numbered(n, path=f"/{n}3") for n in range(12)])
    with followed(path) as origin:
        until(lambda: len(called(origin)), 12)
        assert len(origin.page().calls) == 1
        index = path.with_name("a.ledger.index")
        before = index.stat().st_ino
        with closing(sqlite3.connect(index, isolation_level=None)) as other:
            for lock in ("IMMEDIATE", "EXCLUSIVE"):
                record(path, [numbered(90)])
                other.execute(f"BEGIN {lock}")
                with pytest.raises(InUseError):
                    origin.page()
                other.execute("ROLLBACK")
                assert index.stat().st_ino == before
        assert sum(call.alike.count if call.alike else 1 for call in origin.page().calls) == 14


def test_who_asks_for_long_work_is_told_and_others_are_not_kept_waiting(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    record(path, [numbered(n) for n in range(3)])
    ready, busy = threading.Event(), [True]

    class Slow(Ledger):
        def page(self) -> Result:
            if busy:
                busy.clear()
                raise InUseError
            self._prepared = 1, 3
            ready.wait(20)
            return super().page()

    with served(Slow(path, known(), NO_SERVERS, None), moment=0.2) as client:
        client.enter()
        assert say.IN_USE in client.ask("/report").text
        waiting = client.ask("/report")
        assert (waiting.status, waiting.headers["Refresh"]) == (200, "2")
        assert f"{say.PREPARING} 1 of 3 calls are taken in so far." in waiting.text
        assert client.ask("/calls").status == 200
        ready.set()
        until(lambda: client.ask("/report").headers["Refresh"], None)


def test_what_is_hidden_is_left_out_until_it_is_asked_for(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    record(path, [numbered(0), numbered(1, "other.example")])
    with followed(path) as origin:
        until(lambda: len(called(origin)), 2)
        store = Store(origin.path)
        (kind,) = {call.category for call in store.page(Filter(host="other.example")).calls}
        notes.hide("other.example", kind, hides=True)
        assert [call.host for call in store.page(Filter(), 0, notes.hidden()).calls] == ["plex.tv"]
        assert len(store.page(Filter(noise="1"), 0, notes.hidden()).calls) == 2
        notes.hide("other.example", kind, hides=False)
        assert notes.hidden() == ()
        call = store.page(Filter()).calls[0]
        notes.write(call, notes.Note(True, "ask"))
        assert notes.of((call,)) == {call.id: notes.Note(True, "ask")}
        assert notes.of((replace(call, id=77),)) == {77: notes.Note(True, "ask")}
        assert notes.of((replace(call, path="/y"),)) == {}
        notes.write(call, notes.Note())
        assert notes.of((call,)) == {}
        store.close()
    assert stat.S_IMODE((home / "dashboard.db").stat().st_mode) == 0o600


def test_the_address_says_all_that_is_asked_for() -> None:
    wanted = Filter("tv & co", "plex", "search", "media.title", "undeclared", "plex.tv", "2026-01-01T00:00", "", "a b")
    from urllib.parse import parse_qsl

    assert filters.read(dict(parse_qsl(wanted.address))) == wanted
    assert filters.read({"device": "x" * 1000, "nonsense": "1"}) == Filter(device="x" * 300)


def test_a_command_for_curl_holds_no_secret_and_no_character_that_acts() -> None:
    body = b'{"token": "SECRET-IN-BODY", "a": "it\'s"}'
    seen = structs.replace(
        numbered(0, path="/a b/\x1b[31m\n;id"),
        query=(("X-Plex-Token", "SECRET-IN-QUERY"), ("q", "$(id)`id`")),
        headers=(("authorization", "Bearer SECRET-IN-HEADER"), ("x-own", "SECRET-FOUND"), ("host", "x")),
        cookies=(("session", "SECRET-IN-COOKIE"),),
        body=Body(body, len(body)),
    )
    text = curl(seen, [finding(0, "auth.token", "SECRET-FOUND")])
    assert "SECRET" not in text
    assert text.isprintable()
    assert text == (
        "curl --request POST $'https://plex.tv/a b/\\x1b[31m\\x0a;id?X-Plex-Token=MASKED&q=%24%28id%29%60id%60' "
        "--header 'authorization: Bearer MASKED' --header 'x-own: MASKED' "
        '--data-raw \'{"token": "MASKED", "a": "it\'\\\'\'s"}\''
    )


def test_what_is_no_exchange_has_a_page_too(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    elsewhere = structs.replace(contact("metrics.plex.tv", index=9), client=None, time=START + 900)
    record(path, [*(call.observation for call in evening().calls), elsewhere])
    with served(Ledger(path, known(), NO_SERVERS, None)) as client:
        client.enter()
        until(lambda: "metrics" in client.ask("/calls").text, True)
        numbers = re.findall(r'href="/call/(\d+)"', client.ask("/calls?noise=1").text)
        assert len(numbers) == 7
        assert {client.ask(f"/call/{number}").status for number in numbers} == {200}
        assert client.ask("/call/99").status == 404
        assert client.ask("/share").status == 200
        assert client.ask("/report").status == 200
        asked = "since1=2023-11-14T00:00&until1=2023-11-14T22:13&since2=2023-11-14T22:14&until2=2023-11-15T00:00"
        assert "<h2" in client.ask(f"/compare?go=1&{asked}").text
        assert "must not overlap" in client.ask("/compare?go=1&since1=2023-11-14T00:00").text
