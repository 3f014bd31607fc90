"""A filter for the kernel: which packets of an interface are passed on whole, and which are cut after their headers.

The program is classic BPF.  It says for each packet how many of its bytes are passed on; how long the packet was is
told apart, so that what is cut still counts.  Whatever may say something passes whole, and so does all that the program
does not understand (tunnels, fragments, rare headers).  What is neither TCP nor UDP is left out: it says nothing here.

Sources: linux/filter.h; McCanne and Jacobson, The BSD Packet Filter (1993); Documentation/networking/filter.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from captures.packets import discovery, quic
from captures.packets.speaking import BEGINNINGS, DNS, SHOUTED

WHOLE = 1 << 18
"""Bytes that are passed on of a packet that may say something: more than the longest has."""

KEPT = 64
"""Bytes after the headers that are passed on of any other packet: alerts, STUN and SOCKS need no rule of their own."""

CLEAR = frozenset((80, 1400, 7878, 8008, 8060, 8080, 8096, 8181, 8200, 8989, 32400, 49152))
"""TCP ports at which servers and devices of a household speak HTTP in clear: bodies are wanted, too."""

MOST_CLEAR = 40
"""Ports of this kind that there is room for: a jump in a program reaches no further."""

_TLS = (443, 853, 5223, 5228, 8443, 8883, 8920)
"""TCP ports to which a ClientHello is sent; a long one comes in several segments, the later ones have no mark."""

_TUNNELS = (2152, 4789)
"""UDP ports of tunnels."""

_CODES = {
    "ld len": 0x80,
    "ld": 0x20,
    "ldh": 0x28,
    "ldb": 0x30,
    "ld x": 0x40,
    "ldh x": 0x48,
    "ldb x": 0x50,
    "ldx #": 0x01,
    "add": 0x04,
    "add x": 0x0C,
    "sub x": 0x1C,
    "and": 0x54,
    "lsh": 0x64,
    "rsh": 0x74,
    "tax": 0x07,
    "txa": 0x87,
    "ja": 0x05,
    "jeq": 0x15,
    "jgt": 0x25,
    "jset": 0x45,
    "jgt x": 0x2D,
    "ret": 0x06,
    "ret a": 0x16,
}
"""Name of an instruction -> its code.  A load beyond the packet's end ends the program: the packet is left out."""

_PACKET_TYPE = 0xFFFFF000 + 4
"""Place at which the kernel answers a load with the packet's type."""

_OUTGOING = 4


class Step(NamedTuple):
    """One instruction; `then` and `otherwise` are labels, empty for the next instruction."""

    name: str
    value: int = 0
    then: str = ""
    otherwise: str = ""


type Part = str | Step
"""A label or an instruction."""


def program(link: int, clear: Set[int] = CLEAR, *, loopback: bool = False) -> bytes:
    """Link type (1: Ethernet, 101: IP without a link) -> the program, an array of `struct sock_filter`.

    `clear` are TCP ports, at most `MOST_CLEAR`, of which all passes.  `loopback`: each packet is seen twice, as it goes
    out and as it comes in; the first is left out.
    """
    first = [Step("ld", _PACKET_TYPE), Step("jeq", _OUTGOING, "nothing")] if loopback else []
    parts = ([*first, *(_ETHERNET if link == 1 else _RAW)], _IP, _tcp(clear), _UDP)
    return _assembled([step for part in parts for step in (*part, *_ENDS)])


def _any(values: Iterable[int], then: str = "whole") -> list[Part]:
    return [Step("jeq", value, then) for value in sorted(set(values))]


def _at(offset: int, protocol: int, then: Sequence[tuple[int, str]]) -> list[Part]:
    """Goes on with the IP packet at `offset`, if the number at `protocol` says that there is one."""
    return [Step("ldx #", offset), Step("ldh", protocol), *(Step("jeq", value, label) for value, label in then)]


_ETHERTYPES = ((0x0800, "v4"), (0x86DD, "v6"))
_PPP = ((0x0021, "v4"), (0x0057, "v6"))

_ETHERNET: list[Part] = [
    *_at(14, 12, (*_ETHERTYPES, (0x8864, "pppoe"))),
    # Two tags, MPLS and 802.2 are rare enough to pass.
    *_any((0x8100, 0x88A8, 0x9100), "tag"),
    *_any((0x8847, 0x9200)),
    Step("jgt", 1535, "nothing", "whole"),
    "tag",
    *_at(18, 16, _ETHERTYPES),
    Step("jeq", 0x8864, "whole"),
    *_any((0x8100, 0x88A8, 0x9100)),
    Step("ja", 0, "nothing"),
    "pppoe",
    *_at(22, 20, _PPP),
    Step("ja", 0, "nothing"),
]

