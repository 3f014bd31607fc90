"""`phonehome watch`, as a person starts and ends it."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fake_cloud import start


@contextmanager
def watching(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`phonehome watch` that listens -> (process, address)."""
    process = start("watch", "--listen", "0", "--format", "json", *arguments, home=home)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("listening on 127.0.0.1:"), first + process.stderr.read()
        yield process, first.removeprefix("listening on ").strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def fetch(proxy: str, url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://{proxy}"}))
    try:
        with opener.open(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_with_the_report_of_what_was_seen(tmp_path: Path, number: signal.Signals) -> None:
    with watching(tmp_path, "--device", "tv") as (process, proxy):
        assert fetch(proxy, "http://127.0.0.1:9/nothing-listens-here") == 502
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
    report = json.loads(out)
    assert [(c["host"], c["path"], c["status"], c["device"]) for c in report["calls"]] == [
        ("127.0.0.1", "/nothing-listens-here", None, "tv")
    ]


def test_everything_it_keeps_is_for_the_user_alone(tmp_path: Path) -> None:
    with watching(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert [name for name, mode in modes.items() if mode & 0o077] == []
    assert any(name.startswith("ledgers/") for name in modes)
    assert "ca/mitmproxy-ca.pem" in modes


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("watch", "--listen", str(taken.getsockname()[1]), home=tmp_path)
        out, error = process.communicate(timeout=60)
    assert out == ""
    assert error == "Error: the proxy's port is in use by another program; choose another one with --listen PORT\n"
    assert process.returncode == 3


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
