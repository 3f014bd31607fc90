"""One exchange and what was found in it -> the request as a tree, with the found items and undone encodings marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from analysis.decode import Leaf
from analysis.model import Finding, Verdict
from analysis.report.document import brief

MOST = 1000
"""Values of a tree."""

_DEEPEST = 24
"""Branches within one another; what lies deeper stands under its whole remaining name."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A data item that stands at a place."""

    item: str
    """Id in `items.toml`."""
    verdict: str
    """The verdict on it; empty when nothing was judged."""


@dataclass(slots=True)
class Node:
    """A place in the request."""

    name: str
    """The last step of it."""
    value: str | None = None
    """What stands there; `None` for a branch alone."""
    encodings: tuple[str, ...] = ()
    """What was undone to see it."""
    marks: tuple[Mark, ...] = ()
    """What it is."""
    inner: dict[str, Node] = field(default_factory=dict)
    """What stands in it."""
    found: bool = False
    """Whether a data item stands in it, or deeper."""


def tree(leaves: Iterable[Leaf], findings: Iterable[Finding], verdicts: Mapping[str, Verdict]) -> tuple[Node, int]:
    """Values and findings -> the root, whose parts are `path`, `query`, `header`, `body`, `response`…; and how many
    values were left out."""
    marks: dict[str, dict[Mark, None]] = {}
    for f in findings:
        verdict = verdicts[f.item].value if f.direction == "sent" and f.item in verdicts else ""
        marks.setdefault(f.at, {})[Mark(f.item, verdict)] = None
    root, left = Node(""), 0
    # What was found comes first, if there is too much.
    ordered = sorted(enumerate(leaves), key=lambda pair: (pair[1].at not in marks, pair[0]))
    shown = sorted(ordered[:MOST], key=lambda pair: pair[0])
    for _, leaf in shown:
        node, steps = root, [root]
        for step in leaf.at.split(".", _DEEPEST):
            node = node.inner.setdefault(step, Node(brief(step)))
            steps.append(node)
        node.value, node.encodings = brief(leaf.value), leaf.encodings
        if leaf.at in marks:
            node.marks = tuple(marks[leaf.at])
            for above in steps:
                above.found = True
    left = len(ordered) - len(shown)
    return root, left
