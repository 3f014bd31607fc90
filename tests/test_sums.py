"""The report of a ledger from sums is the report of all its calls, however the ledger came to be."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from analysis import sample
from analysis.evidence import Servers
from analysis.generalise import generalise
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.known import Known, OwnValues
from analysis.outline import outline
from analysis.pipeline import Result, run
from analysis.post import FORMS, post
from analysis.privates import is_brief
from analysis.proof import LeakError, UnprovenError, privates, prove
from analysis.redact import redact
from analysis.report.private import private
from analysis.sums import intake, summed
from analysis.sums.store import Store
from captures import ledger
from captures.formats import read
from captures.ledger import Writer
from captures.model import Contact, Endpoint, Exchange, Lookup, Observation, Source
from sessions import entry, har, plex_headers, statistics
from shipped import KNOWLEDGE
from test_pairs import play

DATA = Path(__file__).with_name("data")
BEGIN = 1_784_000_000.0
NAMES = ("jellyfin-mpv-shim", "kodi", "media-tools", "npm-plex", "tautulli", "telemetry-node", "web-session")
DEVICES = ("192.0.2.10", "192.0.2.11", "tv")
HOSTS = ("plex.tv", "analytics.plex.tv", "cdn.example", "collect.example")
COLLECT = "https://analytics.plex.tv/collect/event"
IDENTIFIER = "x-plex-client-identifier"
ADDRESSES = ("198.51.100.1", "198.51.100.2", "203.0.113.9")


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """What real clients sent."""
    every = [seen for name in NAMES for seen in read(DATA / f"{name}.flow.gz").observations()]
    return [seen for seen in every if isinstance(seen, Exchange)]


def grown(path: Path, some: Sequence[Observation]) -> None:
    """Appends to a ledger."""
    writer = Writer(path, None)
    for number, seen in enumerate(some, writer.next_flow):
        writer.put(structs.replace(seen, source=Source(0, number)))
    writer.close(30)


def from_har(folder: Path, entries: Sequence[Mapping[str, Any]]) -> list[Exchange]:
    """Entries -> what they show."""
    path = folder / "a.har"
    path.write_bytes(har(entries))
    return [seen for seen in read(path).observations() if isinstance(seen, Exchange)]


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page shows some of the calls of these few already."""
    monkeypatch.setattr(sample, "ALL", 2)
    monkeypatch.setattr(sample, "SOME", 60)


