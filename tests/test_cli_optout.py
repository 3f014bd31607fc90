"""`phonehome optout`, on the demo's cloud: the switch is really turned between two runs through the real proxy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.cli import commands
from analysis.cli.demo import record
from analysis.demo import play


def optout(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["optout", *arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings: the statistics are on, and turned off at the end; then the same evening again."""
    folder = tmp_path_factory.mktemp("two-evenings")
    evenings = {
        "before.ledger": (play.arrival, play.films, play.departure, play.switch),
        "after.ledger": (play.another_day, play.films_again, play.departure),
    }
    for name, parts in evenings.items():
        (work := folder / f"for-{name}").mkdir()
        record(work, folder / name, parts)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    run = optout("--grace", "0", "--format", "json", str(folder / "before.ledger"), str(folder / "after.ledger"))
    assert run.exit_code == 0, run.stderr
    parsed: dict[str, Any] = json.loads(run.stdout)
    return parsed


def test_what_is_optional_stopped_and_the_rest_of_the_statistics_goes_on(report: dict[str, Any]) -> None:
    assert report["schema"] == "phonehome/optout/1"
    verdicts = {(row["item"], row["entity"]): row["verdict"] for row in report["items"]}
    assert {item for (item, _), verdict in verdicts.items() if verdict == "stopped"} == {
        "media.duration", "media.bitrate", "play.position_time",
    }  # fmt: skip
    assert {row["listed"] for row in report["items"] if row["verdict"] == "stopped"} == {"optional"}
    assert verdicts["media.type", "Plex"] == "cannot-tell"  # a film was looked up once, which carried it too
    goes_on = {"media.codec_container", "play.watched_time", "account.id", "client.id", "library.counts", "net.lan_ip"}
    assert {item for item in goes_on if verdicts[item, "Plex"] != "goes-on"} == set()
    assert {verdict for verdict in verdicts.values() if verdict in ("new", "reduced")} == set()


def test_each_item_says_how_often_it_came_and_how_often_it_was_to_come(report: dict[str, Any]) -> None:
    (row,) = [row for row in report["items"] if row["item"] == "media.duration"]
    assert {key: row[key] for key in ("product", "recipient", "before", "after", "expected", "switch")} == {
        "product": "plex",
        "recipient": "vendor",
        "before": 16,
        "after": 0,
        "expected": 16.0,
        "switch": "send-playback-data",
    }
    assert "1 in 12,870" in row["reason"]


def test_the_switch_is_recognised_and_what_a_function_needs_is_listed(report: dict[str, Any]) -> None:
    assert [(s["product"], s["switch"], s["on"]) for s in report["switches"]] == [("plex", "send-playback-data", False)]
    beyond = {row["category"]: set(row["beyond"]) for row in report["exceptions"]}
    assert "net.lan_ip" in beyond["remote-discovery"]
    assert {"auth.token", "server.machine_id", "server.name"} <= beyond["update-check"]


def test_what_was_done_once_is_not_enough_to_tell(report: dict[str, Any]) -> None:
    (row,) = [row for row in report["items"] if row["item"] == "account.password"]
    assert (row["before"], row["after"], row["verdict"]) == (1, 0, "cannot-tell")


def test_with_the_time_of_grace_so_short_a_recording_says_nothing(folder: Path) -> None:
    run = optout("--format", "json", str(folder / "before.ledger"), str(folder / "after.ledger"))
    report = json.loads(run.stdout)
    assert {row["verdict"] for row in report["items"]} == {"cannot-tell"}
    assert report["left_out"] > 20


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "csv"])
def test_every_format_tells_it(folder: Path, form: str) -> None:
    files = ("--off", str(folder / "after.ledger"), "--on", str(folder / "before.ledger"))
    run = optout("--grace", "0", "--format", form, *files)
    assert run.exit_code == 0, run.stderr
    assert "bit rate" in run.stdout
    assert "1 in 12,870" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give BEFORE AFTER"),
        (("before.ledger", "after.ledger", "after.ledger"), "give BEFORE AFTER"),
        (("--off", "after.ledger"), "both are needed"),
        (("before.ledger", "--off", "after.ledger", "--on", "before.ledger"), "give either BEFORE AFTER"),
        (("after.ledger",), "no change of a switch is seen in it"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(folder: Path, arguments: tuple[str, ...], complaint: str) -> None:
    run = optout(*(str(folder / a) if a.endswith(".ledger") else a for a in arguments))
    assert run.exit_code == 2
    assert complaint in run.stderr
    assert isinstance(run.exception, SystemExit)
    assert run.stdout == ""
