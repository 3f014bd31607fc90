"""Reading packets: all names, bytes per conversation and DNS, beside tshark, ndpiReader, nfstream, scapy, dpkt.

    python bench/packets.py [--packets N] [--runs N] [--repeat N] [--only NAME...]

The file is a made-up household (seeded), kept in the system's folder for temporary files: 200,000 packets (0.2 GB),
with `--packets 1000000` 1.1 GB.  All programs read the same file in the same run, each in a process of its own, after
all of it was read once; medians.  `--repeat 10` also reads it ten times over as one file.  scapy and dpkt read a part,
and the figure is for the whole.  "processor" is the time of all cores; it is what tells on a machine that does other
things, too.  "anonymous" is the highest RssAnon of the process and its children: mapped pages belong to the kernel.
Python may keep what it compiles, as it does where a program is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib.util
import os
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from packets import ROUTER, ROUTER_MAC, TV_MAC, connection, dns, ethernet, hello, quic_client, record, tcp, udp

SEED = 20261126
FOLDER = Path(tempfile.gettempdir()) / "phonehome-bench"
"""Where the files are kept from run to run."""
AT_ONCE = 60
"""Conversations that run at the same time."""


def conversation(chance: random.Random, number: int, pool: bytes) -> Iterator[bytes]:
    """One conversation of a household, packet by packet, with the DNS question before it."""
    client = (f"192.168.1.{20 + number % 12}", 20_000 + number % 40_000)
    address = f"198.{18 + number // 65_025 % 2}.{number // 255 % 255}.{number % 255}"
    name = f"h{number % 997}.service{number % 83}.example"
    asked = (client[0], 1024 + chance.randrange(60_000))
    yield ethernet(udp(asked, (ROUTER, 53), dns(number & 0xFFFF, name)), TV_MAC)
    given = bytes(int(part) for part in address.split("."))
    yield ethernet(udp((ROUTER, 53), asked, dns(number & 0xFFFF, name, answers=[(1, given)])), ROUTER_MAC, TV_MAC)
    kind = chance.choices(("tls", "quic", "http", "other"), (60, 20, 8, 12))[0]
    server = (address, {"http": 80, "other": 9000}.get(kind, 443))
    said = beginning(chance, kind, name)
    if kind == "quic":
        said = quic_client(name, seed=number)
        yield from (ethernet(udp(client, server, datagram), TV_MAC) for datagram in said)
    else:
        yield from (ethernet(packet, TV_MAC) for packet in connection(client, server, said, ANSWER[kind]))
    there = header(server, client, kind, 501 + sum(map(len, ANSWER[kind])))
    back = header(client, server, kind, 101 + sum(map(len, said)))
    for _ in range(chance.randrange(20, 450)):
        at, size = chance.randrange(len(pool) - 1400), 1400 if chance.random() < 0.9 else chance.randrange(60, 1400)
        yield there(pool[at : at + size])
        if chance.random() < 0.25:
            yield back(pool[at : at + 40] if kind == "quic" else b"")


ANSWER = {
    "tls": [record(b"\2" + bytes(120)) + record(bytes(1200), 23)],
    "http": [b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 99999999\r\n\r\n"],
    "quic": [],
    "other": [],
}
"""What the server says first."""


def beginning(chance: random.Random, kind: str, name: str) -> list[bytes]:
    """What the client says first, in segments."""
    if kind == "http":
        return [b"GET /v1/%d HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n" % (chance.randrange(9999), name.encode())]
    if kind == "other":
        return [bytes(64)]
    # A third has keys that resist quantum computers, and needs two segments.
    extra = struct.pack("!HH", 51, 1200) + bytes(1200) if chance.random() < 0.33 else b""
    whole = record(hello(name, extra))
    return [whole[:1400], whole[1400:]] if len(whole) > 1400 else [whole]


def header(source: tuple[str, int], destination: tuple[str, int], kind: str, due: int) -> Callable[[bytes], bytes]:
    """A function payload -> frame, quick enough for a million packets; `due` is TCP's next number."""
    datagrams = kind == "quic"
    empty = ethernet(udp(source, destination, b"") if datagrams else tcp(source, destination, b"", flags=0x10))
    state = [due]

    def frame(payload: bytes) -> bytes:
        packet = bytearray(empty)
        packet[16:18] = struct.pack("!H", len(empty) - 14 + len(payload))
        if datagrams:
            packet[38:40] = struct.pack("!H", 8 + len(payload))
            return bytes(packet) + b"\x40" + payload[1:]
        packet[38:42] = struct.pack("!I", state[0] & 0xFFFFFFFF)
        state[0] += len(payload)
        return bytes(packet) + payload

    return frame


