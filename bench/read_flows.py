"""Reading a flow file: flows per second, beside mitmproxy's own FlowReader.

python bench/read_flows.py [FLOWS] [RUNS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mitmproxy import http
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.test import tflow

from captures.formats import flows


def write(path: Path, count: int) -> None:
    """Invented flows, like those of a media app."""
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number in range(count):
            headers = http.Headers([(b"X-Plex-Header-%d" % n, b"value") for n in range(12)] + [(b"Host", b"plex.tv")])
            request = http.Request.make("POST", f"https://plex.tv/api/v2/ping?n={number}", b'{"a": 1}' * 40, headers)
            response = http.Response.make(200, b'{"ok": true}' * 10, {"Content-Type": "application/json"})
            writer.add(tflow.tflow(req=request, resp=response))


def timed(work: Callable[[], object], runs: int) -> float:
    """Median seconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def theirs(path: Path) -> int:
    """Reads with mitmproxy."""
    with path.open("rb") as file:
        return sum(1 for _ in FlowReader(file).stream())


def main() -> None:
    """Prints one table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.flow"
        write(path, count)
        alone = timed(lambda: theirs(path), runs)
        ours = timed(lambda: sum(1 for _ in flows.read(path, 0)), runs)
        print(f"{count} flows, {path.stat().st_size / 1e6:.0f} MB, median of {runs} runs")
        print(f"FlowReader  {count / alone:>8.0f} flows/s")
        print(f"flows.read  {count / ours:>8.0f} flows/s, {alone / ours:.2f} times as fast")


if __name__ == "__main__":
    main()
