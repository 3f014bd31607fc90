"""Result -> `SharedReport`: what of everything that was found may be posted.

What tells too much of the household is put into classes or left out; see docs/community.md for how that was chosen.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, get_args

from analysis import VERSION, texts
from analysis.generalise import Generalised, generalise
from analysis.model import Category, Classified, Comparison, Party, Verdict
from analysis.occasions import covered, span
from analysis.pipeline import Result
from analysis.promises import promises
from analysis.shared_report import (
    SharedCalls,
    SharedCoverage,
    SharedEffect,
    SharedFingerprint,
    SharedHost,
    SharedList,
    SharedPack,
    SharedPromise,
    SharedReceived,
    SharedReport,
    SharedRounding,
    SharedRow,
    SharedSetting,
    SharedVersion,
)
from analysis.texts import Count, Length, Step
from analysis.traffic import count, host, is_outside, is_readable, is_visit, recipient
from analysis.vocabulary import HOST_NAME, PLATFORM_ITEMS, VERSION_ITEMS, Vocabulary, version_of, vocabulary

SHORT: Length = "<1h"
"""Captures so short tell counts in all their classes, and more than what was sent and by which version of what.

Of longer ones habits and devices show, and few households share them; see `withheld`, `count_class`, and
docs/community.md.  So a reader of the recipient's logs should name no household: see `bench/matcher.py`.
"""

SEEN_ALONE: tuple[Length, ...] = ("6-24h", "1-7d", ">7d", "unknown")
"""Captures so long tell what was sent, and not how often."""


def redact(result: Result, *, exact_version: bool = False, show: Collection[str] = ()) -> SharedReport:
    """Everything that was found -> what may be posted.

    `exact_version` keeps whole versions instead of major and minor number.  `show` are host names of unknown
    recipients that the user wants to name; names that are no recipients here are left out.
    """
    words = vocabulary()
    names = Names(result, words)
    outside = {call.n: call for call in result.calls if is_outside(call)}
    senders = _senders(outside.values(), words)
    rows = [names.row(c) for c in result.comparisons if c.verdict is not Verdict.NOT_SEEN]
    settings = _settings(result, senders, words, rows, every="settings" not in withheld(names.length))
    hidden = withheld(names.length, settings)
    numbers = generalise(result)
    used = {*senders, *(call.service for call in outside.values() if call.service in words.shipped.products)}
    return SharedReport(
        schema="phonehome/share/1",
        report=secrets.token_hex(16),
        tool=VERSION,
        packs=tuple(SharedPack(pack, words.shipped.hashes[pack]) for pack in sorted(used)),
        lists=tuple(
            SharedList(product, declared)
            for product, declared in sorted({(r.product, r.declared) for r in rows if r.declared and r.product in used})
        ),
        versions=()
        if "versions" in hidden and not exact_version
        else _versions(result, outside, senders, exact_version),
        platforms=() if "platforms" in hidden else _platforms(result, outside),
        settings=settings,
        month=month(result),
        length=names.length,
        occasions=tuple(sorted(covered(result))),
        rows=tuple(sorted(rows, key=_row_order)),
        received=() if "received" in hidden else names.received(result, outside),
        calls=names.calls(result.calls),
        coverage=names.coverage(result),
        shown=names.shown(outside.values(), show),
        promises=tuple(
            SharedPromise(promise.product, promise.made, promise.kind, promise.verdict)
            for promise in promises(result, numbers=numbers)
            if promise.product in used
        ),
        roundings=names.roundings(numbers, used),
        fingerprints=() if "fingerprints" in hidden else names.fingerprints(numbers, used),
        presence=() if "presence" in hidden else names.presence(result),
    )


def withheld(length: Length, settings: Collection[SharedSetting] = ()) -> tuple[str, ...]:
    """Length of a capture, and the settings that are told -> what of a report would tell whose it is.

    Of `settings` those stay on which a verdict rests.
    """
    if length != SHORT:
        hidden = ("settings", "platforms", "presence", "received", "fingerprints")
        return hidden if length in ("1-6h", "6-24h") else ("versions", *hidden)
    return ("platforms",) if any(setting.state != "unknown" for setting in settings) else ()


def versions_of(result: Result) -> tuple[SharedVersion, ...]:
    """Whole versions of shipped products that the calls show."""
    outside = {call.n: call for call in result.calls if is_outside(call)}
    return _versions(result, outside, _senders(outside.values(), vocabulary()), exact=True)


def count_class(n: int, length: Length = SHORT) -> Count:
    """A number -> its class; from a capture that is not short, one for all above five; from a long one, one for all.

    >>> [count_class(n) for n in (0, 1, 5, 6, 1000, 1001)]
    ['0', '1', '2-5', '6-20', '101-1000', '>1000']
    >>> [count_class(n, "1-6h") for n in (0, 1, 5, 6, 1000)], [count_class(n, "6-24h") for n in (0, 1, 6)]
    (['0', '1', '2-5', '>5', '>5'], ['0', '>0', '>0'])
    """
    if n and length in SEEN_ALONE:
        return ">0"
    if n < 6:
        return "2-5" if n > 1 else "1" if n else "0"
    if length != SHORT:
        return ">5"
    if n < 21:
        return "6-20"
    if n < 1001:
        return "21-100" if n < 101 else "101-1000"
    return ">1000"


def length_class(seconds: float) -> Length:
    """Seconds -> the class of a capture's length; 0 means that it is not known."""
    hours = seconds / 3600
    if not hours:
        return "unknown"
    if hours < 24:
        return "<1h" if hours < 1 else "1-6h" if hours < 6 else "6-24h"
    return "1-7d" if hours < 7 * 24 else ">7d"


