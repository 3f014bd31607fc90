"""Result -> what the senders' lists say of what was seen, what they lack, and what they name that was not seen.

Which listed items have a switch, where it is, and whether it is off.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from analysis import exposure
from analysis.model import Comparison, Verdict
from analysis.occasions import span
from analysis.pack import DeclaredList, Product, Statement, Switch
from analysis.pipeline import Result
from analysis.texts import plural
from analysis.texts import promises as words
from analysis.traffic import count


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items of a list have a switch."""

    listed: int
    """Items that the document lists one by one, each wording once."""
    switched: Mapping[str, int]
    """Place of the switch -> how many of these have one there."""
    elsewhere: int
    """Further statements of the document, outside these lists, that have one."""


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """One switch of a product."""

    switch: Switch
    """As the pack describes it."""
    statements: tuple[str, ...]
    """Wordings of what it turns off, by the list; empty when the list names it for nothing."""
    state: bool | None
    """Whether it was on when it was seen last; `None` when it was not seen."""


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Listed items of which the same can be said."""

    wordings: tuple[str, ...]
    """As the list words them."""
    says: str
    """How much it says that they were not seen, in a few words."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list beside what its product sent."""

    product: str
    """Pack id."""
    declared: str
    """Date of the list."""
    counted: Counted
    """How many items have a switch."""
    seen: tuple[str, ...]
    """Wordings of the items, listed one by one, that were seen."""
    seen_switched: int
    """How many of these have a switch."""
    perhaps: tuple[str, ...]
    """Wordings of items whose kind of data was seen, under names that do not say which of them it is."""
    declared_seen: tuple[str, ...]
    """Data items that were seen and that the list names."""
    undeclared: tuple[str, ...]
    """Data items that were seen and that the list does not name, or denies."""
    not_seen: tuple[NotSeen, ...]
    """What the list names and was not seen."""
    switches: tuple[SwitchLine, ...]
    """Switches of the product."""


def listed(result: Result) -> tuple[Listed, ...]:
    """A result -> each list that was applied, beside what was seen.  Empty when none was."""
    applied = sorted({(c.product, c.declared) for c in result.comparisons if c.product and c.declared})
    lists = {(x.product, x.id): x for x in result.knowledge.lists}
    return tuple(_listed(lists[key], result) for key in applied if key in lists)


def counted(known: DeclaredList, product: Product) -> Counted:
    """A list -> how many of its items have a switch."""
    places = {switch.id: switch.place for switch in product.switches}
    items = {s.wording: s.switch for s in _itemised(known)}
    inside = {s.id for s in _itemised(known)}
    return Counted(
        listed=len(items),
        switched=dict(Counter(places.get(switch, "") for switch in items.values() if switch)),
        elsewhere=sum(bool(s.switch) for s in known.statements if s.status != "never" and s.id not in inside),
    )


def switches(known: DeclaredList, product: Product, states: Mapping[str, bool]) -> tuple[SwitchLine, ...]:
    """A list and the states that were seen -> the switches of the product, with what each turns off."""
    return tuple(
        SwitchLine(
            switch,
            tuple(s.wording for s in known.statements if s.switch == switch.id and s.status != "never"),
            states.get(switch.id),
        )
        for switch in product.switches
    )


def _itemised(known: DeclaredList) -> list[Statement]:
    positive = [s for s in known.statements if s.status != "never"]
    return [s for s in positive if not known.itemised or s.place in known.itemised]


def _listed(known: DeclaredList, result: Result) -> Listed:
    product = result.knowledge.products[known.product]
    mine = [c for c in result.comparisons if c.product == product.id and c.verdict is not Verdict.NOT_SEEN]
    names = _names(product.id, result)
    positive = [s for s in known.statements if s.status != "never"]
    meaning = _meaning(positive, mine, names)
    seen = {s.wording: s.switch for s in _itemised(known) if s.id in meaning.surely}
    perhaps = {s.wording for s in _itemised(known) if s.id in meaning.perhaps} - seen.keys()
    lacking = sorted({c.item for c in mine if c.verdict in (Verdict.UNDECLARED, Verdict.DENIED)})
    states = {s.switch: s.on for s in result.evidence.switches if s.product == product.id}
    return Listed(
        product=product.id,
        declared=known.id,
        counted=counted(known, product),
        seen=tuple(sorted(seen)),
        seen_switched=sum(bool(switch) for switch in seen.values()),
        perhaps=tuple(sorted(perhaps)),
        declared_seen=tuple(sorted({c.item for c in mine} - set(lacking))),
        undeclared=tuple(lacking),
        not_seen=tuple(_not_seen([s for s in positive if s.id not in meaning.surely | meaning.perhaps], result)),
        switches=switches(known, product, states),
    )


