"""Files full of hostile text, given to the commands: whatever is written stays text, in every format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import canary_files
import packets
from analysis.cli import main, options
from analysis.pipeline import Result
from canaries import VARIANTS, Call, Place
from canary_positions import FURTHER
from captures.model import Lookup
from test_hostile_views import CONTROL, UNSEEN, Page

TEXTS = (
    "<script>canary()</script>\"'><img src=x onerror=canary()>\x1b[31m\u202e",
    "=HYPERLINK(\"http://evil.example\")\t+1|' /C calc'!A0\x9b31m\u3164\u2028",
    "@everyone #1 ![x](http://evil.example/x.png)[img]http://evil.example/x.png[/img]\x00\u200b``` ~~~",
    "</title></textarea></style><svg onload=canary()>{{ canary() }}\x1b]0;x\x07\nfake: line",
    "x" * 20_000 + "<b onmouseover=canary()>",
)
"""What `hostile.TEXTS` holds, put together so that few calls hold them all."""

NAME = "=<img src=x onerror=canary()>\x1b[31m\u202e[b]"
"""Of the files."""


def _raw(call: Call, text: str) -> None:
    """As names in handshakes and questions, byte by byte, and as an application's name."""
    short = text.encode("utf-8", "replace")[:60].decode("utf-8", "ignore")
    with suppress(ValueError, UnicodeError):
        call.tls.append(packets.record(packets.hello(short)))
    call.names.append(("plex.direct", 5, bytes([len(short.encode())]) + short.encode() + b"\0"))
    call.reason = short.encode("latin-1", "ignore").decode("latin-1").replace("\r", " ").replace("\n", " ")


PLACES: tuple[dict[str, Place], ...] = (*VARIANTS, *FURTHER, {"raw names": Place(_raw)})


def calls() -> Iterator[Call]:
    """A call for each text and each set of places that fit together."""
    for text in TEXTS:
        for variant in PLACES:
            call = Call(headers=list(canary_files._ALWAYS))
            for place in variant.values():
                # What a place cannot hold is shortened until it can.
                for part in (text, text[-300:], text[-60:]):
                    with suppress(Exception):
                        place.put(call, part)
                        break
            yield call


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("hostile")
    made = []
    for form, write in canary_files.FORMATS.items():
        path = folder / f"{NAME}.{form}"
        path.write_bytes(write(list(calls())))
        made.append(str(path))
    return made


