"""A vendor's logs of many made-up households, reports that some of them post, and a reader who holds the logs.

The reader knows each call of each household to the second, and with it everything that it carried.  A report says when
it was recorded to the month and how long in classes, so he tries many stretches of time for each household, and names
the one in which most of them would have given this report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis import redact
from analysis.evidence import Evidence, SwitchState
from analysis.model import Category, Classified, Comparison, Finding, Verdict
from analysis.pipeline import Result
from analysis.redact import SharedReport
from reporting import START, call, comparison, exchange, finding, result

HOUR, DAY = 3600.0, 86_400.0
MONTH = 30 * DAY

VERSIONS = (("1.41", 0.42), ("1.40", 0.28), ("1.42", 0.18), ("1.32", 0.06), ("1.43", 0.04), ("1.25", 0.02))
PLATFORMS = (("Linux", 0.5), ("Windows", 0.3), ("macOS", 0.12), ("FreeBSD", 0.03), ("Android", 0.05))
SWITCH_OFF = 0.08
LENGTHS = (("<1h", 0.25), ("1-6h", 0.4), ("6-24h", 0.2), ("1-7d", 0.15))
SPANS = {"<1h": (0.2 * HOUR, HOUR), "1-6h": (HOUR, 6 * HOUR), "6-24h": (6 * HOUR, DAY), "1-7d": (DAY, 7 * DAY)}

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
class Household:
    """One row of the vendor's customers."""

    version: str
    platform: str
    off: bool
    """Whether the switch for statistics about plays is off."""
    times: dict[Category, NDArray[np.float64]]
    """When each kind of call came, ascending."""


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
    return Household(one(VERSIONS), one(PLATFORMS), bool(chance.random() < SWITCH_OFF), times)


def counts(home: Household, begin: float, end: float) -> dict[Category, int]:
    """Calls of each purpose in a stretch of time."""
    return {
        category: int(np.searchsorted(times, end) - np.searchsorted(times, begin))
        for category, times in home.times.items()
    }


def report(home: Household, seed: int) -> SharedReport:
    """What a household posts that records for a while: made by `redact` from calls, findings and verdicts."""
    chance = np.random.default_rng(seed)
    length = str(chance.choice([name for name, _ in LENGTHS], p=[share for _, share in LENGTHS]))
    span = chance.uniform(*SPANS[length])
    begin = chance.uniform(0, MONTH - span)
    calls: list[Classified] = []
    findings: list[Finding] = []
    compared: list[Comparison] = []
    values = {"server.version": f"{home.version}.3.4567", "server.os": home.platform}
    for category, n in counts(home, begin, begin + span).items():
        numbers = range(len(calls), len(calls) + n)
        calls += [replace(call(exchange("plex.tv", index=i), category), role="server") for i in numbers]
        for item in KINDS[category] if n else ():
            place = "header.x-plex-version" if item == "server.version" else f"body.{item}"
            findings += [finding(i, item, values.get(item, "x"), at=place) for i in numbers]
            compared.append(comparison(item, Verdict.OPTIONAL, tuple(numbers), category=category))
    evidence = Evidence(switches=(SwitchState(START, "plex", "send-playback-data", not home.off, 0),))
    return redact.redact(_within(result(calls, findings, compared, evidence=evidence), span))


def _within(found: Result, span: float) -> Result:
    """The same, recorded for so many seconds."""
    return replace(found, captures=(replace(found.captures[0], last=START + span),))


class Reader:
    """Somebody who holds the logs of all households."""

    def __init__(self, homes: Sequence[Household], seed: int, stretches: int = 120) -> None:
        """`stretches` of time are tried for each household and length."""
        chance = np.random.default_rng(seed)
        self._homes = homes
        self._stretches: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for length, edges in SPANS.items():
            spans = chance.uniform(*edges, stretches)
            begins = chance.uniform(0, MONTH - spans)
            self._stretches[length] = begins, begins + spans
        self._chance = chance

    def names(self, seen: SharedReport) -> tuple[int, int]:
        """A report -> the household that most probably wrote it, and how many fit no worse than that one."""
        told = {c.category: c.count for c in seen.calls}
        versions = {v.version for v in seen.versions}
        platforms = set(seen.platforms)
        off = {s.state for s in seen.settings if s.switch == "send-playback-data"}
        scores = np.zeros(len(self._homes))
        for n, home in enumerate(self._homes):
            if (versions and home.version not in versions) or (platforms and home.platform not in platforms):
                continue
            if off and ("off" in off) is not home.off:
                continue
            scores[n] = self._score(home, told, seen.length) + 1e-9
        best = np.flatnonzero(scores == scores.max())
        return int(self._chance.choice(best)), len(best)

    def _score(self, home: Household, told: Mapping[Category, str], length: str) -> float:
        begins, ends = self._stretches[length]
        fits = np.ones(len(begins), bool)
        for category, times in home.times.items():
            n = np.searchsorted(times, ends) - np.searchsorted(times, begins)
            low, high = _CLASSES[told.get(category, "0")]
            fits &= (n >= low) & (n <= high)
        return float(fits.mean())


_CLASSES = {"0": (0, 0), "1": (1, 1), "2-5": (2, 5), "6-20": (6, 20), "21-100": (21, 100), "101-1000": (101, 1000)}
_CLASSES[">1000"] = (1001, 10**9)


def recognised(homes: Sequence[Household], reports: int, seed: int) -> float:
    """Share of so many reports whose household the reader names."""
    chance = np.random.default_rng(seed)
    reader = Reader(homes, seed + 1)
    authors = map(int, chance.choice(len(homes), reports, replace=False))
    hits = [reader.names(report(homes[author], author))[0] == author for author in authors]
    return float(sum(hits)) / reports
