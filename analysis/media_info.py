"""What the own server answers about films -> their exact numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.decode import decode
from analysis.known.library import LibraryFile
from analysis.model import Classified, Finding
from analysis.pipeline import Result
from analysis.plays import Reading, server_calls, short_key
from analysis.quantities import Number, numbers, part, record
from captures.model import Exchange

_IDS = ("ratingKey", "Id", "ItemId", "id")
"""Names of the field that holds the number of a film in answers, the surest first."""

_DETAILS = {"videoCodec": "video_codec", "audioCodec": "audio_codec", "container": "container"}
"""Field of an answer -> field of `LibraryFile`."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of one film of the own library.  Private."""

    key: str
    """Its number in the library."""
    numbers: Mapping[tuple[str, str], tuple[Reading, ...]]
    """Item and side -> exact numbers, one for each version of the film."""
    details: Mapping[str, str] = field(default_factory=dict)
    """`video_codec`, `audio_codec`, `container`, as far as they are known."""

    def one(self, item: str, side: str = "") -> float | None:
        """The exact number, or `None` when none is known or its versions differ."""
        values = {reading.value for reading in self.numbers.get((item, side), ())}
        return values.pop() if len(values) == 1 else None


def films(result: Result) -> Mapping[str, Film]:
    """Result -> number in the library -> what own servers answered about it; the last answer counts."""
    calls = server_calls(result)
    told: dict[int, list[Number]] = defaultdict(list)
    for number in numbers(result, "received"):
        if number.call in calls and number.item.startswith("media.") and number.value > 0:
            told[number.call].append(number)
    beside: dict[int, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        if finding.call in told and finding.item in ("media.library_key", "media.codec_container"):
            beside[finding.call].append(finding)
    found: dict[str, Film] = {}
    for n, some in told.items():
        for film in _films(calls[n], some, beside[n]):
            found[film.key] = film
    return found


def _films(call: Classified, told: Sequence[Number], beside: Sequence[Finding]) -> list[Film]:
    """The films of one answer."""
    seen = call.observation
    roots: dict[str, list[Number]] = defaultdict(list)
    for number in sorted(told, key=lambda number: len(record(number.at))):
        where = record(number.at)
        root = next((r for r in roots if not r or where == r or where.startswith((r + ".", r + "["))), where)
        roots[root].append(number)
    asked = {short_key(f.value) for f in beside if f.item == "media.library_key" and f.direction == "sent"}
    keys = dict.fromkeys(roots, asked.pop()) if len(roots) == 1 and len(asked) == 1 else _keys(seen, roots)
    return [
        Film(
            keys[root],
            {
                which: tuple(
                    Reading(n.call, n.at, seen.time or 0.0, n.value, n.quantum) for n in _shallowest(some, which)
                )
                for which in {(n.item, part(n)) for n in some}
            },
            _details(root, beside),
        )
        for root, some in roots.items()
        if root in keys
    ]


def _keys(seen: object, roots: Mapping[str, object]) -> dict[str, str]:
    """Where films stand in an answer -> their numbers in the library."""
    if not isinstance(seen, Exchange):
        return {}
    leaves = {leaf.at: leaf.value for leaf in decode(seen).leaves if leaf.at.startswith("response.")}
    return {
        root: key
        for root in roots
        if (
            key := next(
                (
                    leaves[f"{root or 'response.body'}.{name}"]
                    for name in _IDS
                    if f"{root or 'response.body'}.{name}" in leaves
                ),
                "",
            )
        )
    }


def _shallowest(some: Sequence[Number], which: tuple[str, str]) -> list[Number]:
    """Of the numbers of one kind those of the film or file; those of its streams stand deeper."""
    of = [n for n in some if (n.item, part(n)) == which]
    level = min(n.at.count(".") for n in of)
    return [n for n in of if n.at.count(".") == level]


def _details(root: str, beside: Sequence[Finding]) -> dict[str, str]:
    """Codecs and container of the first version."""
    found: dict[str, str] = {}
    for finding in beside:
        name = _DETAILS.get(finding.at.rpartition(".")[2], "")
        if name and finding.item == "media.codec_container" and finding.at.startswith(root or "response.body"):
            found.setdefault(name, finding.value)
    return found


def files(known: Mapping[str, Film]) -> tuple[LibraryFile, ...]:
    """Films -> their numbers in the form of an imported library."""
    return tuple(
        LibraryFile(
            title=n,
            duration=film.one("media.duration"),
            bitrate=_whole(film.one("media.bitrate")),
            width=_whole(film.one("media.resolution", "width")),
            height=_whole(film.one("media.resolution", "height")),
            size=_whole(film.one("media.size")),
            container=film.details.get("container", ""),
            video_codec=film.details.get("video_codec", ""),
            audio_codec=film.details.get("audio_codec", ""),
        )
        for n, film in enumerate(known.values())
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
