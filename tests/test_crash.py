"""What a process leaves that ends by a fault of our own: the place, and nothing of what it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.proxy import Proxy
from captures import crash
from captures.model import CaptureError
from fake_cloud import ROOT

SECRET = "made-up-token-31337"
CAPTURE = str(ROOT / "tests/data/telemetry-node.flow.gz")

_POISON = """
import sys
def poison(*_, **__):
    held = {secret!r}
    raise {fault}(held)
"""


def ran(code: str, given: str = "", **named: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **named}
    return subprocess.run(
        [sys.executable, "-c", code], input=given, capture_output=True, text=True, check=False, timeout=120,
        env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["KeyError", "UnicodeError"])
def test_a_command_that_crashes_says_where_and_not_with_what(tmp_path: Path, fault: str) -> None:
    code = _POISON.format(secret=SECRET, fault=fault) + (
        f"from analysis import cli, pipeline\npipeline.classify = poison\ncli.main(['inspect', {CAPTURE!r}])\n"
    )
    done = ran(code, PHONEHOME_HOME=str(tmp_path))
    assert done.returncode == 1
    assert SECRET not in done.stderr + done.stdout
    assert str(ROOT) not in done.stderr
    assert "analysis/pipeline.py:" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"a fault of phonehome's own ({fault}): please report")
    if fault == "KeyError":
        # Who looks for the fault on his own machine sees all.
        assert SECRET in ran(code, PHONEHOME_HOME=str(tmp_path), **{crash.WHOLE: "1"}).stderr


@pytest.mark.parametrize("fault", ["ValueError", "RuntimeError"])
def test_a_proxy_that_crashes_says_where_and_not_with_what(tmp_path: Path, fault: str) -> None:
    code = _POISON.format(secret=SECRET, fault=fault) + (
        "import addons.__main__ as proxy\nproxy.DumpMaster.run = poison\nproxy.main()\n"
    )
    settings = {"options": {"confdir": str(tmp_path), "listen_port": 0}}
    done = ran(code, json.dumps(settings) + "\n", PHONEHOME_HOME=str(tmp_path))
    assert done.returncode == 1
    assert SECRET not in done.stderr + done.stdout
    assert f"a fault of phonehome's own ({fault})" in done.stderr.splitlines()[-1]


def test_a_wrong_mode_is_still_one_sentence() -> None:
    with pytest.raises(CaptureError, match="the proxy did not start: "), Proxy({"mode": ["reverse:"]}):
        pass


def test_a_thread_that_crashes_leaves_no_more() -> None:
    done = ran(
        _POISON.format(secret=SECRET, fault="OSError")
        + "import threading\nfrom captures import crash\ncrash.quiet()\n"
        + "one = threading.Thread(target=poison)\none.start()\none.join()\n"
    )
    assert (done.returncode, SECRET in done.stderr) == (0, False)
    assert "(OSError)" in done.stderr
