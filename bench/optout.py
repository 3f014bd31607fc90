"""How often "stopped" is said wrongly, and how often it is said when it is true: simulated households, with a seed.

    python bench/optout.py [HOUSEHOLDS] [SEED]

There is no peer: no other program answers this.  A plain comparison (seen before, not seen after) stands beside it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from scipy.stats import beta  # type: ignore[import-untyped]  # noqa: E402  # no stubs

from simulated_optouts import Outcome, simulate  # noqa: E402  # found by the path that was just added

ALPHA = 0.01


def bound(k: int, n: int) -> float:
    """Upper 95 % bound of a share (Clopper and Pearson)."""
    return float(beta.ppf(0.95, k + 1, n - k)) if k < n else 1.0


def report(title: str, outcomes: list[Outcome]) -> None:
    """Prints one line of the table."""
    n, false = len(outcomes), sum(o.false for o in outcomes)
    print(f"{title:<46} {n:>6} {100 * false / n:>8.2f} % {100 * bound(false, n):>8.2f} %")


def main() -> None:
    """Simulates and prints."""
    households = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.perf_counter()
    nothing = [simulate(seed * 1_000_000 + i, effect=False) for i in range(households)]
    effect = [simulate(seed * 1_000_000 + i, effect=True) for i in range(households)]
    print(f"seed {seed}; {time.perf_counter() - began:.0f} s")
    print(f"{'false “stopped” in a report':<46} {'n':>6} {'seen':>10} {'at most':>10}")
    report("nothing stops", nothing)
    report("two items stop, and nothing else", effect)
    print(f"\n{'told that the two items stopped, by plays':<46} {'n':>6} {'told':>10}")
    for low, high in ((0, 0), (1, 3), (4, 7), (8, 11), (12, 20)):
        some = [o for o in effect if low <= min(o.plays) <= high]
        if some:
            title = f"fewer plays on one side: {low} to {high}"
            print(f"{title:<46} {len(some):>6} {100 * sum(o.told for o in some) / len(some):>8.1f} %")
    if 100 * sum(o.false for o in nothing + effect) > 100 * ALPHA * len(nothing + effect):
        sys.exit("more than 1 % of the reports say “stopped” wrongly")


if __name__ == "__main__":
    main()
