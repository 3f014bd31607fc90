"""Two declared lists -> what the second says otherwise: added, dropped, moved, in other words.

Both are compared as they stand in the packs, so what a list's `read` and `note` leave out shows as a difference too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from msgspec import structs

from analysis.pack import DeclaredList, Statement

type Kind = Literal["added", "dropped", "moved", "reworded", "changed", "same"]
"""`moved`: between required, optional and never; `reworded`: the same in other words; `changed`: anything else, such as
the switch, who receives it, or a promise of rounding.  The first that holds."""

_SIMILAR = 0.6
"""Wordings from which two statements about one item are taken for the same one (0 to 1)."""

_NOT_COMPARED = ("id", "status", "wording", "place", "note", "fields", "derived")
"""Told apart by themselves, or ours and not the document's."""

_MANNER = ("recipients", "only-recipients", "rounding", "anonymous", "content")


@dataclass(frozen=True, slots=True)
class Changed:
    """One property of a statement that is not the same."""

    name: str
    """As the pack calls it: `switch`, `rounding`."""
    before: str
    """Its value; several are joined by commas; empty for none."""
    after: str
    """Likewise."""


@dataclass(frozen=True, slots=True)
class StatementChange:
    """One statement in both lists, or in one."""

    kind: Kind
    """What became of it."""
    before: Statement | None
    """In the first list; `None` when it was added."""
    after: Statement | None
    """In the second; `None` when it was dropped."""
    changed: tuple[Changed, ...] = ()
    """Properties other than status and wording that are not the same."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One data item, or a broader term, as the two lists speak of it."""

    item: str
    """Id in `items.toml` or `ontology.toml`."""
    kind: Kind
    """`added`, `dropped`, `moved` or `same`."""
    before: tuple[str, ...]
    """How the first list names it: `required`, `optional`, `never`; empty when it does not."""
    after: tuple[str, ...]
    """Likewise the second."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What became of a list."""

    before: DeclaredList
    """The first list."""
    after: DeclaredList
    """The second."""
    items: tuple[ItemChange, ...]
    """Every item that either names, sorted by id."""
    statements: tuple[StatementChange, ...]
    """Every statement of either: in the order of the second list, the dropped ones at the end."""


def revise(before: DeclaredList, after: DeclaredList) -> Revision:
    """Two lists -> what the second says otherwise.  Of any two; a list and itself give only `same`.

    Documentation describes what is sent, and neither denies nor promises anything: beside one, denials are left out,
    and how something is sent is not compared.
    """
    plain = "documentation" in (before.kind, after.kind)
    old, new = ([s for s in x.statements if not (plain and s.status == "never")] for x in (before, after))
    pairs = _pairs(old, new)
    found = [_change(pairs.get(statement.id), statement, plain) for statement in new]
    kept = {statement.id for statement in pairs.values()}
    found.extend(StatementChange("dropped", statement, None) for statement in old if statement.id not in kept)
    return Revision(before, after, tuple(_items(old, new)), tuple(found))


def _items(before: Sequence[Statement], after: Sequence[Statement]) -> Iterator[ItemChange]:
    first, second = _named(before), _named(after)
    for item in sorted({*first, *second}):
        old, new = first.get(item, ()), second.get(item, ())
        kind: Kind = "added" if not old else "dropped" if not new else "moved" if old != new else "same"
        yield ItemChange(item, kind, old, new)


def _named(statements: Sequence[Statement]) -> dict[str, tuple[str, ...]]:
    named: dict[str, set[str]] = {}
    for statement in statements:
        for item in statement.items:
            named.setdefault(item, set()).add(statement.status)
    order = ("required", "optional", "never")
    return {item: tuple(status for status in order if status in there) for item, there in named.items()}


def _pairs(old: Sequence[Statement], new: Sequence[Statement]) -> dict[str, Statement]:
    """Id of a new statement -> the old one that it continues: the likest pairs first, each statement once."""
    likeness = [
        (score, -i, -j, a, b) for i, a in enumerate(old) for j, b in enumerate(new) if (score := _likeness(a, b))
    ]
    pairs: dict[str, Statement] = {}
    taken: set[str] = set()
    for *_, a, b in sorted(likeness, key=lambda found: found[:3], reverse=True):
        if a.id not in taken and b.id not in pairs:
            taken.add(a.id)
            pairs[b.id] = a
    return pairs


def _likeness(a: Statement, b: Statement) -> float:
    """0: two statements; more: the likelier the same.  An id is given for life; else they must be about one item, and
    mean a field in common if both name fields."""
    shared = len(set(a.items) & set(b.items))
    about = shared / len({*a.items, *b.items}) if a.items or b.items else 1.0
    if a.id == b.id:
        return 4 + about
    if not about or (a.fields and b.fields and not {f.lower() for f in a.fields} & {f.lower() for f in b.fields}):
        return 0
    words = SequenceMatcher(None, _plain(a.wording), _plain(b.wording), autojunk=False).ratio()
    if words == 1:
        return 2 + about
    return about + words if words >= _SIMILAR and (a.status == "never") == (b.status == "never") else 0


def _plain(wording: str) -> str:
    return " ".join(wording.casefold().split())


def _change(before: Statement | None, after: Statement, plain: bool) -> StatementChange:
    if before is None:
        return StatementChange("added", None, after)
    changed = tuple(change for change in _changed(before, after) if not (plain and change.name in _MANNER))
    kind: Kind = "same"
    if before.status != after.status:
        kind = "moved"
    elif _plain(before.wording) != _plain(after.wording):
        kind = "reworded"
    elif changed:
        kind = "changed"
    return StatementChange(kind, before, after, changed)


def _changed(before: Statement, after: Statement) -> Iterator[Changed]:
    for known in structs.fields(Statement):
        if known.name in _NOT_COMPARED:
            continue
        old, new = getattr(before, known.name), getattr(after, known.name)
        if isinstance(old, tuple):
            old, new = tuple(sorted(old)), tuple(sorted(new))
        if old != new:
            yield Changed(known.name.replace("_", "-"), _text(old), _text(new))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
