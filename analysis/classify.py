"""Observation -> Classified: what a call is for, whose machine answers, and who sent it.

`rules`, `parties` and `senders` decide each of these by tables alone and by what the traffic proved (`Evidence`).
"""

from __future__ import annotations

from analysis.evidence import Evidence, household
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Party
from analysis.parties import answered_by, entity_of, party_of, party_of_pack
from analysis.rules import fitting_rule
from analysis.senders import sender
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable


def classify(observation: Observation, knowledge: Knowledge, evidence: Evidence, n: int = 0) -> Classified:
    """One observation -> what it is for.  Deterministic; never raises for an observation that a reader made.

    `n` is its position among the calls.  A connection whose content is not known fits only rules without a path.
    """
    if isinstance(observation, Lookup):
        return _lookup(observation, evidence, n)
    party, service, _ = party_of(observation, knowledge, evidence)
    if isinstance(observation, Unreadable):
        who = entity_of(observation, party, service, knowledge)
        return Classified(n, observation, "", service, Attribution.UNKNOWN, "", Category.UNKNOWN, party, who, "")
    rule = fitting_rule(observation, knowledge, party, service, evidence)
    if rule and not service:
        service = rule.pack
        if rule.names_host:
            party = party_of_pack(service, knowledge)
    category = rule.category if rule else Category.UNKNOWN
    if not rule and party in (Party.OWN, Party.OTHER_HOME, Party.OWN_VIA_RELAY):
        category = Category.SERVER_API
    elif not rule and party is Party.UNKNOWN and _is_stream(observation):
        category = Category.MEDIA_STREAM
    product, attribution, role = sender(observation, knowledge, rule, evidence)
    entity = entity_of(observation, party, service, knowledge)
    return Classified(
        n,
        observation,
        product,
        service,
        attribution,
        role,
        category,
        party,
        entity,
        rule.id if rule else "",
        answered_by(observation, party, entity, knowledge, evidence),
    )


def _is_stream(call: Exchange | Contact) -> bool:
    """Whether the answer is a film or a piece of music, and the request asks for it by its path alone."""
    if not isinstance(call, Exchange) or call.method not in ("GET", "HEAD") or call.query or call.body.size:
        return False
    kind = next((value for name, value in call.response_headers if name == "content-type"), "")
    return call.status in (200, 206) and kind.lower().startswith(("video/", "audio/"))


def _lookup(lookup: Lookup, evidence: Evidence, n: int) -> Classified:
    discovery = lookup.protocol not in ("dns", "llmnr")
    category = Category.LOCAL_DISCOVERY if discovery else Category.NAME_LOOKUP
    own = lookup.left_house is False or (lookup.server is not None and household(lookup.server.address))
    own = own or (lookup.server is not None and lookup.server.address in evidence.public_addresses)
    party = Party.OWN if own else Party.UNKNOWN
    return Classified(n, lookup, "", "", Attribution.UNKNOWN, "", category, party, "", "")
