"""The whole way (read, gather, classify, decode, extract, compare) for a flow file and a HAR file, calls per second.

python bench/pipeline.py [--flows N] [--entries N] [--runs N]

Peers: mitmproxy's FlowReader, which only reads the flow file; `json.loads`, which only parses the HAR file; TrackHAR,
where node finds it (`NODE_PATH`, or a folder `node_modules` here).  50,000 flows take ten minutes.

The ratio of one process is that of processor time, which other work on the machine does not change; with more than one
process it is that of the time that passed, which means something on an idle machine alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis import knowledge, parallel, pipeline
from analysis.knowledge import Knowledge
from captures import formats
from captures.formats import flows, har

# The benchmarks beside this one make the files.
read_flows, read_har = import_module("read_flows"), import_module("read_har")

TRACKHAR = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const found = createRequire(process.cwd() + '/x.js').resolve('trackhar');
const trackhar = await import(pathToFileURL(found));
const indicatorValues = { deviceId: 'made-up-device-7', localIp: '192.168.1.20', deviceName: 'living room' };
const began = performance.now();
const before = process.cpuUsage();
await trackhar.process(JSON.parse(readFileSync(process.argv[1], 'utf-8')), { indicatorValues });
const used = process.cpuUsage(before);
console.log((performance.now() - began) / 1e3, (used.user + used.system) / 1e6);
"""


def timed(works: dict[str, Callable[[], object]], runs: int) -> dict[str, tuple[float, float]]:
    """Median seconds that passed, and of processor time; the works take turns.

    Each run has a process of its own, so that none finds what another has remembered of the same values.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            receiving, sending = multiprocessing.Pipe(duplex=False)
            run = multiprocessing.get_context("fork").Process(target=once, args=(work, sending))
            run.start()
            times[name].append(receiving.recv())
            run.join()
    return {
        name: (statistics.median(w for w, _ in each), statistics.median(c for _, c in each))
        for name, each in times.items()
    }


def once(work: Callable[[], object], sending: Connection) -> None:
    """Sends the seconds that passed, and those of processor time."""
    begin = time.perf_counter(), time.process_time()
    work()
    sending.send((time.perf_counter() - begin[0], time.process_time() - begin[1]))


def table(title: str, count: int, works: dict[str, Callable[[], object]], runs: int) -> None:
    """Prints one table; the first work is the peer."""
    print(f"\n{title}, median of {runs} runs")
    print(f"{'':<26}{'calls/s':>10}{'CPU µs a call':>16}{'wall µs a call':>16}{'times as fast':>16}")
    found = timed(works, runs)
    peer = next(iter(found.values()))
    for name, (wall, cpu) in found.items():
        one = "processes" not in name
        spent, ratio = (cpu, peer[1] / cpu) if one else (wall, peer[0] / wall)
        shown = f"{cpu / count * 1e6:.1f}" if one else "-"
        print(f"{name:<26}{count / spent:>10.0f}{shown:>16}{wall / count * 1e6:>16.1f}{ratio:>16.2f}")


def whole(path: Path, known: Knowledge) -> dict[str, Callable[[], object]]:
    """The whole way in one process, and in as many as there are processors."""

    def run() -> object:
        return pipeline.run([formats.read(path)], known)

    def alone() -> object:
        with patch.object(parallel, "processes", lambda: 1):
            return run()

    more = parallel.processes()
    return {"the whole way": alone} | ({f"in {more} processes": run} if more > 1 else {})


def trackhar(path: Path, entries: int, runs: int) -> None:
    """Prints how fast TrackHAR is with three indicators, or that it is not there."""
    node = shutil.which("node")
    command = [node or "node", "--input-type=module", "-e", TRACKHAR, str(path)]
    done = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(runs)] if node else []
    if not done or any(one.returncode for one in done):
        print(f"TrackHAR is {'not installed: npm install trackhar' if node else 'left out: there is no node'}")
        return
    wall, cpu = (
        statistics.median(map(float, column)) for column in zip(*(x.stdout.split() for x in done), strict=True)
    )
    print(f"{'TrackHAR':<26}{entries / cpu:>10.0f}{cpu / entries * 1e6:>16.1f}{wall / entries * 1e6:>16.1f}")


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--flows", type=int, default=6_000)
    parser.add_argument("--entries", type=int, default=6_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    known = knowledge.load()
    print(f"{len(os.sched_getaffinity(0))} processors")
    with tempfile.TemporaryDirectory() as folder:
        flow, log = Path(folder) / "bench.flow", Path(folder) / "bench.har"
        # What is compiled once in the life of a program is no part of the time for a call.
        read_flows.write(flow, 20)
        pipeline.run([formats.read(flow)], known)
        log.write_text(json.dumps({"log": {"entries": [read_har.entry(n) for n in range(20)]}}), "utf-8")
        pipeline.run([formats.read(log)], known)
        read_flows.write(flow, asked.flows)
        table(
            f"{asked.flows} flows, {flow.stat().st_size / 1e6:.0f} MB",
            asked.flows,
            {
                "FlowReader alone": lambda: read_flows.theirs(flow),
                "reading": lambda: sum(1 for _ in flows.read(flow, 0)),
                **whole(flow, known),
            },
            asked.runs,
        )
        flow.unlink()
        log.write_text(json.dumps({"log": {"entries": [read_har.entry(n) for n in range(asked.entries)]}}), "utf-8")
        table(
            f"{asked.entries} entries, {log.stat().st_size / 1e6:.0f} MB",
            asked.entries,
            {
                "json.loads alone": lambda: json.loads(log.read_bytes()),
                "reading": lambda: sum(1 for _ in har.read(log, 0)),
                **whole(log, known),
            },
            asked.runs,
        )
        trackhar(log, asked.entries, asked.runs)


if __name__ == "__main__":
    main()
