"""Exact numbers to the own server, reported ones to somebody else -> which belong together.

The key is the session, the client, the film, the time and the kind of event, never the number itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.media_info import Film, films
from analysis.model import Classified
from analysis.pipeline import Result
from analysis.plays import KEYS, SESSION, Play, Reading, plays, server_calls, short_key, usual
from analysis.quantities import KINDS, PAIRED, Beside, Number, moment, numbers, part, record
from analysis.traffic import is_outside

type Event = Literal["start", "end", "total", "other"]
"""What an event is: the begin or end of a play, the sum over a run of the app, or anything else."""

_NEAR = 60.0
"""Seconds that a report may lie from the begin or end of its play."""

_NEAR_LATE = 600.0
"""The same, for events that are collected and sent together without their own times."""

_APART = 2.0
"""Seconds by which one play must fit better than the next, else it is not known which is meant."""

_AT_ONCE = 0.2
"""Most that an app takes between telling its server that a film stopped and reporting it, in seconds."""

_EVENTS: tuple[tuple[Event, re.Pattern[str]], ...] = (
    ("total", re.compile(r"session[ _:.-]?(?:end|stop)")),
    ("start", re.compile(r"start|begin|(?<![a-z])(?:on)?play(?:ing)?\Z")),
    (
        "end",
        re.compile(r"(?:(?<![a-z])|item|play(?:back)?|video|media|track)[ _-]?end(?:ed)?(?![a-z])|stop|complet|finish"),
    ),
)

_START_OR_END = re.compile(r"offset\Z", re.IGNORECASE)
"""Names of fields that hold where a play began in some apps and where it ended in others."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An exact number and what was reported of it.  Private."""

    exact: float
    """In the unit of its kind."""
    reported: float
    """Likewise."""
    uncertainty: float
    """How far the exact number may have been off when the report was made; 0 for what does not change."""
    resolution: float
    """Smallest difference that the exact number can show."""
    own_call: int
    """Call to (or answer of) the own server in which the exact number stands."""
    own_at: str
    """Where in it; for a time that was worked out from several calls, where its last part stands."""
    call: int
    """Call in which it was reported."""
    at: str
    """Where in it."""
    event: Event
    """Kind of event."""
    derived: bool = False
    """Whether the exact number was worked out from several calls."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reported number that has no partner, and why.  Private."""

    call: int
    """Call in which it was reported."""
    at: str
    """Where in it."""
    reported: float
    """In the unit of its kind."""
    why: str
    """Key in `texts.REJECTED`."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Everything that was reported, with its partners."""

    reported: tuple[Number, ...]
    """All numbers of quantities that went to somebody else."""
    pairs: Mapping[tuple[int, str], Pair]
    """Call and place of a reported number -> its pair."""
    rejected: tuple[Rejected, ...]
    """Reported numbers of kinds that can be paired, without a partner."""
    films: Mapping[str, Film]
    """What own servers answered about films."""


def pairs(result: Result) -> Paired:
    """Result -> the reported numbers with their exact partners."""
    servers = server_calls(result)
    outside = {call.n: call for call in result.calls if is_outside(call) and call.n not in servers}
    reported = tuple(number for number in numbers(result, "sent") if number.call in outside)
    own, known = plays(result), films(result)
    items = (*SESSION, *KEYS, "client.id", "event.name", "event.time", "ui.action_page")
    matcher = _Matcher(own, known, Beside(result.findings, items), _clocks(result, outside))
    found: dict[tuple[int, str], Pair] = {}
    rejected: list[Rejected] = []
    for number in reported:
        if KINDS[number.item] not in PAIRED:
            continue
        partner = matcher.partner(number, outside[number.call])
        if isinstance(partner, Pair):
            found[number.call, number.at] = partner
        else:
            rejected.append(Rejected(number.call, number.at, number.value, partner))
    return Paired(reported, found, tuple(rejected), known)


def _clocks(result: Result, outside: Mapping[int, Classified]) -> dict[str, float]:
    """Device -> seconds by which its clock is behind that of the recording: a report is never sent before its event."""
    behind: dict[str, float] = {}
    for finding in result.findings:
        if finding.item == "event.time" and finding.call in outside and finding.direction == "sent":
            seen, own = outside[finding.call].observation, moment(finding.value)
            if own is not None and seen.time is not None:
                behind[seen.device] = min(behind.get(seen.device, float("inf")), seen.time - own)
    return behind


