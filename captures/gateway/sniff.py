"""What an interface shows, live -> rows of a ledger: `Contact`, `Lookup`, and `Exchange` for HTTP in clear.

The steps are those of packets in files (`captures/packets`).  What is over is written and forgotten, so that memory
holds what goes on, and no more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from captures import clock
from captures.gateway.ring import Ring
from captures.ledger import Writer
from captures.model import Observation, Source, Unreadable
from captures.packets.columns import FIN, RST, TCP
from captures.packets.conversations import Conversation, Place, Table
from captures.packets.observations import observations
from captures.packets.payloads import Said
from captures.packets.places import owners, senders
from captures.packets.scan import Scan
from captures.packets.summary import Flagged, summary

_EVERY = 1.0
"""Seconds between two looks for what is over."""

_AFTER_END = 5.0
"""Seconds in which the last packets of a closed connection still come."""

_IDLE_TCP, _IDLE_UDP = 1800.0, 120.0
"""Seconds without a packet after which a conversation is taken to be over."""

_ANSWERED = 5.0
"""Seconds in which an answer to a question comes."""

_LONGEST_KEPT = 60.0
"""Seconds after which questions and HTTP are written though their conversation goes on."""

_AT_ONCE = 5000
"""Observations that are given to the ledger before it is waited for."""


class Recording:
    """Reads an interface into a ledger; call `step` again and again, then `finish`."""

    def __init__(self, ring: Ring, writer: Writer) -> None:
        """Both are the caller's to close."""
        self._ring, self._writer = ring, writer
        self._scan = Scan(Table(writer.next_flow))
        self._addresses: dict[bytes, set[bytes]] = {}
        self._closed: dict[int, int] = {}
        """Number of a conversation -> which ends have closed it, as bits."""
        self._looked, self._jumps = time.time(), clock.Jumps()

    def step(self, timeout: float) -> None:
        """Takes in what comes within `timeout` seconds, and writes what is over."""
        for batch in self._ring.batches(timeout):
            found = summary(batch)
            self._close(found.flagged, self._scan.take(batch.mapped, found))
        now = time.time()
        if abs(now - self._looked) > _EVERY:
            self._looked = now
            self._ring.speaks_clear(set(_clear(self._scan.table.all)))
            self._write([c for c in self._scan.table.all if self._is_over(c, now)])
            self._writer.missed(self._ring.lost())
            if jump := self._jumps.seen():
                # By the new time what goes on would be over at once, or not for days.
                self._write(self._scan.table.all)
                source = Source(0, self._scan.table.number)
                self._put([Unreadable(source, now, "clock", clock.jumped(jump))])

    def finish(self) -> None:
        """Takes in what has come, and writes everything, what was lost too."""
        self.step(0)
        self._write(self._scan.table.all)
        self._writer.missed(self._ring.lost())
        problems = enumerate(sorted(self._scan.left_out().items()))
        source = Source(0, self._scan.table.number)
        self._put(
            Unreadable(source._replace(part=part), None, f"{count} packets", reason)
            for part, (reason, count) in problems
        )

    def _close(self, flagged: Iterable[Flagged], places: Sequence[Place | None]) -> None:
        """Notes which connections were closed, and by which end."""
        for packet in flagged:
            place, flags = places[packet.group], packet.opening.flags
            if place and flags & (FIN | RST):
                ends = 3 if flags & RST else 1 << (packet.way ^ place.flip)
                index = place.conversation.index
                self._closed[index] = self._closed.get(index, 0) | ends

    def _is_over(self, conversation: Conversation, now: float) -> bool:
        quiet = now - conversation.last
        said = cast("Said | None", conversation.said)
        if said and said.asked:
            return now - said.asked[-1].time > _ANSWERED or now - said.asked[0].time > _LONGEST_KEPT
        if self._closed.get(conversation.index) == 3 and quiet > _AFTER_END:
            return True
        if said and said.http and said.http.calls:
            # A connection may be used for days.  Between two calls it can be cut: the next one is seen as one.
            last = said.http.calls[-1]
            old = now - said.http.calls[0].time > _LONGEST_KEPT
            if old and quiet > _EVERY and last.status not in (None, 101):
                return True
        return quiet > (_IDLE_TCP if conversation.protocol == TCP else _IDLE_UDP)

    def _write(self, over: list[Conversation]) -> None:
        if not over:
            return
        senders(self._scan.table.all, self._addresses)
        self._scan.payloads.finish(over)
        self._put(observations(over, self._scan.payloads.names, owners(self._addresses), 0))
        numbers = {conversation.index for conversation in over}
        self._scan.table.release(numbers)
        for number in numbers:
            self._closed.pop(number, None)

    def _put(self, found: Iterable[Observation]) -> None:
        for count, observation in enumerate(found, 1):
            self._writer.put(observation)
            if not count % _AT_ONCE:
                self._writer.flush()


def _clear(conversations: Iterable[Conversation]) -> Iterator[int]:
    """Ports of servers that were heard to speak HTTP in clear."""
    for conversation in conversations:
        said = cast("Said | None", conversation.said)
        if said and said.http and conversation.opener is not None:
            yield conversation.ends[1 - conversation.opener].port
