"""Calls -> what devices shout into the local network, how often, and which ports they ask the router to open.

Sources: UPnP WANIPConnection 2.0 for the port mappings; the datagrams are read by `captures.packets.discovery`.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.model import Category, Classified
from analysis.traffic import moments
from captures.model import Exchange, Lookup

_MOST_TOLD = 8
"""Different things told that are kept of one row."""

_BURST = 1.0
"""Seconds within which what is sent again belongs to one occasion: shouts go out several times, on every interface."""

_STRAY = 0.05
"""By which part of the period an interval may differ from it, or from a multiple where a shout was missed."""


@dataclass(frozen=True, slots=True)
class Shouted:
    """What one device said again and again in one way."""

    device: str
    """Name, MAC or address of the device.  Private."""
    protocol: str
    """As `Lookup.protocol`; `upnp` for a request to a router."""
    kind: str
    """`M-SEARCH`, `NOTIFY ssdp:alive`, `PTR`, `map TCP 32400 for 7200 s`…"""
    wanted: str
    """What was looked for, lower case; empty for an announcement and for a search for anything."""
    told: tuple[str, ...]
    """What it told of its sender, or what came back.  Private: names, ids, addresses."""
    times: int
    """How often."""
    period: float | None
    """Seconds from one to the next, where it came regularly."""

    @property
    def maps_a_port(self) -> bool:
        """Whether the router was asked to let everybody in at a port."""
        return self.kind.startswith("map ")


def discovered(calls: Iterable[Classified]) -> tuple[Shouted, ...]:
    """Calls -> discovery and requests to the router, requests for open ports first; empty when there were none."""
    times: dict[tuple[str, str, str, str], list[float]] = {}
    told: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for call in calls:
        found = said(call)
        if not found:
            continue
        key, texts = found
        times.setdefault(key, []).extend(-1.0 if time is None else time for time, _ in moments(call))
        told.setdefault(key, {}).update(dict.fromkeys(texts))
    rows = (
        Shouted(*key, tuple(told[key])[:_MOST_TOLD], len(when), period([t for t in when if t >= 0]))
        for key, when in times.items()
    )
    return tuple(sorted(rows, key=lambda row: (not row.maps_a_port, row.protocol, row.device, row.kind, row.wanted)))


type Said = tuple[tuple[str, str, str, str], Sequence[str]]
"""Device, protocol, kind and what was looked for; what was told."""


def said(call: Classified) -> Said | None:
    """A call -> what it says to everybody at home, or to the router; `None` for any other."""
    seen = call.observation
    if isinstance(seen, Lookup) and call.category is Category.LOCAL_DISCOVERY:
        return (seen.device, seen.protocol, seen.kind, seen.host), seen.answers
    if isinstance(seen, Exchange) and (asked := _mapping(seen)):
        return (seen.device, "upnp", asked[0], ""), asked[1]
    return None


_FIELD = re.compile(rb"<(New\w{3,30})(?: [^<>]{0,200})?>([^<]{0,200})</")


def _mapping(seen: Exchange) -> tuple[str, Sequence[str]] | None:
    """UPnP's request to open a port, or to close one: (what, what was told)."""
    match = re.search(r"#(Add(?:Any)?|Delete)PortMapping\W*$", seen.header("soapaction"))
    if not match:
        return None
    fields = {name.decode(): text.decode("utf-8", "replace") for name, text in _FIELD.findall(seen.body.content or b"")}
    protocol, outside = fields.get("NewProtocol", "any"), fields.get("NewExternalPort", "")
    if match[1] == "Delete":
        return f"unmap {protocol} {outside}", ()
    inside, seconds = fields.get("NewInternalPort", outside), fields.get("NewLeaseDuration", "0")
    lasting = f" for {seconds} s" if seconds not in ("", "0") else ""
    kind = f"map {protocol} {inside}" + (f" as {outside}" if outside not in ("", "0", inside) else "") + lasting
    return kind, [text for name in ("NewPortMappingDescription", "NewInternalClient") if (text := fields.get(name))]


def period(times: Sequence[float]) -> float | None:
    """Times in seconds -> the period with which they come; `None` when they come irregularly, or fewer than four do.

    >>> period([0.0, 5.0, 10.01, 15.0, 25.0])
    5.0
    >>> period([0.0, 4.0, 10.0, 11.0, 25.0])
    """
    ordered = sorted(times)
    starts = [time for n, time in enumerate(ordered) if n == 0 or time - ordered[n - 1] > _BURST]
    return _regular(ordered) or _regular(starts)


_SHORTEST = 0.001
"""Seconds of a period, which is told in milliseconds; beside less, another interval may be endlessly long."""


def _regular(starts: Sequence[float]) -> float | None:
    intervals = [b - a for a, b in pairwise(starts)]
    if len(intervals) < 3:
        return None
    middle = statistics.median(intervals)
    if middle < _SHORTEST:
        return None
    single = [x for x in intervals if abs(x - middle) <= _STRAY * middle]
    missed = [x for x in intervals if round(x / middle) > 1 and abs(x / middle - round(x / middle)) <= _STRAY]
    if len(single) < 3 or len(single) + len(missed) < 0.9 * len(intervals):
        return None
    return round(statistics.median(single), 3)
