"""What our presence changes, counted and handed on together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from captures.model import Effect

_MOST = 10_000
"""Different effects that wait."""

_SOON = 1.0
"""Seconds for which they wait, so that many of one kind are one."""


class Effects:
    """Counts what was changed, and hands it on now and then."""

    def __init__(self, put: Callable[[Effect], None]) -> None:
        """`put` takes each effect."""
        self._put = put
        self._new: dict[tuple[str, str, str], list[float]] = {}
        self._waiting: asyncio.TimerHandle | None = None

    def say(self, kind: str, device: str, host: str = "") -> None:
        """Counts one."""
        now = time.time()
        entry = self._new.get((kind, host, device))
        if entry is None:
            if len(self._new) >= _MOST:
                self.tell()
            entry = self._new[kind, host, device] = [0, now, now]
        entry[0] += 1
        entry[2] = now
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(_SOON, self.tell)

    def tell(self) -> None:
        """Hands on what was counted."""
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        new, self._new = self._new, {}
        for (kind, host, device), (count, first, last) in new.items():
            self._put(Effect(kind, host, device, int(count), first, last))
