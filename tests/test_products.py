"""Every rule of every pack wins its examples, misses its near misses, and finds in them what it says it finds."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis.pack import Rule
from analysis.trial import faults
from shipped import KNOWLEDGE

RULES = [pytest.param(rule, id=rule.id) for rule in KNOWLEDGE.rules.values()]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_wins_its_examples_finds_in_them_what_it_says_and_misses_its_near_misses(rule: Rule) -> None:
    assert list(faults(rule, KNOWLEDGE)) == []


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
