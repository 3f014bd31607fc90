"""Reports -> where people with the same product see different things, and what explains it.

A setting explains it if those who have it on and those who have it off differ, tested on all settings, platforms and
occasions together; one report of each person speaks on each side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.community.changes import Change, Sides, number
from analysis.community.reports import Cell, View
from analysis.community.shares import COLLUDERS
from analysis.rates import decide

APART = 0.3
"""Shares that differ by less explain nothing, however sure the difference is."""

type FactorKind = Literal["setting", "platform", "occasion"]


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that differs between people."""

    kind: FactorKind
    """What it is."""
    name: str
    """Id of the switch, family of platforms, or occasion."""

    def value(self, view: View) -> bool | None:
        """Whether a report has it; `None` when it does not say."""
        match self.kind:
            case "setting":
                state = view.settings.get(self.name)
                return None if state is None else state == "on"
            case "platform":
                return self.name in view.platforms if view.platforms else None
            case _:
                return self.name in view.occasions


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that some see and others do not, or judge otherwise."""

    cell: Cell
    """What."""
    verdict: str
    """The verdict that some report and others do not; empty: whether it is sent at all."""
    k: int
    """People who see it (or have this verdict)."""
    n: int
    """People who looked (or see it)."""
    factor: Factor | None
    """What explains it; `None` when nothing does."""
    sides: Sides | None
    """People without and with the factor; `None` without one."""
    robust: bool
    """Whether five people who lie together could not have made up the explanation."""


def disagreements(views: Sequence[View], found: Sequence[Change], minimum: int) -> list[Disagreement]:
    """What was said of one product, and its changes -> disagreements, those that are explained first.

    Where something changed with a version, only reports since the last change are held against each other.
    """
    factors = _factors(views)
    since = {change.cell: change.version for change in found}
    asked: list[tuple[Cell, str, int, int]] = []
    tested: list[tuple[int, Factor, Sides]] = []
    for cell in sorted({cell for view in views for cell in view.cells}):
        chosen = [view for view in views if cell not in since or _is_since(view, since[cell])]
        for verdict, relevant in _questions(cell, chosen, minimum):
            last = {view.voice: view for view in relevant}
            k = sum(_answer(view, cell, verdict) for view in last.values())
            if k < minimum or len(last) - k < minimum or not 0.1 <= k / len(last) <= 0.9:
                continue
            asked.append((cell, verdict, k, len(last)))
            for factor in factors:
                sides = _split(relevant, cell, verdict, factor)
                if min(sides.n1, sides.n2) >= minimum:
                    tested.append((len(asked) - 1, factor, sides))
    decided = decide([test for _, _, sides in tested for test in sides.tests])
    best: dict[int, tuple[float, Factor, Sides]] = {}
    for n, (question, factor, sides) in enumerate(tested):
        apart = abs(sides.k2 / sides.n2 - sides.k1 / sides.n1)
        if (decided.hold[2 * n] or decided.hold[2 * n + 1]) and apart >= APART:
            best[question] = max(best.get(question, (0.0, factor, sides)), (apart, factor, sides), key=lambda b: b[0])
    result = []
    for n, (cell, verdict, k, total) in enumerate(asked):
        _, factor, sides = best.get(n, (0.0, None, None))  # type: ignore[assignment]  # nothing explains it
        if factor is None and not 0.25 <= k / total <= 0.75:
            continue  # seen by nearly all or hardly anybody: what differs is how long people looked
        robust = sides is not None and sides.holds_without(COLLUDERS, decided.threshold)
        result.append(Disagreement(cell, verdict, k, total, factor, sides, robust))
    return sorted(result, key=lambda d: (d.factor is None, d.cell, d.verdict))


def _factors(views: Sequence[View]) -> list[Factor]:
    settings = {switch for view in views for switch in view.settings}
    platforms = {platform for view in views for platform in view.platforms}
    occasions = {occasion for view in views for occasion in view.occasions}
    named: Mapping[FactorKind, set[str]] = {"setting": settings, "platform": platforms, "occasion": occasions}
    return [Factor(kind, name) for kind, names in named.items() for name in sorted(names)]


def _is_since(view: View, version: str) -> bool:
    return bool(view.version) and number(view.version) >= number(version)


def _questions(cell: Cell, views: Sequence[View], minimum: int) -> Iterator[tuple[str, list[View]]]:
    """Is it sent at all?  And, among those who see it, is it this verdict?"""
    yield "", [view for view in views if view.looked(cell)]
    seeing = [view for view in views if cell in view.cells]
    verdicts = sorted({view.cells[cell].verdict for view in seeing})
    if len(verdicts) > 1:
        counted = {v: len({view.voice for view in seeing if view.cells[cell].verdict == v}) for v in verdicts}
        common = [v for v in verdicts if counted[v] >= minimum]
        # Of two verdicts, one says it all.
        yield from ((v, seeing) for v in (common[:1] if len(common) == 2 else common))


def _answer(view: View, cell: Cell, verdict: str) -> bool:
    return cell in view.cells and (not verdict or view.cells[cell].verdict == verdict)


def _split(views: Sequence[View], cell: Cell, verdict: str, factor: Factor) -> Sides:
    """People without and with a factor; the last report of each speaks on each side."""
    sides: dict[bool, dict[int, View]] = {False: {}, True: {}}
    for view in views:
        value = factor.value(view)
        if value is not None:
            sides[value][view.voice] = view
    k1, k2 = (sum(_answer(view, cell, verdict) for view in sides[side].values()) for side in (False, True))
    return Sides(k1, len(sides[False]), k2, len(sides[True]))
