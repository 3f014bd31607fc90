"""A vendor's logs of many made-up households, reports that some of them post, and a reader who holds the logs.

The reader knows each call of each household to the second, and with it everything that it carried.  A report says when
it was recorded to the month and how long in classes, so he tries many stretches of time for each household, and names
the one in which most of them would have given this report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from analysis import redact
from analysis.evidence import Evidence, SwitchState
from analysis.model import Category, Classified, Comparison, Finding, Verdict
from analysis.pipeline import Result
from analysis.shared_report import SharedReport
from analysis.texts import Count, Length
from analysis.vocabulary import VERSION_ITEMS
from reporting import START, call, comparison, exchange, finding, result

HOUR, DAY = 3600.0, 86_400.0
MONTH = 30 * DAY

VERSIONS = (("1.41", 0.42), ("1.40", 0.28), ("1.42", 0.18), ("1.32", 0.06), ("1.43", 0.04), ("1.25", 0.02))
PLATFORMS = (("Linux", 0.5), ("Windows", 0.3), ("macOS", 0.12), ("FreeBSD", 0.03), ("Android", 0.05))
SWITCHES = (("send-playback-data", 0.08), ("crash-reports", 0.15), ("library-stats", 0.05))
"""Switches, and how many households turned each off."""
APPS = (("Android", 0.5), ("iOS", 0.3), ("Roku", 0.2), ("Windows", 0.4), ("tvOS", 0.15))
"""Apps by their platform, and how many households use each."""
APP_VERSIONS = (("10.8", 0.5), ("10.7", 0.25), ("10.2", 0.15), ("9.4", 0.06), ("8.1", 0.04))
LENGTHS: tuple[tuple[Length, float], ...] = (("<1h", 0.25), ("1-6h", 0.4), ("6-24h", 0.2), ("1-7d", 0.15))
SPANS: dict[Length, tuple[float, float]] = {
    "<1h": (0.2 * HOUR, HOUR),
    "1-6h": (HOUR, 6 * HOUR),
    "6-24h": (6 * HOUR, DAY),
    "1-7d": (DAY, 7 * DAY),
}

KINDS: dict[Category, tuple[str, ...]] = {
    Category.UPDATE_CHECK: ("server.version", "server.os", "auth.token"),
    Category.REMOTE_DISCOVERY: ("server.machine_id", "auth.token"),
    Category.ACCOUNT_AUTH: ("auth.token", "client.id"),
    Category.USAGE_STATISTICS: ("client.id", "media.duration", "media.bitrate", "play.watched_time"),
    Category.METADATA_LOOKUP: ("media.title", "media.year"),
    Category.CRASH_REPORT: ("diag.error", "client.id"),
}
"""Purposes of the vendor's calls, and what they carry."""


@dataclass(frozen=True, slots=True)
class App:
    """An app of a household."""

    version: str
    platform: str
    times: NDArray[np.float64]
    """When it tells of its use, ascending."""


@dataclass(frozen=True, slots=True)
class Household:
    """One row of the vendor's customers."""

    version: str
    platform: str
    off: frozenset[str]
    """Switches that are off."""
    apps: tuple[App, ...]
    """What its people look with."""
    times: dict[Category, NDArray[np.float64]]
    """When each kind of call of the server came, ascending."""


def households(n: int, seed: int) -> list[Household]:
    """So many households, each with its own habits."""
    chance = np.random.default_rng(seed)
    return [_household(chance) for _ in range(n)]


