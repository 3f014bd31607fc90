"""Answers -> the pages of the site, as values: what stands on each, and where its links lead.

A page is a path, a title, and sections of sentences and tables; how it looks stands in `templates/`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from analysis import texts
from analysis.community import sentences
from analysis.community.answers import Altered, Answers, Differs, Missing, Revised, Statement, What
from analysis.model import Verdict
from analysis.report.community import tone
from analysis.texts import community as words
from analysis.texts import plural
from analysis.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class Link:
    """A text that may lead somewhere."""

    text: str
    """What it says."""
    to: str = ""
    """Path of a page or file of the site; empty: it leads nowhere."""
    tone: str = "plain"
    """As in `analysis.report.document.Tone`."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    columns: tuple[str, ...]
    """Titles."""
    rows: tuple[tuple[Link, ...], ...]
    """Each as long as `columns`; not empty."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    """Empty at the beginning of a page."""
    sentences: tuple[str, ...] = ()
    """Paragraphs."""
    points: tuple[Link, ...] = ()
    """A list."""
    grid: Grid | None = None
    """A table."""
    folded: bool = False
    """Whether it is shown only when somebody opens it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    path: str
    """Where it lies in the site."""
    title: str
    """What it is about."""
    sections: tuple[Section, ...]
    """From top to bottom."""
    searched: bool = False
    """Whether its list can be searched."""


@dataclass(slots=True)
class _Map:
    """Where each thing has its page."""

    products: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    entities: dict[str, str] = field(default_factory=dict)
    changes: dict[tuple[str, str], str] = field(default_factory=dict)


def pages(found: Answers) -> list[Page]:
    """Answers -> all pages of the site; the first is its front page."""
    paths = _paths(found)
    made = [_product(found, paths, product) for product in paths.products]
    made += [_item(found, paths, item) for item in paths.items]
    made += [_entity(found, paths, entity) for entity in paths.entities]
    made += [_change(found, paths, *key) for key in paths.changes]
    lists = [_changes(found, paths), _gaps(found, paths), _about(found)]
    return [_front(found, paths), *lists, _search(found, paths), *made]


def _anything(what: What) -> bool:  # noqa: ARG001  as the others
    return True


def _paths(found: Answers) -> _Map:
    whats = [one.what for one in found.statements]
    products = sorted({what.product for what in whats}, key=sentences.product)
    paths = _Map()
    paths.products = {product: f"products/{product}.html" for product in products}
    paths.items = {item: f"items/{item}.html" for item in sorted({what.item for what in whats})}
    taken: set[str] = set()
    for entity in sorted({what.entity for what in whats}):
        slug = re.sub(r"[^a-z0-9]+", "-", (entity or "unknown").casefold()).strip("-") or "recipient"
        while slug in taken:
            slug += "-x"
        taken.add(slug)
        paths.entities[entity] = f"recipients/{slug}.html"
    for change in found.changes:
        key = change.what.product, change.version
        paths.changes[key] = f"changes/{key[0]}-{key[1]}.html"
    return paths


def _front(found: Answers, paths: _Map) -> Page:
    rows = []
    for product, path in paths.products.items():
        mine = [one for one in _whole(found.statements) if one.what.product == product]
        items, entities = {one.what.item for one in mine}, {one.what.entity for one in mine}
        people = mine[0].seen.of if mine else ""
        rows.append(
            (Link(sentences.product(product), path), Link(people), Link(str(len(items))), Link(str(len(entities))))
        )
    columns = (texts.SENDER, words.PEOPLE, texts.ITEMS, words.RECIPIENTS)
    return Page(
        "index.html",
        words.TITLE,
        (
            Section("", _basis(found)),
            Section(words.HEADLINES, *_headlines(found, paths, _anything)),
            Section(words.PRODUCTS, grid=Grid(columns, tuple(rows)) if rows else None),
            Section(words.FILES, points=tuple(Link(text, to) for to, text in words.SITE_FILES.items())),
        ),
    )


def _basis(found: Answers) -> tuple[str, ...]:
    counts = found.counts
    if not found.statements:
        return (words.BASIS_EMPTY.format(minimum=found.minimum),)
    basis = words.BASIS.format(
        reports=counts.reports,
        posters=counts.posters,
        first=counts.first or texts.SHARED_NO_MONTH,
        last=counts.last or texts.SHARED_NO_MONTH,
        minimum=found.minimum,
    )
    return (basis, words.REPORTED)


def _headlines(found: Answers, paths: _Map, fits: Callable[[What], bool]) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """Sentences (if there is nothing to list) and the list of headlines about something."""
    points = [
        Link(sentence, _target(what, version, paths))
        for sentence, what, version in sentences.headlines_about(found)
        if fits(what)
    ]
    return ((), tuple(points)) if points else ((words.NO_HEADLINES,), ())


