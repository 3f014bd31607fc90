"""What was found of rounding -> a document, and JSON for programs.  Private: both hold the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import texts
from analysis.generalise import Generalised, Quantity, amount, grid_words
from analysis.grid import Candidate
from analysis.pairs import Pair
from analysis.pipeline import Result
from analysis.quantities import UNITS
from analysis.report.as_json import Json, dump
from analysis.report.document import Block, Cell, Column, Document, Heading, Paragraph, Table, Tone, brief
from analysis.report.private import label, product_name

_MOST = 40
"""Pairs that are shown; the JSON form holds all."""

_TONES: dict[str, Tone] = {"rounded": "good", "not-rounded": "alarm", "cannot-tell": "warn"}


def as_json(found: Generalised) -> str:
    """Everything that was found -> `phonehome/generalise/1`."""
    return dump({"schema": "phonehome/generalise/1", "quantities": [_quantity(q) for q in found.quantities]})


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
                Cell(f"{q.pairs:,}"),
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
                Cell(f"± {p.uncertainty / factor:.3g}" if p.uncertainty else ""),
                Cell(amount(round(p.reported / factor, 6), q.unit), "warn" if p in off else "plain"),
                Cell(f"{(p.reported - p.exact) / factor:+,.6g}"),
                Cell(texts.IN_CALL.format(n=p.own_call, at=brief(p.own_at))),
                Cell(texts.IN_CALL.format(n=p.call, at=brief(p.at))),
            )
            for p in q.shown[:_MOST]
        ),
    )
