"""The own library is kept, counted, used for its numbers, and forgotten without a trace."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import known
from analysis.known import LibraryFile, MediaFile, Work

FILM = Work(
    "movie",
    "The Zorblax Uprising",
    original="Der Zorblax-Aufstand",
    year=2017,
    ids=("imdb://tt0000017", "plex://movie/5d7768ba96b655001fdc0408"),
    pictures=("https://images.example/p/kqjL17yufvn9OVLyXYpv.jpg",),
    files=(
        MediaFile("/films/Zorblax (2017)/zorblax.2160p.mkv", 6345.5, 41_000, 3840, 1606, 32_000_000_000, "mkv", "hevc"),
        MediaFile("/films/Zorblax (2017)/zorblax.720p.mp4", 6345.0, 3_000, 1280, 536, 2_400_000_000, "mp4", "h264"),
    ),
)
EPISODE = Work("episode", "Copper Harbour", series="Quiet Meridian", season=1, episode=2, files=(MediaFile("e2.mkv"),))


def on_disk(home: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_library_gives_its_numbers_with_a_key_for_each_title() -> None:
    assert known.library() == ()
    kept = known.keep("plex", "http://nas.example:32400", [FILM, EPISODE])
    assert (kept.works, kept.files) == (2, 3)
    large, small, episode = known.library()
    assert large == LibraryFile(large.title, 6345.5, 41_000, 3840, 1606, 32_000_000_000, "mkv", "hevc", "")
    assert large.title == small.title != episode.title
    assert episode[1:] == (None, None, None, None, None, "", "", "")


def test_reading_a_place_again_replaces_it_and_a_second_place_stands_beside_it() -> None:
    known.keep("plex", "http://nas.example:32400", [FILM, EPISODE])
    known.keep("plex", "http://nas.example:32400", [FILM])
    known.keep("folder", "/films", [FILM])
    assert [(one.importer, one.place, one.works, one.files) for one in known.imports()] == [
        ("plex", "http://nas.example:32400", 1, 2),
        ("folder", "/films", 1, 2),
    ]
    assert len({row.title for row in known.library()}) == 1


def test_a_library_that_cannot_be_read_to_its_end_leaves_what_was_known() -> None:
    known.keep("folder", "/films", [FILM])

    def broken() -> Iterator[Work]:
        yield EPISODE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        known.keep("folder", "/films", broken())
    assert [one.works for one in known.imports()] == [1]
    assert len(known.library()) == 2


def test_ids_paths_and_pictures_are_kept_as_hashes_for_the_user_alone(home: Path) -> None:
    known.keep("plex", "http://nas.example:32400", [FILM])
    assert stat.S_IMODE((home / "known.db").stat().st_mode) == 0o600
    kept = on_disk(home)
    assert b"The Zorblax Uprising" in kept
    assert b"zorblax.2160p.mkv" in kept
    for secret in (b"tt0000017", b"5d7768ba96b655001fdc0408", b"/films/Zorblax", b"kqjL17yufvn9OVLyXYpv"):
        assert secret.lower() not in kept.lower()


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (["http://nas.example:32400/"], 2),
        (["the zorblax uprising", "E2.MKV"], 2),
        (["/films/Zorblax (2017)/zorblax.720p.mp4", "Copper Harbour"], 2),
        (None, 2),
    ],
)
def test_what_is_forgotten_leaves_no_byte_behind(home: Path, asked: list[str] | None, count: int) -> None:
    known.keep("plex", "http://nas.example:32400", [FILM, EPISODE])
    assert known.forget_library(asked) == count
    assert known.library() == ()
    left = on_disk(home).lower()
    for gone in ("Zorblax", "Aufstand", "Copper Harbour", "e2.mkv"):
        assert gone.lower().encode() not in left
    assert known.forget_library(asked) == 0


def test_near_misses_are_not_forgotten() -> None:
    known.keep("folder", "/films", [FILM])
    assert known.forget_library(["Zorblax Uprising", "/films/zorblax.720p.mp4", "/film"]) == 0
    assert len(known.library()) == 2
