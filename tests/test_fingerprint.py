"""How much the numbers of a capture tell of a film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.fingerprint import Fingerprint, Steps, fingerprint
from analysis.generalise import generalise
from analysis.grid import Candidate
from analysis.known.library import LibraryFile
from sessions import plex_web, statistics
from test_generalise import result_of

MINUTE = Candidate("fixed", 60.0, "nearest")
RATE = Candidate("powers-of-two", 512.0, "nearest")


def told(tmp_path: Path, steps: Steps, *library: LibraryFile, **properties: Any) -> Fingerprint:
    events = [statistics(0, "playback:itemstart", **{"duration": 6000, "bitrate": 8192, **properties})]
    found = fingerprint(result_of(tmp_path, events), "plex", "Plex", [0], steps, library)
    assert found
    return found


def file(title: int, duration: float, bitrate: int = 8_100, codec: str = "h264") -> LibraryFile:
    return LibraryFile(title, duration, bitrate, 1920, 1080, None, "mkv", codec, "aac")


def test_numbers_as_they_are_are_shared_by_fewer_films_than_rounded_ones(tmp_path: Path) -> None:
    exact, coarse = told(tmp_path, Steps(None, None)), told(tmp_path, Steps(MINUTE, RATE))
    assert exact.shown[0].cell.duration == (5999, 6001)
    assert coarse.shown[0].cell.duration == (5970, 6030)
    assert coarse.shown[0].cell.bitrate == (7936, 8448)
    for fine, rounded in zip(exact.shown[0].titles, coarse.shown[0].titles, strict=True):
        assert 1 <= fine.expected < rounded.expected
        assert rounded.low <= rounded.expected <= rounded.high
    assert [s.catalogue for s in coarse.plays] == [1_000, 10_000, 100_000, 1_000_000]
    assert [s.named for s in coarse.films] == sorted((s.named for s in coarse.films), reverse=True)


def test_own_titles_with_the_same_numbers_are_counted_once_each(tmp_path: Path) -> None:
    library = (
        file(1, 5_980),
        file(1, 5_990),
        file(2, 6_020),
        file(3, 6_100),
        file(4, 6_000, 5_000),
        file(5, 6_000, codec="hevc"),
    )
    assert told(tmp_path, Steps(MINUTE, RATE), *library).shown[0].own == 2
    assert told(tmp_path, Steps(MINUTE, RATE)).shown[0].own is None


def test_what_would_hide_films_does_and_a_finer_rounding_does_not(tmp_path: Path) -> None:
    found = told(tmp_path, Steps(MINUTE, RATE))
    remedy = next(r for r in found.remedies if r.catalogue == 1_000_000)
    assert remedy.length
    assert remedy.bitrate
    hidden = told(
        tmp_path, Steps(Candidate("fixed", remedy.length, "nearest"), Candidate("fixed", remedy.bitrate, "nearest"))
    )
    assert hidden.films[-1].named <= 0.05
    assert hidden.films[-1].low >= 10
    finer = told(tmp_path, Steps(Candidate("fixed", remedy.length / 8, "nearest"), RATE))
    assert finer.films[-1].named > 0.05


def test_the_length_and_the_bit_rate_do_most(tmp_path: Path) -> None:
    weights = told(tmp_path, Steps(MINUTE, RATE)).weights
    assert {detail for detail, _ in weights[:2]} == {"duration", "bitrate"}
    assert [bits for _, bits in weights] == sorted((bits for _, bits in weights), reverse=True)


@pytest.mark.parametrize(
    ("name", "value", "item"),
    [
        ("guid", "plex://movie/5d7768244de0ee001fcc7fed", "media.external_id"),
        ("title", "The Invented Film", "media.title"),
        ("filename", "/films/invented.mkv", "media.file_path_or_name"),
    ],
)
def test_beside_what_names_the_film_rounding_does_not_matter(tmp_path: Path, name: str, value: str, item: str) -> None:
    assert told(tmp_path, Steps(MINUTE, RATE), **{name: value}).named_by == (item,)
    assert told(tmp_path, Steps(MINUTE, RATE)).named_by == ()


def test_the_session_of_plex_web_goes_by_the_common_step_and_is_linked_by_the_account(tmp_path: Path) -> None:
    (found,) = generalise(result_of(tmp_path, plex_web())).fingerprints
    assert found.shown[0].cell.duration == (630, 690)
    assert found.linked_by == ("account.id", "client.id")
    assert len(found.shown) == 1


def test_numbers_that_are_of_no_film_are_no_fingerprint(tmp_path: Path) -> None:
    result = result_of(tmp_path, [statistics(0, "client:view", latency=540)])
    assert fingerprint(result, "plex", "Plex", [0], Steps(None, None), ()) is None
