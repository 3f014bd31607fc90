"""Capture formats, and the one way to read any of them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from captures.formats import dnslog, flows, har, ledger, pcap
from captures.formats.given import Given
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


def read(path: Path | str, number: int = 0, *, tls_keys: Path | None = None) -> Capture:
    """Path of a capture, or `-` for standard input -> `Capture`; the format is recognised by the content.

    A compressed file (`.gz`, `.zst`) and standard input are kept in a temporary file that only the user can read and
    that is gone when reading ends; packets without keys need none.  Of standard input the observations can be had once.
    `tls_keys` is a log of TLS keys, for packets.  Raises `CaptureError`, also while iterating.
    """
    name = "standard input" if str(path) == "-" else Path(path).name
    if not str(path):
        raise CaptureError("'': there is no such file; check the path")
    try:
        if str(path) != "-" and stat.S_ISFIFO(Path(path).stat().st_mode):
            # Nobody may be writing to it, and who opened it would wait for ever.
            raise CaptureError(f"{name}: is a pipe, which can be read once; give it as standard input (-)")
        given = Given(path)
        format_ = _recognised(given.head, name)
        plain = (
            None if given.in_memory and format_ is pcap and not tls_keys and pcap.streams(given.head) else given.plain()
        )
    except IsADirectoryError:
        raise CaptureError(f"{name}: is a folder; give the captures in it, e.g. {name}/*.flow") from None
    except FileNotFoundError:
        raise CaptureError(f"{path}: there is no such file; check the path") from None
    except PermissionError:
        raise CaptureError(f"{path}: may not be read; change its permissions or use a copy") from None
    except OSError as error:
        raise CaptureError(f"{name}: cannot be read: {error.strerror or error}; use another file") from None

    def observations() -> Iterator[Observation]:
        if plain is None:
            return pcap.read_stream(given.blocks(), name, number)
        return pcap.read(plain, number, tls_keys) if format_ is pcap else format_.read(plain, number)

    return Capture(
        name="-" if str(path) == "-" else name,
        format=format_.NAME,
        observations=observations,
        digest=given.digest,
        remarks=format_.REMARKS,
        # Only a ledger knows; a browser or mitmproxy does not say.
        dropped=ledger.dropped(plain) if format_ is ledger and plain else 0,
        effects=ledger.effects(plain) if format_ is ledger and plain else (),
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
