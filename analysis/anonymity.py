"""By which item a recipient knows who sent what is declared to be anonymous."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.model import Classified
from analysis.traffic import recipient

_NAMES = (
    "account.id", "account.uuid", "account.username", "account.email", "account.name", "account.phone", "auth.token",
    "licence.key", "client.device_name", "server.name", "net.mac",
)  # fmt: skip
"""Items with which nothing is anonymous."""

_IDS = (
    "client.id", "server.machine_id", "server.cert_hash", "account.email_hash", "client.advertising_id",
    "client.serial",
)  # fmt: skip
"""Items that are no name, and lead to one when another call to the same recipient carries both."""

_SESSIONS = ("client.session_id", "play.session_id")
"""Items that last for one run or one play, within which they lead to a name as well."""

LEADING = (*_IDS, *_SESSIONS)
"""All of these."""

_RUN = "client.session_id"
"""Item that is new with each run of the program."""

TELLING = frozenset((*_NAMES, *LEADING))
"""All of these: no other item tells whose something is."""

type Carried = Mapping[int, Mapping[str, Collection[str]]]
"""Call -> item -> values sent in it, of items that tell something about the others; of most calls nothing."""

type _Beside = dict[tuple[str, str, str], set[str]]


@dataclass(frozen=True, slots=True)
class Links:
    """What each recipient sees beside an id, by (recipient, item, value).  Private."""

    names: _Beside
    """Items that are names."""
    runs: _Beside
    """Runs of the program."""


def links(calls: Iterable[Classified], carried: Carried) -> Links:
    """Calls that are judged -> what their recipients can put together."""
    found = Links(defaultdict(set), defaultdict(set))
    for call in calls:
        items = carried.get(call.n)
        if not items:
            continue
        who, names = recipient(call), [name for name in _NAMES if name in items]
        for item in LEADING:
            for value in items.get(item, ()):
                found.names[who, item, value].update(names)
                found.runs[who, item, value].update(items.get(_RUN, ()))
    return found


def identifying(
    item: str, calls: Sequence[Classified], carried: Carried, linked: Links, listed: Collection[str]
) -> str:
    """Calls with an item that is declared anonymous -> the other item that tells whose it is; empty when none does.

    That is a name beside it; an id by which the recipient finds a name in another call; an id that the list does not
    name (`listed`) and that outlasts a run of the program.  A name tells who somebody is whatever the list says of it.
    """
    for call in calls:
        items = carried.get(call.n)
        if items and (name := next((name for name in _NAMES if name in items and name != item), "")):
            return name
    for call in calls:
        items = carried.get(call.n)
        if not items:
            continue
        for known in LEADING:
            for value in items.get(known, ()):
                place = (recipient(call), known, value)
                if linked.names[place] - {item}:
                    return known
                if known in _IDS and known not in listed and len(linked.runs[place]) > 1:
                    return known
    return ""
