"""The user's own values: what he told the tool about himself, and where it stands in what is sent.

| module | knows |
|---|---|
| `store` | the file in which they are kept |
| `library` | the user's own library in that file: names, hashes, numbers |
| `kinds` | which kinds there are, how a value of each is written, which are refused |
| `spelling` | other ways to write the same value: case, separators, accents, addresses |
| `forms` | a spelling in every encoding, and in two of them |
| `automaton` | all forms of all values, to be found in one pass |
| `words` | the library in a text, by its words, however large it is |
| `search` | where they stand in one exchange |
| `file_hashes` | the numbers by which services know a file |
"""

from __future__ import annotations

from analysis.known.automaton import OwnValues, load
from analysis.known.kinds import KINDS
from analysis.known.library import Import, LibraryFile, MediaFile, Work, forget_library, imports, keep, library, names
from analysis.known.search import NOTHING, Searched, Sighting, search
from analysis.known.store import Known, KnownError, add, forget, listed

__all__ = [
    "KINDS",
    "NOTHING",
    "Import",
    "Known",
    "KnownError",
    "LibraryFile",
    "MediaFile",
    "OwnValues",
    "Searched",
    "Sighting",
    "Work",
    "add",
    "forget",
    "forget_library",
    "imports",
    "keep",
    "library",
    "listed",
    "load",
    "names",
    "search",
]
