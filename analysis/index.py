"""What was found in a ledger, kept beside it in `LEDGER.index`, so that the next report need not look again.

The ledger holds observations alone.  This file can be thrown away at any time: it is filled again as calls are looked
at, and belongs to one state of the ledger, to one version of the tool and of the packs, to what was proven about the
household, and to the user's own values.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from analysis import VERSION
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.look import Found
from analysis.model import Classified, Finding
from captures import home
from captures.ledger import identity
from captures.model import CaptureError

if TYPE_CHECKING:
    from analysis.known import OwnValues

APPLICATION_ID = 0x70686978
"""`phix`: marks a SQLite file as an index."""

FORM = 2
"""Version of the tables; another one is thrown away."""


class Index:
    """Findings of the calls of one ledger.  Use as a context.  Private, mode 0600.

    What goes wrong with the file (it is damaged, locked, the disk is full) costs time and nothing else: the findings
    are then worked out as without it.
    """

    def __init__(self, ledger: Path) -> None:
        """`ledger` is the path of the ledger; the index stands beside it."""
        self._ledger = ledger
        self._path = ledger.with_name(ledger.name + ".index")
        self._connection: sqlite3.Connection | None = None
        self._new: list[tuple[int, int, str, bytes]] = []
        self._own: tuple[str, ...] = ()
        self._numbers: dict[str, int] = {}
        self._identity = b""
        self.in_use = False
        """Whether another program writes to the file, so that it could not be used."""

    def __enter__(self) -> Index:
        """Opens or makes the file."""
        self._identity = identity(self._ledger)
        if not self._identity:
            return self
        try:
            self._connection = self._opened()
        except (sqlite3.Error, OSError, CaptureError) as error:
            if self.told(error):
                return self
            try:
                self._path.unlink(missing_ok=True)
                self._connection = self._opened()
            except (sqlite3.Error, OSError, CaptureError):
                self._connection = None
        return self

    def _opened(self) -> sqlite3.Connection:
        home.private_file(self._path)
        connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
        try:
            marks = (APPLICATION_ID, FORM)
            asked = (connection.execute(f"PRAGMA {name}") for name in ("application_id", "user_version"))
            found = tuple(answer.fetchone()[0] for answer in asked)
            if found != marks:
                if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise sqlite3.DatabaseError
                connection.executescript(_TABLES)
            return connection
        except BaseException:
            connection.close()
            raise

    def told(self, error: Exception) -> bool:
        """Whether an error says that another program uses the file; that is remembered."""
        self.in_use |= getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        return self.in_use

    def begin(self, knowledge: Knowledge, evidence: Evidence, own: OwnValues | None = None) -> None:
        """Says what the findings depend on; what was kept under other circumstances is thrown away.

        `own` are the user's own values, `None` when none are searched for.  The file names them by their numbers, so
        that nothing of them is left in it when they are forgotten.
        """
        self.knows(own)
        facts = (
            VERSION,
            sorted(knowledge.hashes.items()),
            sorted(evidence.public_addresses),
            sorted(evidence.own.hosts),
            own.revision if own else "",
            self._identity,
        )
        self._under(hashlib.sha256(repr(facts).encode()).hexdigest())

    def knows(self, own: OwnValues | None) -> None:
        """Says which values are the user's own, `None` when none are searched for."""
        self._own = (*(one.value for one in own.values), *(one.value for one in own.names)) if own else ()
        self._numbers = {value: number for number, value in enumerate(self._own)}

    @property
    def connection(self) -> sqlite3.Connection | None:
        """The file, for what else is kept in it; `None` when it cannot be used."""
        return self._connection

    @property
    def identity(self) -> bytes:
        """That of the ledger."""
        return self._identity

    def _under(self, circumstances: str) -> None:
        if self._connection is None:
            return
        try:
            kept = self._connection.execute("SELECT value FROM circumstances").fetchone()
            if kept != (circumstances,):
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("DELETE FROM found")
                self._connection.execute("DELETE FROM circumstances")
                self._connection.execute("INSERT INTO circumstances VALUES (?)", (circumstances,))
                self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._give_up()

    def kept(self, call: Classified) -> Found | None:
        """What is kept of a call, or `None` when it has to be looked at."""
        if self._connection is None:
            return None
        source = call.observation.source
        try:
            row = self._connection.execute(
                "SELECT judged, value FROM found WHERE flow = ? AND part = ?", (source.index, source.part)
            ).fetchone()
            if row is None or row[0] != _judged(call):
                return None
            return self.unpacked(row[1], call.n)
        except (sqlite3.Error, msgspec.MsgspecError, ValueError, IndexError):
            self._give_up()
            return None

    def unpacked(self, packed: bytes, n: int) -> Found:
        """What was found in a call, as it was packed -> the same; `n` is the number of the call now.

        Raises `msgspec.MsgspecError`, `ValueError` or `IndexError` for what is damaged.
        """
        kept = msgspec.msgpack.decode(packed, type=Found)
        return Found(tuple(self._named(finding, n) for finding in kept.findings), kept.ran_out)

    def packed(self, found: Found) -> bytes:
        """What was found in a call -> bytes; empty for half of a surrogate pair, which hostile bodies hold."""
        try:
            return msgspec.msgpack.encode(Found(tuple(map(self._numbered, found.findings)), found.ran_out))
        except UnicodeEncodeError:
            return b""

    def keep(self, call: Classified, found: Found) -> None:
        """Keeps what was found in a call."""
        source = call.observation.source
        if not (packed := self.packed(found)):
            return  # it is looked at anew each time
        self._new.append((source.index, source.part, _judged(call), packed))
        if len(self._new) >= 1000:
            self._write()

    def _numbered(self, finding: Finding) -> Finding:
        """The finding as it is kept: an own value as its number, what is only recognised as it stands in the call."""
        return replace(finding, value=self.numbered(finding.value)) if finding.source == "known" else finding

    def numbered(self, value: str) -> str:
        """One of the user's own values -> as it is kept: its number."""
        number = self._numbers.get(value)
        return f"={value}" if number is None else str(number)

    def named(self, kept: str) -> str:
        """As `numbered`, backwards.  Raises `ValueError` or `IndexError` for what is damaged."""
        return kept[1:] if kept.startswith("=") else self._own[int(kept)]

    def _named(self, finding: Finding, call: int) -> Finding:
        """A kept finding in the call of this number: numbers change when captures are read together."""
        value = self.named(finding.value) if finding.source == "known" else finding.value
        return replace(finding, call=call, value=value)

    def _write(self) -> None:
        rows, self._new = self._new, []
        if self._connection is None or not rows:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._give_up()

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def __exit__(self, *_: object) -> None:
        """Writes what is new and closes the file."""
        self._write()
        self._give_up()


_TABLES = f"""
CREATE TABLE circumstances (value TEXT NOT NULL);
CREATE TABLE found (
    flow INTEGER NOT NULL,
    part INTEGER NOT NULL,
    judged TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (flow, part)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORM};
"""


def _judged(call: Classified) -> str:
    """What the findings of one call depend on beside the call."""
    return f"{call.rule} {call.party} {call.role}"
