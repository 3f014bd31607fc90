"""The user's own library, as `known import` read it: names to look for, hashes of what is only recognised, numbers.

Kept in the same file as the values that the user gave (`store`).  Titles and file names are kept as they are, because
they are searched for; paths, external ids and addresses of pictures as keyed hashes, which recognise them and tell
nobody what they are.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import NamedTuple

from analysis.known.kinds import squeezed
from analysis.known.store import exists, opened

_LONGEST = 1_000
"""Characters of a title or file name that are kept."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One file of a work, as the server or the file itself describes it.  Private."""

    path: str = ""
    """As the server names it; empty when it does not say."""
    duration: float | None = None
    """Seconds."""
    bitrate: int | None = None
    """Kilobits a second, of the whole file."""
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    size: int | None = None
    """Bytes."""
    container: str = ""
    """`mkv`, `mp4`, …; empty when it is not known."""
    video_codec: str = ""
    """`h264`, …, likewise."""
    audio_codec: str = ""
    """`aac`, …, likewise."""
    moviehash: str = ""
    """OpenSubtitles' hash, 16 hex digits; empty when it was not worked out."""


@dataclass(frozen=True, slots=True)
class Work:
    """One film, series, episode, album or track, with its files.  Private."""

    kind: str
    """`movie`, `show`, `episode`, `artist`, `album`, `track`, `photo`, or whatever the source calls it."""
    title: str
    """Its own title."""
    original: str = ""
    """Title in the original language, if it is another one."""
    series: str = ""
    """Of an episode the series, of a track the artist."""
    season: int | None = None
    """Number of the season, or of the disc."""
    episode: int | None = None
    """Number in the season, or of the track."""
    year: int | None = None
    """Of its release."""
    ids: tuple[str, ...] = ()
    """External ids: `tt0000001`, `tmdb://17`, `plex://movie/…`."""
    pictures: tuple[str, ...] = ()
    """Addresses or ids of its posters and other pictures."""
    files: tuple[MediaFile, ...] = ()
    """Its files; empty for a series."""


class Import(NamedTuple):
    """One library that was read."""

    importer: str
    """Name in `analysis.importers.IMPORTERS`."""
    place: str
    """Address of the server, or path.  Private."""
    time: float
    """When it was read, seconds since the epoch (UTC)."""
    works: int
    """How many works are known from it."""
    files: int
    """How many files."""


class LibraryFile(NamedTuple):
    """The numbers of one file.  They tell no title, but may tell the file: private."""

    title: int
    """The same for all files of one work, and for the same work in two libraries; says nothing about the title."""
    duration: float | None
    """Seconds."""
    bitrate: int | None
    """Kilobits a second."""
    width: int | None
    """Pixels."""
    height: int | None
    """Pixels."""
    size: int | None
    """Bytes."""
    container: str
    """`mkv`, …; empty when it is not known."""
    video_codec: str
    """`h264`, …, likewise."""
    audio_codec: str
    """`aac`, …, likewise."""


class LibraryName(NamedTuple):
    """One title or file name, with what may stand beside it.  Private."""

    kind: str
    """`title` or `file`."""
    value: str
    """As the source writes it, spaces made single."""
    work: int
    """Number of the work, the same for all its names."""
    year: int | None
    """Of its release."""
    duration: float | None
    """Seconds."""


class Marks:
    """What is only recognised: ids, pictures, paths, hashes of files."""

    __slots__ = ("_salt", "_works")

    def __init__(self, salt: bytes = b"", rows: Iterable[tuple[str, bytes, int]] = ()) -> None:
        """`rows`: kind, hash, number of the work."""
        self._salt = salt
        self._works: dict[str, dict[int, int]] = {}
        for kind, hashed, work in rows:
            self._works.setdefault(kind, {})[int.from_bytes(hashed)] = work

    def work(self, kind: str, value: str) -> int | None:
        """Number of the work that such a mark is of; `None` when it is of none."""
        of_kind = self._works.get(kind)
        return of_kind.get(int.from_bytes(digest(value, self._salt))) if of_kind else None

    def counts(self) -> tuple[tuple[str, int], ...]:
        """Kinds, and how many there are of each."""
        return tuple((kind, len(works)) for kind, works in sorted(self._works.items()))


