"""Notices that this machine's clock was set: the record says so, and devices get certificates that are valid now.

A small computer begins with a wrong clock, and the network sets it a minute later.  Certificates that were made before
would be refused by every device for as long as the proxy runs.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mitmproxy import ctx

from addons.observe import guarded
from captures import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from addons.observe import Observe

_EVERY = 2.0
"""Seconds between two looks."""


class Clock:
    """The addon."""

    def __init__(self, observe: Observe, told: Callable[[], None]) -> None:
        """`observe` records that it was set; `told` is called then."""
        self._observe, self._told = observe, told
        self._jumps = clock.Jumps()

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    def running(self) -> None:
        """Looks from now on."""
        asyncio.get_running_loop().call_later(_EVERY, self._again)

    def _again(self) -> None:
        asyncio.get_running_loop().call_later(_EVERY, self._again)
        self._look()

    @guarded
    def _look(self) -> None:
        jump = self._jumps.seen()
        if not jump:
            return
        self._observe.fault("clock", clock.jumped(jump))
        self._told()
        store, now = ctx.master.addons.get("tlsconfig").certstore, datetime.now(UTC)
        # Those that are valid by either clock stay, for nobody knows which is wrong; so do the user's own.
        over = [entry for entry in store.expire_queue if not entry.cert.notbefore <= now <= entry.cert.notafter]
        store.certs = {names: entry for names, entry in store.certs.items() if entry not in over}
        store.expire_queue = [entry for entry in store.expire_queue if entry not in over]
