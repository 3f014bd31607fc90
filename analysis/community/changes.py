"""Reports -> since which version something is sent, and what another policy changed.

Each person speaks once on each side of a change, through one report, so that neither zeal nor a second account moves
it; all tests of a product's reports together hold with 99 %.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.community.reports import Cell, View, months_of
from analysis.community.shares import COLLUDERS
from analysis.rates import Seen, chance, decide


@dataclass(frozen=True, slots=True)
class Sides:
    """People before and after, or without and with something, and how many of them saw a thing."""

    k1: int
    n1: int
    k2: int
    n2: int

    @property
    def tests(self) -> tuple[Seen, Seen]:
        """Is it seen less often on the second side?  And on the first?"""
        there = Seen(self.k1, self.n1, self.k2, self.n2)
        return there, there.mirrored()

    @property
    def rises(self) -> bool:
        """Whether it is seen more often on the second side."""
        return self.k2 * self.n1 > self.k1 * self.n2

    def holds_without(self, liars: int, threshold: float) -> bool:
        """Whether it still holds when so many who speak for it are left out, on either side."""
        most = Sides(self.k2, self.n2, self.k1, self.n1) if self.rises else self
        fewer = Sides(most.k1 - liars, most.n1 - liars, most.k2, most.n2)
        others = Sides(most.k1, most.n1, most.k2, most.n2 - liars)
        return all(
            side.k1 > 0 and side.n2 >= max(side.k2, 1) and chance(side.tests[0]) <= threshold
            for side in (fewer, others)
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is sent since a version, or no longer."""

    cell: Cell
    """What."""
    version: str
    """First version with it, or without it."""
    before: str
    """The version before, of those that were looked at."""
    appeared: bool
    """Whether it is sent since then; else it is sent no longer, or more rarely."""
    sides: Sides
    """People before and after."""
    robust: bool
    """Whether five people who lie together could not have made it up."""
    month: str
    """First month in which enough people reported the version; empty when there is none."""


def number(version: str) -> tuple[int, ...]:
    """A version -> what sorts it."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def changes(views: Sequence[View], minimum: int) -> list[Change]:
    """What was said of one product -> the changes that hold, by version."""
    versions = sorted({view.version for view in views if view.version}, key=number)
    timelines = _timelines(views, versions)
    splits: dict[tuple[Cell, int], Sides] = {}
    for cell, (everybody, seen) in timelines.items():
        for at in range(1, len(versions)):
            sides = _sides(everybody, seen, 0, at, len(versions))
            if min(sides.n1, sides.n2) >= minimum and 0 < sides.k1 + sides.k2 < sides.n1 + sides.n2:
                splits[cell, at] = sides
    decided = decide([test for sides in splits.values() for test in sides.tests])
    firm = {cell for n, (cell, _) in enumerate(splits) if decided.hold[2 * n] or decided.hold[2 * n + 1]}
    months = months_of(((view.version, view) for view in views if view.version), minimum)
    found = []
    for cell in firm:
        for at, sides in _segments(*timelines[cell], 0, len(versions), minimum, decided.threshold):
            found.append(
                Change(
                    cell,
                    versions[at],
                    versions[at - 1],
                    sides.rises,
                    sides,
                    sides.holds_without(COLLUDERS, decided.threshold),
                    months.get(versions[at], ("", ""))[0],
                )
            )
    return sorted(found, key=lambda change: (number(change.version), change.cell))


type _Seen = Mapping[tuple[int, int], bool]
"""(voice, number of a version) -> whether that person's last report of it holds something."""


def _timelines(views: Sequence[View], versions: Sequence[str]) -> Mapping[Cell, tuple[_Seen, _Seen]]:
    """Cell -> who looked for it, with which version, and who saw it."""
    at = {version: n for n, version in enumerate(versions)}
    last: dict[tuple[int, int], View] = {}
    for view in views:
        if view.version:
            last[view.voice, at[view.version]] = view
    found: dict[Cell, dict[tuple[int, int], bool]] = defaultdict(dict)
    for key, view in last.items():
        for cell in view.cells:
            found[cell][key] = True
    whole = {key: True for key, view in last.items() if not view.left_out}
    return {cell: ({**whole, **seen}, seen) for cell, seen in found.items()}


def _sides(everybody: _Seen, seen: _Seen, low: int, at: int, high: int) -> Sides:
    """People with a version in [low, at) and in [at, high); each speaks through his version nearest to the change."""
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for voice, version in everybody:
        if low <= version < at:
            before[voice] = max(version, before.get(voice, -1))
        elif at <= version < high:
            after[voice] = min(version, after.get(voice, high))
    return Sides(
        sum(item in seen for item in before.items()),
        len(before),
        sum(item in seen for item in after.items()),
        len(after),
    )


def _segments(
    everybody: _Seen, seen: _Seen, low: int, high: int, minimum: int, threshold: float
) -> list[tuple[int, Sides]]:
    """Where it changes between two versions: the likeliest place, then both parts again."""
    tested = []
    for at in range(low + 1, high):
        sides = _sides(everybody, seen, low, at, high)
        if min(sides.n1, sides.n2) >= minimum and min(map(chance, sides.tests)) <= threshold:
            tested.append((_likelihood(everybody, seen, low, at, high), -at, sides))
    if not tested:
        return []
    _, minus, best = max(tested, key=lambda entry: entry[:2])
    at = -minus
    return [
        *_segments(everybody, seen, low, at, minimum, threshold),
        (at, best),
        *_segments(everybody, seen, at, high, minimum, threshold),
    ]


def _likelihood(everybody: _Seen, seen: _Seen, low: int, at: int, high: int) -> float:
    """Logarithm of how likely all reports are if the share changes there and nowhere else."""
    total = 0.0
    for first, end in ((low, at), (at, high)):
        n = sum(first <= version < end for _, version in everybody)
        k = sum(first <= version < end for _, version in seen)
        total += sum(part * math.log(part / n) for part in (k, n - k) if part)
    return total


@dataclass(frozen=True, slots=True)
class Revision:
    """What another list of the vendor says of the same thing."""

    cell: Cell
    """What."""
    old: str
    """Date of the older list."""
    new: str
    """Date of the newer one."""
    was: str
    """Verdict by the older list."""
    now: str
    """Verdict by the newer one."""
    people: tuple[int, int]
    """Who reported this verdict by the older, and by the newer one."""


def revisions(views: Sequence[View], minimum: int) -> list[Revision]:
    """What was said of one product -> verdicts that changed from one list to the next, most people agreeing."""
    said: dict[Cell, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for view in views:
        for cell, entry in view.cells.items():
            if entry.declared and entry.sure:
                said[cell][entry.declared][view.voice] = entry.verdict
    found = []
    for cell, lists in said.items():
        usual = {declared: _usual(list(who.values()), minimum) for declared, who in sorted(lists.items())}
        dates = [declared for declared, one in usual.items() if one]
        for old, new in itertools.pairwise(dates):
            (was, k1), (now, k2) = usual[old] or ("", 0), usual[new] or ("", 0)
            if was != now:
                found.append(Revision(cell, old, new, was, now, (k1, k2)))
    return sorted(found, key=lambda revision: (revision.new, revision.cell))


def _usual(verdicts: Sequence[str], minimum: int) -> tuple[str, int] | None:
    """The verdict of more than half, by more than a handful who lie could make; `None`: there is none."""
    verdict, k = Counter(verdicts).most_common(1)[0]
    rest = len(verdicts) - k
    return (verdict, k) if k >= minimum and k - rest > min(COLLUDERS, len(verdicts) / 3) else None
