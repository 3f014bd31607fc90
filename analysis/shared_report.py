"""What may be posted: an allow list of fields and, in each field, of words; read from a post, and written for one.

The reader of a post may hold the recipient's logs.  So there are no values, no names, no times, no sizes, no order of
events, and counts and durations only in classes.  Every field is checked when a value is made, here or from a file:
captured text cannot get in, not even by a mistake of ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from json import JSONDecoder
from typing import Annotated, Literal

import msgspec

from analysis.grid import Mode, Rounding
from analysis.model import Category, Party, Verdict
from analysis.pack import RecipientKind
from analysis.promises import Judgement, Kind
from analysis.texts import Count, Length, Occasion, Share, Step
from analysis.vocabulary import vocabulary

type Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
"""An id."""

type Name = Annotated[str, msgspec.Meta(max_length=80)]
"""A name from a shipped pack, `host#n`, `own pack #n`, or nothing."""

type Numbers = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,5}(\.[0-9]{1,6}){1,4}$")]
"""A version."""

MOST_BYTES = 8 * 1024 * 1024
"""Of a post; what is larger is no shared report, or a whole forum."""


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value each of whose fields holds only the words that belong into a field of that name."""

    def __post_init__(self) -> None:
        """Checks the words, also of a value that is read from a file.  Raises `ValueError` without naming the value."""
        words = vocabulary()
        for field in self.__struct_fields__:
            if field in words.fields:
                words.check(type(self).__name__, field, getattr(self, field))


class SharedRow(Closed, frozen=True):
    """One item that was sent, to one recipient, for one purpose, and what the sender's list says."""

    product: Name
    """Id of the sender's shipped pack, `own pack #n`, or empty when the sender is not known."""
    declared: Name
    """Date of the list that was applied, or empty."""
    item: Word
    """Id of the data item."""
    recipient: RecipientKind | Literal[""]
    """What the recipient is to the vendor."""
    entity: Name
    """Name of the recipient if a shipped pack knows it, else `host#n` or `own pack #n`."""
    category: Category
    """What the calls are for."""
    verdict: Verdict
    """What the list says."""
    also: tuple[Verdict, ...]
    """Further verdicts that hold."""
    sure: bool
    """False when the sender is only probable."""
    count: Count
    """How often it was found."""


class SharedCalls(Closed, frozen=True):
    """Calls to one recipient for one purpose."""

    party: Party
    """Whose machine it is."""
    entity: Name
    """As in `SharedRow`; empty for households."""
    category: Category
    """What the calls are for."""
    count: Count
    """How many."""
    unreadable: Count
    """Of these, how many could not be read."""


class SharedReceived(Closed, frozen=True):
    """One item that a recipient showed that it already holds."""

    entity: Name
    """As in `SharedRow`."""
    category: Category
    """What the calls are for."""
    item: Word
    """Id of the data item."""


class SharedPack(Closed, frozen=True):
    """A shipped pack that was used."""

    pack: Word
    """Its id."""
    hash: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    """`sha256:…` over its files."""


class SharedList(Closed, frozen=True):
    """A declared list that was applied."""

    product: Word
    """Id of the pack."""
    declared: Word
    """Its date."""


class SharedVersion(Closed, frozen=True):
    """A version of a product that was seen."""

    product: Word
    """Id of the shipped pack."""
    version: Numbers
    """Major and minor number; the whole one only if the user asked for it."""


class SharedSetting(Closed, frozen=True):
    """The state of a switch."""

    product: Word
    """Id of the shipped pack."""
    switch: Word
    """Id of the switch."""
    state: Literal["on", "off", "unknown"]
    """What calls showed last."""


class SharedHost(Closed, frozen=True):
    """A recipient that the user chose to name."""

    host: Annotated[str, msgspec.Meta(pattern="^host#[1-9][0-9]{0,4}$")]
    """`host#n`."""
    name: Annotated[str, msgspec.Meta(max_length=253)]
    """Its host name."""


class SharedPromise(Closed, frozen=True):
    """A promise of a shipped list, and whether it was kept."""

    product: Word
    """Id of the shipped pack."""
    declared: Word
    """Date of the promise."""
    promise: Kind
    """What was promised."""
    outcome: Judgement
    """Whether it was kept, as far as was seen."""


class SharedRounding(Closed, frozen=True):
    """Whether one kind of number was rounded."""

    product: Word
    """Id of the shipped pack that sent it."""
    entity: Name
    """As in `SharedRow`."""
    item: Word
    """Id of the data item."""
    rounding: Rounding
    """Whether it was rounded."""
    step: Step
    """Usual steps in the unit of the number, `other`, or empty while several fit."""
    mode: Mode | Literal[""]
    """Which neighbour is taken; empty when that is not known."""
    pairs: Count
    """How many distinct exact values were seen beside it."""


class SharedFingerprint(Closed, frozen=True):
    """How many films share what one sender tells one recipient of a film."""

    product: Word
    """Id of the shipped pack that sent it."""
    entity: Name
    """As in `SharedRow`."""
    share: Share
    """Median over the plays, among 100,000 titles."""
    named: bool
    """Whether an id, a title, a hash or a picture went along, so that rounding does not matter."""


class SharedEffect(Closed, frozen=True):
    """Something that the proxy's presence changed for devices; how often says more of a household than of a report."""

    effect: Word
    """Kind of effect, a key of `analysis.texts.SHARED_EFFECTS`."""


class SharedCoverage(Closed, frozen=True):
    """What could be looked at."""

    calls: Count
    """All calls."""
    readable: Count
    """Calls whose content could be read."""
    unreadable: Count
    """Calls and places whose content could not be read."""
    unknown_category: Count
    """Readable calls outside whose purpose is not known."""
    recipients: Count
    """Hosts outside."""
    recipients_unreadable: Count
    """Of these, with at least one connection that could not be read."""


