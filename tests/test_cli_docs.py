"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from analysis.cli.page import every, help_texts, page
from analysis.commands import COMMANDS

PAGE = Path(__file__).parents[1] / "docs/cli.md"


def test_the_page_is_made_from_the_help_texts() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(), "utf-8")
    assert PAGE.read_text("utf-8") == page()


def test_every_command_is_on_the_page_with_an_example() -> None:
    shown = dict(help_texts())
    assert {name.split()[1] for name in shown if " " in name} == set(COMMANDS)
    assert [name for name, text in shown.items() if "Example:" not in text] == []
    assert [name for name, text in shown.items() if not re.search(r"-h, --help", text)] == []


def test_the_short_help_in_the_list_is_the_first_sentence_of_the_command() -> None:
    """The list is written out so that the help loads no command; it must not drift from the commands themselves."""
    texts = {name.split()[1]: text for name, text in help_texts() if name.count(" ") == 1}
    differing = {}
    for name, entry in COMMANDS.items():
        first = re.sub(r"\s+", " ", texts[name].split("\n\n")[1]).strip()
        if first.rstrip(".") != entry.help.rstrip("."):
            differing[name] = first
    assert differing == {}


def test_what_takes_a_further_word_is_known_as_a_group() -> None:
    first = {context.info_name: context.command for context in every() if context.parent and not context.parent.parent}
    groups = {name for name, command in first.items() if isinstance(command, click.Group)}
    assert {name for name, entry in COMMANDS.items() if entry.group} == groups
