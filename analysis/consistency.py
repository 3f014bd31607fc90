"""What is wrong in packs that one file alone does not show: names that do not exist, patterns that could be slow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from analysis.ontology import Ontology
from analysis.pack import KINDS, DeclaredList, Item, Names, Product, Rule
from captures.model import Sentence

LONGEST_PATTERN = 300
"""Characters of a pattern of any kind."""

MOST_WILDCARDS = 8
"""`*`, `**` and `{name}` in one pattern."""

MOST_PATTERNS = 500
"""Patterns in one rule or product: a call may be tried against all of them."""

_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}")
"""A name of two labels at least, or an address."""

_HOST = re.compile(r"[^\s*{}/?#]{1,253}")

_NAME = "\0"
"""Stands for a part with a name."""

_WILDCARD = re.compile(r"\*\*|\*|\0")

_NAMED = re.compile(r"\{[a-z][a-z0-9_]*(?:=([^{}]*))?\}")


def faults(
    items: Mapping[str, Item],
    products: Mapping[str, Product],
    rules: Mapping[str, Rule],
    lists: Sequence[DeclaredList],
    ontology: Ontology,
) -> Iterator[Sentence]:
    """All packs -> one line for each fault: `place: what is wrong; what to do`.  Empty when there is none."""
    for rule in rules.values():
        place = rule.id.replace("/", "/calls/", 1) + ".toml"
        for fault in _of_rule(rule, items, products[rule.id.partition("/")[0]]):
            yield f"{place}: {fault}"
    owners: dict[str, str] = {}
    for product in products.values():
        for domain in product.domains:
            if (owner := owners.setdefault(domain, product.id)) != product.id:
                yield f"{product.id}/product.toml: domains: {domain}: belongs to the pack {owner}; name a part of it"
        for fault in _of_product(product, items):
            yield f"{product.id}/product.toml: {fault}"
    for declared in lists:
        for fault in _of_list(declared, {*items, *ontology.items}, products[declared.product], ontology):
            yield f"{declared.product}/declared/{declared.id}.toml: {fault}"


def faults_of_names(names: Names, items: Mapping[str, Item]) -> Iterator[Sentence]:
    """The names that mean the same in anybody's calls -> one line for each fault."""
    for n, entry in enumerate(names.field):
        named, groups = (entry.item, entry.server_item), (*entry.beside, *entry.not_beside)
        yield from (f"field.{n}: {item} is not in items.toml" for item in named if item and item not in items)
        yield from (f"field.{n}: {key} is not among `beside`" for key in groups if key not in names.beside)
        if entry.value and entry.value not in names.values:
            yield f"field.{n}: {entry.value} is not among `values`"
    yield from (f"pattern: {p.item} is not in items.toml" for p in names.pattern if p.item not in items)


def _of_rule(rule: Rule, items: Mapping[str, Item], product: Product) -> Iterator[Sentence]:
    match = rule.match
    yield from (f"items: {i.id}: is not in items.toml" for i in rule.items if i.id not in items)
    named = {name for call in rule.example for name in call.items} - {i.id for i in rule.items}
    yield from (f"example: items: {name}: is not among the rule's items" for name in sorted(named))
    switches = {switch.id for switch in product.switches}
    yield from (f"switches: {s.id}: is not in product.toml" for s in rule.switches if s.id not in switches)
    if bool(match.host) == bool(match.party):
        yield "match: must hold either host or party"
    yield from (
        f"match.host: {host}: must end in the domain of somebody, in small letters: `*.example.org`"
        for host in match.host
        if not _is_host(host)
    )
    yield from _patterns("match.host", match.host, ".")
    yield from _patterns("match.path", (match.path,), "/")
    yield from _patterns("match.query", match.query)
    yield from _patterns("match.header", match.header)
    yield from _patterns("match.contains", match.contains)
    for item in rule.items:
        yield from _patterns(f"items: {item.id}: at", item.at, ".")
        yield from _patterns(f"items: {item.id}: only-if", item.only_if)
        yield from _patterns(f"items: {item.id}: not-if", item.not_if)
    count = sum(len(i.at) + len(i.only_if) + len(i.not_if) for i in rule.items)
    if count + len(match.query) + len(match.header) + len(match.contains) > MOST_PATTERNS:
        yield f"holds more than {MOST_PATTERNS} patterns; split it into several rules"


