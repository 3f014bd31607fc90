"""What was found of rounding -> a document, and JSON for programs.  Private: both hold the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import texts
from analysis.film_model import CATALOGUES
from analysis.fingerprint import Fingerprint, Remedy, Summary
from analysis.generalise import Generalised, Quantity, amount, grid_words
from analysis.grid import Candidate, stands_for
from analysis.pairs import Pair
from analysis.pipeline import Result
from analysis.quantities import UNITS
from analysis.report.as_json import Json, dump
from analysis.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Heading,
    Paragraph,
    Plot,
    Table,
    Tone,
    brief,
)
from analysis.report.phrases import label, product_name

_MOST = 40
"""Pairs that are shown; the JSON form holds all."""

_TONES: dict[str, Tone] = {"rounded": "good", "not-rounded": "alarm", "cannot-tell": "warn"}


def as_json(found: Generalised) -> str:
    """Everything that was found -> `phonehome/generalise/1`."""
    return dump(
        {
            "schema": "phonehome/generalise/1",
            "quantities": [_quantity(q) for q in found.quantities],
            "fingerprints": [_fingerprint(f) for f in found.fingerprints],
            "library": found.library,
        }
    )


def _fingerprint(f: Fingerprint) -> Json:
    def summaries(some: Sequence[Summary]) -> list[Json]:
        return [
            {"catalogue": s.catalogue, "median": figure(s.median), "q05": figure(s.low), "below_10": figure(s.named)}
            for s in some
        ]

    return {
        "product": f.product,
        "entity": f.entity,
        "sent": list(f.sent),
        "rounding_matters": not f.named_by,
        "named_by": list(f.named_by),
        "linked_by": list(f.linked_by),
        "tuples": [
            {
                "duration": f_range(shown.cell.duration),
                "bitrate": f_range(shown.cell.bitrate),
                "resolution": shown.cell.resolution,
                "video_codec": shown.cell.video_codec,
                "audio_codec": shown.cell.audio_codec,
                "container": shown.cell.container,
                "kind": shown.cell.kind,
                "calls": list(shown.calls),
                "k_own": shown.own,
                "k_ref": [
                    {"catalogue": t.catalogue, "k": figure(t.expected), "low": figure(t.low), "high": figure(t.high)}
                    for t in shown.titles
                ],
            }
            for shown in f.shown
        ],
        "plays": summaries(f.plays),
        "films": summaries(f.films),
        "series": [
            {"episodes": n, "k_ref": [figure(k) for k in every], "catalogues": list(CATALOGUES)}
            for n, every in f.series
        ],
        "account": [{"accounts": n, "k": figure(k)} for n, k in zip(CATALOGUES, f.account, strict=True)],
        "weights": [{"detail": detail, "bits": figure(bits)} for detail, bits in f.weights],
        "remedies": [
            {"catalogue": r.catalogue, "duration_step": r.length, "bitrate_step": r.bitrate} for r in f.remedies
        ],
    }


def f_range(value: tuple[float, float] | None) -> list[float] | None:
    """A range -> a list, rounded to milliseconds; `None` stays."""
    return None if value is None else [round(edge, 3) for edge in value]


def figure(value: float) -> float:
    """An estimate -> three significant digits, since more would pretend."""
    return float(f"{value:.3g}")


def _quantity(q: Quantity) -> Json:
    return {
        "product": q.product,
        "entity": q.entity,
        "item": q.item,
        "at": q.at,
        "unit": q.unit,
        "pairs": q.pairs,
        "verdict": q.verdict,
        "step": whole(q.step),
        "mode": q.mode,
        "grid": q.grid,
        "alternatives": [_candidate(c) for c in q.alternatives],
        "pooled": {"step": whole(q.pooled.step), "mode": q.pooled.mode} if q.pooled else None,
        "pooled_grid": q.pooled.grid if q.pooled else None,
        "reason": q.reason,
        "missing": q.missing,
        "uncertainty": q.uncertainty,
        "numbers": [whole(n) for n in q.numbers],
        "calls": list(q.calls),
        "shown": [_pair(pair, q) for pair in q.shown],
        "outliers": [_pair(pair, q) for pair in q.outliers],
        "rejected": [
            {"call": r.call, "at": r.at, "reported": whole(r.reported / _factor(q)), "why": texts.REJECTED[r.why]}
            for r in q.rejected
        ],
    }


def _candidate(c: Candidate) -> Json:
    return {"step": whole(c.step), "mode": c.mode, "grid": c.grid}


def _pair(pair: Pair, q: Quantity) -> Json:
    factor = _factor(q)
    return {
        "exact": whole(round(pair.exact / factor, 9)),
        "reported": whole(round(pair.reported / factor, 9)),
        "uncertainty": round(pair.uncertainty / factor, 6),
        "own_call": pair.own_call,
        "own_at": pair.own_at,
        "call": pair.call,
        "at": pair.at,
        "event": pair.event,
        "derived": pair.derived,
    }


def whole(value: float | None) -> float | int | None:
    """A number as people write it: without `.0`."""
    return int(value) if value is not None and float(value).is_integer() else value


def _factor(q: Quantity) -> float:
    return UNITS[q.unit][1] if q.unit else 1.0


def document(found: Generalised, result: Result) -> Document:
    """Everything that was found -> a document: the answers first, then the pairs behind each."""
    blocks: list[Block] = []
    if not found.quantities:
        return Document(texts.GENERALISED_TITLE, (Paragraph(texts.GENERALISED_NONE),))
    blocks.append(Paragraph(texts.GENERALISED_LEAD))
    blocks.append(_answers(found, result))
    for f in found.fingerprints:
        blocks.extend(_told(f, result))
    for q in found.quantities:
        blocks.extend(_behind(q, result))
    return Document(texts.GENERALISED_TITLE, tuple(blocks))


def _answers(found: Generalised, result: Result) -> Table:
    columns = (
        Column(texts.ITEM),
        Column(texts.PLACE),
        Column(texts.RECIPIENT),
        Column(texts.PAIRS_COLUMN, number=True),
        Column(texts.ROUNDED_COLUMN),
        Column(texts.STEP_COLUMN),
    )
    return Table(
        columns,
        tuple(
            (
                Cell(label(q.item, result), "strong"),
                Cell(brief(q.at)),
                Cell(brief(q.entity)),
                Cell(texts.number(q.pairs)),
                Cell(texts.ROUNDINGS[q.verdict], _TONES[q.verdict]),
                Cell(step_words(q)),
            )
            for q in found.quantities
        ),
    )


def step_words(q: Quantity) -> str:
    """Quantity -> the second answer, in a few words."""
    if q.verdict == "not-rounded":
        return ""
    if q.grid and not q.alternatives:
        return grid_words(Candidate(q.grid, q.step, q.mode), q.unit)
    if q.pooled:
        return texts.PERHAPS.format(grid=grid_words(q.pooled, q.unit))
    return texts.SEVERAL.format(n=len(q.alternatives)) if q.alternatives else texts.UNKNOWN_STEP


def _told(f: Fingerprint, result: Result) -> Iterator[Block]:
    """How much the numbers tell of a film."""
    yield Heading(
        texts.FINGERPRINT_HEADING.format(
            product=product_name(f.product, result) if f.product else texts.NOBODY_KNOWN, entity=brief(f.entity)
        )
    )
    if f.named_by:
        named = texts.AND.join(label(item, result) for item in f.named_by)
        yield Paragraph(texts.NAMED_BY.format(items=named), "alarm")
    if f.linked_by:
        yield Paragraph(
            texts.LINKED_BY.format(items=texts.AND.join(label(item, result) for item in f.linked_by)), "warn"
        )
    sent = ", ".join(texts.DETAILS[detail] for detail in f.sent)
    yield Paragraph(texts.plural(len(f.shown), texts.TOLD, sent=sent))
    columns = (
        Column(texts.CATALOGUE, number=True),
        Column(texts.MEDIAN, number=True),
        Column(texts.LOWEST, number=True),
        Column(texts.FEW, number=True),
        Column(texts.ANY_FILM, number=True),
        Column(texts.ACCOUNTS, number=True),
    )
    yield Table(columns, tuple(_catalogue(f, n) for n in range(len(CATALOGUES))))
    if f.shown and f.shown[0].own is not None:
        own = [shown.own for shown in f.shown if shown.own is not None]
        yield Paragraph(texts.plural(sum(k <= 1 for k in own), texts.OWN_ALONE, m=len(own)))
    if f.weights:
        told = ", ".join(
            texts.BITS.format(detail=texts.DETAILS[d], bits=texts.number(bits, ".1f")) for d, bits in f.weights
        )
        yield Paragraph(texts.WEIGHTS.format(details=told))
    yield Paragraph(texts.REMEDIES)
    yield Bullets(tuple(_remedy(remedy) for remedy in f.remedies))
    rows = [texts.SERIES_ROW.format(n=n, k=_count(every[2])) for n, every in f.series]
    yield Paragraph(texts.SERIES.format(rows=", ".join(rows), catalogue=texts.number(CATALOGUES[2])))
    yield Paragraph(texts.MODEL_NOTE, "dim")


def _catalogue(f: Fingerprint, n: int) -> tuple[Cell, ...]:
    plays, films = f.plays[n], f.films[n]
    return (
        Cell(texts.number(plays.catalogue)),
        Cell(_count(plays.median)),
        Cell(_range(f, n)),
        Cell(texts.number(plays.named, ".0%"), "alarm" if plays.named else "plain"),
        Cell(texts.number(films.named, ".0%")),
        Cell(_count(f.account[n])),
    )


def _range(f: Fingerprint, n: int) -> str:
    low, high = min(s.titles[n].low for s in f.shown), max(s.titles[n].high for s in f.shown)
    return texts.FROM_TO.format(low=_count(low), high=_count(high))


def _count(k: float) -> str:
    """An estimate of a number of titles -> a few words; less than one more is said as such."""
    return texts.number(k, ",.1f") if k < 10 else texts.number(figure(k), ",.0f")


def _remedy(remedy: Remedy) -> str:
    catalogue = texts.number(remedy.catalogue)
    if remedy.length is None:
        return texts.NO_REMEDY.format(catalogue=catalogue)
    rate = texts.RATE_TO.format(step=amount(remedy.bitrate, "kbps")) if remedy.bitrate else texts.NOT_SENT
    return texts.REMEDY.format(catalogue=catalogue, length=amount(remedy.length, "s"), bitrate=rate)


def _behind(q: Quantity, result: Result) -> Iterator[Block]:
    yield Heading(
        texts.QUANTITY_HEADING.format(
            item=label(q.item, result),
            product=product_name(q.product, result) if q.product else texts.NOBODY_KNOWN,
            entity=brief(q.entity),
        )
    )
    yield Paragraph(q.reason)
    if q.shown:
        if q.pairs > 1:
            yield _plot(q, result)
        yield _pairs(q)
    elif q.numbers:
        shown = ", ".join(amount(n, q.unit) for n in q.numbers[:12])
        yield Paragraph(texts.NUMBERS.format(numbers=shown), "dim")
    for why in dict.fromkeys(r.why for r in q.rejected):
        n = sum(r.why == why for r in q.rejected)
        yield Paragraph(texts.plural(n, texts.NOT_PAIRED, why=texts.REJECTED[why]), "dim")


def _pairs(q: Quantity) -> Table:
    factor, off = _factor(q), set(q.outliers)
    columns = (
        Column(texts.EXACT, number=True),
        Column(texts.UNCERTAIN, number=True),
        Column(texts.REPORTED, number=True),
        Column(texts.DIFFERENCE, number=True),
        Column(texts.EXACT_PLACE),
        Column(texts.REPORTED_PLACE),
    )
    return Table(
        columns,
        tuple(
            (
                Cell(amount(round(p.exact / factor, 6), q.unit)),
                Cell(f"± {texts.number(p.uncertainty / factor, '.3g')}" if p.uncertainty else ""),
                Cell(amount(round(p.reported / factor, 6), q.unit), "warn" if p in off else "plain"),
                Cell(f"{(p.reported - p.exact) / factor:+,.6g}"),
                Cell(texts.IN_CALL.format(n=p.own_call, at=brief(p.own_at))),
                Cell(texts.IN_CALL.format(n=p.call, at=brief(p.at))),
            )
            for p in q.shown[:_MOST]
        ),
    )


def _plot(q: Quantity, result: Result) -> Plot:
    """The pairs, with the grid drawn in."""
    factor, off = _factor(q), set(q.outliers)
    points = tuple(dict.fromkeys((p.exact / factor, p.reported / factor, p in off) for p in q.shown))
    unit = f" ({q.unit})" if q.unit else ""
    return Plot(
        title=texts.PLOT_TITLE.format(item=label(q.item, result)),
        across=texts.EXACT + unit,
        up=texts.REPORTED + unit,
        points=points,
        stairs=_stairs(q, min(x for x, _, _ in points), max(x for x, _, _ in points)),
    )


def _stairs(q: Quantity, low: float, high: float) -> tuple[tuple[float, float, float], ...]:
    """The values of the grid between two exact numbers, and what each stands for; none if they would lie too close."""
    grid = q.best
    if not grid or not grid.step:
        return ()
    values = list(q.numbers)
    if grid.grid == "fixed" or (grid.grid == "powers-of-two" and grid.step != 2):
        if (high - low) / grid.step > _MOST:
            return ()
        values = [n * grid.step for n in range(int(low // grid.step) - 1, int(high // grid.step) + 3)]
    return tuple((*stands_for(value, grid), value) for value in values)
