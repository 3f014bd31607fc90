"""The page for newcomers is what the program prints, and it takes three commands."""

from __future__ import annotations

import os
import re

import first_report


def test_the_page_is_what_the_program_prints() -> None:
    """`UPDATE_DOCS=1` writes it anew."""
    made = first_report.page()
    if os.environ.get("UPDATE_DOCS"):
        first_report.PAGE.write_text(made, "utf-8")
    assert first_report.PAGE.read_text("utf-8") == made


def test_it_takes_three_commands_from_nothing_to_a_post() -> None:
    text = first_report.PAGE.read_text("utf-8")
    assert re.findall(r"^(?:    |\$ )((?:make|\.venv/bin/phonehome) .*)", text, re.MULTILINE) == [
        "make demo",
        ".venv/bin/phonehome inspect plex.har",
        ".venv/bin/phonehome share plex.har -o report.md",
    ]
