"""What commands write is for the user alone, under any umask: all files and folders that they leave are looked at."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.cli import main
from captures import home, ledger
from captures.gateway import authority
from captures.ledger import Writer
from fake_cloud import ROOT
from reporting import exchange

CAPTURE = str(ROOT / "tests/data/telemetry-node.flow.gz")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that holds nothing but what commands write, also what they put aside, under the laxest umask."""
    (tmp_path / "tmp").mkdir(mode=0o700)
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path / "made" / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        yield tmp_path
    finally:
        os.umask(before)


def ran(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0, arguments


COMMANDS = (
    ("inspect", CAPTURE, "-o", "report.txt"),
    ("inspect", "--format", "html", CAPTURE, "-o", "report.html"),
    ("calls", CAPTURE, "-o", "calls.txt"),
    ("items", CAPTURE, "-o", "items.txt"),
    ("share", CAPTURE, "-o", "share.json"),
    ("known", "add", "title", "Seven Lanterns over Quarrybrook"),
    ("packs", "new", "--out", "packs", CAPTURE),
    ("trust", "add", "plex", "--path", "cacert.pem"),
    ("trust", "remove", "plex"),
)


def test_nothing_that_commands_write_can_be_read_by_others(place: Path) -> None:
    (place / "cacert.pem").write_text("public\n")
    (place / "cacert.pem").chmod(0o644)
    for command in COMMANDS:
        ran(*command)
    authority.ensure(home.authority())
    ledger.create(home.ledgers() / "a.ledger")
    mine = [path for path in place.rglob("*") if path.name not in ("cacert.pem", "tmp")]
    assert {"report.txt", "share.json", "known.db", "mitmproxy-ca.pem", "a.ledger"} <= {path.name for path in mine}
    for path in mine:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path.relative_to(place)}: {mode:o}"
    # Nothing was left aside, and what is public stays so.
    assert list((place / "tmp").iterdir()) == []
    assert stat.S_IMODE((place / "cacert.pem").stat().st_mode) == 0o644


def test_what_is_too_old_is_nowhere_when_it_was_deleted(place: Path) -> None:
    """Neither in the ledger, nor in what was worked out from it, nor aside, also while somebody writes."""
    path, old = place / "a.ledger", "Seven Lanterns over Quarrybrook"
    writer = Writer(path, None)
    for n in range(50):
        call = exchange("analytics.plex.tv", "/x", index=n)
        writer.put(replace(call, query=(("title", old),), time=time.time() - 9 * 86_400))
    writer.put(replace(exchange("plex.tv", "/y", index=99), time=time.time()))
    assert writer.flush()
    ran("inspect", str(path), "-o", "report.txt")
    (place / "report.txt").unlink()
    assert (place / "a.ledger.index").exists()
    assert holding(place, old)
    assert ledger.prune(path, 5) == 50
    assert holding(place, old) == set()
    assert not (place / "a.ledger.index").exists()
    writer.close()
    ran("inspect", str(path), "-o", "report.txt")
    assert holding(place, old) == set()


def holding(place: Path, text: str) -> set[str]:
    """Names of the files that hold a text."""
    return {path.name for path in place.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}
