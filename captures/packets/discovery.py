"""What devices shout into the local network, and what they ask their router for.

Sources: UPnP Device Architecture 2.0 (SSDP), RFC 6886 (NAT-PMP), RFC 6887 (PCP), WS-Discovery 1.1; Plex' GDM as
python-plexapi speaks it; Jellyfin's AutoDiscovery.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass

GDM, SSDP, JELLYFIN, WS, NAT = (32410, 32411, 32412, 32413, 32414), (1900,), (7359,), (3702,), (5350, 5351)

PORTS = {
    **dict.fromkeys(GDM, "gdm"),
    **dict.fromkeys(SSDP, "ssdp"),
    **dict.fromkeys(JELLYFIN, "jellyfin"),
    **dict.fromkeys(WS, "ws-discovery"),
    **dict.fromkeys(NAT, "nat-pmp"),
}
"""UDP port of either end -> protocol."""

_TOLD = {
    "gdm": ("name", "resource-identifier", "host", "port", "version", "updated-at", "content-type", "product"),
    "ssdp": ("nt", "st", "usn", "location", "server", "user-agent"),
}
"""Fields of an announcement that say who it is, in the order in which they are shown."""

_MOST = 2000
"""Characters of a text that are kept."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """One discovery datagram."""

    protocol: str
    """As `Lookup.protocol`."""
    kind: str
    """`M-SEARCH`, `NOTIFY ssdp:alive`, `answer`, `map TCP 32400`…"""
    wanted: str
    """What is searched for; empty for an announcement and for a search for anything."""
    told: tuple[str, ...]
    """What it says of its sender, or what was granted."""
    answer: bool = False
    """Whether it answers a question."""
    rcode: str = ""
    """Result of a request to a router."""


def datagram(port: int, payload: bytes, *, to_port: bool) -> Datagram | None:
    """Payload on a port of `PORTS` -> what it says; `None` for something else.  `to_port`: it was sent to that port."""
    protocol = PORTS[port]
    if protocol == "nat-pmp":
        return _mapping(payload)
    if protocol == "jellyfin":
        return _jellyfin(payload)
    text = payload[:8192].decode("utf-8", "replace")
    if protocol == "ws-discovery":
        return _ws(text)
    return _headed(protocol, text, to_port)


_LINE = re.compile(r"(?:(M-SEARCH|NOTIFY|HELLO|BYE|UPDATE|SUBSCRIBE|PING) \*? ?HTTP/\d|HTTP/\d\.\d (\d{3}))")


def _headed(protocol: str, text: str, to_port: bool) -> Datagram | None:
    lines = text.splitlines()
    match = _LINE.match(lines[0]) if lines else None
    if not match:
        return None
    pairs = (line.partition(":") for line in lines[1:60])
    fields = {name.strip().lower(): value.strip()[:_MOST] for name, _, value in pairs if value.strip()}
    protocol = "gdm" if fields.get("content-type", "").startswith("plex/") else protocol
    told = tuple(f"{name}: {fields[name]}" for name in _TOLD[protocol] if name in fields)
    if match[1] == "M-SEARCH":
        wanted = fields.get("st", "")
        return Datagram(protocol, "M-SEARCH", "" if wanted == "ssdp:all" else wanted.lower(), ())
    if match[1]:
        kind = " ".join(part for part in (match[1], fields.get("nts", "")) if part)
        return Datagram(protocol, kind, "", told)
    # An answer in the form of HTTP that nobody asked for is an announcement.
    return Datagram(protocol, "answer" if not to_port else "announcement", "", told, answer=not to_port)


def _jellyfin(payload: bytes) -> Datagram | None:
    if payload[:7].lower() == b"who is ":
        return Datagram("jellyfin", "search", payload[7:64].decode("utf-8", "replace").strip("?\0 ").lower(), ())
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or "Id" not in told:
        return None
    shown = tuple(f"{key}: {told[key]}"[:_MOST] for key in ("Address", "Id", "Name") if isinstance(told.get(key), str))
    return Datagram("jellyfin", "answer", "", shown, answer=True)


_WS_KIND = re.compile(r"<(?:[\w.-]+:)?(ProbeMatches|ResolveMatches|Probe|Resolve|Hello|Bye)[\s/>]")
_WS_TYPES = re.compile(r"<(?:[\w.-]+:)?(Types|XAddrs|Address|Scopes)(?: [^<>]*)?>([^<]*)</")


def _ws(text: str) -> Datagram | None:
    match = _WS_KIND.search(text)
    if not match:
        return None
    told = [(name, " ".join(value.split())) for name, value in _WS_TYPES.findall(text[match.start() :])]
    if match[1] in ("Probe", "Resolve"):
        wanted = next((value for name, value in told if name in ("Types", "Address")), "")
        return Datagram("ws-discovery", match[1], wanted.lower()[:_MOST], ())
    shown = tuple(f"{name}: {value}"[:_MOST] for name, value in told[:12] if value)
    return Datagram("ws-discovery", match[1], "", shown, answer=match[1].endswith("Matches"))


_NAT_RESULTS = ("SUCCESS", "UNSUPP_VERSION", "NOT_AUTHORIZED", "NETWORK_FAILURE", "NO_RESOURCES", "UNSUPP_OPCODE")
_PCP_RESULTS = (*_NAT_RESULTS[:3], "MALFORMED_REQUEST", "UNSUPP_OPCODE", "UNSUPP_OPTION", "MALFORMED_OPTION")
_PROTOCOLS = {6: "TCP", 17: "UDP"}


def _mapping(payload: bytes) -> Datagram | None:
    """A question to the router: for the public address, or for a port to be opened to the whole world."""
    if len(payload) < 2 or payload[0] not in (0, 2):
        return None
    return _pcp(payload) if payload[0] == 2 else _nat_pmp(payload)


def _nat_pmp(payload: bytes) -> Datagram | None:
    code, answer = payload[1] & 0x7F, payload[1] >= 0x80
    if code > 2:
        return None
    kind = "public address" if code == 0 else f"map {'UDP' if code == 1 else 'TCP'}"
    if not answer:
        if code == 0:
            return Datagram("nat-pmp", kind, "", ()) if len(payload) == 2 else None
        if len(payload) < 12:
            return None
        inside, outside, seconds = (int.from_bytes(payload[a:b]) for a, b in ((4, 6), (6, 8), (8, 12)))
        return Datagram("nat-pmp", _asked(kind, inside, outside, seconds), "", ())
    if len(payload) < 4:
        return None
    result = int.from_bytes(payload[2:4])
    rcode = _NAT_RESULTS[result] if result < len(_NAT_RESULTS) else f"RESULT{result}"
    told = ""
    if code == 0 and len(payload) >= 12:
        told = str(ipaddress.IPv4Address(payload[8:12]))
    elif len(payload) >= 16:
        told = f"port {int.from_bytes(payload[10:12])} for {int.from_bytes(payload[12:16])} s"
    return Datagram("nat-pmp", kind, "", (told,) if told else (), answer=True, rcode=rcode)


def _asked(kind: str, inside: int, outside: int, seconds: int) -> str:
    if not seconds:
        return f"un{kind} {inside}"
    return f"{kind} {inside}" + (f" as {outside}" if outside and outside != inside else "") + f" for {seconds} s"


def _pcp(payload: bytes) -> Datagram | None:
    if len(payload) < 24:
        return None
    code, answer, seconds = payload[1] & 0x7F, payload[1] >= 0x80, int.from_bytes(payload[4:8])
    rcode = (_PCP_RESULTS[payload[3]] if payload[3] < len(_PCP_RESULTS) else f"RESULT{payload[3]}") if answer else ""
    if code != 1 or len(payload) < 60:
        kind = {0: "announce", 1: "map", 2: "peer"}.get(code, "")
        return Datagram("nat-pmp", kind, "", (), answer=answer, rcode=rcode) if kind else None
    kind = f"map {_PROTOCOLS.get(payload[36], 'any')}"
    inside, outside = int.from_bytes(payload[40:42]), int.from_bytes(payload[42:44])
    if not answer:
        return Datagram("nat-pmp", _asked(kind, inside, outside, seconds), "", ())
    address = ipaddress.IPv6Address(payload[44:60])
    told = f"{address.ipv4_mapped or address} port {outside} for {seconds} s"
    return Datagram("nat-pmp", kind, "", (told,), answer=True, rcode=rcode)
