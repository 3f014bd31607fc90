"""Where the calls of a dashboard come from: captures that were read, or a ledger that may still grow."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import structs

from analysis import VERSION
from analysis.compare import promised
from analysis.evidence import Servers
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.known import OwnValues
from analysis.live import Seen, Watcher
from analysis.model import Comparison
from analysis.pipeline import CaptureInfo, Result, coverage, run
from analysis.report.presence import effects_of
from analysis.sums import summed
from analysis.web.kinds import Row, row, verdicts_of
from analysis.web.store import Store, remove
from captures import formats, home, ledger
from captures.model import Capture, CaptureError, Effect, Observation

SMALL = 10_000
"""A ledger of up to so many rows is judged as a whole, as a report does it; of a longer one each call alone."""

_BATCH, _LONGEST = 500, 0.3
"""Rows that are taken in at a time, and seconds after which those that were are shown."""

_EVERY = 0.25
"""Seconds between two looks for new rows."""


class InUseError(Exception):
    """Another program takes in the ledger; what it took in can be used when it has ended."""


class Progress(NamedTuple):
    """How far a store is."""

    done: int
    """Calls that are in it."""
    total: int
    """Calls in all."""
    until: float | None = None
    """When the newest of those that are in it was made, in seconds since the epoch (UTC); `None` when there is none,
    when it has no time, and when all are in it."""


class Origin(Protocol):
    """What a dashboard needs of its calls."""

    @property
    def name(self) -> str:
        """Name of the files, for the heading.  Private."""
        ...

    @property
    def path(self) -> Path:
        """The store, to be read."""
        ...

    @property
    def grows(self) -> bool:
        """Whether calls may come as long as it is open."""
        ...

    def progress(self) -> Progress:
        """How far the store is."""
        ...

    def dropped(self) -> int:
        """Observations that were lost while recording."""
        ...

    def effects(self) -> Sequence[Effect]:
        """What the proxy's presence changed for devices, and the ways on which they came."""
        ...

    def one(self, id_: int, beside: Sequence[int] = ()) -> Result:
        """A result of one call, and of further ones `beside` it, as far as it takes to explain it.

        The number of the call is `result.calls[0].n`.  Raises `KeyError` when there is none of that number.
        """
        ...

    def whole(self, periods: Sequence[tuple[float, float]] = ()) -> Result:
        """The result of everything, or of the calls in periods of time, each as a capture of its own.

        Raises `CaptureError` when that is too much for a page.
        """
        ...

    def page(self) -> Result:
        """What the page of everything shows, in which a call may stand for others.

        Raises `CaptureError`, and `InUseError` when another program takes in the same ledger.
        """
        ...

    def prepared(self) -> tuple[int, int]:
        """Calls that are taken in for `page`, and calls in all; both 0 when it does not take any in."""
        ...

    def close(self) -> None:
        """Ends what runs, and removes what is temporary."""
        ...


class Read:
    """Captures that were read."""

    grows = False

    def __init__(self, result: Result, question: Callable[[Sequence[Capture]], Result]) -> None:
        """`result` is what they showed; `question` makes a result of other captures in the same way."""
        self._result = result
        self._question = question
        self._folder = tempfile.TemporaryDirectory(prefix="phonehome-")
        self.name = ", ".join(capture.name for capture in result.captures)
        self.path = Path(self._folder.name) / "calls"
        order = sorted(result.calls, key=lambda call: (call.observation.time is None, call.observation.time or 0.0))
        self._calls = dict(enumerate(order, 1))
        store = Store(self.path, "")
        rows = _rows(result, {call.n: id_ for id_, call in self._calls.items()})
        store.add(sorted(rows, key=lambda pair: pair[0]))
        store.close()

    def progress(self) -> Progress:
        """All, always."""
        return Progress(len(self._calls), len(self._calls))

    def dropped(self) -> int:
        """What the files say."""
        return self._result.coverage.dropped

    def effects(self) -> Sequence[Effect]:
        """What the files say."""
        return effects_of(self._result)

    def one(self, id_: int, beside: Sequence[int] = ()) -> Result:
        """The calls, out of the whole."""
        calls = tuple(self._calls[number] for number in dict.fromkeys((id_, *beside)))
        numbers = {call.n for call in calls}
        result = self._result
        return replace(
            result,
            calls=calls,
            findings=tuple(f for f in result.findings if f.call in numbers),
            comparisons=tuple(c for c in result.comparisons if numbers.intersection(c.calls)),
            promised=tuple(c for c in result.promised if numbers.intersection(c.calls)),
        )

    def whole(self, periods: Sequence[tuple[float, float]] = ()) -> Result:
        """The whole, or what was seen in the periods."""
        if not periods:
            return self._result
        seen = [call.observation for call in self._calls.values()]
        return self._question([_period(seen, n, since, until) for n, (since, until) in enumerate(periods)])

    def page(self) -> Result:
        """The whole."""
        return self._result

    def prepared(self) -> tuple[int, int]:
        """Nothing is left to take in."""
        return 0, 0

    def close(self) -> None:
        """Removes the store."""
        self._folder.cleanup()


