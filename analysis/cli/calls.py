"""`phonehome calls`: one line a call."""

from __future__ import annotations

import click

from analysis.cli import options
from analysis.cli.options import Question


@click.command()
@options.captures
@options.output("terminal", "json", "markdown", "html", "csv")
def calls(question: Question, form: str, out: str, fail_on_findings: bool) -> None:
    """List the calls of captures, one line each.

    The number before a call is the one by which reports name it. Times are local.

    \b
    Example:
      phonehome calls capture.har
      phonehome calls --format csv -o calls.csv server.flow
    """
    result = options.answer(question)
    if form == "json":
        from analysis.report import as_json

        options.write(as_json.dump(as_json.calls(result.calls)), out)
    else:
        from analysis.report.lists import calls_of

        options.show(calls_of(result), form, out)
    options.finish(result, fail_on_findings)