def _target(what: What, version: str, paths: _Map) -> str:
    return paths.changes.get((what.product, version)) or paths.items.get(what.item, "")


def _product(found: Answers, paths: _Map, product: str) -> Page:
    mine = [one for one in found.statements if one.what.product == product]
    parts: dict[str, list[Statement]] = defaultdict(list)
    for one in mine:
        parts[sentences.part(one)].append(one)
    folded = [
        Section(part, grid=_statements(some, paths, skip="product"), folded=True)
        for part, some in parts.items()
        if part != words.ANY
    ]
    sections = [
        Section("", (words.PRODUCT_NOTE.format(product=sentences.product(product)),)),
        Section(words.HEADLINES, *_headlines(found, paths, lambda what: what.product == product)),
        Section(words.STATEMENTS, grid=_statements(parts[words.ANY], paths, skip="product")),
        *_about_changes(found, paths, lambda what: what.product == product),
        *([Section(words.PARTS, (words.PARTS_NOTE,)), *folded] if folded else []),
        *_missing([gap for gap in found.gaps if gap.product == product], paths, found.minimum),
        Section(words.FILES, points=(Link(words.PRODUCT_FILE, f"data/products/{product}.json"),)),
    ]
    return Page(paths.products[product], sentences.product(product), tuple(sections))


def _item(found: Answers, paths: _Map, item: str) -> Page:
    known = vocabulary().shipped.items[item]
    about = tuple(filter(None, (known.is_, known.is_not and words.NOT_MEANT.format(other=known.is_not))))
    return _of(found, paths, paths.items[item], known.label, about, lambda what: what.item == item, "item")


def _entity(found: Answers, paths: _Map, entity: str) -> Page:
    title = words.RECIPIENT_TITLE.format(entity=sentences.entity(entity))
    return _of(found, paths, paths.entities[entity], title, (), lambda what: what.entity == entity, "entity")


def _of(
    found: Answers,
    paths: _Map,
    path: str,
    title: str,
    about: tuple[str, ...],
    fits: Callable[[What], bool],
    skip: str,
) -> Page:
    mine = [one for one in _whole(found.statements) if fits(one.what)]
    return Page(
        path,
        title,
        (
            Section("", about),
            Section(words.STATEMENTS, grid=_statements(mine, paths, skip=skip)),
            *_about_changes(found, paths, fits),
        ),
    )


def _change(found: Answers, paths: _Map, product: str, version: str) -> Page:
    mine = [one for one in found.changes if (one.what.product, one.version) == (product, version)]
    title = words.CHANGE_TITLE.format(product=sentences.product(product), version=version)
    firm = tuple(Link(sentences.change(one), paths.items.get(one.what.item, "")) for one in mine)
    return Page(
        paths.changes[product, version],
        title,
        (Section("", (words.CHANGE_NOTE,), firm), Section(words.CHANGES, grid=_altered(mine, paths))),
    )


def _changes(found: Answers, paths: _Map) -> Page:
    sections = _about_changes(found, paths, _anything) or [Section("", (words.NO_CHANGES,))]
    return Page("changes.html", words.CHANGES_TITLE, tuple(sections))


def _gaps(found: Answers, paths: _Map) -> Page:
    sections = _missing(found.gaps, paths, found.minimum) or [Section("", (words.NO_GAPS,))]
    return Page("gaps.html", words.GAPS, tuple(sections))


def _about(found: Answers) -> Page:
    counts = found.counts
    about = [*_basis(found), *words.ABOUT.values()]
    if counts.alike.endswith("+"):
        about.append(words.ALIKE.format(alike=counts.alike))
    if counts.unknown:
        about.append(plural(counts.unknown, words.UNKNOWN))
    if counts.outliers:
        about.append(plural(counts.outliers, words.OUTLIERS_COUNTED))
    verdicts = tuple(Link(f"{texts.VERDICT_NAMES[verdict]}: {meaning}.") for verdict, meaning in texts.VERDICTS.items())
    return Page(
        "about.html", words.ABOUT_TITLE, (Section("", tuple(about)), Section(words.VERDICT_WORDS, (), verdicts))
    )


def _search(found: Answers, paths: _Map) -> Page:
    points = [Link(f"{sentences.product(p)} ({words.PRODUCT})", path) for p, path in paths.products.items()]
    points += [Link(f"{sentences.item(i)} ({words.ITEM_WORD} {i})", path) for i, path in paths.items.items()]
    points += [Link(f"{sentences.entity(e)} ({words.RECIPIENT_WORD})", path) for e, path in paths.entities.items()]
    points += [Link(sentences.change(one), _target(one.what, one.version, paths)) for one in found.changes]
    points += [Link(sentences.statement(one), paths.products[one.what.product]) for one in _whole(found.statements)]
    return Page("search.html", words.SEARCH_TITLE, (Section("", points=tuple(points)),), searched=True)


