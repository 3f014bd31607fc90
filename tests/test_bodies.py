"""Which bodies pass through piece by piece, and what is kept of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.http import Headers

from addons.bodies import BEGINNING, LARGE, WHOLE, Stream, kept

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
