"""Reading ahead changes when blocks are made, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.formats.readahead import read_ahead


@given(st.lists(st.binary(max_size=20)), st.integers(1, 50))
def test_the_bytes_are_the_same_in_larger_blocks(blocks: list[bytes], size: int) -> None:
    found = list(read_ahead(blocks, size))
    assert b"".join(found) == b"".join(blocks)
    assert all(len(block) >= size for block in found[:-1])


def failing() -> Iterator[bytes]:
    yield b"one"
    raise OSError(5, "Input/output error")


def test_what_goes_wrong_is_raised_after_what_came_before() -> None:
    blocks = read_ahead(failing(), 1)
    assert next(blocks) == b"one"
    with pytest.raises(OSError, match="Input/output error"):
        next(blocks)


def test_the_thread_ends_when_nobody_reads_on() -> None:
    blocks = read_ahead(iter(lambda: bytes(10), b""), 10)
    next(blocks)
    blocks.close()
    assert "reading ahead" not in {thread.name for thread in threading.enumerate()}
