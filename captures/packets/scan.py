"""Batches of packets, one after another -> conversations and what they said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from captures.packets.bytes_at import Mapped
from captures.packets.conversations import Place, Table
from captures.packets.fragments import Reassembly
from captures.packets.payloads import Payloads
from captures.packets.summary import Summary


@dataclass(slots=True)
class Scan:
    """What was found so far."""

    table: Table = field(default_factory=Table)
    """Conversations."""
    payloads: Payloads = field(default_factory=Payloads)
    """Reads what they say."""
    pieces: Reassembly = field(default_factory=Reassembly)
    """Puts fragments together."""
    problems: Counter[str] = field(default_factory=Counter)
    """Packets that could not be read, by reason."""

    def take(self, mapped: Mapped, found: Summary) -> list[Place | None]:
        """The next batch, summed up, and the bytes in which it stands -> the conversation of each of its groups."""
        self.problems.update(found.problems)
        places = self.table.add(found)
        self.payloads.take(mapped, found.filled, found.needs, places)
        if len(found.fragments.row):
            for packet in self.pieces.add(mapped, found.fragments, found.firsts, places):
                self.payloads.whole(packet)
        return places

    def left_out(self) -> Counter[str]:
        """Packets that nothing was made of, by reason."""
        found = self.problems.copy()
        found["is of a conversation too many"] += self.table.left_out
        found["is a question too many"] += self.payloads.left_out
        return +found