def _household(chance: np.random.Generator) -> Household:
    def one(of: Sequence[tuple[str, float]]) -> str:
        return str(chance.choice([name for name, _ in of], p=[share for _, share in of]))

    def regular(period: float) -> NDArray[np.float64]:
        return np.arange(chance.uniform(0, period), MONTH, period)

    def at_random(a_day: float) -> NDArray[np.float64]:
        return np.sort(chance.uniform(0, MONTH, chance.poisson(a_day * 30)))

    plays = at_random(chance.lognormal(0.5, 0.8))
    ends = plays + chance.uniform(600, 7000, len(plays))
    starts = at_random(chance.lognormal(0.8, 0.7))
    times = {
        Category.UPDATE_CHECK: np.sort(np.concatenate([regular(DAY), at_random(0.2)])),
        Category.REMOTE_DISCOVERY: regular(float(chance.choice([1800.0, 3600.0, 7200.0]))),
        Category.ACCOUNT_AUTH: np.sort(np.concatenate([starts, regular(12 * HOUR)])),
        Category.USAGE_STATISTICS: np.sort(np.concatenate([plays, ends, starts])),
        Category.METADATA_LOOKUP: np.sort(np.repeat(at_random(0.3), 3)),
        Category.CRASH_REPORT: at_random(0.02),
    }
    off = frozenset(switch for switch, share in SWITCHES if chance.random() < share)
    apps = [App(one(APP_VERSIONS), platform, at_random(1)) for platform, share in APPS if chance.random() < share]
    return Household(one(VERSIONS), one(PLATFORMS), off, tuple(apps), times)


def all_times(home: Household) -> dict[Category, NDArray[np.float64]]:
    """When each kind of call came, of the server and the apps."""
    statistics = [home.times[Category.USAGE_STATISTICS], *(app.times for app in home.apps)]
    return home.times | {Category.USAGE_STATISTICS: _joined(statistics)}


