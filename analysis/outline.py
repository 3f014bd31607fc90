"""Result -> `Outline`: the calls in the words of the shipped packs, for exports that name hosts, paths and fields.

As in a shared report there is an allow list of fields, and in each field of words: a host, a path or the name of a
field stands here only if a shipped pack names it.  What was sent stands as the id of its data item, how often as a
class, and the calls in the order of the alphabet.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated

import msgspec

from analysis.advice import breaks, shipped_blocking
from analysis.at import compile_host, named_as, normalise
from analysis.model import Category, Classified, Finding
from analysis.pipeline import Result
from analysis.redact import Names, month
from analysis.shared_report import SharedHost
from analysis.texts import Count
from analysis.texts.advice import Effect
from analysis.traffic import count, host, is_outside, is_readable, recipient
from analysis.vocabulary import HOST, MONTH, OWN_PACK, vocabulary
from captures.model import Exchange

type Text = Annotated[str, msgspec.Meta(max_length=300)]
"""A text of a shipped pack, or the number that stands for a name."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "WEBSOCKET")
"""Methods that are named."""

OTHER = "OTHER"
"""Any other method."""


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value each of whose fields holds only what shipped packs say."""

    def __post_init__(self) -> None:
        """Raises `ValueError`, without the value, for anything else."""
        for field in self.__struct_fields__:
            fits, words = _fits().get(field), getattr(self, field)
            if fits and not all(map(fits, words if isinstance(words, tuple) else (words,))):
                raise ValueError(f"{type(self).__name__}.{field}: is none of the words that may stand there")


class OutlineItem(Checked, frozen=True):
    """One data item and where it stands in calls of a kind."""

    item: Text
    """Id of the data item."""
    at: Text
    """Place as a shipped pack names it; empty when none does."""


class OutlineCall(Checked, frozen=True):
    """Calls of one kind."""

    name: Text
    """Host, pattern or domain as a shipped pack names it, `host#n` or `own pack #n`; empty when nothing is known."""
    method: Text
    """One of `METHODS`, or `OTHER`."""
    path: Text
    """Pattern of a shipped pack; empty when none knows the path."""
    rule: Text
    """Rule of a shipped pack, or empty."""
    entity: Text
    """Company that a shipped pack names, `host#n` or `own pack #n`."""
    category: Category
    """What for."""
    count: Count
    """How many."""
    items: tuple[OutlineItem, ...]
    """What they carried, and what came back."""


class OutlineHost(Checked, frozen=True):
    """A name that can be blocked."""

    name: Text
    """Host or pattern as a shipped pack names it, or `host#n` of one that the user chose to show."""
    entity: Text
    """As in `OutlineCall`."""
    categories: tuple[Category, ...]
    """What it was called for, as far as that could be read."""
    readable: bool
    """Whether all connections could be read."""
    carried: tuple[Text, ...]
    """Ids of the data items that were sent there."""
    effect: Effect
    """What blocking it does."""


class Outline(Checked, frozen=True):
    """What exports are made of."""

    month: Text
    """`YYYY-MM` (UTC), or empty."""
    calls: tuple[OutlineCall, ...]
    """Kinds of calls outside that could be read."""
    hosts: tuple[OutlineHost, ...]
    """Names that were called, in the order of the alphabet."""
    unnamed: Count
    """Hosts that are left out of `hosts`, since no shipped pack names them."""
    shown: tuple[SharedHost, ...]
    """Unknown hosts that the user chose to name."""

    def words(self) -> frozenset[str]:
        """Every text in it, whole and in the parts that outputs put together anew."""
        texts = {self.month, *(shown.name for shown in self.shown)}
        for call in self.calls:
            places = [item.at for item in call.items]
            texts |= {call.method, call.rule, call.entity, *_parts(call.name)}
            texts |= {part for text in (call.path, *places) for part in re.split(r"[/.{}*=\[\]]+", text)}
        for known in self.hosts:
            texts |= {known.entity, *_parts(known.name)}
        return frozenset(texts - {""})


def _parts(name: str) -> list[str]:
    """A name, and what is left of a pattern without its wildcards."""
    return [name, re.sub(r"[ #]+", "-", name), *(part.strip(".") for part in re.split(r"\{[^}]*\}|\*+", name))]


def outline(result: Result, *, show: Collection[str] = ()) -> Outline:
    """Everything that was found -> what exports may name.  `show` are unknown hosts that the user wants to name."""
    names = Names(result, vocabulary())
    calls = [call for call in result.calls if is_outside(call) and host(call)]
    findings: dict[int, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        findings[finding.call].append(finding)
    shown = names.shown(calls, show)
    unnamed = {host(call) for call in calls if not known_name(host(call))} - {x.name for x in shown}
    return Outline(
        month=month(result),
        calls=_calls(calls, findings, names),
        hosts=_hosts(calls, findings, names, {x.name: x.host for x in shown}),
        unnamed=names.count(len(unnamed)),
        shown=shown,
    )


def known_name(name: str) -> str:
    """Host -> itself, or the pattern by which a shipped rule knows it; empty when none does."""
    exact, patterns = _names()
    if name in exact:
        return name
    return next((pattern for pattern, fits in patterns if fits.fullmatch(name)), "")


def _domain(name: str) -> str:
    """Host -> the domain of a shipped pack to which it belongs, or nothing."""
    labels = name.split(".")
    parents = (".".join(labels[i:]) for i in range(len(labels)))
    return next((parent for parent in parents if parent in vocabulary().shipped.domains), "")


def _calls(calls: Iterable[Classified], findings: Mapping[int, list[Finding]], names: Names) -> tuple[OutlineCall, ...]:
    counts: Counter[tuple[str, str, str, str, str, Category]] = Counter()
    items: dict[tuple[str, str, str, str, str, Category], set[tuple[str, str]]] = defaultdict(set)
    for call in calls:
        seen = call.observation
        if not isinstance(seen, Exchange):
            continue
        rule = vocabulary().shipped.rules.get(call.rule)
        entity = names.entity(recipient(call))
        name = known_name(seen.host) or _domain(seen.host)
        if _numbered(entity):
            # The pattern of a name stands for all households and companies behind it.
            name, entity = (name, "") if name else (entity, entity)
        key = (
            name,
            rule.match.path if rule else "",
            seen.method if seen.method in METHODS else OTHER,
            rule.id if rule else "",
            entity,
            call.category,
        )
        counts[key] += count(call)
        items[key].update((f.item, _place(call, f)) for f in findings.get(call.n, ()) if f.at)
    return tuple(
        OutlineCall(
            name=name,
            path=path,
            method=method,
            rule=rule_id,
            entity=entity,
            category=category,
            count=names.count(counts[name, path, method, rule_id, entity, category]),
            items=tuple(
                OutlineItem(item, at) for item, at in sorted(items[name, path, method, rule_id, entity, category])
            ),
        )
        for name, path, method, rule_id, entity, category in sorted(counts)
    )


def _place(call: Classified, finding: Finding) -> str:
    """The place of a finding in the words of a shipped pack, or nothing."""
    rule = vocabulary().shipped.rules.get(call.rule)
    named = named_as(rule.items, finding.item, finding.at) if rule else ""
    known = normalise(finding.at)
    return named or (known if known in _fields() else "")


def _hosts(
    calls: Iterable[Classified], findings: Mapping[int, list[Finding]], names: Names, shown: Mapping[str, str]
) -> tuple[OutlineHost, ...]:
    groups: dict[str, list[Classified]] = defaultdict(list)
    for call in calls:
        if name := known_name(host(call)) or shown.get(host(call), ""):
            groups[name].append(call)
    return tuple(
        OutlineHost(
            name=name,
            entity=_company(names.entity(recipient(some[0]))),
            categories=tuple(sorted({call.category for call in some})),
            readable=all(map(is_readable, some)),
            carried=tuple(sorted({f.item for call in some for f in findings.get(call.n, ()) if f.direction == "sent"})),
            effect=breaks(name, {call.category for call in some}, all(map(is_readable, some)), shipped_blocking())[0],
        )
        for name, some in sorted(groups.items())
    )


def _company(entity: str) -> str:
    return "" if HOST.fullmatch(entity) else entity


def _numbered(word: str) -> bool:
    return bool(HOST.fullmatch(word) or OWN_PACK.fullmatch(word))


@functools.cache
def _names() -> tuple[frozenset[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Hosts that shipped rules and lists of names to block name exactly, and their patterns, the longest first."""
    shipped = vocabulary().shipped
    every = {name for rule in shipped.rules.values() for name in rule.match.host}
    every |= {name for blocking in shipped_blocking() for name in blocking.host}
    patterns = sorted((name for name in every if re.search(r"[*{]", name)), key=lambda name: (-len(name), name))
    return frozenset(every) - set(patterns), tuple((pattern, compile_host(pattern)) for pattern in patterns)


@functools.cache
def _fields() -> frozenset[str]:
    """Headers and parameters that shipped packs name for all calls."""
    shipped = vocabulary().shipped
    fields = {field.name.lower() for product in shipped.products.values() for field in product.fields}
    return frozenset(
        {f"{where}.{field}" for where in ("header", "query") for field in fields}
        | {normalise(name) for item in shipped.items.values() for name in item.names}
    )


@functools.cache
def _fits() -> Mapping[str, Callable[[str], object]]:
    """Name of a field -> test for what may stand in it."""
    words, rules = vocabulary(), vocabulary().shipped.rules.values()
    exact, patterns = _names()
    names = {"", *exact, *(pattern for pattern, _ in patterns), *words.shipped.domains}
    places = {"", *_fields(), *(at for rule in rules for item in rule.items for at in item.at)}
    return {
        "name": lambda word: word in names or _numbered(word),
        "method": {*METHODS, OTHER}.__contains__,
        "path": {"", *(rule.match.path for rule in rules)}.__contains__,
        "rule": {"", *words.shipped.rules}.__contains__,
        "entity": words.fields["entity"],
        "item": words.fields["item"],
        "carried": words.fields["item"],
        "at": places.__contains__,
        "month": MONTH.fullmatch,
    }
