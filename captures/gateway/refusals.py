"""Devices that cannot be looked into at a server, kept from one recording to the next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from captures import home

type Cause = Literal["left", "certificate", "tls", "server", "asked"]
"""`left`: the device left before it was over; `certificate`: it did not go on with the proxy's; `tls`: two ends share
no version or cipher; `server`: the server's certificate could not be verified; `asked`: the server wants one of the
device's own."""

EXPIRES = 24 * 3600.0
"""Seconds after which a device is tried again."""

_LARGEST = 8 << 20
"""Bytes; what is larger was not written by us."""


class Refusal(msgspec.Struct, frozen=True):
    """One device and one name of a server.  Private."""

    device: str
    """Its address."""
    name: str
    """Other names on the same server are still inspected."""
    at: float
    """When that was learned, seconds since the epoch (UTC)."""
    sure: bool
    """Whether the device said so; else it only left, which a request on another connection disproves."""

    cause: Cause = "certificate"
    """What was in the way."""

    def holds(self, now: float) -> bool:
        """Whether it is to be heeded.  A clock that was set back makes it void: one more try costs one connection."""
        return 0 <= now - self.at <= EXPIRES


def read(path: Path, now: float) -> list[Refusal]:
    """What was learned and still holds; empty when there is no file, or one that is damaged."""
    try:
        raw = home.read(path, _LARGEST)
        return [refusal for refusal in msgspec.json.decode(raw, type=list[Refusal]) if refusal.holds(now)]
    except (OSError, ValueError, RecursionError):  # `CaptureError` as well
        return []


def write(path: Path, refusals: Iterable[Refusal], ahead: float = 0.0) -> None:
    """Replaces the file as a whole, for the user alone.  Raises `OSError`.

    `ahead`: seconds by which the clock is ahead of that of their times; in the file stands what it says now.
    """
    home.write(path, msgspec.json.encode([replace(refusal, at=refusal.at + ahead) for refusal in refusals]))
