"""What many reports say together -> the document, for a terminal, a forum or a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import texts
from analysis.community import sentences
from analysis.community.answers import Answers, Outlier, Statement, What
from analysis.model import Verdict
from analysis.report.document import Block, Bullets, Cell, Column, Document, Heading, Paragraph, Table, Tone
from analysis.texts import community as words
from analysis.texts import plural
from analysis.traffic import BROKEN

LONGEST = 40
"""Rows of what needs a capture that are shown to people; programs get all."""


def community(found: Answers, few: Sequence[Outlier] = (), *, parts: bool = False) -> Document:
    """Answers -> document.  `few` are only for who collects; `parts` also shows versions, platforms and settings."""
    blocks = [*_basis(found)]
    if found.statements:
        blocks += [*_headlines(found), *_changes(found), *_revisions(found), *_disagreements(found)]
        blocks += _statements(found, parts)
    blocks += [*_gaps(found), *_outliers(few)]
    return Document(words.TITLE, tuple(blocks))


def _basis(found: Answers) -> Iterator[Block]:
    counts = found.counts
    if not found.statements:
        yield Paragraph(words.BASIS_EMPTY.format(minimum=found.minimum), "strong")
    else:
        yield Paragraph(
            words.BASIS.format(
                reports=counts.reports,
                posters=counts.posters,
                first=counts.first or texts.SHARED_NO_MONTH,
                last=counts.last or texts.SHARED_NO_MONTH,
                minimum=found.minimum,
            )
        )
        yield Paragraph(words.REPORTED)
    if counts.alike.endswith("+"):
        yield Paragraph(words.ALIKE.format(alike=counts.alike), "dim")
    if counts.unknown:
        yield Paragraph(plural(counts.unknown, words.UNKNOWN), "dim")
    if counts.outliers:
        yield Paragraph(plural(counts.outliers, words.OUTLIERS_COUNTED), "dim")


def _headlines(found: Answers) -> Iterator[Block]:
    lines = tuple(sentences.headlines(found))
    yield Heading(words.HEADLINES)
    yield Bullets(lines) if lines else Paragraph(words.NO_HEADLINES)


def _changes(found: Answers) -> Iterator[Block]:
    if not found.changes:
        return
    yield Heading(words.CHANGES)
    columns = (words.VERSION, *_columns(), words.CHANGE, words.BEFORE, words.AFTER, words.FIRM)
    yield _table(
        columns,
        (
            (
                change.version,
                *_what(change.what),
                words.APPEARED if change.appeared else words.GONE,
                sentences.seen(change.seen_before),
                sentences.seen(change.seen_after),
                words.FIRM_YES if change.headline else words.FIRM_NO,
            )
            for change in found.changes
        ),
    )


def _revisions(found: Answers) -> Iterator[Block]:
    if not found.revisions:
        return
    yield Heading(words.REVISIONS)
    yield _table(
        (words.LISTS, *_columns(), words.WAS, words.NOW),
        (
            (
                f"{revision.old} → {revision.new}",
                *_what(revision.what),
                sentences.verdicts((revision.was,)),
                sentences.verdicts((revision.now,)),
            )
            for revision in found.revisions
        ),
    )


def _disagreements(found: Answers) -> Iterator[Block]:
    if not found.disagreements:
        return
    yield Heading(words.DISAGREEMENTS)
    yield _table(
        (*_columns(), words.DIFFERENCE, words.SEEN_BY, words.EXPLAINED, words.WITH, words.WITHOUT),
        (
            (
                *_what(one.what),
                one.verdict or words.WHETHER,
                sentences.seen(one.seen),
                sentences.factor(one),
                sentences.seen(one.seen_with) if one.seen_with else "",
                sentences.seen(one.seen_without) if one.seen_without else "",
            )
            for one in found.disagreements
        ),
    )


def _statements(found: Answers, parts: bool) -> Iterator[Block]:
    chosen = [one for one in found.statements if parts or sentences.part(one) == words.ANY]
    yield Heading(words.STATEMENTS)
    only = (words.SLICE,) if parts else ()
    columns = (texts.VERDICT, *_columns(), *only, words.SEEN_BY, words.SINCE, words.STATUS)
    rows = []
    for one in sorted(chosen, key=_seriousness):
        slices = (sentences.part(one),) if parts else ()
        cells = (*_what(one.what), *slices, sentences.seen(one.seen), sentences.since(one), sentences.status(one))
        rows.append((Cell(sentences.verdicts(one.verdicts), tone(one)), *map(Cell, cells)))
    yield Table(tuple(map(Column, columns)), tuple(rows))


def tone(statement: Statement) -> Tone:
    """How a statement is to be weighed: an accusation that nobody can repeat yet is no alarm."""
    if not statement.verdicts or Verdict(statement.verdicts[0].verdict) not in BROKEN:
        return "plain"
    return "alarm" if statement.status == "reproduced" else "warn"


def _seriousness(statement: Statement) -> tuple[int, What]:
    order = list(Verdict)
    return order.index(Verdict(statement.verdicts[0].verdict)) if statement.verdicts else len(order), statement.what


def _gaps(found: Answers) -> Iterator[Block]:
    yield Heading(words.GAPS)
    if not found.gaps:
        yield Paragraph(words.NO_GAPS)
        return
    yield Paragraph(words.GAPS_NOTE.format(minimum=found.minimum))
    yield _table(
        (texts.SENDER, words.VERSION, words.PLATFORMS, words.LOOKED),
        (
            (
                sentences.product(gap.product),
                gap.version or words.ANY_VERSION,
                ", ".join(gap.platforms),
                ", ".join(gap.looked),
            )
            for gap in found.gaps[:LONGEST]
        ),
    )


def _outliers(few: Sequence[Outlier]) -> Iterator[Block]:
    if not few:
        return
    yield Heading(words.OUTLIERS)
    yield _table(
        (*_columns(), words.PEOPLE),
        (
            (*_what(What(*outlier.cell)), f"{texts.number(outlier.people)} / {texts.number(outlier.of)}")
            for outlier in few[:LONGEST]
        ),
    )


def _columns() -> tuple[str, ...]:
    """Titles of the columns that `_what` fills."""
    return (texts.SENDER, texts.ITEM, texts.RECIPIENT, texts.PURPOSES)


def _what(what: What) -> tuple[str, str, str, str]:
    return (
        sentences.product(what.product),
        sentences.item(what.item),
        sentences.entity(what.entity),
        sentences.purpose(what.category),
    )


def _table(columns: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Table:
    return Table(tuple(map(Column, columns)), tuple(tuple(map(Cell, row)) for row in rows))
