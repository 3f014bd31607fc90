"""`python -m analysis.web`: the dashboard of `watch` as a process of its own.

Settings come as one line of JSON on standard input; when that input ends, the process ends.  Standard error says
`link URL`, and that again each time a link was used.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from analysis import known, language
from analysis.evidence import Servers
from analysis.knowledge import load
from analysis.web.origin import Ledger
from analysis.web.pages import Shown
from analysis.web.server import Server
from captures import crash, home
from captures.model import CaptureError
from captures.process import give_way


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the protocol with the parent


async def _run(server: Server, shown: Shown) -> None:
    def watch_parent() -> None:
        # Not `sys.stdin`, whose lock a thread that waits would hold when Python ends.
        while os.read(0, 4096):
            pass
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    threading.Thread(target=watch_parent, name="parent", daemon=True).start()
    await server.run(shown, lambda link: _say(f"link {link}"))


def main() -> None:
    """Reads the settings and serves."""
    os.umask(0o077)
    crash.quiet()
    language.use(language.wanted(os.environ))
    # What these would say of a fault may hold captured text.
    for name in ("tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    line = b""
    while not line.endswith(b"\n") and (part := os.read(0, 65536)):
        line += part
    try:
        settings = json.loads(line)
        path, port, changes = Path(settings["ledger"]), settings["port"], bool(settings["changes"])
        server = Server(port)
    except (ValueError, KeyError, TypeError, OSError) as error:
        _say(f"cannot be started ({type(error).__name__})")
        sys.exit(1)
    knowledge = load(home.packs(), home.cache())
    named = Servers(hosts=frozenset(one.value for one in known.listed("server")))
    # The proxy goes first.  Not while it starts: somebody waits for the link, and that is done once.
    give_way()
    try:
        origin = Ledger(path, knowledge, named, known.load())
    except CaptureError as error:
        _say(str(error))
        sys.exit(1)
    try:
        asyncio.run(_run(server, Shown(origin, knowledge, changes)))
    finally:
        origin.close()


if __name__ == "__main__":
    main()
