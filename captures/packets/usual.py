"""Packets of the usual shape: TCP or UDP in IPv4 without options or in IPv6 without extensions, not in pieces.

Nearly all packets of a household have it, and its fields stand at fixed places: they are read as the columns of a
table, in a fifth of the time that it takes to work out the place of each field of each packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from captures.packets.columns import TCP, TUNNELS, UDP, Columns

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.batch import Batch
    from captures.packets.bytes_at import Ints, Mask, Octets

_ETHERNET = 1
_HEADS = {_ETHERNET: 14, 0: 4, 108: 4, 12: 0, 14: 0, 101: 0}
"""Link type -> bytes before the IP packet."""

type _Table = np.ndarray[Any, np.dtype[np.uint8]]
"""A row of bytes for each packet."""


def usual(batch: Batch, octets: Octets, width: int) -> tuple[Columns, Ints] | None:
    """Batch and the first `width` bytes of each of its packets -> those of the usual shape, and which others there are.

    `None` when the shape is not known for the link type.  Places are places in `octets`.
    """
    import numpy as np

    link = int(batch.link[0]) if len(batch.link) else -1
    if link not in _HEADS or bool((batch.link != link).any()):
        return None
    table, head = octets.reshape(-1, width), _HEADS[link]
    version = table[:, head] >> 4
    if link == _ETHERNET:
        kind = _number(table, 12, 2)
        version = np.where(kind == 0x0800, version, np.where(kind == 0x86DD, version | 0x80, 0))
        four, six = version == 4, version == 0x86
    else:
        four, six = version == 4, version == 6
    rows4 = np.flatnonzero(four)
    rows4 = rows4[_plain4(table, head, rows4)]
    rows6 = np.flatnonzero(six)
    rows6 = rows6[_plain6(table, head, rows6)] if len(rows6) else rows6
    parts = [
        _columns(batch, table, head, rows, wide)
        for rows, wide in ((rows4, False), (rows6, True))
        if len(rows) or not wide
    ]
    taken = np.zeros(len(batch.at), np.bool_)
    for part in parts:
        taken[part.row] = True
    return Columns.joined(parts), np.flatnonzero(~taken)


def _number(table: _Table, at: int, size: int) -> np.ndarray[Any, Any]:
    """The number at the same place of every row, big end first."""
    return table[:, at : at + size].view(f">u{size}")[:, 0]


def _plain4(table: _Table, at: int, rows: Ints) -> Mask:

    protocol = table[rows, at + 9]
    short = _number(table, at, 1)[rows] == 0x45
    whole = (_number(table, at + 6, 2)[rows] & 0x3FFF) == 0
    fits: Mask = short & whole & (_number(table, at + 2, 2)[rows] >= 20) & ((protocol == TCP) | (protocol == UDP))
    return fits


def _plain6(table: _Table, at: int, rows: Ints) -> Mask:
    protocol = table[rows, at + 6]
    fits: Mask = (_number(table, at + 4, 2)[rows] > 0) & ((protocol == TCP) | (protocol == UDP))
    return fits


def _columns(batch: Batch, table: _Table, network: int, rows: Ints, wide: bool) -> Columns:
    import numpy as np

    transport = network + (40 if wide else 20)
    captured = batch.captured[rows]
    protocol = table[rows, network + (6 if wide else 9)].astype(np.int64)
    tcp = protocol == TCP
    ports = _number(table, transport, 4)[rows]
    tunnel = ~tcp & np.isin(ports & 0xFFFF, TUNNELS)
    kept = np.flatnonzero((captured >= transport + np.where(tcp, 20, 8)) & ~tunnel)
    if len(kept) < len(rows):
        rows, captured, protocol, tcp, ports = rows[kept], captured[kept], protocol[kept], tcp[kept], ports[kept]

    def number(at: int, size: int) -> Ints:
        found: Ints = _number(table, at, size)[rows].astype(np.int64)
        return found

    begin = rows * table.shape[1]
    header = np.where(tcp, np.maximum((number(transport + 12, 1) >> 4) * 4, 20), 8)
    end = transport + number(network + 4, 2) if wide else network + number(network + 2, 2)
    # A datagram may be shorter than the packet that carries it.
    stated = number(transport + 4, 2)
    end = np.where(tcp | (stated < 8), end, np.minimum(end, transport + stated))
    payload = transport + header
    ethernet = int(batch.link[0]) == _ETHERNET
    return Columns(
        row=rows,
        time=batch.time[rows],
        length=batch.length[rows],
        origin=batch.at[rows] - begin,
        protocol=protocol,
        source=begin + (network + (8 if wide else 12)),
        destination=begin + (network + (24 if wide else 16)),
        wide=np.full(len(rows), wide),
        source_port=(ports >> 16).astype(np.int64),
        destination_port=(ports & 0xFFFF).astype(np.int64),
        mac=begin + 6 if ethernet else np.full(len(rows), -1),
        flags=np.where(tcp, number(transport + 13, 1), 0),
        sequence=np.where(tcp, number(transport + 4, 4), 0),
        acknowledged=np.where(tcp, number(transport + 8, 4), 0),
        payload=begin + payload,
        size=np.maximum(np.minimum(end, captured) - payload, 0),
        sent=np.maximum(end - payload, 0),
        fragment=np.zeros(len(rows), np.bool_),
    )
