"""Capture formats, and the one way to read any of them."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from captures.content import DAMAGE, unpack
from captures.formats import dnslog, flows, har, ledger, pcap
from captures.model import Capture, CaptureError, Observation


class Format(Protocol):
    """What a module of a format has."""

    @property
    def NAME(self) -> str:
        """Name in reports."""
        ...

    @property
    def REMARKS(self) -> tuple[str, ...]:
        """Sentences for the report: what this kind of file cannot show."""
        ...

    def sniff(self, head: bytes) -> bool:
        """First bytes of a file -> whether it is of this format."""
        ...

    def read(self, path: Path, number: int) -> Iterator[Observation]:
        """File -> its observations, `Source.capture` being `number`.  Raises `CaptureError`, also while iterating."""
        ...


FORMATS: tuple[Format, ...] = (flows, har, ledger, pcap, dnslog)
"""All formats, in the order in which they are asked."""

_HEAD = 64 * 1024

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x78\x9c": "zlib", b"\x78\xda": "zlib"}
"""How a compressed file begins; mitmproxy's .zhar is zlib."""

_MOST = 8 * 1024**3
"""Bytes that a compressed capture may unpack to."""


def read(path: Path | str, number: int = 0, *, tls_keys: Path | None = None) -> Capture:
    """Path of a capture, or `-` for standard input -> `Capture`; the format is recognised by the content.

    A compressed file (`.gz`, `.zst`) is unpacked, and standard input kept, in a temporary file that only the user can
    read and that is gone when reading ends.  `tls_keys` is a log of TLS keys, for packets.
    Raises `CaptureError`, also while iterating.
    """
    name = "standard input" if str(path) == "-" else Path(path).name
    try:
        source = _spool(sys.stdin.buffer) if str(path) == "-" else Path(path)
        with source.open("rb") as file:
            head = file.read(_HEAD)
        encoding = next((kind for magic, kind in _COMPRESSED.items() if head.startswith(magic)), "")
        if encoding:
            plain = _unpacked(source, encoding, name)
            with plain.open("rb") as file:
                head = file.read(_HEAD)
        else:
            plain = source
        format_ = _recognised(head, name)
    except IsADirectoryError:
        raise CaptureError(f"{name}: is a folder; give the captures in it, e.g. {name}/*.flow") from None
    except FileNotFoundError:
        raise CaptureError(f"{path}: there is no such file; check the path") from None
    except PermissionError:
        raise CaptureError(f"{path}: may not be read; change its permissions or use a copy") from None
    except OSError as error:
        raise CaptureError(f"{name}: cannot be read: {error.strerror or error}") from None
    return Capture(
        name="-" if str(path) == "-" else name,
        format=format_.NAME,
        observations=lambda: pcap.read(plain, number, tls_keys) if format_ is pcap else format_.read(plain, number),
        digest=lambda: _digest(source),
        remarks=format_.REMARKS,
        # Only a ledger knows; a browser or mitmproxy does not say.
        dropped=ledger.dropped(plain) if format_ is ledger else 0,
    )


def _recognised(head: bytes, name: str) -> Format:
    for format_ in FORMATS:
        if format_.sniff(head):
            return format_
    if not head:
        # mitmproxy leaves an empty file when no flow came.
        if name.endswith((".flow", ".mitm")):
            return flows
        raise CaptureError(f"{name}: is empty; record something first")
    known = ", ".join(format_.NAME for format_ in FORMATS)
    raise CaptureError(f"{name}: is no capture that is known; known are {known}, each also as .gz or .zst")


_temporary: list[tempfile.TemporaryDirectory[str]] = []


def _private_file() -> tuple[Path, IO[bytes]]:
    """A new file that only the user can read, and that goes with the process."""
    if not _temporary:
        _temporary.append(tempfile.TemporaryDirectory(prefix="phonehome-"))
    handle, name = tempfile.mkstemp(dir=_temporary[0].name)
    return Path(name), os.fdopen(handle, "wb")


def _spool(stream: IO[bytes]) -> Path:
    path, file = _private_file()
    with file:
        while block := stream.read(1 << 20):
            file.write(block)
    return path


def _unpacked(source: Path, encoding: str, name: str) -> Path:
    path, file = _private_file()
    size = 0
    with source.open("rb") as packed, file:
        try:
            for block in unpack(packed, encoding):
                size += len(block)
                if size > _MOST:
                    raise CaptureError(f"{name}: unpacks to more than {_MOST >> 30} GiB; unpack a part of it by hand")
                file.write(block)
        except DAMAGE:
            if not size:
                raise CaptureError(f"{name}: its {encoding} compression is damaged; record or copy it again") from None
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
