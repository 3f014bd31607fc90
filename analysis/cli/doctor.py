"""`phonehome doctor`: what stands in the way of a capture on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from analysis import language

if TYPE_CHECKING:
    from rich.table import Table

    from captures.gateway.doctor import Setup


_CELLS = ("seen", "effort", "risk")
"""What the project may have tried."""


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port the proxy would use."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("terminal", "json", "markdown")),
    default="terminal",
    show_default=True,
    help="As what; markdown: the table of set-ups alone.",
)
def doctor(port: int, form: str) -> None:
    """Say what stands in the way of a capture on this machine, and what to do about it.

    Nothing is changed.

    \b
    Example:
      phonehome doctor
      sudo phonehome doctor --format json
    """
    from analysis.texts import recorded as words
    from captures.gateway import doctor as doctor_

    if form == "markdown":
        click.echo(doctor_.markdown(), nl=False)
        return
    checks, setups = doctor_.examine(port), doctor_.setups()
    if form == "json":
        told = {
            "schema": "phonehome/doctor/1",
            "checks": [asdict(check) for check in checks],
            "setups": [asdict(setup) for setup in setups],
        }
        click.echo(json.dumps(told, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    found = Table("", "", words.NEEDED_FOR, words.FOUND, words.TO_DO, box=None, pad_edge=False)
    colours = {"fine": "green", "problem": "red", "unknown": "yellow"}
    for check in checks:
        mark = Text(words.STATES[check.state], colours[check.state])
        found.add_row(
            mark,
            language.said(check.name),
            language.said(check.needed),
            Text(language.said(check.said)),
            Text(language.said(check.remedy) if check.state != "fine" else ""),
        )
    console.print(found)
    console.print()
    console.print(table(setups))


def table(setups: Sequence[Setup]) -> Table:
    """What can be expected of which device, for a terminal."""
    from rich.table import Table
    from rich.text import Text

    from analysis.texts import recorded as words

    shown = Table(words.SET_UP, words.SEEN, words.EFFORT, words.RISK, words.HOW, box=None, pad_edge=False)
    for each in setups:
        cells = (f"{language.said(getattr(each, name))} ({words.TESTED[name in each.tested]})" for name in _CELLS)
        shown.add_row(*map(Text, (language.said(each.name), *cells, language.said(each.way))))
    return shown
