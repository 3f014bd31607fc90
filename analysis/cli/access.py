"""`phonehome access`: the answer to an access request, beside what was seen; or the letter that asks for one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from analysis.cli import options
from analysis.cli.options import Question

_OF_AN_ANSWER = (".json", ".csv", ".zip")
"""Endings of the files that vendors send."""


@click.command(cls=options.taking_lists("--capture"))
@options.captures_of("[EXPORT...]")
@click.option("--capture", "seen", multiple=True, metavar="FILE...", help="Captures to hold beside the answer.")
@click.option("--letter", is_flag=True, help="Print a request that names the kinds of data seen, without values.")
@click.option("--to", "entity", default="", metavar="NAME", help="With --letter: only what this company received.")
@options.output("terminal", "json", "markdown", "html", "csv")
def access(
    question: Question,
    seen: tuple[str, ...],
    letter: bool,
    entity: str,
    form: str,
    out: str,
    fail_on_findings: bool,
) -> None:
    """Hold the vendor's answer to an access request beside what was seen.

    EXPORT is what the vendor sent: JSON, CSV, a ZIP archive or a folder of these. It is read on this machine only.
    Shown is what was sent and does not stand in it, what stands in it and was never seen, and which values agree.
    With --letter and no EXPORT, such a request is written: it names the kinds of data that the captures show, and no
    value of them.

    \b
    Example:
      phonehome access export.zip --capture evening.flow night.ledger
      phonehome access --letter --capture evening.flow -o letter.txt
    """
    if not (question.files or letter):
        question, seen = _sorted(question, seen)
    if not seen:
        raise click.UsageError("--capture: name the captures to look into, e.g. --capture evening.flow")
    if bool(question.files) == letter:
        raise click.UsageError("give the files of the answer, or --letter to ask for one")
    from analysis.access import compare_answer
    from analysis.access_export import ExportError, read
    from analysis.cli import Failure
    from analysis.report import access as report

    try:
        export = read([Path(file) for file in question.files]) if not letter else None
    except ExportError as error:
        raise Failure(str(error), 3) from None
    result = options.answer(replace(question, files=seen))
    if export is None:
        options.write(report.letter(result, entity), out)
    elif form == "json":
        options.write(report.as_json(compare_answer(result, export)), out)
    else:
        options.show(report.access_of(compare_answer(result, export), result), form, out)
    options.finish(result, fail_on_findings)


def _sorted(question: Question, seen: tuple[str, ...]) -> tuple[Question, tuple[str, ...]]:
    """The answer and the captures apart, where all were written after `--capture`."""
    answer = tuple(file for file in seen if Path(file).suffix.lower() in _OF_AN_ANSWER or Path(file).is_dir())
    return replace(question, files=answer), tuple(file for file in seen if file not in answer)
