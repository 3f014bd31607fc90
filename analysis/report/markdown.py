"""Document -> GitHub-flavoured Markdown, also for Discourse forums.

Captured text cannot become markup: a word with anything but letters, digits and harmless punctuation (a host, an
address, `@name`, `#7`, a tag) is set as code, where forums neither link, nor mention, nor load anything.
"""

from __future__ import annotations

import re
from typing import assert_never

from analysis.report import plot
from analysis.report.document import (
    Bars,
    Block,
    Bullets,
    Cell,
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

_SAFE = re.compile(r"(?!--|.*://)(?![0-9a-f]{7,40}\Z)[^\W_](?:[^\W_]|[-'’/:%+=,·–—])*|[-–—…=+/%·]|(?:)")
"""A word that means nothing in Markdown: no dot inside (links), no `@` or `#` (mentions), no hash (commits)."""

_EDGES = re.compile(r"([(\"“'‘]*)(.*?)([)\"”'’.,;:?!…]*)\Z", re.DOTALL)
"""Punctuation around a word, which is not part of it."""


MARKUP = re.compile(r"^`{3,}(?:sh|json)?$|^#+ |^\| (?:-{3}:? \| ?)+$|\*\*|^- ", re.MULTILINE)
"""What this output writes around texts."""


def render(document: Document) -> str:
    """Document -> Markdown."""
    return "\n\n".join([f"# {escape(document.title)}", *(_block(block) for block in document.blocks)]) + "\n"


def escape(text: str) -> str:
    """Text -> the same words, none of which is markup.

    >>> escape("2 calls to analytics.plex.tv, by @alice | <b>")
    '2 calls to `analytics.plex.tv`, by `@alice` `¦` `<b>`'
    """
    return " ".join(_word(word) for word in printable(text).split(" "))


def _word(word: str) -> str:
    match = _EDGES.match(word)
    before, core, after = match.groups() if match else ("", word, "")
    if _SAFE.fullmatch(core):
        return before + core + after
    return f"{before}`{core.replace('`', "'").replace('|', '¦')}`{after}"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return "#" * level + " " + escape(text)
        case Paragraph(text, tone):
            return f"**{escape(text)}**" if tone in ("strong", "alarm") else escape(text)
        case Bullets(points):
            return "\n".join(f"- {escape(point)}" for point in points)
        case Table():
            return _table(block)
        case Bars() | Lanes() | Flows() | Listing():
            return _table(block.table)
        case Commands(lines):
            return _fenced("\n".join(printable(line) for line in lines), "sh")
        case Plot():
            return _fenced("\n".join(plot.letters(block)), "")
        case Data(json):
            return _fenced(json, "json")
    assert_never(block)


def _table(table: Table) -> str:
    head = [column.title for column in table.columns]
    rule = ["---:" if column.number else "---" for column in table.columns]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([escape(x) for x in head], rule, *rows))


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    return f"**{text}**" if text and cell.tone == "alarm" else text


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
