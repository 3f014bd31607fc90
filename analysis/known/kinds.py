"""Kinds of own values: what each is, how a value of it is written, which values say too little to be looked for."""

from __future__ import annotations

import functools
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from analysis.evidence import household
from analysis.schema import convert
from captures.model import Sentence

_FOLDER = Path(__file__).parent

FEWEST_BITS = 18.0
"""A word of four letters."""

_FEWEST_BITS_OF_NUMBERS = 32.0
"""Numbers and hex digits are met by chance, words are not: ten digits, or eight hex digits."""

_LONGEST = 1_000


class Kind(msgspec.Struct, frozen=True):
    """One kind of own values."""

    meaning: str
    """What such a value is, for a person who has to choose."""
    item: str
    """Id in `items.toml` of what is found."""
    hashed: str = ""
    """Id of what a hash of it is; empty: the same."""


@functools.cache
def _kinds() -> Mapping[str, Kind]:
    tables = tomllib.loads((_FOLDER / "kinds.toml").read_text("utf-8"))
    return {name: convert(Kind, table, f"kinds.toml: {name}") for name, table in tables.items()}


KINDS: Mapping[str, Kind] = _kinds()
"""Name of a kind -> the kind, in the order of `kinds.toml`."""

HASHES = {
    "moviehash": "media.file_hash",
    "ed2k": "media.file_hash",
    "md5": "media.file_hash",
    "sha1": "media.file_hash",
}
"""Kinds that nobody types: hashes of a file that the user named."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+\Z")
_MAC = re.compile(
    r"(?:[0-9a-f]{2}([:. -]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})\Z", re.IGNORECASE
)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,20}[a-z][a-z0-9-]{1,62}\Z", re.IGNORECASE)
_FILE = re.compile(
    r"[^\0]*\.(?:mkv|mp4|m4v|avi|mov|ts|m2ts|wmv|webm|iso|mpe?g|mp3|flac|m4[ab]|ogg|opus|wav|srt|sub|ass|nfo)\Z",
    re.IGNORECASE,
)


def guess(value: str) -> str:
    """A value -> its kind by its shape; what has none is taken as a `name`.

    >>> [guess(value) for value in ("a.b@example.org", "2A-11-CE-00-00-02", "fd00::7", "nas.example.org", "Film.mkv")]
    ['email', 'mac', 'ip', 'host', 'file']
    >>> guess("A. Example")
    'name'
    """
    value = value.strip()
    if _EMAIL.match(value):
        return "email"
    if _MAC.match(value):
        return "mac"
    if _address(value):
        return "ip"
    if _FILE.match(value):
        return "file"
    return "host" if _HOST.match(value) else "name"


def item_of(kind: str, value: str, *, hashed: bool = False) -> str:
    """Kind and value -> id of the data item that is found; `hashed`: when a hash of it stands there.

    >>> item_of("ip", "203.0.113.7"), item_of("server", "192.168.7.5"), item_of("server", "nas.example.org")
    ('net.public_ip', 'net.lan_ip', 'net.hostname')
    """
    if kind in HASHES:
        return HASHES[kind]
    known = KINDS[kind]
    if kind in ("ip", "server", "host") and _address(value):
        return "net.lan_ip" if household(value) else "net.public_ip"
    return known.hashed if hashed and known.hashed else known.item


def written(kind: str, value: str) -> str:
    """A value as the user gave it -> as it is kept: one spelling of addresses, hosts in lower case, one line.

    Raises `ValueError` with what is wrong and what to do, without the value, when it is none of its kind.
    """
    value = " ".join(value.split())
    if len(value) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST:,} characters; give a part of it that is unlike any other")
    if kind == "ip":
        address = _address(value)
        if not address:
            raise ValueError("is no IP address; give one such as 203.0.113.7 or 2001:db8::7")
        return address
    if kind == "mac":
        if not _MAC.match(value):
            raise ValueError("is no MAC address; give one such as 2a:11:ce:00:00:02")
        digits = re.sub("[^0-9a-f]", "", value.lower())
        return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    if kind == "email" and not _EMAIL.match(value):
        raise ValueError("is no e-mail address; give one such as name@example.org, or choose another --kind")
    if kind in ("server", "host"):
        return _address(value) or value.lower().rstrip(".")
    return value


def refusal(kind: str, value: str) -> Sentence:
    """Why a value (as `written`) is not looked for and what to do instead, without the value; empty when it is.

    >>> refusal("title", "Up")
    'is too short to be told from chance; add a longer form of it, such as the title with its year'
    >>> refusal("library", "TV-Shows"), refusal("title", "The Big Film")
    ('stands in too many requests to mean anything; add a form of it that only you have', '')
    """
    folded = squeezed(value)
    if folded in _common():
        return "stands in too many requests to mean anything; add a form of it that only you have"
    least = _FEWEST_BITS_OF_NUMBERS if is_number(folded) and kind not in ("ip", "server", "host") else FEWEST_BITS
    if kind != "ip" and bits(folded) < least:
        if kind == "title":
            return "is too short to be told from chance; add a longer form of it, such as the title with its year"
        if kind == "name":
            return "is too short to be told from chance; add a longer form of it, such as first and last name"
        return "is too short to be told from chance; add a longer form of it"
    return ""


def squeezed(text: str) -> str:
    """A text without case and separators: its letters and digits alone.

    >>> squeezed("The-Big_Film (1999)")
    'thebigfilm1999'
    """
    return "".join(character for character in text.casefold() if character.isalnum())


def bits(text: str) -> float:
    """A text -> how much it can say without its case, by the alphabets of its characters."""
    if not text.strip("0123456789"):
        return 3.3 * len(text)
    if is_number(text) or not text.lower().strip("abcdef"):
        return 4.0 * len(text)
    return sum(4.7 if c.isascii() and c.isalnum() else 10.0 for c in text if c.isalnum())


def is_number(text: str) -> bool:
    """Whether a text is digits, or hex digits with a digit among them."""
    return any(c in "0123456789" for c in text) and not text.lower().strip("0123456789abcdef")


@functools.cache
def _common() -> frozenset[str]:
    table = tomllib.loads((_FOLDER / "common.toml").read_text("utf-8"))
    return frozenset(squeezed(word) for word in (*table["words"], *table["hosts"]))


def _address(value: str) -> str:
    """An IP address in its usual text form, or nothing."""
    try:
        return str(ipaddress.ip_address(value.strip("[]")))
    except ValueError:
        return ""
