"""Dataset -> what may be told: the answers as they are published, in JSON and everywhere else.

Nothing here tells a number of people but in classes, nor a part whose rest is smaller than the minimum.  An accusing
verdict is a headline only when a named maintainer can repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from analysis import VERSION
from analysis.community.changes import Change, Revision, Sides, changes, number, revisions
from analysis.community.dataset import Dataset, Reproduced
from analysis.community.disagreements import Disagreement, disagreements
from analysis.community.gaps import gaps
from analysis.community.reports import Cell, Reports, View, load, months_of
from analysis.community.shares import COLLUDERS, LEAST, MINIMUM, Share, people, share
from analysis.community.slices import ALL, Slice, Tally, outliers, published, tallies, told
from analysis.model import Verdict
from analysis.traffic import BROKEN

SCHEMA = "phonehome/community-answers/1"
"""Name and version of the JSON form."""


class What(msgspec.Struct, frozen=True, order=True):
    """What goes to whom, and for what."""

    product: str
    """Id of the sender's pack."""
    item: str
    """Id of the data item."""
    entity: str
    """Recipient; empty for those that no pack knows."""
    category: str
    """What the calls are for."""


class Seen(msgspec.Struct, frozen=True):
    """How many people saw something."""

    posters: str
    """How many, in classes."""
    of: str
    """Of how many who looked."""
    low: float
    """Lower 95 % bound of the share."""
    high: float
    """Upper one."""


class Told(msgspec.Struct, frozen=True):
    """A verdict, and who reports it."""

    verdict: str
    """What the list says."""
    posters: str
    """How many people report it."""


class Repeated(msgspec.Struct, frozen=True):
    """Who can repeat a statement."""

    maintainer: str
    """By name."""
    capture: str
    """`sha256:…` of the capture."""


class Statement(msgspec.Struct, frozen=True):
    """One thing that many people saw."""

    what: What
    version: str
    """Only with this version; empty: any."""
    platform: str
    """Only on this platform; empty: any."""
    switch: str
    """Only with this switch in the state `state`; empty: any."""
    state: str
    """`on`, `off` or empty."""
    seen: Seen
    verdicts: tuple[Told, ...]
    """Of those with enough people, the most frequent first; empty when people disagree too much."""
    status: str
    """`reported`, or `reproduced` when a named maintainer can repeat it with its first verdict."""
    repeated: tuple[Repeated, ...]
    """By whom."""
    since: str
    """First version with it, where it changed; else empty."""
    seen_from: str
    """Where no change is known: the oldest version with which enough people saw it; else empty."""
    months: tuple[str, str]
    """First and last month in which it was reported; only of statements about all reports of a product."""


class Altered(msgspec.Struct, frozen=True):
    """A change between two versions."""

    what: What
    version: str
    """First version that differs."""
    before: str
    """The version before."""
    appeared: bool
    """Whether it is sent since then (more often); else no longer (more rarely)."""
    seen_before: Seen
    seen_after: Seen
    month: str
    """First month in which enough people reported the version; empty when there is none."""
    headline: bool
    """Whether five people who lie together could not have made it up."""


class Revised(msgspec.Struct, frozen=True):
    """A change between two lists of a vendor."""

    what: What
    old: str
    """Date of the older list."""
    new: str
    """Date of the newer one."""
    was: Told
    now: Told


class Differs(msgspec.Struct, frozen=True):
    """Something about which people disagree."""

    what: What
    verdict: str
    """The verdict that some report and others do not; empty: whether it is sent at all."""
    seen: Seen
    kind: str
    """What explains it: `setting`, `platform`, `occasion`; empty when nothing does."""
    name: str
    """Which."""
    seen_with: Seen | None
    """Among those who have it (on)."""
    seen_without: Seen | None
    """Among those who have not (off)."""
    headline: bool
    """Whether five people who lie together could not have made up the explanation."""


class Missing(msgspec.Struct, frozen=True):
    """What needs a capture."""

    product: str
    version: str
    """Empty: any version."""
    looked: tuple[str, ...]
    """Platforms on which enough people looked."""
    platforms: tuple[str, ...]
    """Platforms on which they did not."""


