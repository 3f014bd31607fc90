"""`phonehome inspect`: the report for the user's own eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analysis.cli import options
from analysis.cli.options import Question

if TYPE_CHECKING:
    from analysis.pipeline import Result


@click.command()
@options.captures
@click.option(
    "--log", "logs", multiple=True, metavar="FILE", help="The server's own log: what did the capture miss? Repeatable."
)
@options.forum
@options.output("terminal", "json", "markdown", "bbcode", "html", "csv")
def inspect(question: Question, logs: tuple[str, ...], forum: str, form: str, out: str, fail_on_findings: bool) -> None:
    """Report what captures show: who was called, what was sent, what was declared.

    FILE is a mitmproxy flow file, a HAR, pcap or pcapng file or a ledger, each also as .gz or .zst, or - for standard
    input. Several files make one capture. The report is private: the JSON form holds every value that was found.

    With --log the server's own log (Plex Media Server, Jellyfin, Emby, Tautulli, Kodi) is held beside the capture:
    which calls it tells of that the capture lacks, and which hosts could not be read.

    \b
    Example:
      phonehome inspect capture.har
      phonehome inspect --format json -o report.json server.flow app.har
      phonehome inspect --since 20:00 --until 22:30 --product plex evening.flow
      phonehome inspect evening.flow packets.pcap --log "Plex Media Server.log"
    """
    question, logs = _sorted(question, logs)
    page = form == "html"
    result = _beside(options.answer(question, alike=not logs and form != "json", page=page), logs)
    if form == "json":
        from analysis.report import as_json

        options.write(as_json.render(result), out)
    else:
        from analysis.report.private import private

        options.show(private(result, page=page), form, out, forum)
    options.finish(result, fail_on_findings)


def _sorted(question: Question, logs: tuple[str, ...]) -> tuple[Question, tuple[str, ...]]:
    """Captures and logs apart, also where several logs were written after one `--log`."""
    if not logs:
        return question, ()
    from dataclasses import replace

    from captures.formats.serverlog import is_log

    more = tuple(file for file in question.files if is_log(file))
    files = tuple(file for file in question.files if file not in more)
    if not files:
        raise click.UsageError(f"{logs[0]}: a log alone says what was called, not what was sent; give captures too")
    return replace(question, files=files), (*logs, *more)


def _beside(result: Result, logs: tuple[str, ...]) -> Result:
    """A result with what the server's own logs tell of it."""
    if not logs:
        return result
    from dataclasses import replace
    from pathlib import Path

    from analysis.coverage import beside_logs
    from captures.formats.serverlog import read_log

    told = beside_logs(result.calls, [read_log(Path(log)) for log in logs], result.evidence.own.hosts)
    return replace(result, logs=told)
