"""`share` as a person uses it: the preview, the check of what somebody received, and the difference of two reports."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner
from msgspec import structs

from analysis import proof, redact, shared_report, texts
from analysis.cli import main
from analysis.cli import share as share_command
from analysis.model import Verdict
from analysis.pipeline import Result
from analysis.report import markdown
from analysis.report.compared import compared, differing
from analysis.report.document import Table, size
from analysis.report.preview import Choice, choices, preview
from analysis.report.shared import shared
from analysis.texts import share as words
from analysis.vocabulary import vocabulary
from reporting import START, evening, finding
from sessions import har, plex_web

ROOT = Path(__file__).parents[1]


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "alice-evening.har"
    path.write_bytes(har(plex_web()))
    return path


def run(capfd: pytest.CaptureFixture[str], *args: object) -> Ran:
    with pytest.raises(SystemExit) as end:
        main([str(arg) for arg in args])
    return Ran(int(end.value.code or 0), *capfd.readouterr())


def typed(answers: list[str], *args: str) -> tuple[int, str]:
    """Runs the program on a terminal and answers its questions -> exit status, and what stood on the terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execvpe(sys.executable, [sys.executable, "-m", "analysis", *args], {**os.environ, "COLUMNS": "160"})  # noqa: S606
    shown, waiting, end = "", list(answers), time.monotonic() + 120
    while time.monotonic() < end and select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 65_536).decode("utf-8", "replace")
        except OSError:
            break
        if waiting and shown.rstrip().endswith("]:"):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
            shown += "\n"
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown


