"""The whole household under stress: nobody answers, the recorder hangs, the machine sleeps, 9,000 tunnels at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from captures import ledger
from captures.model import Contact, Exchange, Unreadable
from fake_cloud import held
from household import mix
from household.home import Home
from household.lab import ADDRESSES, PC_MAC, ROOT, TV_MAC, until

FLOOD = str(ROOT / "tests/household/flood.py")
MIX = str(ROOT / "tests/household/mix.py")

TUNNELS = 9_000

MOST = 900 * 10**6
"""Bytes that all processes may hold with them."""


@contextmanager
def watching(home: Home, path: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    devices = ("--device", TV_MAC, "--device", PC_MAC)
    done = home.lab.phonehome("router", "gateway", "up", "--interface", "br-lan", *devices)
    assert done.returncode == 0, done.stderr
    watch = home.lab.watch(
        "--gateway", "--no-dashboard", "--upstream-ca", str(home.authority), "--ledger", str(path), *arguments
    )
    try:
        until(lambda: home.watched("tv"), 20, lambda: home.lab.log(watch))
        yield watch
    finally:
        home.lab.end(watch, 60)
        home.lab.phonehome("router", "gateway", "down")


def passes(home: Home, host: str) -> bool:
    """Whether a device that trusts the real authority alone gets through, not inspected."""
    return home.direct(host)


def test_a_blackhole_behind_which_everything_is_costs_nothing_but_what_is_there(home: Home) -> None:
    """Also how the proxy recovers by itself: nothing is restarted."""
    lab, path = home.lab, home.lab.folder / "blackhole.ledger"
    far = ADDRESSES["internet"][0]
    with watching(home, path, "--set", "phonehome_patience=5") as watch:
        # The PC refuses once, and passes from then on.
        until(lambda: passes(home, "pc"), 20)
        before = sum(share for _, share in held(watch.pid).values())
        # What is at home is not touched by any of this.
        lab.must("router", "nft", "add", "table", "inet", "hole")
        try:
            lab.must("router", "nft", "add", "chain", "inet", "hole", "out",
                     "{ type filter hook output priority 0 ; }")  # fmt: skip
            lab.must("router", "nft", "add", "rule", "inet", "hole", "out", "oifname", "wan", "drop")
            flood = lab.start("tv", sys.executable, FLOOD, "knock", far, "443", "400")
            # Meanwhile another device plays from the server at home, …
            for _ in range(5):
                assert home.direct("pc", to="server")
            # … the proxy lives and renews what leads the devices to it, …
            status = lab.phonehome("router", "gateway", "status").stdout
            assert "led through the proxy now" in status.splitlines(), status
            # … and holds no more than a little for each that waits.
            most = max(_samples(watch.pid, 6))
            assert most - before < 60 * 10**6, held(watch.pid)
            until(lambda: flood.poll() is not None, 60, lambda: lab.log(flood))
        finally:
            lab.must("router", "nft", "delete", "table", "inet", "hole")
        until(lambda: home.watched("tv"), 30, lambda: lab.log(watch))
        until(lambda: passes(home, "pc"), 30, lambda: lab.log(watch))
    silent = sum(effect.count for effect in ledger.effects(path) if effect.kind == "silent")
    assert silent > 100


def _samples(pid: int, seconds: float) -> Iterator[int]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield sum(share for _, share in held(pid).values())
        time.sleep(0.3)


def test_a_recorder_that_hangs_costs_no_request_and_what_is_lost_is_said(home: Home) -> None:
    lab, path = home.lab, home.lab.folder / "hangs.ledger"
    with watching(home, path, "--set", "phonehome_flat=true") as watch:
        recorder = _child(watch.pid, "captures.recorder")
        os.kill(recorder, signal.SIGSTOP)
        try:
            told = lab.must(
                "tv", sys.executable, FLOOD, "post", str(home.proxy_authority), ADDRESSES["internet"][0], "150",
                timeout=120,
            )  # fmt: skip
        finally:
            os.kill(recorder, signal.SIGCONT)
        # Each was answered, though what was sent is more than may wait.
        assert told.split() == ["150"]
        until(lambda: ledger.counters(path)["dropped"] > 0, 60, lambda: lab.log(watch))
        rows = sum(isinstance(o, Exchange) and o.method == "POST" for _, o in ledger.read(path))
        until(lambda: "had to be dropped" in lab.log(watch), 20, lambda: lab.log(watch))
        assert home.watched("tv")
    assert 0 < rows < 150
    assert "dropped while recording" in lab.log(watch)


def _child(pid: int, module: str) -> int:
    """Number of the process of this module among those that a process started, and they."""
    found = subprocess.run(["pgrep", "-f", module], capture_output=True, text=True, check=False).stdout.split()
    ours = {int(number) for number in found}
    waiting = [pid]
    while waiting:
        number = waiting.pop()
        if number in ours and number != pid:
            return number
        for task in Path(f"/proc/{number}/task").iterdir():
            waiting += map(int, (task / "children").read_text("ascii").split())
    raise ProcessLookupError(module)


def test_a_machine_that_slept_lets_go_of_the_devices_and_takes_them_up_again(home: Home) -> None:
    """Suspended, everything of ours stands still while the clocks and the leases in the kernel go on."""
    lab, path = home.lab, home.lab.folder / "slept.ledger"
    with watching(home, path) as watch:
        until(lambda: passes(home, "pc"), 20)
        os.killpg(watch.pid, signal.SIGSTOP)
        pids = [watch.pid, lab.proxy_of(watch), _child(watch.pid, "captures.recorder")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            # As when the machine is away: the device is online without us as soon as its lease is over.
            until(lambda: home.direct("tv"), 15)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            os.killpg(watch.pid, signal.SIGCONT)
        until(lambda: home.watched("tv"), 15, lambda: lab.log(watch))
        # What was learned is known as before, and time in which nobody ran is no time in which the proxy hung.
        assert passes(home, "pc")
        assert "does not respond" not in lab.log(watch)
    assert ledger.counters(path)["dropped"] == 0


_POURED = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as tunnel:
    tunnel.sendall(f"CONNECT {sys.argv[3]} HTTP/1.1\\r\\nHost: {sys.argv[3]}\\r\\n\\r\\n".encode())
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        head += tunnel.recv(1)
    size = 0
    while part := tunnel.recv(1 << 20):
        size += len(part)
    print(size, end="")
"""
"""Takes what a server pours through a tunnel, and says how many bytes that were."""


