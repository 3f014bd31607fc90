"""AdGuard Home's `querylog.json`: one JSON object a line, the answer as a DNS message in base64.

Source: AdGuard Home, `internal/querylog` (`T` time, `QH` name, `QT` type, `IP` client, `Answer`, `Result`, `Cached`).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterable, Iterator

import msgspec

from captures.dnslogs.clock import Clock
from captures.dnslogs.question import BLOCKED, MOST_ANSWERS, Question
from captures.packets import dns


class _Result(msgspec.Struct):
    IsFiltered: bool = False


class _Entry(msgspec.Struct):
    """Names as they stand in the log."""

    QH: str
    QT: str
    T: str = ""
    IP: str = ""
    Answer: str = ""
    Cached: bool = False
    Result: _Result = msgspec.field(default_factory=_Result)


_entry = msgspec.json.Decoder(_Entry, strict=False)


def is_line(line: str) -> bool:
    """Whether a line is one of these."""
    return _decoded(line) is not None


def questions(lines: Iterable[str], clock: Clock) -> Iterator[Question]:  # noqa: ARG001  # each entry has its own time
    """Lines -> the questions in their order."""
    for line in lines:
        if entry := _decoded(line):
            yield _question(entry)


def _decoded(line: str) -> _Entry | None:
    if not line.startswith("{"):
        return None
    try:
        return _entry.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _question(entry: _Entry) -> Question:
    question = Question(entry.QH.lower().rstrip("."), entry.QT, _time(entry.T), entry.IP)
    if entry.Result.IsFiltered:
        question.rcode, question.forwarded = BLOCKED, False
        return question
    question.forwarded = not entry.Cached
    try:
        message = dns.message(base64.b64decode(entry.Answer))
    except (binascii.Error, ValueError):
        message = None
    if message:
        question.rcode = message.rcode
        question.answers = [text for record in message.records for text in record.texts][:MOST_ANSWERS]
    return question


def _time(text: str) -> float | None:
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
