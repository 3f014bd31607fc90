"""Damaged captures: nothing escapes but `CaptureError`, nothing hangs, and the good part is read."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mutations
from captures.formats import read
from captures.model import Unreadable
from packets import containers

DATA = Path(__file__).parent / "data"


def test_damaged_captures_of_all_formats_are_read_without_an_escape() -> None:
    """A small run of `make fuzz`, always the same."""
    start = [*mutations.seeds([DATA / "plexapi.flow.gz"]), *mutations.made_up()]
    assert mutations.fuzz(start, random.Random(6), time.monotonic() + 60, 300) == []


@pytest.mark.parametrize(
    ("reads", "problem"),
    [
        (lambda _: "", ""),
        (lambda _: "ValueError", "ValueError"),
        (lambda _: time.sleep(60), "hangs for more than 1 s"),
        (lambda _: os._exit(1), "its process died"),
    ],
)
def test_the_fuzzer_tells_of_an_escape_a_hang_and_a_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: Callable[[Path], object], problem: str
) -> None:
    monkeypatch.setattr(mutations, "SECONDS", 1.0)
    monkeypatch.setattr(mutations, "reads", reads)
    reader = mutations.Reader()
    assert [reader(tmp_path), reader(tmp_path)] == [problem, problem]
    reader.close()


def test_most_of_a_capture_survives_a_damage(tmp_path: Path) -> None:
    chance, whole = random.Random(1), containers()["made-up.pcapng"]
    path, kept = tmp_path / "x", []
    path.write_bytes(whole)
    all_of_it = sum(1 for _ in read(path).observations())
    for _ in range(40):
        damaged = bytearray(whole)
        at = chance.randrange(200, len(whole))
        damaged[at : at + 4] = b"\xff\xff\xff\xff"
        path.write_bytes(damaged)
        kept.append(sum(not isinstance(x, Unreadable) for x in read(path).observations()))
    assert min(kept) >= all_of_it - 3
