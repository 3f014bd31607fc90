"""Document -> a shorter one that says the same in fewer rows, for places that take posts of a certain length.

Nothing is cut off: rows of a table that agree in what distinguishes them least are put together, and their other cells
list what they held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from analysis import texts
from analysis.redact import count_class
from analysis.report.document import Block, Bullets, Cell, Column, Data, Document, Paragraph, Picture, Table, Tone

ROWS = (60, 30, 16, 8, 4, 2)
"""Rows that are left of a table, from step to step."""

_LONG = 12
"""A table with more rows is folded where that can be."""

_WITH_DATA = 3
"""Steps before the form for programs goes."""

_NAMED = (100, 6)
"""Different texts that one cell lists, at first and where that is too long; of more it says how many, in classes."""

_ORDER: tuple[Tone, ...] = ("plain", "dim", "good", "strong", "warn", "alarm")
"""Of several tones the last counts."""


def fitting(document: Document, render: Callable[[Document], str], most: int) -> str:
    """A document, how it is written, and how long that may be -> the first text that is short enough.

    The form for programs cannot be put together: it goes before tables lose what people read them for.
    """
    text = ""
    for candidate in _candidates(document):
        text = render(candidate)
        if len(text) <= most:
            return text
    return text


def is_long(block: Block) -> bool:
    """Whether a block is to be folded where that can be."""
    return isinstance(block, Data) or (isinstance(block, Table) and len(block.rows) > _LONG)


def _candidates(document: Document) -> Iterator[Document]:
    """A document, and shorter and shorter ones."""
    yield document
    yield from (aggregated(document, rows) for rows in ROWS[:_WITH_DATA])
    bare = _without_data(document)
    yield bare
    yield from (aggregated(bare, rows, named) for named in _NAMED for rows in ROWS)


def aggregated(document: Document, rows: int, named: int = _NAMED[0]) -> Document:
    """A document -> the same with at most so many rows in a table and points in a list, and a sentence that says so."""
    blocks = tuple(_shorter(block, rows, named) for block in document.blocks)
    return Document(document.title, (*_first(blocks), Paragraph(texts.PUT_TOGETHER), *_rest(blocks)))


def _first(blocks: Sequence[Block]) -> Sequence[Block]:
    return blocks[: _answer(blocks)]


def _rest(blocks: Sequence[Block]) -> Sequence[Block]:
    return blocks[_answer(blocks) :]


def _answer(blocks: Sequence[Block]) -> int:
    """How many paragraphs stand at the beginning."""
    return next((n for n, block in enumerate(blocks) if not isinstance(block, Paragraph)), len(blocks))


def _shorter(block: Block, rows: int, named: int) -> Block:
    if isinstance(block, Picture.__value__):
        return merged(block.table, rows, named)
    if isinstance(block, Table):
        return merged(block, rows, named)
    if isinstance(block, Bullets) and len(block.points) > rows:
        return Bullets((*block.points[: rows - 1], _more(len(block.points) - rows + 1)))
    return block


def merged(table: Table, most: int, named: int = _NAMED[0]) -> Table:
    """A table -> one of at most so many rows; columns of numbers are added up.

    >>> merged(Table((Column("a"), Column("b")), tuple((Cell("x"), Cell(str(n))) for n in range(3))), 2).rows[0][1].text
    '0, 1, 2'
    """
    if len(table.rows) <= most:
        return table
    keys = [n for n, column in enumerate(table.columns) if not column.number]
    distinct = {n: len({row[n].text for row in table.rows}) for n in keys}
    while keys and len({tuple(row[n].text for n in keys) for row in table.rows}) > most:
        keys.remove(max(keys, key=lambda n: distinct[n]))
    groups: dict[tuple[str, ...], list[tuple[Cell, ...]]] = {}
    for row in table.rows:
        groups.setdefault(tuple(row[n].text for n in keys), []).append(row)
    return Table(
        table.columns, tuple(tuple(_cells(table.columns, rows, named)) for rows in groups.values()), table.one_line
    )


def _cells(columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], named: int) -> Iterator[Cell]:
    for n, column in enumerate(columns):
        cells = [row[n] for row in rows]
        tone = max((cell.tone for cell in cells), key=_ORDER.index)
        names = list(dict.fromkeys(cell.text for cell in cells if cell.text))
        numbers = [name.replace(texts.THOUSANDS, "") for name in (cell.text for cell in cells) if name]
        if column.number and all(number.isdecimal() for number in numbers):
            yield Cell(texts.number(sum(map(int, numbers))) if numbers else "", tone)
        else:
            shown = names[:named]
            yield Cell(", ".join(shown + [_more(len(names) - named)] * (len(names) > named)), tone)


def _more(n: int) -> str:
    return texts.UNCOVERED_MORE[-1].format(n=count_class(n))


def _without_data(document: Document) -> Document:
    kept = (block for block in document.blocks if block != Paragraph(texts.SHARED_DATA_NOTE))
    blocks = (Paragraph(texts.NO_DATA_IN_POST) if isinstance(block, Data) else block for block in kept)
    return Document(document.title, tuple(blocks))
