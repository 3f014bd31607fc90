"""`phonehome compare-reports`: in which ways several people's reports differ."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli import Failure, options
from analysis.cli.share import read


@click.command("compare-reports")
@click.argument("files", nargs=-1, required=True, metavar="REPORT REPORT...", shell_complete=options.complete_files)
@options.forum
@options.output("terminal", "markdown", "bbcode", "html", "csv")
def compare_reports(files: tuple[str, ...], forum: str, form: str, out: str) -> None:
    """Tell in which ways shared reports differ: versions, settings, items, verdicts.

    REPORT is a shared report in any of its forms (JSON, Markdown, BBCode, HTML), also as it was copied out of a forum.
    What all of them say alike is counted and left out.

    \b
    Example:
      phonehome compare-reports mine.md theirs.json
      phonehome compare-reports *.json --format markdown -o compared.md
    """
    from analysis import shared_report
    from analysis.report.compared import compared
    from analysis.report.document import printable

    if len(files) < 2:
        raise click.UsageError(f"{printable(files[0])}: is one report alone; give two or more")
    reports = []
    for number, path in enumerate(files, 1):
        try:
            report = shared_report.read(shared_report.embedded(read(path)))
        except ValueError as error:
            raise Failure(f"{printable(path)}: {printable(str(error))}", 3) from None
        reports.append((f"{number}: {Path(path).name}", report))
    options.show(compared(reports), form, out, forum)
