"""Result -> the report for the user's own eyes: first the answer in three sentences, then the tables behind it.

Private: it holds hosts and what the vendors' lists say of the data sent, though no value of a finding.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from analysis import texts
from analysis.advice import advice
from analysis.known.sureness import EVIDENCE, sure
from analysis.listed import listed
from analysis.model import Category, Classified, Comparison, Party, Verdict
from analysis.occasions import covered
from analysis.optout import GRACE
from analysis.pipeline import Result
from analysis.promises import promises
from analysis.report import promised
from analysis.report.advised import advice_section
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
from analysis.traffic import (
    BROKEN,
    bytes_out,
    host,
    is_outside,
    is_readable,
    is_visit,
    on_first_screen,
    recipient,
    unread_reason,
)
from analysis.watching import watching
from captures.model import Unreadable

if TYPE_CHECKING:
    from analysis.coverage import LogCoverage

ALWAYS = (Category.UPDATE_CHECK, Category.REMOTE_DISCOVERY, Category.ACCOUNT_AUTH)
"""What these carry is always listed: they are made anyway, and none is harmless as such."""

NAMES_A_TITLE = frozenset(
    {
        "media.title",
        "media.external_id",
        "media.library_key",
        "media.file_path_or_name",
        "media.file_hash",
        "media.url",
        "ui.search_text",
        "play.watchlist",
    }
)
"""Items that name a title, or from which somebody can look it up."""

_MOST_NAMED = 6
"""Names in one sentence; the tables hold them all."""


def private(result: Result, *, grace: float = GRACE, page: bool = False) -> Document:
    """Everything that was found -> the report for the user.

    `page`: with pictures, and with every call and what it carried, which takes a page that can be searched.
    `grace` are the seconds after a change of a switch that are left out when it is asked what the switch stopped.
    """
    from analysis.report import listing, pictures  # they say what a call is with the words of this module

    outside = [call for call in result.calls if is_outside(call)]
    sections = (
        _first_screen(result, outside),
        pictures.pictures(result, outside) if page else (),
        _recipients(result, outside),
        volumes(outside),
        discovery(result.calls),
        _own_titles(result),
        _verdicts(result),
        promised.promises_section(promises(result, grace=grace), result),
        promised.listed_section(listed(result), result),
        promised.watching_section(watching(result), result),
        _always(result, outside),
        _received(result),
        _unread(result, outside),
        _log(result),
        advice_section(advice(result), result),
        _occasions(result),
        _remarks(result),
        _next(result),
        listing.listing(result) if page else (),
    )
    return Document(texts.TITLE, tuple(block for section in sections for block in section))


def _first_screen(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    yield Paragraph(_who_was_called(outside), "strong")
    yield Paragraph(*_what_is_not_covered(result, outside))
    yield Paragraph(*_what_was_not_read(result))
    yield Paragraph(_titles(result))
    yield Paragraph(_speaks_for(result, outside))
    if result.logs:
        yield Paragraph(*_what_the_log_tells(result.logs))
    for asked in sorted(result.evidence.asks):
        yield Paragraph(texts.ASK.format(host=brief(asked), argument=_argument(asked, "HOST")), "warn")


def _who_was_called(outside: Sequence[Classified]) -> str:
    by_recipient = _by_recipient(outside)
    if not by_recipient:
        return texts.CALLED_NOBODY
    named = [
        texts.PURPOSE.format(entity=brief(name), purposes=_purposes(calls))
        for name, calls in by_recipient[:_MOST_NAMED]
    ]
    if rest := len(by_recipient) - len(named):
        named.append(texts.plural(rest, texts.FURTHER_RECIPIENTS))
    return texts.CALLED.format(recipients="; ".join(named))


def _what_is_not_covered(result: Result, outside: Sequence[Classified]) -> tuple[str, Tone]:
    first = [c for c in result.comparisons if c.verdict is not Verdict.NOT_SEEN and on_first_screen(c)]
    if first:
        groups: dict[tuple[str, Verdict, str, Category], list[str]] = {}
        for c in first:
            sentence = (
                texts.UNCOVERED_ITEM if c.sure else texts.UNCOVERED_PROBABLY if c.product else texts.UNCOVERED_UNKNOWN
            )
            groups.setdefault((sentence, c.verdict, c.entity, c.category), []).append(label(c.item, result))
        named = [
            sentence.format(
                items=_some(items), entity=brief(entity), purpose=texts.CATEGORIES[category], verdict=verdict.value
            )
            for (sentence, verdict, entity, category), items in groups.items()
        ]
        if (rest := len(named) - _MOST_NAMED) > 0:
            named[_MOST_NAMED:] = [texts.plural(rest, texts.UNCOVERED_MORE)]
        return texts.UNCOVERED.format(items="; ".join(named)), "alarm"
    if unlisted := sorted({label(c.item, result) for c in result.comparisons if c.verdict is Verdict.NO_LIST}):
        return texts.plural(len(unlisted), texts.NO_LISTS, items=_some(unlisted)), "warn"
    if any(c.verdict is not Verdict.NOT_SEEN for c in result.comparisons):
        return texts.ALL_COVERED, "plain"
    if any(is_readable(call) for call in outside) or not outside:
        return texts.NOTHING_SENT, "plain"
    return texts.NOTHING_READ, "warn"


def _what_was_not_read(result: Result) -> tuple[str, Tone]:
    coverage = result.coverage
    places = sum(isinstance(call.observation, Unreadable) and not host(call) for call in result.calls)
    if coverage.recipients_unreadable:
        counted = texts.plural(coverage.recipients_unreadable, texts.NOT_READ, m=coverage.recipients)
        sentence = texts.NOT_READ_AMONG.format(counted=counted, hosts=_some(coverage.unreadable_hosts))
    else:
        sentence = texts.ALL_READ if coverage.recipients else texts.NOTHING_TO_READ
    if places:
        sentence += " " + texts.plural(places, texts.NOT_READ_PLACES)
    if coverage.dropped:
        sentence += " " + texts.plural(coverage.dropped, texts.DROPPED)
    return sentence, "warn" if coverage.recipients_unreadable or places or coverage.dropped else "plain"


def _speaks_for(result: Result, outside: Sequence[Classified]) -> str:
    """The share of conversations, then of bytes, and the checklist of occasions."""
    coverage = result.coverage
    read = sum(is_readable(call) for call in outside)
    share = _share(coverage.bytes_out_readable, coverage.bytes_out)
    sentences = []
    if outside:
        calls = _share(read, len(outside))
        sentences.append(texts.plural(len(outside), texts.SPEAKS_FOR, read=f"{read:,}", calls=calls, share=share))
    seen = covered(result)
    named = [words for occasion, words in texts.OCCASIONS.items() if occasion in seen]
    missing = [words for occasion, words in texts.OCCASIONS.items() if occasion not in seen]
    sentence = texts.OCCASIONS_COVERED if missing else texts.OCCASIONS_ALL
    sentences.append(sentence.format(seen=", ".join(named) or texts.NOTHING, missing=", ".join(missing)))
    return " ".join(sentences)


def _share(part: int, whole: int) -> str:
    """Per cent, rounded towards what is not known.

    >>> _share(999, 1000), _share(1, 1000), _share(0, 0)
    ('99 %', '0 %', '100 %')
    """
    return f"{100 * part // whole if whole else 100} %"


def _what_the_log_tells(logs: LogCoverage) -> tuple[str, Tone]:
    numbers = {"n": f"{logs.calls:,}", "hosts": f"{logs.hosts:,}"}
    if not logs.calls:
        return texts.LOG_EMPTY, "plain"
    if not logs.missed:
        return texts.LOG_AGREES.format(**numbers), "plain"
    named = _some([host.host or texts.LOG_NOBODY for host in logs.missed])
    return texts.LOG_LACKS.format(gone=f"{logs.calls - logs.seen:,}", named=named, **numbers), "warn"


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
                Cell(f"{host.logged:,}"),
                Cell(f"{host.seen:,}"),
                Cell(" ".join(filter(None, (texts.LOG_VERDICTS[host.verdict], host.reason and f"({host.reason})")))),
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
    outside = {call.n: recipient(call) for call in result.calls if is_outside(call)}
    counts = Counter(
        (f.evidence, f.item, outside[f.call])
        for f in result.findings
        if f.evidence and f.direction == "sent" and f.call in outside
    )
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
                Cell(f"{count:,}"),
            )
            for (evidence, item, entity), count in sorted(
                counts.items(), key=lambda row: (order.index(row[0][0]), row[0][1:])
            )
        ),
    )


def _titles(result: Result) -> str:
    """Whether anything that names a title was sent to somebody else, and whether the own titles were searched for."""
    searched = "" if result.own and result.own.titles else texts.NOT
    outside = {call.n: call for call in result.calls if is_outside(call)}
    sent = {
        (f.item, recipient(outside[f.call]))
        for f in result.findings
        if f.direction == "sent" and f.item in NAMES_A_TITLE and f.call in outside
    }
    if not sent:
        return texts.NO_TITLES.format(searched=searched)
    named = [texts.TITLE_ITEM.format(item=label(item, result), entity=brief(entity)) for item, entity in sorted(sent)]
    return texts.TITLES.format(items=_some(named), searched=searched)


def _recipients(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    yield Heading(texts.RECIPIENTS_HEADING)
    if rows := tuple(_recipient_row(name, calls) for name, calls in _by_recipient(outside)):
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
                texts.plural(len(stayed), texts.OWN_TRAFFIC, party=texts.PARTIES[party], purposes=_purposes(stayed))
            )
    if visits := sum(is_visit(call) for call in result.calls):
        yield Paragraph(texts.plural(visits, texts.VISITORS))


def _recipient_row(name: str, calls: Sequence[Classified]) -> tuple[Cell, ...]:
    read = sum(is_readable(call) for call in calls)
    hosts = sorted({_answered(call) for call in calls} - {name, ""})
    readable = texts.YES if read == len(calls) else texts.PARTLY if read else texts.NO
    return (
        Cell(brief(name), "strong"),
        Cell(_some(hosts, 3)),
        Cell(_purposes(calls)),
        Cell(f"{len(calls):,}"),
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
            yield Heading(texts.VERDICT_HEADING.format(verdict=verdict.value, meaning=texts.VERDICTS[verdict]), 3)
            yield Table(columns, tuple(_verdict_row(group, result) for group in groups.values()))
    if not_seen:
        yield Paragraph(texts.plural(not_seen, texts.NOT_SEEN), "dim")


def _verdict_row(group: Sequence[Comparison], result: Result) -> tuple[Cell, ...]:
    """One row for comparisons that differ in the purpose alone."""
    c = group[0]
    purposes = [texts.PURPOSE_COUNT.format(purpose=texts.CATEGORIES[x.category], n=f"{x.count:,}") for x in group]
    return (
        Cell(label(c.item, result), max((tone_of(x) for x in group), key=("plain", "warn", "alarm").index)),
        Cell(brief(c.entity)),
        Cell(", ".join(purposes)),
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
            closed[(texts.DAMAGED_PLACE, call.observation.reason)] += 1
    for call in outside:
        if not is_readable(call) and host(call):
            closed[(host(call), unread_reason(call))] += 1
    if not closed:
        return
    yield Heading(texts.UNREAD_HEADING)
    yield Paragraph(texts.UNREAD_NOTE)
    yield Table(
        (Column(texts.HOST_COLUMN), Column(texts.REASON), Column(texts.CONNECTIONS, number=True)),
        tuple(
            (Cell(brief(place), "warn"), Cell(reason), Cell(f"{n:,}"))
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
    if points := tuple(judged) + result.remarks:
        yield Heading(texts.REMARKS_HEADING)
        yield Bullets(tuple(dict.fromkeys(points)))


def _next(result: Result) -> Iterator[Block]:
    files = " ".join(_argument(capture.name, "FILE") for capture in result.captures)
    yield Heading(texts.NEXT_HEADING)
    yield Commands((f"phonehome items {files}", f"phonehome share {files} -o report.md"))


def _argument(name: str, placeholder: str) -> str:
    """A name as it can be typed into any shell; anything unusual becomes a placeholder rather than a quoting puzzle."""
    return name if name == "-" or re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.:-]{0,252}", name) else placeholder


def _by_recipient(calls: Iterable[Classified]) -> list[tuple[str, list[Classified]]]:
    """Recipients with their calls, the most called first.  Places without a host are nobody's."""
    known = sorted((call for call in calls if recipient(call)), key=recipient)
    groups = [(name, list(group)) for name, group in groupby(known, key=recipient)]
    return sorted(groups, key=lambda group: (-len(group[1]), group[0]))


def _purposes(calls: Iterable[Classified]) -> str:
    counted = Counter(call.category for call in calls)
    return ", ".join(
        texts.PURPOSE_COUNT.format(purpose=texts.CATEGORIES[category], n=f"{n:,}")
        for category, n in sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    )


def _some(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - most
    shown = [brief(name) for name in names[:most]]
    if rest > 0:
        shown.append(texts.plural(rest, texts.UNCOVERED_MORE))
    return ", ".join(shown)


def label(item: str, result: Result) -> str:
    """Item id -> what people read."""
    known = result.knowledge.items.get(item)
    return known.label if known else item


def product_name(product: str, result: Result) -> str:
    """Pack id -> the product's name; the id itself when no pack has it."""
    known = result.knowledge.products.get(product)
    return known.name if known else product or texts.NOBODY_KNOWN


def tone_of(comparison: Comparison) -> Tone:
    """How a comparison is to be weighed."""
    if comparison.verdict in BROKEN:
        return "alarm" if comparison.sure else "warn"
    return "warn" if on_first_screen(comparison) else "plain"
