"""The chain of one call can be followed from its bytes to the verdicts, whatever stands in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.cli import commands

HOSTILE = "Dune \x1b[31m|<b>`x` \u202e"

WEB = {
    "deviceIdentifier": "browser-0001",
    "context": {"device": {"product": "Plex Web"}},
    "event": "playback:itemend",
    "properties": {
        "serverType": "owned", "identifier": "com.plexapp.plugins.library", "duration": 5460, "title": HOSTILE,
        "bitrate": 8192,
    },
}  # fmt: skip


def entry(url: str, body: str = "", **headers: str) -> dict[str, Any]:
    made = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    sizes = {"headersSize": -1, "bodySize": -1}
    content = {"size": 0, "mimeType": "text/plain", "text": ""}
    answer = {"status": 204, "statusText": "", "headers": [], "cookies": [], "content": content, "redirectURL": ""}
    request: dict[str, Any] = {"method": "POST", "url": url, "headers": made, "queryString": [], "cookies": []}
    if body:
        request["postData"] = {"mimeType": "text/plain", "text": body}
    return {
        "startedDateTime": "2025-06-15T03:00:00Z",
        "time": 5,
        "request": {**request, "httpVersion": "HTTP/2", **sizes},
        "response": {**answer, "httpVersion": "HTTP/2", **sizes},
        "cache": {},
        "timings": {"send": 1, "wait": 1, "receive": 1},
    }


@pytest.fixture
def capture(tmp_path: Path) -> str:
    entries = [
        entry("https://analytics.plex.tv/collect/event", json.dumps(WEB), referer="https://app.plex.tv/desktop"),
        entry("https://nobody.example/t?email=alice%40example.org"),
        entry("http://192.168.1.5:32400/identity"),
    ]
    file = tmp_path / "evening.har"
    har = {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}}
    file.write_text(json.dumps(har), "utf-8")
    return str(file)


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["explain", *words], env={"COLUMNS": "300"})


def chain(*words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run(*words, "--format", "json").output)
    return told


def test_every_stage_says_what_it_took_and_why(capture: str) -> None:
    told = chain(capture, "0")
    assert (told["schema"], told["call"]["n"], told["call"]["host"]) == ("phonehome/explain/1", 0, "analytics.plex.tv")
    assert told["rule"]["id"] == "plex/usage-statistics-web"
    assert told["rule"]["evidence"] == "captured"
    fitting = [c for c in told["candidates"] if not c["misfit"]]
    assert fitting[0]["rule"] == "plex/usage-statistics-web"
    assert [c["specificity"] for c in fitting] == sorted((c["specificity"] for c in fitting), reverse=True)
    assert (told["sender"]["product"], told["sender"]["attribution"]) == ("plex", "referer")
    assert told["sender"]["signs"][0]["at"] == "header.referer"
    assert told["party"]["why"] == "the name belongs to the domains of Plex"
    assert {"at": "body.properties.title", "encodings": [], "value": HOSTILE} in told["leaves"]
    assert {f["item"] for f in told["findings"]} >= {"media.title", "media.duration", "client.id"}


def test_each_statement_about_an_item_says_why_it_counts_or_not(capture: str) -> None:
    judged = {c["item"]: c for c in chain(capture, "0")["comparisons"]}
    title = judged["media.title"]
    assert (title["verdict"], title["statement"], title["wording"]) == ("denied", "never.titles", "content titles")
    assert title["source"] == "https://www.plex.tv/about/privacy-legal/"
    assert title["look"] == {"call": 0, "at": "body.properties.title"}
    assert {s["id"]: s["applied"] for s in title["statements"]} == {
        "push.library-contents": "category",
        "matching.library-metadata": "category",
        "matching.view-state": "category",
        "matching.third-party-control": "category",
        "never.titles": "decided",
        "never.third-parties": "elsewhere",
    }
    duration = judged["media.duration"]
    assert duration["verdict"] == "optional"
    assert {s["id"]: s["applied"] for s in duration["statements"]}["never.metadata"] == "beaten"
    assert "It also denies ‘length of the film’ in general" in duration["reason"]
    rate = {s["id"]: s["applied"] for s in judged["media.bitrate"]["statements"]}
    assert rate["playback-all-content.video-bitrate"] == "field"
    assert rate["optional-server-library.bit-rate"] == "decided"


def test_a_promise_is_judged_apart(capture: str) -> None:
    told = chain(capture, "0")
    (promise,) = [p for p in told["promised"] if p["item"] == "media.duration"]
    assert (promise["declared"], promise["item"], promise["statement"]) == (
        "2017-08-19", "media.duration", "rounded.duration",
    )  # fmt: skip
    assert promise["reason"].endswith("Plex Privacy Policy of 28 June 2024 does not repeat this promise.")
    assert {c["declared"] for c in told["comparisons"]} == {"2024-06-28"}


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_what_is_captured_is_shown_as_text(capture: str, form: str) -> None:
    shown = run(capture, "0", "--format", form)
    assert shown.exit_code == 0
    assert "\x1b" not in shown.output
    assert "\u202e" not in shown.output
    if form == "html":
        assert "<b>" not in shown.output
    assert "Dune" in shown.output


def test_the_next_step_can_be_typed(capture: str) -> None:
    shown = run(capture, "1").output
    assert f"jq '.log.entries[1]' {capture}" in shown
    assert "No rule fits, so its purpose is not known." in shown
    assert "nothing shows it" in shown
    assert "So no verdict is worse than no-list." in shown


def test_between_own_machines_nothing_is_judged(capture: str) -> None:
    shown = run(capture, "2").output
    assert "it is an address within a home network" in shown
    assert "Nothing is judged here: it did not go to a vendor, a third party or somebody unknown." in shown
    assert chain(capture, "2")["comparisons"] == []


def test_another_list_can_be_asked(capture: str) -> None:
    judged = {c["item"]: c for c in chain(capture, "0", "--declared", "2018-05-23")["comparisons"]}
    assert {c["declared"] for c in judged.values()} == {"2018-05-23"}
    assert judged["client.id"]["verdict"] == "undeclared"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["3"], "has no call 3; the last one is 2, phonehome calls lists them"),
        (["x"], "Invalid value for 'CALL'"),
        (["-1"], "No such option"),
        (["0", "--declared", "1999"], "--declared 1999: there is no such list"),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_sentence(capture: str, words: list[str], error: str) -> None:
    failed = run(capture, *words)
    assert failed.exit_code == 2
    assert error in failed.output
    assert "Traceback" not in failed.output