def _joined(some: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.sort(np.concatenate([np.zeros(0), *some]))


def between(times: NDArray[np.float64], begin: float, end: float) -> int:
    """Calls in a stretch of time."""
    return int(np.searchsorted(times, end) - np.searchsorted(times, begin))


def counts(home: Household, begin: float, end: float) -> dict[Category, int]:
    """Calls of each purpose in a stretch of time."""
    return {category: between(times, begin, end) for category, times in all_times(home).items()}


class _Capture:
    """Calls, findings and verdicts, as they come."""

    def __init__(self) -> None:
        self.calls: list[Classified] = []
        self.findings: list[Finding] = []
        self._held: dict[tuple[str, Category], list[int]] = {}

    def add(self, n: int, category: Category, role: str, items: Mapping[str, str]) -> None:
        """So many calls of a kind, each with these items and their values."""
        numbers = range(len(self.calls), len(self.calls) + n)
        self.calls += [structs.replace(call(exchange("plex.tv", index=i), category), role=role) for i in numbers]
        for item, value in items.items() if n else ():
            place = "header.x-plex-version" if item in VERSION_ITEMS else f"body.{item}"
            self.findings += [finding(i, item, value, at=place) for i in numbers]
            self._held.setdefault((item, category), []).extend(numbers)

    def compared(self) -> list[Comparison]:
        """One verdict for each item and purpose, whichever app sent it."""
        return [
            comparison(item, Verdict.OPTIONAL, tuple(numbers), category=category)
            for (item, category), numbers in self._held.items()
        ]


def report(home: Household, seed: int) -> SharedReport:
    """What a household posts that records for a while: made by `redact` from calls, findings and verdicts."""
    chance = np.random.default_rng(seed)
    length = LENGTHS[int(chance.choice(len(LENGTHS), p=[share for _, share in LENGTHS]))][0]
    span = chance.uniform(*SPANS[length])
    begin = chance.uniform(0, MONTH - span)
    seen = _Capture()
    values = {"server.version": f"{home.version}.3.4567", "server.os": home.platform}
    for category, times in home.times.items():
        items = {item: values.get(item, "x") for item in KINDS[category]}
        seen.add(between(times, begin, begin + span), category, "server", items)
    for app in home.apps:
        items = {"client.app": f"{app.version}.1.77", "client.os": app.platform, "client.id": "x"}
        seen.add(between(app.times, begin, begin + span), Category.USAGE_STATISTICS, "app", items)
    states = tuple(SwitchState(START, "plex", switch, switch not in home.off, 0) for switch, _ in SWITCHES)
    found = result(seen.calls, seen.findings, seen.compared(), evidence=Evidence(switches=states))
    return redact.redact(_within(found, span))


def _within(found: Result, span: float) -> Result:
    """The same, recorded for so many seconds."""
    return replace(found, captures=(replace(found.captures[0], last=START + span),))


_EDGES = (1, 2, 6, 21, 101, 1001)
_CLASSES: dict[str, list[Count]] = {
    length: list(dict.fromkeys(redact.count_class(n, length) for n in (0, *_EDGES))) for length in SPANS
}
"""Length of a capture -> its classes of counts, ascending."""


def _series(home: Household) -> list[NDArray[np.float64]]:
    """All that a report counts: calls of each kind of the server, of the apps, of both, and of everything."""
    apps = _joined(app.times for app in home.apps)
    return [*home.times.values(), apps, *all_times(home).values(), _joined([*home.times.values(), apps])]


def _told(seen: SharedReport) -> list[Count]:
    """What a report says of each."""
    rows: dict[tuple[str, str], Count] = {(row.category, row.item): row.count for row in seen.rows}
    calls: dict[str, Count] = {row.category: row.count for row in seen.calls}
    servers: list[Count] = [rows.get((category, items[-1]), "0") for category, items in KINDS.items()]
    apps = rows.get((Category.USAGE_STATISTICS, "client.app"), "0")
    return [*servers, apps, *(calls.get(category, "0") for category in KINDS), seen.coverage.calls]


class Reader:
    """Somebody who holds the logs of all households, and uses all that a report says."""

    def __init__(self, homes: Sequence[Household], seed: int, stretches: int = 400) -> None:
        """`stretches` of time are tried for each household and length."""
        self._chance = chance = np.random.default_rng(seed)
        self._homes = homes
        self._told: dict[str, NDArray[np.int64]] = {}
        """Length -> what the counts of each household say in each stretch, as one number."""
        every = [_series(home) for home in homes]
        for length, edges in SPANS.items():
            begins = chance.uniform(0, MONTH - edges[1], stretches)
            ends = begins + chance.uniform(*edges, stretches)
            told = np.zeros((len(homes), stretches), np.int64)
            limits = _EDGES[: len(_CLASSES[length]) - 1]
            for n, kinds in enumerate(every):
                for times in kinds:
                    found = np.searchsorted(times, ends) - np.searchsorted(times, begins)
                    told[n] = told[n] * len(_CLASSES[length]) + np.digitize(found, limits)
            self._told[length] = told

    def names(self, seen: SharedReport) -> int:
        """A report -> the household that most probably wrote it; any of them when several fit as well."""
        told = 0
        for count in _told(seen):
            told = told * len(_CLASSES[seen.length]) + _CLASSES[seen.length].index(count)
        scores = (self._told[seen.length] == told).mean(axis=1) + 1e-9
        scores *= [_fits(home, seen) for home in self._homes]
        return int(self._chance.choice(np.flatnonzero(scores == scores.max())))


def _fits(home: Household, seen: SharedReport) -> bool:
    """Whether a household has the version, the platform and the switches that a report tells, where it tells them."""
    items = {row.item for row in seen.rows}
    versions = {home.version} if "server.version" in items else {app.version for app in home.apps}
    platforms = {home.platform} if "server.os" in items else {app.platform for app in home.apps}
    return (
        versions.issuperset(version.version for version in seen.versions)
        and platforms.issuperset(seen.platforms)
        and all((s.state == "off") == (s.switch in home.off) for s in seen.settings if s.state != "unknown")
    )


def recognised(homes: Sequence[Household], reports: int, seed: int) -> float:
    """Share of so many reports whose household the reader names."""
    chance = np.random.default_rng(seed)
    reader = Reader(homes, seed + 1)
    authors = map(int, chance.choice(len(homes), reports, replace=False))
    return sum(reader.names(report(homes[author], author)) == author for author in authors) / reports
