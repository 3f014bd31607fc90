"""Logs of resolvers: dnsmasq and Pi-hole, Pi-hole's database, AdGuard Home, unbound, systemd-resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from captures.dnslogs import adguard, dnsmasq, pihole, resolved, unbound
from captures.dnslogs.clock import Clock
from captures.dnslogs.question import Question
from captures.model import Endpoint, Lookup, Observation, Source

NAME = "dns-log"

REMARKS = (
    "A resolver's log shows which names were asked for, not whether they were called, and nothing that a device asked "
    "of another resolver (DNS over HTTPS).",
)

_LONGEST_LINE = 64 * 1024
_LINES_TO_LOOK_AT = 200


class _Dialect(NamedTuple):
    is_line: Callable[[str], bool]
    questions: Callable[[Iterable[str], Clock], Iterator[Question]]


_DIALECTS = (
    _Dialect(adguard.is_line, adguard.questions),
    _Dialect(dnsmasq.is_line, dnsmasq.questions),
    _Dialect(unbound.is_line, unbound.questions),
    _Dialect(resolved.is_line, resolved.questions),
)


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is such a log."""
    return pihole.sniff(head) or _dialect(head) is not None


def _dialect(head: bytes) -> _Dialect | None:
    lines = head.decode("utf-8", "replace").splitlines()[:_LINES_TO_LOOK_AT]
    return next((dialect for dialect in _DIALECTS if any(dialect.is_line(line) for line in lines)), None)


def read(path: Path, number: int) -> Iterator[Observation]:
    """Log -> its questions in the order in which they were asked; the index is the question's number.

    A line that is something else says nothing: such logs hold much that is no question.  Raises `CaptureError`.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_LINE)
    if pihole.sniff(head):
        asked = pihole.questions(path)
    else:
        dialect = _dialect(head)
        asked = dialect.questions(_lines(path), Clock(path.stat().st_mtime)) if dialect else iter(())
    for index, question in enumerate(asked):
        yield _lookup(question, Source(number, index))


def _lines(path: Path) -> Iterator[str]:
    """Lines without their end; of one that is longer than any real one, what is too much is left out."""
    with path.open("rb") as file:
        whole = True
        while piece := file.readline(_LONGEST_LINE):
            if whole:
                yield piece.decode("utf-8", "replace").rstrip("\r\n")
            whole = piece.endswith(b"\n")


def _lookup(question: Question, source: Source) -> Lookup:
    client = Endpoint(question.client, 0) if question.client else None
    return Lookup(
        source=source,
        time=question.time,
        device=question.client or "this-computer",
        client=client,
        server=None,
        protocol="dns",
        host=question.name,
        kind=question.kind,
        answers=tuple(question.answers),
        rcode=question.rcode,
        left_house=question.forwarded,
    )
