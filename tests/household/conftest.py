"""One household for the tests of a module, with servers on the Internet and at home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.demo.certificates import make
from household.home import Home
from household.lab import ROOT, Lab, until

NEEDED = ("ip", "nft", "curl")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder; without what they need they are skipped with one line."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    reason = ""
    if os.geteuid():
        reason = "needs root: run make test-home with sudo"
    elif missing:
        reason = f"needs {', '.join(missing)}: install iproute2, nftables and curl"
    elif subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        reason = "needs network namespaces, which this machine does not allow"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.home)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A household of which the TV may be watched."""
    folder = tmp_path_factory.mktemp("household")
    authority, _ = make(folder, ("plex.tv",), days=30)
    with Lab(folder) as lab:
        for host in ("internet", "server"):
            server = lab.start(
                host, sys.executable, str(ROOT / "tests/household/cloud.py"), f"{folder}/demo-cloud.pem", "443"
            )
            until(lambda server=server: "serving" in lab.log(server), 30)
        yield Home(lab, authority)
