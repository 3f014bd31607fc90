"""Headers that are read as a table are those that are read one field after another."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from captures.packets.batch import Batch
from captures.packets.columns import Columns, columns
from captures.packets.containers import batches
from captures.packets.headers import headers
from packets import ethernet, fragments, ip, pcap, tcp, udp

FOUR, OTHER = ("192.168.1.20", 50_000), ("198.51.100.7", 443)
SIX, FAR = ("fd00::20", 50_000), ("2001:db8::7", 443)
INNER = tcp(FOUR, OTHER, b"x" * 30)

SHAPES: tuple[Callable[[bytes], list[bytes]], ...] = (
    lambda body: [tcp(FOUR, OTHER, body)],
    lambda body: [tcp(SIX, FAR, body, flags=2)],
    lambda body: [udp(FOUR, OTHER, body)],
    lambda body: [udp(SIX, FAR, body)],
    lambda body: fragments(udp(FOUR, OTHER, bytes(80) + body), 48),
    lambda body: fragments(udp(SIX, FAR, bytes(80) + body), 48),
    lambda body: [ip("fd00::20", "2001:db8::7", 0, b"\6\1" + bytes(14) + tcp(FOUR, OTHER, body)[20:])],
    lambda _: [ip("203.0.113.1", "203.0.113.2", 4, INNER)],
    lambda _: [udp(("203.0.113.1", 5), ("203.0.113.2", 4789), b"\x08\0\0\0\0\0\1\0" + ethernet(INNER))],
    lambda body: [ip("203.0.113.1", "203.0.113.2", 1, body)],
    # With an IP option, with one of TCP, and datagrams that say they are longer or shorter than their packet.
    lambda body: [b"\x46" + INNER[1:2] + b"\0\x4a" + INNER[4:20] + b"\1\1\1\0" + INNER[20:] + body],
    lambda body: [INNER[:32] + b"\x80" + INNER[33:] + body],
    lambda body: [udp(FOUR, OTHER, body)[:24] + b"\0\x0c" + bytes(2) + body],
    lambda body: [udp(FOUR, OTHER, body)[:24] + b"\xff\xff" + bytes(2) + body],
    lambda body: [b"\x45\0\0\0" + INNER[4:] + body],
    lambda body: [body],
)


LINKS = {1: ethernet(INNER)[:14], 101: b"", 0: b"\2\0\0\0", 113: bytes(14) + b"\x08\0"}
"""Link type -> what stands before a packet."""


def six(frame: bytes) -> bytes:
    """An Ethernet frame with the kind of what is in it."""
    return frame[:12] + b"\x86\xdd" + frame[14:] if frame[14:15] == b"\x60" else frame


def absolute(seen: Columns) -> dict[str, list[object]]:
    """Columns with places of the file instead of places of copies."""
    found = {column.name: getattr(seen, column.name) for column in fields(seen)}
    for name in ("source", "destination", "payload"):
        found[name] = found[name] + seen.origin
    found["mac"] = [place + origin if place >= 0 else -1 for place, origin in zip(seen.mac, seen.origin, strict=True)]
    del found["origin"]
    return {name: list(column) for name, column in found.items()}


@given(
    st.sampled_from(list(LINKS)),
    st.lists(st.tuples(st.sampled_from(SHAPES), st.binary(min_size=1, max_size=60)), min_size=1, max_size=30),
    st.sampled_from([60, 96, 262_144]),
    st.integers(0, 1 << 32),
)
def test_all_shapes_in_one_batch_are_read_the_same(
    link: int, chosen: list[tuple[Callable[[bytes], list[bytes]], bytes]], snap: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - made-up packets
    packets = [LINKS[link] + packet for make, body in chosen for packet in make(body)]
    packets = [six(packet) if link == 1 else packet for packet in packets]
    content = bytearray(pcap(packets, link=link, snap=snap))
    for _ in range(chance.randrange(4)):
        content[chance.randrange(40, len(content))] = chance.randrange(256)
    for batch in batches(bytes(content)):
        if isinstance(batch, Batch):
            quick, slow = headers(batch), columns(batch)
            assert absolute(quick.packets) == absolute(slow.packets)
            assert quick.problems == slow.problems
            for column in fields(slow.fragments):
                assert list(getattr(quick.fragments, column.name)) == list(getattr(slow.fragments, column.name))


def test_usual_packets_are_read_as_a_table() -> None:
    """Else the comparison above would compare one way with itself."""
    from captures.packets.bytes_at import beginnings
    from captures.packets.usual import usual

    packets = [ethernet(p) for p in (tcp(FOUR, OTHER), udp(SIX, FAR, b"x"), ip("1.1.1.1", "1.1.1.2", 1, b""), INNER)]
    (batch,) = batches(pcap(packets))
    assert isinstance(batch, Batch)
    found = usual(batch, beginnings(batch.mapped, batch.at, 144), 144)
    assert found is not None
    assert (found[0].row.tolist(), found[1].tolist()) == ([0, 1, 3], [2])
