"""Observation and its leaves -> where the user's own values stand in it."""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from itertools import accumulate, compress
from typing import NamedTuple
from urllib.parse import unquote

from analysis.decode import Leaf
from analysis.known.automaton import IMPORTED, Hit, OwnValues, TooManyError, is_word
from analysis.known.forms import NO_LETTERS, SPELLING, Chain, hashes
from analysis.known.kinds import HASHES, bits, item_of, squeezed
from analysis.known.spelling import ANY_CASE, is_spaced
from analysis.sureness import is_title_field
from captures.model import Contact, Exchange, Lookup, Observation

_PICTURES = ("video/", "audio/", "image/", "font/")
_SURE = 44.0
"""Bits of a value that is still sure when others' separators, or none, stand in it (as in `forms`)."""


_NO_SEPARATORS = frozenset('@=?{}[]<>|\\"\n')
"""What stands between two things, and in no spelling of one."""


class Sighting(NamedTuple):
    """One own value in one place.  Private."""

    item: str
    """Id in `items.toml`."""
    value: str
    """The value as the user gave it; of a file's hash that hash."""
    at: str
    """Place of the leaf, or of the part if it stands in none: `body`, `query`, `cookie`, `response.body`."""
    encodings: Chain
    """Encodings to undo, outermost first, then how else it is written (`casefold`, `slug`, `split`, `md5`, …)."""
    evidence: str = ""
    """Of a title, file or their hashes: how it was recognised, a key of `sureness.EVIDENCE`; else empty."""


class _Seen(NamedTuple):
    """One own value in one leaf."""

    leaf: int
    start: int
    """Where it begins in the leaf, in bytes."""
    end: int
    own: int
    chain: Chain


class Searched(NamedTuple):
    """What `search` gives."""

    sightings: tuple[Sighting, ...]
    """Where own values stand, each once a place."""
    ran_out: tuple[str, ...] = ()
    """Sentences about what was not looked at; empty when everything was."""


NOTHING = Searched(())
"""No own value was searched for, or none was found."""


def search(observation: Observation, leaves: Sequence[Leaf], own: OwnValues) -> Searched:
    """An observation and its leaves -> own values in it, in their order; never raises.

    Also a value that is split over two neighbouring fields (at the first one), and what stands in an exchange outside
    of all leaves: in the name of a field, or in bytes that nobody could take apart.  A value within a longer own value,
    or in a leaf of which a decoded one has it too, is left out.  Of what is no exchange the host is searched.
    """
    if isinstance(observation, Contact | Lookup):
        leaves = [Leaf("host", observation.host)]
    leaves = [*leaves, *_unescaped(leaves)]
    texts = [leaf.value.encode("utf-8", "surrogatepass") for leaf in leaves]
    best: dict[tuple[int, int], _Seen] = {}
    found: dict[tuple[str, str], Sighting] = {}
    ran_out = False

    def add(number: int, at: str, encodings: Chain, chain: Chain, *, alone: bool = False) -> None:
        """Keeps each value once a place, as it is easiest to see."""
        if own.values[number].origin == IMPORTED and (not chain or chain[0] in (*SPELLING, "separators", "split")):
            return  # `words` knows better what it is there
        put(_sighting(own, number, at, encodings, chain, alone))

    def put(one: Sighting) -> None:
        at = one.at
        former = found.setdefault((at, one.value), one)
        if len(one.encodings) < len(former.encodings):
            found[at, one.value] = one

    try:
        for seen in _whole(texts, own):
            _keep_shorter(best, seen)
        for seen in _squeezed(leaves, texts, own, set(best)):
            _keep_shorter(best, seen)
    except TooManyError:
        ran_out = True
    for seen in _outermost([*best.values()], leaves):
        leaf = leaves[seen.leaf]
        alone = not seen.start and seen.end == len(texts[seen.leaf])
        add(seen.own, leaf.at, leaf.encodings, seen.chain, alone=alone)
    for one in _of_library(leaves, own):
        put(one)
    met = {(_part(leaves[leaf].at), number) for leaf, number in best}
    for part, text in _parts(observation) if isinstance(observation, Exchange) else ():
        try:
            for hit in own.hits(text):
                if (part, hit.own) not in met and not hit.form.alone:
                    met.add((part, hit.own))
                    add(hit.own, part, (), hit.form.chain)
        except TooManyError:
            ran_out = True
    return Searched(tuple(found.values()), (_RAN_OUT,) if ran_out else ())


_RAN_OUT = "A call has too many places where an own value may stand"


