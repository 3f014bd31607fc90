"""Somebody sets the clock of the machine on which phonehome runs, by days, while it records."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis.demo.certificates import make
from captures import ledger
from captures.gateway import refusals
from captures.model import Contact, Unreadable
from household.home import Home
from household.lab import ADDRESSES, PC_MAC, ROOT, TV_MAC, until
from household.shifted import COMPILER, Shifted

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler (cc) for a clock of its own")

DAY = 24 * 3600

OTHER = 444
"""Port of another server, which has another authority."""


@contextmanager
def watching(home: Home, clock: Shifted, path: Path, trusted: Path) -> Iterator[subprocess.Popen[bytes]]:
    lab, devices = home.lab, ("--device", TV_MAC, "--device", PC_MAC)
    done = lab.phonehome("router", "gateway", "up", "--interface", "br-lan", *devices)
    assert done.returncode == 0, done.stderr
    watch = lab.start(
        "router", *clock.environment, sys.executable, "-m", "analysis", "watch", "--gateway", "--no-dashboard",
        "--upstream-ca", str(trusted), "--ledger", str(path), "--format", "json",
    )  # fmt: skip
    try:
        until(lambda: led(home), 60, lambda: lab.log(watch))
        yield watch
    finally:
        lab.end(watch, 60)
        lab.phonehome("router", "gateway", "down")


def led(home: Home) -> bool:
    return "led through the proxy now" in home.lab.phonehome("router", "gateway", "status").stdout.splitlines()


def asked(home: Home, host: str, authority: Path, path: str, port: int = 443) -> bool:
    """Whether a device that trusts this authority alone gets an answer at the first try."""
    name = "plex.tv" if port == 443 else "other.example"
    done = home.lab.run(
        host, "curl", "-sS", "--max-time", "8", "--cacert", str(authority), "--resolve",
        f"{name}:{port}:{ADDRESSES['internet'][0]}", f"https://{name}:{port}{path}",
    )  # fmt: skip
    return done.stdout.startswith(path)


def test_a_clock_that_is_set_by_days_costs_no_device_more_than_one_try_and_is_said(home: Home) -> None:
    lab, path, folder = home.lab, home.lab.folder / "clock.ledger", home.lab.folder / "other"
    folder.mkdir()
    clock, ours, theirs, (others, _) = (
        Shifted(lab.folder),
        home.proxy_authority,
        home.authority,
        make(folder, ("other.example",), days=30),
    )
    server = lab.start(
        "internet", sys.executable, str(ROOT / "tests/household/cloud.py"), f"{folder}/demo-cloud.pem", str(OTHER)
    )
    until(lambda: "serving" in lab.log(server), 30)
    trusted = folder / "both.pem"
    trusted.write_text(theirs.read_text() + others.read_text())
    with watching(home, clock, path, trusted) as watch:
        assert asked(home, "tv", ours, "/before")
        # The PC refuses once, and passes from then on.
        assert [asked(home, "pc", theirs, "/refuses") for _ in range(2)] == [False, True]
        for number, ahead in enumerate((3 * DAY, -4 * DAY, 0), 1):
            clock.set(ahead)
            # At once, and when it was noticed: nobody fails, and who was let pass does.
            for noticed in (number - 1, number):
                until(lambda noticed=noticed: len(said(path)) >= noticed, 20, lambda: home.lab.log(watch))
                assert asked(home, "tv", ours, f"/{number}-{noticed}")
                assert asked(home, "pc", theirs, f"/{number}-{noticed}")
                assert led(home)
            if ahead > 0:
                # For the TV, whose clock is right, a certificate of today begins in the future: it refuses once.
                assert [asked(home, "tv", ours, "/new", OTHER) for _ in range(2)] == [False, False]
                assert asked(home, "tv", others, "/new", OTHER)
        # With the clock it is right again, and what was made meanwhile is shown to nobody.
        assert asked(home, "pc", ours, "/right", OTHER)
    assert said(path) == ["forward by 72 h 0 min", "back by 168 h 0 min", "forward by 96 h 0 min"]
    told = home.lab.log(watch)
    report = json.loads(told[told.index("{\n") : told.rindex("}") + 1])
    assert sum("the clock was set" in json.dumps(call) for call in report["calls"]) == 3
    # Also in the next recording: what was learned is known by the clock that is right.
    kept = refusals.read(lab.home / "refusals.json", time.time())
    assert {one.name for one in kept} == {"plex.tv", "other.example"}


def test_what_listens_to_packets_says_it_too_and_holds_nothing_back_until_the_clock_is_right(home: Home) -> None:
    lab, path = home.lab, home.lab.folder / "sniffed.ledger"
    clock = Shifted(lab.folder)
    command = (sys.executable, "-m", "analysis", "sniff", "-i", "br-lan", "--ledger", str(path))
    sniff = lab.start("router", *clock.environment, *command)
    until(lambda: "Ctrl-C ends it" in lab.log(sniff), 60, lambda: lab.log(sniff))
    assert home.direct("tv")
    clock.set(-3 * DAY)
    until(lambda: said(path) == ["back by 72 h 0 min"], 20, lambda: lab.log(sniff))
    until(lambda: [o.host for _, o in ledger.read(path) if isinstance(o, Contact)] == ["plex.tv"], 20)
    lab.end(sniff, 60)
    assert sniff.wait() == 0


def said(path: Path) -> list[str]:
    """By how much it was set, as the ledger says."""
    rows = (o for _, o in ledger.read(path) if isinstance(o, Unreadable) and o.place == "clock")
    return [o.reason.removeprefix("the clock was set ").partition(" while")[0] for o in rows]
