"""Questions about one call that every report asks in the same way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from analysis.model import Category, Classified, Comparison, Party, Verdict
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable

OUTSIDE = frozenset({Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN})
"""Parties whose calls are judged."""

BROKEN = frozenset(
    {
        Verdict.DENIED,
        Verdict.OPTED_OUT,
        Verdict.WRONG_RECIPIENT,
        Verdict.IDENTIFIABLE,
        Verdict.TOO_PRECISE,
        Verdict.CONTRADICTORY,
        Verdict.UNDECLARED,
    }
)
"""Verdicts by which something was sent that the list does not cover, or covers otherwise."""

WATCHED = frozenset({Category.USAGE_STATISTICS, Category.CRASH_REPORT, Category.SESSION_REPLAY, Category.ADVERTISING})
"""Purposes for which `no-list` stands on the first screen."""


def host(call: Classified) -> str:
    """The name or address that was called, or asked for; empty when it is not known.  Private."""
    return call.observation.host


def recipient(call: Classified) -> str:
    """The company at the other end, or else the host: what registered a name is no proof of who runs it.  Empty when
    neither is known."""
    return (call.entity if call.party is not Party.UNKNOWN else "") or host(call)


def is_outside(call: Classified) -> bool:
    """Whether it is a call to somebody else: not to an own or another household's server, no media stream, no name
    look-up, no visitor."""
    seen = call.observation
    if call.party not in OUTSIDE or call.category is Category.MEDIA_STREAM or isinstance(seen, Lookup):
        return False
    return isinstance(seen, Unreadable) or seen.initiator == "inside"


def is_visit(call: Classified) -> bool:
    """Whether somebody outside opened the connection."""
    return isinstance(call.observation, Exchange | Contact) and call.observation.initiator == "outside"


def is_readable(call: Classified) -> bool:
    """Whether its content could be read."""
    return isinstance(call.observation, Exchange | Lookup)


def bytes_out(call: Classified) -> int:
    """Bytes that the device sent."""
    return 0 if isinstance(call.observation, Unreadable) else call.observation.bytes_out


def open_for(call: Classified) -> int:
    """Milliseconds from its beginning to its end, of all calls that it stands for; 0 when they are not known."""
    return call.alike.open if call.alike else milliseconds(call.observation)


def milliseconds(seen: Observation) -> int:
    """From its beginning to its end; 0 when they are not known."""
    if not isinstance(seen, Contact | Exchange) or seen.time is None or seen.end is None:
        return 0
    return round(1000 * max(min(seen.end - seen.time, _LONGEST), 0.0))


_LONGEST = 1e9
"""Seconds that a call can have taken: a capture may claim any time."""


def unread_reason(call: Classified) -> str:
    """Why its content is not known, in a few words; empty when it is known."""
    return call.observation.reason if isinstance(call.observation, Contact | Unreadable) else ""


def count(call: Classified) -> int:
    """How many calls it stands for."""
    return call.alike.count if call.alike else 1


def total(calls: Iterable[Classified]) -> int:
    """How many calls they stand for."""
    return sum(map(count, calls))


def moments(call: Classified) -> Sequence[tuple[float | None, int]]:
    """When each of the calls that it stands for was made, and its number."""
    if not (call.alike and call.alike.places):
        return ((call.observation.time, call.n),)
    pairs = zip(call.alike.times, call.alike.places, strict=True)
    return [(None if math.isnan(time) else time, n) for time, n in pairs]


def between(call: Classified) -> tuple[float, float] | None:
    """The first and the last time of the calls that it stands for; `None` when none is known."""
    if call.alike:
        return call.alike.between
    time = call.observation.time
    return None if time is None else (time, time)


def addresses(call: Classified) -> tuple[str, ...]:
    """The addresses that answered the calls that it stands for, as they were recorded."""
    if call.alike:
        return call.alike.addresses
    seen = call.observation
    return (seen.server.address,) if isinstance(seen, Exchange | Contact) and seen.server else ()


def on_first_screen(comparison: Comparison) -> bool:
    """Whether the reader is to see a comparison first, and `--fail-on-findings` counts it."""
    return is_first(comparison.verdict, comparison.category, comparison.recipient)


def is_first(verdict: Verdict, category: Category, recipient_kind: str) -> bool:
    """Whether a verdict stands on the first screen: what no list covers, and `no-list` where data is collected for its
    own sake or goes to a third party that nobody configured (what the user
    set up is `documented`)."""
    if verdict in BROKEN:
        return True
    return verdict is Verdict.NO_LIST and (category in WATCHED or recipient_kind not in {"vendor", ""})
