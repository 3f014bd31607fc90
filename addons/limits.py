"""Keeps one device, or one server, from taking what the traffic of all others needs: open files, and endless waiting.

Each connection of a device takes two files.  A proxy that has none left can accept nobody, not even to turn him away,
and Python would write a line of log for each try; so some are kept back, and who holds most of them gets no more.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter
from typing import TYPE_CHECKING

from mitmproxy import connection, ctx

from addons.observe import guarded

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from addons.observe import Observe

FULL = "turned away, since the proxy has too few open files left; allow it more (ulimit -n, LimitNOFILE)"
"""Why a connection was refused."""

SILENT = "the server did not answer"
"""Why a connection was given up."""

_PATIENCE = 30
"""Seconds.  The kernel would try for two minutes, while a device shows nothing and may not try another address."""

_TOLD_EVERY = 60.0
"""Seconds between two entries about those that were turned away."""


class Limits:
    """The addon."""

    def __init__(self, observe: Observe) -> None:
        """`observe` records what was turned away."""
        self._observe = observe
        self._devices: Counter[str] = Counter()
        self._turned_away = 0
        self._told = float("-inf")
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def load(self, loader: Loader) -> None:
        """Adds our option."""
        loader.add_option("phonehome_patience", int, _PATIENCE, "Seconds for which a server may leave us waiting.")

    def fault(self, place: str, reason: str) -> None:
        """Takes note of a fault of ours."""
        self._observe.fault(place, reason)

    @guarded
    def client_connected(self, client: connection.Client) -> None:
        """Turns a device away that holds most of the files when they are scarce, and everybody when few are left."""
        self._devices[_address(client)] += 1
        if client.error or not self._scarce(_address(client)):
            return
        client.error = f"phonehome: {FULL}"
        self._turned_away += 1
        self._observe.effect("turned-away", client)
        if time.monotonic() - self._told > _TOLD_EVERY:
            self._tell()

    @guarded
    def client_disconnected(self, client: connection.Client) -> None:
        """It holds one less."""
        device = _address(client)
        self._devices[device] -= 1
        if self._devices[device] <= 0:
            del self._devices[device]

    @guarded
    def server_connect(self, data: ServerConnectionHookData) -> None:
        """A connection is about to be made, by the task that calls this."""
        task = asyncio.current_task()
        if task and data.server.transport_protocol == "tcp":
            self._wait(data, task)

    @guarded
    def server_connected(self, data: ServerConnectionHookData) -> None:
        """It is made."""
        self._over(data.server)

    @guarded
    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Or not."""
        self._over(data.server)

    @guarded
    def done(self) -> None:
        """Tells the rest."""
        if self._turned_away:
            self._tell()

    def _tell(self) -> None:
        self._observe.fault("connections", f"{self._turned_away} {FULL}")
        self._turned_away, self._told = 0, time.monotonic()

    def _scarce(self, device: str) -> bool:
        """Whether a device may not have one more."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit == resource.RLIM_INFINITY:
            return False
        lowest = _lowest(limit)
        if lowest < limit - max(limit // 16, min(1024, limit // 2)):
            return False
        # As many as may be accepted in one turn of the event loop, before anybody is asked, are never given away.
        return lowest >= limit - min(256, limit // 4) or self._devices[device] * 2 > self._devices.total()

    def _wait(self, data: ServerConnectionHookData, task: asyncio.Task[object]) -> None:
        timer = asyncio.get_running_loop().call_later(ctx.options.phonehome_patience, self._late, data, task)
        self._waiting[data.server.id] = timer

    @guarded
    def _late(self, data: ServerConnectionHookData, task: asyncio.Task[object]) -> None:
        server = data.server
        if self._waiting.pop(server.id, None) is None or task.done():
            return
        if server.timestamp_start is None:
            # Others to the same address are tried first; who waits for those could not be told that it is over.
            self._wait(data, task)
            return
        self._observe.effect("silent", data.client, data.client.sni or (server.address or [""])[0])
        task.cancel(SILENT)

    def _over(self, server: connection.Server) -> None:
        if timer := self._waiting.pop(server.id, None):
            timer.cancel()


def _lowest(limit: int) -> int:
    """The lowest number of a file that is free: all below it are taken."""
    try:
        probe = os.dup(0)
    except OSError:
        return limit
    os.close(probe)
    return probe


def _address(client: connection.Client) -> str:
    return str(client.peername[0]) if client.peername else ""
