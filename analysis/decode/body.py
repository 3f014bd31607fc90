"""What a body is, by its content rather than by what its header says: Plex Web sends JSON as text/plain."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote_plus

from analysis.decode.binary import binary, looks_binary
from analysis.decode.json_text import AT_ONCE, LOADS, pieces
from analysis.decode.multipart import parts
from analysis.decode.page import page
from analysis.decode.peel import is_compressed, is_packed, unpacked
from analysis.decode.playlist import playlist
from analysis.decode.walk import Piece, Walk, step
from analysis.decode.xml_text import xml
from captures.model import Body, Pairs

_PICTURES = ("video/", "audio/", "image/", "font/")
_BINARY = ("application/octet-stream", "application/zip", "application/x-gzip")
_FORM = re.compile(r"[^\s=&{}<>\"]{1,200}=[^\s{}<>\"]*\Z")

_BINARY_KINDS = re.compile(r"grpc|protobuf|msgpack|cbor")
"""Parts of content types whose bodies may be of letters alone, by chance."""

_HTML = re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)

_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_MOST_MET, _LONGEST_MET = 1_000, 600
"""Bodies that are remembered, and bytes of one: hostile traffic must not fill the memory."""

_met: dict[tuple[str, bytes, str], Piece] = {}
"""Place, content and content type -> what came out: servers answer the same again and again, as do heartbeats."""

type _Encodings = tuple[str, ...]


def body(walk: Walk, at: str, message: Body, headers: Pairs) -> None:
    """Adds the values of a body: `<at>.a.0.b` of JSON, NDJSON and XML, `<at>.field` of a form, `<at>` of a text.

    Also of a file in a multipart form its name (`<at>.field.filename`), and of what is packed without a
    content-encoding `<at>[gzip].a`.  Pictures, films and sound are not looked at.
    """
    if message.cut or message.content is None:
        walk.note("The content of a body was not kept whole")
    if message.content:
        kind = next((value.lower() for name, value in headers if name == "content-type"), "")
        if not kind.startswith(_PICTURES) or message.content[:1] in b"{[<":
            _remembered(walk, at, message.content, kind)


def _remembered(walk: Walk, at: str, content: bytes, kind: str) -> None:
    """Adds a body; a small one that was met before without taking it apart again."""
    if len(content) + len(kind) > _LONGEST_MET:
        _content(walk, at, content, kind, ())
        return
    key = (at, content, kind)
    known = _met.get(key)
    if known is not None and walk.add((known,)):
        return
    begin = walk.mark()
    _content(walk, at, content, kind, ())
    piece = walk.piece(begin)
    if piece is not None:
        if len(_met) >= _MOST_MET:
            _met.clear()
        _met[key] = piece


def _content(walk: Walk, at: str, content: bytes, kind: str, encodings: _Encodings, nested: int = 0) -> None:
    """Adds a body, or a part of one that stands in `nested` others."""
    if packed := unpacked(walk, content):
        name, content = packed
        at, encodings = f"{at}[{name}]", (*encodings, name)
    if len(content) > walk.budget.size:
        walk.note("A body is larger than is looked at")
        content = content[: walk.budget.size]
    if content[:2] in _UTF16:
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    if (kind.startswith("multipart/") or content[:2] == b"--") and _multipart(walk, at, content, kind, encodings):
        return
    if _BINARY_KINDS.search(kind) or looks_binary(content):
        if kind.startswith("application/grpc-web-text"):
            content = _base64(content)
        if binary(walk, at, content, kind, encodings):
            return
    # SignalR ends its messages with this.
    content = content.removesuffix(b"\x1e").replace(b"\x1e{", b"\n{")
    first = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first in (b"{", b"[") and _lines(walk, at, content, encodings, nested):
        return
    text = _text(content)
    if text is None:
        # What a server hands out as a file is a download; what a device sends may hold anything.
        if not (kind.startswith(_BINARY) and at.startswith("response.")):
            walk.note("A body is in a form that is not known")
        return
    if text.startswith("#EXTM3U"):
        playlist(walk, at, text, encodings)
        return
    if "event-stream" in kind and _events(walk, at, text, encodings):
        return
    if first in (b"{", b"["):
        text = _json(walk, at, text, encodings)
    elif first == b"<" and "html" not in kind and (read := xml(walk, at, content, encodings)):
        text = content[read:].decode("utf-8", "replace")
    elif _is_form(text, kind):
        _form(walk, at, text, encodings)
        return
    elif _is_forms(text):
        for number, line in enumerate(text.split("\n")):
            if not walk.more():
                return
            _form(walk, f"{at}.{number}", line.strip("\r"), encodings)
        return
    if first == b"<" and ("html" in kind or _HTML.match(text)):
        page(walk, at, text, encodings)
    # What stands behind the readable part is a text like any other.
    if text.strip():
        walk.text(at, text, encodings)


def _text(content: bytes) -> str | None:
    """Bytes -> text, or `None` for what is none."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        # A body that was cut may end within a character; anything else with NULs is no text.
        if error.start > len(content) - 4:
            return content[: error.start].decode()
        return None if b"\0" in content[:1024] else content.decode("latin-1")


