"""Result -> every call with what it carried, in kinds, as the private page lists and searches it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis import language, sample, texts
from analysis.model import Classified, Comparison, Finding, Verdict
from analysis.pipeline import Result
from analysis.report.document import Block, Cell, Column, Heading, Kind, Listing, Paragraph, size
from analysis.report.phrases import label, local_time
from analysis.report.pictures import sender
from analysis.report.private import tone_of
from analysis.sample import Sample
from analysis.texts import page as words
from analysis.traffic import bytes_out, count, host, is_readable, recipient, total, unread_reason
from captures.model import Exchange, Lookup

MOST = 1_300_000
"""Characters of the list; what is beyond them is put together."""

_DETAIL = (
    (10**6, 120, 3000),
    (2000, 100, 1500),
    (500, 80, 800),
    (100, 60, 500),
    (25, 40, 300),
    (8, 20, 200),
    (3, 8, 100),
)
"""Calls of a kind, items of a kind, and kinds: the first that fits is taken."""

_ROW, _KIND, _CELL = 10, 700, 12
"""Characters that the page writes around a row, a kind and a cell."""

_LONGEST, _VALUE, _VALUES = 160, 70, 3
"""Characters of a path and of a value; values of an item."""

_SECRET = ("auth.", "account.pin")
"""Items whose values are not shown: a page is easily passed on."""


@dataclass(slots=True)
class _Gathered:
    """Calls of one kind while they are gathered."""

    calls: list[Classified] = field(default_factory=list)
    shown: list[Classified] = field(default_factory=list)
    places: dict[tuple[str, str, str], tuple[int, list[str]]] = field(default_factory=dict)
    """Item, direction, place -> number, values in calls that are shown."""
    times: Counter[int] = field(default_factory=Counter)
    carried: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Call that is shown -> numbers of what it carried."""


def listing(result: Result) -> Iterator[Block]:
    """Everything that was called -> a searchable list; nothing when nothing was."""
    if not result.calls:
        return
    yield Heading(words.CALLS_HEADING)
    yield Paragraph(words.CALLS_NOTE, "dim")
    kinds = _kinds(result)
    for calls, items, most in _DETAIL:
        fitting = tuple(replace(k, calls=k.calls[:calls], items=k.items[:items]) for k in kinds[:most])
        if sum(map(_length, fitting)) <= MOST:
            break
    yield Listing(
        items=tuple(
            map(
                Column,
                (words.KEY, texts.ITEM, texts.DIRECTION, texts.VERDICT, texts.PLACE, texts.COUNT, words.VALUES),
            )
        ),
        calls=tuple(
            map(
                Column,
                (texts.NUMBER, texts.TIME, texts.DEVICE, words.PATH, texts.STATUS, texts.BYTES, words.DATA_COLUMN),
            )
        ),
        kinds=fitting,
        left_out=sum(kind.count for kind in kinds[len(fitting) :]),
    )


def _kinds(result: Result) -> list[Kind]:
    """All calls in kinds (`sample.kind`)."""
    gathered: dict[tuple[object, ...], _Gathered] = defaultdict(_Gathered)
    of: dict[int, tuple[_Gathered, Classified]] = {}
    for call in result.calls:
        kind = gathered[sample.kind(call)]
        kind.calls.append(call)
        of[call.n] = (kind, call)
    for found in result.findings:
        if found.call in of:
            _count(*of[found.call], found)
    _show(gathered, result)
    judged: dict[tuple[str, str, str, str], Comparison] = {}
    for c in result.comparisons:
        if c.verdict is not Verdict.NOT_SEEN:
            judged.setdefault((c.product, c.item, c.entity, c.category.value), c)
    made = [_kind(kind, judged, result) for kind in gathered.values()]
    order = {v.value: n for n, v in enumerate(Verdict)}
    made.sort(key=lambda kind: (("alarm", "warn").index(kind.tone) if kind.tone in ("alarm", "warn") else 2,
                                order.get(kind.verdict, 99), -kind.count, kind.call))  # fmt: skip
    return made


def _count(kind: _Gathered, call: Classified, found: Finding) -> None:
    number, _ = kind.places.setdefault(_place(found), (len(kind.places) + 1, []))
    kind.times[number] += count(call)


def _show(gathered: Mapping[tuple[object, ...], _Gathered], result: Result) -> None:
    """Chooses the calls that are shown, with their values: the first of each kind, unless they are chosen already."""
    chosen = result.sample
    if chosen is None:
        each = sample.most(len(result.calls), len(gathered))
        first = {call.n for kind in gathered.values() for call in kind.calls[:each]}
        chosen = Sample(
            tuple(call for call in result.calls if call.n in first),
            tuple(found for found in result.findings if found.call in first),
        )
    of = {call.n: gathered[sample.kind(call)] for call in chosen.calls}
    for call in chosen.calls:
        of[call.n].shown.append(call)
    for found in chosen.findings:
        _gather(of[found.call], found)


