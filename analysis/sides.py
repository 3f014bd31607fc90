"""Which side of a switch a call is on: by the changes that are seen in the traffic, or else by what the user says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from analysis.evidence import SwitchState
from analysis.model import Classified
from analysis.pipeline import Result

type Side = Literal["on", "off", "grace", ""]
"""Of a call: the switch was on; off; changed so shortly before that it counts for neither; nothing says so."""


GRACE = 900.0
"""Seconds after a change of the switch that are left out: what was collected before may still be sent."""


class Sides:
    """Tells of any moment in a capture whether the switch was on."""

    def __init__(self, result: Result, off: frozenset[int], on: frozenset[int], grace: float) -> None:
        self._calls = result.calls
        self._labels: dict[int, Side] = {**dict.fromkeys(on, "on"), **dict.fromkeys(off, "off")}
        self.grace = grace
        self.changes = tuple(self._real(result.evidence.switches))
        self._of: dict[str, list[SwitchState]] = defaultdict(list)
        for change in self.changes:
            self._of[change.product].append(change)

    def _real(self, states: Iterable[SwitchState]) -> Iterator[SwitchState]:
        """Changes: not what an answer shows, not what was so already, and not "on" where nothing else was known."""
        known: dict[tuple[str, str], bool] = {}
        for state in states:
            before = known.get((state.product, state.switch))
            known[state.product, state.switch] = state.on
            if state.changed and before is not state.on and (before is not None or not state.on):
                yield state

    def label(self, capture: int) -> Side:
        """What the user says of a capture."""
        return self._labels.get(capture, "")

    def of(self, call: Classified) -> Side:
        """Side of a call; empty for one without a time."""
        seen = call.observation
        return self.at(call.product, seen.source.capture, seen.time) if seen.time is not None else ""

    def at(self, product: str, capture: int, time: float) -> Side:
        """Side of a moment, for what a product sends."""
        changes = self._of.get(product, ())
        if any(0 <= time - change.time < self.grace for change in changes):
            return "grace"
        here = [change for change in changes if change.capture == capture]
        states = {_state(switch, here, time) for switch in {change.switch for change in here}}
        if not states:
            return self.label(capture)
        return "off" if False in states else "on"

    def turns(self) -> int:
        """How often the side changed, over the calls whose side is known, in the order of time."""
        products = {change.product for change in self.changes}
        timed = [
            (call.observation.time, side)
            for call in self._calls
            if (side := self.of(call)) in ("on", "off")
            and call.observation.time is not None
            and (not products or call.product in products)
        ]
        sides = [side for _, side in sorted(timed)]
        return sum(a != b for a, b in pairwise(sides))


def _state(switch: str, changes: Sequence[SwitchState], time: float) -> bool:
    """State of a switch by the changes in one capture: after the last one, or before the first one."""
    mine = [change for change in changes if change.switch == switch]
    before = [change for change in mine if change.time <= time]
    return before[-1].on if before else not mine[0].on
