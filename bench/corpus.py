"""Captures by the thousand on a real scheduler: one worker killed in the middle, done again, two workers against one.

python bench/corpus.py [PART...] [--captures N] [--events N] [--folder DIR]

`alone`     5,000 captures (flow, HAR and pcap in turn) with 20 damaged ones, one that hangs its reader and one that
            unpacks to 300 MB, by one reader within one command
`killed`    the same by a scheduler and two workers, of which one is killed in the middle: the same tables, row by row
`again`     the same command once more
`workers`   a part that takes one worker a minute: two workers against one (the peer), without a kill
`reckon`    measures what each step costs and simulates 10³, 10⁵ and 10⁷ captures with them

Without a name all of them, in this order.  With --folder what they make is kept, and a part can be run later.
"""

from __future__ import annotations

import argparse
import gzip
import heapq
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pandas as pd

from analysis import knowledge
from analysis.corpus import children, store
from analysis.corpus.child import Task
from analysis.corpus.engine import BATCH, Engine, Piece
from analysis.corpus.places import find
from analysis.corpus.store import Store
from captures import home
from captures_made import bomb, hanging, write

ROOT = Path(__file__).parents[1]
LIMITS = ("--time-limit", "20", "--memory", "512")
TABLES = ("calls", "findings", "verdicts", "coverage")
DAMAGED = 20
SALVAGED = 7
"""Damaged ones whose beginning can still be read."""
QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
}
"""What docs/scale.md advises for workers."""


@dataclass(frozen=True)
class Bench:
    """What all parts share."""

    folder: Path
    """Where everything is made."""
    count: int
    """Sound captures."""
    events: int
    """Events in each."""

    @property
    def captures(self) -> Path:
        """Folder of the captures; made when it is missing."""
        return self._made("captures", self.count, bad=True)

    def _made(self, name: str, count: int, *, bad: bool) -> Path:
        folder = self.folder / name
        if folder.is_dir():
            return folder
        aside = self.folder / f"{name}.part"
        begin = time.monotonic()
        with get_context("spawn").Pool() as pool:
            pool.map(partial(write, aside, events=self.events), range(count), chunksize=50)
        if bad:
            for n in range(DAMAGED):
                _damaged(aside, n)
            hanging(aside)
            bomb(aside, 300)
        aside.rename(folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(
            f"{count} captures, {size / 1e6:.1f} MB, made in {time.monotonic() - begin:.0f} s; {os.cpu_count()} cores"
        )
        return folder

    @property
    def whole(self) -> int:
        """Captures that give something."""
        return self.count + SALVAGED

    @property
    def failing(self) -> int:
        """Captures that give nothing: the other damaged ones, the hanging one, the bomb."""
        return DAMAGED - SALVAGED + 2

    @property
    def environment(self) -> dict[str, str]:
        """Of every process."""
        return {**os.environ, **QUIET, "PHONEHOME_HOME": str(self.folder / "home"), "PYTHONPATH": str(ROOT)}


def _damaged(folder: Path, n: int) -> None:
    whole = (folder / f"alice-canary-{n * 3 % 30:05}.har").read_bytes()
    made = {
        ".har": b"damaged %d" % n + whole[:100],
        ".har.gz": gzip.compress(whole)[: 500 + n],
        ".pcap": bytes.fromhex("d4c3b2a1020004") + bytes([n]),
    }
    ending = list(made)[n % 3]
    (folder / f"damaged-{n:02}{ending}").write_bytes(made[ending])


def main() -> None:
    """Runs the parts that were named."""
    parts = {"alone": alone, "killed": killed, "again": again, "workers": workers, "reckon": reckon}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--captures", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if wrong := set(given.parts) - set(parts):
        parser.error(f"{', '.join(sorted(wrong))}: no such part; there are {', '.join(parts)}")
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder.absolute() if given.folder else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, given.captures, given.events)
        os.environ["PHONEHOME_HOME"] = str(folder / "home")
        for part in given.parts or parts:
            begin = time.monotonic()
            parts[part](bench)
            print(f"({part}: {time.monotonic() - begin:.0f} s)")


