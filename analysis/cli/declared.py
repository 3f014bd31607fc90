"""`phonehome declared`: what vendors say that they collect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analysis.cli import options

if TYPE_CHECKING:
    from analysis.knowledge import Knowledge
    from analysis.pack import DeclaredList
    from analysis.pipeline import Result
    from analysis.report.as_json import Json


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
@click.option("--capture", "files", multiple=True, metavar="FILE", help="Lay this capture beside it; may be repeated.")
@options.output("terminal", "json", "markdown", "html", "csv")
def show(product: str, date: str | None, files: tuple[str, ...], form: str, out: str) -> None:
    """Show one declared list in full, by default the product's newest.

    With captures beside it: what is declared and seen, seen and not declared, declared and not seen, and how much that
    says; which switch turns what off, and whether it is off.

    \b
    Example:
      phonehome declared show plex
      phonehome declared show plex 2024-06-28 --format json
      phonehome declared show plex --capture evening.flow
    """
    from analysis.report import as_json
    from analysis.report.lists import declared_list

    known = options.known()
    chosen = _choose(known.lists, product, date)
    if files and chosen.kind != "policy":
        raise click.UsageError(f"{chosen.id}: is a {chosen.kind}; captures are laid beside policies only")
    result = options.answer(options.Question(files, product=product, declared=chosen.id)) if files else None
    if form == "json":
        options.write(as_json.dump(as_json.declared(chosen) | _beside(chosen, known, result)), out)
    else:
        options.show(declared_list(chosen, known, result), form, out)


def _beside(chosen: DeclaredList, known: Knowledge, result: Result | None) -> Json:
    """How many items of a list have a switch, and what was seen of it."""
    from analysis.listed import counted, listed
    from analysis.report.promised import listed_json

    if chosen.kind != "policy":
        return {}
    count = counted(chosen, known.products[chosen.product])
    numbers: Json = {
        "listed": count.listed,
        "with_switch": sum(count.switched.values()),
        "switch_places": dict(count.switched),
    }
    seen = listed_json(listed(result)) if result else []
    return numbers | {"seen": next((x for x in seen if x["declared"] == chosen.id), None)}


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
