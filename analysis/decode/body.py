"""What a body is, by its content rather than by what its header says: Plex Web sends JSON as text/plain."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl
from xml.parsers import expat

from analysis.decode.peel import LOADS
from analysis.decode.walk import Walk
from captures.content import undo
from captures.model import Body, Pairs

_MEDIA = ("video/", "audio/", "image/", "font/", "application/octet-stream", "application/zip", "application/x-gzip")
_FORM = re.compile(r"[^\s=&{}<>\"]{1,200}=[^\s{}<>\"]*\Z")
_NAME = re.compile(r'[;\s]name="?([^";]*)"?', re.IGNORECASE)
_FILE_NAME = re.compile(r'[;\s]filename="?([^";]*)"?', re.IGNORECASE)


def body(walk: Walk, at: str, message: Body, headers: Pairs) -> None:
    """Adds the values of a body: `<at>.a.0.b` of JSON, NDJSON and XML, `<at>.field` of a form, `<at>` of a text."""
    content = message.content
    if message.cut or content is None:
        walk.note("The content of a body was not kept whole")
    if not content:
        return
    kind = next((value.lower() for name, value in headers if name == "content-type"), "")
    if content[:2] == b"\x1f\x8b" and not kind.startswith(_MEDIA):
        unpacked = undo(content, "gzip")
        if unpacked.content and not unpacked.problem:
            _plain(walk, f"{at}[gzip]", unpacked.content, kind, ("gzip",))
            return
    _plain(walk, at, content, kind, ())


def _plain(walk: Walk, at: str, content: bytes, kind: str, encodings: tuple[str, ...]) -> None:
    if len(content) > walk.budget.size:
        walk.note("A body is larger than is looked at")
        content = content[: walk.budget.size]
    if (kind.startswith("multipart/") or content[:2] == b"--") and _multipart(walk, at, content, kind, encodings):
        return
    if kind.startswith(_MEDIA) and content[:1] not in b"{[<":
        return
    text = _text(content)
    if text is None:
        walk.note("A body is in a form that is not known")
        return
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "[") and start and _json(walk, at, text, encodings):
        return
    if start == "<" and _xml(walk, at, content, encodings):
        return
    if _FORM.match(text) and ("&" in text or "form-urlencoded" in kind or len(text) < 4096):
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            walk.text(f"{at}.{name}", value, encodings)
        return
    walk.text(at, text, encodings)


def _text(content: bytes) -> str | None:
    """Bytes -> text, or `None` for what is none."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        # A body that was cut may end within a character; anything else with NULs is no text.
        if error.start > len(content) - 4:
            return content[: error.start].decode()
        return None if b"\0" in content[:1024] else content.decode("latin-1")


def _json(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> bool:
    text = text.lstrip("\ufeff")
    try:
        walk.tree(at, LOADS(text), encodings)
    except RecursionError:
        walk.note("A call is nested more deeply than is looked at")
        return False
    except ValueError:
        return _lines(walk, at, text, encodings)
    return True


def _lines(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> bool:
    """One JSON value a line: NDJSON, and Sentry's envelopes, in which other lines may stand between."""
    values = []
    for number, line in enumerate(text.split("\n")):
        if line[:1] in ("{", "[") and line:
            try:
                values.append((number, LOADS(line)))
            except (ValueError, RecursionError):
                continue
    if not values or values[0][0] != 0:
        return False
    for number, value in values:
        walk.tree(f"{at}.{number}", value, encodings)
    return True


def _multipart(walk: Walk, at: str, content: bytes, kind: str, encodings: tuple[str, ...]) -> bool:
    """Multipart form (RFC 7578): `<at>.<field>`, and `<at>.<field>.filename` for a file."""
    match = re.search(r'boundary="?([^";,]+)"?', kind)
    boundary = b"--" + match[1].encode() if match else content.partition(b"\n")[0].rstrip()
    # The header was folded to lower case to be recognised; the boundary in the body was not.
    if not content.lower().startswith(boundary.lower()):
        return False
    boundary = content[: len(boundary)]
    for part in content.split(boundary)[1:]:
        head, gap, value = part.partition(b"\r\n\r\n")
        if not gap:
            head, gap, value = part.partition(b"\n\n")
        name = _NAME.search(head.decode("utf-8", "replace"))
        if not gap or not name:
            continue
        file_name = _FILE_NAME.search(head.decode("utf-8", "replace"))
        if file_name:
            walk.text(f"{at}.{name[1]}.filename", file_name[1], encodings)
        value = value.removesuffix(b"\n").removesuffix(b"\r")
        text = _text(value)
        if text is None or "\0" in text:
            walk.note("A body is in a form that is not known")
        else:
            walk.text(f"{at}.{name[1]}", text, encodings)
    return True


class _Forbidden(ValueError):
    """A document type, with which entities come."""


def _xml(walk: Walk, at: str, content: bytes, encodings: tuple[str, ...]) -> bool:
    """XML -> `<at>.Root.Child.0.attribute`; the children of one parent are numbered by name, the root is not.

    A document type is refused, so that no entity can unfold.  A document that ends too early gives its beginning.
    """
    reader = _XmlReader(walk, at, encodings)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content.lstrip(b"\xef\xbb\xbf \t\r\n"), True)
    except (expat.ExpatError, _Forbidden, LookupError):
        return reader.found
    return True


def _refuse(*_: object) -> None:
    raise _Forbidden


class _XmlReader:
    """Turns the events of the parser into leaves."""

    def __init__(self, walk: Walk, at: str, encodings: tuple[str, ...]) -> None:
        self._walk = walk
        self._encodings = encodings
        self._places = [at]
        self._counts: list[dict[str, int]] = [{}]
        self._texts: list[list[str]] = [[]]
        self.found = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        counts = self._counts[-1]
        number = counts.get(name, 0)
        counts[name] = number + 1
        place = f"{self._places[-1]}.{name}" + (f".{number}" if len(self._places) > 1 else "")
        self._places.append(place)
        self._counts.append({})
        self._texts.append([])
        if len(self._places) > self._walk.budget.depth:
            self._walk.note("A call is nested more deeply than is looked at")
            raise _Forbidden
        self.found = True
        for key, value in attributes.items():
            self._walk.text(f"{place}.{key}", value, self._encodings)

    def end(self, _: str) -> None:
        """An element ends."""
        place = self._places.pop()
        self._counts.pop()
        text = "".join(self._texts.pop()).strip()
        if text:
            self._walk.text(place, text, self._encodings)

    def characters(self, text: str) -> None:
        """Text within an element."""
        self._texts[-1].append(text)
