"""Captures -> corpus: what is done is passed over, the rest goes to the workers, and the tables are made."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from analysis import knowledge
from analysis.corpus import children, touched
from analysis.corpus.child import Answer, Task
from analysis.corpus.engine import Engine, Piece
from analysis.corpus.places import Place
from analysis.corpus.remembered import Outcome, Remembered
from analysis.corpus.store import FAILED, CorpusError, Store, versions
from captures import home

LIGHTEST = 50_000
"""Bytes of which the smallest capture makes as much work."""


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
    Raises `CorpusError` when no worker comes, or the tables cannot be made.
    """
    known = knowledge.load(home.packs(), home.cache())
    core, packs = versions(known, corpus.about.shared)
    corpus.note_packs(packs, known.hashes)
    with Remembered(corpus.folder) as remembered, Engine(how.scheduler, how.workers, tell) as engine:
        results = corpus.results()
        done = Done(kept=_adopt(corpus, results, known, core, packs, remembered))
        todo = _todo(captures, results, f"{core}-{packs}", remembered, how.again, done)
        if todo:
            _read(todo, corpus, f"{core}-{packs}", how, engine, remembered, done, progress)
            results = corpus.results()
        left = corpus.drop_older(f"{core}-{packs}", results)
        _tabulate(left, corpus, engine, tell)
    done.failed.sort()
    return done


def _adopt(
    corpus: Store,
    results: dict[str, list[str]],
    known: knowledge.Knowledge,
    core: str,
    packs: str,
    remembered: Remembered,
) -> int:
    """Renames results that other packs would not change, in `results` too; how many."""
    kept = 0
    for sha, names in results.items():
        if any(name.startswith(f"{sha}.{core}-{packs}") for name in names):
            continue
        newest = names[-1]
        old = newest.removesuffix(FAILED).rpartition("-")
        if old[0] != f"{sha}.{core}" or old[2] not in corpus.about.packs:
            continue
        signs = remembered.signs(sha)
        differing = touched.changed(corpus.about.packs[old[2]], known.hashes)
        if signs is not None and not touched.is_touched(signs, sorted(differing), known):
            corpus.adopt(newest, f"{sha}.{core}-{packs}")
            names[-1] = f"{sha}.{core}-{packs}"
            kept += 1
    return kept


def _todo(
    captures: Sequence[Place],
    results: dict[str, list[str]],
    current: str,
    remembered: Remembered,
    again: bool,
    done: Done,
) -> list[Place]:
    """The captures that have to be read, the largest first; what is known of the others is noted in `done`."""
    todo = []
    for place in captures:
        before = remembered.of(place)
        names = results.get(before.sha256, ())
        name = f"{before.sha256}.{current}"
        if name in names:
            done.known += 1
        elif not again and (name + FAILED in names or (before.fault and before.versions == current)):
            done.failed.append((place.path, before.fault or f"{place.path}: failed before"))
        else:
            todo.append(place)
    # One that takes long and comes last would be waited for alone.
    return sorted(todo, key=lambda place: -place.size)


def _read(
    todo: Sequence[Place],
    corpus: Store,
    current: str,
    how: How,
    engine: Engine,
    remembered: Remembered,
    done: Done,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Has the captures read, and notes what became of each."""
    out = str(corpus.folder.absolute())
    places = {os.fsencode(place.path): place for place in todo}
    pieces = [
        Piece(Task(path, out, corpus.about.shared, how.seconds, how.memory, current), float(max(place.size, LIGHTEST)))
        for path, place in places.items()
    ]
    finished = 0
    for batch in engine.each(children.examine, pieces):
        noted = []
        for task, given in batch:
            place = places[task.place]
            answer = given or Answer(fault=f"{place.path}: its workers were lost, one after the other", passing=True)
            _count(place, answer, done)
            if not answer.passing:
                noted.append((place, Outcome(answer.sha256, answer.fault, current), answer.signs))
        remembered.note(noted)
        finished += len(batch)
        if progress:
            progress(finished, len(todo))


def _count(place: Place, answer: Answer, done: Done) -> None:
    if answer.fault:
        done.failed.append((place.path, answer.fault))
    elif answer.signs is None:
        done.known += 1
    else:
        done.read += 1


def _tabulate(results: Sequence[str], corpus: Store, engine: Engine, tell: Callable[[str], None]) -> None:
    """Has the parts of the tables made anew whose results changed."""
    damaged: list[str] = []
    pieces = [Piece(part, float(len(part.results))) for part in corpus.stale(results)]
    for batch in engine.each(children.tabulate, pieces):
        for part, answer in batch:
            if answer is None or answer.fault:
                why = answer.fault if answer else f"tables of part {part.name}: its workers were lost"
                raise CorpusError(f"{corpus.folder}: {why}; the results are kept, and the same command makes the rest")
            damaged += answer.damaged
    corpus.note_parts(damaged)
    if damaged:
        tell(f"results that were damaged, and were removed: {len(damaged)}; the same command makes them anew")
