"""The whole way in a few lines: captures -> what is reported."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.classify import classify
from analysis.compare import compare_and_promised
from analysis.decode import decode
from analysis.evidence import NO_SERVERS, Evidence, Servers
from analysis.extract import extract
from analysis.gather import gather
from analysis.index import Found, Index
from analysis.knowledge import Knowledge
from analysis.known import NOTHING, OwnValues, search
from analysis.model import Category, Classified, Comparison, Finding
from analysis.parallel import mapped
from analysis.traffic import bytes_out, host, is_outside, is_readable, unread_reason
from captures.join import join
from captures.model import Capture, Exchange, Observation

if TYPE_CHECKING:
    from analysis.coverage import LogCoverage


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """One file, as the report names it.  Private."""

    name: str
    """File name without its folders."""
    sha256: str
    """Of the file as it was given, in hex."""
    format: str
    """`flow`, `har`, `ledger`, …"""
    first: float | None
    """Time of the first observation, seconds since the epoch (UTC); `None` when there is none or no times."""
    last: float | None
    """Time of the last one, likewise."""
    observations: int
    """How many."""
    remarks: tuple[str, ...]
    """What this kind of file cannot show."""
    dropped: int = 0
    """Observations that had to be dropped while it was recorded."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the report can speak about.  Own traffic, media streams and name lookups count in `calls` alone."""

    calls: int
    """All calls."""
    readable: int
    """Calls whose content could be read (exchanges and lookups)."""
    unreadable: int
    """Contacts and unreadable places."""
    unknown_category: int
    """Readable calls outside whose purpose is not known."""
    bytes_out: int
    """Bytes sent outside."""
    bytes_out_readable: int
    """Of these, in calls that could be read."""
    recipients: int
    """Different recipients outside (hosts)."""
    recipients_unreadable: int
    """Of these, with at least one connection that could not be read."""
    unreadable_hosts: tuple[str, ...]
    """Their hosts, sorted.  Private."""
    reasons: Mapping[str, int]
    """Why, with how many connections."""
    dropped: int = 0
    """Observations that the live path had to drop."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a report can show.  Private."""

    captures: tuple[CaptureInfo, ...]
    """The files, in the order of the command line."""
    calls: tuple[Classified, ...]
    """Every observation that was chosen, once, in the order of `n`.  Without a choice `calls[i].n == i`; with one there
    are gaps, and a call must be looked up by its `n`."""
    findings: tuple[Finding, ...]
    """What stands in them, in the order of `call`."""
    comparisons: tuple[Comparison, ...]
    """What the senders' lists say, worst verdict first."""
    coverage: Coverage
    """What could be looked at."""
    evidence: Evidence
    """What was proven about the household."""
    knowledge: Knowledge
    """What it was judged by."""
    own: OwnValues | None = None
    """The user's own values that were searched for; `None` when none were."""
    promised: tuple[Comparison, ...] = ()
    """What the senders' promises say, judged apart, worst verdict first."""
    remarks: tuple[str, ...] = field(default=())
    """Sentences for the reader: budgets that ran out, what a format cannot show."""
    logs: LogCoverage | None = None
    """What the server's own logs tell of the capture; `None` when none were given."""


