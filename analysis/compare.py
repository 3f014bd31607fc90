"""Findings -> comparisons: what the sender's own list says of each item, for each recipient and purpose.

This is flow-to-policy consistency (PoliCheck, USENIX Security 2020) with the scopes, exceptions and switches that lists
of media software have.  Which verdict holds when is decided in docs/knowledge.md.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from analysis import reasons
from analysis.anonymity import Links, identifying, links
from analysis.at import named_as
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pack import DeclaredList, Product, Statement
from analysis.traffic import recipient
from captures.model import Unreadable

_JUDGED = (Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN)

_GUESSED = (Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN)

_VENDORS_CONTENT = (Category.CLOUD_CONTENT, Category.ADVERTISING, Category.GUIDE)

_PERSONAL = {"server.config": ("owned", "true"), "library.settings": ("com.plexapp.plugins.library",)}
"""Findings that show that a call is about the user's own library: item -> values."""

_ORDER = {verdict: rank for rank, verdict in enumerate(Verdict)}


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
    by_number = {call.n: call for call in calls}
    carried = _carried(findings)
    judged_calls = [call for call in calls if _is_judged(call, evidence)]
    scene = _Scene(knowledge, evidence, declared, carried, links(judged_calls, carried))
    groups: dict[tuple[str, str, str, Category], _Group] = {}
    for finding in findings:
        call = by_number[finding.call]
        if finding.direction != "sent" or not _is_judged(call, evidence):
            continue
        who = recipient(call)
        key = (call.product, finding.item, who, call.category)
        groups.setdefault(key, _Group(*key)).members.append((call, finding))
    judged = [_judge(group, scene) for group in groups.values()]
    judged.extend(_not_seen(calls, findings, judged, scene))
    return tuple(sorted(judged, key=_rank))


def _rank(comparison: Comparison) -> tuple[int, str, str, str, str, str]:
    c = comparison
    return _ORDER[c.verdict], c.product, c.entity, c.category, c.item, c.statement


type _Member = tuple[Classified, Finding]


