"""How much memory `phonehome watch` takes, with all its processes, while a household does everything at once.

What is counted is the resident memory of the process that the user starts and of all that it starts: the proxy, what
keeps the ledger, and the dashboard.  Pages that several of them share count once (the kernel's `Pss`).
`python bench/memory.py` does the same over 100,000 flows.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from captures import ledger
from captures.model import Contact, Exchange
from fake_cloud import held
from household import mix
from household.home import Home
from household.lab import ADDRESSES, ROOT, TV_MAC, until

MIX = str(ROOT / "tests/household/mix.py")

MOST = 200 * 10**6
"""Bytes that all processes may hold together, at any moment."""

PER_FLOW = 2000
"""Bytes that all processes may grow by with each flow, when all is warm; a flow that is kept takes more."""


class Watched(NamedTuple):
    """A `watch` as a user runs it on a router, with the dashboard."""

    home: Home
    pid: int

    def total(self) -> int:
        """Bytes that it holds now."""
        return sum(share for _, share in held(self.pid).values())


@pytest.fixture(scope="module")
def watched(home: Home) -> Iterator[Watched]:
    lab = home.lab
    done = lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", TV_MAC)
    assert done.returncode == 0, done.stderr
    path = lab.folder / "mix.ledger"
    watch = lab.watch("--gateway", "--upstream-ca", str(home.authority), "--ledger", str(path))
    try:
        until(lambda: home.watched("tv"), 30, lambda: lab.log(watch))
        until(lambda: {"watch", "addons", "captures.recorder", "analysis.web"} <= set(held(watch.pid)), 60)
        yield Watched(home, watch.pid)
    finally:
        # The report is not what is looked at here, and takes its time.
        watch.kill()
        lab.phonehome("router", "gateway", "down")


def test_everything_at_once_takes_less_than_200_megabytes(watched: Watched) -> None:
    lab, most = watched.home.lab, 0
    server = lab.start("internet", sys.executable, MIX, "serve", f"{lab.folder}/demo-cloud.pem")
    until(lambda: "serving" in lab.log(server), 30, lambda: lab.log(server))
    load = lab.start("tv", sys.executable, MIX, "load", str(watched.home.proxy_authority), ADDRESSES["internet"][0])
    while load.poll() is None:
        most = max(most, watched.total())
        time.sleep(0.2)
    # All of it has passed …
    assert json.loads(lab.log(load)) == {
        "films": [mix.FILM] * 3, "messages": mix.MESSAGES, "events": mix.EVENTS, "raw": mix.RAW,
    }  # fmt: skip
    assert most < MOST, held(watched.pid)
    # … through the proxy, which has counted it.
    path = lab.folder / "mix.ledger"
    until(lambda: ledger.newest(path) > mix.MESSAGES, 30)
    rows = [observation for _, observation in ledger.read(path)]
    assert ledger.counters(path)["dropped"] == 0
    assert sum(isinstance(o, Exchange) and o.source.part > 0 for o in rows) == mix.MESSAGES
    films = [o.bytes_in for o in rows if isinstance(o, Exchange) and o.path.startswith("/film")]
    assert len(films) == 3
    assert min(films) >= mix.FILM
    assert [o.bytes_in for o in rows if isinstance(o, Contact)] == [mix.RAW]


def test_memory_does_not_grow_with_the_number_of_flows(watched: Watched) -> None:
    sizes, count = [], 4000
    address = ADDRESSES["internet"][0]
    for _ in range(2):
        told = watched.home.lab.must(
            "tv", sys.executable, MIX, "flows", str(watched.home.proxy_authority), address, str(count), timeout=600
        )
        assert int(told) == count
        time.sleep(2)
        sizes.append(watched.total())
    assert sizes[1] - sizes[0] < PER_FLOW * count, held(watched.pid)
