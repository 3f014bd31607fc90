"""How often the grid of twenty pairs is named rightly: grids of 1 to 600 s, 2^n, three digits, with jitter and drops.

python bench/generalise.py [SIMULATIONS] [SEED]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulated_pairs import tally

RIGHT = 0.99
"""Least share of right answers where the rules allow one."""

WRONG = 0.01
"""Most wrong answers."""


def main() -> int:
    """Prints the table; 1 when a bound is missed."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    begin = time.perf_counter()
    counted = tally(number, seed)
    spent = time.perf_counter() - begin
    print(f"{number:,} simulations of 20 pairs, seed {seed}, {spent / number * 1e3:.2f} ms each")
    print(f"{'':30}{'right':>8}{'open':>8}{'wrong':>8}")
    for tellable, words in ((True, "the rules allow an answer"), (False, "they do not")):
        print(f"{words:30}" + "".join(f"{counted[tellable, o]:8,}" for o in ("right", "open", "wrong")))
    can = sum(n for (tellable, _), n in counted.items() if tellable)
    right = counted[True, "right"] / can if can else 0.0
    wrong = (counted[True, "wrong"] + counted[False, "wrong"]) / number
    print(f"right where an answer is allowed: {right:.2%} (bound {RIGHT:.0%}); wrong: {wrong:.2%} (bound {WRONG:.0%})")
    return int(right < RIGHT or wrong > WRONG)


if __name__ == "__main__":
    sys.exit(main())
