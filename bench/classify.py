"""What it costs to classify one call among 1,000 rules: µs over the examples of all rules, the median of some runs.

Besides the shipped rules there are variants of them, half at hosts of their own, half on the same hosts with other
paths; the calls are the examples of all of them, calls to hosts that nobody knows, and calls to an own server.

python bench/classify.py [RUNS]
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from msgspec import structs

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.knowledge import Knowledge, load
from analysis.pack import ExampleCall, Rule
from captures.model import Exchange

BOUND = 10.0
"""µs a call."""

RULES = 1_000


def variants(rules: list[Rule]) -> Iterator[tuple[Rule, list[Exchange]]]:
    """Rules like those that are shipped, with their examples."""
    for n in itertools.count():
        rule = rules[n % len(rules)]
        examples = [exchange_of(example, rule.id) for example in rule.example]
        if not rule.match.host:
            continue
        if n % 2 and rule.match.path:
            match = structs.replace(rule.match, path=f"/variant-{n}{rule.match.path}")
            calls = [structs.replace(call, path=f"/variant-{n}{call.path}") for call in examples]
        else:
            match = structs.replace(rule.match, host=tuple(f"{host}.variant-{n}.example" for host in rule.match.host))
            calls = [structs.replace(call, host=f"{call.host}.variant-{n}.example") for call in examples]
        yield structs.replace(rule, id=f"{rule.id}-{n}", match=match), calls


def elsewhere() -> Iterator[Exchange]:
    """Calls that no rule is about, and calls to an own server."""
    for n in range(200):
        yield exchange_of(ExampleCall(f"GET https://host-{n % 50}.unknown-{n % 20}.example/a/{n}"), "unknown")
        yield exchange_of(ExampleCall(f"GET http://192.168.1.5:32400/library/metadata/{n}"), "own")


def crowded(known: Knowledge) -> tuple[Knowledge, list[Exchange]]:
    """Shipped knowledge with variants up to `RULES`, and calls that fit all of it."""
    rules = dict(known.rules)
    calls = [exchange_of(example, rule.id) for rule in rules.values() for example in rule.example]
    for rule, more in itertools.islice(variants(list(known.rules.values())), max(0, RULES - len(rules))):
        rules[rule.id] = rule
        calls.extend(more)
    return replace(known, rules=rules), [*calls, *elsewhere()]


def main() -> int:
    """Prints the median and the range; 1 when the median is above the bound."""
    runs = max(5, int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    known, calls = crowded(load())
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
