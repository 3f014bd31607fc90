"""Result -> were the numbers rounded, and what do they still tell?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis import texts
from analysis.at import normalise
from analysis.fingerprint import Fingerprint, Steps, fingerprint
from analysis.grid import Candidate, Fit, GridKind, Mode, Rounding, alone, fit, scaled
from analysis.known.library import LibraryFile
from analysis.media_info import files
from analysis.pairs import Pair, Paired, Rejected, pairs
from analysis.pipeline import Result
from analysis.quantities import KINDS, PAIRED, UNITS, Number
from analysis.traffic import recipient

_LEAST = 10.0
"""Numbers below it, without partners, are counts of something and no quantity that anybody rounds."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of number that one sender tells one recipient.  Private."""

    product: str
    """Pack id of the sender; empty when it is not known."""
    entity: str
    """Recipient."""
    item: str
    """Id in `items.toml`."""
    at: str
    """Place in the calls; `*` for positions of a list."""
    unit: str
    """Unit as it was sent: `s`, `ms`, `kbps`, …; empty when it is not known."""
    verdict: Rounding
    """Whether it was rounded."""
    step: float | None
    """Step in `unit`; of significant digits their number, of powers of two 2; `None` while several grids fit."""
    mode: Mode | None
    """Which neighbour is taken; `None` while that is not known."""
    grid: GridKind | None
    """Family of the grid; `None` when none is known."""
    alternatives: tuple[Candidate, ...]
    """All grids that fit, while they are several, the likeliest first."""
    pooled: Candidate | None
    """What all quantities of this kind at this recipient say together if they share one step: a hypothesis."""
    reason: str
    """One or more sentences for a layman.  They hold no captured value."""
    pairs: int
    """Distinct exact values with a reported one."""
    shown: tuple[Pair, ...]
    """The pairs, in the order of the calls, in units of the kind (seconds, kilobits a second, bytes, pixels)."""
    outliers: tuple[Pair, ...]
    """Of these, those that lie off the grid."""
    rejected: tuple[Rejected, ...]
    """Reported numbers without a partner."""
    numbers: tuple[float, ...]
    """All distinct reported numbers, in `unit`, ascending."""
    calls: tuple[int, ...]
    """Calls in which it was reported, ascending."""
    missing: int | None
    """Estimated number of further distinct pairs that would leave one grid; `None`: not estimated."""
    uncertainty: float
    """Median uncertainty of its pairs, in `unit`."""
    quantum: float
    """Smallest difference that it can show, in `unit`."""

    @property
    def best(self) -> Candidate | None:
        """The grid to go by: its own, or else the one of the hypothesis."""
        own = Candidate(self.grid, self.step, self.mode) if self.grid and not self.alternatives else None
        return own or self.pooled


@dataclass(frozen=True, slots=True)
class Generalised:
    """Everything that the numbers say.  Private."""

    quantities: tuple[Quantity, ...]
    """By sender, recipient, item and place."""
    fingerprints: tuple[Fingerprint, ...]
    """What is reported of films, by sender and recipient."""
    library: int
    """Files of the own library whose numbers are known."""


def generalise(result: Result, library: Sequence[LibraryFile] = ()) -> Generalised:
    """Result -> for each quantity that went to somebody else, whether it was rounded and to which step.

    `library` are the numbers of the own library, if it was imported; else what own servers answered in the captures
    stands for it.  Without numbers: no quantities.
    """
    paired = pairs(result)
    library = tuple(library) or files(paired.films)
    calls = {call.n: call for call in result.calls}
    groups: dict[tuple[str, str, str, str], list[Number]] = defaultdict(list)
    for number in paired.reported:
        call = calls[number.call]
        groups[call.product, recipient(call), number.item, normalise(number.at)].append(number)
    found = [
        _quantity(key, numbers, paired, library)
        for key, numbers in sorted(groups.items())
        if any((n.call, n.at) in paired.pairs for n in numbers) or _is_quantity(numbers)
    ]
    quantities = _pooled(found)
    return Generalised(quantities, _fingerprints(result, quantities, library), len(library))


def _fingerprints(
    result: Result, quantities: Sequence[Quantity], library: Sequence[LibraryFile]
) -> tuple[Fingerprint, ...]:
    """What each sender tells each recipient of films; where only numbers of plays go, nothing."""
    groups: dict[tuple[str, str], list[Quantity]] = defaultdict(list)
    for quantity in quantities:
        groups[quantity.product, quantity.entity].append(quantity)
    found = []
    for (product, entity), some in groups.items():
        steps = Steps(_grid(some, "media.duration"), _grid(some, "media.bitrate"))
        calls = sorted({n for quantity in some for n in quantity.calls})
        if shown := fingerprint(result, product, entity, calls, steps, library):
            found.append(shown)
    return tuple(found)


def _grid(some: Sequence[Quantity], item: str) -> Candidate | None:
    """The grid of an item in the unit of its kind; what is not known to be rounded is taken as it is."""
    for quantity in some:
        if quantity.item == item and (best := quantity.best):
            return scaled(Fit("rounded", (best,)), _factor(quantity)).candidates[0]
    return None


def _is_quantity(numbers: Sequence[Number]) -> bool:
    return KINDS[numbers[0].item] in PAIRED or any(abs(n.value / n.factor) >= _LEAST for n in numbers)


