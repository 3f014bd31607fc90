"""The SQLite file behind the lists of the dashboard: calls, kinds of calls with their sums, and words.

A list asks the few kinds first, then the calls of these kinds, newest first and a page at a time.  The file holds
captured text (mode 0600), and can be thrown away at any time.
"""

from __future__ import annotations

import math
import re
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.web.filters import Filter, moment
from analysis.web.kinds import CallKind, Row, severity
from captures import home

APPLICATION_ID = 0x70687677
"""`phvw`: marks a SQLite file as such a store."""

FORM = 2
"""Version of the tables; another one is thrown away."""

PAGE = 50
"""Calls on a page."""

MOST_COUNTED = 10_000
"""Calls that are counted where sums do not tell."""

_RARE = 30_000
"""Up to so many calls of the kinds that are asked for are fetched by their kinds; more are met on the way anyway."""

_BEGINNINGS = 256
"""Words that begin alike and are looked for one by one: FTS5 would put together all calls in which any stands first."""

_TABLES = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE kind (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, device TEXT NOT NULL, product TEXT NOT NULL, host TEXT NOT NULL,
    category TEXT NOT NULL, party TEXT NOT NULL, recipient TEXT NOT NULL, method TEXT NOT NULL, verdict TEXT NOT NULL,
    items TEXT NOT NULL, readable INTEGER NOT NULL, outside INTEGER NOT NULL, reason TEXT NOT NULL,
    calls INTEGER NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL, last INTEGER NOT NULL
);
CREATE TABLE call (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, n INTEGER NOT NULL, time REAL, path TEXT NOT NULL, status INTEGER,
    bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL
);
CREATE INDEX call_kind ON call (kind);
CREATE INDEX call_time ON call (time);
CREATE INDEX call_n ON call (n);
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', detail = none);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORM};
"""

_ADD_KIND = """
INSERT INTO kind (key, device, product, host, category, party, recipient, method, verdict, items, readable, outside,
    reason, calls, bytes_out, bytes_in, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET calls = calls + excluded.calls, bytes_out = bytes_out + excluded.bytes_out,
    bytes_in = bytes_in + excluded.bytes_in, last = max(last, excluded.last) RETURNING id
"""


_TAKE_OFF = """
UPDATE kind SET calls = calls - 1, bytes_out = kind.bytes_out - call.bytes_out, bytes_in = kind.bytes_in - call.bytes_in
FROM call WHERE call.id = :id AND kind.id = call.kind
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One call of a list, with what its kind says of it (see `kinds.CallKind`).  Private."""

    id: int
    """Number in the store, in the order of time."""
    n: int
    """Number in reports."""
    time: float | None
    path: str
    status: int | None
    bytes_out: int
    bytes_in: int
    device: str
    product: str
    host: str
    category: str
    party: str
    recipient: str
    method: str
    verdict: str
    items: tuple[tuple[str, str], ...]
    """Data items and the verdicts on them, the worst first."""
    readable: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list."""

    calls: tuple[Listed, ...]
    """Newest first."""
    older: int
    """From which call on the next page goes; 0 when there is none."""
    count: int
    """How many are asked for."""
    more: bool
    """Whether there are more than `count`."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Calls that have something in common."""

    name: str
    """What."""
    calls: int
    """How many."""
    read: int
    """How many of these could be read."""
    bytes_out: int
    """Bytes that were sent."""
    bytes_read: int
    """How many of these in calls that could be read."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query for calls."""

    source: str
    """`FROM … WHERE …`, with places for `values`."""
    id: str
    """Name of the column with the number of the call, by which the source is ordered."""
    values: tuple[object, ...]
    within: tuple[int, int]
    """The lowest and the highest number."""
    sum: int
    """Calls of the kinds that are asked for."""
    whole: bool
    """Whether all of these are asked for."""

    def select(self, what: str, low: int = 0, high: int = sys.maxsize) -> tuple[str, tuple[object, ...]]:
        """What is asked of the calls between two numbers -> SQL and its values.

        One range and not two: of several bounds on one side SQLite goes by any.
        """
        bounds = (max(self.within[0], low), min(self.within[1], high))
        return f"SELECT {what} {self.source} AND {self.id} BETWEEN ? AND ?", (*self.values, *bounds)


class Store:
    """One file.  One thread adds, others read with stores of their own over the same file."""

    def __init__(self, path: Path, circumstances: str | None = None) -> None:
        """Opens the file to read it; with `circumstances` it is made if it is missing, or was made under others.

        Raises `sqlite3.Error` or `OSError` when there is none, or none can be made.
        """
        self.path = path
        if circumstances is not None:
            _made(path)
        self._connection = _opened(path)
        marks = tuple(
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if marks != (APPLICATION_ID, FORM) or circumstances not in (None, self.about("circumstances")):
            self._connection.close()
            if circumstances is None:
                raise sqlite3.OperationalError
            remove(path)
            _made(path)
            self._connection = _opened(path)
            self._connection.executescript(_TABLES)
            self.say("circumstances", circumstances)
        for side in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + side).chmod(0o600)
        self._file = path.stat().st_ino

    @property
    def gone(self) -> bool:
        """Whether the file was removed under it, as by `known forget`."""
        try:
            return self.path.stat().st_ino != self._file
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def about(self, name: str) -> str:
        """Something that was said of the whole; empty when it was not."""
        found = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def say(self, name: str, value: str) -> None:
        """Says something of the whole."""
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    @property
    def last(self) -> int:
        """Number of the newest call; 0 when there is none."""
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM call").fetchone()[0])

    def add(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Adds calls with their numbers in the store, all or none.  A number that is there already is passed over."""
        c = self._connection
        c.execute("BEGIN IMMEDIATE")
        try:
            done = self.last
            fresh = [(id_, row) for id_, row in rows if id_ > done]
            kinds = self._kinds(fresh)
            c.executemany(
                "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((id_, kinds[r.kind], r.n, r.time, r.path, r.status, r.bytes_out, r.bytes_in) for id_, r in fresh),
            )
            c.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", ((id_, r.words) for id_, r in fresh))
            c.execute("COMMIT")
        except BaseException:
            c.execute("ROLLBACK")
            raise

    def judge_again(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Replaces what is kept of calls, whose verdicts or owners became known later, but for their words."""
        c = self._connection
        c.execute("BEGIN IMMEDIATE")
        try:
            again = list(rows)
            for id_, _ in again:
                c.execute(_TAKE_OFF, {"id": id_})
            kinds = self._kinds(again)
            c.executemany("UPDATE call SET kind = ? WHERE id = ?", ((kinds[r.kind], id_) for id_, r in again))
            c.execute("DELETE FROM kind WHERE calls = 0")
            c.execute("COMMIT")
        except BaseException:
            c.execute("ROLLBACK")
            raise

    def _kinds(self, rows: Sequence[tuple[int, Row]]) -> dict[CallKind, int]:
        """Adds up what is of one kind -> the numbers of the kinds."""
        sums: dict[CallKind, list[int]] = {}
        for id_, row in rows:
            total = sums.setdefault(row.kind, [0, 0, 0, 0])
            total[0] += 1
            total[1] += row.bytes_out
            total[2] += row.bytes_in
            total[3] = max(total[3], id_)
        found = {}
        for k, total in sums.items():
            values = (
                k.key, k.device, k.product, k.host, k.category, k.party, k.recipient, k.method, k.verdict, k.items,
                k.readable, k.outside, k.reason, *total,
            )  # fmt: skip
            found[k] = int(self._connection.execute(_ADD_KIND, values).fetchone()[0])
        return found

    def page(self, wanted: Filter, before: int = 0, hidden: Sequence[tuple[str, str]] = (), limit: int = PAGE) -> Page:
        """Calls that are asked for, newest first, `before` a call (0: from the newest one).

        `hidden` are hosts and purposes that the user does not want to see.
        """
        asked = self._asked(wanted, hidden)
        if asked is None:
            return Page((), 0, 0, more=False)
        count, more = asked.sum, False
        if not asked.whole:
            count = self._count(*asked.select("1"), MOST_COUNTED + 1)
            more = count > MOST_COUNTED
        ids, values = asked.select(asked.id, high=before - 1) if before else asked.select(asked.id)
        ordered = f"{ids} ORDER BY {asked.id} DESC LIMIT ?"
        found = [int(row[0]) for row in self._connection.execute(ordered, (*values, limit + 1))]
        older = found[limit - 1] if len(found) > limit else 0
        return Page(self._listed(found[:limit]), older, min(count, MOST_COUNTED) if more else count, more)

    def since(self, wanted: Filter, after: int, hidden: Sequence[tuple[str, str]] = ()) -> int:
        """How many calls that are asked for came after one; at most `MOST_COUNTED`."""
        asked = self._asked(wanted, hidden)
        return self._count(*asked.select("1", low=after + 1), MOST_COUNTED) if asked else 0

    def _count(self, select: str, values: Sequence[object], most: int) -> int:
        counting = f"SELECT count(*) FROM ({select} LIMIT ?)"  # noqa: S608  words of ours
        return int(self._connection.execute(counting, (*values, most)).fetchone()[0])

    def _asked(self, wanted: Filter, hidden: Sequence[tuple[str, str]]) -> _Asked | None:
        """A filter -> the query for its calls; `None` when there can be none."""
        where, kind_values = _kinds_where(wanted, hidden)
        chosen = self._connection.execute(f"SELECT id, calls FROM kind WHERE {where}", kind_values).fetchall()  # noqa: S608
        total = sum(calls for _, calls in chosen)
        match = self._match(wanted.text)
        if not total or (wanted.text and not match):
            return None
        # Few calls are fetched by their kinds and sorted; of many, the next page is met soon on the way back.
        source, number = f"call {'INDEXED BY call_kind' if total <= _RARE else 'NOT INDEXED'}", "call.id"
        tests = ["kind IN (SELECT value FROM json_each(?))"]
        values: list[object] = [_list(id_ for id_, _ in chosen)]
        within = (0, sys.maxsize)
        since, until = moment(wanted.since), moment(wanted.until, end=True)
        if since is not None or until is not None:
            times = (since if since is not None else -math.inf, until if until is not None else math.inf)
            tests += ["time >= ?", "time < ?"]
            values += times
            within = self._between(times)
        if match and total <= _RARE:
            # The numbers of few calls are put together first, so that no other call is looked up.
            among = f"+words.rowid IN (SELECT id FROM {source} WHERE {' AND '.join(tests)})"  # noqa: S608  words of ours
            source, number, tests = "words", "words.rowid", ["words MATCH ?", among]
            values.insert(0, match)
        elif match:
            source, number = "words CROSS JOIN call ON call.id = words.rowid", "words.rowid"
            tests.insert(0, "words MATCH ?")
            values.insert(0, match)
        return _Asked(
            f"FROM {source} WHERE {' AND '.join(tests)}", number, tuple(values), within, total, len(tests) == 1
        )

    def _between(self, times: tuple[float, float]) -> tuple[int, int]:
        """The lowest and the highest number of calls in a time: numbers go with the time but for small disorder."""
        asked = "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM call WHERE time >= ? AND time < ?"
        low, high = self._connection.execute(asked, times).fetchone()
        return int(low), int(high)

    def _match(self, text: str) -> str:
        """Words -> an expression of FTS5 for texts in which all stand; one that stands nowhere, where it begins."""
        return " AND ".join(map(self._word, re.findall(r"[^\W_]+", text)[:10]))

    def _word(self, word: str) -> str:
        whole = f'"{word}"'
        if self._connection.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (whole,)).fetchone():
            return whole
        if not word.isascii():  # the store has it without accents
            return f"{whole}*"
        self._connection.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab (main, words, row)"
        )
        asked = "SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ? LIMIT ?"
        bounds = (word.lower(), f"{word.lower()}\U0010ffff")
        found = [term for (term,) in self._connection.execute(asked, (*bounds, _BEGINNINGS + 1))]
        return f"({' OR '.join(f'"{term}"' for term in found)})" if 0 < len(found) <= _BEGINNINGS else f"{whole}*"

    def _listed(self, ids: Sequence[int]) -> tuple[Listed, ...]:
        rows = self._connection.execute(_LISTED, (_list(ids),))
        return tuple(sorted((_of(row) for row in rows), key=lambda call: -call.id))

    def call(self, id_: int) -> Listed | None:
        """One call by its place in the file; `None` when there is none."""
        return next(iter(self._listed([id_])), None)

    def numbered(self, n: int) -> Listed | None:
        """One call by the number under which reports and `explain` know it; `None` when there is none."""
        return self.call((self._connection.execute("SELECT id FROM call WHERE n = ?", (n,)).fetchone() or (-1,))[0])

    def newest(self, limit: int, hidden: Sequence[tuple[str, str]] = ()) -> tuple[Listed, ...]:
        """The newest calls to somebody else."""
        return self.page(Filter(), 0, hidden, limit).calls

    def told(self, limit: int) -> tuple[Listed, ...]:
        """The newest call of each kind in which something was judged, the newest kind first."""
        rows = self._connection.execute(
            "SELECT last FROM kind WHERE verdict != '' AND outside ORDER BY last DESC LIMIT ?", (limit,)
        )
        return self._listed([int(row[0]) for row in rows])

    def sums(self, field: str, *, outside: bool = True, limit: int = 12) -> tuple[Sum, ...]:
        """Calls by a field of their kinds, the most frequent first."""
        assert field in _FIELDS  # noqa: S101 - a name of ours
        rows = self._connection.execute(
            f"SELECT {field}, sum(calls), sum(calls * readable), sum(bytes_out), sum(bytes_out * readable) FROM kind "  # noqa: S608
            "WHERE outside >= ? GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
            (int(outside), limit),
        )
        return tuple(Sum(*row) for row in rows)

    def total(self, *, outside: bool = True) -> Sum:
        """All calls, or those to somebody else."""
        row = self._connection.execute(
            "SELECT '', coalesce(sum(calls), 0), coalesce(sum(calls * readable), 0), coalesce(sum(bytes_out), 0), "
            "coalesce(sum(bytes_out * readable), 0) FROM kind WHERE outside >= ?",
            (int(outside),),
        ).fetchone()
        return Sum(*row)

    def items(self) -> dict[str, int]:
        """Data items -> how many calls carry them."""
        found: dict[str, int] = {}
        for items, calls in self._connection.execute("SELECT items, sum(calls) FROM kind WHERE items != '' GROUP BY 1"):
            for item in {mark.partition(":")[0] for mark in items.split()}:
                found[item] = found.get(item, 0) + calls
        return found

    def span(self) -> tuple[float | None, float | None]:
        """Times of the first and the last call; `None` when none has one."""
        first, last = self._connection.execute("SELECT min(time), max(time) FROM call").fetchone()
        return first, last

    def of_host(self, host: str, limit: int) -> tuple[int, ...]:
        """The newest calls to a host."""
        rows = self._connection.execute(
            "SELECT call.id FROM call WHERE kind IN (SELECT id FROM kind WHERE host = ?) ORDER BY call.id DESC LIMIT ?",
            (host, limit),
        )
        return tuple(int(row[0]) for row in rows)


