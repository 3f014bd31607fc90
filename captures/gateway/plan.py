"""What is set up on a router so that chosen devices pass through the proxy, and nobody else does.

Everything depends on one set of MACs whose elements last seconds and are renewed by the running proxy: when it
dies or hangs, the devices are online again by themselves.  All other rules are without effect while the set is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from captures.gateway.network import Lan

type Way = Literal["tun", "redirect"]
"""`tun`: packets are led to an interface of the proxy's, TCP and QUIC, and back at once when it is gone;
`redirect`: nftables leads TCP ports 80 and 443 to the proxy's port, and QUIC is refused."""

TABLE = "phonehome"
"""Name of our table in nftables; nothing else is touched."""

SET = "watched"
"""Name of the set of MACs."""

LASTS: dict[Way, int] = {"tun": 8, "redirect": 5}
"""Seconds that an element of the set lasts.  In the way `tun` the end of the proxy frees the devices at once, and a set
that empties while a busy machine is late ends their connections."""

RENEWED = 2.0
"""Seconds between two renewals."""

TUN = "phonehome0"
"""Interface of the proxy's in the way `tun`."""

MARK = "0x40000000"
"""Bit of the packets' mark that leads them to the proxy; other bits are left to whoever uses them."""

ROUTES = "7068"
"""Number of the routing table, and of the rule that leads to it."""


type Kind = Literal["led", "excluded"]
"""What becomes of a packet of a chosen device, while it is led: to the proxy, or on its usual way."""

KINDS: tuple[Kind, ...] = ("led", "excluded")

_LED: dict[Way, tuple[str, ...]] = {
    # Resolvers and QUIC; what else speaks UDP (calls, games) is left alone.
    "tun": ("meta l4proto tcp", "udp dport { 53, 443, 853 }"),
    "redirect": ("tcp dport { 80, 443 }",),
}
"""What is led, of what leaves the house."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that `up` does and `down` takes back."""

    way: Way
    """How the traffic is led."""
    lan: Lan
    """The household's side."""
    devices: tuple[str, ...]
    """MACs, lower case."""
    port: int
    """Port of the proxy; counts for `redirect` alone."""
    ruleset: str
    """Text for `nft -f -`, loaded as one."""
    rules: tuple[tuple[str, ...], ...]
    """Arguments of `ip rule add` (with `-4` or `-6` first)."""
    sysctls: tuple[tuple[str, str], ...]
    """Name below /proc/sys, and the value that it must have."""


def plan(
    way: Way, lan: Lan, devices: tuple[str, ...], port: int, filtered: bool, advertised: tuple[str, ...] = ()
) -> Plan:
    """The household's side of a router and the chosen devices -> what has to be set up.

    `filtered`: whether the kernel drops packets that come from where it would not send them (`rp_filter` is 1).
    `advertised`: interfaces of which the way into the IPv6 Internet would be lost by forwarding.
    """
    rules: tuple[tuple[str, ...], ...] = ()
    sysctls = [("net/ipv4/ip_forward", "1")]
    if lan.networks6:
        sysctls += [(f"net/ipv6/conf/{name}/accept_ra", "2") for name in advertised]
        sysctls.append(("net/ipv6/conf/all/forwarding", "1"))
    if way == "tun":
        rules = tuple(
            (family, "pref", ROUTES, "fwmark", f"{MARK}/{MARK}", "lookup", ROUTES)
            for family, networks in (("-4", True), ("-6", lan.networks6))
            if networks
        )
        if filtered:
            sysctls.append(("net/ipv4/conf/all/rp_filter", "2"))
    return Plan(way, lan, devices, port, _ruleset(way, lan, devices, port), rules, tuple(sysctls))


def renewal(devices: tuple[str, ...], way: Way) -> str:
    """MACs -> text for `nft -f -` that keeps them in the set for some more seconds; of none: empties it at once."""
    text = f"flush set inet {TABLE} {SET}\n"
    if devices:
        elements = ", ".join(f"{device} timeout {LASTS[way]}s" for device in devices)
        text += f"add element inet {TABLE} {SET} {{ {elements} }}\n"
    return text


def counter(kind: Kind, device: str) -> str:
    """Name of a counter in nftables of what a device sent, by its MAC."""
    return f"{kind}_{device.replace(':', '')}"


def _ruleset(way: Way, lan: Lan, devices: tuple[str, ...], port: int) -> str:
    lines = [f"table inet {TABLE} {{", f"  set {SET} {{ type ether_addr; flags timeout; }}"]
    lines += [f"  counter {counter(kind, device)} {{ }}" for kind in KINDS for device in devices]
    for kind in KINDS:
        table = ", ".join(f'{device} : "{counter(kind, device)}"' for device in devices)
        mark = [f"    meta mark set meta mark | {MARK}"] if (way, kind) == ("tun", "led") else []
        lines += [f"  chain {kind} {{", f"    counter name ether saddr map {{ {table} }}", *mark, "  }"]
    # Not in the way of the first packet of a connection alone, as a redirection is: all are counted.
    lines += [
        "  chain from_device {",
        "    type filter hook prerouting priority mangle; policy accept;",
        *_not_ours(lan, "goto excluded"),
        *(f"    {what} goto led" for what in _LED[way]),
        "    goto excluded",
        "  }",
    ]
    return "\n".join([*lines, *(_redirected(lan, port) if way == "redirect" else ()), "}", ""])


def _redirected(lan: Lan, port: int) -> list[str]:
    return [
        "  chain to_proxy {",
        "    type nat hook prerouting priority dstnat; policy accept;",
        *_not_ours(lan, "return"),
        *(f"    {what} redirect to :{port}" for what in _LED["redirect"]),
        "  }",
        "  chain no_quic {",
        "    type filter hook forward priority filter; policy accept;",
        *_not_ours(lan, "return"),
        "    udp dport 443 counter reject",
        "  }",
        # A direct connection to the proxy's port would make it connect to itself, again and again.
        "  chain only_redirected {",
        "    type filter hook input priority filter; policy accept;",
        f'    iifname != "lo" tcp dport {port} ct original proto-dst {port} counter reject with tcp reset',
        "  }",
    ]


def _not_ours(lan: Lan, verdict: str) -> list[str]:
    """Ends a chain for what is none of our business: what other devices send, and, with this verdict, what the chosen
    ones send to the router itself and to the household's own networks.

    Also bridged traffic: with `bridge-nf-call-iptables`, as Docker sets it, what one device sends to another comes by.
    """
    lines = [
        f'    iifname != "{lan.interface}" return',
        f"    ether saddr != @{SET} return",
        f"    fib daddr type != unicast {verdict}",
        f"    ip6 daddr {{ fe80::/10, fc00::/7, ff00::/8 }} {verdict}",
        f"    ip daddr {{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 127.0.0.0/8 }} {verdict}",
    ]
    if networks := _unprivate4(lan.networks4):
        lines.append(f"    ip daddr {{ {', '.join(networks)} }} {verdict}")
    if lan.networks6:
        lines.append(f"    ip6 daddr {{ {', '.join(lan.networks6)} }} {verdict}")
    return lines


def _unprivate4(networks: tuple[str, ...]) -> list[str]:
    """Networks of the household that stand in no private range; one that overlaps another may stand in no set."""
    import ipaddress

    private = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]
    return [n for n in networks if not any(ipaddress.ip_network(n).subnet_of(p) for p in private)]  # type: ignore[arg-type]  # all are IPv4
