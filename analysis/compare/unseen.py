"""What a list names and no call carried: it cannot be seen, or there was no occasion, or it was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from analysis.compare.scope import meant
from analysis.knowledge import Knowledge
from analysis.model import Category, Classified, Comparison, Finding, Verdict
from analysis.pack import DeclaredList, Rule, Statement
from analysis.reasons import Words
from analysis.traffic import count


def unseen(
    calls: Sequence[Classified],
    findings: Sequence[Finding],
    judged: Sequence[Comparison],
    policies: Mapping[str, DeclaredList],
    knowledge: Knowledge,
) -> Iterator[Comparison]:
    """Calls, findings, what was judged, and the policy of each sender -> one comparison a statement and item.

    A broader term names no item of which it could be said that it was not seen.
    """
    seen = {(comparison.product, comparison.item) for comparison in judged}
    places = {(f.item, f.at) for f in findings if f.direction == "sent"}
    made: Counter[tuple[str, str]] = Counter()
    for call in calls:
        made[call.rule, call.product] += count(call)
    for product, policy in sorted(policies.items()):
        sender = knowledge.products[product]
        for statement in policy.statements:
            for item in statement.items if statement.status != "never" else ():
                stale = _is_stale(statement, item, policy, places)
                if item not in knowledge.items or ((product, item) in seen and not stale):
                    continue
                words = Words(knowledge, item, "", sender, policy)
                occasions = _occasions(statement, knowledge.carriers.get(item, ()), product, made, knowledge)
                yield Comparison(
                    product=product,
                    declared=policy.id,
                    item=item,
                    recipient="vendor",
                    entity=sender.entity,
                    category=statement.categories[0] if statement.categories else Category.UNKNOWN,
                    verdict=Verdict.NOT_SEEN,
                    also=(),
                    reason=words.not_seen(statement, *occasions),
                    statement=statement.id,
                    count=0,
                    calls=(),
                )


def _is_stale(statement: Statement, item: str, policy: DeclaredList, places: set[tuple[str, str]]) -> bool:
    """Whether a list of fields names one that was not sent, though others that hold the same item were."""
    if not policy.names_fields or not statement.fields:
        return False
    return not any(name == item and meant((statement,), at) for name, at in places)


def _occasions(
    statement: Statement,
    carriers: Sequence[Rule],
    product: str,
    made: Mapping[tuple[str, str], int],
    knowledge: Knowledge,
) -> tuple[int, tuple[str, ...]]:
    """How many calls could have carried an item, and on which occasions such calls are made.

    `made` is how many calls there were, by rule and sender.
    """
    able = {rule.id: rule for rule in carriers if not statement.categories or rule.category in statement.categories}
    count = sum(made.get((rule, sender), 0) for rule in able for sender in ("", product))
    entity = knowledge.products[product].entity
    own = (r for r in able.values() if knowledge.products[r.id.partition("/")[0]].entity == entity)
    return count, tuple(dict.fromkeys(rule.when for rule in own if rule.when))
