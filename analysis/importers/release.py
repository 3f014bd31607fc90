"""The name of a media file -> title and year, as people and programs write them."""

from __future__ import annotations

import re
from typing import NamedTuple

MEDIA = frozenset(
    {"mkv", "mp4", "m4v", "avi", "mov", "ts", "m2ts", "mts", "wmv", "webm", "iso", "mpg", "mpeg", "vob", "flv", "ogv",
     "mp3", "flac", "m4a", "m4b", "ogg", "opus", "wav", "aac", "wma", "aiff", "alac"}
)  # fmt: skip
"""How names of media files end."""

_EPISODE = re.compile(
    r"(?P<series>.*?)[\W_]*\b(?:s(?P<s>\d{1,4})[ ._-]*e(?P<e>\d{1,4})(?:-?e\d{1,4})*|(?P<x>\d{1,2})x(?P<y>\d{2,3}))\b"
    r"[\W_]*(?P<title>.*)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?P<title>.+?)[ ._]*[\[(._ ](?P<year>(?:19|20)\d\d)(?=[\])._ -]|$)")
_TAGS = re.compile(
    r"[ ._\[({-]+(?:\d{3,4}[pi]|4k|uhd|blu-?ray|b[dr]rip|web(?:-?dl|rip)?|hdtv|dvd(?:rip)?|[xh][ .]?26[45]|hevc|av1|"
    r"remux|proper|repack|extended|unrated|imdb|tmdb|tvdb)\b.*\Z",
    re.IGNORECASE,
)
_LONGEST = 255
"""Bytes that a file system allows in a name; also the patterns are only tried on so much."""


class Named(NamedTuple):
    """What the name of a file says."""

    title: str
    """Of the film or episode; of an episode that has none the empty string."""
    year: int | None
    """Of its release."""
    series: str
    """Of an episode, else empty."""
    season: int | None
    """Of an episode."""
    episode: int | None
    """Of an episode."""


def named(stem: str) -> Named:
    """A file name without its ending -> what it says.

    >>> named("The.Zorblax.Uprising.2017.1080p.BluRay.x264-GRP")
    Named(title='The Zorblax Uprising', year=2017, series='', season=None, episode=None)
    >>> named("Quiet Meridian - S01E02 - Copper Harbour [720p]")
    Named(title='Copper Harbour', year=None, series='Quiet Meridian', season=1, episode=2)
    >>> named("2001 A Space Odyssey (1968)")
    Named(title='2001 A Space Odyssey', year=1968, series='', season=None, episode=None)
    """
    stem = stem[:_LONGEST]
    if match := _EPISODE.fullmatch(stem):
        season, episode = int(match["s"] or match["x"]), int(match["e"] or match["y"])
        series = _YEAR.match(match["series"])
        return Named(
            _plain(match["title"]), None, _plain(series["title"] if series else match["series"]), season, episode
        )
    if match := _YEAR.match(stem):
        return Named(_plain(match["title"]), int(match["year"]), "", None, None)
    return Named(_plain(stem), None, "", None, None)


def _plain(text: str) -> str:
    """Without what tells the release, and with spaces."""
    text = _TAGS.sub("", " " + text)
    if " " not in text.strip():
        text = re.sub(r"[._]", " ", text)
    return " ".join(text.split()).strip(" -_[](){}")