def _json(walk: Walk, at: str, text: str, encodings: _Encodings) -> str:
    """Adds the values of a JSON text; gives what could not be read, the whole text when nothing could."""
    text = text.lstrip("\ufeff")
    if len(text) <= AT_ONCE:
        try:
            tree = LOADS(text)
        except RecursionError:
            walk.note("A call is nested more deeply than is looked at")
        except ValueError:
            # It breaks off, or is something else; what can be read of it comes out piece by piece.
            pass
        else:
            walk.tree(at, tree, encodings)
            return ""
    before = len(walk)
    read = pieces(walk, at, text, encodings)
    return text[read:] if len(walk) > before else text


def _lines(walk: Walk, at: str, content: bytes, encodings: _Encodings, nested: int) -> bool:
    """One JSON value a line: NDJSON, and Sentry's envelopes, in which other lines may stand between.

    The head of an item in an envelope may say the `length` in bytes of what follows, which may hold line breaks.
    """
    first = content[: content.find(b"\n") + 1]
    if len(first) == len(content) or _value(first) is None or nested >= walk.budget.layers:
        return False
    start, number, length = 0, 0, 0
    while start < len(content) and walk.more():
        if length:
            end = start + length
        else:
            # A line break within something compressed is none: Sentry's replays.
            end = -1 if is_compressed(content[start : start + 4]) else content.find(b"\n", start)
        line = content[start:] if end < 0 else content[start:end]
        value = None if length else _value(line)
        place = f"{at}.{number}"
        start, number = start + len(line) + 1, number + 1
        length = _length(value, content, start)
        if value is not None:
            walk.tree(place, value, encodings)
        elif line.strip():
            _content(walk, place, line, "", encodings, nested + 1)
    return True


def _value(line: bytes) -> dict[str, object] | list[object] | None:
    if line[:1] not in (b"{", b"[") or len(line) > AT_ONCE:
        return None
    try:
        value: dict[str, object] | list[object] = LOADS(line.decode())
    except (ValueError, RecursionError):
        return None
    return value


def _length(head: object, content: bytes, start: int) -> int:
    """Length of an envelope's item that begins at `start`, by its head; 0 when that does not say so credibly."""
    length = str(head.get("length", "")) if isinstance(head, dict) and "type" in head else ""
    if not length.isascii() or not length.isdigit() or len(length) > 9:
        return 0
    return int(length) if content[start + int(length) :][:1] in (b"", b"\n") else 0


def _multipart(walk: Walk, at: str, content: bytes, kind: str, encodings: _Encodings) -> bool:
    found = False
    for name, file_name, value in parts(content, kind):
        found = True
        if not walk.more():
            break
        place = step(at, name)
        if file_name:
            walk.text(f"{place}.filename", file_name, encodings)
        packed = unpacked(walk, value)
        plain = packed[1] if packed else value
        text = None if looks_binary(plain) else _text(plain)
        if text is None:
            held = (f"{place}[{packed[0]}]", (*encodings, packed[0])) if packed else (place, encodings)
            if not binary(walk, held[0], plain, "", held[1]):
                walk.note("A body is in a form that is not known")
        elif packed:
            walk.text(f"{place}[{packed[0]}]", text, (*encodings, packed[0]))
        else:
            walk.text(place, text, encodings)
    return found


def _is_form(text: str, kind: str) -> bool:
    if "form-urlencoded" in kind:
        return "=" in text
    return bool(_FORM.match(text)) and ("&" in text or (len(text) < 4096 and not is_packed(text)))


def _is_forms(text: str) -> bool:
    """Whether each line is a form, the first with several fields, as Google Analytics sends several events."""
    lines = text.rstrip("\r\n").split("\n", 1_000)
    return len(lines) > 1 and "&" in lines[0] and all(_FORM.match(line.strip("\r")) for line in lines)


def _base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(content)
    except ValueError:
        return content


def _events(walk: Walk, at: str, text: str, encodings: _Encodings) -> bool:
    """Server-sent events (HTML standard, 9.2): what each says, numbered."""
    number = 0
    for line in text.splitlines():
        if line.startswith("data:") and walk.more():
            walk.text(f"{at}.{number}", line[5:].strip(), encodings)
            number += 1
    return number > 0


def _form(walk: Walk, at: str, text: str, encodings: _Encodings) -> None:
    """A form, field by field: a list of all of them may be a hundred times as large as the body."""
    start = 0
    while start < len(text) and walk.more():
        end = text.find("&", start)
        field = text[start : end if end >= 0 else len(text)]
        start = end + 1 if end >= 0 else len(text)
        if field:
            name, _, value = field.partition("=")
            walk.text(step(at, unquote_plus(name)), unquote_plus(value), encodings)
