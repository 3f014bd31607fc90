"""`phonehome known`: what the user tells the tool about himself."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis import language
from analysis.cli import Group, tell
from analysis.known import KINDS

if TYPE_CHECKING:
    from analysis.importers import Access

_VALUES = click.argument("values", nargs=-1, required=True, metavar="VALUE...")


_LIST = "\b\nKinds:\n" + "\n".join(f"  {name:12} {kind.meaning}" for name, kind in KINDS.items())


@click.group(cls=Group)
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
        tell(f"not added: {sentence}")
    if not kind and added.kinds:
        counts = ", ".join(f"{count} {of}" for of, count in Counter(added.kinds).items())
        tell(f"taken as: {counts}")
    if added.refused and not added.kinds:
        raise Failure("nothing was added", 2)


@known.command("import")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--from",
    "importer",
    default="",
    metavar="KIND",
    help="plex, jellyfin, kodi, folder or csv [default: asked or seen].",
)
@click.option(
    "--token-file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Read the token from this file; - is standard input.",
)
@click.option("--user", default="", metavar="NAME", help="Sign in to Jellyfin or Emby by name and password instead.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An authority of your own that signed the server's certificate.",
)
@click.option("--keep-token", is_flag=True, help="Keep the token too, to look for it in what is sent.")
def import_(source: str, importer: str, token_file: str | None, user: str, ca: Path | None, keep_token: bool) -> None:
    """Read your library, so that its titles and files are looked for.

    SOURCE is the address of a Plex, Jellyfin or Emby server, a folder of media, a folder of Kodi or its export (.xml),
    or a table (.csv) with headings such as title, year, file, imdb, duration, size.  Nothing but SOURCE is asked.  The
    same source read again replaces what was known of it.

    The token is never an argument, which others on this machine could see: it is asked for on a terminal, or read from
    --token-file or $PHONEHOME_TOKEN (a password from $PHONEHOME_PASSWORD).  It is used once and not kept.  For Plex it
    is the X-Plex-Token that "View XML" of an item shows at the end of its address; for Jellyfin and Emby an API key.

    \b
    Example:
      phonehome known import http://192.168.1.5:32400
      phonehome known import --user anna https://media.example.org/jellyfin
      phonehome known import /srv/films
      phonehome known import films.csv
    """
    from analysis import importers
    from analysis import known as own
    from analysis.cli import Failure

    if importer and importer not in importers.IMPORTERS:
        raise click.UsageError(f"--from {importer}: is not known; there are {', '.join(importers.IMPORTERS)}")
    try:
        access = importers.Access(authority=ca)
        chosen = importer or importers.importer_of(source, access)
        if source.startswith(("http://", "https://")):
            access = _access(user, token_file, ca)
        place = importers.place_of(source)
        with _counted() as (expect, done):
            kept = own.keep(chosen, place, importers.IMPORTERS[chosen].read(source, access, expect), done)
    except importers.ImportProblem as problem:
        raise Failure(str(problem), 2) from None
    if keep_token and access.token:
        own.add("token", [access.token])
    tell(
        f"read from {place} ({chosen}): {kept.works:,} titles, {kept.files:,} files; "
        f"to forget them: phonehome known forget {place}"
    )
    if not kept.works:
        raise Failure(f"{place}: holds no films, series or music that this account may see; nothing was added", 2)


def _access(user: str, token_file: str | None, ca: Path | None) -> Access:
    """The secrets for a server, from wherever the user keeps them."""
    from analysis.importers import Access

    asks = sys.stdin.isatty() and sys.stderr.isatty()
    if user:
        password = os.environ.get("PHONEHOME_PASSWORD", "")
        if not password and asks:
            password = click.prompt(
                language.said(f"Password of {user}"), hide_input=True, default="", show_default=False, err=True
            )
        return Access(user=user, password=password, authority=ca)
    if token_file:
        with click.open_file(token_file) as file:
            token = file.readline(4096).strip()
    else:
        token = os.environ.get("PHONEHOME_TOKEN", "").strip()
        if not token and asks:
            token = click.prompt(
                language.said("Token"), hide_input=True, default="", show_default=False, err=True
            ).strip()
    return Access(token=token, authority=ca)


@contextmanager
def _counted() -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Two functions: so many more are expected; so many are done.  On a terminal they show a bar."""
    if not sys.stderr.isatty():
        yield lambda _: None, lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        total = 0

        def expect(count: int) -> None:
            nonlocal total
            total += count
            bar.update(task, total=total)

        yield expect, lambda count: bar.update(task, completed=count)


