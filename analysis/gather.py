"""Observations -> Evidence: what the traffic proves about the household, before the first call is judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from analysis.classify import classify
from analysis.evidence import DIRECT_HOST, NO_SERVERS, Evidence, Servers, household
from analysis.knowledge import Knowledge
from analysis.proofs import MediaServer, Proof, Prover, PublicAddress, ServerList, alias, sender_shown, switch_states
from captures.model import Endpoint, Exchange, Lookup, Observation


def gather(
    observations: Sequence[Observation],
    knowledge: Knowledge,
    named: Servers = NO_SERVERS,
    addresses: Iterable[str] = (),
) -> Evidence:
    """All observations -> what they prove together.  Empty evidence when they prove nothing.

    `named` are servers that the user named as the own ones, `addresses` those of his line.
    """
    nothing = Evidence()
    calls = [
        classify(observation, knowledge, nothing, n)
        for n, observation in enumerate(observations)
        if isinstance(observation, Exchange)
    ]
    prover = Prover(knowledge)
    evidence = replace(
        conclude([proof for call in calls for proof in prover.proofs(call)], named, addresses),
        senders=senders(shown for call in calls if (shown := sender_shown(call))),
        aliases={seen.host: name for seen in observations if isinstance(seen, Lookup) and (name := alias(seen))},
    )
    states = (state for call in calls for state in switch_states(call, knowledge, evidence))
    return replace(evidence, switches=tuple(sorted(states, key=lambda state: state.time)))


def conclude(proofs: Iterable[Proof], named: Servers = NO_SERVERS, addresses: Iterable[str] = ()) -> Evidence:
    """Proofs of all calls -> what they prove together, but for what is known of clients, names and switches.

    Of lists of servers the later one counts, of answers as a media server the first.
    """
    every = tuple(proofs)
    lists = [proof for proof in every if isinstance(proof, ServerList)]
    own = [set(of) for of in (named.hosts, named.hashes, named.ids)]
    others: list[set[str]] = [set(), set(), set()]
    server_of: dict[str, str] = {}
    for known in lists:
        for groups, added in ((own, known.own), (others, known.others)):
            for group, names in zip(groups, added, strict=True):
                group.update(names)
        server_of.update(known.server_of)
    relays = frozenset(relay for known in lists for relay in known.relays)
    asks: set[str] = set()
    for proof in every:
        if isinstance(proof, MediaServer):
            server_of.setdefault(proof.host, proof.pack)
            if proof.number in own[2]:
                own[0].add(proof.host)
            elif proof.number in others[2]:
                others[0].add(proof.host)
            elif not proof.own:
                asks.add(proof.host)
    known_hosts, hashes = own[0] | others[0] | {name for name, _ in relays}, own[1] | others[1]
    public = {proof.address for proof in every if isinstance(proof, PublicAddress)}
    return Evidence(
        own=Servers(*map(frozenset, own)),
        others=Servers(*map(frozenset, others)),
        relays=relays,
        server_of=server_of,
        asks=frozenset(host for host in asks if not _known(host, known_hosts, hashes)),
        public_addresses=frozenset(public | {address for address in addresses if not household(address)}),
    )


def _known(host: str, hosts: set[str], hashes: set[str]) -> bool:
    direct = DIRECT_HOST.match(host)
    return host in hosts or bool(direct and direct["hash"] in hashes)


def senders(shown: Iterable[tuple[Endpoint, str]]) -> dict[Endpoint, str]:
    """Clients' ends of connections and the products that showed themselves there -> those with one product."""
    found: dict[Endpoint, set[str]] = defaultdict(set)
    for client, product in shown:
        found[client].add(product)
    return {client: next(iter(products)) for client, products in found.items() if len(products) == 1}
