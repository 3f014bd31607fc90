"""What was typed -> the captures: files, folders, and addresses that fsspec knows (`s3://`, `gs://`, `sftp://`, …)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".flow", ".mitm", ".har", ".zhar", ".pcap", ".pcapng", ".cap", ".ledger", ".log", ".db")
"""Files in a folder that are taken, each also as .gz or .zst; a file that is named is taken whatever its ending."""


@dataclass(frozen=True, slots=True)
class Place:
    """One capture."""

    path: str
    """Absolute path, or address."""
    stamp: str
    """Size and time: as long as they are the same, it is taken for the same file.  Empty: not known."""


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
        for place, named in _remote(one) if "://" in one else _local(Path(one)):
            if not named and not _is_capture(place.path):
                found.others += 1
            elif place.path not in seen:
                seen.add(place.path)
                found.captures.append(place)
    return found


def _is_capture(path: str) -> bool:
    name = path.lower().removesuffix(".gz").removesuffix(".zst")
    return name.endswith(ENDINGS)


def _local(path: Path) -> Iterator[tuple[Place, bool]]:
    """Each file, and whether it was named itself."""
    if not path.is_dir():
        yield _place(str(path.absolute())), True
        return
    for folder, inner, names in os.walk(path.absolute()):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield _place(f"{folder}/{name}"), False


def _place(path: str) -> Place:
    seen = os.stat(path)  # noqa: PTH116  a path costs as much as the rest
    return Place(path, f"{seen.st_size}.{seen.st_mtime_ns}")


def _remote(address: str) -> Iterator[tuple[Place, bool]]:
    from fsspec.core import url_to_fs  # 0.1 s, and only addresses need it

    system, path = url_to_fs(address)
    if system.isfile(path):
        yield Place(address, _stamp(system.info(path))), True
        return
    for name, info in sorted(system.find(path, detail=True).items()):
        yield Place(system.unstrip_protocol(name), _stamp(info)), False


def _stamp(info: dict[str, object]) -> str:
    when = next((info[key] for key in ("ETag", "etag", "LastModified", "mtime", "created") if info.get(key)), "")
    return f"{info.get('size')}.{when}"
