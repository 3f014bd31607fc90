"""Of calls that a page lists together: which belong together, and which of them it shows.

A page that names every one of a million calls is read by nobody: of a long result the first of each kind are shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analysis.traffic import host, is_readable, recipient
from captures.model import Exchange

if TYPE_CHECKING:
    from analysis.model import Classified, Finding

ALL = 10_000
"""Of a result of up to so many calls each one is shown."""

SOME = 5_000
"""About so many calls are shown of a longer one."""


class Sample(NamedTuple):
    """Calls that are shown, with what was found in them.  Private."""

    calls: tuple[Classified, ...]
    """In their order, each standing for itself alone."""
    findings: tuple[Finding, ...]
    """In the order of `call`."""


def kind(call: Classified) -> tuple[object, ...]:
    """What a call has in common with those that are listed with it: sender, recipient, purpose, rule or the beginning
    of the path."""
    seen = call.observation
    method = seen.method if isinstance(seen, Exchange) else type(seen).__name__
    ends = (call.product, seen.device, host(call), recipient(call))
    return (*ends, method, call.rule or beginning(call), call.category, is_readable(call))


def beginning(call: Classified) -> str:
    """The beginning of the path of a request, if it is a word and no id, of which there is no end; else nothing."""
    step = call.observation.path.split("/", 2)[1:2] if isinstance(call.observation, Exchange) else []
    return step[0] if step and _WORD.fullmatch(step[0]) else ""


_WORD = re.compile(r"[A-Za-z_.-]{0,24}[0-9]?")


def most(calls: int, kinds: int) -> int:
    """Numbers of calls and of their kinds -> how many of each kind are shown."""
    return calls if calls <= ALL else max(SOME // max(kinds, 1), 1)
