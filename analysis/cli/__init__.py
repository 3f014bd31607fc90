"""The command line: the only place that uses click and the only one that prints.

A command's module is loaded when it is called: `phonehome --help` must not wait for readers, tables and reports.
"""

from __future__ import annotations

import atexit
import gc
import gettext
import os
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import cast

import click

from analysis import VERSION, language
from analysis.commands import COMMANDS
from captures import crash

QUIET = 141
"""Exit status when the reader of our output went away, as a shell reports it for SIGPIPE."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell reports it for SIGINT."""


class _ReaderGone(Exception):
    """Nobody reads our output any more."""


class Help(click.HelpFormatter):
    """Writes help in the language in use: all that it shows passes here, in English."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """How a command is called; names of what stands there are words as well (`FILE`)."""
        super().write_usage(prog, _names(args), prefix)

    def write_text(self, text: str) -> None:
        """What a command does."""
        super().write_text(language.paragraphs(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options or commands, each with what it does, and perhaps its default."""
        said = []
        for name, text in rows:
            does, gap, default = text.partition("  [")
            said.append((_names(name), f"{language.said(does)}{gap}{default}"))
        super().write_dl(said, col_max, col_spacing)


def _names(text: str) -> str:
    return re.sub(r"\b[A-Z]{2,}\b", lambda name: language.said(name[0]), text)


click.Context.formatter_class = Help


class _Message(str):
    """A message of click's, in which a kind of file or number may stand."""

    __slots__ = ()

    def format(self, *args: object, **names: object) -> str:
        """Fills it in; click has the names of kinds from when it was loaded."""
        if "filename" in names and "name" in names:
            names["name"] = language.said(str(names["name"]).lower()).capitalize()
        if "number_type" in names:
            names["number_type"] = language.said(str(names["number_type"]))
        return super().format(*args, **names)


