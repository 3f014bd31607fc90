"""The demo: the whole way, through the real proxy, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import options
from analysis.cli.options import Question
from analysis.demo import household as home
from analysis.report import as_json, html
from analysis.report.private import private

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo keeps its recording."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """One run of the demo, as it is shown on a terminal."""
    environment = {**os.environ, "PHONEHOME_HOME": str(folder / "home"), "COLUMNS": "92", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "analysis", "demo", "--keep", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=environment,
        check=True,
    )


@pytest.fixture(scope="module")
def told(run: subprocess.CompletedProcess[str], folder: Path) -> str:
    """Its recording as JSON."""
    assert run.returncode == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(folder / "home"))
        return as_json.render(options.answer(Question((str(folder / "demo.ledger"),))), grace=0)


@pytest.fixture(scope="module")
def report(told: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(told)
    return parsed


@pytest.mark.usefixtures("told")
def test_its_page_has_its_pictures_and_each_as_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(folder / "home"))
    page = html.render(private(options.answer(Question((str(folder / "demo.ledger"),))), grace=0, page=True))
    assert len(re.findall('<svg class="picture', page)) >= 2
    assert len(re.findall('<details class="more same', page)) >= 2
    assert page.count('<svg class="bar') >= 8


@pytest.mark.usefixtures("told")
def test_its_recording_is_one_file_also_after_it_was_read(folder: Path) -> None:
    assert {path.name for path in folder.iterdir() if path.is_file()} <= {"demo.ledger", "demo.ledger.index"}


def test_it_names_every_purpose_and_keeps_own_traffic_apart(report: dict[str, Any]) -> None:
    seen = Counter((call["category"], call["party"], call["entity"] or "") for call in report["calls"])
    assert seen == {
        ("update-check", "vendor", "Plex"): 2,
        ("remote-discovery", "vendor", "Plex"): 6,
        ("metadata-lookup", "vendor", "Plex"): 1,
        ("account-auth", "vendor", "Plex"): 1,
        ("usage-statistics", "vendor", "Plex"): 33,
        ("settings", "vendor", "Plex"): 1,
        ("advertising", "third-party", "Google"): 1,
        ("crash-report", "third-party", "Functional Software"): 1,
        ("server-api", "own", ""): 18,
        ("playback-report", "own", ""): 48,
    }


@pytest.mark.parametrize(
    ("item", "category", "entity", "verdict"),
    [
        ("media.duration", "usage-statistics", "Plex", "optional"),
        ("media.bitrate", "usage-statistics", "Plex", "optional"),
        ("play.position_time", "usage-statistics", "Plex", "optional"),
        ("play.watched_time", "usage-statistics", "Plex", "declared"),
        ("media.codec_container", "usage-statistics", "Plex", "declared"),
        ("account.id", "usage-statistics", "Plex", "undeclared"),
        ("library.counts", "usage-statistics", "Plex", "identifiable"),
        ("account.email", "account-auth", "Plex", "declared"),
        ("account.password", "account-auth", "Plex", "declared"),
        ("net.lan_ip", "remote-discovery", "Plex", "declared"),
        ("media.title", "metadata-lookup", "Plex", "identifiable"),
        ("client.id", "advertising", "Google", "declared"),
        ("account.id", "crash-report", "Functional Software", "undeclared"),
    ],
)
def test_it_judges_by_the_list(report: dict[str, Any], item: str, category: str, entity: str, verdict: str) -> None:
    found = [
        c["verdict"]
        for c in report["comparisons"]
        if (c["item"], c["category"], c["entity"]) == (item, category, entity) and c["count"]
    ]
    assert found == [verdict]


def test_nobody_is_accused_of_traffic_between_own_machines(report: dict[str, Any]) -> None:
    own = {call["n"] for call in report["calls"] if call["party"] == "own"}
    assert own
    assert [c for c in report["comparisons"] if own & set(c["calls"])] == []


def test_no_title_is_in_the_statistics_and_the_exact_length_stays_at_home(report: dict[str, Any]) -> None:
    party = {call["n"]: call["party"] for call in report["calls"]}
    category = {call["n"]: call["category"] for call in report["calls"]}
    lengths = {
        (party[f["call"]], f["value"])
        for f in report["findings"]
        if f["item"] == "media.duration" and f["direction"] == "sent"
    }
    exact = {("own", str(film.duration)) for film in home.FILMS}
    rounded = {("vendor", str(home.to_minute(film.duration))) for film in home.FILMS}
    assert lengths == exact | rounded
    assert ("vendor", "5460") in rounded
    titles = {
        category[f["call"]] for f in report["findings"] if f["item"] == "media.title" and f["direction"] == "sent"
    }
    assert titles == {"metadata-lookup"}


def test_everything_could_be_read_and_nothing_is_unknown(report: dict[str, Any]) -> None:
    coverage = report["coverage"]
    assert {key: coverage[key] for key in ("calls", "readable", "unreadable", "unknown_category", "recipients")} == {
        "calls": 112,
        "readable": 112,
        "unreadable": 0,
        "unknown_category": 0,
        "recipients": len(home.CLOUD_HOSTS),
    }


def test_all_three_promises_are_judged(report: dict[str, Any]) -> None:
    found = {promise["kind"]: promise["verdict"] for promise in report["promises"]}
    assert found == {"rounded": "kept", "switched-off": "not-in-force", "listed": "broken"}
    texts = {promise["kind"]: promise["text"] for promise in report["promises"]}
    assert "some of it was no longer sent (bit rate, kind of media, length of the film)" in texts["switched-off"]
    assert "the policy in force lists these as always collected" in texts["switched-off"]


def test_the_list_is_laid_beside_what_was_seen(report: dict[str, Any]) -> None:
    (beside,) = report["lists"]
    assert (beside["product"], beside["listed"], beside["with_switch"]) == ("plex", 143, 15)
    states = {switch["switch"]: switch["on"] for switch in beside["switches"]}
    assert states["send-playback-data"] is False
    assert report["watching"] == [
        {"entity": "Google", "what": [], "joins": ["client.id", "net.public_ip"], "advertises": True}
    ]


def test_secrets_stand_in_the_recording_as_pseudonyms_only(told: str) -> None:
    assert home.TOKEN not in told
    assert home.SERVER_TOKEN not in told
    assert home.PASSWORD not in told
    assert home.EMAIL in told


def test_it_says_each_step_and_ends_with_two_commands(run: subprocess.CompletedProcess[str]) -> None:
    lines = run.stderr.rstrip().splitlines()
    assert lines[-2:] == ["  phonehome watch", "  phonehome inspect FILE.har"]
    assert any("signs in" in line for line in lines)


SHOWN = re.compile(r"(?<=<!-- demo: the beginning of the report -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def test_the_picture_of_the_report_in_the_readme_is_what_it_prints(run: subprocess.CompletedProcess[str]) -> None:
    """`UPDATE_README=1` writes it anew."""
    lines = [line.rstrip() for line in run.stdout.splitlines()]
    picture = "\n```\n" + "\n".join([*lines[: lines.index("Who was called") + 10], "…"]) + "\n```\n"
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    if os.environ.get("UPDATE_README"):
        readme.write_text(SHOWN.sub(lambda _: picture, text), "utf-8")
    else:
        assert [_timeless(shown) for shown in SHOWN.findall(text)] == [_timeless(picture)]


def _timeless(text: str) -> str:
    """A picture whatever the demo took, and where its lines were broken for it."""
    return re.sub(r"In \d+ seconds?,", "In 1 second,", " ".join(text.split()))
