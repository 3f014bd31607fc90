"""Document -> text for a terminal, as wide as it is; in colours only where they are wanted.

Captured text is printed as text: control characters, escape sequences and bidirectional marks are shown as escapes, and
rich's markup is off.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from analysis.report import plot
from analysis.report.document import (
    Bars,
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
    Tone,
    printable,
)

if TYPE_CHECKING:
    from rich.console import Console

STYLES: dict[Tone, str] = {
    "plain": "",
    "strong": "bold",
    "dim": "dim",
    "alarm": "bold red",
    "warn": "yellow",
    "good": "green",
}
"""How a tone looks where colours are wanted."""

NARROW = 60
"""Below this width a table is written as lines, since columns would be cut into letters."""

_WIDEST = 100_000
"""Columns of a line that nobody wants wrapped: it goes into a pipe or a file."""

_PLOT = 80
"""Most columns of a plot."""

_GAP = 2
"""Columns between two cells."""

_KEPT = "\ue000"
"""Stands for a no-break space while lines are broken, which rich does at that too; of captured text it is none, since
there it is shown as an escape."""


def escape(text: str) -> str:
    """Text -> the same, of which nothing moves the cursor or hides."""
    return printable(text).replace("\N{NO-BREAK SPACE}", _KEPT)


MARKUP = re.compile(r"\x1b\[[0-9;]*m")
"""What this output writes around texts."""


def render(document: Document, *, width: int = 100, colour: bool = False, cut: bool = False) -> str:
    """Document -> text, `width` columns wide, with ANSI styles if `colour`.

    Tables of one line a row are as wide as they need to be, or, with `cut`, as wide as the rest.
    """
    from rich.console import Console  # 0.06 s, and only this output needs it
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 20),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Text(escape(document.title), "bold underline"))
    for block in document.blocks:
        _print(block, console, cut)
    shown = out.getvalue().replace(_KEPT, " ")
    return "\n".join(line.rstrip() for line in shown.strip("\n").split("\n")) + "\n"


def _print(block: object, console: Console, cut: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    match block:
        case Heading(text, level):
            style = "bold underline" if level < 3 else "bold"
            console.print(Text(f"\n{escape(text)}" if level < 3 else f"\n  {escape(text)}", style))
        case Paragraph(text, tone):
            console.print(Text(escape(text), STYLES[tone]))
        case Bullets(points):
            for point in points:
                console.print(Text("- " + escape(point)))
        case Table():
            _print_table(block, console, cut)
        case Bars() | Lanes() | Flows() | Listing():
            _print_table(block.table, console, cut)
        case Commands(lines):
            for line in lines:
                console.print(
                    Padding(Text(escape(line), "bold", no_wrap=True, overflow="ignore"), (0, 0, 0, 2)), crop=False
                )
        case Plot():
            for line in plot.letters(block, min(console.width, _PLOT)):
                console.print(Text(line, no_wrap=True, overflow="ignore"), crop=False)
        case Data(json):
            console.print(Text(json, no_wrap=True, overflow="ignore"), crop=False)


def _print_table(table: Table, console: Console, cut: bool) -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    if console.width < NARROW and not table.one_line:
        for row in table.rows:
            named = [f"{c.title}: {escape(x.text)}" for c, x in zip(table.columns, row, strict=True) if x.text]
            console.print(Text("- " + "; ".join(named)))
        return
    grid = RichTable(box=None, pad_edge=False, header_style="dim", padding=(0, _GAP, 0, 0))
    kept = _kept(table, console.width) if table.one_line and cut else None
    for n, column in enumerate(table.columns):
        grid.add_column(
            Text(escape(column.title)),
            justify="right" if column.number else "left",
            overflow="ellipsis" if table.one_line else "fold",
            no_wrap=column.number or table.one_line,
            max_width=kept[n] if kept else None,
        )
    for row in table.rows:
        grid.add_row(*(Text(escape(cell.text), STYLES[cell.tone]) for cell in row))
    width = console.width
    console.width = _WIDEST if table.one_line and not cut else width
    console.print(grid)
    console.width = width


def _kept(table: Table, width: int) -> list[int]:
    """How wide each column may be so that a row fits on one line: the widest give way first."""
    kept = [
        max(len(column.title), *(len(escape(row[n].text)) for row in table.rows))
        for n, column in enumerate(table.columns)
    ]
    room = max(width - _GAP * len(kept), len(kept))
    while sum(kept) > room:
        most, second = sorted([*kept, 0], reverse=True)[:2]
        kept[kept.index(most)] -= max(1, min(most - second, sum(kept) - room))
    return kept
