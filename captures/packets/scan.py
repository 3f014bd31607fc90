"""Batches of packets, one after another -> conversations and what they said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from captures.packets.columns import Columns, columns
from captures.packets.containers import Batch
from captures.packets.conversations import Groups, Table
from captures.packets.fragments import Reassembly
from captures.packets.payloads import Payloads


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

    def take(self, batch: Batch) -> tuple[Columns, Groups] | None:
        """The next batch -> its TCP and UDP packets and their conversations; `None` when there are none."""
        seen = columns(batch)
        self.problems.update(seen.problems)
        if not len(seen.packets) and not len(seen.fragments.row):
            return None
        groups = self.table.add(batch.mapped, seen.data, seen.packets)
        self.payloads.take(batch.mapped, seen.data, seen.packets, groups)
        if len(seen.fragments.row):
            says = self.payloads.says(seen.data, seen.packets)
            for packet in self.pieces.add(batch.mapped, seen.fragments, seen.packets, groups, says):
                self.payloads.whole(packet)
        return seen.packets, groups

    def left_out(self) -> Counter[str]:
        """Packets that nothing was made of, by reason."""
        found = self.problems.copy()
        found["is of a conversation too many"] += self.table.left_out
        found["is a question too many"] += self.payloads.left_out
        return +found
