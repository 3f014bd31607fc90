"""The last look before something is posted: does the finished text hold anything of the capture?

Two searches, after the report's own vocabulary was taken out of the text: what is left must be nothing, and must hold
none of the private values, in any of the usual encodings.  A device named "Plex" neither leaks nor blocks.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from urllib.parse import quote

from analysis import language, texts
from analysis.decode.peel import peel_bytes, peel_value
from analysis.decode.walk import Budget, Walk
from analysis.pipeline import Result
from analysis.privates import BEGINNING, BRIEF, RECIPIENT, Private, of_call, of_finding, weight
from analysis.report import Renderer, markdown
from analysis.shared_report import SharedReport
from analysis.traffic import host, recipient
from analysis.vocabulary import vocabulary

SHORTEST = 4
"""Characters from which any private value is searched…"""

FEWEST_BITS = 20
"""…if it also has so many bits: `1080` or `true` stand everywhere."""

_SHARED = ("report.", "items.")
"""Where the words of a shared report stand, by the beginning of their context in a translation."""

_MASK = "\x00"

_ROOM = Budget(leaves=1_000_000, size=64 * 1024 * 1024, seconds=60)
"""More than a post can hold."""


class LeakError(ValueError):
    """The finished text holds what must not be posted.  The message names what, never the value."""


class UnprovenError(ValueError):
    """Calls of which one stands for many do not tell enough for this text: all of them have to be asked."""


def prove(
    text: str, result: Result, report: SharedReport, renderer: Renderer | None, *, more: Collection[str] = ()
) -> None:
    """Raises `LeakError` if a finished text (by `renderer`; `None`: JSON) holds anything private of the result.

    `more` are further words of our own that may stand in it.  Raises `UnprovenError` for a text in which values could
    stand that are too long to be in `Result.brief`.
    """
    shown = [seen.name for seen in report.shown]
    ticked = {*shown, *(recipient(call) for call in result.calls if host(call) in shown)}
    left = masked(text, report, renderer, more=more)
    # A host that the user chose to show may stand in the text; but not with, say, his name in it.
    # Runs of what was taken out are shortened: thousands of values are searched in what little is left.
    searched = "\n".join((re.sub(f"{_MASK}+", _MASK, left), *shown))
    if private := _first(searched, result, ticked):
        raise LeakError(
            f"share: the text would hold {private.what}; nothing was written. Leave out --show if you gave it, "
            "else report this as a fault of phonehome"
        )
    if foreign := re.search(r"\w{2,}", left):
        raise LeakError(
            f"share: the text would hold words that are not the report's own, at character {foreign.start()}; nothing "
            "was written. Report this as a fault of phonehome"
        )


def held(text: str, result: Result, report: SharedReport) -> Private | None:
    """A post that somebody received -> the first private value of a result that stands in it, or `None`.

    Around the report may stand anything: what the forum made of it, and what its author wrote himself.  So a value is
    looked for in the whole text, unless our own words make it up, and a short one beside our own words alone.
    """
    whole = f"{text}\n{html.unescape(text)}"
    left = _received(whole, report)
    ticked = {seen.name for seen in report.shown}
    found = _first(re.sub(f"{_MASK}+", _MASK, left), result, ticked)
    if found:
        return found
    return _first(
        whole,
        result,
        ticked,
        lambda p: _is_long(p.value) and bool(_foreign(p.value, report)) and _stands_beside(p, whole, left),
    )


def _stands_beside(private: Private, whole: str, left: str) -> bool:
    """Whether a value stands anywhere but within our own words, as `start` does in `restart`.

    `left` is the whole text with our own words blanked, character by character.
    """

    def own(found: re.Match[str]) -> str:
        return found[0] if re.search(r"\w", left[found.start() : found.end()]) else _blank(found)

    beside = re.sub(re.escape(private.value.strip()[:BEGINNING]), own, whole, flags=re.IGNORECASE)
    beside = "\n".join((beside, *_opened(beside)))
    return _stands_in(private, beside, beside.casefold())


def _foreign(value: str, report: SharedReport) -> str:
    """What is left of a value without our own words."""
    return re.sub(r"[\W_]+", "", _received(value[:BEGINNING], report))


def _first(
    text: str,
    result: Result,
    ticked: Collection[str],
    wanted: Callable[[Private], bool] = lambda _: True,
) -> Private | None:
    """The first private value that stands in a text, in it as it is or in what it holds in some encoding."""
    whole = "\n".join((text, *_opened(text)))
    folded = whole.casefold()
    # No way of writing a value has fewer letters than the value, and of a proven text only crumbs are left.
    room = max(map(weight, folded.split(_MASK)))
    if result.brief is not None and room > BRIEF:
        raise UnprovenError
    sought = (p for p in dict.fromkeys(privates(result)) if p.value not in ticked)
    fits = (p for p in sought if weight(p.value.strip()[:BEGINNING]) <= room)
    return next((p for p in fits if _stands_in(p, whole, folded) and wanted(p)), None)


def _opened(text: str) -> Iterator[str]:
    """Everything that can be decoded out of the words of a text, by the decoder that reads captures."""
    words = sorted({word for word in re.split(r"[\s\x00\"'`<>(),]+", text) if len(word) >= SHORTEST})
    walk = Walk(_ROOM, peel_value, peel_bytes)
    for word in words:
        walk.text("text", word)
    yield from (leaf.value for leaf in walk.result().leaves if leaf.encodings)


def _received(text: str, report: SharedReport) -> str:
    """A post that somebody received, without the report's own words in any language: who wrote it chose one."""
    return masked(text, report, None, more=_translated())