@dataclass(frozen=True, slots=True)
class _Meaning:
    surely: frozenset[str]
    perhaps: frozenset[str]


def _names(product: str, result: Result) -> Mapping[str, set[str]]:
    """Item -> names of the fields in which the product sent it."""
    mine = {call.n for call in result.calls if call.product == product}
    names: dict[str, set[str]] = defaultdict(set)
    for finding in result.findings:
        if finding.direction == "sent" and finding.call in mine:
            steps = (step.partition("[")[0] for step in reversed(finding.at.lower().split(".")))
            names[finding.item].add(next((step for step in steps if not step.isdigit()), ""))
    return names


def _meaning(statements: Sequence[Statement], mine: Sequence[Comparison], names: Mapping[str, set[str]]) -> _Meaning:
    """Statements about what was sent -> those that surely mean it, and those that may.

    Where several statements are about one kind of data, the name of the field decides.
    """
    surely: set[str] = set()
    perhaps: set[str] = set()
    for c in mine:
        about = [s for s in statements if c.item in s.items and (not s.categories or c.category in s.categories)]
        sent = names.get(c.item, set())
        named = {s.id for s in about if any(_is_named(s, name) for name in sent)}
        if len(about) == 1 and not about[0].fields:
            named.add(about[0].id)
        elif not all(any(_is_named(s, name) for s in about) for name in sent):
            perhaps |= {s.id for s in about}
        surely |= named
    return _Meaning(frozenset(surely), frozenset(perhaps - surely))


def _is_named(statement: Statement, name: str) -> bool:
    """Whether a field bears the name by which the list words it, or one of those that it is known to mean."""
    wording = _letters(statement.wording)
    patterns = [pattern.lower().rpartition(".")[2] for pattern in statement.fields]
    return _letters(name) == wording or any(fnmatchcase(name, pattern) for pattern in patterns)


def _letters(text: str) -> str:
    """A name or a wording -> its letters and digits: `percentWatched` and "percent watched" are the same."""
    return "".join(filter(str.isalnum, text.lower()))


def _not_seen(statements: Sequence[Statement], result: Result) -> Iterator[NotSeen]:
    """Statements -> grouped by how much it says that they were not seen."""
    happened = exposure.occasions(result.calls, result.findings, result.knowledge)
    calls: Counter[str] = Counter()
    for call in result.calls:
        calls[call.rule] += count(call)
    groups: dict[str, list[str]] = {}
    for statement in statements:
        wordings = groups.setdefault(_says(statement, happened, calls, result), [])
        if statement.wording not in wordings:
            wordings.append(statement.wording)
    return (NotSeen(tuple(wordings), says) for says, wordings in groups.items())


def _says(
    statement: Statement,
    happened: Mapping[str, Sequence[exposure.Occasion]],
    calls: Mapping[str, int],
    result: Result,
) -> str:
    if statement.derived or not statement.items:
        return words.SAYS_DERIVED
    rules = [
        rule
        for rule in result.knowledge.rules.values()
        if not statement.categories or rule.category in statement.categories
        if set(statement.items) & {place.id for place in rule.items} and rule.match.party != "own"
    ]
    if made := sum(calls.get(rule.id, 0) for rule in rules):
        return plural(made, words.SAYS_CALLS, share=_at_most(made))
    kinds = {kind for rule in rules for kind in exposure.KINDS if kind in rule.when.split()}
    periods = [period for rule in rules if (period := exposure.period_of(rule.when))]
    numbers = {words.OCCASION_KINDS[kind][0]: len(happened.get(kind, ())) for kind in sorted(kinds)}
    if periods:
        numbers[words.OCCASION_KINDS["timer"][0]] = int(span(result) / min(periods))
    if not numbers:
        return words.SAYS_UNKNOWN
    named = ", ".join(kind for kind, n in numbers.items() if n) or ", ".join(numbers)
    if not (n := sum(numbers.values())):
        return words.SAYS_NO_OCCASION.format(kinds=named)
    return plural(n, words.SAYS_OCCASIONS, kinds=named, share=_at_most(n))


def _at_most(n: int) -> str:
    """Upper 95 % bound of how often something comes that was not seen on n occasions.

    >>> _at_most(10), _at_most(1)
    ('26\\xa0%', '95\\xa0%')
    """
    return f"{100 * (1 - 0.05 ** (1 / n)):.0f}\N{NO-BREAK SPACE}%"
