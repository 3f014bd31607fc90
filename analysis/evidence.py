"""What the traffic itself proves about the household: which servers are its own, its public address, its switches."""

from __future__ import annotations

import functools
import ipaddress
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from captures.model import Endpoint

DIRECT_HOST = re.compile(r"(?P<address>[0-9a-f-]+)\.(?P<hash>[0-9a-f]{32})\.plex\.direct\Z")
"""Certificate name of a Plex server: an address with dashes, and the hash of its certificate."""

DIRECT_NAME = re.compile(r"(?P<address>[0-9a-f]{1,4}(?:-[0-9a-f]{0,4}){3,7})\.(?P<hash>[0-9a-f]{32})\.plex\.direct")
"""The same, anywhere in a text."""

_HOUSEHOLD = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
        "::1/128", "fe80::/10", "fc00::/7",
    )
)  # fmt: skip
"""Loopback, link-local, RFC 1918, ULA (RFC 4193).  A list of our own: Python's `is_private` also holds for
documentation and benchmark ranges, and 100.64/10 is only the user's when the user says so."""


class SwitchState(NamedTuple):
    """A switch, as a call shows it."""

    time: float
    """When, seconds since the epoch (UTC); 0 when the capture does not say."""
    product: str
    """Pack id."""
    switch: str
    """Id of the switch in the pack."""
    on: bool
    """Whether the data may be sent."""
    call: int
    """Position of the call that shows it."""
    changed: bool = True
    """Whether the call set it; else an answer showed how it stood."""
    capture: int = 0
    """Number of the file in which the call stands."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Names and numbers by which media servers are recognised."""

    hosts: frozenset[str] = frozenset()
    """Host names and addresses of their connections, without port, lower case."""
    hashes: frozenset[str] = frozenset()
    """Certificate hashes (32 hex digits)."""
    ids: frozenset[str] = frozenset()
    """Machine identifiers."""


NO_SERVERS = Servers()
"""Nothing is known of any."""


_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOBODY: Mapping[Endpoint, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was proven.  Private."""

    own: Servers = NO_SERVERS
    """Servers that are the user's own."""
    others: Servers = NO_SERVERS
    """Servers that the vendor's answer says are somebody else's."""
    relays: frozenset[tuple[str, int]] = frozenset()
    """Host or address, and port, of the vendor's relay for an own server."""
    server_of: Mapping[str, str] = field(default=_NOTHING)
    """Host that answered as a media server -> its pack."""
    asks: frozenset[str] = frozenset()
    """Hosts that answer as a media server and are not proven own: the report asks whose they are."""
    public_addresses: frozenset[str] = frozenset()
    """The household's public addresses."""
    aliases: Mapping[str, str] = field(default=_NOTHING)
    """Host -> the last name in the chain of CNAMEs by which DNS answered it, lower case."""
    senders: Mapping[Endpoint, str] = field(default=_NOBODY)
    """Client end of a connection -> pack of the product that showed itself on it."""
    switches: tuple[SwitchState, ...] = ()
    """States of switches, in the order of time."""

    def changes(self, product: str, switch: str) -> list[SwitchState]:
        """States of one switch, in the order of time; empty when none is known."""
        return [state for state in self.switches if state.product == product and state.switch == switch]


def state_at(changes: Sequence[SwitchState], time: float | None) -> bool | None:
    """States of one switch, in the order of time -> the last one before a time; `None` when it is not known, as when
    the time is not."""
    before = bisect_right(changes, time, key=_time_of) if time is not None else 0
    return changes[before - 1].on if before else None


_time_of = attrgetter("time")


def address_of(dashed: str) -> str:
    """Address part of a `plex.direct` name -> address: `192-168-1-5` -> `192.168.1.5`; IPv6 likewise; else as it is.

    >>> address_of("192-168-1-5"), address_of("fd00-0-0-0-0-0-0-5"), address_of("x")
    ('192.168.1.5', 'fd00::5', 'x')
    """
    for separator in (".", ":"):
        try:
            return str(ipaddress.ip_address(dashed.replace("-", separator)))
        except ValueError:
            continue
    return dashed


@functools.lru_cache(maxsize=4096)
def household(host: str) -> bool:
    """Whether a host is an address literal of loopback, link-local, RFC 1918 or ULA, or `localhost`.

    >>> household("192.168.1.5"), household("100.64.0.1"), household("203.0.113.7"), household("plex.tv")
    (True, False, False, False)
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in _HOUSEHOLD)
