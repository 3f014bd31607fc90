"""What is read of a file of packets: batches of packets in columns, and places that are damaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from captures.packets.bytes_at import Ints, Mapped

if TYPE_CHECKING:
    import numpy as np

BATCH = 1 << 15
"""Packets in a batch: large enough that NumPy's calls cost nothing, small enough that a batch is a few megabytes."""

LONGEST = 1 << 18
"""Bytes in a packet: tcpdump's own limit; a longer one is taken for damage."""

SEARCHED = 1 << 20
"""Bytes after a damaged place in which the next good record is looked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive packets of one file; the columns are of equal length."""

    mapped: Mapped
    """The whole file, or the part of it in which the packets stand; places are places in it."""
    at: Ints
    """Where in it the packet's first byte stands."""
    captured: Ints
    """Bytes that were kept."""
    length: Ints
    """Bytes on the wire; not less than `captured`."""
    time: np.ndarray[Any, np.dtype[np.float64]]
    """Seconds since the epoch (UTC); NaN when the file does not say."""
    link: Ints
    """Link type (LINKTYPE_…); -1 for a packet of an interface that the file does not describe."""

    def chosen(self, rows: Ints) -> Batch:
        """Some of the packets."""
        return Batch(
            self.mapped, self.at[rows], self.captured[rows], self.length[rows], self.time[rows], self.link[rows]
        )


@dataclass(frozen=True, slots=True)
class Damage:
    """A place that could not be read."""

    packet: int
    """Packets before it."""
    at: int
    """Where in the file it begins."""
    size: int
    """Bytes that were skipped."""
    reason: str
    """What is wrong, in a few words."""


class Secrets:
    """A block of a pcapng file that holds keys of TLS connections."""
