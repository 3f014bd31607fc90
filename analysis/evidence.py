"""What the traffic itself proves about the household: which servers are its own, its public address, its switches.

`classify` needs it before the first call can be judged, so the pipeline gathers it in a pass of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from analysis.at import compile_places
from analysis.decode import decode
from captures.model import Exchange, Observation

if TYPE_CHECKING:
    from analysis.decode import Leaf
    from analysis.knowledge import Knowledge
    from analysis.pack import Rule

DIRECT_HOST = re.compile(r"(?P<address>[0-9a-f-]+)\.(?P<hash>[0-9a-f]{32})\.plex\.direct\Z")
"""Certificate name of a Plex server: an address with dashes, and the hash of its certificate."""


class SwitchState(NamedTuple):
    """A switch, seen in a call."""

    time: float
    """When, seconds since the epoch (UTC); 0 when the capture does not say."""
    product: str
    """Pack id."""
    switch: str
    """Id of the switch in the pack."""
    on: bool
    """Whether the data may be sent."""
    call: int
    """Position of the observation that shows it."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Names and numbers by which media servers are recognised."""

    hosts: frozenset[str] = frozenset()
    """Host names and addresses of their connections, without port, lower case."""
    addresses: frozenset[tuple[str, int]] = frozenset()
    """Address and port of their connections."""
    hashes: frozenset[str] = frozenset()
    """Certificate hashes (32 hex digits)."""
    ids: frozenset[str] = frozenset()
    """Machine identifiers."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was proven.  Private."""

    own: Servers = Servers()
    """Servers that are the user's own."""
    others: Servers = Servers()
    """Servers that the vendor's answer says are somebody else's."""
    relays: frozenset[str] = frozenset()
    """Hosts of the vendor's relay for an own server."""
    public_addresses: frozenset[str] = frozenset()
    """The household's public addresses."""
    switches: tuple[SwitchState, ...] = field(default=())
    """States of switches, in the order in which they were seen."""
    asks: frozenset[str] = frozenset()
    """Hosts that answer as a media server and are not proven own: the report asks whose they are."""

    def switch_on(self, product: str, switch: str, time: float | None) -> bool | None:
        """State of a switch at a time (the latest one seen before it), or `None` when it is not known."""
        states = [s for s in self.switches if s.product == product and s.switch == switch]
        before = [s for s in states if time is None or s.time <= time]
        return before[-1].on if before else None
