"""Host -> the company that runs it, by a list of third parties, or else its registrable domain.

The list (`entities.tsv`) is made by `analysis.entities_update` from npm's `third-party-web`; `entities.licence.txt` is
its licence.  It knows the web's advertisers, counters and hosters, not media servers: packs are asked first.
"""

from __future__ import annotations

import functools
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LIST = Path(__file__).with_name("entities.tsv")
"""One entity a line: name, category, domains; lines that begin with `#` say where it comes from."""

_MOST_HOSTS = 20_000
_LONGEST_HOST = 253
"""Characters of a host name (RFC 1035); hostile traffic may hold longer ones."""


class Entity(NamedTuple):
    """A company that the list names."""

    name: str
    """The company, or the service where the list names no company."""
    category: str
    """What the list takes it for: `ad`, `analytics`, `cdn`, `hosting`, `utility`, …  Of the company's main business,
    so it says nothing about one call."""


@functools.lru_cache(_MOST_HOSTS)
def entity(host: str) -> Entity | None:
    """Host name -> the entity whose domain is its longest ending in the list, or `None`.

    >>> entity("securepubads.g.doubleclick.net"), entity("notdoubleclick.net"), entity("203.0.113.7")
    (Entity(name='Google', category='ad'), None, None)
    """
    domains = _domains()
    rest = host[:_LONGEST_HOST]
    while rest:
        if found := domains.get(rest):
            return found
        rest = rest.partition(".")[2]
    return None


@functools.lru_cache(_MOST_HOSTS)
def registrable(host: str) -> str:
    """Host name -> the part that somebody registered (https://publicsuffix.org), private suffixes such as `github.io`
    included; empty for an address, a single label, a public suffix and what is no name.

    >>> registrable("t.stats.shop.co.uk"), registrable("alice.duckdns.org")
    ('shop.co.uk', 'alice.duckdns.org')
    >>> registrable("192.168.1.5"), registrable("nas"), registrable("co.uk")
    ('', '', '')
    """
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return (_suffixes().privatesuffix(host) or "") if len(host) <= _LONGEST_HOST else ""
    return ""


@functools.cache
def _domains() -> dict[str, Entity]:
    """3 ms for 3,000 domains, so it waits for the first host that no pack knows."""
    found: dict[str, Entity] = {}
    for line in LIST.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, category, domains = line.split("\t")
            found.update(dict.fromkeys(domains.split(" "), Entity(name, category)))
    return found


@functools.cache
def _suffixes() -> PublicSuffixList:
    """45 ms, so it waits for the first host that nobody knows."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
