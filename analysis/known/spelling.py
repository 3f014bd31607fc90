"""Other ways to write the same value: case, separators, accents, notations of addresses."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

ANY_CASE = frozenset({"mac", "ip", "moviehash", "ed2k", "md5", "sha1"})
"""Kinds of numbers in hex, in which case says nothing."""

_NOT_SPACED = frozenset({"ip", "server", "host", "username", "password", "token", "moviehash", "ed2k", "md5", "sha1"})
"""Kinds whose separators are a part of them: what has others is a slug, or something else (`alice@example`)."""


class Spelling(NamedTuple):
    """One way to write a value."""

    text: str
    """The value, so written."""
    step: str
    """What was done to it: `casefold`, `slug`, `no-separators`, `accents`; empty when it is the value itself."""
    layers: int
    """In how many layers of encodings it is looked for: rare spellings in none or one."""


def spellings(kind: str, value: str) -> tuple[Spelling, ...]:
    """A value -> it itself first, then its other spellings, each text once.

    All notations of a MAC or IP address are the value itself.  `slug`: words in lower case, joined by `-` or `_`;
    `accents`: without them (Unicode NFKD, without its marks).
    """
    found: dict[str, Spelling] = {}

    def add(text: str, step: str, layers: int) -> None:
        if text:
            found.setdefault(text, Spelling(text, step, layers))

    for text, layers in _notations(kind, value):
        add(text, "", layers)
    for written in tuple(found.values()):
        same = "" if kind in ANY_CASE else "casefold"
        add(written.text.lower(), same, written.layers)
        add(written.text.upper(), same, min(written.layers, 2 if kind == "mac" else 1))
    for form in ("NFC", "NFD"):
        add(unicodedata.normalize(form, value), "", 1)
    plain = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    add(plain, "accents", 1)
    add(plain.lower(), "accents", 1)
    for text in (value, plain) if kind != "ip" else ():
        words = re.findall(r"[^\W_]+", text)
        for step, joined in (("slug", "-"), ("slug", "_"), ("no-separators", "")):
            add(joined.join(words).lower(), step, 1)
        add("".join(words), "no-separators", 1)
    return tuple(found.values())


def is_spaced(kind: str) -> bool:
    """Whether a value of this kind may be written with any other separators."""
    return kind not in _NOT_SPACED


def _notations(kind: str, value: str) -> Iterator[tuple[str, int]]:
    """Notations of an address, and in how many layers each is looked for."""
    yield value, 2
    if kind == "mac":
        digits = value.replace(":", "")
        yield digits, 2
        yield "-".join(value.split(":")), 1
        yield ".".join(digits[i : i + 4] for i in (0, 4, 8)), 1
    elif kind in ("ip", "server", "host"):
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return
        # As Plex writes them in the names of servers: 203-0-113-7.….plex.direct.
        yield re.sub("[.:]", "-", value), 0
        if isinstance(address, ipaddress.IPv6Address):
            yield address.exploded, 2
            yield from ((text, 0) for text in _ipv6(address))


def _ipv6(address: ipaddress.IPv6Address) -> Iterator[str]:
    """With and without leading zeros, each run of zeros as `::`, the end also as IPv4 (RFC 4291, section 2.2)."""
    long = address.exploded.split(":")
    short = [group.lstrip("0") or "0" for group in long]
    packed = address.packed
    dotted = ".".join(map(str, packed[12:]))
    for groups in (short, long, [*short[:6], dotted], [*long[:6], dotted]):
        yield ":".join(groups)
        for start in range(len(groups)):
            for end in range(start + 1, len(groups) + 1):
                if groups[end - 1].strip("0"):
                    break
                yield ":".join(groups[:start]) + "::" + ":".join(groups[end:])
