"""What a ledger's writer lost, kept beside the ledger while the ledger itself cannot be written.

On a full disk, or under somebody else's lock, the ledger cannot say that something is missing in it.  This file can: it
has its size from the start, so that a change needs neither room nor the lock.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from captures import home
from captures.model import CaptureError

_SIZE = 512
"""Bytes of the file; one sector, which is written as a whole."""


class Losses(msgspec.Struct, frozen=True):
    """Counts that are not in the ledger yet."""

    dropped: int = 0
    """Observations that are lost."""
    faults: int = 0
    """Times that writing failed."""
    reason: str = ""
    """What the last fault was; empty when there was none."""


NOTHING = Losses()


def _place(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + ".lost")


def read(ledger: Path) -> Losses:
    """Ledger -> what stands beside it; nothing when there is no such file or it is damaged."""
    try:
        return msgspec.json.decode(home.read(_place(ledger), _SIZE), type=Losses)
    except (OSError, CaptureError, msgspec.MsgspecError):
        return NOTHING


def write(ledger: Path, losses: Losses) -> None:
    """Keeps the counts; never raises.  A file that exists keeps its place and size."""
    data = msgspec.json.encode(
        msgspec.structs.replace(losses, reason=losses.reason[:200].encode("ascii", "replace").decode())
    )
    with contextlib.suppress(OSError, CaptureError):
        handle = os.open(home.private_file(_place(ledger)), os.O_RDWR)
        try:
            os.pwrite(handle, data.ljust(_SIZE), 0)
        finally:
            os.close(handle)


def remove(ledger: Path) -> None:
    """There is nothing to tell any more."""
    with contextlib.suppress(OSError):
        _place(ledger).unlink()
