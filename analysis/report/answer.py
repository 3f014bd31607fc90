"""Result -> the first screen: the answer, in sentences for somebody who has never seen a packet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from analysis import texts
from analysis.advice import switch_of
from analysis.coverage import LogCoverage
from analysis.generalise import Generalised, Quantity, grid_words
from analysis.grid import Candidate
from analysis.model import Category, Classified, Comparison, Verdict
from analysis.occasions import covered, span
from analysis.pipeline import Result
from analysis.report.document import Block, Paragraph, Tone, brief
from analysis.report.phrases import MOST_NAMED, argument, by_recipient, label, product_name, share, some
from analysis.texts import answer as words
from analysis.traffic import count, host, is_outside, is_readable, on_first_screen, recipient, total
from captures.model import Unreadable

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

FREE_TEXT = frozenset({"notification.text"})
"""Items that may hold one: only who searches for the own titles can tell."""

_WATCHED = ("media.", "play.")
"""Beginnings of items that tell what is watched or owned."""

_MOST_RECIPIENTS = 3
"""Recipients of these that are named."""

_MOST_ITEMS = 12
"""Data items that are named for each."""

_MOST_AIMS = 5
"""Purposes whose shares are named."""


def answer(result: Result, outside: Sequence[Classified], numbers: Generalised | None) -> Iterator[Block]:
    """Everything that was found, the calls outside, what the numbers say -> the paragraphs of the first screen."""
    yield Paragraph(_who_called(result, outside), "strong")
    yield Paragraph(*_what_is_not_covered(result, outside))
    for sentence in _what_is_watched(result, numbers):
        yield Paragraph(sentence)
    if unlisted := " ".join(_unlisted(result)):
        yield Paragraph(unlisted)
    yield Paragraph(_titles(result))
    yield Paragraph(*_what_was_not_read(result))
    yield Paragraph(_speaks_for(result, outside))
    if result.logs:
        yield Paragraph(*_what_the_log_tells(result.logs))
    for asked in sorted(result.evidence.asks):
        yield Paragraph(texts.ASK.format(host=brief(asked), argument=argument(asked, "HOST")), "warn")


def duration(seconds: float) -> str:
    """Seconds -> a length of time in one unit, rounded; empty when it is not known.

    >>> duration(0), duration(38), duration(3_000), duration(3 * 3600 + 600), duration(5 * 86_400)
    ('', '38 seconds', '50 minutes', '3 hours', '5 days')
    """
    if not seconds:
        return ""
    for limit, unit, pair in ((90, 1, words.SECONDS), (5400, 60, words.MINUTES), (36 * 3600, 3600, words.HOURS)):
        if seconds < limit:
            return texts.plural(max(1, round(seconds / unit)), pair)
    return texts.plural(round(seconds / 86_400), words.DAYS)


def _who_called(result: Result, outside: Sequence[Classified]) -> str:
    """How long, who, how many calls; then what for."""
    called = [call for call in outside if recipient(call)]
    if not called:
        return texts.CALLED_NOBODY
    time, who = duration(span(result)), _senders(called, result)
    made = texts.plural(total(called), words.MADE if time else words.MADE_ONCE, time=time, who=who)
    return " ".join((made, _aims(called), _who_was_called(called)))


def _senders(calls: Sequence[Classified], result: Result) -> str:
    """Who sent them: servers, apps, websites and tools by name, then those that are not known."""
    devices: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call in calls:
        made = result.knowledge.products.get(call.product)
        role = call.role if made and made.kind == "media-product" and call.role in ("server", "app", "website") else ""
        devices[role if call.product else "unknown", call.product].add(call.observation.device)
    named: list[str] = []
    for (role, product), some_devices in sorted(devices.items()):
        if role == "server":
            name = product_name(product, result)
            named.append(texts.plural(len(some_devices), words.SERVERS, product=brief(name)))
    apps = {product: len(some_devices) for (role, product), some_devices in devices.items() if role == "app"}
    if apps:
        counted = texts.plural(sum(apps.values()), words.APPS)
        names = some(sorted(product_name(product, result) for product in apps))
        named.append(words.APPS_NAMED.format(apps=counted, names=names))
    with_role = {product for role, product in devices if role in ("server", "app")}
    for role, product in sorted(devices):
        name = brief(product_name(product, result))
        if role == "website":
            named.append(words.WEBSITES.format(product=name))
        elif role == "" and product not in with_role:
            named.append(name)
    if any(role == "unknown" for role, _ in devices):
        named.append(words.UNKNOWN_SENDERS)
    return _and(named)


def _and(named: Sequence[str]) -> str:
    if len(named) < 2:
        return "".join(named)
    return words.AND.format(some=", ".join(named[:-1]), last=named[-1])


def _aims(calls: Sequence[Classified]) -> str:
    """Shares of the purposes, the greatest first, rounded down."""
    number: Counter[Category] = Counter()
    for call in calls:
        number[call.category] += count(call)
    counted = sorted(number.items(), key=lambda row: (-row[1], list(Category).index(row[0])))
    whole = number.total()
    shares = [_aim(words.AIMS[category], n, whole) for category, n in counted[:_MOST_AIMS]]
    if rest := sum(n for _, n in counted[_MOST_AIMS:]):
        shares.append(_aim(words.REST, rest, whole))
    return words.SHARES.format(shares=", ".join(shares))


def _aim(aim: str, n: int, whole: int) -> str:
    told = share(n, whole) if 100 * n >= whole else words.LESS_THAN_ONE
    return words.SHARE.format(share=told, aim=aim)


def _who_was_called(calls: Sequence[Classified]) -> str:
    groups = by_recipient(calls)
    named = [
        texts.PURPOSE_COUNT.format(purpose=brief(name), n=texts.number(total(calls)))
        for name, calls in groups[:MOST_NAMED]
    ]
    if rest := len(groups) - len(named):
        named.append(texts.plural(rest, texts.FURTHER_RECIPIENTS))
    return texts.CALLED.format(recipients=", ".join(named))


def _what_is_watched(result: Result, numbers: Generalised | None) -> Iterator[str]:
    """Who was told of what is watched, what of it, and what the sender's list says: the most calls first."""
    outside = {call.n: call for call in result.calls if is_outside(call)}
    told: dict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for f in result.findings:
        if f.direction == "sent" and f.call in outside and f.item.startswith(_WATCHED):
            call = outside[f.call]
            told[call.product, recipient(call)][f.item].add(f.call)

    def number(items: Mapping[str, set[int]]) -> int:
        return total(outside[n] for n in set().union(*items.values()))

    order = sorted(told.items(), key=lambda row: (-number(row[1]), row[0]))
    for (product, entity), items in order[:_MOST_RECIPIENTS]:
        calls = set().union(*items.values())
        hosts = sorted({host(outside[n]) for n in calls})
        about = [q for q in numbers.quantities if (q.product, q.entity) == (product, entity)] if numbers else []
        named = [_with_rounding(label(item, result), [q for q in about if q.item == item]) for item in items]
        carried = texts.plural(number(items), words.WATCHED, hosts=some(hosts, 3), items=some(named, _MOST_ITEMS))
        compared = [
            c
            for c in result.comparisons
            if (c.product, c.entity) == (product, entity) and c.item in items and c.verdict is not Verdict.NOT_SEEN
        ]
        yield " ".join((carried, *_says(compared, product, list(items), result)))
    if (rest := len(order) - _MOST_RECIPIENTS) > 0:
        yield texts.plural(rest, words.WATCHED_MORE)


