"""`python -m addons`: the proxy as a process of its own.

Settings come as one line of JSON on standard input, so that nothing stands in the list of processes; when that input
ends, or on SIGINT or SIGTERM, the process ends in order.  Standard error says `listening on HOST:PORT` for each port,
then `ready`, and `alive` every other second from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import resource
import select
import signal
import sys
import threading
from typing import Any

from mitmproxy import ctx, exceptions, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.mode_specs import ReverseMode
from mitmproxy.tools.dump import DumpMaster

from addons import http1
from addons.client_certificate import ClientCertificate
from addons.clock import Clock
from addons.dispatch import Dispatch
from addons.forwarded import Forwarded
from addons.guard import Guard
from addons.heartbeat import Heartbeat
from addons.limits import Limits
from addons.local import SILENT, Watchdog, prepare
from addons.observe import Observe
from addons.passthrough import Passthrough
from addons.presence import Presence
from addons.reroute import Reroute
from addons.wellformed import Wellformed
from analysis.evidence import household
from captures import crash
from captures.model import CaptureError

ALWAYS: dict[str, Any] = {
    # A body that turns out to be large is passed on rather than held; `bodies` takes care of the others.
    "stream_large_bodies": "2m",
    "store_streamed_bodies": False,
    # Seconds without a byte after which a connection is closed.  Ten minutes, mitmproxy's own, end those on which a
    # device waits for news; two hours and four minutes are what devices expect of a router (RFC 5382, 5).
    "tcp_timeout": 7440,
    # Connections that pass untouched are still counted.
    "show_ignored_hosts": True,
    # In an IPv6 household every device has a public address, and so have the visitors of a media server: `Guard` knows
    # who is a stranger.
    "block_global": False,
    "phonehome_flat": True,
}
"""Options that differ from mitmproxy's defaults; `--set` has the last word.

These stay on purpose: `connection_strategy=eager`, or protocols in which the server speaks first would wait for ever;
`validate_inbound_headers`, since what it refuses serves to hide one request behind another; `http2` and
`http3`, so that apps speak as they do elsewhere.
"""


_EVERY = 2.0
"""Seconds between two signs of life."""


class Announce:
    """Says where the proxy listens, and that its loop turns."""

    def running(self) -> None:
        """All servers are up; but if something went wrong, mitmproxy says so after this, and ends."""
        if ctx.master.addons.get("errorcheck").logger.has_errored:
            return
        server = ctx.master.addons.get("proxyserver")
        assert isinstance(server, Proxyserver)  # noqa: S101 - mitmproxy's own
        for instance in server.servers:
            for host, port, *_ in instance.listen_addrs:
                _say(f"listening on {f'[{host}]' if ':' in host else host}:{port}")
        _say("ready")
        self._live()

    def _live(self) -> None:
        asyncio.get_running_loop().call_later(_EVERY, self._live)
        # Nobody may read: the parent was stopped at its terminal, say.  No traffic waits for that.
        with contextlib.suppress(OSError):
            if select.select((), (sys.stderr,), (), 0)[1]:
                _say("alive")


class Faults(logging.Handler):
    """Counts what goes wrong inside mitmproxy.  Its messages may hold what was captured, and are shown nowhere."""

    def __init__(self, observe: Observe) -> None:
        """`observe` records them."""
        super().__init__(logging.ERROR)
        self._observe = observe

    def emit(self, record: logging.LogRecord) -> None:
        """Takes note of one."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "error"
        self._observe.fault("mitmproxy", f"a fault of mitmproxy's ({kind})")


async def run(settings: dict[str, Any]) -> None:
    """Runs the proxy until it is told to end.

    `settings`: mitmproxy's options, ours, which begin with `phonehome_`, and `set`, texts `NAME=VALUE` that have the
    last word.  Raises `OptionsError` for a wrong one.
    """
    try:
        modes = [ReverseMode.parse(mode) for mode in settings.get("mode", ()) if mode.startswith("reverse:")]
    except ValueError as error:
        raise exceptions.OptionsError(str(error)) from error
    # An own server behind `reverse:` is asked for the name that the visitor used, as it would be without us.
    own = all(household(mode.address[0]) for mode in modes)
    wanted = {**ALWAYS, "keep_host_header": own, **settings}
    texts = wanted.pop("set", [])
    master = DumpMaster(options.Options(), with_termlog=False, with_dumper=False)
    # The parent makes one sentence of what went wrong at the start.
    master.addons.get("errorcheck").repeat_errors_on_stderr = True
    observe = Observe()
    passthrough = Passthrough(observe)
    # Before mitmproxy's own, which decide what is looked into, and how servers are talked to.
    master.addons.chain[:0] = [master.addons.register(one) for one in (passthrough, Presence(observe))]
    first = (ClientCertificate(observe, passthrough), Wellformed(observe), Forwarded(observe), Limits(observe), observe)
    master.addons.add(
        *first, Reroute(), Guard(observe), Heartbeat(observe), Clock(observe, passthrough.keep), Announce()
    )
    Dispatch(master.addons)
    http1.mended()
    # Without a handler Python would print mitmproxy's warnings.
    logging.getLogger().addHandler(Faults(observe))
    master.options.update(**wanted)
    master.options.set(*texts)
    loop = asyncio.get_running_loop()

    def give_up() -> None:
        if not master.should_exit.is_set():
            _say(SILENT)
            master.shutdown()

    logging.getLogger().addHandler(Watchdog(lambda: loop.call_soon_threadsafe(give_up)))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, master.shutdown)

    def watch_parent() -> None:
        # Not `sys.stdin`, whose lock a thread that waits would hold when Python ends.
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(master.shutdown)

    threading.Thread(target=watch_parent, name="parent", daemon=True).start()
    await master.run()


def _line() -> str:
    """The first line of standard input, and not a byte more than has come with it."""
    data = b""
    while not data.endswith(b"\n") and (part := os.read(0, 65536)):
        data += part
    return data.decode()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the protocol with the parent


def main() -> None:
    """Reads the settings and runs."""
    os.umask(0o077)
    crash.quiet()
    # Each connection of a device takes two files, and a proxy that has none left never recovers.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # macOS allows less than it says.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # The ledger's thread gives Python's lock back after a millisecond instead of five, when a byte waits.
    sys.setswitchinterval(0.001)
    try:
        settings = json.loads(_line())["options"]
    except (ValueError, KeyError, TypeError):
        _say("standard input: must be one line of JSON with `options`")
        sys.exit(1)
    try:
        # Before there are threads.
        prepare(settings.get("mode", ()))
        asyncio.run(run(settings))
    except (exceptions.OptionsError, CaptureError) as error:
        _say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
