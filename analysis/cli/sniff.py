"""`phonehome sniff`: record whom devices call, from the packets of an interface."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.cli import options, recording, tell

if TYPE_CHECKING:
    from captures.gateway.ring import Ring
    from captures.gateway.sniff import Recording


@click.command()
@click.option("-i", "--interface", required=True, metavar="NAME", help="Network interface, e.g. eth0 or br-lan.")
@click.option(
    "--ledger", "file", type=click.Path(dir_okay=False, path_type=Path), help="Where to record [default: a new file]."
)
@click.option("--product", default="", metavar="ID", help="Report only calls that this product sent.")
@click.option("--keep-secrets", is_flag=True, help="Keep tokens and passwords as they are, instead of pseudonyms.")
@click.option("--keep", "days", type=float, metavar="DAYS", help="First delete from the ledger what is older.")
@options.output("terminal", "json", "markdown", "html")
def sniff(
    interface: str, file: Path | None, product: str, keep_secrets: bool, days: float | None, form: str, out: str
) -> None:
    """Record whom devices call, when and how much, live, until Ctrl-C, then report.

    Nothing is intercepted, and nothing has to be set up on the devices. What is encrypted cannot be read, but names
    can, and what is sent in clear. Run it where the traffic passes: on the router, or on the machine itself. It takes
    the right CAP_NET_RAW.

    \b
    Example:
      sudo phonehome sniff -i br-lan
      sudo phonehome sniff -i eth0 --ledger week.ledger
    """
    from captures.gateway.ring import Ring
    from captures.gateway.sniff import Recording
    from captures.ledger import Writer
    from captures.pseudonym import key

    # Before anything is written: most often it is this that fails.
    with recording.until_interrupted() as interrupted, Ring(interface) as ring:
        path = recording.ledger(file, days)
        writer = Writer(path, None if keep_secrets else key())
        try:
            # Programs wait for this line, so it is the same in every language.
            click.echo(f"listening on {interface}", err=True)
            tell(f"recording to {path}")
            tell("Ctrl-C ends it and shows the report")
            going = Recording(ring, writer)
            _follow(path, ring, going, interrupted)
            going.finish()
        finally:
            writer.flush(60)
            writer.close()
    if ring.gone and not interrupted:
        tell(f"{interface} does not exist any more; that ended it")
    recording.report(path, product, form, out)


def _follow(path: Path, ring: Ring, going: Recording, interrupted: list[int]) -> None:
    """Records and shows what comes, until the end is asked for or the interface goes."""
    from analysis import known
    from analysis.cli.view import View
    from analysis.evidence import Servers
    from captures.model import CaptureError

    named = Servers(hosts=frozenset(server.value for server in known.listed("server")))
    with View(options.known(), path, named, known.load(), terminal=sys.stderr.isatty()) as view:
        while not interrupted and not ring.gone:
            going.step(0.25)
            # A ledger that cannot be read now does not end the recording.
            with suppress(CaptureError, sqlite3.Error, OSError):
                view.update()
