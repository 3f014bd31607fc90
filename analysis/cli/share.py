"""`phonehome share`: the redacted report, proven before it is written."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli import Failure, options
from analysis.cli.options import Question

MOST = 8 * 1024 * 1024
"""A larger file is no shared report."""


@click.command()
@click.option("--exact-version", is_flag=True, help="Keep whole version numbers instead of major.minor.")
@click.option("--show", multiple=True, metavar="HOST", help="Name this unknown recipient; may be repeated.")
@click.option("--verify", is_flag=True, help="Check shared reports in FILE... instead of making one.")
@options.captures
@options.forum
@options.output("markdown", "json", "bbcode", "html")
def share(
    question: Question,
    exact_version: bool,
    show: tuple[str, ...],
    verify: bool,
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

    \b
    Example:
      phonehome share capture.har -o report.md
      phonehome share --format json --show tracker.example.com capture.har
      phonehome share --verify report.md
    """
    if verify:
        for path in question.files:
            _verify(path)
        return
    from analysis import redact
    from analysis.post import post
    from analysis.proof import LeakError

    result = options.answer(question)
    redacted = redact.redact(result, exact_version=exact_version, show=frozenset(host.lower() for host in show))
    if missing := sorted({host.lower() for host in show} - {host.name for host in redacted.shown}):
        raise click.UsageError(f"--show {missing[0]}: is no unknown recipient in these captures; see phonehome calls")
    try:
        text = post(result, redacted, form, forum=forum)
    except LeakError as error:
        raise Failure(str(error), 2) from None
    options.write(text, out)
    options.finish(result, fail_on_findings)


def _verify(path: str) -> None:
    """Reads a shared report in any of its forms, and says so on standard output if it is one."""
    from analysis import VERSION, redact, texts
    from analysis.report.document import printable

    name = printable(path)
    with click.open_file(path, "rb") as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise Failure(f"{name}: is larger than a shared report can be; choose another file", 3)
    try:
        redact.read(redact.embedded(data))
    except ValueError as error:
        raise Failure(f"{name}: {printable(str(error))}", 3) from None
    click.echo(texts.SHARED_CHECKED.format(name=printable(Path(path).name), version=VERSION))
