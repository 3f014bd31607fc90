"""Pictures of a report -> places and sizes, which the templates draw as SVG.

Made by hand: the libraries for charts bring scripts and styles of their own, which a page that runs nothing but its own
script may not hold, and colours that do not follow the reader's theme.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from analysis.report.document import Flows, Lanes, Tone

WIDTH = 900
"""Width of a picture."""

_NODE, _GAP, _LEAST, _BODY = 12, 14, 3.0, 360.0
"""Width of a node, room between two, least height of a band, and height of all bands."""

_TEXT = 26
"""Least height of a name."""

LONGEST = 34
"""Characters of a name in a picture; the table holds it all."""


@dataclass(frozen=True, slots=True)
class Node:
    """A name in a layer."""

    name: str
    x: float
    y: float
    height: float
    label_x: float
    anchor: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Band:
    """What goes from one node to the next."""

    path: str
    width: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class FlowPicture:
    """Nodes and bands of a `Flows`."""

    width: int
    height: float
    heads: tuple[tuple[str, float, str], ...]
    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]


_LEFTMOST, _APART, _LAST = (60, 254), 210.0, 690.0
"""Where the first layer may begin, how far from it the second one is, and where the last one begins."""

_LETTER = 7
"""Width of a letter."""


def flows(block: Flows) -> FlowPicture:
    """Flows -> a picture of three layers whose bands are as wide as their counts."""
    scale = _BODY / sum(n for *_, n, _ in block.links)
    # Only as much room for the first names as they take: on a phone nothing else is seen without scrolling.
    first = max(len(short(name)) for name in (block.layers[0], *(link[0] for link in block.links)))
    left = float(min(max(first * _LETTER + 16, _LEFTMOST[0]), _LEFTMOST[1]))
    edges = (left, left + _APART, _LAST)
    placed = tuple(_nodes(block, layer, scale, edges[layer]) for layer in range(3))
    bands = (*_bands(block, 0, placed, scale), *_bands(block, 1, placed, scale))
    heads = (
        (block.layers[0], edges[0] + _NODE, "end"),
        (block.layers[1], edges[1], "start"),
        (block.layers[2], edges[2], "start"),
    )
    nodes = tuple(node for layer in placed for node in layer.values())
    height = max(node.y + max(node.height, _TEXT) for node in nodes) + _GAP
    return FlowPicture(WIDTH, round(height, 1), heads, nodes, bands)


def _nodes(block: Flows, layer: int, scale: float, edge: float) -> dict[str, Node]:
    """The names of one layer, one below the other, from its left `edge`."""
    counts: dict[str, int] = defaultdict(int)
    tones: dict[str, set[Tone]] = defaultdict(set)
    for *names, n, tone in block.links:
        counts[str(names[layer])] += n
        tones[str(names[layer])].add(tone if layer == 2 else "plain")
    y, nodes, first = 30.0, dict[str, Node](), layer == 0
    for name, n in counts.items():
        height = max(n * scale, _LEAST)
        room = max(height, _TEXT)
        nodes[name] = Node(
            name=short(name),
            x=edge,
            y=round(y + (room - height) / 2, 1),
            height=round(height, 1),
            label_x=edge - 8 if first else edge + _NODE + 8,
            anchor="end" if first else "start",
            tone="dim" if tones[name] == {"dim"} else "plain",
        )
        y += room + _GAP
    return nodes


def _bands(block: Flows, step: int, placed: tuple[dict[str, Node], ...], scale: float) -> tuple[Band, ...]:
    """What goes from one layer to the next, at each node from top to bottom."""
    widths: dict[tuple[str, str], float] = defaultdict(float)
    tones: dict[tuple[str, str], Tone] = {}
    for *names, n, tone in block.links:
        ends = str(names[step]), str(names[step + 1])
        widths[ends] += n * scale
        if tone == "alarm" or ends not in tones:
            tones[ends] = tone if step else "plain"
    left, right = dict.fromkeys(placed[step], 0.0), dict.fromkeys(placed[step + 1], 0.0)
    order = {name: n for n, name in enumerate(placed[step + 1])}
    bands = []
    for (a, b), exact in sorted(widths.items(), key=lambda link: order[link[0][1]]):
        width = max(exact, 1.0)
        x1, x2 = placed[step][a].x + _NODE, placed[step + 1][b].x
        y1 = placed[step][a].y + left[a] + width / 2
        y2 = placed[step + 1][b].y + right[b] + width / 2
        left[a] += width
        right[b] += width
        bend = (x1 + x2) / 2
        path = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        bands.append(Band(path, round(width, 1), tones[a, b]))
    return tuple(bands)


def short(name: str) -> str:
    """A name as a picture has room for."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Stack:
    """What one recipient got, for windows that are too narrow for three layers."""

    name: str
    senders: tuple[str, ...]
    kinds: tuple[tuple[str, int, Tone, float], ...]
    """Name, count, how it is to be weighed, per cent of the greatest count of all."""


def stacks(block: Flows) -> tuple[Stack, ...]:
    """Flows -> one stack for each name of the second layer, in their order."""
    senders: dict[str, dict[str, None]] = defaultdict(dict)
    kinds: dict[str, dict[str, tuple[int, Tone]]] = defaultdict(dict)
    for left, middle, right, n, tone in block.links:
        senders[middle][left] = None
        before, worst = kinds[middle].get(right, (0, tone))
        kinds[middle][right] = before + n, "alarm" if "alarm" in (worst, tone) else worst
    most = max(n for some in kinds.values() for n, _ in some.values())
    return tuple(
        Stack(
            name,
            tuple(senders[name]),
            tuple((kind, n, tone, round(100 * n / most, 1)) for kind, (n, tone) in some.items()),
        )
        for name, some in kinds.items()
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind over the time."""

    name: str
    total: int
    base: float
    path: str
    """Its bars."""


@dataclass(frozen=True, slots=True)
class LanePicture:
    """Lanes and marks of a `Lanes`."""

    width: int
    height: float
    left: float
    right: float
    top: float
    """How high a lane is."""
    lanes: tuple[Lane, ...]
    marks: tuple[tuple[float, str, str], ...]


_LANE, _HIGH, _LEFT, _RIGHT = 34.0, 24.0, 220.0, 820.0


def lanes(block: Lanes) -> LanePicture:
    """Lanes -> bars that are as high as the root of their counts, so that single calls are seen beside hundreds."""
    most = max((n for _, counts in block.lanes for n in counts), default=1) or 1
    wide = (_RIGHT - _LEFT) / len(block.begins)
    drawn = []
    for row, (name, counts) in enumerate(block.lanes):
        base = 10 + (row + 1) * _LANE
        across = round(max(wide - 1, 1.5), 1)
        path = "".join(
            f"M{_LEFT + i * wide:.1f} {base:.1f}v-{h:.1f}h{across}v{h:.1f}"
            for i, n in enumerate(counts)
            if n and (h := max(4.0, _HIGH * (n / most) ** 0.5))
        )
        drawn.append(Lane(short(name), sum(counts), base, path))
    height = 10 + len(drawn) * _LANE + 30
    middle = len(block.begins) // 2
    marks = [(_LEFT, block.begins[0], "start"), (_RIGHT, block.end, "end")]
    at, room = _LEFT + middle * wide, 1.5 * _LETTER * max(map(len, (*block.begins, block.end))) + 10
    if _LEFT + room <= at <= _RIGHT - room:
        marks.insert(1, (round(at, 1), block.begins[middle], "middle"))
    return LanePicture(WIDTH, height, _LEFT, _RIGHT, _HIGH, tuple(drawn), tuple(marks))
