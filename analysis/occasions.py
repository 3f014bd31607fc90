"""Result -> which occasions it covers.  What did not happen in a capture, the capture cannot speak about."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.knowledge import Knowledge
from analysis.model import Category, Classified
from analysis.pipeline import Result
from analysis.texts import Occasion

DAY = 24 * 3600.0
"""Seconds of a day."""

_SHOWN_BY: dict[Occasion, str] = {"restart": "start", "film": "play", "scan": "scan"}
"""Occasion -> the word that the `when` of a rule holds if the call is made on it."""

_FILM = frozenset({Category.PLAYBACK_REPORT, Category.MEDIA_STREAM})


def covered(result: Result) -> frozenset[Occasion]:
    """What happened: shown by rules that are tied to an occasion (`when`), by the purpose of calls, by the time span.

    A rule that names several occasions shows none of them.
    """
    seen = {occasion for call in result.calls for occasion in shown_by(call, result.knowledge)}
    if span(result) >= DAY:
        seen.add("24-hours")
    return frozenset(seen)


def shown_by(call: Classified, knowledge: Knowledge) -> Iterator[Occasion]:
    """What happened, as one call shows it."""
    rule = knowledge.rules.get(call.rule)
    when = rule.when.split() if rule else ()
    fits = [occasion for occasion, word in _SHOWN_BY.items() if word in when]
    if len(fits) == 1:
        yield fits[0]
    if call.category in _FILM:
        yield "film"


def span(result: Result) -> float:
    """Seconds that the captures cover together, without the time between them; 0 when no times are known."""
    spans = sorted((c.first, c.last) for c in result.captures if c.first is not None and c.last is not None)
    total, until = 0.0, float("-inf")
    for first, last in spans:
        total += max(0.0, last - max(first, until))
        until = max(until, last)
    return total
