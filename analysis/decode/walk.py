"""The leaves of one exchange, and the limits on their number, size, depth and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from captures.content import LIMITS


class Leaf(NamedTuple):
    """One value.  Private."""

    at: str
    """Where it stands."""
    value: str
    """As it was sent, after `encodings` were undone."""
    encodings: tuple[str, ...] = ()
    """Encodings that were undone, outermost first."""
    peeled: bool = False
    """Whether what this value holds comes out as leaves of its own."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work one exchange may cause."""

    leaves: int = 10_000
    """Leaves in all."""
    depth: int = 100
    """Steps of nested lists and tables."""
    layers: int = 6
    """Encodings within one another."""
    size: int = 8 * 1024 * 1024
    """Bytes of one body that are looked at, and characters that may come out of encoded values in all."""
    longest: int = 1024 * 1024
    """Characters of one value that are kept."""
    seconds: float = 0.25
    """Time in all; of the second half the processor's alone."""


BUDGET = Budget()
"""The budget of captured exchanges."""

_LONGEST_HEX = 64
"""Bytes of an unknown value that are shown."""

_LONGEST_STEP = 100
_LONGEST_PLACE = 1_000
"""Characters of one step and of a whole place: a name of a megabyte must not stand in ten thousand places."""


class Decoded(NamedTuple):
    """What `decode` gives."""

    leaves: tuple[Leaf, ...]
    """All leaves that were reached."""
    ran_out: tuple[str, ...]
    """Sentences about what was not looked at; empty when everything was."""


class Piece(NamedTuple):
    """What came out of one field."""

    leaves: tuple[Leaf, ...]
    """In their order."""
    room: int
    """Characters that came out of encodings."""


def step(place: str, name: str | int) -> str:
    """Place of a list or table, and a name or position in it -> the place there; a long name is cut (`…`)."""
    if isinstance(name, str) and len(name) > _LONGEST_STEP:
        name = name[:_LONGEST_STEP] + "…"
    return f"{place}.{name}"


