"""The set-up: finds a Python that really runs, says what to install when there is none, heals when interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELL = shutil.which("sh") or "/bin/sh"


def find(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the search with nothing but this folder in the path."""
    return subprocess.run(
        [SHELL, str(ROOT / ".ci/find-python")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(folder), "HOME": str(folder)},
    )


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{SHELL}\n{text}\n", "utf-8")
    path.chmod(0o755)


def test_without_a_python_it_says_in_one_sentence_what_to_install(tmp_path: Path) -> None:
    done = find(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("phonehome needs Python 3.12 or newer with its venv module: install it (")
    assert done.stderr.count("\n") == 1


def test_a_shim_that_fails_and_a_python_that_is_too_old_are_passed_over(tmp_path: Path) -> None:
    program(tmp_path, "python3.14", "echo 'no such version' >&2; exit 127")
    program(tmp_path, "python3.13", "exit 1")
    program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    done = find(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/python3\n", "")


def test_one_of_pyenv_is_found_that_is_in_no_path(tmp_path: Path) -> None:
    program(tmp_path / ".pyenv/versions/3.13.0/bin", "python", f'exec "{sys.executable}" "$@"')
    assert find(tmp_path).stdout == f"{tmp_path}/.pyenv/versions/3.13.0/bin/python\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make: apt install make")
def test_the_stamp_is_written_last_so_that_an_interrupted_set_up_is_done_again(tmp_path: Path) -> None:
    """With a Python whose pip fails nothing is left that the next call would take for a finished set-up."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".ci").mkdir()
    fake = 'if [ "$1" = -m ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; [ "$2" = venv ]; else exit 0; fi'
    program(tmp_path, "python", fake)
    program(tmp_path / ".ci", "find-python", f"echo {tmp_path}/python")
    environment = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(["make", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert (tmp_path / ".venv/bin/python").exists()
    assert not (tmp_path / ".venv/ready").exists()