_RAW: list[Part] = [
    Step("ldx #", 0),
    Step("ldb", 0),
    Step("rsh", 4),
    Step("jeq", 4, "v4"),
    Step("jeq", 6, "v6", "nothing"),
]

_TUNNELLED = (4, 41, 47)
_EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)

# From "v4" and "v6" on x is the place of the IP header.
_IP: list[Part] = [
    "v4",
    Step("ldh x", 6),
    Step("jset", 0x3FFF, "whole"),
    Step("ldb x", 9),
    Step("jeq", 6, "v4 tcp"),
    Step("jeq", 17, "v4 udp"),
    *_any(_TUNNELLED),
    Step("ja", 0, "nothing"),
    "v6",
    Step("ldb x", 6),
    Step("jeq", 6, "v6 tcp"),
    Step("jeq", 17, "v6 udp"),
    *_any((*_TUNNELLED, *_EXTENSIONS)),
    Step("ja", 0, "nothing"),
    *(
        part
        for protocol in ("tcp", "udp")
        for part in (
            f"v4 {protocol}",
            *(Step("ldb x", 0), Step("and", 15), Step("lsh", 2), Step("add x"), Step("tax")),
            Step("ja", 0, protocol),
            f"v6 {protocol}",
            *(Step("txa"), Step("add", 40), Step("tax"), Step("ja", 0, protocol)),
        )
    ),
]

# x is the place of the payload; a packet that is cut after `KEPT` bytes of it, or was not longer, needs no look.
_SHORT: list[Part] = [
    Step("ld len"),
    Step("jgt x", 0, "", "headers"),
    Step("sub x"),
    Step("jgt", KEPT, "", "headers"),
]

_UDP: list[Part] = [
    "udp",
    Step("ldh x", 0),
    *_any((*DNS, *discovery.PORTS, *_TUNNELS)),
    Step("ldh x", 2),
    *_any((*DNS, *discovery.PORTS, *_TUNNELS)),
    *(Step("txa"), Step("add", 8), Step("tax")),
    *_SHORT,
    Step("ld x", 0),
    *_any(int.from_bytes(start) for start in SHOUTED),
    Step("jset", 0x80000000, "long"),
    # Google's own QUIC before it became a standard.
    Step("ldb x", 9),
    Step("jeq", ord("Q"), "whole", "headers"),
    "long",
    Step("ld x", 1),
    *_any(quic.VERSIONS),
    Step("rsh", 24),
    Step("jeq", ord("Q"), "whole", "headers"),
]

_ENDS: list[Part] = [
    "headers",
    *(Step("txa"), Step("add", KEPT), Step("ret a")),
    "whole",
    Step("ret", WHOLE),
    "nothing",
    Step("ret", 0),
]


def _tcp(clear: Set[int]) -> list[Part]:
    return [
        "tcp",
        Step("ldb x", 13),
        # FIN, SYN, RST.
        Step("jset", 0x07, "whole"),
        Step("ldh x", 0),
        *_any((53, *clear)),
        Step("ldh x", 2),
        *_any((53, *clear, *_TLS)),
        *(Step("ldb x", 12), Step("rsh", 2), Step("and", 0x3C), Step("add x"), Step("tax")),
        *_SHORT,
        Step("ld x", 0),
        *_any(int.from_bytes(start) for start in (*BEGINNINGS, b"HTTP")),
        # SOCKS 5 and 4a.
        Step("and", 0xFFFF00FF),
        Step("jeq", 0x05010003, "whole"),
        Step("rsh", 16),
        Step("jeq", 0x0401, "whole"),
        Step("jeq", 0x1603, "", "headers"),
        Step("ldb x", 5),
        Step("jeq", 1, "whole", "headers"),
    ]


def _assembled(parts: Sequence[Part]) -> bytes:
    labels: dict[str, list[int]] = {}
    steps: list[Step] = []
    for part in parts:
        if isinstance(part, Step):
            steps.append(part)
        else:
            labels.setdefault(part, []).append(len(steps))

    def ahead(label: str, place: int) -> int:
        """Jumps are short, so that the ends stand in several places: to the next one."""
        return next(at for at in labels[label] if at > place) - place - 1 if label else 0

    lines = []
    for place, step in enumerate(steps):
        code = _CODES[step.name]
        if step.name == "ja":
            lines.append(struct.pack("=HBBI", code, 0, 0, ahead(step.then, place)))
        else:
            jumps = ahead(step.then, place), ahead(step.otherwise, place)
            lines.append(struct.pack("=HBBI", code, *jumps, step.value))
    return b"".join(lines)
