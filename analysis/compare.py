"""Findings -> comparisons: what the sender's own list says of each item, for each recipient and purpose.

This is flow-to-policy consistency (PoliCheck, USENIX Security 2020) with the scopes, exceptions and switches that lists
of media software have.  Which verdict holds when is decided in docs/knowledge.md.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from analysis import reasons
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pack import DeclaredList, Product, Statement
from captures.model import Unreadable

_JUDGED = (Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN)

_GUESSED = (Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN)

_VENDORS_CONTENT = (Category.CLOUD_CONTENT, Category.ADVERTISING, Category.GUIDE)

_PERSONAL = {"server.config": ("owned", "true"), "library.settings": ("com.plexapp.plugins.library",)}
"""Findings that show that a call is about the user's own library: item -> values."""

_IDS = ("client.id", "server.machine_id", "server.cert_hash", "account.uuid", "client.advertising_id", "client.serial")
"""Items that are no name, and lead to one when another call carries both."""

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
    scene = _Scene(knowledge, evidence, declared, carried, _named(carried, knowledge))
    groups: dict[tuple[str, str, str, Category], _Group] = {}
    for finding in findings:
        call = by_number[finding.call]
        if finding.direction != "sent" or not _is_judged(call, evidence):
            continue
        who = call.entity or call.observation.host
        key = (call.product, finding.item, who, call.category)
        groups.setdefault(key, _Group(*key)).members.append((call, finding))
    judged = [_judge(group, scene) for group in groups.values()]
    judged.extend(_not_seen(calls, judged, scene))
    return tuple(sorted(judged, key=_rank))


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
    members: list[tuple[Classified, Finding]] = field(default_factory=list)

    def sure(self) -> list[tuple[Classified, Finding]]:
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
    named: dict[tuple[str, str], set[str]]
    """(item that is an id, its value) -> linking items that stand beside it in some call."""


def _carried(findings: Sequence[Finding]) -> dict[int, dict[str, set[str]]]:
    carried: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in findings:
        if finding.direction == "sent":
            carried[finding.call][finding.item].add(finding.value)
    return carried


def _named(carried: dict[int, dict[str, set[str]]], knowledge: Knowledge) -> dict[tuple[str, str], set[str]]:
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    for items in carried.values():
        linking = {item for item in items if knowledge.items[item].linking}
        for name in _IDS:
            for value in items.get(name, ()):
                named[name, value] |= linking - {name}
    return named


def _is_judged(call: Classified, evidence: Evidence) -> bool:
    seen = call.observation
    if isinstance(seen, Unreadable) or call.party not in _JUDGED or call.category is Category.NAME_LOOKUP:
        return False
    return seen.host not in evidence.asks


def _day(call: Classified) -> str:
    time = call.observation.time
    return datetime.datetime.fromtimestamp(time, datetime.UTC).date().isoformat() if time else ""


@dataclass(frozen=True, slots=True)
class _Opinion:
    """One verdict that holds, and why."""

    verdict: Verdict
    reason: str
    statement: str = ""


def _judge(group: _Group, scene: _Scene) -> Comparison:
    sure = group.sure()
    call = (sure or group.members)[0][0]
    sender = scene.knowledge.products.get(group.product)
    policy = scene.knowledge.in_force(group.product, _day(call), scene.declared) if group.product else None
    words = reasons.Words(scene.knowledge, group.item, group.who, sender, policy)
    if sure and policy:
        opinions = _by_list(group, sure, policy, words, scene)
    else:
        opinions = [_without_list(group, call, words, scene, bool(sure))]
    opinions.sort(key=lambda opinion: _ORDER[opinion.verdict])
    first = opinions[0]
    numbers = sorted({finding.call for _, finding in group.members})
    return Comparison(
        product=group.product,
        declared=policy.id if policy and sure else "",
        item=group.item,
        recipient=_recipient(call, sender, scene.knowledge),
        entity=group.who,
        category=group.category,
        verdict=first.verdict,
        also=tuple(dict.fromkeys(o.verdict for o in opinions[1:] if o.verdict is not first.verdict)),
        reason=first.reason,
        statement=first.statement,
        count=len(group.members),
        calls=tuple(numbers),
        sure=bool(sure),
    )


def _recipient(call: Classified, sender: Product | None, knowledge: Knowledge) -> str:
    """What the receiver is to the sender."""
    service = knowledge.products.get(call.service)
    if service is None:
        return "other"
    if sender and sender.entity == service.entity:
        return "vendor"
    return service.recipient


