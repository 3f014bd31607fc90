"""`phonehome optout`: what an opt-out stopped."""

from __future__ import annotations

from dataclasses import replace

import click

from analysis.cli import options
from analysis.cli.options import Question


@click.command(cls=options.taking_lists("--off", "--on"))
@options.captures_of("[BEFORE AFTER]")
@click.option("--on", "on", multiple=True, metavar="FILE...", help="Captures with the switch on.")
@click.option("--off", "off", multiple=True, metavar="FILE...", help="Captures with the switch off.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=15.0,
    show_default=True,
    metavar="MINUTES",
    help="Leave out what was sent so soon after the switch.",
)
@options.output("terminal", "json", "markdown", "html", "csv")
def optout(
    question: Question,
    on: tuple[str, ...],
    off: tuple[str, ...],
    grace: float,
    form: str,
    out: str,
    fail_on_findings: bool,
) -> None:
    """Show what an opt-out stopped, item by item and call by call.

    BEFORE is a capture with the switch on, AFTER one with it off: do the same in both, above all play films. A change
    of the switch that is seen in the traffic splits the capture in which it stands; one such capture is enough. Off,
    on and off again is the strongest sign. What is needed for a function and goes on (update check, remote discovery,
    sign-in) is listed with what it carries beyond that.

    \b
    Example:
      phonehome optout before.flow after.flow
      phonehome optout --off monday.ledger wednesday.ledger --on tuesday.ledger
      phonehome optout --format json -o optout.json before.har after.har
    """
    from analysis.optout import optout as compared
    from analysis.report.optout import as_json, optout_of

    files, labels = _files(question.files, off, on)
    result = options.answer(replace(question, files=files))
    sides = {side: [n for n, label in enumerate(labels) if label == side] for side in ("on", "off")}
    found = compared(result, sides["off"], sides["on"], grace=grace * 60)
    if not any(labels) and not found.changes:
        raise click.UsageError(f"{files[0]}: no change of a switch is seen in it; give a second capture: BEFORE AFTER")
    if form == "json":
        options.write(as_json(found, result), out)
    else:
        options.show(optout_of(found, result), form, out)
    options.finish(result, fail_on_findings)


def _files(
    plain: tuple[str, ...], off: tuple[str, ...], on: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was typed -> all files, and for each `on`, `off` or nothing."""
    if off or on:
        if plain:
            raise click.UsageError(f"{plain[0]}: give either BEFORE AFTER, or all files after --off and --on")
        if not (off and on):
            raise click.UsageError(
                "--off and --on: both are needed; a switch that changes within one file needs neither"
            )
        return (*on, *off), ("on",) * len(on) + ("off",) * len(off)
    if not plain or len(plain) > 2:
        raise click.UsageError("give BEFORE AFTER, or --off FILE... --on FILE... when there are more")
    return plain, ("on", "off") if len(plain) == 2 else ("",)
