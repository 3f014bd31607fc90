"""An answer to an access request beside captures -> the report, JSON (`phonehome/access/1`), and the letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from analysis import texts
from analysis.access import Access, SentItem, classes_sent
from analysis.pipeline import Result
from analysis.report.as_json import dump
from analysis.report.document import Block, Bullets, Cell, Column, Document, Heading, Paragraph, Table, brief
from analysis.report.phrases import label
from analysis.texts import access as words

_MOST_FIELDS = 200


def access_of(found: Access, result: Result) -> Document:
    """What agrees and what does not -> the report."""
    return Document(words.TITLE, tuple(_blocks(found, result)))


def _blocks(found: Access, result: Result) -> Iterator[Block]:
    missing = [row for row in found.sent if row.verdict == "missing"]
    names = ", ".join(dict.fromkeys(label(row.item, result) for row in missing))
    yield Paragraph(words.MISSING_FIRST.format(items=names) if missing else words.NONE_MISSING, "strong")
    yield Paragraph(words.LIMITS)
    for verdict, heading in words.HEADINGS.items():
        rows = [row for row in found.sent if row.verdict == verdict]
        if rows:
            yield Heading(heading)
            yield _sent(rows, result)
    if found.unseen:
        yield Heading(words.UNSEEN_HEADING)
        yield Paragraph(words.UNSEEN_NOTE)
        yield Table(
            (Column(words.FILE), Column(words.FIELD), Column(words.VALUES, number=True)),
            tuple(
                (Cell(brief(row.file)), Cell(brief(row.field)), Cell(texts.number(row.values)))
                for row in found.unseen[:_MOST_FIELDS]
            ),
        )
        if (rest := len(found.unseen) - _MOST_FIELDS) > 0:
            yield Paragraph(texts.plural(rest, words.MORE_FIELDS), "dim")
    if found.remarks:
        yield Heading(texts.REMARKS_HEADING)
        yield Bullets(tuple(brief(remark) for remark in found.remarks))


def _sent(rows: Sequence[SentItem], result: Result) -> Table:
    columns = (
        Column(texts.ITEM),
        Column(texts.RECIPIENT),
        Column(texts.CALLS, number=True),
        Column(words.FOUND, number=True),
        Column(words.WHERE),
    )
    return Table(
        columns,
        tuple(
            (
                Cell(label(row.item, result), "warn" if row.verdict == "missing" else "plain"),
                Cell(brief(row.entity)),
                Cell(texts.number(row.calls)),
                Cell(words.OF.format(found=texts.number(row.found), values=texts.number(row.values))),
                Cell(brief("; ".join(row.places))),
            )
            for row in rows
        ),
    )


def as_json(found: Access) -> str:
    """What agrees and what does not -> JSON text."""
    return dump({"schema": "phonehome/access/1", **asdict(found)})


def letter(result: Result, entity: str = "") -> str:
    """What was seen -> a request for access that names the classes of data, and no value of them.

    `entity` chooses one recipient; empty: all of them, one paragraph each.
    """
    chosen = {
        name: labels for name, labels in classes_sent(result).items() if entity.casefold() in ("", name.casefold())
    }
    listed = "\n\n".join(
        words.LETTER_RECIPIENT.format(entity=name, items="\n".join(f"  - {label}" for label in labels))
        for name, labels in chosen.items()
    )
    return words.LETTER.format(listed=listed)
