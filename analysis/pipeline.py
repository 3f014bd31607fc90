"""The whole way in a few lines: captures -> what is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Classified, Comparison, Finding
from captures.model import Capture


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
    """What the report can speak about.  Own traffic, media streams and local lookups are left out, except in `calls`."""

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
    """Every observation once; `calls[n].n == n`."""
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
