"""What did a capture miss: the server's own log beside it.

A log is a second witness: it says which calls were made, not what was in them.  What it names and the capture lacks was
missed; what the capture shows and the log does not name proves nothing, as no log is complete.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.evidence import household
from analysis.model import Classified, Party
from analysis.traffic import is_readable, unread_reason
from captures.formats.serverlog import LoggedCall, ServerLog
from captures.model import Contact, Exchange

type Missing = Literal["not-in-capture", "not-readable", "partly"]
"""`not-in-capture`: no connection to this host is in it; `not-readable`: there are, and none could be read; `partly`:
some were read, and there are fewer than the log tells of."""

_NEAR = 30.0
"""Seconds by which a log's time and a capture's may differ: one is of the request, one of the answer, both in whole
seconds."""

_HOUR = 3600.0

_ENOUGH = 3
"""Calls at the same times that show by how many hours the clock of a log differs."""


@dataclass(frozen=True, slots=True)
class LoggedHost:
    """One host that a log names, and how much of it the capture lacks.  Private."""

    host: str
    """Empty for a call of which the log does not say to whom (a crash report)."""
    product: str
    """Pack id of the program whose log it is."""
    logged: int
    """Calls that the log tells of, within the time of the capture."""
    seen: int
    """Of these, those that stand in the capture and could be read."""
    verdict: Missing
    """Why the others are not known."""
    reason: str
    """What the capture says of its connections that could not be read; empty when there are none."""
    paths: tuple[str, ...]
    """Paths that were called and not seen, at most three, the most frequent first."""


@dataclass(frozen=True, slots=True)
class LogCoverage:
    """What logs tell of a capture.  Private."""

    logs: tuple[str, ...]
    """Names of the files."""
    calls: int
    """Calls to others that they tell of, within the time of the capture."""
    seen: int
    """Of these, in the capture and readable."""
    hosts: int
    """Different hosts that they name so."""
    missed: tuple[LoggedHost, ...]
    """Hosts of which something is missing, the most calls first."""
    outside_time: int
    """Calls before or after the capture, which it cannot hold."""
    hours: int
    """Hours that were added to the log's times, because its clock is in another zone."""
    remarks: tuple[str, ...]
    """What was not read."""


def beside_logs(calls: Sequence[Classified], logs: Sequence[ServerLog], own: Iterable[str] = ()) -> LogCoverage:
    """Calls of a capture, and logs of the same time -> what the capture lacks.

    `own` are hosts of the household; they and its addresses are left out.  A call of the log is seen if a readable call
    to the same host, and with the same path where the log names one, stands in the capture within 30 s; each stands for
    one.  Of a log without times, or a capture without, the numbers alone are compared.
    """
    mine = {call.observation.host for call in calls if call.party in (Party.OWN, Party.OWN_VIA_RELAY)} | set(own)
    outside = [
        (logged, log)
        for log in logs
        for logged in log.calls
        if logged.made and logged.host not in mine and not _is_at_home(logged.host)
    ]
    hours = _hours(calls, [logged for logged, log in outside if not log.zone])
    times = [call.observation.time for call in calls if call.observation.time is not None]
    within: list[LoggedCall] = []
    for logged, log in outside:
        when = _shifted(logged, 0 if log.zone else hours)
        if when.time is None or not times or min(times) - _NEAR <= when.time <= max(times) + _NEAR:
            within.append(when)
    missed = _missed(calls, within)
    gone = sum(host.logged - host.seen for host in missed)
    return LogCoverage(
        logs=tuple(log.name for log in logs),
        calls=len(within),
        seen=len(within) - gone,
        hosts=len({logged.host for logged in within}),
        missed=missed,
        outside_time=len(outside) - len(within),
        hours=hours,
        remarks=tuple(remark for log in logs for remark in log.remarks),
    )


