"""Findings -> comparisons: what the sender's own list says of each item, for each recipient and purpose.

This is flow-to-policy consistency (PoliCheck, USENIX Security 2020) with the scopes, exceptions and switches that lists
of media software have.  Which verdict holds when is decided in docs/knowledge.md.

| module | knows |
|---|---|
| `alike` | which calls and findings no list tells apart |
| `scope` | which statements of a list are about a finding, and which of two is the more special |
| `verdict` | what one list says of findings of one kind |
| `unseen` | what a list names and no call carried |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from analysis.at import named_as
from analysis.compare import scope, verdict
from analysis.compare.alike import Group, Matter, Part, day_of, is_sure
from analysis.compare.unseen import unseen
from analysis.compare.verdict import Case, Opinion, Scene
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Classified, Comparison, Finding, Verdict
from analysis.pack import DeclaredList, Statement
from analysis.reasons import Words
from analysis.traffic import total

_ORDER = {known: rank for rank, known in enumerate(Verdict)}


def compare(
    calls: Sequence[Classified],
    findings: Sequence[Finding],
    knowledge: Knowledge,
    evidence: Evidence,
    declared: str = "",
) -> tuple[Comparison, ...]:
    """Calls and their findings -> one comparison per (sender, item, recipient, purpose), the worst verdict first.

    Only what was sent to a vendor, a third party or somebody unknown is judged: not what was received, not what went to
    own servers, and nothing that went to a host that may be an own server.  `declared` is the date of the list to judge
    by, instead of the one in force at the time of the call.  At the end stands what a list names and was not seen.
    """
    return _compared(Matter(calls, findings, knowledge, evidence, declared), calls, findings)


def compare_and_promised(
    calls: Sequence[Classified],
    findings: Sequence[Finding],
    knowledge: Knowledge,
    evidence: Evidence,
    declared: str = "",
) -> tuple[tuple[Comparison, ...], tuple[Comparison, ...]]:
    """Calls and their findings -> what `compare` and `promised` say of them, in less time than one by one."""
    matter = Matter(calls, findings, knowledge, evidence, declared)
    return _compared(matter, calls, findings), _promised(matter)


def _compared(matter: Matter, calls: Sequence[Classified], findings: Sequence[Finding]) -> tuple[Comparison, ...]:
    known, declared = matter.scene.knowledge, matter.scene.declared
    found = [_judge(group, matter) for group in matter.groups]
    sure = [kind.call for kind in matter.kinds if kind.sure]
    policies = {call.product: policy for call in reversed(sure) if (policy := _in_force(call, known, declared))}
    found.extend(unseen(calls, findings, found, policies, known))
    return tuple(sorted(found, key=_rank))


def judged(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge, evidence: Evidence
) -> tuple[Comparison, ...]:
    """Calls and their findings -> what `compare` says of what was sent; what was not seen is not asked.

    For a single call that is a hundred times as fast.
    """
    matter = Matter(calls, findings, knowledge, evidence)
    return tuple(sorted((_judge(group, matter) for group in matter.groups), key=_rank))


def promised(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge, evidence: Evidence
) -> tuple[Comparison, ...]:
    """Calls and their findings -> what the senders' promises say of them, likewise, the worst verdict first.

    A promise holds from its day until it is withdrawn, whatever policies say since, so it is judged apart: `declared`
    is its date.  It is no list of everything, so what it does not speak of has no place here.
    """
    return _promised(Matter(calls, findings, knowledge, evidence))


def _promised(matter: Matter) -> tuple[Comparison, ...]:
    judged = (_judge_promises(group, matter) for group in matter.groups)
    return tuple(sorted((comparison for found in judged for comparison in found), key=_rank))


def _rank(comparison: Comparison) -> tuple[int, str, str, str, str, str]:
    c = comparison
    return _ORDER[c.verdict], c.product, c.entity, c.category, c.item, c.statement


def _in_force(call: Classified, knowledge: Knowledge, declared: str) -> DeclaredList | None:
    """The sender's policy at the time of a call, or the one called `declared`; `None` when there is none that is about
    such calls."""
    policy = knowledge.in_force(call.product, day_of(call), declared)
    return policy if policy and (not policy.categories or call.category in policy.categories) else None


def _judge(group: Group, matter: Matter) -> Comparison:
    scene = matter.scene
    if group.sure():
        cases = list(_cases(group, matter, lambda call: _in_force(call, scene.knowledge, scene.declared)))
    else:
        members = matter.members(group.parts)
        sender = scene.knowledge.products.get(group.product)
        words = Words(scene.knowledge, group.item, group.who, sender, None)
        about = scope.scope_of(members[0][0], {}, sender, scene.knowledge)
        cases = [Case(group.item, members, None, (), about, words)]
    return _comparison(group, [(opinion, case) for case in cases for opinion in _opinions(case, scene)], matter)


def _judge_promises(group: Group, matter: Matter) -> Iterator[Comparison]:
    """One comparison for each promise that speaks of the item in such calls."""
    scene = matter.scene
    for promise in scene.knowledge.lists_of(group.product, "promise"):

        def holds(call: Classified, promise: DeclaredList = promise) -> DeclaredList | None:
            day = day_of(call)
            began = not day or promise.effective <= day
            ended = promise.withdrawn and (not day or promise.withdrawn <= day)
            return promise if began and not ended else None

        if not scene.knowledge.about(promise, group.item):
            continue
        cases = [case for case in _cases(group, matter, holds) if case.declared and case.statements]
        found = [(opinion, case) for case in cases for opinion in verdict.by_list(case, promise, scene)]
        if found := [(opinion, case) for opinion, case in found if opinion.verdict is not Verdict.UNDECLARED]:
            made = _comparison(group, found, matter)
            policy = _in_force(found[0][1].members[-1][0], scene.knowledge, "")
            statements = scene.knowledge.about(policy, group.item) if policy else ()
            count = total(call for case in cases for call, _ in case.members)
            reason = f"{made.reason} {found[0][1].words.promise(policy, _repeats(promise, made.statement, statements))}"
            yield replace(made, reason=reason.rstrip(), count=count)


def _repeats(promise: DeclaredList, statement: str, policy: Sequence[Statement]) -> bool:
    """Whether the policy promises as much as a statement of a promise."""
    said = next((s for s in promise.statements if s.id == statement), None)
    return said is not None and any(
        s.status == said.status and bool(s.rounding) >= bool(said.rounding) and s.anonymous >= said.anonymous
        for s in policy
    )


def _comparison(group: Group, found: list[tuple[Opinion, Case]], matter: Matter) -> Comparison:
    """All opinions on a group, at least one -> the first that holds, and the others beside it."""
    found = sorted(found, key=lambda pair: _ORDER[pair[0].verdict])
    first, decisive = found[0]
    fields = _fields([case for opinion, case in found if opinion.verdict is first.verdict], matter.scene.knowledge)
    held = {known for opinion, _ in found for known in (opinion.verdict, *opinion.beside)}
    named = fields and first.verdict is Verdict.UNDECLARED
    call, finding = decisive.members[0]
    return Comparison(
        product=group.product,
        declared=first.declared or (decisive.declared.id if decisive.declared else ""),
        item=group.item,
        recipient=decisive.scope.kind,
        entity=group.who,
        category=group.category,
        verdict=first.verdict,
        also=tuple(sorted(held - {first.verdict}, key=_ORDER.__getitem__)),
        reason=decisive.words.undeclared_fields(fields) if named else first.reason,
        statement=first.statement,
        count=matter.count(group.parts),
        calls=matter.numbers(group.parts),
        sure=bool(group.sure()),
        fields=fields,
        rule=call.rule,
        look=(call.n, finding.at),
    )


def _fields(cases: Sequence[Case], knowledge: Knowledge) -> tuple[str, ...]:
    """Cases judged by lists of fields -> the places that they are about, as the rules name them."""
    # Calls of one kind have few places, and each is looked up by a pattern.
    places = {
        (call.rule, finding.item, finding.at)
        for case in cases
        if case.declared and case.declared.names_fields
        for call, finding in case.members
        if call.rule and finding.source == "rule"
    }
    fields = {named_as(knowledge.rules[rule].items, item, at) for rule, item, at in places}
    return tuple(sorted(field.removeprefix("body.") for field in fields if field))


def _cases(group: Group, matter: Matter, applies: Callable[[Classified], DeclaredList | None]) -> Iterator[Case]:
    """The list covers the app here and not the server there, one field and not another: each is judged apart."""
    known = matter.scene.knowledge
    sender = known.products.get(group.product)
    alike: dict[tuple[str, scope.Scope, frozenset[str]], list[Part]] = defaultdict(list)
    lists: dict[str, DeclaredList | None] = {}
    about: dict[str, tuple[Statement, ...]] = {}
    meant_at: dict[tuple[str, str], frozenset[str]] = {}
    for part in group.sure():
        declared = applies(part.kind.call)
        name = declared.id if declared else ""
        if name not in lists:
            lists[name] = declared
            about[name] = known.about(declared, group.item) if declared else ()
        where = name, part.at
        if where not in meant_at:
            meant_at[where] = scope.meant(about[name], part.at)
        alike[name, part.kind.scope, meant_at[where]].append(part)
    for (name, such, meant), parts in alike.items():
        declared = lists[name]
        fits = applying(about[name], such, meant, declared, known)
        words = Words(known, group.item, group.who, sender, declared)
        yield Case(group.item, matter.members(parts), declared, fits, such, words)


def applying(
    about: Sequence[Statement],
    such: scope.Scope,
    meant: frozenset[str],
    declared: DeclaredList | None,
    knowledge: Knowledge,
) -> tuple[Statement, ...]:
    """Statements about an item -> those that apply to calls of a scope and to the fields that some of them mean."""
    fits = [s for s in about if not scope.misfit(s, such, knowledge.ontology)]
    decided = any(s.id in meant for s in fits) or bool(declared and declared.names_fields)
    return tuple(s for s in fits if not s.fields or s.id in meant or not decided)


def _opinions(case: Case, scene: Scene) -> list[Opinion]:
    if case.declared:
        return verdict.by_list(case, case.declared, scene)
    if written := verdict.documented(case, scene):
        return [written]
    call = case.members[0][0]
    known = scene.knowledge
    theirs = known.in_force(call.service, day_of(call), scene.declared) if call.service else None
    if not is_sure(call):
        return [Opinion(Verdict.NO_LIST, case.words.sender_unknown(call.product, theirs))]
    partly = bool(known.lists_of(call.product))
    return [Opinion(Verdict.NO_LIST, case.words.no_list(known.blanket(call.product), theirs, partly=partly))]
