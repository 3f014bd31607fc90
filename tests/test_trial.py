"""A rule that is not what its examples say is told so, in one line for each fault."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from analysis.knowledge import Knowledge
from analysis.model import Category
from analysis.pack import ExampleCall, ItemPlace, Match, Product, Rule
from analysis.trial import faults
from shipped import KNOWLEDGE

PRODUCT = Product("A", "service", "A", ("a.example",), id="a")
RULE = Rule(
    Category.SEARCH,
    Match(host=("a.example",), path="/x"),
    "captured",
    "a test",
    (ExampleCall("GET https://a.example/x?v=1", items={"client.app": ("1",)}),),
    (ExampleCall("GET https://a.example/y"),),
    items=(ItemPlace("client.app", ("query.v",), "obvious"),),
    id="a/x",
)


def knowledge(*rules: Rule) -> Knowledge:
    return Knowledge(KNOWLEDGE.items, {"a": PRODUCT}, {rule.id: rule for rule in rules}, (), {}, frozenset())


def test_a_rule_that_is_what_its_examples_say_has_no_fault() -> None:
    assert list(faults(RULE, knowledge(RULE))) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"example": ()}, "example: there is none; add a made-up call that the rule must win"),
        ({"near_miss": ()}, "near-miss: there is none; add a made-up call that looks alike and must not fit"),
        ({"source": " "}, "source: is empty; say where the rule can be checked"),
        ({"items": (replace(RULE.items[0], why=""),)}, "items: client.app: why: is empty; say how it is known"),
        (
            {"example": (ExampleCall("https://a.example/x"),)},
            "example.0: request: must begin like `GET https://host/path`, not 'https://a.example/x'",
        ),
        (
            {"example": (ExampleCall("GET https://[a].example/x"),)},
            "example.0: request: must begin like `GET https://host/path`, not 'GET https://[a].example/x'",
        ),
        (
            {"example": (ExampleCall("GET https://a.example/z"),)},
            "example.0: does not fit the rule's own match; mend one of the two",
        ),
        (
            {"example": (ExampleCall("GET https://a.example/x?v=2", items={"client.app": ("1",)}),)},
            "example.0: items: client.app: says '1', the rule finds '2'",
        ),
        (
            {"example": (ExampleCall("GET https://a.example/x?w=2", items={"client.app": ("1",)}),)},
            "example.0: items: client.app: says '1', the rule finds nothing",
        ),
        (
            {"near_miss": (ExampleCall("GET https://a.example/x/"),)},
            "near-miss.0: fits the rule; it must look alike and not fit",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(changed: dict[str, Any], fault: str) -> None:
    rule = replace(RULE, **changed)
    assert list(faults(rule, knowledge(rule))) == [f"a/calls/x.toml: {fault}"]


def test_a_rule_that_another_one_beats_or_equals_is_told_which() -> None:
    better = replace(RULE, id="a/better", match=replace(RULE.match, method=("GET",)))
    equal = replace(RULE, id="a/y")
    assert list(faults(RULE, knowledge(RULE, better))) == [
        "a/calls/x.toml: example.0: is won by a/better; make this rule more specific, or the example another one"
    ]
    assert list(faults(RULE, knowledge(RULE, equal))) == [
        "a/calls/x.toml: example.0: is won by a/y as well; make one of the rules more specific"
    ]