def _keep_shorter(best: dict[tuple[int, int], _Seen], seen: _Seen) -> None:
    former = best.setdefault((seen.leaf, seen.own), seen)
    if len(seen.chain) < len(former.chain):
        best[seen.leaf, seen.own] = seen


def _unescaped(leaves: Sequence[Leaf]) -> Iterator[Leaf]:
    """Leaves in which characters are escaped as in HTML, JSON or a path, once more without: a text may mix all ways."""
    for leaf in leaves:
        if "%" in leaf.value and not leaf.peeled and (plain := unquote(leaf.value, errors="replace")) != leaf.value:
            yield Leaf(leaf.at, plain, (*leaf.encodings, "percent"))
        if "&" in leaf.value and (plain := html.unescape(leaf.value)) != leaf.value:
            yield Leaf(leaf.at, plain, (*leaf.encodings, "html"))
        if "\\" in leaf.value and (plain := _ESCAPE.sub(_character, leaf.value)) != leaf.value:
            whole = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            yield Leaf(leaf.at, whole, (*leaf.encodings, "json"))


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\\/\"]))")


def _character(match: re.Match[str]) -> str:
    return match[2] or chr(int(match[1], 16))


def _of_library(leaves: Sequence[Leaf], own: OwnValues) -> Iterator[Sighting]:
    """What of the own library stands in leaves, without those of which a decoded leaf shows the same."""
    met = [*own.words.find(leaves)] if own.words else []
    shown = {
        (place, one.value)
        for one in met
        for place in [*accumulate(leaves[one.leaf].at.split("["), "{}[{}".format)][:-1]
    }
    for one in met:
        leaf = leaves[one.leaf]
        if (leaf.at, one.value) not in shown:
            yield Sighting(one.item, one.value, leaf.at, (*leaf.encodings, *one.chain), one.evidence)


def _sighting(own: OwnValues, number: int, at: str, encodings: Chain, chain: Chain, alone: bool) -> Sighting:
    """`alone`: whether the value is the whole of its leaf."""
    kind, value = own.values[number][:2]
    steps = (*chain, kind) if kind in HASHES else chain
    item = item_of(kind, value, hashed=bool(hashes() & set(chain)))
    return Sighting(item, value, at, (*encodings, *steps), _evidence(kind, at, chain, alone))


def _evidence(kind: str, at: str, chain: Chain, alone: bool) -> str:
    """How a title or file that the user named was recognised."""
    if kind in HASHES:
        return "moviehash" if kind == "moviehash" else "hash"
    if kind == "canary":
        return "canary"
    if kind not in ("title", "file"):
        return ""
    if hashes() & set(chain):
        return "hash"
    if kind == "file":
        return "file-name"
    if chain[:1] == ("slug",):
        return "slug"
    if chain and chain[0] not in (*SPELLING, "separators"):
        return "encoded"
    return ("title-field" if is_title_field(at) else "title") if alone else "text"


def _part(at: str) -> str:
    """Place of a leaf -> the part of the exchange: `body`, `query`, `header`, `response.body`…"""
    start = "response." if at.startswith("response.") else ""
    return start + at[len(start) :].partition(".")[0].partition("[")[0]


def _parts(exchange: Exchange) -> Iterator[tuple[str, bytes]]:
    """What may hold more than its leaves: bodies, and the names of fields."""
    for part, pairs in (("query", exchange.query), ("cookie", exchange.cookies)):
        if pairs:
            yield part, "\n".join(name for name, _ in pairs).encode("utf-8", "surrogatepass")
    for part, body, headers in (
        ("body", exchange.body, exchange.headers),
        ("response.body", exchange.response_body, exchange.response_headers),
    ):
        if body.content:
            kind = next((value.lower() for name, value in headers if name == "content-type"), "")
            if not kind.startswith(_PICTURES):
                yield part, body.content


def _whole(texts: Sequence[bytes], own: OwnValues) -> Iterator[_Seen]:
    """Values within single leaves."""
    joined = b"\n".join(texts)
    starts: list[int] = []
    for hit in own.hits(joined):
        starts = starts or [0, *accumulate(len(text) + 1 for text in texts)]
        leaf = bisect_right(starts, hit.start) - 1
        start, end = hit.start - starts[leaf], hit.end - starts[leaf]
        text = texts[leaf]
        if end <= len(text) and (not hit.form.alone or text.strip(b"=") == text[start:end]):
            chain = hit.form.chain or _step(*own.values[hit.own][:2], text[start:end].decode("utf-8", "replace"))
            yield _Seen(leaf, start, end, hit.own, chain)