class _ClicksOwn(gettext.NullTranslations):
    """Click asks gettext for what it says itself ("Usage", "Error"), which would look for a file of its own."""

    def gettext(self, message: str) -> str:
        # Click keeps this one, and `Help` looks it up each time.
        return message if message == "Show this message and exit." else _Message(language.said(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        said = language.said(msgid1, n)
        return _Message(msgid2 if said == msgid1 and n != 1 else said)


# Python looks for files of translations in one place, whoever asks: ours are asked there.
setattr(gettext, "translation", lambda *_, **__: _ClicksOwn())  # noqa: B010 - a function of the module


class Group(click.Group):
    """A group that lists its commands with the first sentence of each, whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands."""
        helps = ((name, self.commands[name].help or "") for name in self.list_commands(ctx))
        rows = [(name, language.paragraphs(text.partition("\n\n")[0])) for name, text in helps]
        with formatter.section(gettext.gettext("Commands")):
            formatter.write_dl([(name, re.split(r"(?<=\.)\s", text, maxsplit=1)[0]) for name, text in rows])


class Commands(click.Group):
    """A group whose commands are loaded when they are called."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command.  A closed pipe is told apart from what click makes of it, which is exit status 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """The command of this name, or `None`."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"analysis.cli.{COMMANDS[cmd_name].module}")
        # `open` would hide Python's own.
        found = getattr(module, cmd_name.replace("-", "_"), None) or getattr(module, f"{cmd_name}_")
        return _in_language(cast("click.Command", found))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's
        """Writes the list of commands without loading them."""
        with formatter.section(gettext.gettext("Commands")):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed; for an unknown one, an error that names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else "phonehome -h lists the commands"
            raise click.UsageError(f"{name}: is no command; {hint}", ctx)
        return super().resolve_command(ctx, args)


class Speech(click.ParamType[str]):
    """A language that there is."""

    name = "language"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Its code, as it was typed or as in `LANG`."""
        chosen = _language(str(value))
        if chosen is None:
            known = language.languages()
            self.fail(f"{value!r} is no language of phonehome; there are: {', '.join(known)}", param, ctx)
        return chosen


def asked(args: Sequence[str]) -> str | None:
    """What was typed after the program's name -> the language it asks for, wherever that stands; `None`: none that
    there is.

    Click answers `--help` as soon as it meets it, and says what is wrong with an option before it looks at the next: by
    then the language must be known.

    >>> asked(["inspect", "--help", "--language", "de_AT"]), asked(["--language=en", "demo"]), asked(["demo"])
    ('de', 'en', None)
    """
    before = args[: args.index("--")] if "--" in args else args
    pairs = (word.partition("=")[::2] if "=" in word else (word, after) for word, after in pairwise([*before, ""]))
    named = [value for option, value in pairs if option == "--language"]
    return _language(named[-1]) if named else None


def _language(value: str) -> str | None:
    chosen = language.wanted({language.VARIABLE: value})
    return chosen if chosen != language.SOURCE or value.lower().startswith(language.SOURCE) else None


def speak(code: str) -> None:
    """Says everything in this language from now on, also what our own processes say."""
    os.environ[language.VARIABLE] = code
    language.use(code)


def _in_language[C: click.Command](command: C) -> C:
    """Gives a command and those below it `--language`, which `main` has heeded before any of them looks at it."""
    if not any("--language" in parameter.opts for parameter in command.params):
        text = "Write in this language (en, de) [default: that of the system]."
        command.params.append(
            click.Option(["--language"], type=Speech(), metavar="CODE", is_eager=True, expose_value=False, help=text)
        )
    for each in getattr(command, "commands", {}).values():
        _in_language(each)
    return command


@_in_language
@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, "--version", message="phonehome %(version)s")
def commands() -> None:
    """Show what a home media server and its apps send out, what for, and whether the vendor said so.

    Everything runs on this machine; nothing is sent anywhere.

    \b
    Example:
      phonehome demo
      phonehome inspect capture.har

    Exit status: 0 done; 1 done, and something was found that no list covers (only with --fail-on-findings);
    2 wrong use; 3 a capture could not be read at all.
    """


def tell(text: str) -> None:
    """Says something on standard error, in the language in use."""
    click.echo(language.said(text), err=True)


class Failure(click.ClickException):
    """Something that a person can mend, in one sentence: place, what is wrong, what to do."""

    def __init__(self, message: str, status: int) -> None:
        """`status` is the exit status."""
        super().__init__(message)
        self.status = status


def main(args: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its status.  `args` are those after the program's name; `None`: sys.argv."""
    crash.quiet()
    # What a command makes (modules, knowledge, calls) stays until its end, and hardly any of it is a cycle: to look for
    # these after each 700 new objects takes a tenth of the time.
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    # Nor are there any to be looked for when the process ends anyway, which takes as long again.
    atexit.register(gc.freeze)
    speak(asked(sys.argv[1:] if args is None else args) or language.wanted(os.environ))
    try:
        status = commands.main(args, prog_name="phonehome", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        status = end.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except (BrokenPipeError, _ReaderGone):
        # What is still in the buffer must not fail a second time when the interpreter closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = QUIET
    except click.ClickException as error:
        _show(error)
        status = error.status if isinstance(error, Failure) else error.exit_code
    except (OSError, ValueError) as error:
        failure = translated(error)
        if failure is None:
            raise
        _show(failure)
        status = failure.status
    sys.exit(status if isinstance(status, int) else 0)


def _show(error: click.ClickException) -> None:
    """Says what went wrong.  A name of a file, or what was typed, may hold anything."""
    from io import StringIO

    from analysis.report.document import printable

    said = StringIO()
    # Click calls it final, and shows it in more ways than one.
    setattr(error, "message", "\n".join(map(language.said, error.message.split("\n"))))  # noqa: B010
    if isinstance(error, click.BadParameter) and error.param and error.param_hint is None:
        error.param_hint = _names(error.param.get_error_hint(error.ctx))
    error.show(said)
    click.echo("\n".join(map(printable, said.getvalue().split("\n"))), nl=False, err=True)


def translated(error: Exception) -> Failure | None:
    """An error of the stages or of the file system -> what a person is told; `None` for a fault of the program.

    A name of a file in it may hold anything.  Faults of packs come as several lines.
    """
    from analysis.community.dataset import DatasetError
    from analysis.corpus.store import CorpusError
    from analysis.known import KnownError
    from analysis.report import ForumError
    from analysis.report.document import printable
    from analysis.schema import KnowledgeError
    from analysis.texts.elsewhere import FILE_TROUBLE
    from captures.model import CaptureError

    if isinstance(error, CaptureError):
        return Failure(printable(str(error)), 3)
    if isinstance(error, KnowledgeError | KnownError | DatasetError | CorpusError | ForumError):
        return Failure("\n".join(map(printable, str(error).split("\n"))), 2)
    if isinstance(error, OSError) and error.filename is not None:
        said = FILE_TROUBLE.get(error.errno or 0, (error.strerror or "cannot be used").lower())
        return Failure(f"{printable(str(error.filename))}: {said}", 2)
    return None
