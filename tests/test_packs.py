"""`phonehome packs`: what a person who writes a pack types and gets."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from analysis.cli import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/add-a-product.md").read_text("utf-8")
SHELFIE = dict(re.findall(r"^`(shelfie/\S+\.toml)`\n\n```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


class Ran(NamedTuple):
    status: int
    out: str
    err: str


type Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:

    def run(*args: str | Path) -> Ran:
        with pytest.raises(SystemExit) as end:
            main(["packs", *map(str, args)])
        out, err = capfd.readouterr()
        return Ran(int(end.value.code or 0), out, err)

    return run


@pytest.fixture
def shelfie(tmp_path: Path) -> Path:
    for name, text in SHELFIE.items():
        path = tmp_path / "packs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "packs"


@pytest.mark.usefixtures("german")
def test_faults_are_said_in_german(run: Run, shelfie: Path) -> None:
    place = shelfie / "shelfie" / "product.toml"
    place.write_text('name = 3\nkind = "tool"\nentity = "x"\ndomains = "Shelfie"\ncolour = "red"\n', "utf-8")
    status, _, err = run("check", shelfie)
    assert (status, err.splitlines()[:2]) == (
        2,
        [
            "Fehler: shelfie/product.toml: colour: unbekannter Schlüssel; bekannt sind: blocking, domains, entity, "
            "fields, homepage, kind, name, note, recipient, senders, server-headers, switches",
            "shelfie/product.toml: name: muss ein Text sein, nicht 3",
        ],
    )
    place.write_text(re.sub("(?m)^domains = .*", 'domains = "UP.example"', SHELFIE["shelfie/product.toml"]), "utf-8")
    call = next((shelfie / "shelfie" / "calls").iterdir())
    call.write_text(re.sub('(?m)^source = ".*"', 'source = ""', call.read_text("utf-8")), "utf-8")
    said = run("check", shelfie).err
    assert "ist keine Domain; schreib sie in Kleinbuchstaben: `example.org`" in said
    assert f"shelfie/calls/{call.name}: source: ist leer; sag, wo die Regel zu prüfen ist" in said


def test_a_right_pack_says_what_was_checked(run: Run, shelfie: Path) -> None:
    said = (0, "shelfie: 1 call, 1 example, 1 near miss, 2 items, 2 statements; no fault\n", "")
    assert run("check", shelfie) == said
    assert run("check", shelfie / "shelfie") == said


def test_own_packs_are_checked_by_default(run: Run, shelfie: Path, home: Path) -> None:
    assert run("check").status == 2
    shelfie.rename(home / "packs")
    assert run("check").out.startswith("shelfie: 1 call")


def test_a_shipped_pack_can_be_checked_where_it_is(run: Run) -> None:
    assert re.fullmatch(r"tmdb: \d+ calls, .*; no fault\n", run("check", ROOT / "analysis/products/tmdb").out)


def test_all_faults_are_named_at_once_with_their_places(run: Run, shelfie: Path) -> None:
    calls = shelfie / "shelfie/calls"
    right = (calls / "statistics.toml").read_text("utf-8")
    (calls / "statistics.toml").write_text(right.replace('"120"', '"121"'), "utf-8")
    (calls / "slip.toml").write_text(right.replace("why =", "wy ="), "utf-8")
    (calls / "near.toml").write_text(right.replace("GET https", "POST https").replace("/v1/ping", "/v1/near"), "utf-8")
    (calls / "linked.toml").symlink_to(calls / "near.toml")
    ran = run("check", shelfie)
    assert (ran.status, ran.out) == (2, "")
    assert sorted(ran.err.removeprefix("Error: ").splitlines()) == [
        f"{calls}/linked.toml: is a link; put the file itself into the pack",
        "shelfie/calls/near.toml: near-miss.0: fits the rule; it must look alike and not fit",
        "shelfie/calls/slip.toml: items.0.why: is missing",
        "shelfie/calls/slip.toml: items.0.wy: unknown key; known: at, id, not-if, only-if, unit, why",
        "shelfie/calls/slip.toml: items.1.why: is missing",
        "shelfie/calls/slip.toml: items.1.wy: unknown key; known: at, id, not-if, only-if, unit, why",
        "shelfie/calls/statistics.toml: example.0: items: library.counts: says '121', '1460', "
        "the rule finds '120', '1460'",
    ]


@pytest.mark.parametrize("name", ["nothing-here", "packs/shelfie/calls"])
def test_a_folder_without_a_pack_is_named(run: Run, shelfie: Path, tmp_path: Path, name: str) -> None:
    ran = run("check", tmp_path / name)
    assert (ran.status, ran.out) == (2, "")
    assert str(shelfie.parent) in ran.err


def entry(url: str, body: object, second: int) -> object:
    text = json.dumps(body)
    return {
        "startedDateTime": f"2026-03-01T20:15:{second:02}.000+00:00",
        "time": 12,
        "request": {
            "method": "POST",
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": [],
            "queryString": [],
            "cookies": [],
            "headersSize": 100,
            "bodySize": len(text),
            "postData": {"mimeType": "application/json", "text": text},
        },
        "response": {
            "status": 204,
            "statusText": "",
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


@pytest.fixture
def har(tmp_path: Path) -> Path:
    entries = [
        entry("https://t.acme-tv.example/v1/events", {"email": "alice@home.example.net"}, 1),
        entry("https://t.acme-tv.example/v1/state", {"power": True}, 2),
        entry("https://other.example/ping", {}, 3),
    ]
    path = tmp_path / "alice.har"
    log = {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}
    path.write_text(json.dumps({"log": log}), "utf-8")
    return path


def test_a_new_pack_is_written_for_the_user_alone_and_passes_the_check(run: Run, har: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    ran = run("new", har, "--out", out, "--product", "acme", "--category", "usage-statistics")
    written = ["acme/product.toml", "acme/calls/post-v1-events.toml", "acme/calls/post-v1-state.toml"]
    assert (ran.status, ran.out.splitlines()) == (0, [f"{out}/{name}" for name in written])
    assert ran.err.splitlines() == [
        "acme/product.toml: name, entity: write the name of the company behind acme-tv.example",
        "other.example: is not known either; see --host",
    ]
    assert {stat.S_IMODE((out / name).stat().st_mode) for name in written} == {0o600}
    assert "alice" not in (out / "acme/calls/post-v1-events.toml").read_text("utf-8")
    assert run("check", out) == (0, "acme: 2 calls, 2 examples, 2 near misses, 1 item, 0 statements; no fault\n", "")


def test_without_a_terminal_the_purpose_is_left_open_and_the_check_says_so(run: Run, har: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    ran = run("new", har, "--out", out, "--host", "other.example")
    assert ran.err.splitlines()[0] == "other-example/calls/post-ping.toml: category: choose what the call is for"
    checked = run("check", out)
    assert (checked.status, checked.err) == (
        2,
        "Error: other-example/calls/post-ping.toml: category: choose what the call is for, or leave the call to nobody "
        "and remove the file\n",
    )


def test_on_a_terminal_the_purpose_of_each_kind_of_call_is_asked(har: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"usage-statistics\nnonsense\nsettings\n")
    command = [sys.executable, "-m", "analysis", "packs", "new", str(har), "--out", str(tmp_path / "mine")]
    ended = subprocess.run(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "TERM": "dumb"},
        check=True,
        timeout=60,
    )
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "POST t.acme-tv.example/v1/events (1 call)" in said
    files = ended.stdout.decode().split()
    assert [Path(name).read_text("utf-8").partition("\n")[0] for name in files[1:]] == [
        'category = "usage-statistics"',
        'category = "settings"',
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--category", "telemetry"), "--category telemetry: is not known; there are update-check"),
        (("--host", "plex.tv"), "--host plex.tv: is no unknown recipient; there are acme-tv.example, other.example"),
        (("--product", "plex"), "--product plex: is taken"),
        (("--product", "../acme"), "--product ../acme: is taken, or holds more than small letters"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(
    run: Run, har: Path, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    ran = run("new", har, "--out", tmp_path / "mine", *more)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not (tmp_path / "mine").exists()


def test_a_pack_that_is_there_is_left_alone(run: Run, har: Path, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    ran = run("new", har, "--out", tmp_path, "--product", "acme")
    assert (ran.status, ran.out, list((tmp_path / "acme").iterdir())) == (2, "", [])
    assert "exists already; choose another name with --product" in ran.err
