"""The commands and their help texts as one page, `docs/cli.md`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from analysis.cli import COMMANDS, commands

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
    names = ["-h", "--help"]
    root = click.Context(commands, info_name="phonehome", terminal_width=WIDTH, help_option_names=names)
    yield "phonehome", _fenced(root)
    for name in COMMANDS:
        command = commands.get_command(root, name)
        if command is not None:
            yield from _of(command, root, name)


def _of(command: click.Command, parent: click.Context, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=WIDTH)
    yield context.command_path, _fenced(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            if found := command.get_command(context, child):
                yield from _of(found, context, child)


def _fenced(context: click.Context) -> str:
    text = context.command.get_help(context)
    return "```\n" + "\n".join(line.rstrip() for line in textwrap.dedent(text).splitlines()) + "\n```"
