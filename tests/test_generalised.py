"""What was found of rounding, for programs and for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.cli import commands
from sessions import har, plex_web


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "session.har"
    path.write_bytes(har(plex_web()))
    return path


def shown(capture: Path, *options: str) -> str:
    run = CliRunner().invoke(
        commands, ["generalise", str(capture), *options], catch_exceptions=False, env={"COLUMNS": "200"}
    )
    assert run.exit_code == 0
    return run.stdout


def test_the_form_for_programs_is_as_promised(capture: Path) -> None:
    said = json.loads(shown(capture, "--format", "json"))
    assert said["schema"] == "phonehome/generalise/1"
    watched = next(q for q in said["quantities"] if q["item"] == "play.watched_time")
    promised = (
        "product", "item", "at", "unit", "pairs", "verdict", "step", "mode", "grid", "alternatives", "pooled", "reason",
    )  # fmt: skip
    assert {key: watched[key] for key in promised} == {
        "product": "plex",
        "item": "play.watched_time",
        "at": "body.properties.playbackTime",
        "unit": "s",
        "pairs": 2,
        "verdict": "rounded",
        "step": 60,
        "mode": "nearest",
        "grid": "fixed",
        "alternatives": [],
        "pooled": {"step": 60, "mode": "nearest"},
        "reason": "What was sent is what your own server was told (2 distinct exact numbers), rounded to the nearest "
        "60 s; no other grid fits.",
    }
    assert watched["shown"][0] == {
        "exact": 37.844,
        "reported": 60,
        "uncertainty": 0.1,
        "own_call": 5,
        "own_at": "query.playbackTime",
        "call": 6,
        "at": "body.properties.playbackTime",
        "event": "end",
        "derived": False,
    }
    duration = next(q for q in said["quantities"] if q["item"] == "media.duration")
    assert (duration["verdict"], duration["step"], duration["pooled"]) == (
        "rounded",
        None,
        {"step": 60, "mode": "nearest"},
    )
    assert {"step": 60, "mode": "nearest", "grid": "fixed"} in duration["alternatives"]
    (print_,) = said["fingerprints"]
    assert print_["tuples"][0]["duration"] == [630, 690]
    assert [k["catalogue"] for k in print_["tuples"][0]["k_ref"]] == [1_000, 10_000, 100_000, 1_000_000]


def test_people_see_both_answers_the_pairs_and_a_plot(capture: Path) -> None:
    text = shown(capture)
    assert "to the nearest 60 s" in text
    assert "perhaps to the nearest" in text
    assert "37.844 s" in text
    assert "┘" not in text
    assert "└──" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("form", "picture"), [("html", "<svg"), ("markdown", "└──")])
def test_each_form_has_its_picture(capture: Path, form: str, picture: str) -> None:
    assert picture in shown(capture, "--format", form)


def test_a_capture_without_numbers_says_so(capture: Path) -> None:
    capture.write_bytes(har([]))
    assert "No length, bit rate" in shown(capture)
    assert json.loads(shown(capture, "--format", "json"))["quantities"] == []
