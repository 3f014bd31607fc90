"""The process that keeps the ledger, and the pipe to it."""

from __future__ import annotations

import gzip
import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from addons.recorder import Recorder
from captures import ledger
from captures.model import Body, CaptureError, Contact, Effect, Exchange, Lookup, Observation, Source, Unreadable
from captures.recorder import Raw, Streamed, exchange, frame, frames, packed


def unreadable(number: int) -> Unreadable:
    return Unreadable(Source(0, number), 1.0, f"row {number}", "is made up")


def state(encoding: bytes = b"", **request: object) -> dict[str, Any]:
    headers = ((b"Host", b"plex.tv"), (b"Content-Encoding", encoding))
    message = {
        "headers": headers,
        "content": None,
        "timestamp_start": 1.0,
        "timestamp_end": 2.0,
        "http_version": b"HTTP/1.1",
    }
    asked = {"host": "plex.tv", "port": 443, "method": b"POST", "scheme": b"https", "authority": b""}
    return {
        "type": "http",
        "request": {**message, **asked, "path": b"/a", "http_version": b"HTTP/1.1", **request},
        "response": {**message, "status_code": 200},
        "websocket": None,
        "client_conn": {"peername": ("192.0.2.9", 5000), "sni": "plex.tv", "proxy_mode": "regular"},
        "server_conn": {"peername": None, "address": ("plex.tv", 443)},
    }


def raw(sent: Streamed | None = None, device: str = "", encoding: bytes = b"") -> Raw:
    return Raw(state(encoding), 7, device, sent, None)


def body(size: int, kept: bytes, encoding: bytes = b"") -> Body:
    seen = exchange(raw(Streamed(size, kept), encoding=encoding))
    assert isinstance(seen, Exchange)
    return seen.body


def test_what_is_told_of_a_streamed_body() -> None:
    packed = gzip.compress(b"x" * 50)
    assert body(0, b"") == Body()
    assert body(3, b"abc") == Body(b"abc", 3)
    assert body(4, b"abc") == Body(b"abc", 4, True, "only the beginning was kept")
    assert body(4, b"") == Body(None, 4, True, "a medium, which is not kept")
    assert body(len(packed), packed, b"gzip") == Body(b"x" * 50, len(packed))
    assert body(4, b"abcd", b"made-up") == Body(None, 4, False, "unknown content-encoding")


def test_a_bomb_costs_little() -> None:
    packed = gzip.compress(bytes(200_000_000), 1)
    content = body(len(packed), packed[: 1 << 20], b"gzip").content
    assert content is not None
    assert len(content) <= 4 << 20


@given(st.binary(max_size=300), st.sampled_from([b"", b"gzip", b"br", b"zstd", b"deflate", b"made-up", b"\xff"]))
def test_nothing_that_was_streamed_raises(data: bytes, encoding: bytes) -> None:
    assert body(len(data), data, encoding).size == len(data)


def through(*items: Observation | Raw, lost: int = 0) -> list[tuple[int, list[Observation | Effect]]]:
    return list(frames(io.BytesIO(frame(map(packed, items), lost))))


def test_every_kind_comes_out_as_it_went_in() -> None:
    contact = Contact(Source(0, 1), 1.0, 2.0, "tv", None, None, "a", "sni", "tls", 1, 2, 3, 4, "is made up")
    lookup = Lookup(Source(0, 2), 1.0, "tv", None, None, "dns", "a", "A", ("192.0.2.1",), "NOERROR", None)
    seen = exchange(raw())
    assert through(contact, lookup, seen, unreadable(3), lost=4) == [(4, [contact, lookup, seen, unreadable(3)])]


def test_a_flow_becomes_an_exchange_on_the_other_side() -> None:
    item = raw(Streamed(5, b"abc"), device="tv")
    seen = exchange(item)
    assert through(item) == [(0, [seen])]
    assert isinstance(seen, Exchange)
    assert (seen.source, seen.device, seen.host, seen.path) == (Source(0, 7), "tv", "plex.tv", "/a")


@pytest.mark.parametrize(
    ("odd", "reason"),
    [({"timestamp_start": "noon"}, "is odd (ValueError)"), ({"host": object()}, "is odd (TypeError)")],
)
def test_one_that_is_odd_costs_itself_alone(odd: dict[str, Any], reason: str) -> None:
    ((_, seen),) = through(unreadable(1), Raw(state(**odd), 7, "", None, None), unreadable(2))
    assert seen == [unreadable(1), Unreadable(Source(0, 7), None, "flow 7", reason), unreadable(2)]


@given(st.integers(0, 200))
def test_a_frame_that_is_cut_off_ends_the_reading(length: int) -> None:
    whole = frame([packed(unreadable(1))], 0)
    found = [x for _, rows in frames(io.BytesIO(whole + frame([packed(unreadable(2))], 0)[:length])) for x in rows]
    assert found[0] == unreadable(1)


def rows(path: Path) -> list[Observation]:
    return [observation for _, observation in ledger.read(path)]


def test_everything_is_written_when_it_is_closed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.ledger", keep_secrets=True)
    for number in range(1000):
        assert recorder.put(unreadable(number))
    recorder.close()
    assert [x.source.index for x in rows(tmp_path / "x.ledger")] == list(range(1000))
    again = Recorder(tmp_path / "x.ledger", keep_secrets=True)
    again.close()
    assert again.next_flow == 1000


def test_what_is_no_ledger_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100, "utf-8")
    with pytest.raises(CaptureError, match=r"^letter\.txt: is not a ledger"):
        Recorder(tmp_path / "letter.txt", keep_secrets=True)


def test_another_process_goes_on_when_one_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    recorder = Recorder(path, keep_secrets=True)
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.put(unreadable(0))
    time.sleep(2.5)
    recorder.put(unreadable(1))
    recorder.close()
    assert rows(path)[-1] == unreadable(1)
    # What was on its way is counted.
    assert len(rows(path)) + ledger.counters(path).get("dropped", 0) == 2


def test_too_many_are_lost_and_counted_and_nobody_waits(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    recorder = Recorder(path, keep_secrets=True)
    os.kill(recorder.pid, signal.SIGSTOP)
    begin = time.monotonic()
    taken = sum(recorder.put(replace(unreadable(number), reason="x" * (1 << 20))) for number in range(500))
    # However busy the machine is: a tenth of a second of waiting at each would take 50.
    assert time.monotonic() - begin < 30
    assert 64 <= taken < 500
    os.kill(recorder.pid, signal.SIGCONT)
    end = time.monotonic() + 60
    while len(rows(path)) < taken and time.monotonic() < end:
        time.sleep(0.1)
    recorder.put(unreadable(500))
    recorder.close()
    assert len(rows(path)) == taken + 1
    assert ledger.counters(path)["dropped"] == 500 - taken
