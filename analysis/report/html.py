"""Document -> one HTML page that loads nothing and runs nothing, whatever was captured."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import assert_never

from analysis.report import plot
from analysis.report.document import (
    Block,
    Bullets,
    Cell,
    Commands,
    Data,
    Document,
    Heading,
    Paragraph,
    Plot,
    Table,
    printable,
)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
:root { color-scheme: light dark }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
.number { text-align: right }
.strong, .alarm { font-weight: bold }
.alarm { color: #c0262d }
.warn { color: #9a6700 }
.dim { opacity: .7 }
"""
"""Tone never stands in colour alone: the words say it too."""

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'"


MARKUP = re.compile(r"<style>.*?</style>|<!?/?[a-z][^<>]*>", re.DOTALL | re.IGNORECASE)
"""What this output writes around texts."""


def render(document: Document) -> str:
    """Document -> HTML."""
    title = escape(document.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{STYLE}</style>\n'
        f"</head>\n<body>\n<h1>{title}</h1>\n" + "\n".join(map(_block, document.blocks)) + "\n</body>\n</html>\n"
    )


def escape(text: str) -> str:
    """Text -> the same text as character data or attribute value."""
    return html.escape(printable(text))


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text, tone):
            return f'<p class="{tone}">{escape(text)}</p>'
        case Bullets(points):
            return "<ul>" + "".join(f"<li>{escape(point)}</li>" for point in points) + "</ul>"
        case Table():
            return _table(block)
        case Commands(lines):
            return f"<pre>{escape_lines(lines)}</pre>"
        case Plot():
            return plot.svg(block)
        case Data(json):
            # Within a script element only `</` can end it and `<!` open a comment; JSON may write them otherwise.
            inert = json.replace("</", "<\\/").replace("<!", "\\u003c!")
            return f'<script type="application/json">{inert}</script>'
    assert_never(block)


def escape_lines(lines: tuple[str, ...]) -> str:
    """Lines -> the same lines as character data."""
    return "\n".join(escape(line) for line in lines)


def _table(table: Table) -> str:
    numbers = [column.number for column in table.columns]
    head = "".join(
        f"<th{_class(n, Cell(''))}>{escape(c.title)}</th>" for c, n in zip(table.columns, numbers, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(f"<td{_class(n, cell)}>{escape(cell.text)}</td>" for cell, n in zip(row, numbers, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _class(number: bool, cell: Cell) -> str:
    names = " ".join(name for name in ("number" if number else "", cell.tone if cell.tone != "plain" else "") if name)
    return f' class="{names}"' if names else ""