def _place(found: Finding) -> tuple[str, str, str]:
    return found.item, found.direction, found.at


def _gather(kind: _Gathered, found: Finding) -> None:
    number, values = kind.places[_place(found)]
    if len(values) <= _VALUES and found.value not in values:
        values.append(found.value)
    numbers = kind.carried[found.call]
    if not numbers or numbers[-1] != number:
        numbers.append(number)


def _kind(kind: _Gathered, judged: dict[tuple[str, str, str, str], Comparison], result: Result) -> Kind:
    call = kind.calls[0]
    verdicts = {
        key: judged.get((call.product, key[0], recipient(call), call.category.value))
        for key in kind.places
        if key[1] == "sent"
    }
    worst = min((c for c in verdicts.values() if c), key=lambda c: list(Verdict).index(c.verdict), default=None)
    unread = "" if is_readable(call) else words.UNREADABLE_VERDICT
    alone = len({_path(one) for one in kind.calls}) == 1 and all(one.alike.one_path for one in kind.calls if one.alike)
    number = total(kind.calls)
    path, more = _path(call), len(kind.shown) < number
    return Kind(
        call=_called(call, path if alone else f"{path[:_LONGEST]} …"),
        sender=sender(call, result),
        recipient=_cut(recipient(call) or texts.PARTIES[call.party], _LONGEST),
        purpose=texts.CATEGORIES[call.category],
        verdict=unread or (texts.VERDICT_NAMES[worst.verdict] if worst else words.NOTHING_JUDGED),
        tone="warn" if unread else tone_of(worst) if worst else "plain",
        count=number,
        items=tuple(
            (
                Cell(str(place)),
                Cell(label(item, result)),
                Cell(texts.DIRECTIONS[direction]),
                Cell(texts.VERDICT_NAMES[c.verdict], tone_of(c))
                if (c := verdicts.get((item, direction, at)))
                else Cell(""),
                Cell(_cut(at, _LONGEST) or texts.IMPLIED),
                Cell(texts.number(kind.times[place])),
                Cell(_values(item, values, more=more)),
            )
            for (item, direction, at), (place, values) in kind.places.items()
        ),
        calls=tuple(_row(one, kind, alone=alone) for one in sorted(kind.shown, key=lambda c: c.observation.time or 0)),
    )


def _called(call: Classified, path: str) -> str:
    seen = call.observation
    if isinstance(seen, Exchange):
        return f"{seen.method} {_cut(host(call), _LONGEST)}{_cut(path, _LONGEST)}"
    if isinstance(seen, Lookup):
        return " ".join(part for part in (seen.protocol, seen.kind, _cut(seen.host, _LONGEST)) if part)
    reason = language.said(unread_reason(call))
    return f"{_cut(host(call), _LONGEST) or texts.DAMAGED_PLACE} ({reason})" if reason else host(call)


def _path(call: Classified) -> str:
    return call.observation.path if isinstance(call.observation, Exchange) else ""


def _row(call: Classified, kind: _Gathered, *, alone: bool) -> tuple[str, ...]:
    seen = call.observation
    status = str(seen.status or "") if isinstance(seen, Exchange) else seen.rcode if isinstance(seen, Lookup) else ""
    return (
        str(call.n),
        local_time(seen.time, zone=False),
        _cut(seen.device, 60),
        "" if alone else _cut(_path(call), _LONGEST),
        status,
        size(bytes_out(call)),
        _ranges(kind.carried.get(call.n, ())),
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Numbers -> the same, put together.

    >>> _ranges([1, 2, 3, 7, 9, 10])
    '1–3, 7, 9–10'
    """
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)


def _values(item: str, values: Sequence[str], *, more: bool) -> str:
    """Some of what an item held; `more`: not all calls were looked at."""
    if item.startswith(_SECRET):
        return words.HIDDEN
    shown = [_cut(value, _VALUE) for value in values[:_VALUES] if value]
    return " · ".join(shown + ["…"] * (more or len(values) > _VALUES))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _length(kind: Kind) -> int:
    """About how many characters a kind takes on the page."""
    items = sum(_ROW + sum(_CELL + len(cell.text) for cell in row) for row in kind.items)
    return _KIND + len(kind.call) + items + sum(_ROW + 4 * len(row) + sum(map(len, row)) for row in kind.calls)
