"""What the commands that read captures have in common: their options, and the way from these to a result."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.index import Index
    from analysis.knowledge import Knowledge
    from analysis.known import OwnValues
    from analysis.model import Classified, Comparison
    from analysis.pipeline import Result
    from analysis.report.document import Document
    from captures.model import Capture

type Command = Callable[..., Any]
"""A function that click makes a command of; its parameters are its options."""

FOUND = 1
"""Exit status when something was found, with `--fail-on-findings`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, or a time of every day."""

    instant: float | None
    """Seconds since the epoch (UTC)."""
    minute: int | None
    """Minute of the local day."""


class MomentType(click.ParamType[Moment]):
    """`2026-11-24`, `2026-11-24T20:15`, `2026-11-24T20:15+01:00` or `20:15`, local time unless it has an offset."""

    name = "time"

    def __init__(self, *, end: bool) -> None:
        """`end`: a date alone means its end, not its beginning."""
        self.end = end

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        """Text -> moment."""
        if isinstance(value, Moment):
            return value
        text = str(value)
        if clock := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text):
            return Moment(None, int(clock[1]) * 60 + int(clock[2]))
        try:
            when = dt.datetime.fromisoformat(text)
            if self.end and re.fullmatch(r"[0-9-]+", text):
                when += dt.timedelta(days=1)
            return Moment(when.timestamp(), None)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is no time; write 20:15, 2026-11-24 or 2026-11-24T20:15", param, ctx)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which captures."""

    files: tuple[str, ...]
    """Paths, `-` for standard input."""
    product: str = ""
    """Only calls that this product (pack id) sent."""
    declared: str = ""
    """Date of the list to judge by."""
    since: Moment | None = None
    """Only calls from then on."""
    until: Moment | None = None
    """Only calls until then."""
    device: str = ""
    """Only calls of this device."""
    own_server: tuple[str, ...] = ()
    """Hosts that the user names as the own server."""
    tls_keys: Path | None = None
    """Log of TLS keys with which packets are decrypted."""


def captures(command: Command) -> Command:
    """Gives a command the captures as its argument and the options that choose among their calls.

    The command gets them as one `question`.
    """
    return captures_of("FILE...", required=True)(command)


def captures_of(metavar: str, *, required: bool = False) -> Callable[[Command], Command]:
    """As `captures`, under another name, and perhaps none."""
    return lambda command: _captures(command, metavar, required=required)


def _captures(command: Command, metavar: str, *, required: bool) -> Command:

    def asked(
        files: tuple[str, ...],
        product: str,
        declared: str,
        since: Moment | None,
        until: Moment | None,
        device: str,
        own_server: tuple[str, ...],
        tls_keys: Path | None,
        **rest: object,
    ) -> object:
        return command(Question(files, product, declared, since, until, device, own_server, tls_keys), **rest)

    wrapped: Command = update_wrapper(asked, command)
    for option in (
        click.option("--fail-on-findings", is_flag=True, help="Exit with 1 if something was sent that no list covers."),
        click.option(
            "--tls-keys",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Decrypt packets with this key log (SSLKEYLOGFILE); takes tshark.",
        ),
        click.option(
            "--own-server", multiple=True, metavar="HOST", help="A host that is your own server; may be repeated."
        ),
        click.option("--device", default="", metavar="NAME", help="Only calls of this device (name, MAC or address)."),
        click.option(
            "--until", type=MomentType(end=True), help="Only calls until then; local time, or every day if HH:MM."
        ),
        click.option(
            "--since", type=MomentType(end=False), help="Only calls from then on; local time, or every day if HH:MM."
        ),
        click.option(
            "--declared", default="", metavar="DATE", help="Judge by the list of this date [default: the one in force]."
        ),
        click.option("--product", default="", metavar="ID", help="Only calls that this product sent."),
        click.argument("files", nargs=-1, required=required, metavar=metavar, shell_complete=complete_files),
    ):
        wrapped = option(wrapped)
    return wrapped


def taking_lists(*names: str) -> type[click.Command]:
    """A kind of command whose options of these names take all files up to the next option."""

    def spread(args: Sequence[str]) -> Iterator[str]:
        current = ""
        for arg in args:
            if arg in names:
                current = arg
            elif arg.startswith("-") and arg != "-":
                current = ""
                yield arg
            elif current:
                yield from (current, arg)
            else:
                yield arg

    class TakesLists(click.Command):
        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            """Writes the option before each of its files, as click wants it."""
            return super().parse_args(ctx, list(spread(args)))

    return TakesLists


def output(*formats: str) -> Callable[[Command], Command]:
    """Gives a command `--format`, of which the first is the default, and `-o`."""

    def add(command: Command) -> Command:
        for option in (
            click.option(
                "-o", "--output", "out", default="-", metavar="FILE", help="Write to this file, for you alone (0600)."
            ),
            click.option(
                "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="Output."
            ),
        ):
            command = option(command)
        return command

    return add


def forum(command: Command) -> Command:
    """Gives a command `--forum`: where its Markdown or BBCode is to be posted."""
    places = click.Choice(("any", "github", "discourse", "reddit", "lemmy", "phpbb", "smf", "xenforo"))
    text = "Where Markdown or BBCode is to be posted; long tables are folded and put together as that place needs it."
    added: Command = click.option("--forum", type=places, default="any", show_default=True, help=text)(command)
    return added


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001  click's
    """Asks the shell to complete file names."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def known() -> Knowledge:
    """What is known: the shipped packs and the user's own."""
    from analysis import knowledge
    from captures import home

    return knowledge.load(home.packs(), home.cache())


