"""What one list says of one item in calls of one kind: all verdicts that hold, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis import reasons
from analysis.anonymity import Carried, Links, identifying
from analysis.compare.scope import Scope, is_exact, is_more_special, misfit
from analysis.evidence import Evidence, SwitchState, state_at
from analysis.knowledge import Knowledge
from analysis.model import Classified, Finding, Verdict
from analysis.pack import DeclaredList, Rule, Statement

type Member = tuple[Classified, Finding]
"""A finding and the call in which it stands."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What all judgements look at."""

    knowledge: Knowledge
    evidence: Evidence
    declared: str
    """Date of the list to judge by; empty: the one in force at the time of the call."""
    carried: Carried
    """What calls carry that tells something about the rest of them."""
    links: Links
    """What each recipient can put together."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One verdict that holds, and why."""

    verdict: Verdict
    reason: str
    statement: str = ""
    """Id of the statement that decided; empty when there is none."""
    beside: tuple[Verdict, ...] = ()
    """Verdicts that hold too, whatever their rank."""
    declared: str = ""
    """Date of the document that holds the statement, if it is another one than the list."""


@dataclass(frozen=True, slots=True)
class Case:
    """Those findings of a comparison to which the same statements apply."""

    item: str
    members: list[Member]
    declared: DeclaredList | None
    """`None` when the sender is not sure or publishes no list that is about such calls."""
    statements: tuple[Statement, ...]
    """Those of the list that apply."""
    scope: Scope
    words: reasons.Words


def by_list(case: Case, declared: DeclaredList, scene: Scene) -> list[Opinion]:
    """A case and the list in force -> every verdict that holds, at least one."""
    written = documented(case, scene)
    # What the user told a product to send elsewhere is no matter of what its vendor collects.
    if written and _set_up(case, scene):
        return [written]
    ontology, words = scene.knowledge.ontology, case.words
    named = [s for s in case.statements if s.status != "never"]
    limited = [s for s in named if s.only_recipients and not ontology.covers_recipient(s.recipients, case.scope.kind)]
    positive = [
        s
        for s in named
        if s not in limited and ontology.covers_recipient((*s.recipients, *declared.recipients), case.scope.kind)
    ]
    if not positive and (reached := _reached(case)):
        return [Opinion((written or reached).verdict, reached.reason, reached.statement)]
    opinions = list(_denials(case, positive, scene))
    if positive and not any(opinion.verdict is Verdict.DENIED for opinion in opinions):
        beaten = [] if opinions else [s for s in case.statements if s.status == "never"]
        quoted = f" {words.beaten(beaten[0])}" if beaten else ""
        opinions.extend(replace(found, reason=found.reason + quoted) for found in _coverage(positive, case, scene))
        opinions.extend(_manner(positive, declared, case, scene))
    if limited and not positive:
        opinions.append(Opinion(Verdict.WRONG_RECIPIENT, words.wrong_recipient(limited[0]), limited[0].id))
    if declared.names_fields and any(finding.at.startswith("body") for _, finding in case.members):
        written = None
    return opinions or [written or Opinion(Verdict.UNDECLARED, words.undeclared())]


def documented(case: Case, scene: Scene) -> Opinion | None:
    """What the sender's documentation says of such calls, or that the user chose the recipient; else `None`.

    An address in the rule tells what the call as a whole needs; what only the shape of a value or one of the user's own
    values shows is not among that, unless the rule names the item.
    """
    if _set_up(case, scene):
        return Opinion(Verdict.DOCUMENTED, case.words.set_up())
    for declared in scene.knowledge.lists_of(case.members[0][0].product, "documentation"):
        for statement in scene.knowledge.about(declared, case.item):
            if statement.status != "never" and not misfit(statement, case.scope, scene.knowledge.ontology):
                reason = case.words.described(declared, statement)
                return Opinion(Verdict.DOCUMENTED, reason, statement.id, declared=declared.id)
    rules = _rules(case, scene)
    documented = [rule for rule in rules if rule and rule.documented]
    naming = {rule.id for rule in documented if case.item in {place.id for place in rule.items}}
    shown = (call.rule for call, finding in case.members if finding.source in ("known", "pattern"))
    if len(documented) == len(rules) and all(rule in naming for rule in shown):
        return Opinion(Verdict.DOCUMENTED, case.words.documented(documented[0].documented))
    return None


def _set_up(case: Case, scene: Scene) -> bool:
    return all(rule is not None and rule.set_up_by_user for rule in _rules(case, scene))


def _rules(case: Case, scene: Scene) -> list[Rule | None]:
    """The rules by which the calls were known, each once, in the order of the calls; `None` for those without."""
    return [scene.knowledge.rules.get(rule) for rule in dict.fromkeys(call.rule for call, _ in case.members)]


