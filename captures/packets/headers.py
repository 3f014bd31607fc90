"""Batch of packets -> what their headers say: quickly for those of the usual shape, with all pains for the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from captures.packets.bytes_at import beginnings
from captures.packets.columns import Columns, Fragments, Seen, columns
from captures.packets.usual import usual

if TYPE_CHECKING:
    from captures.packets.batch import Batch

_WIDTH = 144
"""Bytes of a packet that hold the headers of the usual shape and what `payloads` looks at behind them."""


def headers(batch: Batch) -> Seen:
    """The same as `columns`, in the same order; only the places are others, since they lie in other copies."""
    import numpy as np

    octets = beginnings(batch.mapped, batch.at, _WIDTH)
    found = usual(batch, octets, _WIDTH)
    if found is None:
        return columns(batch)
    packets, rest = found
    if not len(rest):
        return Seen(octets, packets, Fragments.none(), Counter())
    others = columns(batch.chosen(rest))
    fragments = replace(others.fragments, row=rest[others.fragments.row])
    packets = Columns.joined((packets, others.packets.moved(rest, len(octets))))
    return Seen(np.concatenate((octets, others.octets)), packets, fragments, others.problems)
