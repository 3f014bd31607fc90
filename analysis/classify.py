"""Observation -> Classified: what a call is for, whose machine answers, and who sent it.

Decided by tables alone (`products/*/calls/*.toml`, `product.toml`) and by what the traffic proved (`Evidence`).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from analysis.at import LONGEST_PATH, compile_host, compile_path
from analysis.entities import entity as listed
from analysis.entities import registrable
from analysis.evidence import DIRECT_HOST, Evidence, address_of, household
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Party
from analysis.pack import Rule
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable

_MOST_HOSTS = 20_000
"""Rules of a host are looked up once; hostile traffic with endless names must not fill the memory."""

_MOST_VALUES = 1_000
_LONGEST_VALUE = 1_000
"""Likewise the values of a header that shows the sender, and the characters of one."""


def classify(observation: Observation, knowledge: Knowledge, evidence: Evidence, n: int = 0) -> Classified:
    """One observation -> what it is for.  Deterministic; never raises for an observation that a reader made.

    `n` is its position among the calls.  A connection whose content is not known fits only rules without a path.
    """
    if isinstance(observation, Lookup):
        return _lookup(observation, evidence, n)
    table = _table(knowledge)
    party, service, _ = _party(observation, knowledge, evidence)
    if isinstance(observation, Unreadable):
        who = _entity(observation, party, service, knowledge)
        return Classified(n, observation, "", service, Attribution.UNKNOWN, "", Category.UNKNOWN, party, who, "")
    rule = _rule(observation, table, party, service, evidence)
    if rule and not service:
        service = rule.pack
        if rule.names_host:
            party = _party_of(service, knowledge)
    category = rule.category if rule else Category.UNKNOWN
    if not rule and party in (Party.OWN, Party.OTHER_HOME, Party.OWN_VIA_RELAY):
        category = Category.SERVER_API
    elif not rule and party is Party.UNKNOWN and _is_stream(observation):
        category = Category.MEDIA_STREAM
    product, attribution, role = _sender(observation, table, rule, evidence)
    entity = _entity(observation, party, service, knowledge)
    answered_by = _answered_by(observation, party, entity, knowledge, evidence)
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
        answered_by,
    )


def _is_stream(call: Exchange | Contact) -> bool:
    """Whether the answer is a film or a piece of music, and the request asks for it by its path alone."""
    if not isinstance(call, Exchange) or call.method not in ("GET", "HEAD") or call.query or call.body.size:
        return False
    kind = next((value for name, value in call.response_headers if name == "content-type"), "")
    return call.status in (200, 206) and kind.lower().startswith(("video/", "audio/"))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its patterns compiled."""

    id: str
    pack: str
    category: Category
    role: str
    pinned: bool
    names_host: bool
    """Whether it is about named hosts, not about any own server."""
    host: re.Pattern[str] | None
    path: re.Pattern[str] | None
    first: str | None
    """First step of the path; `None` when the pattern leaves it open."""
    methods: frozenset[str]
    query: tuple[tuple[str, re.Pattern[str] | None], ...]
    header: tuple[tuple[str, re.Pattern[str] | None], ...]
    contains: tuple[bytes, ...]
    conditional: bool
    """Whether it asks for more than host and path."""
    specificity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    product: str
    role: str
    attribution: Attribution
    fits: Callable[[str], object]
    names: Callable[[str], object]
    """Whether a value names a product at all, this one or another."""


