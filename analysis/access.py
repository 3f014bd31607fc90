"""The answer to an access request, beside what was seen: sent only, answered only, or both."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.access_export import Export, Value
from analysis.known.kinds import bits
from analysis.pipeline import Result
from analysis.traffic import is_outside, recipient

type Agreement = Literal["agrees", "missing", "cannot-tell"]
"""`agrees`: a value that was sent stands in the answer; `missing`: none does, though all could be recognised;
`cannot-tell`: the values are too short, or of a kind that nobody keeps as it is."""

_SURE = 28.0
"""Bits of a value that stands in an answer by no accident, whatever its field is called."""

_PASSING = frozenset({"auth.token", "auth.one_time_code", "account.password", "play.position_time", "event.time",
                      "diag.performance", "client.user_agent"})  # fmt: skip
"""Items of which no answer is expected to repeat the value: secrets, and what is new in each call."""

_MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class SentItem:
    """One kind of data that was sent to somebody."""

    item: str
    """Id in `items.toml`."""
    entity: str
    """Who received it."""
    verdict: Agreement
    """Whether it stands in the answer."""
    values: int
    """Different values that were sent."""
    found: int
    """Of these, in the answer."""
    calls: int
    """Calls that carried it."""
    places: tuple[str, ...]
    """Where in the answer, at most five: file and field.  Private."""


@dataclass(frozen=True, slots=True)
class UnseenField:
    """One field of the answer of which no value was seen in the captures."""

    file: str
    """Its file.  Private."""
    field: str
    """Its place without the numbers of rows.  Private."""
    values: int
    """How many values it has."""


@dataclass(frozen=True, slots=True)
class Access:
    """An answer beside captures.  Private."""

    sent: tuple[SentItem, ...]
    """What was sent to others, what is missing first."""
    unseen: tuple[UnseenField, ...]
    """What the answer holds and no capture shows, in the order of the answer."""
    remarks: tuple[str, ...]
    """What of the answer was not read."""


def compare_answer(result: Result, export: Export) -> Access:
    """What was seen and what the vendor answered -> how they agree.

    A value agrees when it stands in the answer as a whole value, whatever the case of its letters; a short one only in
    a field that is named like the one in which it was sent.  One capture does not show all that a vendor holds, and an
    answer need not hold what was deleted since: both are said in the report.
    """
    by_text: dict[str, list[Value]] = defaultdict(list)
    for value in export.values:
        by_text[_plain(value.text)].append(value)
    outside = {call.n: recipient(call) for call in result.calls if is_outside(call)}
    sent: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    calls: dict[tuple[str, str], set[int]] = defaultdict(set)
    for finding in result.findings:
        if finding.direction == "sent" and finding.call in outside and finding.value:
            key = (finding.item, outside[finding.call])
            sent[key][_plain(finding.value)].add(_name(finding.at))
            calls[key].add(finding.call)
    seen = {text for values in sent.values() for text in values}
    rows = [_sent_item(key, values, len(calls[key]), by_text) for key, values in sent.items()]
    order = ("missing", "agrees", "cannot-tell")
    return Access(
        sent=tuple(sorted(rows, key=lambda row: (order.index(row.verdict), row.entity, row.item))),
        unseen=_unseen(export.values, seen),
        remarks=export.remarks,
    )


def _sent_item(
    key: tuple[str, str], values: Mapping[str, Iterable[str]], calls: int, by_text: Mapping[str, Sequence[Value]]
) -> SentItem:
    met: dict[str, list[Value]] = {}
    recognisable = 0
    for text, names in values.items():
        sure = bits(text) >= _SURE
        recognisable += sure
        places = [value for value in by_text.get(text, ()) if sure or _name(value.at) in names]
        if places:
            met[text] = places
    where = dict.fromkeys(f"{value.file}: {value.field}" for found in met.values() for value in found)
    verdict: Agreement = "agrees" if met else "missing" if recognisable and key[0] not in _PASSING else "cannot-tell"
    return SentItem(key[0], key[1], verdict, len(values), len(met), calls, tuple(where)[:_MOST_PLACES])


def _unseen(values: Iterable[Value], seen: set[str]) -> tuple[UnseenField, ...]:
    counts: dict[tuple[str, str], int] = {}
    met: set[tuple[str, str]] = set()
    for value in values:
        key = (value.file, value.field)
        counts[key] = counts.get(key, 0) + 1
        if _plain(value.text) in seen:
            met.add(key)
    return tuple(UnseenField(*key, count) for key, count in counts.items() if key not in met)


def _plain(text: str) -> str:
    """A value without case and space at its ends.

    >>> _plain(" 2A:11:CE:00:00:02 ") == _plain("2a:11:ce:00:00:02")
    True
    """
    return unicodedata.normalize("NFC", text).strip().casefold()


def _name(at: str) -> str:
    """The last name of a place, without case and separators.

    >>> _name("body.items.0.device_name"), _name("3.Device Name")
    ('devicename', 'devicename')
    """
    parts = [part for part in re.sub(r"\[[^\]]*\]", "", at).split(".") if part and not part.isdigit()]
    return re.sub(r"[\W_]", "", parts[-1]).lower() if parts else ""


def classes_sent(result: Result) -> Mapping[str, tuple[str, ...]]:
    """What was seen -> for each recipient outside the labels of what it was sent, without any value."""
    outside = {call.n: recipient(call) for call in result.calls if is_outside(call)}
    found: dict[str, set[str]] = defaultdict(set)
    for finding in result.findings:
        if finding.direction == "sent" and finding.call in outside:
            item = result.knowledge.items.get(finding.item)
            found[outside[finding.call]].add(item.label if item else finding.item)
    return {entity: tuple(sorted(labels)) for entity, labels in sorted(found.items())}
