"""The made-up catalogue, and what shares it gives."""

from __future__ import annotations

import pytest

from analysis.film_model import OTHERS, USUAL, Cell, Model, account, catalogue, series, share, titles

FILM = Cell((6_000, 6_060), (7_936, 8_448), "1080", "h264", "aac", "mkv")


def of(cell: Cell) -> float:
    return float(share([cell])[0])


@pytest.mark.parametrize("model", [USUAL, *OTHERS.values()])
def test_lengths_of_all_films_add_up_to_one(model: Model) -> None:
    every = [Cell((60 * n, 60 * n + 60)) for n in range(2_000)]
    assert share(every, model).sum() == pytest.approx(1, abs=1e-3)


def test_every_part_that_is_sent_narrows_it_down_and_none_sent_leaves_all() -> None:
    assert of(Cell()) == pytest.approx(1)
    for detail in ("duration", "bitrate", "resolution", "video_codec", "audio_codec", "container"):
        assert of(FILM.without(detail)) > of(FILM)


def test_a_coarser_length_and_more_files_of_a_title_hide_it_better() -> None:
    assert of(Cell((5_700, 6_300))) > 9 * of(Cell((6_000, 6_060)))
    assert (
        share([FILM], OTHERS["twenty files of each title"])[0]
        > of(FILM)
        > share([FILM], OTHERS["one file of each title"])[0]
    )


def test_shares_agree_with_films_that_are_drawn() -> None:
    drawn = catalogue(20_000)
    within = sum(6_000 <= length <= 6_600 for length, _, _ in drawn) / len(drawn)
    assert of(Cell((6_000, 6_600))) == pytest.approx(within, rel=0.06)
    hd = [cell for _, _, cell in drawn if cell.resolution == "1080"]
    assert len(hd) / len(drawn) == pytest.approx(0.55, abs=0.02)


def test_a_film_that_nothing_was_said_of_is_one_of_all_and_one_alone_is_one() -> None:
    assert titles(1.0, 1_000) == 1_000
    assert titles(0.0, 1_000) == 1


def test_a_row_of_episodes_is_rarer_than_one_and_so_are_all_films_of_an_account() -> None:
    episode = Cell((2_580, 2_640), None, "1080", kind="episode")
    assert 0 < series([episode] * 3) < series([episode] * 2) < series([episode]) == of(episode)
    assert 0 < account([FILM, Cell((7_200, 7_260))]) < account([FILM]) < 1
