"""A call, whose machine answers it -> the rule that it fits: the most specific one that holds.

Decided by the tables of the packs alone (`products/*/calls/*.toml`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from analysis.at import LONGEST_PATH, compile_host, compile_path
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Category, Party
from analysis.pack import Rule
from analysis.parties import party_of
from captures.model import Contact, Exchange

_MOST_HOSTS = 20_000
"""Rules of a host are looked up once; hostile traffic with endless names must not fill the memory."""

_MOST_PATHS = 1_000
_LONGEST = 1_000
"""Likewise the paths of a host, and the characters of one."""


def rule_of(call: Exchange | Contact, knowledge: Knowledge, evidence: Evidence) -> str:
    """The rule that `classify` finds for a call (`pack/call`), without the rest; empty when none fits."""
    party, service, _ = party_of(call, knowledge, evidence)
    rule = fitting_rule(call, knowledge, party, service, evidence)
    return rule.id if rule else ""


def fitting_rule(
    observation: Exchange | Contact, knowledge: Knowledge, party: Party, service: str, evidence: Evidence
) -> Compiled | None:
    """The most specific rule that fits a call to such a party and service; `None` when none does."""
    for index in _indexes(observation, _rules(knowledge), party, service, evidence):
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
    observation: Exchange | Contact, rules: _Rules, party: Party, service: str, evidence: Evidence
) -> Iterator[Compiled]:
    path = observation.path if isinstance(observation, Exchange) else None
    for index in _indexes(observation, rules, party, service, evidence):
        yield from index.tried(path)


def _indexes(
    observation: Exchange | Contact, rules: _Rules, party: Party, service: str, evidence: Evidence
) -> Iterator[_Index]:
    """Rules that are about the host, then those about own servers, if it may be one."""
    host = observation.host
    yield _of_host(host, rules)
    if party in (Party.VENDOR, Party.THIRD_PARTY) or (party is Party.UNKNOWN and host not in evidence.asks):
        return
    for pack in [service] if service else rules.own:
        yield rules.own.get(pack, _NO_RULES)


def _of_host(host: str, rules: _Rules) -> _Index:
    known = rules.of_host.get(host)
    if known is None:
        found = [_compiled(rule, name, rules) for rule, name in rules.exact.get(host, ())]
        rest = host
        while rest:
            patterns = (_compiled(rule, pattern, rules) for rule, pattern in rules.suffix.get(rest, ()))
            found.extend(rule for rule in patterns if rule.host and rule.host.fullmatch(host))
            rest = rest.partition(".")[2]
        if len(rules.of_host) >= _MOST_HOSTS:
            rules.of_host.clear()
        known = rules.of_host[host] = _Index(found) if found else _NO_RULES
    return known


def _compiled(rule: Rule, host: str, rules: _Rules) -> Compiled:
    known = rules.compiled.get((rule.id, host))
    if known is None:
        known = rules.compiled[rule.id, host] = _compile(rule, host)
    return known


def _misfit(rule: Compiled, call: Exchange | Contact) -> str:
    """The first condition of a rule that does not hold; empty when the rule fits."""
    if isinstance(call, Contact):
        return "content" if rule.path or rule.methods or rule.query or rule.header or rule.contains else ""
    return _misfit_otherwise(rule, call) if _fits_path(rule, call.path) else "path"


def _fits_path(rule: Compiled, path: str) -> bool:
    return rule.path is None or rule.path.fullmatch(path, 0, LONGEST_PATH) is not None


def _misfit_otherwise(rule: Compiled, call: Exchange) -> str:
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
    party, service, _ = party_of(observation, knowledge, evidence)
    rules = _candidates(observation, _rules(knowledge), party, service, evidence)
    return [Candidate(rule.id, rule.specificity, _misfit(rule, observation)) for rule in rules]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule with its patterns compiled."""

    id: str
    """`pack/call`."""
    pack: str
    """Pack id."""
    category: Category
    """What such calls are for."""
    role: str
    """What sends them (`app`, `server`, …); empty when anything does."""
    pinned: bool
    """Whether nobody but the product calls this host."""
    names_host: bool
    """Whether it is about named hosts, not about any own server."""
    host: re.Pattern[str] | None
    """`None` when the host is named exactly, or any own server is meant."""
    path: re.Pattern[str] | None
    """`None` when any path fits."""
    first: str | None
    """First step of the path; `None` when the pattern leaves it open."""
    methods: frozenset[str]
    """Empty when any method fits."""
    query: tuple[tuple[str, re.Pattern[str] | None], ...]
    """Parameters that have to be there, and what their values have to fit."""
    header: tuple[tuple[str, re.Pattern[str] | None], ...]
    """Headers, likewise."""
    contains: tuple[bytes, ...]
    """What has to stand in the body."""
    conditional: bool
    """Whether it asks for more than host and path."""
    specificity: tuple[int, ...]
    """As in `Candidate`."""