@pytest.fixture(scope="module", autouse=True)
def _once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the files show is worked out once for all commands."""
    worked_out: dict[tuple[object, ...], Result] = {}
    real = options.answer

    def answer(question: options.Question, instead: object = (), **_: object) -> Result:
        key = (question.files, repr(question), len(instead))  # type: ignore[arg-type]
        if key not in worked_out:
            worked_out[key] = real(question, instead)  # type: ignore[arg-type]
        return worked_out[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(options, "answer", answer)
        yield


def said(capsys: pytest.CaptureFixture[str], *line: str, status: tuple[int, ...] = (0,)) -> str:
    """What a command writes to standard output."""
    with pytest.raises(SystemExit) as ended:
        main(line)
    written = capsys.readouterr()
    assert ended.value.code in status, written.err[-2000:]
    assert "Traceback" not in written.err
    assert not CONTROL.search(written.err.replace("\n", "")), written.err
    return written.out


def plain(text: str) -> None:
    assert not CONTROL.search(re.sub(r"\x1b\[[0-9;]*m", "", text))
    assert not UNSEEN.search(text)


def page(text: str) -> None:
    plain(text)
    seen = Page(text)
    assert not seen.elements & {"img", "iframe", "base", "link", "object", "embed"}
    names = {name for name, _ in seen.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style", "srcdoc", "action")}
    assert not [script for script in seen.scripts if "canary()" in script]


def ascii_json(text: str) -> None:
    json.loads(text)
    assert text.isascii()
    plain(text)


def cells(text: str) -> None:
    import csv
    import io

    plain(text)
    for separator in ",;|\t":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip(' "').startswith(tuple("=+-@＝＋－＠"))]


def bbcode(text: str) -> None:
    plain(text)
    tags = re.findall(r"\[/?([a-z*]+)[^\]]*\]", text)
    assert set(tags) <= {"b", "list", "*", "code", "table", "tr", "td", "th", "spoiler"}
    assert not re.search(r"@\w|://|www\.", re.sub(r"(?s)\[code\]\n\{.*?\[/code\]", "", text))


def forum(text: str) -> None:
    plain(text)
    outside = re.sub(r"^(`{3,})[a-z]*\n.*?^\1$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"@everyone|!\[|\]\(http|<(?:script|img|svg)|\[img\]", outside)


LOOK: dict[str, Callable[[str], None]] = {
    "terminal": plain, "markdown": forum, "bbcode": bbcode, "html": page, "csv": cells, "json": ascii_json,
    "har": ascii_json, "openapi": ascii_json, "iap": ascii_json,
    "hosts": plain, "adblock": plain, "unbound": plain, "nft": plain,
}  # fmt: skip

COMMANDS = {
    "inspect": ("terminal", "json", "markdown", "bbcode", "html", "csv"),
    "items": ("terminal", "json", "markdown", "html", "csv"),
    "calls": ("terminal", "json", "markdown", "html", "csv"),
    "generalise": ("terminal", "json", "markdown", "html"),
    "share": ("markdown", "json", "bbcode", "html", "har", "openapi", "hosts", "adblock", "unbound", "nft", "iap"),
}


def test_the_files_hold_hostile_text_in_each_field(files: list[str]) -> None:
    """The control."""
    result = options.answer(options.Question(tuple(files)))
    assert len(result.calls) > 150
    assert {capture.name.partition(".")[0] for capture in result.captures} == {NAME.partition(".")[0]}
    seen = [call.observation for call in result.calls]
    fields = {
        "host": [one.host for one in seen],
        "path": [getattr(one, "path", "") for one in seen],
        "header": [value for one in seen for pair in getattr(one, "headers", ()) for value in pair],
        "cookie": [value for one in seen for pair in getattr(one, "cookies", ()) for value in pair],
        "question": [f"{one.host} {one.answers} {one.kind}" for one in seen if isinstance(one, Lookup)],
        "body": [f.at + f.value for f in result.findings],
    }
    for name, values in fields.items():
        assert [v for v in values if re.search("canary|evil|onerror", v)], name


@pytest.mark.parametrize(
    ("command", "form"), [(command, form) for command, forms in COMMANDS.items() for form in forms]
)
def test_what_a_command_writes_of_hostile_files_is_text(
    files: list[str], capsys: pytest.CaptureFixture[str], command: str, form: str
) -> None:
    LOOK[form](said(capsys, command, "--format", form, *files))


def test_a_call_that_is_explained(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for form, n in (("terminal", 0), ("markdown", 40), ("html", 90), ("json", 150)):
        LOOK[form](said(capsys, "explain", "--format", form, *files, str(n)))


def test_a_report_that_somebody_made_of_such_files_can_be_checked_and_compared(
    files: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hidden = NAME.replace("/", "_")
    reports = [tmp_path / f"{hidden}{n}.json" for n in range(2)]
    for report, file in zip(reports, (files[:1], files[1:2]), strict=True):
        report.write_text(said(capsys, "share", "--format", "json", *file))
        plain(said(capsys, "share", "--verify", str(report)))
        plain(said(capsys, "share", "--verify", str(report), "--against", file[0]))
    for form in ("terminal", "markdown", "bbcode", "html", "csv"):
        LOOK[form](said(capsys, "compare-reports", "--format", form, *map(str, reports)))


def test_a_log_a_name_to_show_and_a_forged_report_do_no_harm(
    files: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / f"{NAME}.log"
    log.write_text("\n".join(f"Nov 24, 2026 04:16:13.123 [1] DEBUG - Request: GET https://{t}/x" for t in TEXTS))
    plain(said(capsys, "inspect", "--log", str(log), files[0]))
    for text in TEXTS[:4]:
        said(capsys, "share", "--show", text.replace("\0", ""), files[0], status=(0, 2, 3))
    real = json.loads(said(capsys, "share", "--format", "json", files[0]))
    for n, text in enumerate(TEXTS):
        forged = tmp_path / f"forged{n}.json"
        forged.write_text(json.dumps({**real, "tool": text, "month": text}))
        plain(said(capsys, "share", "--verify", str(forged), status=(0, 1, 2, 3)))
        plain(said(capsys, "compare-reports", str(forged), str(forged), status=(0, 1, 2, 3)))
