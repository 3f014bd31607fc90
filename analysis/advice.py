"""Result -> what the user can do about what was sent: the switch, or the name to block with what that breaks."""

from __future__ import annotations

import functools
import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from analysis import language
from analysis.evidence import household
from analysis.model import Category, Classified, Comparison, Verdict
from analysis.pack import Blocking, Switch
from analysis.pipeline import Result
from analysis.texts import advice as words
from analysis.texts.advice import Effect
from analysis.traffic import WATCHED, addresses, host, is_outside, is_readable, on_first_screen
from analysis.vocabulary import HOST_NAME, vocabulary


@dataclass(frozen=True, slots=True)
class Advice:
    """What can be done about one recipient."""

    host: str
    """Its name.  Private."""
    entity: str
    """Whose it is; empty when that is not known."""
    items: tuple[str, ...]
    """Ids of the data items that went there and that the user may not want to send; empty when none could be read."""
    switches: tuple[tuple[Switch, bool | None], ...]
    """Switches that stop some of it, and whether each was on when it was seen last."""
    effect: Effect
    """What blocking the name does."""
    breaks: str
    """What is missed then: one clause."""
    addresses: tuple[str, ...]
    """Public addresses that answered for it and for no name that is to stay, sorted.  Private."""

    @property
    def blockable(self) -> bool:
        """Whether a rule can be written for it: captured text that is no plain name never gets into a rule."""
        return self.effect == "block" and bool(HOST_NAME.fullmatch(self.host))


def advice(result: Result) -> tuple[Advice, ...]:
    """A result -> advice for each recipient of what no list covers, what a switch stops, or statistics and the like.

    Those that can be blocked without loss come first.  Empty when there is nothing to do.
    """
    calls: dict[str, list[Classified]] = defaultdict(list)
    hosts: dict[int, str] = {}
    for call in result.calls:
        if is_outside(call) and host(call):
            calls[host(call)].append(call)
            hosts[call.n] = host(call)
    judged: dict[str, list[Comparison]] = defaultdict(list)
    for c in result.comparisons:
        if c.verdict is Verdict.OPTIONAL or (c.verdict is not Verdict.NOT_SEEN and on_first_screen(c)):
            for name in {hosts[n] for n in c.calls if n in hosts}:
                judged[name].append(c)
    named = set(judged) | {name for name, some in calls.items() if any(call.category in WATCHED for call in some)}
    made = _alone([_advice(name, calls[name], judged.get(name, ()), result) for name in named], calls)
    order = list(words.EFFECTS)
    return tuple(sorted(made, key=lambda a: (order.index(a.effect), a.entity, a.host)))


def _advice(name: str, calls: Sequence[Classified], judged: Sequence[Comparison], result: Result) -> Advice:
    purposes, readable = {call.category for call in calls}, all(map(is_readable, calls))
    blocking = [b for product in result.knowledge.products.values() for b in product.blocking]
    effect, missed = breaks(name, purposes, readable, blocking)
    states = {(s.product, s.switch): s.on for s in result.evidence.switches}
    switches = {(c.product, s.id): s for c in judged for s in switch_of(c, result)}
    return Advice(
        host=name,
        entity=calls[0].entity,
        items=tuple(sorted({c.item for c in judged})),
        switches=tuple((switch, states.get(key)) for key, switch in sorted(switches.items())),
        effect=effect,
        breaks=missed,
        addresses=tuple(sorted({address for call in calls for address in _address(call)})),
    )


def _alone(made: Sequence[Advice], calls: Mapping[str, Sequence[Classified]]) -> list[Advice]:
    """Advice without addresses that also answered for names which are not to be blocked."""
    blocked = {one.host for one in made if one.blockable}
    others = {address for name in calls.keys() - blocked for call in calls[name] for address in _address(call)}
    return [replace(one, addresses=tuple(x for x in one.addresses if x not in others)) for one in made]


def switch_of(c: Comparison, result: Result) -> Iterator[Switch]:
    """The switch of the statement that decided; nothing when it has none."""
    said = result.knowledge.statement(c.product, c.declared, c.statement)
    product = result.knowledge.products.get(c.product)
    if said and said.switch and product:
        yield from (switch for switch in product.switches if switch.id == said.switch)


def breaks(
    name: str, purposes: Collection[Category], readable: bool, blocking: Iterable[Blocking]
) -> tuple[Effect, str]:
    """What packs say of blocking a name, or what follows from what it was seen to be called for: effect and clause.

    `readable`: whether all connections to it could be read.
    """
    known = next((b for b in blocking if any(fnmatchcase(name, pattern) for pattern in b.host)), None)
    if known:
        return known.effect, known.breaks
    if Category.UNKNOWN in purposes:
        return "weigh", words.NOT_KNOWN
    if set(purposes) <= set(words.BLOCKED_CATEGORIES) and readable:
        named = ", ".join(text for category, text in words.BLOCKED_CATEGORIES.items() if category in purposes)
        return "block", words.ONLY_SEEN.format(purposes=named)
    losses = dict.fromkeys(
        words.LOSSES[purpose] for purpose in Category if purpose in set(purposes) & set(words.LOSSES)
    )
    return "weigh", words.LOST.format(losses="; ".join(losses)) if losses else words.NOT_KNOWN


def shipped_blocking() -> tuple[Blocking, ...]:
    """What shipped packs say of blocking names."""
    return _shipped_blocking(language.current())


@functools.cache
def _shipped_blocking(_: str) -> tuple[Blocking, ...]:
    return tuple(b for product in vocabulary().shipped.products.values() for b in product.blocking)


def _address(call: Classified) -> Iterator[str]:
    """Never one of the household's own, to which a name can be led by whoever answers for it."""
    for text in addresses(call):
        with suppress(ValueError):
            address = ipaddress.ip_address(text)
            if not (household(text) or address.is_multicast or address.is_unspecified or address.is_reserved):
                yield str(address)
