"""What a report is made of, for every output: headings, paragraphs, lists, tables, commands and one data block.

Every text may hold captured text (a host, a product name that somebody put into a header); the renderers escape it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from analysis import texts

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


@dataclass(frozen=True, slots=True)
class Bars:
    """A picture of counts, each split in two."""

    title: str
    """What it shows."""
    parts: tuple[str, str]
    """Names of the two parts of each count."""
    rows: tuple[tuple[str, int, int], ...]
    """Name, first part, second part; from top to bottom, not empty."""

    @property
    def table(self) -> Table:
        """The same as numbers."""
        columns = (Column(self.title), *(Column(part, number=True) for part in self.parts))
        return Table(
            columns, tuple((Cell(name), Cell(texts.number(a)), Cell(texts.number(b))) for name, a, b in self.rows)
        )


@dataclass(frozen=True, slots=True)
class Lanes:
    """A picture of when something happened: one lane a kind."""

    title: str
    """What it shows."""
    begins: tuple[str, ...]
    """When each span of time begins; all are equally long; not empty."""
    end: str
    """When the last one ends."""
    lanes: tuple[tuple[str, tuple[int, ...]], ...]
    """Name, and how often in each span, as long as `begins`; not empty."""

    @property
    def table(self) -> Table:
        """The same as numbers, without the spans in which nothing happened."""
        columns = (Column(self.title), *(Column(name, number=True) for name, _ in self.lanes))
        spans = zip(self.begins, zip(*(counts for _, counts in self.lanes), strict=True), strict=True)
        rows = (
            (Cell(begin), *(Cell(texts.number(n) if n else "") for n in counts))
            for begin, counts in spans
            if any(counts)
        )
        return Table(columns, tuple(rows))


@dataclass(frozen=True, slots=True)
class Flows:
    """A picture of what goes from where, to whom, and what it is."""

    title: str
    """What it shows."""
    layers: tuple[str, str, str]
    """Names of the three layers."""
    count: str
    """Name of the count."""
    links: tuple[tuple[str, str, str, int, Tone], ...]
    """A name in each layer, how much, and how the last step is to be weighed; not empty."""

    @property
    def table(self) -> Table:
        """The same as numbers."""
        columns = (*map(Column, self.layers), Column(self.count, number=True))
        rows = ((Cell(a), Cell(b), Cell(c, tone), Cell(texts.number(n))) for a, b, c, n, tone in self.links)
        return Table(columns, tuple(rows))


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls of one kind, with what they carried."""

    call: str
    """Method, host and path."""
    sender: str
    """Who sent them; empty when that is not known."""
    recipient: str
    """Who got them."""
    purpose: str
    """What for."""
    verdict: str
    """The worst that is to be said of them."""
    tone: Tone
    """How that is to be weighed."""
    count: int
    """How many calls."""
    items: tuple[tuple[Cell, ...], ...]
    """One row for each data item and place, as long as `Listing.items`; the first cell is its number."""
    calls: tuple[tuple[str, ...], ...]
    """One row for each call, as long as `Listing.calls`; fewer than `count` where there are too many to show."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Every call with what it carried, to be searched."""

    items: tuple[Column, ...]
    """Columns of the data items."""
    calls: tuple[Column, ...]
    """Columns of the calls."""
    kinds: tuple[Kind, ...]
    """The most serious first; not empty."""
    left_out: int = 0
    """Calls of kinds that are too many to show."""

    @property
    def table(self) -> Table:
        """The kinds alone."""
        return Table(
            (Column(texts.CALL), Column(texts.RECIPIENT), Column(texts.PURPOSES), Column(texts.CALLS, number=True)),
            tuple(
                (Cell(kind.call), Cell(kind.recipient), Cell(kind.purpose), Cell(texts.number(kind.count)))
                for kind in self.kinds
            ),
        )


type Picture = Bars | Lanes | Flows | Listing
"""What needs a page; other outputs show its table."""

type Block = Heading | Paragraph | Bullets | Table | Commands | Data | Plot | Picture


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

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\U000e0000-\U000e0fff]")
"""Letters and marks of other categories that nobody sees (Default_Ignorable_Code_Point of Unicode), but the two that
choose the form of a picture."""


def printable(text: str) -> str:
    r"""Any text -> one line without control, bidirectional and invisible characters, which are written as escapes.

    >>> printable("a\x1b[31m\u202eb\nc")
    'a\\x1b[31m\\u202eb\\nc'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _INVISIBLE or _UNSEEN.match(c) else c for c in text)


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
    return f"{texts.number(value, '.1f' if value < 10 and unit != 'B' else ',.0f')} {unit}"
