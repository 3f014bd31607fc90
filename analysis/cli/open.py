"""`phonehome open`: the dashboard over captures or a ledger."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.cli import Failure, options, tell
from analysis.cli.options import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.pipeline import Result
    from analysis.web.origin import Origin
    from analysis.web.pages import Shown
    from analysis.web.server import Server
    from captures.model import Capture


@click.command(name="open")
@options.captures
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Where the dashboard listens [default: 8321, or a free port]."
)
@click.option("--allow-changes", is_flag=True, help="Let the dashboard keep notes, name devices and hide calls.")
def open_(question: Question, port: int | None, allow_changes: bool, fail_on_findings: bool) -> None:
    """Open the dashboard over captures or a ledger.

    It is there until Ctrl-C. It prints a link for the browser on this machine. The link works once; after that the next
    one is printed. A ledger that is still recorded to is followed. Nothing is sent anywhere, and nothing is changed
    unless --allow-changes is given.

    \b
    Example:
      phonehome open capture.har
      phonehome open --allow-changes evening.ledger
    """
    import logging

    from analysis.web.pages import Shown
    from analysis.web.server import Server

    # What tornado would say of a fault may hold captured text.
    logging.getLogger("tornado").setLevel(logging.CRITICAL + 1)
    del fail_on_findings
    os.umask(0o077)
    followed = _followed(question)
    try:
        server = Server(port)
    except OSError as error:
        raise Failure(f"--port {port}: cannot be used ({error.strerror}); leave it out to take a free one", 2) from None
    origin = _origin(question, followed)
    try:
        shown = Shown(origin, options.known(), allow_changes)
        asyncio.run(_serve(server, shown))
    finally:
        origin.close()


async def _serve(server: Server, shown: Shown) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    told: list[str] = []

    def show(link: str) -> None:
        tell(f"dashboard: {link}" if not told else f"used; the next link: {link}")
        if not told:
            tell("Ctrl-C ends it")
        told.append(link)

    await server.run(shown, show)


def _followed(question: Question) -> Path | None:
    """The ledger that is to be followed, if one alone is asked for.  Raises `CaptureError` if it cannot be read."""
    from captures.formats import ledger
    from captures.ledger import newest

    chosen = any((question.product, question.since, question.until, question.device, question.declared))
    if len(question.files) > 1 or question.files[0] == "-" or chosen:
        return None
    path = Path(question.files[0])
    if not path.is_file() or not ledger.sniff(_head(path)):
        return None
    newest(path)
    return path


def _origin(question: Question, followed: Path | None) -> Origin:
    """One ledger is followed; everything else is read once."""
    from analysis import known as values_known
    from analysis.evidence import Servers
    from analysis.web.origin import Ledger, Read

    if followed:
        hosts = (*(one.value for one in values_known.listed("server")), *map(str.lower, question.own_server))
        return Ledger(followed, options.known(), Servers(hosts=frozenset(hosts)), values_known.load())

    def again(captures: Sequence[Capture]) -> Result:
        return options.answer(replace(question, since=None, until=None), captures)

    return Read(options.answer(question), again)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)
