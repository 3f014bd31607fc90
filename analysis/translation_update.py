"""`python -m analysis.translation_update [LANGUAGE...]`: brings translations up to date with the English texts.

New messages are added without a translation, those that changed are marked as doubtful, those that are gone are
dropped.  A language that has no file yet gets one.  Without an argument: all that there are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import polib

from analysis import knowledge, language, needs
from analysis.language import FOLDER, SAID, SOURCE, Forms
from analysis.translation_source import spoken

WIDTH = 120
"""Columns of a file."""


def messages() -> Iterator[tuple[str, Forms]]:
    """Every message in English with its context: those of `texts/`, those in TOML files, then what the code says."""
    language.use(SOURCE)
    yield from language.messages()
    known = knowledge.load()
    yield from ((f"items.{name}", (item.label,)) for name, item in known.items.items())
    for terms in (known.ontology.items, known.ontology.recipients):
        yield from ((f"terms.{name}", (term.label,)) for name, term in terms.items())
    for category, need in needs.needs().items():
        yield from ((f"needs.{category}.{part}", (getattr(need, part),)) for part in ("function", "why", "without"))
    for name, product in known.products.items():
        yield from ((f"breaks.{name}.{n}", (one.breaks,)) for n, one in enumerate(product.blocking))
    yield from ((SAID, forms) for forms, _ in spoken())


def updated(code: str, folder: Path = FOLDER) -> polib.POFile:
    """A language -> its file as it has to be now; what was translated and has not changed is kept."""
    path = folder / f"{code}.po"
    old = polib.pofile(str(path)) if path.exists() else polib.POFile()
    made = polib.POFile(wrapwidth=WIDTH)
    made.metadata = old.metadata or {
        "Language": code,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    made.header = old.header
    forms = int(made.metadata["Plural-Forms"].partition("nplurals=")[2].partition(";")[0])
    kept = {_place(entry.msgctxt, entry.msgid): entry for entry in old if not entry.obsolete}
    files = {english[0]: file for english, file in spoken()}
    for context, english in messages():
        entry = _entry(context, english, kept.get(_place(context, english[0])), forms)
        if context == SAID and files[english[0]]:
            entry.occurrences = [(files[english[0]], "")]
        made.append(entry)
    return made


def _place(context: str, english: str) -> str:
    """What tells a message from all others: its context, and its English where it is looked up by that."""
    return f"{SAID}.{english}" if context == SAID else context


def _entry(context: str, english: Forms, old: polib.POEntry | None, forms: int) -> polib.POEntry:
    several = len(english) > 1
    entry = polib.POEntry(msgctxt=context, msgid=english[0], msgid_plural=english[1] if several else "")
    if several:
        entry.msgstr_plural = dict.fromkeys(range(forms), "")
    if old is not None and bool(old.msgid_plural) == several:
        entry.msgstr, entry.msgstr_plural, entry.flags = old.msgstr, old.msgstr_plural, old.flags
        if (old.msgid, old.msgid_plural) != (entry.msgid, entry.msgid_plural) and old.translated():
            entry.flags = ["fuzzy"]
    return entry


def main(codes: list[str]) -> None:
    """Writes the files, and says how much of each is translated."""
    for code in codes or language.languages()[1:]:
        made = updated(code)
        made.save(str(FOLDER / f"{code}.po"))
        sys.stdout.write(f"{code}: {made.percent_translated()} % of {len(made)} messages\n")


if __name__ == "__main__":
    main(sys.argv[1:])
