"""What stands on each page: store, origin and notes -> values for the templates."""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import draft, language, redact, shared_report, texts
from analysis.decode import decode
from analysis.explain import explain
from analysis.knowledge import Knowledge
from analysis.model import Category, Verdict
from analysis.optout import optout
from analysis.pipeline import Result
from analysis.post import post
from analysis.privates import of_item
from analysis.proof import LeakError, privates
from analysis.report import explained, html, preview
from analysis.report.document import Bars, Document, brief, size
from analysis.report.optout import optout_of
from analysis.report.phrases import local_time
from analysis.report.presence import changed
from analysis.report.shared import shared
from analysis.schema import KnowledgeError
from analysis.texts import dashboard as say
from analysis.texts import long_date, steps
from analysis.traffic import BROKEN
from analysis.web import notes
from analysis.web.curl import curl
from analysis.web.filters import Filter, moment
from analysis.web.kinds import RECEIVED, verdicts_of
from analysis.web.origin import Origin
from analysis.web.store import Listed, Store, Sum
from analysis.web.tree import tree
from captures import home
from captures.model import CaptureError, Exchange

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")

_NEWEST, _TOLD = 15, 10
"""Rows on the first page."""

_MOMENT = 3.0
"""Seconds by which pages may be late without saying so: rows come in batches."""

_SHORT = 80
"""Characters of a captured text in a list."""

_BESIDE = 200
"""Calls to the same host from which a rule is drafted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What pages are made of."""

    origin: Origin
    knowledge: Knowledge
    changes: bool
    """Whether notes, names and hidden calls may be changed here."""


type Values = dict[str, object]


def behind(shown: Shown) -> str:
    """Up to when calls are shown; empty when all are there, or will be in a moment."""
    far = shown.origin.progress()
    if far.done >= far.total or (far.until is not None and 0 <= time.time() - far.until < _MOMENT):
        return ""
    counts = {"done": texts.number(far.done), "total": texts.number(far.total)}
    if far.until is None:
        return say.PROGRESS.format(**counts)
    return say.BEHIND.format(time=local_time(far.until, zone=False), **counts)


def now(store: Store, shown: Shown) -> Values:
    """The first page: what happens, in sums, and what is new."""
    outside, everything = store.total(), store.total(outside=False)
    told, newest = store.told(_TOLD), store.newest(_NEWEST, notes.hidden())
    devices = notes.devices()
    charts = []

    def device(name: str) -> str:
        return devices.get(name, name)

    named: Callable[[str], str]
    for field, heading, title, named in (
        ("category", say.BY_PURPOSE, say.PURPOSE, _purpose),
        ("device", say.BY_DEVICE, say.DEVICE, device),
        ("recipient", say.BY_RECIPIENT, say.HOST, str),
    ):
        sums = store.sums(field)
        charts.append((heading, _bars(title, sums, named), _links(field, sums)))
    return {
        "outside": outside,
        "share": f"{outside.read / outside.calls:.0%}".replace("%", "\N{NO-BREAK SPACE}%") if outside.calls else "",
        "at_home": everything.calls - outside.calls,
        "dropped": shown.origin.dropped(),
        "told": told,
        "newest": newest,
        "notes": notes.of((*told, *newest)),
        "charts": charts,
        "presence": _sections(Document("", tuple(changed(shown.origin.effects())))),
    }


def _bars(heading: str, sums: Sequence[Sum], named: Callable[[str], str]) -> Bars | None:
    rows = tuple((brief(named(one.name))[:_SHORT] or say.UNKNOWN, one.read, one.calls - one.read) for one in sums)
    return Bars(heading, (say.READ, say.CLOSED), rows) if rows else None


def _links(field: str, sums: Sequence[Sum]) -> list[str]:
    """Where the calls of each bar are listed; nowhere for those of nobody that is known."""
    parameter = {"category": "purpose", "recipient": "host"}.get(field, field)
    return ["/calls?" + Filter(**{parameter: one.name}).address if one.name else "" for one in sums]


