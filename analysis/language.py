"""The language of what people read.  English stands in the modules of `texts/`, every other language in one `.po` file.

A translation is written over the constants of those modules, once, before anything is said: English costs nothing, and
whoever says something need not know about languages.  What stands elsewhere (help texts, errors, what a lower layer
says of itself) is looked up by its English where it is shown: `said`.  What a file lacks stays English.
"""

from __future__ import annotations

import functools
import gettext
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polib

type Forms = tuple[str, ...]
"""A message: one text, or as many as the language has forms for numbers."""

SOURCE = "en"
"""The language of the modules."""

SAID = "said"
"""Context of all that is looked up by its English."""

SENTENCES = (
    "reason", "why", "what", "error", "message", "hint", "fault", "failed", "strerror", "said", "missing",
    "sentence", "last", "told", "then", "changed", "remarks", "remedy", "says", "finds",
)  # fmt: skip
"""Names in braces for which a text stands that is looked up as well."""

_PLACES, _LONGEST = 4, 3_000
"""So many places may stand before what is said, and so many characters are looked at: each name in braces costs their
number once more, and a message may quote what somebody else has written."""

_BEFORE = re.compile(r"\s+(?:\S+\s{2,})?")

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
    _changing.cache_clear()
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


def said(english: str, n: int = 1) -> str:
    """What is said in English -> the same in the language in use; as it is where nobody has translated it.

    A message may hold names in braces for what changes, each of which stands for any text.  What follows a place
    ("file: is empty") is found without it.  `n` is the number that goes with a message that has forms for it.

    >>> said("is damaged")
    'is damaged'
    """
    if _State.language == SOURCE or len(english) > _LONGEST:
        return english
    parts = english.split(": ", _PLACES)
    for first in range(len(parts)):
        if found := _looked_up(": ".join(parts[first:]), n):
            return ": ".join((*map(_before, parts[:first]), found))
    return ": ".join(map(_before, parts))


def _before(place: str) -> str:
    """What stands before a colon: a sentence, or a place, which may be called like one of our words."""
    return _State.found.get(f"{SAID}.{place}", (place,))[0] if " " in place else place


def _looked_up(english: str, n: int) -> str:
    """One message in the language in use; empty where it is not translated."""
    if forms := _State.found.get(f"{SAID}.{english}"):
        return forms[_State.form(n) if len(forms) > 1 else 0]
    for key, own in _changing():
        if all(piece in english for piece in own) and (parts := _pattern(key).fullmatch(english)):
            return _State.found[key][0].format(**{name: _part(name, text) for name, text in parts.groupdict().items()})
    return ""


def _part(name: str, text: str) -> str:
    """What stands for a name in braces: a sentence, several, a number, or what somebody typed."""
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", text):
        return text.replace(",", _State.found.get("report.THOUSANDS", (",",))[0])
    if name.rstrip("0123456789") not in SENTENCES:
        return text
    # The operating system begins its sentences with a capital letter.
    whole = next((found for own in (text, text[:1].lower() + text[1:]) if (found := said(own)) != own), "")
    several = re.split("(; | and )", text)
    made = list(map(said, several[::2]))
    if whole or made == several[::2]:
        return whole or text
    return "".join(one + said(between) for one, between in zip(made, (*several[1::2], ""), strict=True))


@functools.cache
def _changing() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Messages in which something changes, each with what does not; those that say most themselves come first."""
    keys = (key for key in _State.found if key.startswith(f"{SAID}.") and "{" in key)
    pieces = ((key, tuple(literal for literal, *_ in _parsed(key))) for key in keys)
    return tuple(sorted(pieces, key=lambda each: -sum(map(len, each[1]))))


def _parsed(key: str) -> Iterator[tuple[str, str]]:
    """What stands before each name in braces, and the name; an empty one at the end."""
    for literal, name, *_ in Formatter().parse(key.removeprefix(f"{SAID}.")):
        yield literal, name or ""


@functools.cache
def _pattern(key: str) -> re.Pattern[str]:
    """A message -> what it looks like when its names in braces are filled in."""
    seen: set[str] = set()
    made = []
    for literal, name in _parsed(key):
        again = f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
        made.append(re.escape(literal) + (again if name else ""))
        seen.add(name)
    return re.compile("".join(made), re.DOTALL)


def paragraphs(text: str) -> str:
    """A help text -> the same in the language in use, paragraph by paragraph; one that begins with `\\b` by lines."""
    if _State.language == SOURCE:
        return text
    every = text.split("\n\n")
    return "\n\n".join(lines(one) if one.lstrip().startswith("\b") else said(" ".join(one.split())) for one in every)


def lines(text: str) -> str:
    """The same, line by line; what is indented, or stands in a column of its own before it, stays where it is."""
    if _State.language == SOURCE:
        return text
    return "\n".join(before + said(line) for before, line in map(column, text.split("\n")))


def column(line: str) -> tuple[str, str]:
    """A line of a list or a text -> what stands before its words, and these.

    >>> column("  title   of a film"), column("What it is:")
    (('  title   ', 'of a film'), ('', 'What it is:'))
    """
    before = _BEFORE.match(line)
    end = before.end() if before else 0
    return line[:end], line[end:]


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
    """What a file translates, by context; what is empty or marked as doubtful is left out.

    What is looked up by its English has that behind the context: `said.is damaged`.
    """
    entries = (entry for entry in catalogue if not (entry.obsolete or entry.fuzzy))
    found = {
        (f"{SAID}.{entry.msgid}" if entry.msgctxt == SAID else entry.msgctxt): tuple(
            text for _, text in sorted(entry.msgstr_plural.items())
        )
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
