"""Batch of packets -> all that is wanted of it, without anything that came before: sums by conversation, what speaks.

It needs nothing but the batch, so that several can be made at once; `Table` and `Payloads` take them in their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from captures.packets.bytes_at import Bytes
from captures.packets.columns import FIN, RST, SYN, TCP, Columns, Fragments
from captures.packets.grouping import Grouping, Opening, grouping, lists
from captures.packets.headers import headers
from captures.packets.speaking import datagrams, segments

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.batch import Batch
    from captures.packets.bytes_at import Ints, Mask, Octets


class End(NamedTuple):
    """One end: the address as bytes (4 or 16) and the port."""

    address: bytes
    port: int


class Group(NamedTuple):
    """Packets of one batch between the same two ends; a SYN with another number begins another group."""

    key: int
    """Hash of the two ends and the protocol, the same both ways."""
    protocol: int
    """6 or 17."""
    ends: tuple[End, End]
    """The first one sent the first packet; all that is each way begins with what this one sent."""
    first: float
    """Time of the first packet, seconds since the epoch (UTC); NaN when not known."""
    last: float
    """Time of the last packet."""
    opening: Opening
    """The first packet's."""
    macs: tuple[bytes, bytes]
    """MAC address of the sender of the packets each way; empty when not known."""
    packets: Sequence[int]
    """Packets each way."""
    bytes: Sequence[int]
    """Bytes on the wire each way."""
    content: Sequence[int]
    """Bytes of these that are no headers."""


class Flagged(NamedTuple):
    """A packet that opens or closes a connection."""

    group: int
    way: int
    """0 when the group's first end sent it, else 1."""
    opening: Opening


@dataclass(frozen=True, slots=True)
class Filled:
    """Packets with content that may be needed: all of TCP, and datagrams that say something.  Columns of equal length.

    What came in fragments is not among them.
    """

    group: Ints
    """Position in `Summary.groups`."""
    way: Ints
    """0 when the group's first end sent it, else 1."""
    speaks: Mask
    """Whether it says something itself; the others may go on with what another one began."""
    tcp: Mask
    """Whether it is TCP."""
    at: Ints
    """Place of the content in the file."""
    size: Ints
    """Bytes of it that were kept."""
    sent: Ints
    """Bytes of it on the wire."""
    sequence: Ints
    """TCP's sequence number."""
    acknowledged: Ints
    """Number of the byte that TCP expects from the other end."""
    time: np.ndarray[Any, np.dtype[np.float64]]
    """Seconds since the epoch (UTC)."""

    def chosen(self, rows: Ints) -> Filled:
        """Some of the packets."""
        return Filled(*(getattr(self, column.name)[rows] for column in fields(self)))


class First(NamedTuple):
    """The first of several fragments."""

    group: int
    way: int
    time: float
    speaks: bool
    """Whether the whole packet may say something."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is wanted of one batch."""

    groups: list[Group]
    """By their first packet."""
    flagged: list[Flagged]
    """In their order."""
    filled: Filled
    """In their order."""
    needs: list[int]
    """Groups in which something begins that goes on in further packets, of either way."""
    fragments: Fragments
    """Of IP packets."""
    firsts: dict[int, First]
    """Those of the fragments that are the first of their packet, by position in the batch."""
    problems: Counter[str]
    """How many packets could not be read, by reason."""


def summary(batch: Batch) -> Summary:
    """A batch -> its summary."""
    import numpy as np

    found = headers(batch)
    seen, data = found.packets, Bytes(found.octets)
    grouped = grouping(data, seen)
    of, way = grouped.of, grouped.way
    groups = _groups(found.octets, seen, grouped)
    rows = np.flatnonzero((seen.flags & (SYN | FIN | RST)) > 0)
    flagged = [
        Flagged(group, side, Opening(*opening))
        for group, side, *opening in lists(rows, of, way, seen.flags, seen.sequence, seen.acknowledged)
    ]
    begins, needs = segments(data, seen)
    speaks = begins | datagrams(data, seen)
    rows = np.flatnonzero((seen.size > 0) & (speaks | (seen.protocol == TCP)) & ~seen.fragment)
    filled = Filled(
        of[rows],
        way[rows],
        speaks[rows],
        seen.protocol[rows] == TCP,
        (seen.payload + seen.origin)[rows],
        seen.size[rows],
        seen.sent[rows],
        seen.sequence[rows],
        seen.acknowledged[rows],
        seen.time[rows],
    )
    pieces = np.flatnonzero(seen.fragment)
    says = speaks | (seen.protocol == TCP)
    first = {row: First(*rest) for row, *rest in lists(pieces, seen.row, of, way, seen.time, says)}
    return Summary(groups, flagged, filled, np.unique(of[needs]).tolist(), found.fragments, first, found.problems)


def _groups(octets: Octets, seen: Columns, grouped: Grouping) -> list[Group]:
    import numpy as np

    of, firsts = grouped.of, grouped.firsts
    count, side = len(firsts), 2 * of + grouped.way
    packets = np.bincount(side, minlength=2 * count).reshape(-1, 2).tolist()
    sizes, contents = (
        np.bincount(side, column, 2 * count).astype(np.int64).reshape(-1, 2).tolist()
        for column in (seen.length, seen.sent)
    )
    last = np.zeros(count, np.int64)
    last[of] = np.arange(len(of))
    # The first packet of each side that has a MAC address: of what is assigned to one place the last remains.
    rows = np.flatnonzero(seen.mac >= 0)[::-1]
    mac = np.full(2 * count, -1)
    mac[side[rows]] = seen.mac[rows]
    heads = lists(firsts, seen.source, seen.destination, seen.source_port, seen.destination_port, seen.wide)
    openings = lists(firsts, seen.flags, seen.sequence, seen.acknowledged)
    ends = [
        (
            End(octets[a : a + 16 if wide else a + 4].tobytes(), x),
            End(octets[b : b + 16 if wide else b + 4].tobytes(), y),
        )
        for a, b, x, y, wide in heads
    ]
    macs = [octets[at : at + 6].tobytes() if at >= 0 else b"" for at in mac.tolist()]
    return [
        Group(*fields)
        for fields in zip(
            grouped.keys.tolist(),
            seen.protocol[firsts].tolist(),
            ends,
            seen.time[firsts].tolist(),
            seen.time[last].tolist(),
            (Opening(*opening) for opening in openings),
            zip(macs[::2], macs[1::2], strict=True),
            packets,
            sizes,
            contents,
            strict=True,
        )
    ]
