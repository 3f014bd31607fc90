"""The dashboard over a long ledger, and beside a busy proxy.

    python bench/dashboard.py [ROWS] [SECONDS]

The ledger of ROWS rows and its view are kept in the system's folder for temporary files; the view is made anew when the
packs or the version are others.  First: milliseconds until pages of it have come (median and most of seven, by a client
in a process of its own).  Then: the proxy's CPU per request and the clients' latency at 500 requests a second for
SECONDS, without a dashboard and with one whose first page is open and renews itself; of that its own CPU, and how far
behind it is in the end.  Everything is on loopback.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import structs

if TYPE_CHECKING:
    from captures.model import Exchange

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parent)]

RATE = 500
"""Requests a second."""

FOLDER = Path(tempfile.gettempdir()) / "phonehome-bench"
"""Where ledgers are kept from run to run."""

_SEED = 11
_FIRST = 1_900_000_000.0

PAGES = (
    ("first page", "/"),
    ("all calls", "/calls"),
    ("by device", "/calls?device=tv-3"),
    ("by purpose", "/calls?purpose=usage-statistics"),
    ("rare item", "/calls?item=client.serial"),
    ("verdict", "/calls?verdict=undeclared"),
    ("host", "/calls?host=plex.tv"),
    ("rare host", "/calls?host=rare.example"),
    ("times", "/calls?since=2030-03-18T12:00&until=2030-03-18T20:00"),
    ("half of the time", "/calls?until=2030-03-28T12:00"),
    ("host in a time", "/calls?until=2030-03-20T12:00&host=h7.example"),
    ("common word", "/calls?text=collect"),
    ("rare word", "/calls?text=needle"),
    ("beginning", "/calls?text=colle"),
    ("word and device", "/calls?text=collect&device=tv-3"),
    ("word, rare host", "/calls?text=collect&host=rare.example"),
    ("all at once", "/calls?text=collect+tv&device=tv-3&host=plex.tv&purpose=usage-statistics&item=client.id"),
    ("deep page", "/calls?before={middle}"),
    ("one call", "/call/{middle}"),
)


class Took(NamedTuple):
    """Milliseconds that a page took."""

    median: float
    most: float


def ledger(folder: Path, rows: int) -> Path:
    """A ledger of invented calls, and its view: each kind of call is judged once, and the others are like it.

    What is there from the last run is used again.
    """
    from analysis.evidence import NO_SERVERS
    from analysis.knowledge import load
    from analysis.live import Watcher
    from analysis.web.kinds import row, verdicts_of
    from analysis.web.origin import circumstances
    from analysis.web.store import Store
    from captures import home
    from captures import ledger as ledgers

    path = folder / f"dashboard-{rows}.ledger"
    if path.exists() and ledgers.newest(path) != rows:
        for side in ("", "-wal", "-shm", ".view", ".view-wal", ".view-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
    ready = path.exists()
    if not ready:
        ledgers.create(path)
    knowledge = load(home.packs(), home.cache())
    watcher = Watcher(knowledge)
    kinds = []
    for observation in templates():
        seen = watcher.look(observation)
        kinds.append((observation, row(seen.call, seen.findings, verdicts_of(seen.comparisons).get(seen.call.n, {}))))
    chance = random.Random(_SEED)
    store = Store(
        path.with_name(path.name + ".view"), circumstances(knowledge, NO_SERVERS, None, ledgers.identity(path))
    )
    if ready and store.last == rows:
        store.close()
        return path
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for begin in range(0, rows, 20_000):
            values, shown = [], []
            for n in range(begin, min(begin + 20_000, rows)):
                observation, like = kinds[-1] if n % 50_000 == 7 else kinds[chance.randrange(len(kinds) - 1)]
                when, more = _FIRST + n * 2.0, f"/{n % 9973}" + ("/needle" if n % 100_000 == 9 else "")
                kept = structs.replace(observation, time=when, path=observation.path + more)
                values.append((n, 0, "exchange", when, kept.device, kept.host, msgspec.msgpack.encode(kept)))
                shown.append(
                    (n + 1, replace(like, n=n, time=when, path=like.path + more, words=f"{like.words} {more}"))
                )
            if not ready:
                file.execute("BEGIN")
                file.executemany(ledgers._INSERT, values)
                file.execute("COMMIT")
            store.add(shown)
    store.close()
    return path


def templates() -> list[Exchange]:
    """Calls of which each stands for many; the last one is rare."""
    from ledger_report import exchange  # type: ignore[import-not-found]  # beside this file

    from captures.model import Endpoint, Source

    hosts = ("plex.tv", "analytics.plex.tv", "metadata.provider.plex.tv", *(f"h{n}.example" for n in range(30)))
    made = []
    for n, (device, host) in enumerate((f"tv-{d}", host) for d in range(6) for host in hosts):
        made.append(
            structs.replace(exchange(Source(0, n), _FIRST, Endpoint("192.168.1.20", 4000), host, n), device=device)
        )
    rare = structs.replace(
        made[0], host="rare.example", headers=(*made[0].headers, ("x-device-serial", "SN-MADE-UP-1"))
    )
    return [*made, rare]


def get(port: int, cookie: str, path: str) -> tuple[float, int, str]:
    """One page -> milliseconds, status, text."""
    begin = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        text = answer.read().decode()
    return (time.perf_counter() - begin) * 1e3, answer.status, text


def enter(link: str) -> tuple[int, str]:
    """A link -> port and cookie."""
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/enter\?token=.+)", link)
    if not found:
        raise SystemExit(f"no link: {link}")
    with closing(http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)) as connection:
        connection.request("GET", found[2])
        return int(found[1]), connection.getresponse().headers["Set-Cookie"].partition(";")[0]


def pages(path: Path, rows: int) -> dict[str, Took]:
    """Times of each page of a dashboard in a process of its own."""
    from analysis.web.running import Dashboard

    with Dashboard(path, 0, changes=False) as dashboard:
        while not dashboard.link:
            time.sleep(0.05)
        port, cookie = enter(dashboard.link)
        took = {}
        for name, address in PAGES:
            times = []
            for _ in range(7):
                milliseconds, status, _ = get(port, cookie, address.format(middle=rows // 2))
                if status != 200:
                    raise SystemExit(f"{name}: {status}")
                times.append(milliseconds)
            took[name] = Took(statistics.median(times), max(times))
        return took


def load(port: int, authority: str, seconds: int) -> None:
    """The clients' process: sends at an even rate, and prints requests sent, p50 and p99 in milliseconds."""
    import ssl

    from live import AT_ONCE, BODY, HEADERS, HOST  # type: ignore[import-not-found]  # beside this file

    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    times: list[float] = []

    def work(first: float) -> None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        connection.set_tunnel(HOST, 443)
        connection.connect()
        n = 0
        while (due := first + n * AT_ONCE / RATE) < first + seconds:
            time.sleep(max(0.0, due - time.perf_counter()))
            begin = time.perf_counter()
            connection.request("POST", f"/collect/event?n={n}", body=BODY, headers=HEADERS)
            connection.getresponse().read()
            times.append(time.perf_counter() - begin)
            n += 1
        connection.close()

    start = time.perf_counter() + 1.0
    threads = [threading.Thread(target=work, args=(start + n / RATE,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(times, n=100)
    print(len(times), time.perf_counter() - start, cuts[49] * 1e3, cuts[98] * 1e3)


def renewing(link: str, ending: threading.Event, renewed: list[float]) -> None:
    """An open first page: asks anew after events, as its script does, for a fifth of the time at most."""
    port, cookie = enter(link)
    told = threading.Event()

    def ask() -> None:
        while not ending.is_set():
            if told.wait(0.1):
                told.clear()
                renewed.append(get(port, cookie, "/")[0])
                ending.wait(max(0.5, 4 * renewed[-1] / 1e3))

    threading.Thread(target=ask, daemon=True).start()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/live", headers={"Cookie": cookie})
        stream = connection.getresponse()
        while not ending.is_set():
            if stream.readline().startswith(b"data:"):
                told.set()


def live(folder: Path, port: int, authority: str, seconds: int, *, shown: bool) -> tuple[float, ...]:
    """One run -> the proxy's CPU in ms per request, requests a second, p50, p99, and of the dashboard its CPU in ms per
    request while they were sent, how often its open page was renewed then, how many calls were not yet in its store
    when the last one was recorded, after how many seconds they were, and how many were missing in the end."""
    from live import child, cpu, options

    from analysis.web.running import Dashboard
    from captures import ledger as ledgers

    settings = options(folder, port, authority)
    path = Path(msgspec.json.decode(settings)["options"]["phonehome_ledger"])
    ledgers.create(path)
    renewed: list[float] = []
    ending = threading.Event()
    with child("-m", "addons", line=settings) as (proxy, said):
        with Dashboard(path, 0, changes=False) if shown else nullcontext() as dashboard:
            if dashboard:
                while not dashboard.link:
                    time.sleep(0.05)
                threading.Thread(target=renewing, args=(dashboard.link, ending, renewed), daemon=True).start()
                time.sleep(1.0)
            pids = [proxy.pid, *([dashboard.pid] if dashboard else [])]
            before = [cpu(pid) for pid in pids]
            trust = str(folder / "ca" / "mitmproxy-ca-cert.pem")
            client = [sys.executable, __file__, "load", said.rpartition(":")[2], trust, str(seconds)]
            done = subprocess.run(client, capture_output=True, text=True, check=True)
            count, took, p50, p99 = map(float, done.stdout.split())
            used = [(cpu(pid) - then) / count * 1e3 for pid, then in zip(pids, before, strict=True)]
            times, late = len(renewed), caught_up(path) if dashboard else (0, 0.0, 0)
            ending.set()
        return used[0], count / took, p50, p99, used[1] if dashboard else 0.0, times, *late


def caught_up(path: Path, longest: float = 30.0) -> tuple[int, float, int]:
    """Calls that the ledger holds and the dashboard's store does not, seconds until there are none, calls left then."""
    from analysis.web.store import Store
    from captures import ledger as ledgers

    time.sleep(0.3)  # the recorder gets what is left of the traffic
    begin = time.monotonic()
    with closing(Store(path.with_name(path.name + ".view"))) as store:
        left = behind = ledgers.newest(path) - store.last
        while (left or time.monotonic() - begin < 1.0) and time.monotonic() - begin < longest:
            time.sleep(0.05)
            seen = ledgers.newest(path) - store.last
            after = time.monotonic() - begin if left and not seen else 0.0
            left = seen
            if after:
                return behind, after, left
    return behind, longest if left else 0.0, left


def main() -> None:
    """Runs both and prints their tables."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    from live import child

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["PHONEHOME_HOME"] = str(folder / "home")
        FOLDER.mkdir(exist_ok=True)
        begin = time.process_time()
        path = ledger(FOLDER, rows)
        print(f"{path}: made in {time.process_time() - begin:.0f} s of processor time")
        print(
            f"a ledger of {rows:,} rows ({path.stat().st_size / 1e6:.0f} MB, its view "
            f"{path.with_name(path.name + '.view').stat().st_size / 1e6:.0f} MB); milliseconds, seven times each"
        )
        print(f"{'':18}{'median':>9}{'most':>9}")
        for name, took in pages(path, rows).items():
            print(f"{name:18}{took.median:>9.0f}{took.most:>9.0f}")
        if not seconds:
            return
        live_folder = folder / "live"
        live_folder.mkdir()
        with child(str(Path(__file__).with_name("live.py")), "serve", str(live_folder)) as (_, said):
            port, authority = int(said.split()[0]), said.split()[1]
            print(f"{RATE} requests a second for {seconds} s through the proxy")
            print(
                f"{'':18}{'CPU ms/req':>11}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'its ms/req':>11}{'renewed':>9}"
                f"{'behind':>8}{'for s':>7}{'missing':>9}"
            )
            found: dict[bool, list[tuple[float, ...]]] = {}
            for shown in (False, True, True, False):
                found.setdefault(shown, []).append(live(live_folder, port, authority, seconds, shown=shown))
            for shown, runs in found.items():
                row = [statistics.mean(column) for column in zip(*runs, strict=True)]
                name = "with dashboard" if shown else "without"
                print(
                    f"{name:18}{row[0]:>11.3f}{row[1]:>8.0f}{row[2]:>8.2f}{row[3]:>8.2f}{row[4]:>11.3f}{row[5]:>9.0f}"
                    f"{row[6]:>8.0f}{row[7]:>7.1f}{row[8]:>9.0f}"
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main()
