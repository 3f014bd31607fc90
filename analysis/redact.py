"""Result -> `SharedReport`: what may be posted, by an allow list of fields and, in each field, of words.

The reader of a post may hold the recipient's logs.  So there are no values, no names, no times, no sizes, no order of
events, and counts and durations only in classes.  Every field is checked when a value is made, here or from a file:
captured text cannot get in, not even by a mistake of ours.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from json import JSONDecoder
from typing import Annotated, Literal, get_args

import msgspec

from analysis import VERSION
from analysis.generalise import Generalised, generalise
from analysis.grid import Mode, Rounding
from analysis.model import Category, Classified, Comparison, Party, Verdict
from analysis.occasions import covered, span
from analysis.pack import RecipientKind
from analysis.pipeline import Result
from analysis.promises import Judgement, Kind, promises
from analysis.texts import Count, Length, Occasion, Share, Step
from analysis.traffic import count, host, is_outside, is_readable, is_visit, recipient
from analysis.vocabulary import HOST_NAME, PLATFORM_ITEMS, VERSION_ITEMS, Vocabulary, version_of, vocabulary

type Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
"""An id."""

type Name = Annotated[str, msgspec.Meta(max_length=80)]
"""A name from a shipped pack, `host#n`, `own pack #n`, or nothing."""

type Numbers = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,5}(\.[0-9]{1,6}){1,4}$")]
"""A version."""

SHORT: Length = "<1h"
"""Captures so short tell counts in all their classes, and beside the versions the settings or the platform.

Of longer ones habits show, and few households share them: counts above five are one class, and the versions alone are
told.  So a reader of the recipient's logs names less than one household in a hundred; see `bench/matcher.py`.
"""

MOST_BYTES = 8 * 1024 * 1024
"""Of a post; what is larger is no shared report, or a whole forum."""


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value each of whose fields holds only the words that belong into a field of that name."""

    def __post_init__(self) -> None:
        """Checks the words, also of a value that is read from a file.  Raises `ValueError` without naming the value."""
        words = vocabulary()
        for field in self.__struct_fields__:
            if field in words.fields:
                words.check(type(self).__name__, field, getattr(self, field))


class SharedRow(Closed, frozen=True):
    """One item that was sent, to one recipient, for one purpose, and what the sender's list says."""

    product: Name
    """Id of the sender's shipped pack, `own pack #n`, or empty when the sender is not known."""
    declared: Name
    """Date of the list that was applied, or empty."""
    item: Word
    """Id of the data item."""
    recipient: RecipientKind | Literal[""]
    """What the recipient is to the vendor."""
    entity: Name
    """Name of the recipient if a shipped pack knows it, else `host#n` or `own pack #n`."""
    category: Category
    """What the calls are for."""
    verdict: Verdict
    """What the list says."""
    also: tuple[Verdict, ...]
    """Further verdicts that hold."""
    sure: bool
    """False when the sender is only probable."""
    count: Count
    """How often it was found."""


class SharedCalls(Closed, frozen=True):
    """Calls to one recipient for one purpose."""

    party: Party
    """Whose machine it is."""
    entity: Name
    """As in `SharedRow`; empty for households."""
    category: Category
    """What the calls are for."""
    count: Count
    """How many."""
    unreadable: Count
    """Of these, how many could not be read."""


class SharedReceived(Closed, frozen=True):
    """One item that a recipient showed that it already holds."""

    entity: Name
    """As in `SharedRow`."""
    category: Category
    """What the calls are for."""
    item: Word
    """Id of the data item."""


class SharedPack(Closed, frozen=True):
    """A shipped pack that was used."""

    pack: Word
    """Its id."""
    hash: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    """`sha256:…` over its files."""


class SharedList(Closed, frozen=True):
    """A declared list that was applied."""

    product: Word
    """Id of the pack."""
    declared: Word
    """Its date."""


class SharedVersion(Closed, frozen=True):
    """A version of a product that was seen."""

    product: Word
    """Id of the shipped pack."""
    version: Numbers
    """Major and minor number; the whole one only if the user asked for it."""


class SharedSetting(Closed, frozen=True):
    """The state of a switch."""

    product: Word
    """Id of the shipped pack."""
    switch: Word
    """Id of the switch."""
    state: Literal["on", "off", "unknown"]
    """What calls showed last."""


