"""Blocks of bytes that are made in another thread while those before them are worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

_WAITING = 2
"""Blocks that are made in advance."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


def read_ahead(blocks: Iterable[bytes], size: int) -> Generator[bytes]:
    """Blocks -> the same bytes in blocks of at least `size`, but for the last; raises what making them raises.

    Reading a pipe and unpacking let other threads run meanwhile.  Ends with the thread, also when it is not read out.
    """
    ready: queue.Queue[bytes | _Failed | None] = queue.Queue(_WAITING)
    stopped = threading.Event()

    def put(item: bytes | _Failed | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        found: bytes | _Failed | None = None
        try:
            for found in _gathered(blocks, size):
                if not put(found):
                    return
            put(None)
        except BaseException as error:
            put(_Failed(error))

    thread = threading.Thread(target=make, name="reading ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join(1.0)


def _gathered(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    found, have = list[bytes](), 0
    for block in blocks:
        found.append(block)
        have += len(block)
        if have >= size:
            yield b"".join(found)
            found, have = [], 0
    if found:
        yield b"".join(found)