def run(
    captures: Sequence[Capture],
    knowledge: Knowledge,
    *,
    declared: str = "",
    named: Servers = NO_SERVERS,
    keep: Callable[[Classified], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
    index: Index | None = None,
    own: OwnValues | None = None,
) -> Result:
    """Captures -> everything a report can show.

    Several captures make one.  `declared` is the date of the list to judge by instead of the one in force at the time;
    `named` are servers that the user named as the own ones; `keep` chooses calls (what the traffic proves is taken from
    all of them); `progress` is told (calls done, calls in all) now and then; `index` keeps what is found in a single
    ledger for the next time; `own` are the user's own values, to be searched for everywhere.
    Raises `CaptureError` when a capture cannot be read at all.
    """
    with _few_collections():
        return _run(captures, knowledge, declared, named, keep, progress, index, own)


def _run(
    captures: Sequence[Capture],
    knowledge: Knowledge,
    declared: str,
    named: Servers,
    keep: Callable[[Classified], bool] | None,
    progress: Callable[[int, int], None] | None,
    index: Index | None,
    own: OwnValues | None,
) -> Result:
    observations = join(captures)
    evidence = gather(observations, knowledge, named, own.addresses if own else ())
    if index:
        index.begin(knowledge, evidence, own)
    calls = (classify(observation, knowledge, evidence, n) for n, observation in enumerate(observations))
    chosen = [call for call in calls if keep is None or keep(call)]
    findings: list[Finding] = []
    ran_out: Counter[str] = Counter()

    def look(call: Classified) -> Found:
        return _found(call, knowledge, evidence, index, own)

    # An index is one connection to a file, which two processes must not share.
    for n, found in enumerate(map(look, chosen) if index else mapped(look, chosen, Found)):
        ran_out.update(set(found.ran_out))
        findings.extend(found.findings)
        if progress and n % 500 == 0:
            progress(n, len(chosen))
    comparisons, promises = compare_and_promised(chosen, findings, knowledge, evidence, declared)
    return Result(
        captures=_infos(captures, observations),
        calls=tuple(chosen),
        findings=tuple(findings),
        comparisons=comparisons,
        coverage=coverage(chosen, sum(capture.dropped for capture in captures)),
        evidence=evidence,
        knowledge=knowledge,
        own=own,
        promised=promises,
        remarks=tuple(
            [remark for capture in captures for remark in capture.remarks]
            + list(own.remarks if own else ())
            + [f"{sentence} (in {count} calls)" for sentence, count in sorted(ran_out.items())]
        ),
    )


@contextmanager
def _few_collections() -> Iterator[None]:
    """Lets the collector of cycles look seldom: all calls stay until the end, and going through them takes a fifth."""
    before = gc.get_threshold()
    gc.set_threshold(max(50_000, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _found(
    call: Classified, knowledge: Knowledge, evidence: Evidence, index: Index | None, own: OwnValues | None
) -> Found:
    if index and (kept := index.kept(call)):
        return kept
    decoded = decode(call.observation) if isinstance(call.observation, Exchange) else None
    leaves, ran_out = decoded if decoded else ((), ())
    searched = search(call.observation, leaves, own) if own else NOTHING
    findings = extract(call, knowledge, evidence, decoded, searched.sightings)
    found = Found(findings, (*ran_out, *searched.ran_out))
    if index:
        index.keep(call, found)
    return found


def coverage(calls: Sequence[Classified], dropped: int = 0) -> Coverage:
    """Calls -> how much of what left the house could be read.

    Recipients and bytes are those outside: own servers, media streams and name lookups are left out.  `dropped` is the
    number of observations that were lost while recording.
    """
    outside = [call for call in calls if is_outside(call)]
    read = [call for call in outside if is_readable(call)]
    closed = [call for call in outside if not is_readable(call)]
    hosts = {name for call in outside if (name := host(call))}
    closed_hosts = {name for call in closed if (name := host(call))}
    readable = sum(is_readable(call) for call in calls)
    return Coverage(
        calls=len(calls),
        readable=readable,
        unreadable=len(calls) - readable,
        unknown_category=sum(call.category is Category.UNKNOWN for call in read),
        bytes_out=sum(bytes_out(call) for call in outside),
        bytes_out_readable=sum(bytes_out(call) for call in read),
        recipients=len(hosts),
        recipients_unreadable=len(closed_hosts),
        unreadable_hosts=tuple(sorted(closed_hosts)),
        reasons=dict(Counter(unread_reason(call) for call in closed).most_common()),
        dropped=dropped,
    )


def _infos(captures: Sequence[Capture], observations: Sequence[Observation]) -> tuple[CaptureInfo, ...]:
    counts: Counter[int] = Counter()
    times: dict[int, list[float]] = defaultdict(list)
    for seen in observations:
        for number in {source.capture for source in (seen.source, *seen.sources)}:
            counts[number] += 1
            if seen.time is not None:
                times[number].append(seen.time)
    return tuple(
        CaptureInfo(
            name=capture.name,
            sha256=capture.digest(),
            format=capture.format,
            first=min(times[number], default=None),
            last=max(times[number], default=None),
            observations=counts[number],
            remarks=capture.remarks,
            dropped=capture.dropped,
        )
        for number, capture in enumerate(captures)
    )
