"""A media file -> the numbers by which subtitle and file-sharing services know its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK = 64 * 1024
_BLOCK = 9_728_000
"""Bytes of a block of ED2K."""


def file_hashes(path: Path, progress: Callable[[int], None] | None = None) -> Iterator[tuple[str, str]]:
    """A file -> kind and value (lower-case hex) of its hashes: `moviehash`, `ed2k`, `md5`, `sha1`.

    `moviehash` is that of OpenSubtitles (size and both ends, from 128 KiB); `ed2k` comes in both variants where the
    size is a multiple of a block.  Reads the whole file once; `progress` is told the bytes that were read.  Raises
    `OSError`.
    """
    if number := moviehash(path):
        yield "moviehash", number
    with path.open("rb") as file:
        yield from _content(file, progress)


def moviehash(path: Path) -> str:
    """A file -> OpenSubtitles' hash, 16 hex digits; empty when it is shorter than 128 KiB.  Raises `OSError`."""
    size = path.stat().st_size
    if size < 2 * _CHUNK:
        return ""
    with path.open("rb") as file:
        return _moviehash(file, size)


def _moviehash(file: BinaryIO, size: int) -> str:
    """Sum of the size and of the 64-bit little-endian numbers in the first and last 64 KiB.

    Source: https://trac.opensubtitles.org/opensubtitles/wiki/HashSourceCodes
    """
    total = size
    for start in (0, size - _CHUNK):
        file.seek(start)
        chunk = file.read(_CHUNK)
        total += sum(int.from_bytes(chunk[i : i + 8], "little") for i in range(0, len(chunk), 8))
    return f"{total & (1 << 64) - 1:016x}"


def _content(file: BinaryIO, progress: Callable[[int], None] | None) -> Iterator[tuple[str, str]]:
    """ED2K: MD4 of the MD4s of all blocks; of a single block its own.

    Where the size is a multiple of a block, one variant adds the MD4 of nothing.
    Source: https://wiki.anidb.net/Ed2k-hash
    """
    from Crypto.Hash import MD4  # 8 ms; OpenSSL 3 has no MD4 any more

    md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    digests: list[bytes] = []
    file.seek(0)
    while True:
        block = file.read(_BLOCK)
        digests.append(MD4.new(block).digest())  # noqa: S303 - what ED2K is made of
        md5.update(block)
        sha1.update(block)
        if progress:
            progress(len(block))
        if len(block) < _BLOCK:
            break
    yield "md5", md5.hexdigest()
    yield "sha1", sha1.hexdigest()
    variants = [digests] if block or len(digests) == 1 else [digests, digests[:-1]]
    for parts in variants:
        joined = b"".join(parts)
        yield "ed2k", (joined if len(parts) == 1 else MD4.new(joined).digest()).hex()  # noqa: S303 - likewise
