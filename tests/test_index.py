"""What was found in a ledger is kept beside it, and never changes a report."""

from __future__ import annotations

import base64
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from analysis.evidence import Servers
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.known import Known, OwnValues
from analysis.pipeline import Result, run
from captures.formats import read
from captures.ledger import Writer
from captures.model import Body, Exchange
from shipped import KNOWLEDGE

DATA = Path(__file__).with_name("data")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A real client's calls in a ledger, their secrets kept."""
    path = tmp_path / "a.ledger"
    writer = Writer(path, None)
    for observation in read(DATA / "plexapi.flow.gz").observations():
        writer.put(observation)
    writer.close()
    return path


def report(
    path: Path,
    knowledge: Knowledge = KNOWLEDGE,
    named: Servers | None = None,
    own: OwnValues | None = None,
    *,
    index: bool = True,
) -> Result:
    if not index:
        return run([read(path)], knowledge, named=named or Servers(), own=own)
    with Index(path) as kept:
        return run([read(path)], knowledge, named=named or Servers(), index=kept, own=own)


def said(result: Result) -> tuple[object, ...]:
    return result.calls, result.findings, result.comparisons, result.coverage, result.remarks


def forge(path: Path) -> None:
    """Leaves a mark in the index that only who reads from it will show."""
    with closing(sqlite3.connect(path.with_name(path.name + ".index"))) as connection:
        connection.execute("UPDATE found SET value = x'929090'")
        connection.commit()


def test_a_report_is_the_same_without_it_with_a_new_one_and_with_a_full_one(ledger: Path) -> None:
    without = said(report(ledger, index=False))
    assert said(report(ledger)) == without
    assert said(report(ledger)) == without
    assert stat.S_IMODE(ledger.with_name("a.ledger.index").stat().st_mode) == 0o600


def test_what_is_kept_is_really_used(ledger: Path) -> None:
    report(ledger)
    forge(ledger)
    assert report(ledger).findings == ()


def test_rows_that_came_since_are_looked_at(ledger: Path) -> None:
    report(ledger)
    (first, *_) = read(ledger).observations()
    writer = Writer(ledger, None)
    writer.put(structs.replace(first, source=first.source._replace(index=writer.next_flow)))
    writer.close()
    assert said(report(ledger)) == said(report(ledger, index=False))


def test_other_packs_or_other_own_servers_make_it_anew(ledger: Path) -> None:
    report(ledger)
    forge(ledger)
    other = replace(KNOWLEDGE, hashes={**KNOWLEDGE.hashes, "plex": "sha256:other"})
    assert said(report(ledger, other)) == said(report(ledger, index=False))
    forge(ledger)
    named = Servers(hosts=frozenset({"media.example.org"}))
    assert report(ledger, named=named).findings == report(ledger, named=named, index=False).findings


def test_other_own_values_make_it_anew(ledger: Path) -> None:
    one, two = (OwnValues([Known("title", title, 0.0)]) for title in ("Zorblax Uprising", "Quiet Harbour"))
    report(ledger, own=one)
    forge(ledger)
    assert report(ledger, own=one).findings == ()
    assert said(report(ledger, own=two)) == said(report(ledger, own=two, index=False))
    forge(ledger)
    assert said(report(ledger)) == said(report(ledger, index=False))


def test_an_own_value_stands_in_the_report_and_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.ledger"
    writer = Writer(path, None)
    for observation in read(DATA / "plexapi.flow.gz").observations():
        if isinstance(observation, Exchange):
            writer.put(structs.replace(observation, path="/" + base64.b64encode(b"of Zorblax Exampleton, by").decode()))
    writer.close()
    own = OwnValues([Known("name", "Quiet Harbour", 0.0), Known("title", "Zorblax Exampleton", 0.0)])
    first, again = report(path, own=own), report(path, own=own)
    assert {f.value for f in again.findings if f.source == "known"} == {"Zorblax Exampleton"}
    assert said(first) == said(again)
    assert b"Zorblax Exampleton" not in path.with_name("own.ledger.index").read_bytes()


@pytest.mark.parametrize("damage", [b"", b"Dear reader, " * 100, b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_one_is_made_anew(ledger: Path, damage: bytes) -> None:
    report(ledger)
    ledger.with_name("a.ledger.index").write_bytes(damage)
    assert said(report(ledger)) == said(report(ledger, index=False))
    forge(ledger)
    assert report(ledger).findings == ()


def test_one_of_another_version_is_made_anew(ledger: Path) -> None:
    report(ledger)
    forge(ledger)
    with closing(sqlite3.connect(ledger.with_name("a.ledger.index"))) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert said(report(ledger)) == said(report(ledger, index=False))


def test_a_folder_that_may_not_be_written_costs_time_alone(ledger: Path) -> None:
    ledger.with_name("a.ledger.index").mkdir()
    assert said(report(ledger)) == said(report(ledger, index=False))


def test_a_locked_one_costs_time_alone(ledger: Path) -> None:
    report(ledger)
    with closing(sqlite3.connect(ledger.with_name("a.ledger.index"), isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        assert said(report(ledger)) == said(report(ledger, index=False))


def test_another_ledger_of_the_same_name_is_told_apart(ledger: Path) -> None:
    """Its calls have the same numbers, rules and senders."""
    report(ledger)
    forge(ledger)
    for side in ("", "-wal", "-shm"):
        ledger.with_name(ledger.name + side).unlink(missing_ok=True)
    writer = Writer(ledger, None)
    for observation in read(DATA / "plexapi.flow.gz").observations():
        writer.put(observation)
    writer.close()
    assert report(ledger).findings == report(ledger, index=False).findings


def test_a_ledger_of_an_older_version_that_cannot_be_told_apart_has_no_index(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("DROP TABLE identity")
        connection.execute("PRAGMA user_version = 2")
    assert report(ledger).findings
    assert not ledger.with_name(ledger.name + ".index").exists()


def test_half_a_surrogate_pair_in_a_body_costs_no_report(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    writer = Writer(path, None)
    seen = next(o for o in read(DATA / "plexapi.flow.gz").observations() if isinstance(o, Exchange))
    body = b'{"username": "ann\\ud800", "email": "ann@example.org"}'
    kind = (("content-type", "application/json"),)
    writer.put(
        structs.replace(seen, host="collect.example", headers=kind, body=Body(body, len(body)), response_headers=())
    )
    writer.close()
    without = said(report(path, index=False))
    assert any("\ud800" in finding.value for finding in report(path, index=False).findings)
    assert said(report(path)) == without
    assert said(report(path)) == without
