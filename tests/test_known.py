"""What the user named stays, and stays his."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from analysis import known
from analysis.known import KnownError
from analysis.known.file_hashes import file_hashes


def values(kind: str = "") -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in known.listed(kind)]


def test_nothing_is_known_and_nothing_is_made_before_something_is_named(home: Path) -> None:
    assert known.listed() == ()
    assert known.load() is None
    assert not (home / "known.db").exists()


def test_a_server_is_named_once_and_forgotten(home: Path) -> None:
    known.add("server", ["Media.Example.org ", "media.example.org", " "])
    assert values("server") == [("server", "media.example.org")]
    assert known.listed("title") == ()
    assert stat.S_IMODE((home / "known.db").stat().st_mode) == 0o600
    assert (known.forget(["MEDIA.example.org"]), known.forget(["media.example.org"])) == (1, 0)
    assert known.listed() == ()
    assert b"media.example.org" not in (home / "known.db").read_bytes()


def test_a_value_is_kept_as_it_was_given_but_addresses_in_one_spelling() -> None:
    known.add("title", ["  The Zorblax  Uprising "])
    known.add("mac", ["2A-11-CE-00-00-02"])
    known.add("ip", ["2001:DB8:0:0::7"])
    assert values() == [("ip", "2001:db8::7"), ("mac", "2a:11:ce:00:00:02"), ("title", "The Zorblax Uprising")]
    assert known.forget(["2a11ce000002", "the zorblax uprising"]) == 2
    assert values() == [("ip", "2001:db8::7")]


def test_without_a_kind_a_value_is_what_it_looks_like() -> None:
    added = known.add("", ["alice@example.org", "203.0.113.7", "2a:11:ce:00:00:02", "nas.example", "a b.mkv", "Otto"])
    assert added == (("email", "ip", "mac", "host", "file", "name"), ())


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (
            "title",
            "Up",
            "is too short to be told from chance; add a longer form of it, such as the title with its year",
        ),
        ("name", "Al", "is too short to be told from chance; add a longer form of it, such as first and last name"),
        ("serial", "12345678", "is too short to be told from chance; add a longer form of it"),
        ("library", "TV Shows", "stands in too many requests to mean anything; add a form of it that only you have"),
        ("ip", "192.168.1.1", "stands in too many requests to mean anything; add a form of it that only you have"),
        ("ip", "203.0.113", "is no IP address; give one such as 203.0.113.7 or 2001:db8::7"),
        ("mac", "2a:11", "is no MAC address; give one such as 2a:11:ce:00:00:02"),
        ("email", "alice", "is no e-mail address; give one such as name@example.org, or choose another --kind"),
        ("token", "x" * 1001, "is longer than 1,000 characters; give a part of it that is unlike any other"),
    ],
)
def test_a_value_that_says_too_little_is_refused_without_repeating_it(kind: str, value: str, said: str) -> None:
    added = known.add(kind, ["Zorblax Uprising" if kind in ("title", "name", "library") else " ", value])
    number = 2 if added.kinds else 1
    assert added.refused == (f"value {number} ({kind}): {said}",)
    assert value not in dict(values()).values()


@pytest.mark.parametrize(
    "kind_and_value", [("title", "Vertigo"), ("name", "Otto"), ("serial", "7081922334"), ("ip", "203.0.113.7")]
)
def test_a_value_just_long_enough_is_taken(kind_and_value: tuple[str, str]) -> None:
    assert known.add(kind_and_value[0], [kind_and_value[1]]).refused == ()
    assert values() == [kind_and_value]


def test_a_server_is_taken_however_common_its_name_is_and_not_searched_for() -> None:
    known.add("server", ["192.168.1.1", "media.example.org"])
    own = known.load()
    assert own
    assert [one.value for one in own.values] == ["media.example.org"]


def test_a_file_that_is_there_brings_its_hashes_and_takes_them_along(tmp_path: Path, home: Path) -> None:
    film = tmp_path / "Zorblax (2031).mkv"
    film.write_bytes(bytes(range(256)) * 600)
    known.add("file", [str(film)], file_hashes)
    kinds = [kind for kind, _ in values()]
    assert kinds == ["ed2k", "file", "md5", "moviehash", "sha1"]
    digest = dict(values())["moviehash"]
    assert known.forget([film.name]) == 1
    assert values() == []
    assert digest.encode() not in (home / "known.db").read_bytes()


def test_a_file_that_is_not_there_is_a_name() -> None:
    known.add("file", ["/nowhere/Zorblax (2031).mkv"], file_hashes)
    assert values() == [("file", "Zorblax (2031).mkv")]
    assert known.forget(["/nowhere/Zorblax (2031).mkv"]) == 1


def test_a_file_of_the_first_version_is_still_read(home: Path) -> None:
    with sqlite3.connect(home / "known.db") as file:
        file.executescript(
            "CREATE TABLE known (kind TEXT NOT NULL, value TEXT NOT NULL, added REAL NOT NULL, "
            "PRIMARY KEY (kind, value)) STRICT; INSERT INTO known VALUES ('server', 'nas.example', 1.5); "
            "PRAGMA user_version = 1;"
        )
    file.close()
    assert known.listed() == (("server", "nas.example", 1.5, ""),)


def test_a_newer_file_is_left_alone(home: Path) -> None:
    known.add("server", ["media.example.org"])
    with sqlite3.connect(home / "known.db") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(KnownError, match="was written by a newer phonehome; please update"):
        known.listed()


def test_a_damaged_file_is_one_sentence(home: Path) -> None:
    (home / "known.db").write_bytes(b"no database" * 100)
    with pytest.raises(KnownError, match=r"known\.db: cannot be used: .*; move it away to begin anew"):
        known.add("server", ["media.example.org"])
