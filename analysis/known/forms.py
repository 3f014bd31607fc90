"""A value -> all byte strings by which it may be met: its spellings, in every encoding, and in two of them.

What can be undone is undone by `analysis.decode` wherever it is recognised; the forms here are for the rest: hashes,
encodings that begin within a longer text, and two layers of both.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from analysis.known.kinds import bits, is_number
from analysis.known.spelling import Spelling, spellings
from captures.pseudonym import pseudonym_of

type Chain = tuple[str, ...]
"""Encodings to undo, outermost first, then what was done to the value itself: `("base64", "md5", "casefold")`."""


class Form(NamedTuple):
    """One byte string that means a value."""

    text: bytes
    """The bytes; in lower case if `folds`."""
    chain: Chain
    """How the value becomes these bytes; empty when they are the value itself."""
    folds: bool
    """Whether their case does not matter."""
    edges: bool
    """Whether no letter or digit may stand beside them: they are so short that they may be a part of another word."""
    alone: bool
    """Whether they must be a whole value: 32 bits are met by chance within longer ones."""


SPELLING = ("casefold", "slug", "no-separators", "accents")
"""Steps that are no encodings, but other spellings."""

_SURE = 44.0
"""Bits of a form that is not met by chance: 10**6 tokens are 2**25 places, and a household has 2**9 forms so short."""

_SURE_OF_WORDS = 56.0
"""The same within words, which consist of words: `Christopher` stands in `Christopherson`."""

_SURE_IF_TURNED = 28.0
"""Of a whole word backwards or in ROT13, six letters: Nadia is Aidan backwards."""

_SHORTEST = 4

NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalnum())
"""ASCII characters that are neither letters nor digits."""


class _Coded(NamedTuple):
    """What one layer makes of some bytes."""

    chain: Chain
    cores: tuple[bytes, ...]
    """What surely stands in a longer text that was encoded as a whole."""
    wholes: tuple[bytes, ...]
    """The bytes alone, encoded."""
    folds: bool | None
    """Whether the case of the result does not matter; `None`: as before."""


def forms(kind: str, value: str, secret: bytes | None = None, depth: int = 2) -> Iterator[Form]:
    """All forms of a value, each text once, shorter chains first.

    `secret` is the key of the pseudonyms that may stand in a ledger for what was secret; `depth` is the number of
    layers of encodings (0: spellings alone).
    """
    seen: set[bytes] = set()
    for text, chain, folds in _all(spellings(kind, value), secret, depth):
        pattern = text.lower() if folds else text
        if pattern in seen or len(pattern) < _SHORTEST:
            continue
        seen.add(pattern)
        plain = not chain or chain[0] in SPELLING
        turned = chain[:1] in (("reversed",), ("rot13",)) and (len(chain) == 1 or chain[1] in SPELLING)
        alone = chain[:1] == ("crc32",) or chain[:2] == ("base64", "crc32")
        weight = _weight(pattern, folds)
        if weight >= _SURE or plain or alone or (turned and weight >= _SURE_IF_TURNED):
            edges = (plain or turned) and weight < (_SURE if is_number(text.decode("latin-1")) else _SURE_OF_WORDS)
            yield Form(pattern, chain, folds, edges, alone)


def _weight(pattern: bytes, folds: bool) -> float:
    """Bits of a form, counted no further than needed."""
    if not folds:
        return 6.0 * len(pattern)
    letters = pattern.translate(None, NO_LETTERS)
    return min(_SURE_OF_WORDS, 3.3 * len(letters)) if len(letters) > 16 else bits(letters.decode("latin-1"))


def _all(written: tuple[Spelling, ...], secret: bytes | None, depth: int) -> Iterator[tuple[bytes, Chain, bool]]:
    """Bytes, chain, whether their case does not matter; also the same several times."""
    steps = [(_bytes(s.text), (s.step,) if s.step else (), min(s.layers, depth)) for s in written]
    yield from ((data, step, True) for data, step, _ in steps)
    if secret:
        yield from ((pseudonym_of(s.text, secret).encode(), ("pseudonym",), False) for s in written if not s.step)
    for data, step, layers in steps:
        for coded in (*_encoded(data), *_hashed(data), *_hashed_to_base64(data)) if layers else ():
            for text in (*coded.cores, *coded.wholes):
                yield text, (*coded.chain, *step), coded.folds is not False
    for data, step, layers in steps:
        if layers == 2:
            yield from ((text, (*chain, *step), folds) for text, chain, folds in _twice(data))


def _twice(data: bytes) -> Iterator[tuple[bytes, Chain, bool]]:
    for inner in (*_encoded(data), *_hashed(data)):
        cores = inner.cores if inner.chain == ("base64",) else inner.cores[:3]
        outer = [coded for core in cores for coded in _encoded(core)]
        outer += [
            coded
            for whole in inner.wholes
            for coded in (*_hashed(whole), *_hashed_to_base64(whole))
            if "crc32" not in coded.chain
        ]
        for coded in outer:
            folds = inner.folds is not False if coded.folds is None else coded.folds
            yield from ((text, (*coded.chain, *inner.chain), folds) for text in (*coded.cores, *coded.wholes))


def _encoded(data: bytes) -> Iterator[_Coded]:
    """Bytes -> these in every encoding that can be undone."""
    for name, code in _CODES.items():
        if texts := tuple(dict.fromkeys(text for text in code(data) if text != data)):
            yield _Coded((name,), texts, texts, True if name == "hex" else None)
    yield _Coded(("base64",), tuple(_cores(data)), tuple(_spelled(base64.b64encode(data))), False)


def _hashed(data: bytes) -> Iterator[_Coded]:
    """Bytes -> their hashes in hex."""
    for name, hash_ in _HASHES.items():
        low = hash_(data).hex().encode()
        yield _Coded((name,), (low,), (low, low.upper()), True)


def _hashed_to_base64(data: bytes) -> Iterator[_Coded]:
    """Bytes -> their hashes in base64."""
    for name, hash_ in _HASHES.items():
        plain = dict.fromkeys(text.rstrip(b"=") for text in _spelled(base64.b64encode(hash_(data))))
        yield _Coded(("base64", name), tuple(plain), (), False)


def _spelled(encoded: bytes) -> Iterator[bytes]:
    """Base64 in both alphabets (RFC 4648, sections 4 and 5), with padding and without."""
    for text in (encoded, encoded.translate(_TO_URL)):
        yield text
        yield text.rstrip(b"=")


_TO_URL = bytes.maketrans(b"+/", b"-_")


def _cores(data: bytes) -> Iterator[bytes]:
    """Base64 at its three alignments, without the characters that depend on what stands beside the bytes."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        core = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield core
        yield core.translate(_TO_URL)


