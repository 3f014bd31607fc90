"""The report of a ledger from sums is the report of all its calls, however the ledger came to be."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.evidence import Servers
from analysis.index import Index
from analysis.knowledge import Knowledge, load
from analysis.known import OwnValues
from analysis.pipeline import Result, run
from analysis.report.document import Document
from analysis.report.private import private
from analysis.sums import intake, summed
from captures import ledger
from captures.formats import read
from captures.ledger import Writer
from captures.model import Contact, Endpoint, Exchange, Lookup, Observation, Source

KNOWLEDGE = load()
DATA = Path(__file__).with_name("data")
BEGIN = 1_784_000_000.0
NAMES = ("jellyfin-mpv-shim", "kodi", "media-tools", "npm-plex", "tautulli", "telemetry-node", "web-session")
DEVICES = ("192.0.2.10", "192.0.2.11", "tv")
HOSTS = ("plex.tv", "analytics.plex.tv", "cdn.example", "collect.example")
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
        writer.put(replace(seen, source=Source(0, number)))
    writer.close(30)


def full(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> Document:
    return private(run([read(path)], knowledge, named=named or Servers(), own=own))


def sums(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> Result | None:
    with Index(path) as index:
        return summed(read(path), path, knowledge, index, named=named or Servers(), own=own)


def brief(
    path: Path, knowledge: Knowledge = KNOWLEDGE, named: Servers | None = None, own: OwnValues | None = None
) -> Document:
    found = sums(path, knowledge, named, own)
    assert found is not None
    return private(found)


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
                yield seen if by == "sni" else replace(seen, host=server.address, name_source="address")
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
                moved = replace(known, time=chance.choice((now, now, None)), end=now + 1.5, device=device)
                yield replace(moved, client=chance.choice((client, known.client, None)))


@pytest.mark.parametrize("seed", range(3))
def test_they_say_the_same_as_the_ledger_grows_and_its_oldest_rows_go(
    tmp_path: Path, exchanges: list[Exchange], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come in any order and by few: what proves something, or names a connection, often comes after it."""
    monkeypatch.setattr(intake, "_MOST_ROWS", 17)
    chance, path = random.Random(seed), tmp_path / "a.ledger"  # noqa: S311
    for step, rows in enumerate((60, 3, 90)):
        grown(path, list(traffic(chance, exchanges, rows, BEGIN + step * 90_000)))
        assert brief(path) == full(path)
    monkeypatch.setattr(time, "time", lambda: BEGIN + 95_000)
    assert ledger.prune(path, 1)
    assert brief(path) == full(path)


def test_few_calls_stand_for_many(tmp_path: Path, exchanges: list[Exchange]) -> None:
    path = tmp_path / "a.ledger"
    some = [seen for seen in exchanges if seen.host == "plex.tv"][:2]
    assert some
    grown(path, [replace(seen, time=BEGIN + n) for n, seen in enumerate(some * 300)])
    found = sums(path)
    assert found is not None
    assert len(found.calls) == len(some)
    assert found.coverage.calls == 600
    assert private(found) == full(path)
