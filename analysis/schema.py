"""TOML table -> frozen dataclass, strictly, with the place of every error.

Keys are kebab-case in files and snake_case in Python.  A single value stands for a list of one.  All errors of a table
are collected, so that one run shows them all.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal


class KnowledgeError(ValueError):
    """A file that we or the user wrote is wrong.  Each line is `place: what is wrong; what is allowed`."""


def convert[T](cls: type[T], table: object, place: str) -> T:
    """Parsed TOML -> an instance of the dataclass `cls`.

    `place` is the name of the file and stands before each error.
    Raises `KnowledgeError` with one line for each thing that is wrong.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Item:
    ...     at: tuple[str, ...]
    ...     seen_date: str = ""
    >>> convert(Item, {"at": "body.x", "seen-date": "2024-01"}, "a.toml")
    Item(at=('body.x',), seen_date='2024-01')
    """
    errors: list[str] = []
    value = _convert(cls, table, (), errors)
    if errors:
        raise KnowledgeError("\n".join(f"{place}: {error}" for error in errors))
    return typing.cast("T", value)


_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _convert(wanted: Any, value: Any, path: tuple[str, ...], errors: list[str]) -> Any:
    if isinstance(wanted, typing.TypeAliasType):
        wanted = wanted.__value__
    origin = typing.get_origin(wanted)
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _table(wanted, value, path, errors)
    if origin is tuple:
        item_type = typing.get_args(wanted)[0]
        items = value if isinstance(value, list) else [value]
        return tuple(_convert(item_type, item, (*path, str(i)), errors) for i, item in enumerate(items))
    if origin in (dict, Mapping):
        return _mapping(typing.get_args(wanted)[1], value, path, errors)
    if origin is Literal:
        return _choice(typing.get_args(wanted), value, path, errors)
    if origin in (types.UnionType, typing.Union):
        return _convert(next(a for a in typing.get_args(wanted) if a is not types.NoneType), value, path, errors)
    if isinstance(wanted, type) and issubclass(wanted, enum.StrEnum):
        chosen = _choice([member.value for member in wanted], value, path, errors)
        return wanted(chosen) if chosen is not None else None
    return _scalar(wanted, value, path, errors)


def _scalar(wanted: Any, value: Any, path: tuple[str, ...], errors: list[str]) -> Any:
    if wanted is str and isinstance(value, datetime.date):
        return value.isoformat()
    right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
    if not right:
        errors.append(f"{_at(path)}: must be {_NAMES[wanted]}, not {_shown(value)}")
    return value


def _choice(choices: Any, value: Any, path: tuple[str, ...], errors: list[str]) -> Any:
    if value in choices:
        return value
    errors.append(f"{_at(path)}: {_shown(value)} is not known; known: {', '.join(map(str, choices))}")
    return None


def _mapping(wanted: Any, value: Any, path: tuple[str, ...], errors: list[str]) -> Any:
    if not isinstance(value, dict):
        errors.append(f"{_at(path)}: must be a table, not {_shown(value)}")
        return {}
    return {key: _convert(wanted, item, (*path, key), errors) for key, item in value.items()}


def _table(cls: Any, value: Any, path: tuple[str, ...], errors: list[str]) -> Any:
    if not isinstance(value, dict):
        errors.append(f"{_at(path)}: must be a table, not {_shown(value)}")
        return None
    fields = {name.strip("_").replace("_", "-"): (name, kind, needed) for name, kind, needed in _fields(cls)}
    before = len(errors)
    for key in value.keys() - fields.keys():
        errors.append(f"{_at((*path, key))}: unknown key; known: {', '.join(sorted(fields))}")
    for key, (_, _, needed) in fields.items():
        if needed and key not in value:
            errors.append(f"{_at((*path, key))}: is missing")
    arguments = {
        fields[key][0]: _convert(fields[key][1], item, (*path, key), errors)
        for key, item in value.items()
        if key in fields
    }
    return cls(**arguments) if len(errors) == before else None


@functools.cache
def _fields(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it must be given, of each field that a file may set (those with `init`)."""
    hints = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    return tuple(
        (f.name, hints[f.name], f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(cls)
        if not f.metadata.get("derived")
    )


def _at(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the file"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
