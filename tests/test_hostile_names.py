"""Names that attack who reads them or where they are written: in logs, as files, as links in the tool's own folder."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.known.store import KnownError, listed
from captures import home, ledger, losses, pseudonym
from captures.gateway import authority, journal, network, ports, refusals, trust, wireguard
from captures.gateway.network import Lan
from captures.gateway.plan import plan
from captures.model import CaptureError
from fake_cloud import ROOT, spoken, start
from test_watch import watching

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, renames a window, or turns the direction of a line round."""

HOSTILE = (
    "\x1b]0;owned\x07", "\x1b[2J", "a\x9b31mb", "a\u202eb", "a\rError: nothing is wrong", "%0d%0aX", "a\0b",
)  # fmt: skip


def hello(name: bytes) -> bytes:
    """A ClientHello for a server of this name."""
    entry = b"\x00" + len(name).to_bytes(2) + name
    listed = len(entry).to_bytes(2) + entry
    extension = b"\x00\x00" + len(listed).to_bytes(2) + listed
    body = b"\x03\x03" + bytes(32) + b"\x00\x00\x02\x13\x01\x01\x00" + len(extension).to_bytes(2) + extension
    message = b"\x01" + len(body).to_bytes(3) + body
    return b"\x16\x03\x01" + len(message).to_bytes(2) + message


def test_nothing_that_a_device_sends_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    with watching(tmp_path) as (process, proxy):
        host, _, port = proxy.rpartition(":")
        for text in HOSTILE:
            name = text.encode()
            for data in (
                b"CONNECT %s.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n" % name,
                b"GET http://%s.invalid/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n" % (name, name, name, name),
                b"%s / HTTP/1.1\r\nHost: x\r\n\r\n" % name,
                b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: x\r\n\r\n" + hello(name),
                name * 3,
            ):
                spoken((host, int(port)), data, 0.2)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert not CONTROL.findall(error), error
    assert "\nError: nothing is wrong" not in error
    assert "Traceback" not in error
    # JSON escapes what it must; what is left would be shown by `cat`.
    assert not CONTROL.findall(out)


