"""What systemd-resolved tells: `resolvectl monitor --json=short`, or its journal with the log level `debug`.

Both are of the own computer, and the first has no times.  Sources: `resolvectl`(1), the Varlink interface
`io.systemd.Resolve.Monitor`, `src/resolve/resolved-dns-transaction.c`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

import msgspec

from captures.dnslogs.clock import Clock
from captures.dnslogs.question import MOST_ANSWERS, Question
from captures.packets.dns import kind_of

_COMPLETE = re.compile(
    r"(?:\S+ )?systemd-resolved(?:\[\d+\])?: (?:Regular |Bypass )?[Tt]ransaction \d+ for "
    r"<(?P<name>\S+) IN (?P<kind>\S+)> on scope dns on \S+ "
    r"now complete with <(?P<state>[a-z-]+)> from (?P<source>[a-z-]+) "
)
_STATES = {"success": "NOERROR", "rcode-failure": "NXDOMAIN", "null": "NOERROR"}
_FAILED = "SERVFAIL"


class _Key(msgspec.Struct):
    name: str = ""
    type: int = 0


class _Record(msgspec.Struct):
    key: _Key = msgspec.field(default_factory=_Key)
    address: list[int] = msgspec.field(default_factory=list)
    name: str = ""


class _Answer(msgspec.Struct):
    rr: _Record | None = None


class _Told(msgspec.Struct):
    question: list[_Key]
    state: str = ""
    rcode: int | None = None
    answer: list[_Answer] = msgspec.field(default_factory=list)


_told = msgspec.json.Decoder(_Told, strict=False)

_RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


def is_line(line: str) -> bool:
    """Whether a line is one of these."""
    if line.startswith("{"):
        told = _monitored(line)
        return told is not None and bool(told.question) and bool(told.state)
    return _COMPLETE.match(Clock(0).read(line)[1]) is not None


def questions(lines: Iterable[str], clock: Clock) -> Iterator[Question]:
    """Lines -> the questions in their order."""
    for line in lines:
        if line.startswith("{"):
            told = _monitored(line)
            if told and told.question:
                yield _question(told)
            continue
        time, rest = clock.read(line)
        if match := _COMPLETE.match(rest):
            rcode = _STATES.get(match["state"], _FAILED)
            name = match["name"].lower().rstrip(".")
            yield Question(name, match["kind"], time, "", [], rcode, match["source"] == "network")


def _monitored(line: str) -> _Told | None:
    try:
        return _told.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _question(told: _Told) -> Question:
    asked = told.question[0]
    answered = told.state in ("success", "rcode-failure")
    rcode = _RCODES.get(told.rcode or 0, _FAILED) if answered else _FAILED
    answers = [text for answer in told.answer[:MOST_ANSWERS] if answer.rr and (text := _text(answer.rr))]
    return Question(asked.name.lower().rstrip("."), kind_of(asked.type), None, "", answers, rcode, None)


def _text(record: _Record) -> str:
    if len(record.address) in (4, 16):
        try:
            return str(ipaddress.ip_address(bytes(record.address)))
        except ValueError:
            return ""
    return record.name.lower().rstrip(".")
