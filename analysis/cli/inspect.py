"""`phonehome inspect`: the report for the user's own eyes."""

from __future__ import annotations

import click

from analysis.cli import options
from analysis.cli.options import Question


@click.command()
@options.captures
@options.output("terminal", "json", "markdown", "html", "csv")
def inspect(question: Question, form: str, out: str, fail_on_findings: bool) -> None:
    """Report what captures show: who was called, what was sent, what was declared.

    FILE is a mitmproxy flow file, a HAR, pcap or pcapng file or a ledger, each also as .gz or .zst, or - for standard
    input. Several
    files make one capture. The report is private: the JSON form holds every value that was found.

    \b
    Example:
      phonehome inspect capture.har
      phonehome inspect --format json -o report.json server.flow app.har
      phonehome inspect --since 20:00 --until 22:30 --product plex evening.flow
    """
    result = options.answer(question)
    if form == "json":
        from analysis.report import as_json

        options.write(as_json.render(result), out)
    else:
        from analysis.report.private import private

        options.show(private(result), form, out)
    options.finish(result, fail_on_findings)
