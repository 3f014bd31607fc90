"""`phonehome packs`: rule packs: checked, and begun from a capture."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis import language, texts
from analysis.cli import Failure, Group, options, tell
from analysis.texts import packs as words

if TYPE_CHECKING:
    from analysis.draft import Draft, Kind
    from analysis.knowledge import Knowledge
    from analysis.model import Category


@click.group(cls=Group)
def packs() -> None:
    """Check rule packs, and begin new ones.

    A pack is a folder of text files that says what a product's calls are for and what they carry. Own packs are read
    from $PHONEHOME_HOME/packs.

    \b
    Example:
      phonehome packs new capture.har --out my-packs
      phonehome packs check my-packs
    """


@packs.command()
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Check a pack, or a folder of packs, by default your own.

    All faults are named at once, each with its place. Rules are tried on their examples and near misses.

    \b
    Example:
      phonehome packs check
      phonehome packs check my-packs/shelfie
    """
    from analysis import knowledge, trial
    from analysis.schema import KnowledgeError
    from captures import home

    chosen = _packs_in(folder or home.packs())
    known, errors = knowledge.inspect(chosen)
    ids = [pack.name for pack in chosen if pack.name in known.products]
    for rule in known.rules.values():
        if rule.id.partition("/")[0] in ids:
            errors.extend(trial.faults(rule, known))
    if errors:
        raise KnowledgeError("\n".join(errors))
    for pack in ids:
        click.echo(_checked(pack, known))


def _packs_in(folder: Path) -> list[Path]:
    from analysis import knowledge
    from analysis.schema import KnowledgeError

    if not folder.is_dir():
        raise click.UsageError(f"{folder}: is no folder; give a pack, or a folder of packs")
    folder = folder.resolve()
    errors: list[str] = []
    chosen = [folder] if (folder / "product.toml").exists() else knowledge.folders(folder, errors)
    if errors:
        raise KnowledgeError("\n".join(errors))
    if not chosen:
        raise click.UsageError(f"{folder}: holds no pack; a pack is a folder with a file product.toml")
    return chosen


def _checked(pack: str, known: Knowledge) -> str:
    rules = [rule for rule in known.rules.values() if rule.id.partition("/")[0] == pack]
    lists = [declared for declared in known.lists if declared.product == pack]
    counts = (
        (len(rules), "call"),
        (sum(len(rule.example) for rule in rules), "example"),
        (sum(len(rule.near_miss) for rule in rules), "near-miss"),
        (sum(len(rule.items) for rule in rules), "item"),
        (sum(len(declared.statements) for declared in lists), "statement"),
    )
    said = ", ".join(texts.plural(n, words.COUNTED[noun]) for n, noun in counts)
    return words.CHECKED.format(pack=pack, counts=said)


@packs.command()
@click.option("--out", default=".", show_default=True, metavar="DIR", type=click.Path(path_type=Path), help="Where to.")
@click.option("--product", default="", metavar="ID", help="Name of the pack [default: after the recipient].")
@click.option("--host", default="", help="The recipient [default: the unknown one that is called most].")
@click.option(
    "--category", default="", metavar="CATEGORY", help="What its calls are for [default: asked, or left open]."
)
@click.argument("files", nargs=-1, required=True, metavar="CAPTURE...")
def new(files: tuple[str, ...], out: Path, product: str, host: str, category: str) -> None:
    """Begin a pack from the calls of captures whose purpose is not known.

    It writes rules with places of data items, examples with made-up values, and near misses, for one recipient. What
    is still to be filled in is said on standard error. Read the files before you pass them on: names of hosts, parts
    of paths and names of fields are those of the capture.

    \b
    Example:
      phonehome packs new capture.har
      phonehome packs new --host tracker.example.com --product tracker --category usage-statistics capture.har
    """
    from analysis import draft, knowledge

    result = options.answer(options.Question(files))
    if product and (product in result.knowledge.products or not knowledge.NAME.fullmatch(product)):
        raise click.UsageError(f"--product {product}: is taken, or holds more than small letters, digits and dashes")
    found = draft.recipients(result)
    if not found:
        raise Failure("every call of these captures is known; there is nothing to write a pack about", 2)
    recipient = _recipient(host, tuple(found))
    kinds = draft.kinds(found[recipient], result.findings)
    made = draft.draft(recipient, kinds, [_category(category, kind) for kind in kinds], result, product)
    _write(made, out)
    for line in made.left:
        tell(line)
    for name in found:
        if name != recipient:
            tell(f"{name}: is not known either; see --host")


def _recipient(host: str, found: tuple[str, ...]) -> str:
    from analysis.report.document import printable

    if not host:
        return found[0]
    if named := [name for name in found if host.lower() == name or host.lower().endswith("." + name)]:
        return named[0]
    raise click.UsageError(f"--host {host}: is no unknown recipient; there are {', '.join(map(printable, found))}")


def _category(given: str, kind: Kind) -> Category:
    """The category that was given, or the answer to a question on a terminal; else it is left open."""
    from analysis.model import Category
    from analysis.report.document import printable

    known = [category.value for category in Category]
    if given and given not in known:
        raise click.UsageError(f"--category {given}: is not known; there are {', '.join(known)}")
    if given or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return Category(given or Category.UNKNOWN)
    called = printable(f"{kind.method or 'connection to'} {kind.host}{kind.path}")
    tell(f"{called} ({texts.plural(len(kind.calls), words.COUNTED['call'])})")
    return Category(
        click.prompt(
            language.said("What is it for?"),
            type=click.Choice(known),
            default=Category.UNKNOWN.value,
            show_choices=True,
            err=True,
        )
    )


def _write(made: Draft, out: Path) -> None:
    """Writes the files, readable for the user alone; a pack that exists already is left alone."""
    from captures import home

    folder = out / made.id
    if folder.exists() or folder.is_symlink():
        raise Failure(f"{folder}: exists already; choose another name with --product", 2)
    for name, text in made.files.items():
        path = folder / name
        home.folder(path.parent)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        click.echo(str(path))


@packs.command()
def coverage() -> None:
    """Print what the shipped packs know, and what they do not, in Markdown.

    \b
    Example:
      phonehome packs coverage
    """
    from analysis import catalogue, knowledge

    options.write(catalogue.page(knowledge.load()), "-")
