"""What it costs to classify one call: µs over the examples of all shipped rules, the median of some runs.

python bench/classify.py [RUNS]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.knowledge import load

BOUND = 10.0
"""µs a call."""


def main() -> int:
    """Prints the median and the range; 1 when the median is above the bound."""
    runs = max(5, int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    known = load()
    calls = [exchange_of(example, rule.id) for rule in known.rules.values() for example in rule.example]
    evidence = Evidence()
    for call in calls:  # the tables are made at the first call
        classify(call, known, evidence)
    costs = []
    for _ in range(runs):
        begin = time.perf_counter()
        for n, call in enumerate(calls):
            classify(call, known, evidence, n)
        costs.append((time.perf_counter() - begin) / len(calls) * 1e6)
    median = statistics.median(costs)
    print(f"{len(calls)} calls, {len(known.rules)} rules, {runs} runs")
    print(f"classify: {median:.1f} µs a call ({min(costs):.1f} to {max(costs):.1f}), bound {BOUND:g}")
    return int(median > BOUND)


if __name__ == "__main__":
    sys.exit(main())
