"""What it costs to find the data items of one call: decode + extract of a 2 kB body of usage statistics.

python bench/extract.py [RUNS]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.classify import classify
from analysis.decode import decode
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import Knowledge, load
from analysis.pack import ExampleCall

BOUND = 1.0
"""ms a call."""

EVENT = {
    "deviceIdentifier": "browser-0001",
    "context": {"device": {"product": "Plex Web", "platform": "Chrome", "platformVersion": "120", "layout": "desktop"}},
    "event": "playback:itemend",
    "properties": {
        "serverType": "owned", "identifier": "com.plexapp.plugins.library", "type": "movie", "duration": 5460,
        "bitrate": 8192, "container": "mkv", "videoCodec": "h264", "audioCodec": "aac", "playbackTime": 120,
    },
}  # fmt: skip


HOSTS = ("analytics.plex.tv", "stats.example")
"""One whose fields a rule names, and one that no pack knows: there names and forms say what a field holds."""


def main() -> int:
    """Prints the median and the range for each host; 1 when a median is above the bound."""
    runs = max(5, int(sys.argv[1]) if len(sys.argv) > 1 else 25)
    known = load()
    return max([cost(host, known, runs) > BOUND for host in HOSTS])


def cost(host: str, known: Knowledge, runs: int) -> float:
    """Median of the milliseconds that one call costs; printed."""
    evidence = Evidence()
    events = [EVENT] * (2048 // len(json.dumps(EVENT)) + 1)
    body = json.dumps(events)
    request = f"POST https://{host}/collect/event\ncontent-type: text/plain;charset=UTF-8\n\n{body}"
    exchange = exchange_of(ExampleCall(request), "bench")
    call = classify(exchange, known, evidence)
    found = extract(call, known, evidence)  # the tables are made at the first call
    costs = []
    for _ in range(runs):
        begin = time.perf_counter()
        for _ in range(20):
            extract(call, known, evidence, decode(exchange))
        costs.append((time.perf_counter() - begin) / 20 * 1e3)
    median = statistics.median(costs)
    leaves = len(decode(exchange).leaves)
    print(f"{host} ({call.rule or 'no rule'}): {len(body):,} bytes, {leaves} leaves, {len(found)} findings")
    print(f"decode + extract: {median:.2f} ms a call ({min(costs):.2f} to {max(costs):.2f}), bound {BOUND:g}")
    return median


if __name__ == "__main__":
    sys.exit(main())