def _reached(case: Case) -> Opinion | None:
    """A denial of what reaches every recipient and stands in no bytes is not refuted by a connection."""
    denial = next((s for s in case.statements if s.status == "never"), None)
    if denial is None or any(finding.source != "implied" for _, finding in case.members):
        return None
    return Opinion(Verdict.UNDECLARED, case.words.reached(denial), denial.id)


def _denials(case: Case, positive: list[Statement], scene: Scene) -> Iterator[Opinion]:
    """A denial alone is `denied`; beside a statement of equal rank it is a contradiction; a special one beats it."""
    ontology = scene.knowledge.ontology
    never = [s for s in case.statements if s.status == "never"]
    standing = [d for d in never if not any(is_more_special(s, d, case.item, ontology) for s in positive)]
    if not standing:
        return
    denial = next((d for d in standing if all(is_more_special(d, s, case.item, ontology) for s in positive)), None)
    if denial:
        yield Opinion(Verdict.DENIED, case.words.denied(denial), denial.id)
    else:
        named = next(s for s in positive if not is_more_special(standing[0], s, case.item, ontology))
        yield Opinion(Verdict.CONTRADICTORY, case.words.contradictory(named, standing[0]), named.id)


def _coverage(positive: list[Statement], case: Case, scene: Scene) -> Iterator[Opinion]:
    """`declared`, `optional`, `opted-out` or `declared-vaguely`, and what else holds beside it."""
    words = case.words
    exact = [
        s for s in positive if is_exact(s, case.item) and case.scope.kind in s.recipients and not case.scope.guessed
    ]
    required = [s for s in exact if s.status == "required"]
    optional = [s for s in exact if s.status == "optional"]
    vague = min(positive, key=lambda s: ("vendor" not in s.recipients, not is_exact(s, case.item)))
    if all(s.status == "optional" for s in positive) and _all_off(positive, case, scene):
        yield Opinion(Verdict.OPTED_OUT, words.opted_out(positive[0]), positive[0].id)
    elif required and optional:
        reason = words.declared_twice(required[0], optional[0])
        yield Opinion(Verdict.DECLARED, reason, required[0].id, (Verdict.OPTIONAL,))
    elif required:
        yield Opinion(Verdict.DECLARED, words.declared(required[0]), required[0].id)
    elif optional:
        yield Opinion(Verdict.OPTIONAL, words.optional(optional[0], _state(optional[0], case, scene)), optional[0].id)
    elif all(s.status == "optional" for s in positive):
        reason = words.optional(vague, _state(vague, case, scene))
        yield Opinion(Verdict.OPTIONAL, reason, vague.id, (Verdict.DECLARED_VAGUELY,))
    else:
        yield Opinion(Verdict.DECLARED_VAGUELY, words.vaguely(vague, is_exact(vague, case.item)), vague.id)


def _all_off(statements: list[Statement], case: Case, scene: Scene) -> bool:
    """Whether for one of the calls each of the switches that would allow it is known to be off."""
    changes = [_changes(statement, case, scene) for statement in statements]
    times = (call.observation.time for call, _ in case.members)
    return all(changes) and any(all(state_at(each, time) is False for each in changes) for time in times)


def _state(statement: Statement, case: Case, scene: Scene) -> bool | None:
    """State of a statement's switch at the time of the calls; `None` when it is not known, or was not ever the same."""
    changes = _changes(statement, case, scene)
    states = {state_at(changes, call.observation.time) for call, _ in case.members} if changes else set()
    return states.pop() if len(states) == 1 else None


def _changes(statement: Statement, case: Case, scene: Scene) -> list[SwitchState]:
    sender = case.members[0][0].product
    return scene.evidence.changes(sender, statement.switch) if statement.switch else []


def _manner(positive: list[Statement], declared: DeclaredList, case: Case, scene: Scene) -> Iterator[Opinion]:
    """What a statement promises of how it is sent: anonymous, or no finer than so."""
    if all(s.anonymous for s in positive):
        listed = {item for s in declared.statements if s.status != "never" for item in s.items}
        calls = [call for call, _ in case.members]
        if with_it := identifying(case.item, calls, scene.carried, scene.links, listed):
            yield Opinion(Verdict.IDENTIFIABLE, case.words.identifiable(positive[0], with_it), positive[0].id)
    rounded = next((s for s in positive if s.rounding in ("truncated", "city")), None)
    if rounded and any(_is_fine(finding, rounded) for _, finding in case.members):
        yield Opinion(Verdict.TOO_PRECISE, case.words.too_precise(rounded), rounded.id)


_FRACTION = re.compile(r"[0-9]\.([0-9]+)")


def _is_fine(finding: Finding, promised: Statement) -> bool:
    """Whether a place is told more precisely than promised: a coordinate to better than about a kilometre (more than
    two digits after the point), or a postal code where no more than the city was promised."""
    if finding.item == "geo.postal_code":
        return promised.rounding == "city"
    if finding.item != "geo.latlon":
        return False
    return any(len(digits.rstrip("0")) > 2 for digits in _FRACTION.findall(finding.value))