class Ledger:
    """A ledger, followed by a thread as long as it is open."""

    grows = True

    def __init__(self, path: Path, knowledge: Knowledge, named: Servers, own: OwnValues | None) -> None:
        """`named` are the user's own servers, `own` his own values.  Raises `CaptureError` for what is no ledger."""
        self.name = path.name
        self._ledger = path
        self._knowledge, self._named, self._own = knowledge, named, own
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = -1
        self._ending = threading.Event()
        self._prepared = (0, 0)
        self._comparisons: tuple[Comparison, ...] = ()
        self._promised: tuple[Comparison, ...] = ()
        self.path = self._place()
        self._watcher = Watcher(knowledge, named, own)
        self._identity = ledger.identity(path)
        self._store().close()
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        self._thread.start()

    def _place(self) -> Path:
        """Beside the ledger; if that cannot be written, or another dashboard writes it, in a temporary folder."""
        path = self._ledger.with_name(self._ledger.name + ".view")
        # Not the store itself: where such locks and those of SQLite are of one kind, they would meet.
        lock = home.cache() / f"view-{sha256(str(path.resolve()).encode()).hexdigest()[:32]}.lock"
        try:
            self._lock = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.touch(0o600)
        except OSError:
            self._unlock()
            self._folder = tempfile.TemporaryDirectory(prefix="phonehome-")
            return Path(self._folder.name) / "calls"
        return path

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def _store(self) -> Store:
        """The store, empty if it was made under other circumstances."""
        return Store(self.path, circumstances(self._knowledge, self._named, self._own, self._identity))

    def _follow(self) -> None:
        store = self._store()
        try:
            self._begin(store)
            while not self._ending.is_set():
                more = False
                # A ledger that cannot be read now does not end it.
                with suppress(CaptureError, sqlite3.Error, OSError):
                    if ledger.identity(self._ledger) != self._identity or store.gone:
                        store = self._anew(store)
                    more = self._take(store)
                if not more:
                    self._ending.wait(_EVERY)
        finally:
            store.close()

    def _begin(self, store: Store) -> None:
        """Takes in what is there: all together if that is not much, else what proved something before."""
        with suppress(CaptureError, sqlite3.Error, OSError):
            if not store.last and 0 < ledger.newest(self._ledger) <= SMALL:
                self._judge_together(store)
                return
            for id_ in store.about("proofs").split():
                self._watcher.look(self._observation(int(id_)))
        self._watcher = self._going_on(store)

    def _going_on(self, store: Store) -> Watcher:
        """A watcher that numbers calls where the store ends, and knows what was proven before."""
        last = store.call(store.last)
        watcher = Watcher(self._knowledge, self._named, self._own, last.n + 1 if last else 0)
        for id_ in store.about("proofs").split():
            with suppress(KeyError, CaptureError):
                watcher.proves(watcher.look(self._observation(int(id_)), 0).call)
        return watcher

    def _judge_together(self, store: Store) -> None:
        ids = {o.source[1:]: id_ for id_, o in ledger.read(self._ledger)}
        with Index(self._ledger) as index:
            result = run([formats.read(self._ledger)], self._knowledge, named=self._named, index=index, own=self._own)
        places = {call.n: ids[call.observation.source[1:]] for call in result.calls}
        store.add(sorted(_rows(result, places), key=lambda pair: pair[0]))
        proofs = [call for call in result.calls if self._watcher.proves(call)]
        store.say("proofs", " ".join(str(places[call.n]) for call in proofs[-200:]))
        self._comparisons, self._promised = result.comparisons, result.promised
        self._watcher = self._going_on(store)

    def _anew(self, store: Store) -> Store:
        """After rows were deleted their numbers may be given out again."""
        store.close()
        self._identity = ledger.identity(self._ledger)
        remove(self.path)
        self._comparisons = self._promised = ()
        fresh = self._store()
        self._watcher = Watcher(self._knowledge, self._named, self._own)
        return fresh

    def _take(self, store: Store) -> bool:
        """Takes in new rows; whether there may be more."""
        before, until = self._watcher.evidence.own, time.monotonic() + _LONGEST
        taken, proofs = [], store.about("proofs").split()
        for id_, observation in islice(ledger.read(self._ledger, store.last), _BATCH):
            seen = self._watcher.look(observation)
            rule = self._knowledge.rules.get(seen.call.rule)
            if rule and rule.proves:
                proofs.append(str(id_))
            taken.append((id_, _row(seen)))
            if self._ending.is_set() or time.monotonic() > until:
                break
        if not taken:
            return False
        store.add(taken)
        store.say("proofs", " ".join(proofs[-200:]))
        if (after := self._watcher.evidence.own) != before:
            for host in after.hosts - before.hosts:
                self._own_after_all(host, store)
        return len(taken) == _BATCH or time.monotonic() > until

    def _own_after_all(self, host: str, store: Store) -> None:
        """Judges calls to a server again that turned out to be the user's own."""
        again = []
        for id_ in store.of_host(host, SMALL):
            if listed := store.call(id_):
                again.append((id_, _row(self._watcher.look(self._observation(id_), listed.n))))
        store.judge_again(again)

    def _observation(self, id_: int) -> Observation:
        """The row of this number.  Raises `KeyError` when there is none."""
        for number, observation in islice(ledger.read(self._ledger, id_ - 1), 1):
            if number == id_:
                return observation
        raise KeyError(id_)

    def progress(self) -> Progress:
        """As far as the thread came."""
        store = Store(self.path)
        try:
            done, total = store.last, ledger.newest(self._ledger)
            last = store.call(done) if done < total else None
            return Progress(done, total, last.time if last else None)
        finally:
            store.close()

    def dropped(self) -> int:
        """As the ledger says now."""
        return ledger.counters(self._ledger).get("dropped", 0)

    def effects(self) -> Sequence[Effect]:
        """As the ledger says now."""
        return ledger.effects(self._ledger)

    def one(self, id_: int, beside: Sequence[int] = ()) -> Result:
        """The calls as far as they alone show; the verdicts of a whole, if it was judged as one."""
        store = Store(self.path)
        seen: list[Seen] = []
        try:
            for number in dict.fromkeys((id_, *beside)):
                listed = store.call(number)
                if listed is None:
                    raise KeyError(number)
                seen.append(self._watcher.look(self._observation(number), listed.n))
        finally:
            store.close()
        calls = tuple(one.call for one in seen)
        findings = tuple(finding for one in seen for finding in one.findings)
        numbers = {call.n for call in calls}
        together = tuple(c for c in self._comparisons if numbers.intersection(c.calls))
        evidence = self._watcher.evidence
        alone = promised(calls, findings, self._knowledge, evidence)
        return Result(
            captures=(CaptureInfo(self.name, "", "ledger", None, None, 0, ()),),
            calls=calls,
            findings=findings,
            comparisons=together or tuple(c for one in seen for c in one.comparisons),
            coverage=coverage(calls),
            evidence=evidence,
            knowledge=self._knowledge,
            own=self._own,
            promised=tuple(c for c in self._promised if numbers.intersection(c.calls)) or alone,
        )

    def whole(self, periods: Sequence[tuple[float, float]] = ()) -> Result:
        """Worked out from the ledger."""
        captures = [formats.read(self._ledger)]
        if periods:
            captures = [_period([], n, since, until, self._ledger) for n, (since, until) in enumerate(periods)]
        return run(captures, self._knowledge, named=self._named, own=self._own)

    def page(self) -> Result:
        """From the sums of a long ledger."""
        capture, known = formats.read(self._ledger), self._knowledge

        def progress(done: int, total: int) -> None:
            self._prepared = done, total

        try:
            with Index(self._ledger) as index:
                found = summed(
                    capture, self._ledger, known, index,
                    named=self._named, own=self._own, page=True, progress=progress,
                )  # fmt: skip
        finally:
            self._prepared = 0, 0
        if found is None and index.in_use and ledger.newest(self._ledger) > SMALL:
            raise InUseError
        return found or self.whole()

    def prepared(self) -> tuple[int, int]:
        """As far as the sums came."""
        return self._prepared

    def close(self) -> None:
        """Ends the thread, and removes what is temporary."""
        self._ending.set()
        self._thread.join(10)
        self._unlock()
        if self._folder:
            self._folder.cleanup()


