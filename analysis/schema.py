"""TOML table -> frozen struct, strictly, with the place of every error.

Keys are kebab-case in files and snake_case in Python.  A single value stands for a list of one.  All errors of a table
are collected, so that one run shows them all.
"""

from __future__ import annotations

import datetime
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from captures.model import Sentence

Derived = Annotated[str, "derived"]
"""Type of a field that no file sets."""


class KnowledgeError(ValueError):
    """A file that we or the user wrote is wrong.  Each line is `place: what is wrong; what is allowed`."""


def convert[T](cls: type[T], table: object, place: str, **derived: str) -> T:
    """Parsed TOML -> an instance of the struct `cls`.

    `place` is the name of the file and stands before each error; `derived` are the fields that no file sets.
    Raises `KnowledgeError` with one line for each thing that is wrong.

    >>> class Item(msgspec.Struct, frozen=True):
    ...     at: tuple[str, ...]
    ...     seen_date: str = ""
    >>> convert(Item, {"at": "body.x", "seen-date": "2024-01"}, "a.toml")
    Item(at=('body.x',), seen_date='2024-01')
    """
    errors: list[Sentence] = []
    kind: Any = cls
    value = _table(kind, table, None, errors, **derived)
    if errors:
        raise KnowledgeError("\n".join(f"{place}: {error}" for error in errors))
    return typing.cast("T", value)


type _Path = tuple[_Path, str] | None
"""Where a value stands, the last step first: it is needed only when something is wrong."""

type _Converter = Callable[[Any, _Path, list[Sentence]], Any]

_WHAT = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@functools.cache
def _converter(wanted: Any) -> _Converter:
    """Type -> what turns a value into it.  Worked out once for each type: a pack holds thousands of values."""
    if isinstance(wanted, typing.TypeAliasType):
        return _converter(wanted.__value__)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        return functools.partial(_list, _converter(arguments[0]), arguments[0] if arguments[0] in _WHAT else None)
    if origin in (dict, Mapping):
        return functools.partial(_mapping, _converter(arguments[1]))
    if origin is Literal:
        return functools.partial(_choice, {choice: choice for choice in arguments})
    if origin in (types.UnionType, typing.Union):
        return _converter(next(a for a in arguments if a is not types.NoneType))
    if issubclass(wanted, msgspec.Struct):
        return functools.partial(_table, wanted)
    if issubclass(wanted, enum.StrEnum):
        return functools.partial(_choice, {member.value: member for member in wanted})
    return functools.partial(_scalar, wanted)


def _list(element: _Converter, plain: type | None, value: Any, path: _Path, errors: list[Sentence]) -> Any:
    if isinstance(value, list):
        if plain and all(type(item) is plain for item in value):
            return tuple(value)
        return tuple([element(item, (path, str(i)), errors) for i, item in enumerate(value)])
    return (element(value, (path, "0"), errors),)


def _scalar(wanted: Any, value: Any, path: _Path, errors: list[Sentence]) -> Any:
    if type(value) is wanted:
        return value
    if wanted is str and isinstance(value, datetime.date):
        return value.isoformat()
    errors.append(f"{_at(path)}: must be {_WHAT[wanted]}, not {_shown(value)}")
    return value


def _choice(choices: Mapping[Any, Any], value: Any, path: _Path, errors: list[Sentence]) -> Any:
    if isinstance(value, str) and value in choices:
        return choices[value]
    errors.append(f"{_at(path)}: {_shown(value)} is not known; known: {', '.join(map(str, choices))}")
    return None


def _mapping(element: _Converter, value: Any, path: _Path, errors: list[Sentence]) -> Any:
    if not isinstance(value, dict):
        errors.append(f"{_at(path)}: must be a table, not {_shown(value)}")
        return {}
    return {key: element(item, (path, key), errors) for key, item in value.items()}


def _table(cls: Any, value: Any, path: _Path, errors: list[Sentence], **derived: str) -> Any:
    if not isinstance(value, dict):
        errors.append(f"{_at(path)}: must be a table, not {_shown(value)}")
        return None
    fields, needed = _fields(cls)
    before = len(errors)
    if not value.keys() <= fields.keys():
        for key in value.keys() - fields.keys():
            errors.append(f"{_at((path, key))}: unknown key; known: {', '.join(sorted(fields))}")
    if not needed <= value.keys():
        for key in fields:
            if key in needed and key not in value:
                errors.append(f"{_at((path, key))}: is missing")
    arguments: dict[str, Any] = dict(derived)
    for key, item in value.items():
        if field := fields.get(key):
            # Most values are plain: asking here spares a call for each of tens of thousands.
            arguments[field.name] = item if type(item) is field.plain else field.convert(item, (path, key), errors)
    return cls(**arguments) if len(errors) == before else None


class _Field(typing.NamedTuple):
    name: str
    """In Python."""
    convert: _Converter
    plain: type | None
    """The type whose values are taken as they are; `None` for all others."""


@functools.cache
def _fields(cls: Any) -> tuple[dict[str, _Field], frozenset[str]]:
    """The fields that a file may set, by their keys in it (`is_` is `is`, since that is a word of the language), and
    the keys that it must set."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: dict[str, _Field] = {}
    needed: set[str] = set()
    for f in msgspec.structs.fields(cls):
        if (wanted := hints[f.name]) is not Derived:
            key = f.name.strip("_").replace("_", "-")
            fields[key] = _Field(f.name, _converter(wanted), wanted if wanted in _WHAT else None)
            if f.required:
                needed.add(key)
    return fields, frozenset(needed)


def _at(path: _Path) -> str:
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(step)
    return ".".join(reversed(steps)) or "the file"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
