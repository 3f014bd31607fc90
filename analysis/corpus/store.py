"""A corpus on disk: one file for what each capture gave, and the tables that are made of them.

```
DATASET/corpus.json                         what it is: private or shared, which packs were used
DATASET/results/ab/<sha256>.<versions>      what one capture gave (MessagePack, zstd), or why it failed (`….failed`)
DATASET/calls|findings|verdicts|coverage/part-a.parquet   the same as tables
```

Every file is written aside and renamed: a run that is broken off, or a capture that is read twice, leaves nothing half
done and nothing double.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import groupby
from pathlib import Path

import msgspec

from analysis import VERSION
from analysis.corpus.tables import PRIVATE, SHARED, Columns, Tables, schema
from analysis.entities import LIST
from analysis.knowledge import ITEMS, NAMES, Knowledge
from analysis.ontology import ONTOLOGY
from captures import home

FORM = "phonehome/corpus/2"
"""Name and version of the dataset's form."""

FAILED = ".failed"
"""Ending of a file that says why a capture gave nothing."""

_GROUP = 50_000
"""Rows that are held in memory and written together."""


class CorpusError(ValueError):
    """A folder that is no corpus: place, what is wrong, what to do."""


class About(msgspec.Struct, frozen=True):
    """What `corpus.json` holds."""

    schema: str
    """Name and version of the form."""
    shared: bool
    """Whether it holds only what may be given away."""
    packs: dict[str, dict[str, str]] = {}
    """Short hash of a set of packs -> id and hash of each, for all that were used."""
    parts: dict[str, str] = {}
    """Part of the tables -> hash of the results in it."""


