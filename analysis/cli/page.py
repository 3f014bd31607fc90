"""The commands and their help texts as one page, `docs/cli.md`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from analysis.cli import commands

_HELP = ["-h", "--help"]

WIDTH = 100
"""Columns of the help texts on the page."""


def page() -> str:
    """The whole page, as Markdown."""
    sections = "\n".join(f"## {name}\n\n{help_text}\n" for name, help_text in help_texts())
    return (
        "# The command line\n\nMade from the help texts of `phonehome`; `UPDATE_DOCS=1 pytest tests/test_cli_docs.py` "
        "writes it anew.\n\n" + sections
    ).rstrip() + "\n"


def help_texts() -> Iterator[tuple[str, str]]:
    """Every command and sub-command with its help, in the order of the help, as a fenced block."""
    for context in every():
        if not context.command.hidden:
            yield context.command_path, _fenced(context)


def every() -> Iterator[click.Context]:
    """Every command and sub-command, also hidden ones, in the order of the help."""
    yield from _of(click.Context(commands, info_name="phonehome", terminal_width=WIDTH, help_option_names=_HELP))


def _of(context: click.Context) -> Iterator[click.Context]:
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for name in (*group.list_commands(context), *(name for name, one in group.commands.items() if one.hidden)):
            if command := group.get_command(context, name):
                yield from _of(click.Context(command, parent=context, info_name=name, terminal_width=WIDTH))


def _fenced(context: click.Context) -> str:
    text = context.command.get_help(context)
    return "```\n" + "\n".join(line.rstrip() for line in textwrap.dedent(text).splitlines()) + "\n```"
