"""Leaf -> the data items that its name, or the form of its value, shows in anybody's calls (`names.toml`)."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.decode import Leaf
from analysis.model import Party
from analysis.pack import NamedField, Names

_MOST_PLACES = 10_000
_LONGEST_PLACE = 300
"""Places whose names are kept, so that hostile calls do not fill the memory, and the characters of one."""

_LONGEST_VALUE = 1_024
"""Characters of a value whose form is looked at: what a longer one begins with."""

_LONGEST_TEXT = 64 * 1024
"""Characters of a text in which forms are looked for."""

_SHORTEST_FORM = 5
"""Characters of the shortest value that has one of the forms."""

ADDRESS_PARTS = ("[url].host", "[url].path")
"""Ends of places that are parts of a longer value, in the whole of which they are seen."""

_LONGEST_FILLER = 20
"""Characters of a value that may say nothing."""

_LONGEST_STEP = 100
"""Characters of the name in a pair."""

_ROOTS = ("body", "query", "header", "cookie", "response.body", "response.cookie")
"""Parts of a call whose fields have names that people chose."""

_NUMBERS = re.compile(r"(?:\.[0-9]+|\[[0-9]*\])+(?=[.\[]|\Z)")
_STEP = re.compile(r"[.\[\]]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_SEGMENT_ID = re.compile(r"[0-9]+\Z|[0-9a-fA-F]{16}\Z|(?=(?:[^0-9]*[0-9]){4})[0-9A-Za-z-]{20,64}\Z")
"""A segment of a path that is an id: `/users/4242`."""

_WORDS_LOOKED_AT = 5
"""Words of a place, from its end, that names are looked for in."""


class _Place(NamedTuple):
    """What is known of a place, whatever stands there."""

    entries: tuple[_Entry, ...]
    """Entries whose names fit it, longest name first."""
    pair: bool
    """Whether it may be the value of a pair."""


class _Entry(NamedTuple):
    """One entry of `names.toml`, compiled."""

    item: str
    server_item: str
    fits: str
    """What the value has to look like; empty: anything."""
    beside: frozenset[str]
    not_beside: frozenset[str]
    party: frozenset[Party]


class Surroundings:
    """The leaves of one call among which a leaf stands; what they show is worked out when it is first asked for."""

    def __init__(
        self, leaves: Sequence[Leaf], role: str, party: Party, pair_keys: frozenset[str] = frozenset()
    ) -> None:
        self.leaves = leaves
        self.pair_keys = pair_keys
        """Plain names of fields whose value is the name of another."""
        self.beside: dict[tuple[str, str], set[str]] = {}
        """Place of a table and plain name of a field -> plain names beside it, as far as they were asked for."""
        self.role = role
        """Part of the product that sends: `server`, `app`, `website` or empty."""
        self.party = party
        """Whose machine is at the other end."""
        self.asked = False
        """Whether anything was asked of the other leaves since this was last set."""

    @functools.cached_property
    def values(self) -> dict[str, str]:
        """Place -> value."""
        return {leaf.at: leaf.value for leaf in self.leaves}

    @functools.cached_property
    def tables(self) -> dict[str, set[str]]:
        """Place of a table -> plain names of its fields that are not empty, also of its lists and tables."""
        filled = [leaf for leaf in self.leaves if leaf.value]
        shape = tuple([leaf.at for leaf in filled])
        work = _tables if len(shape) <= _LONGEST_SHAPE else _tables.__wrapped__
        fields, pairs = work(shape, self.pair_keys)
        if not pairs:
            return fields
        tables = {place: set(names) for place, names in fields.items()}
        for number in pairs:
            place = _parent(shape[number])[0].rpartition(".")[0]
            tables.setdefault(place, set()).add(_plain(filled[number].value))
        return tables


_LONGEST_SHAPE = 200
"""Places of a call whose tables are remembered: hostile traffic must not fill the memory."""


@functools.lru_cache(maxsize=128)
def _tables(places: tuple[str, ...], pair_keys: frozenset[str]) -> tuple[dict[str, set[str]], tuple[int, ...]]:
    """Places of a call -> places of tables with plain names of their fields, and which places hold the name of a pair.

    Calls of one kind have the same places, whatever stands there.  Not to be changed: it is remembered.
    """
    tables: dict[str, set[str]] = {}
    pairs = []
    for number, at in enumerate(places):
        if _parent(at)[1] in pair_keys:
            pairs.append(number)
        place = at
        while place:
            place, name = _parent(place)
            fields = tables.setdefault(place, set())
            if name in fields:
                break
            fields.add(name)
    return tables, tuple(pairs)


@functools.lru_cache(maxsize=4_096)
def _parent(at: str) -> tuple[str, str]:
    """Place of a field -> place of the table it stands in, and its plain name."""
    table, _, name = at.rpartition(".")
    while name.isdigit() and table:
        table, _, name = table.rpartition(".")
    return table, _plain(name.partition("[")[0])


def _plain(name: str) -> str:
    return _NOT_PLAIN.sub("", name.lower())


class NameTable:
    """`names.toml`, ready to be asked what a leaf holds."""

    def __init__(self, names: Names) -> None:
        self._whole: dict[str, list[_Entry]] = {}
        self._ends: dict[str, list[_Entry]] = {}
        forms = {name: "|".join(texts) for name, texts in names.values.items()}
        groups = {name: frozenset(map(_plain, words)) for name, words in names.beside.items()}
        for field in names.field:
            entry = _entry(field, forms, groups)
            for name in field.names:
                self._whole.setdefault(_plain(name), []).append(entry)
                if name.startswith("*"):
                    self._ends.setdefault(_plain(name), []).append(entry)
        self._containers = frozenset(names.container)
        self._pair_keys = tuple(map(_plain, names.pair_key))
        self._pairs = frozenset(self._pair_keys)
        self._pair_values = frozenset(map(_plain, names.pair_value))
        self._only_sent = frozenset(names.only_sent)
        self._filler = frozenset(names.filler)
        self.free_text = frozenset(names.free_text)
        """Items that are texts, in which other forms are looked for."""
        self._forms = [
            (p.item, p.holds, "|".join(p.text), _LONGEST_TEXT if p.within else _LONGEST_VALUE) for p in names.pattern
        ]
        self._met: dict[str, _Place] = {}

    def among(self, leaves: Sequence[Leaf], role: str = "", party: Party = Party.UNKNOWN) -> Surroundings:
        """The leaves of one call, which part of a product sends it, and to whose machine -> what `labels` asks for."""
        return Surroundings(leaves, role, party, self._pairs)

    def labels(self, leaf: Leaf, around: Surroundings) -> list[tuple[str, str]]:
        """One leaf -> (item, value) of what the name of its field says, if the value has the form of one.

        Of a path, what its segments say: `/users/4242`.  Empty for what nothing is known of, and for values that hold
        others, which come out by themselves.
        """
        at = leaf.at
        if at == "path":
            return [found for name, value in _segments(leaf.value) if (found := self._label(name, value, leaf, around))]
        if leaf.peeled or at.endswith(ADDRESS_PARTS):
            return []
        called = self._called(at, around) if self._place(at).pair else ""
        found = self._label(called, leaf.value, leaf, around) if called else None
        found = found or self._label(at, leaf.value, leaf, around)
        return [found] if found else []

    def forms(self, leaf: Leaf) -> list[tuple[str, str]]:
        """One leaf -> (item, part of the value) of what its form alone shows, each once."""
        value, found = leaf.value, list[tuple[str, str]]()
        if leaf.peeled or len(value) < _SHORTEST_FORM:
            return found
        for item, holds, form, longest in self._forms:
            for text in holds:
                if text in value:
                    break
            else:
                if holds:
                    continue
            if longest < _LONGEST_TEXT and len(value) > longest:
                continue
            pattern = _compiled(form)
            if pattern.search(value, 0, longest) and not (item in self._only_sent and leaf.at.startswith("response.")):
                found.extend(dict.fromkeys((item, match[0]) for match in pattern.finditer(value, 0, longest)))
        return found

    def _label(self, place: str, value: str, leaf: Leaf, around: Surroundings) -> tuple[str, str] | None:
        at = place
        for encoding in leaf.encodings:
            at = at.replace(f"[{encoding}]", "")
        entries = self._place(at).entries
        if not entries or (len(value) <= _LONGEST_FILLER and value.lower() in self._filler):
            return None
        for entry in entries:
            if self._holds(entry, value, place, around):
                item = entry.server_item if around.role == "server" else entry.item
                return (item, value) if item else None
        return None

    def _holds(self, entry: _Entry, value: str, at: str, around: Surroundings) -> bool:
        if entry.item in self._only_sent and at.startswith("response."):
            return False
        if entry.fits and not _compiled_in_any_case(entry.fits).fullmatch(value.strip(), 0, _LONGEST_VALUE):
            return False
        if entry.party and around.party not in entry.party:
            return False
        if not (entry.beside or entry.not_beside):
            return True
        fields = self._beside(at, around)
        return not (entry.beside and fields.isdisjoint(entry.beside)) and fields.isdisjoint(entry.not_beside)

    def _beside(self, at: str, around: Surroundings) -> set[str]:
        """Names of the fields of the same table, and of that which contains it: `event` beside `properties.page`."""
        around.asked = True
        table, own = _parent(at)
        fields = around.beside.get((table, own))
        if fields is None:
            fields = around.tables.get(table, set()) - {own}
            around.beside[table, own] = fields
            while (up := _parent(table))[1] in self._containers:
                table = up[0]
                fields |= around.tables.get(table, set())
        return fields

    def _called(self, at: str, around: Surroundings) -> str:
        """Place of the value of a pair -> the place that it would have as a field beside the pair, else empty."""
        if _is_second(at):
            pair = at[:-2]
            keys = [f"{pair}.0"]
        else:
            pair = _parent(at)[0]
            while _parent(pair)[1] in self._pair_values:
                pair = _parent(pair)[0]
            keys = [f"{pair}.{key}{position}" for key in self._pair_keys for position in ("", ".0")]
        around.asked = True
        key = next((around.values[key] for key in keys if key in around.values), "")
        return f"{pair.rpartition('.')[0]}.{key}" if 0 < len(key) < _LONGEST_STEP else "" if key else pair

    def _place(self, at: str) -> _Place:
        found = self._met.get(at)
        if found is None:
            unnumbered = _NUMBERS.sub("", at)
            known = self._met.get(unnumbered)
            entries = known.entries if known else tuple(self._find(unnumbered))
            found = _Place(entries, self._is_value(at))
            if len(self._met) >= _MOST_PLACES:
                self._met.clear()
            if len(at) <= _LONGEST_PLACE:
                self._met[unnumbered] = _Place(entries, self._is_value(unnumbered))
                self._met[at] = found
        return found

    def _is_value(self, at: str) -> bool:
        """Whether a place may be that of the value in a pair: `[key, value]`, or `{"key": …, "value": …}`."""
        return _is_second(at) or _parent(at)[1] in self._pair_values

    def _find(self, place: str) -> Iterator[_Entry]:
        root = next((root for root in _ROOTS if place.startswith(root)), "")
        if not root:
            return
        *tables, name = [self._words(step) for step in _STEP.split(place[len(root) :]) if step] or [[]]
        words: list[str] = []
        begins: list[bool] = []
        for table in tables:
            kept = [word for word in table if word not in self._containers] or table
            words += kept
            begins += [n == 0 for n in range(len(kept))]
        words += name
        begins += [n == 0 for n in range(len(name))]
        for n in range(max(0, len(words) - _WORDS_LOOKED_AT), len(words)):
            table_ = self._whole if begins[n] else self._ends
            yield from table_.get("".join(words[n:]), ())

    def _words(self, step: str) -> list[str]:
        words = [word.lower() for word in _WORD.findall(step)]
        return words[1:] if words[:1] == ["x"] and len(words) > 1 else words


def _is_second(at: str) -> bool:
    return at.endswith(".1") and at[:-2].rpartition(".")[2].isdigit()


@functools.cache
def _compiled(form: str) -> re.Pattern[str]:
    """A form of `names.toml`, compiled when a value first has to have it: all of them together take 0.05 s."""
    return re.compile(form)


@functools.cache
def _compiled_in_any_case(form: str) -> re.Pattern[str]:
    return re.compile(form, re.IGNORECASE)


def _entry(field: NamedField, forms: dict[str, str], groups: dict[str, frozenset[str]]) -> _Entry:
    return _Entry(
        field.item,
        field.server_item or field.item,
        forms[field.value] if field.value else "",
        frozenset[str]().union(*(groups[key] for key in field.beside)),
        frozenset[str]().union(*(groups[key] for key in field.not_beside)),
        frozenset(field.party),
    )


def _segments(path: str) -> Iterator[tuple[str, str]]:
    """Path -> (place that it would have as a field, segment) of each segment that is an id."""
    segments = path.split("/")[:50]
    for name, segment in itertools.pairwise(segments):
        if _SEGMENT_ID.match(segment) and name[:1].isalpha():
            yield f"query.{name[:-1] if name[-1:] in 'sS' else name} id", segment
