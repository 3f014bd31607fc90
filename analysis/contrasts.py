"""Result and sides -> what is compared of both: calls of one kind to one recipient, and how often occasions had them.

What a call is tested by (an occasion, a timer, or the time) is decided in docs/knowledge.md.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis import exposure
from analysis.exposure import Occasion, Window
from analysis.model import Category, Classified, Comparison, Verdict
from analysis.pipeline import Result
from analysis.rates import Seen
from analysis.sides import Side, Sides
from analysis.traffic import host, is_outside, is_readable, recipient
from captures.model import Lookup


@dataclass(frozen=True, slots=True)
class Contrast:
    """One test: calls of one kind to one recipient, or those of them that carry certain items."""

    first: Classified
    """Any of the calls."""
    entity: str
    """Name of the recipient, or its host.  Private in the latter case."""
    items: tuple[str, ...]
    """Items that each of these calls carried."""
    whole: bool
    """Whether these are all calls of the kind."""
    on: tuple[Classified, ...]
    """Calls with the switch on."""
    off: tuple[Classified, ...]
    """Calls with the switch off."""
    occasion: str
    """A kind of occasion, `timer`, or `time`."""
    period: float
    """Seconds of the timer; 0 for anything else."""
    seen: Seen
    """Occasions on both sides, and how many of them had such a call."""

    @property
    def before(self) -> int:
        """Number of calls with the switch on."""
        return len(self.on)

    @property
    def after(self) -> int:
        """Number of calls with the switch off."""
        return len(self.off)


class Scene:
    """What all contrasts look at, each worked out once."""

    def __init__(self, result: Result, sides: Sides) -> None:
        self.result, self.sides = result, sides
        self.side = {call.n: sides.of(call) for call in result.calls}
        self.who = exposure.senders(result.calls, result.findings)
        self.occasions = exposure.occasions(result.calls, result.findings, result.knowledge)

    @cached_property
    def carried(self) -> Mapping[int, frozenset[str]]:
        """Call -> items sent in it."""
        carried: dict[int, set[str]] = defaultdict(set)
        for finding in self.result.findings:
            if finding.direction == "sent":
                carried[finding.call].add(finding.item)
        return {n: frozenset(items) for n, items in carried.items()}

    @cached_property
    def judged(self) -> Mapping[tuple[str, str, str], list[Comparison]]:
        """(sender, item, recipient) -> what the list says, of what was sent most first."""
        judged: dict[tuple[str, str, str], list[Comparison]] = defaultdict(list)
        for c in sorted(self.result.comparisons, key=lambda c: -c.count):
            if c.verdict is not Verdict.NOT_SEEN:
                judged[c.product, c.item, c.entity].append(c)
        return judged

    @cached_property
    def lookups(self) -> Sequence[Classified]:
        """Questions for names that were refused."""
        return [
            call for call in self.result.calls if isinstance(call.observation, Lookup) and _refused(call.observation)
        ]

    @cached_property
    def closed(self) -> Sequence[Classified]:
        """Calls whose content could not be read, to anybody outside; also damaged places of a capture."""
        return [call for call in self.result.calls if is_outside(call) and not is_readable(call)]

    @cached_property
    def life(self) -> Mapping[str, list[tuple[int, Side, str, str]]]:
        """Sender -> its calls that are on a side: (stretch of time, side, rule, recipient)."""
        life: dict[str, list[tuple[int, Side, str, str]]] = defaultdict(list)
        for call in self.result.calls:
            time = call.observation.time
            if time is not None and self.side[call.n] in ("on", "off"):
                life[call.product].append((int(time // exposure.BIN), self.side[call.n], call.rule, recipient(call)))
        return life

    @cached_property
    def stretches(self) -> Mapping[tuple[str, Side], list[tuple[float, float]]]:
        """(Sender, side) -> stretches of recording without a change of side."""
        found: dict[tuple[str, Side], list[tuple[float, float]]] = defaultdict(list)
        times: dict[int, list[float]] = defaultdict(list)
        for call in self.result.calls:
            if call.observation.time is not None:
                times[call.observation.source.capture].append(call.observation.time)
        for product in {call.product for call in self.result.calls}:
            for capture, seen in times.items():
                begin: tuple[Side, float] = ("", 0.0)
                last = 0.0
                for time in sorted(seen):
                    side = self.sides.at(product, capture, time)
                    if side != begin[0]:
                        found[product, begin[0]].append((begin[1], last))
                        begin = (side, time)
                    last = time
                found[product, begin[0]].append((begin[1], last))
        return found

    def plays(self, side: Side) -> list[Occasion]:
        """Plays on a side, as the products see it whose switch was changed."""
        product = self.sides.changes[0].product if self.sides.changes else ""
        plays = self.occasions.get(exposure.PLAY, ())
        return [play for play in plays if self.sides.at(product, play.capture, play.start) == side]


_BLOCKED = frozenset({"0.0.0.0", "::", "127.0.0.1", "::1"})  # noqa: S104 - what blockers answer


def _refused(lookup: Lookup) -> bool:
    if lookup.protocol != "dns":
        return False
    return lookup.rcode in {"NXDOMAIN", "REFUSED", "SERVFAIL"} or bool(
        lookup.answers and set(lookup.answers) <= _BLOCKED
    )


def contrasts(scene: Scene) -> Iterator[Contrast]:
    """Everything that is tested: each kind of call, and items that came with some of its calls only, together."""
    kinds: dict[tuple[str, str, Category, str], list[Classified]] = defaultdict(list)
    for call in scene.result.calls:
        judged = is_outside(call) and is_readable(call) and host(call) not in scene.result.evidence.asks
        if judged and scene.side[call.n] in ("on", "off"):
            kinds[call.product, call.rule, call.category, recipient(call)].append(call)
    for (*_, entity), calls in sorted(kinds.items()):
        patterns: dict[frozenset[int], list[str]] = {frozenset(call.n for call in calls): []}
        for item in sorted({item for call in calls for item in scene.carried.get(call.n, ())}):
            pattern = frozenset(call.n for call in calls if item in scene.carried.get(call.n, ()))
            patterns.setdefault(pattern, []).append(item)
        for pattern, items in patterns.items():
            chosen = [call for call in calls if call.n in pattern]
            on = tuple(call for call in chosen if scene.side[call.n] == "on")
            off = tuple(call for call in chosen if scene.side[call.n] == "off")
            occasion, period, seen = _tested(on, off, entity, scene)
            whole = len(chosen) == len(calls)
            yield Contrast(chosen[0], entity, tuple(items), whole, on, off, occasion, period, seen)


def _tested(on: Sequence[Classified], off: Sequence[Classified], entity: str, scene: Scene) -> tuple[str, float, Seen]:
    """Calls on both sides -> by which occasions they are tested, the period of a timer, and how often they came."""
    first = (on or off)[0]
    rule = scene.result.knowledge.rules.get(first.rule)
    when = rule.when if rule else ""
    if period := exposure.period_of(when):
        return "timer", period, _by_period(on, off, period, entity, scene)
    kind = exposure.kind_of(when)
    if not kind:
        found = _windows(exposure.PLAY, first, on or off, "on" if on else "off", scene)
        inside = sum(_hit(found, call) is not None for call in on or off)
        kind = exposure.PLAY if found and 2 * inside >= len(on or off) else ""
    if not kind:
        return "time", 0.0, _by_time(on, off, entity, scene)
    sides: tuple[tuple[Sequence[Classified], Side], ...] = ((on, "on"), (off, "off"))
    numbers: list[int] = []
    for calls, side in sides:
        found = _windows(kind, first, on or off, side, scene)
        numbers += [len({hit for call in calls if (hit := _hit(found, call)) is not None}), len(found)]
    return kind, 0.0, Seen(numbers[0], numbers[1], numbers[2], numbers[3])


def _windows(kind: str, first: Classified, calls: Sequence[Classified], side: Side, scene: Scene) -> tuple[Window, ...]:
    """Occasions on a side on which such a call could have been made, shown by other calls than itself."""
    who = frozenset().union(*(scene.who[call.n] for call in calls))
    chosen = [
        occasion
        for occasion in scene.occasions.get(kind, ())
        if occasion.rules - {first.rule}
        and scene.sides.at(first.product, occasion.capture, occasion.start) == side
        and (
            (first.role != "app" or not who.isdisjoint(occasion.who))
            if kind == exposure.PLAY
            else (occasion.product, occasion.role) == (first.product, first.role) and not who.isdisjoint(occasion.who)
        )
    ]
    return exposure.windows(chosen)


def _hit(windows: Sequence[Window], call: Classified) -> int | None:
    """Number of the occasion to which a call belongs; `None` when it belongs to none."""
    time = call.observation.time or 0.0
    number = bisect.bisect_right(windows, time, key=lambda window: window.start) - 1
    return number if number >= 0 and time < windows[number].end else None


def _by_period(on: Sequence[Classified], off: Sequence[Classified], period: float, entity: str, scene: Scene) -> Seen:
    first = (on or off)[0]
    numbers: list[int] = []
    sides: tuple[tuple[Sequence[Classified], Side], ...] = ((on, "on"), (off, "off"))
    for calls, side in sides:
        alive = [
            number * exposure.BIN
            for number, where, rule, who in scene.life.get(first.product, ())
            if where == side and (rule, who) != (first.rule, entity)
        ]
        own = [call.observation.time or 0.0 for call in calls]
        whole = exposure.periods(scene.stretches.get((first.product, side), ()), period)
        had = [any(start <= time < end for time in own) for start, end in whole]
        lived = [
            has or any(start - exposure.BIN < time < end for time in alive)
            for has, (start, end) in zip(had, whole, strict=True)
        ]
        numbers += [sum(had), sum(lived)]
    return Seen(numbers[0], numbers[1], numbers[2], numbers[3])


def _by_time(on: Sequence[Classified], off: Sequence[Classified], entity: str, scene: Scene) -> Seen:
    """Stretches of time in which the sender did something else, and those with the call."""
    first = (on or off)[0]
    numbers: list[int] = []
    sides: tuple[tuple[Sequence[Classified], Side], ...] = ((on, "on"), (off, "off"))
    for calls, side in sides:
        own = {int((call.observation.time or 0.0) // exposure.BIN) for call in calls}
        others = {
            number
            for number, where, rule, who in scene.life.get(first.product, ())
            if where == side and (rule, who) != (first.rule, entity)
        }
        numbers += [len(own), len(own | others)]
    return Seen(numbers[0], numbers[1], numbers[2], numbers[3], exact=False)
