"""The whole way (read, gather, classify, decode, extract, compare) for a flow file and a HAR file, calls per second.

python bench/pipeline.py [FLOWS] [ENTRIES] [RUNS]

Peers: mitmproxy's FlowReader, which only reads the flow file, and `json.loads`, which only parses the HAR file.  The
machine may be busy: processor time is told beside the time that passed, and ratios are those of processor time.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis import knowledge, pipeline
from captures import formats
from captures.formats import flows, har

# The benchmarks beside this one make the files.
read_flows, read_har = import_module("read_flows"), import_module("read_har")


def timed(works: dict[str, Callable[[], object]], runs: int) -> dict[str, tuple[float, float]]:
    """Median seconds that passed, and of processor time; the works take turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            begin = time.perf_counter(), time.process_time()
            work()
            times[name].append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    return {
        name: (statistics.median(w for w, _ in each), statistics.median(c for _, c in each))
        for name, each in times.items()
    }


def table(title: str, count: int, works: dict[str, Callable[[], object]], runs: int) -> None:
    """Prints one table; the first work is the peer."""
    print(f"\n{title}, median of {runs} runs")
    print(f"{'':<22}{'calls/s':>10}{'CPU µs a call':>16}{'wall µs a call':>16}{'times as fast':>16}")
    found = timed(works, runs)
    peer = next(iter(found.values()))[1]
    for name, (wall, cpu) in found.items():
        print(f"{name:<22}{count / cpu:>10.0f}{cpu / count * 1e6:>16.1f}{wall / count * 1e6:>16.1f}{peer / cpu:>16.2f}")


def main() -> None:
    """Prints two tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    entries = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    known = knowledge.load()

    def whole(path: Path) -> Callable[[], object]:
        return lambda: pipeline.run([formats.read(path)], known)

    with tempfile.TemporaryDirectory() as folder:
        flow, log = Path(folder) / "bench.flow", Path(folder) / "bench.har"
        read_flows.write(flow, count)
        table(
            f"{count} flows, {flow.stat().st_size / 1e6:.0f} MB",
            count,
            {
                "FlowReader alone": lambda: read_flows.theirs(flow),
                "reading": lambda: sum(1 for _ in flows.read(flow, 0)),
                "the whole way": whole(flow),
            },
            runs,
        )
        flow.unlink()
        log.write_text(json.dumps({"log": {"entries": [read_har.entry(n) for n in range(entries)]}}), "utf-8")
        table(
            f"{entries} entries, {log.stat().st_size / 1e6:.0f} MB",
            entries,
            {
                "json.loads alone": lambda: json.loads(log.read_bytes()),
                "reading": lambda: sum(1 for _ in har.read(log, 0)),
                "the whole way": whole(log),
            },
            runs,
        )


if __name__ == "__main__":
    main()
