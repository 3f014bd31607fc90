"""A plot -> SVG for a page, or letters for a terminal.

Made by hand: a library for charts would weigh more than the rest of the program, for a picture of dots and lines.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from analysis import texts
from analysis.report.document import Plot, printable

_WIDTH, _HEIGHT = 560, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 15, 15, 50
"""Size of the picture and of its margins, in pixels."""

_ROWS = 16
"""Lines of a plot in letters."""

POINT, OFF, STAIR = "o", "x", "·"
"""Letters of a plot: a pair, one off the grid, the grid."""


def svg(plot: Plot) -> str:
    """Plot -> one `<svg>` element that needs nothing and runs nothing, in the colour of the text around it."""
    low, high = _bounds(plot)

    def across(x: float) -> float:
        return round(_LEFT + (x - low[0]) / (high[0] - low[0]) * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(y: float) -> float:
        return round(_HEIGHT - _BOTTOM - (y - low[1]) / (high[1] - low[1]) * (_HEIGHT - _TOP - _BOTTOM), 1)

    base, left = _HEIGHT - _BOTTOM, _LEFT
    parts = [
        f'<path d="M{left} {_TOP}V{base}H{_WIDTH - _RIGHT}" fill="none" stroke="currentColor"/>',
        *(
            f'<text x="{across(x)}" y="{base + 18}" text-anchor="middle">{_number(x)}</text>'
            for x in _ticks(low[0], high[0])
        ),
        *(
            f'<text x="{left - 6}" y="{up(y) + 4}" text-anchor="end">{_number(y)}</text>'
            for y in _ticks(low[1], high[1])
        ),
        f'<text x="{(left + _WIDTH) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{_text(plot.across)}</text>',
        f'<text transform="translate(14 {(_TOP + base) / 2}) rotate(-90)" text-anchor="middle">{_text(plot.up)}</text>',
        f'<path d="M{across(max(low))} {up(max(low))}L{across(min(high))} {up(min(high))}" stroke="currentColor" '
        'stroke-dasharray="2 4" opacity=".5"/>',
    ]
    for begin, end, y in plot.stairs:
        if end > low[0] and begin < high[0] and low[1] <= y <= high[1]:
            parts.append(
                f'<path d="M{across(max(begin, low[0]))} {up(y)}H{across(min(end, high[0]))}" stroke="currentColor" '
                'opacity=".4"/>'
            )
    for x, y, off in plot.points:
        if off:
            parts.append(f'<path d="M{across(x) - 4} {up(y) - 4}l8 8m0 -8l-8 8" stroke="#c0262d" stroke-width="2"/>')
        else:
            parts.append(f'<circle cx="{across(x)}" cy="{up(y)}" r="3.5" fill="currentColor"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-size="12" fill="currentColor" role="img"><title>{_text(plot.title)}</title>'
        + "".join(parts)
        + "</svg>"
    )


def letters(plot: Plot, width: int = 72) -> list[str]:
    """Plot -> lines of letters, at most `width` wide: `o` is a pair, `x` one off the grid, `·` the grid."""
    low, high = _bounds(plot)
    marks = [_number(high[1]), _number(low[1])]
    margin = max(map(len, marks)) + 1
    columns = max(10, width - margin - 1)
    field = [[" "] * columns for _ in range(_ROWS)]

    def column(x: float) -> int:
        return round((x - low[0]) / (high[0] - low[0]) * (columns - 1))

    def row(y: float) -> int:
        return _ROWS - 1 - round((y - low[1]) / (high[1] - low[1]) * (_ROWS - 1))

    for begin, end, y in plot.stairs:
        if end > low[0] and begin < high[0] and low[1] <= y <= high[1]:
            for at in range(max(0, column(max(begin, low[0]))), min(columns, column(min(end, high[0])) + 1)):
                field[row(y)][at] = STAIR
    for x, y, off in sorted(plot.points, key=lambda point: point[2]):
        field[row(y)][column(x)] = OFF if off else POINT
    lines = [f"{printable(plot.up)}"]
    for n, cells in enumerate(field):
        mark = marks[0] if n == 0 else marks[1] if n == _ROWS - 1 else ""
        lines.append((mark.rjust(margin - 1) + " │" + "".join(cells)).rstrip())
    lines.append(" " * margin + "└" + "─" * columns)
    ends = _number(low[0]), _number(high[0])
    between = max(1, columns - len(ends[0]) - len(ends[1]))
    lines.append(" " * (margin + 1) + ends[0] + printable(plot.across).center(between)[:between] + ends[1])
    return [line.rstrip() for line in lines]


def _bounds(plot: Plot) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lower and upper ends of both axes, a little beyond the points."""
    xs, ys = [x for x, _, _ in plot.points] or [0.0], [y for _, y, _ in plot.points] or [0.0]
    edges = []
    for some in (xs, ys):
        room = 0.05 * (max(some) - min(some)) or 0.05 * abs(max(some)) or 1.0
        edges.append((min(some) - room, max(some) + room))
    return (edges[0][0], edges[1][0]), (edges[0][1], edges[1][1])


def _ticks(low: float, high: float) -> Sequence[float]:
    """About five round numbers within a range."""
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * f for f in (1, 2, 5, 10) if size * f >= raw)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return texts.number(value, ",.4g") if abs(value) < 10_000 else texts.number(value, ",.0f")


def _text(text: str) -> str:
    return html.escape(printable(text))
