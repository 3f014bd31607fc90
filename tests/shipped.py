"""What phonehome ships as its knowledge, read once for all tests of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.knowledge import load

if TYPE_CHECKING:
    from analysis.knowledge import Knowledge

KNOWLEDGE: Knowledge = load()
"""In English; nothing changes it."""
