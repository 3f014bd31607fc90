"""Several captures of the same traffic -> one list of observations."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from captures.model import Capture, Contact, Endpoint, Exchange, Lookup, Observation, Source

NEAR = 5.0
"""Seconds by which two recordings of one connection may differ."""


def join(captures: Sequence[Capture]) -> list[Observation]:
    """Captures -> all observations, in the order of the command line, the same traffic once.

    A contact whose client end equals that of an exchange at about the same time is folded into it; without ports (HAR)
    the same device, host and port within its time span count.  An exchange that stands in two files is one.  What stays
    lists in `sources` where else it stands.  Answers to DNS questions name contacts, across files.
    Raises `CaptureError` when a capture cannot be read at all.
    """
    observations = [observation for capture in captures for observation in capture.observations()]
    if known := _names(observations):
        observations = [named(x, known.get(x.host)) if isinstance(x, Contact) else x for x in observations]
    if len(captures) > 1 or any(isinstance(x, Contact) for x in observations):
        observations = _folded(observations)
    return observations


def names(seen: Observation) -> Iterator[str]:
    """An observation -> the addresses that DNS gave for `host`; of two names of an address the later one counts."""
    if isinstance(seen, Lookup) and seen.protocol == "dns":
        yield from seen.answers


def named(contact: Contact, name: str | None) -> Contact:
    """A contact of which only the address is known, and the name by which that was asked for -> with the name."""
    fits = name and contact.name_source == "address"
    return replace(contact, host=name, name_source="dns") if fits and name else contact


def _names(observations: Iterable[Observation]) -> dict[str, str]:
    """Address -> the name that was asked for last."""
    return {answer: seen.host for seen in observations for answer in names(seen)}


def _folded(observations: list[Observation]) -> list[Observation]:
    kept: list[Observation] = []
    also: dict[int, list[Source]] = defaultdict(list)
    ends = _Ends()
    for observation in observations:
        if isinstance(observation, Exchange):
            same = ends.same(observation, kept)
            if same is not None:
                also[same].append(observation.source)
                ends.taken.add((same, observation.source.capture))
                continue
            ends.add(len(kept), observation)
        kept.append(observation)
    result: list[Observation | None] = list(kept)
    for place, observation in enumerate(kept):
        if isinstance(observation, Contact):
            carriers = ends.carriers(observation)
            for carrier in carriers:
                also[carrier].append(observation.source)
            if carriers:
                result[place] = None
    return [
        replace(x, sources=(*x.sources, *also[place])) if place in also else x
        for place, x in enumerate(result)
        if x is not None
    ]


class _Ends:
    """Exchanges by the client's end of their connection, and by host, each with their times in ascending order."""

    def __init__(self) -> None:
        self._by_end: dict[Endpoint, list[tuple[float, int]]] = defaultdict(list)
        self._by_host: dict[tuple[str, str, int], list[tuple[float, int]]] = defaultdict(list)
        self._sorted = False
        self.taken: set[tuple[int, int]] = set()
        """Exchanges that a file has already been found to hold too: (place, number of that file)."""

    def add(self, place: int, exchange: Exchange) -> None:
        if exchange.time is None:
            return
        if exchange.client and exchange.client.port:
            self._by_end[exchange.client].append((exchange.time, place))
        self._by_host[exchange.device, exchange.host, exchange.port].append((exchange.time, place))

    def same(self, exchange: Exchange, kept: list[Observation]) -> int | None:
        """Place of the exchange of another file that is this one, or `None`."""
        if exchange.time is None:
            return None
        by_end = bool(exchange.client and exchange.client.port)
        key = (exchange.device, exchange.host, exchange.port)
        candidates = self._by_end.get(exchange.client, []) if by_end and exchange.client else self._by_host[key]
        for time, place in candidates:
            other = kept[place]
            if (
                isinstance(other, Exchange)
                and other.source.capture != exchange.source.capture
                and (place, exchange.source.capture) not in self.taken
                and abs(time - exchange.time) <= (NEAR if by_end else 0.05)
                and (other.method, other.host, other.path, other.query, other.body.content)
                == (exchange.method, exchange.host, exchange.path, exchange.query, exchange.body.content)
            ):
                return place
        return None

    def carriers(self, contact: Contact) -> list[int]:
        """Places of the exchanges that were carried by this connection; empty when it carried none that is known."""
        if contact.time is None:
            return []
        if not self._sorted:
            for table in (*self._by_end.values(), *self._by_host.values()):
                table.sort()
            self._sorted = True
        last = contact.end if contact.end is not None else contact.time
        if contact.client and contact.client.port:
            return _between(self._by_end.get(contact.client, []), contact.time - NEAR, last + NEAR)
        port = contact.server.port if contact.server else 0
        return _between(self._by_host.get((contact.device, contact.host, port), []), contact.time, last)


def _between(table: list[tuple[float, int]], first: float, last: float) -> list[int]:
    start = bisect_left(table, (first, -1))
    return [place for time, place in table[start:] if time <= last]
