"""Which ports of this machine are ours."""

from __future__ import annotations

import stat
import subprocess
import sys

from captures import home
from captures.gateway import ports


def test_a_port_is_ours_as_long_as_the_block_lasts() -> None:
    with ports.registered(8081), ports.registered(8082):
        assert ports.ours() == {8081, 8082}
        assert stat.S_IMODE((home.ports() / "8081").stat().st_mode) == 0o600
    assert ports.ours() == frozenset()


def test_what_a_killed_process_or_anybody_else_left_counts_no_longer() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (home.ports() / "8081").write_text(str(ended.pid))
    (home.ports() / "8082").write_text("nothing")
    (home.ports() / "8083").write_text("")
    (home.ports() / "notes.txt").write_text("1")
    (home.ports() / "8084").write_text("1")
    assert ports.ours() == {8084}


def test_another_process_sees_it() -> None:
    with ports.registered(8081):
        script = "from captures.gateway import ports; print(ports.ours() == {8081})"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
