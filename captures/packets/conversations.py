"""Summaries of batches -> conversations: who called whom, how many packets and bytes each way, from when to when."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from captures.packets.columns import ACK, RST, SYN
from captures.packets.summary import End, Group, Summary

MOST = 300_000
"""Conversations that are kept of one file (about 0.7 kB each): a scan of ports must not fill the memory."""


@dataclass(slots=True)
class Conversation:
    """TCP or UDP between two ends."""

    index: int
    """Number by the first packet, from 0."""
    protocol: int
    """6 or 17."""
    ends: tuple[End, End]
    """The two ends; the first one sent the first packet."""
    first: float
    """Time of the first packet, seconds since the epoch (UTC); NaN when not known."""
    last: float
    """Time of the last packet."""
    macs: tuple[bytes, bytes]
    """MAC address of the sender of the packets each way; empty when not known."""
    packets: list[int] = field(default_factory=lambda: [0, 0])
    """Packets each way, from `ends[0]` first."""
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    """Bytes on the wire each way."""
    content: list[int] = field(default_factory=lambda: [0, 0])
    """Bytes of these that are no headers."""
    opened: int | None = None
    """Sequence number of the SYN; `None` while none was seen."""
    opener: int | None = None
    """Which end opened it, as far as a SYN or the content shows: 0 or 1."""
    refused: bool = False
    """Whether the other end answered the SYN with a reset."""
    said: Any = None
    """What its content has shown so far (kept by `payloads`)."""


class Place(NamedTuple):
    """The conversation that a group of packets belongs to."""

    conversation: Conversation
    flip: int
    """1 when the group's first end is the conversation's second one, else 0."""


class Table:
    """All conversations of a file, or those of a live capture that go on."""

    def __init__(self, first: int = 0) -> None:
        """`first` is the number of the first conversation."""
        self.number = first
        """Number of the next conversation."""
        self._by_key: dict[int, tuple[Conversation, End]] = {}
        """The latest one, with the end that stands in its packets for `ends[0]`."""
        self._opening: dict[tuple[End, int], Conversation] = {}
        self.all: list[Conversation] = []
        self.left_out = 0
        """Packets of conversations that there was no room for."""

    def add(self, summary: Summary) -> list[Place | None]:
        """Counts the packets of a batch -> for each of its groups the conversation; `None` when there was no room."""
        places = [self._take(group) for group in summary.groups]
        for flagged in summary.flagged:
            place = places[flagged.group]
            if place and flagged.opening.flags & RST:
                # A reset that answers a SYN has the number 0 (RFC 9293, 3.10.7.1).
                answers = flagged.way ^ place.flip != place.conversation.opener
                place.conversation.refused |= answers and not flagged.opening.sequence
        return places

    def release(self, over: Set[int]) -> None:
        """Forgets the conversations with these numbers; another packet of one begins a new one."""
        self.all = [known for known in self.all if known.index not in over]
        self._by_key = {key: known for key, known in self._by_key.items() if known[0].index not in over}
        self._opening = {end: known for end, known in self._opening.items() if known.index not in over}

    def _take(self, group: Group) -> Place | None:
        known = self._by_key.get(group.key)
        if known is None or (group.opening.flags & SYN and _is_another(known[0], group)):
            known = self._new(group)
        if known is None:
            self.left_out += sum(group.packets)
            return None
        conversation, flip = known[0], int(group.ends[0] != known[1])
        conversation.last = max(conversation.last, group.last)
        for way in (0, 1):
            conversation.packets[way] += group.packets[way ^ flip]
            conversation.bytes[way] += group.bytes[way ^ flip]
            conversation.content[way] += group.content[way ^ flip]
        if b"" in conversation.macs:
            mine, theirs = group.macs[flip], group.macs[1 - flip]
            conversation.macs = (conversation.macs[0] or mine, conversation.macs[1] or theirs)
        if group.opening.flags & (SYN | RST) == SYN and conversation.opened is None:
            conversation.opened = group.opening.number
            conversation.opener = flip ^ int(group.opening.flags & ACK > 0)
        return Place(conversation, flip)

    def _new(self, group: Group) -> tuple[Conversation, End] | None:
        sender, receiver = group.ends
        flags = group.opening.flags & (SYN | ACK)
        if flags == SYN | ACK:
            # A router that redirects to a proxy: what goes out is recorded with the proxy's address, what comes back
            # with the server's.  The number that is acknowledged shows to which SYN it belongs.
            opened = self._opening.pop((receiver, group.opening.acknowledged), None)
            if opened:
                opened.ends = (opened.ends[0], sender)
                self._by_key[group.key] = known = opened, receiver
                return known
        if len(self.all) >= MOST:
            return None
        made = Conversation(self.number, group.protocol, group.ends, group.first, group.first, (b"", b""))
        self.number += 1
        self.all.append(made)
        if flags == SYN:
            self._opening[sender, group.opening.sequence + 1 & 0xFFFFFFFF] = made
        self._by_key[group.key] = known = made, sender
        return known


def _is_another(current: Conversation, group: Group) -> bool:
    """The same two ends again: whether the SYN with which a group begins has another number."""
    if current.opened is None:
        # The answer to a SYN that was missed opens nothing.
        return not group.opening.flags & ACK
    return current.opened != group.opening.number
