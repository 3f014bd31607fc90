"""Columns of packets -> conversations: who called whom, how many packets and bytes each way, from when to when."""

from __future__ import annotations

import secrets
from collections.abc import Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from captures.packets.columns import TCP, Columns

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Bytes, Ints, Mapped, Mask

type Keys = np.ndarray[Any, np.dtype[np.uint64]]
"""A column of hashes."""

MOST = 300_000
"""Conversations that are kept of one file (about 0.7 kB each): a scan of ports must not fill the memory."""

_SYN, _RST, _ACK = 0x02, 0x04, 0x10

_FACTORS = [secrets.randbits(64) | 1 for _ in range(5)]
"""Drawn anew in each run, so that nobody can make addresses that fall together."""


class End(NamedTuple):
    """One end: the address as bytes (4 or 16) and the port."""

    address: bytes
    port: int


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


@dataclass(frozen=True, slots=True)
class Groups:
    """The packets of a batch by conversation."""

    of: Ints
    """For each packet the place of its conversation in `conversations`."""
    reverse: Ints
    """For each packet 0 when `ends[0]` sent it, else 1."""
    conversations: list[Conversation | None]
    """Those with packets in this batch; `None` for what there was no room for."""


class Table:
    """All conversations of a file, or those of a live capture that go on."""

    def __init__(self, first: int = 0) -> None:
        """`first` is the number of the first conversation."""
        self.number = first
        """Number of the next conversation."""
        self._by_key: dict[int, tuple[Conversation, bool]] = {}
        """With whether `ends[0]` is the end with the greater hash."""
        self._generation: dict[int, int] = {}
        self._opening: dict[tuple[End, int], Conversation] = {}
        self.all: list[Conversation] = []
        self.left_out = 0
        """Packets of conversations that there was no room for."""

    def add(self, mapped: Mapped, data: Bytes, seen: Columns) -> Groups:
        """Counts the packets of a batch."""
        import numpy as np

        key, smaller = _keys(data, seen)
        if bool(((seen.flags & _SYN) > 0).any()) or self._generation:
            key = self._renewed(key, seen)
        unique, first, of = np.unique(key, return_index=True, return_inverse=True)
        count = len(unique)
        side = of * 2 + ~smaller
        packets = np.bincount(side, minlength=2 * count).reshape(-1, 2).tolist()
        sizes = np.bincount(side, seen.length, 2 * count).reshape(-1, 2).astype(np.int64).tolist()
        contents = np.bincount(side, seen.sent, 2 * count).reshape(-1, 2).astype(np.int64).tolist()
        last = np.zeros(count, np.int64)
        last[of] = np.arange(len(of))
        ends, keys, firsts = seen.time[last].tolist(), unique.tolist(), first.tolist()
        found: list[Conversation | None] = [None] * count
        flips = [False] * count
        for place in np.argsort(first).tolist():
            known = self._by_key.get(keys[place]) or self._new(mapped, seen, firsts[place], keys[place], smaller)
            if known is None:
                self.left_out += sum(packets[place])
                continue
            conversation, flip = known
            found[place], flips[place] = known
            conversation.last = max(conversation.last, ends[place])
            for way in (0, 1):
                conversation.packets[way] += packets[place][way ^ flip]
                conversation.bytes[way] += sizes[place][way ^ flip]
                conversation.content[way] += contents[place][way ^ flip]
        groups = Groups(of, (~smaller ^ np.array(flips, np.bool_)[of]).astype(np.int64), found)
        self._macs(mapped, seen, groups)
        _opened(seen, groups)
        return groups

    def release(self, over: Set[int]) -> None:
        """Forgets the conversations with these numbers; another packet of one begins a new one."""
        self.all = [known for known in self.all if known.index not in over]
        self._by_key = {key: known for key, known in self._by_key.items() if known[0].index not in over}
        self._opening = {end: known for end, known in self._opening.items() if known.index not in over}
        self._generation = {key: age for key, age in self._generation.items() if _aged(key, age) in self._by_key}

    def _new(
        self, mapped: Mapped, seen: Columns, row: int, key: int, smaller: Mask
    ) -> tuple[Conversation, bool] | None:
        size = 16 if seen.wide[row] else 4
        source, destination = (int(at[row] + seen.origin[row]) for at in (seen.source, seen.destination))
        sender = End(bytes(mapped[source : source + size]), int(seen.source_port[row]))
        receiver = End(bytes(mapped[destination : destination + size]), int(seen.destination_port[row]))
        flags = int(seen.flags[row]) & (_SYN | _ACK)
        if flags == _SYN | _ACK:
            # A router that redirects to a proxy: what goes out is recorded with the proxy's address, what comes back
            # with the server's.  The number that is acknowledged shows to which SYN it belongs.
            opened = self._opening.pop((receiver, int(seen.acknowledged[row])), None)
            if opened:
                opened.ends = (opened.ends[0], sender)
                self._by_key[key] = known = opened, bool(smaller[row])
                return known
        if len(self.all) >= MOST:
            return None
        time = float(seen.time[row])
        made = Conversation(self.number, int(seen.protocol[row]), (sender, receiver), time, time, (b"", b""))
        self.number += 1
        self.all.append(made)
        if flags == _SYN:
            self._opening[sender, int(seen.sequence[row]) + 1 & 0xFFFFFFFF] = made
        self._by_key[key] = known = made, not smaller[row]
        return known

    def _macs(self, mapped: Mapped, seen: Columns, groups: Groups) -> None:
        """Where a conversation does not know the sender's MAC address yet, takes that of a packet of this batch."""
        import numpy as np

        lacking = np.array([c is not None and b"" in c.macs for c in groups.conversations], np.bool_)
        rows = np.flatnonzero(lacking[groups.of] & (seen.mac >= 0))
        _, firsts = np.unique(groups.of[rows] * 2 + groups.reverse[rows], return_index=True)
        for row in rows[firsts].tolist():
            conversation = groups.conversations[groups.of[row]]
            if conversation:
                at, macs = int(seen.mac[row] + seen.origin[row]), list(conversation.macs)
                way = int(groups.reverse[row])
                macs[way] = macs[way] or bytes(mapped[at : at + 6])
                conversation.macs = (macs[0], macs[1])

    def _renewed(self, key: Keys, seen: Columns) -> Keys:
        """The same two ends again: a SYN with another number begins a new conversation, which gets another key."""
        import numpy as np

        plain = key.copy()
        cuts: dict[int, list[int]] = {}
        numbers: dict[int, int | None] = {}
        for row in np.flatnonzero((seen.flags & _SYN) > 0).tolist():
            answer = bool(seen.flags[row] & _ACK)
            mine, number = int(plain[row]), int(seen.sequence[row])
            number = int(seen.acknowledged[row]) - 1 & 0xFFFFFFFF if answer else number
            if mine not in numbers:
                current = self._by_key.get(_aged(mine, self._generation.get(mine, 0)))
                if current is None:
                    numbers[mine] = number
                    continue
                numbers[mine] = current[0].opened if current[0].opened is not None or not answer else number
            if numbers[mine] != number:
                cuts.setdefault(mine, []).append(row)
                numbers[mine] = number
        changed = set(cuts) | self._generation.keys()
        if not changed:
            return key
        order = np.argsort(plain, kind="stable")
        ordered = plain[order]
        wanted = np.array(sorted(changed), np.uint64)
        begins, ends = np.searchsorted(ordered, wanted, "left"), np.searchsorted(ordered, wanted, "right")
        for mine, begin, end in zip(wanted.tolist(), begins.tolist(), ends.tolist(), strict=True):
            if begin == end:
                continue
            rows = order[begin:end]
            base = self._generation.get(mine, 0)
            ages = base + np.searchsorted(np.array(cuts.get(mine, ()), np.int64), rows, "right")
            key[rows] = plain[rows] + ages.astype(np.uint64) * np.uint64(_FACTORS[4])
            self._generation[mine] = base + len(cuts.get(mine, ()))
        return key


