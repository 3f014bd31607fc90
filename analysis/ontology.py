"""What the broader words of lists cover: `ontology.toml`, as two small trees of data items and of recipients.

PoliCheck (USENIX Security 2020) compares what is sent with what a policy says over such ontologies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import msgspec

from captures.model import Sentence

ONTOLOGY = Path(__file__).with_name("ontology.toml")
"""The file."""


class Term(msgspec.Struct, frozen=True):
    """A broader word."""

    label: str
    """What people read."""
    narrower: tuple[str, ...]
    """Ids that it covers: data items or kinds of recipients, and other terms."""


# With a dictionary: the look-up tables are worked out once and kept in the instance.
class Ontology(msgspec.Struct, frozen=True, dict=True):
    """All broader words."""

    items: Mapping[str, Term] = msgspec.field(default_factory=dict)
    """Terms for data items, by id."""
    recipients: Mapping[str, Term] = msgspec.field(default_factory=dict)
    """Terms for kinds of recipients, by id."""
    businesses: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Main business of a company, as `entities.tsv` has it -> kind of recipient."""

    @cached_property
    def broader_items(self) -> Mapping[str, frozenset[str]]:
        """Data item or term -> all terms that cover it, over any number of steps."""
        return _broader(self.items)

    @cached_property
    def broader_recipients(self) -> Mapping[str, frozenset[str]]:
        """Kind of recipient or term -> all terms that cover it, over any number of steps."""
        return _broader(self.recipients)

    def covers_item(self, said: Collection[str], item: str) -> bool:
        """Whether one of the ids that a list names is the item, or a term that covers it."""
        return item in said or not self.broader_items.get(item, frozenset()).isdisjoint(said)

    def covers_recipient(self, said: Collection[str], kind: str) -> bool:
        """Whether one of the recipients that a list names is of this kind, or a term that covers it."""
        return kind in said or not self.broader_recipients.get(kind, frozenset()).isdisjoint(said)

    def is_narrower(self, one: Collection[str], other: Collection[str], item: str) -> bool:
        """Whether of two statements' ids that cover an item, the first are more special: the item itself rather than a
        term, or terms that lie below one of the other's."""
        if item in one or item in other:
            return item in one and item not in other
        above = self.broader_items
        mine, theirs = ({term for term in said if term in above.get(item, ())} for said in (one, other))
        return bool(mine) and all(not above.get(term, frozenset()).isdisjoint(theirs) for term in mine)


def _broader(terms: Mapping[str, Term]) -> Mapping[str, frozenset[str]]:
    above: dict[str, set[str]] = {}
    for term, known in terms.items():
        for below in known.narrower:
            above.setdefault(below, set()).add(term)

    def reach(name: str) -> Iterator[str]:
        waiting: list[str] = [name]
        seen: set[str] = set()
        while waiting:
            for term in above.get(waiting.pop(), set()) - seen:
                seen.add(term)
                waiting.append(term)
                yield term

    return {name: frozenset(reach(name)) for name in above}


def faults(ontology: Ontology, items: Collection[str], kinds: Collection[str]) -> Iterator[Sentence]:
    """The ontology -> one line for each fault: names that do not exist or are taken, circles, what no term covers."""
    for table, terms, leaves in (("items", ontology.items, items), ("recipients", ontology.recipients, kinds)):
        above = _broader(terms)
        for term, known in terms.items():
            place = f"{table}.{term}"
            if term in leaves:
                yield f"{place}: is the name of what it is to cover; choose another"
            if term in above.get(term, ()):
                yield f"{place}: covers itself by a circle; take it out of one of the terms below it"
            for below in known.narrower:
                if below not in leaves and below not in terms:
                    yield f"{place}: {below}: is no id that can be covered"
        yield from (f"{table}: {leaf}: is covered by no term; add it to one" for leaf in leaves if leaf not in above)
    for business, kind in ontology.businesses.items():
        if kind not in kinds:
            yield f"businesses.{business}: {kind}: is no kind of recipient; there are: {', '.join(kinds)}"
