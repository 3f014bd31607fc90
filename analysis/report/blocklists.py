"""Outline -> lists of names to block, each with what goes there and what breaks, as comments.

| list | for |
|---|---|
| hosts | `/etc/hosts`, Pi-hole |
| adblock | AdGuard Home, uBlock Origin |
| unbound | unbound, OPNsense, pfSense |
| nft | nftables, filled by dnsmasq |
| iap | Little Snitch: an Internet Access Policy, which describes and does not block |
"""

from __future__ import annotations

from collections.abc import Iterator

from analysis import VERSION, texts
from analysis.advice import breaks, shipped_blocking
from analysis.outline import Outline, OutlineHost
from analysis.report.as_json import dump
from analysis.texts import export as words
from analysis.texts.advice import EFFECTS
from analysis.vocabulary import vocabulary

WORDS = (
    "0.0.0.0",  # noqa: S104  the address to which blocked names lead
    "||", "server", "local-zone", "always_nxdomain", "table", "inet", "phonehome", "set", "names4", "names6",
    "type", "ipv4_addr", "ipv6_addr", "flags", "timeout", "24h", "chain", "forward", "hook", "filter", "priority",
    "policy", "accept", "ip", "ip6", "daddr", "reject", "nftset", "ApplicationDescription", "Connections", "IsIncoming",
    "Host", "NetworkProtocol", "TCP", "Port", "443", "Relevance", "Essential", "Default", "Purpose", "DenyConsequences",
    "false",
)  # fmt: skip
"""What these outputs write around texts."""

LINES: dict[str, tuple[str, str, bool]] = {
    "hosts": ("#", "0.0.0.0 {name}", False),
    "adblock": ("!", "||{name}^", True),
    "unbound": ("#", '    local-zone: "{name}" always_nxdomain', True),
    "nft": ("#", "nftset=/{name}/4#inet#phonehome#names4,6#inet#phonehome#names6", True),
}
"""List -> its mark of a comment, its line, and whether a name stands for all names below it."""

_NFT = """table inet phonehome {
    set names4 { type ipv4_addr; flags timeout; timeout 24h; }
    set names6 { type ipv6_addr; flags timeout; timeout 24h; }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip daddr @names4 reject
        ip6 daddr @names6 reject
    }
}"""


def render(outline: Outline, form: str) -> str:
    """Outline, one of `LINES` -> the list."""
    mark = LINES[form][0]
    parts = [_comments(mark, _head(outline))]
    if form == "nft":
        parts += [_comments(mark, [words.BLOCK_NFT]), _NFT]
    if form == "unbound":
        parts.append("server:")
    parts += [_block(host, outline, form) for host in outline.hosts]
    return "\n\n".join(parts) + "\n"


def access_policy(outline: Outline) -> str:
    """Outline -> Internet Access Policy in JSON, as Little Snitch 4.0.5 and later take it."""
    connections = [
        {
            "IsIncoming": False,
            "Host": shown_name(host, outline),
            "NetworkProtocol": "TCP",
            "Port": "443",
            "Relevance": "Essential" if host.effect == "keep" else "Default",
            "Purpose": words.IAP_PURPOSE.format(purposes=_purposes(host), items=_items(host) or words.IAP_NOTHING),
            "DenyConsequences": words.IAP_DENY.format(breaks=_breaks(host)),
        }
        for host in outline.hosts
    ]
    about = words.IAP_ABOUT.format(version=VERSION)
    return dump({"ApplicationDescription": about, "Connections": connections})


def shown_name(host: OutlineHost, outline: Outline) -> str:
    """The name to block: of a numbered one, what the user chose to show."""
    name = next((x.name for x in outline.shown if x.host == host.name), host.name)
    return _filled(name)


def _filled(name: str) -> str:
    """A pattern with one kind of wildcard."""
    return ".".join("*" if label.startswith("{") else label for label in name.split("."))


def _head(outline: Outline) -> Iterator[str]:
    yield words.BLOCK_NOTE.format(version=VERSION)
    yield words.BLOCK_SWITCH
    if outline.unnamed != "0":
        yield words.BLOCK_UNNAMED.format(n=outline.unnamed)
    if not outline.hosts:
        yield words.BLOCK_NONE


def _block(host: OutlineHost, outline: Outline, form: str) -> str:
    mark, line, below = LINES[form]
    name = shown_name(host, outline)
    told = [words.BLOCK_HOST.format(name=name, entity=host.entity or texts.NOBODY_KNOWN, purposes=_purposes(host))]
    if host.carried:
        told.append(words.BLOCK_CARRIED.format(items=_items(host)))
    told.append(words.BLOCK_EFFECT.format(effect=EFFECTS[host.effect], breaks=_breaks(host)))
    bare = name.removeprefix("*.") if below else name
    if "*" in bare:
        return _comments(mark, [*told, words.BLOCK_PATTERN.format(name=name)])
    rule = line.format(name=bare)
    # The lines of dnsmasq belong into another file, so that they are comments among the rules of nft in any case.
    marks = [mark] * ((form == "nft") + (host.effect != "block"))
    return "\n".join((_comments(mark, told), " ".join((*marks, rule))))


def _purposes(host: OutlineHost) -> str:
    return ", ".join(texts.CATEGORIES[category] for category in host.categories)


def _items(host: OutlineHost) -> str:
    return ", ".join(vocabulary().shipped.items[item].label for item in host.carried)


def _breaks(host: OutlineHost) -> str:
    return breaks(host.name, host.categories, host.readable, shipped_blocking())[1]


def _comments(mark: str, lines: Iterator[str] | list[str]) -> str:
    return "\n".join(f"{mark} {line}" for line in lines)
