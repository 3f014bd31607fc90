"""Which captures another version of a pack concerns: all others keep their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

import msgspec

from analysis.at import compile_host
from analysis.knowledge import Knowledge
from analysis.pipeline import Result
from captures.model import Exchange

MOST = 2_000
"""Signs of one kind that are kept of a capture; one with more is touched by every pack."""

_TOLD = ("user-agent", "referer", "origin")
"""Headers that nearly every call has: their values say who sent it."""


class Signs(msgspec.Struct, frozen=True, array_like=True):
    """What of a capture a rule could match.  Private."""

    hosts: tuple[str, ...] = ()
    """Hosts that were called or asked for."""
    names: tuple[str, ...] = ()
    """`header.x`, `query.x` of requests, `response.x` of answers."""
    told: tuple[str, ...] = ()
    """`header.user-agent=…`, likewise referer and origin."""
    packs: tuple[str, ...] = ()
    """Packs that were used."""
    whole: bool = False
    """Whether there were too many to keep."""


def signs(result: Result) -> Signs:
    """What was found in a capture -> what of it a rule could match."""
    hosts, names, told, packs = set[str](), set[str](), set[str](), set[str]()
    for call in result.calls:
        seen = call.observation
        hosts.add(seen.host)
        packs |= {call.product, call.service, call.rule.partition("/")[0]}
        if isinstance(seen, Exchange):
            names |= {f"header.{name}" for name, _ in seen.headers} | {
                f"query.{name.lower()}" for name, _ in seen.query
            }
            names |= {f"response.{name}" for name, _ in seen.response_headers}
            told |= {f"header.{name}={value.lower()}" for name, value in seen.headers if name in _TOLD}
    whole = max(map(len, (hosts, names, told))) > MOST
    if whole:
        return Signs(packs=tuple(sorted(packs - {""})), whole=True)
    return Signs(tuple(sorted(hosts)), tuple(sorted(names)), tuple(sorted(told)), tuple(sorted(packs - {""})))


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    """Two sets of packs (id -> hash) -> the ids of those that are new, gone or different."""
    return {pack for pack in old.keys() | new.keys() if old.get(pack) != new.get(pack)}


def is_touched(capture: Signs, packs: Sequence[str], knowledge: Knowledge) -> bool:
    """Whether any of the packs, as they are now, could say something else of a capture."""
    return capture.whole or any(pack in capture.packs or _fits(capture, pack, knowledge) for pack in packs)


def _fits(capture: Signs, pack: str, knowledge: Knowledge) -> bool:
    product = knowledge.products.get(pack)
    if product is None:
        return False
    if any(host == d or host.endswith("." + d) for host in capture.hosts for d in product.domains):
        return True
    if any(f"response.{name}" in capture.names for name in product.server_headers):
        return True
    for sign in product.senders:
        at = sign.at.lower()
        if at.partition(".")[2] in _TOLD:
            patterns = [f"{at}={value.lower()}" for value in sign.value]
            if any(fnmatch(told, pattern) for told in capture.told for pattern in patterns):
                return True
        elif at in capture.names:
            return True
    hosts = {h for rule in knowledge.rules.values() if rule.id.partition("/")[0] == pack for h in rule.match.host}
    return any(compile_host(pattern).fullmatch(host) for pattern in hosts for host in capture.hosts)
