"""Place in a call -> what rules and well-known names say of it, whatever value stands there.

A household's calls have few places and many values, so each place is looked up once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple
from urllib.parse import unquote

from analysis.at import LONGEST_PATH, compile_host, compile_path, compile_places, first_place, normalise
from analysis.knowledge import Knowledge
from analysis.names import ADDRESS_PARTS
from analysis.pack import Rule

_MOST_PLACES = 2_000
_LONGEST_PLACE = 300
"""Places that are kept for one rule, so that hostile calls do not fill the memory, and the characters of one."""

type Fits = Callable[[str], object] | None
"""Whether a value is one of those meant; `None`: all are."""


class Field(NamedTuple):
    """One entry of a product's vocabulary, compiled."""

    item: str
    server_item: str
    only: Fits
    when: tuple[tuple[str, Fits], ...]
    """Headers or parameters that must stand beside it, and what they must hold."""


class Place(NamedTuple):
    """What is known of one place."""

    items: tuple[tuple[str, Fits, Fits], ...]
    """Items that the rule names there, each with its `only-if` and `not-if`."""
    fields: tuple[Field, ...]
    """Entries of the products' vocabularies for this header or parameter, in their order."""
    item: str
    """Item of which this is a well-known place; else empty."""
    name: str
    """Name of the field, in lower case."""
    shaped: bool
    """Whether the shape of a value says something there."""


_NO_SHAPES = ("header.user-agent", "response.header.server", "response.header.user-agent")
"""Places full of version numbers, which look like addresses."""

_POSITIONS = re.compile(r"(?:\.[0-9]+|\[[a-z0-9]+\])+\Z")


@dataclass(frozen=True, slots=True)
class _Names:
    """Well-known places and names of all packs."""

    places: dict[str, str]
    """Normalised place -> item."""
    fields: dict[str, tuple[Field, ...]]
    """Header or parameter, in lower case -> entries in their order."""


class RulePlaces(dict[str, Place]):
    """Place -> what is known of it in calls that fit one rule, or none; the position in a list makes no difference."""

    def __init__(self, rule: Rule | None, names: _Names) -> None:
        super().__init__()
        items = rule.items if rule else ()
        self._names = names
        self._places = compile_places(items)
        self._globs = {id(item): (any_of(item.only_if), any_of(item.not_if)) for item in items}
        self._patterns = {
            "path": (compile_path(rule.match.path),) if rule and rule.match.path else (),
            "host": tuple(compile_host(host) for host in rule.match.host) if rule else (),
        }
        places = ((at.partition("."), item) for item in items for at in item.at)
        self._parts = [(where, name, item) for (where, _, name), item in places if where in self._patterns]

    def __missing__(self, at: str) -> Place:
        first = first_place(at)
        found = self[first] if first != at else self._look_up(at)
        if len(self) >= _MOST_PLACES:
            self.clear()
        if len(at) <= _LONGEST_PLACE:
            self[at] = found
        return found

    def _look_up(self, at: str) -> Place:
        whole = at in self._patterns
        name = at.partition(".")[2].lower() if at.startswith(("header.", "query.")) else ""
        return Place(
            () if whole else tuple((item.id, *self._globs[id(item)]) for item in self._places.match(at)),
            self._names.fields.get(name, ()) if name else (),
            self._names.places.get(normalise(at).lower(), ""),
            _POSITIONS.sub("", at).rpartition(".")[2].lower(),
            at not in _NO_SHAPES and not at.endswith(ADDRESS_PARTS),
        )

    def parts(self, at: str, whole: str) -> list[tuple[str, str]]:
        """`path` or `host`, and what stands there -> the items that the rule names in it, each with its value."""
        found: list[tuple[str, str]] = []
        if not self._parts or at not in self._patterns:
            return found
        matches = (pattern.fullmatch(whole, 0, LONGEST_PATH) for pattern in self._patterns[at])
        named = next((match.groupdict() for match in matches if match), {})
        for where, name, item in self._parts:
            value = unquote(named.get(name) or "") if name else whole
            if where == at and is_wanted(value, *self._globs[id(item)]):
                found.append((item.id, value))
        return found


class _Rules(dict[str, RulePlaces]):
    """Rules by id, empty for none; each is compiled when a call fits it, for all together take a second."""

    def __init__(self, knowledge: Knowledge) -> None:
        super().__init__()
        self._rules, self._names = knowledge.rules, _names(knowledge)

    def __missing__(self, rule: str) -> RulePlaces:
        self[rule] = found = RulePlaces(self._rules[rule] if rule else None, self._names)
        return found


rule_places = functools.lru_cache(maxsize=4)(_Rules)
"""Knowledge -> the places in calls that fit a rule, by its id; the empty id is for calls that fit none."""


def _names(knowledge: Knowledge) -> _Names:
    fields: dict[str, list[Field]] = {}
    for product in knowledge.products.values():
        for field in product.fields:
            conditions = (text.partition("=") for text in field.when)
            when = tuple((name.lower(), any_of((value,)) if given else None) for name, given, value in conditions)
            entry = Field(field.item, field.server_item or field.item, any_of(field.only_if), when)
            fields.setdefault(field.name.lower(), []).append(entry)
    return _Names(
        places={normalise(at).lower(): item.id for item in knowledge.items.values() for at in item.names},
        fields={name: tuple(entries) for name, entries in fields.items()},
    )


def any_of(patterns: tuple[str, ...]) -> Fits:
    """Patterns with wildcards -> whether a value fits one of them, in any case."""
    return re.compile("|".join(translate(p) for p in patterns), re.IGNORECASE).match if patterns else None


def is_wanted(value: str, only: Fits, never: Fits) -> bool:
    """Whether a value at a place that a rule names is what the rule means."""
    return value not in FILLERS and (only is None or bool(only(value))) and not (never and never(value))


FILLERS = frozenset({"", "*", "null", "undefined", "(null)", "None", "nil", "NaN"})
"""Values that say nothing."""
