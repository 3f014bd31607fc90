"""Document -> BBCode for forums: phpBB, SMF, XenForo.  Where a forum knows no tables, they are set as code, aligned.

BBCode has no escape, so what would be a tag, a link or a mention is written otherwise: `[` as `(`, `@` as `(at)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from analysis import texts
from analysis.report import plot
from analysis.report.aggregate import fitting, is_long
from analysis.report.document import (
    Bars,
    Block,
    Bullets,
    Commands,
    Data,
    Document,
    Flows,
    Heading,
    Lanes,
    Listing,
    Paragraph,
    Plot,
    Table,
    printable,
)

MARKUP = re.compile(r'\[/?(?:b|code|list|\*|table|tr|th|td|spoiler)\]|\[spoiler="|"\](?=\n)')
"""What this output writes around texts."""


@dataclass(frozen=True, slots=True)
class Forum:
    """A kind of forum."""

    most: int
    """Characters of a post, as the software comes; who runs a forum can change that."""
    head: str = ""
    """Tag of a cell in the first row of a table, where it knows tables."""
    begin: str = ""
    """What folds a long block, with its title as `{}`; empty where nothing does."""
    end: str = ""
    """What ends it."""


FORUMS = {
    "any": Forum(60_000),
    "phpbb": Forum(60_000),
    "smf": Forum(20_000, "td"),
    "xenforo": Forum(10_000, "th", '[spoiler="{}"]', "[/spoiler]"),
}
"""By name; `any` uses nothing but tags that all of them know, and is as long as the most patient takes."""


def render(document: Document, forum: str = "any") -> str:
    """Document -> BBCode for a place in `FORUMS`, put together where it would be too long for a post there."""
    place = FORUMS[forum]

    def written(shorter: Document) -> str:
        blocks = (_folded(block, place) for block in shorter.blocks)
        return "\n\n".join([f"[b]{escape(shorter.title)}[/b]", *blocks]) + "\n"

    return fitting(document, written, place.most)


def _folded(block: Block, place: Forum) -> str:
    if not (is_long(block) and place.begin):
        return _block(block, place)
    return "\n".join([place.begin.format(escape(texts.FOLDED)), _block(block, place), place.end])


def escape(text: str) -> str:
    """Text -> the same words without tags, links and mentions.

    >>> escape("[img]http://x/@a[/img]")
    '(img)http: //x/(at)a(/img)'
    """
    plain = printable(text).replace("[", "(").replace("]", ")").replace("@", "(at)")
    return plain.replace("://", ": //").replace("www.", "www .")


def _block(block: Block, place: Forum) -> str:
    match block:
        case Heading(text):
            return f"[b]{escape(text)}[/b]"
        case Paragraph(text):
            return escape(text)
        case Bullets(points):
            return "[list]\n" + "\n".join(f"[*]{escape(point)}" for point in points) + "\n[/list]"
        case Table():
            return _table(block, place.head) if place.head else f"[code]\n{_aligned(block)}\n[/code]"
        case Bars() | Lanes() | Flows() | Listing():
            return _block(block.table, place)
        case Commands(lines):
            return "[code]\n" + "\n".join(escape(line) for line in lines) + "\n[/code]"
        case Plot():
            return "[code]\n" + "\n".join(escape(line) for line in plot.letters(block)) + "\n[/code]"
        case Data(json):
            return f"[code]\n{json.replace('[/', '[ /')}\n[/code]"
    assert_never(block)


def _table(table: Table, head: str) -> str:
    titles = "".join(f"[{head}]{_strong(column.title, head)}[/{head}]" for column in table.columns)
    rows = ("".join(f"[td]{escape(cell.text)}[/td]" for cell in row) for row in table.rows)
    return "\n".join(["[table]", *(f"[tr]{row}[/tr]" for row in (titles, *rows)), "[/table]"])


def _strong(title: str, head: str) -> str:
    """A column's title, which only a cell of its own kind makes stand out by itself."""
    return escape(title) if head == "th" else f"[b]{escape(title)}[/b]"


def _aligned(table: Table) -> str:
    rows = [
        [escape(column.title) for column in table.columns],
        *([escape(cell.text) for cell in row] for row in table.rows),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column.number else text.ljust(width)
            for text, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    )
