"""Result and what may be posted of it -> the finished text in one of its forms, proven."""

from __future__ import annotations

from analysis import redact, report
from analysis.pipeline import Result
from analysis.proof import prove
from analysis.redact import SharedReport
from analysis.report import markdown
from analysis.report.shared import shared

FORMS = ("markdown", "json", "bbcode", "html")
"""What a report can be posted as."""


def post(result: Result, redacted: SharedReport, form: str, *, forum: str = "any") -> str:
    """The text to post, one of `FORMS`; Markdown as a place in `markdown.FORUMS` takes it.

    Raises `LeakError` when it holds anything that must not be posted.
    """
    renderer = None if form == "json" else report.renderer(form)
    text = redact.json(redacted) + "\n"
    if renderer:
        document = shared(redacted)
        text = markdown.render(document, forum) if form == "markdown" else renderer.render(document)
    prove(text, result, redacted, renderer)
    return text