_FIELDS = ("device", "product", "host", "category", "recipient", "verdict", "party", "reason")

_LISTED = (
    "SELECT call.id, n, time, path, status, call.bytes_out, call.bytes_in, device, product, host, category, party, "
    "recipient, method, verdict, items, readable, reason FROM call JOIN kind ON kind.id = call.kind "
    "WHERE call.id IN (SELECT value FROM json_each(?))"
)


def _made(path: Path) -> None:
    """Makes the file if it is missing.  One that exists is left alone: to close it, by whatever name, would take away
    the locks that SQLite has on it in this process."""
    if not path.exists():
        home.private_file(path)


def remove(path: Path) -> None:
    """Removes a store with all that stands beside it."""
    for side in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + side).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=10.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _of(row: Sequence[object]) -> Listed:
    values: dict[str, Any] = dict(zip(Listed.__slots__, row, strict=True))
    marks = [(mark.partition(":")[0], mark.partition(":")[2]) for mark in values["items"].split()]
    marks.sort(key=lambda mark: severity(mark[1]))
    return Listed(**{**values, "items": tuple(marks), "readable": bool(values["readable"])})


def _list(ids: Iterable[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


def _kinds_where(wanted: Filter, hidden: Sequence[tuple[str, str]]) -> tuple[str, list[object]]:
    """A filter -> the condition on kinds, and its values."""
    tests, values = ["1"], list[object]()
    if not wanted.noise:
        tests.append("outside")
        for host, purpose in hidden:
            tests.append("NOT (host = ? AND category = ?)")
            values += [host, purpose]
    for column, value in (("device", wanted.device), ("category", wanted.purpose)):
        if value:
            tests.append(f"{column} = ?")
            values.append(value)
    if wanted.product:
        tests.append("product = ?")
        values.append("" if wanted.product == "-" else wanted.product)
    if wanted.item:
        tests.append("instr(items, ?)")
        values.append(f" {wanted.item}:")
    if wanted.verdict == "unreadable":
        tests.append("NOT readable")
    elif wanted.verdict:
        tests.append("instr(items, ?)")
        values.append(f":{wanted.verdict} ")
    if wanted.host:
        tests.append("(host = ? OR substr(host, -length(?)) = ? OR recipient = ?)")
        values += [wanted.host, f".{wanted.host}", f".{wanted.host}", wanted.host]
    return " AND ".join(tests), values