@dataclass(slots=True)
class _Group:
    """All findings of one comparison."""

    product: str
    item: str
    who: str
    category: Category
    members: list[_Member] = field(default_factory=list)

    def sure(self) -> list[_Member]:
        """Those whose sender is known."""
        return [(call, finding) for call, finding in self.members if call.product and call.attribution not in _GUESSED]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all judgements look at."""

    knowledge: Knowledge
    evidence: Evidence
    declared: str
    carried: dict[int, dict[str, set[str]]]
    """Call -> item -> values sent in it."""
    links: Links
    """What each recipient can put together."""


def _carried(findings: Sequence[Finding]) -> dict[int, dict[str, set[str]]]:
    carried: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in findings:
        if finding.direction == "sent":
            carried[finding.call][finding.item].add(finding.value)
    return carried


def _is_judged(call: Classified, evidence: Evidence) -> bool:
    seen = call.observation
    if isinstance(seen, Unreadable) or call.party not in _JUDGED or call.category is Category.NAME_LOOKUP:
        return False
    return seen.host not in evidence.asks


def _day(call: Classified) -> str:
    time = call.observation.time
    try:
        return datetime.datetime.fromtimestamp(time, datetime.UTC).date().isoformat() if time else ""
    except (ValueError, OverflowError, OSError):  # a capture may claim any time
        return ""


@dataclass(frozen=True, slots=True)
class _Opinion:
    """One verdict that holds, and why."""

    verdict: Verdict
    reason: str
    statement: str = ""
    beside: tuple[Verdict, ...] = ()
    """Verdicts that hold too, whatever their rank."""


@dataclass(frozen=True, slots=True)
class _Case:
    """Those findings of a comparison to which the same statements apply."""

    members: list[_Member]
    policy: DeclaredList | None
    """`None` when the sender is not sure or publishes no list."""
    statements: tuple[Statement, ...]
    """Those of the policy that apply."""
    kind: str
    """Of the recipient."""
    words: reasons.Words


def _judge(group: _Group, scene: _Scene) -> Comparison:
    sure = bool(group.sure())
    cases = list(_cases(group, scene))
    found = [(opinion, case) for case in cases for opinion in _opinions(case, sure, scene)]
    found.sort(key=lambda pair: _ORDER[pair[0].verdict])
    first, decisive = found[0]
    fields = _fields([case for opinion, case in found if opinion.verdict is first.verdict], scene)
    held = {verdict for opinion, _ in found for verdict in (opinion.verdict, *opinion.beside)}
    return Comparison(
        product=group.product,
        declared=decisive.policy.id if decisive.policy else "",
        item=group.item,
        recipient=decisive.kind,
        entity=group.who,
        category=group.category,
        verdict=first.verdict,
        also=tuple(sorted(held - {first.verdict}, key=_ORDER.__getitem__)),
        reason=decisive.words.undeclared_fields(fields) if fields and _is_undeclared(first) else first.reason,
        statement=first.statement,
        count=len(group.members),
        calls=tuple(sorted({finding.call for _, finding in group.members})),
        sure=sure,
        fields=fields,
    )


def _is_undeclared(opinion: _Opinion) -> bool:
    return opinion.verdict is Verdict.UNDECLARED


def _fields(cases: Sequence[_Case], scene: _Scene) -> tuple[str, ...]:
    """Cases judged by lists of fields -> the places that they are about, as the rules name them."""
    fields = {
        named_as(scene.knowledge.rules[call.rule].items, finding.item, finding.at)
        for case in cases
        if case.policy and case.policy.names_fields
        for call, finding in case.members
        if call.rule and finding.source == "rule"
    }
    return tuple(sorted(field.removeprefix("body.") for field in fields if field))


def _cases(group: _Group, scene: _Scene) -> Iterator[_Case]:
    """The list covers the app here and not the server there, one field and not another: each is judged apart."""
    sender = scene.knowledge.products.get(group.product)
    sure = group.sure()
    if not sure:
        kind = _recipient(group.members[0][0], sender, scene.knowledge)
        words = reasons.Words(scene.knowledge, group.item, group.who, sender, None)
        yield _Case(group.members, None, (), kind, words)
        return
    alike: dict[tuple[str, str, str, str, frozenset[str]], list[_Member]] = defaultdict(list)
    policies: dict[str, DeclaredList | None] = {}
    about: dict[str, tuple[Statement, ...]] = {}
    for call, finding in sure:
        policy = scene.knowledge.in_force(group.product, _day(call), scene.declared)
        name = policy.id if policy else ""
        if name not in policies:
            policies[name] = policy
            about[name] = tuple(s for s in policy.statements if group.item in s.items) if policy else ()
        kind = _recipient(call, sender, scene.knowledge)
        meant = _meant(about[name], finding.at)
        alike[name, call.role, _content(call, scene), kind, meant].append((call, finding))
    for (name, role, content, kind, meant), members in alike.items():
        fits = [s for s in about[name] if _in_scope(s, group.category, role, content, kind)]
        policy = policies[name]
        decided = any(s.id in meant for s in fits) or bool(policy and policy.names_fields)
        fits = [s for s in fits if not s.fields or s.id in meant or not decided]
        words = reasons.Words(scene.knowledge, group.item, group.who, sender, policy)
        yield _Case(members, policy, tuple(fits), kind, words)


def _opinions(case: _Case, sure: bool, scene: _Scene) -> list[_Opinion]:
    if case.policy:
        return _by_list(case, case.policy, scene)
    if documented := _documented(case, scene):
        return [documented]
    call = case.members[0][0]
    theirs = scene.knowledge.in_force(call.service, _day(call), scene.declared) if call.service else None
    if not sure:
        return [_Opinion(Verdict.NO_LIST, case.words.sender_unknown(call.product, theirs))]
    return [_Opinion(Verdict.NO_LIST, case.words.no_list(_blanket(call.product, scene), theirs))]


def _recipient(call: Classified, sender: Product | None, knowledge: Knowledge) -> str:
    """What the receiver is to the sender."""
    service = knowledge.products.get(call.service)
    if service is None:
        return "other"
    if sender and sender.entity == service.entity:
        return "vendor"
    return service.recipient


def _documented(case: _Case, scene: _Scene) -> _Opinion | None:
    """A call that the vendor's documentation describes, or whose recipient the user chose."""
    rules = [scene.knowledge.rules.get(call.rule) for call, _ in case.members]
    if all(rule is not None and rule.set_up_by_user for rule in rules):
        return _Opinion(Verdict.DOCUMENTED, case.words.set_up())
    if all(rule is not None and rule.documented for rule in rules):
        return _Opinion(Verdict.DOCUMENTED, case.words.documented(rules[0].documented if rules[0] else ""))
    return None


def _blanket(product: str, scene: _Scene) -> Statement | None:
    """A general denial of the sender ("no tracking"), quoted beside `no-list`."""
    lists = [x for x in scene.knowledge.lists if x.product == product]
    return next((s for x in reversed(lists) for s in x.statements if s.blanket), None)


