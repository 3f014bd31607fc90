"""A folder of media: names, sizes and OpenSubtitles' hashes; nothing of a file but its two ends is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.importers.access import Access, ImportProblem
from analysis.importers.release import MEDIA, named
from analysis.known import MediaFile, Work
from analysis.known.file_hashes import moviehash

ABOUT = "a folder of media files"


def recognises(source: str, access: Access) -> bool:  # noqa: ARG001  an importer's signature
    """Whether it is a folder."""
    return Path(source).expanduser().is_dir()


def read(source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:  # noqa: ARG001  likewise
    """One work for each media file below the folder, and one for each series that their names tell.

    What cannot be opened is known by its name alone.
    """
    files = media_files(Path(source).expanduser())
    expect(len(files))
    series: set[str] = set()
    for path in files:
        work = work_of(path)
        if work.series and work.series not in series:
            series.add(work.series)
            yield Work("show", work.series)
        yield work


def media_files(root: Path) -> list[Path]:
    """All media files below a folder, sorted, without what is hidden or linked.  Raises `ImportProblem`."""
    if not root.is_dir():
        raise ImportProblem(f"{root}: there is no such folder; check the path")
    found: list[Path] = []
    for folder, folders, names in root.walk():
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            folder / name for name in names if not name.startswith(".") and name.rpartition(".")[2].lower() in MEDIA
        ]
    return sorted(found)


def work_of(path: Path) -> Work:
    """A media file -> what its name tells."""
    told = named(path.stem)
    return Work(
        kind="episode" if told.series else "movie",
        title=told.title,
        series=told.series,
        season=told.season,
        episode=told.episode,
        year=told.year,
        files=(described(path),),
    )


def described(path: Path) -> MediaFile:
    """A file -> what can be told of it without its content."""
    text = os.fsencode(path).decode("utf-8", "replace")
    try:
        size: int | None = path.stat().st_size
        number = moviehash(path)
    except OSError:
        size, number = None, ""
    return MediaFile(path=text, size=size, container=path.suffix[1:].lower(), moviehash=number)