NAMES = (
    "\x1b]0;owned\x07.flow", "a\nb.flow", "-rf.flow", "<img src=x onerror=alert(1)>.flow", "[b]x ![a](b) `x`.flow",
    "a\u202egnp.flow", "=HYPERLINK(1).flow", "$(touch x);`touch x`.flow", "b\udcff\udcfe.flow", "a" * 240 + ".flow",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_read_and_told_of_without_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    good, bad = folder / name, folder / ("no" + name)
    good.write_bytes(gzip.decompress((ROOT / "tests/data/quic-bypass.flow.gz").read_bytes()))
    bad.write_bytes(b"no capture at all")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NO_COLOR", "1")
    for form, path in (("terminal", good), ("markdown", good), ("html", good), ("json", bad)):
        with pytest.raises(SystemExit) as ended:
            main(("inspect", "--format", form, str(path)))
        text, said = capfd.readouterr()
        assert ended.value.code == (0 if path == good else 3), said
        assert not CONTROL.findall(text), (form, text[:500])
        assert not CONTROL.findall(said), (form, said)
        assert "Traceback" not in said
        assert said.count("\n") <= 1 or path == good, said
        assert "<img" not in text
    assert sorted(path.name for path in folder.iterdir()) == sorted((good.name, bad.name))


@pytest.mark.parametrize("form", ["terminal", "html"])
def test_a_name_that_is_no_text_goes_through_a_pipe(tmp_path: Path, form: str) -> None:
    """Where Python's own output is strict about what is no text."""
    path = tmp_path / "b\udcff\udcfe.flow.gz"
    path.write_bytes((ROOT / "tests/data/quic-bypass.flow.gz").read_bytes())
    command = [sys.executable, "-m", "analysis", "inspect", "--format", form, str(path)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not CONTROL.findall(done.stdout.decode())


TYPED = "\x1b]0;owned\x07\u202e\x9b2J"


@pytest.mark.parametrize(
    "line",
    [
        (TYPED,), ("inspect", f"--{TYPED}"), ("inspect", "--format", TYPED, "x"), ("inspect", f"{TYPED}.har"),
        ("--language", TYPED), ("open", "--port", TYPED, "x"), ("share", "--verify", TYPED), ("declared", TYPED),
        ("packs", "check", TYPED), ("known", "add", "--kind", TYPED, "x"), ("compare-reports", TYPED, "b"),
        ("completion", TYPED), ("collect", TYPED), ("explain", "x", TYPED), ("items", "--verdict", TYPED, "x"),
    ],
    ids=lambda line: line[0][:8].strip("\x1b]"),
)  # fmt: skip
@pytest.mark.usefixtures("own")
def test_an_error_quotes_what_was_typed_without_harm(line: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line)
    said = capsys.readouterr()
    assert ended.value.code in (2, 3)
    assert not CONTROL.findall(said.out + said.err), said


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "own"
    monkeypatch.setenv("PHONEHOME_HOME", str(root))
    root.mkdir()
    return root


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    folder.mkdir(mode=0o755)
    (folder / "file").write_text("somebody else's")
    (folder / "file").chmod(0o644)
    return folder


def untouched(victim: Path) -> bool:
    file = victim / "file"
    return (
        file.read_text() == "somebody else's"
        and [path.name for path in victim.iterdir()] == ["file"]
        and stat.S_IMODE(file.stat().st_mode) == 0o644
        and stat.S_IMODE(victim.stat().st_mode) == 0o755
    )


def test_no_file_is_written_through_a_link(own: Path, victim: Path) -> None:
    for link in (own / "x", own / "dangling"):
        link.symlink_to(victim / ("file" if link.name == "x" else "new"))
        with pytest.raises(CaptureError, match="is a link to another file; delete it"):
            home.private_file(link)
    assert untouched(victim)


def test_no_file_is_written_through_a_second_name_of_another_nor_waited_for(own: Path, victim: Path) -> None:
    (own / "hard").hardlink_to(victim / "file")
    os.mkfifo(own / "pipe")
    (own / "folder").mkdir()
    for name, sentence in (
        ("hard", "is a second name of another file"),
        ("pipe", "is no file"),
        ("folder", "is no file"),
    ):
        with pytest.raises(CaptureError, match=sentence):
            home.private_file(own / name)
    (own / "hard").unlink()
    assert untouched(victim)


def test_what_is_replaced_is_not_followed_and_what_is_no_file_is_not_waited_for(own: Path, victim: Path) -> None:
    os.mkfifo(own / "pipe")
    (own / "link").symlink_to(victim / "file")
    (own / "hard").hardlink_to(victim / "file")
    with pytest.raises(CaptureError, match="is no file; delete it"):
        home.read(own / "pipe")
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            for name in ("pipe", "link", "hard", "new"):
                home.write(own / name, b"ours")
                assert not (own / name).is_symlink()
                assert stat.S_IMODE((own / name).stat().st_mode) == 0o600
        finally:
            os.umask(before)
    assert sorted(path.name for path in own.iterdir()) == ["hard", "link", "new", "pipe"]
    assert untouched(victim)


def test_folders_above_ours_are_for_the_user_alone_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path / "a/b/home"))
    before = os.umask(0)
    try:
        home.journal()
    finally:
        os.umask(before)
    for path in (tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/home", tmp_path / "a/b/home/journal"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


TRAPS: dict[str, Callable[[Path, Path], object]] = {
    "symbolic": lambda place, victim: place.symlink_to(victim / "file"),
    "dangling": lambda place, victim: place.symlink_to(victim / "new"),
    "hard": lambda place, victim: place.hardlink_to(victim / "file"),
    "pipe": lambda place, _: os.mkfifo(place),
}
"""What somebody else may lay where we write."""

PLACES: dict[str, Callable[[], object]] = {
    "journal/gateway.json": lambda: journal.up(plan("tun", Lan("lo", (), ()), (), 8080, False), home.journal()),
    "journal/trust.json": lambda: trust._note(trust.Entry("plex", "pem", "/x", "", "", ""), home.journal()),
    "ports/8081": lambda: ports.registered(8081).__enter__(),
    "pseudonym.key": pseudonym.key,
    "never.txt": authority.never,
    "ca/mitmproxy-ca.pem": lambda: authority.ensure(home.authority()),
    "ca/wireguard.conf": lambda: wireguard.ensure(home.authority() / "wireguard.conf"),
    "refusals.json": lambda: refusals.write(home.refusals(), refusals.read(home.refusals(), 0.0)),
    "ledgers/x.ledger": lambda: ledger.create(home.ledgers() / "x.ledger"),
    "ledgers/x.ledger.lost": lambda: losses.write(home.ledgers() / "x.ledger", losses.NOTHING),
    "known.db": lambda: listed("item"),
}
"""Place below the tool's folder -> what writes it."""


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_was_laid_where_we_write_makes_us_write_elsewhere_or_wait(
    own: Path, victim: Path, monkeypatch: pytest.MonkeyPatch, place: str, trap: str
) -> None:
    monkeypatch.setattr(network, "run", lambda *_, **__: "")
    (own / place).parent.mkdir(mode=0o700, exist_ok=True)
    TRAPS[trap](own / place, victim)
    with contextlib.suppress(CaptureError, KnownError):
        PLACES[place]()
    (own / place).unlink(missing_ok=True)
    assert untouched(victim)


@pytest.mark.usefixtures("own")
def test_a_pipe_among_the_ports_keeps_no_connection_waiting() -> None:
    os.mkfifo(home.ports() / "8081")
    (home.ports() / "8082").symlink_to("/proc/self/status")
    assert ports.ours() == frozenset()


@pytest.mark.parametrize("folder", [home.cache, home.ledgers, home.authority, home.journal, home.ports])
def test_no_folder_of_ours_is_a_link_that_somebody_else_has_laid(
    own: Path, victim: Path, monkeypatch: pytest.MonkeyPatch, folder: object
) -> None:
    assert callable(folder)
    names = {home.cache: "cache", home.ledgers: "ledgers", home.authority: "ca", home.journal: "journal"}
    link = own / names.get(folder, "ports")
    link.symlink_to(victim)
    monkeypatch.setattr(os, "geteuid", lambda: os.lstat(link).st_uid + 1)
    with pytest.raises(CaptureError, match="is a link that another user has made"):
        folder()
    assert untouched(victim)


def test_a_link_of_ones_own_leads_to_a_larger_disk(own: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (own / "ledgers").symlink_to(tmp_path / "disk")
    assert home.ledgers() == own / "ledgers"


@pytest.mark.parametrize(
    "places",
    [
        ("ca/mitmproxy-ca.pem",),
        ("ca/wireguard.conf",),
        ("never.txt",),
        # With these it runs.
        ("ca/mitmproxy-ca-cert.pem", "ca/wireguard-client.conf"),
    ],
)
def test_watch_follows_no_link_in_its_folder(own: Path, victim: Path, places: tuple[str, ...]) -> None:
    (own / "ca").mkdir()
    for place in places:
        (own / place).symlink_to(victim / "file")
    process = start("watch", "--mode", "wireguard", "--listen", "127.0.0.1:0", home=own)
    try:
        # Until it ends by itself, or runs.
        said = list(itertools.takewhile(lambda line: not line.startswith("dashboard"), process.stderr or ()))
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "Traceback" not in "".join(said) + rest
    assert said
    assert untouched(victim)
