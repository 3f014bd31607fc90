"""A made-up catalogue of films: how likely a film has a given length, bit rate, format and size of picture.

What is assumed, with its sources, is docs/statistics.md; every figure stands in the tables below.  The answers are
orders of magnitude: they say whether a tuple is shared by one film, by dozens or by thousands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Numbers = NDArray[np.float64]

type Range = tuple[float, float]
"""Lower and upper end."""

type Kind = Literal["film", "episode"]
"""What is played."""

type Detail = Literal["duration", "bitrate", "resolution", "video_codec", "audio_codec", "container"]
"""One part of what is reported of a film."""

DETAILS: tuple[Detail, ...] = ("duration", "bitrate", "resolution", "video_codec", "audio_codec", "container")

CATALOGUES = (1_000, 10_000, 100_000, 1_000_000)
"""Numbers of distinct titles from a small library to everything that was ever catalogued."""

_RARE = 0.005
"""Share of what the tables do not name."""

_RESOLUTIONS: Mapping[str, float] = {"2160": 0.12, "1080": 0.55, "720": 0.18, "sd": 0.15}

_VIDEO: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "2160": {"hevc": (0.85, 18_000, 0.7), "av1": (0.1, 9_000, 0.6), "h264": (0.05, 25_000, 0.6)},
    "1080": {"h264": (0.65, 8_000, 0.75), "hevc": (0.31, 4_000, 0.7), "av1": (0.04, 3_000, 0.6)},
    "720": {"h264": (0.8, 3_200, 0.5), "hevc": (0.17, 1_500, 0.5), "mpeg4": (0.03, 3_000, 0.5)},
    "sd": {
        "h264": (0.45, 1_400, 0.5),
        "mpeg4": (0.25, 1_200, 0.4),
        "mpeg2video": (0.25, 5_000, 0.35),
        "hevc": (0.05, 800, 0.5),
    },
}
"""Size of the picture -> codec -> its share, the median bit rate in kilobits a second, the spread of its logarithm."""

_AUDIO: Mapping[str, Mapping[str, float]] = {
    "2160": {"eac3": 0.35, "truehd": 0.25, "dca": 0.12, "ac3": 0.1, "aac": 0.12, "opus": 0.03, "flac": 0.02},
    "1080": {"aac": 0.32, "ac3": 0.26, "eac3": 0.2, "dca": 0.13, "truehd": 0.03, "opus": 0.03, "flac": 0.02},
    "720": {"aac": 0.55, "ac3": 0.3, "eac3": 0.08, "dca": 0.03, "mp3": 0.03},
    "sd": {"aac": 0.4, "ac3": 0.33, "mp3": 0.22, "mp2": 0.04},
}

_CONTAINERS: Mapping[str, Mapping[str, float]] = {
    "h264": {"mkv": 0.66, "mp4": 0.32, "mpegts": 0.01},
    "hevc": {"mkv": 0.82, "mp4": 0.17},
    "av1": {"mkv": 0.8, "mp4": 0.15, "webm": 0.04},
    "mpeg4": {"avi": 0.88, "mkv": 0.08, "mp4": 0.03},
    "mpeg2video": {"mkv": 0.55, "mpegts": 0.25, "mpeg": 0.19},
}


@dataclass(frozen=True, slots=True)
class Model:
    """What is assumed, apart from the tables of formats."""

    median: float = 103 * 60
    """Median length of a film, in seconds."""
    spread: float = 0.2
    """Spread of the logarithm of a film's length."""
    releases: float = 4
    """Different files that go round of one title."""
    bitrates: float = 1.0
    """Factor of the spread of bit rates."""
    within_series: float = 75.0
    """By how many seconds the episodes of a series differ in length."""
    played: int = 100
    """Films that one account plays."""


USUAL = Model()
"""The model that answers are given by."""

OTHERS: Mapping[str, Model] = {
    "lengths as in 1,209 films with a release in cinemas": replace(USUAL, median=107 * 60, spread=0.175),
    "lengths that differ more": replace(USUAL, spread=0.26),
    "one file of each title": replace(USUAL, releases=1),
    "twenty files of each title": replace(USUAL, releases=20),
    "bit rates that differ less": replace(USUAL, bitrates=0.6),
    "bit rates that differ more": replace(USUAL, bitrates=1.5),
}
"""What else may be true: the answers' range covers all of these."""

_UNUSUAL = ((0.05, 14 * 60, 0.7), (0.03, 180 * 60, 0.3))
"""Share, median and spread of the logarithm of the lengths of short and of very long films, in seconds."""

_EPISODES = ((0.45, 22.5 * 60, 100.0), (0.42, 43 * 60, 180.0), (0.13, 58 * 60, 360.0))
"""Share, mean and spread of the lengths of episodes, in seconds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is reported of one film: ranges for numbers that may be rounded; `None` or empty for what is not sent."""

    duration: Range | None = None
    """Seconds."""
    bitrate: Range | None = None
    """Kilobits a second."""
    resolution: str = ""
    """Key of the table of sizes: `2160`, `1080`, `720`, `sd`."""
    video_codec: str = ""
    """In lower case."""
    audio_codec: str = ""
    """Likewise."""
    container: str = ""
    """Likewise."""
    kind: Kind = "film"
    """What is played."""

    def without(self, detail: Detail) -> Cell:
        """The same without one part."""
        return replace(self, **{detail: None if detail in ("duration", "bitrate") else ""})  # type: ignore[arg-type]  # one of its fields


