"""The other end of a call -> whose machine it is, which pack's service, and who answers there.

Decided by names, and by what the traffic proved (`Evidence`); by an address only where the host is one.
"""

from __future__ import annotations

import functools
import re

from analysis.entities import entity as listed
from analysis.entities import registrable
from analysis.evidence import DIRECT_HOST, Evidence, address_of, household
from analysis.knowledge import Knowledge
from analysis.model import Classified, Party
from captures.model import Contact, Exchange, Lookup, Unreadable

_MOST_HOSTS = 20_000
_LONGEST_HOST = 1_000
"""Each server is decided once; hostile traffic with endless names must not fill the memory."""


def judged_host(
    host: str, port: int, knowledge: Knowledge, evidence: Evidence, *, seen_whole: bool
) -> tuple[Party, str, bool]:
    """A host and port -> all that depends on the evidence in a call there but for its sender and who answers.

    That is whose machine it is, the pack of its service, and whether it is to be asked whose it is.  `seen_whole`:
    whether the call itself was seen, not only a connection.
    """
    party, service, _ = _decided(host, port, seen_whole, knowledge, evidence)
    return party, service, host in evidence.asks


def party_of(call: Exchange | Contact | Unreadable, knowledge: Knowledge, evidence: Evidence) -> tuple[Party, str, str]:
    """Whose machine, the pack of its service, and by what that is known (a key of `steps.PARTY`).

    A household asks the same servers ever, so each is decided once.
    """
    met = _parties(knowledge).under(evidence)
    where = call.host, _port(call), isinstance(call, Exchange)
    found = met.get(where)
    if found is None:
        found = _decided(*where, knowledge, evidence)
        if len(met) >= _MOST_HOSTS:
            met.clear()
        if len(call.host) <= _LONGEST_HOST:
            met[where] = found
    return found


def _decided(
    host: str, port: int, seen_whole: bool, knowledge: Knowledge, evidence: Evidence
) -> tuple[Party, str, str]:
    """As `party_of`: by name first, by address only where the host is one."""
    server = evidence.server_of.get(host, "")
    if direct := DIRECT_HOST.match(host):
        party = _direct(direct, port if seen_whole else 0, evidence)
        return party, server or "plex", f"direct-{party}"
    if (host, port) in evidence.relays:
        return Party.OWN_VIA_RELAY, server, "relay"
    if host in evidence.own.hosts:
        return Party.OWN, server, "own"
    if host in evidence.others.hosts:
        return Party.OTHER_HOME, server, "other"
    if owner := knowledge.owner(host):
        return party_of_pack(owner, knowledge), owner, "domain"
    if household(host):
        return Party.OWN, server, "household"
    # A media server that somebody runs at a hoster is his, not the hoster's.
    if not server and host not in evidence.asks and listed(host):
        return Party.THIRD_PARTY, "", "list"
    return Party.UNKNOWN, server, "server" if server or host in evidence.asks else "nothing"


def party_of_pack(pack: str, knowledge: Knowledge) -> Party:
    """Whether a pack is the vendor's own, or about a third party."""
    return Party.VENDOR if knowledge.products[pack].kind == "media-product" else Party.THIRD_PARTY


def _port(call: Exchange | Contact | Unreadable) -> int:
    if isinstance(call, Exchange):
        return call.port
    return call.server.port if isinstance(call, Contact) and call.server else 0


def entity_of(call: Exchange | Contact | Unreadable, party: Party, service: str, knowledge: Knowledge) -> str:
    """Who is at the other end: by a pack, by the list of third parties, else by what was registered."""
    if party in (Party.VENDOR, Party.THIRD_PARTY):
        return knowledge.products[service].entity if service else _named(call.host, knowledge)
    visit = not isinstance(call, Unreadable) and call.initiator == "outside"
    return registrable(call.host) if party is Party.UNKNOWN and not service and not visit else ""


def _named(host: str, knowledge: Knowledge) -> str:
    """Name of the company to which a host belongs, or else what was registered."""
    if owner := knowledge.owner(host):
        return knowledge.products[owner].entity
    found = listed(host)
    return found.name if found else registrable(host)


def answered_by(call: Exchange | Contact, party: Party, entity: str, knowledge: Knowledge, evidence: Evidence) -> str:
    """Who answers in place of the one whose name was called, as far as a DNS answer shows it."""
    alias = evidence.aliases.get(call.host)
    if alias is None or party not in (Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN):
        return ""
    other = _named(alias, knowledge)
    return other if other != entity else ""


def _direct(match: re.Match[str], port: int, evidence: Evidence) -> Party:
    if match["hash"] in evidence.others.hashes:
        return Party.OTHER_HOME
    if match["hash"] not in evidence.own.hashes:
        return Party.UNKNOWN
    address = address_of(match["address"])
    if (address, port) in evidence.relays or (match.string, port) in evidence.relays:
        return Party.OWN_VIA_RELAY
    ours = address in evidence.own.hosts or address in evidence.public_addresses or household(address)
    return Party.OWN if ours else Party.OWN_VIA_RELAY


def party_ground(call: Classified, knowledge: Knowledge, evidence: Evidence) -> str:
    """By what the party of a classified call was decided: a key of `steps.PARTY`."""
    seen = call.observation
    if isinstance(seen, Lookup):
        return "lookup-own" if call.party is Party.OWN else "lookup"
    party, _, ground = party_of(seen, knowledge, evidence)
    return ground if party is call.party else "rule"


type _Where = tuple[str, int, bool]
"""Host, port, and whether the call itself was seen."""


class _Parties:
    """Whose machine each server is, as far as it was asked for, under the evidence that was given last."""

    def __init__(self) -> None:
        self._met: dict[_Where, tuple[Party, str, str]] = {}
        self._evidence: Evidence | None = None

    def under(self, evidence: Evidence) -> dict[_Where, tuple[Party, str, str]]:
        """What is known under this evidence; nothing when it is another one than before."""
        if evidence is not self._evidence:
            self._met = {}
            self._evidence = evidence
        return self._met


@functools.lru_cache(maxsize=4)
def _parties(knowledge: Knowledge) -> _Parties:  # noqa: ARG001 - what is kept belongs to it
    return _Parties()
