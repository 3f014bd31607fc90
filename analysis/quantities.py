"""Findings -> numbers: which items are quantities, in which unit a number stands, what stands beside it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from analysis.at import Places, compile_places
from analysis.model import Direction, Finding
from analysis.pipeline import Result

KINDS: Mapping[str, str] = {
    "media.duration": "time",
    "play.position_time": "time",
    "play.watched_time": "time",
    "media.bitrate": "rate",
    "media.size": "size",
    "media.resolution": "picture",
    "net.bandwidth": "bandwidth",
    "play.quality_events": "quality",
    "diag.performance": "performance",
    "client.screen": "screen",
    "library.counts": "count",
}
"""Item -> kind of quantity.  Numbers of one kind that one vendor receives may share a step."""

PAIRED = ("time", "rate", "size", "picture")
"""Kinds of which the own server is told the exact number."""

UNITS: Mapping[str, tuple[str, float]] = {
    "s": ("time", 1.0),
    "ms": ("time", 0.001),
    "min": ("time", 60.0),
    "ticks": ("time", 1e-7),
    "kbps": ("rate", 1.0),
    "bps": ("rate", 0.001),
    "Mbps": ("rate", 1000.0),
    "bytes": ("size", 1.0),
    "px": ("picture", 1.0),
}
"""Unit of a rule -> kind of quantity, and its size in seconds, kilobits a second, bytes or pixels."""

_NAMED_UNITS = (
    (re.compile(r"ticks$", re.IGNORECASE), "ticks"),
    (re.compile(r"(?:[a-z]Ms|[_ -]ms|millis(?:econds)?)$|^(?:ms|millis(?:econds)?)(?=[_ A-Z-])"), "ms"),
    (re.compile(r"(?:[mM]inutes?|[a-z]Mins?|[_ -]mins?)$|^minutes?(?=[_ A-Z-])"), "min"),
    (re.compile(r"(?:[sS]econds?|[a-z]Secs?|[_ -](?:s|secs?))$|^(?:seconds?|secs?)(?=[_ A-Z-])"), "s"),
    (re.compile(r"kbps$", re.IGNORECASE), "kbps"),
    (re.compile(r"mbps$", re.IGNORECASE), "Mbps"),
    (re.compile(r"bps$", re.IGNORECASE), "bps"),
)
"""How a field's name tells its unit."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]{1,9}))?\Z")
_SIZES = re.compile(r"[0-9]{2,5}x[0-9]{2,5}(?:,[0-9]{2,5}x[0-9]{2,5})*\Z")
_SHARE = re.compile(r"percent|(?<!du)ratio|fraction", re.IGNORECASE)
_LIST_POSITION = re.compile(r"(?:.*?\.[0-9]+(?=[.\[]|\Z))+")


@dataclass(frozen=True, slots=True)
class Number:
    """One number in one call.  Private."""

    call: int
    """`Classified.n`."""
    at: str
    """Where it stands."""
    item: str
    """Id in `items.toml`."""
    direction: Direction
    """Whether it was sent or came back."""
    value: float
    """In the unit of its kind (seconds, kilobits a second, bytes, pixels), or as it is when the unit is not known."""
    unit: str
    """As it was sent, a key of `UNITS`; empty when it is not known."""
    quantum: float
    """Smallest difference that it can show as it was written, in the same unit as `value`."""

    @property
    def factor(self) -> float:
        """Size of its unit."""
        return UNITS[self.unit][1] if self.unit else 1.0


def numbers(result: Result, direction: Direction) -> Iterator[Number]:
    """The numbers of quantities that were sent, or those that came back; in the order of the findings."""
    rules = {call.n: call.rule for call in result.calls}
    places: dict[str, Places] = {}
    for finding in result.findings:
        if finding.item in KINDS and finding.direction == direction and finding.call in rules:
            rule = rules[finding.call]
            if rule not in places:
                known = result.knowledge.rules.get(rule)
                places[rule] = compile_places(known.items if known else ())
            yield from read(finding, places[rule])