@known.command("canary")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def canary(folder: Path) -> None:
    """Make an invented film: a small file that plays, with a title that no other film has.

    Put it into your library, scan, play it.  Its title and hashes are looked for from now on; any sight of them outside
    proves that titles leave your house, and where to.  Prints the path of the file.

    \b
    Example:
      phonehome known canary /srv/films
    """
    from analysis import canary as invented
    from analysis import known as own

    film = invented.invent()
    path = invented.write(film, folder)
    own.add("canary", [film.title])
    own.add("file", [str(path)], _hashes)
    click.echo(str(path))
    tell(
        "next: let your server scan this file, record with phonehome watch, play it; a report that shows its title "
        "proves that titles leave. To end it, delete the file and run: "
        f"phonehome known forget {film.title!r} {path.name!r}"
    )


@known.command("list")
@click.option("--library", is_flag=True, help="Also each title and file of the libraries that were read.")
def list_(library: bool) -> None:
    """List what is known, one line each: kind and value.  Of libraries that were read, how much.

    \b
    Example:
      phonehome known list
      phonehome known list --library
    """
    from analysis import known as own
    from analysis.report.document import printable

    for one in own.listed():
        click.echo(f"{one.kind}\t{printable(one.value)}")
    for read in own.imports():
        click.echo(f"library\t{printable(read.place)}\t{read.importer}: {read.works:,} titles, {read.files:,} files")
    if library:
        for name in own.names()[0]:
            click.echo(f"{name.kind}\t{printable(name.value)}")


@known.command("forget")
@click.option("--all", "everything", is_flag=True, help="Forget everything, also all libraries.")
@click.option("--recorded", is_flag=True, help="Also delete all traffic recorded in $PHONEHOME_HOME/ledgers.")
@click.argument("values", nargs=-1, metavar="VALUE...")
def forget(values: tuple[str, ...], everything: bool, recorded: bool) -> None:
    """Forget values; `-` reads them from standard input, one a line.

    A file is forgotten by its name or path, and its hashes with it; a library that was read by its address or path.
    What is forgotten is overwritten, and what was found with it in recorded traffic is thrown away.  The recorded
    traffic itself, in which it may stand as it was sent, is kept unless you say --recorded.

    \b
    Example:
      phonehome known forget media.example.org
      phonehome known forget http://192.168.1.5:32400
      phonehome known forget --all
    """
    from analysis import known as own
    from analysis.cli import Failure

    if everything == bool(values):
        raise click.UsageError("give the values to forget, or --all")
    asked = None if everything else _given(values)
    count = own.forget(asked) + own.forget_library(asked)
    _forget_found(recorded=recorded)
    if not count and asked is not None:
        which = asked[0] if "-" not in values and asked else "standard input"
        raise Failure(f"{which}: is not known; phonehome known list shows what is", 2)
    if ledgers := [*_ledgers()]:
        tell(f"recorded traffic stays as it is: {len(ledgers)} in {ledgers[0].parent}; delete what you need no more")


def _forget_found(*, recorded: bool) -> None:
    """Throws away what was found in recorded traffic, which is worked out again; `recorded`: and that traffic."""
    for ledger in [*_ledgers()]:
        view = (".view", ".view-wal", ".view-shm")
        for ending in (".index", *view, *(("", "-wal", "-shm", "-journal") if recorded else ())):
            ledger.with_name(ledger.name + ending).unlink(missing_ok=True)


def _ledgers() -> Iterator[Path]:
    from captures import home

    return home.ledgers().glob("*.ledger")


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
