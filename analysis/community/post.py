"""A post -> the shared reports in it, checked: what is no report is refused with a reason, never repaired."""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, get_args

import msgspec

from analysis import shared_report
from analysis.shared_report import SharedReport
from analysis.texts import Count
from analysis.texts import community as texts
from analysis.vocabulary import UnknownWordError, vocabulary

MOST_ENTRIES = 5_000
"""Entries of one list in a report; a household has a few hundred."""

MOST_REPORTS = 1_000
"""Reports that are taken from one file, which may be a whole thread."""

PLAUSIBLE = re.compile(r"[\w .,'&()+!#/:-]{0,80}")
"""What an id or a company's name of another version of the tool may look like."""

_CLASSES: tuple[str, ...] = get_args(Count.__value__)


class RejectedError(ValueError):
    """Why a post is not taken; one clause, without anything that stands in it."""


@dataclass(frozen=True, slots=True)
class Post:
    """One report, checked."""

    report: SharedReport
    """What was posted, without the entries that this version does not know."""
    digest: str
    """SHA-256 over the report's canonical form, in hex: the same however it was saved."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Name of a list -> entries left out because they name something that this version of the tool does not ship."""


def posts(data: bytes, now: float | None = None) -> Iterator[Post | RejectedError]:
    """The bytes of a file -> each report in it, or why it is none; at least one of them.

    `now` is the time by which a month lies in the future, seconds since the epoch (UTC); `None`: the clock's.
    """
    if len(data) > shared_report.MOST_BYTES:
        yield RejectedError(texts.TOO_LARGE)
        return
    found = list(islice(shared_report.blocks(data), MOST_REPORTS))
    if not found and b"&quot;schema&quot;" in data:  # a forum's page, saved by a browser
        plain = html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")
        found = list(islice(shared_report.blocks(plain), MOST_REPORTS))
    for block in found or [data]:
        try:
            yield post(block, now)
        except RejectedError as error:
            yield error


def post(block: bytes, now: float | None = None) -> Post:
    """One report in JSON -> the same, checked.  Raises `RejectedError`."""
    unknown: dict[str, int] = {}
    try:
        report = msgspec.json.decode(block, type=SharedReport)
    except msgspec.ValidationError as error:
        if not isinstance(error.__cause__, UnknownWordError):
            raise RejectedError(texts.NO_REPORT.format(fault=str(error)[:200])) from None
        report, unknown = _known_part(block)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RejectedError(texts.NO_JSON) from None
    _plausible(report, now)
    return Post(report, hashlib.sha256(msgspec.json.encode(report)).hexdigest(), unknown)


def _known_part(block: bytes) -> tuple[SharedReport, dict[str, int]]:
    """A report that names something unknown -> the entries that name nothing of the kind, and how many do."""
    raw: dict[str, Any] = msgspec.json.decode(block, type=dict[str, Any])
    unknown: Counter[str] = Counter()
    for shown in msgspec.structs.fields(SharedReport):
        kind = next(iter(get_args(shown.type)), None)
        entries = raw.get(shown.name)
        if not isinstance(kind, type) or not issubclass(kind, shared_report.Closed) or not isinstance(entries, list):
            continue
        kept = []
        for entry in entries[: MOST_ENTRIES + 1]:
            try:
                msgspec.convert(entry, kind)
                kept.append(entry)
            except msgspec.ValidationError as error:
                if not isinstance(error.__cause__, UnknownWordError) or not _names_only(entry):
                    raise RejectedError(texts.NO_IDS) from None
                unknown[shown.name] += 1
        raw[shown.name] = kept
    if isinstance(platforms := raw.get("platforms"), list) and all(isinstance(word, str) for word in platforms):
        if not all(PLAUSIBLE.fullmatch(word) for word in platforms):
            raise RejectedError(texts.NO_IDS)
        raw["platforms"] = [word for word in platforms if word in vocabulary().platforms]
        if left := len(platforms) - len(raw["platforms"]):
            unknown["platforms"] = left
    try:
        return msgspec.convert(raw, SharedReport), dict(unknown)
    except msgspec.ValidationError:
        raise RejectedError(texts.NO_IDS) from None


def _names_only(entry: object) -> bool:
    """Whether every text in an entry could be an id or a name."""
    if isinstance(entry, dict):
        return all(_names_only(value) for value in entry.values())
    if isinstance(entry, list):
        return all(_names_only(value) for value in entry)
    return not isinstance(entry, str) or bool(PLAUSIBLE.fullmatch(entry))


def _plausible(report: SharedReport, now: float | None) -> None:
    """Raises `RejectedError` for what the tool would not write, whatever it saw."""
    lists = (getattr(report, name) for name in report.__struct_fields__)
    if any(isinstance(entries, tuple) and len(entries) > MOST_ENTRIES for entries in lists):
        raise RejectedError(texts.TOO_MANY.format(most=MOST_ENTRIES))
    if report.month > time.strftime("%Y-%m", time.gmtime(now)):
        raise RejectedError(texts.FUTURE)
    coverage = report.coverage
    calls = _CLASSES.index(coverage.calls)
    parts = [coverage.readable, coverage.unreadable, coverage.recipients, *(call.count for call in report.calls)]
    if any(_CLASSES.index(part) > calls for part in parts) or (not calls and report.rows):
        raise RejectedError(texts.CONTRADICTS)
