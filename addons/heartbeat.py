"""Keeps the chosen devices of a router led through this proxy, as long as it lives.

Elements of the set last seconds; who renews them is the proxy's own event loop, so that a proxy that was killed
and one that hangs both let go of the devices.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import ctx

from captures.gateway import journal, network
from captures.gateway.plan import RENEWED, ROUTES, TUN, renewal
from captures.model import CaptureError

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader

    from addons.observe import Observe


class Heartbeat:
    """Renews the set of devices, and leads the way into the interface of the proxy's when there is one."""

    def __init__(self, observe: Observe) -> None:
        """`observe` counts what goes wrong."""
        self._observe = observe
        self._task: asyncio.Task[None] | None = None
        self._planned: journal.Journal | None = None
        self._answering: asyncio.Server | None = None

    def load(self, loader: Loader) -> None:
        """Adds the option."""
        loader.add_option("phonehome_gateway", str, "", "Folder of the journal of a router's set-up to keep alive.")

    def running(self) -> None:
        """The proxy listens: from now on the devices may come."""
        if ctx.options.phonehome_gateway:
            self._planned = journal.read(Path(ctx.options.phonehome_gateway))
            if self._planned:
                self._task = asyncio.create_task(self._beat(self._planned))

    async def _beat(self, planned: journal.Journal) -> None:
        led = planned.way != "tun"
        while True:
            try:
                led = led or await _lead()
                if led:
                    await _run("nft", "-f", "-", text=renewal(planned.devices, planned.way))
                    await self._answer(planned)
            except Exception as error:
                # Whatever it is, the next time it may be over; until then the devices go their usual way.
                self._hush()
                self._observe.fault("gateway", f"the router's set-up could not be renewed ({type(error).__name__})")
            await asyncio.sleep(RENEWED)

    async def _answer(self, planned: journal.Journal) -> None:
        """Answers, at home, a router that sends devices here only while they are led (`gateway plan --script openwrt`).

        In the other way the port is the proxy's, which must not be called directly.
        """
        if planned.way == "tun" and self._answering is None:
            own = network.lan(planned.interface).addresses4
            if own:
                self._answering = await asyncio.start_server(_alive, own, planned.port)

    def _hush(self) -> None:
        if self._answering:
            self._answering.close()
            self._answering = None

    def done(self) -> None:
        """The proxy ends in order: the devices are let go at once."""
        self._hush()
        if self._task and self._planned:
            self._task.cancel()
            # Somebody may have taken everything back already.
            with contextlib.suppress(CaptureError):
                network.run("nft", "-f", "-", text=renewal((), self._planned.way))


async def _alive(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


async def _lead() -> bool:
    """Leads marked packets into the proxy's interface, if it is there yet; the routes go with it."""
    if network.sysctl(f"net/ipv4/conf/{TUN}/rp_filter") is None:
        return False
    # Answers come from there with addresses of the Internet.
    network.set_sysctl(f"net/ipv4/conf/{TUN}/rp_filter", "2")
    for family in ("-4", "-6"):
        with contextlib.suppress(CaptureError):  # a household may have no IPv6
            await _run("ip", family, "route", "replace", "default", "dev", TUN, "table", ROUTES)
    return True


async def _run(*command: str, text: str = "") -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(4):
            await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        raise CaptureError(f"{command[0]}: hangs") from None
    if process.returncode:
        raise CaptureError(f"{command[0]}: failed")
