"""The whole way in a few lines: captures -> what is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.classify import classify
from analysis.compare import compare
from analysis.decode import decode
from analysis.evidence import NO_SERVERS, Evidence, Servers
from analysis.extract import extract
from analysis.gather import gather
from analysis.knowledge import Knowledge
from analysis.model import Category, Classified, Comparison, Finding
from analysis.traffic import host, is_outside
from captures.join import join
from captures.model import Capture, Contact, Exchange, Lookup, Observation, Unreadable


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


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the report can speak about.  Own traffic, media streams and name lookups count in `calls` alone."""

    calls: int
    """All calls."""
    readable: int
    """Calls whose content could be read (exchanges)."""
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
    """Every observation that was chosen, once, by `n`; without a choice `calls[i].n == i`."""
    findings: tuple[Finding, ...]
    """What stands in them, by call."""
    comparisons: tuple[Comparison, ...]
    """What the senders' lists say, worst verdict first."""
    coverage: Coverage
    """What could be looked at."""
    evidence: Evidence
    """What was proven about the household."""
    knowledge: Knowledge
    """What it was judged by."""
    remarks: tuple[str, ...] = field(default=())
    """Sentences for the reader: budgets that ran out, what a format cannot show."""


def run(
    captures: Sequence[Capture],
    knowledge: Knowledge,
    *,
    declared: str = "",
    named: Servers = NO_SERVERS,
    keep: Callable[[Classified], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Captures -> everything a report can show.

    Several captures make one.  `declared` is the date of the list to judge by instead of the one in force at the time;
    `named` are servers that the user named as the own ones; `keep` chooses calls (what the traffic proves is taken from
    all of them); `progress` is told (calls done, calls in all) now and then.
    Raises `CaptureError` when a capture cannot be read at all.
    """
    observations = join(captures)
    evidence = gather(observations, knowledge, named)
    calls: list[Classified] = []
    findings: list[Finding] = []
    ran_out: Counter[str] = Counter()
    for n, observation in enumerate(observations):
        call = classify(observation, knowledge, evidence, n)
        calls.append(call)
        if keep is None or keep(call):
            decoded = decode(observation) if isinstance(observation, Exchange) else None
            ran_out.update(set(decoded.ran_out) if decoded else ())
            findings.extend(extract(call, knowledge, evidence, decoded))
        if progress and n % 500 == 0:
            progress(n, len(observations))
    chosen = [call for call in calls if keep is None or keep(call)]
    return Result(
        captures=tuple(_info(number, capture, observations) for number, capture in enumerate(captures)),
        calls=tuple(chosen),
        findings=tuple(findings),
        comparisons=compare(chosen, findings, knowledge, evidence, declared),
        coverage=coverage(chosen),
        evidence=evidence,
        knowledge=knowledge,
        remarks=tuple(
            [remark for capture in captures for remark in capture.remarks]
            + [f"{sentence} (in {count} calls)" for sentence, count in sorted(ran_out.items())]
        ),
    )


def coverage(calls: Sequence[Classified]) -> Coverage:
    """Calls -> how much of what left the house could be read.

    Recipients and bytes are those outside: own servers, media streams and name lookups are left out.
    """
    outside = [call for call in calls if is_outside(call)]
    read = [call for call in outside if isinstance(call.observation, Exchange)]
    closed = [call for call in outside if not isinstance(call.observation, Exchange)]
    hosts = {name for call in outside if (name := host(call))}
    closed_hosts = {name for call in closed if (name := host(call))}
    readable = sum(isinstance(call.observation, Exchange | Lookup) for call in calls)
    return Coverage(
        calls=len(calls),
        readable=readable,
        unreadable=len(calls) - readable,
        unknown_category=sum(call.category is Category.UNKNOWN for call in read),
        bytes_out=sum(_bytes_out(call.observation) for call in outside),
        bytes_out_readable=sum(_bytes_out(call.observation) for call in read),
        recipients=len(hosts),
        recipients_unreadable=len(closed_hosts),
        unreadable_hosts=tuple(sorted(closed_hosts)),
        reasons=dict(Counter(_reason(call.observation) for call in closed).most_common()),
    )


def _bytes_out(observation: Observation) -> int:
    return 0 if isinstance(observation, Unreadable) else observation.bytes_out


def _reason(observation: Observation) -> str:
    return observation.reason if isinstance(observation, Contact | Unreadable) else ""


def _info(number: int, capture: Capture, observations: Sequence[Observation]) -> CaptureInfo:
    mine = [x for x in observations if number in {source.capture for source in (x.source, *x.sources)}]
    times = [x.time for x in mine if x.time is not None]
    return CaptureInfo(
        name=capture.name,
        sha256=capture.digest(),
        format=capture.format,
        first=min(times, default=None),
        last=max(times, default=None),
        observations=len(mine),
        remarks=capture.remarks,
    )
