"""Words about what a revision of a list changed."""

from __future__ import annotations

from collections.abc import Mapping

CHANGES: Mapping[str, str] = {
    "added": "added",
    "dropped": "dropped",
    "moved": "moved between required, optional and never",
    "reworded": "in other words",
    "changed": "otherwise changed",
    "same": "the same",
}
"""What became of an item or a statement -> words, in the order of the summary."""

CHANGE_HEADINGS: Mapping[tuple[str, str], str] = {
    ("items", "moved"): "Data items that moved between required, optional and never ({n})",
    ("items", "dropped"): "Data items that are no longer named ({n})",
    ("items", "added"): "Data items that are named now ({n})",
    ("statements", "moved"): "Statements that moved ({n})",
    ("statements", "reworded"): "Statements in other words ({n})",
    ("statements", "changed"): "Statements that changed otherwise ({n})",
    ("statements", "dropped"): "Statements that were dropped ({n})",
    ("statements", "added"): "Statements that were added ({n})",
}

REVISION: Mapping[str, str] = {
    "title": "What changed from {before}, to {after}",
    "read": "List of {date}: {read}. {note}",
    "items": "Data items: {counts}.",
    "statements": "Statements: {counts}.",
    "unnamed": "not named",
    "none": "none",
}
