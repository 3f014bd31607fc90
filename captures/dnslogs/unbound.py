"""The log of unbound (`log-queries`, `log-replies`, `log-local-actions`).

`[1700000000] unbound[1:0] info: 192.0.2.7 example.org. A IN`, with `log-replies` followed by
`NOERROR 0.012 0 45` (code, seconds, from its cache, bytes).
Source: unbound.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from captures.dnslogs.clock import Clock
from captures.dnslogs.question import BLOCKED, Open, Question

_TOLD = re.compile(
    r"(?:\S+ )?unbound(?:\[[\d:]+\])?:? (?:\[\d+:[0-9a-f]+\] )?(?:info|query|reply): (?:query: |reply: )?"
    r"(?P<what>.*)"
)
_ASKED = re.compile(
    r"(?P<client>[0-9a-fA-F.:]+)(?:@\d+)? (?P<name>\S+) (?P<kind>[A-Z0-9]{1,16}) IN"
    r"(?: (?P<rcode>[A-Z]{4,10}) [\d.]+ (?P<cached>[01]) \d+)?\s*\Z"
)
_REFUSED = re.compile(
    r"\S+ (?P<action>always_nxdomain|always_null|always_refuse|always_deny|refuse|deny|static|redirect|inform_deny)"
    r" (?P<client>[0-9a-fA-F.:]+)@\d+ (?P<name>\S+) (?P<kind>[A-Z0-9]{1,16}) IN\s*\Z"
)


def is_line(line: str) -> bool:
    """Whether a line of a log is one of these."""
    told = _TOLD.match(Clock(0).read(line)[1])
    return bool(told and (_ASKED.match(told["what"]) or _REFUSED.match(told["what"])))


def questions(lines: Iterable[str], clock: Clock) -> Iterator[Question]:
    """Lines -> the questions in their order; what was asked and what was replied are one."""
    waiting = Open()
    for line in lines:
        time, rest = clock.read(line)
        told = _TOLD.match(rest)
        match = (_ASKED.match(told["what"]) or _REFUSED.match(told["what"])) if told else None
        if match is None:
            continue
        name = match["name"].lower().rstrip(".")
        key = (match["client"], name, match["kind"])
        question = waiting.find(*key)
        said = match.groupdict()
        if question is None or question.rcode or not (said.get("rcode") or said.get("action")):
            question = Question(name, match["kind"], time, match["client"])
            yield from waiting.ask(question, key)
        if said.get("action"):
            question.rcode, question.forwarded = BLOCKED, False
        elif said.get("rcode"):
            question.rcode, question.forwarded = match["rcode"], match["cached"] == "0"
    yield from waiting.rest()
