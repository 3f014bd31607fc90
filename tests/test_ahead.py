"""A second process that sums up a file's batches changes when that is done, and nothing else."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from captures import process
from captures.formats import read
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable
from captures.packets import ahead
from captures.packets.summary import Summary
from packets import (
    ROUTER,
    ROUTER_MAC,
    TV,
    TV_MAC,
    VENDOR,
    connection,
    dns,
    enhanced,
    ethernet,
    fragments,
    hello,
    interface,
    pcap,
    quic_client,
    record,
    section,
    udp,
)


def packets() -> Iterator[bytes]:
    """Some more than a batch holds: names of all kinds, a body that goes on in the next batch, fragments."""
    chance = random.Random(7)  # noqa: S311 - made-up packets
    film = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 9000000\r\n\r\n" + bytes(9_000_000)
    pieces = [film[at : at + 200] for at in range(0, len(film), 200)]
    running = connection((TV, 40_000), (VENDOR, 80), [b"GET /film HTTP/1.1\r\nHost: plex.tv\r\n\r\n"], pieces)
    for number, packet in enumerate(running):
        yield packet
        if number % 100 == 0:
            name, port = f"h{number}.plex.tv", 1024 + number
            yield udp((TV, port), (ROUTER, 53), dns(number, name))
            yield udp((ROUTER, 53), (TV, port), dns(number, name, answers=[(1, chance.randbytes(4))]))
            yield from connection((TV, port), (VENDOR, 443), [record(hello(name))])
            yield from fragments(udp((TV, port), (VENDOR, 5353), dns(number, "a-long-name." + name)), 24)
    yield from (udp((TV, 50_000), (VENDOR, 443), datagram) for datagram in quic_client("h3.plex.tv"))


@pytest.fixture(scope="module", params=["pcap", "pcapng"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [ethernet(p, TV_MAC if p[12:16] == b"\xc0\xa8\x01\x14" else ROUTER_MAC) for p in packets()]
    content = bytearray(pcap(frames))
    if request.param == "pcapng":
        blocks = (enhanced(frame, 1_700_000_000_000_000 + n) for n, frame in enumerate(frames))
        content = bytearray(section() + interface() + b"".join(blocks))
    content[len(content) // 3 : len(content) // 3 + 40] = b"\xff" * 40
    path = tmp_path_factory.mktemp("two") / "x"
    path.write_bytes(content[:-5])
    return path


def observed(path: Path, monkeypatch: pytest.MonkeyPatch, pays: int) -> list[Observation]:
    monkeypatch.setattr(ahead, "PAYS", pays)
    monkeypatch.setattr(ahead, "_cores", lambda: 2)
    return list(read(path).observations())


def started(monkeypatch: pytest.MonkeyPatch, then: Callable[[subprocess.Popen[bytes]], None]) -> list[object]:
    """Notes the processes that are started, and does something with each."""
    found: list[object] = []
    plain = process.start

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        another = plain(*arguments, **options)
        found.append(another)
        then(another)
        return another

    monkeypatch.setattr(ahead, "start", start)
    return found


def test_two_processes_find_what_one_finds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = started(monkeypatch, lambda _: None)
    one = observed(file, monkeypatch, 1 << 40)
    assert processes == []
    assert {type(x) for x in one} == {Contact, Exchange, Lookup, Unreadable}
    assert one == observed(file, monkeypatch, 0)
    assert len(processes) == 1


def test_when_the_other_process_does_not_live_one_goes_on_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = observed(file, monkeypatch, 1 << 40)
    processes = started(monkeypatch, subprocess.Popen.kill)
    assert observed(file, monkeypatch, 0) == one
    assert len(processes) == 1


def test_when_the_other_process_ends_too_early_one_goes_on_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = observed(file, monkeypatch, 1 << 40)
    plain, came = ahead._from_another, list[object]()

    def first(path: Path, size: int) -> Iterator[ahead.Part | bytes]:
        for part, _ in zip(plain(path, size), range(1), strict=False):
            came.append(part)
            yield part

    monkeypatch.setattr(ahead, "_from_another", first)
    assert observed(file, monkeypatch, 0) == one
    assert len(came) == 1


def test_the_other_process_ends_when_nobody_reads_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = started(monkeypatch, lambda _: None)
    monkeypatch.setattr(ahead, "PAYS", 0)
    monkeypatch.setattr(ahead, "_cores", lambda: 2)
    parts = ahead.summaries(file.read_bytes(), file)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    (another,) = processes
    assert isinstance(another, subprocess.Popen)
    assert another.poll() is not None


def test_what_is_written_meanwhile_is_not_read_by_one_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process maps the file later, when it may be longer."""
    content = file.read_bytes()
    monkeypatch.setattr(ahead, "PAYS", 0)
    monkeypatch.setattr(ahead, "_cores", lambda: 2)
    two = list(ahead.summaries(content[: len(content) // 2], file))
    monkeypatch.setattr(ahead, "PAYS", 1 << 40)
    one = list(ahead.summaries(content[: len(content) // 2], file))
    assert [type(part) for part in two] == [type(part) for part in one]
    assert [part.groups for part in two if isinstance(part, Summary)] == [
        part.groups for part in one if isinstance(part, Summary)
    ]
