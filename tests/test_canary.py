"""The invented film is a real file that plays, and its title stands nowhere else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis import canary
from analysis.known.file_hashes import moviehash
from analysis.known.kinds import bits, refusal, squeezed


def test_no_two_invented_films_are_alike() -> None:
    films = [canary.invent() for _ in range(200)]
    assert len({film.title for film in films}) == 200
    for film in films:
        assert refusal("title", film.title) == ""
        assert bits(squeezed(film.title)) > 60
        assert 120 <= film.seconds < 540


def test_the_file_is_new_small_and_known_by_its_hash(tmp_path: Path) -> None:
    film = canary.invent()
    path = canary.write(film, tmp_path)
    assert path.name == f"{film.title} ({film.year}).mp4"
    assert path.stat().st_size < 300_000
    assert len(moviehash(path)) == 16
    with pytest.raises(FileExistsError):
        canary.write(film, tmp_path)


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed")
def test_the_film_plays_for_as_long_as_it_says(tmp_path: Path) -> None:
    film = canary.invent()
    path = canary.write(film, tmp_path)
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)],
        capture_output=True,
        check=True,
    )
    assert probe.stderr == b""
    told = json.loads(probe.stdout)
    stream = told["streams"][0]
    assert (stream["codec_name"], stream["profile"], stream["width"], stream["height"]) == (
        "h264",
        "Constrained Baseline",
        320,
        240,
    )
    assert int(stream["nb_read_frames"]) == film.seconds
    assert float(told["format"]["duration"]) == film.seconds
    assert told["format"]["tags"]["title"] == film.title
    assert told["format"]["tags"]["date"] == str(film.year)


def test_a_damaged_film_does_not_pass_as_one_that_plays(tmp_path: Path) -> None:
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed")
    content = bytearray(canary.film(canary.invent()))
    content[content.index(b"mdat") + 8 : content.index(b"mdat") + 4000] = bytes(3992)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    probe = subprocess.run(["ffprobe", "-v", "error", "-count_frames", str(path)], capture_output=True, check=False)
    assert probe.stderr != b""
