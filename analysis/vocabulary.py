"""The words that may stand in a shared report: what ships with the tool, and nothing from a capture or an own pack."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from analysis import knowledge, language, texts
from analysis.knowledge import Knowledge
from analysis.model import Category, Party, Verdict
from analysis.pack import RecipientKind

SCHEMA = "phonehome/share/1"
"""Name and version of the shared report's form."""

type Fits = Callable[[str], object]

HOST = re.compile(r"host#[1-9][0-9]{0,4}")
"""A recipient that no shipped pack knows."""

OWN_PACK = re.compile(r"own pack #[1-9][0-9]{0,3}")
"""A pack that the user keeps for himself."""

_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,6}){1,4}")
"""A version in a shared report, of this or another version of the tool."""

_AS_SENT = re.compile(
    r"(?P<all>(?P<begin>(?:[0-9]{1,2}|20[0-9]{2})\.[0-9]{1,3})(?:\.[0-9]{1,6}){1,3})(?P<tail>[-+][0-9A-Za-z.+-]{1,40})?"
)
"""A version as programs send it: three numbers or more, the first two small, and perhaps the name of a build.

Two numbers alone may as well be a place or a price.
"""

_DATE = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.(?:19|20)[0-9]{2}")

_BUILD = re.compile(r"(?:-[0-9a-f]{7,12})?")
"""What may follow the numbers of a version that gives nobody away."""

MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])|")
"""Year and month, or nothing."""

HOST_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
"""A host name that the user chose to show: no address, no single label."""

VERSION_ITEMS = ("server.version", "client.app")
"""Items that may say which version of the sending product runs."""

PLATFORM_ITEMS = ("server.os", "client.os")
"""Items that say on which platform it runs."""


class UnknownWordError(ValueError):
    """A word that this version of the tool does not ship: from another version, or made up."""


@dataclass(frozen=True)
class Vocabulary:
    """What may stand in each field of a shared report, by the name of the field."""

    shipped: Knowledge
    """What ships with the tool, without the user's own packs."""

    @functools.cached_property
    def entities(self) -> frozenset[str]:
        """Names of the companies and projects that shipped packs name."""
        return frozenset(product.entity for product in self.shipped.products.values())

    @functools.cached_property
    def platforms(self) -> tuple[str, ...]:
        """Families of platforms."""
        return self.shipped.items["client.os"].public_values

    @functools.cached_property
    def fields(self) -> Mapping[str, Fits]:
        """Name of a field -> test for what may stand in it."""
        shipped = self.shipped
        products = {"", *shipped.products}
        switches = {switch.id for product in shipped.products.values() for switch in product.switches}
        verdicts = set(Verdict)
        return {
            "schema": {SCHEMA}.__contains__,
            "report": re.compile(r"[0-9a-f]{32}").fullmatch,
            "tool": re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:(?:a|b|rc|\.dev)[0-9]{1,4})?").fullmatch,
            "pack": set(shipped.products).__contains__,
            "hash": re.compile(r"sha256:[0-9a-f]{64}").fullmatch,
            "product": lambda word: word in products or OWN_PACK.fullmatch(word),
            "entity": lambda word: not word or word in self.entities or _placeholder(word),
            "item": set(shipped.items).__contains__,
            "switch": switches.__contains__,
            "effect": set(texts.SHARED_EFFECTS).__contains__,
            "state": set(texts.SWITCH_STATES).__contains__,
            "declared": {"", *(x.id for x in shipped.lists)}.__contains__,
            "category": set(Category).__contains__,
            "party": set(Party).__contains__,
            "verdict": verdicts.__contains__,
            "also": verdicts.__contains__,
            "promise": set(texts.PROMISE_KINDS).__contains__,
            "rounding": set(texts.ROUNDINGS).__contains__,
            "step": set(get_args(texts.Step.__value__)).__contains__,
            "mode": set(texts.MODES).__contains__,
            "share": set(get_args(texts.Share.__value__)).__contains__,
            "outcome": set(texts.JUDGEMENTS).__contains__,
            "recipient": {"", *get_args(RecipientKind.__value__)}.__contains__,
            "platforms": set(self.platforms).__contains__,
            "version": _is_version,
            "month": MONTH.fullmatch,
            "length": set(texts.LENGTHS).__contains__,
            "occasions": set(texts.OCCASIONS).__contains__,
            "host": HOST.fullmatch,
            "name": HOST_NAME.fullmatch,
            **dict.fromkeys(COUNTED, set(get_args(texts.Count.__value__)).__contains__),
        }

    def check(self, place: str, field: str, value: object) -> None:
        """Raises `UnknownWordError`, without the value, if a field holds anything but its words."""
        for word in value if isinstance(value, tuple) else (value,):
            if isinstance(word, str) and not self.fields[field](word):
                raise UnknownWordError(f"{place}.{field}: is none of the words that may stand there")

    def phrases(self) -> Iterator[str]:
        """Every word and phrase by which a shared report may say something."""
        shipped = self.shipped
        yield from texts.phrases()
        yield from texts.VERDICT_NAMES.values()
        yield SCHEMA
        yield from self.fields
        yield from _JSON_WORDS
        yield from (str(word) for words in (Category, Party, Verdict) for word in words)
        yield from get_args(RecipientKind.__value__)
        yield from get_args(texts.Count.__value__)
        yield from get_args(texts.Share.__value__)
        yield from filter(None, get_args(texts.Step.__value__))
        yield from self.platforms
        for item in shipped.items.values():
            yield from (item.id, item.label)
        for product in shipped.products.values():
            yield from (product.id, product.name, product.entity)
            yield from (word for switch in product.switches for word in (switch.id, switch.label))
        yield from (declared.id for declared in shipped.lists)


