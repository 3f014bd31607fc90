"""Protocol Buffers without a schema -> leaves: field numbers are the steps, what a field holds is told by its bytes.

Source of the wire format: protobuf.dev, Encoding.
"""

from __future__ import annotations

import functools
import re
import struct
from collections import Counter
from typing import NamedTuple

from analysis.decode.walk import Walk

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_HIGHEST = 20_000
"""Field numbers above it are valid and used by nobody; random bytes have them."""

_ID_LENGTHS = frozenset({4, 6, 8, 16, 20, 32})
"""Bytes of addresses, ids and hashes, which by chance can be read as a message; one with a text in it is one."""

_KEY = re.compile(r"[A-Za-z_$][\w.$/-]{0,99}\Z", re.ASCII)
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Field(NamedTuple):
    """One field as it stands in a message."""

    number: int
    kind: int
    """Wire type."""
    value: bytes | int
    """Content, or a number; of fixed ones the bytes."""


def message(content: bytes, most: int) -> list[Field] | None:
    """A message -> its fields in their order, at most so many and one; `None` when it is none.

    >>> message(b"\\x0a\\x02hi\\x10\\x96\\x01", 10)
    [Field(number=1, kind=2, value=b'hi'), Field(number=2, kind=0, value=150)]
    >>> message(b"hello", 10) is None, message(b"", 10)
    (True, [])
    """
    fields: list[Field] = []
    position = 0
    while position < len(content) and len(fields) <= most:
        tag, position = _varint(content, position)
        number, kind = tag >> 3, tag & 7
        if position < 0 or not 0 < number <= _HIGHEST:
            return None
        if kind == _VARINT:
            value, position = _varint(content, position)
            fields.append(Field(number, kind, value))
        elif kind in _SIZES:
            end = position + _SIZES[kind]
            fields.append(Field(number, kind, content[position:end]))
            position = end
        elif kind == _BYTES:
            length, position = _varint(content, position)
            end = position + length
            if position < 0:
                return None
            fields.append(Field(number, kind, content[position:end]))
            position = end
        else:
            return None
        if not 0 <= position <= len(content):
            return None
    return fields


_SIZES = {_FIXED64: 8, _FIXED32: 4}


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """Number at a position, and where the next thing stands; -1 when it breaks off or is too long."""
    value = shift = 0
    for byte in content[position : position + 10]:
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    return 0, -1


def text(content: bytes) -> str | None:
    """Bytes of a field -> the text that they surely are; `None` for others.

    What begins with a tab or a line break, and is a message just as well, is that.
    """
    try:
        found = content.decode()
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(found):
        return None
    return None if content[:1] in (b"\n", b"\t", b"\r") and message(content, _HIGHEST) else found


def holds_text(content: bytes, least: int = 5, depth: int = 8) -> bool:
    """Whether a message holds a text of so many characters with a letter; random bytes do not."""
    # Bytes in which no text stands may well be a message of a thousand fields, which takes a hundred times as long.
    if b"x" * least not in content.translate(_IN_TEXT) or not _runs(least).search(content):
        return False
    for field in message(content, 1_000) or ():
        if isinstance(field.value, bytes) and field.kind == _BYTES:
            found = text(field.value)
            if found is not None:
                if len(found) >= least and any(map(str.isalpha, found)):
                    return True
            elif depth and holds_text(field.value, least, depth - 1):
                return True
    return False


_IN_TEXT = bytes(120 if byte in b"\t\n\r" or 0x20 <= byte < 0x7F or 0x80 <= byte < 0xF5 else 0 for byte in range(256))
"""What stands in a text in UTF-8 becomes an x: these in a row are found ten times as fast as characters."""


@functools.cache
def _runs(least: int) -> re.Pattern[bytes]:
    """So many characters in UTF-8 one after another; a few that no text holds among them, such as halves of pairs.

    The first is told less exactly, so that the search passes over bytes with which none begins.
    """
    one = rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
    return re.compile(rb"[\t\n\r\x20-\x7e\xc2-\xf4][\x80-\xbf]{0,3}%b{%d}" % (one, least - 1))


def protobuf(walk: Walk, at: str, content: bytes, encodings: tuple[str, ...], depth: int = 0) -> bool:
    """Adds the fields of a message, `<at>.<number>`, of repeated ones `<at>.<number>.<position>`; whether it is one.

    Messages in it come out field by field.  An entry of a map (field 1 a name, field 2 its value) is also
    `<at>.<name>`; what is neither text nor message is shown in hex.
    """
    fields = message(content, walk.budget.leaves)
    if fields is None:
        return False
    times = Counter(field.number for field in fields)
    met: Counter[int] = Counter()
    key = _key(fields)
    for field in fields:
        if not walk.more():
            break
        place = f"{at}.{field.number}"
        if times[field.number] > 1:
            place = f"{place}.{met[field.number]}"
            met[field.number] += 1
        if key and field.number == 2:
            place = f"{at}.{key}"
        _field(walk, place, field, encodings, depth)
    return True


def _key(fields: list[Field]) -> str:
    if [field.number for field in fields] != [1, 2] or not isinstance(fields[0].value, bytes):
        return ""
    found = text(fields[0].value)
    return found if found and _KEY.match(found) else ""


def _field(walk: Walk, place: str, field: Field, encodings: tuple[str, ...], depth: int) -> None:
    if isinstance(field.value, int):
        signed = field.value - (1 << 64) if field.value >> 63 else field.value
        walk.text(place, str(signed), encodings, peel=False)
    elif field.kind != _BYTES:
        walk.text(place, _number(field.value), encodings, peel=False)
    elif (found := text(field.value)) is not None:
        walk.text(place, found, encodings)
    elif _is_message(field.value):
        if walk.open(place, depth):
            protobuf(walk, place, field.value, encodings, depth + 1)
    else:
        walk.raw(place, field.value, encodings)


def _is_message(content: bytes) -> bool:
    if not message(content, 1_000):
        return False
    return len(content) not in _ID_LENGTHS or _is_of_texts(content)


def _is_of_texts(content: bytes) -> bool:
    """Whether more than half of a message of few bytes is texts, such as the version of something."""
    parts = [field.value for field in message(content, 8) or () if isinstance(field.value, bytes)]
    return 2 * sum(len(text(part) or "") for part in parts) > len(content)


def _number(raw: bytes) -> str:
    """Eight or four bytes -> the number that they are: a fraction where that is one that people write."""
    whole = int.from_bytes(raw, "little")
    fraction: float = struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0]
    if 1e-5 < abs(fraction) < 1e9:
        return f"{fraction:.15g}" if len(raw) == 8 else f"{fraction:.7g}"
    return str(whole)
