"""Result -> what a switch stopped: item by item and call by call, before and after it was turned off.

Whether something stopped is decided by occasions (`exposure`) and exact tests (`rates`); which sentences may be said is
decided in docs/knowledge.md.  One before and one after shows what followed, not what caused it.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from analysis import exposure, rates
from analysis.evidence import SwitchState
from analysis.exposure import Occasion, Window
from analysis.model import Category, Classified, Comparison, Finding, Verdict
from analysis.needs import Exceptional, beyond
from analysis.pipeline import Result
from analysis.rates import Missing, Seen
from analysis.sides import GRACE, Side, Sides
from analysis.texts.promises import Obstacle
from analysis.traffic import host, is_outside, is_readable, recipient
from captures.model import Exchange, Lookup, Unreadable

type Outcome = Literal["stopped", "reduced", "goes-on", "new", "cannot-tell"]
"""What became of an item or a call after the switch was turned off."""

type Listed = Literal["never", "optional", "required", "unlisted", "documented", "no-list"]
"""What the sender's list says of an item: never collected, optional, required, not named, not named but described, or
there is no list."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """One kind of call to one recipient, or the items that came with only some of these calls."""

    product: str
    """Pack id of the sender; empty when it is not known."""
    rule: str
    """`pack/call`; empty when no rule fits."""
    category: Category
    """What the calls are for."""
    recipient: str
    """Kind of recipient, as in `Comparison.recipient`."""
    entity: str
    """Name of the recipient, or its host.  Private in the latter case."""
    items: tuple[str, ...]
    """Items that came with each of these calls; empty for calls without any."""
    whole: bool
    """Whether it is the call as such, with the items that all of its calls carry."""
    occasion: str
    """What it was tested by: a kind of occasion, `timer`, or `time`."""
    period: float
    """Seconds of the timer; 0 for anything else."""
    seen: Seen
    """Occasions on both sides, and how many of them had it."""
    before: int
    """Calls before."""
    after: int
    """Calls after."""
    expected: float | None
    """Calls after if nothing had changed; `None` when there was no occasion before."""
    chance: float
    """Chance of as few if nothing had changed (of as many, for what is new)."""
    verdict: Outcome
    """What became of it."""
    obstacles: tuple[Obstacle, ...]
    """Why it cannot be told although it may have stopped."""
    missing: Missing | None
    """Occasions that are missing for an answer; `None` when none are, or adding some would not help."""
    wanting: bool
    """Whether occasions are missing."""
    soon: bool
    """Whether all calls with the switch off came soon after the beginning of a capture, and no change was seen."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One data item of one sender to one recipient."""

    product: str
    """Pack id of the sender; empty when it is not known."""
    item: str
    """Id in `items.toml`."""
    recipient: str
    """Kind of recipient."""
    entity: str
    """Name of the recipient, or its host.  Private in the latter case."""
    listed: Listed
    """What the sender's list says of it."""
    switch: str
    """Id of the switch that the list names for it; empty when it names none."""
    before: int
    """Calls before that carried it."""
    after: int
    """Calls after that carried it."""
    expected: float | None
    """Calls after if nothing had changed; `None` when there was no occasion before."""
    verdict: Outcome
    """What became of it."""
    rows: tuple[CallRow, ...]
    """Its calls, in the order of `OptOut.calls`."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """What became of everything after the switch."""

    items: tuple[ItemRow, ...]
    """Item by item: by what the list says, then by sender, recipient and item."""
    calls: tuple[CallRow, ...]
    """Call by call, in the order of sender, recipient and purpose."""
    changes: tuple[SwitchState, ...]
    """Changes of switches that were seen, in the order of time."""
    shown: tuple[SwitchState, ...]
    """States that answers showed, likewise."""
    turns: int
    """How often the switch changed between calls that are compared: 1 is before and after, 2 is off-on-off."""
    threshold: float
    """Chance that each test had to reach."""
    grace: float
    """Seconds after a change that were left out."""
    left_out: int
    """Calls in that time."""
    plays: tuple[int, int]
    """Plays before and after."""
    lacking: tuple[Side, ...]
    """Sides on which no call to anybody outside was recorded."""
    exceptions: tuple[Exceptional, ...]
    """Calls for a function that went on with the switch off."""


def optout(result: Result, off: Collection[int] = (), on: Collection[int] = (), *, grace: float = GRACE) -> OptOut:
    """A result of all captures together -> what became of each item and call when a switch was off.

    `off` and `on` are the numbers of the captures that were made with the switch off and on.  A change that is seen in
    the traffic of a product splits the capture in which it stands, for what that product sends.  Calls whose time is
    not known are left out.  Empty when no call is on a side.
    """
    sides = Sides(result, frozenset(off), frozenset(on), grace)
    scene = _Scene(result, sides)
    cells = list(_cells(scene))
    tests = [cell.seen if cell.before else cell.seen.mirrored() for cell in cells]
    decided = rates.decide(tests)
    rows = [
        _row(cell, test, holds, decided.threshold, scene)
        for cell, test, holds in zip(cells, tests, decided.hold, strict=True)
    ]
    return OptOut(
        items=tuple(sorted(_items(rows, scene), key=_item_order)),
        calls=tuple(rows),
        changes=sides.changes,
        shown=tuple(state for state in result.evidence.switches if not state.changed),
        turns=sides.turns(),
        threshold=decided.threshold,
        grace=grace,
        left_out=sum(is_outside(call) and sides.of(call) == "grace" for call in result.calls),
        plays=(len(scene.plays("on")), len(scene.plays("off"))),
        lacking=tuple(side for side in _COMPARED if not any(cell.on if side == "on" else cell.off for cell in cells)),
        exceptions=beyond(result.calls, result.findings, {n for n, side in scene.side.items() if side == "off"}),
    )


_COMPARED: tuple[Side, ...] = ("on", "off")


# What is compared -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cell:
    """One test: calls of one kind to one recipient, or those of them that carry certain items."""

    first: Classified
    """Any of the calls."""
    entity: str
    items: tuple[str, ...]
    whole: bool
    on: tuple[Classified, ...]
    off: tuple[Classified, ...]
    occasion: str
    period: float
    seen: Seen

    @property
    def before(self) -> int:
        return len(self.on)

    @property
    def after(self) -> int:
        return len(self.off)


class _Scene:
    """What all cells look at, each worked out once."""

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


def _cells(scene: _Scene) -> Iterator[_Cell]:
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
            yield _Cell(chosen[0], entity, tuple(items), whole, on, off, occasion, period, seen)


def _tested(on: Sequence[Classified], off: Sequence[Classified], entity: str, scene: _Scene) -> tuple[str, float, Seen]:
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


def _windows(
    kind: str, first: Classified, calls: Sequence[Classified], side: Side, scene: _Scene
) -> tuple[Window, ...]:
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


def _by_period(on: Sequence[Classified], off: Sequence[Classified], period: float, entity: str, scene: _Scene) -> Seen:
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


def _by_time(on: Sequence[Classified], off: Sequence[Classified], entity: str, scene: _Scene) -> Seen:
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


# What became of it ----------------------------------------------------------------------------------------------------

_LEAST_PERIODS = 3
"""Whole periods of a timer before it is judged."""


def _row(cell: _Cell, test: Seen, holds: bool, threshold: float, scene: _Scene) -> CallRow:
    verdict: Outcome
    obstacles: tuple[Obstacle, ...] = ()
    missing: Missing | None = None
    enough = cell.occasion != "timer" or test.exposure_after >= _LEAST_PERIODS
    if cell.before and cell.after:
        verdict = "reduced" if cell.seen.after and rates.highest_ratio(cell.seen) < 1 else "goes-on"
    else:
        gone: Side = "off" if cell.before else "on"
        obstacles = tuple(_obstacles(cell, cell.on or cell.off, gone, scene))
        sure = holds and enough and not obstacles
        verdict = ("stopped" if cell.before else "new") if sure else "cannot-tell"
        if not (holds and enough):
            missing = _missing(cell, test, threshold)
    judged = [c for item in cell.items for c in scene.judged.get((cell.first.product, item, cell.entity), ())]
    scale = cell.seen.exposure_after / cell.seen.exposure_before if cell.seen.exposure_before else None
    return CallRow(
        product=cell.first.product,
        rule=cell.first.rule,
        category=cell.first.category,
        recipient=judged[0].recipient if judged else "",
        entity=cell.entity,
        items=cell.items,
        whole=cell.whole,
        occasion=cell.occasion,
        period=cell.period,
        seen=cell.seen,
        before=cell.before,
        after=cell.after,
        expected=None if scale is None else cell.before * scale,
        chance=rates.chance(test),
        verdict=verdict,
        obstacles=obstacles,
        missing=missing,
        wanting=verdict == "cannot-tell" and not (holds and enough),
        soon=verdict == "goes-on" and not scene.sides.changes and all(_is_soon(call, scene) for call in cell.off),
    )


def _is_soon(call: Classified, scene: _Scene) -> bool:
    first = scene.result.captures[call.observation.source.capture].first or 0.0
    return (call.observation.time or 0.0) - first < scene.sides.grace


def _missing(cell: _Cell, test: Seen, threshold: float) -> Missing | None:
    """What to add before and after the switch; a timer is not judged before some whole periods."""
    found = rates.missing(test, threshold)
    if found is None and rates.least_chance(test) <= threshold:
        found = Missing(0, 0)
    if found and not cell.before:
        found = Missing(found.after, found.before)
    if found and cell.occasion == "timer":
        short = _LEAST_PERIODS - round(test.exposure_after)
        found = replace(found, after=max(found.after, short)) if cell.before else found
    return found


def _obstacles(cell: _Cell, there: Sequence[Classified], gone: Side, scene: _Scene) -> Iterator[Obstacle]:
    """What else could be the reason that calls are not seen on a side (`gone`) that were seen on the other."""
    result, sides, product = scene.result, scene.sides, cell.first.product
    hosts = {host(call) for call in there}
    addresses = {
        c.observation.server.address for c in there if isinstance(c.observation, Exchange) and c.observation.server
    }

    def on_side(call: Classified) -> bool:
        seen = call.observation
        if seen.time is None:
            return sides.label(seen.source.capture) in (gone, "")
        return sides.at(product, seen.source.capture, seen.time) == gone

    closed = [call for call in scene.closed if on_side(call)]
    if any(host(call) in hosts or host(call) in addresses for call in closed):
        yield "unreadable"
    if any(isinstance(call.observation, Unreadable) and not host(call) for call in closed):
        yield "damaged"
    if any(host(call) in hosts and on_side(call) for call in scene.lookups):
        yield "refused"
    if any(info.dropped and sides.label(n) in (gone, "") for n, info in enumerate(result.captures)):
        yield "dropped"
    if not cell.whole and any(_cut(call) for call in _same_kind(cell, scene) if scene.side[call.n] == gone):
        yield "cut"
    if _differs(_versions(product, cell.first.role, scene), gone):
        yield "version"
    if _differs(_accounts(product, scene), gone):
        yield "account"


def _same_kind(cell: _Cell, scene: _Scene) -> Iterator[Classified]:
    return (
        call
        for call in scene.result.calls
        if (call.product, call.rule) == (cell.first.product, cell.first.rule) and recipient(call) == cell.entity
    )


def _cut(call: Classified) -> bool:
    body = call.observation.body if isinstance(call.observation, Exchange) else None
    return body is not None and (body.content is None or body.cut)


type _Shown = Mapping[str, Mapping[Side, set[str]]]
"""Place or item -> side -> values."""


def _differs(shown: _Shown, gone: Side) -> bool:
    """Whether something that stood on the one side is another on the other, where nothing was seen."""
    there: Side = "on" if gone == "off" else "off"
    return any(sides.get(there) and sides.get(gone) and not sides[there] <= sides[gone] for sides in shown.values())


_VERSION = re.compile(r"v?[0-9]+(?:\.[0-9]+)+[\w.+-]*|[^/\s]+/v?[0-9]+(?:\.[0-9]+)+[^\s]*")
"""A version alone, or `Name/version` at the beginning of a user agent."""

_VERSION_ITEMS = frozenset({"server.version", "client.app", "client.user_agent"})

_ACCOUNTS = frozenset({"account.id", "account.uuid", "account.email", "account.username"})


def _versions(product: str, role: str, scene: _Scene) -> _Shown:
    """Versions that a sender gave of itself, by the place where it gave them."""

    def version(finding: Finding) -> str:
        found = _VERSION.match(finding.value)
        whole = found and (finding.item == "client.user_agent" or found.end() == len(finding.value))
        return found[0] if found and whole else ""

    return _values(product, role, _VERSION_ITEMS, version, scene)


def _accounts(product: str, scene: _Scene) -> _Shown:
    return _values(product, "", _ACCOUNTS, lambda finding: finding.value, scene)


def _values(product: str, role: str, items: Collection[str], value: Callable[[Finding], str], scene: _Scene) -> _Shown:
    calls = {c.n: c for c in scene.result.calls if c.product == product and (not role or c.role == role)}
    shown: dict[str, dict[Side, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in scene.result.findings:
        if finding.item in items and finding.call in calls and finding.direction == "sent" and value(finding):
            place = finding.item if finding.item in _ACCOUNTS else finding.at
            shown[place][scene.side[finding.call]].add(value(finding))
    return shown


def _items(rows: Sequence[CallRow], scene: _Scene) -> Iterator[ItemRow]:
    by_item: dict[tuple[str, str, str], list[CallRow]] = defaultdict(list)
    for row in rows:
        for item in row.items:
            by_item[row.product, item, row.entity].append(row)
    for (product, item, entity), mine in by_item.items():
        judged = scene.judged.get((product, item, entity), [])
        before, after = sum(row.before for row in mine), sum(row.after for row in mine)
        known = [row.expected for row in mine if row.expected is not None]
        listed, switch = _listed(judged[0], scene) if judged else ("no-list", "")
        yield ItemRow(
            product=product,
            item=item,
            recipient=judged[0].recipient if judged else "",
            entity=entity,
            listed=listed,
            switch=switch,
            before=before,
            after=after,
            expected=sum(known) if known else None,
            verdict=_of_item(mine, before, after),
            rows=tuple(mine),
        )


def _of_item(rows: Sequence[CallRow], before: int, after: int) -> Outcome:
    """An item stopped if each kind of call that carried it stopped carrying it."""
    verdicts = {row.verdict for row in rows}
    if before and after:
        return "reduced" if verdicts <= {"stopped", "reduced"} else "goes-on"
    if before:
        return "stopped" if verdicts == {"stopped"} else "cannot-tell"
    return "new" if "new" in verdicts else "cannot-tell"


def _listed(c: Comparison, scene: _Scene) -> tuple[Listed, str]:
    """What the list says of an item, and the switch that it names."""
    statement = scene.result.knowledge.statement(c.product, c.declared, c.statement)
    switch = statement.switch if statement else ""
    match c.verdict:
        case Verdict.UNDECLARED:
            return "unlisted", ""
        case Verdict.NO_LIST:
            return "no-list", ""
        case Verdict.DOCUMENTED:
            return "documented", ""
        case Verdict.DENIED | Verdict.CONTRADICTORY:
            return "never", switch
        case Verdict.OPTIONAL | Verdict.OPTED_OUT:
            return "optional", switch
    return ("optional" if statement and statement.status == "optional" else "required"), switch


_LISTED_ORDER: tuple[Listed, ...] = ("never", "optional", "required", "unlisted", "documented", "no-list")


def _item_order(row: ItemRow) -> tuple[int, str, str, str]:
    return _LISTED_ORDER.index(row.listed), row.product, row.entity, row.item
