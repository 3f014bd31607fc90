"""A Kodi library: `.nfo` files beside the media, or the one file of Kodi's export (`videodb.xml`).

Source of the form: https://kodi.wiki/view/NFO_files
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring, iterparse

from analysis.importers.access import Access, ImportProblem
from analysis.importers.folder import described, media_files, work_of
from analysis.importers.release import MEDIA
from analysis.known import MediaFile, Work

ABOUT = "a folder with .nfo files, or Kodi's exported .xml"

_ROOTS = {"movie": "movie", "tvshow": "show", "episodedetails": "episode", "musicvideo": "musicvideo",
          "artist": "artist", "album": "album"}  # fmt: skip

_MOST = 4 * 1024 * 1024
"""Bytes of one `.nfo` file."""

_MOST_EXPORTED = 1024 * 1024 * 1024
"""Bytes of an export."""

_HEAD = 1 << 16

_LOOKED_AT = 2_000
"""Names in a folder that are looked at to find a `.nfo` among them."""


def recognises(source: str, access: Access) -> bool:  # noqa: ARG001  an importer's signature
    """Whether it is a folder with `.nfo` files, or an `.xml` file."""
    path = Path(source).expanduser()
    if path.is_file():
        return path.suffix.lower() in (".xml", ".nfo")
    if not path.is_dir():
        return False
    for count, one in enumerate(path.rglob("*")):
        if one.suffix.lower() == ".nfo":
            return True
        if count > _LOOKED_AT:
            break
    return False


def read(source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:  # noqa: ARG001  likewise
    """The works that the files tell; media files that none tells of are known by their names.

    A `.nfo` file that is damaged counts as none.
    """
    path = Path(source).expanduser()
    if path.is_file():
        yield from _exported(path)
        return
    media = media_files(path)
    expect(len(media))
    left = dict.fromkeys(media)
    by_stem = {one.with_suffix(""): one for one in media}
    for nfo in sorted(path.rglob("*")):
        if nfo.suffix.lower() == ".nfo" and nfo.is_file():
            beside = _beside(nfo, by_stem)
            for work in _told(nfo):
                for one in beside:
                    left.pop(one, None)
                yield _with_files(work, beside if work.kind != "show" else [])
    yield from map(work_of, left)


def _beside(nfo: Path, by_stem: dict[Path, Path]) -> list[Path]:
    """Media files of which a `.nfo` file tells: of its name, or for `movie.nfo` all in its folder."""
    if one := by_stem.get(nfo.with_suffix("")):
        return [one]
    if nfo.stem.lower() == "movie":
        return [one for one in by_stem.values() if one.parent == nfo.parent]
    return []


def _told(nfo: Path) -> Iterator[Work]:
    """The works in one file: a file of several episodes holds one root after the other, and some end in an address."""
    try:
        with nfo.open("rb") as file:
            content = file.read(_MOST)
    except OSError:
        return
    for root in _ROOTS:
        for match in re.finditer(rf"<{root}[\s>].*?</{root}>".encode(), content, re.DOTALL):
            try:
                # A root element alone has no document type whose entities could unfold.
                yield _work(fromstring(match[0]))  # noqa: S314
            except ParseError:
                continue


def _exported(path: Path) -> Iterator[Work]:
    """The works of an export, one after the other."""
    if path.stat().st_size > _MOST_EXPORTED:
        raise ImportProblem(f"{path}: is larger than {_MOST_EXPORTED >> 30} GiB; export it in separate files")
    depth = 0
    try:
        with path.open("rb") as file:
            if not _has_no_document_type(file.read(_HEAD)):
                raise ImportProblem(f"{path}: does not begin like Kodi's export; choose its videodb.xml")
            file.seek(0)
            for event, element in iterparse(file, ("start", "end")):  # noqa: S314 - see above
                if element.tag not in _ROOTS:
                    continue
                depth += 1 if event == "start" else -1
                if event == "end" and not depth:
                    yield _with_files(_work(element), [])
                    element.clear()
    except ParseError as error:
        raise ImportProblem(f"{path}: is damaged in line {error.position[0]}; export it again") from None


def _has_no_document_type(head: bytes) -> bool:
    """Whether the root element comes first: a document type could unfold entities without end."""
    root = re.search(rb"<[A-Za-z]", head)
    return bool(root) and b"<!DOCTYPE" not in head


def _work(root: Element) -> Work:
    def text(name: str) -> str:
        return (root.findtext(name) or "").strip()

    def whole(name: str) -> int | None:
        return _whole(text(name))

    year = whole("year") or _whole((text("premiered") or text("aired") or text("releasedate"))[:4])
    ids = [f"{one.get('type') or ''}://{(one.text or '').strip()}" for one in root.iter("uniqueid")]
    ids += [text(name) for name in ("imdbid", "id", "musicbrainzalbumid", "musicbrainzartistid")]
    ids += [f"{name}://{number}" for name in ("tmdb", "tvdb") if (number := text(f"{name}id"))]
    return Work(
        kind=_ROOTS[root.tag],
        title=text("title") or text("name"),
        original=text("originaltitle"),
        series=text("showtitle"),
        season=whole("season"),
        episode=whole("episode"),
        year=year,
        ids=tuple(filter(None, ids)),
        pictures=tuple(filter(None, ((one.text or "").strip() for one in root.iter("thumb")))),
        files=(_streams(root, text("filenameandpath") or text("original_filename")),),
    )


def _streams(root: Element, path: str) -> MediaFile:
    """What `fileinfo` tells."""

    def text(name: str) -> str:
        return (root.findtext(f"fileinfo/streamdetails/{name}") or "").strip()

    seconds = _whole(text("video/durationinseconds"))
    return MediaFile(
        path=path,
        duration=float(seconds) if seconds else None,
        bitrate=_whole(text("video/bitrate")),
        width=_whole(text("video/width")),
        height=_whole(text("video/height")),
        container=path.rpartition(".")[2].lower() if path.rpartition(".")[2].lower() in MEDIA else "",
        video_codec=text("video/codec"),
        audio_codec=text("audio/codec"),
    )


def _with_files(work: Work, paths: list[Path]) -> Work:
    """A work with the files that are there; without a path, one that says nothing is none."""
    told = work.files[0]
    if not paths:
        return replace(work, files=(told,) if told != MediaFile() and work.kind != "show" else ())
    return replace(
        work,
        files=tuple(
            replace(told, path=one.path, size=one.size, container=one.container, moviehash=one.moviehash)
            for one in map(described, paths)
        ),
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
