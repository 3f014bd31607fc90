"""One call -> what it proves about the household, whatever else was seen.

What all of it proves together is `gather`'s: so the proofs of a ledger can be kept, of which most come again and again.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import urlsplit

from analysis.at import compile_places
from analysis.decode import Leaf, decode
from analysis.evidence import DIRECT_HOST, Evidence, SwitchState, address_of, household
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Classified, Party
from analysis.pack import ItemPlace, SwitchPlace
from analysis.rules import rule_of
from analysis.shapes import is_address
from captures.model import Endpoint, Exchange, Lookup, Observation

type Names = tuple[str, ...]
"""Sorted, each once."""


class ServerList(NamedTuple):
    """A vendor's answer says which servers are the user's own."""

    own: tuple[Names, Names, Names]
    """Hosts, certificate hashes and machine ids of the own ones."""
    others: tuple[Names, Names, Names]
    """Of somebody else's."""
    relays: tuple[tuple[str, int], ...]
    """Host and port of the vendor's relay for an own one."""
    server_of: tuple[tuple[str, str], ...]
    """Host -> pack of what runs there."""


class PublicAddress(NamedTuple):
    """A service says under which address it sees the household."""

    address: str


class MediaServer(NamedTuple):
    """A host answers as a media server."""

    host: str
    pack: str
    """What runs there."""
    number: str
    """The machine id that it gives; empty when it gives none."""
    own: bool
    """Whether its address alone says that it is the user's own."""


type Proof = ServerList | PublicAddress | MediaServer

_TRUE = frozenset({"1", "true", "True"})

_SHOWN = (Attribution.PRODUCT_HEADER, Attribution.PROCESS, Attribution.USER_AGENT, Attribution.REFERER)


class Prover:
    """Looks for proofs in calls, by what one `Knowledge` says."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Nothing is looked at yet."""
        self._knowledge = knowledge
        self._signs = {name: p.id for p in knowledge.products.values() for name in p.server_headers}
        self._identities = _identities(knowledge)

    def proofs(self, call: Classified) -> Iterator[Proof]:
        """A call, classified without any evidence -> what it proves; mostly nothing."""
        seen = call.observation
        if not isinstance(seen, Exchange):
            return
        rule = self._knowledge.rules.get(call.rule)
        if rule and rule.proves == "servers" and call.party in (Party.VENDOR, Party.OWN):
            yield _servers(_answer(seen), call.service)
        if rule and rule.proves == "public-address" and call.party in (Party.VENDOR, Party.THIRD_PARTY):
            yield from map(PublicAddress, _addresses(seen))
        if found := self._media_server(call, seen):
            yield found

    def _media_server(self, call: Classified, seen: Exchange) -> MediaServer | None:
        if not _may_be_a_household(call):
            return None
        pack = next((self._signs[name] for name, _ in seen.response_headers if name in self._signs), "")
        if not pack and DIRECT_HOST.match(seen.host):
            pack = "plex"
        said, number = self._identities.of(seen)
        pack = said or pack
        return MediaServer(seen.host, pack, number, call.party is Party.OWN) if pack else None


def sender_shown(call: Classified) -> tuple[Endpoint, str] | None:
    """A call, classified without any evidence -> the client's end, and the product that showed itself on it."""
    client = call.observation.client if isinstance(call.observation, Exchange) else None
    return (client, call.product) if client and client.port and call.attribution in _SHOWN else None


_ADDRESS_KINDS = frozenset({"A", "AAAA", "HTTPS", "CNAME"})
"""Questions in whose answers a name is a CNAME's (RFC 1034 3.6.2); in others it is the very thing asked for."""

_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
"""No address, and no other record as a reader may write it."""


def alias(seen: Observation) -> str:
    """An observation -> the last name of the chain by which DNS answered a name; empty when it answered with none."""
    if not (isinstance(seen, Lookup) and seen.protocol == "dns" and seen.kind in _ADDRESS_KINDS):
        return ""
    names = [name for text in seen.answers if _NAME.fullmatch(name := text.lower().rstrip("."))]
    return names[-1] if names and names[-1] != seen.host else ""


def switch_states(call: Classified, knowledge: Knowledge, evidence: Evidence) -> Iterator[SwitchState]:
    """A call -> the switches whose state it shows; `evidence` is all that was proven."""
    exchange = call.observation
    if not isinstance(exchange, Exchange) or (exchange.status or 0) >= 400:
        return
    rule = knowledge.rules.get(rule_of(exchange, knowledge, evidence))
    if rule and rule.switches:
        changed = exchange.method not in _ONLY_ASKS
        for switch, on in _shown(rule.switches, decode(exchange).leaves):
            product, capture = rule.id.partition("/")[0], exchange.source.capture
            yield SwitchState(exchange.time or 0.0, product, switch, on, call.n, changed, capture)


@dataclass(slots=True)
class _Group:
    hosts: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    def sorted(self) -> tuple[Names, Names, Names]:
        return tuple(sorted(self.hosts)), tuple(sorted(self.hashes)), tuple(sorted(self.ids))