def keep(importer: str, place: str, works: Iterable[Work], progress: Callable[[int], None] | None = None) -> Import:
    """Remembers a library; what was known of the same place is replaced.  `progress` is told the works so far.

    Nothing is kept when reading fails on the way.  Raises `KnownError`, and whatever `works` raises.
    """
    now = time.time()
    count = files = 0
    with opened() as file:
        salt = _salt(file)
        _drop(file, "SELECT id FROM imports WHERE importer = ? AND place = ?", (importer, place))
        number = file.execute("INSERT INTO imports VALUES (NULL, ?, ?, ?)", (importer, place, now)).lastrowid
        assert number is not None  # noqa: S101 - an INSERT has a row
        for some in batched(works, _AT_ONCE):
            _insert(file, number, some, salt)
            count += len(some)
            files += sum(len(work.files) for work in some)
            if progress:
                progress(count)
    return Import(importer, place, now, count, files)


def _insert(file: sqlite3.Connection, number: int, works: Iterable[Work], salt: bytes) -> None:
    first = file.execute("SELECT coalesce(max(id), 0) FROM works").fetchone()[0] + 1
    rows, names, marks, files = [], [], [], []
    for work_id, work in enumerate(works, first):
        duration = next((one.duration for one in work.files if one.duration), None)
        rows.append((work_id, number, _key(work, salt), work.year, duration))
        names += [(work_id, kind, value) for kind, value in _names(work)]
        marks += [(work_id, kind, digest(value, salt)) for kind, value in _marks(work)]
        files += [
            (work_id, x.duration, x.bitrate, x.width, x.height, x.size, x.container, x.video_codec, x.audio_codec)
            for x in work.files
        ]
    file.executemany("INSERT INTO works VALUES (?, ?, ?, ?, ?)", rows)
    file.executemany("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", names)
    file.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?, ?)", marks)
    file.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", files)


def _key(work: Work, salt: bytes) -> int:
    """What tells works apart, as a number."""
    parts = (work.kind, squeezed(work.series), work.season, work.episode, squeezed(work.title), work.year)
    return int.from_bytes(digest(repr(parts), salt), signed=True)


def _names(work: Work) -> Iterator[tuple[str, str]]:
    """What is searched for as it is."""
    for title in (work.title, work.original):
        if title := " ".join(title.split())[:_LONGEST]:
            yield "title", title
    for one in work.files:
        name = one.path.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if name := " ".join(name.split())[:_LONGEST]:
            yield "file", name


def _marks(work: Work) -> Iterator[tuple[str, str]]:
    """What is only recognised."""
    yield from (("id", normal) for one in work.ids if (normal := normal_id(one)))
    yield from (("picture", normal) for one in work.pictures if (normal := normal_picture(one)))
    for one in work.files:
        if one.path:
            yield "path", one.path
        if one.moviehash:
            yield "moviehash", one.moviehash


_IMDB = re.compile(r"\b(?:tt|nm)[0-9]{7,10}\b")
_LONG_HEX = re.compile(r"(?<![0-9a-f])[0-9a-f]{24,64}(?![0-9a-f])")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_NUMBERED = re.compile(r"\b(tmdb|themoviedb|tvdb|thetvdb|imdb|anidb|anilist|mal|trakt)[a-z_]*\W{1,3}([0-9]{1,12})\b")
_SAME = {"themoviedb": "tmdb", "thetvdb": "tvdb"}


def normal_id(text: str) -> str:
    """An external id -> one way to write it; empty when it is none that can be told from chance.

    >>> [normal_id(x) for x in ("imdb://tt0000017", "com.plexapp.agents.themoviedb://17?lang=en", "plex://movie/17")]
    ['tt0000017', 'tmdb:17', '']
    """
    low = text.strip().lower()
    for pattern in (_IMDB, _UUID, _LONG_HEX):
        if match := pattern.search(low):
            return match[0]
    match = _NUMBERED.search(low)
    return f"{_SAME.get(match[1], match[1])}:{match[2]}" if match else ""


