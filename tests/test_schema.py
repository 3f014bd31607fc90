"""TOML tables become structs, and every slip is named with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec
import pytest

from analysis.schema import Derived, KnowledgeError, convert


class Colour(StrEnum):
    RED = "red"


class Place(msgspec.Struct, frozen=True):
    at: tuple[str, ...]
    why: str


class Sheet(msgspec.Struct, frozen=True):
    is_: str
    places: tuple[Place, ...] = ()
    kind: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    sizes: Mapping[str, int] = msgspec.field(default_factory=dict)
    flag: bool = False
    id: Derived = ""


def load(text: str) -> Sheet:
    return convert(Sheet, tomllib.loads(text), "sheet.toml")


def test_a_whole_table_becomes_a_value() -> None:
    text = """
is = "x"
kind = "b"
colour = "red"
flag = true
sizes = { one = 1 }
[[places]]
at = "body.x"
why = "obvious"
[[places]]
at = ["a", "b"]
why = "both"
"""
    assert load(text) == Sheet(
        "x", (Place(("body.x",), "obvious"), Place(("a", "b"), "both")), "b", Colour.RED, {"one": 1}, True
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "sheet.toml: is: is missing"),
        ('is = "x"\nkin = 1', "sheet.toml: kin: unknown key; known: colour, flag, is, kind, places, sizes"),
        ('is = "x"\nid = "y"', "sheet.toml: id: unknown key; known: colour, flag, is, kind, places, sizes"),
        ("is = 1", "sheet.toml: is: must be a text, not 1"),
        ('is = "x"\nkind = "c"', "sheet.toml: kind: 'c' is not known; known: a, b"),
        ('is = "x"\ncolour = "blue"', "sheet.toml: colour: 'blue' is not known; known: red"),
        ('is = "x"\nsizes = { one = true }', "sheet.toml: sizes.one: must be a whole number, not True"),
        ('is = "x"\nsizes = 1', "sheet.toml: sizes: must be a table, not 1"),
        ('is = "x"\nplaces = "y"', "sheet.toml: places.0: must be a table, not 'y'"),
        ('is = "x"\n[[places]]\nat = "a"\nwhy = "b"\nwy = 1', "sheet.toml: places.0.wy: unknown key; known: at, why"),
    ],
)
def test_a_slip_is_named_with_its_place(text: str, error: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        load(text)
    assert str(raised.value) == error


def test_all_slips_of_a_table_are_named_at_once() -> None:
    with pytest.raises(KnowledgeError) as raised:
        load("kind = 1\nplaces = [{}]")
    assert str(raised.value).splitlines() == [
        "sheet.toml: is: is missing",
        "sheet.toml: kind: 1 is not known; known: a, b",
        "sheet.toml: places.0.at: is missing",
        "sheet.toml: places.0.why: is missing",
    ]
