"""`docs/glossary.md`: the words of the reports in every language that has a translation, each with its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis import knowledge, language, texts
from analysis.texts import glossary as words

NAMES = {"en": "English", "de": "Deutsch"}
"""Languages as they call themselves; of others the code is shown."""


def page() -> str:
    """All languages -> Markdown, one part for each, English first.  The language in use is English afterwards."""
    parts = []
    for code in language.languages():
        language.use(code)
        parts.append("\n".join(_part(NAMES.get(code, code))))
    language.use(language.SOURCE)
    return "\n\n".join((*parts, ""))


def _part(name: str) -> Iterator[str]:
    yield f"# {words.TITLE} ({name})\n\n{words.LEAD}"
    yield from _table(words.GENERAL, "", ((said, words.MEANINGS[key]) for key, said in words.WORDS.items()))
    verdicts = ((str(v), said, texts.VERDICTS[v]) for v, said in texts.VERDICT_NAMES.items())
    yield from _table(words.VERDICTS, words.ID, verdicts)
    yield from _table(words.CATEGORIES, words.ID, _ids(texts.CATEGORIES), meaning="")
    yield from _table(words.PARTIES, words.ID, _ids(texts.PARTIES), meaning="")
    yield from _table(words.OCCASIONS, words.ID, _ids(texts.OCCASIONS), meaning="")
    labels = {name: item.label for name, item in knowledge.load().items.items()}
    yield from _table(words.ITEMS, words.ID, _ids(labels), meaning="")


def _ids[K: str](said: Mapping[K, str]) -> Iterator[tuple[str, ...]]:
    return ((str(key), text) for key, text in said.items())


def _table(heading: str, first: str, rows: Iterator[tuple[str, ...]], meaning: str | None = None) -> Iterator[str]:
    columns = [*filter(None, (first, words.WORD, words.MEANING if meaning is None else meaning))]
    yield f"\n## {heading}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"
    for row in rows:
        cells = (f"`{cell}`" if first and n == 0 else cell for n, cell in enumerate(row))
        yield f"| {' | '.join(cells)} |"