class Names:
    """Names that may be shown for the recipients and products of one result, and classes for its counts.

    Unknown hosts and own packs are numbered by the alphabet, so that the numbers say nothing about the order of events.
    """

    def __init__(self, result: Result, words: Vocabulary) -> None:
        self._words = words
        self.length = length_class(span(result))
        own = sorted(set(result.knowledge.products) - set(words.shipped.products))
        self._own_packs = {pack: f"own pack #{n}" for n, pack in enumerate(own, 1)}
        entities = {result.knowledge.products[pack].entity: shown for pack, shown in self._own_packs.items()}
        self._entities = {**entities, **{entity: entity for entity in words.entities}, "": ""}
        called = {recipient(call) for call in result.calls if is_outside(call)}
        compared = {c.entity for c in result.comparisons if c.verdict is not Verdict.NOT_SEEN}
        unknown = sorted((called | compared) - set(self._entities))
        self.hosts = {host: f"host#{n}" for n, host in enumerate(unknown, 1)}

    def shown(self, calls: Iterable[Classified], show: Collection[str]) -> tuple[SharedHost, ...]:
        """Hosts that were ticked, by the number under which their recipient, a company or the host itself, stands."""
        found = {host(call): self.hosts[name] for call in calls if (name := recipient(call)) in self.hosts}
        return tuple(
            SharedHost(placeholder, name)
            for name, placeholder in sorted(found.items())
            if name in show and HOST_NAME.fullmatch(name)
        )

    def count(self, n: int) -> Count:
        """A number -> its class."""
        return count_class(n, self.length)

    def entity(self, name: str) -> str:
        """Name of a recipient -> what may stand for it."""
        return self._entities[name] if name in self._entities else self.hosts[name]

    def of(self, call: Classified) -> str:
        """A call outside -> what may stand for its recipient."""
        return self.entity(recipient(call))

    def product(self, pack: str) -> str:
        """Pack id -> what may stand for it."""
        return self._own_packs.get(pack, pack)

    def row(self, c: Comparison) -> SharedRow:
        """What the list says of one item."""
        shipped = c.product in self._words.shipped.products
        return SharedRow(
            product=self.product(c.product),
            declared=c.declared if shipped else "",
            item=c.item,
            recipient=c.recipient,  # type: ignore[arg-type]  # checked against the closed list when it is made
            entity=self.entity(c.entity),
            category=c.category,
            verdict=c.verdict,
            also=c.also,
            sure=c.sure,
            count=self.count(c.count),
        )

    def roundings(self, numbers: Generalised, used: Collection[str]) -> tuple[SharedRounding, ...]:
        """Whether numbers of these products were rounded."""
        return tuple(
            SharedRounding(
                product=q.product,
                entity=self.entity(q.entity),
                item=q.item,
                rounding=q.verdict,
                step=_step(q.step),
                mode=q.mode or "",
                pairs=self.count(q.pairs),
            )
            for q in numbers.quantities
            if q.product in used and q.pairs
        )

    def fingerprints(self, numbers: Generalised, used: Collection[str]) -> tuple[SharedFingerprint, ...]:
        """How many films share what these products told."""
        return tuple(
            SharedFingerprint(
                product=f.product,
                entity=self.entity(f.entity),
                share="<10" if median < 10 else "10-100" if median <= 100 else ">100",
                named=bool(f.named_by),
            )
            for f in numbers.fingerprints
            for median in [s.median for s in f.plays if s.catalogue == _CATALOGUE]
            if f.product in used
        )

    def presence(self, result: Result) -> tuple[SharedEffect, ...]:
        """What the proxy changed for devices, without which, where and how often, as far as we have a word for it."""
        found = {effect.kind for capture in result.captures for effect in capture.effects}
        return tuple(SharedEffect(kind) for kind in texts.SHARED_EFFECTS if kind in found)

    def received(self, result: Result, outside: dict[int, Classified]) -> tuple[SharedReceived, ...]:
        """What recipients showed that they hold."""
        found = {
            (self.entity(recipient(outside[f.call])), outside[f.call].category, f.item)
            for f in result.findings
            if f.direction == "received" and f.call in outside
        }
        return tuple(SharedReceived(*key) for key in sorted(found))

    def calls(self, calls: Iterable[Classified]) -> tuple[SharedCalls, ...]:
        """Who was called and what for."""
        total: Counter[tuple[str, str, str]] = Counter()
        closed: Counter[tuple[str, str, str]] = Counter()
        for call in calls:
            if is_visit(call):
                continue
            outside = is_outside(call)
            key = (call.party.value, self.entity(recipient(call)) if outside else "", call.category.value)
            total[key] += count(call)
            closed[key] += count(call) * (not is_readable(call))
        return tuple(
            SharedCalls(Party(party), entity, Category(category), self.count(n), self.count(closed[key]))
            for key, n in sorted(total.items())
            for party, entity, category in (key,)
        )

    def coverage(self, result: Result) -> SharedCoverage:
        """What could be looked at."""
        found = result.coverage
        return SharedCoverage(
            calls=self.count(found.calls),
            readable=self.count(found.readable),
            unreadable=self.count(found.unreadable),
            unknown_category=self.count(found.unknown_category),
            recipients=self.count(found.recipients),
            recipients_unreadable=self.count(found.recipients_unreadable),
        )


