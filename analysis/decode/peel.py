"""Encodings of a single value: what is undone, when it surely is one."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qsl, unquote, urlsplit

from analysis.decode.json_text import AT_ONCE, LOADS, pieces
from analysis.decode.walk import Walk, step
from captures.content import Limits, undo

_JWT = re.compile(r"[\w-]{4,}\.(eyJ[\w-]+)\.[\w-]*\Z", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\Z")
_HEX = re.compile(r"[0-9a-f]{16,}\Z|[0-9A-F]{16,}\Z")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "deflate"), (b"\x78\x9c", "deflate"),
               (b"\x78\xda", "deflate"))  # fmt: skip


def peel_value(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    """Adds to `walk` what `value` holds under one more encoding; whether it held any.

    Precision first: what might as well be a random id is left alone.
    """
    first = value[0]
    if first in "{[" and value[-1] in "}]":
        return _json(walk, at, value, encodings)
    if "%" in value and _PERCENT.search(value) and len(value) <= walk.budget.longest:
        walk.unpack(f"{at}[percent]", unquote(value, errors="replace"), (*encodings, "percent"))
        return True
    if first == "h" and "?" in value and value.startswith(("http://", "https://")):
        return _url(walk, at, value, encodings)
    if first == "e" and value.startswith("eyJ") and (jwt := _JWT.match(value)):
        return _jwt(walk, at, jwt[1], encodings)
    if len(value) >= 12 and (first.isalnum() or first in "+/_-") and " " not in value:
        return _packed(walk, at, value, encodings)
    return False


def unpacked(walk: Walk, raw: bytes) -> tuple[str, bytes] | None:
    """Compressed bytes -> encoding and what they hold; `None` for others, damaged ones and bombs (noted)."""
    for magic, kind in _COMPRESSED:
        if raw.startswith(magic):
            plain = undo(raw, kind, Limits(size=max(walk.room, 0)))
            if "unpacks to more" in plain.problem:
                walk.note("A call unpacks to more than is looked at")
            if plain.content and not plain.problem:
                walk.room -= len(plain.content)
                return kind, plain.content
    return None


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


def _url(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    """Adds what an address consists of; its host and path are a part of `value`, and of the same shape."""
    try:
        url = urlsplit(value)
        host, query = url.hostname or "", parse_qsl(url.query, keep_blank_values=True, errors="replace")
    except ValueError:
        return False
    inner = (*encodings, "url")
    walk.text(f"{at}[url].host", host, inner, peel=False)
    walk.text(f"{at}[url].path", url.path, inner, peel=False)
    for name, content in query:
        walk.text(step(f"{at}[url].query", name), content, inner)
    return False


def _jwt(walk: Walk, at: str, payload: str, encodings: tuple[str, ...]) -> bool:
    try:
        claims = LOADS(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode())
    except (ValueError, RecursionError):
        return False
    walk.tree(f"{at}[jwt]", claims, (*encodings, "jwt"))
    return False


def _packed(walk: Walk, at: str, value: str, encodings: tuple[str, ...]) -> bool:
    for name, raw in (("hex", _unhex(value)), ("base64", _unbase64(value))):
        if raw is None:
            continue
        if inner := unpacked(walk, raw):
            kind, content = inner
            if text := _printable(content):
                walk.text(f"{at}[{name}][{kind}]", text, (*encodings, name, kind))
                return True
        if text := _printable(raw):
            walk.unpack(f"{at}[{name}]", text, (*encodings, name))
            return True
    return False


def _unhex(value: str) -> bytes | None:
    return bytes.fromhex(value) if _HEX.match(value) and len(value) % 2 == 0 else None


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
    plain = text.replace("\n", "").replace("\r", "").replace("\t", "")
    return text if len(text) >= 6 and plain.isprintable() else None
