"""Processes of our own give way to the proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """
import os, sys
from pathlib import Path
from captures.process import give_way
give_way(7, Path(sys.argv[1]))
print(os.nice(0))
"""

EXPECTED = min(os.nice(0) + 7, 19)


def given_way(autogroup: Path, *, own_session: bool) -> int:
    """What a process says of its `nice` after it gave way."""
    command = [sys.executable, "-c", _CODE, str(autogroup)]
    root = str(Path(__file__).parents[1])
    done = subprocess.run(command, cwd=root, start_new_session=own_session, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize(("own_session", "said"), [(True, "7"), (False, "/autogroup-3 nice 0\n")])
def test_the_session_gives_way_if_it_is_that_of_the_process(tmp_path: Path, own_session: bool, said: str) -> None:
    autogroup = tmp_path / "autogroup"
    autogroup.write_text("/autogroup-3 nice 0\n")
    assert given_way(autogroup, own_session=own_session) == EXPECTED
    assert autogroup.read_text()[: len(said)] == said


def test_who_may_not_give_way_goes_on(tmp_path: Path) -> None:
    assert given_way(tmp_path / "missing", own_session=True) == EXPECTED
    assert given_way(tmp_path, own_session=True) == EXPECTED
