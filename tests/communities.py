"""Builders of shared reports as people post them, and a made-up community with everything that goes wrong in one."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

type Report = dict[str, Any]


def report(rows: Sequence[Mapping[str, Any]] = (), /, **changed: Any) -> Report:
    """A report of Plex, as JSON; its id is random unless one is given."""
    made: Report = {
        "schema": "phonehome/share/1",
        "report": f"{random.getrandbits(128):032x}",
        "tool": "0.1.0",
        "packs": [{"pack": "plex", "hash": "sha256:" + "0" * 64}],
        "lists": [{"product": "plex", "declared": "2024-06-28"}],
        "versions": [{"product": "plex", "version": "1.40"}],
        "platforms": ["Linux"],
        "settings": [],
        "month": "2026-03",
        "length": "1-6h",
        "occasions": ["film"],
        "rows": [dict(entry) for entry in rows] or [row()],
        "received": [],
        "calls": [],
        "coverage": {
            "calls": "101-1000",
            "readable": "101-1000",
            "unreadable": "0",
            "unknown_category": "0",
            "recipients": "2-5",
            "recipients_unreadable": "0",
        },
    }
    return made | changed


def row(item: str = "media.duration", **changed: Any) -> dict[str, Any]:
    made = {
        "product": "plex",
        "declared": "2024-06-28",
        "item": item,
        "recipient": "vendor",
        "entity": "Plex",
        "category": "usage-statistics",
        "verdict": "optional",
        "also": [],
        "sure": True,
        "count": "2-5",
    }
    return made | changed


def setting(switch: str, state: str, product: str = "plex") -> dict[str, str]:
    return {"product": product, "switch": switch, "state": state}


def version(number: str, product: str = "plex") -> dict[str, str]:
    return {"product": product, "version": number}


def save(folder: Path, poster: str, made: Report) -> Path:
    """A post in the folder of who posted it, or without one."""
    place = folder / poster if poster else folder
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{made['report']}.json"
    path.write_text(json.dumps(made), "utf-8")
    return path
