"""Calls that are made for a function -> what they carry beyond what that function needs."""

from __future__ import annotations

import functools
import tomllib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from analysis import language
from analysis.model import Category, Classified, Finding
from analysis.schema import convert
from analysis.traffic import is_outside, is_readable, recipient

_FILE = Path(__file__).with_name("needs.toml")


class Need(msgspec.Struct, frozen=True):
    """What calls of one purpose need."""

    function: str
    """What they are for, as people say it."""
    items: tuple[str, ...]
    """Ids in `items.toml` without which nobody could offer the function."""
    why: str
    """Why these and no others."""
    without: str
    """How to do without the calls, and what is lost."""


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Calls of one product for one function to one recipient."""

    product: str
    """Pack id of the sender; empty when it is not known."""
    category: Category
    """What they are for."""
    entity: str
    """Name of the recipient, or its host.  Private in the latter case."""
    calls: int
    """How many."""
    needed: tuple[str, ...]
    """Items that they carried and that the function needs."""
    beyond: tuple[str, ...]
    """Items that they carried beyond that."""
    need: Need
    """What the function needs."""


def needs() -> Mapping[Category, Need]:
    """The table of `needs.toml`."""
    return _needs(language.current())


@functools.cache
def _needs(_: str) -> Mapping[Category, Need]:
    """In the language in use, which is given so that each has its own."""
    tables = tomllib.loads(_FILE.read_text("utf-8"))
    known = {Category(name): convert(Need, table, f"needs.toml: {name}") for name, table in tables.items()}
    return {category: _in_language(f"needs.{category}", need) for category, need in known.items()}


def _in_language(context: str, need: Need) -> Need:
    return replace(
        need,
        function=language.say(f"{context}.function", need.function),
        why=language.say(f"{context}.why", need.why),
        without=language.say(f"{context}.without", need.without),
    )


def beyond(
    calls: Sequence[Classified], findings: Sequence[Finding], chosen: Collection[int] | None = None
) -> tuple[Exceptional, ...]:
    """Calls and findings -> calls to others for a function, by function, sender and recipient, with what they carry.

    `chosen` are the positions of the calls to look at; `None`: all.  Every recipient sees the public address, so that
    it is not counted as beyond anything.
    """
    known = needs()
    order = list(known)
    wanted = {
        call.n: (order.index(call.category), call.product, recipient(call))
        for call in calls
        if call.category in known and is_outside(call) and is_readable(call) and (chosen is None or call.n in chosen)
    }
    carried: dict[tuple[int, str, str], set[str]] = {key: set() for key in wanted.values()}
    count: dict[tuple[int, str, str], int] = defaultdict(int)
    for key in wanted.values():
        count[key] += 1
    for finding in findings:
        if finding.direction == "sent" and finding.call in wanted and finding.source != "implied":
            carried[wanted[finding.call]].add(finding.item)
    return tuple(
        Exceptional(
            product,
            order[number],
            entity,
            count[number, product, entity],
            tuple(sorted(items & set(known[order[number]].items))),
            tuple(sorted(items - set(known[order[number]].items))),
            known[order[number]],
        )
        for (number, product, entity), items in sorted(carried.items())
    )