class SharedReport(Closed, frozen=True):
    """Everything that a post may hold."""

    schema: Literal["phonehome/share/1"]
    """Name and version of this form."""
    report: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    """Random id, so that the same report is not counted twice."""
    tool: Word
    """Version of phonehome."""
    packs: tuple[SharedPack, ...]
    """Shipped packs that were used, by id."""
    lists: tuple[SharedList, ...]
    """Shipped lists that were applied."""
    versions: tuple[SharedVersion, ...]
    """Versions of products that were seen."""
    platforms: tuple[Name, ...]
    """Families of platforms."""
    settings: tuple[SharedSetting, ...]
    """Switches of the products that sent something."""
    month: Annotated[str, msgspec.Meta(pattern="^(20[0-9]{2}-[01][0-9])?$")]
    """`YYYY-MM` (UTC) of the capture's end; empty when it has no times."""
    length: Length
    """How long the capture is."""
    occasions: tuple[Occasion, ...]
    """What happened in it."""
    rows: tuple[SharedRow, ...]
    """What was sent, worst verdict first; what was not seen is left out."""
    received: tuple[SharedReceived, ...]
    """What came back."""
    calls: tuple[SharedCalls, ...]
    """Who was called and what for."""
    coverage: SharedCoverage
    """What could be looked at."""
    shown: tuple[SharedHost, ...] = ()
    """Recipients that the user chose to name."""
    promises: tuple[SharedPromise, ...] = ()
    """Promises of the products that sent something."""
    roundings: tuple[SharedRounding, ...] = ()
    """Whether numbers were rounded."""
    fingerprints: tuple[SharedFingerprint, ...] = ()
    """How many films share what was told of one."""
    presence: tuple[SharedEffect, ...] = ()
    """What the proxy's presence changed."""
    left_out: bool = False
    """Whether its author left out something that was found."""


SECTIONS: tuple[str, ...] = ("versions", "platforms", "settings", "month", "length", "occasions", "received", "calls")
SECTIONS += ("promises", "roundings", "fingerprints", "presence")
"""Fields of a shared report that somebody may want to leave out as a whole."""


def without(report: SharedReport, words: Collection[str]) -> SharedReport:
    """A shared report -> the same without what the words name: sections, data items, products or recipients.

    Raises `ValueError` for a word that names nothing in the report.
    """
    empty: dict[str, object] = {"month": "", "length": "unknown"}
    changed: dict[str, object] = {word: empty.get(word, ()) for word in words if word in SECTIONS}
    rest, found = set(words) - set(changed), set[str]()
    tables = ("packs", "lists", "rows", "received", "calls", "versions", "settings", *SECTIONS[-4:])
    for field in tables:
        kept = []
        for row in changed.get(field, getattr(report, field)):  # type: ignore[attr-defined]  # a tuple of rows
            named = {getattr(row, name, "") for name in ("item", "product", "entity", "pack")} & rest
            found |= named
            if not named:
                kept.append(row)
        changed[field] = tuple(kept)
    if unknown := sorted(rest - found - {"", *(seen.host for seen in report.shown)}):
        raise ValueError(f"{unknown[0]}: is neither a section of this report nor an item, product or recipient in it")
    return msgspec.structs.replace(report, **changed, left_out=report.left_out or bool(words))


def read(text: bytes) -> SharedReport:
    """A shared report in JSON -> the same, checked.

    Raises `ValueError`: one sentence that names the place and never what stands there, not even a field's name.
    """
    try:
        return msgspec.json.decode(text, type=SharedReport)
    except msgspec.ValidationError as error:
        raise ValueError(f"is no valid shared report: {_complaint(str(error))}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError(
            "is no valid shared report: its form for programs is damaged or missing; long posts leave it out, "
            "so take the JSON form (phonehome share --format json)"
        ) from None


_COMPLAINT = re.compile(
    r"(?P<ours>Shared\w+\.\w+: is none of the words that may stand there)"
    r"|Object missing required field `(?P<missing>\w+)`|(?P<more>Object contains unknown field)"
)
"""What can be repeated of a complaint; all else may hold what stands in the file."""


def _complaint(told: str) -> str:
    found = _COMPLAINT.match(told)
    place = re.search(r" - at `(\$[\w.\[\]]*)`\Z", told)
    if not found:
        said = "something stands there that may not"
    elif found["ours"]:
        said = found["ours"]
    else:
        said = (
            f"`{found['missing']}` is missing" if found["missing"] else "there is a field that this form does not have"
        )
    return f"{place[1] if place else '$'}: {said}"


def json(report: SharedReport) -> str:
    """A shared report -> JSON on one line."""
    return msgspec.json.encode(report).decode()


def embedded(post: bytes) -> bytes:
    """A post in any form (JSON, Markdown, BBCode, HTML) -> the JSON form inside it, the first if there are several.

    The post itself when it holds none; forums may have changed everything around it.
    """
    return next(blocks(post), post)


def blocks(post: bytes) -> Iterator[bytes]:
    """A post, or a whole thread -> each JSON form inside it, in order; nothing when it holds none.

    One that is cut off goes to the end, and ends the search.
    """
    text = post.decode("utf-8", "replace")
    at = 0
    while match := _BEGIN.search(text, at):
        try:
            _, at = JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            at = len(text)
        yield text[match.start() : at].encode()


_BEGIN = re.compile(r'\{\s*"schema"\s*:\s*"phonehome/share/[^{}\[\]"]*"')
"""How the JSON form begins."""


def schema() -> str:
    """The JSON Schema of `phonehome/share/1`."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(SharedReport)}
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