def _whole(statements: Iterable[Statement]) -> Iterator[Statement]:
    return (one for one in statements if sentences.part(one) == words.ANY)


def _about_changes(found: Answers, paths: _Map, fits: Callable[[What], bool]) -> list[Section]:
    """What changed and where reports disagree; no section for what there is not."""
    sections = []
    if changes := [one for one in found.changes if fits(one.what)]:
        sections.append(Section(words.CHANGES, grid=_altered(changes, paths)))
    if revisions := [one for one in found.revisions if fits(one.what)]:
        sections.append(Section(words.REVISIONS, grid=_revised(revisions, paths)))
    if differing := [one for one in found.disagreements if fits(one.what)]:
        sections.append(Section(words.DISAGREEMENTS, grid=_differing(differing, paths)))
    return sections


def _missing(gaps: Sequence[Missing], paths: _Map, minimum: int) -> list[Section]:
    if not gaps:
        return []
    rows = tuple(
        (
            Link(sentences.product(gap.product), paths.products.get(gap.product, "")),
            Link(gap.version or words.ANY_VERSION),
            Link(", ".join(gap.platforms)),
            Link(", ".join(gap.looked)),
        )
        for gap in gaps
    )
    columns = (texts.SENDER, words.VERSION, words.PLATFORMS, words.LOOKED)
    return [Section(words.GAPS, (words.GAPS_NOTE.format(minimum=minimum),), grid=Grid(columns, rows))]


def _what(what: What, paths: _Map, skip: str = "") -> tuple[Link, ...]:
    links = {
        "product": Link(sentences.product(what.product), paths.products.get(what.product, "")),
        "item": Link(sentences.item(what.item), paths.items.get(what.item, "")),
        "entity": Link(sentences.entity(what.entity), paths.entities.get(what.entity, "")),
        "category": Link(sentences.purpose(what.category)),
    }
    return tuple(link for name, link in links.items() if name != skip)


def _columns(skip: str = "") -> tuple[str, ...]:
    """Titles of the columns that `_what` fills."""
    titles = {"product": texts.SENDER, "item": texts.ITEM, "entity": texts.RECIPIENT, "category": texts.PURPOSES}
    return tuple(title for name, title in titles.items() if name != skip)


def _statements(statements: Sequence[Statement], paths: _Map, skip: str) -> Grid | None:
    order = list(Verdict)

    def serious(one: Statement) -> tuple[int, What]:
        return order.index(Verdict(one.verdicts[0].verdict)) if one.verdicts else len(order), one.what

    rows = tuple(
        (
            Link(sentences.verdicts(one.verdicts), tone=tone(one)),
            *_what(one.what, paths, skip),
            Link(sentences.seen(one.seen)),
            Link(sentences.since(one), paths.changes.get((one.what.product, one.since), "")),
            Link(sentences.status(one)),
        )
        for one in sorted(statements, key=serious)
    )
    columns = (texts.VERDICT, *_columns(skip), words.SEEN_BY, words.SINCE, words.STATUS)
    return Grid(columns, rows) if rows else None


def _altered(changes: Sequence[Altered], paths: _Map) -> Grid:
    rows = tuple(
        (
            Link(one.version, paths.changes.get((one.what.product, one.version), "")),
            *_what(one.what, paths),
            Link(words.APPEARED if one.appeared else words.GONE),
            Link(sentences.seen(one.seen_before)),
            Link(sentences.seen(one.seen_after)),
            Link(words.FIRM_YES if one.headline else words.FIRM_NO),
        )
        for one in changes
    )
    return Grid((words.VERSION, *_columns(), words.CHANGE, words.BEFORE, words.AFTER, words.FIRM), rows)


def _revised(revisions: Sequence[Revised], paths: _Map) -> Grid:
    rows = tuple(
        (
            Link(f"{one.old} → {one.new}"),
            *_what(one.what, paths),
            Link(sentences.verdicts((one.was,))),
            Link(sentences.verdicts((one.now,))),
        )
        for one in revisions
    )
    return Grid((words.LISTS, *_columns(), words.WAS, words.NOW), rows)


def _differing(differing: Sequence[Differs], paths: _Map) -> Grid:
    rows = tuple(
        (
            *_what(one.what, paths),
            Link(one.verdict or words.WHETHER),
            Link(sentences.seen(one.seen)),
            Link(sentences.factor(one)),
            Link(sentences.seen(one.seen_with) if one.seen_with else ""),
            Link(sentences.seen(one.seen_without) if one.seen_without else ""),
        )
        for one in differing
    )
    columns = (*_columns(), words.DIFFERENCE, words.SEEN_BY, words.EXPLAINED, words.WITH, words.WITHOUT)
    return Grid(columns, rows)
