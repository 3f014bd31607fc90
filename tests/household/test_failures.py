"""What goes wrong on our side costs the household nothing: real packets through a proxy whose parts fail."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from captures import ledger
from captures.model import Exchange
from household.home import Home
from household.lab import ADDRESSES, TV_MAC, until

_BROKEN = """
from pathlib import Path
from mitmproxy import hooks
import addons.forwarded, addons.observe, addons.passthrough, addons.wellformed

def broken(function):
    def fails(*arguments, **named):
        # At the start everything is whole, or the proxy would not begin.
        if Path("FLAG").exists():
            raise FAULT("made up")
        return function(*arguments, **named)
    return fails

class Everything:
    pass

# A script of the user's that fails in each event, and whatever our own hooks call.
for hook in hooks.all_hooks:
    if hook not in ("load", "configure", "running", "done"):
        setattr(Everything, hook, staticmethod(broken(lambda *_: None)))
for part in (addons.observe.Observe, addons.passthrough.Passthrough, addons.forwarded.Forwarded):
    for name, method in list(vars(part).items()):
        if callable(method) and name.startswith("_") and not name.startswith("__"):
            setattr(part, name, broken(method))
addons.wellformed._mend = broken(addons.wellformed._mend)
addons.observe.kept = broken(addons.observe.kept)
addons = [Everything()]
"""


WAYS = ("tun", "redirect", "proxy")
"""Led by the router in two ways, and as a proxy that the TV was told."""


@dataclass
class Watched:
    """A proxy that is watching the TV."""

    home: Home
    way: str
    process: subprocess.Popen[bytes]

    def fetch(self, path: str, family: int = 0) -> str:
        """What the TV gets through it; a proxy is asked by IPv4."""
        if self.way != "proxy":
            return self.home.fetch("tv", self.home.proxy_authority, family, path=path, seconds=30)
        proxy = f"http://{ADDRESSES['router'][0]}:8080"
        done = self.home.lab.run(
            "tv", "curl", "-sS", "--max-time", "30", "-x", proxy, "--cacert", str(self.home.proxy_authority),
            f"https://plex.tv{path}",
        )  # fmt: skip
        return done.stdout.strip() or done.stderr.strip()


@contextmanager
def watching(home: Home, way: str, *arguments: str) -> Iterator[Watched]:
    common = ("--no-dashboard", "--upstream-ca", str(home.authority), *arguments)
    if way == "proxy":
        table = json.dumps({"plex.tv": [ADDRESSES["internet"][0], 443]})
        watch = home.lab.watch("--listen", "0.0.0.0:8080", "--set", f"phonehome_reroute={table}", *common)
    else:
        done = home.lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", TV_MAC, "--way", way)
        assert done.returncode == 0, done.stderr
        watch = home.lab.watch("--gateway", *common)
    watched = Watched(home, way, watch)
    try:
        until(lambda: watched.fetch("/x").startswith("/x"), 30, lambda: home.lab.log(watch))
        yield watched
    finally:
        home.lab.end(watch, 60)
        if way != "proxy":
            home.lab.phonehome("router", "gateway", "down")


@pytest.mark.parametrize(
    ("fault", "way"), [("RuntimeError", "tun"), ("RecursionError", "redirect"), ("MemoryError", "proxy")]
)
def test_an_exception_in_every_hook_costs_no_request(home: Home, fault: str, way: str) -> None:
    script, flag = home.lab.folder / f"{fault}.py", home.lab.folder / f"{fault}.flag"
    script.write_text(_BROKEN.replace("FAULT", fault).replace("FLAG", str(flag)))
    path = home.lab.folder / f"{fault}.ledger"
    with watching(home, way, "--set", f"scripts={script}", "--ledger", str(path)) as watched:
        assert watched.fetch("/whole").startswith("/whole")
        flag.touch()
        for family in (0, 1):
            for _ in range(3):
                got = watched.fetch("/broken", family)
                assert got.startswith("/broken"), got
    seen = {o.path for _, o in ledger.read(path) if isinstance(o, Exchange)}
    assert "/whole" in seen
    # It was really broken.
    assert "/broken" not in seen


@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk_costs_no_request_and_is_said(home: Home, way: str) -> None:
    place = home.lab.folder / f"small-{way}"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], check=True)
    try:
        with watching(home, way, "--ledger", str(place / "full.ledger")) as watched:
            with (place / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
                while rest.write(bytes(1024)):
                    pass
            for number in range(30):
                assert watched.fetch(f"/{'x' * 1000}{number}").startswith("/x")
            until(
                lambda: "the ledger cannot be written at the moment" in home.lab.log(watched.process), 20,
                lambda: home.lab.log(watched.process),
            )  # fmt: skip
            (place / "rest").unlink()
            assert watched.fetch("/x").startswith("/x")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_locked_ledger_costs_no_request_and_little_of_the_record(home: Home, way: str) -> None:
    path = home.lab.folder / f"locked-{way}.ledger"
    with watching(home, way, "--ledger", str(path)) as watched:
        time.sleep(1)
        with closing(sqlite3.connect(path, timeout=20)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for number in range(5):
                assert watched.fetch(f"/locked-{number}").startswith("/locked")
            other.rollback()
        until(lambda: len(paths(path)) == 5, 20, lambda: paths(path))


def paths(path: Path) -> set[str]:
    return {o.path for _, o in ledger.read(path) if isinstance(o, Exchange) and o.path.startswith("/locked")}
