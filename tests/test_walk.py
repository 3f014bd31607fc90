"""Following a file's records in many stretches at once finds what following them one by one does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captures.packets import batch, blocks, records, walk
from captures.packets.batch import Batch, Damage, Secrets
from captures.packets.containers import batches, streamed
from packets import enhanced, interface, pcap, section

KINDS = ("pcap", "big-endian pcap", "pcap in nanoseconds", "pcapng", "big-endian pcapng")


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Batches and stretches so small that some hundred packets fill many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "BATCH", 64)
        patch.setattr(walk, "_STRETCHES", 16)
        patch.setattr(walk, "_FEWEST", 2)
        yield


def told(content: bytes) -> list[object]:
    """Everything that is read of a file, packets one by one."""
    return listed(batches(content))


def listed(parts: Iterable[Batch | Damage | Secrets]) -> list[object]:
    found: list[object] = []
    for part in parts:
        if isinstance(part, Batch):
            places = zip(part.at.tolist(), part.captured.tolist(), strict=True)
            starts = (bytes(part.mapped[at : at + min(size, 8)]) for at, size in places)
            columns = (part.captured, part.length, part.time, part.link)
            found.extend(zip(starts, *(column.tolist() for column in columns), strict=True))
        else:
            found.append(part)
    return found


def one_by_one(content: bytes) -> list[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "_FEWEST", 1 << 30)
        return told(content)


def file(kind: str, packets: list[bytes]) -> bytes:
    if "pcapng" in kind:
        order = ">" if kind.startswith("big") else "<"
        blocks = [enhanced(packet, 1_700_000_000_000_000 + n, 0, order) for n, packet in enumerate(packets)]
        return section(order) + interface(1, order=order) + b"".join(blocks)
    return pcap(packets, order=">" if kind.startswith("big") else "<", nano="nano" in kind)


def made(seed: int, count: int, kind: str) -> bytes:
    """A file with packets of all sizes; some carry a piece of such a file themselves, where guesses go wrong."""
    chance = random.Random(seed)  # noqa: S311 - made-up packets
    inner = file(kind, [chance.randbytes(chance.randrange(20, 200)) for _ in range(40)])
    packets = []
    for _ in range(count):
        at, size = chance.randrange(len(inner)), chance.choice((0, 20, 60, 700, 1500))
        packets.append(inner[at : at + size] if chance.random() < 0.3 else chance.randbytes(size))
    return file(kind, packets)


def damaged(content: bytes, damages: list[tuple[float, bytes]]) -> bytes:
    """A file in which at some places other bytes stand, perhaps fewer or more."""
    found = bytearray(content)
    for place, wrong in damages:
        at = 28 + int(place * (len(found) - 28))
        found[at : at + 8] = wrong
    return bytes(found)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(st.integers(0, 1 << 32), st.integers(1, 600), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9))))
def test_whole_and_damaged_files_give_the_same(
    kind: str, seed: int, count: int, damages: list[tuple[float, bytes]]
) -> None:
    content = damaged(made(seed, count, kind), damages)
    assert told(content) == one_by_one(content)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(
    st.integers(0, 1 << 32),
    st.integers(1, 200),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9))),
    st.integers(4, 9000),
)
def test_a_file_that_comes_in_blocks_gives_what_it_gives_as_a_whole(
    kind: str, seed: int, count: int, damages: list[tuple[float, bytes]], size: int
) -> None:
    content = damaged(made(seed, count, kind), damages)
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    with pytest.MonkeyPatch.context() as patch:
        for module in (records, blocks):
            patch.setattr(module, "SEARCHED", 3000)
            patch.setattr(module, "LONGEST", 3000)
            patch.setattr(module, "_ROOM", 15_000)
        patch.setattr(blocks, "_LONGEST", 3000)
        assert listed(streamed(pieces)) == listed(batches(content))


@pytest.mark.parametrize("rest", [1, 3, 4, 15])
@pytest.mark.parametrize("kind", KINDS)
def test_less_than_a_record_may_be_left_of_the_last_block(kind: str, rest: int) -> None:
    content = made(0, 2000, kind) + bytes(rest)
    pieces = [content[:-rest], content[-rest:]]
    assert listed(streamed(pieces)) == listed(batches(content))


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_found_in_stretches(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the comparison above would compare one way with itself."""
    found, plain = [0], walk.walk

    def counted(*arguments: object) -> tuple[np.ndarray, int]:
        begins, at = plain(*arguments)  # type: ignore[arg-type]
        found[0] += len(begins)
        return begins, at

    for module in (records, blocks):
        monkeypatch.setattr(module, "walk", counted)
    content = made(7, 2000, kind)
    assert len(told(content)) == 2000
    assert found[0] > 400


def test_a_file_in_a_file_leads_no_stretch_astray() -> None:
    """Each packet is a file of packets: nearly every guess is wrong."""
    inner = pcap([bytes(60) for _ in range(12)])
    content = pcap([inner[24 + n % 60 :] for n in range(900)])
    assert told(content) == one_by_one(content)
    assert not [x for x in told(content) if isinstance(x, Damage)]
