"""Calls -> occasions: what happened in the household that makes products send.

Where nothing happened, nothing was tested.  Plays come from the traffic with own servers; starts, scans, sign-ins from
the calls that are made on them (`when` of a rule); periods from timers; and of what comes at no known occasion, the
quarters of an hour in which its sender was at work count.
"""

from __future__ import annotations

import functools
import operator
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.knowledge import Knowledge
from analysis.model import Category, Classified, Finding, Party
from analysis.traffic import moments

PLAY = "play"
"""The occasion that own servers show."""

BIN = 900.0
"""Seconds of a stretch of time: calls that come in a burst are one event."""

_APART = 300.0
"""Seconds without a sign after which the next sign of a start, a scan, … is another one."""

_PAUSE = 1800.0
"""Seconds after which a film that goes on is another play; players report every few seconds, also when paused."""

_LEAD, _LAG = 60.0, 900.0
"""Seconds before and after an occasion in which what was sent belongs to it; of the time between two of them, a quarter
belongs to the next at most."""

_AT_HOME = (Party.OWN, Party.OWN_VIA_RELAY)

_SHOWS_PLAY = frozenset({"play.position_time", "play.session_id", "play.watched_state"})

_TIMER = re.compile(r"every (?P<n>[0-9]+) ?(?P<unit>s|min|h|d)")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

KINDS = ("play", "start", "scan", "crash", "search", "sign-in", "sign-out", "profile", "setting")
"""Words that the `when` of a rule holds, one for each kind of occasion."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time at which something happened."""

    start: float
    """First sign of it, seconds since the epoch (UTC)."""
    end: float
    """Last sign of it."""
    who: frozenset[str]
    """Device and ids of the client on which it happened.  Private."""
    rules: frozenset[str]
    """Rules of the calls that show it."""
    capture: int
    """Number of the file in which its first call stands."""
    product: str = ""
    """Pack id of what started, scanned, …; empty for a play."""
    role: str = ""
    """Part of that product; empty for a play."""


type _Timed = tuple[float, Classified]
"""When a call was, and the call, which may stand for others that were at other times."""


