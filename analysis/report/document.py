"""What a report is made of, for every output: headings, paragraphs, lists, tables, commands and one data block.

Every text may hold captured text (a host, a product name that somebody put into a header); the renderers escape it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

type Tone = Literal["plain", "strong", "dim", "alarm", "warn", "good"]
"""How a text is to be weighed.  Never the only carrier of a meaning: a report without colours says the same."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str
    """One line."""
    level: int = 2
    """1 is the report's title, 2 a section, 3 a part of one."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str
    """Sentences, without line breaks."""
    tone: Tone = "plain"
    """How it is to be weighed."""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    points: tuple[str, ...]
    """One text each; not empty."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    """Empty when there is nothing to say."""
    tone: Tone = "plain"
    """How it is to be weighed."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    """Its heading."""
    number: bool = False
    """Whether it is set flush right."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    columns: tuple[Column, ...]
    """From left to right."""
    rows: tuple[tuple[Cell, ...], ...]
    """From top to bottom, each as long as `columns`; not empty."""
    one_line: bool = False
    """Whether each row is to stay on one line, cut if need be; else cells are wrapped."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands that a person can type next."""

    lines: tuple[str, ...]
    """One command each."""


@dataclass(frozen=True, slots=True)
class Data:
    """The report's content for programs, to stand inside the text for people."""

    json: str
    """JSON on one line or several."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of pairs of numbers."""

    title: str
    """What it shows, for those who do not see it."""
    across: str
    """Name of the horizontal axis, with its unit."""
    up: str
    """Name of the vertical axis, with its unit."""
    points: tuple[tuple[float, float, bool], ...]
    """Across, up, and whether it lies off the grid; not empty."""
    stairs: tuple[tuple[float, float, float], ...] = ()
    """The grid: from, to, and the value that stands for everything between."""


type Block = Heading | Paragraph | Bullets | Table | Commands | Data | Plot


@dataclass(frozen=True, slots=True)
class Document:
    """A report, independent of the output."""

    title: str
    """What it is about."""
    blocks: tuple[Block, ...]
    """From top to bottom."""


_LONGEST = 500
"""Characters of one captured text that are shown; it may be of any length."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, hide, reorder or break lines (controls, bidi, zero width, surrogates)."""


def printable(text: str) -> str:
    r"""Any text -> one line without control, bidirectional and invisible characters, which are written as escapes.

    >>> printable("a\x1b[31m\u202eb\nc")
    'a\\x1b[31m\\u202eb\\nc'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _INVISIBLE else c for c in text)


def brief(text: str) -> str:
    """Captured text -> its beginning, with `…` where it was cut."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def size(n: int) -> str:
    """Bytes -> a short text.

    >>> [size(n) for n in (812, 3_400, 12_000, 91_000_000)]
    ['812 B', '3.4 kB', '12 kB', '91 MB']
    """
    value, units = float(n), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while value >= 1000 and unit != "GB":
        value, unit = value / 1000, next(units)
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:,.0f} {unit}"
