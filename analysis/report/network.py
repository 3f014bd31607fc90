"""What packets show without being read: discovery in the local network, and how long and how much for each purpose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from analysis import texts
from analysis.discovery import Shouted, discovered
from analysis.model import Category, Classified
from analysis.report.document import Block, Cell, Column, Heading, Paragraph, Table, brief, size
from analysis.traffic import bytes_out, open_for, recipient, total
from captures.model import Contact, Exchange


def discovery(calls: Sequence[Classified]) -> Iterator[Block]:
    """What devices told everybody at home; nothing when they told nothing."""
    rows = discovered(calls)
    if not rows:
        return
    yield Heading(texts.DISCOVERY_HEADING)
    yield Paragraph(texts.DISCOVERY_NOTE)
    if ports := sum(row.maps_a_port for row in rows):
        yield Paragraph(texts.plural(ports, texts.PORTS_ASKED), "warn")
    columns = (
        Column(texts.DEVICE),
        Column(texts.PROTOCOL),
        Column(texts.WHAT),
        Column(texts.TELLS),
        Column(texts.COUNT, number=True),
        Column(texts.RHYTHM),
    )
    yield Table(columns, tuple(_shouted(row) for row in rows))


def _shouted(row: Shouted) -> tuple[Cell, ...]:
    return (
        Cell(brief(row.device)),
        Cell(texts.PROTOCOLS.get(row.protocol, row.protocol)),
        Cell(brief(_what(row)), "warn" if row.maps_a_port else "plain"),
        Cell(brief("; ".join(row.told))),
        Cell(texts.number(row.times)),
        Cell(rhythm(row.period) if row.period else ""),
    )


def _what(row: Shouted) -> str:
    """The kind, what was looked for, and the name by which people know that."""
    known = next((words for sign, words in texts.SERVICES.items() if sign in row.wanted), "")
    wanted = f"{row.wanted} ({known})" if known else row.wanted
    return " ".join(part for part in (row.kind, wanted) if part)


def rhythm(seconds: float) -> str:
    """Seconds -> how often, in words.

    >>> [rhythm(x) for x in (5.0, 0.25, 119.0, 1800.0, 7200.0)]
    ['every 5.0 s', 'every 0.25 s', 'every 119.0 s', 'every 30.0 min', 'every 2.0 h']
    """
    if seconds < 1:
        return texts.EVERY.format(time=f"{texts.number(seconds, '.2f')} s")
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return texts.EVERY.format(time=f"{texts.number(seconds / unit, '.1f')} {name}")
    return texts.EVERY.format(time=f"{texts.number(seconds, '.1f')} s")


def volumes(outside: Sequence[Classified]) -> Iterator[Block]:
    """How long and how much for each purpose, where connections were counted; nothing without any."""
    if not any(isinstance(call.observation, Contact) for call in outside):
        return
    groups: dict[Category, list[Classified]] = defaultdict(list)
    for call in outside:
        groups[call.category].append(call)
    yield Heading(texts.VOLUMES_HEADING)
    columns = (
        Column(texts.PURPOSES),
        Column(texts.RECIPIENTS_COLUMN, number=True),
        Column(texts.CALLS, number=True),
        Column(texts.BYTES, number=True),
        Column(texts.BYTES_IN, number=True),
        Column(texts.OPEN, number=True),
    )
    ordered = sorted(groups.items(), key=lambda group: (-sum(map(_bytes, group[1])), group[0]))
    yield Table(columns, tuple(_volume(category, calls) for category, calls in ordered))


def _volume(category: Category, calls: Sequence[Classified]) -> tuple[Cell, ...]:
    received = sum(call.observation.bytes_in for call in calls if isinstance(call.observation, Contact | Exchange))
    return (
        Cell(texts.CATEGORIES[category]),
        Cell(texts.number(len({recipient(call) for call in calls}))),
        Cell(texts.number(total(calls))),
        Cell(size(sum(bytes_out(call) for call in calls))),
        Cell(size(received)),
        Cell(duration(sum(map(open_for, calls)) / 1000)),
    )


def _bytes(call: Classified) -> int:
    seen = call.observation
    return bytes_out(call) + (seen.bytes_in if isinstance(seen, Contact | Exchange) else 0)


def duration(seconds: float) -> str:
    """Seconds -> a short text.

    >>> [duration(x) for x in (0.04, 12.3, 754, 9000)]
    ['0.0 s', '12.3 s', '12 min 34 s', '2 h 30 min']
    """
    if seconds < 60:
        return f"{texts.number(seconds, '.1f')} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
