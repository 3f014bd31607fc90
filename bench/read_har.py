"""Reading a HAR file of small requests: entries per second, beside `json.loads` of the same file alone.

python bench/read_har.py [ENTRIES] [RUNS]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from captures.formats import har


def entry(number: int) -> dict[str, object]:
    """One invented entry, like those of a web app's statistics."""
    headers = [{"name": f"X-Plex-Header-{n}", "value": f"value {n}"} for n in range(12)]
    body = json.dumps({"event": "client:view", "properties": {"page": f"page {number}", "duration": number}})
    return {
        "startedDateTime": "2031-01-01T00:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": f"https://analytics.plex.tv/collect/event?n={number}",
            "httpVersion": "h2",
            "headers": headers,
            "postData": {"mimeType": "text/plain", "text": body},
            "bodySize": len(body),
        },
        "response": {
            "status": 200,
            "headers": headers[:5],
            "content": {"size": 2, "text": "OK"},
            "bodySize": 2,
        },
    }


def timed(work: Callable[[], object], runs: int) -> float:
    """Median seconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    """Prints one table."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.har"
        path.write_text(json.dumps({"log": {"version": "1.2", "entries": [entry(n) for n in range(entries)]}}), "utf-8")
        alone = timed(lambda: json.loads(path.read_bytes()), runs)
        ours = timed(lambda: sum(1 for _ in har.read(path, 0)), runs)
        print(f"{entries} entries, {path.stat().st_size / 1e6:.0f} MB, median of {runs} runs")
        print(f"json.loads alone  {entries / alone:>10.0f} entries/s")
        print(f"har.read          {entries / ours:>10.0f} entries/s, {ours / alone:.2f} times as long")


if __name__ == "__main__":
    main()
