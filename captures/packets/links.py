"""Frames of any link type -> where in each of them the IP packet begins.

Sources: IEEE 802.3, 802.1Q, 802.11; RFC 1661, 2516; tcpdump.org/linktypes.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from captures.packets.batch import Batch
from captures.packets.bytes_at import Bytes

if TYPE_CHECKING:
    from captures.packets.bytes_at import Ints, Mask

V4, V6 = 0x0800, 0x86DD
"""Ethertypes of IP."""
BY_VERSION = -4
"""In place of an ethertype: the first four bits of the packet say which IP it is."""
CLOSED = -2
"""In place of an ethertype: encrypted at the radio layer."""

_VLANS = (0x8100, 0x88A8, 0x9100, 0x9200)
_PPPOE, _MPLS = 0x8864, 0x8847


def links(data: Bytes, batch: Batch, at: Ints) -> tuple[Ints, Ints, Ints, Counter[str]]:
    """Places in `data` at which the packets of a batch begin -> what their links say.

    For each packet the place of what the link carries, its ethertype (-1 for what cannot be read) and the place of the
    sender's MAC address (-1 when there is none); then how many packets could not be read, by reason.
    """
    import numpy as np

    count, problems = len(at), Counter[str]()
    network, kind, mac = at.copy(), np.full(count, -1), np.full(count, -1)
    for link in np.unique(batch.link).tolist():
        rows = np.flatnonzero(batch.link == link)
        reader = _LINKS.get(link)
        if not reader:
            reason = f"is of link type {link}, which is not known" if link >= 0 else "has no interface"
            problems[reason] += len(rows)
            continue
        end = (at + batch.captured)[rows]
        found = reader(data, at[rows], end)
        short = found[0] > end
        problems["is cut off within its headers"] += int(short.sum())
        network[rows], kind[rows], mac[rows] = found[0], np.where(short, -1, found[1]), found[2]
    network, kind = _wrapped(data, network, kind)
    problems["is encrypted on the radio link"] += int((kind == CLOSED).sum())
    return network, kind, mac, problems


def _wrapped(data: Bytes, network: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """Steps over VLAN tags, PPPoE, MPLS and 802.2 headers."""
    import numpy as np

    for _ in range(6):
        rows = np.flatnonzero(np.isin(kind, (*_VLANS, _PPPOE, _MPLS)) | ((kind >= 0) & (kind < 1536)))
        if not len(rows):
            break
        at, outer = network[rows], kind[rows]
        tag, label = np.isin(outer, _VLANS), outer == _MPLS
        snap = (outer < 1536) & (data.u16(at) == 0xAAAA)
        ppp = _ppp_kind(data.u16(at + 6))
        bottom = (data.u32(at) & 0x100) > 0
        step = np.where(tag | label, 4, 8)
        inner = np.where(
            tag,
            data.u16(at + 2),
            np.where(label, np.where(bottom, BY_VERSION, _MPLS), np.where(snap, data.u16(at + 6), ppp)),
        )
        network[rows] = at + step
        kind[rows] = np.where(~snap & (outer < 1536), -1, inner)
    return network, kind


def _ppp_kind(protocol: Ints) -> Ints:
    import numpy as np

    return np.select([protocol == 0x21, protocol == 0x57], [V4, V6], -1)


type _Found = tuple[Ints, Ints, Ints]
"""Places of what is carried, ethertypes, places of the sender's MAC address."""


def _ethernet(data: Bytes, at: Ints, _: Ints) -> _Found:
    return at + 14, data.u16(at + 12), at + 6


def _raw(_: Bytes, at: Ints, __: Ints) -> _Found:
    import numpy as np

    return at, np.full(len(at), BY_VERSION), np.full(len(at), -1)


def _loopback(_: Bytes, at: Ints, __: Ints) -> _Found:
    """Four bytes of address family, in the order of whoever recorded it: the version of IP says the same."""
    import numpy as np

    return at + 4, np.full(len(at), BY_VERSION), np.full(len(at), -1)


def _cooked(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 16, data.u16(at + 14), np.where(data.u16(at + 4) == 6, at + 6, -1)


def _cooked2(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 20, data.u16(at), np.where(data.u8(at + 11) == 6, at + 12, -1)


def _ppp(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    framed = data.u16(at) == 0xFF03
    place = at + np.where(framed, 2, 0)
    short = (data.u8(place) & 1) > 0
    kind = _ppp_kind(np.where(short, data.u8(place), data.u16(place)))
    return place + np.where(short, 1, 2), kind, np.full(len(at), -1)


def _pppoe(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 8, _ppp_kind(data.u16(at + 6)), np.full(len(at), -1)


def _hdlc(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return at + 4, data.u16(at + 2), np.full(len(at), -1)


def _wireless(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    return _frames(data, at, np.zeros(len(at), np.bool_))


def _frames(data: Bytes, at: Ints, padded: Mask) -> _Found:
    """802.11: data frames with an 802.2 header; what is encrypted at this layer is told apart.

    `padded` says which headers were brought to a multiple of four bytes by the network card.
    """
    import numpy as np

    control, flags = data.u8(at), data.u8(at + 1)
    carries = ((control & 0x0C) == 0x08) & ((control & 0x40) == 0)
    relayed, quality = (flags & 3) == 3, (control & 0x80) > 0
    head = 24 + np.where(relayed, 6, 0) + np.where(quality, np.where((flags & 0x80) > 0, 6, 2), 0)
    inner = at + head + np.where(padded, -head % 4, 0)
    closed = (flags & 0x40) > 0
    snap = carries & ~closed & (data.u16(inner) == 0xAAAA)
    kind = np.where(snap, data.u16(inner + 6), np.where(carries & closed, CLOSED, -1))
    # To the access point the sender is the second address, from it the third.
    sender = np.where((flags & 3) == 2, at + 16, np.where(relayed, at + 24, at + 10))
    return inner + np.where(snap, 8, 0), kind, sender


def _radiotap(data: Bytes, at: Ints, _: Ints) -> _Found:
    import numpy as np

    size, present = data.u8(at + 2) | data.u8(at + 3) << 8, data.u8(at + 4)
    # With the usual single word of presence bits the flags are the first or the second field.
    single = (data.u8(at + 7) & 0x80) == 0
    flags = data.u8(at + np.where((present & 1) > 0, 16, 8))
    return _frames(data, at + size, single & ((present & 2) > 0) & ((flags & 0x20) > 0))


def _per_packet(data: Bytes, at: Ints, end: Ints) -> _Found:
    """PPI: a header of its own before the frame of another link type."""
    import numpy as np

    size, link = data.u8(at + 2) | data.u8(at + 3) << 8, data.u8(at + 4)
    radio = _wireless(data, at + size, end)
    wired = _ethernet(data, at + size, end)
    return (
        np.where(link == 105, radio[0], wired[0]),
        np.where(link == 105, radio[1], np.where(link == 1, wired[1], -1)),
        np.where(link == 105, radio[2], wired[2]),
    )


_LINKS: dict[int, Callable[[Bytes, Ints, Ints], _Found]] = {
    0: _loopback,
    1: _ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    51: _pppoe,
    101: _raw,
    104: _hdlc,
    105: _wireless,
    108: _loopback,
    113: _cooked,
    127: _radiotap,
    192: _per_packet,
    228: _raw,
    229: _raw,
    276: _cooked2,
}
"""Link type -> what it carries."""
