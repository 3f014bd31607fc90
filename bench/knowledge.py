"""What it costs to load all packs: ms in a new process, from the files and from what was kept, the median of some runs.

python bench/knowledge.py [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BOUND = 150.0
"""ms from the files."""

CODE = """
import pathlib, sys, time
from analysis.knowledge import load
cache = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
begin = time.perf_counter()
known = load(cache=cache)
print(len(known.products), len(known.rules), (time.perf_counter() - begin) * 1e3)
"""


def times(runs: int, *cache: str) -> tuple[str, list[float]]:
    """Packs and rules, and ms of each run."""
    said = [
        subprocess.run(
            [sys.executable, "-c", CODE, *cache],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(runs)
    ]
    return f"{said[0][0]} packs, {said[0][1]} rules", [float(words[2]) for words in said]


def main() -> int:
    """Prints both medians with their ranges; 1 when the first is above the bound."""
    runs = max(5, int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    what, cold = times(runs)
    with tempfile.TemporaryDirectory() as folder:
        times(1, folder)
        _, kept = times(runs, folder)
    print(f"{what}, {runs} runs")
    print(f"from the files: {statistics.median(cold):.0f} ms ({min(cold):.0f} to {max(cold):.0f}), bound {BOUND:g}")
    print(f"from what was kept: {statistics.median(kept):.0f} ms ({min(kept):.0f} to {max(kept):.0f})")
    return int(statistics.median(cold) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
