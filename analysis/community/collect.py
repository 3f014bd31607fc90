"""Posts -> dataset: each is checked, the same one is taken once, and what is refused is listed with the reason."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from analysis import shared_report
from analysis.community import posters
from analysis.community.dataset import Dataset
from analysis.community.post import Post, RejectedError, posts
from analysis.texts import community as texts

BATCH = 1_000
"""Reports that are held in memory and written together."""


@dataclass(slots=True)
class Collected:
    """What became of the posts."""

    taken: int = 0
    """Reports that are new in the dataset."""
    known: int = 0
    """Reports that were there already: posted twice, or saved again."""
    rejected: list[tuple[str, str]] = field(default_factory=list)
    """File and reason.  The file's name is whoever's who saved it: private."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Name of a list -> entries left out because they name something that this version does not ship."""
    ids: list[str] = field(default_factory=list)
    """Ids of all reports that were found, new or not."""


def collect(
    places: Iterable[Path],
    dataset: Dataset,
    *,
    by: str = "",
    now: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Files and folders of posts -> what became of them.  Doing it again changes nothing.

    `by` is who posted them all; otherwise the folder below a given folder says so (`DIR/<poster>/…`).  `now` is the
    time by which a month lies in the future; `progress` is told (files done, files in all).  Raises `OSError` for a
    place that is not there.
    """
    found = Collected()
    files = list(_files(places))
    with dataset.locked():
        secret = posters.key(dataset.private)
        seen = {row["report"]: row["digest"] for row in dataset.reports()}
        waiting: list[tuple[Post, str]] = []
        for n, (path, handle) in enumerate(files):
            for post in _posts(path, now):
                if isinstance(post, RejectedError):
                    found.rejected.append((str(path), str(post)))
                elif _is_new(post, seen, path, found):
                    waiting.append((post, posters.poster(by or handle, secret)))
            if len(waiting) >= BATCH:
                dataset.append(waiting)
                waiting = []
            if progress:
                progress(n + 1, len(files))
        dataset.append(waiting)
    return found


def _files(places: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Each file, in a fixed order, with the name of the folder that says who posted it."""
    for place in places:
        if not place.is_dir():
            place.stat()
            yield place, ""
            continue
        for folder, inner, names in os.walk(place):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            within = Path(folder).relative_to(place).parts
            for name in sorted(names):
                if not name.startswith("."):
                    yield Path(folder, name), within[0] if within else ""


def _posts(path: Path, now: float | None) -> Iterator[Post | RejectedError]:
    try:
        if not path.is_file():
            yield RejectedError(texts.NO_FILE)
            return
        with path.open("rb") as file:
            data = file.read(shared_report.MOST_BYTES + 1)
    except OSError as error:
        yield RejectedError((error.strerror or texts.NO_FILE).lower())
        return
    yield from posts(data, now)


def _is_new(post: Post, seen: dict[str, str], path: Path, found: Collected) -> bool:
    """Whether a report is to be taken; notes it as seen."""
    known = seen.get(post.report.report)
    if known and known != post.digest:
        found.rejected.append((str(path), texts.ID_TAKEN))
        return False
    found.ids.append(post.report.report)
    if known:
        found.known += 1
        return False
    seen[post.report.report] = post.digest
    found.taken += 1
    found.unknown.update(post.unknown)
    return True
