"""Content-encodings are undone within limits."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from captures.content import DAMAGE, Limits, undo, unpack
from captures.model import Body

TEXT = b'{"event": "playback"}' * 50

ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_each_encoding_is_undone(encoding: str) -> None:
    packed = ENCODERS[encoding](TEXT)
    assert undo(packed, encoding) == Body(TEXT, len(packed))


def test_deflate_without_its_header_is_undone_too() -> None:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(TEXT) + packer.flush()
    assert undo(packed, "deflate") == Body(TEXT, len(packed))


def test_several_encodings_are_undone_from_the_last_to_the_first() -> None:
    packed = brotli.compress(gzip.compress(TEXT))
    assert undo(packed, "gzip, br") == Body(TEXT, len(packed))


def test_several_members_and_frames_are_one_body() -> None:
    for encoding in ("gzip", "zstd"):
        packed = ENCODERS[encoding](TEXT) * 3
        assert undo(packed, encoding) == Body(TEXT * 3, len(packed))


def test_a_plain_body_that_is_labelled_as_compressed_stays_as_it_is() -> None:
    assert undo(TEXT, "gzip") == Body(TEXT, len(TEXT))
    assert undo(TEXT, "identity") == Body(TEXT, len(TEXT))


def test_an_unknown_encoding_keeps_nothing_and_says_so() -> None:
    assert undo(TEXT, "magic") == Body(None, len(TEXT), False, "unknown content-encoding")


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_damaged_encoding_keeps_the_good_beginning_and_says_so(encoding: str) -> None:
    packed = ENCODERS[encoding](bytes(range(256)) * 4000)
    seen = undo(packed[: len(packed) * 2 // 3], encoding)
    assert (seen.cut, seen.problem) == (True, f"{encoding}: is damaged")
    assert bytes(range(256)) * 4000 != seen.content
    assert (bytes(range(256)) * 4000).startswith(seen.content or b"")


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_bomb_ends_at_the_limit(encoding: str) -> None:
    packed = ENCODERS[encoding](bytes(50_000_000))
    seen = undo(packed, encoding, Limits(size=3_000_000, ratio=1_000_000))
    assert (len(seen.content or b""), seen.cut, seen.problem) == (
        3_000_000,
        True,
        f"{encoding}: unpacks to more than 3000000 bytes",
    )


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_empty_members_take_no_time(encoding: str) -> None:
    packed = ENCODERS[encoding](b"") * 200_000
    assert undo(packed, encoding) == Body(b"", len(packed))


def test_more_encodings_than_anybody_uses_are_not_undone() -> None:
    assert undo(TEXT, ",".join(["gzip"] * 9)) == Body(None, len(TEXT), False, "too many content-encodings")
    packed = TEXT
    for _ in range(8):
        packed = gzip.compress(packed)
    assert undo(packed, ",".join(["gzip"] * 8)) == Body(TEXT, len(packed))


@pytest.mark.parametrize("size", [8191, 8192, 8193, 65535, 65536, 65537, 200_000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bodies_around_the_size_of_a_piece_come_back_whole(size: int, encoding: str) -> None:
    for plain in (hashlib.shake_256(b"x").digest(size), bytes(size)):
        packed = ENCODERS[encoding](plain)
        assert undo(packed, encoding) == Body(plain, len(packed))


def test_padding_after_a_gzip_body_is_no_damage() -> None:
    packed = gzip.compress(TEXT) + bytes(20_000)
    assert undo(packed, "gzip") == Body(TEXT, len(packed))


def _unpacked(packed: bytes, encoding: str) -> tuple[bytes, bool]:
    """What comes out of a file, and whether it is whole."""
    found = bytearray()
    try:
        for block in unpack(io.BytesIO(packed), encoding):
            found += block
    except DAMAGE:
        return bytes(found), False
    return bytes(found), True


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_file_that_is_damaged_or_cut_keeps_all_that_stands_before(encoding: str) -> None:
    plain = hashlib.shake_256(b"film").digest(1_500_000).hex().encode()
    packed = bytearray(ENCODERS[encoding](plain))
    kind = encoding.replace("deflate", "zlib")
    assert _unpacked(bytes(packed), kind) == (plain, True)
    at = len(packed) * 9 // 10
    for broken in (bytes(packed[:at]), bytes(packed[:at]) + b"\xff" * (len(packed) - at)):
        found, whole = _unpacked(broken, kind)
        assert not whole
        assert plain.startswith(found[: len(plain) * 9 // 10 - 40_000])
        assert len(found) > len(plain) * 9 // 10 - 40_000
    packed[-3] ^= 1  # of the sum at its end
    found, whole = _unpacked(bytes(packed), kind)
    assert not whole
    assert plain.startswith(found)
    assert len(found) > len(plain) - 40_000


@pytest.mark.usefixtures("no_hang")
def test_a_file_of_many_members_and_padding_comes_out_whole() -> None:
    parts = [hashlib.shake_256(bytes([n])).digest(n * 4_000) for n in range(40)]
    packed = b"".join(gzip.compress(part) for part in parts)
    assert _unpacked(packed + bytes(20_000), "gzip") == (b"".join(parts), True)
    assert _unpacked(packed + b"no member", "gzip") == (b"".join(parts), False)
    assert _unpacked(gzip.compress(b"") * 50_000 + packed, "gzip") == (b"".join(parts), True)


def test_the_ratio_counts_only_for_what_is_large() -> None:
    packed = gzip.compress(bytes(900_000))
    assert undo(packed, "gzip", Limits(ratio=2)).problem == ""
    assert undo(gzip.compress(bytes(3_000_000)), "gzip", Limits(ratio=2)).cut


@given(st.binary(max_size=2000), st.sampled_from([*ENCODERS, "gzip, br"]))
def test_nothing_is_raised_whatever_the_bytes(raw: bytes, encoding: str) -> None:
    assert undo(raw, encoding).size == len(raw)


@given(st.binary(max_size=2000), st.sampled_from(sorted(ENCODERS)))
def test_what_was_packed_comes_back(raw: bytes, encoding: str) -> None:
    assert undo(ENCODERS[encoding](raw), encoding).content == raw