class Given(msgspec.Struct, frozen=True):
    """What one capture gave."""

    tables: Tables
    """Its rows."""

    def encode(self) -> bytes:
        """The content of a result's file."""
        import zstandard

        return zstandard.ZstdCompressor(write_checksum=True).compress(msgspec.msgpack.encode(self))

    @classmethod
    def decode(cls, raw: bytes) -> Given:
        """The reverse.  Raises `CorpusError` for a file that is cut off or damaged."""
        import zstandard

        try:
            return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(raw), type=cls)
        except (zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise CorpusError(f"a result is damaged: {error}") from None


class Part(msgspec.Struct, frozen=True, tag=True):
    """A part of the tables that has to be made anew."""

    out: str
    """Folder of the corpus."""
    name: str
    """With what the SHA-256 of its captures begins."""
    results: list[str]
    """Names of the results in it, failures left out."""


def versions(knowledge: Knowledge, shared: bool) -> tuple[str, str]:
    """What a result depends on beside the capture: hashes of the program with its tables, and of the packs."""
    packs = hashlib.sha256(repr(sorted(knowledge.hashes.items())).encode())
    return _core(shared), packs.hexdigest()[:12]


@cache
def _core(shared: bool) -> str:
    core = hashlib.sha256(f"{FORM} {VERSION} {shared}".encode())
    for path in (ITEMS, NAMES, ONTOLOGY, LIST):
        core.update(path.read_bytes())
    return core.hexdigest()[:12]


class Store:
    """A folder of results."""

    def __init__(self, folder: Path, *, shared: bool | None = None) -> None:
        """Opens it; with `shared` makes one where there is none.  Raises `CorpusError`."""
        self.folder = folder
        self._parts: dict[str, list[str]] = {}
        path = folder / "corpus.json"
        try:
            self.about = msgspec.json.decode(path.read_bytes(), type=About)
            if self.about.schema != FORM:
                raise msgspec.ValidationError(self.about.schema)
        except FileNotFoundError:
            if shared is None:
                raise CorpusError(
                    f"{folder}: holds no corpus; phonehome corpus CAPTURE... --out {folder} does"
                ) from None
            if folder.is_dir() and any(folder.iterdir()):
                raise CorpusError(f"{folder}: holds other things; choose an empty folder") from None
            home.folder(folder)
            self.about = About(FORM, shared)
            self._write_about()
        except (OSError, msgspec.MsgspecError):
            raise CorpusError(f"{folder}: is no corpus of this version; choose another folder") from None
        if shared is not None and shared != self.about.shared:
            why = "may be given away" if self.about.shared else "is private"
            raise CorpusError(f"{folder}: {why}, and the other kind was asked for; choose another folder")

    def note_packs(self, digest: str, hashes: Mapping[str, str]) -> None:
        """Remembers which packs a short hash stands for."""
        if digest not in self.about.packs:
            self.about = msgspec.structs.replace(self.about, packs={**self.about.packs, digest: dict(hashes)})
            self._write_about()

    def results(self) -> dict[str, list[str]]:
        """SHA-256 of a capture -> names of its results, failures among them, the newest last."""
        found: dict[str, list[str]] = defaultdict(list)
        for folder in self._folders():
            for name in os.listdir(folder):  # noqa: PTH208  a path for each costs ten times as much
                if not name.endswith(".part"):
                    found[name.partition(".")[0]].append(name)
        for sha, names in found.items():
            if len(names) > 1:
                found[sha] = sorted(names, key=lambda name: self.path(name).stat().st_mtime)
        return found

    def _folders(self) -> list[Path]:
        try:
            return sorted((self.folder / "results").iterdir())
        except FileNotFoundError:
            return []

    def path(self, name: str) -> Path:
        """Where a result lies."""
        return self.folder / "results" / name[:2] / name

    def adopt(self, old: str, new: str) -> None:
        """Gives a result the name of versions by which it would be the same."""
        self.path(old).rename(self.path(new))

    def drop_older(self, versions: str, results: Mapping[str, list[str]]) -> list[str]:
        """Removes what newer results replaced -> the results that are left, one a capture, in order."""
        left = []
        for sha, names in sorted(results.items()):
            current = [name for name in names if name.startswith(f"{sha}.{versions}")]
            # A capture that failed at first and gave something then.
            kept = min(current, key=len) if current else names[-1]
            left.append(kept)
            for name in names:
                if name != kept and current:
                    self.path(name).unlink(missing_ok=True)
        return left

    def stale(self, results: Sequence[str]) -> list[Part]:
        """Names of all results, one a capture, in order -> the parts of the tables that are not made of them."""
        self._parts = _parts(results)
        out = str(self.folder.absolute())
        return [
            Part(out, part, [name for name in names if not name.endswith(FAILED)])
            for part, names in self._parts.items()
            if self.about.parts.get(part) != _digest(names)
        ]

    def note_parts(self, damaged: Sequence[str]) -> None:
        """Remembers that the tables are made, and drops parts without results and results that cannot be read."""
        for name in damaged:
            self.path(name).unlink(missing_ok=True)
        for path in self.folder.glob("*/part-*.parquet"):
            if path.stem.removeprefix("part-") not in self._parts:
                path.unlink()
        broken = set(damaged)
        hashes = {part: _digest(names) for part, names in self._parts.items() if broken.isdisjoint(names)}
        if self.about.parts != hashes:
            self.about = msgspec.structs.replace(self.about, parts=hashes)
            self._write_about()

    def _write_about(self) -> None:
        path = self.folder / "corpus.json"
        write(path, msgspec.json.encode(self.about) + b"\n")


def _parts(results: Sequence[str]) -> dict[str, list[str]]:
    """Names of results -> those of each part: of 16 parts, or, of many captures, of 256 or 4,096."""
    width = 1 if len(results) < 50_000 else 2 if len(results) < 2_000_000 else 3
    return {part: list(names) for part, names in groupby(results, key=lambda name: name[:width])}


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def tabulate(part: Part) -> list[str]:
    """Makes a part of all tables anew -> the names of results that could not be read, and are missing in it."""
    import pyarrow as pa  # 0.2 s
    import pyarrow.parquet as pq

    corpus = Store(Path(part.out))
    damaged = []
    with ExitStack() as stack:
        writers: dict[str, tuple[pa.Schema, pq.ParquetWriter, Columns]] = {}
        for table in SHARED if corpus.about.shared else PRIVATE:
            columns = schema(corpus.about.shared, table)
            target = corpus.folder / table / f"part-{part.name}.parquet"
            aside = stack.enter_context(_aside(target))
            writer = stack.enter_context(pq.ParquetWriter(aside, columns, compression="zstd"))
            writers[table] = (columns, writer, {name: [] for name in columns.names})

        def flush(table: str, fewest: int) -> None:
            columns, writer, held = writers[table]
            if len(held["capture"]) >= fewest:
                writer.write_table(pa.table(held, schema=columns))
                for values in held.values():
                    values.clear()

        for name in part.results:
            try:
                given = Given.decode(corpus.path(name).read_bytes())
            except (FileNotFoundError, CorpusError):
                damaged.append(name)
                continue
            for table, rows in given.tables.items():
                held = writers[table][2]
                for column, values in rows.items():
                    held[column] += values
                held["capture"] += [name.partition(".")[0]] * len(next(iter(rows.values())))
                flush(table, _GROUP)
        for table in writers:
            flush(table, 0)
    return damaged


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A file for its owner alone, beside the target, that takes its place once it is finished."""
    home.folder(target.parent)
    aside = home.private_file(target.with_name(f"{target.name}.{secrets.token_hex(4)}.part"))
    try:
        yield aside
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Writes a file aside, for its owner alone, and renames it."""
    with _aside(path) as aside:
        aside.write_bytes(content)
