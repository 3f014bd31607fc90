"""Section of the private report: what the user can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import texts
from analysis.advice import Advice
from analysis.pack import Switch
from analysis.pipeline import Result
from analysis.report.document import Block, Cell, Column, Commands, Heading, Paragraph, Table, Tone, brief
from analysis.texts import advice as words

_TONES: dict[words.Effect, Tone] = {"block": "good", "weigh": "plain", "keep": "warn"}

_MOST = 8
"""Data items in one cell."""


def advice_section(found: Sequence[Advice], result: Result) -> Iterator[Block]:
    """A table of recipients, then the rules that block those that nobody misses; nothing when there is none."""
    if not found:
        return
    yield Heading(words.HEADING)
    yield Paragraph(words.NOTE)
    yield Table(
        tuple(map(Column, (words.HOST, words.CARRIED, words.SWITCH, words.BLOCK, words.BREAKS))),
        tuple(
            (
                Cell(words.ENTITY.format(host=brief(a.host), entity=brief(a.entity)) if a.entity else brief(a.host)),
                Cell(_items(a, result)),
                Cell("; ".join(_switch(*switch) for switch in a.switches) or words.NO_SWITCH),
                Cell(words.EFFECTS[a.effect], _TONES[a.effect]),
                Cell(a.breaks),
            )
            for a in found
        ),
    )
    yield from _rules([a for a in found if a.blockable])


def _items(a: Advice, result: Result) -> str:
    names = [result.knowledge.label(item) for item in a.items]
    rest = [texts.plural(len(names) - _MOST, texts.UNCOVERED_MORE)] if len(names) > _MOST else []
    return ", ".join((*names[:_MOST], *rest)) or words.NOT_READ


def _switch(switch: Switch, on: bool | None) -> str:
    sentence = words.SWITCH_OFF if on is False else words.SWITCH_AT
    return sentence.format(label=switch.label, where=switch.where)


def _rules(blocked: Sequence[Advice]) -> Iterator[Block]:
    if not blocked:
        return
    names = sorted({a.host for a in blocked})
    yield Heading(words.RULES_HEADING, 3)
    yield Paragraph(words.RULES_NOTE)
    yield Paragraph(words.PIHOLE)
    yield Commands((f"pihole deny {' '.join(names)}",))
    yield Paragraph(words.ADGUARD)
    yield Commands(tuple(f"||{name}^" for name in names))
    addresses = sorted({address for a in blocked for address in a.addresses})
    rules = [
        f"nft add rule inet filter forward {family} daddr {{ {', '.join(some)} }} reject"
        for family, some in (
            ("ip", [x for x in addresses if ":" not in x]),
            ("ip6", [x for x in addresses if ":" in x]),
        )
        if some
    ]
    if rules:
        yield Paragraph(words.NFTABLES)
        yield Commands(tuple(rules))
