"""Reports: what is said (`document`) and how it is shown (one module for each output)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.report.document import Document

FORMATS = {
    "terminal": "analysis.report.terminal",
    "markdown": "analysis.report.markdown",
    "bbcode": "analysis.report.bbcode",
    "html": "analysis.report.html",
    "csv": "analysis.report.as_csv",
}
"""Outputs of a `Document`, by name.  JSON is no rendering of a document: it is written from the values themselves
(`as_json`)."""


class ForumError(ValueError):
    """A forum that does not take a format.  The message says which it takes."""


class Renderer(Protocol):
    """What a module in `FORMATS` offers."""

    @property
    def MARKUP(self) -> re.Pattern[str]:
        """What this output writes around texts; captured text can never look like it."""

    def render(self, document: Document) -> str:
        """Document -> text that ends with a line break, safe against hostile captured text in this output."""

    def escape(self, text: str) -> str:
        """Text -> how it stands in this output inside a paragraph or a cell."""


def rendered(document: Document, name: str, forum: str = "any") -> str:
    """Document -> text in one of `FORMATS`; Markdown and BBCode as one of their `FORUMS` takes it.

    Raises `ForumError` for a forum that does not take this format.
    """
    made = renderer(name)
    forums = getattr(made, "FORUMS", {"any": None})
    if name in ("markdown", "bbcode") and forum not in forums:
        others = next(other for other in ("markdown", "bbcode") if other != name)
        raise ForumError(f"--forum {forum}: takes no {name}; choose --format {others}")
    if name in ("markdown", "bbcode"):
        return cast("Callable[[Document, str], str]", made.render)(document, forum)
    return made.render(document)


def renderer(name: str) -> Renderer:
    """Name of an output -> its module, loaded only now.  Raises `KeyError` for an unknown name."""
    return cast("Renderer", import_module(FORMATS[name]))
