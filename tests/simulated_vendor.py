"""Logs of many made-up households, and the reports that some of them post, made by `redact` from calls and findings.

A household has a server, apps by platform, and tools that use the same account.  Each does what it does at times of its
own; what one kind of event looks like, at the vendor and in a capture, is a `Stream`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from analysis import redact
from analysis.evidence import Evidence, SwitchState
from analysis.grid import Rounding
from analysis.model import Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pipeline import Result
from analysis.shared_report import SharedFingerprint, SharedPromise, SharedReport, SharedRounding
from analysis.texts import Length, Share
from analysis.vocabulary import VERSION_ITEMS
from captures.model import Effect
from reporting import START, call, comparison, contact, exchange, finding, result

HOUR, DAY = 3600.0, 86_400.0
MONTH = 30 * DAY

VERSIONS = (("1.41", 0.42), ("1.40", 0.28), ("1.42", 0.18), ("1.32", 0.06), ("1.43", 0.04), ("1.25", 0.02))
PLATFORMS = (("Linux", 0.5), ("Windows", 0.3), ("macOS", 0.12), ("FreeBSD", 0.03), ("Android", 0.05))
SWITCHES = (("send-playback-data", 0.08), ("crash-reports", 0.15))
"""Switches, and how many households turned each off."""
RECORDED = (("", 0.7), ("app", 0.5), ("tool", 0.5))
"""How many lead the server through the proxy, and how many each app and tool; the vendor does not know which."""
IGNORED = 0.1
"""Of these, where it is sent all the same."""
APPS = (("Android", 0.5), ("iOS", 0.3), ("Roku", 0.2), ("Windows", 0.4), ("tvOS", 0.15))
"""Apps by their platform, and how many households use each."""
APP_VERSIONS = (("10.8", 0.5), ("10.7", 0.25), ("10.2", 0.15), ("9.4", 0.06), ("8.1", 0.04))
TOOLS = (("tautulli", 0.3), ("overseerr", 0.15), ("kometa", 0.05))
"""Tools that use the account, and how many households have each."""
ANSWERS = (("account.subscription_plan", 0.5), ("social.other_person", 0.3))
"""What the vendor's answers show of some accounts, and of how many."""
EFFECTS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "": (("mended", 0.02), ("certificate", 0.03), ("blocked", 0.02), ("older-tls", 0.02), ("client-certificate", 0.01)),
    "Android": (("http-version", 0.5), ("failed-once", 0.3), ("passed", 0.3), ("lower-tls", 0.03), ("ech", 0.1)),
    "iOS": (("http3", 0.9), ("early-data", 0.6), ("passed", 0.1)),
    "Roku": (("passed", 1.0), ("failed-once", 0.5), ("weaker-cipher", 0.1), ("lower-tls", 0.1)),
    "Windows": (("http3", 0.6), ("ech", 0.6), ("http-version", 0.3)),
    "tvOS": (("http3", 0.8), ("early-data", 0.5)),
}
"""What the proxy changes for the devices of a platform (for the server: none), and for how many of them."""
FILMS = (5, 50, 500)
"""Titles that share what is told of a film, one number for each class that a report knows."""
LENGTHS: tuple[tuple[Length, float], ...] = (("<1h", 0.25), ("1-6h", 0.4), ("6-24h", 0.2), ("1-7d", 0.15))
SPANS: dict[Length, tuple[float, float]] = {
    "<1h": (0.2 * HOUR, HOUR),
    "1-6h": (HOUR, 6 * HOUR),
    "6-24h": (6 * HOUR, DAY),
    "1-7d": (DAY, 7 * DAY),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of event: the call that it makes, and what stands in it."""

    category: Category
    items: tuple[str, ...] = ()
    product: str = "plex"
    entity: str = "Plex"
    host: str = "plex.tv"
    party: Party = Party.VENDOR
    readable: bool = True
    rule: str = ""
    verdict: Verdict = Verdict.OPTIONAL
    platform: str = ""
    """Of the app that it is of; empty for the server."""

    @property
    def sender(self) -> str:
        """Which app or tool it is of; empty for the server."""
        return self.platform or self.product.removeprefix("plex")


def _app(platform: str, *more: str) -> Stream:
    items = ("client.app", "client.os", "client.id", *more)
    return Stream(Category.USAGE_STATISTICS, items, platform=platform)


def _tool(product: str) -> Stream:
    return Stream(Category.ACCOUNT_AUTH, ("auth.token", "client.id"), product, verdict=Verdict.NO_LIST)


STREAMS: Mapping[str, Stream] = {
    "update": Stream(Category.UPDATE_CHECK, ("server.version", "server.os", "auth.token")),
    "discovery": Stream(Category.REMOTE_DISCOVERY, ("server.machine_id", "auth.token")),
    "auth": Stream(Category.ACCOUNT_AUTH, ("auth.token", "client.id")),
    "start": Stream(Category.ACCOUNT_AUTH, ("auth.token", "client.id"), rule="plex/account"),
    "scan": Stream(Category.METADATA_LOOKUP, ("media.title", "media.year")),
    "crash": Stream(Category.CRASH_REPORT, ("diag.error", "client.id")),
    "play": Stream(Category.PLAYBACK_REPORT, party=Party.OWN, host="192.168.1.5"),
    **{f"film-{n}": Stream(Category.USAGE_STATISTICS, ("client.id", "media.duration", "media.bitrate")) for n in FILMS},
    "end": Stream(Category.USAGE_STATISTICS, ("client.id", "play.watched_time")),
    "Android": _app("Android", "client.battery"),
    "iOS": _app("iOS", "client.battery"),
    "Windows": _app("Windows"),
    "tvOS": _app("tvOS"),
    "Roku": Stream(Category.UNKNOWN, readable=False, platform="Roku", host="metrics.plex.tv"),
    **{product: _tool(product) for product, _ in TOOLS},
    "release": Stream(Category.UPDATE_CHECK, ("client.user_agent",), "tautulli", "GitHub", "api.github.com"),
    "silent": Stream(Category.UNKNOWN, readable=False),
}
"""All kinds of events; `silent` is one that got no answer.  The vendor can tell `play` from what apps ask."""


@dataclass(frozen=True, slots=True)
class Household:
    """One row of the vendor's customers."""

    version: str
    platform: str
    off: frozenset[str]
    """Switches that are off."""
    ignored: bool
    """Whether playback data is sent all the same."""
    apps: Mapping[str, str]
    """Platform of each app -> its version."""
    effects: Mapping[str, frozenset[str]]
    """Platform of an app, or none for the server -> what the proxy changes for it."""
    answers: frozenset[str]
    """What the vendor's answers show beside what they show of everybody."""
    times: Mapping[str, NDArray[np.float64]]
    """Kind of event -> when it happened, ascending."""


def households(n: int, seed: int) -> list[Household]:
    """So many households, each with its own habits."""
    chance = np.random.default_rng(seed)
    return [_household(chance) for _ in range(n)]


def _household(chance: np.random.Generator) -> Household:
    def one(of: Sequence[tuple[str, float]]) -> str:
        return str(chance.choice([name for name, _ in of], p=[share for _, share in of]))

    def some(of: Sequence[tuple[str, float]]) -> frozenset[str]:
        return frozenset(name for name, share in of if chance.random() < share)

    def regular(period: float) -> NDArray[np.float64]:
        return np.arange(chance.uniform(0, period), MONTH, period)

    def at_random(a_day: float) -> NDArray[np.float64]:
        return np.sort(chance.uniform(0, MONTH, chance.poisson(a_day * 30)))

    off = some(SWITCHES)
    ignored = "send-playback-data" in off and chance.random() < IGNORED
    apps, tools = some(APPS), some(TOOLS)
    plays = at_random(chance.lognormal(0.5, 0.8))
    told = plays if ignored or "send-playback-data" not in off else plays[:0]
    kinds = chance.choice(FILMS, len(told), p=chance.dirichlet((1, 2, 1)))
    times = dict.fromkeys(STREAMS, plays[:0]) | {
        "update": np.sort(np.concatenate([regular(DAY), at_random(0.2)])),
        "discovery": regular(float(chance.choice([1800.0, 3600.0, 7200.0]))),
        "auth": regular(12 * HOUR),
        "start": at_random(chance.lognormal(0.8, 0.7)),
        "scan": np.sort(np.repeat(at_random(0.3), 3)),
        "crash": at_random(0.0 if "crash-reports" in off else 0.02),
        "play": plays,
        **{f"film-{kind}": told[kinds == kind] for kind in FILMS},
        "end": np.sort(told + chance.uniform(600, 7000, len(told))),
        "silent": at_random(0.03),
        **{platform: at_random(chance.lognormal(0, 0.7)) for platform in apps},
        **{tool: regular(12 * HOUR) for tool in tools},
        "release": regular(DAY) if "tautulli" in tools else plays[:0],
    }
    return Household(
        version=one(VERSIONS),
        platform=one(PLATFORMS),
        off=off,
        ignored=ignored,
        apps={platform: one(APP_VERSIONS) for platform, _ in APPS if platform in apps},
        effects={platform: some(EFFECTS[platform]) for platform in ("", *sorted(apps))},
        answers=some(ANSWERS),
        times=times,
    )


def between(times: NDArray[np.float64], begin: float, end: float) -> int:
    """Events in a stretch of time."""
    return int(np.searchsorted(times, end) - np.searchsorted(times, begin))


def counts(home: Household, begin: float, end: float) -> dict[str, int]:
    """Events of each kind in a stretch of time."""
    return {kind: between(times, begin, end) for kind, times in home.times.items()}


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody records."""

    home: Household
    length: Length
    begin: float
    end: float
    senders: frozenset[str]
    """Apps and tools that are led through the proxy, and the server (empty)."""


SENDERS = tuple(dict.fromkeys(stream.sender for stream in STREAMS.values()))


def recorded(chance: np.random.Generator, n: int) -> NDArray[np.bool_]:
    """So many recordings -> which of `SENDERS` are led through the proxy in each."""
    shares = dict(RECORDED)
    tools = {tool for tool, _ in TOOLS}
    each = [shares["tool" if sender in tools else "app" if sender else ""] for sender in SENDERS]
    return chance.random((len(SENDERS), n)) < np.array(each)[:, None]


def recording(home: Household, chance: np.random.Generator, length: Length | None = None) -> Recording:
    """A household that records for a while, as long as people do, or in a class of lengths."""
    length = length or LENGTHS[int(chance.choice(len(LENGTHS), p=[share for _, share in LENGTHS]))][0]
    span = chance.uniform(*SPANS[length])
    begin = chance.uniform(0, MONTH - span)
    senders = frozenset(sender for sender, led in zip(SENDERS, recorded(chance, 1)[:, 0], strict=True) if led)
    return Recording(home, length, begin, begin + span, senders)


class _Capture:
    """Calls, findings and verdicts, as they come."""

    def __init__(self, home: Household) -> None:
        self.calls: list[Classified] = []
        self.findings: list[Finding] = []
        self._home = home
        self._held: dict[tuple[str, str, Stream], list[int]] = {}

    def add(self, n: int, stream: Stream) -> None:
        """So many events of a kind."""
        numbers = range(len(self.calls), len(self.calls) + n)
        made = exchange if stream.readable else contact
        role = "app" if stream.platform else "server"
        self.calls += [
            structs.replace(
                call(
                    made(stream.host, index=i),
                    stream.category,
                    party=stream.party,
                    entity="" if stream.party is Party.OWN else stream.entity,
                    product=stream.product,
                    service={"GitHub": "github"}.get(stream.entity, "plex"),
                ),
                role=role,
                rule=stream.rule,
            )
            for i in numbers
        ]
        for item in stream.items if n else ():
            place = "header.x-plex-version" if item in VERSION_ITEMS else f"body.{item}"
            self.findings += [finding(i, item, self._value(item, stream), at=place) for i in numbers]
            self._held.setdefault((item, stream.product, stream), []).extend(numbers)
        if stream.category is Category.ACCOUNT_AUTH:
            told = ("account.email", *sorted(self._home.answers))
            self.findings += [finding(i, item, "x", direction="received") for i in numbers for item in told]

    def _value(self, item: str, stream: Stream) -> str:
        if item == "server.version":
            return f"{self._home.version}.3.4567"
        if item == "client.app":
            return f"{self._home.apps[stream.platform]}.1.1077"
        return {"server.os": self._home.platform, "client.os": stream.platform}.get(item, "x")

    def compared(self, broken: Iterable[str]) -> list[Comparison]:
        """One verdict for each sender, item, recipient and purpose, whichever app sent it."""
        together: dict[tuple[str, str, str, Category, Verdict], list[int]] = {}
        for (item, product, stream), numbers in self._held.items():
            together.setdefault((product, item, stream.entity, stream.category, stream.verdict), []).extend(numbers)
        return [
            comparison(
                item,
                Verdict.OPTED_OUT if item in broken else verdict,
                tuple(numbers),
                product=product,
                declared="2024-06-28" if product == "plex" else "",
                entity=entity,
                category=category,
            )
            for (product, item, entity, category, verdict), numbers in together.items()
        ]


def report(made: Recording) -> SharedReport:
    """What a household posts of what it recorded."""
    home = made.home
    seen = _Capture(home)
    every = counts(home, made.begin, made.end)
    found = {kind: n if STREAMS[kind].sender in made.senders else 0 for kind, n in every.items()}
    for kind, n in found.items():
        seen.add(n, STREAMS[kind])
    # What the account says of its switches comes when something starts.
    states = tuple(
        SwitchState(START, "plex", switch, switch not in home.off, 0) for switch, _ in SWITCHES if found["start"]
    )
    films = sum(found[f"film-{kind}"] for kind in FILMS)
    broken = ("media.duration",) if home.ignored and found["start"] and films else ()
    told = result(seen.calls, seen.findings, seen.compared(broken), evidence=Evidence(switches=states))
    return _with_numbers(
        redact.redact(_within(told, made.end - made.begin, _effects(home, found))), found, bool(broken)
    )


def _effects(home: Household, found: Mapping[str, int]) -> tuple[Effect, ...]:
    kinds = {
        kind
        for stream, n in found.items()
        if n and STREAMS[stream].party is Party.VENDOR and STREAMS[stream].product == "plex"
        for kind in home.effects.get(STREAMS[stream].platform, ())
    }
    return tuple(Effect(kind, "", "", 1, START, START) for kind in kinds | ({"silent"} if found["silent"] else set()))


def _within(found: Result, span: float, effects: tuple[Effect, ...]) -> Result:
    """The same, recorded for so many seconds."""
    return replace(found, captures=(replace(found.captures[0], last=START + span, effects=effects),))


def _with_numbers(seen: SharedReport, found: Mapping[str, int], broken: bool) -> SharedReport:
    """The same with what the numbers of its films say."""
    films = [found[f"film-{kind}"] for kind in FILMS]
    pairs = sum(films)
    off = SharedPromise("plex", "2017-08-19", "switched-off", "broken" if broken else "cannot-tell")
    if not pairs:
        return structs.replace(seen, promises=(off,) if broken else ())
    judged = rounded(pairs)
    told = SharedRounding(
        "plex", "Plex", "media.duration", judged, "60" if pairs > 3 else "", "nearest" if pairs > 5 else "",
        redact.count_class(pairs, seen.length),
    )  # fmt: skip
    kept = SharedPromise("plex", "2017-08-19", "rounded", "kept" if judged == "rounded" else "cannot-tell")
    alike = SharedFingerprint("plex", "Plex", shared_by(films), named=False)
    hidden = "fingerprints" in redact.withheld(seen.length)
    return structs.replace(seen, roundings=(told,), promises=(kept, off), fingerprints=() if hidden else (alike,))


def rounded(pairs: int) -> Rounding:
    """What so many films show; the step is alone from four, the direction from six on."""
    return "rounded" if pairs > 1 else "cannot-tell"


def shared_by(films: Sequence[int]) -> Share:
    """Films of each kind -> the class of the median."""
    every = np.repeat(FILMS, films)
    median = float(np.median(every))
    return "<10" if median < 10 else "10-100" if median <= 100 else ">100"