def household(path: Path, packets: int) -> None:
    """Writes the file: a pcap of so many packets, about 1 kB each."""
    chance = random.Random(SEED)
    pool = chance.randbytes(1 << 20)
    running: list[Iterator[bytes]] = []
    started = written = 0
    with path.with_suffix(".part").open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        while written < packets:
            while len(running) < AT_ONCE:
                running.append(conversation(chance, started, pool))
                started += 1
            place = chance.randrange(AT_ONCE)
            frame = next(running[place], None)
            if frame is None:
                del running[place]
                continue
            seconds, fraction = divmod(written * 3600, 1_000_000)
            file.write(struct.pack("<IIII", 1_700_000_000 + seconds, fraction, len(frame), len(frame)) + frame)
            written += 1
    path.with_suffix(".part").rename(path)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    seconds: float
    processor: float
    """Seconds of all cores."""
    anonymous: int
    """Highest anonymous memory of the process and its children, bytes."""
    output: str
    """What it printed last."""


def run(command: list[str], source: Path | None = None) -> Measured:
    """Runs a program to its end, its standard input from a file; what it prints is read and thrown away."""
    environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(FOLDER / "compiled"))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with contextlib.ExitStack() as stack:
        stdin = stack.enter_context(source.open("rb")) if source else subprocess.DEVNULL
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        highest = [0]
        watcher = threading.Thread(target=watch, args=(process, highest), daemon=True)
        watcher.start()
        last = b""
        while process.stdout and (block := process.stdout.read(1 << 20)):
            last = (last + block)[-200:]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, highest[0], last.decode("utf-8", "replace").strip())


def watch(process: subprocess.Popen[bytes], highest: list[int]) -> None:
    """Keeps the highest sum of RssAnon over a process and its children."""
    while process.returncode is None:
        highest[0] = max(highest[0], sum(anonymous(each) for each in family(process.pid)))
        time.sleep(0.02)


def family(parent: int) -> list[int]:
    """A process and its children's children."""
    found = [parent]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            found.extend(family(int(child)))
    return found


def anonymous(process: int) -> int:
    """Its anonymous memory in bytes; 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


OURS = """
import os, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[3] == "1":
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
from captures.formats import read
from captures.model import Contact, Lookup
hosts, total, lookups = set(), 0, 0
for seen in read(sys.argv[2]).observations():
    hosts.add(getattr(seen, "host", ""))
    lookups += isinstance(seen, Lookup)
    total += getattr(seen, "bytes_out", 0) + getattr(seen, "bytes_in", 0)
print(len(hosts), "hosts,", lookups, "questions,", total, "bytes")
"""

SCAPY = """
import sys, collections
from scapy.utils import PcapReader
from scapy.layers.l2 import Ether
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.dns import DNSQR
from scapy.layers.tls.handshake import TLSClientHello
from scapy.layers.tls.record import TLS
sizes, names = collections.Counter(), set()
for number, packet in enumerate(PcapReader(sys.argv[1])):
    if number == int(sys.argv[2]):
        break
    layer = packet.getlayer(TCP) or packet.getlayer(UDP)
    if layer:
        sizes[packet[IP].src, layer.sport, packet[IP].dst, layer.dport] += len(packet)
    if packet.haslayer(DNSQR):
        names.add(packet[DNSQR].qname)
    if packet.haslayer(TLSClientHello):
        names.add(bytes(packet[TLSClientHello])[:1])