@dataclass(frozen=True)
class Ran:
    """One run of `phonehome corpus`."""

    seconds: float
    """From its start to its end."""
    cpu: float
    """Seconds of a processor that the command itself took, with children that it waited for."""
    read: int
    """Captures that were read,"""
    known: int
    """known already,"""
    failed: int
    """and failed."""


def run(
    bench: Bench,
    captures: Path,
    out: str,
    *how: str,
    meanwhile: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Ran:
    """One run into the folder `out`."""
    command = [sys.executable, "-m", "analysis", "corpus", str(captures), "--out", str(bench.folder / out)]
    begin = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = subprocess.Popen(
        [*command, "--format", "json", *LIMITS, *how],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=bench.environment,
    )
    if meanwhile:
        meanwhile(started)
    said = json.loads(started.communicate()[0])
    seconds = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ran = Ran(seconds, cpu, said["read"], said["known"], len(said["failed"]))
    counts = f"{ran.read} read, {ran.known} known, {ran.failed} failed"
    print(f"{out} {' '.join(how[:1])}: {seconds:.1f} s ({cpu:.1f} s of the command's own): {counts}")
    return ran


def alone(bench: Bench) -> None:
    """All captures by one reader."""
    captures = bench.captures
    shutil.rmtree(bench.folder / "alone", ignore_errors=True)
    ran = run(bench, captures, "alone", "--workers", "1")
    expect("read once each", (ran.read, ran.failed), (bench.whole, bench.failing))


def killed(bench: Bench) -> None:
    """All captures by two workers, of which one is killed; the tables are held against those of `alone`."""
    captures, out = bench.captures, bench.folder / "killed"
    shutil.rmtree(out, ignore_errors=True)
    with cluster(bench, 2) as (address, started):

        def kill(command: subprocess.Popen[bytes]) -> None:
            while command.poll() is None:
                if sum(1 for _ in out.glob("results/*/*")) >= bench.count // 2:
                    started[0].send_signal(signal.SIGKILL)
                    return
                time.sleep(0.2)

        ran = run(bench, captures, "killed", "--scheduler", address, meanwhile=kill)
        expect("a worker was killed", started[0].poll(), -signal.SIGKILL)
    expect("complete", (ran.read + ran.known, ran.failed), (bench.whole, bench.failing))
    if not (bench.folder / "alone").is_dir():
        print("not compared: run the part alone first, in the same --folder")
        return
    coverage = pd.read_parquet(out / "coverage")
    expect("exactly once each", (len(coverage), coverage["capture"].nunique()), (bench.whole, bench.whole))
    differing = [name for name in TABLES if not same(bench.folder / "alone" / name, out / name)]
    expect("the same tables as those of one reader alone", differing, [])


def same(first: Path, second: Path) -> bool:
    """Whether two tables hold the same rows, part by part."""
    parts = {path.name for path in first.iterdir()}
    return parts == {path.name for path in second.iterdir()} and all(
        pd.read_parquet(first / part).equals(pd.read_parquet(second / part)) for part in parts
    )


def again(bench: Bench) -> None:
    """The same command once more: nothing is to be read."""
    captures = bench.captures
    out = "killed" if (bench.folder / "killed").is_dir() else "alone"
    ran = run(bench, captures, out, "--workers", "2")
    expect("nothing read again", (ran.read, ran.known, ran.failed), (0, bench.whole, bench.failing))
    print(f"a second run: {ran.seconds:.1f} s (wanted: less than 5 s)")


def workers(bench: Bench) -> None:
    """Two workers against one on what takes one a minute; each worker has one thread."""
    chosen = bench.folder / "chosen"
    if not chosen.is_dir():
        sample = sorted(bench.captures.glob("alice-*"))
        cost = statistics.mean(seconds for seconds, _ in timed(bench, sample[:60]))
        number = min(len(sample), int(75 / cost))
        chosen.mkdir()
        for path in sample[:number]:
            (chosen / path.name).hardlink_to(path)
    seconds = {}
    for number in (1, 2):
        shutil.rmtree(bench.folder / f"workers-{number}", ignore_errors=True)
        with cluster(bench, number) as (address, _):
            seconds[number] = run(bench, chosen, f"workers-{number}", "--scheduler", address).seconds
    count = sum(1 for _ in chosen.iterdir())
    print(f"{count} captures: one worker {seconds[1]:.1f} s (wanted: 60 s or more), two {seconds[2]:.1f} s")
    print(f"two workers are {seconds[1] / seconds[2]:.2f} times as fast (wanted: 1.7)")


@contextmanager
def cluster(bench: Bench, number: int) -> Iterator[tuple[str, Sequence[subprocess.Popen[bytes]]]]:
    """A scheduler and so many workers with one thread each, once all are there."""
    file = bench.folder / "scheduler.json"
    file.unlink(missing_ok=True)
    dask = Path(sys.executable).with_name("dask")
    at = ("--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard")

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        null = subprocess.DEVNULL
        return subprocess.Popen(
            [str(dask), *arguments, *at], stdout=null, stderr=null, env=bench.environment, cwd=bench.folder
        )

    started = [start("scheduler", "--port", "0")]
    started += [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(number)]
    try:
        while not file.exists() or not file.stat().st_size:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        from dask.distributed import Client

        with Client(address) as client:
            client.wait_for_workers(number)
        yield address, started[1:]
    finally:
        # Asked to end while its scheduler goes away, a worker of Dask may wait for ever.
        for one in started:
            one.kill()
            one.wait()


def timed(bench: Bench, paths: Sequence[Path]) -> list[tuple[float, float]]:
    """Captures -> the seconds that a warm reader takes for each, and the bytes of memory that it had taken by then."""
    known = knowledge.load(home.packs(), home.cache())
    versions = "-".join(store.versions(known, shared=False))
    out = bench.folder / "timed"
    found = []
    for path in [*paths[:3], *paths]:
        shutil.rmtree(out, ignore_errors=True)
        begin = time.monotonic()
        (answer,) = children.examine([Task(os.fsencode(path), str(out), False, 600.0, 4 << 30, versions)])
        seconds = time.monotonic() - begin
        expect(str(path), answer.fault, "", quiet=True)
        ((reader,),) = children._idle.values()
        status = Path(f"/proc/{reader._process.pid}/status").read_text("ascii")
        found.append((seconds, float(status.partition("VmHWM:")[2].split()[0]) * 1024))
    children.close()
    return found[3:]


@dataclass(frozen=True)
class Costs:
    """What was measured."""

    captures: list[float]
    """Seconds of one reader for each of some captures."""
    per_byte: float
    """Seconds of one reader for a byte of a large one."""
    size: float
    """Bytes of a capture."""
    batch: float
    """Seconds of the leader for one batch, the scheduler's share included."""
    planning: float
    """Seconds of the leader for one capture that is done: found, looked up."""
    leader: float
    """Bytes of the leader's memory,"""
    memory: float
    """and of it for one capture."""
    tables: float
    """Seconds of one reader for the tables of one capture."""
    results: float
    """Bytes of a result,"""
    parquet: float
    """of its rows in the tables,"""
    remembered: float
    """and of what the leader's machine remembers of it."""
    reader: float
    """Bytes of memory of one reader, at most."""


def reckon(bench: Bench) -> None:
    """Measures each cost, and prints what a simulation makes of them."""
    costs = measured(bench)
    mean = statistics.mean(costs.captures)
    print(f"a capture of {costs.size / 1e3:.0f} kB: {mean * 1e3:.0f} ms of one reader", end=" ")
    print(f"({min(costs.captures) * 1e3:.0f}-{max(costs.captures) * 1e3:.0f}), its tables {costs.tables * 1e3:.1f} ms")
    print(f"a GB of large captures: {costs.per_byte * 1e9 / 3600:.2f} hours of one reader")
    print(f"its result {costs.results / 1e3:.1f} kB, its rows {costs.parquet / 1e3:.1f} kB in the tables", end=", ")
    print(f"{costs.remembered:.0f} B remembered by the leader")
    print(f"the leader: {costs.batch * 1e3:.1f} ms a batch", end=", ")
    print(f"{costs.planning * 1e6:.0f} µs and {costs.memory:.0f} B of memory a capture")
    print(f"a reader: {costs.reader / 1e6:.0f} MB of memory at most")
    print()
    print("| captures | cores | hours | leader busy | leader's memory | readers' memory | storage |")
    print("|---|---|---|---|---|---|---|")
    for captures, cores in ((10**3, 2), (10**5, 2), (10**5, 16), (10**7, 16), (10**7, 128), (10**7, 1024)):
        seconds, busy = simulate(captures, cores, costs)
        storage = (costs.results + costs.parquet + costs.remembered) * captures / 1e9
        memory = costs.leader + costs.memory * captures
        print(f"| {captures:,} | {cores} | {seconds / 3600:.2f} | {busy:.1%}", end=" | ")
        print(f"{memory / 1e9:.2f} GB | {costs.reader * cores / 1e9:.1f} GB | {storage:.2f} GB |")
    most = BATCH / costs.batch
    print(f"\nthe leader hands out batches for {most:,.0f} cores at most, and lists 10⁷ captures in", end=" ")
    print(f"{costs.planning * 1e7 / 60:.0f} minutes")


def simulate(captures: int, cores: int, costs: Costs, seed: int = 1) -> tuple[float, float]:
    """A run, event by event -> its seconds, and which part of them the leader was busy.

    Captures take what those that were measured took, with their mean and spread.  The leader plans, then hands out one
    batch at a time, to whoever is free first; the tables are made at the end, in as many parts as there are.
    """
    draw = random.Random(seed)
    now = leader = captures * costs.planning
    free = [now] * cores
    left, mean, spread = captures, statistics.mean(costs.captures), statistics.pstdev(costs.captures)
    least = min(costs.captures)
    while left:
        size = max(1, int(min(BATCH / mean, left / cores / 4)))
        size = min(size, left)
        left -= size
        begin = heapq.heappop(free)
        now = max(now, begin) + costs.batch
        leader += costs.batch
        # Of many, the sum varies as the normal distribution says.
        heapq.heappush(free, now + max(draw.gauss(mean * size, spread * size**0.5), least * size))
    end = max(free)
    parts = 16 if captures < 50_000 else 256 if captures < 2_000_000 else 4096
    end += -(-parts // cores) * costs.tables * captures / parts
    return end, leader / end


def measured(bench: Bench) -> Costs:
    """The costs, each taken by itself."""
    sample = sorted(bench.captures.glob("alice-*"))[:150]
    took = timed(bench, sample)
    size = statistics.mean(path.stat().st_size for path in sample)
    large = write(bench.folder / "large", 0, events=4_000), write(bench.folder / "large", 1, events=4_000)
    heavy = timed(bench, large)
    some = bench.folder / "reckoned"
    shutil.rmtree(some, ignore_errors=True)
    small = bench.folder / "sample"
    small.mkdir(exist_ok=True)
    for path in sample:
        if not (small / path.name).exists():
            (small / path.name).hardlink_to(path)
    run(bench, small, "reckoned", "--workers", "2")
    results = sum(path.stat().st_size for path in some.glob("results/*/*"))
    parquet = sum(path.stat().st_size for path in some.glob("*/*.parquet"))
    planning, leader, memory, remembered = planned(bench)
    return Costs(
        captures=[seconds for seconds, _ in took],
        per_byte=sum(seconds for seconds, _ in heavy) / sum(path.stat().st_size for path in large),
        size=size,
        batch=handed_out(bench),
        planning=planning,
        leader=leader,
        memory=memory,
        tables=tabulated(some) / len(sample),
        results=results / len(sample),
        parquet=parquet / len(sample),
        remembered=remembered,
        reader=max(size for _, size in [*took, *heavy]),
    )


def handed_out(bench: Bench) -> float:
    """Seconds that a batch of nothing takes the leader and the scheduler, in turn."""
    with cluster(bench, 1) as (address, _), Engine(address, 1, print) as engine:
        list(engine.each(sorted, [Piece(n, 1e9) for n in range(20)]))
        begin = time.monotonic()
        list(engine.each(sorted, [Piece(n, 1e9) for n in range(300)]))
        return (time.monotonic() - begin) / 300


def tabulated(corpus: Path) -> float:
    """Seconds of one process for all tables of a corpus, once its libraries are loaded."""
    opened = Store(corpus)
    results = sorted(name for names in opened.results().values() for name in names)
    whole = store.Part(str(corpus), "f", results)
    store.tabulate(store.Part(str(corpus), "f", results[:1]))
    begin = time.monotonic()
    store.tabulate(whole)
    return time.monotonic() - begin


def planned(bench: Bench) -> tuple[float, float, float, float]:
    """What a leader takes of a corpus that is done.

    Seconds for one capture, bytes of memory for none and for one, bytes remembered of one.
    """
    taken = []
    for count in (2_000, 20_000):
        command = [sys.executable, __file__, "--plan", str(bench.folder / f"planned-{count}"), str(count)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=bench.environment).stdout
        taken.append([*map(float, said.split())])
    (few_seconds, whole, few_memory, _), (seconds, _, memory, kept) = taken
    return (seconds - few_seconds) / 18_000, whole, (memory - few_memory) / 18_000, kept / 20_000


def plan(folder: Path, count: int) -> None:
    """In a process of its own: makes up a corpus of so many captures that is done, and does it again."""
    from analysis.corpus import run as leader
    from analysis.corpus.remembered import Outcome, Remembered
    from analysis.corpus.touched import Signs

    shutil.rmtree(folder, ignore_errors=True)
    captures, out = folder / "captures", folder / "out"
    captures.mkdir(parents=True)
    for n in range(count):
        (captures / f"{n:08}.har").touch()
    corpus = Store(out, shared=False)
    versions = "-".join(store.versions(knowledge.load(home.packs(), home.cache()), shared=False))
    signs = Signs(tuple(f"host-{n}.example.org" for n in range(10)), tuple(f"header.x-name-{n}" for n in range(20)))
    with Remembered(out) as remembered:
        places = find([str(captures)]).captures
        for n, place in enumerate(places):
            sha = f"{n * 2654435761 % 2**32:08x}{n:056x}"
            path = corpus.path(f"{sha}.{versions}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            remembered.note([(place, Outcome(sha, "", versions), signs)])
    results = corpus.drop_older(versions, corpus.results())
    corpus.stale(results)
    corpus.note_parts([])
    del places, results
    begin = time.monotonic()
    done = leader.run(find([str(captures)]).captures, Store(out, shared=False), leader.How(), tell=print)
    seconds = time.monotonic() - begin
    expect("planned", (done.known, done.read), (count, 0), quiet=True)
    tracemalloc.start()
    leader.run(find([str(captures)]).captures, Store(out, shared=False), leader.How(), tell=print)
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(seconds, whole, tracemalloc.get_traced_memory()[1], remembered._path.stat().st_size)
    shutil.rmtree(folder)


def expect(what: str, found: object, wanted: object, *, quiet: bool = False) -> None:
    """Says whether it is as it should be, and ends the bench when it is not."""
    if found != wanted:
        raise SystemExit(f"WRONG: {what}: {found}, wanted {wanted}")
    if not quiet:
        print(f"{what}: yes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plan"]:
        plan(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
