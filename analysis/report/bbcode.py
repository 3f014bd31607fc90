"""Document -> BBCode for forums.  Tables are set as code, aligned, since not every forum knows tables.

BBCode has no escape, so what would be a tag, a link or a mention is written otherwise: `[` as `(`, `@` as `(at)`.
"""

from __future__ import annotations

import re
from typing import assert_never

from analysis.report import plot
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

MARKUP = re.compile(r"\[/?(?:b|code|list|\*)\]")
"""What this output writes around texts."""


def render(document: Document) -> str:
    """Document -> BBCode."""
    return "\n\n".join([f"[b]{escape(document.title)}[/b]", *(_block(block) for block in document.blocks)]) + "\n"


def escape(text: str) -> str:
    """Text -> the same words without tags, links and mentions.

    >>> escape("[img]http://x/@a[/img]")
    '(img)http: //x/(at)a(/img)'
    """
    plain = printable(text).replace("[", "(").replace("]", ")").replace("@", "(at)")
    return plain.replace("://", ": //").replace("www.", "www .")


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"[b]{escape(text)}[/b]"
        case Paragraph(text):
            return escape(text)
        case Bullets(points):
            return "[list]\n" + "\n".join(f"[*]{escape(point)}" for point in points) + "\n[/list]"
        case Table():
            return f"[code]\n{_table(block)}\n[/code]"
        case Bars() | Lanes() | Flows() | Listing():
            return _block(block.table)
        case Commands(lines):
            return "[code]\n" + "\n".join(escape(line) for line in lines) + "\n[/code]"
        case Plot():
            return "[code]\n" + "\n".join(escape(line) for line in plot.letters(block)) + "\n[/code]"
        case Data(json):
            return f"[code]\n{json.replace('[/', '[ /')}\n[/code]"
    assert_never(block)


def _table(table: Table) -> str:
    rows = [[column.title for column in table.columns], *([escape(cell.text) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column.number else text.ljust(width)
            for text, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    )
