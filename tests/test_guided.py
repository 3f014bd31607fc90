"""What `phonehome watch` asks on a terminal, and what follows from the answers."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from analysis.cli import guided
from analysis.cli.guided import Start
from analysis.texts import recorded
from captures import home
from captures.gateway import journal, network
from fake_cloud import ROOT, start


def answered(*answers: str) -> tuple[Start | None, str]:
    """What comes of these answers, and what was said."""
    with CliRunner().isolation(input="\n".join(answers) + "\n") as (_, error, *_):
        return guided.ask(), error.getvalue().decode() if error else ""


def as_user(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_the_table_and_all_ways_are_shown_before_the_question() -> None:
    _, said = answered("1")
    assert "my set-up" in said
    assert "(not tested)" in said
    for words in recorded.WAYS.values():
        assert words in said


def test_a_browser_is_the_default_and_a_port_in_use_is_gone_round() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        except OSError:
            pass  # somebody else's program has it: just as well
        chosen, said = answered("")
    assert chosen == Start(listen="127.0.0.1:0")
    assert "port 8080 is in use; another one is taken" in said


def test_who_is_root_gets_what_he_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    assert answered("2", "curl")[0] == Start(modes=("local:curl",))
    assert answered("3")[0] == Start(modes=("wireguard",))
    assert answered("6", "eth7")[0] == Start(interface="eth7")


def test_who_is_not_gets_the_one_command_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 1000)
    monkeypatch.setattr(network, "way_out", lambda: "eth0")
    for answers, command in (
        (("2", "curl"), "sudo phonehome watch --mode 'local:curl'"),
        (("4", "br-lan", "192.0.2.20"), "sudo phonehome gateway up --interface br-lan --device 192.0.2.20"),
        (("6", ""), "sudo phonehome sniff -i eth0"),
    ):
        chosen, said = answered(*answers)
        assert chosen is None
        assert f"one command is missing: {command}\n" in said


def test_a_media_server_is_looked_for_and_gets_a_port_beside_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        chosen, _ = answered("5", str(port))
        assert chosen == Start(modes=(f"reverse:http://127.0.0.1:{port}@0.0.0.0:{port + 1}",))
    chosen, said = answered("5", str(port))
    assert chosen is None
    assert f"nothing listens on port {port} of this computer" in said


def test_it_asks_on_a_terminal(home: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis", "watch"], stdout=subprocess.PIPE, stderr=slave, stdin=slave, cwd=ROOT,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    screen = b""
    try:
        while b"Number" not in screen and select.select([master], [], [], 60)[0]:
            screen += os.read(master, 65536)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        # Nothing listens there: it says so and ends.
        os.write(master, b"5\n%d\n" % port)
        while select.select([master], [], [], 60)[0]:
            try:
                screen += os.read(master, 65536)
            except OSError:
                break
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(master)
    assert b"What is to be watched?" in screen
    assert b"nothing listens on port %d of this computer" % port in screen
    assert not list((home / "ledgers").glob("*"))


def test_it_asks_nobody_who_is_not_there(tmp_path: Path) -> None:
    error = ""
    taken = socket.socket()
    with taken, contextlib.suppress(OSError):
        taken.bind(("127.0.0.1", 8080))
        taken.listen()
        process = start("watch", home=tmp_path)
        _, error = process.communicate(timeout=60)
        assert "port is in use" in error
    assert "What is to be watched?" not in error


def test_a_router_that_is_set_up_already_is_said_with_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    there = journal.Journal("tun", "br-lan", ("02:00:00:00:00:20",), 8080, "phonehome", (), ())
    home.write(journal.place(home.journal()), msgspec.json.encode(there))
    chosen, said = answered("4")
    assert chosen == Start(gateway=True)
    assert "set up already for 02:00:00:00:00:20 on br-lan; for another device, first: phonehome gateway down" in said
