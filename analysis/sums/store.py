"""The tables of the sums, in the index beside a ledger: its rows, of which kind each is, and what the rows prove.

Captured texts stand as bytes, since SQLite takes no halves of characters.  What comes again and again (a device, an
address, one end of a connection) stands once, in `text`.
"""

from __future__ import annotations

import ast
import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from analysis.evidence import SwitchState
from analysis.proofs import MediaServer, Proof, PublicAddress, ServerList
from analysis.spans import Spans
from captures.model import Endpoint

FORM = 3
"""Version of the tables; those of another one are thrown away."""

EXCHANGE, CONTACT, LOOKUP, UNREADABLE = range(4)
"""`row.type`."""

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS text (id INTEGER PRIMARY KEY, value BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS proof (value BLOB PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sender (client INTEGER NOT NULL, product TEXT NOT NULL, PRIMARY KEY (client, product));
CREATE TABLE IF NOT EXISTS name (address INTEGER PRIMARY KEY, host INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alias (host INTEGER PRIMARY KEY, name INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, judged BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS switch (
    row INTEGER NOT NULL, time REAL NOT NULL, product TEXT NOT NULL, switch TEXT NOT NULL, state INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS switch_row ON switch (row);
CREATE TABLE IF NOT EXISTS private (
    value BLOB NOT NULL, known INTEGER NOT NULL, what TEXT NOT NULL, any_length INTEGER NOT NULL,
    PRIMARY KEY (value, known, what, any_length)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kind (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, found BLOB NOT NULL, addresses BLOB, timed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS row (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, kind INTEGER NOT NULL, folded INTEGER NOT NULL, time REAL, end REAL,
    place INTEGER NOT NULL, device INTEGER NOT NULL, client INTEGER, waits INTEGER NOT NULL, unnamed INTEGER,
    carrier INTEGER, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL, open INTEGER NOT NULL,
    server INTEGER, lag REAL, path INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS row_client ON row (client, type, time) WHERE client IS NOT NULL;
CREATE INDEX IF NOT EXISTS row_place ON row (place, device, time);
CREATE INDEX IF NOT EXISTS row_kind ON row (kind);
CREATE INDEX IF NOT EXISTS row_unnamed ON row (unnamed) WHERE unnamed IS NOT NULL;
"""

_NAMES = ("about", "text", "proof", "sender", "name", "alias", "place", "switch", "private", "kind", "row")

_MOST_MET = 100_000
"""Texts whose numbers are remembered."""

_PROOFS: dict[str, type[Proof]] = {"servers": ServerList, "address": PublicAddress, "media-server": MediaServer}
_PROOF_OF = {kind: name for name, kind in _PROOFS.items()}


class Row(NamedTuple):
    """One row of a ledger, as reports count it."""

    id: int
    """Number in the ledger."""
    type: int
    """`EXCHANGE`, …"""
    kind: int
    """Number of its kind."""
    folded: int
    """Whether it is a connection whose exchanges are rows of their own, so that it counts for nothing."""
    time: float | None
    """Seconds since the epoch (UTC)."""
    end: float | None
    """Likewise."""
    place: int
    """Host and port (`text`)."""
    device: int
    """Device (`text`)."""
    client: int | None
    """The device's end of the connection (`text`)."""
    waits: int
    """Whether its sender is known by other calls from there alone, or not at all."""
    unnamed: int | None
    """Of a connection without a name its address (`text`)."""
    carrier: int | None
    """Of a connection whose client's end is not known, the place of exchanges that it may carry (`text`)."""
    bytes_out: int
    bytes_in: int
    open: int
    """Milliseconds from its beginning to its end."""
    server: int | None
    """Address of the other end (`text`)."""
    lag: float | None
    """See `alike.lag`."""
    path: int
    """Tells its path from others; 0 when it has none."""


class Brief(NamedTuple):
    """Something short that must not be posted (`privates.Private`)."""

    value: str
    """The value; one of the user's own as `Index.numbered` has it."""
    known: bool
    """Whether it is one of the user's own."""
    what: str
    any_length: bool


class Group(NamedTuple):
    """Rows of one kind in one stretch of time."""

    first: int
    """Number of the first row, in the order of the ledger."""
    kind: int
    calls: int
    bytes_out: int
    bytes_in: int
    open: int
    servers: frozenset[int]
    """Addresses (`text`)."""
    paths: tuple[int, int]
    """The least and the greatest `Row.path`."""
    times: tuple[float, float] | None
    """The first and the last time; `None` when none is known."""
    stretch: tuple[int, int]
    """Which stretch of time, and the row if it stands alone."""


class Store:
    """The tables, over the open index."""

    def __init__(self, connection: sqlite3.Connection, circumstances: str) -> None:
        """Empties them if they were filled under other circumstances.  Raises `sqlite3.Error`."""
        self._connection = connection
        self._met: dict[bytes, int] = {}
        self._products: dict[int, tuple[str, ...]] = {}
        self.kinds: dict[bytes, int] = {}
        """Kinds that were met: key -> number."""
        self._chosen = "NOT folded"
        self.briefs: set[Brief] = set()
        """What was met that must not be posted."""
        connection.executescript(_TABLES)
        if self.about("circumstances") != circumstances.encode():
            with self.together():
                for name in _NAMES:
                    connection.execute(f"DELETE FROM {name}")  # noqa: S608  names of ours
                self.say("circumstances", circumstances.encode())

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is kept within is kept whole or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            for met in (self._met, self._products, self.kinds, self.briefs):
                met.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def about(self, name: str) -> bytes:
        """Something that was said of the whole; empty when it was not."""
        found = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return bytes(found[0]) if found else b""

    def say(self, name: str, value: bytes) -> None:
        """Says something of the whole."""
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def number(self, value: bytes) -> int:
        """A text -> its number."""
        known = self._met.get(value)
        if known is None:
            known = self.known(value)
            if known is None:
                known = self._connection.execute("INSERT INTO text (value) VALUES (?)", (value,)).lastrowid or 0
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met[value] = known
        return known

    def known(self, value: bytes) -> int | None:
        """A text -> its number, `None` when it did not occur."""
        found = self._connection.execute("SELECT id FROM text WHERE value = ?", (value,)).fetchone()
        return int(found[0]) if found else None

    def text(self, number: int) -> bytes:
        """A number -> the text."""
        return bytes(self._connection.execute("SELECT value FROM text WHERE id = ?", (number,)).fetchone()[0])

    def prove(self, proofs: dict[Proof, tuple[int, int]]) -> None:
        """Keeps proofs, each with the first and the last row that holds it."""
        rows = [(_packed(proof), first, last) for proof, (first, last) in proofs.items()]
        self._connection.executemany(
            "INSERT INTO proof VALUES (?, ?, ?) ON CONFLICT (value) DO UPDATE SET last = excluded.last", rows
        )

    def proofs(self) -> list[Proof]:
        """All proofs: lists of servers in the order in which each came last, the others as they came first."""
        lists = self._connection.execute("SELECT value FROM proof ORDER BY last").fetchall()
        others = self._connection.execute("SELECT value FROM proof ORDER BY first").fetchall()
        every = [_unpacked(value) for (value,) in lists]
        return [proof for proof in every if isinstance(proof, ServerList)] + [
            proof for proof in (_unpacked(value) for (value,) in others) if not isinstance(proof, ServerList)
        ]

    def products(self, client: int) -> tuple[str, ...]:
        """The products that showed themselves on one end of a connection."""
        known = self._products.get(client)
        if known is None:
            found = self._connection.execute("SELECT product FROM sender WHERE client = ? ORDER BY product", (client,))
            if len(self._products) >= _MOST_MET:
                self._products.clear()
            known = self._products[client] = tuple(product for (product,) in found)
        return known

    def show_sender(self, client: int, product: str) -> None:
        """Keeps that a product showed itself there."""
        self._connection.execute("INSERT OR IGNORE INTO sender VALUES (?, ?)", (client, product))
        self._products.pop(client, None)

    def host_of(self, address: int) -> bytes | None:
        """Address -> the name that was asked for last and answered with it."""
        found = self._connection.execute("SELECT host FROM name WHERE address = ?", (address,)).fetchone()
        return self.text(found[0]) if found else None

    def name_address(self, address: int, host: int) -> None:
        """Keeps by which name an address was asked for last."""
        self._connection.execute("INSERT OR REPLACE INTO name VALUES (?, ?)", (address, host))

    def alias(self, host: int, name: int) -> None:
        """Keeps by which name DNS answered another one last."""
        self._connection.execute("INSERT OR REPLACE INTO alias VALUES (?, ?)", (host, name))

    def aliases(self) -> dict[str, str]:
        """Host -> the last name by which DNS answered it."""
        found = self._connection.execute(
            "SELECT a.value, b.value FROM alias JOIN text a ON a.id = host JOIN text b ON b.id = name"
        )
        return {decoded(host): decoded(name) for host, name in found}

    def places(self) -> Iterator[tuple[int, tuple[int, str, int], bytes]]:
        """All places: number, (type of row, host, port), and how it was judged."""
        every = self._connection.execute("SELECT id, value, judged FROM place JOIN text USING (id)").fetchall()
        for number, value, judged in every:
            yield number, place_of(value), judged

    def judge_places(self, judged: Iterable[tuple[int, bytes]]) -> None:
        """Keeps how places are judged."""
        self._connection.executemany("INSERT OR REPLACE INTO place VALUES (?, ?)", judged)

    def rows_where(self, column: str, numbers: Iterable[int], also: str = "") -> list[int]:
        """Numbers of the rows in which a column holds one of these numbers."""
        wanted = msgspec.json.encode(list(numbers)).decode()
        asked = f"SELECT id FROM row WHERE {column} IN (SELECT value FROM json_each(?)) {also}"  # noqa: S608  words of ours
        return [row for (row,) in self._connection.execute(asked, (wanted,))]

    def mentioning(self, addresses: frozenset[str]) -> list[int]:
        """Numbers of the rows of kinds in which one of these addresses stands."""
        asked = "SELECT id, addresses FROM kind WHERE addresses IS NOT NULL"
        kinds = [
            kind
            for kind, packed in self._connection.execute(asked)
            if not addresses.isdisjoint(msgspec.msgpack.decode(packed, type=list[str]))
        ]
        return self.rows_where("kind", kinds)

    def kind(self, key: bytes, found: bytes, addresses: Sequence[str], *, timed: bool) -> int:
        """A kind, kept if it is new -> its number."""
        if (met := self.kinds.get(key)) is not None:
            return met
        known = self._connection.execute("SELECT id FROM kind WHERE key = ?", (key,)).fetchone()
        if known is None:
            packed = msgspec.msgpack.encode(sorted(addresses)) if addresses else None
            asked = "INSERT INTO kind (key, found, addresses, timed) VALUES (?, ?, ?, ?)"
            known = (self._connection.execute(asked, (key, found, packed, timed)).lastrowid,)
        if len(self.kinds) >= _MOST_MET:
            self.kinds.clear()
        number = self.kinds[key] = int(known[0])
        return number

    def hide(self, briefs: Iterable[Brief]) -> None:
        """Keeps what must not be posted."""
        fresh = {brief for brief in briefs if brief not in self.briefs}
        asked = "INSERT OR IGNORE INTO private VALUES (?, ?, ?, ?)"
        self._connection.executemany(asked, ((encoded(one.value), *one[1:]) for one in fresh))
        if len(self.briefs) >= _MOST_MET:
            self.briefs.clear()
        self.briefs |= fresh

    def hidden(self) -> Iterator[Brief]:
        """All that must not be posted."""
        for value, known, what, any_length in self._connection.execute("SELECT * FROM private"):
            yield Brief(decoded(value), bool(known), what, bool(any_length))

    def put(self, rows: Sequence[Row], states: Iterable[tuple[int, SwitchState]]) -> None:
        """Keeps rows, in place of what was kept of them, and the states of switches that they show."""
        c = self._connection
        c.executemany("DELETE FROM switch WHERE row = ?", ((row.id,) for row in rows))
        c.executemany(f"INSERT OR REPLACE INTO row VALUES ({', '.join('?' * len(Row._fields))})", rows)  # noqa: S608
        c.executemany(
            "INSERT INTO switch VALUES (?, ?, ?, ?, ?)",
            ((row, state.time, state.product, state.switch, state.on) for row, state in states),
        )

    def fold(self, rows: Iterable[int], near: float) -> None:
        """Marks the connections among these rows whose exchanges are there (`captures.join`)."""
        self._connection.executemany(_FOLD, ({"id": row, "near": near} for row in rows))

    def contacts_beside(self, exchanges: Sequence[Row]) -> list[int]:
        """Exchanges -> the connections that may carry them."""
        clients = {row.client for row in exchanges if row.client is not None}
        found = self.rows_where("client", clients, f"AND type = {CONTACT}")
        for place, device in {(row.place, row.device) for row in exchanges}:
            _, host, port = place_of(self.text(place))
            if (theirs := self.known(place_text(CONTACT, host, port))) is not None:
                asked = "SELECT id FROM row WHERE place = ? AND device = ? AND client IS NULL"
                found += [row for (row,) in self._connection.execute(asked, (theirs, device))]
        return found

    def switches(self) -> tuple[SwitchState, ...]:
        """States of switches in the order of time, each as often as it became another."""
        found: list[SwitchState] = []
        last: dict[tuple[str, str], bool] = {}
        asked = "SELECT time, product, switch, state, row FROM switch ORDER BY time, row, rowid"
        for time, product, switch, state, row in self._connection.execute(asked):
            if last.get((product, switch)) is not bool(state):
                last[product, switch] = bool(state)
                found.append(SwitchState(time, product, switch, bool(state), row))
        return tuple(found)

    def choose(self, within: Callable[[float | None], bool]) -> None:
        """From now on only rows of these times are counted, but for `span` and `before`."""
        self._connection.create_function("within", 1, within)
        self._connection.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)")
        self._connection.execute("INSERT INTO chosen SELECT id FROM row WHERE NOT folded AND within(time)")
        self._chosen = "row.id IN (SELECT id FROM chosen)"

    def span(self) -> tuple[float | None, float | None, int]:
        """First and last time, and how many rows count."""
        asked = "SELECT min(time), max(time), count(*) FROM row WHERE NOT folded"
        first, last, count = self._connection.execute(asked).fetchone()
        return first, last, count

    def slowest(self) -> list[int]:
        """Numbers of the rows that show how far the clock of each device is behind."""
        asked = f"SELECT id, min(lag) FROM row WHERE lag IS NOT NULL AND {self._chosen} GROUP BY device"  # noqa: S608
        return [row for row, _ in self._connection.execute(asked)]

    def groups(self, limits: Sequence[float], alone: Sequence[int]) -> list[Group]:
        """Rows by kind and by the stretches of time between `limits`, in the order of their first rows.

        Those of the numbers `alone` are groups of their own.
        """
        sums = (
            "server, min(id), count(*), sum(bytes_out), sum(bytes_in), sum(open), min(path), max(path), "
            "min(time), max(time)"
        )
        asked = f"SELECT kind, {_stretch(limits, alone)}, {sums} FROM row WHERE {self._chosen} GROUP BY 1, 2, 3, 4"  # noqa: S608
        merged: dict[tuple[int, int, int], Group] = {}
        for row in self._connection.execute(asked, (*limits, *alone)):
            kind, n, one, server, first, count, out, back, open_, least, greatest, begin, end = row
            former = merged.get((kind, n, one))
            servers = frozenset(() if server is None else (server,))
            times = None if begin is None else (begin, end)
            group = Group(first, kind, count, out, back, open_, servers, (least, greatest), times, (n, one))
            merged[kind, n, one] = _both(former, group) if former else group
        return sorted(merged.values())

    def timed(
        self, limits: Sequence[float], alone: Sequence[int]
    ) -> Iterator[tuple[int, tuple[int, int], int, float | None]]:
        """Kinds of which it matters when each row was: kind, stretch of time, row, time."""
        asked = (
            f"SELECT kind, {_stretch(limits, alone)}, id, time FROM row "  # noqa: S608  words of ours
            f"WHERE {self._chosen} AND kind IN (SELECT id FROM kind WHERE timed) ORDER BY id"
        )
        for kind, n, one, row, time in self._connection.execute(asked, (*limits, *alone)):
            yield kind, (n, one), row, time

    def spread(
        self, every: Spans, limits: Sequence[float], alone: Sequence[int]
    ) -> dict[tuple[int, tuple[int, int]], dict[int, int]]:
        """Spans of time -> kind, stretch of time -> how many rows were in each span."""
        found: dict[tuple[int, tuple[int, int]], dict[int, int]] = defaultdict(dict)
        asked = (
            f"SELECT kind, {_stretch(limits, alone)}, min(CAST((time - ?) / ? AS INTEGER), ?), count(*) FROM row "  # noqa: S608
            f"WHERE {self._chosen} AND time BETWEEN ? AND ? GROUP BY 1, 2, 3, 4"
        )
        begin, step, number = every
        within = (begin, begin + step * number)
        values = (*limits, *alone, begin, step, number - 1, *within)
        for kind, n, one, span, some in self._connection.execute(asked, values):
            found[kind, (n, one)][span] = some
        return found

    def first(self, kinds: Iterable[int], most: int) -> list[int]:
        """Numbers of the first rows of some kinds, taken together."""
        asked = f"SELECT id FROM row WHERE kind = ? AND {self._chosen} ORDER BY id LIMIT ?"  # noqa: S608  words of ours
        rows = (self._connection.execute(asked, (kind, most)) for kind in kinds)
        return sorted(row for some in rows for (row,) in some)[:most]

    def before(self, rows: Sequence[int]) -> list[int]:
        """Numbers of rows, ascending -> how many rows count before each of them."""
        found, last, before = list[int](), -1, 0
        for row in rows:
            asked = "SELECT count(*) FROM row WHERE id > ? AND id < ? AND NOT folded"
            before += self._connection.execute(asked, (last, row)).fetchone()[0]
            found.append(before)
            last, before = row, before + 1
        return found

    def found(self, kind: int) -> bytes:
        """What was found in the rows of a kind, as the index packs it."""
        return bytes(self._connection.execute("SELECT found FROM kind WHERE id = ?", (kind,)).fetchone()[0])


_FOLD = f"""
UPDATE row SET folded = coalesce(CASE WHEN client IS NOT NULL THEN EXISTS (
    SELECT 1 FROM row AS other WHERE other.client = row.client AND other.type = {EXCHANGE}
        AND other.time BETWEEN row.time - :near AND coalesce(row.end, row.time) + :near
) ELSE EXISTS (
    SELECT 1 FROM row AS other WHERE other.place = row.carrier AND other.device = row.device
        AND other.time BETWEEN row.time AND coalesce(row.end, row.time)
) END, 0) WHERE id = :id AND type = {CONTACT}
"""  # noqa: S608  numbers of ours


def _stretch(limits: Sequence[float], alone: Sequence[int]) -> str:
    """Which stretch of time a row is in, and its number if it stands alone."""
    stretch = "coalesce(" + " + ".join(["0", *("(time >= ?)" for _ in limits)]) + ", -1)"
    return f"{stretch}, CASE WHEN id IN ({', '.join('?' * len(alone))}) THEN id ELSE 0 END"


def _both(a: Group, b: Group) -> Group:
    sums = (a.calls + b.calls, a.bytes_out + b.bytes_out, a.bytes_in + b.bytes_in, a.open + b.open)
    paths = (min(a.paths[0], b.paths[0]), max(a.paths[1], b.paths[1]))
    both = [times for times in (a.times, b.times) if times]
    times = (min(first for first, _ in both), max(last for _, last in both)) if both else None
    return Group(min(a.first, b.first), a.kind, *sums, a.servers | b.servers, paths, times, a.stretch)


def encoded(text: str) -> bytes:
    """Captured text -> bytes."""
    return text.encode("utf-8", "surrogatepass")


def decoded(value: bytes) -> str:
    """Bytes -> the text."""
    return value.decode("utf-8", "surrogatepass")


def place_text(kind: int, host: str, port: int) -> bytes:
    """Type of a row, host and port -> a text."""
    return b"%d %d " % (kind, port) + encoded(host)


def place_of(text: bytes) -> tuple[int, str, int]:
    """As `place_text`, backwards."""
    kind, port, host = text.split(b" ", 2)
    return int(kind), decoded(host), int(port)


def path_number(path: str) -> int:
    """A path -> a number of its own, as far as 64 bits tell apart."""
    return int.from_bytes(hashlib.blake2b(encoded(path), digest_size=8).digest(), signed=True)


def client_text(client: Endpoint) -> bytes:
    """One end of a connection -> a text."""
    return b"end %d " % client.port + encoded(client.address)


def _packed(proof: Proof) -> bytes:
    return repr((_PROOF_OF[type(proof)], *proof)).encode()


def _unpacked(value: bytes) -> Proof:
    name, *fields = ast.literal_eval(value.decode())
    return _PROOFS[name](*fields)
