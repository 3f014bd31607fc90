"""What the packs know, and what they do not, as a page in Markdown: `docs/coverage.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from analysis.knowledge import Knowledge
from analysis.model import Category
from analysis.pack import Evidence, Product, Rule

_KINDS = {
    "media-product": "Media products",
    "tool": "Programs of third parties that talk to them",
    "service": "Services that they call",
}

_HEAD = """\
# What is known

Made from the packs by `make docs`: {calls} kinds of calls of {packs} packs. What a category or a data item means
is in [knowledge.md](knowledge.md) and `analysis/items.toml`; where each call can be checked stands in its file under
`analysis/products/`.

*How sure* counts the kinds of calls by how they are known: **d** the vendor's documents or own code say so,
**c** captured, **s** read in the code of a third party that makes the call, **i** inferred from something else.
"""


def page(known: Knowledge) -> str:
    """Shipped packs -> the page.  The same packs always give the same text."""
    products = sorted((known.products[pack] for pack in known.shipped), key=lambda product: product.name.casefold())
    rules = {p.id: [rule for rule in known.rules.values() if rule.id.partition("/")[0] == p.id] for p in products}
    lines = [_HEAD.format(calls=sum(map(len, rules.values())), packs=len(products))]
    for kind, title in _KINDS.items():
        chosen = [product for product in products if product.kind == kind]
        lines += [f"## {title}", ""]
        if kind == "media-product":
            for product in chosen:
                lines += [*_product(product, rules[product.id], known), ""]
        else:
            lines += [*_packs(chosen, rules), ""]
    lines += ["## Calls to anybody", "", *_anybody(known), ""]
    lines += ["## What is not known", "", *_unknown(products, rules, known)]
    return "\n".join(lines) + "\n"


def _product(product: Product, rules: Sequence[Rule], known: Knowledge) -> Iterator[str]:
    """One media product: a line for each purpose."""
    yield f"### {product.name}"
    yield ""
    lists = [f"{x.id} ({x.kind})" for x in known.lists if x.product == product.id]
    said = ", ".join(lists) or "none is known, so nothing that it sends can be called declared or undeclared"
    yield f"What it declares: {said}."
    if own := sorted({item for field in product.fields for item in (field.item, field.server_item) if item}):
        yield f"In headers and parameters of any call: {', '.join(own)}."
    yield ""
    yield from ("| purpose | calls | how sure | data items |", "|---|--:|---|---|")
    for category in sorted({rule.category for rule in rules}):
        of_category = [rule for rule in rules if rule.category is category]
        yield f"| {category} | {len(of_category)} | {_sure(of_category)} | {_items(of_category)} |"


def _packs(products: Iterable[Product], rules: dict[str, list[Rule]]) -> Iterator[str]:
    """Other packs: a line each."""
    yield from ("| pack | calls by purpose | how sure | data items |", "|---|---|---|---|")
    for product in products:
        counted = Counter(rule.category for rule in rules[product.id])
        purposes = ", ".join(f"{category} {n}" for category, n in sorted(counted.items())) or "as a sender only"
        yield f"| {product.name} | {purposes} | {_sure(rules[product.id])} | {_items(rules[product.id])} |"


def _sure(rules: Iterable[Rule]) -> str:
    counted = Counter(rule.evidence for rule in rules)
    return " ".join(f"{n}{evidence[0]}" for evidence in get_args(Evidence.__value__) if (n := counted[evidence]))


def _items(rules: Iterable[Rule]) -> str:
    return ", ".join(sorted({item.id for rule in rules for item in rule.items}))


def _anybody(known: Knowledge) -> Iterator[str]:
    """Items that are found where no rule names them."""
    found = {item for field in known.names.field for item in (field.item, field.server_item)}
    found |= {pattern.item for pattern in known.names.pattern} | {i.id for i in known.items.values() if i.names}
    yield "Names of fields and forms of values show in any call, also to hosts that no pack knows:"
    yield f"{', '.join(sorted(found - {''})) or 'nothing'}."


def _unknown(products: Sequence[Product], rules: dict[str, list[Rule]], known: Knowledge) -> Iterator[str]:
    """What a reader could take for known and is not."""
    seen = {rule.category for of_product in rules.values() for rule in of_product} | {Category.UNKNOWN}
    if missing := [category for category in Category if category not in seen]:
        yield f"- No call is known that serves: {', '.join(missing)}."
    media = [product for product in products if product.kind == "media-product"]
    for product in media:
        if declared := _declared(product, known):
            carried = {item.id for rule in rules[product.id] for item in rule.items}
            carried |= {item for field in product.fields for item in (field.item, field.server_item)}
            if absent := sorted(declared - carried):
                yield f"- {product.name} declares, and no call is known that carries it: {', '.join(absent)}."
    hosts = [p for p in products if rules[p.id] and not any(rule.match.path for rule in rules[p.id])]
    if hosts:
        yield f"- Only the host is known, not the single calls: {_names(hosts)}."
    guessed = [p for p in products if rules[p.id] and all(rule.evidence == "inferred" for rule in rules[p.id])]
    if guessed:
        yield f"- All is inferred: {_names(guessed)}."
    undated = sum(not rule.when for of_product in rules.values() for rule in of_product)
    yield f"- Of {undated} kinds of calls it is not known on which occasion they are made; *not seen* says so there."
    planned = sorted((item.id, item.planned) for item in known.items.values() if item.planned)
    yield from (f"- No rule finds {item}: {why}." for item, why in planned)


def _declared(product: Product, known: Knowledge) -> set[str]:
    """Items that the newest list names as collected, and that can be seen on the wire."""
    policies = known.lists_of(product.id)
    said = policies[-1].statements if policies else ()
    return {
        item
        for s in said
        if s.status != "never" and not s.derived
        for item in s.items
        if item not in known.ontology.items
    }


def _names(products: Iterable[Product]) -> str:
    return ", ".join(product.name for product in products)
