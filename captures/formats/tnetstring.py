"""The serialisation of flow files: tnetstrings (`<length>:<data><type>`) with mitmproxy's `;` for text.

A value says how long it is, so what is not wanted is passed over without looking at it: of a flow's 200 values an
exchange needs 60.  What comes again and again (the order of the keys, a connection, a block of headers) is worked out
once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

_LONGEST_LENGTH = 13
_DEEPEST = 40

type Reader = Callable[[bytes, int, int], Any]
"""Bytes, beginning and end of a value's data (its type stands at the end) -> the value."""


def parse(raw: bytes) -> Any:
    """One tnetstring -> the value.  Raises `ValueError` for anything that is none, `RecursionError` never."""
    start, end = _frame(raw, 0, len(raw))
    if end + 1 != len(raw):
        raise ValueError
    return value(raw, start, end)


def _frame(raw: bytes, at: int, limit: int) -> tuple[int, int]:
    """Where the data of the value begins and ends that stands here; its type stands at the end, before the limit."""
    colon = raw.index(b":", at, at + _LONGEST_LENGTH)
    start = colon + 1
    end = start + int(raw[at:colon])
    # A negative length would lead back, and round and round.
    if not start <= end < limit:
        raise ValueError
    return start, end


def value(raw: bytes, start: int, end: int, depth: int = 0) -> Any:
    """Data of a value -> the value, whatever its type.  Raises `ValueError`."""
    kind = raw[end]
    if kind == 44:  # ,
        return raw[start:end]
    if kind == 59:  # ;
        return raw[start:end].decode("utf-8", "replace")
    if kind == 125:  # }
        return _table(raw, start, end, depth + 1)
    if kind == 93:  # ]
        return _list(raw, start, end, depth + 1)
    if kind == 126:  # ~
        return None
    if kind == 35:  # #
        return int(raw[start:end])
    if kind == 94:  # ^
        return float(raw[start:end])
    if kind == 33:  # !
        return raw[start:end] == b"true"
    raise ValueError


def _list(raw: bytes, at: int, limit: int, depth: int) -> list[Any]:
    if depth > _DEEPEST:
        raise ValueError
    items = []
    while at < limit:
        start, end = _frame(raw, at, limit)
        items.append(value(raw, start, end, depth))
        at = end + 1
    return items


def _table(raw: bytes, at: int, limit: int, depth: int) -> dict[str | bytes, Any]:
    if depth > _DEEPEST:
        raise ValueError
    table = {}
    while at < limit:
        start, end = _frame(raw, at, limit)
        key = value(raw, start, end, depth)
        if not isinstance(key, str | bytes):
            raise ValueError
        start, end = _frame(raw, end + 1, limit)
        table[key] = value(raw, start, end, depth)
        at = end + 1
    return table


_PAIR = re.compile(rb"\d{1,12}:(\d{1,12}):([^,:]*),(\d{1,12}):").match
_WHOLE_PAIR = re.compile(rb"(\d{1,12}):(\d{1,12}):([^,:]*),(\d{1,12}):(.*)", re.DOTALL).fullmatch
_MOST_PAIRS = 4096
_LONGEST_PAIR = 256
"""Pairs that are remembered, and the bytes of one."""

_pairs_met: dict[bytes, tuple[bytes, bytes]] = {}
"""Bytes of a pair up to its `,]` -> the pair: most headers come again with the same value."""


def _remembered_pairs(raw: bytes) -> list[tuple[bytes, bytes]] | None:
    """As `pairs`; `None` when a value holds what ends a pair, or when anything is odd."""
    *parts, rest = raw.split(b",]")
    found = list(map(_pairs_met.get, parts))
    if rest:
        return None
    for n, known in enumerate(found):
        if known is None:
            part = parts[n]
            pair = _WHOLE_PAIR(part)
            if pair is None:
                return None
            whole_size, size, name, length, text = pair.groups()
            if int(size) != len(name) or int(length) != len(text) or int(whole_size) != len(part) - len(whole_size):
                return None
            found[n] = name, text
            if len(part) <= _LONGEST_PAIR:
                if len(_pairs_met) >= _MOST_PAIRS:
                    _pairs_met.clear()
                _pairs_met[part] = name, text
    return cast("list[tuple[bytes, bytes]]", found)


def pairs(raw: bytes, at: int, limit: int) -> list[tuple[bytes, bytes]]:
    """Data of a list of pairs of bytes, as headers are -> the pairs.  Raises `ValueError`, also for other elements."""
    known = _remembered_pairs(raw[at:limit])
    if known is not None:
        return known
    found = []
    while at < limit:
        pair = _PAIR(raw, at, limit)
        if pair is None:
            # A name that holds what no header's name may hold.
            return [(name, text) for name, text in _list(raw, at, limit, 1)]
        size, name, length = pair.groups()
        start = pair.end()
        end = start + int(length)
        if int(size) != len(name) or raw[end : end + 2] != b",]":
            raise ValueError
        found.append((name, raw[start:end]))
        at = end + 2
    return found