def _squeezed(
    leaves: Sequence[Leaf], texts: Sequence[bytes], own: OwnValues, met: Container[tuple[int, int]]
) -> Iterator[_Seen]:
    """Values with other separators than their own, and values that are split over two neighbouring leaves.

    What was `met` (leaf, number of the value) is left out.
    """
    chosen = [number for number, leaf in enumerate(leaves) if not leaf.peeled]
    joined = b"".join([texts[number] for number in chosen]).translate(None, NO_LETTERS)
    starts: list[int] = []
    positions = functools.lru_cache(8)(lambda leaf: _positions(texts[leaf]))
    for hit in own.hits(joined):
        if not starts:
            lengths = [(number, len(texts[number].translate(None, NO_LETTERS))) for number in chosen]
            filled = [(number, length) for number, length in lengths if length]
            starts = [0, *accumulate(length for _, length in filled)]
        first, last = bisect_right(starts, hit.start) - 1, bisect_right(starts, hit.end - 1) - 1
        left, right = filled[first][0], filled[last][0]
        if (left, hit.own) in met or last > first + 1:
            continue
        start = positions(left)[hit.start - starts[first]]
        end = positions(right)[hit.end - 1 - starts[last]] + 1
        if first == last:
            yield from _separated(left, texts[left], start, end, hit, own)
        elif not (texts[left][:start][-1:].isalnum() or texts[right][end:][:1].isalnum()) and _is_split(
            leaves[left], leaves[right], hit, starts[last], own
        ):
            chain = ("split", *(step for step in hit.form.chain if step not in SPELLING))
            yield _Seen(left, start, len(texts[left]), hit.own, chain)


def _separated(leaf: int, text: bytes, start: int, end: int, hit: Hit, own: OwnValues) -> Iterator[_Seen]:
    """A value whose letters stand in a leaf, between whatever separators."""
    kind, value = own.values[hit.own][:2]
    piece = text[start:end].decode("utf-8", "replace")
    if hit.form.chain and hit.form.chain[0] not in SPELLING:
        if set(hit.form.chain) <= hashes() and not hit.form.alone:  # a hash, written as a UUID
            yield _Seen(leaf, start, end, hit.own, hit.form.chain)
    elif (
        is_spaced(kind)
        and not set(piece) & _NO_SEPARATORS
        and bits(squeezed(value)) >= _SURE
        and is_word(text, start, end)
    ):
        yield _Seen(leaf, start, end, hit.own, _step(kind, value, piece))


def _step(kind: str, value: str, piece: str) -> Chain:
    """How a value is written in a piece of text that has the same letters."""
    piece, value = (unicodedata.normalize("NFC", text) for text in (piece, value))
    if piece == value or kind in ANY_CASE:
        return ()
    if piece.casefold() == value.casefold():
        return ("casefold",)
    separators = {character for character in piece if not character.isalnum()}
    return ("slug",) if len(separators) == 1 else ("no-separators",) if not separators else ("separators",)


def _is_split(left: Leaf, right: Leaf, hit: Hit, border: int, own: OwnValues) -> bool:
    """Whether a value may be meant that stands across the border of two leaves: two letters or more in each."""
    kind, value = own.values[hit.own][:2]
    whole = bool(hit.form.chain) and hit.form.chain[0] not in SPELLING
    return (
        _part(left.at) == _part(right.at)
        and min(border - hit.start, hit.end - border) >= 2
        and (whole or (kind != "ip" and bits(squeezed(value)) >= _SURE))
        and not hit.form.alone
    )


_IS_LETTER = bytes(byte not in NO_LETTERS for byte in range(256))


def _positions(text: bytes) -> list[int]:
    """Where the letters and digits of a text stand."""
    return list(compress(range(len(text)), text.translate(_IS_LETTER)))


def _outermost(seen: list[_Seen], leaves: Sequence[Leaf]) -> Iterator[_Seen]:
    """Without values within longer ones of the same leaf, and those that a decoded leaf shows better; by place."""
    shown: set[tuple[str, int]] = set()
    for one in seen:
        *outer, _ = accumulate(leaves[one.leaf].at.split("["), "{}[{}".format)
        shown.update((place, one.own) for place in outer)
    widest: _Seen | None = None
    for one in sorted(seen, key=lambda one: (one.leaf, one.start, -one.end, len(one.chain))):
        if widest is None or one.leaf != widest.leaf or one.end > widest.end:
            widest = one
        elif (one.start, one.end, len(one.chain)) != (widest.start, widest.end, len(widest.chain)):
            continue
        if (leaves[one.leaf].at, one.own) not in shown:
            yield one
