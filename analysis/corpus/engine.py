"""Dask: hands work to the threads of its workers, a few batches at a time, and gives the answers as they come."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from analysis.corpus import children
from analysis.corpus.store import CorpusError

AHEAD = 3
"""Batches for each thread of a worker, one in work and two waiting: enough to keep it busy."""

BATCH = 2.0
"""Seconds that a batch is to take: long beside what a task costs the scheduler (some ms), short for who waits."""

PATIENCE = 60
"""Seconds that a scheduler may be without any worker at the start."""

_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask measures itself and what runs in it fifty times a second, which takes 7 % of a core; here only readers run."""


@dataclass(frozen=True, slots=True)
class Piece[A]:
    """Something to be done."""

    what: A
    """What is handed over."""
    weight: float
    """How much work it is beside others."""


class Engine:
    """The workers; started when there is something to do.  Use as a context."""

    def __init__(self, scheduler: str, workers: int, tell: Callable[[str], None]) -> None:
        """`scheduler`: address of one, or empty for `workers` threads within this process."""
        self._scheduler, self._workers, self._tell = scheduler, workers, tell
        self._stack = ExitStack()
        self._client: Any = None

    def __enter__(self) -> Engine:
        """Starts nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends what was started."""
        self._stack.close()

    def each[A, B](
        self, work: Callable[[list[A]], list[B]], pieces: Sequence[Piece[A]]
    ) -> Iterator[list[tuple[A, B | None]]]:
        """What a worker's `work` makes of the pieces, batch by batch; `None` where one worker after the other was lost.

        Raises `CorpusError` when no worker comes, or the scheduler is lost.
        """
        if not pieces:
            return
        import dask
        from dask.distributed import wait  # 0.6 s

        dask.config.set(_QUIET)
        client = self._started()
        batches = _Batches(pieces)
        waiting: dict[Any, list[Piece[A]]] = {}
        alone = False
        while True:
            threads = max(sum(client.nthreads().values()), 1)
            while len(waiting) < threads * AHEAD and (batch := batches.next(threads)):
                future = client.submit(_timed, work, [piece.what for piece in batch], pure=False)
                waiting[future] = batch
            if not waiting:
                return
            try:
                ready = wait(list(waiting), timeout=10, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                if client.status != "running":
                    raise self._lost() from None
                if not client.nthreads() and not alone:
                    alone = True
                    self._tell("no worker is left; waiting for one (Ctrl-C ends it, and what is done stays)")
                continue
            alone = False
            for future in ready:
                batch = waiting.pop(future)
                if future.status == "finished":
                    seconds, answers = future.result()
                    batches.took(batch, seconds)
                    yield [(piece.what, answer) for piece, answer in zip(batch, answers, strict=True)]
                elif future.status != "error":
                    raise self._lost()
                elif len(batch) > 1:
                    batches.singly(batch)
                else:
                    yield [(batch[0].what, None)]

    def _lost(self) -> CorpusError:
        return CorpusError(
            f"{self._scheduler or 'the scheduler'}: was lost; what is done stays, and the same command does the rest"
        )

    def _started(self) -> Any:
        if self._client is None:
            self._client = self._remote() if self._scheduler else self._own()
        return self._client

    def _remote(self) -> Any:
        from dask.distributed import Client

        try:
            client = self._stack.enter_context(Client(self._scheduler, timeout=PATIENCE))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError):
            raise CorpusError(
                f"{self._scheduler}: no scheduler with a worker answers there; start dask scheduler and dask worker"
            ) from None
        self._tell(f"dashboard: {client.dashboard_link}")
        return client

    def _own(self) -> Any:
        from dask.distributed import Client, LocalCluster

        # Its threads only wait for the children, so one process is enough.
        cluster = self._stack.enter_context(
            LocalCluster(
                n_workers=1,
                threads_per_worker=self._workers,
                processes=False,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",  # else it serves its pages to the whole network
                silence_logs=logging.CRITICAL,
            )
        )
        client = self._stack.enter_context(Client(cluster))
        self._stack.callback(children.close)
        # The link names the machine, but only the machine itself can open it.
        self._tell("dashboard: " + re.sub(r"//[^/:]+", "//127.0.0.1", client.dashboard_link))
        return client


class _Batches[A]:
    """Pieces -> batches, whose size follows from how long those before took."""

    def __init__(self, pieces: Sequence[Piece[A]]) -> None:
        self._left = deque(pieces)
        self._single: deque[Piece[A]] = deque()
        self._weight = sum(piece.weight for piece in pieces)
        self._done = self._seconds = 0.0

    def next(self, threads: int) -> list[Piece[A]]:
        """The next batch; empty when there is none.  Towards the end they are small, so that all end together."""
        if self._single:
            return [self._single.popleft()]
        most = min(BATCH * self._done / self._seconds if self._seconds else 0.0, self._weight / threads / 4)
        batch: list[Piece[A]] = []
        weight = 0.0
        while self._left and (not batch or weight + self._left[0].weight <= most):
            batch.append(self._left.popleft())
            weight += batch[-1].weight
        self._weight -= weight
        return batch

    def took(self, batch: list[Piece[A]], seconds: float) -> None:
        """Says how long a batch took."""
        self._done += sum(piece.weight for piece in batch)
        self._seconds += seconds

    def singly(self, batch: list[Piece[A]]) -> None:
        """Has the pieces of a batch, whose workers were lost, done one by one."""
        self._single.extend(batch)


def _timed[A, B](work: Callable[[list[A]], list[B]], batch: list[A]) -> tuple[float, list[B]]:
    """What work makes of a batch, and the seconds that it took."""
    begin = time.monotonic()
    answers = work(batch)
    return time.monotonic() - begin, answers
