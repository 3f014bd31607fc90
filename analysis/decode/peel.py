"""Encodings of a single value: what is undone, when it surely is one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from captures.content import Limits, undo

if TYPE_CHECKING:
    from analysis.decode.walk import Walk

LOADS = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False).decode
"""JSON text -> nested lists and tables; numbers stay the texts that were sent."""

_JWT = re.compile(r"[\w-]{4,}\.(eyJ[\w-]+)\.[\w-]*\Z", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}\Z|(?:[0-9A-F]{2}){8,}\Z")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_MOST = Limits(size=8 * 1024 * 1024)
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "deflate"), (b"\x78\x9c", "deflate"),
               (b"\x78\xda", "deflate"))  # fmt: skip


def peel_value(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    """Adds to `walk` what `value` holds under one more encoding; whether it held any.

    Precision first: what might as well be a random id is left alone.
    """
    first = value[0]
    if first in "{[" and value[-1] in "}]":
        return _json(walk, at, value, encodings)
    if "%" in value and _PERCENT.search(value):
        plain = unquote(value, errors="replace")
        walk.text(f"{at}[percent]", plain, (*encodings, "percent"))
        return True
    if first == "h" and "?" in value and value.startswith(("http://", "https://")):
        return _url(walk, at, value, encodings)
    if value.startswith("eyJ") and (jwt := _JWT.match(value)):
        return _jwt(walk, at, jwt[1], encodings)
    if len(value) >= 12 and (first.isalnum() or first in "+/_-") and " " not in value:
        return _packed(walk, at, value, encodings)
    return False


def _json(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    try:
        tree = LOADS(value)
    except (ValueError, RecursionError):
        return False
    walk.tree(f"{at}[json]", tree, (*encodings, "json"))
    return True


def _url(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    try:
        query = urlsplit(value).query
    except ValueError:
        return False
    for name, content in parse_qsl(query, keep_blank_values=True, errors="replace"):
        walk.text(f"{at}[url].query.{name}", content, (*encodings, "url"))
    return False


def _jwt(walk: Walk, at: str, payload: str, encodings: tuple[str, ...]) -> bool:
    try:
        claims = LOADS(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode())
    except (ValueError, RecursionError):
        return False
    walk.tree(f"{at}[jwt]", claims, (*encodings, "jwt"))
    return False


def _packed(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    for name, decoded in (("hex", _unhex(value)), ("base64", _unbase64(value))):
        if decoded is None:
            continue
        for magic, kind in _COMPRESSED:
            if decoded.startswith(magic):
                plain = undo(decoded, kind, _MOST)
                text = _printable(plain.content or b"") if not plain.problem else None
                if text:
                    walk.text(f"{at}[{name}][{kind}]", text, (*encodings, name, kind))
                    return True
        if text := _printable(decoded):
            walk.text(f"{at}[{name}]", text, (*encodings, name))
            return True
    return False


def _unhex(value: str) -> bytes | None:
    return bytes.fromhex(value) if _HEX.match(value) else None


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
    """Bytes -> text when every character of it is one that people write."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) >= 6 and all(c.isprintable() or c in "\t\r\n" for c in text) else None