class SharedHost(Closed, frozen=True):
    """A recipient that the user chose to name."""

    host: Annotated[str, msgspec.Meta(pattern="^host#[1-9][0-9]{0,4}$")]
    """`host#n`."""
    name: Annotated[str, msgspec.Meta(max_length=253)]
    """Its host name."""


class SharedPromise(Closed, frozen=True):
    """A promise of a shipped list, and whether it was kept."""

    product: Word
    """Id of the shipped pack."""
    declared: Word
    """Date of the promise."""
    promise: Kind
    """What was promised."""
    outcome: Judgement
    """Whether it was kept, as far as was seen."""


class SharedRounding(Closed, frozen=True):
    """Whether one kind of number was rounded."""

    product: Word
    """Id of the shipped pack that sent it."""
    entity: Name
    """As in `SharedRow`."""
    item: Word
    """Id of the data item."""
    rounding: Rounding
    """Whether it was rounded."""
    step: Step
    """Usual steps in the unit of the number, `other`, or empty while several fit."""
    mode: Mode | Literal[""]
    """Which neighbour is taken; empty when that is not known."""
    pairs: Count
    """How many distinct exact values were seen beside it."""


class SharedFingerprint(Closed, frozen=True):
    """How many films share what one sender tells one recipient of a film."""

    product: Word
    """Id of the shipped pack that sent it."""
    entity: Name
    """As in `SharedRow`."""
    share: Share
    """Median over the plays, among 100,000 titles."""
    named: bool
    """Whether an id, a title, a hash or a picture went along, so that rounding does not matter."""


class SharedCoverage(Closed, frozen=True):
    """What could be looked at."""

    calls: Count
    """All calls."""
    readable: Count
    """Calls whose content could be read."""
    unreadable: Count
    """Calls and places whose content could not be read."""
    unknown_category: Count
    """Readable calls outside whose purpose is not known."""
    recipients: Count
    """Hosts outside."""
    recipients_unreadable: Count
    """Of these, with at least one connection that could not be read."""


class SharedReport(Closed, frozen=True):
    """Everything that a post may hold."""

    schema: Literal["phonehome/share/1"]
    """Name and version of this form."""
    report: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    """Random id, so that the same report is not counted twice."""
    tool: Word
    """Version of phonehome."""
    packs: tuple[SharedPack, ...]
    """Shipped packs that were used, by id."""
    lists: tuple[SharedList, ...]
    """Shipped lists that were applied."""
    versions: tuple[SharedVersion, ...]
    """Versions of products that were seen."""
    platforms: tuple[Name, ...]
    """Families of platforms."""
    settings: tuple[SharedSetting, ...]
    """Switches of the products that sent something."""
    month: Annotated[str, msgspec.Meta(pattern="^(20[0-9]{2}-[01][0-9])?$")]
    """`YYYY-MM` (UTC) of the capture's end; empty when it has no times."""
    length: Length
    """How long the capture is."""
    occasions: tuple[Occasion, ...]
    """What happened in it."""
    rows: tuple[SharedRow, ...]
    """What was sent, worst verdict first; what was not seen is left out."""
    received: tuple[SharedReceived, ...]
    """What came back."""
    calls: tuple[SharedCalls, ...]
    """Who was called and what for."""
    coverage: SharedCoverage
    """What could be looked at."""
    shown: tuple[SharedHost, ...] = ()
    """Recipients that the user chose to name."""
    promises: tuple[SharedPromise, ...] = ()
    """Promises of the products that sent something."""
    roundings: tuple[SharedRounding, ...] = ()
    """Whether numbers were rounded."""
    fingerprints: tuple[SharedFingerprint, ...] = ()
    """How many films share what was told of one."""
    left_out: bool = False
    """Whether its author left out something that was found."""


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
    settings = _settings(result, senders, words, rows, every=names.length == SHORT)
    by_settings = any(setting.state != "unknown" for setting in settings)
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
        versions=_versions(result, outside, senders, exact_version),
        platforms=_platforms(result, outside) if names.length == SHORT and not by_settings else (),
        settings=settings,
        month=month(result),
        length=names.length,
        occasions=tuple(sorted(covered(result))),
        rows=tuple(sorted(rows, key=_row_order)),
        received=names.received(result, outside),
        calls=names.calls(result.calls),
        coverage=names.coverage(result),
        shown=names.shown(outside.values(), show),
        promises=tuple(
            SharedPromise(promise.product, promise.made, promise.kind, promise.verdict)
            for promise in promises(result, numbers=numbers)
            if promise.product in used
        ),
        roundings=names.roundings(numbers, used),
        fingerprints=names.fingerprints(numbers, used),
    )


