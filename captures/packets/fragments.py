"""IP fragments -> whole packets, of those whose beginning may say a name; and all counted for their conversation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from captures.packets.bytes_at import Mapped
    from captures.packets.columns import Fragments
    from captures.packets.conversations import Conversation, Place
    from captures.packets.summary import First

_MOST = 256
"""Packets that wait for their other fragments; the oldest is given up."""

_MOST_PARTS = 256
"""Fragments of one packet: more than the narrowest link makes of the longest packet."""

_LONGEST = 65_535


@dataclass(frozen=True, slots=True)
class Whole:
    """A packet that came in fragments."""

    conversation: Conversation
    """To which it belongs."""
    way: int
    """0 when `ends[0]` sent it, else 1."""
    time: float
    """Of its first fragment, seconds since the epoch (UTC)."""
    protocol: int
    """6 or 17."""
    content: bytes
    """From its TCP or UDP header on."""


@dataclass(slots=True)
class _Pieces:
    """What is known of one packet."""

    first: tuple[Conversation, int, float] | None = None
    """Whose it is, which way it goes, when; `None` while its first fragment is missing."""
    wanted: bool = True
    size: int | None = None
    parts: dict[int, bytes] = field(default_factory=dict)
    kept: int = 0
    uncounted: list[int] = field(default_factory=lambda: [0, 0])
    """Packets and bytes of the fragments that the first one left behind."""


@dataclass(slots=True)
class Reassembly:
    """Fragments of a file, in their order."""

    _open: OrderedDict[bytes, _Pieces] = field(default_factory=OrderedDict)

    def add(
        self, mapped: Mapped, found: Fragments, firsts: Mapping[int, First], places: Sequence[Place | None]
    ) -> Iterator[Whole]:
        """Fragments of a batch -> the packets of which these were the last ones that lacked.

        `firsts` are the first fragments by their position in the batch, `places` the conversations of the batch.  What
        follows a first fragment is counted for its conversation.
        """
        for place, row in enumerate(found.row.tolist()):
            key = self._key(mapped, int(found.header[place]), int(found.payload[place]), int(found.protocol[place]))
            pieces = self._open.setdefault(key, _Pieces())
            if row in firsts:
                first = firsts[row]
                if whose := places[first.group]:
                    pieces.first = whose.conversation, first.way ^ whose.flip, first.time
                pieces.wanted = first.speaks
            else:
                pieces.uncounted[0] += 1
                pieces.uncounted[1] += int(found.length[place])
            _count(pieces)
            if pieces.wanted and self._completed(mapped, found, place, pieces):
                whole = _joined(pieces)
                if whole is not None and pieces.first:
                    del self._open[key]
                    yield Whole(*pieces.first, int(found.protocol[place]), whole)
            if len(self._open) > _MOST:
                self._open.popitem(last=False)

    def _key(self, mapped: Mapped, at: int, start: int, protocol: int) -> bytes:
        """What the fragments of a packet have in common: addresses, number, protocol."""
        if mapped[at] >> 4 == 6:
            return bytes(mapped[at + 8 : at + 40]) + bytes(mapped[start - 4 : start])
        return bytes(mapped[at + 12 : at + 20]) + bytes(mapped[at + 4 : at + 6]) + bytes([protocol & 0xFF])

    def _completed(self, mapped: Mapped, found: Fragments, place: int, pieces: _Pieces) -> bool:
        """Keeps one fragment; gives whether there may be enough of them now."""
        offset, size, start = int(found.offset[place]), int(found.size[place]), int(found.payload[place])
        if offset + size > _LONGEST or len(pieces.parts) >= _MOST_PARTS:
            return False
        if offset not in pieces.parts:
            pieces.parts[offset] = bytes(mapped[start : start + size])
            pieces.kept += size
        if not found.more[place]:
            pieces.size = offset + size
        return pieces.size is not None and pieces.kept >= pieces.size


def _count(pieces: _Pieces) -> None:
    if pieces.first and pieces.uncounted[0]:
        conversation, way, _ = pieces.first
        conversation.packets[way] += pieces.uncounted[0]
        conversation.bytes[way] += pieces.uncounted[1]
        pieces.uncounted[:] = [0, 0]


def _joined(pieces: _Pieces) -> bytes | None:
    """The whole packet; `None` while a part is missing."""
    found = bytearray()
    for offset in sorted(pieces.parts):
        if offset > len(found):
            return None
        found[offset : offset + len(pieces.parts[offset])] = pieces.parts[offset]
    return bytes(found[: pieces.size])
