"""A capture as it is given, a file or standard input, plain or compressed -> its content, copied only if need be."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from captures.content import DAMAGE, Readable, unpack
from captures.model import CaptureError

_HEAD = 64 * 1024

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x78\x9c": "zlib", b"\x78\xda": "zlib"}
"""How a compressed file begins; mitmproxy's .zhar is zlib."""

_BLOCK = 4 << 20

_MOST = 8 * 1024**3
_TIMES = 20
"""Bytes that a compressed capture may unpack to, and how many times its own size if that is more."""


class Given:
    """One capture that was given."""

    def __init__(self, path: Path | str) -> None:
        """`path` is `-` for standard input.  Raises `CaptureError`, and `OSError` for what cannot be opened."""
        self._path = None if str(path) == "-" else Path(path)
        self._name = self._path.name if self._path else "standard input"
        self._told = hashlib.sha256()
        self._copy: Path | None = None
        self._encoding = ""
        content, first = self._content(), bytearray()
        while len(first) < _HEAD and (block := next(content, b"")):
            first += block
        self.head = bytes(first)
        """First bytes of the content, 64 kB if there are so many."""
        # Standard input comes once: it is read on when more of it is asked for.
        self._rest = content if self._path is None else iter(())

    @property
    def in_memory(self) -> bool:
        """Whether the content has to be unpacked or comes once, so that no file has it as it is."""
        return self._path is None or self._encoding != ""

    def blocks(self) -> Iterator[bytes]:
        """The content from its beginning; of standard input only once.  Raises `CaptureError`."""
        return self._content() if self._path else chain((self.head,), self._rest)

    def plain(self) -> Path:
        """A file with the content: the given one, or a temporary one that only the user can read."""
        if self._path and not self._encoding:
            return self._path
        self._copy = self._copy or _written(self.blocks())
        return self._copy

    def digest(self) -> str:
        """SHA-256 of what was given, as it was given, in hex.  Reads all of it."""
        if self._path:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        for _ in self._rest:
            pass
        return self._told.hexdigest()

    def _content(self) -> Iterator[bytes]:
        """Plain blocks.  What stands before a damage of the compression is given."""
        if self._path is None:
            yield from self._unpacked(_Heard(sys.stdin.buffer, self._told), _MOST)
            return
        with self._path.open("rb") as file:
            yield from self._unpacked(file, max(_MOST, _TIMES * self._path.stat().st_size))

    def _unpacked(self, file: Readable, most: int) -> Iterator[bytes]:
        first = file.read(_HEAD)
        self._encoding = next((kind for magic, kind in _COMPRESSED.items() if first.startswith(magic)), "")
        if not self._encoding:
            yield first
            while block := file.read(_BLOCK):
                yield block
            return
        size = 0
        try:
            for block in unpack(_Whole(first, file), self._encoding):
                size += len(block)
                if size > most:
                    raise CaptureError(
                        f"{self._name}: unpacks to more than {most >> 30} GiB; unpack a part of it by hand"
                    )
                yield block
        except DAMAGE:
            if not size:
                raise CaptureError(
                    f"{self._name}: its {self._encoding} compression is damaged; record or copy it again"
                ) from None


class _Heard:
    """A stream of which everything that is read goes into a hash."""

    def __init__(self, stream: IO[bytes], told: hashlib._Hash) -> None:
        self._stream, self._told = stream, told

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._told.update(block)
        return block


class _Whole:
    """A stream of which the beginning was read already."""

    def __init__(self, first: bytes, rest: Readable) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int) -> bytes:
        found, self._first = self._first[:size], self._first[size:]
        return found or self._rest.read(size)


_temporary: list[tempfile.TemporaryDirectory[str]] = []


def _written(blocks: Iterable[bytes]) -> Path:
    """Puts content into a new file that only the user can read, and that goes with the process."""
    if not _temporary:
        _temporary.append(tempfile.TemporaryDirectory(prefix="phonehome-"))
    handle, name = tempfile.mkstemp(dir=_temporary[0].name)
    with os.fdopen(handle, "wb") as file:
        file.writelines(blocks)
    return Path(name)
