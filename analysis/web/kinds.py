"""One call with its findings and verdicts -> what a list shows of it.

Calls that differ in time, path and numbers only are of one kind.  There are few kinds, however many calls there are, so
that counting and filtering by kind costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

from analysis.model import Classified, Comparison, Finding, Verdict
from analysis.traffic import bytes_out, is_outside, is_readable, recipient, unread_reason
from captures.model import Exchange, Lookup, Unreadable

LONGEST = 300
"""Characters of a captured text that a list keeps; a call's own page shows more."""

RECEIVED = "received"
"""Stands in the place of a verdict on an item that came back."""

_ORDER = {verdict.value: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class CallKind:
    """What calls of one kind have in common.  Private."""

    device: str
    """Name or address."""
    product: str
    """Pack id of the sender, empty when it is not known."""
    host: str
    """Name or address that was called."""
    category: str
    """What it is for."""
    party: str
    """Whose machine is at the other end."""
    recipient: str
    """Who got it, as reports name him."""
    method: str
    """Of an exchange; for others the protocol."""
    verdict: str
    """The worst on what was sent; empty when nothing was judged."""
    items: str
    """` item:verdict ` for each data item, sorted, each between spaces; the verdict of what came back is `received`."""
    readable: bool
    """Whether the content could be read."""
    outside: bool
    """Whether it is a call to somebody else, no stream and no look-up."""
    reason: str
    """Why it could not be read."""

    @property
    def key(self) -> bytes:
        """Tells it from all others."""
        return hashlib.blake2b(repr(astuple(self)).encode("utf-8", "backslashreplace"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Row:
    """One call, as a list shows it.  Private."""

    n: int
    """Number of the call in reports."""
    kind: CallKind
    """Of which kind it is."""
    time: float | None
    """Seconds since the epoch (UTC)."""
    path: str
    """The beginning of the path, or what was asked."""
    status: int | None
    """HTTP status."""
    bytes_out: int
    """Bytes that were sent."""
    bytes_in: int
    """Bytes that came back."""
    words: str
    """What a search for words looks at."""


def row(call: Classified, findings: Iterable[Finding], verdicts: Mapping[str, Verdict]) -> Row:
    """A call, its findings, and the verdicts by item -> what a list shows."""
    seen = call.observation
    found = tuple(findings)
    items = {f.item: verdicts[f.item].value if f.item in verdicts else "" for f in found if f.direction == "sent"}
    marks = {f"{item}:{verdict}" for item, verdict in items.items()}
    marks |= {f"{f.item}:{RECEIVED}" for f in found if f.direction != "sent"}
    judged = sorted((v for v in items.values() if v), key=_ORDER.__getitem__)
    path, method, status = "", "", None
    if isinstance(seen, Exchange):
        path, method, status = seen.path, seen.method, seen.status
    elif isinstance(seen, Lookup):
        path, method = " ".join((seen.kind, *seen.answers[:4])), seen.protocol
    elif isinstance(seen, Unreadable):
        path = seen.place
    else:
        method = seen.protocol
    kind = CallKind(
        device=_kept(seen.device), product=_kept(call.product), host=_kept(seen.host), category=call.category.value,
        party=call.party.value, recipient=_kept(recipient(call)), method=_kept(method)[:40],
        verdict=judged[0] if judged else "", items="".join(f" {mark} " for mark in sorted(marks)),
        readable=is_readable(call), outside=is_outside(call), reason=_kept(unread_reason(call)),
    )  # fmt: skip
    values = " ".join(_kept(f.value) for f in found[:40])
    words = " ".join((kind.host, _kept(path), kind.device, kind.recipient, kind.product, values))
    back = 0 if isinstance(seen, Unreadable) else seen.bytes_in
    return Row(call.n, kind, seen.time, _kept(path), status, bytes_out(call), back, words)


def severity(verdict: str) -> int:
    """The rank of a verdict: the worst has the lowest; what was not judged, and what came back, the highest."""
    return _ORDER.get(verdict, len(_ORDER) + (verdict == RECEIVED))


def verdicts_of(comparisons: Iterable[Comparison]) -> dict[int, dict[str, Verdict]]:
    """Comparisons -> number of a call -> item -> the verdict on it in that call."""
    found: dict[int, dict[str, Verdict]] = {}
    for comparison in comparisons:
        for n in comparison.calls:
            found.setdefault(n, {}).setdefault(comparison.item, comparison.verdict)
    return found


def _kept(text: str) -> str:
    """Captured text as SQLite can keep it: without halves of characters, and not endless."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode()
