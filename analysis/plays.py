"""What the own server is told while a film plays -> the plays, with their exact numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.knowledge import Knowledge
from analysis.model import Category, Classified, Party
from analysis.pipeline import Result
from analysis.quantities import Beside, Number, numbers, part
from captures.model import Exchange

_SERVERS = (Party.OWN, Party.OWN_VIA_RELAY, Party.OTHER_HOME)

SESSION = ("play.session_id", "client.session_id")
"""Items that tell a play or a run of an app."""

KEYS = ("media.library_key",)
"""Items that tell the film."""

_LONGEST_GAP = 30 * 60.0
"""Seconds without a word after which a play is another one."""

_STOPPED = frozenset({"stopped", "ended", "finished", "completed"})
_HELD = frozenset({"paused", "buffering", "true"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One exact number that the own server was told, or told itself.  Private."""

    call: int
    """`Classified.n`."""
    at: str
    """Where it stands."""
    time: float
    """When, seconds since the epoch (UTC)."""
    value: float
    """In the unit of its kind."""
    resolution: float
    """Smallest difference that it can show."""


@dataclass(frozen=True, slots=True)
class Report:
    """One call in which a client tells its own server how far it is.  Private."""

    call: int
    """`Classified.n`."""
    time: float
    """When, seconds since the epoch (UTC)."""
    state: str
    """`playing`, `held` (paused, loading) or `stopped`."""
    numbers: tuple[Number, ...]
    """Its exact numbers."""


@dataclass(frozen=True, slots=True)
class Play:
    """One film played once on one client.  Private."""

    device: str
    """Name or address of the device."""
    clients: frozenset[str]
    """Ids of the client."""
    sessions: frozenset[str]
    """Ids of the play and of the app's run."""
    keys: frozenset[str]
    """Numbers of the film in the library: the last part of each."""
    reports: tuple[Report, ...]
    """In the order of time; not empty."""

    @property
    def start(self) -> float:
        """Time of the first report."""
        return self.reports[0].time

    @property
    def end(self) -> float:
        """Time of the report that it stopped, or else of the last one."""
        return next((r.time for r in self.reports if r.state == "stopped"), self.reports[-1].time)

    @property
    def stopped(self) -> bool:
        """Whether its end was told."""
        return any(report.state == "stopped" for report in self.reports)

    def readings(self, item: str, of: str = "") -> list[Reading]:
        """All exact numbers of an item (of a picture: `width` or `height`), in the order of time."""
        return [
            Reading(report.call, number.at, report.time, number.value, number.quantum)
            for report in self.reports
            for number in report.numbers
            if number.item == item and part(number) == of
        ]


def plays(result: Result) -> tuple[Play, ...]:
    """Result -> the plays that were reported to an own server, in the order of their start.

    A new play begins with another film, client or session, after a stop, and after half an hour of silence.  Reports
    without a time are left out.
    """
    beside = Beside(result.findings, (*SESSION, *KEYS, "client.id", "play.watched_state"))
    sent: dict[int, list[Number]] = defaultdict(list)
    own = {n: call for n, call in server_calls(result).items() if call.category is Category.PLAYBACK_REPORT}
    for number in numbers(result, "sent"):
        if number.call in own:
            sent[number.call].append(number)
    lines: dict[tuple[object, ...], list[_Said]] = defaultdict(list)
    for n, call in own.items():
        said = _said(call, beside, tuple(sent[n]))
        if said:
            lines[(call.observation.device, said.clients)].append(said)
    found = [play for said in lines.values() for play in _split(sorted(said, key=lambda s: s.report.time))]
    return tuple(sorted(found, key=lambda play: play.start))


def server_calls(result: Result) -> dict[int, Classified]:
    """Result -> the calls to media servers, by number: they are told exact numbers because they need them.

    Whose server it is does not matter here, so that one whose owner is not proven counts too: the rule shows it.
    """
    return {call.n: call for call in result.calls if is_server_call(call, result.knowledge)}


def is_server_call(call: Classified, knowledge: Knowledge) -> bool:
    """As `server_calls`, for one call."""
    rule = knowledge.rules.get(call.rule)
    return call.party in _SERVERS or (rule is not None and rule.match.party == "own")


@dataclass(frozen=True, slots=True)
class _Said:
    report: Report
    device: str
    clients: frozenset[str]
    sessions: frozenset[str]
    keys: frozenset[str]


def _said(call: Classified, beside: Beside, found: tuple[Number, ...]) -> _Said | None:
    seen = call.observation
    if seen.time is None or not isinstance(seen, Exchange):
        return None
    words = {word.lower() for word in beside.values(call.n, "", "play.watched_state")}
    last = seen.path.rstrip("/").rpartition("/")[2].lower()
    stopped = bool(words & _STOPPED) or last in _STOPPED
    state = "stopped" if stopped else "held" if words & _HELD else "playing"
    return _Said(
        report=Report(call.n, seen.time, state, found),
        device=seen.device,
        clients=frozenset(beside.values(call.n, "", "client.id")),
        sessions=frozenset(beside.values(call.n, "", *SESSION)),
        keys=frozenset(short_key(key) for key in beside.values(call.n, "", *KEYS)),
    )


def short_key(key: str) -> str:
    """Number of a film as calls write it -> its last part: `/library/metadata/101` and `101` are the same film."""
    return key.rstrip("/").rpartition("/")[2]


def _split(line: Sequence[_Said]) -> Iterator[Play]:
    """What one client said, in the order of time -> its plays.  Films that take turns are told apart by their key."""
    running: list[list[_Said]] = []
    for said in line:
        fitting = [play for play in running if _goes_on(play[-1], said)]
        if fitting:
            fitting[-1].append(said)
        else:
            running.append([said])
    for play in running:
        yield Play(
            device=play[0].device,
            clients=play[0].clients,
            sessions=frozenset[str]().union(*(said.sessions for said in play)),
            keys=frozenset[str]().union(*(said.keys for said in play)),
            reports=tuple(said.report for said in play),
        )


def _goes_on(before: _Said, said: _Said) -> bool:
    if (
        not (before.keys & said.keys or before.keys == said.keys)
        or said.report.time - before.report.time > _LONGEST_GAP
    ):
        return False
    if before.sessions and said.sessions and not before.sessions & said.sessions:
        return False
    # That it stopped is said twice now and then.
    return before.report.state != "stopped" or said.report.state == "stopped"


def usual(readings: Iterable[Reading]) -> Reading | None:
    """Readings of what does not change -> the first of those with the commonest value; `None` without any."""
    every = [reading for reading in readings if reading.value > 0]
    if not every:
        return None
    ((value, _),) = Counter(reading.value for reading in every).most_common(1)
    return next(reading for reading in every if reading.value == value)