_JSON_WORDS: tuple[str, ...] = ("true", "false", "null", "packs", "lists", "versions", "settings", "rows", "received")
_JSON_WORDS += ("shown", "coverage", "sure", "promises", "roundings", "fingerprints", "presence", "named", "left_out")
"""Words of the JSON form that are no words of a field."""

COUNTED = (
    "count",
    "pairs",
    "unreadable",
    "calls",
    "readable",
    "recipients",
    "recipients_unreadable",
    "unknown_category",
)
"""Fields that hold a class of counts."""


def vocabulary() -> Vocabulary:
    """The words of this version of the tool.  Raises `KnowledgeError` when a shipped pack is damaged."""
    return _vocabulary(language.current())


@functools.cache
def _vocabulary(_: str) -> Vocabulary:
    """In the language in use, which is given so that each has its own."""
    return Vocabulary(knowledge.load())


def _placeholder(word: str) -> bool:
    return bool(HOST.fullmatch(word) or OWN_PACK.fullmatch(word))


def version_of(value: str, *, exact: bool = False) -> str:
    """A value that was sent as a version -> major and minor number, or (`exact`) all; empty when it is something else.

    The whole value must be a version: half an address or place is told by no report.

    >>> version_of("1.40.2.8395-c67dce28e"), version_of("1.40.2.8395-c67dce28e", exact=True), version_of("203.0.113.77")
    ('1.40', '1.40.2.8395', '')
    """
    found = _AS_SENT.fullmatch(value)
    if not found or _is_address(found["all"]) or _DATE.fullmatch(found["all"]):
        return ""
    return found["all"] if exact else found["begin"]


def is_plain_version(value: str) -> bool:
    """Whether a value is a version and nothing more, so that it may be known to everybody."""
    found = _AS_SENT.fullmatch(value)
    return bool(found and version_of(value) and _BUILD.fullmatch(found["tail"] or ""))


def _is_version(word: str) -> bool:
    return bool(_VERSION.fullmatch(word)) and not _is_address(word)


def _is_address(word: str) -> bool:
    numbers = word.split(".")
    return len(numbers) == 4 and all(len(n) <= 3 and int(n) < 256 for n in numbers)