type _Shown = tuple[int, str, Attribution, str]
"""Rank (0: the strongest), pack, how, role."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """All signs in one header or parameter, and what values that were met show; a device sends the same ones ever."""

    signs: list[_Sign]
    met: dict[str, _Shown | None]

    def shown(self, value: str) -> _Shown | None:
        """What the value shows of the sender; a product header that fits no sign shows that it is another product."""
        if value in self.met:
            return self.met[value]
        found: list[_Shown] = []
        for sign in self.signs:
            rank = _STRENGTH.index(sign.attribution)
            if sign.fits(value):
                found.append((rank, sign.product, sign.attribution, sign.role))
            elif rank == 0 and sign.names(value):
                found.append((1, "", Attribution.UNKNOWN, ""))
        best = min(found, key=_rank, default=None)
        if len(self.met) >= _MOST_VALUES:
            self.met.clear()
        if len(value) <= _LONGEST_VALUE:
            self.met[value] = best
        return best


_rank = operator.itemgetter(0)


class _Index:
    """Rules that are about the same hosts, the most specific first."""

    def __init__(self, rules: Iterable[_Compiled] = ()) -> None:
        ranked = sorted(rules, key=lambda rule: rule.specificity, reverse=True)
        self._by_first = {
            first: tuple(rule for rule in ranked if rule.first in (None, first))
            for first in {None, *(rule.first for rule in ranked)}
        }
        """First step of a path -> rules that may fit such a path; `None`: those for any other."""
        self._met: dict[str, tuple[_Compiled, ...]] = {}

    def tried(self, path: str | None) -> tuple[_Compiled, ...]:
        """Path -> rules that may fit it; without one (a connection) those that leave the path open."""
        first = path[1:].partition("/")[0] if path is not None else None
        return self._by_first[first if first in self._by_first else None]

    def of_path(self, path: str) -> tuple[_Compiled, ...]:
        """Path -> rules whose pattern it fits; a client asks for the same ones ever."""
        found = self._met.get(path)
        if found is None:
            found = tuple(rule for rule in self.tried(path) if _fits_path(rule, path))
            if len(self._met) >= _MOST_VALUES:
                self._met.clear()
            if len(path) <= _LONGEST_VALUE:
                self._met[path] = found
        return found


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


@dataclass(frozen=True, slots=True)
class _Table:
    """Rules by host, and senders by header, of one `Knowledge`."""

    exact: dict[str, list[tuple[Rule, str]]]
    """Host -> rules for it, compiled when it is met: all together take half a second."""
    suffix: dict[str, list[tuple[Rule, str]]]
    """Fixed end of a pattern of hosts -> rules with their patterns."""
    compiled: dict[tuple[str, str], _Compiled]
    """Rule and its host or pattern -> what was compiled so far."""
    own: dict[str, _Index]
    of_host: dict[str, _Index]
    header_signs: dict[str, _Signs]
    query_signs: dict[str, _Signs]
    parties: _Parties


@functools.lru_cache(maxsize=4)
def _table(knowledge: Knowledge) -> _Table:
    table = _Table({}, {}, {}, {}, {}, {}, {}, _Parties())
    own: dict[str, list[_Compiled]] = {}
    for rule in knowledge.rules.values():
        if rule.match.party == "own":
            compiled = _compile(rule, "")
            own.setdefault(compiled.pack, []).append(compiled)
        for host in rule.match.host:
            fixed = re.sub(r"^.*[*}]\.", "", host)
            (table.suffix if _is_pattern(host) else table.exact).setdefault(fixed, []).append((rule, host))
    table.own.update({pack: _Index(rules) for pack, rules in own.items()})
    for product in knowledge.products.values():
        for sign in product.senders:
            where, _, name = sign.at.lower().partition(".")
            attribution = _SIGNS.get(name, Attribution.PRODUCT_HEADER)
            signs = table.header_signs if where == "header" else table.query_signs
            role = "" if sign.role == "any" else sign.role
            fits, names = _any_of(sign.value), _any_of(sign.among or ("*",))
            signs.setdefault(name, _Signs([], {})).signs.append(_Sign(product.id, role, attribution, fits, names))
    return table


def _any_of(patterns: tuple[str, ...]) -> Callable[[str], object]:
    return re.compile("|".join(translate(pattern) for pattern in patterns), re.IGNORECASE).match


_SIGNS = {"user-agent": Attribution.USER_AGENT, "referer": Attribution.REFERER, "origin": Attribution.REFERER}


def _is_pattern(host: str) -> bool:
    return "*" in host or "{" in host


def _compile(rule: Rule, host: str) -> _Compiled:
    match = rule.match
    pattern = _is_pattern(host)
    path = compile_path(match.path) if match.path else None
    conditions = len(match.query) + len(match.header) + len(match.contains) + bool(match.method)
    host_rank = 0 if not host else 1 if pattern else 2
    return _Compiled(
        id=rule.id,
        pack=rule.id.partition("/")[0],
        category=rule.category,
        role="" if rule.sender == "any" else rule.sender,
        pinned=rule.pinned,
        names_host=bool(host),
        host=compile_host(host) if pattern else None,
        path=path,
        first=first[1] if (first := _FIRST.match(match.path)) else None,
        methods=frozenset(match.method),
        query=tuple(_condition(text) for text in match.query),
        header=tuple(_condition(text) for text in match.header),
        contains=tuple(text.encode() for text in match.contains),
        conditional=conditions > 0,
        specificity=(host_rank, len(host), *_path_rank(match.path), conditions),
    )


_FIRST = re.compile(r"/([^/*{]*)(?:/|\Z)")


def _path_rank(path: str) -> tuple[int, int]:
    """Exact path, then the longer fixed beginning, then none."""
    if not path:
        return 0, 0
    fixed = re.match(r"[^*{]*", path)
    length = fixed.end() if fixed else 0
    return (2, length) if length == len(path) else (1, length)


def _condition(text: str) -> tuple[str, re.Pattern[str] | None]:
    name, given, value = text.partition("=")
    return name.lower(), re.compile(translate(value), re.IGNORECASE) if given else None


def fitting(
    observation: Exchange | Contact, knowledge: Knowledge, evidence: Evidence
) -> list[tuple[str, tuple[int, ...]]]:
    """All rules that fit, the most specific first, each with its specificity; `classify` takes the first.

    Empty when none fits.  For who writes rules: two that fit one example must not be equally specific.
    """
    tried = candidates(observation, knowledge, evidence)
    return [(candidate.rule, candidate.specificity) for candidate in tried if not candidate.misfit]


class Candidate(NamedTuple):
    """A rule that was tried."""

    rule: str
    """`pack/call`."""
    specificity: tuple[int, ...]
    """Host (2 exact, 1 pattern, 0 any own server) and its length, path (2 exact, 1 pattern, 0 any) and the length of
    its fixed beginning, number of further conditions."""
    misfit: str
    """Empty: it fits; else the first condition that does not hold: `content`, `path`, `method`, `query`, `header`,
    `body`."""


def candidates(observation: Exchange | Contact, knowledge: Knowledge, evidence: Evidence) -> list[Candidate]:
    """The rules that are tried on a call, in their order; `classify` takes the first that fits."""
    party, service, _ = _party(observation, knowledge, evidence)
    rules = _candidates(observation, _table(knowledge), party, service, evidence)
    return [Candidate(rule.id, rule.specificity, _misfit(rule, observation)) for rule in rules]


class Sign(NamedTuple):
    """A header or parameter that shows who sent a call."""

    at: str
    """`header.name` or `query.name`."""
    value: str
    """What stands there.  Private."""
    product: str
    """Pack id; empty when it shows a program that no pack knows."""
    attribution: Attribution
    """How strong it is."""


def signs(call: Exchange, knowledge: Knowledge) -> list[Sign]:
    """Everything in a call that shows its sender, the strongest first; `classify` takes the first."""
    table = _table(knowledge)
    found: list[tuple[int, Sign]] = []
    for where, pairs, known in (
        ("header", call.headers, table.header_signs),
        ("query", call.query, table.query_signs),
    ):
        for name, value in pairs:
            if (of_name := known.get(name.lower())) and (shown := of_name.shown(value)):
                found.append((shown[0], Sign(f"{where}.{name}", value, shown[1], shown[2])))
    return [sign for _, sign in sorted(found, key=_rank)]


def party_ground(call: Classified, knowledge: Knowledge, evidence: Evidence) -> str:
    """By what the party of a classified call was decided: a key of `steps.PARTY`."""
    seen = call.observation
    if isinstance(seen, Lookup):
        return "lookup-own" if call.party is Party.OWN else "lookup"
    party, _, ground = _party(seen, knowledge, evidence)
    return ground if party is call.party else "rule"


def rule_of(call: Exchange | Contact, knowledge: Knowledge, evidence: Evidence) -> str:
    """The rule that `classify` finds for a call (`pack/call`), without the rest; empty when none fits."""
    party, service, _ = _party(call, knowledge, evidence)
    rule = _rule(call, _table(knowledge), party, service, evidence)
    return rule.id if rule else ""


def _rule(
    observation: Exchange | Contact, table: _Table, party: Party, service: str, evidence: Evidence
) -> _Compiled | None:
    for index in _indexes(observation, table, party, service, evidence):
        if isinstance(observation, Exchange):
            for rule in index.of_path(observation.path):
                if rule.conditional and _misfit_otherwise(rule, observation):
                    continue
                return rule
        else:
            for rule in index.tried(None):
                if not _misfit(rule, observation):
                    return rule
    return None


def _candidates(
    observation: Exchange | Contact, table: _Table, party: Party, service: str, evidence: Evidence
) -> Iterator[_Compiled]:
    path = observation.path if isinstance(observation, Exchange) else None
    for index in _indexes(observation, table, party, service, evidence):
        yield from index.tried(path)


def _indexes(
    observation: Exchange | Contact, table: _Table, party: Party, service: str, evidence: Evidence
) -> Iterator[_Index]:
    """Rules that are about the host, then those about own servers, if it may be one."""
    host = observation.host
    yield _of_host(host, table)
    if party in (Party.VENDOR, Party.THIRD_PARTY) or (party is Party.UNKNOWN and host not in evidence.asks):
        return
    for pack in [service] if service else table.own:
        yield table.own.get(pack, _NO_RULES)


_NO_RULES = _Index()


def _of_host(host: str, table: _Table) -> _Index:
    known = table.of_host.get(host)
    if known is None:
        found = [_compiled(rule, name, table) for rule, name in table.exact.get(host, ())]
        rest = host
        while rest:
            patterns = (_compiled(rule, pattern, table) for rule, pattern in table.suffix.get(rest, ()))
            found.extend(rule for rule in patterns if rule.host and rule.host.fullmatch(host))
            rest = rest.partition(".")[2]
        if len(table.of_host) >= _MOST_HOSTS:
            table.of_host.clear()
        known = table.of_host[host] = _Index(found) if found else _NO_RULES
    return known


def _compiled(rule: Rule, host: str, table: _Table) -> _Compiled:
    known = table.compiled.get((rule.id, host))
    if known is None:
        known = table.compiled[rule.id, host] = _compile(rule, host)
    return known


def _misfit(rule: _Compiled, call: Exchange | Contact) -> str:
    """The first condition of a rule that does not hold; empty when the rule fits."""
    if isinstance(call, Contact):
        return "content" if rule.path or rule.methods or rule.query or rule.header or rule.contains else ""
    return _misfit_otherwise(rule, call) if _fits_path(rule, call.path) else "path"


def _fits_path(rule: _Compiled, path: str) -> bool:
    return rule.path is None or rule.path.fullmatch(path, 0, LONGEST_PATH) is not None


def _misfit_otherwise(rule: _Compiled, call: Exchange) -> str:
    """As `_misfit`, for a call whose path fits."""
    if rule.methods and call.method not in rule.methods:
        return "method"
    if rule.query and not all(_holds(condition, call.query) for condition in rule.query):
        return "query"
    if rule.header and not all(_holds(condition, call.headers) for condition in rule.header):
        return "header"
    if rule.contains and not all(text in (call.body.content or b"") for text in rule.contains):
        return "body"
    return ""


def _holds(condition: tuple[str, re.Pattern[str] | None], pairs: tuple[tuple[str, str], ...]) -> bool:
    name, pattern = condition
    return any(key.lower() == name and (pattern is None or pattern.match(value)) for key, value in pairs)


def judged_host(
    host: str, port: int, knowledge: Knowledge, evidence: Evidence, *, seen_whole: bool
) -> tuple[Party, str, bool]:
    """A host and port -> all that depends on the evidence in a call there but for its sender and who answers.

    That is whose machine it is, the pack of its service, and whether it is to be asked whose it is.  `seen_whole`:
    whether the call itself was seen, not only a connection.
    """
    party, service, _ = _decided(host, port, seen_whole, knowledge, evidence)
    return party, service, host in evidence.asks


def _party(call: Exchange | Contact | Unreadable, knowledge: Knowledge, evidence: Evidence) -> tuple[Party, str, str]:
    """Whose machine, the pack of its service, and by what that is known (a key of `steps.PARTY`).

    A household asks the same servers ever, so each is decided once.
    """
    met = _table(knowledge).parties.under(evidence)
    where = call.host, _port(call), isinstance(call, Exchange)
    found = met.get(where)
    if found is None:
        found = _decided(*where, knowledge, evidence)
        if len(met) >= _MOST_HOSTS:
            met.clear()
        if len(call.host) <= _LONGEST_VALUE:
            met[where] = found
    return found


def _decided(
    host: str, port: int, seen_whole: bool, knowledge: Knowledge, evidence: Evidence
) -> tuple[Party, str, str]:
    """As `_party`: by name first, by address only where the host is one."""
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
        return _party_of(owner, knowledge), owner, "domain"
    if household(host):
        return Party.OWN, server, "household"
    # A media server that somebody runs at a hoster is his, not the hoster's.
    if not server and host not in evidence.asks and listed(host):
        return Party.THIRD_PARTY, "", "list"
    return Party.UNKNOWN, server, "server" if server or host in evidence.asks else "nothing"


def _party_of(pack: str, knowledge: Knowledge) -> Party:
    return Party.VENDOR if knowledge.products[pack].kind == "media-product" else Party.THIRD_PARTY


def _port(call: Exchange | Contact | Unreadable) -> int:
    if isinstance(call, Exchange):
        return call.port
    return call.server.port if isinstance(call, Contact) and call.server else 0


def _entity(call: Exchange | Contact | Unreadable, party: Party, service: str, knowledge: Knowledge) -> str:
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


def _answered_by(call: Exchange | Contact, party: Party, entity: str, knowledge: Knowledge, evidence: Evidence) -> str:
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


def _lookup(lookup: Lookup, evidence: Evidence, n: int) -> Classified:
    discovery = lookup.protocol not in ("dns", "llmnr")
    category = Category.LOCAL_DISCOVERY if discovery else Category.NAME_LOOKUP
    own = lookup.left_house is False or (lookup.server is not None and household(lookup.server.address))
    own = own or (lookup.server is not None and lookup.server.address in evidence.public_addresses)
    party = Party.OWN if own else Party.UNKNOWN
    return Classified(n, lookup, "", "", Attribution.UNKNOWN, "", category, party, "", "")


def _sender(
    call: Exchange | Contact, table: _Table, rule: _Compiled | None, evidence: Evidence
) -> tuple[str, Attribution, str]:
    role = rule.role if rule else ""
    if isinstance(call, Exchange):
        shown = _shown_sender(call, table)
        if shown:
            return shown[0], shown[1], shown[2] or role
    if rule and rule.pinned:
        return rule.pack, Attribution.PINNED_HOST, role
    neighbour = evidence.senders.get(call.client) if call.client else None
    if neighbour:
        return neighbour, Attribution.NEIGHBOUR, role
    return "", Attribution.UNKNOWN, role


_STRENGTH = (Attribution.PRODUCT_HEADER, Attribution.PROCESS, Attribution.USER_AGENT, Attribution.REFERER)


def _shown_sender(call: Exchange, table: _Table) -> tuple[str, Attribution, str] | None:
    """What the call itself shows of its sender: (pack, how, role); a product that no pack knows is `("", …)`.

    `None` when it shows nothing.
    """
    found: list[_Shown] = []
    of_header, of_query = table.header_signs, table.query_signs
    for name, value in call.headers:
        if name in of_header and (shown := of_header[name].shown(value)):
            found.append(shown)
    for name, value in call.query:
        if (name := name.lower()) in of_query and (shown := of_query[name].shown(value)):
            found.append(shown)
    return min(found, key=_rank)[1:] if found else None
