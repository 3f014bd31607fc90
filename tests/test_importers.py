"""A library is read from each kind of source, from nobody else, and is gone when it is forgotten."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import media_servers
from analysis import known
from analysis.importers import IMPORTERS, Access, ImportProblem, importer_of, place_of
from analysis.known import MediaFile, Work
from media_servers import PASSWORD, TOKEN, films, serving

ROOT = Path(__file__).parents[1]
FEW = films(1203)


def read(source: str, access: Access = Access(token=TOKEN)) -> list[Work]:  # noqa: B008 - it never changes
    return list(IMPORTERS[importer_of(source, access)].read(source, access, lambda _: None))


def phonehome(*arguments: str, home: Path, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", "known", *arguments],
        capture_output=True,
        text=True,
        input=given,
        cwd=ROOT,
        env={**os.environ, "PHONEHOME_HOME": str(home), **environment},
        check=False,
    )


def test_plexapi_reads_all_pages_of_a_plex_server() -> None:
    expected: list[int] = []
    with serving(media_servers.plex(FEW)) as address:
        works = list(IMPORTERS["plex"].read(address, Access(token=TOKEN), expected.append))
        assert importer_of(address, Access()) == "plex"
    assert len(works) == sum(expected) == 1203 + 3
    film = FEW[7]
    assert works[7] == Work(
        "movie",
        film.title,
        original="Der Harbour 7",
        year=1957,
        ids=("plex://movie/000000000000000000000007", "imdb://tt0000007", "tmdb://7"),
        pictures=(
            "/library/metadata/1007/thumb/1700000000",
            "https://images.example/posters/00000000000000000000000000000007.jpg",
        ),
        files=(MediaFile(film.path, 5008.659, 4007, 1920, 800, 1_000_000_007, "mkv", "h264", "ac3"),),
    )
    assert works[-2:] == [
        Work(
            "episode",
            title,
            series="The Unlikely Ferrymen",
            season=1,
            episode=number,
            ids=(f"plex://episode/00000000000000000000bbb{number}",),
            files=(
                MediaFile(
                    f"/series/f.s01e0{number}.mp4", 2700.0, 2500, 1280, 720, 900_000_000 + number, "mp4", "hevc", "aac"
                ),
            ),
        )
        for number, title in ((1, "A Toll Is Asked For"), (2, "Low Water Marks"))
    ]


@pytest.mark.parametrize("access", [Access(token=TOKEN), Access(user="anna", password=PASSWORD)], ids=["key", "name"])
def test_all_pages_of_a_jellyfin_server_are_read(access: Access) -> None:
    with serving(media_servers.jellyfin(FEW)) as address:
        works = read(address, access)
    assert len(works) == 1203
    film = FEW[7]
    assert works[7] == Work(
        "movie",
        film.title,
        original="Der Harbour 7",
        year=1957,
        ids=("Imdb://tt0000007", "Tmdb://7"),
        pictures=("00000000000000000000000000000008",),
        files=(MediaFile(film.path, 5008.659, 4000, 1920, 800, 1_000_000_007, "mkv", "hevc", "aac"),),
    )


@pytest.mark.parametrize("server", [media_servers.plex, media_servers.jellyfin])
def test_a_wrong_token_is_told_without_it(server: object) -> None:
    with serving(server(FEW[:1])) as address:  # type: ignore[operator]
        with pytest.raises(ImportProblem, match="does not accept this token or password") as told:
            read(address, Access(token="wrong-token-9"))
        assert "wrong-token-9" not in str(told.value)
    assert "wrong-token-9" not in repr(Access(token="wrong-token-9", password="wrong-token-9"))


@pytest.mark.parametrize("kind", ["plex", "jellyfin"])
def test_no_token_follows_a_redirect(kind: str) -> None:
    asked: list[dict[str, str]] = []

    def other(_: str, __: str, ___: dict[str, str], headers: dict[str, str], ____: bytes) -> media_servers.Answer:
        asked.append(headers)
        return 200, "text/plain", b""

    with (
        serving(other) as elsewhere,
        serving(lambda *_: (302, "text/plain", elsewhere.encode())) as address,
        pytest.raises(ImportProblem, match="sends us elsewhere"),
    ):
        list(IMPORTERS[kind].read(address, Access(token=TOKEN), lambda _: None))
    assert asked == []


def test_what_is_no_media_server_or_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    with (
        serving(lambda *_: (200, "text/html", b"<html>")) as address,
        pytest.raises(ImportProblem, match="answers as no Plex, Jellyfin or Emby server"),
    ):
        importer_of(address, Access())
    with pytest.raises(ImportProblem, match="cannot be reached"):
        importer_of(address, Access())
    with pytest.raises(ImportProblem, match="there is no such file or folder"):
        importer_of(str(tmp_path / "none"), Access())
    with pytest.raises(ImportProblem, match="is no folder"):
        importer_of(__file__, Access())


def test_damaged_answers_are_told() -> None:
    def broken(_: str, path: str, *__: object) -> media_servers.Answer:
        if path == "/System/Info/Public":
            return media_servers.as_json({"ServerName": "x"})
        return (
            200,
            "application/json",
            b'{"Items": [{"Name": 7, "MediaSources": {"a": 1}}, 9], "TotalRecordCount": "x"}',
        )

    with serving(broken) as address:
        assert read(address) == [Work("", "")]
    with (
        serving(lambda *_: (200, "text/xml", b"<MediaContainer machineIdentifier='x'><Dir")) as address,
        pytest.raises(ImportProblem, match="breaks off"),
    ):
        read(address)


def test_a_folder_is_known_by_names_sizes_and_hashes(tmp_path: Path) -> None:
    (tmp_path / "f" / ".trash").mkdir(parents=True)
    (tmp_path / "f" / ".trash" / "gone.mkv").write_bytes(b"x")
    (tmp_path / "f" / "note.txt").write_bytes(b"x")
    (tmp_path / "f" / "The.Zorblax.Uprising.2031.1080p.x264-GRP.mkv").write_bytes(bytes(131_072) + b"\1")
    (tmp_path / "f" / "Quiet Meridian S01E02 Copper Harbour.mp4").write_bytes(b"x")
    episode, film = (str(path) for path in sorted((tmp_path / "f").glob("*.m*")))
    assert read(str(tmp_path / "f")) == [
        Work("show", "Quiet Meridian"),
        Work(
            "episode",
            "Copper Harbour",
            series="Quiet Meridian",
            season=1,
            episode=2,
            files=(MediaFile(episode, size=1, container="mp4"),),
        ),
        Work(
            "movie",
            "The Zorblax Uprising",
            year=2031,
            files=(MediaFile(film, size=131_073, container="mkv", moviehash="0100000000020001"),),
        ),
    ]


NFO = """<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<movie><title>The Zorblax Uprising</title><originaltitle>L'été</originaltitle><premiered>2031-02-03</premiered>
<uniqueid type="imdb" default="true">tt7654321</uniqueid>
<thumb aspect="poster">https://images.example/p/kqjL17yufvn9OVLyXYpv.jpg</thumb>
<fileinfo><streamdetails><video><codec>hevc</codec><width>1920</width><height>800</height>
<durationinseconds>6345</durationinseconds></video><audio><codec>aac</codec></audio></streamdetails></fileinfo></movie>
"""
TOLD = Work(
    "movie",
    "The Zorblax Uprising",
    original="L'été",
    year=2031,
    ids=("imdb://tt7654321",),
    pictures=("https://images.example/p/kqjL17yufvn9OVLyXYpv.jpg",),
)


def test_a_folder_of_kodi_is_read_from_its_nfo_files(tmp_path: Path) -> None:
    (tmp_path / "z.mkv").write_bytes(b"xy")
    (tmp_path / "z.nfo").write_text(NFO + "https://www.example/title/tt7654321", "utf-8")
    (tmp_path / "left over.mkv").write_bytes(b"x")
    (tmp_path / "broken.nfo").write_text("<movie><title>never</movie>")
    (tmp_path / "tvshow.nfo").write_text("<tvshow><title>Quiet Meridian</title><year>2011</year></tvshow>")
    file = MediaFile(str(tmp_path / "z.mkv"), 6345.0, None, 1920, 800, 2, "mkv", "hevc", "aac")
    assert read(str(tmp_path)) == [
        Work("show", "Quiet Meridian", year=2011),
        Work(**{name: getattr(TOLD, name) for name in TOLD.__slots__ if name != "files"}, files=(file,)),
        Work("movie", "left over", files=(MediaFile(str(tmp_path / "left over.mkv"), size=1, container="mkv"),)),
    ]


def test_an_export_of_kodi_is_read_and_one_that_unfolds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "videodb.xml"
    path.write_text(f"<videodb>{NFO.partition('?>')[2]}<tvshow><title>Quiet Meridian</title></tvshow></videodb>")
    assert [(work.kind, work.title, len(work.files)) for work in read(str(path))] == [
        ("movie", "The Zorblax Uprising", 1),
        ("show", "Quiet Meridian", 0),
    ]
    path.write_text(
        '<!DOCTYPE v [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><videodb><movie><title>&b;</title></movie></videodb>'
    )
    with pytest.raises(ImportProblem, match="does not begin like Kodi's export"):
        read(str(path))
    path.write_text("<videodb><movie><title>a</title></movie><movie>")
    with pytest.raises(ImportProblem, match="is damaged in line 1"):
        read(str(path))


def test_a_table_is_read_by_its_headings(tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_bytes(
        b"\xef\xbb\xbfTitle;Release Year;File Path;IMDb ID;TMDB;Duration;Bitrate;Size;odd\r\n"
        b"The Zorblax Uprising;2031;/f/z.mkv;tt7654321;17;1:45:45;4100;1000000;x\r\n"
        b'"Quiet; Harbour";x;;;;6345500;4100000;;\r\n;;;;;;;;\r\nShort\r\n'
    )
    assert read(str(path)) == [
        Work(
            "movie",
            "The Zorblax Uprising",
            year=2031,
            ids=("imdb://tt7654321", "tmdb://17"),
            files=(MediaFile("/f/z.mkv", 6345.0, 4100, size=1_000_000),),
        ),
        Work("movie", "Quiet; Harbour", files=(MediaFile("", 6345.5, 4100),)),
        Work("movie", "Short"),
    ]


def test_a_table_without_titles_or_with_a_damaged_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ImportProblem, match="names no column title or file"):
        read(str(path))
    path.write_text("title\n" + "x" * (csv.field_size_limit() + 1) + "\n")
    with pytest.raises(ImportProblem, match="line 2: field larger than field limit"):
        read(str(path))


def test_a_source_is_remembered_without_what_is_secret_in_it() -> None:
    assert place_of("https://anna:secret@nas.example:8920/emby/?api_key=secret#x") == "https://nas.example:8920/emby"


@pytest.fixture
def plex() -> Iterator[str]:
    with serving(media_servers.plex(films(20))) as address:
        yield address


def test_the_command_reads_says_what_it_read_and_keeps_no_token(plex: str, home: Path) -> None:
    done = phonehome("import", plex, "--token-file", "-", home=home, given=TOKEN + "\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        f"read from {plex} (plex): 23 titles, 22 files; to forget them: phonehome known forget {plex}\n"
    )
    assert TOKEN.encode() not in (home / "known.db").read_bytes()
    assert phonehome("list", home=home).stdout == f"library\t{plex}\tplex: 23 titles, 22 files\n"
    assert "title\tA Toll Is Asked For\n" in phonehome("list", "--library", home=home).stdout
    again = phonehome("import", plex, "--keep-token", home=home, PHONEHOME_TOKEN=TOKEN)
    assert again.returncode == 0
    assert [one[:2] for one in known.listed()] == [("token", TOKEN)]
    wrong = phonehome("import", plex, home=home)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "does not accept this token" in wrong.stderr
    assert [one.works for one in known.imports()] == [23]


def test_a_canary_is_made_looked_for_and_forgotten(tmp_path: Path, home: Path) -> None:
    done = phonehome("canary", str(tmp_path), home=home)
    path = Path(done.stdout.strip())
    assert done.returncode == 0
    assert path.is_file()
    assert sorted({one.kind for one in known.listed()}) == ["canary", "ed2k", "file", "md5", "moviehash", "sha1"]
    title = next(one.value for one in known.listed("canary"))
    assert path.name.startswith(title)
    assert phonehome("forget", "--all", home=home).returncode == 0
    left = b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())
    assert title.encode() not in left
    assert known.load() is None
    assert phonehome("forget", home=home).returncode == 2
