"""Hands observations to the process that keeps the ledger; never makes the caller wait, and never raises into it."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import deque
from pathlib import Path

from captures.model import CaptureError, Effect, Observation
from captures.process import start
from captures.recorder import Raw, frame, order, packed

_MOST = 20_000
"""Observations that may wait for the other process."""

_MOST_BYTES = 64 * 1024 * 1024
"""Bytes that may wait."""

_EVERY = 0.1
"""Seconds between two deliveries: the thread shares Python's lock with the proxy, and each turn costs the traffic."""


class Recorder:
    """Starts the other process, and delivers to it from a thread."""

    def __init__(self, path: Path, *, keep_secrets: bool) -> None:
        """Raises `CaptureError` with what the other process says is wrong with the ledger."""
        self._order = order(path, keep_secrets=keep_secrets)
        self._waiting: deque[bytes] = deque()
        # Each of these is changed by one thread only.
        self._taken = self._refused = 0
        self._given = self._failed = self._told = 0
        self._ending = threading.Event()
        self._process, self.next_flow = self._start()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        process = start("captures.recorder", out=subprocess.PIPE, log=subprocess.DEVNULL)
        assert process.stdin is not None  # noqa: S101 - it was asked for
        assert process.stdout is not None  # noqa: S101 - likewise
        with contextlib.suppress(OSError):
            process.stdin.write(self._order)
            process.stdin.flush()
        with process.stdout:
            answer = process.stdout.readline().decode().strip()
        if not answer.isdigit():
            process.kill()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()
            raise CaptureError(answer or "the ledger cannot be kept: its process ended at once")
        return process, int(answer)

    @property
    def pid(self) -> int:
        """Number of the other process."""
        return self._process.pid

    def put(self, item: Observation | Effect | Raw) -> bool:
        """Takes an observation or a flow; `False` when too many wait and it is lost and counted."""
        if len(self._waiting) >= _MOST or self._taken - self._given > _MOST_BYTES:
            self._refused += 1
            return False
        # Packed at once: what waits as objects would cost the garbage collector more.
        row = packed(item)
        self._taken += len(row)
        self._waiting.append(row)
        return True

    def close(self) -> None:
        """Delivers what is left, and waits until it is written, as far as a few seconds allow."""
        self._ending.set()
        self._thread.join(4.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(6.0)

    def _run(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(OSError):
                self._deliver()
            if not self._ending.wait(1.0):
                # Somebody ended the other process: another one goes on where it stopped.
                self._process.poll()
                with contextlib.suppress(OSError, CaptureError):
                    self._process, _ = self._start()

    def _deliver(self) -> None:
        """Until the end.  Raises `OSError` when the other process is gone."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with self._process.stdin as pipe:
            while True:
                ending = self._ending.is_set()
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), 200))]
                    self._given += sum(len(row) for row in batch)
                    lost = self._refused + self._failed - self._told
                    self._failed += len(batch)
                    pipe.write(frame(batch, lost))
                    pipe.flush()
                    self._failed -= len(batch)
                    self._told += lost
                if ending:
                    return
                self._ending.wait(_EVERY)
