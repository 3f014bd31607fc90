"""Every rule of every pack wins its examples, misses its near misses, and finds in them what it says it finds."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis.classify import classify, fitting
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import Knowledge, load
from analysis.pack import ExampleCall, Rule
from captures.model import Exchange

KNOWLEDGE = load()
RULES = [pytest.param(rule, id=rule.id) for rule in KNOWLEDGE.rules.values()]


def household(call: Exchange, rule: Rule) -> Evidence:
    """For a rule about own servers, evidence that the example's host answers as one."""
    pack = rule.id.partition("/")[0]
    return Evidence(asks=frozenset({call.host}), server_of={call.host: pack}) if rule.match.party else Evidence()


def carried(call: ExampleCall, rule: Rule, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    exchange = exchange_of(call, rule.id)
    evidence = household(exchange, rule)
    found: dict[str, list[str]] = {}
    for finding in extract(classify(exchange, knowledge, evidence), knowledge, evidence):
        if finding.source == "rule":
            found.setdefault(finding.item, []).append(finding.value)
    return {item: tuple(values) for item, values in found.items()}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_wins_each_of_its_examples_alone(rule: Rule) -> None:
    for call in rule.example:
        exchange = exchange_of(call, rule.id)
        first, *rest = fitting(exchange, KNOWLEDGE, household(exchange, rule))
        assert first[0] == rule.id
        assert [other for other, specificity in rest if specificity == first[1]] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_misses_each_of_its_near_misses(rule: Rule) -> None:
    for call in rule.near_miss:
        exchange = exchange_of(call, rule.id)
        assert classify(exchange, KNOWLEDGE, household(exchange, rule)).rule != rule.id


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_in_its_examples_what_it_says(rule: Rule) -> None:
    for call in rule.example:
        assert carried(call, rule, KNOWLEDGE) == dict(call.items)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_an_example_a_near_miss_and_a_reason_for_every_item(rule: Rule) -> None:
    assert rule.example
    assert rule.near_miss
    assert rule.source
    assert all(place.why for place in rule.items)


def test_every_item_is_used_or_says_why_not() -> None:
    used = Counter(place.id for rule in KNOWLEDGE.rules.values() for place in rule.items)
    used.update(i for product in KNOWLEDGE.products.values() for f in product.fields for i in (f.item, f.server_item))
    wrong = [
        item.id
        for item in KNOWLEDGE.items.values()
        if bool(used[item.id] or item.names or item.id in BY_PATTERN) == bool(item.planned)
    ]
    assert wrong == []


BY_PATTERN = {
    "account.email",
    "net.mac",
    "net.lan_ip",
    "net.public_ip",
    "net.other_ip",
    "server.cert_hash",
    "auth.token",
}
"""Items that the shape of a value shows, without a rule."""


def test_no_domain_belongs_to_two_packs() -> None:
    domains = Counter(domain for product in KNOWLEDGE.products.values() for domain in product.domains)
    assert [domain for domain, count in domains.items() if count > 1] == []