class Counts(msgspec.Struct, frozen=True):
    """What all this rests on; in classes."""

    posters: str
    """People."""
    reports: str
    """Reports that count."""
    alike: str
    """Reports that are nearly the same as an earlier one, and do not count."""
    unknown: int
    """Entries that name what this version of the tool does not ship: counted, never shown."""
    outliers: int
    """Things that only a few people report: counted here, named to who collects alone."""
    first: str
    """First month of which enough people report; empty when there is none."""
    last: str
    """Last month."""


class Answers(msgspec.Struct, frozen=True):
    """Everything that may be published."""

    schema: str
    tool: str
    """Version of phonehome."""
    minimum: int
    """Fewer people than that are not told of."""
    counts: Counts
    statements: tuple[Statement, ...]
    """By product, slice and cell."""
    changes: tuple[Altered, ...]
    """The newest version first, within a product."""
    revisions: tuple[Revised, ...]
    disagreements: tuple[Differs, ...]
    """Those that are explained first."""
    gaps: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """What few report.  For who collects: he can look at the posts."""

    cell: Cell
    """What."""
    people: int
    """How many say so."""
    of: int
    """Of how many."""


def answers(dataset: Dataset, *, minimum: int = MINIMUM, until: str = "") -> tuple[Answers, tuple[Outlier, ...]]:
    """Dataset -> what may be published, and what only who collects is to see.

    `minimum` is at least `LEAST`; `until` is the last month that counts (`YYYY-MM`; empty: all).
    Raises `DatasetError`.
    """
    minimum = max(minimum, LEAST)
    reports = load(dataset, until)
    repeated = {entry.report: entry for entry in dataset.about.reproduced}
    parts = [_Product(name, views, repeated, minimum) for name, views in sorted(reports.views.items())]
    enough = [part for part in parts if len(part.tallies[ALL].voices) >= minimum]
    few = tuple(outlier for part in parts for outlier in part.outliers())
    found = Answers(
        schema=SCHEMA,
        tool=VERSION,
        minimum=minimum,
        counts=_counts(reports, len(few), minimum),
        statements=tuple(statement for part in enough for statement in part.statements()),
        changes=tuple(altered for part in enough for altered in part.altered()),
        revisions=tuple(revised for part in enough for revised in part.revised()),
        disagreements=tuple(differs for part in enough for differs in part.differing()),
        gaps=tuple(Missing(g.product, g.version, g.looked, g.missing) for g in gaps(reports.views, minimum)),
    )
    return found, few


