"""Among 10,000 made-up households, how many reports does a reader who holds the vendor's logs lay at the right door?

The reader knows every call of every household to the second; see `tests/simulated_vendor.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulated_vendor import households, recognised

HOUSEHOLDS = 10_000
REPORTS = 1_000


def main() -> None:
    """Prints one row for each seed; about a minute and a half of processor time each."""
    print(f"{'seed':>4}  {'households':>10}  {'reports':>7}  named rightly")
    for seed in (31, 32, 33):
        share = recognised(households(HOUSEHOLDS, seed), REPORTS, seed)
        print(f"{seed:>4}  {HOUSEHOLDS:>10,}  {REPORTS:>7}  {share:.2%} (asked: at most 1 %)")


if __name__ == "__main__":
    main()
