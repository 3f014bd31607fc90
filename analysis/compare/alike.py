"""Calls and findings -> groups of them that no list tells apart, so that each is judged once and not call by call."""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from analysis.anonymity import TELLING, Carried, links
from analysis.compare.scope import PERSONAL, Scope, content, scope_of
from analysis.compare.verdict import Member, Scene
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Finding, Party
from analysis.traffic import recipient, total
from captures.model import Unreadable

_JUDGED = frozenset({Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN})

_GUESSED = frozenset({Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN})

_LOOKED_AT = TELLING | PERSONAL.keys()
"""Items on whose values in a call the judgement of another one depends."""

_VALUED = _LOOKED_AT | {"geo.latlon"}
"""Items on whose values a judgement depends at all."""


@dataclass(slots=True, eq=False)
class Kind:
    """Calls of one day that are alike to every list: same sender, recipient, purpose and content."""

    call: Classified
    """The first of them."""
    who: str
    """Name of the recipient, or its host."""
    sure: bool
    """Whether the sender is known."""
    scope: Scope
    """What a statement must be about to apply to them."""
    found: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """Item and place -> positions of their findings, ascending."""


@dataclass(frozen=True, slots=True)
class Part:
    """The findings of a group that stand at one place in calls of one kind."""

    kind: Kind
    at: str
    places: list[int]
    """Positions of the findings, ascending; never empty."""


@dataclass(slots=True)
class Group:
    """All findings of one comparison."""

    product: str
    item: str
    who: str
    category: Category
    parts: list[Part] = field(default_factory=list)
    """In the order of their first findings."""

    def sure(self) -> list[Part]:
        """Those whose sender is known."""
        return [part for part in self.parts if part.kind.sure]


class Matter:
    """All that is to be judged."""

    def __init__(
        self,
        calls: Iterable[Classified],
        findings: Sequence[Finding],
        knowledge: Knowledge,
        evidence: Evidence,
        declared: str = "",
    ) -> None:
        self._calls = {call.n: call for call in calls if is_judged(call, evidence)}
        self._findings = findings
        carried = _carried(findings)
        self.scene = Scene(knowledge, evidence, declared, carried, links(self._calls.values(), carried))
        self.kinds = self._kinds(carried)
        """In the order of their first calls."""
        self.groups = _groups(self.kinds)
        """What is compared: one group for each sender, item, recipient and purpose."""

    def _kinds(self, carried: Carried) -> list[Kind]:
        products = self.scene.knowledge.products
        kinds: dict[tuple[object, ...], Kind] = {}
        of: dict[int, Kind] = {}
        for call in self._calls.values():
            seen, items = call.observation, carried.get(call.n, _NOTHING)
            who, sure, about = recipient(call), is_sure(call), content(call, items)
            day = seen.time // _DAY if seen.time else None
            host = "" if call.service in products else seen.host
            alike = (call.product, who, call.category, sure, day, about, call.role, call.service, host)
            kind = kinds.get(alike)
            if kind is None:
                such = scope_of(call, items, products.get(call.product), self.scene.knowledge)
                kind = kinds[alike] = Kind(call, who, sure, such)
            of[call.n] = kind
        for place, finding in enumerate(self._findings):
            if finding.direction == "sent" and finding.call in of:
                of[finding.call].found[finding.item, finding.at].append(place)
        return list(kinds.values())

    def members(self, parts: Sequence[Part]) -> list[Member]:
        """Findings and their calls, in the order of the findings."""
        places = parts[0].places if len(parts) == 1 else sorted(chain.from_iterable(part.places for part in parts))
        found = [self._findings[place] for place in places]
        return [(self._calls[finding.call], finding) for finding in found]

    def count(self, parts: Iterable[Part]) -> int:
        """How many findings there are, in all calls that those in which they stand stand for."""
        return total(self._calls[self._findings[place].call] for part in parts for place in part.places)

    def numbers(self, parts: Iterable[Part]) -> tuple[int, ...]:
        """The calls in which findings stand, ascending, each once."""
        return tuple(sorted({self._findings[place].call for part in parts for place in part.places}))


def _groups(kinds: Iterable[Kind]) -> list[Group]:
    groups: dict[tuple[str, str, str, Category], Group] = {}
    for kind in kinds:
        for (item, at), places in kind.found.items():
            key = (kind.call.product, item, kind.who, kind.call.category)
            groups.setdefault(key, Group(*key)).parts.append(Part(kind, at, places))
    for group in groups.values():
        group.parts.sort(key=lambda part: part.places[0])
    return list(groups.values())


def _carried(findings: Iterable[Finding]) -> Carried:
    carried: dict[int, dict[str, set[str]]] = {}
    for finding in findings:
        if finding.item in _LOOKED_AT and finding.direction == "sent":
            carried.setdefault(finding.call, {}).setdefault(finding.item, set()).add(finding.value)
    return carried


_NOTHING: Mapping[str, Collection[str]] = {}

_DAY = 86_400
"""Seconds."""


def is_judged(call: Classified, evidence: Evidence) -> bool:
    """Whether a call's findings are compared: it went to a vendor, a third party or somebody unknown."""
    seen = call.observation
    if isinstance(seen, Unreadable) or call.party not in _JUDGED or call.category is Category.NAME_LOOKUP:
        return False
    return seen.host not in evidence.asks


def is_sure(call: Classified) -> bool:
    """Whether it is known, and not only probable, who sent a call."""
    return bool(call.product) and call.attribution not in _GUESSED


def judged_by(call: Classified, findings: Iterable[Finding]) -> tuple[object, ...]:
    """A call and its findings -> all that is asked of them when they are judged alone, but for the number of the call
    and for the states of switches at its time: what is said of one such call is true of each."""
    seen = call.observation
    return (
        call.product, call.service, call.attribution.value, call.role, call.category.value, call.party.value,
        call.entity, call.rule, isinstance(seen, Unreadable), seen.host, day_of(call),
        [(f.direction, f.item, f.at, f.source, f.value if f.item in _VALUED else "") for f in findings],
    )  # fmt: skip


def day_of(call: Classified) -> str:
    """Day of a call in UTC, `YYYY-MM-DD`; empty when it is not known."""
    time = call.observation.time
    try:
        return _day(int(time // _DAY)) if time else ""
    except (ValueError, OverflowError, OSError):  # a capture may claim any time
        return ""


@functools.lru_cache(maxsize=512)
def _day(number: int) -> str:
    """Days since the epoch -> `YYYY-MM-DD`.  Raises `ValueError`, `OverflowError`."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=number)).isoformat()
