"""Captures -> corpus: what is done is passed over, the rest goes to the workers of Dask, a few at a time."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from analysis import knowledge
from analysis.corpus import children, store, touched
from analysis.corpus.child import Answer, Task
from analysis.corpus.places import Place
from analysis.corpus.store import FAILED, CorpusError, Store
from captures import home

AHEAD = 4
"""Captures that wait at each thread of a worker: enough to keep it busy, few enough for a scheduler of any corpus."""

PATIENCE = 60
"""Seconds that a scheduler may be without any worker at the start."""


class Remembered(msgspec.Struct):
    """What is kept of a corpus on this machine alone.  Private."""

    places: dict[str, tuple[str, str]] = {}
    """Path -> its stamp, and the SHA-256 of what it held then."""
    signs: dict[str, touched.Signs] = {}
    """SHA-256 -> what of the capture a rule could match."""


@dataclass(slots=True)
class Done:
    """What became of the captures."""

    read: int = 0
    """Captures that were read now."""
    known: int = 0
    """Captures whose result was there."""
    kept: int = 0
    """Results that another version of packs does not touch."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason.  Private."""


@dataclass(frozen=True, slots=True)
class How:
    """How the work is done."""

    scheduler: str = ""
    """Address of a scheduler; empty: this machine's cores."""
    workers: int = 1
    """Of this machine: captures at a time."""
    memory: int = 2 << 30
    """Bytes of addresses that reading one capture may take."""
    seconds: float = 600.0
    """How long it may take."""
    again: bool = False
    """Whether captures that failed before are tried once more."""


def run(
    captures: Sequence[Place],
    corpus: Store,
    how: How,
    *,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None],
) -> Done:
    """Captures -> what became of them; their results and tables stand in the corpus afterwards.

    `progress` is told (captures done, captures in all), `tell` a sentence for the reader now and then.
    Raises `CorpusError` when no worker comes.
    """
    known = knowledge.load(home.packs(), home.cache())
    core, packs = store.versions(known, corpus.about.shared)
    corpus.note_packs(packs, known.hashes)
    remembered = _remembered(corpus.folder)
    done = Done(kept=_adopt(corpus, known, core, packs, remembered))
    versions = f"{core}-{packs}"
    there = {name for names in corpus.results().values() for name in names}
    todo = []
    for place in captures:
        stamp, sha = remembered.places.get(place.path, ("", ""))
        name = f"{sha}.{versions}" if sha and stamp == place.stamp and place.stamp else ""
        if name in there:
            done.known += 1
        elif name + FAILED in there and not how.again:
            done.failed.append((place.path, corpus.path(name + FAILED).read_text("utf-8") or "failed before"))
        else:
            todo.append(place)
    if todo:
        out = str(corpus.folder.absolute())
        tasks = [Task(p.path, out, corpus.about.shared, how.seconds, how.memory, versions) for p in todo]
        for finished, (place, answer) in enumerate(_answers(todo, tasks, how, tell), 1):
            _note(place, answer, remembered, done)
            if progress:
                progress(finished, len(todo))
        _remember(corpus.folder, remembered)
    corpus.drop_older(versions)
    corpus.tabulate()
    done.failed.sort()
    return done


def _note(place: Place, answer: Answer, remembered: Remembered, done: Done) -> None:
    if answer.sha256:
        remembered.places[place.path] = (place.stamp, answer.sha256)
    if answer.signs:
        remembered.signs[answer.sha256] = answer.signs
    if answer.fault:
        done.failed.append((place.path, answer.fault))
    elif answer.signs is None:
        done.known += 1
    else:
        done.read += 1


def _adopt(corpus: Store, known: knowledge.Knowledge, core: str, packs: str, remembered: Remembered) -> int:
    """Renames results that other packs would not change; how many."""
    kept = 0
    for sha, names in corpus.results().items():
        if any(name.startswith(f"{sha}.{core}-{packs}") for name in names):
            continue
        newest = names[-1]
        old = newest.removesuffix(FAILED).rpartition("-")
        signs = remembered.signs.get(sha)
        if old[0] != f"{sha}.{core}" or old[2] not in corpus.about.packs or signs is None:
            continue
        differing = touched.changed(corpus.about.packs[old[2]], known.hashes)
        if not touched.is_touched(signs, sorted(differing), known):
            corpus.adopt(newest, f"{sha}.{core}-{packs}")
            kept += 1
    return kept


def _answers(
    places: Sequence[Place], tasks: Sequence[Task], how: How, tell: Callable[[str], None]
) -> Iterator[tuple[Place, Answer]]:
    """What the workers answer, as it comes."""
    from dask.distributed import wait  # 0.6 s

    waiting: dict[Any, Place] = {}
    left = iter(zip(places, tasks, strict=True))
    alone = False
    with _client(how, tell) as client:
        while True:
            room = max(sum(client.nthreads().values()), 1) * AHEAD
            while len(waiting) < room and (pair := next(left, None)):
                future = client.submit(children.examine, pair[1], pure=False)
                waiting[future] = pair[0]
            if not waiting:
                return
            try:
                ready = wait(list(waiting), timeout=10, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                if not client.nthreads() and not alone:
                    alone = True
                    tell("no worker is left; waiting for one (Ctrl-C ends it, and what is done stays)")
                continue
            alone = False
            for future in ready:
                place = waiting.pop(future)
                yield place, _result(future, place)


def _result(future: Any, place: Place) -> Answer:
    if future.status == "finished":
        answer: Answer = future.result()
        return answer
    return Answer(
        fault=f"{place.path}: its workers were lost, one after the other ({type(future.exception()).__name__})"
    )


@contextmanager
def _client(how: How, tell: Callable[[str], None]) -> Iterator[Any]:
    """A client of the cluster, or of a scheduler within this process."""
    from dask.distributed import Client, LocalCluster

    if how.scheduler:
        try:
            with Client(how.scheduler, timeout=PATIENCE) as client:
                client.wait_for_workers(1, timeout=PATIENCE)
                tell(f"dashboard: {client.dashboard_link}")
                yield client
        except (OSError, TimeoutError):
            raise CorpusError(
                f"{how.scheduler}: no scheduler with a worker answers there; start dask scheduler and dask worker"
            ) from None
        return
    # Its threads only wait for the children, so one process is enough.
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=how.workers,
            processes=False,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        # The link names the machine, but only the machine itself can open it.
        tell("dashboard: " + re.sub(r"//[^/:]+", "//127.0.0.1", client.dashboard_link))
        try:
            yield client
        finally:
            children.close()


def _memory_of(folder: Path) -> Path:
    name = hashlib.sha256(str(folder.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return home.root() / "corpus" / f"{name}.msgpack"


def _remembered(folder: Path) -> Remembered:
    try:
        return msgspec.msgpack.decode(_memory_of(folder).read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return Remembered()


def _remember(folder: Path, remembered: Remembered) -> None:
    store.write(_memory_of(folder), msgspec.msgpack.encode(remembered))
