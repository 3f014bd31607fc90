"""What is reported of films -> by how many titles it is shared, and what would have to be coarser."""

from __future__ import annotations

import functools
import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.film_model import (
    CATALOGUES,
    DETAILS,
    OTHERS,
    USUAL,
    Cell,
    Detail,
    Kind,
    Model,
    Range,
    account,
    catalogue,
    series,
    share,
    size_class,
    titles,
)
from analysis.grid import Candidate, rounded, stands_for
from analysis.known.library import LibraryFile
from analysis.pipeline import Result
from analysis.quantities import Beside, Number, numbers, record

ENOUGH = 10
"""A film that shares what is reported with so many titles is not named by it."""

MOST_FILMS = 0.95
"""Share of the films that a rounding must hide."""

_NAMES = ("media.external_id", "media.file_hash", "media.title", "media.file_path_or_name", "media.url")
"""Items that name the film, so that rounding does not matter."""

_PERSON = ("account.id", "account.uuid", "account.email", "account.username", "client.id", "server.machine_id")
"""Items by which all plays of somebody can be put together."""

_LENGTHS: tuple[float, ...] = (1, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_RATES: tuple[float | None, ...] = (1, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, None)
"""Steps that are tried as a remedy: seconds; kilobits a second, `None`: not sent at all."""

_DRAWN = 300
"""Films of the made-up catalogue by which a rounding is judged."""

_SAME_LENGTH = 2.0
"""Seconds by which two files of one film differ in length: nobody can compare more finely."""


@dataclass(frozen=True, slots=True)
class Titles:
    """How many titles share what is reported."""

    catalogue: int
    """Distinct titles in the catalogue."""
    expected: float
    """Expected number with the same, the film itself among them."""
    low: float
    """Lower end of what the models and chance allow."""
    high: float
    """Upper end."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is reported of one film.  Private."""

    cell: Cell
    """As ranges."""
    calls: tuple[int, ...]
    """Calls in which it is reported, ascending."""
    own: int | None
    """Titles of the own library of which the same would be reported; `None` when the library is not known."""
    titles: tuple[Titles, ...]
    """Titles of catalogues, in the order of `CATALOGUES`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Many films together, for one catalogue."""

    catalogue: int
    """Distinct titles in it."""
    median: float
    """Median number of titles that share what is reported of a film."""
    low: float
    """5 % quantile."""
    named: float
    """Share of films that share it with fewer than `ENOUGH`."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The finest rounding that hides 95 % of the films in a catalogue."""

    catalogue: int
    """Distinct titles in it."""
    length: float | None
    """Step of the length in seconds; `None` when no rounding that was tried suffices."""
    bitrate: float | None
    """Step of the bit rate in kilobits a second; `None`: it must not be sent."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one sender tells one recipient about films.  Private."""

    product: str
    """Pack id of the sender; empty when it is not known."""
    entity: str
    """Recipient."""
    sent: tuple[Detail, ...]
    """Parts of the tuple that were sent."""
    shown: tuple[Shown, ...]
    """Different films as they were reported."""
    plays: tuple[Summary, ...]
    """The films that were reported, one summary a catalogue."""
    films: tuple[Summary, ...]
    """Any films, if they are reported like these."""
    series: tuple[tuple[int, tuple[float, ...]], ...]
    """Number of episodes in a row -> places in catalogues where a like row begins, for a series of the usual kind."""
    account: tuple[float, ...]
    """Accounts, among as many as the catalogues have titles, that played films of which the same is reported."""
    weights: tuple[tuple[Detail, float], ...]
    """Parts of the tuple by how many bits they add to the others, the most first."""
    remedies: tuple[Remedy, ...]
    """What would hide the films, one a catalogue."""
    named_by: tuple[str, ...]
    """Items beside the numbers that name the film: rounding does not matter then."""
    linked_by: tuple[str, ...]
    """Items beside the numbers by which all plays can be put together."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How finely lengths and bit rates are reported."""

    duration: Candidate | None
    """Grid in seconds; `None`: none is known, so that the number is taken as it is."""
    bitrate: Candidate | None
    """Grid in kilobits a second, likewise."""


def fingerprint(
    result: Result,
    product: str,
    entity: str,
    calls: Sequence[int],
    steps: Steps,
    library: Sequence[LibraryFile],
) -> Fingerprint | None:
    """What one sender told one recipient in these calls -> how much it tells; `None` when it told nothing of a film."""
    told = _told(result, calls, steps)
    if not told:
        return None
    cells = list(told)
    sent = tuple(d for d in DETAILS if any(getattr(cell, d) for cell in cells))
    shares = {name: share(cells, model) for name, model in _models().items()}
    shown = tuple(
        Shown(
            cell,
            tuple(sorted(told[cell])),
            _own(cell, library) if library else None,
            tuple(_titles(n, [float(of[i]) for of in shares.values()]) for n in CATALOGUES),
        )
        for i, cell in enumerate(cells)
    )
    usual = [float(p) for p in shares[""]]
    any_film = _reported(steps, sent)
    return Fingerprint(
        product=product,
        entity=entity,
        sent=sent,
        shown=shown,
        plays=tuple(_summary(usual, n) for n in CATALOGUES),
        films=tuple(_summary(any_film, n) for n in CATALOGUES),
        series=tuple((m, tuple(titles(series(_row(m, steps, sent)), n) for n in CATALOGUES)) for m in (1, 3, 6)),
        account=tuple(titles(account(cells), n) for n in CATALOGUES),
        weights=_weights(cells, sent),
        remedies=_remedies(sent),
        named_by=_beside(result, calls, _NAMES),
        linked_by=_beside(result, calls, _PERSON),
    )


def _models() -> dict[str, Model]:
    return {"": USUAL, **OTHERS}


def _told(result: Result, calls: Sequence[int], steps: Steps) -> dict[Cell, set[int]]:
    """Calls -> different tuples, and the calls in which each stands."""
    wanted = frozenset(calls)
    events: dict[tuple[int, str], dict[Detail, str | float]] = defaultdict(dict)
    for number in numbers(result, "sent"):
        if number.call in wanted and (detail := _measure(number)):
            events[number.call, record(number.at)].setdefault(detail, number.value)
    for finding in result.findings:
        if finding.item != "media.codec_container" or finding.call not in wanted or finding.direction != "sent":
            continue
        if detail := _format(finding.at):
            events[finding.call, record(finding.at)].setdefault(detail, finding.value.lower())
    beside = Beside(result.findings, ("media.type",))
    found: dict[Cell, set[int]] = defaultdict(set)
    for (call, where), said in events.items():
        episode = "episode" in beside.values(call, f"{where}.x", "media.type")
        if said.get("duration") or said.get("bitrate"):
            found[_cell(said, steps, "episode" if episode else "film")].add(call)
    return found


def _measure(number: Number) -> Detail | None:
    """Which part of the tuple a number is."""
    name = number.at.rpartition(".")[2].lower()
    if number.value <= 0:
        return None
    if number.item == "media.resolution":
        return "resolution" if "width" not in name else None
    named: dict[str, Detail] = {"media.duration": "duration", "media.bitrate": "bitrate"}
    return None if "audio" in name else named.get(number.item)


def _format(at: str) -> Detail | None:
    """Which part of the tuple a text is, by the name of its field."""
    name = at.rpartition(".")[2].lower().replace("_", "")
    named: tuple[tuple[str, Detail], ...] = (
        ("videocodec", "video_codec"),
        ("audiocodec", "audio_codec"),
        ("container", "container"),
    )
    return next((detail for word, detail in named if word in name), None)


def _cell(said: Mapping[Detail, str | float], steps: Steps, kind: Kind) -> Cell:
    length, rate, height = (float(said.get(name, 0)) for name in ("duration", "bitrate", "resolution"))
    return Cell(
        duration=_range(length, steps.duration, _SAME_LENGTH) if length else None,
        bitrate=_range(rate, steps.bitrate, 1.0) if rate else None,
        resolution=size_class(height) if height else "",
        video_codec=str(said.get("video_codec", "")),
        audio_codec=str(said.get("audio_codec", "")),
        container=str(said.get("container", "")),
        kind=kind,
    )


def _range(value: float, grid: Candidate | None, finest: float) -> Range:
    """A reported number -> the exact ones that it may stand for; `finest` is the least width."""
    low, high = stands_for(value, grid) if grid else (value, value)
    room = max(0.0, finest - (high - low)) / 2
    return low - room, high + room


def _own(cell: Cell, library: Sequence[LibraryFile]) -> int:
    """Titles of the own library with a file of which the same would be reported."""
    return len({file.title for file in library if _fits(cell, file)})


def _fits(cell: Cell, file: LibraryFile) -> bool:
    """Whether the same would be reported of a file; what is not known of it speaks for it."""
    return (
        _within(cell.duration, file.duration)
        and _within(cell.bitrate, file.bitrate)
        and (not cell.resolution or not file.height or size_class(file.height) == cell.resolution)
        and all(
            not wanted or not has or wanted == has.lower()
            for wanted, has in (
                (cell.video_codec, file.video_codec),
                (cell.audio_codec, file.audio_codec),
                (cell.container, file.container),
            )
        )
    )


def _within(wanted: Range | None, value: float | None) -> bool:
    return wanted is None or value is None or wanted[0] <= value <= wanted[1]


def _titles(number: int, shares: Sequence[float]) -> Titles:
    """Share of the titles by the usual model and by all others -> how many titles, with the range of models and chance.

    The number of other titles is Poisson's; its range is taken as 1.96 standard deviations.
    """
    low, high = ((number - 1) * edge for edge in (min(shares), max(shares)))
    return Titles(
        number,
        titles(shares[0], number),
        1 + max(0.0, low - 1.96 * math.sqrt(low)),
        1 + high + 1.96 * math.sqrt(high) + (0.5 if high < 1 else 0.0),
    )


def _summary(shares: Sequence[float], number: int) -> Summary:
    every = sorted(titles(p, number) for p in shares)
    return Summary(
        number,
        statistics.median(every),
        every[int(0.05 * (len(every) - 1))],
        sum(k < ENOUGH for k in every) / len(every),
    )


@functools.lru_cache(maxsize=4)
def _drawn() -> tuple[tuple[float, float, Cell], ...]:
    return tuple(catalogue(_DRAWN))


def _reported(steps: Steps, sent: Sequence[Detail]) -> list[float]:
    """Films of the made-up catalogue, reported like those that were seen -> share of titles like each."""
    cells = []
    for length, rate, cell in _drawn():
        said = replace(
            cell,
            duration=_range(_snapped(length, steps.duration), steps.duration, _SAME_LENGTH),
            bitrate=_range(_snapped(rate, steps.bitrate), steps.bitrate, 1.0),
        )
        cells.append(_only(said, sent))
    return [float(p) for p in share(cells)]


def _snapped(value: float, grid: Candidate | None) -> float:
    return float(rounded([value], grid)[0]) if grid and grid.step else value


def _only(cell: Cell, sent: Sequence[Detail]) -> Cell:
    for detail in DETAILS:
        if detail not in sent:
            cell = cell.without(detail)
    return cell


def _row(number: int, steps: Steps, sent: Sequence[Detail]) -> list[Cell]:
    """Episodes in a row of a series of the usual kind: 43 minutes, a minute more or less, in 1080 lines."""
    row = []
    for n in range(number):
        length = 43 * 60 + 40 * (-1) ** n
        cell = Cell(
            _range(_snapped(length, steps.duration), steps.duration, _SAME_LENGTH),
            _range(_snapped(4_000, steps.bitrate), steps.bitrate, 1.0),
            "1080",
            "h264",
            "aac",
            "mkv",
            "episode",
        )
        row.append(_only(cell, sent))
    return row


def _weights(cells: Sequence[Cell], sent: Sequence[Detail]) -> tuple[tuple[Detail, float], ...]:
    """By how many bits each part narrows down what the others leave, on the average of the films."""
    whole = share(cells)
    bits: list[tuple[Detail, float]] = []
    for detail in sent:
        without = share([cell.without(detail) for cell in cells])
        bits.append((detail, sum(map(math.log2, without / whole)) / len(cells)))
    return tuple(sorted(bits, key=lambda pair: -pair[1]))


@functools.lru_cache(maxsize=32)
def _remedies(sent: tuple[Detail, ...]) -> tuple[Remedy, ...]:
    """For each catalogue the rounding that takes the least away and hides 95 % of its films."""
    rates = _RATES if "bitrate" in sent else (None,)
    tried: list[tuple[float, float, float | None, list[float]]] = []
    for length, rate in itertools.product(_LENGTHS if "duration" in sent else (1.0,), rates):
        steps = Steps(Candidate("fixed", length, "nearest"), Candidate("fixed", rate, "nearest") if rate else None)
        parts = tuple(d for d in sent if d != "bitrate" or rate)
        lost = math.log2(length) + (math.log2(rate) if rate else math.log2(40_000))
        tried.append((lost, length, rate, sorted(_reported(steps, parts))))
    tried.sort(key=lambda one: one[0])
    found = []
    for number in CATALOGUES:
        enough = (ENOUGH - 1) / (number - 1)
        fitting = (t for t in tried if t[3][int((1 - MOST_FILMS) * len(t[3]))] >= enough)
        best = next(fitting, None)
        found.append(Remedy(number, best[1] if best else None, best[2] if best else None))
    return tuple(found)


def _beside(result: Result, calls: Sequence[int], items: Sequence[str]) -> tuple[str, ...]:
    """Which of these items stand in the same calls."""
    wanted = frozenset(calls)
    there = {f.item for f in result.findings if f.call in wanted and f.direction == "sent"}
    return tuple(item for item in items if item in there)
