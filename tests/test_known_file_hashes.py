"""Hashes of files agree with values that others have published or that follow from the definition."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from Crypto.Hash import MD4

from analysis.known.file_hashes import file_hashes

BLOCK = 9_728_000


def written(folder: Path, content: bytes) -> Path:
    path = folder / "film.mkv"
    path.write_bytes(content)
    return path


def test_the_moviehash_is_the_sum_of_the_size_and_of_both_ends(tmp_path: Path) -> None:
    content = (1).to_bytes(8, "little") * 8192 + b"\xff" * 1000 + (2).to_bytes(8, "little") * 8192
    found = dict(file_hashes(written(tmp_path, content)))
    assert found["moviehash"] == f"{len(content) + 8192 * 1 + 8192 * 2:016x}"


def test_the_moviehash_wraps_at_64_bits_and_is_padded(tmp_path: Path) -> None:
    content = (b"\xff" * 8) * 8192 + b"\0" * 65536
    found = dict(file_hashes(written(tmp_path, content)))
    assert found["moviehash"] == f"{(len(content) - 8192) % 2**64:016x}"


def test_a_file_too_small_for_a_moviehash_has_the_other_hashes(tmp_path: Path) -> None:
    assert dict(file_hashes(written(tmp_path, b"abc"))) == {
        "md5": hashlib.md5(b"abc").hexdigest(),
        "sha1": hashlib.sha1(b"abc").hexdigest(),
        "ed2k": "a448017aaf21d8525fc10ae87aa6729d",  # MD4 of `abc`, RFC 1320, appendix A.5
    }


@pytest.mark.parametrize(
    ("size", "expected"),
    # Sources: the table of test vectors at https://wiki.anidb.net/Ed2k-hash (files of zeros).
    [
        (BLOCK, {"d7def262a127cd79096a108e7a9fc138", "fc21d9af828f92a8df64beac3357425d"}),
        (BLOCK * 2, {"194ee9e4fa79b2ee9f8829284c466051", "114b21c63a74b6ca922291a11177dd5c"}),
        (BLOCK * 2 - 1, None),
    ],
)
def test_ed2k_has_two_variants_at_whole_blocks(tmp_path: Path, size: int, expected: set[str] | None) -> None:
    found = {value for kind, value in file_hashes(written(tmp_path, bytes(size))) if kind == "ed2k"}
    if expected is None:
        blocks = MD4.new(bytes(BLOCK)).digest() + MD4.new(bytes(size - BLOCK)).digest()
        expected = {MD4.new(blocks).hexdigest()}
    assert found == expected


def test_what_was_read_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    list(file_hashes(written(tmp_path, bytes(BLOCK + 5)), told.append))
    assert told == [BLOCK, 5]
