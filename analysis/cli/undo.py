"""`phonehome undo`: everything that was changed on this machine, taken back."""

from __future__ import annotations

import os

import click

from analysis import language
from analysis.cli import tell


@click.command()
@click.option("--list", "only", is_flag=True, help="Say what would be taken back, and change nothing.")
def undo(only: bool) -> None:
    """Take back everything that phonehome has changed on this machine.

    That is the set-up of a router (`gateway down`) and the trust of products, with the authority itself
    (`trust remove --all`).  What was recorded stays.  What was done by hand on phones is undone by hand.

    \b
    Example:
      phonehome undo --list
      sudo phonehome undo
    """
    from analysis.cli.trust import end
    from captures import home
    from captures.gateway import journal, trust

    if only:
        _list()
        return
    # One that cannot be taken back now must not keep the others.
    done: list[str] = []
    failed: list[str] = []
    try:
        planned = journal.read(home.journal())
        done += journal.down(home.journal())
        done.append("gateway: taken back" if planned else "gateway: nothing is set up")
    except ValueError as error:
        failed.append(str(error))
    try:
        taken, left = trust.remove_all(home.journal())
    except ValueError as error:
        taken, left = [], [str(error)]
    try:
        end(done + taken, failed + left)
    finally:
        _others()


def _list() -> None:
    from captures import home
    from captures.gateway import journal, trust

    planned, trusted = journal.read(home.journal()), trust.listed(home.journal())
    if planned:
        click.echo(language.said(f"gateway: {', '.join(planned.devices)} on {planned.interface}"))
    for entry in trusted:
        click.echo(language.said(f"trust: {entry.product} in {entry.path}"))
    keys = sorted(home.authority().glob("mitmproxy-ca*"))
    if keys:
        click.echo(language.said(f"authority: {home.authority()}"))
    if not (planned or trusted or keys):
        click.echo(language.said("nothing is changed"))
    _others()


def _others() -> None:
    """Root has another folder, in which what was done with sudo is written down."""
    if os.geteuid() and not os.environ.get("PHONEHOME_HOME"):
        tell("what was done with sudo is listed by: sudo phonehome undo --list")
