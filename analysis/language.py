"""The language of what people read.  English stands in the modules of `texts/`, every other language in one `.po` file.

A translation is written over the constants of those modules, once, before anything is said: English costs nothing, and
whoever says something need not know about languages.  What a file lacks stays English.
"""

from __future__ import annotations

import functools
import gettext
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polib

type Forms = tuple[str, ...]
"""A message: one text, or as many as the language has forms for numbers."""

SOURCE = "en"
"""The language of the modules."""

FOLDER = Path(__file__).with_name("texts")
"""Where the modules and the translations stand."""

VARIABLE = "PHONEHOME_LANGUAGE"
"""Environment variable that chooses a language for this program alone."""

_CHOSEN_BY = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
"""Environment variables that say which language is wanted; the first that is set counts."""


def _english(n: int) -> int:
    return int(n != 1)


class _State:
    """What is in use: one language for the whole process."""

    language = SOURCE
    """Its code."""
    found: Mapping[str, Forms] = {}
    """What is translated, by context."""
    form: Callable[[int], int] = staticmethod(_english)
    """Which form of a message goes with a number."""


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """All languages: English, and those that have a file."""
    return (SOURCE, *sorted(file.stem for file in folder.glob("*.po")))


def wanted(environ: Mapping[str, str], known: tuple[str, ...] | None = None) -> str:
    """The language that the environment asks for; English when there is none of it.

    >>> wanted({"LANG": "de_AT.UTF-8"}), wanted({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}), wanted({"LANG": "tlh"})
    ('de', 'en', 'en')
    """
    asked = next((environ[name] for name in _CHOSEN_BY if environ.get(name)), "")
    language = asked.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    known = known or languages()
    return next((name for name in (language, language.partition("_")[0]) if name in known), SOURCE)


def current() -> str:
    """The language in use."""
    return _State.language


def form(n: int) -> int:
    """A number -> which form of a message goes with it."""
    return _State.form(n)


def use(language: str, folder: Path = FOLDER) -> None:
    """Says everything in this language from now on.  Raises `ValueError` for one that has no file in the folder."""
    if language == _State.language:
        return
    if language not in languages(folder):
        raise ValueError(f"{language}: is no language of phonehome; there are: {', '.join(languages(folder))}")
    _State.language = language
    _State.found, _State.form = {}, _english
    if language != SOURCE:
        catalogue = read(language, folder)
        _State.found, _State.form = found_in(catalogue), _rule(catalogue)
    for module in modules():
        for name, value in _originals(module).items():
            if isinstance(value, Mapping):
                # In place: other modules may hold it.
                getattr(module, name).update(_put(_context(module, name), value))
            else:
                setattr(module, name, _put(_context(module, name), value))


def say(context: str, english: str) -> str:
    """A text that stands elsewhere (`items.toml`) -> the same in the language in use."""
    return _State.found.get(context, (english,))[0]


def messages() -> Iterator[tuple[str, Forms]]:
    """Every message with its context: `answer.MADE`, `report.CATEGORIES.update-check`; in English."""
    for module in modules():
        for name, value in _originals(module).items():
            yield from _messages(_context(module, name), value)


def _messages(context: str, value: object) -> Iterator[tuple[str, Forms]]:
    if isinstance(value, str):
        if value:
            yield context, (value,)
    elif isinstance(value, tuple):
        yield context, value
    elif isinstance(value, Mapping):
        for key, text in value.items():
            yield from _messages(_key(context, key), text)


def _put(context: str, value: object) -> object:
    if isinstance(value, str):
        return _State.found.get(context, (value,))[0]
    if isinstance(value, Mapping):
        return {key: _put(_key(context, key), text) for key, text in value.items()}
    return _State.found.get(context, value)


def _key(context: str, key: object) -> str:
    return f"{context}.{'/'.join(map(str, key)) if isinstance(key, tuple) else key}"


def _context(module: ModuleType, name: str) -> str:
    return f"{module.__name__.removeprefix('analysis.texts').removeprefix('.') or 'report'}.{name}"


@functools.cache
def modules() -> tuple[ModuleType, ...]:
    """The modules of `texts/`."""
    package = import_module("analysis.texts")
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return (package, *(import_module(f"analysis.texts.{name}") for name in names))


@functools.cache
def _originals(module: ModuleType) -> Mapping[str, object]:
    """The English texts of a module by name, as they were before any translation was written over them."""
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str | tuple | Mapping)
    }


def read(language: str, folder: Path = FOLDER) -> polib.POFile:
    """A language -> its file, without what is no longer used."""
    import polib  # 20 ms, and only translations need it

    return polib.pofile(str(folder / f"{language}.po"))


def found_in(catalogue: polib.POFile) -> Mapping[str, Forms]:
    """What a file translates, by context; what is empty or marked as doubtful is left out."""
    entries = (entry for entry in catalogue if not (entry.obsolete or entry.fuzzy))
    found = {
        entry.msgctxt: tuple(text for _, text in sorted(entry.msgstr_plural.items()))
        if entry.msgid_plural
        else (entry.msgstr,)
        for entry in entries
    }
    return {context: forms for context, forms in found.items() if context and all(forms)}


def both(language: str, folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """A language that has a file -> every text in it and in English, each with its context."""
    for entry in read(language, folder):
        if not entry.obsolete:
            for text in (entry.msgid, entry.msgid_plural, entry.msgstr, *entry.msgstr_plural.values()):
                yield entry.msgctxt or "", text


def _rule(catalogue: polib.POFile) -> Callable[[int], int]:
    """Which form goes with which number, as the head of the file says (`Plural-Forms`)."""
    _, _, formula = catalogue.metadata.get("Plural-Forms", "nplurals=2; plural=(n != 1);").partition("plural=")
    return gettext.c2py(formula.strip().rstrip(";"))
