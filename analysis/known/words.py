"""The own library in what is sent, however large it is: by its words after decoding, not by forms made in advance.

Texts are read without case, accents and separators, and a title or file name is met where it begins and ends with a
word.  Beside that: MD5, SHA-1 and SHA-256 of names, and the ids, pictures, paths and OpenSubtitles' hashes that
`library` keeps as hashes.  200,000 names take about 2 s and 150 MB; a small request 40 µs.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from analysis.decode import Leaf
from analysis.known.kinds import bits
from analysis.known.library import LibraryName, Marks, normal_id, normal_picture
from analysis.sureness import is_title_field

_GATE = 8
"""Letters of a name that are looked at first."""

_SURE = 44.0
"""Bits of a name that chance does not make (as in `forms`)."""

_LONG_WORD = 14
"""Letters of a single word that no language uses for something else."""

_LONG_HEX = 24
"""Hex digits of an external id, at least (as in `library`)."""

_HASHED = {32: "md5", 40: "sha1", 64: "sha256"}
"""Hex digits -> the hash."""

_WORD = re.compile(r"[^\W_]+|\n")

_UNITS = ((1, 2.0), (1_000, 2.0), (1 / 60, 60.0), (10_000_000, 2.0))
"""Units of a duration (in a second), and seconds by which it may differ."""


class Met(NamedTuple):
    """One name of the library in one leaf."""

    leaf: int
    """Number of the leaf."""
    item: str
    """Id in `items.toml`."""
    value: str
    """The name; of an id, picture or path what stands there."""
    chain: tuple[str, ...]
    """How else it is written: `slug`, `separators`, `md5`…"""
    evidence: str
    """A key of `sureness.EVIDENCE`."""


class Words:
    """The names of a library, ready to be searched.  Private."""

    def __init__(self, names: Sequence[LibraryName], marks: Marks) -> None:
        """`marks` are what is only recognised."""
        self._names = names
        self._marks = marks
        self._tables: dict[str, array[int]] = {}
        whole: dict[str, list[int]] = {}
        gates: dict[str, set[int]] = {}
        for number, name in enumerate(names):
            folded = folded_words(name.value)
            squeezed = "".join(folded)
            if not squeezed:
                continue
            whole.setdefault(squeezed, []).append(number)
            if _says_enough(name.kind, folded):
                gates.setdefault(squeezed[:_GATE], set()).add(len(squeezed))
        self._whole: Mapping[str, tuple[int, ...]] = {text: tuple(numbers) for text, numbers in whole.items()}
        self._gates = {gate: tuple(sorted(lengths, reverse=True)) for gate, lengths in gates.items()}

    def find(self, leaves: Sequence[Leaf]) -> Iterator[Met]:
        """Leaves -> what of the library stands in them, each name once a leaf."""
        text = "\n".join([leaf.value.replace("\n", " ") if "\n" in leaf.value else leaf.value for leaf in leaves])
        yield from self._named(leaves, text)
        yield from self._recognised(leaves, text)

    def _named(self, leaves: Sequence[Leaf], text: str) -> Iterator[Met]:
        words = _WORD.findall(_folded(text))
        joined = "".join(words)
        starts = [0, *accumulate(map(len, words))]
        borders: list[int] = []
        gates, until = self._gates, 0
        for start in starts:
            lengths = gates.get(joined[start : start + _GATE])
            if lengths is None or start < until:
                continue
            for length in lengths:
                end = start + length
                numbers = self._whole.get(joined[start:end])
                if numbers and end <= len(joined) and starts[bisect_left(starts, end)] == end:
                    borders = borders or [place for place, word in zip(starts, words, strict=False) if word == "\n"]
                    if met := self._graded(leaves, bisect_right(borders, start), numbers, joined[end : end + 4]):
                        yield met
                        until = end
                        break
        yield from self._common(leaves)

    def _graded(self, leaves: Sequence[Leaf], number: int, numbers: Sequence[int], after: str) -> Met | None:
        """A distinct name in a leaf -> how it stands there; `None` where words of any text may mean something else."""
        leaf, name = leaves[number], self._names[numbers[0]]
        piece, before, behind = _piece(leaf.value, name.value)
        item, chain = _item(name), _step(piece, name.value)
        alone = not before.strip() and not behind.strip()
        if name.kind == "file":
            return Met(number, item, name.value, chain, "file-name")
        if chain == ("slug",) and before[-1:] in ("", "/", "=") and behind[:1] in ("", "/", "?", "&", ".", "#"):
            return Met(number, item, name.value, chain, "slug")
        if alone:
            return Met(number, item, name.value, chain, "title-field" if is_title_field(leaf.at) else "title")
        if any(str(self._names[one].year) == after for one in numbers):
            return Met(number, item, name.value, chain, "title-and-year")
        # "The connection" is words of any log; "The Zorblax Uprising" as the title writes it is not.
        if piece == name.value and len(piece.split()) >= 3 and piece != piece.lower():
            return Met(number, item, name.value, chain, "text")
        return None

    def _common(self, leaves: Sequence[Leaf]) -> Iterator[Met]:
        """Titles that are common words: as the whole of a field for titles, and with a second sign beside it."""
        for number, leaf in enumerate(leaves):
            if len(leaf.value) > 40 or not is_title_field(leaf.at):
                continue
            folded = folded_words(leaf.value)
            squeezed = "".join(folded)
            numbers = self._whole.get(squeezed, ())
            year = folded[-1] if len(folded) > 1 else ""
            for one in numbers or self._whole.get("".join(folded[:-1]), ()):
                name = self._names[one]
                if name.kind != "title" or is_distinct("title", name.value):
                    continue
                if (not numbers and str(name.year) == year) or (numbers and self._is_beside(leaves, leaf, name)):
                    yield Met(number, "media.title", name.value, _step(leaf.value, name.value), "two-signs")
                    break

    def _is_beside(self, leaves: Sequence[Leaf], title: Leaf, name: LibraryName) -> bool:
        """Whether year, duration or an id of the same work stands beside a title."""
        parent = re.sub(r"[^.]*\Z", "", title.at)
        for leaf in leaves:
            if leaf is title or not leaf.at.startswith(parent):
                continue
            field = leaf.at.rpartition(".")[2].lower()
            if name.year and leaf.value[:4] == str(name.year) and re.search("year|date|released|aired", field):
                return True
            if (
                name.duration
                and re.search("duration|runtime|length|ticks", field)
                and _lasts(leaf.value, name.duration)
            ):
                return True
            if (known := normal_id(leaf.value)) and self._marks.work("id", known) == name.work:
                return True
        return False

    def _recognised(self, leaves: Sequence[Leaf], text: str) -> Iterator[Met]:
        borders: list[int] = []
        for match in _TOKEN.finditer(text):
            if told := self._token(match[0].lower(), match.lastgroup):
                borders = borders or [place for place, character in enumerate(text) if character == "\n"]
                item, value, chain, evidence = told
                yield Met(bisect_right(borders, match.start()), item, value or match[0], chain, evidence)
        for number, leaf in enumerate(leaves):
            if "/" in leaf.value or "\\" in leaf.value:
                if self._marks.work("path", leaf.value) is not None:
                    yield Met(number, "media.file_path_or_name", leaf.value, (), "path")
                elif (picture := normal_picture(leaf.value)) and self._marks.work("picture", picture) is not None:
                    yield Met(number, "media.url", leaf.value, (), "picture")

    def _token(self, token: str, kind_of: str | None) -> tuple[str, str, tuple[str, ...], str] | None:
        """A token that may be an id or hash, and which part of `_TOKEN` it fits -> item, name (empty: the token), chain
        and evidence."""
        length = len(token)
        if length == 16 and self._marks.work("moviehash", token) is not None:
            return "media.file_hash", "", ("moviehash",), "moviehash"
        known = normal_id(token) if kind_of == "numbered" else token
        if known and (kind_of != "hex" or length >= _LONG_HEX) and self._marks.work("id", known) is not None:
            return "media.external_id", "", (), "external-id"
        if length >= 16 and self._marks.work("picture", token) is not None:
            return "media.url", "", (), "picture"
        kind = _HASHED.get(length)
        name = self._hashed(kind, token) if kind and token.isalnum() else None
        return (_item(name), name.value, (kind,), "hash") if kind and name else None

    def _hashed(self, kind: str, digits: str) -> LibraryName | None:
        """Hash in hex -> the name whose hash it is."""
        table, number = self._hashes(kind), int(digits[:16], 16)
        place = bisect_left(table, number)
        if place == len(table) or table[place] != number:
            return None
        return next((name for name in self._names if digits in _hashes_of(kind, name.value)), None)

    def _hashes(self, kind: str) -> array[int]:
        """Beginnings of the hashes of all names, sorted; made when a hash of this length is first met."""
        if kind not in self._tables:
            numbers = {int(digits[:16], 16) for name in self._names for digits in _hashes_of(kind, name.value)}
            self._tables[kind] = array("Q", sorted(numbers))
        return self._tables[kind]


_TOKEN = re.compile(
    r"(?P<imdb>\btt[0-9]{7,10}\b)|(?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    r"|(?P<hex>(?<![0-9a-zA-Z])[0-9a-fA-F]{16,64}(?![0-9a-zA-Z]))"
    r"|(?P<numbered>\b(?:tmdb|themoviedb|tvdb|thetvdb|anidb|anilist|mal|trakt)[a-z_]*\W{1,3}[0-9]{1,12}\b)"
)
"""What may be an id or a hash."""


def _item(name: LibraryName) -> str:
    return "media.file_path_or_name" if name.kind == "file" else "media.title"


def _hashes_of(kind: str, value: str) -> Iterator[str]:
    """Hashes of a name as it is, in lower case, and of a file's name without its ending."""
    for text in dict.fromkeys((value, value.lower())):
        yield hashlib.new(kind, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _folded(text: str) -> str:
    """A text without case and accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def folded_words(text: str) -> list[str]:
    """A text -> its words without case and accents.

    >>> folded_words("Amélie's  Zorblax_(2017).mkv")
    ['amelie', 's', 'zorblax', '2017', 'mkv']
    """
    return re.findall(r"[^\W_]+", _folded(text))


def is_distinct(kind: str, name: str) -> bool:
    """Whether a title or file name may be looked for anywhere: it is made of no common word, and not of numbers.

    >>> [is_distinct("title", name) for name in ("Up", "Interference", "The Zorblax Uprising", "2001 2010 2061")]
    [False, False, True, False]
    >>> [is_distinct("file", name) for name in ("movie.mkv", "00001.m2ts", "the.zorblax.uprising.mkv")]
    [False, False, True]
    """
    return _says_enough(kind, folded_words(name))


def _says_enough(kind: str, words: Sequence[str]) -> bool:
    if kind == "file":  # the ending says nothing
        words = words[:-1]
    squeezed = "".join(words)
    letters = squeezed.strip("0123456789")
    return bits(squeezed) >= _SURE and len(letters) >= 4 and (len(words) > 1 or len(squeezed) >= _LONG_WORD)


def _piece(text: str, name: str) -> tuple[str, str, str]:
    """A text in which a name stands -> that piece of it, what stands before it and behind it."""
    wanted = "".join(folded_words(name))
    spans = [(match.span(), _folded(match[0])) for match in re.finditer(r"[^\W_]+", text)]
    for first in range(len(spans)):
        joined = ""
        for (_, end), word in spans[first:]:
            joined += word
            if joined == wanted:
                start = spans[first][0][0]
                return text[start:end], text[:start], text[end:]
            if not wanted.startswith(joined):
                break
    return text, "", ""


def _step(piece: str, name: str) -> tuple[str, ...]:
    """How a name is written in a piece of text that has its letters."""
    if piece == name:
        return ()
    if piece.casefold() == name.casefold():
        return ("casefold",)
    separators = {character for character in piece if not character.isalnum()}
    if separators in ({"-"}, {"_"}):
        return ("slug",)
    return ("separators",) if separators else ("no-separators",)


def _lasts(text: str, seconds: float) -> bool:
    """Whether a number is a duration, in seconds, milliseconds, minutes or ticks."""
    if not re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,6})?", text):
        return False
    number = float(text)
    return any(abs(number / unit - seconds) <= error for unit, error in _UNITS)
