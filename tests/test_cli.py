"""What a person types and gets: results, errors in one sentence, exit statuses."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from analysis import VERSION, post
from analysis.cli import main, options
from analysis.cli.items import VERDICTS
from analysis.cli.options import Moment, MomentType, Question
from analysis.cli.share import FORMS
from analysis.commands import COMMANDS
from analysis.model import Category, Verdict
from captures import ledger
from reporting import call, comparison, exchange
from test_known_search import ENCODINGS

ROOT = Path(__file__).parents[1]


class Ran(NamedTuple):
    status: int
    out: str
    err: str


type Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*args: str) -> Ran:
        with pytest.raises(SystemExit) as end:
            main(args)
        out, err = capfd.readouterr()
        return Ran(int(end.value.code or 0), out, err)

    return run


def entry(url: str, body: object = None, *, second: int = 0, headers: Sequence[tuple[str, str]] = ()) -> object:
    """One entry of a HAR file."""
    text = json.dumps(body)
    post = {"postData": {"mimeType": "application/json", "text": text}} if body is not None else {}
    return {
        "startedDateTime": f"2026-03-01T20:15:{second:02}.000+00:00",
        "time": 12.0,
        "request": {
            "method": "POST" if body is not None else "GET",
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in headers],
            "queryString": [],
            "cookies": [],
            "headersSize": 100,
            "bodySize": len(text),
            **post,
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "headers": [],
            "cookies": [],
            "content": {"size": 0, "mimeType": ""},
            "redirectURL": "",
            "headersSize": 50,
            "bodySize": 0,
        },
        "cache": {},
        "timings": {"send": 1, "wait": 10, "receive": 1},
    }


PLEX = (
    ("X-Plex-Product", "Plex Web"),
    ("X-Plex-Version", "4.116.1"),
    ("X-Plex-Client-Identifier", "a11ce-client-0001-made-up"),
    ("X-Plex-Token", "tok-a11ce-0123456789"),
    ("X-Plex-Device-Name", "Alice's laptop"),
)


@pytest.fixture
def har(tmp_path: Path) -> Path:
    """A sign-in check, and a call to a host that no pack knows."""
    entries = [
        entry("https://plex.tv/api/v2/user", second=1, headers=PLEX),
        entry("https://tracker.alice-isp.example/t", {"email": "alice@example.org"}, second=2),
    ]
    path = tmp_path / "alice.har"
    path.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})
    )
    return path


def test_help_lists_every_command_and_loads_none() -> None:
    code = "import sys\nfrom analysis.cli import main\ntry: main(['-h'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    text, _, modules = out.rstrip().rpartition("\n")
    listed = re.findall(r"^  ([a-z-]+) ", text.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)
    loaded = set(modules.split())
    assert loaded.isdisjoint({"rich", "msgspec", "mitmproxy", "pandas", "analysis.pipeline", "analysis.cli.inspect"})


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version") == (0, f"phonehome {VERSION}\n", "")


def test_an_unknown_command_names_the_nearest(run: Run) -> None:
    ran = run("inspekt")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[-1] == "Error: inspekt: is no command; did you mean inspect?"


def test_a_command_without_a_near_name_points_to_the_help(run: Run) -> None:
    assert run("xyzzy").err.splitlines()[-1] == "Error: xyzzy: is no command; phonehome -h lists the commands"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_says_how_to_install_it(run: Run, shell: str) -> None:
    ran = run("completion", shell)
    assert ran.status == 0
    assert ran.out.startswith("# ")
    assert "_PHONEHOME_COMPLETE" in ran.out


def test_a_shell_can_complete_commands_and_options() -> None:
    def completed(words: str, count: int) -> list[str]:
        asked = {"_PHONEHOME_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        done = subprocess.run(
            [sys.executable, "-m", "analysis"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | asked,
            check=False,
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("phonehome ins", 1) == ["inspect"]
    assert completed("phonehome share --form", 2) == ["--format"]
    assert completed("phonehome share --format ", 3) == list(FORMS)
    assert (*post.FORMS, *post.EXPORTS) == FORMS


def test_the_verdicts_of_the_option_are_those_of_the_model() -> None:
    assert tuple(verdict.value for verdict in Verdict) == VERDICTS


def test_inspect_answers_on_standard_output_alone(run: Run, har: Path) -> None:
    ran = run("inspect", str(har))
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[1].startswith("In 1 second, ")
    assert "tracker.alice-isp.example" in ran.out


def test_inspect_as_json_holds_every_call_and_finding(run: Run, har: Path) -> None:
    made = json.loads(run("inspect", "--format", "json", str(har)).out)
    assert [(one["n"], one["index"], one["part"], one["host"]) for one in made["calls"]] == [
        (0, 0, 0, "plex.tv"),
        (1, 1, 0, "tracker.alice-isp.example"),
    ]
    assert made["calls"][0]["category"] == "account-auth"
    values = {finding["value"] for finding in made["findings"]}
    assert {"tok-a11ce-0123456789", "Alice's laptop", "alice@example.org"} <= values


def test_a_file_is_written_for_its_owner_alone(run: Run, har: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    out.write_text("old and longer than nothing" * 10_000)
    out.chmod(0o644)
    old = os.umask(0)
    try:
        assert run("inspect", "--format", "json", "-o", str(out), str(har)) == (0, "", "")
        fresh = tmp_path / "fresh.json"
        run("inspect", "--format", "json", "-o", str(fresh), str(har))
    finally:
        os.umask(old)
    assert json.loads(out.read_text()) == json.loads(fresh.read_text())
    assert {stat.S_IMODE(path.stat().st_mode) for path in (out, fresh)} == {0o600}


def test_an_output_that_cannot_be_written_is_one_sentence(run: Run, har: Path, tmp_path: Path) -> None:
    ran = run("inspect", "-o", str(tmp_path / "no/report.txt"), str(har))
    assert ran == (2, "", f"Error: {tmp_path / 'no/report.txt'}: there is no such file or folder; check the path\n")


def test_a_file_that_is_no_capture_ends_with_3(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    ran = run("inspect", str(path))
    assert (ran.status, ran.out) == (3, "")
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there_ends_with_3(run: Run, tmp_path: Path) -> None:
    ran = run("inspect", str(tmp_path / "missing.har"))
    assert (ran.status, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert "missing.har" in ran.err


def test_a_product_or_list_that_does_not_exist_is_wrong_use(run: Run, har: Path) -> None:
    assert run("inspect", "--product", "plexx", str(har)).status == 2
    assert run("inspect", "--declared", "1999-01-01", str(har)).status == 2
    assert run("inspect", "--since", "yesterday", str(har)).status == 2


def test_found_is_an_exit_status_only_when_asked_for(run: Run, har: Path) -> None:
    assert run("items", str(har)).status == 0
    assert run("items", "--fail-on-findings", str(har)).status == 1
    assert run("items", "--fail-on-findings", "--since", "2030-01-01", str(har)).status == 0


@pytest.mark.parametrize(("verdict", "counts"), [(v, i < 5 or i == 6) for i, v in enumerate(Verdict)])
def test_what_counts_as_found(verdict: Verdict, counts: bool) -> None:
    assert options.found([comparison("client.id", verdict, category=Category.UPDATE_CHECK)]) is counts


def test_no_list_counts_as_found_in_statistics_and_towards_third_parties() -> None:
    assert options.found([comparison("client.id", Verdict.NO_LIST, category=Category.USAGE_STATISTICS)])
    assert options.found([comparison("client.id", Verdict.NO_LIST, category=Category.SEARCH, recipient="other")])


def test_calls_and_items_are_one_line_each(run: Run, har: Path) -> None:
    assert len(run("calls", "--format", "csv", str(har)).out.splitlines()) == 3
    listed = json.loads(run("items", "--format", "json", str(har)).out)
    assert len(run("items", "--format", "csv", str(har)).out.splitlines()) == len(listed) + 1
    assert [one["host"] for one in json.loads(run("calls", "--format", "json", str(har)).out)] == [
        "plex.tv",
        "tracker.alice-isp.example",
    ]


def test_items_of_a_verdict_are_listed_with_their_reason(run: Run, har: Path) -> None:
    listed = json.loads(run("items", "--verdict", "not-seen", "--format", "json", str(har)).out)
    assert {one["verdict"] for one in listed} == {"not-seen"}


@pytest.mark.parametrize("form", ["markdown", "json", "bbcode", "html"])
def test_a_shared_report_is_written_checked_and_read_back(run: Run, har: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "report"
    assert run("share", "--format", form, "-o", str(out), str(har))[:2] == (0, "")
    text = out.read_text()
    assert "alice" not in text.lower()
    assert "tok-" not in text
    assert run("share", "--verify", str(out)) == (0, f"report: is a valid shared report of phonehome {VERSION}\n", "")
    out.write_text(text.replace('"month":"2026-03"', '"month":"2026-03-01"'))
    ran = run("share", "--verify", str(out))
    assert (ran.status, ran.out, ran.err.count("\n")) == (3, "", 1)


def test_a_host_is_shown_when_it_is_ticked_and_refused_when_it_tells_a_name(run: Run, har: Path) -> None:
    assert "host#1` is `tracker.alice-isp.example`" in run("share", "--show", "tracker.alice-isp.example", str(har)).out
    ran = run("share", "--show", "plex.tv", str(har))
    assert (ran.status, ran.out) == (2, "")


def test_declared_lists_can_be_listed_and_shown(run: Run) -> None:
    assert "2024-06-28" in run("declared", "list").out
    shown = json.loads(run("declared", "show", "plex", "2024-06-28", "--format", "json").out)
    assert len(shown["statements"]) > 50
    assert run("declared", "show", "plex", "--format", "json").out == json.dumps(shown, indent=1) + "\n"
    assert "Always collected" in run("declared", "show", "plex").out


def test_a_list_that_is_not_known_names_those_that_are(run: Run) -> None:
    ran = run("declared", "show", "plex", "1999-01-01")
    assert (ran.status, ran.out) == (2, "")
    assert "2024-06-28" in ran.err
    assert "plex" in run("declared", "show", "pleks").err


def test_a_closed_pipe_is_quiet(har: Path) -> None:
    program = f"{sys.executable} -m analysis items --format csv {har} {har} | head -1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stderr, done.stdout.count("\n")) == ("", 1)


def test_standard_output_may_be_closed_before_anything_is_written(har: Path) -> None:
    program = f"{sys.executable} -m analysis inspect --format json {har} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_no_colour_is_used_in_a_pipe_and_none_with_no_color(har: Path) -> None:
    for env in ({}, {"NO_COLOR": "1", "FORCE_COLOR": ""}):
        done = subprocess.run(
            [sys.executable, "-m", "analysis", "inspect", str(har)],
            capture_output=True,
            cwd=ROOT,
            env=os.environ | env,
            check=True,
        )
        assert b"\x1b" not in done.stdout


@pytest.fixture
def vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def kept(question: Question) -> bool:
    """Whether a call at 2023-11-14 23:13:20 in Vienna is kept."""
    return options.keeps(question, call(exchange("plex.tv")))


def moment(text: str, *, end: bool = False) -> Moment:
    return MomentType(end=end).convert(text, None, None)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, True),
        ("23:13", "23:13", True),
        ("23:14", None, False),
        (None, "23:12", False),
        ("22:00", "02:00", True),
        ("23:30", "02:00", False),
        ("2023-11-14", "2023-11-14", True),
        ("2023-11-15", None, False),
        (None, "2023-11-13", False),
        ("2023-11-14T23:13:20", "2023-11-14T23:13:20", True),
        ("2023-11-14T23:13:21", None, False),
        ("2023-11-14T22:13:20+00:00", None, True),
        ("2023-11-14T22:13:21Z", None, False),
    ],
)
@pytest.mark.usefixtures("vienna")
def test_a_period_is_in_local_time_or_of_every_day(since: str | None, until: str | None, expected: bool) -> None:
    asked = Question((), since=moment(since) if since else None, until=moment(until, end=True) if until else None)
    assert kept(asked) is expected


def test_a_call_without_a_time_is_in_no_period() -> None:
    timeless = call(replace(exchange("plex.tv"), time=None))
    assert options.keeps(Question(()), timeless)
    assert not options.keeps(Question((), since=moment("00:00")), timeless)


def test_a_product_and_a_device_choose_calls() -> None:
    assert kept(Question((), product="plex", device="192.168.7.23"))
    assert not kept(Question((), product="jellyfin"))
    assert not kept(Question((), device="192.168.7.99"))


def test_a_server_that_the_user_named_is_his_own(run: Run, har: Path) -> None:
    assert run("known", "add", "--kind", "server", "tracker.alice-isp.example").status == 0
    assert run("known", "list").out == "server\ttracker.alice-isp.example\n"
    calls = json.loads(run("calls", "--format", "json", str(har)).out)
    assert [one["party"] for one in calls] == ["vendor", "own"]
    assert run("known", "forget", "tracker.alice-isp.example").status == 0
    assert run("known", "forget", "tracker.alice-isp.example") == (
        2,
        "",
        "Error: tracker.alice-isp.example: is not known; phonehome known list shows what is\n",
    )
    calls = json.loads(run("calls", "--format", "json", str(har)).out)
    assert [one["party"] for one in calls] == ["vendor", "unknown"]


def test_own_values_are_told_by_standard_input_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"alice@example.org\n\nZorblax Exampleton\nUp\n"))
    monkeypatch.setattr("sys.stdin", lines)
    assert run("known", "add", "-") == (
        0,
        "",
        "not added: value 3 (name): is too short to be told from chance; add a longer form of it, such as first and "
        "last name\ntaken as: 1 email, 1 name\n",
    )
    assert run("known", "list").out == "email\talice@example.org\nname\tZorblax Exampleton\n"
    assert run("known", "add", "--kind", "title", "Up").status == 2


def test_an_own_value_is_found_in_a_capture_and_in_no_shared_report(run: Run, har: Path) -> None:
    path = har.with_name("own.har")
    path.write_text(har.read_text("utf-8").replace("example/t", "example/t?zz=zorblax-uprising-2031"), "utf-8")
    assert run("known", "add", "--kind", "title", "Zorblax Uprising (2031)").status == 0
    found = [f for f in json.loads(run("items", "--format", "json", str(path)).out) if f["source"] == "known"]
    assert [(f["item"], f["at"], f["encodings"]) for f in found] == [("media.title", "query.zz", ["slug"])]
    assert "your own titles were searched for" in run("inspect", "--format", "markdown", str(path)).out
    assert "orblax" not in run("share", str(path)).out


def test_a_title_in_24_encodings_is_found_in_24_of_24_requests(run: Run, tmp_path: Path) -> None:
    title = "The Zorblax Uprising (2031)"
    chosen = dict(itertools.islice(ENCODINGS.items(), 24))
    bodies = [{"event": "x", "data": {"v": encode(title)}} for encode, _, _ in chosen.values()]
    path = tmp_path / "encodings.har"
    entries = [entry("https://metrics.example/c", body, second=n) for n, body in enumerate(bodies)]
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), "utf-8")
    assert run("known", "add", "--kind", "title", title).status == 0
    found = [f for f in json.loads(run("items", "--format", "json", str(path)).out) if f["source"] == "known"]
    assert [(f["call"], f["at"], tuple(f["encodings"])) for f in found] == [
        (n, at, chain) for n, (_, at, chain) in enumerate(chosen.values())
    ]


def test_a_ledger_of_a_newer_version_opens_no_empty_dashboard(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "run", lambda made: made.close())
    path = tmp_path / "x.ledger"
    ledger.create(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    sentence = "Error: x.ledger: was written by a newer phonehome; please update phonehome\n"
    assert run("open", "--port", "0", str(path)) == (3, "", sentence)
