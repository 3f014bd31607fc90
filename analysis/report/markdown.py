"""Document -> Markdown with tables, for GitHub, Discourse, Reddit and Lemmy.

Captured text cannot become markup: a word with anything but letters, digits and harmless punctuation (a host, an
address, `@name`, `#7`, a tag) is set as code, where forums neither link, nor mention, nor load anything.
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


@dataclass(frozen=True, slots=True)
class Forum:
    """A place where Markdown is posted."""

    most: int
    """Characters of a post."""
    begin: str = ""
    """What folds a long block, with its title as `{}`; empty where nothing does."""
    end: str = ""
    """What ends it."""


FORUMS = {
    "any": Forum(32_000),
    "github": Forum(65_536, "<details><summary>{}</summary>", "</details>"),
    "discourse": Forum(32_000, "<details><summary>{}</summary>", "</details>"),
    "reddit": Forum(40_000),
    "lemmy": Forum(50_000, "::: spoiler {}", ":::"),
}
"""By name; `any` is what all of them take."""

MARKUP = re.compile(
    r"^`{3,}(?:sh|json)?$|^#+ |^\| (?:-{3}:? \| ?)+$|\*\*|^- |^</?details>|</?summary>|</details>$|^:::(?: spoiler)?",
    re.MULTILINE,
)
"""What this output writes around texts."""


def render(document: Document, forum: str = "any") -> str:
    """Document -> Markdown for a place in `FORUMS`, put together where it would be too long for a post there."""
    place = FORUMS[forum]

    def written(shorter: Document) -> str:
        blocks = (_folded(block, place) for block in shorter.blocks)
        return "\n\n".join([f"# {escape(shorter.title)}", *blocks]) + "\n"

    return fitting(document, written, place.most)


def _folded(block: Block, place: Forum) -> str:
    if not (is_long(block) and place.begin):
        return _block(block)
    return "\n\n".join([place.begin.format(texts.FOLDED), _block(block), place.end])


def escape(text: str) -> str:
    """Text -> the same words, none of which is markup.

    >>> escape("2 calls to analytics.plex.tv, by @alice | <b>")
    '2 calls to `analytics.plex.tv`, by `@alice` `¦` `<b>`'
    """
    return " ".join(_word(word) for word in printable(text).replace("\N{NO-BREAK SPACE}", " ").split(" "))


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