def test_the_preview_shows_what_goes_and_what_stays_and_writes_nothing_unasked(
    session: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.md"
    ran = run(capfd, "share", "--preview", session, "-o", out)
    assert ran.status == 0
    assert "--leave-out media.duration" in ran.out
    assert "660" in ran.out
    assert "alice-evening.har" in ran.out
    assert "this is no terminal" in ran.err
    assert not out.exists()


def test_on_a_terminal_it_asks_before_it_writes(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    status, shown = typed(["what?", "n"], "share", "--preview", str(session), "-o", str(out))
    assert (status, out.exists()) == (0, False)
    assert "Nothing was written." in shown
    status, shown = typed(["y"], "share", "--preview", str(session), "-o", str(out))
    assert status == 0, shown
    assert texts.SHARED_LEFT_OUT not in out.read_text()


def test_what_is_ticked_in_the_preview_is_left_out(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    before = shared_report.read(_made(session, tmp_path))
    found = choices(evening(), redact.redact(evening()))
    assert [choice.word for choice in found if choice.word == "media.duration"]
    answers = ["1 2", "2", "99", "y"]
    status, shown = typed(answers, "share", "--preview", "--format", "json", str(session), "-o", str(out))
    after = shared_report.read(out.read_bytes())
    assert status == 0, shown
    assert (before.month, after.month, after.left_out) == ("2025-06", "", True)
    assert before.length == after.length
    assert "Left out: month. A number once more" in shown
    assert words.NOT_UNDERSTOOD in shown


def test_whoever_goes_away_at_the_question_is_told_that_nothing_was_written() -> None:
    with CliRunner().isolation(input="") as (_, said, _), pytest.raises(click.Abort):
        share_command.asked((Choice("month", "goes", ""),))
    assert said.getvalue().decode().endswith("\nNothing was written.\n")


def test_what_is_to_be_typed_is_quoted_for_a_shell() -> None:
    (line,) = [block for block in preview([Choice("Team Kodi", "goes", "stays")]).blocks if isinstance(block, Table)]
    assert line.rows[0][3].text == "--leave-out 'Team Kodi'"


def _made(session: Path, tmp_path: Path, *more: str) -> bytes:
    out = tmp_path / "made.json"
    with pytest.raises(SystemExit):
        main(["share", "--format", "json", str(session), "-o", str(out), *more])
    return out.read_bytes()


def test_a_report_without_a_part_gives_no_all_clear() -> None:
    made = redact.redact(evening())
    less = shared_report.without(made, {"client.device_name", "client.user_agent", "settings", "host#1"})
    assert {row.item for row in less.rows} == {"media.duration", "auth.token"}
    assert (less.settings, [c.entity for c in less.calls if c.entity.startswith("host#")]) == ((), [])
    text = markdown.render(shared(less))
    assert "Its author left out a part" in text
    assert "nothing was found that the senders" not in text
    proof.prove(text, evening(), less, markdown)
    with pytest.raises(ValueError, match=r"media\.year: is neither"):
        shared_report.without(made, {"media.year"})


def test_verify_finds_what_a_post_holds_of_a_capture(
    session: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.md"
    assert run(capfd, "share", session, "-o", report).status == 0
    clean = run(capfd, "share", "--verify", report, "--against", session)
    assert clean.status == 0
    assert clean.out.splitlines()[1:] == [
        "report.md: holds nothing private of these captures",
        "report.md: says the same as a report of these captures would",
    ]
    for leaking in ("web-0001-x run-of-web-0001 is my id", "cnVuLW9mLXdlYi0wMDAx", "72756e2d6f662d7765622d30303031"):
        report.write_text(report.read_text() + f"\nSee what I found: {leaking}\n")
        found = run(capfd, "share", "--verify", report, "--against", session)
        assert found.status == 1
        assert "do not post it" in found.out
        assert "run-of" not in found.out + found.err


def test_what_a_forum_writes_around_a_post_is_no_leak(
    session: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    run(capfd, "share", "--format", "html", session, "-o", report)
    report.write_text("<p>Posted by somebody, 2 hours ago</p>" + report.read_text() + "<p>12 replies</p>")
    assert run(capfd, "share", "--verify", report, "--against", session).status == 0


@pytest.mark.parametrize(
    ("form", "then"),
    [
        ("markdown", "Check it with phonehome share --verify 'a post', then copy its text into a post (GitHub, "),
        ("html", "Check it with phonehome share --verify 'a post', then attach it to a post or open it in a browser."),
        ("adblock", "Read in it what each name breaks, then load it into the program that is to block them."),
    ],
)
def test_it_says_where_it_wrote_how_much_and_what_comes_next(
    session: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    then: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(capfd, "share", "--format", form, session, "-o", "a post")
    assert (ran.status, ran.out) == (0, "")
    size_of = size((tmp_path / "a post").stat().st_size)
    assert ran.err.startswith(f"a post: written, {size_of}, readable for you alone; nothing was sent. {then}")
    assert ran.err.count("\n") == 1


def test_on_standard_output_the_post_stands_alone(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(capfd, "share", "--format", "json", session)
    assert ran.err == ""
    assert shared_report.read(ran.out.encode())


def test_a_capture_is_told_from_a_damaged_report(
    session: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capfd, "share", "--verify", session)
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == (
        f"Error: {session}: is a capture, no shared report; phonehome share {session} -o FILE makes one of it\n"
    )
    damaged = tmp_path / "report.json"
    damaged.write_bytes(_made(session, tmp_path)[:-9])
    ran = run(capfd, "share", "--verify", damaged)
    assert ran.err.splitlines()[-1] == (
        f"Error: {damaged}: is no valid shared report: its form for programs is damaged or missing; long posts leave "
        "it out, so take the JSON form (phonehome share --format json)"
    )
    # One that is too large to be a report is still told from one.
    monkeypatch.setattr(shared_report, "MOST_BYTES", 100)
    assert "is a capture, no shared report" in run(capfd, "share", "--verify", session).err
    assert "is larger than a shared report can be" in run(capfd, "share", "--verify", damaged).err


def test_against_belongs_to_verify(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(capfd, "share", session, "--against", session)
    assert (ran.status, "belongs to --verify" in ran.err) == (2, True)


def test_two_reports_are_compared_by_what_differs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    one = evening()
    one = replace(one, captures=(replace(one.captures[0], last=START + 1800),))
    two = replace(one, findings=one.findings[:-2], comparisons=one.comparisons[1:], evidence=type(one.evidence)())
    paths = []
    for n, found in enumerate((one, two)):
        path = tmp_path / f"{n}.{('json', 'md')[n]}"
        made = redact.redact(found)
        path.write_text(shared_report.json(made) if n == 0 else markdown.render(shared(made)))
        paths.append(path)
    ran = run(capfd, "compare-reports", *paths, "--format", "markdown")
    assert ran.status == 0
    judged = "list of 2024-06-28, vendor, undeclared, number: 1"
    assert f"| Plex, device name, Plex, usage statistics | {judged} | — |" in ran.out
    where = "Plex account `›` Settings `›` Account `›` Privacy `›` Send playback data to Plex (optOutPlayback)"
    assert f"| Plex, Send playback data to Plex: {where} | off | unknown |" in ran.out
    assert "length of the film" not in ran.out


def test_reports_that_say_the_same_differ_in_nothing() -> None:
    one, two = redact.redact(evening()), redact.redact(evening())
    assert differing((one, two)) == ()
    assert "They say the same" in markdown.render(compared([("a", one), ("b", two)]))


@pytest.mark.usefixtures("german")
def test_reports_are_compared_in_the_words_of_reports_in_german_too() -> None:
    one = redact.redact(evening())
    two = structs.replace(one, rows=(), calls=(), settings=(), promises=(), roundings=())
    said = markdown.render(compared([("a", one), ("b", two)]))
    assert "| Liste vom 2024-06-28, Hersteller, nicht genannt, Anzahl: 1 |" in said
    ids = {*map(str, Verdict), *texts.RECIPIENTS, *texts.JUDGEMENTS, *texts.ROUNDINGS, *texts.PROMISE_KINDS}
    ids |= {switch.id for product in vocabulary().shipped.products.values() for switch in product.switches}
    shown = {word for line in said.splitlines() if line.startswith("|") for word in re.findall(r"[\w-]+", line)}
    assert sorted(shown & ids) == []


def test_one_report_alone_is_not_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json"
    path.write_text(shared_report.json(redact.redact(evening())))
    assert run(capfd, "compare-reports", path).status == 2
    path.write_text("{}")
    assert run(capfd, "compare-reports", path, path).status == 3


def test_numbers_are_judged_once(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import generalise, pipeline
    from captures import formats
    from reporting import known

    counted = []
    real = generalise.generalise

    def count(result: Result) -> generalise.Generalised:
        counted.append(1)
        return real(result)

    for place in (generalise, redact):
        monkeypatch.setattr(place, "generalise", count)
    redact.redact(pipeline.run([formats.read(session)], known()))
    assert counted == [1]


NAMES = ("Plex", "Home", "media", "server", "Living Room", "tv", "1080", "usage", "alice", "The Film", "nas", "en")


@pytest.mark.parametrize("data", ["tautulli.flow.gz", "plexapi.flow.gz", "kodi.flow.gz", "lan-upnp-gdm.pcap.gz"])
def test_names_that_people_choose_do_not_block_a_report(data: str) -> None:
    """20 sets of names for each capture, each with a device "Plex" and a user "Home": at most 1 % may be refused."""
    import random

    from analysis import pipeline
    from analysis.post import FORMS, post
    from captures import formats
    from reporting import known

    found = pipeline.run([formats.read(Path(__file__).with_name("data") / data)], known())
    made = redact.redact(found)
    first = found.calls[0].n
    chance, refused, tried = random.Random(8), [], 0  # noqa: S311  made-up names
    for _ in range(20):
        items = ("server.name", "media.title", "library.name", "net.hostname", "account.name", "account.pin")
        own = [finding(first, item, " ".join(chance.choices(NAMES, k=chance.choice((1, 1, 2))))) for item in items]
        own += [finding(first, "client.device_name", "Plex"), finding(first, "account.username", "Home")]
        for form in FORMS[:2]:
            tried += 1
            try:
                post(replace(found, findings=(*found.findings, *own)), made, form)
            except proof.LeakError as error:
                refused.append(str(error))
    assert len(refused) <= tried / 100, refused
