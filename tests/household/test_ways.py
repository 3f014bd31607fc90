"""WireGuard, one program by its name, and before a media server; with real programs in network namespaces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from captures import ledger
from captures.model import Exchange
from household.home import Home
from household.lab import ADDRESSES, ROOT, until
from household.tunnel import needs_wireguard, tunnel

HTTP3 = str(ROOT / "tests/household/http3.py")


@contextmanager
def watching(home: Home, *arguments: str, host: str = "router") -> Iterator[subprocess.Popen[bytes]]:
    watch = home.lab.watch("--upstream-ca", str(home.authority), *arguments, host=host)
    try:
        yield watch
    finally:
        home.lab.end(watch, 30)


@pytest.fixture(scope="module")
def http3(home: Home) -> None:
    for address in ADDRESSES["internet"]:
        server = home.lab.start(
            "internet", sys.executable, HTTP3, "serve", f"{home.lab.folder}/demo-cloud.pem", address
        )
        until(lambda server=server: "serving" in home.lab.log(server), 30, lambda server=server: home.lab.log(server))


@needs_wireguard
@pytest.mark.usefixtures("http3")
def test_all_of_a_phone_with_wireguard_is_watched_also_http3(home: Home) -> None:
    lab = home.lab
    with watching(home, "--mode", "wireguard") as watch, tunnel(home):
        for family, address in enumerate(ADDRESSES["internet"]):
            assert home.watched("tv", family)
            got = lab.must("tv", sys.executable, HTTP3, "get", str(home.proxy_authority), address, f"/over-{family}")
            assert got.startswith(f"/over-{family} h3 ")
        said = lab.log(watch)
        assert "Endpoint = 192.168.50.1:51820" in (lab.home / "ca" / "wireguard-client.conf").read_text()
    # What stays at home does not pass the tunnel, and afterwards all is as before.
    assert home.direct("tv", 0)
    keys = json.loads((lab.home / "ca" / "wireguard.conf").read_text())
    for name in ("wireguard.conf", "wireguard-client.conf"):
        assert stat.S_IMODE((lab.home / "ca" / name).stat().st_mode) == 0o600
    assert not any(key in said + lab.log(watch) for key in keys.values())
    seen = [o for _, o in ledger.read(newest(home)) if isinstance(o, Exchange)]
    assert {(o.path, o.http_version) for o in seen if o.path.startswith("/over")} == {
        ("/over-0", "HTTP/3"), ("/over-1", "HTTP/3"),
    }  # fmt: skip


@needs_wireguard
def test_a_phone_with_wireguard_reaches_nothing_that_only_the_proxys_machine_may(home: Home) -> None:
    lab = home.lab
    secret = lab.folder / "www-secret"
    secret.mkdir(exist_ok=True)
    (secret / "secret").write_text("what nobody outside may read")
    serve = (sys.executable, "-u", "-m", "http.server", "9000", "--bind", "::", "--directory", str(secret))
    server = lab.start("router", *serve)
    until(lambda: "Serving" in lab.log(server), 30)
    for address in ("169.254.169.254/32", "192.168.77.1/32"):
        lab.must("router", "ip", "addr", "add", address, "dev", "lo")
    with watching(home, "--mode", "wireguard"), tunnel(home) as name:
        # The kernel must be talked into sending there at all.
        lab.must("tv", "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
        for address in ("127.0.0.2", "192.168.77.1"):
            lab.must("tv", "ip", "route", "add", address, "dev", name, "table", "77")
        for rule in (("add", "pref", "10", "to", "127.0.0.2", "lookup", "77"), ("add", "pref", "20", "lookup", "local"),
                     ("add", "pref", "30", "to", "192.168.77.1", "lookup", "77"), ("del", "pref", "0")):  # fmt: skip
            lab.must("tv", "ip", "rule", *rule)
        try:
            # It chooses its own address within the tunnel, also one of the proxy's machine.
            lab.must("tv", "ip", "addr", "add", "198.51.100.1/32", "dev", name)
            reached = {}
            for source in ("10.0.0.1", "198.51.100.1"):
                for address in ("127.0.0.2", "169.254.169.254", "192.168.77.1"):
                    done = lab.run(
                        "tv", "curl", "-sS", "--max-time", "6", "--interface", source, f"http://{address}:9000/secret"
                    )
                    reached[source, address] = done.stdout
        finally:
            lab.must("tv", "ip", "rule", "add", "pref", "0", "lookup", "local")
            for number in ("10", "20", "30"):
                lab.must("tv", "ip", "rule", "del", "pref", number)
    assert not any("nobody" in got for (_, address), got in reached.items() if address != "192.168.77.1"), reached
    # The way as such works with both addresses.
    assert all("nobody" in got for (_, address), got in reached.items() if address == "192.168.77.1"), reached
    os.killpg(server.pid, signal.SIGTERM)


def newest(home: Home) -> Path:
    return max((home.lab.home / "ledgers").glob("*.ledger"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def program(home: Home) -> str:
    """A program that nobody else on this machine runs: the kernel is asked for it in all namespaces."""
    path = home.lab.folder / f"c{os.getpid()}"
    shutil.copy(shutil.which("curl") or "", path)
    return str(path)


def fetch(home: Home, program: str, authority: Path, family: int = 0) -> str:
    address = ADDRESSES["internet"][family]
    place = f"[{address}]" if family else address
    done = home.lab.run(
        "pc", program, "-sS", "--max-time", "6", "--cacert", str(authority), "--resolve", f"plex.tv:443:{place}",
        "https://plex.tv/x",
    )  # fmt: skip
    return done.stdout or done.stderr


def test_one_program_is_watched_and_others_are_not(home: Home, program: str) -> None:
    with watching(home, "--mode", f"local:{Path(program).name}", host="pc") as watch:
        until(lambda: fetch(home, program, home.proxy_authority).startswith("/x"), 15, lambda: home.lab.log(watch))
        assert fetch(home, program, home.proxy_authority, 1).startswith("/x")
        assert home.direct("pc", 0)
        assert home.direct("tv", 0)
        os.kill(home.lab.proxy_of(watch), signal.SIGKILL)
        until(lambda: fetch(home, program, home.authority).startswith("/x"), 10)


_ASKING = """
import os, socket, ssl, sys, threading, time
proxy, servers, address, go = sys.argv[1:]
def ask():
    for authority in (proxy, servers):
        context = ssl.create_default_context(cafile=authority)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        try:
            with socket.create_connection((address, 443), timeout=8) as plain:
                with context.wrap_socket(plain, server_hostname="plex.tv") as secure:
                    secure.sendall(b"GET /asked-by-%d HTTP/1.1\\r\\nHost: plex.tv\\r\\n\\r\\n" % os.getpid())
                    assert secure.recv(4096).startswith(b"HTTP/1.1 200")
                print("watched" if authority == proxy else "direct", flush=True)
                # The other authority would be a refusal.
                return
        except ssl.SSLCertVerificationError:
            pass
