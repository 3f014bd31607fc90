"""What the user named stays, and stays his."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from analysis import known
from analysis.known import KnownError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_nothing_is_known_and_nothing_is_made_before_something_is_named(home: Path) -> None:
    assert known.listed() == ()
    assert not (home / "known.db").exists()


def test_a_server_is_named_once_and_forgotten(home: Path) -> None:
    known.add("server", ["Media.Example.org ", "media.example.org", " "])
    assert [(one.kind, one.value) for one in known.listed("server")] == [("server", "media.example.org")]
    assert known.listed("title") == ()
    assert stat.S_IMODE((home / "known.db").stat().st_mode) == 0o600
    assert (known.forget(["MEDIA.example.org"]), known.forget(["media.example.org"])) == (1, 0)
    assert known.listed() == ()
    assert b"media.example.org" not in (home / "known.db").read_bytes()


def test_a_newer_file_is_left_alone(home: Path) -> None:
    known.add("server", ["media.example.org"])
    with sqlite3.connect(home / "known.db") as file:
        file.execute("PRAGMA user_version = 2")
    file.close()
    with pytest.raises(KnownError, match="was written by a newer phonehome; please update"):
        known.listed()


def test_a_damaged_file_is_one_sentence(home: Path) -> None:
    home.mkdir()
    (home / "known.db").write_bytes(b"no database" * 100)
    with pytest.raises(KnownError, match=r"known\.db: cannot be used: .*; move it away to begin anew"):
        known.add("server", ["media.example.org"])
