"""What it costs to search for the user's own values: 50 of them in small requests, in all encodings and two of them.

python bench/known.py [REQUESTS]

Measured is the search; taking the requests apart is in bench/extract.py.  With pyahocorasick installed, its automaton
of the same forms is measured beside.
"""

from __future__ import annotations

import importlib
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.decode import Leaf, decode
from analysis.example import exchange_of
from analysis.known import Known, OwnValues, search
from analysis.known.forms import forms
from analysis.pack import ExampleCall
from captures.model import Exchange

BOUND = 10_000
"""Requests a second."""

VALUES = 50


def own_values() -> list[Known]:
    """Fifty made-up values of all kinds."""
    rnd = random.Random(1)
    words = ["Zorblax", "Uprising", "Quiet", "Harbour", "Lantern", "Meridian", "Copper", "Orchard", "Winter", "Signal"]

    def title() -> str:
        return f"The {rnd.choice(words)} {rnd.choice(words)} ({rnd.randrange(1950, 2025)})"

    values = [("title", title()) for _ in range(25)] + [("file", f"{title()}.mkv") for _ in range(8)]
    values += [("email", f"{rnd.choice(words)}{n}@example.org".lower()) for n in range(4)]
    values += [("mac", ":".join(f"{rnd.randrange(256):02x}" for _ in range(6))) for _ in range(3)]
    values += [("token", rnd.randbytes(15).hex()) for _ in range(4)]
    values += [("name", "Annabel Exampleton"), ("name", "Otto"), ("host", "nas.exampleton.example")]
    values += [("ip", "203.0.113.77"), ("ip", "2001:db8::7:1"), ("library", "Our Evening Cinema")]
    return [Known(kind, value, 0.0) for kind, value in values[:VALUES]]


def requests(count: int) -> list[Exchange]:
    """Small requests in which none of the values stands."""
    rnd = random.Random(2)
    found = []
    for number in range(count):
        body = json.dumps(
            {"event": "playback:itemend", "session": rnd.randbytes(12).hex(), "time": 1_700_000_000 + number,
             "properties": {"type": "movie", "duration": rnd.randrange(9000), "bitrate": 8192, "videoCodec": "h264"}}
        )  # fmt: skip
        request = (
            f"POST https://metrics.example/collect/{rnd.randrange(10**6)}?v=1&cid={rnd.randbytes(8).hex()}\n"
            "content-type: application/json\nuser-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\n"
            f"x-token: {rnd.randbytes(10).hex()}\n\n{body}"
        )
        found.append(exchange_of(ExampleCall(request), "bench"))
    return found


def a_second(
    work: Callable[[Exchange, Sequence[Leaf]], object], calls: Sequence[tuple[Exchange, Sequence[Leaf]]]
) -> float:
    """Requests a second, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        for exchange, leaves in calls:
            work(exchange, leaves)
        best = min(best, time.perf_counter() - begin)
    return len(calls) / best


def main() -> int:
    """Prints requests a second; 1 when they are below the bound."""
    count = max(100, int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    calls = [(exchange, decode(exchange).leaves) for exchange in requests(count)]
    size = sum(len(leaf.value) for _, leaves in calls for leaf in leaves) // count
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    own = OwnValues(own_values())
    took, grown = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    number = sum(1 for one in own.values for _ in forms(one.kind, one.value))
    print(f"{len(own.values)} values, {number:,} forms: ready after {took:.2f} s, {grown / 1024:.0f} MB")
    rate = a_second(lambda exchange, leaves: search(exchange, leaves, own), calls)
    print(f"search: {rate:,.0f} requests of {size:,} characters a second, bound {BOUND:,}")
    _peer(own, calls)
    return int(rate < BOUND)


def _peer(own: OwnValues, calls: Sequence[tuple[Exchange, Sequence[Leaf]]]) -> None:
    """One pass over the same leaves, in our automaton and in pyahocorasick's."""
    try:
        peer: Any = importlib.import_module("ahocorasick")
    except ImportError:
        return
    automaton = peer.Automaton()
    for one in own.values:
        for form in forms(one.kind, one.value):
            automaton.add_word(form.text[:12].lower().decode("latin-1"), True)
    automaton.make_automaton()

    def text(leaves: Sequence[Leaf]) -> bytes:
        return "\n".join([leaf.value for leaf in leaves]).encode()

    ours = a_second(lambda _, leaves: list(own.hits(text(leaves))), calls)
    others = a_second(lambda _, leaves: list(automaton.iter(text(leaves).lower().decode("latin-1"))), calls)
    print(f"one pass over the leaves: ours {ours:,.0f} a second, pyahocorasick {others:,.0f}")


if __name__ == "__main__":
    sys.exit(main())
