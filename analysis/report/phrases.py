"""What several parts of a report say in the same way: names, lists of names, shares, times."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from analysis import texts
from analysis.model import Category, Classified
from analysis.pipeline import Result
from analysis.report.document import brief
from analysis.traffic import count, recipient, total

MOST_NAMED = 6
"""Names in one sentence; the tables hold them all."""


def some(names: Sequence[str], most: int = MOST_NAMED) -> str:
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


def by_recipient(calls: Iterable[Classified]) -> list[tuple[str, list[Classified]]]:
    """Recipients with their calls, the most called first.  Places without a host are nobody's."""
    known = sorted((call for call in calls if recipient(call)), key=recipient)
    groups = [(name, list(group)) for name, group in groupby(known, key=recipient)]
    return sorted(groups, key=lambda group: (-total(group[1]), group[0]))


def purposes(calls: Iterable[Classified]) -> str:
    """What calls are for, with how many, the most frequent first."""
    counted: Counter[Category] = Counter()
    for call in calls:
        counted[call.category] += count(call)
    return ", ".join(
        texts.PURPOSE_COUNT.format(purpose=texts.CATEGORIES[category], n=texts.number(n))
        for category, n in sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    )


def share(part: int, whole: int) -> str:
    """Per cent, rounded towards what is not known; what stands together is not torn apart at the end of a line.

    >>> share(999, 1000), share(1, 1000), share(0, 0)
    ('99\\xa0%', '0\\xa0%', '100\\xa0%')
    """
    return f"{100 * part // whole if whole else 100}\N{NO-BREAK SPACE}%"


def argument(name: str, placeholder: str) -> str:
    """A name as it can be typed into any shell; anything unusual becomes a placeholder rather than a quoting puzzle."""
    return name if name == "-" or re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.:-]{0,252}", name) else placeholder


def local_time(time: float | None, *, zone: bool = True) -> str:
    """Seconds since the epoch -> date, time and (with `zone`) offset of the local zone; empty when it is not known."""
    if time is None:
        return ""
    try:
        return dt.datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S" + "%z" * zone)
    except (OverflowError, ValueError, OSError):
        return str(time)