def _with_rounding(name: str, quantities: Sequence[Quantity]) -> str:
    """An item with what all its numbers show of rounding; where that cannot be told, the item alone."""
    verdicts = {q.verdict for q in quantities if any(q.numbers)}
    if "not-rounded" in verdicts:
        return words.NOT_ROUNDED.format(item=name)
    if verdicts != {"rounded"}:
        return name
    grids = {grid_words(Candidate(q.grid, q.step, q.mode), q.unit) for q in quantities if q.grid and not q.alternatives}
    if len(grids) == 1:
        return words.ROUNDED_TO.format(item=name, grid=grids.pop())
    return words.ROUNDED.format(item=name)


def _says(compared: Sequence[Comparison], product: str, items: Sequence[str], result: Result) -> Iterator[str]:
    """What the sender's list says of these items, verdict by verdict, with the switches."""
    if not product:
        yield words.NO_SENDER.format(items=some([label(item, result) for item in items]))
        return
    name = brief(product_name(product, result))
    groups: dict[tuple[Verdict, bool], list[str]] = defaultdict(list)
    for c in compared:
        if c.item not in groups[c.verdict, c.sure]:
            groups[c.verdict, c.sure].append(c.item)
    for (verdict, sure), some_items in sorted(groups.items(), key=lambda row: list(Verdict).index(row[0][0])):
        if some_items:
            labels = some([label(item, result) for item in some_items])
            said = words.SAYS[verdict].format(product=name, items=labels)
            yield said if sure else words.PROBABLY.format(said=said)
    states = {(s.product, s.switch): s.on for s in result.evidence.switches}
    switches = {switch.id: switch for c in compared for switch in switch_of(c, result)}
    for switch in switches.values():
        sentence = words.SWITCH_WAS_OFF if states.get((product, switch.id)) is False else words.SWITCH
        yield sentence.format(label=switch.label, where=switch.where)


