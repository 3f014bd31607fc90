"""Encodings of a single value: what is undone, when it surely is one."""

from __future__ import annotations

import base64
import binascii
import html
import re
from urllib.parse import SplitResult, parse_qsl, unquote, unquote_plus, urlsplit

from analysis.decode.binary import binary
from analysis.decode.graphql import graphql
from analysis.decode.json_text import AT_ONCE, LOADS, pieces
from analysis.decode.protobuf import holds_text
from analysis.decode.walk import Walk, step
from analysis.decode.xml_text import xml
from captures.content import Limits, undo

_JWT = re.compile(r"[\w-]{4,}\.(eyJ[\w-]+)\.[\w-]*\Z", re.ASCII)
_SIGNED = re.compile(r"(eyJ(?!hbGci|0eXAi)[\w-]{8,})(?:[.:][\w-]+){1,2}\Z", re.ASCII)
"""What web frameworks sign: the text first, then when and the signature.  A head with `alg` or `typ` is a JWT's."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\Z")
_HEX = re.compile(r"(?:0[xX])?(?:[0-9a-f]{16,}|[0-9A-F]{16,})\Z")
_DATA = re.compile(r"data:[\w/+.-]{0,100}(?:;[\w=.-]{1,100}){0,5};base64,", re.ASCII)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(r"&(?:amp|quot|lt|gt|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_FORM = re.compile(r"[?#]?[\w.$%-][\w.\[\]$%-]{0,99}=[^&\s<>\"]*(?:&[\w.\[\]$%-]{1,100}=[^&\s<>\"]*)+\Z")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:/)?/[^\s<>\"{}]*[?@#][^\s<>\"{}]*\Z", re.IGNORECASE)
_MESSAGE = re.compile(r"\d{1,3}(?:/[\w-]{1,60},)?\d{0,9}(?=[\[{])")
"""What socket.io writes before the JSON of a message."""
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "deflate"), (b"\x78\x5e", "deflate"),
               (b"\x78\x9c", "deflate"), (b"\x78\xda", "deflate"))  # fmt: skip
_MARKS = tuple(magic for magic, _ in _COMPRESSED)
_WITHOUT_MARK = ("deflate", "br")
"""Encodings that begin with anything; they count only if all is right and a text comes out that is longer."""

_LEAST_PACKED = 16
"""Bytes of what is compressed without a mark, and characters of a text that begins within a group of base64."""


_LEAST_BINARY = 12
"""Bytes of a binary format within a value."""


def peel_value(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    """Adds to `walk` what `value` holds under one more encoding; whether it held any.

    Precision first: what might as well be a random id is left alone.
    """
    first, last = value[0], value[-1]
    if first in "{[" and last in "}]" and _json(walk, at, value, encodings):
        return True
    if first == "{" and graphql(walk, at, value, encodings):
        return True
    if first == "<" and last == ">":
        return xml(walk, f"{at}[xml]", value.encode("utf-8", "replace"), (*encodings, "xml")) > 0
    if last in "}]" and first.isdigit() and (message := _MESSAGE.match(value)):
        return _json(walk, at, value[message.end() :], encodings)
    if "=" in value and "&" in value and _FORM.match(value):
        _form(walk, f"{at}[form]", value.lstrip("?#"), (*encodings, "form"))
        return True
    if "%" in value and _PERCENT.search(value) and len(value) <= walk.budget.longest and not _is_url(value):
        walk.unpack(f"{at}[percent]", unquote(value, errors="replace"), (*encodings, "percent"))
        return True
    if "&" in value and ";" in value and _ESCAPED.search(value):
        walk.unpack(f"{at}[html]", html.unescape(value), (*encodings, "html"))
        return True
    if _is_url(value):
        return _url(walk, at, value, encodings)
    if first in "qms" and last == "}" and graphql(walk, at, value, encodings):
        return True
    if first == "d" and (data := _DATA.match(value)):
        return _packed(walk, at, value[data.end() :], encodings)
    if first == "e" and value.startswith("eyJ"):
        if jwt := _JWT.match(value):
            return _jwt(walk, at, jwt[1], encodings)
        if signed := _SIGNED.match(value):
            return _packed(walk, at, signed[1], encodings)
    if len(value) >= 12 and (first.isalnum() or first in "+/_-") and " " not in value:
        return _packed(walk, at, value, encodings)
    return False


def peel_bytes(walk: Walk, at: str, raw: bytes, encodings: tuple[str, ...]) -> bool:
    """Adds to `walk` what bytes hold: a text, something compressed, a binary format; whether they held any.

    `encodings` are undone already.
    """
    if inner := unpacked(walk, raw) or _unmarked(walk, raw):
        kind, content = inner
        place, inner_encodings = f"{at}[{kind}]", (*encodings, kind)
        if text := _printable(content):
            walk.text(place, text, inner_encodings)
            return True
        return binary(walk, place, content, "", inner_encodings)
    if text := _printable(raw):
        walk.unpack(at, text, encodings)
        return True
    return len(raw) >= _LEAST_BINARY and binary(walk, at, raw, "", encodings)


def unpacked(walk: Walk, raw: bytes) -> tuple[str, bytes] | None:
    """Compressed bytes -> encoding and what they hold; `None` for others, damaged ones and bombs (noted)."""
    if not raw.startswith(_MARKS):
        return None
    for magic, kind in _COMPRESSED:
        if raw.startswith(magic):
            plain = undo(raw, kind, Limits(size=max(walk.room, 0)))
            if "unpacks to more" in plain.problem:
                walk.note("A call unpacks to more than is looked at")
            if plain.content and not plain.problem:
                walk.room -= len(plain.content)
                return kind, plain.content
    return None


def _unmarked(walk: Walk, raw: bytes) -> tuple[str, bytes] | None:
    if len(raw) < _LEAST_PACKED or _printable(raw):
        return None
    for kind in _WITHOUT_MARK:
        plain = undo(raw, kind, Limits(size=max(walk.room, 0)))
        if plain.content and not plain.problem and len(plain.content) > len(raw) and _printable(plain.content):
            walk.room -= len(plain.content)
            return kind, plain.content
    return None


def is_compressed(begin: bytes) -> bool:
    """Whether bytes begin as something compressed does."""
    return begin.startswith(_MARKS)


def is_packed(value: str) -> bool:
    """Whether a value is base64 or hex of a text, or of something compressed."""
    return any(
        raw is not None and (_printable(raw) or raw[:2] == b"\x1f\x8b") for raw in (_unhex(value), _unbase64(value))
    )


def _json(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    inner = (*encodings, "json")
    if len(value) > AT_ONCE:
        before = len(walk)
        return pieces(walk, f"{at}[json]", value, inner) == len(value) and len(walk) > before
    try:
        tree = LOADS(value)
    except (ValueError, RecursionError):
        return False
    walk.tree(f"{at}[json]", tree, inner)
    return True


def _is_url(value: str) -> bool:
    return ("://" in value[:25] or value[0] == "/") and bool(_URL.match(value))


def _url(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    """Adds what an address consists of; its host and path are a part of `value`, and of the same shape."""
    try:
        url = urlsplit(value)
        host, query = url.hostname or "", parse_qsl(url.query, keep_blank_values=True, errors="replace")
    except ValueError:
        return False
    inner = (*encodings, "url")
    if host:
        walk.text(f"{at}[url].host", host, inner, peel=False)
    walk.text(f"{at}[url].path", url.path, inner, peel=False)
    _login(walk, at, url, inner)
    for name, content in query:
        walk.text(step(f"{at}[url].query", name), content, inner)
    if "=" in url.fragment:
        _form(walk, f"{at}[url].fragment", url.fragment.rpartition("?")[2], inner)
    return False


def _login(walk: Walk, at: str, url: SplitResult, encodings: tuple[str, ...]) -> None:
    if url.username:
        walk.text(f"{at}[url].username", unquote(url.username), encodings, peel=False)
    if url.password:
        walk.text(f"{at}[url].password", unquote(url.password), encodings, peel=False)


def _form(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> None:
    for field in text.split("&"):
        if not walk.more():
            break
        name, _, content = field.partition("=")
        walk.text(step(at, unquote_plus(name)), unquote_plus(content), encodings)


def _jwt(walk: Walk, at: str, payload: str, encodings: tuple[str, ...]) -> bool:
    try:
        claims = LOADS(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode())
    except (ValueError, RecursionError):
        return False
    walk.tree(f"{at}[jwt]", claims, (*encodings, "jwt"))
    return False


def _packed(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    if _NEVER_PACKED.search(value, _MOST_SKIPPED):
        return False
    for name, raw in (("hex", _unhex(value)), ("base64", _unbase64(value))):
        if raw is not None and peel_bytes(walk, f"{at}[{name}]", raw, (*encodings, name)):
            return True
    # It may begin within a group: something stands before it, or its beginning was cut off.
    for skipped in range(1, _MOST_SKIPPED + 1):
        raw = _unbase64(value[skipped:])
        text = _printable(raw) if raw else None
        if text and len(text) >= _LEAST_PACKED and text.isascii():
            walk.unpack(f"{at}[base64]", text, (*encodings, "base64"))
            return True
    return False


_MOST_SKIPPED = 3
_NEVER_PACKED = re.compile(r"[^A-Za-z0-9+/_=-]")
"""What stands neither in base64 nor in hex."""


def _unhex(value: str) -> bytes | None:
    if not _HEX.match(value) or len(value) % 2:
        return None
    return bytes.fromhex(value[2:] if value[:2] in ("0x", "0X") else value)


def _unbase64(value: str) -> bytes | None:
    if not _BASE64.match(value):
        return None
    plain = value.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return None
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return None


def _printable(raw: bytes) -> str | None:
    """Bytes -> text when every character of it is one that people write, and, of a few bytes, most are letters."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    plain = text.replace("\n", "").replace("\r", "").replace("\t", "")
    if len(text) < _SHORTEST_TEXT or not plain.isprintable():
        return None
    if (
        len(raw) < _CHANCE
        and plain[:1] + plain[-1:] not in ("{}", "[]")
        and not (_WRITTEN.match(text) and len(_LETTER.findall(text)) >= 0.7 * len(text))
    ):
        return None
    return None if raw[:1] in b"\n\r\t" and holds_text(raw) else text


_SHORTEST_TEXT = 6
_CHANCE = 14
"""Bytes so few that chance makes a text of them: of a thousand ids of eight bytes one is printable."""
_WRITTEN = re.compile(r"[A-Za-z0-9À-ɏ_ \n.,:;@/+&=?!'()\[\]{}\"-]+\Z")
_LETTER = re.compile(r"[A-Za-z0-9À-ɏ .@/]")
