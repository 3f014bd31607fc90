"""What a switch stopped -> the report for the user's own eyes, and JSON (`phonehome/optout/1`).  Private."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from analysis import language, needs, texts
from analysis.evidence import SwitchState
from analysis.optout import CallRow, ItemRow, OptOut, Outcome
from analysis.pipeline import Result
from analysis.rates import Missing
from analysis.report.as_json import Json, dump
from analysis.report.document import Block, Bullets, Cell, Column, Document, Heading, Paragraph, Table, Tone, brief
from analysis.report.phrases import label, local_time, product_name
from analysis.texts import promises as words

_TONES: dict[Outcome, Tone] = {
    "stopped": "good",
    "reduced": "plain",
    "goes-on": "warn",
    "new": "warn",
    "cannot-tell": "dim",
}

_MOST_NAMED = 8


def optout_of(found: OptOut, result: Result) -> Document:
    """What became of everything -> the report."""
    sections = (
        _first(found, result),
        _by_list(found, result),
        _calls(found, result),
        _exceptions(found, result),
    )
    return Document(words.OPTOUT_TITLE, tuple(block for section in sections for block in section))


def _first(found: OptOut, result: Result) -> Iterator[Block]:
    for line in summary(found, result):
        yield Paragraph(line, "strong")
    yield Bullets(tuple(_circumstances(found, result)))


def summary(found: OptOut, result: Result) -> Iterator[str]:
    """One sentence for each thing that became of items."""
    for outcome, sentence in words.SUMMARY.items():
        rows = [row for row in found.items if row.verdict == outcome]
        if rows:
            names = list(dict.fromkeys(label(row.item, result) for row in rows))
            shown = names[:_MOST_NAMED]
            if rest := len(names) - len(shown):
                shown.append(texts.plural(rest, texts.UNCOVERED_MORE))
            yield sentence.format(items=", ".join(shown))
    if not found.items:
        yield words.SUMMARY_NOTHING


def _circumstances(found: OptOut, result: Result) -> Iterator[str]:
    for change in found.changes:
        yield _switch(words.SWITCH_SEEN, change, result)
    for state in dict.fromkeys((s.product, s.switch, s.on) for s in found.shown):
        first = next(s for s in found.shown if (s.product, s.switch, s.on) == state)
        yield _switch(words.SWITCH_SHOWN, first, result)
    if not found.changes:
        yield words.SWITCH_UNSEEN
    before, after = found.plays
    yield words.PLAYS.format(before=texts.number(before), after=texts.number(after))
    if not after:
        yield words.NOTHING_PLAYED
    if found.left_out:
        yield texts.plural(found.left_out, words.LEFT_OUT, minutes=f"{found.grace / 60:g}")
    for missing in found.lacking:
        yield words.NO_SIDE[missing]
    if found.turns > 1:
        yield words.MORE_TURNS.format(n=found.turns)
    elif found.turns:
        yield words.ONE_TURN


def _switch(sentence: str, state: SwitchState, result: Result) -> str:
    product = result.knowledge.products.get(state.product)
    switch = next((s for s in product.switches if s.id == state.switch), None) if product else None
    return sentence.format(
        product=product_name(state.product, result),
        label=switch.label if switch else state.switch,
        where=switch.where if switch else "",
        state=texts.SWITCH_STATES["on" if state.on else "off"],
        time=local_time(state.time or None) or "?",
    )


def _by_list(found: OptOut, result: Result) -> Iterator[Block]:
    columns = (
        Column(texts.ITEM),
        Column(texts.RECIPIENT),
        Column(words.BEFORE, number=True),
        Column(words.AFTER, number=True),
        Column(words.EXPECTED, number=True),
        Column(words.OUTCOME),
        Column(words.WHY),
    )
    for listed, rows in groupby(found.items, key=lambda row: row.listed):
        yield Heading(words.LISTED_HEADINGS[listed])
        alike: dict[tuple[object, ...], list[ItemRow]] = {}
        for row in rows:
            key = (row.entity, row.before, row.after, row.expected, row.verdict, reason(row, found))
            alike.setdefault(key, []).append(row)
        yield Table(columns, tuple(_items(group, found, result) for group in alike.values()))


def _items(rows: Sequence[ItemRow], found: OptOut, result: Result) -> tuple[Cell, ...]:
    """One row for items that differ in nothing else."""
    row = rows[0]
    return (
        Cell(", ".join(label(row.item, result) for row in rows)),
        Cell(brief(row.entity)),
        Cell(texts.number(row.before)),
        Cell(texts.number(row.after)),
        Cell("" if row.expected is None else texts.number(row.expected, ",.1f")),
        Cell(words.OUTCOMES[row.verdict], _TONES[row.verdict]),
        Cell(reason(row, found)),
    )


def _calls(found: OptOut, result: Result) -> Iterator[Block]:
    if not found.calls:
        return
    yield Heading(words.CALLS_HEADING)
    columns = (
        Column(texts.CALL),
        Column(texts.RECIPIENT),
        Column(words.TESTED_BY),
        Column(words.BEFORE, number=True),
        Column(words.AFTER, number=True),
        Column(words.OUTCOME),
        Column(words.WHY),
    )
    yield Table(columns, tuple(_call(row, found, result) for row in found.calls))


def _call(row: CallRow, found: OptOut, result: Result) -> tuple[Cell, ...]:
    purpose = texts.CATEGORIES[row.category]
    name = words.CALL_WHOLE.format(purpose=purpose, rule=row.rule) if row.rule else purpose
    if not row.whole:
        name += " " + words.CALL_ITEMS.format(items=", ".join(label(item, result) for item in row.items))
    return (
        Cell(name),
        Cell(brief(row.entity)),
        Cell(words.OCCASION_KINDS[row.occasion][-1]),
        Cell(texts.number(row.before)),
        Cell(texts.number(row.after)),
        Cell(words.OUTCOMES[row.verdict], _TONES[row.verdict]),
        Cell(_why(row, found)),
    )


def _exceptions(found: OptOut, result: Result) -> Iterator[Block]:
    yield Heading(words.EXCEPTIONS_HEADING)
    if not found.exceptions:
        yield Paragraph(words.EXCEPTIONS_NONE)
        return
    yield Paragraph(words.EXCEPTIONS_NOTE)
    yield exceptions_table(found.exceptions, result)
    functions = {e.category: e.need for e in found.exceptions}
    yield Bullets(
        tuple(
            words.DO_WITHOUT.format(function=texts.CATEGORIES[category], why=need.why, without=need.without)
            for category, need in functions.items()
        )
    )


def exceptions_table(exceptions: Sequence[needs.Exceptional], result: Result) -> Table:
    """Calls for a function -> a table of what they carried; not for an empty sequence."""
    columns = (
        Column(words.FUNCTION),
        Column(texts.RECIPIENT),
        Column(texts.CALLS, number=True),
        Column(words.NEEDED),
        Column(words.BEYOND),
    )
    return Table(
        columns,
        tuple(
            (
                Cell(f"{texts.CATEGORIES[e.category]}: {e.need.function}"),
                Cell(brief(e.entity)),
                Cell(texts.number(e.calls)),
                Cell(", ".join(label(item, result) for item in e.needed) or texts.NO_ITEMS),
                Cell(", ".join(label(item, result) for item in e.beyond) or words.NOTHING_BEYOND),
            )
            for e in exceptions
        ),
    )


def reason(row: ItemRow, found: OptOut) -> str:
    """Why an item has its verdict: of the calls that carried it, the one that decided."""
    deciding = [r for r in row.rows if r.verdict == row.verdict]
    return _why((deciding or row.rows)[0], found)


def _why(row: CallRow, found: OptOut) -> str:
    compared = words.COMPARED.format(
        before=_seen(row, row.seen.before, row.seen.exposure_before),
        after=_seen(row, row.seen.after, row.seen.exposure_after),
    )
    chance = words.CHANCE.format(n=texts.number(1 / row.chance, ",.0f")) if 0 < row.chance < 1 else words.CERTAIN
    match row.verdict:
        case "stopped" | "new":
            said = [words.STOPPED.format(compared=compared, chance=chance)]
        case "reduced":
            said = [words.REDUCED.format(compared=compared)]
        case "goes-on":
            said = [words.GOES_ON.format(compared=compared)]
            if row.soon:
                said.append(words.GOES_ON_SOON.format(minutes=f"{found.grace / 60:g}"))
        case "cannot-tell":
            said = [words.CANNOT_TELL.format(compared=compared)]
            if not row.seen.exposure_after and row.before:
                said.append(words.NEVER_TESTED)
            if row.obstacles:
                hindered = "; ".join(words.OBSTACLES[obstacle] for obstacle in row.obstacles)
                said.append(words.HINDERED.format(obstacles=hindered))
            if row.missing:
                said.append(_add(row, row.missing))
            elif row.wanting:
                said.append(words.ADD_HOPELESS if row.before else words.ADD_HOPELESS_NEW)
    return " ".join(said)


def _seen(row: CallRow, k: int, n: float) -> str:
    kinds = words.OCCASION_KINDS[row.occasion]
    return words.SEEN_AT.format(k=texts.number(k), n=texts.number(n, ",.0f"), occasions=kinds[language.form(round(n))])


def _add(row: CallRow, missing: Missing) -> str:
    def what(n: int) -> str:
        if row.occasion in words.ADD:
            return texts.plural(n, words.ADD[row.occasion], period=f"{row.period / 3600:g} h")
        kinds = words.OCCASION_KINDS[row.occasion]
        return texts.plural(n, words.ADD_OTHER, occasion=kinds[0], occasions=kinds[language.form(n)])

    if missing.before and missing.after:
        return words.ADD_BOTH.format(before=what(missing.before), after=what(missing.after))
    if missing.before:
        return words.ADD_BEFORE.format(what=what(missing.before))
    return words.ADD_AFTER.format(what=what(missing.after))


def as_json(found: OptOut, result: Result) -> str:
    """What became of everything -> JSON.  Holds no value of a finding, but hosts of recipients without a name."""
    return dump(
        {
            "schema": "phonehome/optout/1",
            "items": [_item_json(row, found) for row in found.items],
            "calls": [_call_json(row, found) for row in found.calls],
            "exceptions": [
                {
                    "product": e.product,
                    "category": e.category.value,
                    "entity": e.entity,
                    "calls": e.calls,
                    "needed": list(e.needed),
                    "beyond": list(e.beyond),
                    "function": e.need.function,
                    "without": e.need.without,
                }
                for e in found.exceptions
            ],
            "switches": [
                {
                    "time": s.time,
                    "product": s.product,
                    "switch": s.switch,
                    "on": s.on,
                    "changed": s.changed,
                    "call": s.call,
                }
                for s in sorted((*found.changes, *found.shown), key=lambda s: s.time)
            ],
            "turns": found.turns,
            "grace": found.grace,
            "left_out": found.left_out,
            "plays": {"before": found.plays[0], "after": found.plays[1]},
            "threshold": found.threshold,
            "summary": list(summary(found, result)),
        }
    )


def _item_json(row: ItemRow, found: OptOut) -> Json:
    return {
        "product": row.product,
        "item": row.item,
        "recipient": row.recipient,
        "entity": row.entity,
        "before": row.before,
        "after": row.after,
        "expected": None if row.expected is None else round(row.expected, 2),
        "verdict": row.verdict,
        "reason": reason(row, found),
        "listed": row.listed,
        "switch": row.switch,
        "categories": sorted({r.category.value for r in row.rows}),
    }


def _call_json(row: CallRow, found: OptOut) -> Json:
    return {
        "product": row.product,
        "rule": row.rule,
        "category": row.category.value,
        "recipient": row.recipient,
        "entity": row.entity,
        "items": list(row.items),
        "whole": row.whole,
        "before": row.before,
        "after": row.after,
        "expected": None if row.expected is None else round(row.expected, 2),
        "verdict": row.verdict,
        "reason": _why(row, found),
        "occasion": row.occasion,
        "period": row.period or None,
        "occasions": asdict(row.seen),
        "chance": row.chance,
        "obstacles": list(row.obstacles),
        "missing": asdict(row.missing) if row.missing else None,
    }
