"""`phonehome generalise`: rounding and fingerprints of the numbers sent."""

from __future__ import annotations

import click

from analysis.cli import options
from analysis.cli.options import Question


@click.command()
@options.captures
@options.output("terminal", "json", "markdown", "html")
def generalise(question: Question, form: str, out: str, fail_on_findings: bool) -> None:
    """Tell whether the numbers that were sent are rounded, and what they still give away.

    Your own server is told exact numbers, since it needs them: how long a film is, where in it you are. They are held
    against what somebody else was told. Play some films of your own, and record both. Private: it holds the numbers.

    \b
    Example:
      phonehome generalise capture.har
      phonehome generalise --format html -o rounding.html evening.flow
    """
    from analysis.generalise import generalise as judged
    from analysis.known.library import library
    from analysis.report import generalised

    result = options.answer(question)
    found = judged(result, library())
    if form == "json":
        options.write(generalised.as_json(found), out)
    else:
        options.show(generalised.document(found, result), form, out)
    options.finish(result, fail_on_findings)