@dataclass(slots=True)
class _Growing:
    """An occasion whose last call may still come."""

    first: Classified
    start: float
    end: float
    who: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    over: bool = False

    def add(self, time: float, call: Classified, who: frozenset[str]) -> None:
        self.end = max(self.end, time)
        self.who |= who
        self.rules.add(call.rule)

    def play(self) -> Occasion:
        return self.of("", "")

    def of(self, product: str, role: str) -> Occasion:
        source = self.first.observation.source
        who, rules = frozenset(self.who), frozenset(self.rules)
        return Occasion(self.start, self.end, who, rules, source.capture, product, role)


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time in which what is sent belongs to an occasion."""

    start: float
    """From then on."""
    end: float
    """Until before then."""
    occasion: Occasion
    """Which."""


def kind_of(when: str) -> str:
    """`when` of a rule -> the one kind of occasion that it names; empty when it names none or several.

    >>> kind_of("on play"), kind_of("start"), kind_of("on start or click or play"), kind_of("every 24 h")
    ('play', 'start', '', '')
    """
    kinds = [kind for kind in KINDS if kind in when.split()]
    return kinds[0] if len(kinds) == 1 and " or " not in when else ""


def period_of(when: str) -> float:
    """`when` of a rule -> seconds of its timer; 0 when it names none.

    >>> period_of("every 24 h"), period_of("on play")
    (86400.0, 0.0)
    """
    timer = _TIMER.search(when)
    return int(timer["n"]) * _UNITS[timer["unit"]] if timer else 0.0


def senders(calls: Iterable[Classified], findings: Iterable[Finding]) -> Mapping[int, frozenset[str]]:
    """Calls -> for each, the device and the ids by which its sender is known again.  Private."""
    ids: dict[int, set[str]] = defaultdict(set)
    for finding in findings:
        if finding.item == "client.id" and finding.direction == "sent" and finding.value:
            ids[finding.call].add(finding.value)
    return {call.n: frozenset({call.observation.device, *ids.get(call.n, ())} - {""}) for call in calls}


def occasions(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge
) -> Mapping[str, tuple[Occasion, ...]]:
    """Calls and findings -> kind -> occasions, in the order of time.

    A call without a time shows none.  Kinds that did not happen are missing.
    """
    who = senders(calls, findings)
    kinds = _kinds(knowledge)
    telling = [call for call in calls if tells(call, knowledge)]
    every = [(time, n, call) for call in telling for time, n in moments(call) if time is not None]
    timed = [(time, call) for time, _, call in sorted(every, key=operator.itemgetter(0, 1))]
    found = {PLAY: _plays(timed, findings, who)}
    for kind in KINDS[1:]:
        found[kind] = _clusters([seen for seen in timed if kinds.get(seen[1].rule) == kind], who)
    return {kind: tuple(items) for kind, items in found.items() if items}


def tells(call: Classified, knowledge: Knowledge) -> bool:
    """Whether a call can tell of an occasion."""
    return call.rule in _kinds(knowledge) or _is_of_play(call)


@functools.lru_cache(maxsize=4)
def _kinds(knowledge: Knowledge) -> Mapping[str, str]:
    """Rule -> the kind of occasion on which such calls are made, but for plays, which are told otherwise."""
    return {rule.id: kind for rule in knowledge.rules.values() if (kind := kind_of(rule.when)) in KINDS[1:]}


def _is_of_play(call: Classified) -> bool:
    """Whether it tells the own server of a play, or is one."""
    return call.party in _AT_HOME and call.category in (Category.PLAYBACK_REPORT, Category.MEDIA_STREAM)


def _plays(timed: Sequence[_Timed], findings: Sequence[Finding], who: Mapping[int, frozenset[str]]) -> list[Occasion]:
    """Calls to own servers -> plays: one for each film (or session) on each client, until it stops or pauses long."""
    said: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        if finding.item in _SHOWS_PLAY or finding.item == "media.library_key":
            said[finding.call][finding.item].append(finding.value)
    done: list[_Growing] = []
    current: dict[tuple[frozenset[str], str], _Growing] = {}
    for time, call in timed:
        if not _is_of_play(call):
            continue
        items = said.get(call.n, {})
        report = call.category is Category.PLAYBACK_REPORT and not _SHOWS_PLAY.isdisjoint(items)
        if not report and call.category is not Category.MEDIA_STREAM:
            continue
        what = _film(items) if report else ""
        key = (who[call.n], what)
        play = current.get(key) if report else _running(current, who[call.n], time) or current.get(key)
        stopped = any(value.lower() in {"stopped", "stop"} for value in items.get("play.watched_state", ()))
        if play is None or time - play.end > _PAUSE or (play.over and not stopped):
            play = current[key] = _Growing(call, time, time)
            done.append(play)
        play.add(time, call, who[call.n])
        play.over = stopped
    return [play.play() for play in done]


def _film(items: Mapping[str, Sequence[str]]) -> str:
    """What is played: the session if it has an id, else the film; the key of a film stands as a number or as a path."""
    sessions = items.get("play.session_id", ())
    keys = sorted({value.rstrip("/").rpartition("/")[2] for value in items.get("media.library_key", ())})
    return "\n".join(sorted(set(sessions))) or (keys[0] if keys else "")


def _running(
    current: Mapping[tuple[frozenset[str], str], _Growing], who: frozenset[str], time: float
) -> _Growing | None:
    """The play to which a stream belongs: the latest on the same client that is not long over."""
    running = [
        play
        for (client, _), play in current.items()
        if not client.isdisjoint(who) and not play.over and time - play.end <= _PAUSE
    ]
    return max(running, key=lambda play: play.end, default=None)


def _clusters(shown: Sequence[_Timed], who: Mapping[int, frozenset[str]]) -> list[Occasion]:
    """Calls that are made on one kind of occasion -> the occasions: of each sender, what is not far apart."""
    done: list[_Growing] = []
    current: dict[tuple[str, str, str], _Growing] = {}
    for time, call in shown:
        sender = (call.observation.device, call.product, call.role)
        cluster = current.get(sender)
        if cluster is None or time - cluster.end > _APART:
            cluster = current[sender] = _Growing(call, time, time)
            done.append(cluster)
        cluster.add(time, call, who[call.n])
    return [cluster.of(cluster.first.product, cluster.first.role) for cluster in done]


def windows(chosen: Sequence[Occasion]) -> tuple[Window, ...]:
    """Occasions in the order of time -> for each, the time in which what is sent belongs to it."""
    found = []
    for i, occasion in enumerate(chosen):
        before = chosen[i - 1].end if i else float("-inf")
        after = chosen[i + 1].start if i + 1 < len(chosen) else float("inf")
        lead = min(_LEAD, max(0.0, (occasion.start - before) / 4))
        lag = min(_LAG, max(0.0, (after - occasion.end) * 3 / 4))
        found.append(Window(occasion.start - lead, occasion.end + lag, occasion))
    return tuple(found)


def periods(stretches: Sequence[tuple[float, float]], period: float) -> list[tuple[float, float]]:
    """Stretches of time without a gap -> the whole periods of a timer in them.

    >>> periods([(0, 25), (100, 109)], 10)
    [(0, 10), (10, 20)]
    """
    return [
        (start + i * period, start + (i + 1) * period)
        for start, end in stretches
        for i in range(int((end - start) / period))
    ]
