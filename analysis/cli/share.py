"""`phonehome share`: the redacted report, proven before it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.cli import Failure, options
from analysis.cli.options import Question

if TYPE_CHECKING:
    from collections.abc import Collection

    from analysis.pipeline import Result
    from analysis.report.preview import Choice
    from analysis.shared_report import SharedReport

FORMS = ("markdown", "json", "bbcode", "html", "har", "openapi", "hosts", "adblock", "unbound", "nft", "iap")
"""Reports to post, and what other programs take."""


@click.command(cls=options.taking_lists("--against"))
@click.option(
    "--exact-version",
    is_flag=True,
    help="Keep whole version numbers instead of major.minor, also of captures of more than a day.",
)
@click.option("--show", multiple=True, metavar="HOST", help="Name this unknown recipient; may be repeated.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="WORD",
    help="Leave out a section, data item, product or recipient, as --preview names them; may be repeated.",
)
@click.option("--preview", is_flag=True, help="Show side by side what goes and what stays, and ask before writing.")
@click.option("--verify", is_flag=True, help="Check shared reports in FILE... instead of making one.")
@click.option(
    "--against", multiple=True, metavar="CAPTURE...", help="With --verify: search the reports for what is in these."
)
@options.captures
@options.forum
@options.output(*FORMS)
def share(
    question: Question,
    exact_version: bool,
    show: tuple[str, ...],
    leave_out: tuple[str, ...],
    preview: bool,
    verify: bool,
    against: tuple[str, ...],
    forum: str,
    form: str,
    out: str,
    fail_on_findings: bool,
) -> None:
    """Write a redacted report that can be posted.

    It holds no values, names, addresses, times or sizes: only which kinds of data went to which known companies, what
    for, what the lists say, and counts in classes. Recipients that no pack knows appear as host#1, host#2, … unless you
    name them with --show. Before it is written, the text is searched for everything private in the capture. Nothing is
    sent anywhere.

    Other programs take the same without values: har, openapi (what was seen), and names to block with what that
    breaks: hosts (Pi-hole), adblock (AdGuard Home), unbound, nft, iap (Little Snitch).

    \b
    Example:
      phonehome share capture.har -o report.md
      phonehome share --preview capture.har -o report.md
      phonehome share --format json --show tracker.example.com capture.har
      phonehome share --format adblock capture.har
      phonehome share --verify report.md --against capture.har
    """
    if against and not verify:
        raise click.UsageError("--against: belongs to --verify; phonehome share --verify REPORT --against CAPTURE")
    if verify:
        _verify_all(question, against)
        return
    from analysis import redact
    from analysis.proof import UnprovenError

    def made(*, alike: bool) -> tuple[Result, SharedReport, str]:
        result = options.answer(question, alike=alike)
        redacted = redact.redact(result, exact_version=exact_version, show=frozenset(host.lower() for host in show))
        if missing := sorted({host.lower() for host in show} - {host.name for host in redacted.shown}):
            hint = "is no unknown recipient in these captures; see phonehome calls"
            raise click.UsageError(f"--show {missing[0]}: {hint}")
        redacted = _without(redacted, leave_out)
        return result, redacted, _proven(result, redacted, form, forum)

    try:
        # A name that is shown may hold any value, and a preview counts them all.
        result, redacted, text = made(alike=not (show or preview))
    except UnprovenError:
        result, redacted, text = made(alike=False)
    if preview:
        chosen = _chosen(result, redacted)
        if chosen is None:
            return
        text = _proven(result, _without(redacted, chosen), form, forum) if chosen else text
    options.write(text, out)
    _written(text, form, out)
    options.finish(result, fail_on_findings)


def _written(text: str, form: str, out: str) -> None:
    """Says where it is, and what comes next; nothing when it is on standard output."""
    from shlex import quote

    from analysis import shared_report
    from analysis.report.document import printable, size
    from analysis.texts import share as words

    if out != "-":
        shown = printable(out)
        said = words.WRITTEN.format(name=shown, size=size(len(text.encode())))
        left_out = form in ("markdown", "bbcode") and not any(shared_report.blocks(text.encode()))
        hint = words.THEN_COPY if left_out else words.THEN.get(form, words.THEN_LOAD).format(file=printable(quote(out)))
        click.echo(f"{said} {hint}", err=True)


def _without(redacted: SharedReport, words: Collection[str]) -> SharedReport:
    from analysis import shared_report

    try:
        return shared_report.without(redacted, words)
    except ValueError as error:
        raise click.UsageError(f"--leave-out {error}; phonehome share --preview names them") from None


def _proven(result: Result, redacted: SharedReport, form: str, forum: str) -> str:
    from analysis.post import post
    from analysis.proof import LeakError

    try:
        return post(result, redacted, form, forum=forum)
    except LeakError as error:
        raise Failure(str(error), 2) from None


def _chosen(result: Result, redacted: SharedReport) -> tuple[str, ...] | None:
    """Shows the preview and asks; gives what is to be left out as well, or `None` when nothing is to be written."""
    from analysis.report import preview
    from analysis.texts import share as words

    found = preview.choices(result, redacted)
    document = preview.preview(found)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        options.show(document, "terminal", "-")
        click.echo(words.PREVIEW_HINT, err=True)
        return None
    from analysis.report import terminal

    shown = terminal.render(document, width=options.terminal_width(), colour=options.colours(sys.stderr))
    click.echo(shown, err=True)
    return asked(found)


def asked(found: tuple[Choice, ...]) -> tuple[str, ...] | None:
    """Asks until it is to be written or not; numbers leave lines out, or take them in again.

    Gives the words of the lines that are to be left out; `None` when nothing is to be written.
    """
    from analysis.texts import share as words

    left: dict[str, None] = {}
    while True:
        try:
            said = click.prompt(words.ASK, err=True, default="n", show_default=True).strip().lower()
        except click.Abort:
            click.echo(f"\n{words.NOT_WRITTEN}", err=True)
            raise
        if said in ("n", "no", "nein"):
            click.echo(words.NOT_WRITTEN, err=True)
            return None
        if said in ("y", "yes", "j", "ja"):
            return tuple(left)
        numbers = said.replace(",", " ").split()
        if numbers and all(n.isdecimal() and 0 < int(n) <= len(found) and found[int(n) - 1].word for n in numbers):
            for word in dict.fromkeys(found[int(n) - 1].word for n in numbers):
                if word in left:
                    del left[word]
                else:
                    left[word] = None
            click.echo(words.LEFT_OUT_NOW.format(words=", ".join(left)) if left else words.NONE_LEFT_OUT, err=True)
        else:
            click.echo(words.NOT_UNDERSTOOD, err=True)


def _verify_all(question: Question, against: tuple[str, ...]) -> None:
    from dataclasses import replace

    result = options.answer(replace(question, files=against)) if against else None
    failed = [path for path in question.files if not _verify(path, result)]
    if failed:
        raise click.exceptions.Exit(options.FOUND)


def _verify(path: str, result: Result | None) -> bool:
    """Reads a shared report in any of its forms, and says on standard output whether it is one and what it holds."""
    from analysis import VERSION, proof, redact, shared_report, texts
    from analysis.report import compared
    from analysis.report.document import printable
    from analysis.texts import share as words

    shown = printable(Path(path).name)
    try:
        data = read(path)
        report = shared_report.read(shared_report.embedded(data))
    except (Failure, ValueError) as error:
        _refuse_capture(path)
        if isinstance(error, Failure):
            raise
        raise Failure(f"{printable(path)}: {printable(str(error))}", 3) from None
    click.echo(texts.SHARED_CHECKED.format(name=shown, version=VERSION))
    if result is None:
        return True
    held = proof.held(data.decode("utf-8", "replace"), result, report)
    click.echo(words.HELD.format(name=shown, what=held.what) if held else words.NOT_HELD.format(name=shown))
    again = redact.redact(result, show={seen.name for seen in report.shown})
    differs = ", ".join(words.SECTIONS_COMPARED[field] for field in compared.differing((report, again)))
    told = words.OTHER_CAPTURE if differs else words.SAME_CAPTURE
    click.echo(told.format(name=shown, differs=differs))
    return held is None


def _refuse_capture(path: str) -> None:
    """Raises `Failure` for what is no report, but what one is made of."""
    from shlex import quote

    from analysis.report.document import printable
    from captures import formats
    from captures.model import CaptureError

    try:
        formats.read(path)
    except CaptureError:
        return
    name = printable(path)
    said = f"{name}: is a capture, no shared report; phonehome share {printable(quote(path))} -o FILE makes one of it"
    raise Failure(said, 3)


def read(path: str) -> bytes:
    """The bytes of a post.  Raises `Failure` for one that is too large."""
    from analysis import shared_report
    from analysis.report.document import printable

    with click.open_file(path, "rb") as file:
        data: bytes = file.read(shared_report.MOST_BYTES + 1)
    if len(data) > shared_report.MOST_BYTES:
        raise Failure(f"{printable(path)}: is larger than a shared report can be; choose another file", 3)
    return data