def versions_of(result: Result) -> tuple[SharedVersion, ...]:
    """Whole versions of shipped products that the calls show."""
    outside = {call.n: call for call in result.calls if is_outside(call)}
    return _versions(result, outside, _senders(outside.values(), vocabulary()), exact=True)


SECTIONS: tuple[str, ...] = ("versions", "platforms", "settings", "month", "length", "occasions", "received", "calls")
SECTIONS += ("promises", "roundings", "fingerprints")
"""Fields of a shared report that somebody may want to leave out as a whole."""


def without(report: SharedReport, words: Collection[str]) -> SharedReport:
    """A shared report -> the same without what the words name: sections, data items, products or recipients.

    Raises `ValueError` for a word that names nothing in the report.
    """
    empty: dict[str, object] = {"month": "", "length": "unknown"}
    changed: dict[str, object] = {word: empty.get(word, ()) for word in words if word in SECTIONS}
    rest, found = set(words) - set(changed), set[str]()
    tables = ("packs", "lists", "rows", "received", "calls", "versions", "settings", *SECTIONS[-3:])
    for field in tables:
        kept = []
        for row in changed.get(field, getattr(report, field)):  # type: ignore[attr-defined]  # a tuple of rows
            named = {getattr(row, name, "") for name in ("item", "product", "entity", "pack")} & rest
            found |= named
            if not named:
                kept.append(row)
        changed[field] = tuple(kept)
    if unknown := sorted(rest - found - {"", *(seen.host for seen in report.shown)}):
        raise ValueError(f"{unknown[0]}: is neither a section of this report nor an item, product or recipient in it")
    return msgspec.structs.replace(report, **changed, left_out=report.left_out or bool(words))


def read(text: bytes) -> SharedReport:
    """A shared report in JSON -> the same, checked.

    Raises `ValueError`: one sentence that names the place and never what stands there, not even a field's name.
    """
    try:
        return msgspec.json.decode(text, type=SharedReport)
    except msgspec.ValidationError as error:
        raise ValueError(f"is no valid shared report: {_complaint(str(error))}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError("is no valid shared report: its form for programs is damaged or missing") from None


_COMPLAINT = re.compile(
    r"(?P<ours>Shared\w+\.\w+: is none of the words that may stand there)"
    r"|Object missing required field `(?P<missing>\w+)`|(?P<more>Object contains unknown field)"
)
"""What can be repeated of a complaint; all else may hold what stands in the file."""


def _complaint(told: str) -> str:
    found = _COMPLAINT.match(told)
    place = re.search(r" - at `(\$[\w.\[\]]*)`\Z", told)
    if not found:
        said = "something stands there that may not"
    elif found["ours"]:
        said = found["ours"]
    else:
        said = (
            f"`{found['missing']}` is missing" if found["missing"] else "there is a field that this form does not have"
        )
    return f"{place[1] if place else '$'}: {said}"


def json(report: SharedReport) -> str:
    """A shared report -> JSON on one line."""
    return msgspec.json.encode(report).decode()


def embedded(post: bytes) -> bytes:
    """A post in any form (JSON, Markdown, BBCode, HTML) -> the JSON form inside it, the first if there are several.

    The post itself when it holds none; forums may have changed everything around it.
    """
    return next(blocks(post), post)


def blocks(post: bytes) -> Iterator[bytes]:
    """A post, or a whole thread -> each JSON form inside it, in order; nothing when it holds none.

    One that is cut off goes to the end, and ends the search.
    """
    text = post.decode("utf-8", "replace")
    at = 0
    while match := _BEGIN.search(text, at):
        try:
            _, at = JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            at = len(text)
        yield text[match.start() : at].encode()


_BEGIN = re.compile(r'\{\s*"schema"\s*:\s*"phonehome/share/[^{}\[\]"]*"')
"""How the JSON form begins."""


def schema() -> str:
    """The JSON Schema of `phonehome/share/1`."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(SharedReport)}
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"


def count_class(n: int, length: Length = SHORT) -> Count:
    """A number -> its class; from a capture that is not short, one class for all above five.

    >>> [count_class(n) for n in (0, 1, 5, 6, 1000, 1001)]
    ['0', '1', '2-5', '6-20', '101-1000', '>1000']
    >>> [count_class(n, "6-24h") for n in (0, 1, 5, 6, 1000)]
    ['0', '1', '2-5', '>5', '>5']
    """
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
