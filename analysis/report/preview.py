"""Result and what may be posted of it -> side by side, what goes and what stays.  Private: it holds values."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis import texts
from analysis.pipeline import Result
from analysis.report.document import Cell, Column, Document, Paragraph, Table, brief, size
from analysis.report.phrases import local_time
from analysis.report.shared import switch
from analysis.shared_report import SharedReport, SharedRow
from analysis.texts import share as words
from analysis.traffic import bytes_out, host, is_outside
from analysis.vocabulary import vocabulary

_MOST = 3
"""Values in one cell."""

_LONGEST = 60
"""Characters of one of them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the preview, which can be left out as a whole."""

    word: str
    """What `shared_report.without` takes; empty for what cannot go in any case."""
    goes: str
    """What the post says."""
    stays: str
    """What it does not say.  Private."""


def choices(result: Result, report: SharedReport) -> tuple[Choice, ...]:
    """What can be left out of a report, in the order of the preview; last, what never goes."""
    return (*_sections(result, report), *_items(result, report), *_recipients(result, report), *_never(result))


def preview(found: Sequence[Choice]) -> Document:
    """The lines -> the preview; each that can be left out has its number."""
    columns = (Column("#", number=True), Column(words.GOES), Column(words.STAYS), Column(words.LEAVE_OUT))
    rows = tuple(
        (
            Cell(str(n) if choice.word else ""),
            Cell(choice.goes or words.NOTHING_GOES, "plain" if choice.goes else "dim"),
            Cell(choice.stays),
            Cell(words.LEFT_OUT_ARGUMENT.format(word=shlex.quote(choice.word)) if choice.word else ""),
        )
        for n, choice in enumerate(found, 1)
    )
    return Document(words.PREVIEW_TITLE, (Paragraph(words.PREVIEW_NOTE), Table(columns, rows)))


def _sections(result: Result, report: SharedReport) -> Iterator[Choice]:
    first = min((c.first for c in result.captures if c.first is not None), default=None)
    last = max((c.last for c in result.captures if c.last is not None), default=None)
    exact = words.EXACT_TIMES.format(first=local_time(first), last=local_time(last)) if first is not None else ""
    products = vocabulary().shipped.products
    told = {
        "month": (report.month, exact),
        "length": (texts.LENGTHS[report.length], exact),
        "versions": (
            ", ".join(f"{products[x.product].name} {x.version}" for x in report.versions),
            _some(_values(result, ("server.version", "client.app"))),
        ),
        "platforms": (", ".join(report.platforms), _some(_values(result, ("server.os", "client.os")))),
        "settings": (
            "; ".join(f"{switch(x.product, x.switch)[0]}: {texts.SWITCH_STATES[x.state]}" for x in report.settings), ""
        ),
        "occasions": (", ".join(texts.OCCASIONS[x] for x in report.occasions), exact),
        "received": (", ".join(sorted({_label(x.item) for x in report.received})), ""),
        "promises": (
            ", ".join(f"{texts.PROMISE_KINDS[x.promise]}: {texts.JUDGEMENTS[x.outcome]}" for x in report.promises), ""
        ),
        "roundings": (
            ", ".join(f"{_label(x.item)}: {texts.ROUNDINGS[x.rounding]}" for x in report.roundings), ""
        ),
        "fingerprints": (", ".join(f"{x.entity}: {x.share}" for x in report.fingerprints), ""),
        "presence": ("; ".join(texts.SHARED_EFFECTS[x.effect] for x in report.presence), ""),
    }  # fmt: skip
    for word, (goes, stays) in told.items():
        if goes:
            yield Choice(word, f"{words.SECTION_NAMES[word]}: {goes}", stays)
        elif stays and word in ("versions", "platforms"):
            yield Choice("", "", f"{words.SECTION_NAMES[word]}: {stays}")


def _items(result: Result, report: SharedReport) -> Iterator[Choice]:
    rows: dict[str, list[SharedRow]] = defaultdict(list)
    for row in report.rows:
        rows[row.item].append(row)
    outside = {call.n for call in result.calls if is_outside(call)}
    values: dict[str, dict[str, None]] = defaultdict(dict)
    places: dict[str, dict[str, None]] = defaultdict(dict)
    for finding in result.findings:
        if finding.call in outside and finding.direction == "sent":
            values[finding.item].setdefault(finding.value or texts.IMPLIED)
            places[finding.item].setdefault(finding.at or texts.IMPLIED)
    for item, some in rows.items():
        goes = words.ROW.format(
            item=_label(item),
            entity=", ".join(dict.fromkeys(row.entity or texts.NOBODY_KNOWN for row in some)),
            purposes=", ".join(dict.fromkeys(texts.CATEGORIES[row.category] for row in some)),
            verdicts=", ".join(dict.fromkeys(f"{texts.VERDICT_NAMES[row.verdict]} ({row.count})" for row in some)),
        )
        held = texts.plural(len(values[item]), words.VALUES, some=_some(values[item]))
        yield Choice(item, goes, words.VALUES_AT.format(values=held, places=_some(places[item])))


def _recipients(result: Result, report: SharedReport) -> Iterator[Choice]:
    from analysis.redact import Names

    names = Names(result, vocabulary())
    calls = defaultdict(list)
    for call in result.calls:
        if is_outside(call):
            calls[names.of(call)].append(call)
    purposes: dict[str, list[str]] = defaultdict(list)
    for row in report.calls:
        if row.entity:
            purposes[row.entity].append(f"{texts.CATEGORIES[row.category]} {row.count}")
    for entity, said in purposes.items():
        some = calls[entity]
        exact = texts.plural(
            len(some),
            words.EXACT_CALLS,
            size=size(sum(map(bytes_out, some))),
            hosts=_some(dict.fromkeys(host(call) for call in some)),
        )
        yield Choice(entity, words.RECIPIENT.format(entity=entity, purposes=", ".join(said)), exact)


def _never(result: Result) -> Iterator[Choice]:
    things = {
        "devices": dict.fromkeys(call.observation.device for call in result.calls if call.observation.device),
        "files": dict.fromkeys(capture.name for capture in result.captures),
        "addresses": dict.fromkeys((*sorted(result.evidence.public_addresses), *sorted(result.evidence.own.hosts))),
    }
    for kind, some in things.items():
        if some:
            yield Choice("", "", words.PRIVATE_THINGS[kind].format(some=_some(some)))
    if result.own and (result.own.values or result.own.titles):
        yield Choice("", "", words.PRIVATE_THINGS["own"])


def _values(result: Result, items: Sequence[str]) -> dict[str, None]:
    return dict.fromkeys(f.value for f in result.findings if f.item in items and f.direction == "sent" and f.value)


def _some(values: Iterable[str]) -> str:
    """The first few, each cut to a length that can be read."""
    named = [brief(value) for value in values]
    short = [value if len(value) <= _LONGEST else value[:_LONGEST] + "…" for value in named]
    shown = ", ".join(short[:_MOST])
    return words.AND_MORE.format(some=shown, n=len(short) - _MOST) if len(short) > _MOST else shown


def _label(item: str) -> str:
    return vocabulary().shipped.items[item].label
