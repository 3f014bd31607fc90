"""`phonehome declared`: what vendors say that they collect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analysis.cli import options

if TYPE_CHECKING:
    from analysis.pack import DeclaredList


@click.group()
def declared() -> None:
    """Show what vendors say that they collect.

    \b
    Example:
      phonehome declared list
      phonehome declared show plex 2024-06-28
    """


@declared.command("list")
@options.output("terminal", "json", "markdown", "html", "csv")
def list_(form: str, out: str) -> None:
    """List the declared lists that are known, one line each.

    \b
    Example:
      phonehome declared list
    """
    from analysis.report import as_json
    from analysis.report.lists import declared_lists

    known = options.known()
    if form == "json":
        options.write(as_json.dump([as_json.declared(x, brief=True) for x in known.lists]), out)
    else:
        options.show(declared_lists(known), form, out)


@declared.command()
@click.argument("product")
@click.argument("date", required=False)
@options.output("terminal", "json", "markdown", "html", "csv")
def show(product: str, date: str | None, form: str, out: str) -> None:
    """Show one declared list in full, by default the product's newest.

    \b
    Example:
      phonehome declared show plex
      phonehome declared show plex 2024-06-28 --format json
    """
    from analysis.report import as_json
    from analysis.report.lists import declared_list

    known = options.known()
    chosen = _choose(known.lists, product, date)
    if form == "json":
        options.write(as_json.dump(as_json.declared(chosen)), out)
    else:
        options.show(declared_list(chosen, known), form, out)


def _choose(lists: tuple[DeclaredList, ...], product: str, date: str | None) -> DeclaredList:
    of_product = [x for x in lists if x.product == product]
    if not of_product:
        there = ", ".join(sorted({x.product for x in lists})) or "none"
        raise click.UsageError(f"{product}: no list is known; lists are known of: {there}")
    if date is None:
        policies = [x for x in of_product if x.kind == "policy"]
        return (policies or of_product)[-1]
    for known in of_product:
        if known.id == date:
            return known
    raise click.UsageError(f"{product} {date}: no such list; there are: {', '.join(x.id for x in of_product)}")
