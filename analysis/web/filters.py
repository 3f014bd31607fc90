"""Which calls are asked for: the address of a page <-> a filter.  The address is the state, so it can be kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; an empty field asks for nothing."""

    device: str = ""
    """Name or address of the device."""
    product: str = ""
    """Pack id of the sender; `-` for an unknown one."""
    purpose: str = ""
    """Category."""
    item: str = ""
    """Data item, sent or received."""
    verdict: str = ""
    """Verdict that holds of any item; `unreadable` for what could not be read."""
    host: str = ""
    """Host that was called, or a domain above it, or the recipient's name."""
    since: str = ""
    """Local time, as a field for dates writes it: `2026-11-24T20:15`."""
    until: str = ""
    """Likewise; the minute belongs to it."""
    text: str = ""
    """Words that must all stand in the call, or begin there."""
    noise: str = ""
    """`1`: also own traffic, media streams, name look-ups and what the user does not want to see."""

    @property
    def address(self) -> str:
        """What stands after the `?`; empty when nothing is asked for."""
        return urlencode(
            {f.name: value for f in fields(self) if (value := getattr(self, f.name))}, errors="backslashreplace"
        )

    def but(self, **changed: str) -> Filter:
        """The same with other fields."""
        return replace(self, **changed)


def read(arguments: Mapping[str, str]) -> Filter:
    """Arguments of an address -> the filter; unknown ones are passed over, endless ones cut."""
    return Filter(**{f.name: arguments[f.name].strip()[:_LONGEST] for f in fields(Filter) if f.name in arguments})


def moment(text: str, *, end: bool = False) -> float | None:
    """Local time of a field -> seconds since the epoch; `end`: the end of that minute.  `None` for no time."""
    try:
        when = dt.datetime.fromisoformat(text)
        return when.timestamp() + (60 if end and when.second == 0 else 0)
    except (ValueError, OverflowError, OSError):
        return None
