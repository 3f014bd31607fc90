"""The same work on many values, shared out among processes; the results are those of one process, in order.

It pays for thousands of calls of which each takes long: a process is a fork, which costs some 20 ms, and its results
come back as bytes.  It does not pay for reading, where handing an observation over takes half as long as reading it.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import batched

import msgspec

FEWEST = 2_000
"""Values that are worth more than one process."""

MOST_PROCESSES = 4
"""Each may come to need as much memory as the values."""

_BATCH = 500

_SIZE = struct.Struct("<I")


def mapped[A, B](work: Callable[[A], B], values: Sequence[A], result: type[B]) -> Generator[B]:
    """As `map(work, values)`, by as many processes as there are processors for this one; `result` is what `work` gives.

    Few values, and those of a system that cannot fork, stay in this process.  What another process fails to bring (it
    was killed, a result that does not pass as bytes) is worked out here.
    """
    size = len(values) if len(values) < FEWEST else -(-len(values) // processes())
    others = [_Part(work, values[at : at + size], result) for at in range(size, len(values), size or 1)]
    try:
        yield from map(work, values[:size])
        for part in others:
            yield from part.results()
    finally:
        for part in others:
            part.end()


def processes() -> int:
    """How many processes work."""
    # Elsewhere a fork of a process that uses the system's libraries is not safe.
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES) if sys.platform == "linux" else 1


class _Part[A, B]:
    """Values, and the process that works on them."""

    def __init__(self, work: Callable[[A], B], values: Sequence[A], result: type[B]) -> None:
        self._work, self._values = work, values
        self._decoder = msgspec.msgpack.Decoder(list[result])  # type: ignore[valid-type]  # known when it runs
        receiving, sending = os.pipe()
        with warnings.catch_warnings():
            # The one other thread there may be draws the progress bar, and the new process draws nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if not self._process:
            self._serve(sending)
        os.close(sending)
        self._file = os.fdopen(receiving, "rb")

    def _serve(self, sending: int) -> None:
        """Works, sends the results, and ends this process without anything that the first one has still to do."""
        try:
            gc.disable()
            # Sent at the end, since a pipe is soon full and the other process has its own work first.
            batches = [self._encoded(batch) for batch in batched(self._values, _BATCH)]
            with os.fdopen(sending, "wb") as file:
                for batch in batches:
                    file.write(_SIZE.pack(len(batch)) + batch)
        finally:
            os._exit(0)

    def _encoded(self, values: Sequence[A]) -> bytes:
        try:
            return msgspec.msgpack.encode(list(map(self._work, values)))
        except UnicodeEncodeError:  # half of a surrogate pair, which hostile bodies hold
            return b""

    def results(self) -> Iterator[B]:
        """The results, in the order of the values."""
        for values in batched(self._values, _BATCH):
            head = self._file.read(_SIZE.size)
            size = _SIZE.unpack(head)[0] if len(head) == _SIZE.size else 0
            raw = self._file.read(size)
            yield from self._decoder.decode(raw) if size and len(raw) == size else map(self._work, values)

    def end(self) -> None:
        """Ends the process, whether it is done or not."""
        self._file.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
