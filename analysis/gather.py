"""Observations -> Evidence: what the traffic proves about the household, before the first call is judged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from analysis.at import compile_places
from analysis.classify import classify, rule_of
from analysis.decode import Leaf, decode
from analysis.evidence import DIRECT_HOST, NO_SERVERS, Evidence, Servers, SwitchState, address_of, household
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Classified, Party
from analysis.pack import ItemPlace, SwitchPlace
from analysis.shapes import is_address
from captures.model import Endpoint, Exchange, Lookup, Observation

_TRUE = frozenset({"1", "true", "True"})

_SHOWN = (Attribution.PRODUCT_HEADER, Attribution.PROCESS, Attribution.USER_AGENT, Attribution.REFERER)


def gather(
    observations: Sequence[Observation],
    knowledge: Knowledge,
    named: Servers = NO_SERVERS,
    addresses: Iterable[str] = (),
) -> Evidence:
    """All observations -> what they prove together.  Empty evidence when they prove nothing.

    `named` are servers that the user named as the own ones, `addresses` those of his line.
    """
    calls = [
        classify(observation, knowledge, Evidence(), n)
        for n, observation in enumerate(observations)
        if isinstance(observation, Exchange)
    ]
    found = _Found(own=_Group.of(named), public={address for address in addresses if not household(address)})
    for call in calls:
        rule = knowledge.rules.get(call.rule)
        if rule and rule.proves == "servers" and call.party in (Party.VENDOR, Party.OWN):
            _servers(_answer(call), call.service, found)
        if rule and rule.proves == "public-address" and call.party in (Party.VENDOR, Party.THIRD_PARTY):
            found.public.update(_addresses(call))
    evidence = replace(_identify(calls, knowledge, found), senders=_senders(calls), aliases=_aliases(observations))
    return replace(evidence, switches=_switches(calls, knowledge, evidence))


@dataclass(slots=True)
class _Group:
    hosts: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    @staticmethod
    def of(servers: Servers) -> _Group:
        return _Group(set(servers.hosts), set(servers.hashes), set(servers.ids))

    def frozen(self) -> Servers:
        return Servers(frozenset(self.hosts), frozenset(self.hashes), frozenset(self.ids))


@dataclass(slots=True)
class _Found:
    own: _Group
    others: _Group = field(default_factory=_Group)
    relays: set[tuple[str, int]] = field(default_factory=set)
    public: set[str] = field(default_factory=set)
    server_of: dict[str, str] = field(default_factory=dict)


def _answer(call: Classified) -> tuple[Leaf, ...]:
    assert isinstance(call.observation, Exchange)  # noqa: S101 - `gather` classifies exchanges only
    return tuple(leaf for leaf in decode(call.observation).leaves if leaf.at.startswith("response.body"))


def _addresses(call: Classified) -> list[str]:
    """The address that the answer consists of, as text or as the one field `ip`; an error page holds none."""
    values = (leaf.value.strip() for leaf in _answer(call) if leaf.at in ("response.body", "response.body.ip"))
    return [value for value in values if is_address(value)]


def _servers(answer: tuple[Leaf, ...], pack: str, found: _Found) -> None:
    """A list of servers with whether they are owned -> their names and numbers.

    An element counts when it says `owned`; its connections are the elements below it that have a `uri` or `address`.
    """
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


def _connection(table: dict[str, str], owned: bool, pack: str, group: _Group, found: _Found) -> None:
    url = urlsplit(table.get("uri", ""))
    try:
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


def _identify(calls: list[Classified], knowledge: Knowledge, found: _Found) -> Evidence:
    """Hosts that answer as a media server: own or somebody else's by the id they give, else to be asked about."""
    signs = {name: p.id for p in knowledge.products.values() for name in p.server_headers}
    identities = _Identities(knowledge)
    asks: set[str] = set()
    for call in calls:
        exchange = call.observation
        if not isinstance(exchange, Exchange) or not _may_be_a_household(call):
            continue
        host = exchange.host
        pack = next((signs[name] for name, _ in exchange.response_headers if name in signs), "")
        if not pack and DIRECT_HOST.match(host):
            pack = "plex"
        said, number = identities.of(exchange)
        pack = said or pack
        if not pack:
            continue
        found.server_of.setdefault(host, pack)
        if number in found.own.ids:
            found.own.hosts.add(host)
        elif number in found.others.ids:
            found.others.hosts.add(host)
        elif call.party is not Party.OWN:
            asks.add(host)
    return Evidence(
        own=found.own.frozen(),
        others=found.others.frozen(),
        relays=frozenset(found.relays),
        server_of=found.server_of,
        asks=frozenset(host for host in asks if not _known(host, found)),
        public_addresses=frozenset(found.public),
    )


