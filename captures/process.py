"""Starts modules of this project as processes of their own, and ends them."""

from __future__ import annotations

import contextlib
import os
import site
import subprocess
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])


def start(module: str, *, log: int = subprocess.PIPE, out: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """`python -m MODULE` of this very installation, with a pipe to its standard input.

    It is never taken from the folder in which the user happens to be: a folder `addons` may well lie there.
    `log` and `out` are what becomes of its standard error and output.  Ctrl-C in the terminal does not reach it: who
    started it ends it, and it ends by itself when that input ends.
    """
    environment = dict(os.environ)
    # Not when it is found anyway: the folder of installed packages must not come before the standard library.
    if _ROOT not in [*site.getsitepackages(), site.getusersitepackages()]:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(  # noqa: S603 - modules of our own alone
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=log,
        env=environment,
        start_new_session=True,
    )


def give_way(by: int = 12, autogroup: Path = Path("/proc/self/autogroup")) -> None:
    """Lets all others go first where processors are short; `by` as in `nice`.  What the system refuses stays as it is.

    By 12 it gets a fifteenth of what another gets that wants the same processor: enough to come after in seconds where
    many do.  By 15 it stood still for half a minute on two processors that nine others wanted.

    Linux shares processors out among sessions first and looks at `nice` within one alone (autogroup, see sched(7)), so
    that to a proxy in a session of its own `nice` says nothing: the session has to give way too.  That is done only in
    one that `start` made for this process, and not in the terminal of somebody who started it by hand.
    """
    with contextlib.suppress(OSError):
        os.nice(by)
    if os.getsid(0) == os.getpid():
        # Neither on other systems, nor in some containers, nor where it was switched off.
        with contextlib.suppress(OSError), autogroup.open("r+") as file:
            file.write(str(by))


def end(process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """Ends a process of `start` in order, by closing its standard input; who takes more seconds is killed."""
    if process.stdin and not process.stdin.closed:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
