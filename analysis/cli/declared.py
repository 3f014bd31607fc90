"""`phonehome declared`: what vendors say that they collect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from analysis.cli import Group, options

if TYPE_CHECKING:
    from analysis.knowledge import Knowledge
    from analysis.pack import DeclaredList
    from analysis.pipeline import Result
    from analysis.report.as_json import Json


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  click's
    """Lists as `product@date`."""
    return [name for x in options.known().lists if (name := f"{x.product}@{x.id}").startswith(incomplete)]


@click.group(cls=Group)
def declared() -> None:
    """Show what vendors say that they collect.

    \b
    Example:
      phonehome declared list
      phonehome declared show plex 2024-06-28
      phonehome declared diff plex 2018-05-23 2024-06-28
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


@declared.command()
@click.argument("lists", nargs=-1, required=True, metavar="A [B]", shell_complete=_complete)
@options.output("terminal", "json", "markdown", "html", "csv")
def diff(lists: tuple[str, ...], form: str, out: str) -> None:
    """Show what changed from one declared list to another.

    A and B name lists as PRODUCT@DATE, or as PRODUCT DATE DATE; the beginning of a date is enough if only one list has
    it. A product alone means its two newest policies.

    \b
    Example:
      phonehome declared diff plex 2018-05-23 2024-06-28
      phonehome declared diff plex@2018 plex@2024 --format json
      phonehome declared diff plex
    """
    from analysis.report import as_json, revision
    from analysis.revision import revise

    known = options.known()
    changed = revise(*_pair(known, re.split(r"[@\s]+", " ".join(lists).strip())))
    if form == "json":
        options.write(as_json.dump(revision.as_json(changed, known)), out)
    else:
        options.show(revision.document(changed, known), form, out)


def _pair(known: Knowledge, words: list[str]) -> tuple[DeclaredList, DeclaredList]:
    """`plex 2018 2024`, `plex 2018 plex 2024` or `plex` -> two lists."""
    match words:
        case [product]:
            _choose(known.lists, product, None)
            policies = known.lists_of(product)
            if len(policies) < 2:
                raise click.UsageError(
                    f"{product}: there are no two policies to compare; name the lists by their dates"
                )
            return policies[-2], policies[-1]
        case [product, first, second]:
            return _choose(known.lists, product, first), _choose(known.lists, product, second)
        case [product, first, other, second]:
            return _choose(known.lists, product, first), _choose(known.lists, other, second)
    raise click.UsageError("name two lists: phonehome declared diff plex 2018-05-23 2024-06-28")


def _choose(lists: tuple[DeclaredList, ...], product: str, date: str | None) -> DeclaredList:
    of_product = [x for x in lists if x.product == product]
    if not of_product:
        there = ", ".join(sorted({x.product for x in lists})) or "none"
        raise click.UsageError(f"{product}: no list is known; lists are known of: {there}")
    if date is None:
        policies = [x for x in of_product if x.kind == "policy"]
        return (policies or of_product)[-1]
    fits = [x for x in of_product if x.id == date] or [x for x in of_product if date and x.id.startswith(date)]
    if len(fits) == 1:
        return fits[0]
    fault = "several lists begin so" if fits else "no such list"
    raise click.UsageError(f"{product} {date}: {fault}; there are: {', '.join(x.id for x in of_product)}")
