"""Which packets say something: masks over the columns of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from captures.packets import discovery, quic
from captures.packets.columns import TCP, UDP, Columns

if TYPE_CHECKING:
    from captures.packets.bytes_at import Bytes, Ints, Mask

DNS = {53: "dns", 5353: "mdns", 5355: "llmnr"}
"""Port -> protocol."""

BEGINNINGS = (
    *(b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC"),
    # WebDAV, and UPnP's events.
    *(b"PROP", b"MKCO", b"COPY", b"MOVE", b"LOCK", b"UNLO", b"REPO", b"SEAR", b"NOTI", b"SUBS", b"UNSU", b"M-SE"),
)
"""How a request in clear begins."""

_METHODS_AS_NUMBERS = tuple(int.from_bytes(method) for method in BEGINNINGS)

SHOUTED = (b"HTTP", b"NOTI", b"M-SE", b"HELL")
"""How a datagram of SSDP or GDM begins: answers go to whatever port the question came from."""

STUN = 0x2112A442
"""The number in a message of STUN."""


def segments(data: Bytes, seen: Columns) -> tuple[Mask, Mask]:
    """TCP segments in which something begins, and those of which what follows is needed too."""
    import numpy as np

    begins, needs = np.zeros(len(seen), np.bool_), np.zeros(len(seen), np.bool_)
    rows = np.flatnonzero((seen.protocol == TCP) & (seen.size > 0))
    head, size = data.u32(seen.payload[rows]), seen.size[rows]
    long = size >= 4
    maybe = np.flatnonzero((head >> 24 == 0x16) | (head >> 16 == 0x1503))
    hello, split, alert = _records(data, seen.payload[rows[maybe]], head[maybe], size[maybe])
    clear = long & np.isin(head, _METHODS_AS_NUMBERS)
    names = (seen.source_port[rows] == 53) | (seen.destination_port[rows] == 53)
    socks = long & (((head & 0xFFFF00FF) == 0x05010003) | ((head >> 16) == 0x0401)) & (size < 512)
    begins[rows] = clear | names | socks
    begins[rows[maybe]] |= hello | alert
    needs[rows] = clear | names
    needs[rows[maybe]] |= split
    return begins, needs


def _records(data: Bytes, at: Ints, head: Ints, size: Ints) -> tuple[Mask, Mask, Mask]:
    """TLS: a ClientHello, one that may go on in another segment, an alert in clear."""
    long = size >= 4
    hello = long & (head >> 16 == 0x1603) & (size >= 6) & (data.u8(at + 5) == 1)
    record = data.u16(at + 3)
    within = (data.u32(at + 5) & 0xFFFFFF) + 4
    split = hello & ((record + 5 > size) | (within > record))
    # Some clients send the first bytes of a handshake apart.
    start = (size < 6) & (head >> 24 == 0x16)
    split |= start & ((size < 2) | (head >> 16 == 0x1603))
    return hello, split, long & (head >> 16 == 0x1503) & (size == 7)


def datagrams(data: Bytes, seen: Columns) -> Mask:
    """UDP packets that say something."""
    import numpy as np

    says = np.zeros(len(seen), np.bool_)
    rows = np.flatnonzero((seen.protocol == UDP) & (seen.size > 0))
    at, size = seen.payload[rows], seen.size[rows]
    head = data.u32(at)
    ports = (*DNS, *discovery.PORTS)
    known = np.isin(seen.source_port[rows], ports) | np.isin(seen.destination_port[rows], ports)
    known |= np.isin(head, [int.from_bytes(start) for start in SHOUTED]) & (size > 16)
    version = data.u32(at + 1)
    initial = (head >> 30 == 3) & (size > 60) & np.isin(version, quic.VERSIONS)
    short = (head >> 31 == 0) & (data.u8(at + 9) == ord("Q"))
    google = (size > 1000) & (short | (version >> 24 == ord("Q")))
    stun = (size >= 20) & (data.u32(at + 4) == STUN) & (head >> 30 == 0)
    says[rows] = known | initial | google | stun
    return says
