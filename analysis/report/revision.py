"""What a revision of a declared list changed -> a document, and JSON for programs."""

from __future__ import annotations

from dataclasses import asdict

from msgspec import structs

from analysis import texts
from analysis.knowledge import Knowledge
from analysis.pack import DeclaredList, Statement
from analysis.report.as_json import Json, declared
from analysis.report.document import Block, Bullets, Cell, Column, Document, Heading, Paragraph, Table
from analysis.revision import ItemChange, Revision, StatementChange
from analysis.texts import long_date
from analysis.texts.revision import CHANGE_HEADINGS, CHANGES, REVISION


def document(revision: Revision, known: Knowledge) -> Document:
    """A revision -> counts, items by what became of them, statements likewise; what is the same is only counted."""
    before, after = revision.before, revision.after
    blocks: list[Block] = [Paragraph(_counts(revision), "strong")]
    blocks.extend(
        Paragraph(REVISION["read"].format(date=x.id, read=x.read, note=x.note), "dim")
        for x in (before, after)
        if x.read or x.note
    )
    for kind in ("moved", "dropped", "added"):
        if rows := tuple(_item_row(change, known) for change in revision.items if change.kind == kind):
            blocks.append(Heading(CHANGE_HEADINGS["items", kind].format(n=len(rows))))
            blocks.append(Table((Column(texts.ITEM), Column(before.id), Column(after.id)), rows))
    for kind in ("moved", "reworded", "changed", "dropped", "added"):
        if points := tuple(_point(change, known) for change in revision.statements if change.kind == kind):
            blocks.append(Heading(CHANGE_HEADINGS["statements", kind].format(n=len(points))))
            blocks.append(Bullets(points))
    return Document(REVISION["title"].format(before=_named(before, known), after=_named(after, known)), tuple(blocks))


def as_json(revision: Revision, known: Knowledge) -> Json:
    """A revision -> one object, `phonehome/declared-diff/1`; statements as the packs hold them, null where there is
    none."""
    return {
        "schema": "phonehome/declared-diff/1",
        "before": declared(revision.before, brief=True),
        "after": declared(revision.after, brief=True),
        "items": [
            {
                "item": change.item,
                "label": known.label(change.item),
                "change": change.kind,
                "before": list(change.before),
                "after": list(change.after),
            }
            for change in revision.items
        ],
        "statements": [
            {
                "change": change.kind,
                "before": structs.asdict(change.before) if change.before else None,
                "after": structs.asdict(change.after) if change.after else None,
                "changed": [asdict(property_) for property_ in change.changed],
            }
            for change in revision.statements
        ],
    }


def _named(x: DeclaredList, known: Knowledge) -> str:
    return f"{known.products[x.product].name}, {x.title} of {long_date(x.effective)}"


def _counts(revision: Revision) -> str:
    parts = []
    for what, changes in (("items", revision.items), ("statements", revision.statements)):
        kinds = [change.kind for change in changes]
        counted = [f"{kinds.count(kind)} {word}" for kind, word in CHANGES.items() if kind in kinds]
        parts.append(REVISION[what].format(counts=", ".join(counted) or REVISION["none"]))
    return " ".join(parts)


def _item_row(change: ItemChange, known: Knowledge) -> tuple[Cell, ...]:
    said = (", ".join(statuses) or REVISION["unnamed"] for statuses in (change.before, change.after))
    return (Cell(known.label(change.item), "strong"), *map(Cell, said))


def _point(change: StatementChange, known: Knowledge) -> str:
    before, after = change.before, change.after
    if before and after:
        said = [] if before.status == after.status else [f"{before.status} → {after.status}"]
        if before.wording != after.wording:
            said.append(f"“{before.wording}” → “{after.wording}”")
        said += [f"{c.name}: {c.before or REVISION['none']} → {c.after or REVISION['none']}" for c in change.changed]
        return f"{after.wording} ({_items(after, known)}): {'; '.join(said)}"
    only = after or before
    assert only is not None  # noqa: S101 - a change has at least one side
    return f"{only.wording} ({_items(only, known)}): {only.status}; {only.place}"


def _items(statement: Statement, known: Knowledge) -> str:
    return ", ".join(map(known.label, statement.items)) or REVISION["unnamed"]