@dataclass(frozen=True, slots=True)
class _Matcher:
    plays: Sequence[Play]
    films: Mapping[str, Film]
    beside: Beside
    clocks: Mapping[str, float]

    def partner(self, number: Number, call: Classified) -> Pair | str:
        """A reported number -> its pair, or why it has none."""
        event = self._event(number)
        time, own_time = self._time(number, call)
        if time is None:
            return "no-time"
        late = _NEAR_LATE if record(number.at) and not own_time else _NEAR
        play = self._play(number, call, event, time, late)
        if isinstance(play, str):
            return play
        side = part(number)
        if number.item == "play.watched_time":
            return self._watched(number, event, time, play)
        if number.item == "play.position_time":
            return self._position(number, event, time, play)
        exact = usual(play.readings(number.item, side)) or self._of_film(play, number.item, side)
        if isinstance(exact, str):
            return exact
        return _pair(number, event, exact, 0.0)

    def _of_film(self, play: Play, item: str, side: str) -> Reading | str:
        known = [film for key in play.keys if (film := self.films.get(key))]
        readings = [reading for film in known for reading in film.numbers.get((item, side), ())]
        if not readings:
            return "no-exact"
        return readings[0] if len({reading.value for reading in readings}) == 1 else "several-versions"

    def _event(self, number: Number) -> Event:
        names = self.beside.values(number.call, number.at, "event.name")
        for name in names[:1]:
            for event, pattern in _EVENTS:
                if pattern.search(name.lower()):
                    return event
        return "other"

    def _time(self, number: Number, call: Classified) -> tuple[float | None, bool]:
        """When an event happened, by the clock of the recording, and whether it says so itself."""
        seen = call.observation
        for text in self.beside.values(number.call, number.at, "event.time"):
            own = moment(text)
            if own is not None and seen.device in self.clocks:
                return own + self.clocks[seen.device], True
        return seen.time, False

    def _play(self, number: Number, call: Classified, event: Event, time: float, late: float) -> Play | str:
        """The play that an event is about, or why it is not known."""
        fitting = [play for play in self.plays if self._may_be(play, number, call)]
        if not fitting:
            return "no-play" if self.plays else "no-own-traffic"
        sessions = set(self.beside.values(number.call, number.at, *SESSION))
        fitting = [play for play in fitting if play.sessions & sessions] or fitting
        near = sorted(((_distance(play, event, time), n) for n, play in enumerate(fitting)))
        best, n = near[0]
        if best > late:
            return "not-near"
        if len(near) > 1 and near[1][0] - best < _APART:
            return "two-plays"
        return fitting[n]

    def _may_be(self, play: Play, number: Number, call: Classified) -> bool:
        """Whether nothing speaks against it: another device, another client, another film."""
        keys = {short_key(key) for key in self.beside.values(number.call, number.at, *KEYS)}
        if keys and play.keys and not keys & play.keys:
            return False
        if call.role == "server":
            return True
        clients = set(self.beside.values(number.call, number.at, "client.id"))
        if clients & play.clients:
            return True
        return play.device == call.observation.device and not (clients and play.clients)

    def _watched(self, number: Number, event: Event, time: float, play: Play) -> Pair | str:
        if event == "start":
            return "nothing-watched"
        if event == "total" and self._others(play):
            return "several-plays"
        told = play.readings("play.watched_time")
        if told and all(one.value <= next_.value for one, next_ in itertools.pairwise(told)):
            exact = min(told, key=lambda reading: abs(reading.time - time))
            if play.stopped and time >= play.end:
                exact = told[-1]
            return _pair(number, event, exact, self._moved(play, exact.time, time))
        return self._worked_out(number, event, time, play)

    def _others(self, play: Play) -> bool:
        return any(other is not play and other.sessions & play.sessions for other in self.plays)

    def _worked_out(self, number: Number, event: Event, time: float, play: Play) -> Pair | str:
        """Time watched: the time between reports while it played."""
        until = [report for report in play.reports if report.time <= time + _AT_ONCE]
        if len(until) < 2:
            return "too-few-reports"
        watched = sum(
            after.time - before.time for before, after in itertools.pairwise(until) if before.state == "playing"
        )
        last = until[-1]
        exact = Reading(last.call, last.numbers[0].at if last.numbers else "", last.time, watched, 0.001)
        return _pair(number, event, exact, 2 * _AT_ONCE + self._moved(play, last.time, time), derived=True)

    def _moved(self, play: Play, read: float, time: float) -> float:
        """Seconds that a film may have gone on between a reading and a report."""
        gap = abs(time - read)
        return min(gap, _AT_ONCE) if play.stopped and read >= play.end and time >= read else gap

    def _position(self, number: Number, event: Event, time: float, play: Play) -> Pair | str:
        told = play.readings("play.position_time")
        if not told:
            return "no-exact"
        if event == "start":
            return _pair(number, event, told[0], abs(time - told[0].time))
        if _START_OR_END.search(number.at):
            return "start-or-end"
        exact = min(told, key=lambda reading: abs(reading.time - time))
        return _pair(number, event, exact, self._moved(play, exact.time, time))


def _distance(play: Play, event: Event, time: float) -> float:
    """How far an event lies from the moment of a play that it can be about, in seconds."""
    if event == "start":
        return abs(time - play.start)
    if event in ("end", "total"):
        return abs(time - play.end)
    return max(0.0, play.start - time, time - play.end)


def _pair(number: Number, event: Event, exact: Reading, uncertainty: float, *, derived: bool = False) -> Pair:
    return Pair(
        exact=exact.value,
        reported=number.value,
        uncertainty=uncertainty,
        resolution=exact.resolution,
        own_call=exact.call,
        own_at=exact.at,
        call=number.call,
        at=number.at,
        event=event,
        derived=derived,
    )