_LONGEST_SHORT = 39

_SHORT = b"|".join(b"%d:.{%d}" % (size, size) for size in range(_LONGEST_SHORT + 1))
"""A short value without its type."""


def _next(wanted: Iterable[bytes]) -> Callable[[bytes, int, int], re.Match[bytes] | None]:
    """Matches the short entries that are not wanted, in one go, then the key and the length of the next entry."""
    keys = b"|".join(map(re.escape, wanted))
    entry = rb"(?:\d{1,2}:(?!(?:%b);)\w+;(?:%b).)*+(?:\d{1,12}:(\w+);(\d{1,12}):)?+" % (keys, _SHORT)
    return re.compile(entry, re.DOTALL).match


def pick(wanted: Mapping[bytes, Reader]) -> Reader:
    """Keys and how to read their values -> how to read a table of which only these keys count.

    The table that comes out has the keys as text; a key that is not there is not in it, and what has another type than
    a table comes out as it is.  Its values may be shared with other tables and must not be changed.  Raises
    `ValueError`, and what a reader raises.
    """
    names = {key: key.decode() for key in wanted}
    following = _next(wanted)
    layouts = _Layouts(wanted)

    def picked(raw: bytes, at: int, limit: int) -> Any:
        if raw[limit] != 125:
            return value(raw, at, limit)
        table = layouts.read(raw, at, limit)
        if table is not None:
            return table
        begin, table = at, {}
        while at < limit:
            entry = following(raw, at, limit)
            if entry is None:
                raise ValueError
            key, length = entry.groups()
            start = entry.end()
            if key is None:
                if start != limit:
                    raise ValueError
                break
            at = start + int(length) + 1
            if reader := wanted.get(key):
                if at > limit:
                    raise ValueError
                table[names[key]] = reader(raw, start, at - 1)
        layouts.learn(raw, begin, limit)
        return table

    return picked


def long(raw: bytes, start: int, end: int) -> Any:
    """As `value`, for a key whose values are long, or hold anything."""
    return value(raw, start, end)


_SIZES_OF_NUMBERS = (0, 4, 5, 17, 16, 18, 15, 3, 14, 12, 13, 11, 10)
"""Of times, `true` and `false`, and nothing."""

_ENTRY = re.compile(rb"\d{1,12}:(\w{1,32});(\d{1,12}):").match
"""Key and length of one entry."""

_TEXT_FORM, _NUMBER_FORM = rb"((?>0:~|\d{1,6}:[^%c]*+%c))", rb"((?>0:~|\d{1,3}:[0-9.e+-]*+[#^]))"
_FORMS = {
    ord(","): _TEXT_FORM % (b",", b","),
    ord(";"): _TEXT_FORM % (b";", b";"),
    ord("#"): _NUMBER_FORM,
    ord("^"): _NUMBER_FORM,
    ord("!"): rb"(\d:\w{4,5}!)",
    ord("~"): rb"((?>0:~|\d{1,6}:[^,;#^!]*+[,;#^!]))",
    ord("]"): rb"((?>0:~|(?:%b)\]))" % _SHORT,
}
"""Type of a value -> what matches most values that stand under the same key; whether they are one is looked at then.

There is never a second way to match, so that what does not fit costs one pass.
"""


def _passed(size: int, kind: int) -> bytes:
    """Size and type of a value that is not wanted -> what matches most values that stand under the same key."""
    first = b"%d:.{%d}" % (size, size)
    if kind not in b"#^~!":
        return rb"(?>%b|%b)." % (first, _SHORT)
    return rb"(?>%b|%b)." % (first, b"|".join(b"%d:.{%d}" % (n, n) for n in _SIZES_OF_NUMBERS))


_LEARNED_AFTER = 100
"""Tables that are read key by key before a layout is learned: to compile one takes as long as to read so many."""

_MOST_LAYOUTS = 8
_MOST_KEYS = 60
"""Layouts of one kind of table, and keys of one: more are not mitmproxy's."""


class _Step(NamedTuple):
    """A part of a layout: up to a value of which only the length is matched, or up to the end of the table."""

    match: Callable[[bytes, int, int], re.Match[bytes] | None]
    """A group for each of the keys, then one for the length."""
    keys: tuple[str, ...]
    """Of the values that are matched whole."""
    key: str
    """Of the value that is passed over by its length."""
    reader: Reader | None
    """How that is read; `None` when it is not wanted."""