def _percent(data: bytes) -> Iterator[bytes]:
    """RFC 3986, with `+` for a space (forms), as JavaScript does it (ECMA-262, encodeURIComponent), and all bytes."""
    yield quote(data, safe="").encode()
    yield quote_plus(data).encode()
    yield quote(data, safe="!'()*").encode()
    yield b"".join(b"%%%02X" % byte for byte in data)


def _json(data: bytes) -> Iterator[bytes]:
    r"""RFC 8259, section 7: ASCII alone, with `\/`, with what is special in HTML (.NET, Go), and everything."""
    text = _text(data)
    escaped = json.dumps(text)[1:-1]
    yield escaped.encode()
    yield escaped.replace("/", "\\/").encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace")
    yield re.sub(r"[<>&'+\x7f-\uffff]", lambda match: f"\\u{ord(match[0]):04x}", text).encode("ascii", "replace")
    yield "".join(f"\\u{ord(character):04x}" for character in text).encode()


_PLAIN = re.compile("[A-Za-z0-9 ]")


def _html(data: bytes) -> Iterator[bytes]:
    """Named and numeric references, for what must be escaped, for all but ASCII letters and digits, and for all."""
    text = _text(data)
    yield html.escape(text).encode("utf-8", "replace")
    yield html.escape(text).replace("&#x27;", "&#39;").encode("utf-8", "replace")
    for number in ("&#{};", "&#x{:x};"):
        yield html.escape(text, quote=False).encode("ascii", "xmlcharrefreplace")
        yield "".join(c if _PLAIN.match(c) else number.format(ord(c)) for c in text).encode()
        yield "".join(number.format(ord(character)) for character in text).encode()


def _utf16(data: bytes) -> Iterator[bytes]:
    yield _text(data).encode("utf-16-le", "replace")
    yield _text(data).encode("utf-16-be", "replace")
    yield codecs.BOM_UTF16_LE + _text(data).encode("utf-16-le", "replace")


_CODES: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "percent": _percent,
    "json": _json,
    "html": _html,
    "hex": lambda data: iter((data.hex().encode(), data.hex().upper().encode())),
    "utf-16": _utf16,
    "reversed": lambda data: iter((_text(data)[::-1].encode("utf-8", "replace"),)),
    "rot13": lambda data: iter((codecs.encode(_text(data), "rot13").encode("utf-8", "replace"),)),
}
"""Encodings that can be undone, but base64: name -> how bytes are written in it."""


def _xxh64(data: bytes) -> bytes:
    import xxhash  # 2 ms; needed only by who has own values

    return xxhash.xxh64(data).digest()


_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "crc32": lambda data: zlib.crc32(data).to_bytes(4),
    "xxh64": _xxh64,
}


def hashes() -> frozenset[str]:
    """Names of the hashes that are looked for."""
    return frozenset(_HASHES)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _text(data: bytes) -> str:
    """Of what is no text (UTF-16) each byte a character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