def _may_be_a_household(call: Classified) -> bool:
    """Also a name of a hoster, whom no pack but the list of third parties names: people run servers there."""
    return call.party in (Party.UNKNOWN, Party.OWN) or (call.party is Party.THIRD_PARTY and not call.service)


def _known(host: str, found: _Found) -> bool:
    direct = DIRECT_HOST.match(host)
    hashes = found.own.hashes | found.others.hashes
    known = found.own.hosts | found.others.hosts | {name for name, _ in found.relays}
    return host in known or bool(direct and direct["hash"] in hashes)


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
        rule = classify(exchange, self._knowledge, Evidence(asks=frozenset({exchange.host}))).rule
        if not rule:
            return "", ""
        number = next((leaf.value for leaf in decode(exchange).leaves if self._places[rule].match(leaf.at)), "")
        return (rule.partition("/")[0], number) if number else ("", "")


def _senders(calls: Iterable[Classified]) -> dict[Endpoint, str]:
    """Connections on which one product showed itself, and no other."""
    shown: dict[Endpoint, set[str]] = defaultdict(set)
    for call in calls:
        client = call.observation.client if isinstance(call.observation, Exchange) else None
        if client and client.port and call.attribution in _SHOWN:
            shown[client].add(call.product)
    return {client: next(iter(products)) for client, products in shown.items() if len(products) == 1}


_ADDRESS_KINDS = frozenset({"A", "AAAA", "HTTPS", "CNAME"})
"""Questions in whose answers a name is a CNAME's (RFC 1034 3.6.2); in others it is the very thing asked for."""

_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
"""No address, and no other record as a reader may write it."""


def _aliases(observations: Iterable[Observation]) -> dict[str, str]:
    """Names that DNS answered by another name -> the last name of the chain."""
    found: dict[str, str] = {}
    for seen in observations:
        if isinstance(seen, Lookup) and seen.protocol == "dns" and seen.kind in _ADDRESS_KINDS:
            names = [name for text in seen.answers if _NAME.fullmatch(name := text.lower().rstrip("."))]
            if names and names[-1] != seen.host:
                found[seen.host] = names[-1]
    return found


def _switches(calls: list[Classified], knowledge: Knowledge, evidence: Evidence) -> tuple[SwitchState, ...]:
    states: list[SwitchState] = []
    for call in calls:
        exchange = call.observation
        if not isinstance(exchange, Exchange) or (exchange.status or 0) >= 400:
            continue
        rule = knowledge.rules.get(rule_of(exchange, knowledge, evidence))
        if rule and rule.switches:
            changed = exchange.method not in _ONLY_ASKS
            for switch, on in _shown(rule.switches, decode(exchange).leaves):
                product, capture = rule.id.partition("/")[0], exchange.source.capture
                states.append(SwitchState(exchange.time or 0.0, product, switch, on, call.n, changed, capture))
    return tuple(sorted(states, key=lambda state: state.time))


_ONLY_ASKS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that set nothing (RFC 9110 9.2.1)."""


def _shown(places: Sequence[SwitchPlace], leaves: Sequence[Leaf]) -> Iterator[tuple[str, bool]]:
    """Leaves of a call -> the switches whose state they show, each with whether it is on."""
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    for leaf in leaves:
        parent, _, name = leaf.at.rpartition(".")
        tables[parent][name] = leaf.value
    for place in places:
        fits = compile_places([ItemPlace(place.id, (place.at,), "")]).match
        name, _, value = place.beside.partition("=")
        for leaf in leaves:
            beside = not name or tables[leaf.at.rpartition(".")[0]].get(name, "") == value
            if beside and fits(leaf.at) and (state := _state(leaf.value, place)) is not None:
                yield place.id, state


def _state(value: str, place: SwitchPlace) -> bool | None:
    if any(fnmatchcase(value, pattern) for pattern in place.off):
        return False
    return True if any(fnmatchcase(value, pattern) for pattern in place.on) else None
