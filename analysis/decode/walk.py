"""The leaves of one exchange, and the limits on their number, depth and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple


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
    """Bytes of one body that are looked at."""
    seconds: float = 0.25
    """Time in all."""


BUDGET = Budget()
"""The budget of captured exchanges."""


class Decoded(NamedTuple):
    """What `decode` gives."""

    leaves: tuple[Leaf, ...]
    """All leaves that were reached."""
    ran_out: tuple[str, ...]
    """Sentences about what was not looked at; empty when everything was."""


class Walk:
    """Collects leaves until a budget runs out; what ran out is noted, never silent."""

    __slots__ = ("_deadline", "_leaves", "_ran_out", "budget")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._leaves: list[Leaf] = []
        self._ran_out: dict[str, None] = {}
        self._deadline = time.perf_counter() + budget.seconds

    def text(self, at: str, value: str, encodings: tuple[str, ...] = (), *, peel: bool = True) -> None:
        """Adds one value, and what is found in it when its encodings are undone."""
        count = len(self._leaves)
        if count >= self.budget.leaves:
            self.note("A call holds more values than are looked at")
            return
        self._leaves.append(Leaf(at, value, encodings))
        if not peel or len(value) < _SHORTEST:
            return
        if count % 64 == 0 and time.perf_counter() > self._deadline:
            self.note("A call took too long to take apart")
            return
        if len(encodings) >= self.budget.layers:
            self.note("A value is encoded more often than is undone")
            return
        if peel_value(self, at, value, encodings):
            self._leaves[count] = Leaf(at, value, encodings, peeled=True)

    def tree(self, at: str, value: object, encodings: tuple[str, ...] = ()) -> None:
        """Adds all values in nested lists and tables (as `json` gives them, numbers as texts)."""
        pending = [(at, value, 0)]
        while pending:
            place, node, depth = pending.pop()
            if isinstance(node, dict | list):
                if depth >= self.budget.depth:
                    self.note("A call is nested more deeply than is looked at")
                    continue
                children = node.items() if isinstance(node, dict) else enumerate(node)
                pending.extend([(f"{place}.{key}", child, depth + 1) for key, child in children][::-1])
            elif node is not None:
                self.text(place, _TRUTH.get(node, str(node)) if isinstance(node, bool) else str(node), encodings)
            if pending and len(self._leaves) >= self.budget.leaves:
                self.note("A call holds more values than are looked at")
                return

    def note(self, sentence: str) -> None:
        """Notes what was not looked at; the same once."""
        self._ran_out[sentence] = None

    def result(self) -> Decoded:
        """What was collected."""
        return Decoded(tuple(self._leaves), tuple(self._ran_out))


_TRUTH = {True: "true", False: "false"}
_SHORTEST = 8
"""A shorter value holds no other."""

# At the end, because the two call one another.
from analysis.decode.peel import peel_value  # noqa: E402
