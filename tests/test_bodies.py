"""Which bodies pass through piece by piece, and what is kept of them."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.http import Headers

from addons.bodies import BEGINNING, LARGE, WHOLE, Stream, kept
from captures.model import Body

SMALL, BIG = str(LARGE), str(LARGE + 1)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"content-type": "application/json", "content-length": SMALL}, None),
        ({"content-type": "application/json", "content-length": BIG}, WHOLE),
        ({"content-type": "video/mp4", "content-length": SMALL}, None),
        ({"content-type": "Video/MP4", "content-length": BIG}, 0),
        ({"content-type": "video/mp4"}, 0),
        ({"content-type": "text/event-stream"}, BEGINNING),
        ({"content-type": "Text/Event-Stream; charset=utf-8", "content-length": "5"}, BEGINNING),
        ({"content-type": "application/json"}, WHOLE),
        ({"transfer-encoding": "chunked"}, WHOLE),
        ({"content-length": "-5", "content-type": "application/json"}, WHOLE),
        ({"content-length": "9" * 5000, "content-type": "application/json"}, WHOLE),
    ],
)
def test_what_is_streamed(headers: dict[str, str], expected: int | None) -> None:
    fields = [(name.title().encode(), value.encode()) for name, value in headers.items()]
    assert kept(Headers(fields), unannounced=True) == expected


def test_inside_mitmproxys_own_programs_texts_of_unknown_length_stay_to_be_looked_at() -> None:
    assert kept(Headers([(b"Content-Type", b"application/json")]), unannounced=False) is None
    assert kept(Headers([(b"Content-Type", b"video/mp4")]), unannounced=False) == 0


@given(st.lists(st.binary(max_size=50)), st.integers(0, 200))
def test_every_piece_passes_unchanged_and_no_more_is_kept_than_asked_for(pieces: list[bytes], most: int) -> None:
    stream = Stream(most)
    assert [stream(piece) for piece in pieces] == pieces
    whole = b"".join(pieces)
    assert (stream.size, bytes(stream.kept)) == (len(whole), whole[:most])


@given(st.binary(), st.sampled_from(["", "gzip", "br", "zstd", "deflate", "made-up"]))
def test_nothing_that_was_streamed_raises(data: bytes, encoding: str) -> None:
    stream = Stream(100)
    stream(data)
    assert stream.body(encoding).size == len(data)


def body(data: bytes, most: int, encoding: str = "") -> Body:
    stream = Stream(most)
    stream(data)
    return stream.body(encoding)


def test_what_is_told_of_a_streamed_body() -> None:
    packed = gzip.compress(b"x" * 50)
    assert body(b"", 0) == Body()
    assert body(b"abc", 3) == Body(b"abc", 3)
    assert body(b"abcd", 3) == Body(b"abc", 4, True, "only the beginning was kept")
    assert body(b"abcd", 0) == Body(None, 4, True, "a medium, which is not kept")
    assert body(packed, 100, "gzip") == Body(b"x" * 50, len(packed))
    assert body(b"abcd", 9, "made-up") == Body(None, 4, False, "unknown content-encoding")


def test_a_bomb_costs_little() -> None:
    stream = Stream(WHOLE)
    stream(gzip.compress(bytes(200_000_000), 1)[:WHOLE])
    content = stream.body("gzip").content
    assert content is not None
    assert len(content) <= 4 * WHOLE
