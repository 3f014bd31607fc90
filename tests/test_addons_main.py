"""`python -m addons`, as another process starts and ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from analysis.proxy import Proxy
from captures import ledger
from captures.model import CaptureError, Exchange, Unreadable
from fake_cloud import connect, recorded, small, trust, written


def options(folder: Path, **others: object) -> dict[str, object]:
    return {"listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(folder / "ca"), **others}


class Running(NamedTuple):
    """A proxy that was started in a folder which holds modules of the same names as ours."""

    folder: Path
    proxy: Proxy
    wireguard: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    # Kodi keeps a folder `addons`, and somebody may put one there on purpose.
    (folder / "addons").mkdir()
    (folder / "addons" / "__init__.py").write_text("", "utf-8")
    (folder / "addons" / "__main__.py").write_text("open('was-here', 'w')", "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        second, wireguard = free.getsockname()[1], other.getsockname()[1]
    mode = ["regular", f"socks5@{second}", f"wireguard@{wireguard}"]
    with contextlib.chdir(folder), Proxy(options(folder, mode=mode, phonehome_device="madeUpDevice")) as proxy:
        yield Running(folder, proxy, wireguard)


def test_it_says_every_port_that_it_listens_on(running: Running) -> None:
    *tcp, tunnel = [port for _, port in running.proxy.listening]
    for port in tcp:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert (len(set(tcp)), tunnel) == (2, running.wireguard)


def test_keys_of_wireguard_are_for_the_user_alone(running: Running) -> None:
    keys = {path.name: path.stat().st_mode & 0o777 for path in (running.folder / "ca").glob("wireguard*")}
    assert keys == {"wireguard.conf": 0o600}


def test_nothing_secret_stands_in_the_list_of_processes(running: Running) -> None:
    words = Path(f"/proc/{running.proxy.pid}/cmdline").read_bytes().split(b"\0")
    assert words[1:] == [b"-P", b"-m", b"addons", b""]


def test_it_is_not_taken_from_the_folder_in_which_the_user_is(running: Running) -> None:
    assert running.proxy.listening
    assert not (running.folder / "was-here").exists()


def test_all_files_that_the_system_allows_are_used(running: Running) -> None:
    limits = Path(f"/proc/{running.proxy.pid}/limits").read_text("ascii")
    soft, hard = next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files"))
    assert soft == hard


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"mode": ["sideways"]}, "Invalid proxy mode specification: sideways (unknown mode)"),
        ({"set": ["no_such_option=1"]}, "Unknown option(s): no_such_option"),
        ({"phonehome_ledger": "/proc/no/x.ledger"}, "[Errno 2] No such file or directory: '/proc/no/x.ledger'"),
    ],
)
def test_what_is_wrong_at_the_start_is_one_sentence(tmp_path: Path, setting: dict[str, object], sentence: str) -> None:
    with pytest.raises(CaptureError) as caught, Proxy(options(tmp_path, **setting)):
        pass
    assert str(caught.value) == f"the proxy did not start: {sentence}"


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CaptureError, match="the proxy's port is in use by another program"),
        Proxy(options(tmp_path, listen_port=taken.getsockname()[1])),
    ):
        pass


def test_one_that_says_nothing_for_a_while_hangs_unless_nobody_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, times = Proxy({}), iter((0, 1000, *range(1001, 1040)))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    # The machine slept for most of the first thousand seconds.
    assert [proxy.hangs for _ in range(2 + 30)] == [False] * 16 + [True] * 16
    proxy._heard = True
    assert not proxy.hangs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with recorded(tmp_path, small) as (proxy, path), connect(proxy, trust(tmp_path), "plex.tv") as connection:
        connection.request("GET", "/last")
        connection.getresponse().read()
        os.kill(proxy.pid, number)
        end = time.monotonic() + 10
        while proxy.running and time.monotonic() < end:
            time.sleep(0.02)
        assert not proxy.running
        assert proxy.last_words() == "the proxy ended by itself: it said nothing"
    assert [x.path for x in written(path, 1) if isinstance(x, Exchange)] == ["/last"]


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from analysis.proxy import Proxy\n"
        f"with Proxy({options(tmp_path)!r}) as proxy:\n"
        "    print(proxy.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    for _ in range(200):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or ") Z " in state.read_text("ascii"):
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the proxy still runs after ten seconds")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = folder / "small"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("needs the right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fetch_often(proxy: Proxy, context: ssl.SSLContext, count: int, size: int) -> None:
    with connect(proxy, context, "plex.tv") as connection:
        for _ in range(count):
            connection.request("POST", "/", body=os.urandom(size))
            assert connection.getresponse().read() == b'{"ok": true}'


def test_a_full_disk_does_not_stop_the_traffic_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    with small_disk(tmp_path) as place:
        path = place / "x.ledger"
        ledger.create(path)
        with recorded(tmp_path, small, phonehome_ledger=str(path)) as (proxy, _):
            # Batch after batch, until one finds no room.
            for _ in range(6):
                fetch_often(proxy, trust(tmp_path), 5, 50_000)
                time.sleep(0.4)
            filler = max(place.iterdir(), key=lambda file: file.stat().st_size)
            assert filler.stat().st_size > 200_000
            assert proxy.running
            fetch_often(proxy, trust(tmp_path), 5, 10)
        kept = [x for _, x in ledger.read(path)]
        counted = ledger.counters(path)
    assert 0 < len(kept) < 35
    assert (counted["dropped"], counted["faults"] > 0) == (35 - len(kept), True)
    assert [x for x in kept if isinstance(x, Unreadable)] == []


def test_a_ledger_that_stays_locked_does_not_stop_the_traffic(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path):
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        fetch_often(proxy, trust(tmp_path), 10, 10)
        begin = time.monotonic()
        proxy.__exit__()
        assert time.monotonic() - begin < 9
        lock.close()
    assert written(path, 0) == []
    assert ledger.counters(path)["dropped"] == 10


def test_a_fault_inside_mitmproxy_is_counted_and_shows_nothing(tmp_path: Path) -> None:
    """A script of the user's own that goes wrong."""
    script = tmp_path / "wrong.py"
    script.write_text("def response(flow):\n    raise ValueError(flow.request.headers['x-plex-token'])\n", "utf-8")
    with recorded(tmp_path, small, scripts=[str(script)]) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/", headers={"X-Plex-Token": "madeUpToken123"})
            assert connection.getresponse().read() == b'{"ok": true}'
        seen = written(path, 2)
        proxy.__exit__()
        assert proxy.last_words() == "the proxy ended by itself: it said nothing"
    assert sorted((x.place, x.reason) for x in seen if isinstance(x, Unreadable)) == [
        ("mitmproxy", "a fault of mitmproxy's (ValueError)")
    ]
    assert b"madeUpToken123" not in path.read_bytes()


def test_traffic_that_our_code_cannot_take_passes_and_is_counted(tmp_path: Path) -> None:
    """Another script leaves a flow in a state that no flow should have."""
    script = tmp_path / "odd.py"
    script.write_text("def response(flow):\n    flow.request.timestamp_start = 'noon'\n", "utf-8")
    with recorded(tmp_path, small, scripts=[str(script)]) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b'{"ok": true}'
        (seen,) = written(path, 1)
    assert isinstance(seen, Unreadable)
    assert (seen.place, seen.reason) == ("flow 0", "is odd (ValueError)")


@pytest.mark.parametrize("text", [b"", b"no json\n", b"{}\n"])
def test_wrong_settings_end_it(text: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "addons"], input=text, capture_output=True, cwd=Path(__file__).parents[1], timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == b"standard input: must be one line of JSON with `options`\n"
