"""A corpus on disk: one file for what each capture gave, and the tables that are made of them.

```
DATASET/corpus.json                         what it is: private or shared, which packs were used
DATASET/results/ab/<sha256>.<versions>      what one capture gave (MessagePack), or why it failed (`….failed`)
DATASET/calls|findings|verdicts|coverage/part-a.parquet   the same as tables
```

Every file is written aside and renamed: a run that is broken off, or a capture that is read twice, leaves nothing half
done and nothing double.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from analysis import VERSION
from analysis.corpus.tables import PRIVATE, SHARED, Rows, schema
from analysis.entities import LIST
from analysis.knowledge import ITEMS, NAMES, Knowledge
from analysis.ontology import ONTOLOGY
from captures import home

FORM = "phonehome/corpus/1"
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

    rows: Rows
    """By table."""


def versions(knowledge: Knowledge, shared: bool) -> tuple[str, str]:
    """What a result depends on beside the capture: hashes of the program with its tables, and of the packs."""
    core = hashlib.sha256(f"{FORM} {VERSION} {shared}".encode())
    for path in (ITEMS, NAMES, ONTOLOGY, LIST):
        core.update(path.read_bytes())
    packs = hashlib.sha256(repr(sorted(knowledge.hashes.items())).encode())
    return core.hexdigest()[:12], packs.hexdigest()[:12]


class Store:
    """A folder of results."""

    def __init__(self, folder: Path, *, shared: bool | None = None) -> None:
        """Opens it; with `shared` makes one where there is none.  Raises `CorpusError`."""
        self.folder = folder
        path = folder / "corpus.json"
        try:
            self.about = msgspec.json.decode(path.read_bytes(), type=About)
        except FileNotFoundError:
            if shared is None:
                raise CorpusError(
                    f"{folder}: holds no corpus; phonehome corpus CAPTURE... --out {folder} does"
                ) from None
            if folder.is_dir() and any(folder.iterdir()):
                raise CorpusError(f"{folder}: holds other things; choose an empty folder") from None
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.about = About(FORM, shared)
            self._write_about()
        except (OSError, msgspec.MsgspecError):
            raise CorpusError(f"{folder}: is no corpus of this version; choose another folder") from None
        if shared is not None and shared != self.about.shared:
            is_now = "may be given away" if self.about.shared else "is private"
            raise CorpusError(f"{folder}: {is_now}, and the other kind was asked for; choose another folder")

    def note_packs(self, digest: str, hashes: Mapping[str, str]) -> None:
        """Remembers which packs a short hash stands for."""
        if digest not in self.about.packs:
            self.about = msgspec.structs.replace(self.about, packs={**self.about.packs, digest: dict(hashes)})
            self._write_about()

    def results(self) -> dict[str, list[str]]:
        """SHA-256 of a capture -> names of its results, failures among them, the newest last."""
        found: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for path in self.folder.glob("results/*/*"):
            if not path.name.endswith(".part"):
                found[path.name.partition(".")[0]].append((path.stat().st_mtime, path.name))
        return {sha: [name for _, name in sorted(names)] for sha, names in found.items()}

    def path(self, name: str) -> Path:
        """Where a result lies."""
        return self.folder / "results" / name[:2] / name

    def adopt(self, old: str, new: str) -> None:
        """Gives a result the name of versions by which it would be the same."""
        self.path(old).rename(self.path(new))

    def drop_older(self, versions: str) -> None:
        """Removes the results of other versions of captures that have one of these."""
        for sha, names in self.results().items():
            current = [name for name in names if name.startswith(f"{sha}.{versions}")]
            for name in names:
                if current and (name not in current or (name.endswith(FAILED) and len(current) > 1)):
                    self.path(name).unlink(missing_ok=True)

    def tabulate(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Makes the tables anew where results changed; of each capture the newest result counts."""
        newest = {sha: names[-1] for sha, names in self.results().items()}
        width = 1 if len(newest) < 50_000 else 2 if len(newest) < 2_000_000 else 3
        parts: dict[str, list[str]] = defaultdict(list)
        for sha, name in sorted(newest.items()):
            parts[sha[:width]].append(name)
        hashes = {part: hashlib.sha256("\n".join(names).encode()).hexdigest() for part, names in parts.items()}
        tables = SHARED if self.about.shared else PRIVATE
        for done, (part, names) in enumerate(sorted(parts.items()), 1):
            if self.about.parts.get(part) != hashes[part]:
                for table in tables:
                    self._table(table, part, names)
            if progress:
                progress(done, len(parts))
        for table in tables:
            for path in self.folder.glob(f"{table}/part-*.parquet"):
                if path.stem.removeprefix("part-") not in parts:
                    path.unlink()
        if self.about.parts != hashes:
            self.about = msgspec.structs.replace(self.about, parts=hashes)
            self._write_about()

    def _table(self, table: str, part: str, names: list[str]) -> None:
        import pyarrow as pa  # 0.2 s
        import pyarrow.parquet as pq

        columns = schema(self.about.shared, table)
        target = self.folder / table / f"part-{part}.parquet"
        target.parent.mkdir(exist_ok=True, mode=0o700)
        aside = home.private_file(target.with_suffix(".part"))
        with pq.ParquetWriter(aside, columns, compression="zstd") as writer:
            for rows in _grouped(self._rows(table, names)):
                writer.write_table(pa.Table.from_pylist(rows, columns))
        aside.replace(target)

    def _rows(self, table: str, names: list[str]) -> Iterator[dict[str, Any]]:
        for name in names:
            if not name.endswith(FAILED):
                given = msgspec.msgpack.decode(self.path(name).read_bytes(), type=Given)
                for row in given.rows.get(table, ()):
                    yield {"capture": name.partition(".")[0], **row}

    def _write_about(self) -> None:
        path = self.folder / "corpus.json"
        write(path, msgspec.json.encode(self.about) + b"\n")


def write(path: Path, content: bytes) -> None:
    """Writes a file aside, for its owner alone, and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = home.private_file(path.with_name(f"{path.name}.{secrets.token_hex(4)}.part"))
    aside.write_bytes(content)
    aside.replace(path)


def _grouped(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == _GROUP:
            yield group
            group = []
    yield group