class _Index:
    """Rules that are about the same hosts, the most specific first."""

    def __init__(self, rules: Iterable[Compiled] = ()) -> None:
        ranked = sorted(rules, key=lambda rule: rule.specificity, reverse=True)
        self._by_first = {
            first: tuple(rule for rule in ranked if rule.first in (None, first))
            for first in {None, *(rule.first for rule in ranked)}
        }
        """First step of a path -> rules that may fit such a path; `None`: those for any other."""
        self._met: dict[str, tuple[Compiled, ...]] = {}

    def tried(self, path: str | None) -> tuple[Compiled, ...]:
        """Path -> rules that may fit it; without one (a connection) those that leave the path open."""
        first = path[1:].partition("/")[0] if path is not None else None
        return self._by_first[first if first in self._by_first else None]

    def of_path(self, path: str) -> tuple[Compiled, ...]:
        """Path -> rules whose pattern it fits; a client asks for the same ones ever."""
        found = self._met.get(path)
        if found is None:
            found = tuple(rule for rule in self.tried(path) if _fits_path(rule, path))
            if len(self._met) >= _MOST_PATHS:
                self._met.clear()
            if len(path) <= _LONGEST:
                self._met[path] = found
        return found


_NO_RULES = _Index()


@dataclass(frozen=True, slots=True)
class _Rules:
    """Rules by host, of one `Knowledge`."""

    exact: dict[str, list[tuple[Rule, str]]]
    """Host -> rules for it, compiled when it is met: all together take half a second."""
    suffix: dict[str, list[tuple[Rule, str]]]
    """Fixed end of a pattern of hosts -> rules with their patterns."""
    compiled: dict[tuple[str, str], Compiled]
    """Rule and its host or pattern -> what was compiled so far."""
    own: dict[str, _Index]
    """Pack -> its rules about any own server."""
    of_host: dict[str, _Index]
    """Host -> rules that are about it, as far as it was met."""


@functools.lru_cache(maxsize=4)
def _rules(knowledge: Knowledge) -> _Rules:
    rules = _Rules({}, {}, {}, {}, {})
    own: dict[str, list[Compiled]] = {}
    for rule in knowledge.rules.values():
        if rule.match.party == "own":
            compiled = _compile(rule, "")
            own.setdefault(compiled.pack, []).append(compiled)
        for host in rule.match.host:
            fixed = re.sub(r"^.*[*}]\.", "", host)
            (rules.suffix if _is_pattern(host) else rules.exact).setdefault(fixed, []).append((rule, host))
    rules.own.update({pack: _Index(of_pack) for pack, of_pack in own.items()})
    return rules


def _is_pattern(host: str) -> bool:
    return "*" in host or "{" in host


def _compile(rule: Rule, host: str) -> Compiled:
    match = rule.match
    pattern = _is_pattern(host)
    path = compile_path(match.path) if match.path else None
    conditions = len(match.query) + len(match.header) + len(match.contains) + bool(match.method)
    host_rank = 0 if not host else 1 if pattern else 2
    return Compiled(
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
