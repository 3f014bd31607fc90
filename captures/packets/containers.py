"""Files of packets, pcap and pcapng -> batches of packets, in columns; what is damaged is told and skipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from captures.packets.batch import Batch, Damage, Secrets
from captures.packets.blocks import SECTION, Blocks, order_of
from captures.packets.records import FORMS, Records

if TYPE_CHECKING:
    from captures.packets.bytes_at import Mapped


def is_packets(head: bytes) -> bool:
    """Beginning of a file -> whether it is a pcap or pcapng file."""
    return head[:4] in FORMS or head[3::-1] in FORMS or (head[:4] == SECTION and order_of(head[8:12]) != "")


def batches(mapped: Mapped) -> Iterator[Batch | Damage | Secrets]:
    """A whole file -> its packets in their order.  What is damaged is told once and skipped; nothing is raised."""
    yield from _reader(bytes(mapped[:4])).read(mapped, last=True)


def streamed(blocks: Iterable[bytes]) -> Iterator[Batch | Damage | Secrets]:
    """A file that comes in blocks, of any size but the first, which has four bytes or more -> as `batches`.

    A batch is valid until the next one.
    """
    reader: Records | Blocks | None = None
    rest = b""
    for block in blocks:
        window = rest + block
        reader = reader or _reader(window[:4])
        yield from reader.read(window, last=False)
        rest = reader.keep(window)
    if reader:
        yield from reader.read(rest, last=True)


def _reader(head: bytes) -> Records | Blocks:
    if head == SECTION:
        return Blocks()
    return Records(">" if head in FORMS else "<")
