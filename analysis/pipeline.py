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
from analysis.evidence import NO_SERVERS, Evidence, Servers
from analysis.gather import gather
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.look import Found, look
from analysis.model import Category, Classified, Comparison, Finding
from analysis.parallel import mapped
from analysis.traffic import bytes_out, count, host, is_outside, is_readable, total, unread_reason
from captures.join import join
from captures.model import Capture, Effect, Observation

if TYPE_CHECKING:
    from analysis.coverage import LogCoverage
    from analysis.known import OwnValues
    from analysis.privates import Private
    from analysis.sample import Sample


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
    effects: tuple[Effect, ...] = ()
    """What the proxy changed while it was recorded."""


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
    sample: Sample | None = None
    """The calls that a page shows one by one, where those of `calls` stand for others; else `None`."""
    brief: frozenset[Private] | None = None
    """Where those of `calls` stand for others, everything private in all of them that is short enough to stand in a
    text of our own words (`privates.is_brief`); else `None`."""


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
    with few_collections():
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
    looked: list[Found] = []
    ran_out: Counter[str] = Counter()

    def found_in(call: Classified) -> Found:
        return _found(call, knowledge, evidence, index, own)

    # An index is one connection to a file, which two processes must not share.
    for n, found in enumerate(map(found_in, chosen) if index else mapped(found_in, chosen, Found)):
        ran_out.update(set(found.ran_out))
        looked.append(found)
        if progress and n % 500 == 0:
            progress(n, len(chosen))
    return concluded(
        captures,
        _infos(captures, observations),
        chosen,
        [finding for found in looked for finding in found.findings],
        ran_out,
        knowledge,
        evidence,
        own,
        declared,
    )


def concluded(
    captures: Sequence[Capture],
    infos: tuple[CaptureInfo, ...],
    calls: Sequence[Classified],
    findings: Sequence[Finding],
    ran_out: Mapping[str, int],
    knowledge: Knowledge,
    evidence: Evidence,
    own: OwnValues | None,
    declared: str,
) -> Result:
    """Calls and what was found in them -> everything that follows.

    `infos` say what is in the captures, `ran_out` which sentences about what was not looked at hold for how many calls.
    """
    comparisons, promises = compare_and_promised(calls, findings, knowledge, evidence, declared)
    return Result(
        captures=infos,
        calls=tuple(calls),
        findings=tuple(findings),
        comparisons=comparisons,
        coverage=coverage(calls, sum(capture.dropped for capture in captures)),
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
def few_collections() -> Iterator[None]:
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
    found = look(call, knowledge, evidence, own)
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
    reasons: Counter[str] = Counter()
    for call in closed:
        reasons[unread_reason(call)] += count(call)
    closed_hosts = {name for call in closed if (name := host(call))}
    readable = total(call for call in calls if is_readable(call))
    return Coverage(
        calls=total(calls),
        readable=readable,
        unreadable=total(calls) - readable,
        unknown_category=total(call for call in read if call.category is Category.UNKNOWN),
        bytes_out=sum(bytes_out(call) for call in outside),
        bytes_out_readable=sum(bytes_out(call) for call in read),
        recipients=len(hosts),
        recipients_unreadable=len(closed_hosts),
        unreadable_hosts=tuple(sorted(closed_hosts)),
        reasons=dict(reasons.most_common()),
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
            effects=capture.effects,
        )
        for number, capture in enumerate(captures)
    )
