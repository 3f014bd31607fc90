"""Ports of ours on this machine besides the proxy's: nobody reaches these through the proxy.

Whatever listens for the user alone (a page of the report, say) is taken in here before it serves:

    server = tornado.httpserver.HTTPServer(application)
    server.add_sockets(tornado.netutil.bind_sockets(0, "127.0.0.1"))
    with ports.registered(port):
        ...

Nothing else is to be done: the guard of every proxy with the same folder asks `ours` for each connection to this
machine, so that neither has to be started first.  The entry is a file named by the port that holds the number of the
process; one that was killed leaves it behind, and it counts no longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from captures import home


@contextmanager
def registered(port: int) -> Iterator[None]:
    """Closes a TCP port of this machine to everybody who comes through a proxy of ours, as long as the block lasts."""
    path = home.ports() / str(port)
    home.write(path, str(os.getpid()).encode("ascii"))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def ours() -> frozenset[int]:
    """The ports that are registered by processes that live."""
    return frozenset(int(entry.name) for entry in os.scandir(home.ports()) if entry.name.isdigit() and _lives(entry))


def _lives(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError, ValueError):
        # What is no file could make every connection wait.
        if not entry.is_file(follow_symlinks=False):
            return False
        with open(entry.path, encoding="ascii") as file:  # noqa: PTH123 - each connection to this machine waits for it
            number = int(file.read())
        try:
            os.kill(number, 0)
        except PermissionError:
            return True
        return True
    return False