def normal_picture(text: str) -> str:
    """Address or id of a picture -> what names the picture in it; empty when that is too short to tell one.

    >>> normal_picture("https://image.example/t/p/w500/kqjL17yufvn9OVLyXYpvtyrFfak.jpg?x=1")
    'kqjl17yufvn9ovlyxypvtyrffak'
    >>> normal_picture("/library/metadata/17/thumb/1700000000")
    ''
    """
    name = text.strip().partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return stem.lower() if len(stem) >= _PICTURE and not stem.isdigit() else ""


_PICTURE = 16
"""Characters of a picture's id, from which on it is not met by chance."""


def digest(text: str, salt: bytes) -> bytes:
    """A text -> eight bytes that recognise it, with this key."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=salt).digest()


def _salt(file: sqlite3.Connection) -> bytes:
    row = file.execute("SELECT value FROM salt").fetchone()
    if row:
        return bytes(row[0])
    salt = secrets.token_bytes(16)
    file.execute("INSERT INTO salt VALUES (?)", (salt,))
    return salt


def imports() -> tuple[Import, ...]:
    """The libraries that were read, the first one first.  Raises `KnownError`."""
    if not exists():
        return ()
    with opened() as file:
        rows = file.execute(
            "SELECT importer, place, time, (SELECT count(*) FROM works WHERE works.import = imports.id),"
            " (SELECT count(*) FROM files JOIN works ON works.id = files.work WHERE works.import = imports.id)"
            " FROM imports ORDER BY id"
        )
        return tuple(Import(*row) for row in rows)


def names() -> tuple[tuple[LibraryName, ...], Marks]:
    """All titles and file names of the own library, and its marks.  Raises `KnownError`."""
    if not exists():
        return (), Marks()
    with opened() as file:
        found = file.execute(
            "SELECT names.kind, value, work, year, duration FROM names JOIN works ON works.id = names.work"
            " ORDER BY names.kind DESC, value, work"
        )
        marks = file.execute("SELECT kind, hash, work FROM marks")
        return tuple(LibraryName(*row) for row in found), Marks(_salt(file), marks)


def library() -> tuple[LibraryFile, ...]:
    """The numbers of all files of the own library, each file once a library; empty when none was imported.

    Raises `KnownError`.
    """
    if not exists():
        return ()
    with opened() as file:
        rows = file.execute(
            "SELECT works.key, files.duration, bitrate, width, height, size, container, video_codec, audio_codec"
            " FROM files JOIN works ON works.id = files.work ORDER BY files.rowid"
        )
        return tuple(LibraryFile(*row) for row in rows)


def forget_library(values: Iterable[str] | None = None) -> int:
    """Forgets works and says how many were known.  Raises `KnownError`.

    `values` are places of imports, titles, file names or paths in any case; `None`: everything.
    """
    if not exists():
        return 0
    with opened() as file:
        if values is None:
            return _drop(file, "SELECT id FROM imports", ())
        salt = _salt(file)
        asked = [value.strip() for value in values]
        places = {place for value in asked for place in (value.rstrip("/"), str(Path(value).expanduser().absolute()))}
        count = sum(_drop(file, "SELECT id FROM imports WHERE place = ?", (place,)) for place in places)
        file.create_function("folded", 1, str.casefold, deterministic=True)
        for value in asked:
            found = file.execute(
                "SELECT work FROM names WHERE folded(value) = ?"
                " UNION SELECT work FROM marks WHERE kind = 'path' AND hash = ?",
                (value.casefold(), digest(value, salt)),
            ).fetchall()
            count += len(found)
            for table, column in (("names", "work"), ("marks", "work"), ("files", "work"), ("works", "id")):
                file.executemany(f"DELETE FROM {table} WHERE {column} = ?", found)  # noqa: S608 - our own names
        return count


def _drop(file: sqlite3.Connection, which: str, values: tuple[str, ...]) -> int:
    """Forgets whole imports; says how many works were in them."""
    numbers = [row[0] for row in file.execute(which, values).fetchall()]
    count = 0
    for number in numbers:
        works = "(SELECT id FROM works WHERE import = ?)"
        for table in ("names", "marks", "files"):
            file.execute(f"DELETE FROM {table} WHERE work IN {works}", (number,))  # noqa: S608 - our own names
        count += file.execute("DELETE FROM works WHERE import = ?", (number,)).rowcount
        file.execute("DELETE FROM imports WHERE id = ?", (number,))
    return count
