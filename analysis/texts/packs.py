"""What `phonehome packs` says of a pack that is right."""

from __future__ import annotations

from collections.abc import Mapping

CHECKED = "{pack}: {counts}; no fault"
COUNTED: Mapping[str, tuple[str, str]] = {
    "call": ("{n} call", "{n} calls"),
    "example": ("{n} example", "{n} examples"),
    "near-miss": ("{n} near miss", "{n} near misses"),
    "item": ("{n} item", "{n} items"),
    "statement": ("{n} statement", "{n} statements"),
}
