"""Reports: what is said (`document`) and how it is shown (one module for each output)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
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


class Renderer(Protocol):
    """What a module in `FORMATS` offers."""

    @property
    def MARKUP(self) -> re.Pattern[str]:
        """What this output writes around texts; captured text can never look like it."""

    def render(self, document: Document) -> str:
        """Document -> text that ends with a line break, safe against hostile captured text in this output."""

    def escape(self, text: str) -> str:
        """Text -> how it stands in this output inside a paragraph or a cell."""


def renderer(name: str) -> Renderer:
    """Name of an output -> its module, loaded only now.  Raises `KeyError` for an unknown name."""
    return cast("Renderer", import_module(FORMATS[name]))
