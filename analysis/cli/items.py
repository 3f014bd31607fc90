"""`phonehome items`: one line a finding, or the items of one verdict."""

from __future__ import annotations

import click

from analysis.cli import options
from analysis.cli.options import Question

VERDICTS = (
    "denied",
    "opted-out",
    "wrong-recipient",
    "identifiable",
    "too-precise",
    "contradictory",
    "undeclared",
    "optional",
    "declared-vaguely",
    "declared",
    "documented",
    "no-list",
    "not-seen",
)
"""The values of `analysis.model.Verdict`, written out since the help must not load it; a test compares them."""


@click.command()
@click.option("--verdict", type=click.Choice(VERDICTS), help="Only items of this verdict, with the reason.")
@options.captures
@options.output("terminal", "json", "markdown", "html", "csv")
def items(question: Question, verdict: str | None, form: str, out: str, fail_on_findings: bool) -> None:
    """List the data items of captures, one line each.

    A line says in which call the item stands, where in it, and its value. With --verdict it lists what the senders'
    lists say instead, among them what is declared and was not seen. Private: it holds the values.

    \b
    Example:
      phonehome items capture.har
      phonehome items --verdict not-seen capture.har
      phonehome items --format csv -o items.csv server.flow
    """
    result = options.answer(question)
    if form == "json":
        from analysis.report import as_json

        chosen = [c for c in result.comparisons if c.verdict == verdict]
        options.write(
            as_json.dump(
                as_json.comparisons(chosen, result.knowledge) if verdict else as_json.findings(result.findings)
            ),
            out,
        )
    else:
        from analysis.report.lists import items_of, verdicts_of

        options.show(verdicts_of(result, verdict) if verdict else items_of(result), form, out)
    options.finish(result, fail_on_findings)
