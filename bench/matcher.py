"""Among 10,000 made-up households, how many reports does a reader who holds the vendor's logs lay at the right door?

python bench/matcher.py [REPORTS] [SEED...]

The reader knows every call of every household to the second; see `tests/reader_of_logs.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from reader_of_logs import recognised
from simulated_vendor import LENGTHS, SPANS, households

HOUSEHOLDS = 10_000


def main() -> None:
    """Prints one row for each seed and length; some minutes of processor time a seed."""
    reports = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{HOUSEHOLDS:,} households\n{'seed':>4}  {'length':<6}  {'reports':>7}  named rightly")
    for seed in map(int, sys.argv[2:] or ("81", "82", "83")):
        homes = households(HOUSEHOLDS, seed)
        shares: dict[str, float] = {}
        for length in SPANS:
            named, every = recognised(homes, reports, seed, (length,))[length]
            shares[length] = named / every
            print(f"{seed:>4}  {length:<6}  {every:>7}  {shares[length]:.2%}", flush=True)
        of_all = sum(shares[length] * often for length, often in LENGTHS)
        print(f"{seed:>4}  all, as long as people record: {of_all:.2%} (asked: at most 1 %)", flush=True)


if __name__ == "__main__":
    main()