def _is_host(pattern: str) -> bool:
    """Whether it is a host, or ends in a domain."""
    fixed = re.sub(r"^.*[*}]\.", "", pattern)
    fits = _DOMAIN.fullmatch(fixed) if set(pattern) & set("*{") else _HOST.fullmatch(pattern)
    return pattern == pattern.lower() and bool(fits)


def _of_product(product: Product, items: Mapping[str, Item]) -> Iterator[Sentence]:
    for domain in product.domains:
        if not _DOMAIN.fullmatch(domain):
            yield f"domains: {domain}: is no domain; write it in small letters: `example.org`"
    named = ((f.name, i) for f in product.fields for i in (f.item, f.server_item) if i)
    yield from (f"fields: {name}: {i} is not in items.toml" for name, i in named if i not in items)
    for field in product.fields:
        yield from _patterns(f"fields: {field.name}: only-if", field.only_if)
        yield from _patterns(f"fields: {field.name}: when", field.when)
    for sender in product.senders:
        yield from _patterns(f"senders: {sender.at}: value", sender.value)
        yield from _patterns(f"senders: {sender.at}: among", sender.among)
    for entry in product.blocking:
        yield from (f"blocking: {name}: is no name; `*.example.org`" for name in entry.host if not _is_host(name))
        yield from _patterns("blocking: host", entry.host, ".")
    if sum(len(sender.value) for sender in product.senders) > MOST_PATTERNS or len(product.fields) > MOST_PATTERNS:
        yield f"holds more than {MOST_PATTERNS} senders or fields; keep those that are needed"


def _of_list(declared: DeclaredList, items: Set[str], product: Product, ontology: Ontology) -> Iterator[Sentence]:
    switches = {switch.id for switch in product.switches}
    kinds = {*KINDS, *ontology.recipients}
    for place, named in (("recipients", declared.recipients), *((s.id, s.recipients) for s in declared.statements)):
        yield from (
            f"{place}: {kind}: is no kind of recipient; see ontology.toml" for kind in named if kind not in kinds
        )
    for statement in declared.statements:
        yield from (
            f"{statement.id}: {i} is not in items.toml or ontology.toml" for i in statement.items if i not in items
        )
        if statement.switch and statement.switch not in switches:
            yield f"{statement.id}: switch {statement.switch} is not in product.toml"
        yield from _patterns(f"{statement.id}: fields", statement.fields)


def _patterns(place: str, patterns: Iterable[str], separator: str = "") -> Iterator[Sentence]:
    """Patterns whose matching could take longer than the text is long, as `at` compiles them."""
    for pattern in patterns:
        if "*" not in pattern and "{" not in pattern and len(pattern) <= LONGEST_PATTERN:
            continue  # most are plain texts
        plain = _NAMED.sub(lambda named: named[1] or _NAME, pattern)
        inner = plain.removesuffix("**")  # at the end it takes what is left
        if len(pattern) > LONGEST_PATTERN:
            yield f"{place}: is longer than {LONGEST_PATTERN} characters; shorten {pattern[:40]!r}…"
        elif len(_WILDCARD.findall(plain)) > MOST_WILDCARDS:
            yield f"{place}: {pattern}: holds more than {MOST_WILDCARDS} wildcards; name the parts between them"
        elif separator and inner.count("**") > (1 if _NAME in inner else 2):
            yield f"{place}: {pattern}: holds more than two `**`, or one and a name; name the parts between them"
        elif separator == "/" and any(_competes(step) for step in inner.split("/")):
            yield f"{place}: {pattern}: holds a name or `**` and another wildcard in one step; leave out one of them"


def _competes(step: str) -> bool:
    """Whether two wildcards share one step of a path, so that each way of dividing it must be tried."""
    wildcards = _WILDCARD.findall(step)
    return len(wildcards) > 1 and set(wildcards) != {"*"}
