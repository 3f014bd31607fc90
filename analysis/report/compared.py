"""Shared reports -> in which ways they differ: versions, settings, items, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from analysis import texts
from analysis.report.document import Block, Cell, Column, Document, Heading, Paragraph, Table
from analysis.report.shared import switch
from analysis.shared_report import SharedReport
from analysis.texts import share as words
from analysis.vocabulary import vocabulary

KEYS: dict[str, tuple[str, ...]] = {
    "packs": ("pack",),
    "lists": ("product", "declared"),
    "versions": ("product", "version"),
    "settings": ("product", "switch"),
    "rows": ("product", "item", "entity", "category"),
    "received": ("entity", "category", "item"),
    "calls": ("party", "entity", "category"),
    "promises": ("product", "declared", "promise"),
    "roundings": ("product", "entity", "item"),
    "fingerprints": ("product", "entity"),
    "presence": ("effect",),
}
"""Field of a report -> by what its rows are the same row; the other fields are what may differ."""

_WORDS: Mapping[str, Callable[[], Mapping[Any, str]]] = {
    "category": lambda: texts.CATEGORIES,
    "effect": lambda: texts.SHARED_EFFECTS,
    "mode": lambda: texts.MODES,
    "outcome": lambda: texts.JUDGEMENTS,
    "party": lambda: texts.PARTIES,
    "promise": lambda: texts.PROMISE_KINDS,
    "recipient": lambda: texts.RECIPIENTS,
    "rounding": lambda: texts.ROUNDINGS,
    "state": lambda: texts.SWITCH_STATES,
    "verdict": lambda: texts.VERDICT_NAMES,
}
"""Field of a row -> the words of its values, as they are in the language in use."""

_SILENT = frozenset({"also", "sure"})
"""What is told with the verdict."""


def compared(reports: Sequence[tuple[str, SharedReport]]) -> Document:
    """Names of reports with the reports -> a table of each kind of thing in which they differ.

    Recipients that no pack names differ by their numbers in each report, so they are compared together.
    """
    names = [name for name, _ in reports]
    blocks: list[Block] = [Paragraph(words.COMPARED_NOTE), Heading(words.REPORTS_HEADING), _overview(reports)]
    different = [block for field in KEYS for block in _section(field, names, [report for _, report in reports])]
    blocks += different or [Paragraph(words.COMPARED_SAME)]
    return Document(words.COMPARED_TITLE.format(n=len(reports)), tuple(blocks))


def _overview(reports: Sequence[tuple[str, SharedReport]]) -> Table:
    titles: tuple[str, ...] = (words.REPORT_COLUMN, words.MONTH_COLUMN, words.LENGTH_COLUMN, words.SOFTWARE_COLUMN)
    titles += (words.PLATFORM_COLUMN, words.OCCASIONS_COLUMN, words.CALLS_COLUMN, words.READ_COLUMN)
    products = vocabulary().shipped.products
    return Table(
        tuple(map(Column, titles)),
        tuple(
            (
                Cell(name, "strong"),
                Cell(report.month or words.ABSENT),
                Cell(texts.LENGTHS[report.length]),
                Cell(", ".join(f"{products[x.product].name} {x.version}" for x in report.versions) or words.ABSENT),
                Cell(", ".join(report.platforms) or words.ABSENT),
                Cell(", ".join(texts.OCCASIONS[x] for x in report.occasions) or words.ABSENT),
                Cell(report.coverage.calls),
                Cell(report.coverage.unreadable),
            )
            for name, report in reports
        ),
    )


def differing(reports: Sequence[SharedReport]) -> tuple[str, ...]:
    """Reports -> names of the fields in which they differ."""
    return tuple(field for field in KEYS if len({frozenset(_rows(field, report).items()) for report in reports}) > 1)


def _section(field: str, names: Sequence[str], reports: Sequence[SharedReport]) -> Iterator[Block]:
    held = [_rows(field, report) for report in reports]
    every = sorted(set().union(*held))
    unlike = [key for key in every if len({rows.get(key) for rows in held}) > 1]
    if not unlike:
        return
    yield Heading(words.SECTIONS_COMPARED[field])
    yield Table(
        (Column(words.WHAT), *map(Column, names)),
        tuple(
            (
                Cell(_named(field, key)),
                *(Cell(rows.get(key, words.ABSENT), "plain" if key in rows else "dim") for rows in held),
            )
            for key in unlike
        ),
    )
    if alike := len(every) - len(unlike):
        yield Paragraph(texts.plural(alike, words.ALIKE), "dim")


def _rows(field: str, report: SharedReport) -> dict[tuple[str, ...], str]:
    """Key of a row -> what it says, with what several rows of one key say in the order of the alphabet."""
    told: dict[tuple[str, ...], set[str]] = {}
    for row in getattr(report, field):
        values = msgspec.structs.asdict(row)
        key = tuple(_placeholder(str(values[name])) for name in KEYS[field])
        rest = [_shown(name, values[name]) for name in values if name not in KEYS[field] and name not in _SILENT]
        told.setdefault(key, set()).add(", ".join(filter(None, rest)) or words.PRESENT)
    return {key: "; ".join(sorted(said)) for key, said in told.items()}


def _placeholder(word: str) -> str:
    return word.partition("#")[0] + "#" if "#" in word else word


def _shown(name: str, value: object) -> str:
    """A value in the words of a report."""
    if name in _WORDS:
        return _WORDS[name]().get(value, "")
    if isinstance(value, str) and value:
        if name == "declared":
            return words.LIST_OF.format(declared=value)
        phrase = words.VALUES_COMPARED.get(name, "{value}")
        return phrase.format(value=value[:15] + "…" if value.startswith("sha256:") else value)
    return words.PRESENT if value is True else ""


def _named(field: str, key: tuple[str, ...]) -> str:
    """A key in the words of a report."""
    shipped = vocabulary().shipped
    row = dict(zip(KEYS[field], key, strict=True))
    parts = []
    for name, word in row.items():
        if name == "item":
            parts.append(shipped.items[word].label)
        elif name == "switch":
            label, where = switch(row["product"], word)
            parts.append(words.SWITCH_COMPARED.format(label=label, where=where) if where else label)
        elif name in ("product", "pack") and word in shipped.products:
            parts.append(shipped.products[word].name)
        else:
            parts.append(_WORDS[name]().get(word, word) if name in _WORDS else word)
    return ", ".join(part for part in parts if part) or texts.NOBODY_KNOWN
