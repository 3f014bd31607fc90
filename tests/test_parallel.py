"""Work that is shared out among processes brings what one process brings."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from analysis import parallel, pipeline
from analysis.look import Found
from captures import formats
from shipped import KNOWLEDGE

DATA = Path(__file__).parent / "data"
HERE = os.getpid()


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Three processes for ten values or more -> the processes that were started."""
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        started.append(fork())
        return started[-1]

    monkeypatch.setattr(parallel, "FEWEST", 10)
    monkeypatch.setattr(parallel, "processes", lambda: 3)
    monkeypatch.setattr(os, "fork", counted)
    return started


@pytest.mark.parametrize("name", ["web-session", "plexapi"])
def test_a_capture_gives_the_same_result_with_one_process_and_with_three(
    name: str, three: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KNOWLEDGE
    captures = [formats.read(DATA / f"{name}.flow.gz")]
    shared_out = pipeline.run(captures, known)
    assert len(three) == 2
    monkeypatch.setattr(parallel, "processes", lambda: 1)
    assert shared_out == pipeline.run(captures, known)
    assert len(three) == 2
    assert shared_out.findings


@pytest.mark.usefixtures("three")
def test_results_come_in_the_order_of_the_values_also_those_of_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_BATCH", 7)
    assert list(parallel.mapped(str, range(1000), str)) == [str(n) for n in range(1000)]


def test_few_values_stay_in_this_process(three: list[int]) -> None:
    assert list(parallel.mapped(str, range(5), str)) == ["0", "1", "2", "3", "4"]
    assert list(parallel.mapped(str, [], str)) == []
    assert three == []


@pytest.mark.usefixtures("three")
def test_what_a_killed_process_owes_is_worked_out_here() -> None:
    def work(n: int) -> int:
        if n == 70 and os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return n * n

    assert list(parallel.mapped(work, range(100), int)) == [n * n for n in range(100)]


@pytest.mark.usefixtures("three")
def test_what_fails_fails_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_BATCH", 7)

    def work(n: int) -> int:
        if n == 70:
            raise KeyError(n)
        return n

    found = parallel.mapped(work, range(100), int)
    assert [next(found) for _ in range(70)] == list(range(70))
    with pytest.raises(KeyError):
        next(found)


@pytest.mark.usefixtures("three")
def test_a_result_that_does_not_pass_as_bytes_is_worked_out_here() -> None:
    def work(n: int) -> Found:
        return Found((), ("\ud800" if n == 70 else str(n),))

    assert [found.ran_out[0] for found in parallel.mapped(work, range(100), Found)][69:72] == ["69", "\ud800", "71"]


def test_processes_end_when_nobody_wants_the_rest(three: list[int]) -> None:
    found = parallel.mapped(str, range(100), str)
    assert next(found) == "0"
    found.close()
    for process in three:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, 0)