@dataclass(slots=True)
class _Found:
    own: _Group = field(default_factory=_Group)
    others: _Group = field(default_factory=_Group)
    relays: set[tuple[str, int]] = field(default_factory=set)
    server_of: dict[str, str] = field(default_factory=dict)


def _answer(call: Exchange) -> tuple[Leaf, ...]:
    return tuple(leaf for leaf in decode(call).leaves if leaf.at.startswith("response.body"))


def _addresses(call: Exchange) -> list[str]:
    """The address that the answer consists of, as text or as the one field `ip`; an error page holds none."""
    values = (leaf.value.strip() for leaf in _answer(call) if leaf.at in ("response.body", "response.body.ip"))
    return [value for value in values if is_address(value)]


def _servers(answer: tuple[Leaf, ...], pack: str) -> ServerList:
    """A list of servers with whether they are owned -> their names and numbers.

    An element counts when it says `owned`; its connections are the elements below it that have a `uri` or `address`.
    """
    found = _Found()
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for leaf in answer:
        parent, _, name = leaf.at.rpartition(".")
        values[parent][name] = leaf.value
    owners = sorted(parent for parent, table in values.items() if "owned" in table)
    for parent in owners:
        table = values[parent]
        group = found.own if table["owned"] in _TRUE else found.others
        group.ids.update(v for k in ("clientIdentifier", "machineIdentifier") if (v := table.get(k)))
        below = [t for place, t in values.items() if place == parent or place.startswith(parent + ".")]
        for connection in below:
            _connection(connection, table["owned"] in _TRUE, pack, group, found)
    relays, server_of = tuple(sorted(found.relays)), tuple(sorted(found.server_of.items()))
    return ServerList(found.own.sorted(), found.others.sorted(), relays, server_of)


def _connection(table: dict[str, str], owned: bool, pack: str, group: _Group, found: _Found) -> None:
    try:
        url = urlsplit(table.get("uri", ""))
        host, port = url.hostname or "", url.port or 0
    except ValueError:
        return
    names = {name for name in (host, table.get("address", "").lower()) if name}
    if table.get("relay") in _TRUE and "uri" in table:
        if owned:
            found.relays.update((name, port) for name in names)
        return
    if direct := DIRECT_HOST.match(host):
        group.hashes.add(direct["hash"])
        names.add(address_of(direct["address"]))
    if public := table.get("publicAddress"):
        names.add(public)
    # A private address of somebody else's server may be that of an own machine as well.
    group.hosts.update(name for name in names if owned or not household(name))
    found.server_of.update(dict.fromkeys(names, pack))


def _may_be_a_household(call: Classified) -> bool:
    """Also a name of a hoster, whom no pack but the list of third parties names: people run servers there."""
    return call.party in (Party.UNKNOWN, Party.OWN) or (call.party is Party.THIRD_PARTY and not call.service)


class _Identities:
    """The rules by which a server's answer gives its own machine id, whoever runs it."""

    def __init__(self, knowledge: Knowledge) -> None:
        rules = {rule.id: rule for rule in knowledge.rules.values() if rule.proves == "identity"}
        self._knowledge = replace(knowledge, rules=rules)
        self._places = {
            rule.id: compile_places(place for place in rule.items if place.id == "server.machine_id")
            for rule in rules.values()
        }

    def of(self, exchange: Exchange) -> tuple[str, str]:
        """(pack, machine id), or empty strings when the answer names no server."""
        rule = rule_of(exchange, self._knowledge, Evidence(asks=frozenset({exchange.host})))
        if not rule:
            return "", ""
        number = next((leaf.value for leaf in decode(exchange).leaves if self._places[rule].match(leaf.at)), "")
        return (rule.partition("/")[0], number) if number else ("", "")


_identities = functools.lru_cache(maxsize=4)(_Identities)

_ONLY_ASKS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that set nothing (RFC 9110 9.2.1)."""


def _shown(places: Sequence[SwitchPlace], leaves: Sequence[Leaf]) -> Iterator[tuple[str, bool]]:
    """Leaves of a call -> the switches whose state they show, each with whether it is on."""
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    for leaf in leaves:
        parent, _, name = leaf.at.rpartition(".")
        tables[parent][name] = leaf.value
    for place in places:
        fits = _fits(place.at)
        name, _, value = place.beside.partition("=")
        for leaf in leaves:
            beside = not name or tables[leaf.at.rpartition(".")[0]].get(name, "") == value
            if beside and fits(leaf.at) and (state := _state(leaf.value, place)) is not None:
                yield place.id, state


@functools.lru_cache(maxsize=256)
def _fits(at: str) -> Callable[[str], object]:
    """Place of a switch -> whether a leaf stands there."""
    return compile_places([ItemPlace("", (at,), "")]).match


def _state(value: str, place: SwitchPlace) -> bool | None:
    if any(fnmatchcase(value, pattern) for pattern in place.off):
        return False
    return True if any(fnmatchcase(value, pattern) for pattern in place.on) else None
