"""`phonehome demo`: the whole way on one machine."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis import language
from analysis.cli import options
from analysis.cli.options import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.demo.play import Part


@click.command()
@options.output("terminal", "json", "markdown", "html")
@click.option(
    "--keep",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the recording in this folder [default: with the other ledgers].",
)
def demo(form: str, out: str, folder: Path | None) -> None:
    """Show the whole way on this machine alone, without the internet.

    A small made-up vendor cloud, a media server and an app run on loopback and talk through the real proxy: they sign
    in, look for updates and for each other, play two films, report a crash. Then comes the report. Every name and
    title in it is invented. It ends by itself, in less than half a minute.

    \b
    Example:
      phonehome demo
      phonehome demo --keep /tmp/demo --format markdown -o report.md
    """
    from captures import home

    kept = folder or home.ledgers()
    home.folder(kept)
    ledger = kept / "demo.ledger"
    with tempfile.TemporaryDirectory(prefix="phonehome-demo-") as temporary:
        record(Path(temporary), ledger)
    result = options.answer(Question((str(ledger),)))
    # The demo's app obeys its switch at once, and nobody waits a quarter of an hour for a demo.
    if form == "json":
        from analysis.report import as_json

        options.write(as_json.render(result, grace=0), out)
    else:
        from analysis.report.private import private

        options.show(private(result, grace=0, page=form == "html"), form, out)
    _step("")
    _step(f"The recording is {ledger}.")
    _step("That was made up.  Now your own: record with the first command, or save a HAR file in your browser.")
    click.echo("  phonehome watch\n  phonehome inspect FILE.har", err=True)


def record(folder: Path, ledger: Path, parts: Sequence[Part] | None = None) -> None:
    """Runs the play, or some parts of it, and records it.  What it needs for that it writes into `folder`."""
    # Certificates and servers are needed here alone: 0.3 s.
    from analysis.demo import household as home
    from analysis.demo import play
    from analysis.demo.certificates import make
    from analysis.demo.cloud import serve
    from analysis.proxy import Proxy
    from captures import ledger as ledgers

    _step("Making a certificate authority for a made-up vendor ...")
    authority, context = make(folder, (*home.CLOUD_HOSTS, home.SERVER_HOST))
    for side in ("", "-wal", "-shm"):
        ledger.with_name(ledger.name + side).unlink(missing_ok=True)
    ledgers.create(ledger)
    with serve(context) as (cloud, server):
        _step(f"The vendor's cloud ({', '.join(home.CLOUD_HOSTS)}) is on 127.0.0.1:{cloud}.")
        with Proxy(play.options(folder, ledger, authority, cloud, server)) as proxy:
            _step(f"The proxy is on {proxy.listening[0][0]}:{proxy.listening[0][1]}, in a process of its own.")
            for step in play.steps(proxy.listening[0], folder / "ca" / "mitmproxy-ca-cert.pem", parts or play.WHOLE):
                _step(step, indent="  ")
    ledgers.finish(ledger)
    _step("Everything was recorded.  The report:")
    _step("")


def _step(text: str, *, indent: str = "") -> None:
    """A step, on standard error: standard output is the report alone."""
    said = indent + language.said(text)
    click.echo(click.style(said, dim=True) if _coloured() else said, err=True)


def _coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
