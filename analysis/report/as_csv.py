"""Document -> the rows of its tables as CSV (RFC 4180), one table after the other with an empty line between.

What a spreadsheet would take for a formula gets an apostrophe before it, also after a sign at which a spreadsheet with
other settings begins a new cell.
"""

from __future__ import annotations

import csv
import io
import re

from analysis.report.document import Document, Table, printable

_FORMULA = re.compile(r"(\A|[;|])(?=[\s\"]*[=+\-@＝＋－＠])")
"""Where a formula would begin: at the sign, or behind what spreadsheets pass over; also in its wide form."""


MARKUP = re.compile(r"[\",]")
"""What this output writes around texts."""


def render(document: Document) -> str:
    """Document -> CSV; empty when it has no table."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    tables = [block for block in document.blocks if isinstance(block, Table)]
    for n, table in enumerate(tables):
        if n:
            out.write("\n")
        write([escape(column.title) for column in table.columns])
        for row in table.rows:
            write([escape(cell.text) for cell in row])
    return out.getvalue()


def escape(text: str) -> str:
    """Text -> what stands in a cell.

    >>> escape("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> escape("a; +1")
    "a;' +1"
    """
    return _FORMULA.sub(r"\1'", printable(text))
