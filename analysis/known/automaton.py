"""All forms of all own values in one automaton: bytes -> where one of them stands, in one pass."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from analysis.known.forms import Form, forms
from analysis.known.kinds import HASHES, refusal
from analysis.known.library import LibraryName, Marks
from analysis.known.library import names as library_names
from analysis.known.store import Known, listed
from analysis.known.words import Words, is_distinct
from captures import home, pseudonym

_ANCHOR = 12
"""Bytes of a form that the automaton looks for; the rest is compared where they stand.  Whole forms would make it six
times as large and slower by a half."""

_MOST_ALIKE = 16
"""Forms with one anchor; more (the episodes of a series) get longer ones."""

_LIBRARY = frozenset({"title", "file", *HASHES})
"""Kinds of which a user may have thousands."""

IMPORTED = "library"
"""`Known.origin` of what `known import` read."""

_MOST_IN_FORMS = 1_000
"""Titles and files of which forms are made; 1,000 take 1.8 s and 150 MB in one layer of encodings.  Of more the words
alone are looked for."""

_DEPTHS = (
    (100, 2, ""),
    (_MOST_IN_FORMS, 1, "in one layer of encodings, not in two"),
    (math.inf, 0, "by its words where decoding shows them, and by its MD5, SHA-1 and SHA-256"),
)
"""Up to how many of these, in how many layers of encodings they are looked for, and how that is said."""

MOST = 200_000
"""Forms that are compared in one text, about 0.1 s: a text may be made so that it begins like many of them."""

_PIECE = 64 * 1024
"""Bytes that the automaton is given at a time: it hands out all that it finds at once."""

_RANDOM = re.compile(rb"(?=[A-Za-z]*[0-9])(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{8,}")
_CODE = re.compile(rb"[A-Za-z0-9+/_=-]*")
_CODE_BEFORE = re.compile(rb"[A-Za-z0-9+/_=-]*\Z")
_NEAR = 64
"""Bytes beside a short word that are looked at, to tell a word from a piece of random text."""


class Hit(NamedTuple):
    """One form in a text."""

    start: int
    """Where it begins."""
    end: int
    """Where it ends."""
    own: int
    """Number of the value."""
    form: Form
    """What was met."""


class TooManyError(Exception):
    """A text has more places to look at than is sensible."""


class OwnValues:
    """The user's own values, ready to be searched.  Private.

    For 50 of them it takes 1 s and 70 MB; then a small request takes 26 µs.
    """

    __slots__ = (
        "_automaton",
        "_forms",
        "_overlap",
        "addresses",
        "names",
        "remarks",
        "revision",
        "titles",
        "values",
        "words",
    )

    def __init__(
        self,
        values: Iterable[Known],
        secret: bytes | None = None,
        names: Sequence[LibraryName] = (),
        marks: Marks | None = None,
    ) -> None:
        """`secret` is the key of the pseudonyms in ledgers; without it none is recognised.

        `names` and `marks` are those of the own library, as `library.names` gives them.
        """
        # 4 ms; three times as fast as pyahocorasick 2.3 with these forms, which also wants texts instead of bytes.
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

        kept = tuple(values)
        searched = [one for one in kept if not refusal(one.kind, one.value)]
        count = sum(one.kind in _LIBRARY for one in searched) + len(names)
        depth, how = next((depth, how) for most, depth, how in _DEPTHS if count <= most)
        given = [one for one in searched if one.kind in ("title", "file")] if count > _MOST_IN_FORMS else []
        if given:
            searched = [one for one in searched if one.kind not in ("title", "file")]
            names = (*names, *(LibraryName(one.kind, one.value, -1, None, None) for one in given))
        elif count <= _MOST_IN_FORMS:
            distinct = dict.fromkeys((name.kind, name.value) for name in names if is_distinct(name.kind, name.value))
            searched += [Known(kind, value, 0.0, IMPORTED) for kind, value in distinct]
        self.values = tuple(searched)
        """Those of which forms are looked for: a server may have a name that says too little."""
        self.names = names
        """Those of which words are looked for."""
        self.words = Words(names, marks or Marks()) if names or marks else None
        """The own library, to be searched by its words; `None` when there is none."""
        self.revision = _revision(kept, names, marks)
        """Changes with the values."""
        self.remarks = (f"Of {count:,} own titles and files, each was looked for {how}.",) if how else ()
        """Sentences for the reader about what was not looked for."""
        self.titles = bool(names) or any(one.kind in ("title", "file", "canary") for one in self.values)
        """Whether titles or files of the user are among them."""
        self.addresses = frozenset(one.value for one in kept if one.kind == "ip")
        """Addresses that the user named as his."""
        table = _by_beginning(
            (number, form)
            for number, one in enumerate(self.values)
            for form in forms(one.kind, one.value, secret, depth if one.kind in _LIBRARY else 2)
        )
        self._overlap = max(map(len, table), default=1) - 1
        self._forms = tuple(table.values())
        self._automaton = BytesAhoCorasick(
            list(table), matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA
        ) if table else None  # fmt: skip

    def hits(self, text: bytes) -> Iterator[Hit]:
        """All forms in a text, roughly in its order.  Raises `TooManyError` when more would be compared than `MOST`."""
        low = text.lower()
        left = MOST
        for number, start in self._anchors(low):
            left -= len(self._forms[number])
            if left < 0:
                raise TooManyError
            for own, form in self._forms[number]:
                end = start + len(form.text)
                if (low if form.folds else text)[start:end] == form.text and (
                    not form.edges or (is_word(text, start, end) and self._is_cased(own, text[start:end]))
                ):
                    yield Hit(start, end, own, form)

    def _is_cased(self, own: int, piece: bytes) -> bool:
        """Whether somebody would write a short word so: as it is, or in one case, but not `oTtO`."""
        return piece in (piece.lower(), piece.upper(), piece.title(), self.values[own].value.encode())

    def _anchors(self, low: bytes) -> Iterator[tuple[int, int]]:
        """Numbers of the forms that may begin in a text, and where."""
        if self._automaton is None:
            return
        for first in range(0, len(low), _PIECE):
            piece = low[first : first + _PIECE + self._overlap] if len(low) > _PIECE else low
            for number, start, _ in self._automaton.find_matches_as_indexes(piece, overlapping=True):
                if start < _PIECE:
                    yield number, first + start


def _revision(kept: Iterable[Known], names: Iterable[LibraryName], marks: Marks | None) -> str:
    """What was named -> a hash that is another one when something else is."""
    told = hashlib.sha256(repr([one[:2] for one in kept]).encode("utf-8", "surrogatepass"))
    for name in names:
        told.update(repr(name).encode("utf-8", "surrogatepass"))
    told.update(repr(marks.counts() if marks else ()).encode())
    return told.hexdigest()


def _by_beginning(given: Iterable[tuple[int, Form]], length: int = _ANCHOR) -> dict[bytes, list[tuple[int, Form]]]:
    """Forms by their first bytes, in lower case."""
    groups: dict[bytes, list[tuple[int, Form]]] = {}
    for number, form in given:
        groups.setdefault(form.text[:length].lower(), []).append((number, form))
    for anchor, alike in [*groups.items()]:
        if len(alike) > _MOST_ALIKE and len(anchor) == length:
            groups |= _by_beginning(groups.pop(anchor), 2 * length)
    return groups


def is_word(text: bytes, start: int, end: int) -> bool:
    """Whether what stands there is no part of a longer word, nor of random text.

    >>> is_word(b"/home/anna/x", 6, 10), is_word(b"joanna", 2, 6), is_word(b"kR8xPq2LmZ/anna/Xw3", 11, 15)
    (True, False, False)
    """
    if _is_letter(text[start : start + 1]) and _is_letter(text[start - 1 : start] if start else b""):
        return False
    if _is_letter(text[end - 1 : end]) and _is_letter(text[end : end + 1]):
        return False
    before = _CODE_BEFORE.search(text[max(0, start - _NEAR) : start])
    after = _CODE.match(text[end : end + _NEAR])
    beside = (before[0] if before else b"") + b"/" + (after[0] if after else b"")
    return len(beside) < 9 or not _RANDOM.search(beside)


def _is_letter(byte: bytes) -> bool:
    return byte.isalnum()


def load() -> OwnValues | None:
    """The user's own values as they are kept, with the key of the pseudonyms; `None` when there are none.

    Raises `KnownError`.
    """
    kept = listed()
    names, marks = library_names()
    if not kept and not names:
        return None
    has_key = (home.root() / "pseudonym.key").exists()
    return OwnValues(kept, pseudonym.key() if has_key else None, names, marks if names else None)
