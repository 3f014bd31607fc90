"""The report of a ledger of a million rows: seconds and memory, with its index and while that is built.

python bench/ledger_report.py [ROWS]

Each report is made by a process of its own (`phonehome inspect LEDGER`), as for a user.  Memory is the most that was
resident.  The ledger is kept in the system's folder for temporary files; its index is made anew in each run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from captures.ledger import Writer, newest
from captures.model import Body, Contact, Endpoint, Exchange, Lookup, Observation, Source

ROOT = Path(__file__).parents[1]
FOLDER = Path(tempfile.gettempdir()) / "phonehome-bench"
"""Where the ledger is kept from run to run."""

_SEED = 7
_HOSTS = ("plex.tv", "analytics.plex.tv", "metadata.provider.plex.tv", "app.plex.tv")
_FIRST = 1_900_000_000.0


def observations(rows: int) -> Iterator[Observation]:
    """Invented traffic of a household over weeks: half exchanges, half connections and questions."""
    chance = random.Random(_SEED)
    for number in range(rows):
        source, now = Source(0, number), _FIRST + number * 2.0
        client = Endpoint("192.168.1.20", 40_000 + number % 20_000)
        host = chance.choice(_HOSTS)
        kind = number % 4
        if kind == 3:
            yield Lookup(
                source,
                now,
                "tv",
                client,
                Endpoint("192.168.1.1", 53),
                "dns",
                host,
                "A",
                ("198.51.100.7",),
                "NOERROR",
                False,
            )
        elif kind == 2:
            yield Contact(
                source, now, now + 1, "tv", client, Endpoint("198.51.100.7", 443), host, "sni", "tls",
                chance.randrange(500, 5000), chance.randrange(500, 50_000), 9, 12, "is encrypted",
            )  # fmt: skip
        else:
            yield exchange(source, now, client, host, number)


def exchange(source: Source, now: float, client: Endpoint, host: str, number: int) -> Exchange:
    """One request."""
    headers = (("host", host), ("x-plex-client-identifier", f"made-up-{number % 5}"), ("x-plex-product", "Plex Web"))
    body = b'{"event": "client:view", "properties": {"page": "page %d"}}' % (number % 100)
    return Exchange(
        source, now, now + 0.1, "tv", client, host, Endpoint("198.51.100.7", 443), "POST", "https", host, 443,
        "/collect/event", (("n", str(number % 50)),), headers, (), Body(body, len(body)), 200,
        (("content-type", "application/json"),), Body(b"{}", 2), "HTTP/2.0", 300, 60,
    )  # fmt: skip


def write(path: Path, rows: int) -> None:
    """Makes the ledger."""
    writer = Writer(path, None)
    for count, observation in enumerate(observations(rows), 1):
        writer.put(observation)
        if not count % 5000:
            writer.flush(60)
    writer.close(60)


REPORTS = (
    ("building the index", ("inspect",)),
    ("with the index", ("inspect",)),
    ("with the index, again", ("inspect",)),
    ("as a page", ("inspect", "--format", "html")),
    ("to be posted", ("share",)),
    ("one day of it", ("inspect", "--since", "2030-03-20", "--until", "2030-03-20")),
)


def report(path: Path, home: Path, command: Sequence[str]) -> tuple[float, float, int]:
    """One report -> seconds that passed, of processor time, bytes of memory at most."""
    begin = time.perf_counter()
    # As installed: compiled once.  Otherwise each start compiles all modules.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PHONEHOME_HOME": str(home), "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis", *command, str(path)], stdout=subprocess.DEVNULL, cwd=ROOT, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the report failed with status {process.returncode}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> None:
    """Prints one table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"report-{rows}.ledger"
    if not path.exists() or newest(path) != rows:
        for side in ("", "-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        write(path, rows)
    path.with_name(path.name + ".index").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        print(f"{rows} rows, ledger of {path.stat().st_size / 1e6:.0f} MB")
        print(f"{'':<24}{'wall s':>9}{'CPU s':>9}{'memory MB':>12}")
        for name, command in REPORTS:
            wall, cpu, memory = report(path, home, command)
            print(f"{name:<24}{wall:>9.1f}{cpu:>9.1f}{memory / 1e6:>12.0f}", flush=True)


if __name__ == "__main__":
    main()
