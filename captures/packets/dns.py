"""DNS messages, also as mDNS and LLMNR speak them.  Sources: RFC 1035, 6762, 4795, 9460."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from captures.packets.addresses import text

_TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    39: "DNAME",
    43: "DS",
    47: "NSEC",
    48: "DNSKEY",
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
    257: "CAA",
}

_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")

_MOST_RECORDS = 200


class Question(NamedTuple):
    """What is asked for."""

    name: str
    """Lower case, without the final dot; bytes that are no printable text stand as `\\DDD`."""
    kind: str
    """`A`, `AAAA`, …, or `TYPE123`."""


class Record(NamedTuple):
    """One answer."""

    name: str
    """Whose it is."""
    kind: str
    """As in a question."""
    texts: tuple[str, ...]
    """Addresses, names or texts in it; empty for a kind that is not looked into."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that it binds to its name."""
        return self.texts if self.kind in ("A", "AAAA") else ()


class Message(NamedTuple):
    """One DNS message."""

    number: int
    """Its id: the answer has that of the question."""
    answer: bool
    """Whether it is an answer."""
    rcode: str
    """`NOERROR`, `NXDOMAIN`…"""
    questions: tuple[Question, ...]
    """Usually one."""
    records: tuple[Record, ...]
    """Of the answer section, and for mDNS also of the additional one."""


def message(raw: bytes) -> Message | None:
    """One DNS message without the length that TCP puts before it -> what it says; `None` for what is none.

    A message that is cut off gives what stands before the cut.  Never raises.
    """
    if len(raw) < 12:
        return None
    number, flags, asked, answered, authority, additional = struct.unpack_from("!6H", raw)
    if flags >> 11 & 15 not in (0, 1) or not asked + answered or asked > _MOST_RECORDS or flags & 0x40:
        return None
    questions: list[Question] = []
    records: list[Record] = []
    at = 12
    try:
        for _ in range(asked):
            name, at = _name(raw, at)
            kind, klass = struct.unpack_from("!HH", raw, at)
            if klass & 0x7FFF not in (1, 255):
                return None
            questions.append(Question(name, kind_of(kind)))
            at += 4
        for place in range(min(answered + authority + additional, _MOST_RECORDS)):
            record, at = _record(raw, at)
            if record and not answered <= place < answered + authority:
                records.append(record)
    except (IndexError, struct.error, ValueError):
        if not questions and not records:
            return None
    rcode = flags & 15
    return Message(
        number,
        bool(flags & 0x8000),
        _RCODES[rcode] if rcode < len(_RCODES) else f"RCODE{rcode}",
        tuple(questions),
        tuple(records),
    )


def kind_of(number: int) -> str:
    """Number of a record type -> `A`, `AAAA`, …, or `TYPE123`."""
    return _TYPES.get(number, f"TYPE{number}")


def _name(raw: bytes, at: int) -> tuple[str, int]:
    """A name and where it ends.  A pointer must lead back, so that no chain of them can go round."""
    labels: list[str] = []
    end, limit, size = -1, at, 0
    while length := raw[at]:
        if length >= 0xC0:
            target = (length & 0x3F) << 8 | raw[at + 1]
            if end < 0:
                end = at + 2
            if target >= limit:
                raise ValueError
            at = limit = target
            continue
        if length > 63:
            raise ValueError
        label = raw[at + 1 : at + 1 + length]
        size += length + 1
        if len(label) < length or size > 255:
            raise ValueError
        labels.append(_text(label))
        at += 1 + length
    return ".".join(labels), end if end >= 0 else at + 1


@lru_cache(maxsize=4096)
def _text(label: bytes) -> str:
    # mDNS and LLMNR write names in UTF-8 (RFC 6762, 16).
    text = label.decode("utf-8", "replace")
    if text.isprintable() and not {".", "\\", "\ufffd"} & set(text):
        return text.lower()
    return "".join(chr(b).lower() if 32 <= b < 127 and b not in b".\\" else f"\\{b:03}" for b in label)


def _record(raw: bytes, at: int) -> tuple[Record | None, int]:
    name, at = _name(raw, at)
    kind, _, _, size = struct.unpack_from("!HHIH", raw, at)
    at += 10
    end = at + size
    if end > len(raw):
        raise ValueError
    if kind in (41, 46, 47):
        return None, end
    try:
        texts = _texts(raw, at, end, kind)
    except (IndexError, struct.error, ValueError):
        texts = ()
    return Record(name, kind_of(kind), texts), end


def _texts(raw: bytes, at: int, end: int, kind: int) -> tuple[str, ...]:
    if (kind, end - at) in ((1, 4), (28, 16)):
        return (text(raw[at:end]),)
    if kind in (2, 5, 12, 39):
        return (_name(raw, at)[0],)
    if kind == 33:
        port = struct.unpack_from("!H", raw, at + 4)[0]
        return (f"{_name(raw, at + 6)[0]}:{port}",)
    if kind == 15:
        return (_name(raw, at + 2)[0],)
    if kind == 16:
        return tuple(text.decode("utf-8", "replace") for text in _strings(raw[at:end]))
    if kind in (64, 65):
        return _service(raw, at, end)
    return ()


def _strings(raw: bytes) -> list[bytes]:
    at, found = 0, []
    while at < len(raw):
        found.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return [text for text in found if text]


def _service(raw: bytes, at: int, end: int) -> tuple[str, ...]:
    """Target name, if it is another, and the addresses that are hinted at (RFC 9460, 2.2 and 7.3)."""
    target, at = _name(raw, at + 2)
    found = [target] if target else []
    while at + 4 <= end:
        key, size = struct.unpack_from("!HH", raw, at)
        value = raw[at + 4 : min(at + 4 + size, end)]
        step = {4: 4, 6: 16}.get(key, 0)
        if step:
            pieces = (value[n : n + step] for n in range(0, len(value) - step + 1, step))
            found.extend(text(piece) for piece in pieces)
        at += 4 + size
    return tuple(found)