while not os.path.exists(go):
    time.sleep(0.1)
for target in (ask, ask, ask):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
time.sleep(1000)
"""
"""What asks, once a file is there and from a thread each time, a server that the proxy's or the servers' authority
vouches for."""


def test_a_process_is_watched_by_its_number_and_one_of_the_same_name_is_not(home: Home) -> None:
    lab, go = home.lab, home.lab.folder / "go"
    files = (str(home.proxy_authority), str(home.authority), ADDRESSES["internet"][0], str(go))
    one, other = (lab.start("pc", sys.executable, "-c", _ASKING, *files) for _ in range(2))
    with watching(home, "--mode", f"local:{one.pid}", "--no-dashboard", host="pc") as watch:
        # It says when nothing comes, …
        until(lambda: f"nothing was seen of process {one.pid} yet" in lab.log(watch), 60, lambda: lab.log(watch))
        go.touch()
        until(lambda: [lab.log(p).count("\n") for p in (one, other)] == [3, 3], 60, lambda: lab.log(one))
        assert [lab.log(p).split() for p in (one, other)] == [["watched"] * 3, ["direct"] * 3]
        # … and ends with the process: its number may be somebody else's next.
        one.kill()
        assert watch.wait(60) == 0
        assert f"process {one.pid} ended, and with that the recording" in lab.log(watch)
    asked = [o.path for _, o in ledger.read(newest(home)) if isinstance(o, Exchange)]
    assert asked == [f"/asked-by-{one.pid}"] * 3
    other.kill()


def test_a_process_that_does_not_run_is_said_at_once(home: Home) -> None:
    over = home.lab.start("pc", "true")
    over.wait()
    done = home.lab.phonehome("pc", "watch", "--mode", f"local:{over.pid}", "--no-dashboard")
    assert done.returncode != 0
    assert f"--mode local:{over.pid}: no process has this number now" in done.stderr


def test_a_redirector_that_ends_is_said_in_one_sentence(home: Home) -> None:
    broken = home.lab.folder / "broken"
    broken.mkdir()
    # It starts, says so, and ends, as it does where it finds no cgroup v2.
    (broken / "sudo").write_text(
        '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\numount /sys/fs/cgroup\n'
        'mount -t tmpfs none /sys/fs/cgroup\nexec "$@"\n'
    )
    (broken / "sudo").chmod(0o755)
    done = home.lab.run(
        "pc", "env", f"PATH={broken}:{os.environ['PATH']}", sys.executable, "-m", "analysis", "watch", "--mode",
        "local:nobody-runs-me",
    )  # fmt: skip
    assert done.returncode != 0
    assert "the capture of one program does not work on this machine, and nothing would be seen" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "BTF" not in done.stderr


_SERVER = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        text = f"{self.client_address[0]} {self.headers.get_all('X-Forwarded-For')} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", 32401), Answer).serve_forever()
"""


def test_before_a_media_server_http_and_https_share_a_port_and_visitors_are_named(home: Home) -> None:
    lab = home.lab
    server = lab.start("server", sys.executable, "-c", _SERVER)
    until(lambda: "serving" in lab.log(server), 30, lambda: lab.log(server))
    mode = "reverse:http://127.0.0.1:32401@0.0.0.0:32400"
    with watching(home, "--mode", mode, host="server") as watch:
        assert "sees every visitor come from this machine" in lab.log(watch)
        address = ADDRESSES["server"][0]
        trust = ("--cacert", str(home.proxy_authority), "--resolve", f"plex.tv:32400:{address}")
        for host in ("tv", "pc"):
            for url in (f"http://{address}:32400/", "https://plex.tv:32400/"):
                for claimed in ((), ("-H", "X-Forwarded-For: 127.0.0.1")):
                    got = lab.must(host, "curl", "-sS", "--max-time", "6", *trust, *claimed, url)
                    named = url.split("/")[2]
                    assert got == f"127.0.0.1 ['{ADDRESSES[host][0]}'] {named}"
        got = lab.must("server", "curl", "-sS", "-H", "X-Forwarded-For: 192.0.2.1", "http://127.0.0.1:32400/")
        assert got.startswith("127.0.0.1 ['192.0.2.1, 127.0.0.1']")
    seen = [o for _, o in ledger.read(newest(home)) if isinstance(o, Exchange)]
    claims = [value for o in seen for name, value in o.headers if name == "x-forwarded-for"]
    assert sorted(set(claims)) == ["127.0.0.1", "192.0.2.1"]
    assert len(claims) == 5
    assert len(seen) == 9
