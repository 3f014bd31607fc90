"""The batches of a large file are summed up by a second process, while this one takes them in.

What a batch says needs nothing that came before it, and takes as long as everything else together; on two cores both
are done at the same time.  Both processes see the same batches, so that what is found is the same.
"""

from __future__ import annotations

import mmap
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from captures.packets import grouping
from captures.packets.batch import Batch, Damage, Secrets
from captures.packets.bytes_at import Mapped
from captures.packets.containers import batches
from captures.packets.summary import Summary, summary
from captures.process import start

PAYS = 256 << 20
"""Bytes of a file below which starting a process takes longer than it saves."""

_END = b""
"""What follows the last part, so that an end that comes too early is noticed."""

type Part = Summary | Damage | Secrets
"""What comes next in a file."""


def summaries(mapped: Mapped, path: Path) -> Iterator[Part]:
    """A whole file, and where it lies -> its batches summed up, in their order, and what else stands in it.

    One process does it for a small file and on one core; it goes on alone where the other one does not start or ends
    too early.
    """
    done = 0
    if len(mapped) >= PAYS and _cores() > 1:
        for found in _from_another(path, len(mapped)):
            if isinstance(found, bytes):
                return
            done += 1
            yield found
    for number, part in enumerate(batches(mapped)):
        if number >= done:
            yield _summed(part)


def _summed(part: Batch | Damage | Secrets) -> Part:
    return summary(part) if isinstance(part, Batch) else part


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _from_another(path: Path, size: int) -> Iterator[Part | bytes]:
    """What the other process sends of the first `size` bytes of a file, which may grow, as far as it comes."""
    try:
        process = start(__name__, log=subprocess.DEVNULL, out=subprocess.PIPE)
    except OSError:
        return
    with process:
        try:
            if process.stdin and process.stdout:
                with suppress(OSError), process.stdin:
                    pickle.dump((str(path.absolute()), size, grouping.salt()), process.stdin)
                with suppress(OSError, EOFError, pickle.UnpicklingError):
                    while True:
                        yield pickle.load(process.stdout)  # noqa: S301 - from a process of our own
        finally:
            process.kill()


def main() -> None:
    """Sums up the file whose path and size come on standard input, and sends the parts to standard output."""
    path, size, salt = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    grouping.salted(salt)
    with Path(path).open("rb") as file:
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    for part in batches(mapped):
        pickle.dump(_summed(part), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
    pickle.dump(_END, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
