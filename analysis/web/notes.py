"""What the user wrote in the dashboard, in `$PHONEHOME_HOME/dashboard.db` (mode 0600): it outlives ledgers and views.

A call is known by what it was, not by its number, so that a note is found again in a copy and after older rows went.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from analysis.web.store import Listed
from captures import home

LONGEST = 10_000
"""Characters of a note."""

_TABLES = """
CREATE TABLE IF NOT EXISTS note (call BLOB PRIMARY KEY, seen INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS device (device TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hidden (host TEXT NOT NULL, purpose TEXT NOT NULL, PRIMARY KEY (host, purpose));
"""


class Note(NamedTuple):
    """What is noted of a call."""

    seen: bool = False
    """Whether the user has looked at it."""
    text: str = ""
    """What he wrote."""


def _path() -> Path:
    return home.root() / "dashboard.db"


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    home.private_file(_path())
    with closing(sqlite3.connect(_path(), timeout=5.0)) as connection, connection:
        connection.executescript(_TABLES)
        yield connection


def key(call: Listed) -> bytes:
    """A call -> by what its note is found."""
    facts = (call.time, call.device, call.host, call.method, call.path)
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).digest()


def of(calls: Iterator[Listed] | tuple[Listed, ...]) -> dict[int, Note]:
    """Calls of a list -> number in the store -> what is noted; without those of which nothing is."""
    if not _path().exists():
        return {}
    with _opened() as file:
        found = {}
        for call in calls:
            row = file.execute("SELECT seen, text FROM note WHERE call = ?", (key(call),)).fetchone()
            if row:
                found[call.id] = Note(bool(row[0]), row[1])
        return found


def write(call: Listed, note: Note) -> None:
    """Keeps what is noted of a call; nothing is kept of nothing."""
    with _opened() as file:
        file.execute("DELETE FROM note WHERE call = ?", (key(call),))
        if note != Note():
            file.execute("INSERT INTO note VALUES (?, ?, ?)", (key(call), note.seen, note.text[:LONGEST]))


def devices() -> dict[str, str]:
    """Devices -> the names that the user gave them."""
    if not _path().exists():
        return {}
    with _opened() as file:
        return dict(file.execute("SELECT device, name FROM device"))


def name(device: str, given: str) -> None:
    """Names a device; an empty name takes it back."""
    with _opened() as file:
        file.execute("DELETE FROM device WHERE device = ?", (device,))
        if given.strip():
            file.execute("INSERT INTO device VALUES (?, ?)", (device, given.strip()[:60]))


def hidden() -> tuple[tuple[str, str], ...]:
    """Hosts and purposes that the user does not want to see."""
    if not _path().exists():
        return ()
    with _opened() as file:
        return tuple(file.execute("SELECT host, purpose FROM hidden ORDER BY 1, 2"))


def hide(host: str, purpose: str, *, hides: bool) -> None:
    """Hides calls to a host for a purpose, or shows them again."""
    with _opened() as file:
        file.execute("DELETE FROM hidden WHERE host = ? AND purpose = ?", (host, purpose))
        if hides:
            file.execute("INSERT INTO hidden VALUES (?, ?)", (host, purpose))