def _is_at_home(host: str) -> bool:
    """Whether a host is an address of a household, or one of Plex's names for such an address."""
    name, _, domain = host.partition(".")
    return household(host) or (domain.endswith("plex.direct") and household(name.replace("-", ".")))


def _shifted(logged: LoggedCall, hours: int) -> LoggedCall:
    return logged._replace(time=logged.time + hours * _HOUR) if logged.time is not None and hours else logged


def _hours(calls: Sequence[Classified], logged: Sequence[LoggedCall]) -> int:
    """By how many hours a log's clock is behind, as shown by calls that stand in both; 0 when nothing shows it."""
    seen: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        if call.observation.time is not None and call.observation.host:
            seen[call.observation.host].append(call.observation.time)
    for times in seen.values():
        times.sort()
    counts: Counter[int] = Counter()
    for one in logged[:2_000]:
        times = seen.get(one.host, [])
        if one.time is not None and times:
            counts.update(hours for hours in range(-14, 15) if _is_near(times, one.time + hours * _HOUR))
    best = max(counts, key=lambda hours: (counts[hours], -abs(hours)), default=0)
    return best if counts[best] >= max(_ENOUGH, 2 * counts[0]) else 0


def _is_near(times: Sequence[float], when: float) -> bool:
    place = bisect_left(times, when - _NEAR)
    return place < len(times) and times[place] <= when + _NEAR


def _missed(calls: Sequence[Classified], logged: Sequence[LoggedCall]) -> tuple[LoggedHost, ...]:
    by_host: dict[str, list[Classified]] = defaultdict(list)
    for call in calls:
        if isinstance(call.observation, Exchange | Contact):
            by_host[call.observation.host].append(call)
    told: dict[str, list[LoggedCall]] = defaultdict(list)
    for one in logged:
        told[one.host].append(one)
    found = [host for name, ones in told.items() if (host := _host(name, ones, by_host.get(name, ())))]
    return tuple(sorted(found, key=lambda host: (host.seen - host.logged, host.host)))


def _host(name: str, logged: Sequence[LoggedCall], calls: Sequence[Classified]) -> LoggedHost | None:
    """One host, if something of it is missing."""
    exchanges = [call.observation for call in calls if isinstance(call.observation, Exchange)]
    ways: dict[str, list[LoggedCall]] = defaultdict(list)
    for one in logged:
        ways[one.path].append(one)
    gone: Counter[str] = Counter()
    for path, ones in ways.items():
        fitting = [exchange for exchange in exchanges if not path or exchange.path == path]
        gone[path] = len(ones) - _matched([one.time for one in ones], [exchange.time for exchange in fitting])
    gone = +gone
    if not gone:
        return None
    closed = Counter(reason for call in calls if not is_readable(call) and (reason := unread_reason(call)))
    seen = len(logged) - sum(gone.values())
    return LoggedHost(
        host=name,
        product=logged[0].product,
        logged=len(logged),
        seen=seen,
        verdict="partly" if exchanges else "not-readable" if calls else "not-in-capture",
        reason=max(closed, key=lambda reason: closed[reason], default=""),
        paths=tuple(path for path, _ in gone.most_common(3) if path),
    )


def _matched(logged: Sequence[float | None], seen: Sequence[float | None]) -> int:
    """Times of calls in a log and in a capture -> how many are the same, each of them once; no time fits any.

    >>> _matched([100.0, 110.0, 500.0], [105.0, 400.0]), _matched([None, None], [1.0])
    (1, 1)
    """
    told = sorted(time for time in logged if time is not None)
    times = sorted(time for time in seen if time is not None)
    place = count = 0
    for time in told:
        while place < len(times) and times[place] < time - _NEAR:
            place += 1
        if place < len(times) and times[place] <= time + _NEAR:
            place += 1
            count += 1
    free = min(len(logged) - len(told), len(times) - count) + min(len(told) - count, len(seen) - len(times))
    return count + max(0, free)