def _without_list(group: _Group, call: Classified, words: reasons.Words, scene: _Scene, sure: bool) -> _Opinion:
    if documented := _documented(group, words, scene):
        return documented
    if not sure:
        return _Opinion(Verdict.NO_LIST, words.sender_unknown(group.product, _receivers_list(call, scene)))
    return _Opinion(Verdict.NO_LIST, words.no_list(_blanket(group, scene), _receivers_list(call, scene)))


def _documented(group: _Group, words: reasons.Words, scene: _Scene) -> _Opinion | None:
    """A call that the vendor's documentation describes, or whose recipient the user chose."""
    rules = [scene.knowledge.rules.get(call.rule) for call, _ in group.members]
    if all(rule is not None and rule.set_up_by_user for rule in rules):
        return _Opinion(Verdict.DOCUMENTED, words.set_up())
    if all(rule is not None and rule.documented for rule in rules):
        return _Opinion(Verdict.DOCUMENTED, words.documented(rules[0].documented if rules[0] else ""))
    return None


def _receivers_list(call: Classified, scene: _Scene) -> DeclaredList | None:
    """The list of a vendor that is called by somebody else's program: quoted as a remark."""
    return scene.knowledge.in_force(call.service, _day(call), scene.declared) if call.service else None


def _blanket(group: _Group, scene: _Scene) -> Statement | None:
    """A general denial of the sender ("no tracking"), quoted beside `no-list`."""
    lists = [x for x in scene.knowledge.lists if x.product == group.product]
    return next((s for x in reversed(lists) for s in x.statements if s.blanket), None)


def _by_list(
    group: _Group,
    sure: list[tuple[Classified, Finding]],
    policy: DeclaredList,
    words: reasons.Words,
    scene: _Scene,
) -> list[_Opinion]:
    call = sure[0][0]
    content = _content(sure, scene)
    kind = _recipient(call, scene.knowledge.products.get(group.product), scene.knowledge)
    about = [s for s in policy.statements if group.item in s.items and _in_scope(s, call, content, kind)]
    about = _meant(about, {finding.at.rpartition(".")[2] for _, finding in sure})
    named = [s for s in about if s.status != "never"]
    positive = [s for s in named if kind in (*s.recipients, *policy.recipients)]
    opinions = list(_denials(about, positive, words))
    if positive and not any(o.verdict in (Verdict.DENIED, Verdict.CONTRADICTORY) for o in opinions):
        opinions.extend(_coverage(positive, kind, sure, words, scene))
        opinions.extend(_promises(positive, policy, sure, words, scene))
    if not positive and (limited := next((s for s in named if s.only_recipients), None)):
        opinions.append(_Opinion(Verdict.WRONG_RECIPIENT, words.wrong_recipient(limited), limited.id))
    if not opinions:
        opinions.append(_documented(group, words, scene) or _Opinion(Verdict.UNDECLARED, words.undeclared()))
    return opinions


def _content(sure: list[tuple[Classified, Finding]], scene: _Scene) -> str:
    """Whether the calls are about the user's own library, the vendor's content, or it is not known (`any`)."""
    for call, _ in sure:
        items = scene.carried[call.n]
        if any(items.get(item, set()) & set(values) for item, values in _PERSONAL.items()):
            return "personal"
    return "vendor-provided" if sure[0][0].category in _VENDORS_CONTENT else "any"


def _meant(about: list[Statement], names: set[str]) -> list[Statement]:
    """Statements that mean fields of these names; a name that none of them means is undecided, and all count."""
    kept: list[Statement] = []
    for name in sorted(names):
        meant = [s for s in about if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in s.fields)]
        kept.extend(s for s in about if not s.fields or s in meant or not meant)
    return list({s.id: s for s in kept}.values())


def _in_scope(statement: Statement, call: Classified, content: str, kind: str) -> bool:
    """Whether a statement is about such a call.  What is denied must surely be meant; what is named may be."""
    if statement.derived or statement.blanket or call.category in statement.except_categories:
        return False
    if statement.categories and call.category not in statement.categories:
        return False
    unknown = statement.status != "never"
    if not unknown and statement.recipients != ("vendor",) and kind not in statement.recipients:
        return False
    sender_fits = statement.sender in ("any", call.role) or (not call.role and unknown)
    content_fits = statement.content in ("any", content) or (content == "any" and unknown)
    return sender_fits and content_fits


def _specificity(statement: Statement) -> tuple[bool, bool, bool, bool]:
    return (
        not statement.broad,
        bool(statement.categories),
        statement.content != "any",
        statement.sender != "any",
    )