def _opened(seen: Columns, groups: Groups) -> None:
    """Who opened a connection, and whether it was refused."""
    import numpy as np

    for row in np.flatnonzero((seen.flags & (_SYN | _RST)) > 0).tolist():
        conversation = groups.conversations[groups.of[row]]
        if not conversation:
            continue
        flags, way = int(seen.flags[row]), int(groups.reverse[row])
        if flags & _RST:
            # A reset that answers a SYN has the number 0 (RFC 9293, 3.10.7.1).
            conversation.refused |= way != conversation.opener and not seen.sequence[row]
        elif conversation.opened is None:
            conversation.opener = 1 - way if flags & _ACK else way
            sequence, acknowledged = int(seen.sequence[row]), int(seen.acknowledged[row])
            conversation.opened = acknowledged - 1 & 0xFFFFFFFF if flags & _ACK else sequence


def _aged(key: int, generation: int) -> int:
    return (key + generation * _FACTORS[4]) & 0xFFFFFFFFFFFFFFFF


def _keys(data: Bytes, seen: Columns) -> tuple[Keys, Mask]:
    """For each packet a number of its conversation, the same both ways, and whether its sender has the smaller hash."""
    import numpy as np

    source = _hash(data, seen.source, seen.source_port, seen.wide)
    destination = _hash(data, seen.destination, seen.destination_port, seen.wide)
    protocol = (seen.protocol == TCP).astype(np.uint64) * np.uint64(_FACTORS[3])
    return source + destination + protocol, source <= destination


def _hash(data: Bytes, at: Ints, port: Ints, wide: Mask) -> Keys:
    import numpy as np

    mixed = (data.u32(at) << 16 | port).astype(np.uint64) * np.uint64(_FACTORS[0])
    rows = np.flatnonzero(wide)
    if len(rows):
        for factor, step in ((1, 4), (2, 8), (4, 12)):
            mixed[rows] += data.u32(at[rows] + step).astype(np.uint64) * np.uint64(_FACTORS[factor])
            mixed[rows] ^= mixed[rows] >> np.uint64(29)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_FACTORS[1])
    mixed ^= mixed >> np.uint64(29)
    return mixed
