"""A device that has switched WireGuard on."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from household.home import Home
from household.lab import ADDRESSES, until

needs_wireguard = pytest.mark.skipif(
    not (shutil.which("wireguard-go") and shutil.which("wg")), reason="needs wireguard-go and wireguard-tools"
)


@contextmanager
def tunnel(home: Home) -> Iterator[str]:
    """The TV uses the settings that `watch` has written, with wireguard-go -> name of its interface."""
    lab, name = home.lab, f"wg{os.getpid()}"
    written = (lab.home / "ca" / "wireguard-client.conf").read_text()
    # What `wg` does not know, `wg-quick` does by hand.
    known = "".join(line for line in written.splitlines(True) if not line.startswith(("Address", "DNS")))
    addresses = re.findall(r"[0-9a-f.:]+/\d+", written.splitlines()[2])
    process = lab.start("tv", "wireguard-go", "-f", name)
    until(lambda: lab.run("tv", "ip", "link", "show", name).returncode == 0, 10, lambda: lab.log(process))
    (lab.folder / "tv.conf").write_text(known)
    lab.must("tv", "wg", "setconf", name, f"{lab.folder}/tv.conf")
    for address in addresses:
        lab.must("tv", "ip", "addr", "add", address, "dev", name)
    lab.must("tv", "ip", "link", "set", name, "up")
    try:
        for family in ("-4", "-6"):
            # Beside the usual way out, and better than it.
            lab.must("tv", "ip", family, "route", "add", "default", "dev", name, "metric", "1")
            with contextlib.suppress(AssertionError):
                lab.must("tv", "ip", family, "route", "del", "default", "via", ADDRESSES["router"][family == "-6"])
        yield name
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        for address in ADDRESSES["router"]:
            lab.run("tv", "ip", "route", "add", "default", "via", address)
