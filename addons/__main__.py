"""`python -m addons`: the proxy as a process of its own.

Settings come as one line of JSON on standard input, so that nothing stands in the list of processes; when that input
ends, or on SIGINT or SIGTERM, the process ends in order.  Standard error says `listening on HOST:PORT` for each mode.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any

from mitmproxy import options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.tools.dump import DumpMaster

from addons.observe import Observe
from addons.passthrough import Passthrough
from addons.reroute import Reroute

ALWAYS = {
    # A body that turns out to be large is passed on rather than held; ours are announced in `observe`.
    "stream_large_bodies": "2m",
    "store_streamed_bodies": False,
    # Connections that pass untouched are still counted.
    "show_ignored_hosts": True,
}


class Announce:
    """Says where the proxy listens."""

    def running(self) -> None:
        """All servers are up, or mitmproxy has said why not."""
        from mitmproxy import ctx

        server = ctx.master.addons.get("proxyserver")
        if isinstance(server, Proxyserver):
            for host, port, *_ in server.listen_addrs():
                print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", file=sys.stderr, flush=True)  # noqa: T201 - the protocol with the parent


async def run(settings: dict[str, Any]) -> None:
    """Runs the proxy until it is told to end.

    `settings`: `options` (mitmproxy's, and ours that begin with `phonehome_`).
    """
    wanted = {**ALWAYS, **settings["options"]}
    texts = wanted.pop("set", [])
    master = DumpMaster(options.Options(), with_termlog=False, with_dumper=False)
    # The parent makes one sentence of what went wrong at the start.
    master.addons.get("errorcheck").repeat_errors_on_stderr = True
    observe = Observe()
    master.addons.add(observe, Passthrough(observe), Reroute(), Announce())
    master.options.update(**wanted)
    master.options.set(*texts)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, master.shutdown)

    def watch_parent() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(master.shutdown)

    threading.Thread(target=watch_parent, name="parent", daemon=True).start()
    await master.run()


def main() -> None:
    """Reads the settings and runs."""
    os.umask(0o077)
    # The ledger's thread gives Python's lock back after a millisecond instead of five, when a byte waits.
    sys.setswitchinterval(0.001)
    settings = json.loads(sys.stdin.readline())
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