def explore(store: Store, shown: Shown, wanted: Filter, before: int) -> Values:
    """The list of calls, and what can be chosen."""
    page = store.page(wanted, before, notes.hidden())
    address = wanted.address
    joined = f"{address}&" if address else ""
    return {
        "wanted": wanted,
        "page": page,
        "before": before,
        "older": f"/calls?{joined}before={page.older}" if page.older else "",
        "newest": f"/calls?{address}" if address else "/calls",
        "notes": notes.of(page.calls),
        "options": _options(store, shown.knowledge),
        "alone": shown.origin.grows,
    }


def _options(store: Store, known: Knowledge) -> Values:
    devices = notes.devices()

    def names(field: str) -> list[str]:
        return [one.name for one in store.sums(field, outside=False, limit=200)]

    products = [(name or "-", _product(known, name)) for name in names("product")]
    items = sorted(((item, known.label(item)) for item in store.items()), key=lambda pair: pair[1].lower())
    verdicts = [(v.value, texts.VERDICT_NAMES[v]) for v in Verdict if v is not Verdict.NOT_SEEN]
    return {
        "device": [(name, devices.get(name, name)) for name in names("device") if name],
        "product": products,
        "purpose": sorted(((name, _purpose(name)) for name in names("category")), key=lambda pair: pair[1]),
        "item": items,
        "verdict": [*verdicts, ("unreadable", say.UNREADABLE), (RECEIVED, say.RECEIVED)],
        "host": [name for name in names("host") if name],
    }


def call(listed: Listed, shown: Shown) -> Values:
    """One call: its request as a tree, its verdicts with their reasons, and how they came about."""
    result = shown.origin.one(listed.id)
    seen = result.calls[0]
    chain = explain(result, seen.n)
    verdicts = verdicts_of(result.comparisons).get(seen.n, {})
    root, left = None, 0
    if isinstance(seen.observation, Exchange):
        root, left = tree(decode(seen.observation).leaves, chain.findings, verdicts)
    steps_of = explained.document(chain, result, shown.origin.name)
    skipped = steps.LEAVES.partition("(")[0]
    alike = Filter(host=listed.host, noise="1")
    return {
        "call": listed,
        "root": root,
        "left": left,
        "findings": chain.findings,
        "verdicts": [
            (j.comparison.item, j.comparison.verdict.value, j.comparison.reason, _cited(j)) for j in chain.judged
        ],
        "unjudged": steps.NOT_JUDGED[explained.not_judged(chain, result)],
        "command": curl(seen.observation, chain.findings) if isinstance(seen.observation, Exchange) else "",
        "sections": [s for s in html.sections_of(steps_of) if not s.heading.startswith(skipped)],
        "note": notes.of((listed,)).get(listed.id, notes.Note()),
        "like_host": "/calls?" + alike.address,
        "like_purpose": "/calls?" + alike.but(purpose=listed.category).address,
    }


def _cited(judged: object) -> str:
    """Where the statement stands that decided: title and date of the list."""
    document = getattr(judged, "document", None)
    return f"{document.title}, {long_date(document.effective)}: {document.source}" if document else ""


def rule(listed: Listed, store: Store, shown: Shown) -> Values:
    """A pack that is begun from a call and from others to the same host."""
    beside = [id_ for id_ in store.of_host(listed.host, _BESIDE) if id_ != listed.id]
    result = shown.origin.one(listed.id, beside)
    calls = [one for one in result.calls if one.observation.host == listed.host]
    kinds = [kind for kind in draft.kinds(calls, result.findings) if result.calls[0] in kind.calls]
    try:
        made = draft.draft(listed.host, kinds, [kind.calls[0].category for kind in kinds], result)
    except (ValueError, KnowledgeError):  # captured text may be anything
        raise CaptureError(say.RULE_CANNOT) from None
    return {
        "n": listed.n,
        "made_of": sum(len(kind.calls) for kind in kinds),
        "files": sorted((f"{made.id}/{name}", text) for name, text in made.files.items()),
        "left": made.left,
        "folder": str(home.packs()),
    }


