"""A captured value -> an invented one of the same shape, so that an example says nothing about a household."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from analysis.evidence import household

_MOST_ELEMENTS = 2
"""Elements of a list that an example keeps."""

_KEPT = frozenset({"", "true", "false", "True", "False", "null", "None", "0", "1"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,24}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2}){5}")
_HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f-]{8,}|(?=.*[0-9])(?=.*[A-F])[0-9A-F-]{8,}")
_NUMBERED = re.compile(r"[A-Za-z]{1,2}[0-9]{4,}")
_NUMBER = re.compile(r"0x[0-9a-f]{4,}")
_EPOCH = re.compile(r"1[0-9]{9}(?:[0-9]{3}|[0-9]{6})?(?:\.[0-9]+)?")
_DATE = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}")
_LOCALE = re.compile(r"[a-z]{2}[-_][A-Z]{2}")

_INVENTED_DATE = "2026-01-02T03:04:05.678901"


def made_up(value: str) -> str:
    """Any text -> one of its shape: addresses, ids, times and versions stay such, JSON keeps its names.

    Letters become letters of the same case, digits digits.  What says only yes, no or nothing stays.

    >>> [made_up(value) for value in ("Living Room TV", "alice@example.net", "10.0.0.7", "1.41.3", "de-AT", "true")]
    ['Madeup Made MA', 'somebody@example.org', '192.168.1.5', '1.2.3', 'fr-FR', 'true']
    """
    if value in _KEPT:
        return value
    if value[0] in "{[" and (document := _json(value)) is not None:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if _EMAIL.fullmatch(value):
        return "somebody@example.org"
    if (mac := _MAC.fullmatch(value)) is not None:
        invented = mac[1].join(("02", "00", "5e", "10", "00", "01"))
        return invented if value.islower() else invented.upper()
    if address := _address(value):
        return address
    if "://" in value[:12]:
        return _url(value)
    if _NUMBER.fullmatch(value):
        return ("0x2005e1000012345" * (len(value) // 17 + 1))[: len(value)]
    if _HEX.fullmatch(value):
        return _by_class(value, "0a1b2c3d4e5f6789", "0A1B2C3D4E5F6789", "a1b2c3d4e5f60789")
    if _EPOCH.fullmatch(value):
        return "1700000000" + re.sub("[0-9]", "0", value[10:])
    if _DATE.match(value):
        return _INVENTED_DATE[: min(len(value), 19)] + re.sub("[0-9]", "0", value[19:])
    if _VERSION.fullmatch(value):
        return ".".join(str(n + 1) for n in range(value.count(".") + 1))
    if _LOCALE.fullmatch(value):
        return f"fr{value[2]}FR"
    return _by_class(value, "madeup", "MADEUP", "1234567890")


def made_up_body(content: bytes) -> str:
    """A body -> one of its shape, if it is JSON, lines of JSON, or a form; else empty."""
    text = content.decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        lines = [_json(line) for line in ([text] if _json(text) is not None else text.splitlines()[:_MOST_ELEMENTS])]
        if lines and None not in lines:
            return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    if re.fullmatch(r"[^\s=&{}<>\"]{1,200}=[^\s{}<>\"]*", text):
        return urlencode([(key_of(name), made_up(value)) for name, value in parse_qsl(text, keep_blank_values=True)])
    return ""


def key_of(name: str) -> str:
    """Name of a field -> the same, or an invented one if it is itself an id or an address."""
    return made_up(name) if is_id(name) else name


def is_id(text: str) -> bool:
    """Whether a text looks like a number, an id or an address rather than like a word: parts of paths, names of fields.

    >>> [is_id(text) for text in ("v1", "library", "3", "1337", "9f8e7d6c5b", "Yk3lX09aQm2PzR81", "a@b.example")]
    [False, False, False, True, True, True, True]
    """
    if "@" in text or "%40" in text or len(text) > 64 or _address(text):
        return True
    if text.isdigit():
        return len(text) >= 3
    if _HEX.fullmatch(text) or _NUMBERED.fullmatch(text):
        return True
    digits = sum(letter.isdigit() for letter in text)
    return len(text) >= 12 and digits >= 3 and re.fullmatch(r"[\w-]+", text) is not None


def _json(text: str) -> Any:
    try:
        return _of_json(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _of_json(value: Any) -> Any:
    match value:
        case dict():
            return {key_of(key): _of_json(item) for key, item in value.items()}
        case list():
            return [_of_json(item) for item in value[:_MOST_ELEMENTS]]
        case str():
            return made_up(value)
        case bool() | None:
            return value
        case int() | float():
            text = made_up(str(value).lstrip("-"))
            try:
                return json.loads(text)
            except ValueError:
                return 1
    return None


def _address(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return ""
    if address.version == 4:
        return "192.168.1.5" if household(value) else "203.0.113.7"
    return "fd00::5" if household(value) else "2001:db8::7"


def _url(value: str) -> str:
    scheme = value.partition("://")[0]
    try:
        url = urlsplit(value)
    except ValueError:
        return f"{scheme}://host.example/"
    path = "/".join(made_up(step) for step in url.path.split("/"))
    query = urlencode([(key_of(name), made_up(text)) for name, text in parse_qsl(url.query, keep_blank_values=True)])
    return f"{scheme}://host.example{path}" + (f"?{query}" if query else "")


def _by_class(value: str, lower: str, upper: str, digits: str) -> str:
    small, large, numbers = itertools.cycle(lower), itertools.cycle(upper), itertools.cycle(digits)
    made = []
    for letter in value:
        position = next(small), next(large)
        if letter.isdigit():
            made.append(next(numbers))
        elif letter.isalpha():
            made.append(position[letter.isupper()])
        else:
            made.append(letter if letter.isascii() and letter.isprintable() else "-")
            small, large = itertools.cycle(lower), itertools.cycle(upper)
    return "".join(made)
