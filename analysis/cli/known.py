"""`phonehome known`: what the user tells the tool about himself."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from analysis.known import KINDS

_VALUES = click.argument("values", nargs=-1, required=True, metavar="VALUE...")


_LIST = "\b\nKinds:\n" + "\n".join(f"  {name:12} {kind.meaning}" for name, kind in KINDS.items())


@click.group()
def known() -> None:
    """Tell what is yours: names, titles, servers.

    Each value is looked for in all that is sent, also encoded or hashed.  Values are kept on this machine only, in
    $PHONEHOME_HOME/known.db, readable for you alone, until you forget them.

    \b
    Example:
      phonehome known add "The Big Film" alice@example.org
    """


@known.command("add", epilog=_LIST)
@click.option(
    "--kind",
    type=click.Choice(tuple(KINDS)),
    metavar="KIND",
    help="What they are [default: by their looks, else a name].",
)
@_VALUES
def add(kind: str | None, values: tuple[str, ...]) -> None:
    """Remember values; `-` reads them from standard input, one a line.

    Other users of this machine may see the arguments of a command while it runs, and your shell may keep them: give
    secrets by standard input.

    E-mail, IP and MAC addresses, host names and media files are told by their looks; what looks like none of them is
    taken as a name.  A server is an own media server: calls to it are not judged.  Of a file that is there, its hashes
    are looked for as well; that reads it once.

    \b
    Example:
      phonehome known add --kind server media.example.org 203.0.113.7
      phonehome known add --kind title - < titles.txt
    """
    from analysis import known as own
    from analysis.cli import Failure

    added = own.add(kind or "", _given(values), _hashes)
    for sentence in added.refused:
        click.echo(f"not added: {sentence}", err=True)
    if not kind and added.kinds:
        counts = ", ".join(f"{count} {of}" for of, count in Counter(added.kinds).items())
        click.echo(f"taken as: {counts}", err=True)
    if added.refused and not added.kinds:
        raise Failure("nothing was added", 2)


@known.command("list")
def list_() -> None:
    """List what is known, one line each: kind and value.

    \b
    Example:
      phonehome known list
    """
    from analysis import known as own
    from analysis.report.document import printable

    for one in own.listed():
        click.echo(f"{one.kind}\t{printable(one.value)}")


@known.command("forget")
@_VALUES
def forget(values: tuple[str, ...]) -> None:
    """Forget values; `-` reads them from standard input, one a line.

    A file is forgotten by its name or path, and its hashes with it.

    \b
    Example:
      phonehome known forget media.example.org
    """
    from analysis import known as own
    from analysis.cli import Failure

    asked = _given(values)
    if not own.forget(asked):
        which = asked[0] if "-" not in values and asked else "standard input"
        raise Failure(f"{which}: is not known; phonehome known list shows what is", 2)


def _given(values: tuple[str, ...]) -> list[str]:
    """The arguments, with the lines of standard input in the place of `-`."""
    lines = sys.stdin.buffer.read().decode("utf-8", "replace").splitlines() if "-" in values else []
    return [one for value in values for one in (lines if value == "-" else [value]) if one.strip()]


def _hashes(path: Path) -> Iterator[tuple[str, str]]:
    """Hashes of a file, with a progress bar on a terminal."""
    from analysis.known.file_hashes import file_hashes

    if not sys.stderr.isatty():
        yield from file_hashes(path)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=path.stat().st_size)
        yield from file_hashes(path, lambda count: bar.advance(task, count))