def _denials(about: list[Statement], positive: list[Statement], words: reasons.Words) -> Iterator[_Opinion]:
    """A denial alone is `denied`; beside a statement of equal rank it is a contradiction; a special one beats it."""
    never = [s for s in about if s.status == "never"]
    if not never:
        return
    denial = max(never, key=_specificity)
    if not positive:
        yield _Opinion(Verdict.DENIED, words.denied(denial), denial.id)
        return
    best = max(positive, key=_specificity)
    if any(s.switch and s.categories for s in positive) or _specificity(best) > _specificity(denial):
        return
    if _specificity(best) == _specificity(denial):
        yield _Opinion(Verdict.CONTRADICTORY, words.contradictory(best, denial), best.id)
    else:
        yield _Opinion(Verdict.DENIED, words.denied(denial), denial.id)


def _coverage(
    positive: list[Statement],
    kind: str,
    sure: list[tuple[Classified, Finding]],
    words: reasons.Words,
    scene: _Scene,
) -> Iterator[_Opinion]:
    """`declared`, `optional`, `opted-out` or `declared-vaguely`, and what else holds beside it."""
    exact = [s for s in positive if kind in s.recipients and not s.broad]
    required = [s for s in exact if s.status == "required"]
    optional = [s for s in exact if s.status == "optional"]
    for statement in optional:
        off = any(_is_off(statement, call, scene) for call, _ in sure)
        if off and not any(s.status == "required" for s in positive):
            yield _Opinion(Verdict.OPTED_OUT, words.opted_out(statement), statement.id)
            return
    if required:
        reason = words.declared_twice(required[0], optional[0]) if optional else words.declared(required[0])
        yield _Opinion(Verdict.DECLARED, reason, required[0].id)
    # With both a required and an optional statement the verdict is the required one's.
    if optional and not required:
        state = _state(optional[0], sure, scene)
        yield _Opinion(Verdict.OPTIONAL, words.optional(optional[0], state), optional[0].id)
    if not exact:
        yield _Opinion(Verdict.DECLARED_VAGUELY, words.vaguely(positive[0]), positive[0].id)


def _is_off(statement: Statement, call: Classified, scene: _Scene) -> bool:
    return _switch(statement, call, scene) is False


def _switch(statement: Statement, call: Classified, scene: _Scene) -> bool | None:
    if not statement.switch:
        return None
    return scene.evidence.switch_on(call.product, statement.switch, call.observation.time)


def _state(statement: Statement, sure: list[tuple[Classified, Finding]], scene: _Scene) -> bool | None:
    states = {_switch(statement, call, scene) for call, _ in sure}
    return states.pop() if len(states) == 1 else None


def _promises(
    positive: list[Statement],
    policy: DeclaredList,
    sure: list[tuple[Classified, Finding]],
    words: reasons.Words,
    scene: _Scene,
) -> Iterator[_Opinion]:
    """What a statement promises of how it is sent: anonymous, or no finer than so."""
    anonymous = [s for s in positive if s.anonymous]
    if anonymous and len(anonymous) == len(positive):
        with_it = _identifying(policy, sure, scene)
        if with_it:
            yield _Opinion(Verdict.IDENTIFIABLE, words.identifiable(anonymous[0], with_it), anonymous[0].id)
    for statement in positive:
        if statement.rounding == "truncated" and any(_is_fine(finding.value) for _, finding in sure):
            yield _Opinion(Verdict.TOO_PRECISE, words.too_precise(statement), statement.id)
            return


def _identifying(policy: DeclaredList, sure: list[tuple[Classified, Finding]], scene: _Scene) -> str:
    """An item that tells who it is and travels with what is declared anonymous, or is reached through an id."""
    listed = {item for s in policy.statements if s.anonymous for item in s.items}
    items = scene.knowledge.items
    for call, _ in sure:
        beside = sorted(item for item in scene.carried[call.n] if items[item].linking and item not in listed)
        if beside:
            return beside[0]
    for call, _ in sure:
        for item in _IDS:
            for value in scene.carried[call.n].get(item, ()):
                if scene.named.get((item, value), set()) - listed:
                    return item
    return ""


def _is_fine(value: str) -> bool:
    """Whether a coordinate tells more than about a kilometre: more than two digits after the point."""
    _, point, digits = value.partition(".")
    return bool(point) and len(digits.rstrip("0")) > 2


def _not_seen(calls: Sequence[Classified], judged: Sequence[Comparison], scene: _Scene) -> Iterator[Comparison]:
    """What the lists of the senders name and no call carried, one comparison a statement and item."""
    seen = {(comparison.product, comparison.item) for comparison in judged}
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
                if (product, item) not in seen:
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


def _occasions(item: str, happened: set[str], scene: _Scene) -> bool:
    """Whether a call that can carry the item did happen."""
    rules = scene.knowledge.rules
    return any(rule in happened and item in {i.id for i in rules[rule].items} for rule in rules if rule)