def compare(store: Store, shown: Shown, arguments: Mapping[str, str]) -> Values:
    """What became of each item and call from one period of time to the other."""
    names = ("since1", "until1", "since2", "until2")
    given = {name: arguments.get(name, "")[:40] for name in names}
    if "go" not in arguments:
        first, last = store.span()
        if first is not None and last is not None:
            middle = int((first + last) / 2)
            middle += middle % 60 == 0  # a field without seconds stands for its whole minute
            times = (first, middle, middle, last + 1)
            given = {name: _field(time) for name, time in zip(names, times, strict=True)}
        return {"given": given, "sections": [], "wrong": ""}
    periods = _periods(given)
    if periods is None:
        return {"given": given, "sections": [], "wrong": say.WRONG_TIMES}
    result = shown.origin.whole(periods)
    found = optout(result, off={1}, on={0}, grace=0)
    return {"given": given, "sections": _sections(optout_of(found, result)), "wrong": ""}


def _periods(given: Mapping[str, str]) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Fields -> beginning and end of both periods; `None` if one is missing or not in order, or they overlap."""
    since1, until1 = moment(given["since1"]), moment(given["until1"], end=True)
    since2, until2 = moment(given["since2"]), moment(given["until2"], end=True)
    if since1 is None or until1 is None or since2 is None or until2 is None:
        return None
    apart = until1 <= since2 or until2 <= since1
    return ((since1, until1), (since2, until2)) if since1 < until1 and since2 < until2 and apart else None


def _field(time: float) -> str:
    """Seconds since the epoch -> local time as a field for dates takes it."""
    try:
        return dt.datetime.fromtimestamp(time).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def share(shown: Shown, left_out: Collection[str] = ()) -> Values:
    """A post beside what it leaves out, line by line, and whether it holds anything private.

    `left_out` are words of `Choice`; those that name nothing here are passed over, since an address can be old.
    """
    result = shown.origin.whole()
    whole = redact.redact(result)
    choices = preview.choices(result, whole)
    left_out = {choice.word for choice in choices if choice.word}.intersection(left_out)
    report = shared_report.without(whole, left_out)
    text, refused = "", ""
    try:
        text = post(result, report, "markdown")
    except LeakError as error:
        refused = str(error)
    return {
        "choices": choices,
        "left_out": left_out,
        "sections": [] if refused else _sections(shared(report)),
        "post": text,
        "refused": refused,
        "stays": stays(result),
    }


def stays(result: Result) -> list[tuple[str, int]]:
    """Private values of a result -> what they are, and how many of each stay here."""
    known = result.knowledge
    labels = {of_item(item, known): known.label(item) for item in known.items}
    found: dict[str, set[str]] = {}
    for private in privates(result):
        found.setdefault(labels.get(private.what, private.what), set()).add(private.value)
    return sorted(((what, len(values)) for what, values in found.items()), key=lambda pair: (-pair[1], pair[0]))


def settings(store: Store) -> Values:
    """Names of devices, and what is hidden."""
    named = notes.devices()
    seen = [one.name for one in store.sums("device", outside=False, limit=200) if one.name]
    return {"devices": [(device, named.get(device, "")) for device in seen], "hidden": notes.hidden()}


def _sections(document: Document) -> list[html.Section]:
    return [section for section in html.sections_of(document) if section.blocks]


def _purpose(category: str) -> str:
    return texts.CATEGORIES[Category(category)]


def _product(known: Knowledge, product: str) -> str:
    found = known.products.get(product)
    return found.name if found else product or say.UNKNOWN_SENDER


def _tone(verdict: str) -> str:
    if verdict in {v.value for v in BROKEN}:
        return "alarm"
    return {"no-list": "warn", RECEIVED: "dim"}.get(verdict, "plain")


def _verdict(verdict: str) -> str:
    return texts.VERDICT_NAMES[Verdict(verdict)] if verdict else ""


def _called(listed: Listed) -> str:
    return " ".join(part for part in (listed.method, f"{listed.host}{listed.path}") if part) or language.said(
        listed.reason
    )


def _shorter(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def templates(known: Knowledge) -> Environment:
    """What renders the pages; names of items and products are those of the packs."""
    made = html.environment(TEMPLATES)
    made.filters.update(
        clock=functools.partial(local_time, zone=False), called=_called, shorter=_shorter, size=size,
        purpose=_purpose, verdict=_verdict, recorded=language.said, lines=html.lines,
        product=functools.partial(_product, known),
    )  # fmt: skip
    made.globals.update(say=say, tone=_tone, label=known.label)
    return made