class Walk:
    """Collects leaves until a budget runs out; what ran out is noted, never silent."""

    __slots__ = ("_begun", "_deadline", "_leaves", "_most", "_peel", "_peel_bytes", "_plain", "_ran_out", "_short",
                 "budget", "room")  # fmt: skip

    def __init__(
        self,
        budget: Budget,
        peel: Callable[[Walk, str, str, tuple[str, ...]], bool],
        peel_bytes: Callable[[Walk, str, bytes, tuple[str, ...]], bool],
    ) -> None:
        self.budget = budget
        self._most = budget.leaves
        self._short = min(_SHORTEST, budget.longest + 1)
        self._plain = _plain if budget is BUDGET else frozenset[str]()
        self._peel = peel
        self._peel_bytes = peel_bytes
        self.room = budget.size
        self._leaves: list[Leaf] = []
        self._ran_out: dict[str, None] = {}
        self._begun = -1.0
        self._deadline = time.perf_counter() + budget.seconds / 2

    def __len__(self) -> int:
        return len(self._leaves)

    def mark(self) -> tuple[int, int]:
        """Where it stands, for `piece`."""
        return len(self._leaves), self.room

    def piece(self, mark: tuple[int, int]) -> Piece | None:
        """What was added since then; `None` when a budget ran out, or is not the usual one."""
        if self._ran_out or self.budget is not BUDGET:
            return None
        return Piece(tuple(self._leaves[mark[0] :]), mark[1] - self.room)

    def add(self, pieces: Sequence[Piece]) -> bool:
        """Adds what came out of the same fields in another call, if there is room for all of it."""
        leaves = [leaf for piece in pieces for leaf in piece.leaves]
        room = sum([piece.room for piece in pieces])
        if room > self.room or len(self._leaves) + len(leaves) > self._most or self.budget is not BUDGET:
            return False
        self._leaves += leaves
        self.room -= room
        return True

    def text(self, at: str, value: str, encodings: tuple[str, ...] = (), *, peel: bool = True) -> None:
        """Adds one value, and what is found in it when its encodings are undone."""
        leaves = self._leaves
        count = len(leaves)
        if count >= self._most:
            self.note("A call holds more values than are looked at")
            return
        if len(value) < self._short or (value in self._plain and len(encodings) < self.budget.layers):
            leaves.append(_leaf(Leaf, (at, value, encodings, False)))
            return
        kept = value
        if len(value) > self.budget.longest:
            self.note("A value is longer than is looked at")
            kept = value[: self.budget.longest]
        leaves.append(_leaf(Leaf, (at, kept, encodings, False)))
        if not peel or self.late():
            return
        if len(encodings) >= self.budget.layers:
            self.note("A value is encoded more often than is undone")
            return
        if self._peel(self, at, value, encodings):
            leaves[count] = _leaf(Leaf, (at, kept, encodings, True))
        elif len(leaves) == count + 1 and len(value) <= _LONGEST_PLAIN:
            self._remember(value)

    def _remember(self, value: str) -> None:
        """Remembers that a value holds no other, unless that is so for want of room or time."""
        if not self._ran_out and self.room >= _ENOUGH and self.budget is BUDGET:
            if len(_plain) >= _MOST_PLAIN:
                _plain.clear()
            _plain.add(value)

    def raw(self, at: str, content: bytes, encodings: tuple[str, ...] = ()) -> None:
        """Adds a value that was sent as bytes: what it holds, or what it begins with in hex."""
        if len(encodings) >= self.budget.layers:
            self.note("A value is encoded more often than is undone")
        elif content and not self.late() and self._peel_bytes(self, at, content, encodings):
            return
        if len(content) > _LONGEST_HEX:
            self.note("A value is in a form that is not known")
        self.text(at, content[:_LONGEST_HEX].hex(), encodings, peel=False)

    def tree(self, at: str, value: object, encodings: tuple[str, ...] = ()) -> None:
        """Adds all values in nested lists and tables (as `json` gives them, numbers as texts; texts may be bytes)."""
        pending: list[Iterator[tuple[str, object]]] = [iter([(at, value)])]
        while pending:
            for place, node in pending[-1]:
                if isinstance(node, _TABLES):
                    if node and self.open(place, len(pending) - 1):
                        pending.append(_children(place, node))
                        break
                elif len(self._leaves) >= self._most:
                    self.note("A call holds more values than are looked at")
                    return
                elif isinstance(node, str):
                    self.text(place, node, encodings)
                elif isinstance(node, bytes):
                    self.raw(place, node, encodings)
                elif node is not None:
                    self.text(place, "true" if node else "false", encodings, peel=False)
            else:
                pending.pop()

    def open(self, place: str, depth: int) -> bool:
        """Whether the list or table at a place, within so many others, may be entered; noted when not."""
        if depth < self.budget.depth and len(place) <= _LONGEST_PLACE:
            return True
        self.note("A call is nested more deeply than is looked at")
        return False

    def more(self) -> bool:
        """Whether more may be added, to be asked when there is more; noted when not."""
        if len(self._leaves) >= self.budget.leaves:
            self.note("A call holds more values than are looked at")
            return False
        return not self.late()

    def late(self) -> bool:
        """Whether the time has run out; noted when it has."""
        if (now := time.perf_counter()) < self._deadline:
            return False
        # The second half is time that it really works: a busy machine must not change what is found.  To ask for that
        # costs much more, and hardly a call takes so long.
        worked = time.thread_time()
        if self._begun < 0:
            self._begun = worked
        left = self.budget.seconds / 2 - (worked - self._begun)
        if left > 0:
            self._deadline = now + left
            return False
        self.note("A call took too long to take apart")
        return True

    def unpack(self, at: str, text: str, encodings: tuple[str, ...]) -> None:
        """Adds what came out of an encoding; all of it together has a limit, against bombs."""
        self.room -= len(text)
        if self.room < 0:
            self.note("A call unpacks to more than is looked at")
            return
        self.text(at, text, encodings)

    def note(self, sentence: str) -> None:
        """Notes what was not looked at; the same once."""
        self._ran_out[sentence] = None

    def result(self) -> Decoded:
        """What was collected."""
        return Decoded(tuple(self._leaves), tuple(self._ran_out))


def _children(place: str, node: dict[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    """Place and content of each entry, one at a time: a place may be a thousand times as long as an entry."""
    if isinstance(node, dict):
        return (
            (f"{place}.{key}" if len(key) <= _LONGEST_STEP else step(place, key), child) for key, child in node.items()
        )
    return ((f"{place}.{position}", child) for position, child in enumerate(node))


_TABLES = (dict, list)

_SHORTEST = 8
"""A shorter value holds no other."""

_MOST_PLAIN = 10_000
_LONGEST_PLAIN = 200
"""Values that are remembered to hold no other, and characters of one: hostile traffic must not fill the memory."""

_ENOUGH = LIMITS.free
"""Characters for which there must be room: so many may come out of a value of that length, and no more."""

_plain: set[str] = set()
"""Values that hold no other: ids and names come again in every call."""

# Half of what the constructor takes, and there are millions.
_leaf = cast("Callable[[type[Leaf], tuple[str, str, tuple[str, ...], bool]], Leaf]", tuple.__new__)
