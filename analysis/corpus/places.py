"""What was typed -> the captures: files, folders, and addresses that fsspec knows (`s3://`, `gs://`, `sftp://`, …)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENDINGS = (".flow", ".mitm", ".har", ".zhar", ".pcap", ".pcapng", ".cap", ".ledger", ".log", ".db")
"""Files in a folder that are taken, each also as .gz or .zst; a file that is named is taken whatever its ending."""


@dataclass(frozen=True, slots=True)
class Place:
    """One capture."""

    path: str
    """Absolute path, or address."""
    stamp: str
    """Size, times and inode: as long as they are the same, it is taken for the same file.  Empty: not known."""
    size: int = 0
    """Bytes; 0 when it is not known."""


@dataclass(slots=True)
class Found:
    """What lies where was looked."""

    captures: list[Place]
    """In a fixed order, each once."""
    others: int = 0
    """Files in folders whose ending is none of a capture."""


def find(typed: Iterable[str]) -> Found:
    """Paths and addresses -> captures.  Raises `OSError` for a path that is not there."""
    found = Found([])
    seen: set[str] = set()
    for one in typed:
        for place in _remote(one) if "://" in one else _local(Path(one)):
            if place is None:
                found.others += 1
            elif place.path not in seen:
                seen.add(place.path)
                found.captures.append(place)
    return found


def _is_capture(path: str) -> bool:
    name = path.lower().removesuffix(".gz").removesuffix(".zst")
    return name.endswith(ENDINGS)


def _local(path: Path) -> Iterator[Place | None]:
    """The file, or the files in the folder; `None` for each whose ending is none of a capture."""
    if not path.is_dir():
        path.stat()
        yield _place(str(path.absolute()))
        return
    for folder, inner, names in os.walk(path.absolute()):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield _place(f"{folder}/{name}") if _is_capture(name) else None


def _place(path: str) -> Place:
    try:
        seen = os.stat(path)  # noqa: PTH116  a path costs as much as the rest
    except OSError:  # a link to nowhere: who reads it says so
        return Place(path, "")
    # A copy in its place may well keep size and time of change (`cp -p`), but not the other two.
    return Place(path, f"{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ctime_ns}.{seen.st_ino}", seen.st_size)


def _remote(address: str) -> Iterator[Place | None]:
    from fsspec.core import url_to_fs  # 0.1 s, and only addresses need it

    system, path = url_to_fs(address)
    if system.isfile(path):
        yield _remote_place(address, system.info(path))
        return
    for name, info in sorted(system.find(path, detail=True).items()):
        yield _remote_place(system.unstrip_protocol(name), info) if _is_capture(name) else None


def _remote_place(address: str, info: dict[str, Any]) -> Place:
    when = next((info[key] for key in ("ETag", "etag", "LastModified", "mtime", "created") if info.get(key)), "")
    # Without a time or a mark, another file of the same size would pass for the same.
    return Place(address, f"{info.get('size')}.{when}" if when else "", info.get("size") or 0)
