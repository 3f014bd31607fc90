"""What the user told the tool about himself, kept in `known.db` (SQLite, 0600).  So far: which servers are his own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from captures import home

APPLICATION = 0x70686B6E
"""Tells the file from other SQLite files (`phkn`)."""

VERSION = 1
"""Version of the table."""


class KnownError(ValueError):
    """The file cannot be used.  One sentence: place, what is wrong, what to do."""


class Known(NamedTuple):
    """One thing that the user named.  Private."""

    kind: str
    """`server`: a host name or address of his own media server."""
    value: str
    """As he gave it, in lower case."""
    added: float
    """When, seconds since the epoch (UTC)."""


def add(kind: str, values: Iterable[str]) -> None:
    """Remembers values; those that are known already stay as they are.  Raises `KnownError`."""
    rows = [(kind, value.strip().lower(), time.time()) for value in values if value.strip()]
    with _file() as file:
        file.executemany("INSERT OR IGNORE INTO known VALUES (?, ?, ?)", rows)


def forget(values: Iterable[str]) -> int:
    """Forgets values of any kind, and says how many were known.  Raises `KnownError`."""
    with _file() as file:
        return sum(
            file.execute("DELETE FROM known WHERE value = ?", (value.strip().lower(),)).rowcount for value in values
        )


def listed(kind: str = "") -> tuple[Known, ...]:
    """What is known, of one kind or of all, by kind and value.  Raises `KnownError`."""
    if not _path().exists():
        return ()
    with _file() as file:
        rows = file.execute("SELECT kind, value, added FROM known WHERE ? IN ('', kind) ORDER BY kind, value", (kind,))
        return tuple(Known(*row) for row in rows)


def _path() -> Path:
    return home.root() / "known.db"


@contextmanager
def _file() -> Iterator[sqlite3.Connection]:
    """The open file, in one transaction."""
    path = _path()
    try:
        home.private_file(path)
        file = sqlite3.connect(path)
        try:
            file.execute("PRAGMA secure_delete = ON")
            version = file.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise KnownError(f"{path}: was written by a newer phonehome; please update")
            if version < VERSION:
                file.executescript(
                    f"PRAGMA application_id = {APPLICATION};"
                    "CREATE TABLE IF NOT EXISTS known "
                    "(kind TEXT NOT NULL, value TEXT NOT NULL, added REAL NOT NULL, PRIMARY KEY (kind, value)) STRICT;"
                    f"PRAGMA user_version = {VERSION};"
                )
            with file:
                yield file
        finally:
            file.close()
    except sqlite3.DatabaseError as error:
        raise KnownError(f"{path}: cannot be used: {error}; move it away to begin anew") from None
