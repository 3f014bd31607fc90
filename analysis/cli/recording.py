"""What the commands that record have in common: where to, until when, and the report at the end."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.cli import options
from analysis.cli.options import Question


def ledger(file: Path | None, days: float | None) -> Path:
    """Makes or opens the ledger, deletes from it what is older than `days`, and gives its path.

    All that this process makes from now on is for its user alone.
    """
    from captures import home, ledger

    os.umask(0o077)
    path = file or home.ledgers() / f"{datetime.datetime.now().astimezone():%Y-%m-%d-%H%M%S}.ledger"
    ledger.create(path)
    if days is not None:
        ledger.prune(path, days)
    return path


@contextmanager
def until_interrupted() -> Iterator[list[int]]:
    """A list that is filled by SIGINT or SIGTERM, so that the end is always in order."""
    received: list[int] = []
    former = {
        number: signal.signal(number, lambda signum, _: received.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def report(path: Path, product: str, form: str, out: str) -> None:
    """Writes the report of a ledger."""
    result = options.answer(Question((str(path),), product))
    if form == "json":
        from analysis.report import as_json

        options.write(as_json.render(result), out)
    else:
        from analysis.report.private import private

        options.show(private(result), form, out)
