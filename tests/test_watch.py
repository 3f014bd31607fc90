"""`phonehome watch`, as a person starts and ends it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from analysis.cli.view import View
from captures import ledger
from captures.ledger import Writer
from fake_cloud import ROOT, start
from reporting import contact
from shipped import KNOWLEDGE


def first_line(stream: int) -> str:
    """Byte by byte: what a buffer took beyond the line, `communicate` would not see again."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(stream, 1)):
        line += byte
    return line.decode()


@contextmanager
def watching(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`phonehome watch` that listens -> (process, address)."""
    shown = () if "--dashboard-port" in arguments else ("--no-dashboard",)
    process = start("watch", "--listen", "0", "--format", "json", *shown, *arguments, home=home)
    try:
        assert process.stderr is not None
        first = first_line(process.stderr.fileno())
        assert first.startswith("listening on 127.0.0.1:"), first + process.stderr.read()
        yield process, first.removeprefix("listening on ").strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def descendants(pid: int) -> list[int]:
    """Numbers of the processes that one has started, and those have (Linux)."""
    found: list[int] = []
    # One may have ended meanwhile.
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found + [below for child in found for below in descendants(child)]


def fetch(proxy: str, url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://{proxy}"}))
    try:
        with opener.open(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


class Evening(NamedTuple):
    """A recording that Ctrl-C ended: what it left and said."""

    home: Path
    code: int
    out: str
    error: str


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    home = tmp_path_factory.mktemp("evening")
    with watching(home, "--device", "tv") as (process, proxy):
        assert fetch(proxy, "http://127.0.0.1:9/nothing-listens-here") == 502
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", int(proxy.rpartition(":")[2])), timeout=10) as plain:
                plain.sendall(b"CONNECT nobody.invalid:443 HTTP/1.1\r\nHost: nobody.invalid:443\r\n\r\n")
                assert b" 502 " in plain.recv(4096)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=30)
    return Evening(home, process.returncode, out, error)


def test_it_ends_in_order_with_the_report_of_what_was_seen(evening: Evening) -> None:
    assert evening.code == 0
    assert [(c["kind"], c["host"], c["device"]) for c in json.loads(evening.out)["calls"]] == [
        ("exchange", "127.0.0.1", "tv"),
        ("contact", "nobody.invalid", "tv"),
        ("contact", "nobody.invalid", "tv"),
    ]


def test_its_dashboard_shows_what_comes_and_is_not_reached_through_the_proxy(tmp_path: Path) -> None:
    from dashboard import Client

    with watching(tmp_path, "--dashboard-port", "0") as (process, proxy):
        assert process.stderr is not None
        while not (line := first_line(process.stderr.fileno())).startswith("dashboard"):
            assert line
        link = line.partition(": ")[2].strip()
        client = Client(int(link.split(":")[2].partition("/")[0]), [link])
        assert client.ask("/").status == 403
        assert client.enter().status == 303
        # Neither the link nor anything else that is secret stands in the list of processes, nor would a crash keep it.
        for number in (process.pid, *descendants(process.pid)):
            with contextlib.suppress(OSError):
                command, limits = (Path(f"/proc/{number}/{name}").read_bytes() for name in ("cmdline", "limits"))
                assert link.rpartition("/")[2].encode() not in command
                assert b"Max core file size        0                    0" in limits
        nice = [os.getpriority(os.PRIO_PROCESS, number) for number in descendants(process.pid)]
        assert sorted(nice) == [os.nice(0), os.nice(0), min(os.nice(0) + 12, 19)]
        assert fetch(proxy, link) == 502
        assert fetch(proxy, "http://127.0.0.1:9/nothing-listens-here") == 502
        for _ in range(100):
            if "127.0.0.1/nothing-listens-here" in (text := client.ask("/calls?noise=1").text):
                break
            time.sleep(0.1)
        assert "127.0.0.1/nothing-listens-here" in text
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in error
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", client.port), timeout=5)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert [name for name, mode in modes.items() if mode & 0o077] == []
    assert any(name.endswith(".view") for name in modes)


def test_everything_it_keeps_is_for_the_user_alone(evening: Evening) -> None:
    kept = {path.relative_to(evening.home).as_posix(): path for path in evening.home.rglob("*")}
    assert [name for name, path in kept.items() if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert any(name.startswith("ledgers/") for name in kept)
    assert "ca/mitmproxy-ca.pem" in kept


@pytest.mark.parametrize(("arguments", "kept"), [((), True), (("--retest",), False)])
def test_a_port_in_use_is_one_sentence_and_devices_that_refused_are_tried_again_on_request(
    tmp_path: Path, arguments: tuple[str, ...], kept: bool
) -> None:
    file = tmp_path / "refusals.json"
    file.write_text("[]", "ascii")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("watch", *arguments, "--listen", str(taken.getsockname()[1]), home=tmp_path)
        out, error = process.communicate(timeout=60)
    assert out == ""
    assert error == "Error: the proxy's port is in use by another program; choose another one with --listen PORT\n"
    assert process.returncode == 3
    assert file.exists() is kept


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--listen", "here"), "--listen here: must be PORT or HOST:PORT, e.g. 127.0.0.1:8080"),
        (("--listen", "99999"), "--listen 99999: must be PORT or HOST:PORT, e.g. 127.0.0.1:8080"),
        (("--set", "x"), "--set x: must be NAME=VALUE"),
    ],
)
def test_a_wrong_option_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    process = start("watch", *arguments, home=tmp_path)
    out, error = process.communicate(timeout=60)
    assert out == ""
    assert error.endswith(f"Error: {sentence}\n")
    assert process.returncode == 2


def test_the_proxy_ends_when_the_one_who_watches_is_killed(tmp_path: Path) -> None:
    with watching(tmp_path) as (process, proxy):
        host, _, port = proxy.rpartition(":")
        process.kill()
        process.wait()
        for _ in range(100):
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                break
            else:
                time.sleep(0.1)
        else:
            pytest.fail("the proxy still listens after ten seconds")


def test_a_file_that_is_no_ledger_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear reader, " * 100, "utf-8")
    process = start("watch", "--ledger", str(other), home=tmp_path)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "letter.txt: is not a ledger" in error
    assert other.read_text("utf-8") == "Dear reader, " * 100


def test_it_says_how_it_is_used_and_which_hosts_cannot_be_read(evening: Evening) -> None:
    *ledger, authority, end, closed, offline = evening.error.splitlines()
    assert ledger[0].startswith(f"recording to {evening.home}/ledgers/")
    assert authority == f"the watched device must trust this authority: {evening.home}/ca/mitmproxy-ca-cert.pem"
    assert end == "Ctrl-C ends it and shows the report"
    assert closed == "not read: nobody.invalid: the server could not be reached"
    assert offline.startswith("whoever has this proxy in his settings is offline from now on")


def test_if_the_proxy_dies_it_reports_and_says_so(tmp_path: Path) -> None:
    with watching(tmp_path) as (process, proxy):
        assert fetch(proxy, "http://127.0.0.1:9/before") == 502
        time.sleep(0.5)
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        os.kill(int(child), signal.SIGKILL)
        out, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert [call["path"] for call in json.loads(out)["calls"]] == ["/before"]
    sentence = "the proxy was ended from outside (signal 9); what it had recorded is in the report"
    assert error.splitlines()[-1] == f"Error: {sentence}"


def add(path: Path, host: str, when: float) -> None:
    """Writes a contact into a ledger."""
    writer = Writer(path, None)
    writer.put(replace(contact(host), time=when))
    writer.close()


def test_an_old_ledger_is_gone_on_with_and_what_is_too_old_deleted(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    add(path, "before.example", time.time())
    for arguments, expected in (("--keep", "1"), 2), (("--keep", "0"), 1):
        with watching(tmp_path, "--ledger", str(path), *arguments) as (process, proxy):
            assert fetch(proxy, "http://127.0.0.1:9/") == 502
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert len(json.loads(out)["calls"]) == expected


def test_on_a_terminal_it_shows_what_comes() -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis", "watch", "--listen", "0"],
        stdout=subprocess.PIPE, stderr=slave, stdin=slave, cwd=ROOT,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    screen = b""

    def until(wanted: bytes) -> None:
        nonlocal screen
        end = time.monotonic() + 30
        while wanted not in screen and time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                screen += os.read(master, 65536)
        assert wanted in screen, screen

    try:
        until(b"Ctrl-C ends and reports.")
        port = int(screen.split(b"listening on 127.0.0.1:")[1].split()[0])
        assert fetch(f"127.0.0.1:{port}", "http://127.0.0.1:9/") == 502
        until(b"1 calls, by purpose")
        process.send_signal(signal.SIGINT)
        while True:
            try:
                screen += os.read(master, 65536)
            except OSError:
                break
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert process.returncode == 0
    assert out
    assert b"Traceback" not in screen


def test_rows_that_take_the_numbers_of_deleted_ones_are_shown_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.ledger"

    add(path, "old.example", 1.0)
    with View(KNOWLEDGE, path, terminal=False) as view:
        view.update()
        assert ledger.prune(path, 1) == 1
        view.go_on()
        add(path, "new.example", time.time())
        view.update()
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["old.example", "new.example"]
