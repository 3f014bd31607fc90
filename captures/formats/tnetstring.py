"""The serialisation of flow files: tnetstrings (`<length>:<data><type>`) with mitmproxy's `;` for text.

A value says how long it is, so what is not wanted is passed over without looking at it: of a flow's 200 values an
exchange needs 60.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

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


def pairs(raw: bytes, at: int, limit: int) -> list[tuple[bytes, bytes]]:
    """Data of a list of pairs of bytes, as headers are -> the pairs.  Raises `ValueError`, also for other elements."""
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


_SHORT = b"|".join(b"%d:.{%d}" % (size, size) for size in range(25))
"""A short value without its type."""


def _next(wanted: Iterable[bytes]) -> Callable[[bytes, int, int], re.Match[bytes] | None]:
    """Matches the short entries that are not wanted, in one go, then the key and the length of the next entry."""
    keys = b"|".join(map(re.escape, wanted))
    entry = rb"(?:\d{1,2}:(?!(?:%b);)\w+;(?:%b).)*+(?:\d{1,12}:(\w+);(\d{1,12}):)?+" % (keys, _SHORT)
    return re.compile(entry, re.DOTALL).match


def pick(wanted: Mapping[bytes, Reader]) -> Reader:
    """Keys and how to read their values -> how to read a table of which only these keys count.

    The table that comes out has the keys as text; a key that is not there is not in it, and what has another type than
    a table comes out as it is.  Raises `ValueError`, and what a reader raises.
    """
    names = {key: key.decode() for key in wanted}
    following = _next(wanted)

    def picked(raw: bytes, at: int, limit: int) -> Any:
        if raw[limit] != 125:
            return value(raw, at, limit)
        table: dict[str, Any] = {}
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
        return table

    return picked


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
