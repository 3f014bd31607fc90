"""Tries a rule on its own examples: it wins them alone, finds in them what it says, and misses its near misses."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import Knowledge
from analysis.model import Category
from analysis.pack import ExampleCall, Rule
from analysis.rules import fitting
from analysis.schema import KnowledgeError
from captures.model import Exchange, Sentence


def faults(rule: Rule, knowledge: Knowledge) -> Iterator[Sentence]:
    """A rule of `knowledge` -> one line for each fault: `place: what is wrong; what to do`.  Empty when it is right."""
    place = rule.id.replace("/", "/calls/", 1) + ".toml"
    if rule.category is Category.UNKNOWN:
        yield f"{place}: category: choose what the call is for, or leave the call to nobody and remove the file"
    if not rule.example:
        yield f"{place}: example: there is none; add a made-up call that the rule must win"
    if not rule.near_miss:
        yield f"{place}: near-miss: there is none; add a made-up call that looks alike and must not fit"
    if not rule.source.strip():
        yield f"{place}: source: is empty; say where the rule can be checked"
    for item in rule.items:
        if not item.why.strip():
            yield f"{place}: items: {item.id}: why: is empty; say how it is known"
    for kind, calls in (("example", rule.example), ("near-miss", rule.near_miss)):
        for n, call in enumerate(calls):
            try:
                exchange = exchange_of(call, f"{place}: {kind}.{n}")
            except KnowledgeError as error:
                yield from str(error).splitlines()
                continue
            wrong = _example(exchange, call, rule, knowledge) if kind == "example" else _near(exchange, rule, knowledge)
            yield from (f"{place}: {kind}.{n}: {fault}" for fault in wrong)


def evidence_for(exchange: Exchange, rule: Rule) -> Evidence:
    """What an example takes for granted: of a rule about own servers, that its host answers as one."""
    pack = rule.id.partition("/")[0]
    return (
        Evidence(asks=frozenset({exchange.host}), server_of={exchange.host: pack}) if rule.match.party else Evidence()
    )


def carried(exchange: Exchange, rule: Rule, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """The items that rules find in an example, as `ExampleCall.items` names them."""
    evidence = evidence_for(exchange, rule)
    found: dict[str, list[str]] = {}
    for finding in extract(classify(exchange, knowledge, evidence), knowledge, evidence):
        if finding.source == "rule":
            found.setdefault(finding.item, []).append(finding.value)
    return {item: tuple(values) for item, values in found.items()}


def _example(exchange: Exchange, call: ExampleCall, rule: Rule, knowledge: Knowledge) -> Iterator[Sentence]:
    fitted = fitting(exchange, knowledge, evidence_for(exchange, rule))
    if rule.id not in [name for name, _ in fitted]:
        yield "does not fit the rule's own match; mend one of the two"
        return
    winner, best = fitted[0]
    if winner != rule.id:
        yield f"is won by {winner}; make this rule more specific, or the example another one"
        return
    if equal := [name for name, specificity in fitted[1:] if specificity == best]:
        yield f"is won by {', '.join(equal)} as well; make one of the rules more specific"
    found, expected = carried(exchange, rule, knowledge), dict(call.items)
    for item in sorted(found.keys() | expected.keys()):
        if found.get(item) != expected.get(item):
            says, finds = (", ".join(map(repr, values.get(item, ()))) or "nothing" for values in (expected, found))
            yield f"items: {item}: says {says}, the rule finds {finds}"


def _near(exchange: Exchange, rule: Rule, knowledge: Knowledge) -> Iterator[Sentence]:
    if classify(exchange, knowledge, evidence_for(exchange, rule)).rule == rule.id:
        yield "fits the rule; it must look alike and not fit"