def answer(question: Question, instead: Sequence[Capture] = (), *, alike: bool = False, page: bool = False) -> Result:
    """A question -> everything that a report can show, of its files, or of other captures `instead`.

    `alike`: one call may stand for all of which a report says the same (`analysis.sums`), and for what a `page` shows.
    Raises `CaptureError` when a capture cannot be read at all, `click.UsageError` for a product or list that does not
    exist.
    """
    from analysis import pipeline
    from analysis.evidence import Servers
    from captures import formats

    loaded = known()
    _check(question, loaded)
    read = list(instead) or [
        formats.read(path, number, tls_keys=question.tls_keys) for number, path in enumerate(question.files)
    ]
    servers, own = _own()
    chosen = any((question.product, question.since, question.until, question.device))
    with progress("calls") as told, nullcontext() if instead else _index(question, read) as index:
        named = Servers(hosts=frozenset((*servers, *(host.lower() for host in question.own_server))))
        keep = (lambda call: keeps(question, call)) if chosen else None
        if alike and index:
            from analysis.sums import summed

            found = summed(
                read[0],
                Path(question.files[0]),
                loaded,
                index,
                declared=question.declared,
                named=named,
                keep=keep,
                within=_period(question),
                progress=told,
                own=own,
                page=page,
            )
            if found:
                return found
        return pipeline.run(
            read,
            loaded,
            declared=question.declared,
            named=named,
            keep=keep,
            progress=told,
            index=index,
            own=own,
        )


def _own() -> tuple[list[str], OwnValues | None]:
    """The servers that the user named as his own, and all his values, as far as there are any."""
    from captures import home

    if not home.known().exists():
        return [], None  # to load what searches for them takes a twentieth of a second
    from analysis import known as values_known

    return [server.value for server in values_known.listed("server")], values_known.load()


def _index(question: Question, read: Sequence[Capture]) -> AbstractContextManager[Index | None]:
    """The index beside a ledger that is asked about alone."""
    from analysis.index import Index

    if len(read) == 1 and read[0].format == "ledger" and question.files[0].endswith(".ledger"):
        return Index(Path(question.files[0]))
    return nullcontext()


def _check(question: Question, loaded: Knowledge) -> None:
    if question.product and question.product not in loaded.products:
        raise click.UsageError(
            f"--product {question.product}: is not known; there are {', '.join(sorted(loaded.products))}"
        )
    dates = {x.id for x in loaded.lists if x.kind == "policy" and question.product in ("", x.product)}
    if question.declared and question.declared not in dates:
        raise click.UsageError(
            f"--declared {question.declared}: there is no such list; phonehome declared list shows them"
        )


def keeps(question: Question, call: Classified) -> bool:
    """Whether a call is among those that are asked for.  A call without a time is in no period."""
    seen = call.observation
    if question.product and call.product != question.product:
        return False
    if question.device and question.device != seen.device:
        return False
    return _within(question.since, question.until, seen.time)


def _period(question: Question) -> Callable[[float | None], bool] | None:
    """Whether a moment is in the time that is asked for; `None` when any is."""
    since, until = question.since, question.until
    return (lambda time: _within(since, until, time)) if since or until else None


def _within(since: Moment | None, until: Moment | None, time: float | None) -> bool:
    if since is None and until is None:
        return True
    if time is None:
        return False
    if since and since.instant is not None and time < since.instant:
        return False
    if until and until.instant is not None and time > until.instant:
        return False
    start, end = (since.minute if since else None), (until.minute if until else None)
    if start is None and end is None:
        return True
    try:
        local = dt.datetime.fromtimestamp(time)
    except (ValueError, OverflowError, OSError):  # a capture may claim any time
        return False
    minute = local.hour * 60 + local.minute
    if start is not None and end is not None and start > end:  # from the evening into the morning
        return minute >= start or minute <= end
    return (start is None or minute >= start) and (end is None or minute <= end)


def found(comparisons: Sequence[Comparison]) -> bool:
    """Whether something was sent that no list covers, or that a list covers otherwise (see the exit status)."""
    from analysis.model import Verdict
    from analysis.traffic import on_first_screen

    return any(c.verdict is not Verdict.CONTRADICTORY and on_first_screen(c) for c in comparisons)


def finish(result: Result, fail_on_findings: bool) -> None:
    """Ends a command with its exit status."""
    if fail_on_findings and found((*result.comparisons, *result.promised)):
        raise click.exceptions.Exit(FOUND)


def show(document: Document, form: str, out: str, forum: str = "any") -> None:
    """Writes a document in one of the formats for people; Markdown and BBCode as a forum takes them."""
    from analysis import report

    if form == "terminal":
        from analysis.report import terminal

        seen = out == "-" and sys.stdout.isatty()
        colour = seen and colours(sys.stdout)
        write(terminal.render(document, width=terminal_width(), colour=colour, cut=seen), out)
    else:
        write(report.rendered(document, form, forum), out)


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((100, 24)).columns


def colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which colours are wanted."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def write(text: str, out: str) -> None:
    """Writes the result to standard output or, readable for its owner alone, to a file."""
    data = text.encode("utf-8", "backslashreplace")
    if out == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        file.write(data)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, if that is a terminal; `what` is counted."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
