"""The worst verdict of a call, worked out in a process of its own: the proxy's must not wait for it.

`python -m analysis.verdicts` is that process: a line of JSON comes in for each exchange, its verdict goes out.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Callable

import msgspec

from captures.model import Exchange
from captures.process import start

_WAITING = 200
"""Exchanges that may wait; more are left without a verdict."""

type Tell = Callable[[int, str], None]
"""Takes the number of an exchange and its verdict, empty when nothing is judged.  Called in a thread."""


class Verdicts:
    """Asks the other process, and tells what it answers."""

    def __init__(self, tell: Tell) -> None:
        """Starts the process.  Raises `OSError` when it cannot be started."""
        self._tell = tell
        self._queue: queue.Queue[tuple[int, Exchange] | None] = queue.Queue(_WAITING)
        self._process = start("analysis.verdicts", out=subprocess.PIPE, log=subprocess.DEVNULL)
        for work in (self._feed, self._hear):
            threading.Thread(target=work, name="verdicts", daemon=True).start()

    def ask(self, number: int, exchange: Exchange) -> bool:
        """Takes an exchange; `False` when too many wait and it gets no verdict."""
        try:
            self._queue.put_nowait((number, exchange))
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._process.terminate()
        self._process.wait(timeout=5)

    def _feed(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError), self._process.stdin as pipe:
            while question := self._queue.get():
                pipe.write(msgspec.json.encode(question) + b"\n")
                pipe.flush()

    def _hear(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        for line in self._process.stdout:
            number, _, verdict = line.decode().strip().partition(" ")
            self._tell(int(number), verdict)


def main() -> None:
    """Answers questions until standard input ends."""
    from analysis import known
    from analysis.evidence import Servers
    from analysis.knowledge import load
    from analysis.live import Watcher
    from captures import home

    named = Servers(hosts=frozenset(server.value for server in known.listed("server")))
    watcher = Watcher(load(home.packs(), home.cache()), named, known.load())
    for line in sys.stdin.buffer:
        number, exchange = msgspec.json.decode(line, type=tuple[int, Exchange])
        sys.stdout.write(f"{number} {watcher.worst(exchange) or ''}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
