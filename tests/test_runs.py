"""What is passed over of bodies that are not kept changes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captures.formats import read
from captures.model import Observation
from captures.packets import batch as batches
from captures.packets import http1
from packets import VENDOR, connection, pcap, tcp

SERVER = (VENDOR, 80)


def observed(path: Path, content: bytes) -> list[Observation]:
    path.write_bytes(content)
    return list(read(path).observations())


def body(chance: random.Random, size: int) -> bytes:
    """An answer of about this size, of a known length, in chunks or up to the end."""
    kind = chance.choice((b"video/mp4", b"text/plain"))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + kind
    framing = chance.randrange(3)
    if framing == 0:
        return head + b"\r\nContent-Length: %d\r\n\r\n" % size + chance.randbytes(size)
    if framing == 1:
        chunks = [chance.randbytes(chance.randrange(1, 900)) for _ in range(size // 400)]
        return (
            head
            + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
        )
    return head + b"\r\n\r\n" + chance.randbytes(size)


def download(chance: random.Random, port: int) -> list[bytes]:
    """One connection with two downloads; some segments are lost, cut, late, sent twice, or answered in between."""
    client = ("192.168.1.20", port)
    asked = [b"GET /%d HTTP/1.1\r\nHost: plex.tv\r\n\r\n" % n for n in range(2)]
    answer = body(chance, chance.randrange(20_000)) + body(chance, chance.randrange(20_000))
    pieces = [answer[at : at + 700] for at in range(0, len(answer), 700)]
    packets = connection(client, SERVER, asked, pieces)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(5, len(packets))
        kind = chance.randrange(4)
        if kind == 0:
            del packets[at]
        elif kind == 1:
            packets.insert(at, packets.pop())
        elif kind == 2:
            packets.insert(at, packets[chance.randrange(len(packets))])
        else:
            packets.insert(at, tcp(client, SERVER, b"POST / HTTP/1.1\r\n\r\n", sequence=101 + sum(map(len, asked))))
    return packets


def mixed(seed: int) -> bytes:
    """Three downloads at the same time, some packets cut."""
    chance = random.Random(seed)  # noqa: S311 - made-up packets
    sources = [download(chance, 50_000 + n) for n in range(3)]
    packets = []
    while any(sources):
        packets.append(chance.choice([source for source in sources if source]).pop(0))
    return pcap(packets, link=101, snap=chance.choice((262_144, 262_144, 650)))


@given(st.integers(0, 1 << 32), st.sampled_from([32, 1 << 15]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_bodies_that_are_passed_over_give_what_reading_them_gives(tmp_path: Path, seed: int, batch: int) -> None:
    content = mixed(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH", batch)
        patch.setattr(http1, "MOST_KEPT", 3000)
        patch.setattr(http1.Room.__init__, "__defaults__", (5000,))
        quick = observed(tmp_path / "x", content)
        patch.setattr(http1.Http, "unread", lambda *_, **__: 0)
        assert quick == observed(tmp_path / "x", content)


def test_most_of_a_film_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the comparison above would compare one way with itself."""
    passed, plain = [0], http1.Http.pass_over

    def counted(self: http1.Http, count: int, time: float, *, from_client: bool) -> None:
        passed[0] += count
        plain(self, count, time, from_client=from_client)

    monkeypatch.setattr(http1.Http, "pass_over", counted)
    film = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000)
    pieces = [film[at : at + 1000] for at in range(0, len(film), 1000)]
    observed(
        tmp_path / "x", pcap(connection(("192.168.1.20", 1), SERVER, [b"GET / HTTP/1.1\r\n\r\n"], pieces), link=101)
    )
    assert 97_000 < passed[0] < 100_000