print(len(sizes), "conversations one way,", len(names), "names")
"""

DPKT = """
import sys, collections, dpkt
sizes, names = collections.Counter(), set()
for number, (when, raw) in enumerate(dpkt.pcap.Reader(open(sys.argv[1], "rb"))):
    if number == int(sys.argv[2]):
        break
    packet = dpkt.ethernet.Ethernet(raw).data
    if not isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)) or not hasattr(packet.data, "sport"):
        continue
    layer = packet.data
    sizes[packet.src, layer.sport, packet.dst, layer.dport] += len(raw)
    try:
        if 53 in (layer.sport, layer.dport):
            names.update(question.name for question in dpkt.dns.DNS(layer.data).qd)
        elif layer.data[:1] == b"\\x16":
            for record in dpkt.ssl.tls_multi_factory(layer.data)[0]:
                names.add(str(dpkt.ssl.TLSHandshake(record.data).data.extensions)[:99])
    except (dpkt.UnpackError, dpkt.ssl.SSL3Exception, AttributeError, IndexError):
        pass
print(len(sizes), "conversations one way,", len(names), "names")
"""

NFSTREAM = """
import sys
from nfstream import NFStreamer
flows = [(f.requested_server_name, f.bidirectional_bytes) for f in NFStreamer(source=sys.argv[1])]
print(len(flows), "flows,", len({name for name, _ in flows}), "names")
"""

FIELDS = "frame.time_epoch frame.len ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport "
FIELDS += "dns.qry.name dns.a tls.handshake.extensions_server_name http.host"


def peers(path: Path, count: int) -> dict[str, tuple[list[str], float]]:
    """Peers that are installed: name -> (command, by how much its time is multiplied because it reads a part)."""
    fields = [option for name in FIELDS.split() for option in ("-e", name)]
    found: dict[str, tuple[list[str], float]] = {}
    if tshark := shutil.which("tshark"):
        read = [tshark, "-n", "-r", str(path), "-T", "fields"]
        found["tshark"] = ([*read, *fields], 1)
        # Nothing but what is needed, no reassembly of what is no handshake, no second look at addresses.
        only = "--disable-protocol ALL --enable-protocol eth --enable-protocol ip --enable-protocol tcp "
        only += "--enable-protocol udp --enable-protocol dns --enable-protocol tls --enable-protocol quic "
        only += "--enable-protocol http --enable-protocol frame -o tcp.check_checksum:FALSE "
        only += (
            "-o tcp.analyze_sequence_numbers:FALSE -o tcp.calculate_timestamps:FALSE -o tls.desegment_ssl_records:TRUE"
        )
        found["tshark, tuned"] = ([*read, *only.split(), *fields], 1)
    if reader := shutil.which("ndpiReader"):
        found["ndpiReader"] = ([reader, "-i", str(path), "-v", "2", "-q"], 1)
    part = min(20_000, count)
    for name, script in (("scapy", SCAPY), ("dpkt", DPKT)):
        if installed(name):
            found[name] = ([sys.executable, "-c", script, str(path), str(part)], count / part)
    if installed("nfstream"):
        found["nfstream"] = ([sys.executable, "-c", NFSTREAM, str(path)], 1)
    return found


def ours(path: Path, cores: str = "") -> list[str]:
    """Command that reads a file with `captures`, on one core or on all."""
    return [sys.executable, "-c", OURS, str(Path(__file__).parents[1]), str(path), cores]


def compressed(path: Path) -> list[tuple[str, Path]]:
    """The same file as .gz and .zst."""
    import zstandard

    packed = path.with_suffix(".pcap.gz"), path.with_suffix(".pcap.zst")
    if not packed[0].exists():
        with path.open("rb") as plain, gzip.open(packed[0], "wb", compresslevel=1) as file:
            shutil.copyfileobj(plain, file, 1 << 20)
    if not packed[1].exists():
        with path.open("rb") as plain, packed[1].open("wb") as file:
            zstandard.ZstdCompressor(level=1).copy_stream(plain, file)
    return [("phonehome, .gz", packed[0]), ("phonehome, .zst", packed[1])]


def repeated(path: Path, times: int) -> Path:
    """The records of a file several times over."""
    result = path.with_suffix(f".{times}.pcap")
    if not result.exists():
        with result.open("wb") as file:
            for number in range(times):
                with path.open("rb") as plain:
                    plain.seek(24 if number else 0)
                    shutil.copyfileobj(plain, file, 1 << 24)
    return result


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=0, help="read it so many times over, too")
    parser.add_argument("--only", nargs="*", help="rows to measure, by how they begin")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"household-{options.packets}-{SEED}.pcap"
    if not path.exists():
        household(path, options.packets)
    size = path.stat().st_size
    work: dict[str, tuple[list[str], float, Path | None]] = {"phonehome": (ours(path), 1, None)}
    if hasattr(os, "sched_setaffinity"):
        work["phonehome, one core"] = (ours(path, "1"), 1, None)
    wanted = tuple(options.only or ("",))
    if any(name.startswith(wanted) for name in ("phonehome, .gz", "phonehome, .zst")):
        work |= {name: (ours(packed), 1, None) for name, packed in compressed(path)}
    work["phonehome, standard input"] = (ours(Path("-")), 1, path)
    if options.repeat:
        work[f"phonehome, {options.repeat} times over"] = (ours(repeated(path, options.repeat)), 1, None)
    work |= {name: (command, factor, None) for name, (command, factor) in peers(path, options.packets).items()}
    work = {name: value for name, value in work.items() if name.startswith(wanted)}
    runs: dict[str, list[Measured]] = {name: [] for name in work}
    # Once before the clock runs: the file comes into memory, and Python compiles.
    run(ours(path))
    for number in range(options.runs):
        for name, (command, _, source) in work.items():
            # Once is enough for those that take minutes.
            if number == 0 or runs[name][0].seconds < 60:
                runs[name].append(run(command, source))
    table(runs, {name: factor for name, (_, factor, _) in work.items()}, size, options.packets)


def table(runs: dict[str, list[Measured]], factors: dict[str, float], size: int, packets: int) -> None:
    """Prints the medians."""
    base = statistics.median(run.seconds for run in runs["phonehome"]) if "phonehome" in runs else 1.0
    print(f"{packets:,} packets, {size / 1e9:.2f} GB; ratios to phonehome")
    for name, results in runs.items():
        seconds = statistics.median(result.seconds for result in results) * factors[name]
        processor = statistics.median(result.processor for result in results) * factors[name]
        memory = max(result.anonymous for result in results) / 1e6
        note = "" if factors[name] == 1 else ", from a part"
        print(
            f"{name:28} {seconds:8.2f} s {seconds / base:8.2f} x {processor:8.2f} s processor "
            f"{memory:6.0f} MB anonymous  "
            f"({len(results)} runs{note}) {results[-1].output.splitlines()[-1] if name.startswith('phone') else ''}"
        )
    for name in ("tshark", "ndpiReader", "scapy", "dpkt", "nfstream"):
        if name not in runs:
            print(f"{name:28} not measured: not installed, or not asked for")
    for command in (["tshark", "--version"], ["ndpiReader", "-h"]):
        if shutil.which(command[0]):
            shown = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace").stdout
            print(next((line for line in shown.splitlines() if re.search(r"\d+\.\d+", line)), command[0]))
    python = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scapy", "dpkt", "nfstream") if installed(name))
    print(f"Python {sys.version.split()[0]}, {python}; {os.cpu_count()} cores")


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


if __name__ == "__main__":
    main()