def masked(text: str, report: SharedReport, renderer: Renderer | None, *, more: Collection[str] = ()) -> str:
    """A finished text without the report's own words, each replaced by a NUL of the same length."""
    own = {report.report, report.month, report.tool, *(pack.hash for pack in report.packs)}
    own |= {seen.version for seen in report.versions} | {seen.name for seen in report.shown}
    escape = renderer.escape if renderer else _unchanged
    text = text.replace("\x00", "\ufffd")
    if more:
        # All at once, so that a short word does not break a long phrase.
        words = frozenset(word.strip() for word in {*own, *more, *vocabulary().phrases()})
        return _pattern(words | {json.dumps(word)[1:-1] for word in words}).sub(_blank, text)
    if renderer:
        text = renderer.MARKUP.sub(_blank, text)
    extra = _any_of({*own, *(escape(word) for word in own)} - {""})
    return _vocabulary(escape, language.current()).sub(_blank, extra.sub(_blank, text))


def privates(result: Result) -> Iterator[Private]:
    """Everything in a result that must not be posted.

    Where its calls stand for others, of values and names that those alone have the brief ones.
    """
    for finding in result.findings:
        if private := of_finding(finding, result.knowledge):
            yield private
    named = vocabulary().entities
    for found in chain(chain.from_iterable(map(of_call, result.calls)), result.brief or ()):
        if not (found.what == RECIPIENT and found.value in named):
            yield found
    for capture in result.captures:
        yield Private(capture.name, "the name of a file", False)
    proven = result.evidence
    for value in (*proven.own.hosts, *proven.others.hosts, *proven.public_addresses, *proven.asks):
        yield Private(value, "an address or name of a server", True)
    for value in (*proven.own.ids, *proven.others.ids, *proven.own.hashes, *proven.others.hashes):
        yield Private(value, "the id of a server", True)
    for own in result.own.values if result.own else ():
        yield Private(own.value, "one of your own values", True)
    for pack in set(result.knowledge.products) - set(vocabulary().shipped.products):
        product = result.knowledge.products[pack]
        for value in (pack, product.name, product.entity):
            yield Private(value, "the name of an own pack", True)


