"""Result -> the pictures of the private page: who gets what, what for, and when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from analysis import texts
from analysis.model import Category, Classified
from analysis.pipeline import Result
from analysis.report.document import Bars, Block, Flows, Heading, Lanes, Paragraph, Tone, brief
from analysis.report.phrases import local_time
from analysis.spans import spans
from analysis.texts import page as words
from analysis.traffic import between, count, is_readable, on_first_screen, recipient

_MOST = (8, 10, 14)
"""Names in each layer of the flows; the others are put together."""


def pictures(result: Result, outside: Sequence[Classified]) -> Iterator[Block]:
    """What went outside -> its pictures; nothing when nothing did."""
    called = [call for call in outside if recipient(call)]
    if not called:
        return
    yield Heading(words.WHO_HEADING)
    yield Paragraph(words.WHO_NOTE, "dim")
    yield Flows(words.WHO_TITLE, (words.FROM, words.TO, words.DATA), words.TIMES, _links(result, called))
    yield Heading(words.PURPOSES_HEADING)
    yield _purposes(called)
    yield from _times(called)


def sender(call: Classified, result: Result) -> str:
    """The product that sent a call, and the device; what is not known is left out."""
    known = result.knowledge.products.get(call.product)
    product, device = known.name if known else call.product, brief(call.observation.device)
    if product and device:
        return words.SENDER_ON.format(product=product, device=device)
    return product or device or texts.NOBODY_KNOWN


def _links(result: Result, called: Sequence[Classified]) -> tuple[tuple[str, str, str, int, Tone], ...]:
    """Each call counts once for each kind of data in it, and once if there is none."""
    groups: dict[int, set[tuple[str, bool]]] = defaultdict(set)
    first = {(c.entity, c.item, c.category, c.product) for c in result.comparisons if on_first_screen(c)}
    ends = {call.n: (recipient(call), call.category, call.product) for call in called}
    for f in result.findings:
        if f.direction == "sent" and f.call in ends:
            entity, category, product = ends[f.call]
            group = f.item.partition(".")[0]
            groups[f.call].add((words.GROUPS.get(group, group), (entity, f.item, category, product) in first))
    counted: Counter[tuple[str, str, str]] = Counter()
    alarming: set[tuple[str, str]] = set()
    for call in called:
        left, middle = sender(call, result), brief(recipient(call))
        if not is_readable(call):
            counted[left, middle, words.NOT_INSPECTED] += count(call)
            continue
        for group in {group for group, _ in groups[call.n]} or {words.NO_DATA}:
            counted[left, middle, group] += count(call)
        alarming |= {(middle, group) for group, bad in groups[call.n] if bad}
    names = [_kept([(key[layer], n) for key, n in counted.items()], most) for layer, most in enumerate(_MOST)]
    merged: Counter[tuple[str, str, str]] = Counter()
    red = {(names[1][middle], names[2][group]) for middle, group in alarming}
    for (left, middle, group), n in counted.items():
        merged[names[0][left], names[1][middle], names[2][group]] += n
    order = Counter[str]()
    for (_, middle, _), n in merged.items():
        order[middle] += n
    return tuple(
        (left, middle, group, n, _tone(middle, group, red))
        for (left, middle, group), n in sorted(
            merged.items(),
            key=lambda row: (row[0][2] in (words.NOT_INSPECTED, words.NO_DATA), -order[row[0][1]], -row[1], row[0]),
        )
    )


def _tone(middle: str, group: str, red: set[tuple[str, str]]) -> Tone:
    if group == words.NOT_INSPECTED:
        return "dim"
    return "alarm" if (middle, group) in red else "plain"


def _kept(counted: Sequence[tuple[str, int]], most: int) -> dict[str, str]:
    """Names with counts -> each name, or what stands for it where there are too many."""
    total = Counter[str]()
    for name, n in counted:
        total[name] += n
    always = [name for name in (words.NOT_INSPECTED, words.NO_DATA) if name in total]
    common = [name for name, _ in sorted(total.items(), key=lambda row: (-row[1], row[0])) if name not in always]
    kept = {*always, *(common if len(common) + len(always) <= most else common[: most - 1 - len(always)])}
    rest = texts.plural(len(total) - len(kept), words.OTHERS)
    return {name: name if name in kept else rest for name in total}


def _purposes(called: Sequence[Classified]) -> Bars:
    read, every = Counter[Category](), Counter[Category]()
    for call in called:
        every[call.category] += count(call)
        read[call.category] += count(call) * is_readable(call)
    rows = sorted(every.items(), key=lambda row: (-row[1], row[0]))
    return Bars(
        texts.PURPOSES,
        (words.READ_PART, words.UNREAD_PART),
        tuple((texts.CATEGORIES[category], read[category], n - read[category]) for category, n in rows),
    )


def _times(called: Sequence[Classified]) -> Iterator[Block]:
    """When each purpose came; nothing when no times are known, or all is one moment."""
    timed = [(times, call) for call in called if (times := between(call))]
    if not timed or (first := min(t for (t, _), _ in timed)) == (last := max(t for (_, t), _ in timed)):
        return
    every = spans(first, last)
    begin, step, n = every
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * n)
    for (time, _), call in timed:
        lane = counts[texts.CATEGORIES[call.category]]
        for number, some in (call.alike.spread if call.alike else {every.of(time): 1}).items():
            lane[number] += some
    begins = tuple(local_time(begin + i * step, zone=False) for i in range(n))
    end = local_time(begin + n * step, zone=False)
    yield Heading(words.WHEN_HEADING)
    yield Paragraph(
        words.WHEN_NOTE.format(begin=local_time(first, zone=False), end=local_time(last, zone=False), span=_span(step)),
        "dim",
    )
    lanes = sorted(counts.items(), key=lambda row: (-sum(row[1]), row[0]))
    yield Lanes(words.WHEN_TITLE, begins, end, tuple((name, tuple(row)) for name, row in lanes))


def _span(seconds: float) -> str:
    """Seconds -> a length in words.

    >>> _span(15), _span(600), _span(7200), _span(86400)
    ('15 s', '10 min', '2 h', '1 d')
    """
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
