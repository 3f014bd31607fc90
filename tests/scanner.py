"""Looks for private values in a text, in twelve encodings.  Shares no code with the redactor, on purpose.

The text is opened as far as it goes (base64 of gzip, tokens of a JWT), each layer is brought into a few plain forms
(percent signs, escapes and entities undone), and the value is looked for in each form, forwards and backwards.  So it
does not know how a value was written: it finds what can be read back.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import re
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote_to_bytes

RUN = re.compile(rb"[A-Za-z0-9+/_=-]{4,}")
HEX_RUN = re.compile(rb"(?:[0-9A-Fa-f]{2}){2,}")
DEPTH = 3


def leaks(values: list[str], text: str) -> list[str]:
    """Those of the values that can be read out of the text."""
    seen = {form for layer in _layers(text.encode("utf-8", "replace"), DEPTH) for form in _forms(layer)}
    haystack = "\n".join(sorted(seen))
    return [value for value in values if value.lower() in haystack or value.lower()[::-1] in haystack]


def _forms(layer: bytes) -> Iterator[str]:
    """A layer as it stands, and with percent signs, backslash escapes and entities undone, once and twice."""
    form = layer
    for _ in range(3):
        text = form.decode("utf-8", "replace")
        yield text.lower()
        opened = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
        opened = html.unescape(opened).replace("\\/", "/")
        form = unquote_to_bytes(opened.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


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


def _opened(data: bytes, depth: int) -> Iterator[bytes]:
    if not data:
        return
    yield data
    if data[:2] == b"\x1f\x8b":
        try:
            yield from _layers(gzip.decompress(data), depth - 1)
        except (OSError, EOFError, zlib.error):
            return


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
    "reversed": lambda v: v[::-1],
}
"""How a value may be written, for the control: the scanner must find each."""


def _units(value: str) -> Iterator[int]:
    data = value.encode("utf-16-be")
    return (int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2))
