"""Servers on loopback that stand for somebody's cloud, with a certificate authority of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from analysis.demo.certificates import make
from analysis.proxy import Proxy
from captures import ledger
from captures.model import Observation

ROOT = Path(__file__).parents[1]

type Handler = Callable[[ssl.SSLSocket], None]
"""Serves one connection."""


class Cloud:
    """A TLS server for any of the names in its certificate; `handler` serves each connection in a thread.

    `protocols` are offered by ALPN; none by default.
    """

    def __init__(self, folder: Path, hosts: tuple[str, ...], handler: Handler, protocols: tuple[str, ...] = ()) -> None:
        self.authority, self._context = make(folder, hosts)
        if protocols:
            self._context.set_alpn_protocols(protocols)
        self._handler = handler
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._open:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self._handler(connection)
        except OSError:
            plain.close()

    def close(self) -> None:
        self._open = False
        self._socket.close()


def read_request(connection: ssl.SSLSocket) -> bytes:
    """The head of one request, and its body as far as content-length says; empty when the client left."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            while len(body) < int(value):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def small(connection: ssl.SSLSocket) -> None:
    """Answers every request with a small JSON text."""
    while read_request(connection):
        connection.sendall(answer(b'{"ok": true}'))


@contextmanager
def recorded(
    folder: Path, handler: Handler, hosts: tuple[str, ...] = ("plex.tv", "analytics.plex.tv"), **options: object
) -> Iterator[tuple[Proxy, Path]]:
    """A real proxy with the real addons before such a cloud, recording -> (proxy, ledger)."""
    cloud = Cloud(folder, hosts, handler)
    path = folder / "test.ledger"
    ledger.create(path)
    wanted: dict[str, object] = {
        "listen_host": "127.0.0.1",
        "listen_port": 0,
        "confdir": str(folder / "ca"),
        "ssl_verify_upstream_trusted_ca": str(cloud.authority),
        "phonehome_ledger": str(path),
        "phonehome_reroute": json.dumps({host: ["127.0.0.1", cloud.port] for host in hosts}),
        **options,
    }
    try:
        with Proxy(wanted) as proxy:
            yield proxy, path
    finally:
        cloud.close()


class Shared:
    """A recording that the tests of a module share: each begins with `taken` and sees what came after that alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proxy: Proxy
        self.path: Path
        self._handler: Handler = small
        self._before = 0

    def serve(self, connection: ssl.SSLSocket) -> None:
        self._handler(connection)

    def taken(self, handler: Handler = small) -> Shared:
        """From now on the cloud answers by this handler."""
        self._handler, self._before = handler, len(written(self.path, 0))
        return self

    def connect(self, host: str) -> contextlib.AbstractContextManager[http.client.HTTPSConnection]:
        """A connection through the proxy, by a device that trusts it."""
        return connect(self.proxy, trust(self.folder), host)

    def written(self, count: int) -> list[Observation]:
        """Waits until so many observations came since it was taken."""
        return written(self.path, self._before + count)[self._before :]


@contextmanager
def shared(folder: Path, hosts: tuple[str, ...], **options: object) -> Iterator[Shared]:
    """`recorded`, for several tests one after the other."""
    one = Shared(folder)
    with recorded(folder, one.serve, hosts, **options) as (one.proxy, one.path):
        yield one


def spoken(proxy: tuple[str, int], data: bytes, patience: float) -> None:
    """Sends what a device may send, as it is, and waits so many seconds for a word."""
    with socket.create_connection(proxy, timeout=10) as device:
        device.sendall(data)
        device.settimeout(patience)
        with contextlib.suppress(OSError):
            device.recv(4096)


def trust(folder: Path) -> ssl.SSLContext:
    """Trusts the proxy's authority alone."""
    context = ssl.create_default_context(cafile=str(folder / "ca" / "mitmproxy-ca-cert.pem"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def connect(
    proxy: Proxy | tuple[str, int], context: ssl.SSLContext, host: str
) -> Iterator[http.client.HTTPSConnection]:
    """A connection through the proxy (or the one at this address) that closes with the block."""
    address = proxy.listening[0] if isinstance(proxy, Proxy) else proxy
    connection = http.client.HTTPSConnection(*address, timeout=20, context=context)
    connection.set_tunnel(host, 443)
    with closing(connection):
        yield connection


def written(path: Path, count: int, timeout: float = 10.0) -> list[Observation]:
    """Waits until so many observations are in the ledger."""
    end = time.monotonic() + timeout
    while True:
        rows = [observation for _, observation in ledger.read(path)]
        if len(rows) >= count or time.monotonic() > end:
            return rows
        time.sleep(0.05)


def start(*arguments: str, home: Path) -> subprocess.Popen[str]:
    """`phonehome …` as a process, which finds the packs as read before."""
    packs = Path(os.environ["PHONEHOME_HOME"]) / "cache"
    if packs.is_dir() and packs != home / "cache":
        shutil.copytree(packs, home / "cache", dirs_exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "analysis", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PHONEHOME_HOME": str(home)},
    )


@contextmanager
def program(
    name: str, folder: Path, cloud: Cloud, hosts: tuple[str, ...], *arguments: str
) -> Iterator[tuple[str, int]]:
    """One of mitmproxy's own programs with our script, before such a cloud -> where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    settings = {
        "listen_host": "127.0.0.1",
        "listen_port": port,
        "confdir": folder / "ca",
        "ssl_verify_upstream_trusted_ca": cloud.authority,
        "phonehome_reroute": json.dumps({host: ["127.0.0.1", cloud.port] for host in hosts}),
    }
    process = subprocess.Popen(
        [
            sys.executable, "-c", f"from mitmproxy.tools.main import {name}; {name}()",
            "-s", str(ROOT / "addons" / "observe.py"), "-s", str(ROOT / "addons" / "reroute.py"), *arguments,
            *(part for key, value in settings.items() for part in ("--set", f"{key}={value}")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Not from the project's folder, so that the script has to find the project by itself.
        cwd=folder,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(timeout=20)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def held(pid: int) -> dict[str, tuple[int, int]]:
    """Number of a process -> of it and of all that it has started, by module: bytes that are resident, and its share of
    those: a page that several processes hold is divided among them (Linux).  The process itself is `watch`."""
    found: dict[str, tuple[int, int]] = {}
    waiting = [pid]
    while waiting:
        number = waiting.pop()
        process = Path(f"/proc/{number}")
        # One may have ended meanwhile.
        with contextlib.suppress(OSError):
            children = [(task / "children").read_text("ascii") for task in (process / "task").iterdir()]
            words = (process / "cmdline").read_text().split("\0")
            lines = (process / "smaps_rollup").read_text("ascii").splitlines()[1:]
            waiting += [int(child) for text in children for child in text.split()]
            sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
            module = words[words.index("-m") + 1] if "-m" in words else Path(words[0]).name
            name = "watch" if number == pid else module
            resident, share = found.get(name, (0, 0))
            found[name] = (resident + sizes["Rss"], share + sizes["Pss"])
    return found
