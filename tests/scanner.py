"""Looks for private values in a text, in all usual encodings.  Shares no code with the redactor, on purpose.

The text is opened as far as it goes (base64 of gzip, tokens of a JWT), each layer is brought into a few plain forms
(percent signs, escapes and entities undone), and the value is looked for in each form, forwards and backwards, with and
without what separates its parts.  So it does not know how a value was written: it finds what can be read back.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import email.header
import functools
import gzip
import html
import ipaddress
import json
import quopri
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from ahocorasick_rs import AhoCorasick

RUN = re.compile(rb"[A-Za-z0-9+/_=-]{4,}")
HEX_RUN = re.compile(rb"(?:[0-9A-Fa-f]{2}){2,}")
BASE32_RUN = re.compile(rb"[A-Z2-7]{7,}")
BASE58_RUN = re.compile(rb"(?<![^ \n])[1-9A-HJ-NP-Za-km-z]{7,200}(?![^ \n])")
BASE85_RUN = re.compile(rb"(?<![^ \n])[!-~]{7,4000}(?![^ \n])")
DIGITS = re.compile(rb"[0-9]{9,}")
DEPTH = 3
SHORTEST = 6
"""Characters from which a value is also looked for without what separates its parts."""


def leaks(values: Sequence[str], text: str) -> list[str]:
    """Those of the values that can be read out of the text."""
    data = text.encode("utf-8", "replace")
    whole = "\n".join(_forms(data))
    opened = set(_layers(data, DEPTH)) - {data}
    wide = {layer for layer in opened if b"\x00" in layer}
    parts = "\n".join((*_forms(b"\n".join(opened - wide)), *(form for layer in wide for form in _forms(layer))))
    sought = _sought(tuple(values))
    found, cores = _found(sought.forms, whole + parts), _found(sought.cores, _bare(whole))
    return [
        value for value, (forms, bare) in sought.of.items() if not (found.isdisjoint(forms) and cores.isdisjoint(bare))
    ]


class _Patterns:
    """Texts that are looked for all at once."""

    def __init__(self, texts: set[str]) -> None:
        self.texts = sorted(texts - {""})
        self.automaton = AhoCorasick(self.texts) if self.texts else None


class _Sought(NamedTuple):
    """Everything that is looked for."""

    forms: _Patterns
    cores: _Patterns
    of: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """Value -> its forms and cores."""


@functools.lru_cache(maxsize=4)
def _sought(values: tuple[str, ...]) -> _Sought:
    """Remembered, since the same values are looked for in many texts."""
    of = {value: (_turned(value.lower()), _cores(value.lower())) for value in values}
    forms, cores = ({text for turned in of.values() for text in turned[n]} for n in (0, 1))
    return _Sought(_Patterns(forms), _Patterns(cores), of)


def _turned(value: str) -> tuple[str, ...]:
    return value, value[::-1], codecs.encode(value, "rot13"), re.sub(r"[.:]", "-", value)


def _cores(value: str) -> tuple[str, ...]:
    core = _bare(value)
    return (core, core[::-1]) if len(core) >= SHORTEST else ()


def _found(sought: _Patterns, text: str) -> set[str]:
    """Those of the patterns that stand in the text."""
    hits = sought.automaton.find_matches_as_indexes(text, overlapping=True) if sought.automaton else []
    return {sought.texts[number] for number, _, _ in hits}


def _bare(text: str) -> str:
    """Letters and digits alone; a line of the text stays one."""
    return re.sub(r"[^\w\n]|_", "", text)


def _forms(layer: bytes) -> Iterator[str]:
    """A layer as it stands, and with percent signs, backslash escapes and entities undone, once and twice."""
    if b"\x00" in layer:
        yield layer.decode("utf-16-le", "replace").lower()
        yield layer.decode("utf-8", "replace").replace("\x00", "").lower()
    yield from (form.encode("utf-8", "replace").decode() for form in _spelled(layer.decode("utf-8", "replace")))
    for form in {layer, _unescaped(layer), _unquoted(layer)}:
        for _ in range(4):
            text = form.decode("utf-8", "replace")
            yield text.lower()
            if not re.search(r"[\\%&]", text):
                break
            opened = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
            opened = opened.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            opened = html.unescape(opened).replace("\\/", "/").replace("\\\\", "\\")
            yield opened.lower()
            form = unquote_to_bytes(opened)


def _spelled(text: str) -> Iterator[str]:
    """What is written letter by letter, or in the alphabet of names and of mail, as far as the text holds any."""
    if "\\" in text:
        yield (
            re.sub(r"\\([0-3][0-7]{2})", lambda m: chr(int(m[1], 8)), text)
            .encode("latin-1", "replace")
            .decode("utf-8", "replace")
            .lower()
        )
    for run in re.findall(r"(?:[0-9]{2,6}[, ]){3,}[0-9]{2,6}", text):
        yield "".join(chr(int(code)) for code in re.split("[, ]", run) if int(code) < 0x110000).lower()
    for run in re.findall(r"(?:[0-9a-f]{2}:){3,}[0-9a-f]{2}", text):
        yield bytes.fromhex(run.replace(":", "")).decode("utf-8", "replace").lower()
    if "=?" in text:
        words = email.header.decode_header(text)
        yield "".join(
            part if isinstance(part, str) else part.decode(kind or "latin-1", "replace") for part, kind in words
        ).lower()
    if "-" in text:
        yield re.sub(r"\S+", lambda m: _named(m[0]), text).lower()
    if "+" in text:
        yield text.encode("ascii", "replace").decode("utf-7", "replace").lower()


def _named(word: str) -> str:
    """A word in the alphabet of names."""
    try:
        return word.encode("ascii").decode("punycode")
    except (UnicodeError, IndexError, OverflowError):
        return word


def _unescaped(data: bytes) -> bytes:
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: binascii.unhexlify(m[1]), data)


def _unquoted(data: bytes) -> bytes:
    """Quoted printable."""
    return re.sub(rb"=([0-9A-F]{2})", lambda m: binascii.unhexlify(m[1]), data)


def _layers(data: bytes, depth: int) -> Iterator[bytes]:
    """The data, and everything that can be decoded out of it."""
    yield data
    if not depth:
        return
    for run in {m[0] for m in RUN.finditer(data)}:
        for part in run.replace(b"-", b"+").replace(b"_", b"/").split(b"="):
            # A value may begin at any of four characters of the alphabet's groups.
            for start in range(4):
                yield from _opened(_base64(part[start:]), depth)
    for run in {m[0] for m in HEX_RUN.finditer(data)}:
        yield from _opened(binascii.unhexlify(run), 1)
    for run in {m[0] for m in BASE32_RUN.finditer(data)}:
        yield from _opened(_base32(run), 1)
    for run in {m[0] for m in DIGITS.finditer(data)}:
        yield from _numbers(run)
    for run in {m[0] for m in BASE58_RUN.finditer(data)}:
        yield _base58(run)
    for run in {m[0] for m in BASE85_RUN.finditer(data)}:
        for decode in (base64.b85decode, base64.a85decode):
            with contextlib.suppress(ValueError):
                yield decode(run)


def _opened(data: bytes, depth: int) -> Iterator[bytes]:
    if not data:
        return
    yield data
    try:
        if data[:2] == b"\x1f\x8b":
            yield from _layers(gzip.decompress(data), depth - 1)
        elif data[:1] == b"\x78":
            yield from _layers(zlib.decompress(data), depth - 1)
        elif depth > 1 and RUN.fullmatch(data):
            yield from _layers(data, depth - 1)
    except (OSError, EOFError, zlib.error):
        return


def _numbers(digits: bytes) -> Iterator[bytes]:
    """A long number -> the bytes that it may be, and the address."""
    if len(digits) > 400:
        return
    number = int(digits)
    yield number.to_bytes((number.bit_length() + 7) // 8)
    if number < 1 << 32:
        yield str(ipaddress.IPv4Address(number)).encode()


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _base58(text: bytes) -> bytes:
    number = 0
    for letter in text.decode():
        number = number * 58 + _BASE58.index(letter)
    return number.to_bytes((number.bit_length() + 7) // 8)


def _to_base58(data: bytes) -> str:
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def _base32(text: bytes) -> bytes:
    try:
        return base64.b32decode(text + b"=" * (-len(text) % 8))
    except binascii.Error:
        return b""


def _base64(text: bytes) -> bytes:
    whole = text[: len(text) // 4 * 4 + (len(text) % 4 if len(text) % 4 != 1 else 0)]
    try:
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _all_percent(data: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in data)


def _jwt(value: str) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    return f"{part('{}')}.{part('{"sub":"' + value + '"}')}.c2ln"


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda v: v,
    "percent, all bytes": lambda v: _all_percent(v.encode()),
    "percent, standard": lambda v: quote(v, safe=""),
    "percent, twice": lambda v: quote(quote(v, safe=""), safe=""),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 after one byte": lambda v: base64.b64encode(b"\x01" + v.encode()).decode(),
    "base64 after two bytes": lambda v: base64.b64encode(b"\x01\x02" + v.encode()).decode(),
    "base64url": lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("="),
    "hex": lambda v: v.encode().hex(),
    "escapes": lambda v: "".join(f"\\u{unit:04x}" for unit in _units(v)),
    "entities": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "JWT": _jwt,
    "gzip and base64": lambda v: base64.b64encode(gzip.compress(v.encode(), mtime=0)).decode(),
    "upper case": str.upper,
    "lower case": str.lower,
    "reversed": lambda v: v[::-1],
    "base64 twice": lambda v: base64.b64encode(base64.b64encode(v.encode())).decode(),
    "base32": lambda v: base64.b32encode(v.encode()).decode(),
    "deflate and base64": lambda v: base64.b64encode(zlib.compress(v.encode())).decode(),
    "UTF-16 in hex": lambda v: v.encode("utf-16-le").hex(),
    "UTF-16 in base64": lambda v: base64.b64encode(v.encode("utf-16-le")).decode(),
    "entities in hex": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "escaped bytes": lambda v: "".join(f"\\x{byte:02x}" for byte in v.encode()),
    "quoted printable": lambda v: quopri.encodestring(v.encode(), quotetabs=True).decode().replace("=\n", ""),
    "dashes": lambda v: re.sub(r"[.:]", "-", v),
    "as a number": lambda v: _number(v),
    "rot13": lambda v: codecs.encode(v, "rot13"),
    "percent, three times": lambda v: quote(quote(quote(v, safe=""), safe=""), safe=""),
    "base58": lambda v: _to_base58(v.encode()),
    "base85": lambda v: base64.b85encode(v.encode()).decode(),
    "Ascii85": lambda v: base64.a85encode(v.encode()).decode(),
    "UTF-7": lambda v: v.encode("utf-7").decode(),
    "octal": lambda v: "".join(f"\\{byte:03o}" for byte in v.encode()),
    "numbers of characters": lambda v: ",".join(str(ord(c)) for c in v),
    "hex with colons": lambda v: v.encode().hex(":"),
    "word in a mail": lambda v: "=?utf-8?b?" + base64.b64encode(v.encode()).decode() + "?=",
    "punycode": lambda v: " ".join(word.encode("punycode").decode() for word in v.split(" ")),
    "gzip of JSON in base64": lambda v: base64.b64encode(
        gzip.compress(json.dumps({"n": v}).encode(), mtime=0)
    ).decode(),
    "JSON in JSON": lambda v: json.dumps(json.dumps(v)),
    "underscores": lambda v: re.sub(r"[^\w]", "_", v),
    "swapped case": str.swapcase,
    "mapped": lambda v: f"::ffff:{v}",
    "split by dots": lambda v: ".".join(v[i : i + 3] for i in range(0, len(v), 3)),
}
"""How a value may be written, for the control: the scanner must find each."""


def _units(value: str) -> Iterator[int]:
    data = value.encode("utf-16-be")
    return (int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2))


def _number(value: str) -> str:
    try:
        return str(int(ipaddress.IPv4Address(value)))
    except ValueError:
        return str(int.from_bytes(value.encode()))
