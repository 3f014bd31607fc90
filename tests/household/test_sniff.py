"""What the packets of an interface show, live, with real packets in network namespaces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from captures import ledger
from captures.model import Contact, Exchange, Lookup, Observation
from household.home import Home
from household.lab import ADDRESSES, ROOT, TV_MAC, until
from packets import dns, quic_client

INTERNET = ADDRESSES["internet"][0]

_SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    port, text = line.split()
    s.sendto(bytes.fromhex(text), (sys.argv[1], int(port)))
"""

_ANSWER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[2], 53))
print("serving", flush=True)
while True:
    _, whom = s.recvfrom(4096)
    s.sendto(bytes.fromhex(sys.argv[1]), whom)
"""

_FLOOD = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(60_000):
    s.sendto(bytes(1300), (sys.argv[1], 53))
"""


@contextmanager
def sniffing(home: Home, place: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Listens on the household's side of the router, and ends it as Ctrl-C does."""
    command = (sys.executable, "-m", "analysis", "sniff", "-i", "br-lan", "--ledger", str(place), *arguments)
    process = home.lab.start("router", *command)
    until(lambda: "Ctrl-C ends it" in home.lab.log(process), 60, lambda: home.lab.log(process))
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0, home.lab.log(process)


def seen(place: Path) -> list[Observation]:
    return [observation for _, observation in ledger.read(place)]


def send(home: Home, *datagrams: tuple[int, bytes]) -> None:
    """From the TV to the Internet."""
    lines = "".join(f"{port} {payload.hex()}\n" for port, payload in datagrams)
    home.lab.must("tv", sys.executable, "-c", _SEND, INTERNET, text=lines)


def test_names_questions_and_clear_text_come_from_packets_while_it_runs(home: Home, tmp_path: Path) -> None:
    answer = dns(7, "metrics.plex.tv", answers=[(1, bytes([203, 0, 113, 10]))])
    resolver = home.lab.start("internet", sys.executable, "-c", _ANSWER, answer.hex(), INTERNET)
    web = home.lab.start("internet", sys.executable, "-m", "http.server", "80", "--directory", str(ROOT / "docs"))
    until(lambda: "serving" in home.lab.log(resolver), 30)
    until(lambda: home.lab.run("internet", "curl", "-sS", "http://127.0.0.1/").returncode == 0, 30)
    place, out = tmp_path / "a.ledger", tmp_path / "a.json"
    with sniffing(home, place, "--format", "json", "-o", str(out)):
        assert home.direct("tv", 0)
        assert home.direct("tv", 1)
        send(home, (53, dns(7, "metrics.plex.tv")), *((443, datagram) for datagram in quic_client("quic.example")))
        done = home.lab.must("tv", "curl", "-sS", "-d", "film=Nosferatu", f"http://{INTERNET}/collect?user=anna")
        assert done
        until(lambda: {type(x) for x in seen(place)} == {Contact, Exchange, Lookup}, 30, lambda: seen(place))
        until(lambda: [x.host for x in seen(place)].count("plex.tv") == 2, 30, lambda: seen(place))
    found = seen(place)
    contacts = {(x.host, x.name_source, x.protocol) for x in found if isinstance(x, Contact)}
    assert contacts == {("plex.tv", "sni", "tls"), ("quic.example", "quic", "quic")}
    lookups = [x for x in found if isinstance(x, Lookup) and x.protocol == "dns"]
    assert [(x.host, x.answers, x.left_house) for x in lookups] == [("metrics.plex.tv", ("203.0.113.10",), True)]
    (exchange,) = (x for x in found if isinstance(x, Exchange))
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/collect", 501)
    assert exchange.body.content == b"film=Nosferatu"
    assert {x.device for x in found if x.host != ""} == {TV_MAC}
    report = json.loads(out.read_text("utf-8"))
    assert len(report["calls"]) == len(found)
    assert len({(x.source.index, x.source.part) for x in found}) == len(found)
    for process in (resolver, web):
        os.killpg(process.pid, signal.SIGTERM)


def test_bodies_are_read_at_any_port_at_which_clear_text_was_heard(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "big.txt").write_text("Nosferatu " * 20_000, "utf-8")
    command = (sys.executable, "-m", "http.server", "9123", "--directory", str(folder))
    web = home.lab.start("internet", *command)
    until(lambda: home.lab.run("internet", "curl", "-sS", "http://127.0.0.1:9123/").returncode == 0, 30)
    place = tmp_path / "f.ledger"
    with sniffing(home, place, "--format", "json", "-o", os.devnull):
        for count in (1, 2):
            home.lab.must("tv", "curl", "-sS", f"http://{INTERNET}:9123/big.txt")
            until(lambda count=count: len([x for x in seen(place) if isinstance(x, Exchange)]) == count, 30)
    first, second = (x for x in seen(place) if isinstance(x, Exchange))
    assert first.response_body.content is None
    assert second.response_body.content == b"Nosferatu " * 20_000
    os.killpg(web.pid, signal.SIGTERM)


def test_bytes_are_right_though_most_packets_are_cut_by_the_kernel(home: Home, tmp_path: Path) -> None:
    place = tmp_path / "b.ledger"
    with sniffing(home, place, "--format", "json", "-o", os.devnull) as process:
        url, trust = "https://plex.tv/big", ("--cacert", str(home.authority), "--resolve", f"plex.tv:443:{INTERNET}")
        before = counted(home)
        home.lab.must("tv", "curl", "-sS", "-o", os.devnull, *trust, url)
        through = counted(home) - before
        until(lambda: bool(seen(place)), 30)
        resident = _resident(process.pid)
    (contact,) = (x for x in seen(place) if isinstance(x, Contact))
    assert 300 * 1024 * 1024 < contact.bytes_in < 310 * 1024 * 1024
    # The counter of the interface takes in neighbour discovery and the like.
    assert abs(contact.bytes_in - through) < 0.01 * through
    assert ledger.counters(place)["dropped"] == 0
    assert resident < 250_000_000


def counted(home: Home) -> int:
    """Bytes that the router has sent to the TV."""
    link: list[dict[str, Any]] = json.loads(home.lab.must("router", "ip", "-j", "-s", "link", "show", "dev", "to-tv"))
    return int(link[0]["stats64"]["tx"]["bytes"])


def _resident(pid: int) -> int:
    """Bytes of memory of the process that `ip netns exec` has become."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def test_packets_that_there_was_no_room_for_are_counted_and_reported(home: Home, tmp_path: Path) -> None:
    place, out = tmp_path / "c.ledger", tmp_path / "c.json"
    with sniffing(home, place, "--format", "json", "-o", str(out)) as process:
        os.killpg(process.pid, signal.SIGSTOP)
        home.lab.must("tv", sys.executable, "-c", _FLOOD, INTERNET)
        os.killpg(process.pid, signal.SIGCONT)
    dropped = ledger.counters(place)["dropped"]
    assert dropped > 1000
    assert json.loads(out.read_text("utf-8"))["coverage"]["dropped"] == dropped


def test_sigterm_ends_it_in_order_and_the_report_comes(home: Home, tmp_path: Path) -> None:
    place = tmp_path / "d.ledger"
    command = (sys.executable, "-m", "analysis", "sniff", "-i", "br-lan", "--ledger", str(place))
    process = home.lab.start("router", *command)
    until(lambda: "Ctrl-C ends it" in home.lab.log(process), 60, lambda: home.lab.log(process))
    assert home.direct("tv", 0)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == 0
    assert "plex.tv" in home.lab.log(process).partition("Ctrl-C ends it")[2]


def test_what_stands_in_the_way_is_said_in_one_sentence(home: Home) -> None:
    phonehome = (sys.executable, "-m", "analysis", "sniff", "-i")
    for command, said in (
        ((*phonehome, "eth9"), "eth9: there is no such interface; there are lo, br-lan"),
        (
            ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", *phonehome, "br-lan"),
            "br-lan: listening takes the right CAP_NET_RAW",
        ),
    ):
        done = home.lab.run("router", *command)
        assert (done.returncode, done.stdout) == (3, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_each_packet_of_the_loopback_counts_once(home: Home, tmp_path: Path) -> None:
    place = tmp_path / "e.ledger"
    command = (sys.executable, "-m", "analysis", "sniff", "-i", "lo", "--ledger", str(place))
    process = home.lab.start("internet", *command)
    until(lambda: "Ctrl-C ends it" in home.lab.log(process), 60, lambda: home.lab.log(process))
    home.lab.must("internet", sys.executable, "-c", _SEND, "127.0.0.1", text=f"9999 {bytes(100).hex()}\n" * 3)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    (contact,) = (x for x in seen(place) if isinstance(x, Contact))
    assert (contact.packets_out, contact.bytes_out) == (3, 3 * (14 + 20 + 8 + 100))


def test_nothing_is_changed_or_intercepted_while_it_listens(home: Home, tmp_path: Path) -> None:
    before = home.rules()
    with sniffing(home, tmp_path / "passive.ledger"):
        assert home.rules() == before
        for host in ("tv", "pc"):
            assert home.direct(host, 0)
            assert home.direct(host, 1)
    assert home.rules() == before
    assert not list(home.lab.home.glob("ca/*"))
    assert {contact.host for contact in seen(tmp_path / "passive.ledger") if isinstance(contact, Contact)} >= {
        "plex.tv"
    }
