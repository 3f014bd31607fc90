"""`phonehome undo`: everything that was changed on this machine, taken back."""

from __future__ import annotations

import click


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
    from captures import home
    from captures.gateway import journal, trust

    planned, trusted = journal.read(home.journal()), trust.listed(home.journal())
    keys = sorted(home.authority().glob("mitmproxy-ca*"))
    if only:
        if planned:
            click.echo(f"gateway: {', '.join(planned.devices)} on {planned.interface}")
        for entry in trusted:
            click.echo(f"trust: {entry.product} in {entry.path}")
        if keys:
            click.echo(f"authority: {home.authority()}")
        if not (planned or trusted or keys):
            click.echo("nothing is changed")
        return
    # One that cannot be taken back now must not keep the others.
    failed = []
    try:
        for remark in journal.down(home.journal()):
            click.echo(remark, err=True)
        click.echo("gateway: taken back" if planned else "gateway: nothing is set up", err=True)
    except ValueError as error:
        failed.append(str(error))
    for entry in trusted:
        try:
            click.echo(f"{entry.path}: {trust.remove(entry, home.journal())}", err=True)
        except ValueError as error:
            failed.append(str(error))
    if failed:
        raise click.ClickException(f"{'; '.join(failed)}; the rest is taken back, so run it again when that is mended")
    for key in keys:
        key.unlink()
    if keys:
        click.echo("the authority and its key are deleted; take it out of phones and other devices by hand", err=True)
