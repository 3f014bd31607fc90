"""Sections of the private report: the promises, the lists, who learns what is watched; and the same in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from analysis import texts
from analysis.listed import Counted, Listed, SwitchLine
from analysis.pack import Product
from analysis.pipeline import Result
from analysis.promises import Judgement, Promise
from analysis.report.as_json import Json
from analysis.report.document import Block, Cell, Column, Heading, Paragraph, Table, Tone, brief
from analysis.texts import promises as words
from analysis.watching import Watcher

_TONES: dict[Judgement, Tone] = {"kept": "good", "broken": "alarm", "not-in-force": "warn", "cannot-tell": "plain"}

_MOST = 12
"""Names in one sentence or cell."""


def promises_section(promises: Sequence[Promise], result: Result) -> Iterator[Block]:
    """Each promise under a heading of its own, with one paragraph."""
    if not promises:
        return
    yield Heading(words.PROMISES_HEADING)
    for promise in promises:
        product = result.knowledge.products[promise.product].name
        verdict = texts.JUDGEMENTS[promise.verdict]
        kind = texts.PROMISE_KINDS[promise.kind]
        yield Heading(words.PROMISE_HEADING.format(product=product, promise=kind, verdict=verdict), 3)
        yield Paragraph(promise.text, _TONES[promise.verdict])


def listed_section(lists: Sequence[Listed], result: Result) -> Iterator[Block]:
    """Each list beside what was seen."""
    if not lists:
        return
    yield Heading(words.LISTED_HEADING)

    def label(item: str) -> str:
        return result.knowledge.items[item].label

    for known in lists:
        product = result.knowledge.products[known.product]
        yield Paragraph(" ".join(_counts(known, product)))
        if known.declared_seen:
            yield Paragraph(words.DECLARED_SEEN.format(items=_some(known.declared_seen, label)))
        if known.undeclared:
            yield Paragraph(words.SEEN_NOT_DECLARED.format(items=_some(known.undeclared, label)), "alarm")
        else:
            yield Paragraph(words.NOTHING_UNDECLARED)
        if known.not_seen:
            yield Heading(words.NOT_SEEN_HEADING, 3)
            yield Table(
                (Column(words.SAYS), Column(words.STATEMENTS_COLUMN)),
                tuple((Cell(group.says), Cell(_some(group.wordings, str))) for group in known.not_seen),
            )
        yield from switches_table(known.switches)


def _counts(known: Listed, product: Product) -> Iterator[str]:
    yield from counted_sentences(known.counted, product)
    yield words.SEEN_HAVE_SWITCH.format(s=len(known.seen), n=known.seen_switched)
    if known.perhaps:
        yield words.SEEN_PERHAPS.format(n=len(known.perhaps))


def counted_sentences(counted: Counted, product: Product) -> Iterator[str]:
    """How many listed items have a switch, and where."""
    if not counted.switched:
        yield words.NO_SWITCHES.format(product=product.name, m=counted.listed)
        return
    places = ", ".join(words.SWITCH_PLACES[place].format(n=n) for place, n in sorted(counted.switched.items()))
    n = sum(counted.switched.values())
    yield words.HAVE_SWITCH.format(product=product.name, n=n, m=counted.listed, places=places)
    if counted.elsewhere:
        yield words.ELSEWHERE.format(n=counted.elsewhere)


def switches_table(lines: Sequence[SwitchLine]) -> Iterator[Block]:
    """Which switch turns what off, where it is, and whether it is off."""
    if not lines:
        return
    yield Heading(words.SWITCHES_TABLE, 3)
    states = {True: "on", False: "off", None: "unknown"}
    yield Table(
        (Column(texts.SWITCH), Column(words.STATE), Column(words.TURNS_OFF), Column(words.WHERE)),
        tuple(
            (
                Cell(line.switch.label),
                Cell(texts.SWITCH_STATES[states[line.state]]),
                Cell(_some(line.statements, str)),
                Cell(line.switch.where),
            )
            for line in lines
        ),
    )


def watching_section(watchers: Sequence[Watcher], result: Result) -> Iterator[Block]:
    """Who learns what is watched, and what advertisers were handed."""

    def label(item: str) -> str:
        return result.knowledge.items[item].label

    yield Heading(words.WATCHING_HEADING)
    told = [watcher for watcher in watchers if watcher.what]
    if told:
        yield Paragraph(words.WATCHING, "warn")
        yield Table(
            (Column(texts.RECIPIENT), Column(words.WATCHED), Column(words.JOINED)),
            tuple(
                (Cell(brief(w.entity), "strong"), Cell(_some(w.what, label)), Cell(_some(w.joins, label))) for w in told
            ),
        )
    else:
        yield Paragraph(words.WATCHING_NONE)
    named = [
        words.ADVERTISER.format(entity=brief(w.entity), items=_some(w.joins, label)) for w in watchers if w.advertises
    ]
    yield Paragraph(words.ADVERTISERS.format(named="; ".join(named)) if named else words.NO_ADVERTISER)
    yield Paragraph(words.SOLD)


def _some(names: Sequence[str], label: Callable[[str], str]) -> str:
    shown = [brief(label(name)) for name in names[:_MOST]]
    if (rest := len(names) - _MOST) > 0:
        shown.append(texts.plural(rest, texts.UNCOVERED_MORE))
    return ", ".join(shown)


def promises_json(promises: Sequence[Promise]) -> list[Json]:
    """Promises -> one object each."""
    return [asdict(promise) for promise in promises]


def listed_json(lists: Sequence[Listed]) -> list[Json]:
    """Lists -> one object each."""
    return [
        {
            "product": known.product,
            "declared": known.declared,
            "listed": known.counted.listed,
            "with_switch": sum(known.counted.switched.values()),
            "switch_places": dict(known.counted.switched),
            "seen": list(known.seen),
            "seen_with_switch": known.seen_switched,
            "perhaps_seen": list(known.perhaps),
            "declared_seen": list(known.declared_seen),
            "undeclared": list(known.undeclared),
            "not_seen": [asdict(group) for group in known.not_seen],
            "switches": [
                {
                    "switch": line.switch.id,
                    "place": line.switch.place,
                    "on": line.state,
                    "turns_off": list(line.statements),
                }
                for line in known.switches
            ],
        }
        for known in lists
    ]


def watching_json(watchers: Sequence[Watcher]) -> list[Json]:
    """Third parties -> one object each."""
    return [asdict(watcher) for watcher in watchers]