class _Layouts:
    """The orders in which the keys of one kind of table were met: with one, a table needs a match or two, not twenty.

    mitmproxy writes the keys of a table always in the same order.  A layout is a regular expression for it.  Each value
    that it matches is held against its own length, so that it never gives another table than reading key by key would.
    """

    def __init__(self, wanted: Mapping[bytes, Reader]) -> None:
        self._wanted = wanted
        self._layouts: list[tuple[_Step, ...]] = []
        self._left = _LEARNED_AFTER
        self._met: dict[bytes, Any] = {}

    def read(self, raw: bytes, at: int, limit: int) -> dict[str, Any] | None:
        """Bytes of a table -> what is picked from it; `None` when no layout fits, or anything is odd."""
        for n, layout in enumerate(self._layouts):
            try:
                table = self._fitted(layout, raw, at, limit)
            except ValueError:
                return None
            if table is not None:
                if n:
                    self._layouts.insert(0, self._layouts.pop(n))
                return table
        return None

    def _fitted(self, layout: tuple[_Step, ...], raw: bytes, at: int, limit: int) -> dict[str, Any] | None:
        table: dict[str, Any] = {}
        known = self._met.get
        for match, keys, long_key, reader in layout:
            matched = match(raw, at, limit)
            if matched is None:
                return None
            texts = matched.groups()
            for key, text in zip(keys, texts, strict=False):
                found = known(text)
                table[key] = self._parsed(text) if found is None and text != b"0:~" else found
            if len(texts) == len(keys):
                return table
            start = matched.end()
            end = start + int(texts[-1])
            if end >= limit:
                return None
            if reader:
                table[long_key] = reader(raw, start, end)
            at = end + 1
        return None

    def _parsed(self, text: bytes) -> Any:
        if text[-1] == 94:  # ^: times, of which none comes again
            length, _, number = text.partition(b":")
            if int(length) + 1 != len(number):
                raise ValueError
            return float(number[:-1])
        found = parse(text)
        if len(text) <= _LONGEST_SHORT:
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met[text] = found
        return found

    def learn(self, raw: bytes, at: int, limit: int) -> None:
        """Takes up the layout of a table that had to be read key by key."""
        self._left -= 1
        if self._left < 0 and len(self._layouts) < _MOST_LAYOUTS:
            self._layouts += self._layout(raw, at, limit)

    def _layout(self, raw: bytes, at: int, limit: int) -> list[tuple[_Step, ...]]:
        """Layout of one table, or none."""
        steps: list[_Step] = []
        pattern, keys, count = b"", list[str](), 0
        while at < limit:
            entry = _ENTRY(raw, at, limit)
            if entry is None or count > _MOST_KEYS or (end := entry.end() + int(entry[2])) >= limit:
                return []
            key, reader = entry[1], self._wanted.get(entry[1])
            at, count = end + 1, count + 1
            pattern += b"%d:%b;" % (len(key), key)
            if reader is None and end - entry.end() <= _LONGEST_SHORT:
                pattern += _passed(end - entry.end(), raw[end])
                continue
            form = _FORMS.get(raw[end], b"") if reader is value else b""
            if form and re.fullmatch(form, raw[entry.start(2) : at], re.DOTALL):
                pattern += form
                keys.append(key.decode())
            else:
                match = re.compile(pattern + rb"(\d{1,12}):", re.DOTALL).match
                steps.append(_Step(match, tuple(keys), key.decode(), reader))
                pattern, keys = b"", []
        last = _Step(re.compile(pattern + rb"\Z", re.DOTALL).match, tuple(keys), "", None)
        return [(*steps, last)]


_MOST_MET = 256
_LONGEST_MET = 32 * 1024
"""Tables that are remembered, and the bytes of one."""


def remembered(reader: Reader) -> Reader:
    """A reader -> the same for tables that come again and again, byte by byte, as that of a connection with each flow.

    What comes out is shared, and must not be changed.
    """
    met: dict[bytes, Any] = {}

    def read(raw: bytes, at: int, limit: int) -> Any:
        if limit - at > _LONGEST_MET:
            return reader(raw, at, limit)
        table = raw[at : limit + 1]
        found = met.get(table)
        if found is None:
            if len(met) >= _MOST_MET:
                met.clear()
            found = met[table] = reader(raw, at, limit)
        return found

    return read


def whole(raw: bytes, reader: Reader) -> Any:
    """One tnetstring -> what the reader makes of it.  Raises `ValueError`, and what the reader raises."""
    start, end = _frame(raw, 0, len(raw))
    if end + 1 != len(raw):
        raise ValueError
    return reader(raw, start, end)
