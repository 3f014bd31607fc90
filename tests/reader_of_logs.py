"""Somebody who holds the logs of all households, reads a post, and says whose it is.

He knows each event of each household to the second, and with it everything that it carried: versions, platforms,
switches, films, and what the proxy changed for each device.  A report says when it was recorded to the month and how
long in classes, so he tries many stretches of time for each household, and names the one in which most of them would
have given this report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from analysis import redact, texts
from analysis.model import Category, Party
from analysis.shared_report import SharedReport, SharedSetting
from analysis.texts import Count, Length, Share
from simulated_vendor import (
    ANSWERS,
    APP_VERSIONS,
    FILMS,
    MONTH,
    PLATFORMS,
    SENDERS,
    SPANS,
    STREAMS,
    SWITCHES,
    VERSIONS,
    Household,
    Recording,
    Stream,
    recorded,
    recording,
    report,
)

type Field = tuple[str, ...]
"""A section of a report, and what stands in it."""

type Numbers = NDArray[Any]

_COUNTS: tuple[str, ...] = get_args(Count.__value__)
_SHARES: tuple[str, ...] = get_args(Share.__value__)
_ROUNDINGS = tuple(texts.ROUNDINGS)
_VERSIONS = ("", *(name for name, _ in VERSIONS), *(name for name, _ in APP_VERSIONS))
_FAMILIES = ("", *(name for name, _ in PLATFORMS), "iOS", "tvOS")
_STATES = ("unknown", "on", "off")
_KINDS = tuple(STREAMS)
_APPS = tuple(kind for kind, stream in STREAMS.items() if "client.app" in stream.items)


def _sums() -> dict[Field, list[int]]:
    """What a report counts -> the kinds of events that it puts together."""
    found: dict[Field, list[int]] = {("coverage", "calls"): list(range(len(_KINDS)))}
    for n, stream in enumerate(STREAMS.values()):
        for item in stream.items:
            found.setdefault(_row(stream.product, item, stream.entity, stream.category), []).append(n)
        place = _call(stream.party, "" if stream.party is Party.OWN else stream.entity, stream.category)
        found.setdefault(place, []).append(n)
        if not stream.readable:
            found.setdefault((*place, "unreadable"), []).append(n)
        found.setdefault(("coverage", "readable" if stream.readable else "unreadable"), []).append(n)
    found["roundings", "pairs"] = [_KINDS.index(f"film-{kind}") for kind in FILMS]
    return found


def _row(product: str, item: str, entity: str, category: Category) -> Field:
    return ("rows", product, item, entity, category)


def _call(party: Party, entity: str, category: Category) -> Field:
    return ("calls", party, entity, category)


_SUMS = _sums()
_MATRIX = np.array([[n in some for n in range(len(_KINDS))] for some in _SUMS.values()], np.float64)


_SENDER = [SENDERS.index(stream.sender) for stream in STREAMS.values()]


def told(
    home: Household, begins: NDArray[np.float64], ends: NDArray[np.float64], led: NDArray[np.bool_], length: Length
) -> dict[Field, Numbers]:
    """What its report would say in each field, as numbers: of a household, in each of some stretches of time.

    `led` tells which of `SENDERS` are led through the proxy in each stretch.
    """
    times = [home.times[kind] for kind in _KINDS]
    numbers = np.array([np.searchsorted(each, ends) - np.searchsorted(each, begins) for each in times]) * led[_SENDER]
    seen = dict(zip(_KINDS, numbers, strict=True))
    sums = (_MATRIX @ numbers).astype(np.int64)
    classes = np.array([_COUNTS.index(redact.count_class(n, length)) for n in range(1_002)])
    hidden = redact.withheld(length)
    found: dict[Field, Numbers] = {
        field: number * (field[0] not in hidden)
        for field, number in zip(_SUMS, classes[np.minimum(sums, 1_001)], strict=True)
    }
    found |= {("coverage", field): classes[n] for field, n in _recipients(seen).items()}
    started = seen["start"] > 0
    films = np.array([seen[f"film-{kind}"] for kind in FILMS])
    broken = started & (films.sum(axis=0) > 0) & home.ignored
    found |= _about(home, seen, length, broken)
    found |= _films(films, told="fingerprints" not in hidden)
    found["promises", "switched-off"] = broken * 1
    found["rows", "opted-out"] = broken * 1
    found["occasions", "restart"] = started * 1
    found["occasions", "film"] = (seen["play"] > 0) * 1
    signed_in = sum(seen[kind] for kind, stream in STREAMS.items() if stream.category is Category.ACCOUNT_AUTH) > 0
    found |= {
        ("received", item): signed_in * (item in home.answers and "received" not in hidden) for item, _ in ANSWERS
    }
    found |= _presence(home, seen, told="presence" not in hidden)
    return found


def _recipients(seen: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """How many hosts outside there are, and how many that could not be read."""
    hosts: dict[str, dict[str, list[Numbers]]] = {"recipients": {}, "recipients_unreadable": {}}
    for kind, stream in STREAMS.items():
        if stream.party is not Party.OWN:
            for field in ("recipients",) if stream.readable else ("recipients", "recipients_unreadable"):
                hosts[field].setdefault(stream.host, []).append(seen[kind] > 0)
    return {
        field: np.sum([np.any(some, axis=0) for some in by_host.values()], axis=0) for field, by_host in hosts.items()
    }


def _about(home: Household, seen: Mapping[str, Numbers], length: Length, broken: Numbers) -> dict[Field, Numbers]:
    """Version, platform and switches, where they are told."""
    server, none = seen["update"] > 0, np.zeros(len(broken), np.int64)
    version, platform = none.copy(), none.copy()
    versions = {home.apps[app] for app in _APPS if app in home.apps}
    for one in versions:
        alone = np.all([(seen[app] == 0) | (home.apps.get(app) == one) for app in _APPS], axis=0)
        some = np.any([seen[app] > 0 for app in _APPS if home.apps.get(app) == one], axis=0)
        version[alone & some] = _VERSIONS.index(one)
    version[server] = _VERSIONS.index(home.version)
    for app in _APPS:
        alone = np.all([seen[other] == 0 for other in _APPS if other != app], axis=0)
        platform[alone & (seen[app] > 0)] = _FAMILIES.index(app)
    platform[server] = _FAMILIES.index(home.platform)
    started = seen["start"] > 0
    known = (SharedSetting("plex", "crash-reports", "on"),)
    shows = ["platforms" not in redact.withheld(length, some) for some in ((), known)]
    every = "settings" not in redact.withheld(length)
    states = {switch: 2 if switch in home.off else 1 for switch, _ in SWITCHES}
    return {
        ("versions",): version * ("versions" not in redact.withheld(length)),
        ("platforms",): platform * np.where(started if every else broken, shows[1], shows[0]),
        ("settings", "send-playback-data"): (started if every else broken) * states["send-playback-data"],
        ("settings", "crash-reports"): started * states["crash-reports"] * every,
    }


def _films(films: Numbers, *, told: bool) -> dict[Field, Numbers]:
    """What the numbers of the films say: whether they are rounded, and how many titles share them."""
    pairs = films.sum(axis=0)
    cumulated = films.cumsum(axis=0)
    at = np.maximum(pairs - 1, 0)
    below, above = ((cumulated <= place).sum(axis=0).clip(max=len(FILMS) - 1) for place in (at // 2, (at + 1) // 2))
    median = (np.array(FILMS)[below] + np.array(FILMS)[above]) / 2
    shares = np.select(
        [median < 10, median <= 100], [_SHARES.index("<10"), _SHARES.index("10-100")], _SHARES.index(">100")
    )
    judged = np.where(pairs > 1, _ROUNDINGS.index("rounded"), _ROUNDINGS.index("cannot-tell"))
    return {
        ("roundings", "rounding"): np.where(pairs > 0, judged, -1),
        ("roundings", "step"): pairs > 3,
        ("roundings", "mode"): pairs > 5,
        ("fingerprints", "share"): np.where((pairs > 0) & told, shares, -1),
        ("promises", "rounded"): pairs > 1,
    }


def _presence(home: Household, seen: Mapping[str, Numbers], *, told: bool) -> dict[Field, Numbers]:
    """What the proxy changed for a device of those that called."""
    found: dict[Field, Numbers] = {
        ("presence", kind): np.zeros(len(seen["start"]), np.int64) for kind in texts.SHARED_EFFECTS
    }
    for platform, kinds in home.effects.items():
        there = np.any([seen[kind] > 0 for kind, stream in STREAMS.items() if _changes(stream, platform)], axis=0)
        for kind in kinds:
            found["presence", kind] |= there & told
    found["presence", "silent"] |= (seen["silent"] > 0) & told
    return found


def _changes(stream: Stream, platform: str) -> bool:
    return stream.platform == platform and stream.party is Party.VENDOR and stream.product == "plex"


def said(seen: SharedReport) -> dict[Field, int]:
    """A report -> the same fields, as the same numbers."""
    found = dict.fromkeys(_SUMS, 0)
    found |= {_row(row.product, row.item, row.entity, row.category): _COUNTS.index(row.count) for row in seen.rows}
    for row in seen.calls:
        place = _call(row.party, row.entity, row.category)
        found[place] = _COUNTS.index(row.count)
        if (*place, "unreadable") in found:
            found[*place, "unreadable"] = _COUNTS.index(row.unreadable)
    for field in ("calls", "readable", "unreadable", "recipients", "recipients_unreadable"):
        found["coverage", field] = _COUNTS.index(getattr(seen.coverage, field))
    found["versions",] = _VERSIONS.index(seen.versions[0].version) if seen.versions else 0
    found["platforms",] = _FAMILIES.index(seen.platforms[0]) if seen.platforms else 0
    states = {setting.switch: _STATES.index(setting.state) for setting in seen.settings}
    found |= {("settings", switch): states.get(switch, 0) for switch, _ in SWITCHES}
    found |= {("occasions", occasion): int(occasion in seen.occasions) for occasion in ("restart", "film")}
    found |= {("received", item): int(item in {row.item for row in seen.received}) for item, _ in ANSWERS}
    found |= {("presence", kind): int(kind in {x.effect for x in seen.presence}) for kind in texts.SHARED_EFFECTS}
    found["rows", "opted-out"] = int(any(row.verdict == "opted-out" for row in seen.rows))
    rounding = next(iter(seen.roundings), None)
    found["roundings", "pairs"] = _COUNTS.index(rounding.pairs) if rounding else 0
    found["roundings", "rounding"] = _ROUNDINGS.index(rounding.rounding) if rounding else -1
    found["roundings", "step"] = int(bool(rounding and rounding.step))
    found["roundings", "mode"] = int(bool(rounding and rounding.mode))
    found["fingerprints", "share"] = _SHARES.index(seen.fingerprints[0].share) if seen.fingerprints else -1
    outcomes = {promise.promise: promise.outcome for promise in seen.promises}
    found["promises", "rounded"] = int(outcomes.get("rounded") == "kept")
    found["promises", "switched-off"] = int(outcomes.get("switched-off") == "broken")
    return found


class Reader:
    """Who holds the logs, and uses all that a report says."""

    def __init__(
        self, homes: Sequence[Household], seed: int, lengths: Iterable[Length] = tuple(SPANS), stretches: int = 400
    ) -> None:
        """`stretches` of time are tried for each household and length."""
        self._chance = chance = np.random.default_rng(seed)
        self._weights: dict[Field, np.uint64] = {}
        self._told: dict[Length, NDArray[np.uint64]] = {}
        """Length -> what the report of each household would say in each stretch, as one number."""
        for length in lengths:
            begins = chance.uniform(0, MONTH - SPANS[length][1], stretches)
            ends = begins + chance.uniform(*SPANS[length], stretches)
            self._told[length] = np.array(
                [self._number(told(home, begins, ends, recorded(chance, stretches), length)) for home in homes]
            )

    def _number(self, fields: Mapping[Field, Numbers] | Mapping[Field, int]) -> NDArray[np.uint64]:
        """All fields as one number, the same for the same values."""
        total = np.zeros(1, np.uint64)
        for field, value in fields.items():
            weight = self._weights.setdefault(field, self._chance.integers(1 << 63, dtype=np.uint64))
            total = total + np.asarray(value).astype(np.int64).astype(np.uint64) * weight
        return total

    def names(self, seen: SharedReport) -> int:
        """A report -> the household that most probably wrote it; any of them when several fit as well."""
        scores = (self._told[seen.length] == self._number(said(seen))).sum(axis=1)
        return int(self._chance.choice(np.flatnonzero(scores == scores.max())))


def recognised(
    homes: Sequence[Household], reports: int, seed: int, lengths: Sequence[Length] = tuple(SPANS), stretches: int = 400
) -> dict[Length, tuple[int, int]]:
    """So many reports of different households -> length -> reports whose household the reader names, and reports."""
    chance = np.random.default_rng(seed)
    reader = Reader(homes, seed + 1, lengths, stretches)
    found = dict.fromkeys(lengths, (0, 0))
    for author in chance.choice(len(homes), reports, replace=False):
        made: Recording = recording(homes[author], chance, lengths[0] if len(lengths) == 1 else None)
        seen = report(made)
        named, every = found[made.length]
        found[made.length] = named + (reader.names(seen) == author), every + 1
    return found
