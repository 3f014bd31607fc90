"""IP fragments -> whole packets, of those whose beginning may say a name."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from captures.packets import columns

if TYPE_CHECKING:
    from captures.packets.bytes_at import Mapped

_MOST = 256
"""Packets that wait for their other fragments; the oldest is given up."""

_LONGEST = 65_535


@dataclass(slots=True)
class _Pieces:
    size: int | None = None
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Reassembly:
    """Fragments of a file, in their order."""

    _open: OrderedDict[bytes, _Pieces] = field(default_factory=OrderedDict)

    def add(self, mapped: Mapped, found: columns.Fragments, place: int) -> bytes | None:
        """One fragment -> the whole payload of its packet when this was the last that lacked, else `None`."""
        at, start = int(found.header[place]), int(found.payload[place])
        key = self._key(mapped, at, start) + bytes([int(found.protocol[place]) & 0xFF])
        pieces = self._open.setdefault(key, _Pieces())
        offset, size = int(found.offset[place]), int(found.size[place])
        if offset + size > _LONGEST:
            return None
        pieces.parts[offset] = bytes(mapped[start : start + size])
        if not found.more[place]:
            pieces.size = offset + size
        whole = self._whole(pieces)
        if whole is not None:
            del self._open[key]
        elif len(self._open) > _MOST:
            self._open.popitem(last=False)
        return whole

    def _key(self, mapped: Mapped, at: int, start: int) -> bytes:
        """What the fragments of a packet have in common: addresses and number."""
        if mapped[at] >> 4 == 6:
            return bytes(mapped[at + 8 : at + 40]) + bytes(mapped[start - 4 : start])
        return bytes(mapped[at + 12 : at + 20]) + bytes(mapped[at + 4 : at + 6])

    def _whole(self, pieces: _Pieces) -> bytes | None:
        if pieces.size is None:
            return None
        found = bytearray()
        for offset in sorted(pieces.parts):
            if offset > len(found):
                return None
            found[offset : offset + len(pieces.parts[offset])] = pieces.parts[offset]
        return bytes(found[: pieces.size]) if len(found) >= pieces.size else None