def _stands_in(private: Private, text: str, folded: str) -> bool:
    value = private.value.strip()
    if not value:
        return False
    if not _is_long(value):
        return private.any_length and bool(re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", folded))
    value = value[:BEGINNING]
    return any(form in folded for form in _folded_forms(value)) or any(form in text for form in _exact_forms(value))


def _is_long(value: str) -> bool:
    """Whether a value is searched in all encodings: a shorter one may stand anywhere by chance."""
    return len(value) >= SHORTEST and bits(value) >= FEWEST_BITS


def bits(value: str) -> float:
    """A text -> how much it can say: its length times the size of the alphabets that it uses."""
    alphabets = ((r"[0-9]", 10), (r"[a-z]", 26), (r"[A-Z]", 26), (r"[^0-9a-zA-Z]", 32))
    size = sum(count for pattern, count in alphabets if re.search(pattern, value))
    return len(value) * math.log2(size) if size else 0.0


def _folded_forms(value: str) -> Iterator[str]:
    """Encodings in which upper and lower case mean the same."""
    data = value.encode("utf-8", "surrogateescape" if value.isascii() else "replace")
    plain = value.casefold()
    yield plain
    yield plain[::-1]
    yield quote(data, safe="").casefold()
    yield quote(quote(data, safe=""), safe="").casefold()
    yield "".join(f"%{byte:02x}" for byte in data)
    yield "".join(f"%25{byte:02x}" for byte in data)
    yield data.hex()
    yield html.escape(plain)
    yield "".join(f"\\u{ord(c):04x}" for c in value)
    yield "".join(f"&#{ord(c)};" for c in value)
    yield "".join(f"&#x{ord(c):x};" for c in value)
    yield plain.replace(".", "-").replace(":", "-")


def _exact_forms(value: str) -> Iterator[str]:
    """Base64 at its three alignments, without the characters that depend on what stands beside the value."""
    data = value.encode("utf-8", "replace")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


@functools.cache
def _translated() -> frozenset[str]:
    """What a report can say in any language, as it is and as it stands in Markdown."""
    others = (name for name in language.languages() if name != language.SOURCE)
    said = (text for name in others for context, text in language.both(name) if context.startswith(_SHARED))
    pieces = {piece.strip() for text in said for piece in texts.pieces(text)}
    return frozenset(pieces | set(map(markdown.escape, pieces)))


@functools.lru_cache(maxsize=8)
def _vocabulary(escape: Callable[[str], str], _: str) -> re.Pattern[str]:
    """The report's vocabulary as one pattern, as it stands in an output that escapes in this way.

    In the language in use, which is given so that each has its own.
    """
    plain = set(vocabulary().phrases())
    return _pattern(frozenset(form.strip() for phrase in plain for form in (phrase, escape(phrase))))


@functools.lru_cache(maxsize=8)
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    # Numbered names come before phrases that begin like them and would leave their numbers, but after whole sentences.
    sentences = {word for word in words if re.match(r"(?:host|own pack )#[0-9]", word)}
    numbered = r"(?<!\w)(?:host|own pack ) ?#[0-9]{1,5}(?![0-9])"
    return re.compile("|".join((_any_of(sentences).pattern, numbered, _any_of(words - sentences).pattern)))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of these phrases, longer ones first, as whole words.

    Grouped by their first character, so that `re` tries a few phrases at a place and not a thousand (6 times as fast).
    """
    groups: dict[str, list[str]] = {}
    for word in sorted((word for word in words if word), key=lambda word: (-len(word), word)):
        groups.setdefault(word[0], []).append(re.escape(word[1:]) + (r"(?!\w)" if word[-1].isalnum() else ""))
    starts = [
        (r"(?<!\w)" if first.isalnum() else "") + re.escape(first) + f"(?:{'|'.join(rests)})"
        for first, rests in groups.items()
    ]
    return re.compile("|".join(starts) or r"(?!)")


def _unchanged(text: str) -> str:
    return text


def _blank(match: re.Match[str]) -> str:
    return _MASK * len(match[0])
