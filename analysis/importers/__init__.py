"""Where a user's library is read from: one module each, one entry in a table.

What is read goes to `analysis.known.keep`.  Only the server that the user named is asked; no answer of it sends us
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from analysis.importers import csv_table, folder, jellyfin, nfo, plex
from analysis.importers.access import Access, ImportProblem
from analysis.known import Work

__all__ = ["IMPORTERS", "Access", "ImportProblem", "Importer", "importer_of", "place_of"]


class Importer(Protocol):
    """What a module of an importer has."""

    @property
    def ABOUT(self) -> str:
        """What it reads, in a few words."""
        ...

    def recognises(self, source: str, access: Access) -> bool:
        """Whether a source (an address or path) is of this kind; asks a server what it is.  Raises `ImportProblem`."""
        ...

    def read(self, source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:
        """A source -> its works.  `expect` is told how many more will come, as soon as that is known.

        Raises `ImportProblem`, also while iterating.
        """
        ...


IMPORTERS: Mapping[str, Importer] = {
    "plex": plex,
    "jellyfin": jellyfin,
    "kodi": nfo,
    "folder": folder,
    "csv": csv_table,
}
"""Name -> importer, in the order in which they are asked whether they know a source."""


def importer_of(source: str, access: Access) -> str:
    """A source -> name of its importer.  Raises `ImportProblem` when none knows it."""
    for name, importer in IMPORTERS.items():
        if importer.recognises(source, access):
            return name
    if source.startswith(("http://", "https://")):
        raise ImportProblem(f"{place_of(source)}: answers as no Plex, Jellyfin or Emby server; check address and port")
    if not Path(source).expanduser().exists():
        raise ImportProblem(f"{source}: there is no such file or folder; check the path")
    raise ImportProblem(f"{source}: is no folder, no .csv and no .xml file; say what it is with --from")


def place_of(source: str) -> str:
    """A source -> how it is remembered and forgotten: an address without what is secret in it, or an absolute path.

    >>> place_of("http://user:secret@nas.example:32400/?X-Plex-Token=secret")
    'http://nas.example:32400'
    """
    if source.startswith(("http://", "https://")):
        return Access.base(source)
    return str(Path(source).expanduser().absolute())