@pytest.mark.slow
def test_raw_bytes_beside_many_tunnels_take_no_memory(home: Home) -> None:
    """300 MB over plain TCP through one tunnel, while a thousand others are open."""
    lab, far, path = home.lab, ADDRESSES["internet"][0], home.lab.folder / "beside.ledger"
    echo = lab.start("internet", sys.executable, FLOOD, "echo", "7007")
    pour = lab.start("internet", sys.executable, MIX, "serve", f"{lab.folder}/demo-cloud.pem")
    for server in (echo, pour):
        until(lambda server=server: "serving" in lab.log(server), 30)
    watch = lab.watch("--listen", "0.0.0.0:8080", "--no-dashboard", "--ledger", str(path))
    try:
        proxy = (ADDRESSES["router"][0], "8080")
        flood = lab.start("tv", sys.executable, FLOOD, "tunnels", *proxy, far, "7007", "1000")
        until(lambda: "all open" in lab.log(flood), 120, lambda: lab.log(flood))
        assert "all open 1000" in lab.log(flood)
        load, most = lab.start("pc", sys.executable, "-c", _POURED, *proxy, f"{far}:{mix.PLAIN}"), 0
        while load.poll() is None:
            most = max(most, sum(share for _, share in held(watch.pid).values()))
            time.sleep(0.2)
        assert lab.log(load) == str(mix.RAW), lab.log(watch)
        assert most < 200 * 10**6, held(watch.pid)
        until(lambda: flood.poll() is not None, 120, lambda: lab.log(flood))
        assert "echoed 1000" in lab.log(flood)
    finally:
        lab.end(watch, 120)
        for server in (echo, pour):
            os.killpg(server.pid, signal.SIGTERM)
    passed = [
        o.bytes_in for _, o in ledger.read(path) if isinstance(o, Contact) and o.server and o.server.port == mix.PLAIN
    ]
    assert len(passed) == 1
    assert passed[0] >= mix.RAW


@pytest.mark.slow
def test_nine_thousand_tunnels_at_once(home: Home) -> None:
    """Each takes two files of the proxy's; how many fit is known from the limit."""
    lab, path = home.lab, home.lab.folder / "tunnels.ledger"
    far = ADDRESSES["internet"][0]
    echo = lab.start("internet", sys.executable, FLOOD, "echo", "7007")
    until(lambda: "serving" in lab.log(echo), 30)
    watch = lab.watch(
        "--listen", "0.0.0.0:8080", "--no-dashboard", "--upstream-ca", str(home.authority), "--ledger", str(path)
    )
    try:
        proxy = lab.proxy_of(watch)
        limit = int(Path(f"/proc/{proxy}/limits").read_text().partition("Max open files")[2].split()[0])
        if limit < 2 * TUNNELS + 1_500:
            pytest.skip(f"{limit} open files are too few for {TUNNELS} tunnels: raise the hard limit")
        flood = lab.start(
            "tv", sys.executable, FLOOD, "tunnels", ADDRESSES["router"][0], "8080", far, "7007", str(TUNNELS)
        )
        until(lambda: "all open" in lab.log(flood) or flood.poll() is not None, 500, lambda: lab.log(flood))
        assert f"all open {TUNNELS}" in lab.log(flood), lab.log(flood)
        files = sum(1 for _ in Path(f"/proc/{proxy}/fd").iterdir())
        assert 2 * TUNNELS <= files < 2 * TUNNELS + 300
        memory = sum(share for _, share in held(watch.pid).values())
        # Another device is served meanwhile.
        got = lab.run("pc", "curl", "-sS", "--max-time", "60", "--cacert", str(home.proxy_authority), "--proxy",
                      f"http://{ADDRESSES['router'][0]}:8080", "--connect-to", f"plex.tv:443:{far}:443",
                      "https://plex.tv/meanwhile")  # fmt: skip
        assert got.stdout.startswith("/meanwhile"), (got.stdout, got.stderr)
        # About 50 kB for each.
        assert memory < MOST, held(watch.pid)
        # Each carried something, both ways.
        until(lambda: flood.poll() is not None, 300, lambda: lab.log(flood))
        assert f"echoed {TUNNELS}" in lab.log(flood), lab.log(flood)
        until(lambda: sum(1 for _ in Path(f"/proc/{proxy}/fd").iterdir()) < 300, 120)
    finally:
        lab.end(watch, 120)
    rows = [o for _, o in ledger.read(path) if isinstance(o, Contact) and o.server and o.server.port == 7007]
    assert len(rows) + ledger.counters(path)["dropped"] >= TUNNELS
    # One line for many, whatever went wrong.
    assert sum(isinstance(o, Unreadable) for _, o in ledger.read(path)) < 100
    assert len(lab.log(watch)) < 100_000
