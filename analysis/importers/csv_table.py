"""A table with one file or title a row: CSV with commas, semicolons or tabs, with headings in the first row."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from analysis.importers.access import Access, ImportProblem
from analysis.known import MediaFile, Work

ABOUT = "a table (.csv, .tsv) with headings such as title, year, file, imdb, duration, size"

_COLUMNS = {
    "title": ("title", "name", "movie", "film", "titel"),
    "original": ("originaltitle", "original"),
    "series": ("series", "show", "showtitle", "grandparenttitle", "seriesname", "artist", "albumartist"),
    "season": ("season", "seasonnumber", "parentmediaindex"),
    "episode": ("episode", "episodenumber", "mediaindex"),
    "year": ("year", "releaseyear", "jahr"),
    "kind": ("type", "kind", "mediatype"),
    "path": ("file", "path", "filename", "filepath", "location", "datei"),
    "duration": ("duration", "runtimeseconds", "length"),
    "minutes": ("runtime", "minutes", "durationminutes"),
    "bitrate": ("bitrate",),
    "width": ("width",),
    "height": ("height",),
    "size": ("size", "filesize", "sizeondisk"),
    "container": ("container",),
    "video_codec": ("videocodec",),
    "audio_codec": ("audiocodec",),
    "moviehash": ("moviehash", "oshash"),
    "picture": ("poster", "posterurl", "image", "thumb"),
}
"""What a row may say -> headings for it, without case and separators."""

_IDS = {"imdb": "imdb", "imdbid": "imdb", "tmdb": "tmdb", "tmdbid": "tmdb", "tvdb": "tvdb", "tvdbid": "tvdb",
        "guid": "", "guids": "", "id": "", "musicbrainz": "musicbrainz"}  # fmt: skip

_MILLISECONDS = 36_000
"""A number from here on, ten hours, is in milliseconds."""

_BITS = 400_000
"""A bitrate from here on is in bits a second, not in kilobits."""


def recognises(source: str, access: Access) -> bool:  # noqa: ARG001  an importer's signature
    """Whether it is a file whose name ends like a table's."""
    return Path(source).suffix.lower() in (".csv", ".tsv", ".txt") and Path(source).expanduser().is_file()


def read(source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:  # noqa: ARG001  likewise
    """One work a row.  A number that is none is left out, a row without title and file too.

    `duration` is in seconds (from 36,000 on in milliseconds) or `1:45:30`, `runtime` in minutes, `bitrate` in kbit/s,
    `size` in bytes.
    """
    path = Path(source).expanduser()
    if not path.is_file():
        raise ImportProblem(f"{source}: there is no such file; check the path")
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            head = file.readline(1 << 16)
            file.seek(0)
            delimiter = max(",;\t|", key=head.count)
            rows = csv.reader(file, delimiter=delimiter)
            columns = _columns(next(rows, []))
            if not {"title", "path"} & set(columns.values()):
                raise ImportProblem(f"{source}: its first row names no column title or file; add such headings")
            for row in rows:
                cells = [(columns.get(number, ""), cell.strip()) for number, cell in enumerate(row)]
                if work := _work([(name, cell) for name, cell in cells if name and cell]):
                    yield work
    except csv.Error as error:
        raise ImportProblem(f"{source}: line {rows.line_num}: {error}; save it as CSV again") from None


def _encoding(path: Path) -> str:
    """UTF-16 where the file says so, else UTF-8, else what Windows writes."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: max(0, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return "cp1252"
    return "utf-8-sig"


def _columns(headings: list[str]) -> Mapping[int, str]:
    """Number of a column -> what it says, or `id:` and the name of the ids."""
    meant = {heading: name for name, headings in _COLUMNS.items() for heading in headings}
    found: dict[int, str] = {}
    for number, heading in enumerate(headings):
        plain = re.sub(r"[\W_]", "", heading.lower())
        if plain in _IDS:
            found[number] = f"id:{_IDS[plain]}"
        elif (name := meant.get(plain)) and name not in found.values():
            found[number] = name
    return found


def _work(cells: list[tuple[str, str]]) -> Work | None:
    row = dict(cells)
    if not row.get("title") and not row.get("path"):
        return None
    bits = _number(row.get("bitrate", ""))
    seconds = _seconds(row.get("duration", ""))
    minutes = _number(row.get("minutes", ""))
    file = MediaFile(
        path=row.get("path", ""),
        duration=seconds if seconds else minutes * 60 if minutes else None,
        bitrate=round(bits / 1000 if bits >= _BITS else bits) if bits else None,
        width=_whole(row.get("width", "")),
        height=_whole(row.get("height", "")),
        size=_whole(row.get("size", "")),
        container=row.get("container", ""),
        video_codec=row.get("video_codec", ""),
        audio_codec=row.get("audio_codec", ""),
        moviehash=row.get("moviehash", "").lower(),
    )
    return Work(
        kind=row.get("kind", "movie"),
        title=row.get("title", ""),
        original=row.get("original", ""),
        series=row.get("series", ""),
        season=_whole(row.get("season", "")),
        episode=_whole(row.get("episode", "")),
        year=_whole(row.get("year", "")[:4]),
        ids=tuple(f"{name[3:]}://{cell}" if name != "id:" else cell for name, cell in cells if name.startswith("id:")),
        pictures=(row["picture"],) if "picture" in row else (),
        files=(file,) if file != MediaFile() else (),
    )


def _number(text: str) -> float | None:
    """A positive number, with a decimal point or comma."""
    match = re.fullmatch(r"([0-9]{1,15})(?:[.,]([0-9]{1,6}))?(?: *(?:kbps|kb/s|kbit/s))?", text)
    return float(f"{match[1]}.{match[2] or 0}") or None if match else None


def _whole(text: str) -> int | None:
    number = _number(text)
    return round(number) if number else None


def _seconds(text: str) -> float | None:
    if match := re.fullmatch(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:\.\d+)?", text):
        return int(match[1] or 0) * 3600.0 + int(match[2]) * 60 + int(match[3])
    number = _number(text)
    return number / 1000 if number and number >= _MILLISECONDS else number
