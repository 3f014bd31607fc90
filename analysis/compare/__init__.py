"""Findings -> comparisons: what the sender's own list says of each item, for each recipient and purpose.

This is flow-to-policy consistency (PoliCheck, USENIX Security 2020) with the scopes, exceptions and switches that lists
of media software have.  Which verdict holds when is decided in docs/knowledge.md.

| module | knows |
|---|---|
| `scope` | which statements of a list are about a finding, and which of two is the more special |
| `verdict` | what one list says of findings of one kind |
| `unseen` | what a list names and no call carried |
"""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.anonymity import links
from analysis.at import named_as
from analysis.compare import scope, verdict
from analysis.compare.unseen import unseen
from analysis.compare.verdict import Case, Member, Opinion, Scene
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pack import DeclaredList, Statement
from analysis.reasons import Words
from analysis.traffic import recipient
from captures.model import Unreadable

_JUDGED = (Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN)

_GUESSED = (Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN)

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
    scene = _scene(calls, findings, knowledge, evidence, declared)
    found = [_judge(group, scene) for group in _groups(calls, findings, evidence)]
    sure = [call for call in calls if _is_judged(call, evidence) and _is_sure(call)]
    policies = {call.product: policy for call in reversed(sure) if (policy := in_force(call, scene))}
    found.extend(unseen(calls, findings, found, policies, knowledge))
    return tuple(sorted(found, key=_rank))


def judged(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge, evidence: Evidence
) -> tuple[Comparison, ...]:
    """Calls and their findings -> what `compare` says of what was sent; what was not seen is not asked.

    For a single call that is a hundred times as fast.
    """
    scene = _scene(calls, findings, knowledge, evidence, "")
    return tuple(sorted((_judge(group, scene) for group in _groups(calls, findings, evidence)), key=_rank))


def promised(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge, evidence: Evidence
) -> tuple[Comparison, ...]:
    """Calls and their findings -> what the senders' promises say of them, likewise, the worst verdict first.

    A promise holds from its day until it is withdrawn, whatever policies say since, so it is judged apart: `declared`
    is its date.  It is no list of everything, so what it does not speak of has no place here.
    """
    scene = _scene(calls, findings, knowledge, evidence, "")
    judged = (_judge_promises(group, scene) for group in _groups(calls, findings, evidence))
    return tuple(sorted((comparison for found in judged for comparison in found), key=_rank))


def _rank(comparison: Comparison) -> tuple[int, str, str, str, str, str]:
    c = comparison
    return _ORDER[c.verdict], c.product, c.entity, c.category, c.item, c.statement


@dataclass(slots=True)
class _Group:
    """All findings of one comparison."""

    product: str
    item: str
    who: str
    category: Category
    members: list[Member] = field(default_factory=list)

    def sure(self) -> list[Member]:
        """Those whose sender is known."""
        return [(call, finding) for call, finding in self.members if _is_sure(call)]


def _is_sure(call: Classified) -> bool:
    return bool(call.product) and call.attribution not in _GUESSED


def _groups(calls: Sequence[Classified], findings: Sequence[Finding], evidence: Evidence) -> list[_Group]:
    by_number = {call.n: call for call in calls}
    groups: dict[tuple[str, str, str, Category], _Group] = {}
    for finding in findings:
        call = by_number[finding.call]
        if finding.direction == "sent" and _is_judged(call, evidence):
            key = (call.product, finding.item, recipient(call), call.category)
            groups.setdefault(key, _Group(*key)).members.append((call, finding))
    return list(groups.values())


def _scene(
    calls: Sequence[Classified], findings: Sequence[Finding], knowledge: Knowledge, evidence: Evidence, declared: str
) -> Scene:
    carried: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in findings:
        if finding.direction == "sent":
            carried[finding.call][finding.item].add(finding.value)
    judged = [call for call in calls if _is_judged(call, evidence)]
    return Scene(knowledge, evidence, declared, carried, links(judged, carried))


def _is_judged(call: Classified, evidence: Evidence) -> bool:
    seen = call.observation
    if isinstance(seen, Unreadable) or call.party not in _JUDGED or call.category is Category.NAME_LOOKUP:
        return False
    return seen.host not in evidence.asks


