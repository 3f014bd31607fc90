"""`phonehome known`: what the user tells the tool about himself."""

from __future__ import annotations

import click


@click.group()
def known() -> None:
    """Tell which servers are your own.

    It is kept on this machine only, in $PHONEHOME_HOME/known.db.

    \b
    Example:
      phonehome known add --kind server media.example.org
    """


@known.command("add")
@click.option("--kind", type=click.Choice(["server"]), default="server", show_default=True, help="What it is.")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
def add(kind: str, values: tuple[str, ...]) -> None:
    """Remember host names or addresses of your own media server.

    \b
    Example:
      phonehome known add --kind server media.example.org 203.0.113.7
    """
    from analysis import known as values_known

    values_known.add(kind, values)


@known.command("list")
def list_() -> None:
    """List what is known, one line each.

    \b
    Example:
      phonehome known list
    """
    from analysis import known as values_known
    from analysis.report.document import printable

    for one in values_known.listed():
        click.echo(f"{one.kind}\t{printable(one.value)}")


@known.command("forget")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
def forget(values: tuple[str, ...]) -> None:
    """Forget values.

    \b
    Example:
      phonehome known forget media.example.org
    """
    from analysis import known as values_known
    from analysis.cli import Failure

    if not values_known.forget(values):
        raise Failure(f"{values[0]}: is not known; phonehome known list shows what is", 2)
