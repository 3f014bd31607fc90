"""What the user told the tool about himself, kept in `known.db` (SQLite, 0600)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from analysis.known.kinds import guess, refusal, written
from captures import home
from captures.model import Sentence

APPLICATION = 0x70686B6E
"""Tells the file from other SQLite files (`phkn`)."""

VERSION = 3
"""Version of the tables."""


class KnownError(ValueError):
    """The file cannot be used.  One sentence: place, what is wrong, what to do."""


class Known(NamedTuple):
    """One thing that the user named.  Private."""

    kind: str
    """A kind of `kinds.toml`, or one of `kinds.HASHES`.  `server`: a host name or address of his own media server."""
    value: str
    """As he gave it, but hosts and addresses in one spelling."""
    added: float
    """When, seconds since the epoch (UTC)."""
    origin: str = ""
    """Where it comes from: the path of the file whose name or hash it is; empty when he gave the value itself."""


class Added(NamedTuple):
    """What became of values that were to be remembered."""

    kinds: tuple[str, ...]
    """Kind of each value that is known now, in their order."""
    refused: tuple[str, ...]
    """One sentence for each other value, which is named by its number alone."""


def add(kind: str, values: Iterable[str], hashes: Callable[[Path], Iterable[tuple[str, str]]] | None = None) -> Added:
    """Remembers values; those that are known already stay as they are.  Raises `KnownError`.

    With an empty kind each is taken for what it looks like.  `hashes` gives kind and value of the hashes of a file that
    the user named.
    """
    rows: list[tuple[str, str, float, str]] = []
    kinds: list[str] = []
    refused: list[Sentence] = []
    now = time.time()
    for number, given in enumerate((value for value in values if value.strip()), 1):
        of = kind or guess(given)
        try:
            fresh = [*_rows(of, given, hashes)]
        except (ValueError, OSError) as error:
            what = error.strerror if isinstance(error, OSError) else str(error)
            refused.append(f"value {number} ({of}): {what}")
            continue
        kinds.append(of)
        rows += [(one, value, now, origin) for one, value, origin in fresh]
    if rows:
        with opened() as file:
            file.executemany("INSERT OR IGNORE INTO known VALUES (?, ?, ?, ?)", rows)
    return Added(tuple(kinds), tuple(refused))


def _rows(
    kind: str, given: str, hashes: Callable[[Path], Iterable[tuple[str, str]]] | None
) -> Iterator[tuple[str, str, str]]:
    """Kind, value, origin of everything that one value brings.  Raises `ValueError`, `OSError`."""
    if kind != "file":
        value = written(kind, given)
        if kind != "server" and (why := refusal(kind, value)):
            raise ValueError(why)
        yield kind, value, ""
        return
    name = written(kind, given.replace("\\", "/").rstrip("/").rpartition("/")[2])
    if why := refusal(kind, name):
        raise ValueError(why)
    path = Path(given).expanduser()
    origin = str(path.absolute()) if path.is_file() else given if given != name else ""
    yield kind, name, origin
    if hashes and path.is_file():
        yield from ((one, value, origin) for one, value in hashes(path))


def forget(values: Iterable[str] | None) -> int:
    """Forgets values of any kind, `None` all, and says how many were known.  Raises `KnownError`.

    Case does not matter; a file is forgotten by its path or its name, and its hashes with it.
    """
    if values is None:
        values = [one.value for one in listed()]
    asked = {value.strip().casefold() for value in values}
    asked |= {str(Path(value).expanduser().absolute()).casefold() for value in values if "/" in value}
    kept = listed()
    origins = {one.origin for one in kept if one.origin and {one.value.casefold(), one.origin.casefold()} & asked}
    gone = [one for one in kept if _spellings(one) & asked or (one.origin and one.origin in origins)]
    if gone:
        with opened() as file:
            file.executemany("DELETE FROM known WHERE kind = ? AND value = ?", [(one.kind, one.value) for one in gone])
    return sum(not one.origin or one.kind == "file" for one in gone)


def _spellings(one: Known) -> set[str]:
    """What the user may type to mean a value."""
    return {one.value.casefold(), one.value.casefold().replace(":", "-"), one.value.replace(":", "")}


def listed(kind: str = "") -> tuple[Known, ...]:
    """What is known, of one kind or of all, by kind and value.  Raises `KnownError`."""
    if not exists():
        return ()
    with opened() as file:
        rows = file.execute(
            "SELECT kind, value, added, origin FROM known WHERE ? IN ('', kind) ORDER BY kind, value", (kind,)
        )
        return tuple(Known(*row) for row in rows)


def exists() -> bool:
    """Whether anything was ever named."""
    return home.known().exists()


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """The open file, in one transaction, for this folder's modules alone.  What is deleted is overwritten in the file,
    and what SQLite sorts stays in memory.  Raises `KnownError`."""
    path = home.known()
    try:
        home.private_file(path)
        file = sqlite3.connect(path)
        try:
            file.execute("PRAGMA secure_delete = ON")
            file.execute("PRAGMA temp_store = MEMORY")
            version = file.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise KnownError(f"{path}: was written by a newer phonehome; please update")
            for step in _STEPS[version:]:
                file.executescript(step)
            with file:
                yield file
        finally:
            file.close()
    except sqlite3.DatabaseError as error:
        raise KnownError(f"{path}: cannot be used: {error}; move it away to begin anew") from None


_STEPS = (
    f"""BEGIN IMMEDIATE;
    PRAGMA application_id = {APPLICATION};
    CREATE TABLE known (kind TEXT NOT NULL, value TEXT NOT NULL, added REAL NOT NULL, PRIMARY KEY (kind, value)) STRICT;
    PRAGMA user_version = 1;
    COMMIT;""",
    """BEGIN IMMEDIATE;
    ALTER TABLE known ADD COLUMN origin TEXT NOT NULL DEFAULT '';
    PRAGMA user_version = 2;
    COMMIT;""",
    """BEGIN IMMEDIATE;
    CREATE TABLE salt (value BLOB NOT NULL) STRICT;
    CREATE TABLE imports (id INTEGER PRIMARY KEY, importer TEXT NOT NULL, place TEXT NOT NULL, time REAL NOT NULL)
        STRICT;
    CREATE TABLE works (id INTEGER PRIMARY KEY, import INTEGER NOT NULL, key INTEGER NOT NULL, year INTEGER,
        duration REAL) STRICT;
    CREATE INDEX works_of_import ON works (import);
    CREATE TABLE names (work INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (work, kind, value)) STRICT, WITHOUT ROWID;
    CREATE TABLE marks (work INTEGER NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (work, kind, hash)) STRICT, WITHOUT ROWID;
    CREATE TABLE files (work INTEGER NOT NULL, duration REAL, bitrate INTEGER, width INTEGER, height INTEGER,
        size INTEGER, container TEXT NOT NULL, video_codec TEXT NOT NULL, audio_codec TEXT NOT NULL) STRICT;
    CREATE INDEX files_of_work ON files (work);
    PRAGMA user_version = 3;
    COMMIT;""",
)
"""How each version of the file becomes the next one."""