_CATALOGUE = 100_000
"""Titles among which films are counted that share what was told of one."""


def _step(step: float | None) -> Step:
    """A step -> its word; one that nobody would choose might tell whose numbers they are."""
    if step is None:
        return ""
    return next((word for word in get_args(Step.__value__) if word.isdigit() and int(word) == step), "other")


def _senders(outside: Iterable[Classified], words: Vocabulary) -> list[str]:
    return sorted({call.product for call in outside if call.product in words.shipped.products})


def _row_order(row: SharedRow) -> tuple[int, str, str, str, str]:
    return list(Verdict).index(row.verdict), row.product, row.entity, row.category, row.item


def _versions(
    result: Result, outside: dict[int, Classified], senders: Collection[str], exact: bool
) -> tuple[SharedVersion, ...]:
    """Versions that senders showed of themselves, in the field that holds a server's version if a server sends it.

    Which versions of which apps somebody has is as good as a name.  So each product has one: its server's, else that of
    its only app; all of them only when they are wanted as they are (`exact`).
    """
    products = vocabulary().shipped.products
    names = {
        (product, field.name.lower())
        for product in senders
        for field in products[product].fields
        if field.server_item == "server.version"
    }
    found: dict[str, dict[str, set[str]]] = {}
    for finding in result.findings:
        call = outside.get(finding.call)
        if call is None or finding.item not in VERSION_ITEMS or finding.direction != "sent":
            continue
        place = finding.at.partition(".")[2].lower()
        if (call.product, place) in names and (version := version_of(finding.value, exact=exact)):
            found.setdefault(call.product, {}).setdefault(finding.item, set()).add(version)
    return tuple(
        SharedVersion(product, version)
        for product, by_item in sorted(found.items())
        for version in sorted(set().union(*by_item.values()) if exact else _only(by_item, VERSION_ITEMS))
    )


def _platforms(result: Result, outside: dict[int, Classified]) -> tuple[str, ...]:
    """Family of the platform of the server, else of the only app; a platform of no known family is left out."""
    values: dict[str, set[str]] = {}
    for finding in result.findings:
        if finding.item in PLATFORM_ITEMS and finding.call in outside:
            values.setdefault(finding.item, set()).add(finding.value.casefold())
    families = {
        item: {f for f in vocabulary().platforms if any(value.startswith(f.casefold()) for value in some)}
        for item, some in values.items()
    }
    return tuple(_only(families, PLATFORM_ITEMS))


def _only(found: Mapping[str, set[str]], items: Sequence[str]) -> set[str]:
    """What was found of the first of these items that was found at all, if that is one thing; else nothing."""
    some = next((found[item] for item in items if found.get(item)), set[str]())
    return some if len(some) == 1 else set()


def _settings(
    result: Result, senders: Iterable[str], words: Vocabulary, rows: Iterable[SharedRow], *, every: bool
) -> tuple[SharedSetting, ...]:
    """The switches of the products that sent something, with the state that calls showed last.

    Unless `every` one is wanted, those alone on which a verdict of the report rests.
    """
    last = {(state.product, state.switch): state.on for state in sorted(result.evidence.switches, key=lambda s: s.time)}
    states: dict[bool | None, Literal["on", "off", "unknown"]] = {True: "on", False: "off", None: "unknown"}
    decided = {(row.product, row.item) for row in rows if Verdict.OPTED_OUT in (row.verdict, *row.also)}
    deciding = {
        (declared.product, statement.switch)
        for declared in words.shipped.lists
        for statement in declared.statements
        if any((declared.product, item) in decided for item in statement.items)
    }
    return tuple(
        SharedSetting(product, switch.id, states[last.get((product, switch.id))])
        for product in senders
        for switch in words.shipped.products[product].switches
        if every or (product, switch.id) in deciding
    )


def month(result: Result) -> str:
    """`YYYY-MM` (UTC) of a capture's end; empty when it has no times."""
    last = max((capture.last for capture in result.captures if capture.last is not None), default=None)
    return "" if last is None else time.strftime("%Y-%m", time.gmtime(last))
