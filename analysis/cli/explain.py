"""`phonehome explain`: the chain for one call, from its bytes to the verdicts."""

from __future__ import annotations

import click

from analysis.cli import options
from analysis.cli.options import Question


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=options.complete_files)
@click.argument("number", type=click.IntRange(min=0), metavar="CALL")
@click.option(
    "--declared", default="", metavar="DATE", help="Judge by the list of this date [default: the one in force]."
)
@click.option("--own-server", multiple=True, metavar="HOST", help="A host that is your own server; may be repeated.")
@options.output("terminal", "json", "markdown", "html")
def explain(
    files: tuple[str, ...], number: int, declared: str, own_server: tuple[str, ...], form: str, out: str
) -> None:
    """Show how one call came to its verdicts, step by step.

    That is what was seen, which rules were tried, who sent it, what stands in it, and what each list says of that.
    CALL is the number by which reports name the call; `phonehome calls` shows it. Private: it holds every value.

    \b
    Example:
      phonehome explain capture.har 3
      phonehome explain server.flow client.flow 17 --format markdown -o call.md
    """
    result = options.answer(Question(files, declared=declared, own_server=own_server))
    if number >= len(result.calls):
        last = f"the last one is {len(result.calls) - 1}" if result.calls else "there are none"
        raise click.UsageError(f"{' '.join(files)}: has no call {number}; {last}, phonehome calls lists them")
    from analysis.explain import explain as chain_of
    from analysis.report import as_json, explained

    chain = chain_of(result, number)
    if form == "json":
        options.write(as_json.dump(explained.as_json(chain, result)), out)
    else:
        path = files[chain.call.observation.source.capture]
        options.show(explained.document(chain, result, path), form, out)
