"""Result -> what a switch stopped: item by item and call by call, before and after it was turned off.

Whether something stopped is decided by occasions (`exposure`) and exact tests (`rates`); which sentences may be said is
decided in docs/knowledge.md.  One before and one after shows what followed, not what caused it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis import rates
from analysis.contrasts import Contrast, Scene, contrasts
from analysis.evidence import SwitchState
from analysis.model import Category, Classified, Comparison, Verdict
from analysis.needs import Exceptional, beyond
from analysis.obstacles import obstacles
from analysis.pipeline import Result
from analysis.rates import Missing, Seen
from analysis.sides import GRACE, Side, Sides
from analysis.texts.promises import Obstacle
from analysis.traffic import is_outside

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
    scene = Scene(result, sides)
    found = list(contrasts(scene))
    tests = [contrast.seen if contrast.before else contrast.seen.mirrored() for contrast in found]
    decided = rates.decide(tests)
    rows = [
        _row(contrast, test, holds, decided.threshold, scene)
        for contrast, test, holds in zip(found, tests, decided.hold, strict=True)
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
        lacking=tuple(
            side for side in _COMPARED if not any(contrast.on if side == "on" else contrast.off for contrast in found)
        ),
        exceptions=beyond(result.calls, result.findings, {n for n, side in scene.side.items() if side == "off"}),
    )


_COMPARED: tuple[Side, ...] = ("on", "off")


_LEAST_PERIODS = 3
"""Whole periods of a timer before it is judged."""


def _row(contrast: Contrast, test: Seen, holds: bool, threshold: float, scene: Scene) -> CallRow:
    verdict: Outcome
    hindered: tuple[Obstacle, ...] = ()
    missing: Missing | None = None
    enough = contrast.occasion != "timer" or test.exposure_after >= _LEAST_PERIODS
    if contrast.before and contrast.after:
        verdict = "reduced" if contrast.seen.after and rates.highest_ratio(contrast.seen) < 1 else "goes-on"
    else:
        gone: Side = "off" if contrast.before else "on"
        hindered = tuple(obstacles(contrast, contrast.on or contrast.off, gone, scene))
        sure = holds and enough and not hindered
        verdict = ("stopped" if contrast.before else "new") if sure else "cannot-tell"
        if not (holds and enough):
            missing = _missing(contrast, test, threshold)
    judged = [
        c for item in contrast.items for c in scene.judged.get((contrast.first.product, item, contrast.entity), ())
    ]
    scale = contrast.seen.exposure_after / contrast.seen.exposure_before if contrast.seen.exposure_before else None
    return CallRow(
        product=contrast.first.product,
        rule=contrast.first.rule,
        category=contrast.first.category,
        recipient=judged[0].recipient if judged else "",
        entity=contrast.entity,
        items=contrast.items,
        whole=contrast.whole,
        occasion=contrast.occasion,
        period=contrast.period,
        seen=contrast.seen,
        before=contrast.before,
        after=contrast.after,
        expected=None if scale is None else contrast.before * scale,
        chance=rates.chance(test),
        verdict=verdict,
        obstacles=hindered,
        missing=missing,
        wanting=verdict == "cannot-tell" and not (holds and enough),
        soon=verdict == "goes-on" and not scene.sides.changes and all(_is_soon(call, scene) for call in contrast.off),
    )


def _is_soon(call: Classified, scene: Scene) -> bool:
    first = scene.result.captures[call.observation.source.capture].first or 0.0
    return (call.observation.time or 0.0) - first < scene.sides.grace


def _missing(contrast: Contrast, test: Seen, threshold: float) -> Missing | None:
    """What to add before and after the switch; a timer is not judged before some whole periods."""
    found = rates.missing(test, threshold)
    if found is None and rates.least_chance(test) <= threshold:
        found = Missing(0, 0)
    if found and not contrast.before:
        found = Missing(found.after, found.before)
    if found and contrast.occasion == "timer":
        short = _LEAST_PERIODS - round(test.exposure_after)
        found = replace(found, after=max(found.after, short)) if contrast.before else found
    return found


def _items(rows: Sequence[CallRow], scene: Scene) -> Iterator[ItemRow]:
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


def _listed(c: Comparison, scene: Scene) -> tuple[Listed, str]:
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
