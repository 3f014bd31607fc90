"""What is kept of a corpus on this machine alone: which file held what, what failed, and what a pack could touch.

`$PHONEHOME_HOME/corpus/<hash of the dataset's path>.db`, SQLite, private: it names files.  It may be thrown away at any
time: the captures are then read once more to be hashed, and found to be done.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from analysis.corpus.places import Place
from analysis.corpus.touched import Signs
from captures import home

_TABLES = """
CREATE TABLE IF NOT EXISTS places (
    path BLOB PRIMARY KEY, stamp TEXT NOT NULL, sha BLOB NOT NULL, fault BLOB NOT NULL, versions TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signs (sha BLOB PRIMARY KEY, signs BLOB NOT NULL) WITHOUT ROWID;
"""

_FORM = 1
"""Version of the tables; another one is thrown away."""


class Outcome(NamedTuple):
    """What became of a file, when its stamp was what it is now."""

    sha256: str = ""
    """Of what it held; empty when it could not be read for that, or nothing is known."""
    fault: str = ""
    """Why it gave nothing; empty when it gave something."""
    versions: str = ""
    """With which program and packs."""


class Remembered:
    """Use as a context.  What goes wrong with the file costs time and nothing else."""

    def __init__(self, folder: Path) -> None:
        """`folder` is that of the corpus."""
        name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:32]
        self._path = home.root() / "corpus" / f"{name}.db"

    def __enter__(self) -> Remembered:
        """Opens or makes the file."""
        self._path.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            self._db = self._opened()
        except sqlite3.Error:
            self._path.unlink(missing_ok=True)
            self._db = self._opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self._db.close()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(home.private_file(self._path), timeout=10.0, isolation_level=None)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] not in (0, _FORM):
                raise sqlite3.DatabaseError("another version")
            # What the machine loses when its power fails is only read once more.
            db.executescript(f"PRAGMA synchronous = OFF; {_TABLES} PRAGMA user_version = {_FORM};")
        except BaseException:
            db.close()
            raise
        return db

    def of(self, place: Place) -> Outcome:
        """What became of a file that is as it was then; an empty `Outcome` when it is not, or is new."""
        asked = "SELECT sha, fault, versions FROM places WHERE path = ? AND stamp = ?"
        row = place.stamp and self._db.execute(asked, (os.fsencode(place.path), place.stamp)).fetchone()
        return Outcome(row[0].hex(), row[1].decode(), row[2]) if row else Outcome()

    def note(self, outcomes: Iterable[tuple[Place, Outcome, Signs | None]]) -> None:
        """Keeps what became of files, and what a rule could match in them where that was found out."""
        places, signs = [], []
        for place, outcome, seen in outcomes:
            sha = bytes.fromhex(outcome.sha256)
            places.append((os.fsencode(place.path), place.stamp, sha, outcome.fault.encode(), outcome.versions))
            if seen:
                signs.append((sha, msgspec.msgpack.encode(seen)))
        try:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)", places)
            self._db.executemany("INSERT OR REPLACE INTO signs VALUES (?, ?)", signs)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def signs(self, sha256: str) -> Signs | None:
        """What of a capture a rule could match; `None` when that is not known."""
        row = self._db.execute("SELECT signs FROM signs WHERE sha = ?", (bytes.fromhex(sha256),)).fetchone()
        return msgspec.msgpack.decode(row[0], type=Signs) if row else None