def read(finding: Finding, places: Places) -> Iterator[Number]:
    """A finding -> its numbers: none for a text, four for the sizes of a window and a screen.

    `places` are those of the call's rule, which tell units.
    """
    value = finding.value.strip()
    if _SHARE.search(_name(finding.at)):
        return
    if _SIZES.match(value):
        for number in re.findall(r"[0-9]+", value):
            yield Number(finding.call, finding.at, finding.item, finding.direction, float(number), "px", 1.0)
    elif match := _NUMBER.match(value):
        unit = _unit(finding, places)
        factor = UNITS[unit][1] if unit else 1.0
        quantum = factor * 10.0 ** -len(match[1] or "")
        yield Number(
            finding.call, finding.at, finding.item, finding.direction, round(float(value) * factor, 9), unit, quantum
        )


def _unit(finding: Finding, places: Places) -> str:
    """Unit of a number: what the rule says, else what the field's name says, else what a film can have; else empty.

    No film lasts 60,000 seconds or only 60,000 ticks, and none has 200 Mbit a second; of a position nothing is guessed.
    """
    for known in places.match(finding.at):
        if known.id == finding.item and known.unit in UNITS:
            return known.unit
    for pattern, unit in _NAMED_UNITS:
        if pattern.search(_name(finding.at)) and UNITS[unit][0] in (KINDS[finding.item], "time"):
            return unit
    return _plausible(finding.item, abs(float(finding.value)))


def _plausible(item: str, size: float) -> str:
    match item:
        case "media.duration" | "play.position_time" | "play.watched_time" if size >= 60_000:
            return "ms" if size < 6e8 else "ticks"
        case "media.duration":
            return "s"
        case "media.bitrate":
            return "kbps" if size < 200_000 else "bps"
        case "media.size":
            return "bytes"
        case "media.resolution":
            return "px"
    return ""


def _name(at: str) -> str:
    """The field in which a value stands."""
    return re.sub(r"(?:\.[0-9]+|\[[a-z0-9]+\])+\Z", "", at).rpartition(".")[2]


def part(number: Number) -> str:
    """Which side of a picture a number is, by the name of its field: `width`, `height` or empty."""
    name = _name(number.at).lower()
    return next((side for side in ("width", "height") if side in name), "")


def record(at: str) -> str:
    """Place -> the list position that it stands in, with which events of one body are told apart; empty: none.

    >>> record("body.3.properties.duration"), record("body.properties.duration"), record("query.time")
    ('body.3', '', '')
    """
    match = _LIST_POSITION.match(at)
    return match[0] if match else ""


class Beside:
    """What stands beside a number: in the same event of a body, or around all events."""

    def __init__(self, findings: Iterable[Finding], items: Iterable[str]) -> None:
        """`items` are those that are asked for."""
        wanted = frozenset(items)
        self._of: dict[int, list[tuple[str, Finding]]] = defaultdict(list)
        for finding in findings:
            if finding.item in wanted:
                self._of[finding.call].append((record(finding.at), finding))

    def values(self, call: int, at: str, *items: str) -> tuple[str, ...]:
        """Values of these items beside a place, those of the same event first; each once."""
        here = record(at)
        fitting = [(where, f) for where, f in self._of.get(call, ()) if f.item in items and _holds(where, here)]
        fitting.sort(key=lambda pair: -len(pair[0]))
        return tuple(dict.fromkeys(f.value for _, f in fitting))


def _holds(outer: str, inner: str) -> bool:
    return not outer or outer == inner or inner.startswith((outer + ".", outer + "["))


def moment(text: str) -> float | None:
    """A time as apps write it (seconds or milliseconds since the epoch, ISO 8601) -> seconds; `None` for anything else.

    >>> moment("1700000000"), moment("1700000000500"), moment("2023-11-14T22:13:20Z"), moment("20:15")
    (1700000000.0, 1700000000.5, 1700000000.0, None)
    """
    if _NUMBER.match(text):
        value = float(text)
        for factor in (1.0, 1e-3, 1e-6):
            if 1e9 <= value * factor < 4e9:
                return value * factor
        return None
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else when.replace(tzinfo=UTC).timestamp()
