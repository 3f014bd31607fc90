"""The answer to an access request -> what stands in it.  JSON, CSV and text tables, also in ZIP archives.

The files come from somebody else: archives may unpack without end, texts may nest without end, names may lie.  What is
beyond a bound, damaged or of another kind is told and not read; nothing is written to disk.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple
from zlib import error as ZlibError

_MOST_BYTES = 512 * 1024 * 1024
"""Bytes of all files together, unpacked."""

_MOST_OF_ONE = 128 * 1024 * 1024
"""Bytes of one file, unpacked."""

_MOST_FILES = 5_000

_MOST_VALUES = 2_000_000

_DEEPEST = 64
"""Lists and tables within one another."""

_ARCHIVES_WITHIN = 2
"""Archives within one another."""


class ExportError(ValueError):
    """An answer cannot be read at all.  One sentence: place, what is wrong, what to do."""


class Value(NamedTuple):
    """One value of the answer.  Private."""

    file: str
    """Name of its file, within an archive with that one's: `export.zip/devices.json`."""
    at: str
    """Where it stands: `devices.3.name`, for a table the heading of its column."""
    text: str
    """The value as text."""

    @property
    def field(self) -> str:
        """The place without the numbers of rows: `devices.name`."""
        return ".".join(part for part in self.at.split(".") if not part.isdigit())


@dataclass(frozen=True, slots=True)
class Export:
    """An answer as it was read.  Private."""

    values: tuple[Value, ...]
    """In the order of the files."""
    files: int
    """Files that were read."""
    remarks: tuple[str, ...]
    """One sentence for each file that was not read, or not to its end."""


class _Spent(Exception):
    """A bound is reached."""


class _Reader:
    """Reads files into one list, within the bounds."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.files = 0
        self.remarks: list[str] = []
        self._bytes = _MOST_BYTES

    def read(self, name: str, open_: Callable[[], IO[bytes]], within: int = 0) -> None:
        """One file, by its content rather than by its name."""
        self.files += 1
        if self.files > _MOST_FILES:
            raise _Spent(f"more than {_MOST_FILES:,} files")
        try:
            with open_() as file:
                content = file.read(min(_MOST_OF_ONE, self._bytes) + 1)
        except (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, ZlibError, zipfile.BadZipFile):
            self.remarks.append(f"{name}: is damaged or locked with a password; unpack it by hand")
            return
        self._bytes -= len(content)
        if self._bytes < 0:
            raise _Spent(f"more than {_MOST_BYTES >> 20} MiB")
        if len(content) > _MOST_OF_ONE:
            self.remarks.append(f"{name}: is larger than {_MOST_OF_ONE >> 20} MiB and was not read; split it")
        elif content.startswith(b"PK\x03\x04"):
            self._archive(name, content, within)
        else:
            self._text(name, content)

    def _archive(self, name: str, content: bytes, within: int) -> None:
        if within >= _ARCHIVES_WITHIN:
            self.remarks.append(f"{name}: is an archive within {within} others and was not opened; unpack it by hand")
            return
        try:
            archive = zipfile.ZipFile(io.BytesIO(content))
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
            self.remarks.append(f"{name}: is a damaged archive; download it again")
            return
        for entry in entries:
            self.read(f"{name}/{entry.filename}", partial(archive.open, entry), within + 1)

    def _text(self, name: str, content: bytes) -> None:
        text = _decoded(content)
        if text is None:
            self.remarks.append(f"{name}: is neither JSON nor a table and was not read; look into it yourself")
            return
        rows = _json(text) or _table(text)
        if rows is None:
            self.remarks.append(f"{name}: is neither JSON nor a table and was not read; look into it yourself")
            return
        try:
            for at, value in rows:
                self.values.append(Value(name, at, value))
                if len(self.values) >= _MOST_VALUES:
                    raise _Spent(f"more than {_MOST_VALUES:,} values")
        except (csv.Error, RecursionError) as error:
            self.remarks.append(f"{name}: was not read to its end: {error}")


def read(paths: list[Path]) -> Export:
    """Files, or folders of files -> what stands in them.  Raises `ExportError` when nothing can be read."""
    reader = _Reader()
    try:
        for path in paths:
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in files:
                shown = str(file.relative_to(path.parent)) if path.is_dir() else file.name
                if not file.is_file():
                    raise ExportError(f"{file}: there is no such file; check the path")
                reader.read(shown, partial(_open, file))
    except _Spent as spent:
        reader.remarks.append(f"the answer holds {spent}; what comes after that was not read")
    if not reader.values:
        if reader.remarks:
            raise ExportError(f"{paths[0]}: holds no JSON and no table: {reader.remarks[0]}")
        raise ExportError(f"{paths[0]}: holds no JSON and no table; give the files that the vendor sent")
    return Export(tuple(reader.values), reader.files, tuple(reader.remarks))


def _open(file: Path) -> IO[bytes]:
    return file.open("rb")


def _decoded(content: bytes) -> str | None:
    """Text in UTF-8, UTF-16 with its mark, or what Windows writes; `None` for what is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _json(text: str) -> Iterator[tuple[str, str]] | None:
    """JSON, or one JSON text a line -> places and values; `None` for neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return _leaves(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return _leaves(rows)


def _leaves(root: object) -> Iterator[tuple[str, str]]:
    stack: list[tuple[str, object, int]] = [("", root, 0)]
    while stack:
        at, value, depth = stack.pop()
        if isinstance(value, dict | list) and depth < _DEEPEST:
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            stack += [(f"{at}.{name}" if at else str(name), one, depth + 1) for name, one in reversed([*pairs])]
        elif isinstance(value, bool):
            yield at, "true" if value else "false"
        elif isinstance(value, str | int | float) and value != "":
            yield at, str(value)


def _table(text: str) -> Iterator[tuple[str, str]] | None:
    """A table with headings -> headings and values; `None` for a text that is none."""
    head = text[: 1 << 16].splitlines()[:2]
    if not head:
        return None
    delimiter = max(",;\t", key=head[0].count)
    if not head[0].count(delimiter) or head[0].lstrip().startswith("<"):
        return None
    return _cells(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _cells(rows: Iterator[list[str]]) -> Iterator[tuple[str, str]]:
    headings = [heading.strip() for heading in next(rows, [])]
    for number, row in enumerate(rows):
        for heading, cell in zip(headings, row, strict=False):
            if cell := cell.strip():
                yield f"{number}.{heading}", cell