def _by_list(case: _Case, policy: DeclaredList, scene: _Scene) -> list[_Opinion]:
    documented = _documented(case, scene)
    # What the user told a product to send elsewhere is no matter of what its vendor collects.
    if documented and all(scene.knowledge.rules[call.rule].set_up_by_user for call, _ in case.members):
        return [documented]
    words = case.words
    named = [s for s in case.statements if s.status != "never"]
    limited = [s for s in named if s.only_recipients and case.kind not in s.recipients]
    positive = [s for s in named if s not in limited and case.kind in (*s.recipients, *policy.recipients)]
    if not positive and (reached := _reached(case)):
        return [_Opinion((documented or reached).verdict, reached.reason, reached.statement)]
    opinions = list(_denials(case.statements, positive, words))
    if positive and not any(opinion.verdict is Verdict.DENIED for opinion in opinions):
        opinions.extend(_coverage(positive, case, scene))
        opinions.extend(_promises(positive, policy, case, scene))
    if limited and not positive:
        opinions.append(_Opinion(Verdict.WRONG_RECIPIENT, words.wrong_recipient(limited[0]), limited[0].id))
    if policy.names_fields and any(finding.at.startswith("body") for _, finding in case.members):
        documented = None
    return opinions or [documented or _Opinion(Verdict.UNDECLARED, words.undeclared())]


def _reached(case: _Case) -> _Opinion | None:
    """A denial of what reaches every recipient and stands in no bytes is not refuted by a connection."""
    denial = next((s for s in case.statements if s.status == "never"), None)
    if denial is None or any(finding.source != "implied" for _, finding in case.members):
        return None
    return _Opinion(Verdict.UNDECLARED, case.words.reached(denial), denial.id)


def _content(call: Classified, scene: _Scene) -> str:
    """Whether a call is about the user's own library, the vendor's content, or it is not known (`any`)."""
    items = scene.carried[call.n]
    if any(items.get(item, set()) & set(values) for item, values in _PERSONAL.items()):
        return "personal"
    return "vendor-provided" if call.category in _VENDORS_CONTENT else "any"


def _meant(about: Sequence[Statement], at: str) -> frozenset[str]:
    """Place of a finding -> ids of the statements that mean a field of this name; empty: the name is undecided."""
    steps = [step.partition("[")[0] for step in at.lower().split(".")]
    name = next((step for step in reversed(steps) if not step.isdigit()), "")
    whole = ".".join(steps[1:])
    return frozenset(s.id for s in about if any(fnmatchcase(whole if "." in p else name, p.lower()) for p in s.fields))


def _in_scope(statement: Statement, category: Category, role: str, content: str, kind: str) -> bool:
    """Whether a statement is about such a call.  What is denied must surely be meant; what is named may be."""
    if statement.derived or statement.blanket or category in statement.except_categories:
        return False
    if statement.categories and category not in statement.categories:
        return False
    unknown = statement.status != "never"
    if not unknown and statement.recipients != ("vendor",) and kind not in statement.recipients:
        return False
    sender_fits = statement.sender in ("any", role) or (not role and unknown)
    content_fits = statement.content in ("any", content) or (content == "any" and unknown)
    return sender_fits and content_fits


def _specificity(statement: Statement) -> tuple[bool, bool, bool, bool]:
    return (
        not statement.broad,
        bool(statement.categories),
        statement.content != "any",
        statement.sender != "any",
    )


def _denials(about: Sequence[Statement], positive: list[Statement], words: reasons.Words) -> Iterator[_Opinion]:
    """A denial alone is `denied`; beside a statement of equal rank it is a contradiction; a special one beats it.

    A statement with a switch, made for this kind of call, beats a denial that is made for all kinds.
    """
    never = [s for s in about if s.status == "never"]
    if not never:
        return
    denial = max(never, key=_specificity)
    if not positive:
        yield _Opinion(Verdict.DENIED, words.denied(denial), denial.id)
        return
    best = max(positive, key=_specificity)
    switched = not denial.categories and any(s.switch and s.categories for s in positive)
    if switched or _specificity(best) > _specificity(denial):
        return
    if _specificity(best) == _specificity(denial):
        yield _Opinion(Verdict.CONTRADICTORY, words.contradictory(best, denial), best.id)
    else:
        yield _Opinion(Verdict.DENIED, words.denied(denial), denial.id)


