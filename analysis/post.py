"""Result and what may be posted of it -> the finished text in one of its forms, proven."""

from __future__ import annotations

import functools
from collections.abc import Callable

from analysis import language, report, shared_report, texts
from analysis.advice import shipped_blocking
from analysis.outline import Outline, outline
from analysis.pipeline import Result
from analysis.proof import prove
from analysis.report import as_har, as_openapi, blocklists
from analysis.report.shared import shared
from analysis.shared_report import SharedReport
from analysis.texts import advice, export

FORMS = ("markdown", "json", "bbcode", "html")
"""What a report can be posted as."""

EXPORTS: dict[str, Callable[[Outline], str]] = {
    "har": as_har.render,
    "openapi": as_openapi.render,
    **{form: functools.partial(blocklists.render, form=form) for form in blocklists.LINES},
    "iap": blocklists.access_policy,
}
"""What other programs take, by name."""


def post(result: Result, redacted: SharedReport, form: str, *, forum: str = "any") -> str:
    """The text to post, one of `FORMS` or `EXPORTS`; Markdown and BBCode as a place in their `FORUMS` takes it.

    Raises `LeakError` when it holds anything that must not be posted, `ForumError` for a place that takes another form.
    """
    if form in EXPORTS:
        made = outline(result, show={seen.name for seen in redacted.shown})
        text = EXPORTS[form](made)
        prove(text, result, redacted, None, more=made.words() | export_words(language.current()))
        return text
    renderer = None if form == "json" else report.renderer(form)
    text = shared_report.json(redacted) + "\n"
    if renderer:
        text = report.rendered(shared(redacted), form, forum)
    prove(text, result, redacted, renderer)
    return text


@functools.cache
def export_words(_language: str) -> frozenset[str]:
    """What exports say in the language in use, beside the vocabulary of a report and the words of the outline."""
    phrases = {word.strip() for module in (export, advice) for word in texts.phrases_of(vars(module))}
    written = {*as_har.WORDS, *as_openapi.WORDS, *blocklists.WORDS}
    return frozenset(phrases | written | {blocking.breaks for blocking in shipped_blocking()})