def _quantity(
    key: tuple[str, str, str, str], numbers: Sequence[Number], paired: Paired, library: Sequence[LibraryFile]
) -> Quantity:
    product, entity, item, at = key
    shown = tuple(paired.pairs[n.call, n.at] for n in numbers if (n.call, n.at) in paired.pairs)
    places = {(n.call, n.at) for n in numbers}
    factor, quantum = numbers[0].factor, min(n.quantum / n.factor for n in numbers)
    distinct = _distinct(shown)
    if distinct:
        found = _fit(distinct, item, factor, quantum)
    else:
        found = alone([n.value / factor for n in numbers], _exact(item, library, factor), quantum=quantum)
    told = found.told
    return Quantity(
        product=product,
        entity=entity,
        item=item,
        at=at,
        unit=numbers[0].unit,
        verdict=found.verdict,
        step=told.step if told else None,
        mode=told.mode if told else None,
        grid=told.grid if told else _common(found.candidates),
        alternatives=() if told else found.candidates,
        pooled=None,
        reason=_reason(found, len({pair.exact for pair in distinct}), numbers[0].unit),
        pairs=len({pair.exact for pair in distinct}),
        shown=shown,
        outliers=tuple(distinct[n] for n in found.outliers),
        rejected=tuple(r for r in paired.rejected if (r.call, r.at) in places),
        numbers=tuple(sorted({n.value / factor for n in numbers})),
        calls=tuple(sorted({n.call for n in numbers})),
        missing=found.missing,
        uncertainty=found.uncertainty,
        quantum=quantum,
    )


def _distinct(shown: Sequence[Pair]) -> list[Pair]:
    """Pairs -> each pair of numbers once, with the smallest uncertainty."""
    kept: dict[tuple[float, float], Pair] = {}
    for pair in shown:
        key = pair.exact, pair.reported
        if key not in kept or pair.uncertainty < kept[key].uncertainty:
            kept[key] = pair
    return list(kept.values())


def _fit(distinct: Sequence[Pair], item: str, factor: float, quantum: float) -> Fit:
    return fit(
        [pair.exact / factor for pair in distinct],
        [pair.reported / factor for pair in distinct],
        [pair.uncertainty / factor for pair in distinct],
        quantum=quantum,
        resolution=max(pair.resolution for pair in distinct) / factor,
        second=1 / factor if item in ("play.watched_time", "play.position_time") else None,
    )


def _exact(item: str, library: Sequence[LibraryFile], factor: float) -> list[float]:
    """How an item's exact values are distributed in the own library."""
    field = {"media.duration": "duration", "media.bitrate": "bitrate", "media.size": "size"}.get(item)
    return [value / factor for file in library if field and (value := getattr(file, field))]


def _common(candidates: Sequence[Candidate]) -> GridKind | None:
    """The family of all candidates, if they are of one."""
    kinds = {candidate.grid for candidate in candidates}
    return kinds.pop() if len(kinds) == 1 else None


def _pooled(found: Sequence[Quantity]) -> tuple[Quantity, ...]:
    """Quantities -> the same, with what those of one kind at one recipient say together."""
    groups: dict[tuple[str, str, str], list[Quantity]] = defaultdict(list)
    for quantity in found:
        if quantity.pairs:
            groups[quantity.product, quantity.entity, KINDS[quantity.item]].append(quantity)
    together: Mapping[tuple[str, str, str], Candidate | None] = {key: _together(some) for key, some in groups.items()}
    return tuple(
        _with(quantity, together.get((quantity.product, quantity.entity, KINDS[quantity.item]))) for quantity in found
    )


def _together(some: Sequence[Quantity]) -> Candidate | None:
    """The grid of all quantities of one kind, in the unit of the kind; `None` when there is not one."""
    every = _distinct([pair for quantity in some for pair in quantity.shown])
    timed = all(quantity.item != "media.duration" for quantity in some)
    quantum = max(quantity.quantum * _factor(quantity) for quantity in some)
    return _fit(every, "play.watched_time" if timed else some[0].item, 1.0, quantum).told


def _factor(quantity: Quantity) -> float:
    return UNITS[quantity.unit][1] if quantity.unit else 1.0


def _with(quantity: Quantity, pooled: Candidate | None) -> Quantity:
    if pooled is None:
        return quantity
    (own,) = scaled(Fit("rounded", (pooled,)), 1 / _factor(quantity)).candidates
    reason = quantity.reason
    if quantity.step is None and quantity.verdict == "rounded":
        reason += " " + texts.POOLED.format(grid=grid_words(own, quantity.unit))
    return replace(quantity, pooled=own, reason=reason)


def _reason(found: Fit, pairs: int, unit: str) -> str:
    """Why, in a sentence."""
    words = {
        "pairs": texts.plural(pairs, texts.PAIRS),
        "n": texts.number(len(found.candidates)),
        "grid": grid_words(found.candidates[0], unit) if found.candidates else "",
        "some": texts.OR.join(grid_words(c, unit) for c in found.candidates[:3]),
        "off": texts.plural(len(found.outliers), texts.OUTLIERS) if found.outliers else "",
        "jitter": amount(4 * found.uncertainty, unit),
    }
    said = texts.ROUNDING_REASONS[found.why].format_map(words)
    if found.outliers:
        said += " " + texts.plural(len(found.outliers), texts.OUTLIERS)
    if found.missing:
        said += " " + texts.plural(found.missing, texts.MISSING)
    return said


def grid_words(grid: Candidate, unit: str) -> str:
    """A grid -> a few words: `to the nearest 60 s`."""
    if grid.step is None:
        return texts.BINS
    if grid.grid == "digits":
        return texts.GRID_MODES[grid.mode or ""].format(step=texts.plural(int(grid.step), texts.DIGITS))
    if grid.grid == "powers-of-two" and grid.step == 2:
        return texts.GRID_MODES[grid.mode or ""].format(step=texts.POWER)
    return texts.GRID_MODES[grid.mode or ""].format(step=amount(grid.step, unit))


def amount(value: float, unit: str) -> str:
    """A number with its unit: `60 s`."""
    return f"{texts.number(value, ',.6g')} {unit}".rstrip()