def full(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> list[object]:
    return views(run([read(path)], knowledge, named=named or Servers(), own=own))


def sums(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> Result | None:
    with Index(path) as index:
        return summed(read(path), path, knowledge, index, named=named or Servers(), own=own, page=True)


def brief(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> list[object]:
    found = sums(path, knowledge, named, own)
    assert found is not None
    return views(found)


def views(found: Result) -> list[object]:
    """The page, and what is shared and exported, without the id that is another one each time."""
    return [private(found, page=True), msgspec.structs.replace(redact(found), report="0" * 32), outline(found)]


def traffic(chance: random.Random, exchanges: Sequence[Exchange], rows: int, begin: float) -> Iterator[Observation]:
    """Calls of a household in any order: the same ones again, connections that carried them or not, questions."""
    for number in range(rows):
        now = begin + number * chance.choice((0.0, 2.0, 400.0))
        client = Endpoint("192.0.2.10", 40_000 + chance.randrange(40))
        server = Endpoint(chance.choice(ADDRESSES), 443)
        device = chance.choice(DEVICES)
        match chance.randrange(5):
            case 0:
                host, by = chance.choice(HOSTS), chance.choice(("sni", "address"))
                seen = Contact(
                    Source(0, 0), now, chance.choice((None, now + 3)), device, chance.choice((client, None)), server,
                    host, "sni", "tls", 100, 200, 3, 4, "is encrypted",
                )  # fmt: skip
                yield seen if by == "sni" else structs.replace(seen, host=server.address, name_source="address")
            case 1:
                answers = (chance.choice(ADDRESSES), chance.choice(("edge.cdn.example", "a.plex.tv")))
                kind = chance.choice((("dns", "A"), ("gdm", "M-SEARCH"), ("ssdp", "M-SEARCH")))
                there = Endpoint(chance.choice(("192.168.1.1", "9.9.9.9", "203.0.113.9")), 53)
                yield Lookup(
                    Source(0, 0), now, device, client, there, kind[0], chance.choice(HOSTS), kind[1],
                    answers[: chance.randrange(3)], "NOERROR", None, 40, 90,
                )  # fmt: skip
            case _:
                known = chance.choice(exchanges)
                moved = structs.replace(known, time=chance.choice((now, now, None)), end=now + 1.5, device=device)
                yield structs.replace(moved, client=chance.choice((client, known.client, None)))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_they_say_the_same_as_the_ledger_grows_and_its_oldest_rows_go(
    tmp_path: Path, exchanges: list[Exchange], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come in any order and by few: what proves something, or names a connection, often comes after it."""
    monkeypatch.setattr(intake, "_MOST_ROWS", 17)
    chance, path = random.Random(seed), tmp_path / "a.ledger"  # noqa: S311
    for step, rows in enumerate((40, 3, 50)):
        grown(path, list(traffic(chance, exchanges, rows, BEGIN + step * 90_000)))
        assert brief(path) == full(path)
    monkeypatch.setattr(time, "time", lambda: BEGIN + 95_000)
    assert ledger.prune(path, 1)
    assert brief(path) == full(path)


def test_few_calls_stand_for_many(tmp_path: Path, exchanges: list[Exchange]) -> None:
    path = tmp_path / "a.ledger"
    some = [seen for seen in exchanges if seen.host == "plex.tv"][:2]
    assert some
    grown(path, [structs.replace(seen, time=BEGIN + n) for n, seen in enumerate(some * 300)])
    found = sums(path)
    assert found is not None
    assert len(found.calls) == len(some)
    assert found.coverage.calls == 600
    assert views(found) == full(path)


def test_what_is_shared_is_searched_for_every_value_that_could_stand_in_it(tmp_path: Path) -> None:
    """Also for those of calls for which another one stands; longer ones cannot stand between our own words."""
    path = tmp_path / "a.ledger"
    some = from_har(tmp_path, [statistics(n, "client:view", page=f"p{n:03}") for n in range(40)])
    grown(path, [structs.replace(seen, device="tv" if n < 30 else "tv2") for n, seen in enumerate(some)])
    found, whole = sums(path), run([read(path)], KNOWLEDGE)
    assert found is not None
    assert len(found.calls) < 10
    short = {private for private in privates(whole) if is_brief(private)}
    assert {private for private in privates(found) if is_brief(private)} == short
    assert {private.value for private in short} >= {"tv", "tv2", *(f"p{n:03}" for n in range(40))}
    report = redact(found)
    for form in FORMS:
        assert post(found, report, form) == post(whole, report, form)
    with pytest.raises(LeakError, match="a value of"):
        prove("p039", found, report, None)
    with pytest.raises(UnprovenError):
        prove("longer than brief", found, report, None)


def test_what_was_told_of_plays_is_held_against_each_play(tmp_path: Path) -> None:
    """Numbers, clocks and plays are paired one by one, between calls of which one stands for many."""
    slow = 1_750_000_000 - 3600
    entries: list[dict[str, Any]] = []
    for n in range(6):
        begin, length = 1_000 * n, 5_400_123 + 61_000 * (n // 2)
        entries += play(begin, n, length, 50_000 + 7_000 * n)
        event = statistics(begin + 51, "playback:itemend", duration=length // 60_000 * 60, playbackTime=60)
        told = json.loads(event["request"]["postData"]["text"]) | {"timestamp": slow + begin + 50.1 + n}
        plain = {"Content-Type": "text/plain"}
        entries.append(entry(begin + 51.5, "POST", COLLECT, body=json.dumps([told]), headers=plain))
    for behind in (4_000, 3_585):
        view = {"event": "client:view", "timestamp": slow + 9_000 + 3_600 - behind}
        shown = plex_headers() | {"Content-Type": "application/json"}
        entries.append(entry(9_000, "POST", COLLECT, body=json.dumps(view), headers=shown))
    path = tmp_path / "a.ledger"
    grown(path, [seen for seen in from_har(tmp_path, entries) for _ in range(3)])
    found, whole = sums(path), run([read(path)], KNOWLEDGE)
    assert found is not None
    assert views(found) == views(whole)
    said, expected = (
        [
            (q.item, q.at, q.verdict, q.step, q.numbers, [(p.exact, p.reported, p.uncertainty) for p in q.shown])
            for q in x
        ]
        for x in (generalise(found).quantities, generalise(whole).quantities)
    )
    assert said == expected
    assert any(shown for *_, shown in said)


def test_an_anonymous_call_is_led_to_its_sender_by_an_id_that_another_call_carries(tmp_path: Path) -> None:
    """Calls that differ in an id alone are not alike: only one of these ids leads to a name."""
    path = tmp_path / "a.ledger"
    events = [statistics(n, "client:view", page="home") for n in range(6)]
    some = from_har(tmp_path, events)
    named = [structs.replace(seen, headers=(*seen.headers, ("x-plex-token", "made-up-1"))) for seen in some[:1]]
    others = [
        structs.replace(
            seen, headers=(*[h for h in seen.headers if h[0] != IDENTIFIER], (IDENTIFIER, f"made-up-{n % 3}"))
        )
        for n, seen in enumerate(some)
    ]
    grown(path, [*others, *named, *others])
    assert brief(path) == full(path)
    found = sums(path)
    assert found
    assert {f.value for f in found.findings if f.item == "client.id"} >= {f"made-up-{n}" for n in range(3)}


def test_where_a_switch_was_off_all_calls_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    grown(path, list(read(DATA / "plexapi.flow.gz").observations()))
    assert sums(path) is None


def test_what_other_packs_and_own_values_show_is_worked_out_anew(tmp_path: Path, exchanges: list[Exchange]) -> None:
    path = tmp_path / "a.ledger"
    told = next(seen for seen in exchanges if seen.host == "plex.tv")
    told = structs.replace(told, headers=(*told.headers, ("x-note", "Arabella Quastenbruck")))
    grown(path, [structs.replace(seen, time=BEGIN + n) for n, seen in enumerate([*exchanges[:60], told])])
    assert brief(path) == full(path)
    fewer = replace(KNOWLEDGE, rules=dict(list(KNOWLEDGE.rules.items())[::2]), hashes={"plex": "sha256:other"})
    assert brief(path, fewer) == full(path, fewer) != full(path)
    host = next(seen.host for seen in exchanges[:60] if not seen.host[0].isdigit())
    assert brief(path) == full(path)
    own = OwnValues([Known("name", "Arabella Quastenbruck", 0.0)])
    assert brief(path, own=own) == full(path, own=own) != full(path)
    assert brief(path, named=Servers(frozenset({host}))) == full(path, named=Servers(frozenset({host}))) != full(path)
    assert brief(path) == full(path)


def test_a_damaged_row_is_counted_and_a_damaged_page_is_left_to_those_who_read_all(
    tmp_path: Path, exchanges: list[Exchange]
) -> None:
    path = tmp_path / "a.ledger"
    grown(path, [structs.replace(seen, time=BEGIN + n) for n, seen in enumerate(exchanges)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE observation SET value = x'00' WHERE id = 7")
        connection.commit()
    assert brief(path) == full(path)
    raw = bytearray(path.read_bytes())
    assert len(raw) > 12 * 4096
    raw[8 * 4096 : 9 * 4096] = bytes(4096)
    path.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "about", lambda *_: b"")
        assert sums(path) is None


def test_without_a_place_for_the_index_all_calls_are_asked(tmp_path: Path, exchanges: list[Exchange]) -> None:
    path = tmp_path / "a.ledger"
    grown(path, exchanges[:3])
    path.with_name("a.ledger.index").mkdir()
    assert sums(path) is None


def test_calls_can_be_chosen_by_their_time(tmp_path: Path, exchanges: list[Exchange]) -> None:
    """What the others prove is still known, and the capture is as long as it is."""

    def within(time: float | None) -> bool:
        return time is not None and BEGIN + 30 <= time <= BEGIN + 12_000

    path = tmp_path / "a.ledger"
    grown(path, list(traffic(random.Random(2), exchanges, 120, BEGIN)))  # noqa: S311
    with Index(path) as index:
        found = summed(read(path), path, KNOWLEDGE, index, named=Servers(), within=within, page=True)
    assert found is not None
    assert 0 < found.coverage.calls < 120
    assert views(found) == views(run([read(path)], KNOWLEDGE, keep=lambda call: within(call.observation.time)))
    assert brief(path) == full(path)


def test_calls_can_be_chosen_by_their_sender_and_their_device(tmp_path: Path, exchanges: list[Exchange]) -> None:
    path = tmp_path / "a.ledger"
    grown(path, list(traffic(random.Random(1), exchanges, 120, BEGIN)))  # noqa: S311
    for keep in (lambda call: call.product == "tautulli", lambda call: call.observation.device == "tv"):
        with Index(path) as index:
            found = summed(read(path), path, KNOWLEDGE, index, named=Servers(), keep=keep, page=True)
        assert found is not None
        assert 0 < found.coverage.calls < 120
        assert views(found) == views(run([read(path)], KNOWLEDGE, keep=keep))