def circumstances(knowledge: Knowledge, named: Servers, own: OwnValues | None, identity: bytes) -> str:
    """What the store of a ledger depends on, beside its rows."""
    revision = own.revision if own else ""
    facts = (VERSION, sorted(knowledge.hashes.items()), revision, sorted(named.hosts), identity)
    return sha256(repr(facts).encode()).hexdigest()


def _row(seen: Seen) -> Row:
    return row(seen.call, seen.findings, verdicts_of(seen.comparisons).get(seen.call.n, {}))


def _rows(result: Result, places: dict[int, int]) -> Iterator[tuple[int, Row]]:
    """Calls of a result with their numbers in the store."""
    findings: dict[int, list[object]] = {}
    for finding in result.findings:
        findings.setdefault(finding.call, []).append(finding)
    verdicts = verdicts_of(result.comparisons)
    for call in result.calls:
        if call.n in places:
            yield places[call.n], row(call, findings.get(call.n, ()), verdicts.get(call.n, {}))  # type: ignore[arg-type]


def _period(seen: Sequence[Observation], number: int, since: float, until: float, path: Path | None = None) -> Capture:
    """What was seen in a period of time, as a capture of its own."""

    def observations() -> Iterator[Observation]:
        found = (observation for _, observation in ledger.read(path)) if path else iter(seen)
        for observation in found:
            if observation.time is not None and since <= observation.time < until:
                yield structs.replace(observation, source=observation.source._replace(capture=number))

    return Capture(f"period {number + 1}", "ledger", observations, lambda: "")
