"""What goes wrong on our side costs the household nothing: real packets through a proxy whose parts fail."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from captures import ledger
from captures.model import Exchange
from household.home import Home
from household.lab import TV_MAC, until

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


@contextmanager
def watching(home: Home, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    done = home.lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", TV_MAC)
    assert done.returncode == 0, done.stderr
    watch = home.lab.watch("--gateway", "--no-dashboard", "--upstream-ca", str(home.authority), *arguments)
    try:
        until(lambda: home.watched("tv"), 15, lambda: home.lab.log(watch))
        yield watch
    finally:
        home.lab.end(watch, 60)
        home.lab.phonehome("router", "gateway", "down")


@pytest.mark.parametrize("fault", ["RuntimeError", "RecursionError", "MemoryError"])
def test_an_exception_in_every_hook_costs_no_request(home: Home, fault: str) -> None:
    script, flag = home.lab.folder / f"{fault}.py", home.lab.folder / f"{fault}.flag"
    script.write_text(_BROKEN.replace("FAULT", fault).replace("FLAG", str(flag)))
    with watching(home, "--set", f"scripts={script}", "--ledger", str(home.lab.folder / f"{fault}.ledger")):
        assert home.fetch("tv", home.proxy_authority, path="/whole").startswith("/whole")
        flag.touch()
        for family in (0, 1):
            for _ in range(3):
                got = home.fetch("tv", home.proxy_authority, family, path="/broken", seconds=30)
                assert got.startswith("/broken"), got
    rows = [o for _, o in ledger.read(home.lab.folder / f"{fault}.ledger")]
    seen = {o.path for o in rows if isinstance(o, Exchange)}
    assert "/whole" in seen
    # It was really broken.
    assert "/broken" not in seen


def test_a_full_disk_costs_no_request_and_is_said(home: Home) -> None:
    place = home.lab.folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], check=True)
    try:
        with watching(home, "--ledger", str(place / "full.ledger")) as watch:
            with (place / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
                while rest.write(bytes(1024)):
                    pass
            for number in range(30):
                assert home.fetch("tv", home.proxy_authority, path=f"/{'x' * 1000}{number}", seconds=30).startswith(
                    "/x"
                )
            until(
                lambda: "the ledger cannot be written at the moment" in home.lab.log(watch), 20,
                lambda: home.lab.log(watch),
            )  # fmt: skip
            (place / "rest").unlink()
            assert home.watched("tv")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_locked_ledger_costs_no_request_and_little_of_the_record(home: Home) -> None:
    path = home.lab.folder / "locked.ledger"
    with watching(home, "--ledger", str(path)):
        time.sleep(1)
        with closing(sqlite3.connect(path, timeout=20)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for number in range(5):
                assert home.fetch("tv", home.proxy_authority, path=f"/locked-{number}", seconds=30).startswith(
                    "/locked"
                )
            other.rollback()
        until(lambda: len(paths(path)) == 5, 20, lambda: paths(path))


def paths(path: Path) -> set[str]:
    return {o.path for _, o in ledger.read(path) if isinstance(o, Exchange) and o.path.startswith("/locked")}
