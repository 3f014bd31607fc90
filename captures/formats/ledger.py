"""Ledgers, as `phonehome watch` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from captures import ledger
from captures.model import CaptureError, Effect, Observation, Source, Unreadable

NAME = "ledger"

REMARKS: tuple[str, ...] = ()


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is a ledger: SQLite's magic, and our mark in its header (byte 68)."""
    return head.startswith(b"SQLite format 3\0") and head[68:72] == ledger.APPLICATION_ID.to_bytes(4, "big")


def dropped(path: Path) -> int:
    """Ledger -> observations that its writers had to drop; 0 when that part is damaged, which `read` then tells."""
    try:
        return ledger.counters(path).get("dropped", 0)
    except CaptureError:
        return 0


def effects(path: Path) -> tuple[Effect, ...]:
    """Ledger -> what the proxy changed while it was recorded."""
    return ledger.effects(path)


def read(path: Path, number: int) -> Iterator[Observation]:
    """Ledger -> its observations, in the order in which they were written.

    What is damaged is an `Unreadable`.  Raises `CaptureError` for what is no ledger, and when nothing can be read.
    """
    for _, observation in ledger.read(path):
        yield replace(observation, source=observation.source._replace(capture=number))
    try:
        ledger.counters(path)
    except CaptureError:
        yield Unreadable(Source(number, 0), None, "count of losses", "is damaged: what was dropped is not known")
