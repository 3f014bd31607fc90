"""XML -> leaves, safely: no document type, so that no entity can unfold."""

from __future__ import annotations

import re
from xml.parsers import expat

from analysis.decode.walk import Walk, step


class _Stop(ValueError):
    """Nothing more is to be read."""


def xml(walk: Walk, at: str, content: bytes, encodings: tuple[str, ...]) -> int:
    """XML -> `<at>.Root.Child.0.attribute`; the children of one parent are numbered by name, the root is not.

    XML-RPC (its specification of 1999) gives `<at>.methodCall.param-2.0.field`: the number of the parameter, positions
    in lists and names in tables, without the elements that only say what follows.

    Gives the number of bytes that were read: 0 for no XML and for a document type, less than the whole where the
    document breaks off or a budget ran out.
    """
    parser = expat.ParserCreate()
    reader = (_RpcReader if _RPC.match(content) else _Reader)(walk, at, encodings, parser)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse
    space = len(content) - len(content.lstrip(b"\xef\xbb\xbf \t\r\n"))
    try:
        parser.Parse(content[space:], True)
    except _Stop:
        return len(content) if reader.found else 0
    except (expat.ExpatError, ValueError, LookupError):
        # Also an encoding that the parser does not know.
        return _behind(content, space + reader.last, reader.begun) if reader.found else 0
    return len(content)


_RPC = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?<method(?:Call|Response)>")


def _behind(content: bytes, last: int, begun: bool) -> int:
    """Where the tag ends that was read last.  Of `<a/>` the parser names the end as the place of its second half."""
    whole = begun or content[last : last + 2] == b"</"
    return content.find(b">", last) + 1 or last if whole else last


def _refuse(*_: object) -> None:
    raise _Stop


class _Reader:
    """Turns the events of the parser into leaves."""

    def __init__(self, walk: Walk, at: str, encodings: tuple[str, ...], parser: expat.XMLParserType) -> None:
        self._walk = walk
        self._parser = parser
        self._encodings = encodings
        self._places = [at]
        self._tags = [""]
        self._counts: list[dict[str, int]] = [{}]
        self._texts: list[list[str]] = [[]]
        self.found = False
        self.last = 0
        """Where the last tag that was read stands; the parser's own place of an error lies somewhere behind it."""
        self.begun = False
        """Whether that tag begins an element."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        counts = self._counts[-1]
        number = counts.get(name, 0)
        counts[name] = number + 1
        place = self._place(name, number)
        self._tags.append(name)
        self._places.append(place)
        self._counts.append({})
        self._texts.append([])
        self.found = self.begun = True
        self.last = self._parser.CurrentByteIndex
        if not self._walk.open(place, len(self._places) - 1) or not self._walk.more():
            raise _Stop
        for key, value in attributes.items():
            self._walk.text(step(place, key), value, self._encodings)

    def _place(self, name: str, number: int) -> str:
        """Place of an element that is the `number`th of this name in the one that is open."""
        place = step(self._places[-1], name)
        return f"{place}.{number}" if len(self._places) > 1 else place

    def end(self, name: str) -> None:
        """An element ends."""
        self.begun = False
        self.last = self._parser.CurrentByteIndex
        place = self._places.pop()
        self._tags.pop()
        self._counts.pop()
        text = "".join(self._texts.pop()).strip()
        if text:
            self._text(name, place, text)

    def _text(self, _: str, place: str, text: str) -> None:
        self._walk.text(place, text, self._encodings)

    def characters(self, text: str) -> None:
        """Text within an element."""
        self._texts[-1].append(text)


class _RpcReader(_Reader):
    """The same for XML-RPC, where a field's name is an element beside its value."""

    def _place(self, name: str, number: int) -> str:
        place = self._places[-1]
        if len(self._places) == 1 or name == "methodName":
            return step(place, name)
        if name == "param":
            return step(place, f"param-{number + 1}")
        return step(place, number) if name == "value" and self._tags[-1] == "data" else place

    def _text(self, name: str, place: str, text: str) -> None:
        if name == "name" and self._tags[-1] == "member":
            self._places[-1] = step(place, text)
        else:
            super()._text(name, place, text)
