"""`python -m analysis.corpus.child`: reads one capture after the other, and may be lost with any of them.

The first line on standard input says how much memory it may take, and in which folder it may put things aside; each
further one is a `Task`, or a `store.Part` of the tables that has to be made, and each is answered with an `Answer` on
standard output, in JSON: of a capture first, once its hash is known, with `begun`, then with what became of it.  It
ends when its input ends.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from analysis import knowledge, pipeline
from analysis.corpus import store, tables, touched
from analysis.knowledge import Knowledge
from analysis.proof import LeakError
from captures import formats, home
from captures.model import CaptureError

GRACE = 10
"""Seconds after its time in which a child that nobody ends, since its worker is gone, ends itself."""


OTHER_VERSION = "the worker has another version of phonehome or other packs; install the same there"


class Task(msgspec.Struct, frozen=True, tag=True):
    """One capture."""

    place: bytes
    """Path, or an address that fsspec knows; in bytes, since a path need not be text."""
    out: str
    """Folder of the corpus."""
    shared: bool
    """Whether only what may be given away is kept."""
    seconds: float
    """How long it may take."""
    memory: int
    """Bytes of addresses that the child may take."""
    versions: str
    """By which program and packs it is to be read; a child that has others refuses."""


class Limits(msgspec.Struct, frozen=True):
    """What a child may take."""

    memory: int
    """Bytes of addresses, and of one file."""
    folder: str
    """Where it may put things aside; whoever started it removes it."""


class Answer(msgspec.Struct, frozen=True):
    """What became of it."""

    sha256: str = ""
    """Of the capture; empty when it could not even be read for that."""
    fault: str = ""
    """Why there is no result; empty when there is one.  May name the file: private."""
    again: bool = False
    """Whether this child must not go on, and another one could do better."""
    passing: bool = False
    """Whether the fault lies in the surroundings (a full disk, a network that is down) and not in the capture."""
    begun: bool = False
    """Whether this only says that it is ready, or which capture it is: the answer follows."""
    signs: touched.Signs | None = None
    """What of it a rule could match; `None` when the result was there already."""
    damaged: tuple[str, ...] = ()
    """Of a part of the tables: results that could not be read."""


def main() -> None:
    """Answers tasks until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever prints must not garble the answers
    limits = msgspec.json.decode(sys.stdin.buffer.readline(), type=Limits)
    tempfile.tempdir = limits.folder
    with contextlib.suppress(ValueError, OSError):  # not every system can limit it
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.memory, limits.memory))
    known = knowledge.load(home.packs(), home.cache())
    # The knowledge stays: the collector of cycles need not go through it again for each capture.
    gc.collect()
    gc.freeze()

    def say(answer: Answer) -> None:
        answers.write(msgspec.json.encode(answer) + b"\n")

    say(Answer(begun=True))
    for line in sys.stdin.buffer:
        asked = msgspec.json.decode(line, type=Task | store.Part)
        answer = _tables(asked) if isinstance(asked, store.Part) else _limited(asked, known, say)
        say(answer)
        if answer.again:
            return


def _tables(part: store.Part) -> Answer:
    """A part of the tables -> its answer."""
    try:
        return Answer(damaged=tuple(store.tabulate(part)))
    except MemoryError:
        return Answer(fault="there is too little memory", again=True)
    except OSError as error:
        return Answer(fault=(error.strerror or str(error)).lower(), again=True)


def _limited(task: Task, known: Knowledge, say: Callable[[Answer], None]) -> Answer:
    """A task -> its answer, or the end of this process when it takes far too long."""
    signal.alarm(int(task.seconds) + GRACE)
    try:
        return _answer(task, known, say)
    finally:
        signal.alarm(0)


def _answer(task: Task, known: Knowledge, say: Callable[[Answer], None]) -> Answer:
    """A task -> its answer."""
    sha, place = "", os.fsdecode(task.place)

    def failed(reason: str, *, again: bool = False, passing: bool = False) -> Answer:
        text = f"{place}: {reason}".encode("utf-8", "backslashreplace").decode()
        return Answer(sha, text, again=again, passing=passing)

    try:
        if "-".join(store.versions(known, task.shared)) != task.versions:
            return failed(OTHER_VERSION, again=True, passing=True)
        with _local(place) as path:
            capture = formats.read(path)
            sha = capture.digest()
            say(Answer(sha, begun=True))
            target = Path(task.out) / "results" / sha[:2] / f"{sha}.{task.versions}"
            if target.exists():
                return Answer(sha)
            result = pipeline.run([capture], known)
            given = store.Given(tables.rows(result, task.shared))
        store.write(target, given.encode())
        return Answer(sha, signs=touched.signs(result))
    except (CaptureError, LeakError) as error:
        text = str(error).removeprefix(f"{Path(place).name}: ").removeprefix(f"{place}: ")
        return failed(text, passing=_is_passing(error.__context__))
    except MemoryError:
        return failed(f"takes more than {task.memory >> 20} MB of memory", again=True)
    except OSError as error:
        return failed((error.strerror or str(error)).lower(), again=True, passing=_is_passing(error))
    except Exception as error:  # a fault of ours costs one capture
        return failed(f"{type(error).__name__} while it was read", again=True)


def _is_passing(error: BaseException | None) -> bool:
    """Whether it was the system, which may do better the next time; the limit of a file's size is ours."""
    return isinstance(error, OSError) and error.errno != errno.EFBIG


@contextlib.contextmanager
def _local(place: str) -> Iterator[Path]:
    """A place -> a path on this machine, for as long as it is needed."""
    if "://" not in place:
        yield Path(place)
        return
    import fsspec  # 0.1 s, and only addresses need it

    name = place.rsplit("/", 1)[-1] or "capture"
    with tempfile.TemporaryDirectory(prefix="phonehome-") as folder:
        path = Path(folder) / name
        with fsspec.open(place, "rb") as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        yield path


if __name__ == "__main__":
    main()
