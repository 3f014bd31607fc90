"""What one file of a pack alone does not show is found, with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from analysis.consistency import faults, faults_of_names
from analysis.model import Category
from analysis.pack import (
    DeclaredList,
    ExampleCall,
    Field,
    ItemPlace,
    Match,
    Product,
    Rule,
    SenderSign,
    Statement,
    SwitchPlace,
)
from shipped import KNOWLEDGE

ITEMS = KNOWLEDGE.items
CALL = (ExampleCall("GET https://a.example/"),)
PRODUCT = Product("A", "service", "A", ("a.example",), id="a")
RULE = Rule(Category.SEARCH, Match(host=("a.example",), path="/x"), "captured", "a test", CALL, CALL, id="a/x")
LIST = DeclaredList("A", "policy", "2024-01-01", "a test", (), product="a", id="2024-01-01")


def found(*, product: Mapping[str, Any] = {}, rule: Mapping[str, Any] = {}, said: Statement | None = None) -> list[str]:
    changed = replace(PRODUCT, **product)
    lists = (replace(LIST, statements=(said,)),) if said else ()
    return list(faults(ITEMS, {"a": changed}, {"a/x": replace(RULE, **rule)}, lists, KNOWLEDGE.ontology))


def place(**more: Any) -> tuple[ItemPlace, ...]:
    return (ItemPlace(**{"id": "client.app", "at": ("query.v",), "why": "obvious"} | more),)


def test_what_is_right_has_no_fault() -> None:
    statement = Statement("s", ("client.app",), "required", "app", "top")
    assert found(said=statement) == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"items": place(id="client.ap")}, "items: client.ap: is not in items.toml"),
        (
            {"example": (ExampleCall("GET https://a.example/x", items={"client.os": ("1",)}),)},
            "example: items: client.os: is not among the rule's items",
        ),
        ({"switches": (SwitchPlace("s", "query.s", ("0",), ("1",)),)}, "switches: s: is not in product.toml"),
        ({"match": Match(path="/x")}, "match: must hold either host or party"),
        ({"match": Match(host=("a.example",), party="own")}, "match: must hold either host or party"),
        (
            {"match": Match(host=("*.example",))},
            "match.host: *.example: must end in the domain of somebody, in small letters: `*.example.org`",
        ),
        (
            {"match": Match(host=("A.example",))},
            "match.host: A.example: must end in the domain of somebody, in small letters: `*.example.org`",
        ),
        (
            {"match": Match(host=("a.example",), path="/**/a/**/b/**/c")},
            "match.path: /**/a/**/b/**/c: holds more than two `**`, or one and a name; name the parts between them",
        ),
        (
            {"match": Match(host=("a.example",), path="/a*" * 7 + "/{x}/{y=*}")},
            "match.path: /a*/a*/a*/a*/a*/a*/a*/{x}/{y=*}: holds more than 8 wildcards; name the parts between them",
        ),
        (
            {"match": Match(host=("a.example",), path="/**/{x}/a/**/b")},
            "match.path: /**/{x}/a/**/b: holds more than two `**`, or one and a name; name the parts between them",
        ),
        (
            {"match": Match(host=("a.example",), path="/{x}a*b")},
            "match.path: /{x}a*b: holds a name or `**` and another wildcard in one step; leave out one of them",
        ),
        (
            {"match": Match(host=("a.example",), path="/**a*b")},
            "match.path: /**a*b: holds a name or `**` and another wildcard in one step; leave out one of them",
        ),
        (
            {"match": Match(host=("a.example",), query=("q=" + "a" * 300,))},
            "match.query: is longer than 300 characters; shorten 'q=" + "a" * 38 + "'…",
        ),
        (
            {"items": place(at=("body.**.a.**.b.**.c",))},
            "items: client.app: at: body.**.a.**.b.**.c: holds more than two `**`, or one and a name; "
            "name the parts between them",
        ),
        (
            {"items": place(only_if=("*a" * 9,))},
            "items: client.app: only-if: " + "*a" * 9 + ": holds more than 8 wildcards; name the parts between them",
        ),
        ({"items": place(not_if=("a",) * 501)}, "holds more than 500 patterns; split it into several rules"),
    ],
)
def test_a_fault_of_a_rule_is_named_with_its_place(rule: dict[str, Any], fault: str) -> None:
    assert found(rule=rule) == [f"a/calls/x.toml: {fault}"]


@pytest.mark.parametrize("path", ["/**/a/**/b**", "/a*b*c", "/x/{id}**", "/{a}/{b=*}/**", "/{p=**}x"])
def test_wildcards_that_do_not_compete_are_no_fault(path: str) -> None:
    assert found(rule={"match": Match(host=("a.example",), path=path)}) == []


def test_two_wildcards_across_segments_and_one_at_the_end_are_no_fault() -> None:
    assert found(rule={"items": place(at=("body.**.a.**.b.**",))}) == []


@pytest.mark.parametrize(
    ("product", "fault"),
    [
        ({"domains": ("*.a.example",)}, "domains: *.a.example: is no domain; write it in small letters: `example.org`"),
        ({"fields": (Field("x", "client.ap"),)}, "fields: x: client.ap is not in items.toml"),
        (
            {"senders": (SenderSign("header.user-agent", ("*a" * 9,)),)},
            "senders: header.user-agent: value: "
            + "*a" * 9
            + ": holds more than 8 wildcards; name the parts between them",
        ),
        (
            {"senders": (SenderSign("header.user-agent", ("a",) * 501),)},
            "holds more than 500 senders or fields; keep those that are needed",
        ),
    ],
)
def test_a_fault_of_a_product_is_named_with_its_place(product: dict[str, Any], fault: str) -> None:
    assert found(product=product) == [f"a/product.toml: {fault}"]


def test_a_domain_of_another_pack_cannot_be_taken() -> None:
    other = replace(PRODUCT, id="b")
    assert list(faults(ITEMS, {"a": PRODUCT, "b": other}, {}, (), KNOWLEDGE.ontology)) == [
        "b/product.toml: domains: a.example: belongs to the pack a; name a part of it"
    ]
    assert (
        list(faults(ITEMS, {"a": PRODUCT, "b": replace(other, domains=("x.a.example",))}, {}, (), KNOWLEDGE.ontology))
        == []
    )


def test_a_statement_names_items_and_switches_that_exist() -> None:
    said = Statement("s", ("client.ap",), "optional", "app", "top", switch="off")
    assert found(said=said) == [
        "a/declared/2024-01-01.toml: s: client.ap is not in items.toml or ontology.toml",
        "a/declared/2024-01-01.toml: s: switch off is not in product.toml",
    ]


def test_the_names_that_mean_the_same_everywhere_name_items_that_exist() -> None:
    names = KNOWLEDGE.names
    assert list(faults_of_names(names, ITEMS)) == []
    assert "field." in next(faults_of_names(names, {}))
