"""Ids -> what people read.  Only words that this version ships come in here: `reports.load` lets no others through."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import texts
from analysis.community.answers import Altered, Answers, Differs, Revised, Seen, Statement, Told, What, is_headline
from analysis.model import Category, Verdict
from analysis.texts import Occasion
from analysis.texts import community as words
from analysis.vocabulary import vocabulary


def product(pack: str) -> str:
    """Id of a pack -> name."""
    return vocabulary().shipped.products[pack].name


def item(name: str) -> str:
    """Id of a data item -> label."""
    return vocabulary().shipped.items[name].label


def entity(name: str) -> str:
    """Recipient -> name."""
    return name or words.NO_PACK


def purpose(category: str) -> str:
    """Id of a category -> label."""
    return texts.CATEGORIES[Category(category)]


def switch(pack: str, name: str) -> str:
    """Id of a switch -> label."""
    return next((s.label for s in vocabulary().shipped.products[pack].switches if s.id == name), name)


def factor(found: Differs) -> str:
    """What explains a disagreement."""
    name = found.name
    if found.kind == "setting":
        name = switch(found.what.product, name)
    elif found.kind == "occasion":
        occasion: Occasion = name  # type: ignore[assignment]  # checked when it was loaded
        name = texts.OCCASIONS[occasion]
    return words.FACTORS[found.kind].format(name=name) if found.kind else words.UNEXPLAINED


def seen(share: Seen) -> str:
    """How many people, and which share that is."""
    form = words.SHARE_ALL if share.high == 1 else words.SHARE
    if share.posters.startswith("fewer"):
        form = words.SHARE_FEW
    return form.format(low=round(share.low * 100), high=round(share.high * 100), posters=share.posters, of=share.of)


def verdicts(told: tuple[Told, ...]) -> str:
    """Verdicts, each with the number of people."""
    return (
        ", ".join(
            words.VERDICT_SHARE.format(verdict=texts.VERDICT_NAMES[Verdict(t.verdict)], posters=t.posters) for t in told
        )
        or words.DISPUTED
    )


def part(statement: Statement) -> str:
    """Which reports a statement is about."""
    if statement.version:
        return words.ONLY_VERSION.format(version=statement.version)
    if statement.platform:
        return words.ONLY_PLATFORM.format(platform=statement.platform)
    if statement.switch:
        label = switch(statement.what.product, statement.switch)
        return words.ONLY_SETTING.format(switch=label, state=statement.state)
    return words.ANY


def since(statement: Statement) -> str:
    """Since which version, as far as that is known."""
    if statement.since:
        return statement.since
    return words.FROM_VERSION.format(version=statement.seen_from) if statement.seen_from else ""


def change(altered: Altered) -> str:
    """A change, as one sentence."""
    form = words.HEADLINE_APPEARED if altered.appeared else words.HEADLINE_GONE
    return form.format(version=altered.version, **_names(altered.what))


def difference(differs: Differs) -> str:
    """An explained disagreement, as one sentence."""
    form = words.HEADLINE_VERDICT if differs.verdict else words.HEADLINE_EXPLAINED
    return form.format(factor=factor(differs), **_names(differs.what))


def statement(one: Statement) -> str:
    """A statement, as one sentence."""
    return words.STATEMENT.format(verdict=verdicts(one.verdicts), **_names(one.what))


def revision(one: Revised) -> str:
    """A change between lists, as one sentence."""
    return words.REVISED.format(
        was=texts.VERDICT_NAMES[Verdict(one.was.verdict)],
        old=one.old,
        now=texts.VERDICT_NAMES[Verdict(one.now.verdict)],
        new=one.new,
        **_names(one.what),
    )


def status(one: Statement) -> str:
    """Reported, or by whom it can be repeated from which capture."""
    if not one.repeated:
        return words.STATUSES[one.status]
    first = one.repeated[0]
    return words.REPRODUCED_BY.format(maintainer=first.maintainer, capture=first.capture)


def headlines(found: Answers) -> Iterator[str]:
    """What five people who lie together cannot have made up; accusations only if a maintainer can repeat them."""
    return (sentence for sentence, _, _ in headlines_about(found))


def headlines_about(found: Answers) -> Iterator[tuple[str, What, str]]:
    """The same, each with what it is about, and the version of a change."""
    for altered in found.changes:
        if altered.headline:
            yield change(altered), altered.what, altered.version
    for differs in found.disagreements:
        if differs.headline:
            yield difference(differs), differs.what, ""
    for one in found.statements:
        if part(one) == words.ANY and is_headline(one):
            sentence = words.HEADLINE_REPRODUCED.format(
                meaning=texts.VERDICTS[Verdict(one.verdicts[0].verdict)],
                maintainer=one.repeated[0].maintainer,
                **_names(one.what),
            )
            yield sentence, one.what, ""


def _names(what: What) -> dict[str, str]:
    return {
        "product": product(what.product),
        "item": item(what.item),
        "entity": entity(what.entity),
        "purpose": purpose(what.category),
    }
