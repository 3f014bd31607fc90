"""What a large own library costs: reading it from a local server, and searching 200,000 names in small requests.

python bench/library.py [ITEMS [NAMES [REQUESTS]]]

The test server runs in a process of its own, on the same machine.  Memory is the whole process's, at its highest.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench")]

SECONDS, IMPORT_MB = 60.0, 300
"""Bounds of reading 50,000 items."""

RATE, SEARCH_MB = 5_000, 600
"""Bounds of searching: requests a second, megabytes."""

_READ = """
import os, resource, sys, time
from analysis import importers, known
from media_servers import TOKEN
os.environ["PHONEHOME_HOME"] = sys.argv[2]
access = importers.Access(token=TOKEN)
begin = time.perf_counter()
name = importers.importer_of(sys.argv[1], access)
kept = known.keep(name, sys.argv[1], importers.IMPORTERS[name].read(sys.argv[1], access, lambda count: None))
print(kept.works, time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""

_SEARCH = """
import random, resource, sys, time
from analysis.decode import decode
from analysis.known import OwnValues, search
from analysis.known.library import LibraryName
import library as here
from known import a_second, own_values, requests
begin = time.perf_counter()
own = OwnValues([v for v in own_values() if v.kind not in ("title", "file")], None, here.names(int(sys.argv[1])))
ready = time.perf_counter() - begin
calls = [(exchange, decode(exchange).leaves) for exchange in requests(int(sys.argv[2]))]
first = time.perf_counter()
for exchange, leaves in calls:
    search(exchange, leaves, own)
first = time.perf_counter() - first
rate = a_second(lambda exchange, leaves: search(exchange, leaves, own), calls)
print(ready, first, rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def names(count: int) -> list[object]:
    """Made-up titles and file names, half of each."""
    from analysis.known.library import LibraryName

    rnd = random.Random(3)
    words = [
        "".join(rnd.choice("bdfgklmnprstvz") + rnd.choice("aeiou") for _ in range(rnd.randrange(2, 4)))
        for _ in range(4000)
    ]
    found: list[object] = []
    for number in range(count // 2):
        title = " ".join(rnd.choices(words, k=rnd.randrange(2, 5))).title()
        year = rnd.randrange(1930, 2026)
        found.append(LibraryName("title", title, number, year, 5400.0))
        found.append(LibraryName("file", f"{title.replace(' ', '.')}.{year}.1080p.mkv", number, year, 5400.0))
    return found


def _child(code: str, *arguments: str) -> list[float]:
    paths = f"import sys; sys.path[:0] = {sys.path[:3]!r}\n"
    out = subprocess.run([sys.executable, "-c", paths + code, *arguments], check=True, capture_output=True, text=True)
    return [float(part) for part in out.stdout.split()]


def main() -> int:
    """Prints the figures; 1 when one is beyond its bound."""
    items, count, small = (int(given) for given in (*sys.argv[1:4], *("50000", "200000", "2000")[len(sys.argv) - 1 :]))
    good = True
    for kind in ("plex", "jellyfin"):
        command = [sys.executable, str(ROOT / "tests" / "media_servers.py"), kind, str(items)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
            tempfile.TemporaryDirectory() as home,
        ):
            try:
                address = server.stdout.readline().strip() if server.stdout else ""
                works, seconds, size = _child(_READ, address, home)
            finally:
                server.terminate()
        bounds = f"bounds {SECONDS:.0f} s, {IMPORT_MB} MB"
        print(f"import, {kind}: {works:,.0f} items in {seconds:.1f} s, {size:.0f} MB; {bounds}")
        good = good and seconds < SECONDS and size <= IMPORT_MB
    ready, first, rate, size = _child(_SEARCH, str(count), str(small))
    print(f"search: {count:,} names ready after {ready:.1f} s; first pass {first:.1f} s with the tables of hashes")
    print(f"search: {rate:,.0f} requests a second, {size:.0f} MB; bounds {RATE:,}, {SEARCH_MB} MB")
    return int(not (good and rate >= RATE and size <= SEARCH_MB))


if __name__ == "__main__":
    begin = time.perf_counter()
    status = main()
    print(f"{time.perf_counter() - begin:.0f} s in all")
    sys.exit(status)
