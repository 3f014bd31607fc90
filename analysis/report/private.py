"""Result -> the report for the user's own eyes: first the answer in three sentences, then the tables behind it.

Private: it holds hosts and what the vendors' lists say of the data sent, though no value of a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analysis import language, texts
from analysis.advice import advice
from analysis.listed import listed
from analysis.model import Category, Classified, Comparison, Party, Verdict
from analysis.occasions import covered
from analysis.pipeline import Result
from analysis.promises import promises
from analysis.quantities import KINDS
from analysis.report import promised
from analysis.report.advised import advice_section
from analysis.report.answer import answer
from analysis.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Commands,
    Document,
    Heading,
    Paragraph,
    Table,
    Tone,
    brief,
    size,
)
from analysis.report.network import discovery, volumes
from analysis.report.phrases import argument, by_recipient, label, product_name, purposes, some
from analysis.report.presence import presence_section
from analysis.sides import GRACE
from analysis.sureness import EVIDENCE, sure
from analysis.traffic import (
    BROKEN,
    bytes_out,
    count,
    host,
    is_outside,
    is_readable,
    is_visit,
    on_first_screen,
    recipient,
    total,
    unread_reason,
)
from analysis.watching import watching
from captures.model import Unreadable

if TYPE_CHECKING:
    from analysis.generalise import Generalised

if TYPE_CHECKING:
    pass

ALWAYS = (Category.UPDATE_CHECK, Category.REMOTE_DISCOVERY, Category.ACCOUNT_AUTH)
"""What these carry is always listed: they are made anyway, and none is harmless as such."""


def private(result: Result, *, grace: float = GRACE, page: bool = False) -> Document:
    """Everything that was found -> the report for the user.

    `page`: with pictures, and with every call and what it carried, which takes a page that can be searched.
    `grace` are the seconds after a change of a switch that are left out when it is asked what the switch stopped.
    """
    from analysis.report import listing, pictures  # they say what a call is with the words of this module

    outside = [call for call in result.calls if is_outside(call)]
    numbers = _numbers(result)
    sections = (
        answer(result, outside, numbers),
        pictures.pictures(result, outside) if page else (),
        _recipients(result, outside),
        volumes(outside),
        discovery(result.calls),
        _own_titles(result),
        _verdicts(result),
        promised.promises_section(promises(result, grace=grace, numbers=numbers), result),
        promised.listed_section(listed(result), result),
        promised.watching_section(watching(result), result),
        _always(result, outside),
        _received(result),
        _unread(result, outside),
        presence_section(result),
        _log(result),
        advice_section(advice(result), result),
        _occasions(result),
        _remarks(result),
        _next(result),
        listing.listing(result) if page else (),
    )
    return Document(texts.TITLE, tuple(block for section in sections for block in section))


def _numbers(result: Result) -> Generalised | None:
    """What the numbers say; `None` when none that can be rounded was sent, which needs no NumPy."""
    if not any(f.direction == "sent" and f.item in KINDS for f in result.findings):
        return None
    from analysis.generalise import generalise

    return generalise(result)


def _log(result: Result) -> Iterator[Block]:
    logs = result.logs
    if not logs or not logs.missed:
        return
    yield Heading(texts.LOG_HEADING)
    yield Paragraph(texts.LOG_NOTE)
    columns = (Column(texts.HOST_COLUMN), Column(texts.LOGGED, number=True), Column(texts.SEEN, number=True))
    yield Table(
        (*columns, Column(texts.WHY), Column(texts.PATHS)),
        tuple(
            (
                Cell(brief(host.host) or texts.LOG_NOBODY, "warn"),
                Cell(texts.number(host.logged)),
                Cell(texts.number(host.seen)),
                Cell(
                    " ".join(
                        filter(
                            None, (texts.LOG_VERDICTS[host.verdict], host.reason and f"({language.said(host.reason)})")
                        )
                    )
                ),
                Cell(brief(", ".join(host.paths))),
            )
            for host in logs.missed
        ),
    )
    notes = [texts.LOG_CLOCK.format(hours=f"{logs.hours:+d}")] if logs.hours else []
    notes += [texts.plural(logs.outside_time, texts.LOG_OUTSIDE)] if logs.outside_time else []
    if points := (*notes, *logs.remarks):
        yield Bullets(points)


def _own_titles(result: Result) -> Iterator[Block]:
    """Which of the own titles went where, and how sure that is: the surest first."""
    outside = {call.n: call for call in result.calls if is_outside(call)}
    counts: Counter[tuple[str, str, str]] = Counter()
    for f in result.findings:
        if f.evidence and f.direction == "sent" and f.call in outside:
            counts[f.evidence, f.item, recipient(outside[f.call])] += count(outside[f.call])
    if not counts:
        return
    yield Heading(texts.OWN_TITLES_HEADING)
    columns = (Column(texts.EVIDENCE_COLUMN), Column(texts.SURE_COLUMN), Column(texts.ITEM), Column(texts.RECIPIENT))
    order = list(EVIDENCE)
    yield Table(
        (*columns, Column(texts.COUNT, number=True)),
        tuple(
            (
                Cell(texts.EVIDENCE[evidence], "alarm" if sure(evidence) == "certain" else "warn"),
                Cell(texts.SURE[sure(evidence)]),
                Cell(label(item, result)),
                Cell(brief(entity)),
                Cell(texts.number(n)),
            )
            for (evidence, item, entity), n in sorted(
                counts.items(), key=lambda row: (order.index(row[0][0]), row[0][1:])
            )
        ),
    )


def _recipients(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    yield Heading(texts.RECIPIENTS_HEADING)
    if rows := tuple(_recipient_row(name, calls) for name, calls in by_recipient(outside)):
        columns = (
            Column(texts.RECIPIENT),
            Column(texts.HOSTS),
            Column(texts.PURPOSES),
            Column(texts.CALLS, number=True),
            Column(texts.BYTES, number=True),
            Column(texts.READABLE),
        )
        yield Table(columns, rows)
    for party in (Party.OWN, Party.OWN_VIA_RELAY, Party.OTHER_HOME):
        stayed = [call for call in result.calls if call.party is party and not is_visit(call)]
        if stayed:
            yield Paragraph(
                texts.plural(total(stayed), texts.OWN_TRAFFIC, party=texts.PARTIES[party], purposes=purposes(stayed))
            )
    if visits := total(call for call in result.calls if is_visit(call)):
        yield Paragraph(texts.plural(visits, texts.VISITORS))


def _recipient_row(name: str, calls: Sequence[Classified]) -> tuple[Cell, ...]:
    read, number = total(call for call in calls if is_readable(call)), total(calls)
    hosts = sorted({_answered(call) for call in calls} - {name, ""})
    readable = texts.YES if read == number else texts.PARTLY if read else texts.NO
    return (
        Cell(brief(name), "strong"),
        Cell(some(hosts, 3)),
        Cell(purposes(calls)),
        Cell(texts.number(number)),
        Cell(size(sum(bytes_out(call) for call in calls))),
        Cell(readable, "plain" if readable == texts.YES else "warn"),
    )


def _answered(call: Classified) -> str:
    """The host that was called, and who answered in its place."""
    return texts.ANSWERED_BY.format(recipient=host(call), other=call.answered_by) if call.answered_by else host(call)


def _verdicts(result: Result) -> Iterator[Block]:
    seen = [c for c in result.comparisons if c.verdict is not Verdict.NOT_SEEN]
    not_seen = len({(c.product, c.item) for c in result.comparisons if c.verdict is Verdict.NOT_SEEN})
    if not seen and not not_seen:
        return
    yield Heading(texts.ITEMS_HEADING)
    columns = (
        Column(texts.ITEM),
        Column(texts.RECIPIENT),
        Column(texts.PURPOSES),
        Column(texts.WHY),
    )
    # Where data is collected for its own sake, a sender without a list comes right after what the lists do not cover.
    watched = {c.verdict for c in seen if on_first_screen(c)}
    for verdict in sorted(Verdict, key=lambda verdict: verdict not in watched):
        groups: dict[tuple[str, str, str, str, bool], list[Comparison]] = {}
        for c in seen:
            if c.verdict is verdict:
                groups.setdefault((c.product, c.item, c.entity, c.reason, c.sure), []).append(c)
        if groups:
            yield Heading(
                texts.VERDICT_HEADING.format(verdict=texts.VERDICT_NAMES[verdict], meaning=texts.VERDICTS[verdict]), 3
            )
            yield Table(columns, tuple(_verdict_row(group, result) for group in groups.values()))
    if not_seen:
        yield Paragraph(texts.plural(not_seen, texts.NOT_SEEN), "dim")


def _verdict_row(group: Sequence[Comparison], result: Result) -> tuple[Cell, ...]:
    """One row for comparisons that differ in the purpose alone."""
    c = group[0]
    counted = [texts.PURPOSE_COUNT.format(purpose=texts.CATEGORIES[x.category], n=texts.number(x.count)) for x in group]
    return (
        Cell(label(c.item, result), max((tone_of(x) for x in group), key=("plain", "warn", "alarm").index)),
        Cell(brief(c.entity)),
        Cell(", ".join(counted)),
        Cell(c.reason),
    )


def _always(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    wanted = {call.n: (call.category, recipient(call)) for call in outside if call.category in ALWAYS}
    if not wanted:
        return
    carried: dict[tuple[Category, str], set[str]] = {key: set() for key in wanted.values()}
    for finding in result.findings:
        if finding.direction == "sent" and finding.call in wanted:
            carried[wanted[finding.call]].add(label(finding.item, result))
    yield Heading(texts.ALWAYS_HEADING)
    yield Paragraph(texts.ALWAYS_NOTE)
    yield Table(
        (Column(texts.PURPOSES), Column(texts.RECIPIENT), Column(texts.ITEMS)),
        tuple(
            (Cell(texts.CATEGORIES[category]), Cell(brief(entity)), Cell(", ".join(sorted(items)) or texts.NO_ITEMS))
            for (category, entity), items in sorted(
                carried.items(), key=lambda row: (ALWAYS.index(row[0][0]), row[0][1])
            )
        ),
    )


def _received(result: Result) -> Iterator[Block]:
    outside = {call.n: recipient(call) for call in result.calls if is_outside(call)}
    held: dict[str, set[str]] = defaultdict(set)
    for finding in result.findings:
        if finding.direction == "received" and finding.call in outside:
            held[outside[finding.call]].add(label(finding.item, result))
    if not held:
        return
    yield Heading(texts.RECEIVED_HEADING)
    yield Paragraph(texts.RECEIVED_NOTE)
    yield Table(
        (Column(texts.RECIPIENT), Column(texts.ITEMS)),
        tuple(
            (Cell(brief(entity), "strong"), Cell(", ".join(sorted(items)))) for entity, items in sorted(held.items())
        ),
    )


def _unread(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    closed: Counter[tuple[str, str]] = Counter()
    for call in result.calls:
        if isinstance(call.observation, Unreadable) and not host(call):
            closed[(texts.DAMAGED_PLACE, language.said(call.observation.reason))] += count(call)
    for call in outside:
        if not is_readable(call) and host(call):
            closed[(host(call), language.said(unread_reason(call)))] += count(call)
    if not closed:
        return
    yield Heading(texts.UNREAD_HEADING)
    yield Paragraph(texts.UNREAD_NOTE)
    yield Table(
        (Column(texts.HOST_COLUMN), Column(texts.REASON), Column(texts.CONNECTIONS, number=True)),
        tuple(
            (Cell(brief(place), "warn"), Cell(reason), Cell(texts.number(n)))
            for (place, reason), n in sorted(closed.items(), key=lambda row: (-row[1], row[0]))
        ),
    )


def _occasions(result: Result) -> Iterator[Block]:
    seen = covered(result)
    yield Heading(texts.OCCASIONS_HEADING)
    yield Bullets(
        tuple(
            (texts.OCCASION_SEEN if occasion in seen else texts.OCCASION_NOT_SEEN).format(occasion=words)
            for occasion, words in texts.OCCASIONS.items()
        )
    )
    if len(seen) < len(texts.OCCASIONS):
        yield Paragraph(texts.OCCASIONS_NOTE)


def _remarks(result: Result) -> Iterator[Block]:
    applied = sorted({(c.product, c.declared) for c in result.comparisons if c.declared})
    lists = {(x.product, x.id): x for x in result.knowledge.lists}
    judged = [
        texts.LIST_SOURCE.format(
            product=product_name(product, result), declared=declared, title=known.title, source=known.source
        )
        for product, declared in applied
        if (known := lists.get((product, declared)))
    ]
    if points := (*judged, *map(language.said, result.remarks)):
        yield Heading(texts.REMARKS_HEADING)
        yield Bullets(tuple(dict.fromkeys(points)))


def _next(result: Result) -> Iterator[Block]:
    files = " ".join(argument(capture.name, "FILE") for capture in result.captures)
    yield Heading(texts.NEXT_HEADING)
    yield Commands((f"phonehome items {files}", f"phonehome share {files} -o report.md"))


def tone_of(comparison: Comparison) -> Tone:
    """How a comparison is to be weighed."""
    if comparison.verdict in BROKEN:
        return "alarm" if comparison.sure else "warn"
    return "warn" if on_first_screen(comparison) else "plain"
