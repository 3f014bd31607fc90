"""TCP segments of one direction -> the bytes in their order, whatever was sent twice, late or crosswise."""

from __future__ import annotations

from dataclasses import dataclass, field

_WINDOW = 1 << 20
"""Bytes ahead of the order that are kept until the gap before them is filled."""

_MOST_LATE = 512
"""Segments, likewise: looking through them must stay cheap."""


@dataclass(slots=True)
class Stream:
    """One direction of a connection."""

    due: int | None = None
    """Sequence number of the next byte; `None` before the first segment."""
    lost: int = 0
    """Bytes that never came, as far as `skip` was called."""
    _late: dict[int, bytes] = field(default_factory=dict)
    _waiting: int = 0

    def feed(self, sequence: int, payload: bytes) -> bytes:
        """One segment -> the bytes that are now in order; empty when it is an old one or one that must wait."""
        if self.due is None:
            self.due = sequence
        ahead = (sequence - self.due + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if ahead > 0:
            gained = len(payload) - len(self._late.get(sequence, b""))
            if ahead < _WINDOW and gained > 0 and len(self._late) < _MOST_LATE:
                self._waiting += gained
                self._late[sequence] = payload
            return b""
        fresh = payload[-ahead:] if ahead else payload
        if not fresh:
            return b""
        self.due = self.due + len(fresh) & 0xFFFFFFFF
        return fresh + self._filled() if self._late else fresh

    def _filled(self) -> bytes:
        """What waited and now follows."""
        found = bytearray()
        while self._late and self.due is not None:
            due = self.due
            fitting = [sequence for sequence in self._late if (sequence - due + 0x80000000 & 0xFFFFFFFF) <= 0x80000000]
            if not fitting:
                break
            for sequence in fitting:
                payload = self._late.pop(sequence)
                self._waiting -= len(payload)
                behind = self.due - sequence & 0xFFFFFFFF
                if behind < len(payload):
                    found += payload[behind:]
                    self.due = self.due + len(payload) - behind & 0xFFFFFFFF
        return bytes(found)

    @property
    def waiting(self) -> int:
        """Bytes that wait for a gap to be filled."""
        return self._waiting

    def skip(self) -> tuple[int, bytes]:
        """Gives up the gap -> (bytes that are missing, the bytes in order after it); (0, b"") when nothing waits."""
        if not self._late or self.due is None:
            return 0, b""
        due = self.due
        nearest = min(self._late, key=lambda sequence: sequence - due & 0xFFFFFFFF)
        missing = nearest - due & 0xFFFFFFFF
        self.lost += missing
        self.due = nearest
        return missing, self._filled()
