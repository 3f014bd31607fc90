"""`phonehome trust`: which products trust the proxy's authority."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis import language
from analysis.cli import Group, tell

if TYPE_CHECKING:
    from captures.gateway.trust import Store


@click.group(cls=Group)
def trust() -> None:
    """Let a product trust the proxy's certificate authority, and undo it.

    Only this makes its connections readable.  A copy of each file is kept, and `remove` puts it back.

    \b
    Example:
      sudo phonehome trust add plex
      phonehome trust status
      sudo phonehome trust remove --all
    """


def _completed(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from captures.gateway.trust import stores

    return [product for product in stores() if product.startswith(begun)]


@trust.command()
@click.argument("product", shell_complete=_completed)
@click.option("--path", "paths", multiple=True, type=click.Path(path_type=Path), help="File or folder that it reads.")
@click.option("--python", default="", metavar="PROGRAM", help="Interpreter whose certifi is meant.")
def add(product: str, paths: tuple[Path, ...], python: str) -> None:
    """Put the authority where PRODUCT looks, or say what to do on the device.

    \b
    Example:
      sudo phonehome trust add plex
      phonehome trust add python --python /opt/tautulli/venv/bin/python
      phonehome trust add ios
    """
    from captures import home
    from captures.gateway import authority, trust

    store = _store(product)
    ours = authority.ensure(home.authority())
    if store.kind == "told":
        click.echo(language.said(store.then).format(certificate=ours.certificate))
        return
    for path in trust.places(store, paths, python):
        changed = trust.add(store, path, ours, home.journal())
        tell(f"{path}: {'trusts the proxy now' if changed else 'trusts the proxy already'}")
    tell(f"next: {store.then}; undo it with: phonehome trust remove {product}")


@trust.command()
@click.argument("product", required=False, shell_complete=_completed)
def status(product: str | None) -> None:
    """Show the authority, and which products trust it; an update may have overwritten that.

    \b
    Example:
      phonehome trust status
    """
    from captures import home
    from captures.gateway import authority, trust

    ours = authority.read(home.authority())
    if ours is None:
        click.echo(language.said("authority: none yet; trust add or watch makes one"))
    else:
        what = f"not valid for {len(ours.never)} names" if ours.constrained else "valid for every name"
        click.echo(language.said(f"authority: {ours.certificate}, until {ours.until:%Y-%m-%d}, {what}"))
        if set(ours.never) != set(authority.names(authority.never())):
            said = "the list of names has changed since; it counts for the next one: phonehome trust remove --all"
            click.echo(language.said(said))
    found = [entry for entry in trust.listed(home.journal()) if product in (None, entry.product)]
    for entry in found:
        click.echo(language.said(f"{entry.product}: {entry.path}: {trust.state(entry, ours)}"))
    if not found:
        click.echo(language.said(f"{product}: was not told to trust it" if product else "nothing was told to trust it"))


@trust.command()
@click.argument("product", required=False, shell_complete=_completed)
@click.option("--all", "everything", is_flag=True, help="Of all products, and the authority itself.")
def remove(product: str | None, everything: bool) -> None:
    """Take the authority out of PRODUCT; with --all out of everything, and end it.

    \b
    Example:
      sudo phonehome trust remove plex
      sudo phonehome trust remove --all
    """
    from captures import home
    from captures.gateway import trust

    if bool(product) == everything:
        raise click.UsageError("name one product, or --all")
    if product:
        _store(product)
    if everything:
        end(*trust.remove_all(home.journal()))
        return
    found = [entry for entry in trust.listed(home.journal()) if entry.product == product]
    for entry in found:
        tell(f"{entry.path}: {trust.remove(entry, home.journal())}")
    if not found:
        tell(f"{product}: was not told to trust it")


def end(done: list[str], failed: list[str]) -> None:
    """Says what was taken out, and ends the authority; it stays while something that trusts it could not be changed."""
    from captures import home

    for line in done:
        tell(line)
    if failed:
        raise click.ClickException(f"{'; '.join(failed)}; the rest is taken back, so run it again when that is mended")
    keys = sorted(home.authority().glob("mitmproxy-ca*"))
    for key in keys:
        key.unlink()
    # Of devices that did not accept it nothing is known about the next one.
    home.refusals().unlink(missing_ok=True)
    if keys:
        tell("the authority and its key are deleted; take it out of phones and other devices by hand")


def _store(product: str) -> Store:
    from captures.gateway.trust import stores

    known = stores()
    if product not in known:
        raise click.UsageError(f"{product}: is not known; known are {', '.join(known)}")
    return known[product]
