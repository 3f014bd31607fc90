"""SharedReport -> the report that can be posted.  Nothing else can be made into one, so a leak is a type error."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import redact, shared_report, texts
from analysis.model import Category, Party, Verdict
from analysis.report.document import Block, Bullets, Cell, Column, Data, Document, Heading, Paragraph, Table
from analysis.shared_report import SharedReceived, SharedReport, SharedRow
from analysis.traffic import BROKEN, is_first
from analysis.vocabulary import Vocabulary, vocabulary

_MOST = 24
"""Named in the first sentence; the table holds all."""


def shared(report: SharedReport) -> Document:
    """A redacted report -> the document to post, with the report as JSON at its end."""
    words = vocabulary()
    sections = (
        _first(report, words),
        _calls(report),
        _rows(report, words),
        _received(report, words),
        _coverage(report),
        (Heading(texts.SHARED_DATA), Paragraph(texts.SHARED_DATA_NOTE), Data(shared_report.json(report))),
    )
    title = texts.SHARED_TITLE.format(version=report.tool)
    return Document(title, tuple(block for section in sections for block in section))


def _first(report: SharedReport, words: Vocabulary) -> Iterator[Block]:
    month = texts.SHARED_MONTH.format(month=report.month) if report.month else texts.SHARED_NO_MONTH
    yield Paragraph(texts.SHARED_SENTENCE.format(length=texts.LENGTHS[report.length], month=month))
    first = [row for row in report.rows if is_first(row.verdict, row.category, row.recipient)]
    if first:
        groups: dict[tuple[str, Category, str], list[str]] = {}
        for row in first:
            groups.setdefault((row.entity, row.category, _verdict(row)), []).append(_label(row.item, words))
        named = [
            texts.SHARED_UNCOVERED_ITEM.format(
                items=", ".join(labels), entity=_entity(entity), purpose=texts.CATEGORIES[category], verdict=verdict
            )
            for (entity, category, verdict), labels in groups.items()
        ]
        if (rest := len(named) - _MOST) > 0:
            named[_MOST:] = [texts.UNCOVERED_MORE[-1].format(n=redact.count_class(rest))]
        yield Paragraph(texts.SHARED_UNCOVERED.format(items="; ".join(named)), "strong")
    elif not report.left_out:
        unlisted = any(row.verdict is Verdict.NO_LIST for row in report.rows)
        yield Paragraph(texts.SHARED_NO_LISTS if unlisted else texts.SHARED_COVERED)
    if report.left_out:
        yield Paragraph(texts.SHARED_LEFT_OUT, "warn")
    yield from _about(report, words)


def _about(report: SharedReport, words: Vocabulary) -> Iterator[Block]:
    """Software, platform, lists and settings, as far as they are known."""
    if report.versions:
        versions: dict[str, list[str]] = {}
        for seen in report.versions:
            versions.setdefault(seen.product, []).append(seen.version)
        products = ", ".join(
            texts.SHARED_PRODUCT.format(product=_product(product, words), versions=", ".join(found))
            for product, found in versions.items()
        )
        yield Paragraph(texts.SHARED_PRODUCTS.format(products=products))
    if report.platforms:
        yield Paragraph(texts.SHARED_PLATFORMS.format(platforms=", ".join(report.platforms)))
    if report.lists:
        lists = "; ".join(
            texts.SHARED_LIST.format(product=_product(x.product, words), declared=x.declared) for x in report.lists
        )
        yield Paragraph(texts.SHARED_LISTS.format(lists=lists))
    if report.settings:
        settings = "; ".join(
            texts.SHARED_SETTING.format(
                product=_product(x.product, words),
                switch=switch(x.product, x.switch)[0],
                state=texts.SWITCH_STATES[x.state],
            )
            for x in report.settings
        )
        yield Paragraph(texts.SHARED_SETTINGS.format(settings=settings))
    # Exact versions are told where somebody asked for them.
    hidden = [
        name for name in redact.withheld(report.length, report.settings) if name != "versions" or not report.versions
    ]
    if withheld := [texts.SHARED_MAKE_UP[name] for name in hidden]:
        yield Paragraph(texts.SHARED_WITHHELD.format(what=texts.AND.join(withheld)))
    if report.promises:
        promises = "; ".join(
            texts.SHARED_PROMISE.format(
                product=_product(x.product, words),
                made=x.declared,
                promise=texts.PROMISE_KINDS[x.promise],
                verdict=texts.JUDGEMENTS[x.outcome],
            )
            for x in report.promises
        )
        yield Paragraph(texts.SHARED_PROMISES.format(promises=promises))
    yield from _numbers(report, words)


def _numbers(report: SharedReport, words: Vocabulary) -> Iterator[Block]:
    if report.roundings:
        roundings = "; ".join(
            texts.SHARED_ROUNDING.format(
                item=_label(x.item, words),
                entity=x.entity,
                rounding=texts.ROUNDINGS[x.rounding],
                step=texts.SHARED_STEP.format(step=x.step) if x.step else "",
                mode=texts.SHARED_MODE.format(mode=texts.MODES[x.mode]) if x.mode else "",
                pairs=x.pairs,
            )
            for x in report.roundings
        )
        yield Paragraph(texts.SHARED_ROUNDINGS.format(roundings=roundings))
    for x in report.fingerprints:
        told = texts.SHARED_FINGERPRINT.format(share=x.share, product=_product(x.product, words), entity=x.entity)
        yield Paragraph(f"{told} {texts.SHARED_NAMED}" if x.named else told)
    if report.presence:
        effects = "; ".join(texts.SHARED_EFFECTS[x.effect] for x in report.presence)
        yield Paragraph(texts.SHARED_PRESENCE.format(effects=effects))


def _calls(report: SharedReport) -> Iterator[Block]:
    if report.calls:
        yield Heading(texts.RECIPIENTS_HEADING)
        yield Table(
            (Column(texts.RECIPIENT), Column(texts.PURPOSES), Column(texts.CALLS), Column(texts.UNREAD)),
            tuple(
                (
                    Cell(x.entity or texts.PARTIES[x.party]),
                    Cell(texts.CATEGORIES[x.category]),
                    Cell(x.count),
                    Cell(x.unreadable),
                )
                for x in report.calls
            ),
        )
    if any(name.startswith("host#") for name in [*(x.entity for x in report.calls), *(x.entity for x in report.rows)]):
        yield Paragraph(texts.SHARED_HOSTS)
    yield from (Paragraph(texts.SHARED_SHOWN.format(host=x.host, name=x.name)) for x in report.shown)


def _rows(report: SharedReport, words: Vocabulary) -> Iterator[Block]:
    if not report.rows:
        return
    yield Heading(texts.ITEMS_HEADING)
    yield Table(
        (
            Column(texts.VERDICT),
            Column(texts.ITEM),
            Column(texts.SENDER),
            Column(texts.RECIPIENT),
            Column(texts.PURPOSES),
            Column(texts.COUNT),
        ),
        tuple(
            (
                Cell(_verdict(row), "alarm" if row.verdict in BROKEN and row.sure else "plain"),
                Cell(_label(row.item, words)),
                Cell(_product(row.product, words)),
                Cell(_entity(row.entity)),
                Cell(texts.CATEGORIES[row.category]),
                Cell(row.count),
            )
            for row in report.rows
        ),
    )
    used = {row.verdict for row in report.rows}
    meanings = [(verdict, texts.VERDICTS[verdict]) for verdict in Verdict if verdict in used]
    yield Bullets(
        tuple(
            texts.VERDICT_HEADING.format(verdict=texts.VERDICT_NAMES[verdict], meaning=meaning)
            for verdict, meaning in meanings
        )
    )


def _received(report: SharedReport, words: Vocabulary) -> Iterator[Block]:
    if not report.received:
        return
    held: dict[tuple[str, Category], list[SharedReceived]] = {}
    for row in report.received:
        held.setdefault((row.entity, row.category), []).append(row)
    yield Heading(texts.RECEIVED_HEADING)
    yield Paragraph(texts.RECEIVED_NOTE)
    yield Table(
        (Column(texts.RECIPIENT), Column(texts.PURPOSES), Column(texts.ITEMS)),
        tuple(
            (
                Cell(_entity(entity)),
                Cell(texts.CATEGORIES[category]),
                Cell(", ".join(_label(row.item, words) for row in rows)),
            )
            for (entity, category), rows in held.items()
        ),
    )


def _coverage(report: SharedReport) -> Iterator[Block]:
    coverage = report.coverage
    yield Heading(texts.OCCASIONS_HEADING)
    yield Paragraph(
        texts.SHARED_COVERAGE.format(
            calls=coverage.calls,
            unreadable=coverage.unreadable,
            recipients=coverage.recipients,
            recipients_unreadable=coverage.recipients_unreadable,
            unknown_category=coverage.unknown_category,
        )
    )
    yield Bullets(
        tuple(
            (texts.OCCASION_SEEN if occasion in report.occasions else texts.OCCASION_NOT_SEEN).format(occasion=label)
            for occasion, label in texts.OCCASIONS.items()
        )
    )


def _verdict(row: SharedRow) -> str:
    name = texts.VERDICT_NAMES[row.verdict]
    verdict = name if row.sure else texts.SHARED_PROBABLY.format(verdict=name)
    if row.also:
        return texts.SHARED_ALSO.format(verdict=verdict, also=", ".join(texts.VERDICT_NAMES[also] for also in row.also))
    return verdict


def _label(item: str, words: Vocabulary) -> str:
    return words.shipped.items[item].label


def _product(product: str, words: Vocabulary) -> str:
    known = words.shipped.products.get(product)
    return known.name if known else product or texts.NOBODY_KNOWN


def switch(product: str, switch: str) -> tuple[str, str]:
    """Ids of a pack and a switch -> what the product calls it, and how to find it; the id and "" if none knows it."""
    known = vocabulary().shipped.products.get(product)
    switches = known.switches if known else ()
    return next(((s.label, s.where) for s in switches if s.id == switch), (switch, ""))


def _entity(entity: str) -> str:
    return entity or texts.PARTIES[Party.UNKNOWN]
