"""Reports -> what many people saw: per product, and per version, platform and setting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from analysis.community.reports import Cell, Said, View
from analysis.community.shares import is_outlier


class Slice(NamedTuple):
    """A part of the reports of one product; all of them when everything is empty."""

    version: str = ""
    """Major and minor number."""
    platform: str = ""
    """Family of platforms."""
    switch: str = ""
    """Id of a switch."""
    state: str = ""
    """Its state, `on` or `off`."""


ALL = Slice()
"""All reports of a product."""


@dataclass(slots=True)
class Tally:
    """What the people of one slice saw."""

    voices: set[int] = field(default_factory=set)
    """Who looked."""
    whole: set[int] = field(default_factory=set)
    """Of these, who gave at least one report of which nothing was left out."""
    saw: dict[Cell, dict[int, Said]] = field(default_factory=lambda: defaultdict(dict))
    """Who saw what, and what his last report says of it."""

    def looked(self, cell: Cell) -> int:
        """How many people say of a cell that it was sent, or that it was not."""
        return len(self.whole | self.saw[cell].keys())

    def verdicts(self, cell: Cell) -> list[tuple[str, int]]:
        """What the reports say of a cell, the most frequent first, with the number of people."""
        counted = Counter(said.verdict for said in self.saw[cell].values())
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def tallies(views: Sequence[View]) -> dict[Slice, Tally]:
    """What was said of one product -> slice -> tally.  A person counts once in each, however often he reports."""
    found: dict[Slice, Tally] = defaultdict(Tally)
    for view in views:
        for part in _slices(view):
            tally = found[part]
            tally.voices.add(view.voice)
            if not view.left_out:
                tally.whole.add(view.voice)
            for cell, said in view.cells.items():
                tally.saw[cell][view.voice] = said
    return found


def published(found: dict[Slice, Tally], minimum: int) -> Iterator[tuple[Slice, Tally]]:
    """The slices that may be told: of at least `minimum` people, and with no fewer than that left out of them."""
    whole = found.get(ALL, Tally()).voices
    for part, tally in sorted(found.items(), key=lambda pair: pair[0]):
        left = len(whole - tally.voices)
        if len(tally.voices) >= minimum and (not left or left >= minimum):
            yield part, tally


def told(tally: Tally, minimum: int) -> Iterator[Cell]:
    """What so many people saw that it may be told, and is not the word of a handful."""
    for cell, who in tally.saw.items():
        if len(who) >= minimum and not is_outlier(len(who), tally.looked(cell), minimum):
            yield cell


def outliers(tally: Tally, minimum: int) -> Iterator[Cell]:
    """What fewer say: shown to who collects, and published as a number only."""
    kept = set(told(tally, minimum))
    yield from (cell for cell in tally.saw if cell not in kept)


def _slices(view: View) -> Iterator[Slice]:
    yield ALL
    if view.version:
        yield Slice(version=view.version)
    for platform in view.platforms:
        yield Slice(platform=platform)
    for switch, state in view.settings.items():
        yield Slice(switch=switch, state=state)