def json(found: Answers) -> str:
    """Answers -> JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


def is_headline(statement: Statement) -> bool:
    """Whether an accusation may stand in large letters: many report it, and a maintainer can repeat it."""
    if statement.status != "reproduced" or Verdict(statement.verdicts[0].verdict) not in BROKEN:
        return False
    return _least(statement.seen.posters) >= MINIMUM + COLLUDERS


def _least(label: str) -> int:
    return int(label.rstrip("+")) if label.endswith("+") else 0


def _counts(reports: Reports, few: int, minimum: int) -> Counts:
    everything = (("", view) for views in reports.views.values() for view in views)
    first, last = months_of(everything, minimum).get("", ("", ""))
    return Counts(
        posters=people(reports.voices),
        reports=people(reports.collected - reports.alike),
        alike=people(reports.alike),
        unknown=reports.unknown,
        outliers=few,
        first=first,
        last=last,
    )


class _Product:
    """Everything that is said of one product."""

    def __init__(self, product: str, views: Sequence[View], repeated: Mapping[str, Reproduced], minimum: int) -> None:
        self.product = product
        self.views = views
        self.minimum = minimum
        self.tallies = tallies(views)
        self.changes = changes(views, minimum)
        self._repeated = repeated
        self._published = list(published(self.tallies, minimum))
        self._told = {cell for _, tally in self._published for cell in told(tally, minimum)}

    def outliers(self) -> Iterator[Outlier]:
        """What few report, the most people first."""
        tally = self.tallies[ALL]
        cells = [cell for cell in outliers(tally, self.minimum) if cell not in self._told]
        for cell in sorted(cells, key=lambda cell: (-len(tally.saw[cell]), cell)):
            yield Outlier(cell, len(tally.saw[cell]), tally.looked(cell))

    def statements(self) -> Iterator[Statement]:
        """What many saw, slice by slice."""
        months = months_of(((cell, view) for view in self.views for cell in view.cells), self.minimum)
        for part, tally in self._published:
            for cell in sorted(told(tally, self.minimum)):
                yield self._statement(part, tally, cell, months)

    def _statement(self, part: Slice, tally: Tally, cell: Cell, months: Mapping[Cell, tuple[str, str]]) -> Statement:
        verdicts = tuple(Told(verdict, people(n)) for verdict, n in tally.verdicts(cell) if n >= self.minimum)
        repeated = self._repeated_by(part, cell, verdicts[0].verdict) if verdicts else ()
        rises = [change.version for change in self.changes if change.cell == cell and change.appeared]
        return Statement(
            what=What(*cell),
            version=part.version,
            platform=part.platform,
            switch=part.switch,
            state=part.state,
            seen=_seen(share(len(tally.saw[cell]), tally.looked(cell), self.minimum)),
            verdicts=verdicts,
            status="reproduced" if repeated else "reported",
            repeated=repeated,
            since=rises[-1] if rises else "",
            seen_from="" if rises else self._oldest(cell),
            months=months.get(cell, ("", "")) if part == ALL else ("", ""),
        )

    def _repeated_by(self, part: Slice, cell: Cell, verdict: str) -> tuple[Repeated, ...]:
        if not self._repeated:
            return ()
        return tuple(
            Repeated(entry.maintainer, entry.capture)
            for view in self.views
            if (entry := self._repeated.get(view.report))
            and cell in view.cells
            and view.cells[cell].verdict == verdict
            and _lies_in(view, part)
        )

    def _oldest(self, cell: Cell) -> str:
        versions = [
            part.version
            for part, tally in self._published
            if part.version and len(tally.saw.get(cell, ())) >= self.minimum + COLLUDERS
        ]
        return min(versions, key=number, default="")

    def altered(self) -> Iterator[Altered]:
        """Changes between versions, the newest first."""
        for change in sorted(self.changes, key=lambda change: number(change.version), reverse=True):
            if change.cell in self._told:
                yield self._altered(change)

    def _altered(self, change: Change) -> Altered:
        before, after = _both(change.sides, self.minimum)
        return Altered(
            what=What(*change.cell),
            version=change.version,
            before=change.before,
            appeared=change.appeared,
            seen_before=before,
            seen_after=after,
            month=change.month,
            headline=change.robust,
        )

    def revised(self) -> Iterator[Revised]:
        """Changes between lists."""
        for revision in revisions(self.views, self.minimum):
            if revision.cell in self._told:
                yield _revised(revision)

    def differing(self) -> Iterator[Differs]:
        """Disagreements, those that are explained first."""
        for found in disagreements(self.views, self.changes, self.minimum):
            if found.cell in self._told:
                yield self._differs(found)

    def _differs(self, found: Disagreement) -> Differs:
        without, having = _both(found.sides, self.minimum) if found.sides else (None, None)
        return Differs(
            what=What(*found.cell),
            verdict=found.verdict,
            seen=_seen(share(found.k, found.n, self.minimum)),
            kind=found.factor.kind if found.factor else "",
            name=found.factor.name if found.factor else "",
            seen_with=having,
            seen_without=without,
            headline=found.robust,
        )


def _lies_in(view: View, part: Slice) -> bool:
    return (
        part.version in ("", view.version)
        and (not part.platform or part.platform in view.platforms)
        and (not part.switch or view.settings.get(part.switch) == part.state)
    )


def _both(sides: Sides, minimum: int) -> tuple[Seen, Seen]:
    """Shares on both sides; what fewer than the minimum see looks the same as what nobody sees."""
    return _seen(_few(sides.k1, sides.n1, minimum)), _seen(_few(sides.k2, sides.n2, minimum))


def _few(k: int, n: int, minimum: int) -> Share:
    if k >= minimum:
        return share(k, n, minimum)
    rest = share(n, n, minimum)
    return Share(f"fewer than {minimum}", rest.of, 0.0, round(1 - rest.low, 2))


def _seen(found: Share) -> Seen:
    return Seen(*found)


def _revised(revision: Revision) -> Revised:
    k1, k2 = revision.people
    return Revised(
        what=What(*revision.cell),
        old=revision.old,
        new=revision.new,
        was=Told(revision.was, people(k1)),
        now=Told(revision.now, people(k2)),
    )
