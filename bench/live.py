"""What our addons cost in the proxy: CPU time per request, throughput and p99, beside a proxy with an empty addon.

    python bench/live.py [REQUESTS] [RUNS]

HTTP/1.1 over sixteen connections, then HTTP/2 with sixteen requests under way on one; interleaved runs, medians.  Then
memory while three large files are downloaded at once, and how soon the first event of an event stream arrives.
Everything is on loopback; server, client and proxy are processes of their own.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

HOST = "plex.tv"
AT_ONCE = 16
PATH = "/api/v2/ping?x=1"
ANSWER = b'{"ok": true, "items": [1, 2, 3]}'
BODY = json.dumps({"event": "client:view", "properties": {"page": "home", "n": "x" * 400}}).encode()


def serve(folder: Path) -> None:
    """The server's process: prints its port, answers small requests, files and event streams."""
    import http2
    from fake_cloud import Cloud, answer, read_request

    def handler(connection: ssl.SSLSocket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if connection.selected_alpn_protocol() == "h2":
            http2.serve(connection, ANSWER)
            return
        while request := read_request(connection):
            path = request.split(b" ", 2)[1]
            if path.startswith(b"/film"):
                size = 300 * 1024 * 1024
                head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {size}\r\n\r\n"
                connection.sendall(head.encode())
                block = bytes(1 << 20)
                for _ in range(300):
                    connection.sendall(block)
            elif path.startswith(b"/events"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
                time.sleep(3)
                return
            else:
                connection.sendall(answer(ANSWER))

    cloud = Cloud(folder, (HOST,), handler, protocols=("h2", "http/1.1"))
    print(cloud.port, cloud.authority, flush=True)
    sys.stdin.read()


def empty() -> None:
    """A proxy with an addon that does nothing, otherwise set up like ours."""
    from mitmproxy import options
    from mitmproxy.tools.dump import DumpMaster

    from addons.__main__ import ALWAYS, Announce
    from addons.reroute import Reroute

    class Empty:
        def running(self) -> None:
            """What our process does for itself, so that the addons alone differ."""
            gc.collect()
            gc.freeze()

        def request(self, flow: object) -> None:
            """Nothing."""

        def response(self, flow: object) -> None:
            """Nothing."""

    async def run() -> None:
        wanted = {**ALWAYS, **json.loads(sys.stdin.readline())["options"]}
        master = DumpMaster(options.Options(), with_termlog=False, with_dumper=False)
        master.addons.add(Empty(), Reroute(), Announce())
        ours = {name for name in wanted if name.startswith("phonehome_") and name != "phonehome_reroute"}
        master.options.update(**{name: value for name, value in wanted.items() if name not in ours | {"set"}})
        loop = asyncio.get_running_loop()

        def watch_parent() -> None:
            sys.stdin.read()
            loop.call_soon_threadsafe(master.shutdown)

        threading.Thread(target=watch_parent, daemon=True).start()
        await master.run()

    sys.setswitchinterval(0.001)
    asyncio.run(run())


def load(port: int, authority: str, protocol: str, requests: int) -> None:
    """The client's process: prints seconds in all, and each request's latency in milliseconds at p50 and p99."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    times: list[float] = []

    def connect() -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        connection.set_tunnel(HOST, 443)
        return connection

    def work(count: int) -> None:
        connection = connect()
        for _ in range(count):
            begin = time.perf_counter()
            connection.request("POST", PATH, body=BODY, headers=HEADERS)
            connection.getresponse().read()
            times.append(time.perf_counter() - begin)
        connection.close()

    begin = time.perf_counter()
    if protocol == "h2":
        import http2

        context.set_alpn_protocols(["h2"])
        connection = connect()
        connection.connect()
        times += http2.ask(connection.sock, requests, AT_ONCE, HOST, PATH, HEADERS, BODY)
        connection.close()
    else:
        threads = [threading.Thread(target=work, args=(requests // AT_ONCE,)) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    cuts = statistics.quantiles(times, n=100)
    print(time.perf_counter() - begin, cuts[49] * 1e3, cuts[98] * 1e3)


HEADERS = {
    "User-Agent": "PlexMediaServer/1.41.0.0",
    "X-Plex-Product": "Plex Media Server",
    "X-Plex-Token": "madeUpMadeUpMadeUp12",
    "X-Plex-Client-Identifier": "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
    "Content-Type": "application/json",
}


@contextmanager
def child(*arguments: str, line: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of ours and the first line that it says; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if not line else subprocess.DEVNULL,
        stderr=subprocess.PIPE if line else None,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    if line and process.stdin:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    said = (process.stderr if line else process.stdout).readline()  # type: ignore[union-attr]  # both are pipes
    try:
        yield process, said.strip()
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(timeout=30)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, without those that it started."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def started(pid: int) -> float:
    """Seconds of CPU that the processes have used that a process started."""
    children = [Path(task / "children").read_text("ascii") for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(cpu(int(child)) for text in children for child in text.split())


def options(folder: Path, port: int, authority: str) -> str:
    """Settings of both proxies."""
    wanted = {
        "listen_host": "127.0.0.1",
        "listen_port": 0,
        "confdir": str(folder / "ca"),
        "ssl_verify_upstream_trusted_ca": authority,
        "phonehome_reroute": json.dumps({HOST: ["127.0.0.1", port]}),
        "phonehome_ledger": str(folder / f"{time.time()}.ledger"),
    }
    return json.dumps({"options": wanted})


def measure(
    arguments: tuple[str, ...], folder: Path, port: int, authority: str, protocol: str, requests: int
) -> tuple[float, ...]:
    """One run -> milliseconds of the proxy's CPU per request, requests per second, p50 and p99 in milliseconds, and
    milliseconds of CPU per request of the process that keeps the ledger."""
    with child(*arguments, line=options(folder, port, authority)) as (proxy, said):
        listening = said.rpartition(":")[2]
        trust = str(folder / "ca" / "mitmproxy-ca-cert.pem")
        client = [sys.executable, __file__, "load", listening, trust, protocol]
        subprocess.run([*client, str(AT_ONCE * 10)], capture_output=True, check=True)
        before, helpers = cpu(proxy.pid), started(proxy.pid)
        done = subprocess.run([*client, str(requests)], capture_output=True, text=True, check=True)
        time.sleep(1.0)
        seconds, p50, p99 = map(float, done.stdout.split())
        ours, theirs = cpu(proxy.pid) - before, started(proxy.pid) - helpers
        return ours / requests * 1e3, requests / seconds, p50, p99, theirs / requests * 1e3


def memory_and_events(folder: Path, port: int, authority: str) -> tuple[float, float, float]:
    """Megabytes at rest, the most during three downloads of 300 MB, and seconds until the first event."""
    from fake_cloud import resident

    with child("-m", "addons", line=options(folder, port, authority)) as (proxy, said):
        address = ("127.0.0.1", int(said.rpartition(":")[2]))
        context = ssl.create_default_context(cafile=str(folder / "ca" / "mitmproxy-ca-cert.pem"))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT

        def get(path: str, first: bool = False) -> float:
            connection = http.client.HTTPSConnection(*address, context=context, timeout=120)
            connection.set_tunnel(HOST, 443)
            connection.connect()
            begin = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            if first:
                response.fp.readline()
            took = time.perf_counter() - begin
            while not first and response.read(1 << 20):
                pass
            connection.close()
            return took

        rest = resident(proxy.pid)
        threads = [threading.Thread(target=get, args=(f"/film/{n}",)) for n in range(3)]
        most = rest
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, resident(proxy.pid))
            time.sleep(0.02)
        return rest / 1e6, most / 1e6, get("/events", first=True)


def compared(protocol: str, folder: Path, port: int, authority: str, requests: int, runs: int) -> None:
    """Prints one table: both proxies and their ratio."""
    ways = {"empty addon": (__file__, "empty"), "phonehome": ("-m", "addons")}
    results: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    for run in range(runs):
        # Whichever is first in a pair, a machine that grows slower would favour it.
        for name, arguments in list(ways.items())[:: -1 if run % 2 else 1]:
            results[name].append(measure(arguments, folder, port, authority, protocol, requests))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in results.items()
    }
    print(f"{protocol}: {requests} requests, {AT_ONCE} at once, median of {runs} interleaved runs")
    print(f"{'':14}{'CPU ms/request':>16}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'recorder ms':>13}")
    for name, row in medians.items():
        print(f"{name:14}{row[0]:>16.3f}{row[1]:>12.0f}{row[2]:>9.2f}{row[3]:>9.2f}{row[4]:>13.3f}")
    ratios = [ours / theirs for ours, theirs in zip(medians["phonehome"][:4], medians["empty addon"], strict=False)]
    print(f"{'ratio':14}{ratios[0]:>16.3f}{ratios[1]:>12.3f}{ratios[2]:>9.3f}{ratios[3]:>9.3f}", flush=True)


def main() -> None:
    """Runs everything and prints the tables."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as temporary, child(__file__, "serve", temporary) as (_, said):
        folder = Path(temporary)
        os.environ["PHONEHOME_HOME"] = str(folder / "home")
        port, authority = int(said.split()[0]), said.split()[1]
        for protocol in ("h1", "h2"):
            compared(protocol, folder, port, authority, requests, runs)
        rest, most, event = memory_and_events(folder, port, authority)
        print(f"three downloads of 300 MB at once: {rest:.0f} MB at rest, {most:.0f} MB at most")
        print(f"first event of a stream after {event * 1e3:.1f} ms")


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["serve"]:
            serve(Path(sys.argv[2]))
        case ["empty"]:
            empty()
        case ["load"]:
            load(int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
        case _:
            main()
