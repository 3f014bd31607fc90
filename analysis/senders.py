"""A call -> who sent it, by its own headers and parameters, by its rule, or by its neighbours.

Decided by the signs of the packs (`product.toml`) and by what the traffic proved (`Evidence`).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Attribution
from analysis.rules import Compiled
from captures.model import Contact, Exchange

_MOST_VALUES = 1_000
_LONGEST_VALUE = 1_000
"""What a value shows is worked out once; hostile traffic with endless values must not fill the memory."""


def sender(
    call: Exchange | Contact, knowledge: Knowledge, rule: Compiled | None, evidence: Evidence
) -> tuple[str, Attribution, str]:
    """A call and the rule that it fits, if any -> pack id of the sender (empty: not known), by what, and its role."""
    role = rule.role if rule else ""
    if isinstance(call, Exchange):
        shown = _shown_sender(call, knowledge)
        if shown:
            return shown[0], shown[1], shown[2] or role
    if rule and rule.pinned:
        return rule.pack, Attribution.PINNED_HOST, role
    neighbour = evidence.senders.get(call.client) if call.client else None
    if neighbour:
        return neighbour, Attribution.NEIGHBOUR, role
    return "", Attribution.UNKNOWN, role


_STRENGTH = (Attribution.PRODUCT_HEADER, Attribution.PROCESS, Attribution.USER_AGENT, Attribution.REFERER)


def _shown_sender(call: Exchange, knowledge: Knowledge) -> tuple[str, Attribution, str] | None:
    """What the call itself shows of its sender: (pack, how, role); a product that no pack knows is `("", …)`.

    `None` when it shows nothing.
    """
    found: list[_Shown] = []
    of_header, of_query = _signs(knowledge)
    for name, value in call.headers:
        if name in of_header and (shown := of_header[name].shown(value)):
            found.append(shown)
    for name, value in call.query:
        if (name := name.lower()) in of_query and (shown := of_query[name].shown(value)):
            found.append(shown)
    return min(found, key=_rank)[1:] if found else None


class Sign(NamedTuple):
    """A header or parameter that shows who sent a call."""

    at: str
    """`header.name` or `query.name`."""
    value: str
    """What stands there.  Private."""
    product: str
    """Pack id; empty when it shows a program that no pack knows."""
    attribution: Attribution
    """How strong it is."""


def signs(call: Exchange, knowledge: Knowledge) -> list[Sign]:
    """Everything in a call that shows its sender, the strongest first; `classify` takes the first."""
    of_header, of_query = _signs(knowledge)
    found: list[tuple[int, Sign]] = []
    for where, pairs, known in (
        ("header", call.headers, of_header),
        ("query", call.query, of_query),
    ):
        for name, value in pairs:
            if (of_name := known.get(name.lower())) and (shown := of_name.shown(value)):
                found.append((shown[0], Sign(f"{where}.{name}", value, shown[1], shown[2])))
    return [sign for _, sign in sorted(found, key=_rank)]


@dataclass(frozen=True, slots=True)
class _Sign:
    product: str
    role: str
    attribution: Attribution
    fits: Callable[[str], object]
    names: Callable[[str], object]
    """Whether a value names a product at all, this one or another."""


type _Shown = tuple[int, str, Attribution, str]
"""Rank (0: the strongest), pack, how, role."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """All signs in one header or parameter, and what values that were met show; a device sends the same ones ever."""

    signs: list[_Sign]
    met: dict[str, _Shown | None]

    def shown(self, value: str) -> _Shown | None:
        """What the value shows of the sender; a product header that fits no sign shows that it is another product."""
        if value in self.met:
            return self.met[value]
        found: list[_Shown] = []
        for sign in self.signs:
            rank = _STRENGTH.index(sign.attribution)
            if sign.fits(value):
                found.append((rank, sign.product, sign.attribution, sign.role))
            elif rank == 0 and sign.names(value):
                found.append((1, "", Attribution.UNKNOWN, ""))
        best = min(found, key=_rank, default=None)
        if len(self.met) >= _MOST_VALUES:
            self.met.clear()
        if len(value) <= _LONGEST_VALUE:
            self.met[value] = best
        return best


_rank = operator.itemgetter(0)


def _any_of(patterns: tuple[str, ...]) -> Callable[[str], object]:
    return re.compile("|".join(translate(pattern) for pattern in patterns), re.IGNORECASE).match


_ATTRIBUTIONS = {"user-agent": Attribution.USER_AGENT, "referer": Attribution.REFERER, "origin": Attribution.REFERER}


@functools.lru_cache(maxsize=4)
def _signs(knowledge: Knowledge) -> tuple[dict[str, _Signs], dict[str, _Signs]]:
    """Signs by the name of a header, and by that of a parameter."""
    of_header: dict[str, _Signs] = {}
    of_query: dict[str, _Signs] = {}
    for product in knowledge.products.values():
        for sign in product.senders:
            where, _, name = sign.at.lower().partition(".")
            attribution = _ATTRIBUTIONS.get(name, Attribution.PRODUCT_HEADER)
            signs = of_header if where == "header" else of_query
            role = "" if sign.role == "any" else sign.role
            fits, names = _any_of(sign.value), _any_of(sign.among or ("*",))
            signs.setdefault(name, _Signs([], {})).signs.append(_Sign(product.id, role, attribution, fits, names))
    return of_header, of_query