def size_class(height: float) -> str:
    """Height of a picture in pixels -> key of the table of sizes.  Wide films are cut: 800 lines are 1080.

    >>> [size_class(h) for h in (2160, 1606, 1080, 800, 720, 544, 480)]
    ['2160', '2160', '1080', '1080', '720', '720', 'sd']
    """
    return "2160" if height > 1_200 else "1080" if height > 720 else "720" if height > 500 else "sd"


def share(cells: Sequence[Cell], model: Model = USUAL) -> Numbers:
    """What is reported of films -> share of the titles of a catalogue of which the same may be reported.

    A title fits if its length does and one of its files fits the rest.
    """
    import numpy as np

    return np.array([_length(cell, model) * _some_file(cell, model) for cell in cells])


def _length(cell: Cell, model: Model) -> float:
    if cell.duration is None:
        return 1.0
    low, high = cell.duration
    if cell.kind == "episode":
        return sum(part * (_phi((high - mean) / sd) - _phi((low - mean) / sd)) for part, mean, sd in _EPISODES)
    usual = 1 - sum(part for part, _, _ in _UNUSUAL)
    return usual * _log_normal(low, high, model.median, model.spread) + sum(
        part * _log_normal(low, high, median, spread) for part, median, spread in _UNUSUAL
    )


def _some_file(cell: Cell, model: Model) -> float:
    one = 0.0
    for size, part in _RESOLUTIONS.items():
        if cell.resolution not in ("", size):
            continue
        sound = _of(_AUDIO[size], cell.audio_codec)
        for codec, (often, median, spread) in _VIDEO[size].items():
            if cell.video_codec in ("", codec):
                fits = often
            elif cell.video_codec not in _VIDEO[size]:
                fits = _RARE * often
            else:
                continue
            box = _of(_CONTAINERS[codec], cell.container)
            rate = _log_normal(*cell.bitrate, median, spread * model.bitrates) if cell.bitrate else 1.0
            one += part * sound * fits * box * rate
    return -math.expm1(model.releases * math.log1p(-min(one, 1 - 1e-12)))


def _of(table: Mapping[str, float], name: str) -> float:
    return table.get(name, _RARE) if name else 1.0


def _log_normal(low: float, high: float, median: float, spread: float) -> float:
    return (
        _phi(math.log(high / median) / spread) - (_phi(math.log(low / median) / spread) if low > 0 else 0.0)
        if high > 0
        else 0.0
    )


def _phi(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def series(cells: Sequence[Cell], model: Model = USUAL) -> float:
    """Episodes of one series in their order -> share of the places in a catalogue where a like row begins.

    The episodes of a series are alike: what the first one tells, the others tell again, but for their lengths and bit
    rates, which differ a little.
    """
    if not cells:
        return 1.0
    total = float(share(cells[:1], model)[0])
    first = cells[0]
    for cell in cells[1:]:
        if cell.duration and first.duration:
            middle, sd = sum(first.duration) / 2, model.within_series * math.sqrt(2)
            total *= _phi((cell.duration[1] - middle) / sd) - _phi((cell.duration[0] - middle) / sd)
        if cell.bitrate and first.bitrate:
            middle = max(sum(first.bitrate) / 2, 1.0)
            total *= _log_normal(*cell.bitrate, middle, 0.15 * math.sqrt(2) * model.bitrates)
    return total


def account(cells: Sequence[Cell], model: Model = USUAL) -> float:
    """Different films that one account played -> share of accounts that played films of which the same is reported."""
    logs = [model.played * math.log1p(-min(float(p), 1 - 1e-12)) for p in share(cells, model)]
    return math.exp(sum(math.log(max(-math.expm1(x), 1e-300)) for x in logs))


def titles(part: float, catalogue: int) -> float:
    """Share of a catalogue -> expected number of titles, with the one that was played."""
    return 1 + (catalogue - 1) * part


def catalogue(number: int, model: Model = USUAL, seed: int = 1) -> list[tuple[float, float, Cell]]:
    """Films drawn from the model: length in seconds, bit rate, and everything else that is reported of them."""
    import numpy as np

    draw = np.random.default_rng(seed)
    found = []
    kind = draw.random(number)
    median, spread = np.full(number, model.median), np.full(number, model.spread)
    for part, middle, wide in _UNUSUAL:
        median, spread = np.where(kind < part, middle, median), np.where(kind < part, wide, spread)
        kind -= part
        kind[kind < 0] = 1.0
    for length in median * np.exp(spread * draw.standard_normal(number)):
        size = _pick(draw.random(), _RESOLUTIONS)
        codec = _pick(draw.random(), {name: often for name, (often, _, _) in _VIDEO[size].items()})
        _, usual, wide = _VIDEO[size][codec]
        rate = usual * math.exp(wide * model.bitrates * draw.standard_normal())
        sound, box = _pick(draw.random(), _AUDIO[size]), _pick(draw.random(), _CONTAINERS[codec])
        found.append((float(length), rate, Cell(None, None, size, codec, sound, box)))
    return found


def _pick(chance: float, table: Mapping[str, float]) -> str:
    """A name of a table, each as often as its share; what the table leaves over goes to the first."""
    for name, part in table.items():
        chance -= part
        if chance < 0:
            return name
    return next(iter(table))
