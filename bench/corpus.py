"""Captures by the thousand on a real scheduler: two workers against one, one killed in the middle, and done again.

python bench/corpus.py [CAPTURES] [EVENTS]

Flow, HAR and pcap files in turn, twenty damaged ones, one that hangs its reader, one that unpacks to 300 MB.  The peer
is one worker; the two take the same captures.  At the end it reckons what 10³, 10⁵ and 10⁷ captures would cost.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pandas as pd

from captures_made import bomb, hanging, write

ROOT = Path(__file__).parents[1]
LIMITS = ("--time-limit", "20", "--memory", "512")


def main() -> None:
    """Prints the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captures = folder / "captures"
        for n in range(count):
            write(captures, n, events=events)
        size = sum(path.stat().st_size for path in captures.iterdir())
        print(f"{count} captures, {size / 1e6:.1f} MB, {os.cpu_count()} cores")
        one = timed(folder, "one", captures, workers=1)
        two = timed(folder, "two", captures, workers=2)
        print(f"two workers: {one.wall / two.wall:.2f} times as fast as one (wanted: 1.7 on 60 s of work)")
        for n in range(20):
            (captures / f"damaged-{n}.har").write_bytes((f"damaged {n}").encode())
        hanging(captures)
        bomb(captures, 300)
        killed = timed(folder, "killed", captures, workers=2, kill=count // 3)
        print(f"with one killed in the middle: failed {killed.failed} (expected 22)")
        print(f"same tables as one process alone: {same(folder / 'one', folder / 'killed')}")
        (captures / "hanging.har").unlink()
        again = timed(folder, "killed", captures, workers=2)
        print(f"done again: {again.wall:.1f} s, {again.read} read (wanted: 5 s, 0)")
        reckon(folder, count, size, one)


class Ran:
    """One run: seconds that passed, captures read and failed."""

    def __init__(self, wall: float, read: int, failed: int) -> None:
        self.wall, self.read, self.failed = wall, read, failed


def timed(folder: Path, out: str, captures: Path, *, workers: int, kill: int = 0) -> Ran:
    """A run on a scheduler with so many workers, of which one is killed after so many results."""
    with cluster(folder, workers) as (address, started):
        environment = {**os.environ, "PHONEHOME_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "analysis", "corpus", str(captures), "--out", str(folder / out)]
        begin = time.perf_counter()
        run = subprocess.Popen(
            [*command, "--format", "json", *LIMITS, "--scheduler", address],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        while kill and run.poll() is None:
            if len(list((folder / out).glob("results/*/*"))) >= kill:
                started[0].send_signal(signal.SIGKILL)
                break
            time.sleep(0.1)
        said = json.loads(run.communicate()[0])
        wall = time.perf_counter() - begin
    counts = f"{said['read']} read, {said['known']} known, {len(said['failed'])} failed"
    print(f"{out}: {workers} workers, {wall:.1f} s, {counts}")
    return Ran(wall, said["read"], len(said["failed"]))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, Sequence[subprocess.Popen[bytes]]]]:
    """A scheduler and its workers, one thread each."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    dask = Path(sys.executable).with_name("dask")
    environment = {**os.environ, "PHONEHOME_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": folder}
    scheduler = [dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file, "--no-dashboard"]
    worker = [
        dask,
        "worker",
        "--host",
        "127.0.0.1",
        "--scheduler-file",
        file,
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
    ]
    started = [subprocess.Popen(scheduler, **quiet)]  # type: ignore[call-overload]
    started += [subprocess.Popen(worker, **quiet) for _ in range(workers)]  # type: ignore[call-overload]
    try:
        while not file.exists() or not file.stat().st_size:
            time.sleep(0.1)
        time.sleep(5)
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait()


def same(first: Path, second: Path) -> bool:
    """Whether two corpora hold the same rows."""
    for name in ("calls", "findings", "verdicts", "coverage"):
        tables = []
        for folder in (first, second):
            table = pd.read_parquet(folder / name).drop(columns=["versions"], errors="ignore")
            tables.append(table.sort_values(list(table.columns), ignore_index=True))
        if not tables[0].equals(tables[1]):
            return False
    return True


def reckon(folder: Path, count: int, size: int, one: Ran) -> None:
    """What more captures of this kind would cost: each cost that was measured grows with their number."""
    results = sum(path.stat().st_size for path in (folder / "one" / "results").rglob("*") if path.is_file())
    tables = sum(path.stat().st_size for path in (folder / "one").rglob("*.parquet"))
    kept = sum(path.stat().st_size for path in (folder / "home" / "corpus").iterdir()) / 2
    print(f"a capture: {one.wall / count * 1e3:.0f} ms of one worker, {size / count / 1e3:.1f} kB")
    print(f"its result: {results / count / 1e3:.1f} kB, in the tables {tables / count / 1e3:.1f} kB")
    print(f"what the leader remembers of it: {kept / count:.0f} B")
    print(f"a GB: {one.wall / size * 1e9 / 3600:.2f} hours of one worker")
    print(f"{'captures':>10}{'worker hours':>14}{'cores for 1 h':>15}{'storage GB':>12}{'leader MB':>11}")
    for n in (10**3, 10**5, 10**7):
        hours = one.wall / count * n / 3600
        storage = (results + tables) / count * n / 1e9
        print(f"{n:>10}{hours:>14.1f}{max(hours, 1):>15.0f}{storage:>12.1f}{150 + kept / count * n * 4 / 1e6:>11.0f}")


if __name__ == "__main__":
    main()
