"""Which calls are alike: a report says the same of them, so that their number and their sums are enough.

What is compared is what reports ask of a call and its findings; a report that asks for more has to be told here.  Each
alone stands what reports hold against other calls by its time and its numbers: what was told of a play.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from analysis import sample
from analysis.anonymity import LEADING
from analysis.compare.scope import PERSONAL
from analysis.discovery import said
from analysis.evidence import address_of
from analysis.exposure import tells
from analysis.knowledge import Knowledge
from analysis.model import Category, Classified, Finding
from analysis.plays import is_server_call
from analysis.quantities import KINDS, PAIRED, moment
from analysis.traffic import OUTSIDE, is_outside, unread_reason
from analysis.vocabulary import PLATFORM_ITEMS, VERSION_ITEMS
from captures.model import Contact, Exchange

_TOLD_APART = frozenset({*LEADING, *PERSONAL, *KINDS, *VERSION_ITEMS, *PLATFORM_ITEMS, "geo.latlon", "geo.postal_code"})
"""Items of calls to somebody else whose values reports compare."""

_ADDRESSES = frozenset({"net.public_ip", "net.other_ip"})
"""Items of which one is the other, once it is known which addresses are the household's."""


def key(call: Classified, found: Sequence[Finding], ran_out: Collection[str], knowledge: Knowledge) -> bytes:
    """A call, what was found in it and what was not looked at -> what tells it from those that are not alike."""
    seen = call.observation
    shouted = said(call)
    facts = (
        call.n if stands_alone(call, found, knowledge) else None,
        sample.kind(call),
        seen.initiator if isinstance(seen, Exchange | Contact) else "",
        unread_reason(call),
        shouted,
        call.product, call.service, call.attribution.value, call.role, call.category.value, call.party.value,
        call.entity, call.rule,
        [(f.direction, f.item, f.at, f.encodings, f.source, f.evidence, _told(f, call)) for f in found],
        sorted(set(ran_out)) if ran_out else (),
    )  # fmt: skip
    return hashlib.blake2b(repr(facts).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def _told(finding: Finding, call: Classified) -> str:
    """The value, where a report compares it."""
    if finding.source == "implied":
        return ""
    if finding.item in _ADDRESSES or finding.item == "client.id":
        return finding.value
    return finding.value if call.party in OUTSIDE and finding.item in _TOLD_APART else ""


def stands_alone(call: Classified, found: Sequence[Finding], knowledge: Knowledge) -> bool:
    """Whether it is held against others by its time and numbers (`plays`, `media_info`, `pairs`)."""
    if is_server_call(call, knowledge):
        told = any(f.direction == "received" and f.item.startswith("media.") and f.item in KINDS for f in found)
        return told or call.category is Category.PLAYBACK_REPORT
    return is_outside(call) and any(f.direction == "sent" and KINDS.get(f.item) in PAIRED for f in found)


def is_timed(call: Classified, knowledge: Knowledge) -> bool:
    """Whether it matters when each of many alike was made: for occasions, and for the periods of discovery."""
    return tells(call, knowledge) or said(call) is not None


def lag(call: Classified, found: Sequence[Finding], knowledge: Knowledge) -> float | None:
    """Least number of seconds by which the clock of a device is behind, as a call to somebody else shows."""
    time = call.observation.time
    if time is None or not is_outside(call) or is_server_call(call, knowledge):
        return None
    told = (moment(f.value) for f in found if f.item == "event.time" and f.direction == "sent")
    return min((time - own for own in told if own is not None), default=None)


def addresses(found: Sequence[Finding]) -> frozenset[str]:
    """The addresses in a call that may turn out to be the household's, or not to be."""
    texts = (f.value for f in found if f.item in _ADDRESSES and f.source != "implied")
    return frozenset(address for text in texts if (address := address_of(text)).isascii())