def _coverage(positive: list[Statement], case: _Case, scene: _Scene) -> Iterator[_Opinion]:
    """`declared`, `optional`, `opted-out` or `declared-vaguely`, and what else holds beside it."""
    words = case.words
    exact = [s for s in positive if case.kind in s.recipients and not s.broad]
    required = [s for s in exact if s.status == "required"]
    optional = [s for s in exact if s.status == "optional"]
    if all(s.status == "optional" for s in positive) and any(
        _all_off(positive, call, scene) for call, _ in case.members
    ):
        yield _Opinion(Verdict.OPTED_OUT, words.opted_out(positive[0]), positive[0].id)
    elif required and optional:
        reason = words.declared_twice(required[0], optional[0])
        yield _Opinion(Verdict.DECLARED, reason, required[0].id, (Verdict.OPTIONAL,))
    elif required:
        yield _Opinion(Verdict.DECLARED, words.declared(required[0]), required[0].id)
    elif optional:
        state = _state(optional[0], case, scene)
        yield _Opinion(Verdict.OPTIONAL, words.optional(optional[0], state), optional[0].id)
    else:
        yield _Opinion(Verdict.DECLARED_VAGUELY, words.vaguely(positive[0]), positive[0].id)


def _all_off(statements: list[Statement], call: Classified, scene: _Scene) -> bool:
    """Whether each of the switches that would allow a call is known to be off."""
    return all(_switch(statement, call, scene) is False for statement in statements)


def _switch(statement: Statement, call: Classified, scene: _Scene) -> bool | None:
    """State of the switch at the time of a call; `None` when it is not known, as without a time."""
    time = call.observation.time
    if not statement.switch or time is None:
        return None
    return scene.evidence.switch_on(call.product, statement.switch, time)


def _state(statement: Statement, case: _Case, scene: _Scene) -> bool | None:
    states = {_switch(statement, call, scene) for call, _ in case.members}
    return states.pop() if len(states) == 1 else None


def _promises(positive: list[Statement], policy: DeclaredList, case: _Case, scene: _Scene) -> Iterator[_Opinion]:
    """What a statement promises of how it is sent: anonymous, or no finer than so."""
    if all(s.anonymous for s in positive):
        listed = {item for s in policy.statements if s.status != "never" for item in s.items}
        anonymous = {item for s in policy.statements if s.anonymous for item in s.items}
        calls = [call for call, _ in case.members]
        if with_it := identifying(calls, scene.carried, scene.links, listed, anonymous):
            yield _Opinion(Verdict.IDENTIFIABLE, case.words.identifiable(positive[0], with_it), positive[0].id)
    rounded = next((s for s in positive if s.rounding == "truncated"), None)
    if rounded and any(_is_fine(finding.value) for _, finding in case.members):
        yield _Opinion(Verdict.TOO_PRECISE, case.words.too_precise(rounded), rounded.id)


_FRACTION = re.compile(r"[0-9]\.([0-9]+)")


def _is_fine(value: str) -> bool:
    """Whether a coordinate tells more than about a kilometre: more than two digits after the point."""
    return any(len(digits.rstrip("0")) > 2 for digits in _FRACTION.findall(value))


def _not_seen(
    calls: Sequence[Classified], findings: Sequence[Finding], judged: Sequence[Comparison], scene: _Scene
) -> Iterator[Comparison]:
    """What the lists of the senders name and no call carried, one comparison a statement and item."""
    seen = {(comparison.product, comparison.item) for comparison in judged}
    places = {(f.item, f.at) for f in findings if f.direction == "sent"}
    senders = {
        call.product: call
        for call in calls
        if call.product and call.attribution not in _GUESSED and _is_judged(call, scene.evidence)
    }
    happened = {call.rule for call in calls}
    for product, call in sorted(senders.items()):
        policy = scene.knowledge.in_force(product, _day(call), scene.declared)
        for statement in policy.statements if policy else ():
            for item in statement.items if statement.status != "never" else ():
                if (product, item) not in seen or _stale(statement, item, policy, places):
                    words = reasons.Words(scene.knowledge, item, "", scene.knowledge.products[product], policy)
                    yield Comparison(
                        product=product,
                        declared=policy.id if policy else "",
                        item=item,
                        recipient="vendor",
                        entity=scene.knowledge.products[product].entity,
                        category=statement.categories[0] if statement.categories else Category.UNKNOWN,
                        verdict=Verdict.NOT_SEEN,
                        also=(),
                        reason=words.not_seen(statement, _occasions(item, happened, scene)),
                        statement=statement.id,
                        count=0,
                        calls=(),
                    )


def _stale(statement: Statement, item: str, policy: DeclaredList | None, places: set[tuple[str, str]]) -> bool:
    """Whether a list of fields names one that was not sent, though others that hold the same item were."""
    if not policy or not policy.names_fields or not statement.fields:
        return False
    return not any(name == item and _meant((statement,), at) for name, at in places)


def _occasions(item: str, happened: set[str], scene: _Scene) -> bool:
    """Whether a call that can carry the item did happen."""
    rules = scene.knowledge.rules
    return any(rule in happened and item in {i.id for i in rules[rule].items} for rule in rules if rule)
