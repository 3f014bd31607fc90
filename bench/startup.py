"""What it costs to start: `phonehome --help` and `inspect` of a small file, beside `python -c pass`.

python bench/startup.py [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CAPTURE = ROOT / "tests" / "data" / "npm-plex.flow.gz"


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As installed: compiled once.  Otherwise each start compiles all modules."""


def cost(*arguments: str) -> tuple[float, float]:
    """Arguments of Python -> seconds of wall and of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, cwd=ROOT, check=True, env=ENVIRONMENT)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints one table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    commands = {
        "python -c pass": ("-c", "pass"),
        "phonehome --help": ("-m", "analysis", "--help"),
        "phonehome inspect SMALL": ("-m", "analysis", "inspect", str(CAPTURE), "--format", "json"),
    }
    # The first run writes caches; the others take turns, so that a busy machine slows all alike.
    rows = {name: [cost(*arguments)] for name, arguments in commands.items()}
    for _ in range(runs):
        for name, arguments in commands.items():
            rows[name].append(cost(*arguments))
    base = [statistics.median(column) for column in zip(*rows["python -c pass"][1:], strict=True)]
    print(f"median of {runs} runs; more than `python -c pass`")
    for name, found in rows.items():
        wall, work = (statistics.median(column) for column in zip(*found[1:], strict=True))
        print(f"{name:<24} wall +{wall - base[0]:.3f} s   processor +{work - base[1]:.3f} s")


if __name__ == "__main__":
    main()