def day_of(call: Classified) -> str:
    """Day of a call in UTC, `YYYY-MM-DD`; empty when it is not known."""
    time = call.observation.time
    try:
        return _day(int(time // 86_400)) if time else ""
    except (ValueError, OverflowError, OSError):  # a capture may claim any time
        return ""


@functools.lru_cache(maxsize=512)
def _day(number: int) -> str:
    """Days since the epoch -> `YYYY-MM-DD`.  Raises `ValueError`, `OverflowError`."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=number)).isoformat()


def in_force(call: Classified, scene: Scene) -> DeclaredList | None:
    """The sender's policy at the time of a call; `None` when there is none that is about such calls."""
    policy = scene.knowledge.in_force(call.product, day_of(call), scene.declared)
    return policy if policy and (not policy.categories or call.category in policy.categories) else None


def _judge(group: _Group, scene: Scene) -> Comparison:
    if group.sure():
        cases = list(_cases(group, scene, lambda call: in_force(call, scene)))
    else:
        sender = scene.knowledge.products.get(group.product)
        words = Words(scene.knowledge, group.item, group.who, sender, None)
        about = scope.scope_of(group.members[0][0], {}, sender, scene.knowledge)
        cases = [Case(group.item, group.members, None, (), about, words)]
    return _comparison(group, [(opinion, case) for case in cases for opinion in _opinions(case, scene)], scene)


def _judge_promises(group: _Group, scene: Scene) -> Iterator[Comparison]:
    """One comparison for each promise that speaks of the item in such calls."""
    for promise in scene.knowledge.lists_of(group.product, "promise"):

        def holds(call: Classified, promise: DeclaredList = promise) -> DeclaredList | None:
            day = day_of(call)
            began = not day or promise.effective <= day
            ended = promise.withdrawn and (not day or promise.withdrawn <= day)
            return promise if began and not ended else None

        cases = [case for case in _cases(group, scene, holds) if case.declared and case.statements]
        found = [(opinion, case) for case in cases for opinion in verdict.by_list(case, promise, scene)]
        if found := [(opinion, case) for opinion, case in found if opinion.verdict is not Verdict.UNDECLARED]:
            made = _comparison(group, found, scene)
            policy = in_force(found[0][1].members[-1][0], scene)
            statements = scope.about(policy, group.item, scene.knowledge.ontology) if policy else ()
            count = sum(len(case.members) for case in cases)
            reason = f"{made.reason} {found[0][1].words.promise(policy, _repeats(promise, made.statement, statements))}"
            yield replace(made, reason=reason.rstrip(), count=count)


def _repeats(promise: DeclaredList, statement: str, policy: Sequence[Statement]) -> bool:
    """Whether the policy promises as much as a statement of a promise."""
    said = next((s for s in promise.statements if s.id == statement), None)
    return said is not None and any(
        s.status == said.status and bool(s.rounding) >= bool(said.rounding) and s.anonymous >= said.anonymous
        for s in policy
    )


def _comparison(group: _Group, found: list[tuple[Opinion, Case]], scene: Scene) -> Comparison:
    """All opinions on a group, at least one -> the first that holds, and the others beside it."""
    found = sorted(found, key=lambda pair: _ORDER[pair[0].verdict])
    first, decisive = found[0]
    fields = _fields([case for opinion, case in found if opinion.verdict is first.verdict], scene.knowledge)
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
        count=len(group.members),
        calls=tuple(sorted({finding.call for _, finding in group.members})),
        sure=bool(group.sure()),
        fields=fields,
        rule=call.rule,
        look=(call.n, finding.at),
    )


def _fields(cases: Sequence[Case], knowledge: Knowledge) -> tuple[str, ...]:
    """Cases judged by lists of fields -> the places that they are about, as the rules name them."""
    fields = {
        named_as(knowledge.rules[call.rule].items, finding.item, finding.at)
        for case in cases
        if case.declared and case.declared.names_fields
        for call, finding in case.members
        if call.rule and finding.source == "rule"
    }
    return tuple(sorted(field.removeprefix("body.") for field in fields if field))


def _cases(group: _Group, scene: Scene, applies: Callable[[Classified], DeclaredList | None]) -> Iterator[Case]:
    """The list covers the app here and not the server there, one field and not another: each is judged apart."""
    known = scene.knowledge
    sender = known.products.get(group.product)
    alike: dict[tuple[str, scope.Scope, frozenset[str]], list[Member]] = defaultdict(list)
    lists: dict[str, DeclaredList | None] = {}
    about: dict[str, tuple[Statement, ...]] = {}
    # Sender and purpose are those of the group, and places are few: calls of one kind have the same ones.
    on: dict[str, DeclaredList | None] = {}
    meant_at: dict[tuple[str, str], frozenset[str]] = {}
    for call, finding in group.sure():
        day = day_of(call)
        if day not in on:
            on[day] = applies(call)
        declared = on[day]
        name = declared.id if declared else ""
        if name not in lists:
            lists[name] = declared
            about[name] = scope.about(declared, group.item, known.ontology) if declared else ()
        such = scope.scope_of(call, scene.carried.get(call.n, _NOTHING), sender, known)
        where = name, finding.at
        if where not in meant_at:
            meant_at[where] = scope.meant(about[name], finding.at)
        alike[name, such, meant_at[where]].append((call, finding))
    for (name, such, meant), members in alike.items():
        declared = lists[name]
        fits = applying(about[name], such, meant, declared, known)
        yield Case(group.item, members, declared, fits, such, Words(known, group.item, group.who, sender, declared))


_NOTHING: Mapping[str, set[str]] = {}


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
    theirs = scene.knowledge.in_force(call.service, day_of(call), scene.declared) if call.service else None
    if not _is_sure(call):
        return [Opinion(Verdict.NO_LIST, case.words.sender_unknown(call.product, theirs))]
    partly = bool(scene.knowledge.lists_of(call.product))
    return [Opinion(Verdict.NO_LIST, case.words.no_list(_blanket(call.product, scene), theirs, partly=partly))]


def _blanket(product: str, scene: Scene) -> Statement | None:
    """A general denial of the sender ("no tracking"), quoted beside `no-list`."""
    lists = [x for x in scene.knowledge.lists if x.product == product]
    return next((s for x in reversed(lists) for s in x.statements if s.blanket), None)
