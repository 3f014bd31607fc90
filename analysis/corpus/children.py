"""What a worker does with captures: hands each to a child process, ends that if it must, and tries once more.

Dask limits no task.  Each thread of a worker keeps one child, whose memory and time are limited and which is replaced
after a fault, so that a capture that hangs, crashes or eats memory costs nobody else anything.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from analysis.corpus import store
from analysis.corpus.child import Answer, Limits, Task
from analysis.corpus.store import Part
from captures import process

TRIES = 2
"""How often a capture is tried whose reader failed."""

START = 120
"""Seconds in which a child has to be ready."""

MEMORY = 2 << 30
"""Bytes of addresses that making a part of the tables may take."""

SECONDS = 3600.0
"""How long it may take."""

_idle: dict[int, list[Child]] = {}
_lock = threading.Lock()


class Child:
    """A process that reads captures."""

    def __init__(self, memory: int) -> None:
        """`memory`: bytes of addresses that it may take."""
        self._aside = tempfile.TemporaryDirectory(prefix="phonehome-", ignore_cleanup_errors=True)
        self._process = process.start("analysis.corpus.child", out=subprocess.PIPE, log=subprocess.DEVNULL)
        self._send(msgspec.json.encode(Limits(memory, self._aside.name)))
        self._rest = b""
        self._ready = False

    def ask(self, task: Task | Part, name: str, seconds: float) -> Answer:
        """A task, with a name for what may go wrong with it, and how long it may take -> its answer.

        With `again` the child is lost and has to be closed.
        """
        sha = ""
        try:
            if not self._ready and self._line(time.monotonic() + START) is None:
                return Answer(fault=f"{name}: no reader could be started", again=True, passing=True)
            self._ready = True
            self._send(msgspec.json.encode(task))
            end = time.monotonic() + seconds
            while (line := self._line(end)) is not None:
                answer = msgspec.json.decode(line, type=Answer)
                if not answer.begun:
                    return answer
                sha = answer.sha256
        except (OSError, msgspec.MsgspecError):
            return Answer(sha, f"{name}: {self._how_it_ended()}", again=True)
        return Answer(sha, f"{name}: takes longer than {seconds:g} s", again=True)

    def close(self) -> None:
        """Ends it and removes what it put aside."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._aside.cleanup()

    def _send(self, line: bytes) -> None:
        if self._process.stdin:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _line(self, end: float) -> bytes | None:
        """The next line; `None` when it does not come in time.  Raises `OSError` when the child is gone."""
        out = self._process.stdout.fileno() if self._process.stdout else -1
        while b"\n" not in self._rest:
            if not select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            block = os.read(out, 1 << 16)
            if not block:
                raise OSError("the child is gone")
            self._rest += block
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        return f"its reader was ended by signal {-code}" if code and code < 0 else "its reader ended"


def examine(tasks: Sequence[Task]) -> list[Answer]:
    """Tasks -> their answers, each after two tries at most; a capture that gives nothing is noted in the corpus."""
    return [_examined(task) for task in tasks]


def _examined(task: Task) -> Answer:
    answer = _asked(task, task.place.decode("utf-8", "backslashreplace"), task.memory, task.seconds)
    if answer.fault and answer.sha256 and not answer.passing:
        # The reason may name the file, which a corpus that may be given away must not.
        reason = b"" if task.shared else answer.fault.encode()
        name = f"{answer.sha256}.{task.versions}{store.FAILED}"
        store.write(Path(task.out) / "results" / name[:2] / name, reason)
    return answer


def tabulate(parts: Sequence[Part]) -> list[Answer]:
    """Makes parts of the tables anew -> an answer for each."""
    return [_asked(part, f"tables of part {part.name}", MEMORY, SECONDS) for part in parts]


def _asked(task: Task | Part, name: str, memory: int, seconds: float) -> Answer:
    """A task -> the answer of a child, or of another one if that is lost."""
    answer = Answer()
    for _ in range(TRIES):
        child = _borrow(memory)
        answer = child.ask(task, name, seconds)
        if answer.again:
            child.close()
        else:
            with _lock:
                _idle.setdefault(memory, []).append(child)
            break
    return answer


def close() -> None:
    """Ends the children that wait for work in this process."""
    with _lock:
        waiting = [child for children in _idle.values() for child in children]
        _idle.clear()
    for child in waiting:
        child.close()


def _borrow(memory: int) -> Child:
    with _lock:
        if waiting := _idle.get(memory):
            return waiting.pop()
    return Child(memory)