def _unlisted(result: Result) -> Iterator[str]:
    """Senders that publish no list, what they sent, to whom."""
    sent: Mapping[str, set[str]] = defaultdict(set)
    to: Mapping[str, set[str]] = defaultdict(set)
    for c in result.comparisons:
        if c.verdict is Verdict.NO_LIST and c.product and c.sure:
            sent[c.product].add(c.item)
            to[c.product].add(c.entity)
    for product in sorted(sent):
        name = brief(product_name(product, result))
        yield texts.plural(len(sent[product]), words.UNLISTED, product=name, recipients=some(sorted(to[product])))


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
                items=some(items),
                entity=brief(entity),
                purpose=texts.CATEGORIES[category],
                verdict=texts.VERDICT_NAMES[verdict],
            )
            for (sentence, verdict, entity, category), items in groups.items()
        ]
        if (rest := len(named) - MOST_NAMED) > 0:
            named[MOST_NAMED:] = [texts.plural(rest, texts.UNCOVERED_MORE)]
        return texts.UNCOVERED.format(items="; ".join(named)), "alarm"
    if unlisted := sorted({label(c.item, result) for c in result.comparisons if c.verdict is Verdict.NO_LIST}):
        return texts.plural(len(unlisted), texts.NO_LISTS, items=some(unlisted)), "warn"
    if any(c.verdict is not Verdict.NOT_SEEN for c in result.comparisons):
        return texts.ALL_COVERED, "plain"
    if any(is_readable(call) for call in outside) or not outside:
        return texts.NOTHING_SENT, "plain"
    return texts.NOTHING_READ, "warn"


def _what_was_not_read(result: Result) -> tuple[str, Tone]:
    coverage = result.coverage
    places = total(call for call in result.calls if isinstance(call.observation, Unreadable) and not host(call))
    if coverage.recipients_unreadable:
        counted = texts.plural(coverage.recipients_unreadable, texts.NOT_READ, m=coverage.recipients)
        sentence = texts.NOT_READ_AMONG.format(counted=counted, hosts=some(coverage.unreadable_hosts))
    else:
        sentence = texts.ALL_READ if coverage.recipients else texts.NOTHING_TO_READ
    if places:
        sentence += " " + texts.plural(places, texts.NOT_READ_PLACES)
    if coverage.dropped:
        sentence += " " + texts.plural(coverage.dropped, texts.DROPPED)
    return sentence, "warn" if coverage.recipients_unreadable or places or coverage.dropped else "plain"


def _titles(result: Result) -> str:
    """Whether anything that names a title was sent to somebody else, and whether the own titles were searched for."""
    searched = "" if result.own and result.own.titles else texts.NOT
    outside = {call.n: call for call in result.calls if is_outside(call)}
    wanted = NAMES_A_TITLE | FREE_TEXT
    found = {
        (f.item, recipient(outside[f.call]))
        for f in result.findings
        if f.direction == "sent" and f.item in wanted and f.call in outside
    }

    def named(items: frozenset[str]) -> str:
        told = sorted(pair for pair in found if pair[0] in items)
        return some([texts.TITLE_ITEM.format(item=label(item, result), entity=brief(entity)) for item, entity in told])

    sent, free = named(NAMES_A_TITLE), named(FREE_TEXT) if searched else ""
    sentences = [(texts.TITLES if sent else texts.NO_TITLES).format(items=sent, searched=searched)]
    if searched:
        sentences.append(words.IMPORT_TITLES)
    if free:
        sentences.append(words.FREE_TEXT.format(items=free))
    return " ".join(sentences)


def _speaks_for(result: Result, outside: Sequence[Classified]) -> str:
    """The share of conversations, then of bytes, and the checklist of occasions."""
    coverage = result.coverage
    read, number = total(call for call in outside if is_readable(call)), total(outside)
    bytes_read = share(coverage.bytes_out_readable, coverage.bytes_out)
    sentences = []
    if outside:
        calls = share(read, number)
        sentences.append(texts.plural(number, texts.SPEAKS_FOR, read=texts.number(read), calls=calls, share=bytes_read))
    seen = covered(result)
    if "film" not in seen:
        sentences.append(words.NO_FILM if read == number else words.NO_FILM_READ)
    named = [words for occasion, words in texts.OCCASIONS.items() if occasion in seen]
    missing = [words for occasion, words in texts.OCCASIONS.items() if occasion not in seen]
    sentence = texts.OCCASIONS_COVERED if missing else texts.OCCASIONS_ALL
    sentences.append(sentence.format(seen=", ".join(named) or texts.NOTHING, missing=", ".join(missing)))
    return " ".join(sentences)


def _what_the_log_tells(logs: LogCoverage) -> tuple[str, Tone]:
    numbers = {"n": texts.number(logs.calls), "hosts": texts.number(logs.hosts)}
    if not logs.calls:
        return texts.LOG_EMPTY, "plain"
    if not logs.missed:
        return texts.LOG_AGREES.format(**numbers), "plain"
    named = some([host.host or texts.LOG_NOBODY for host in logs.missed])
    return texts.LOG_LACKS.format(gone=texts.number(logs.calls - logs.seen), named=named, **numbers), "warn"
