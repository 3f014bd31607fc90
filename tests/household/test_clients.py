"""Programs that people use, in the household: a film is played at home, and an app pins its certificates."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from addons.passthrough import LEFT, REASON
from captures import ledger
from captures.model import Contact, Exchange
from household.home import Home
from household.lab import ADDRESSES, PC_MAC, TV_MAC, until


@contextmanager
def watching(home: Home, path: Path, device: str = TV_MAC) -> Iterator[subprocess.Popen[bytes]]:
    done = home.lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", device)
    assert done.returncode == 0, done.stderr
    watch = home.lab.watch("--gateway", "--no-dashboard", "--upstream-ca", str(home.authority), "--ledger", str(path))
    try:
        # Not by a fetch: who has accepted the proxy's certificate once does not count as one that pins.
        led = "led through the proxy now"
        until(lambda: led in home.lab.phonehome("router", "gateway", "status").stdout.splitlines(), 30)
        yield watch
    finally:
        home.lab.end(watch, 60)
        home.lab.phonehome("router", "gateway", "down")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_film_from_the_own_server_passes_by_the_proxy(home: Home) -> None:
    lab, film = home.lab, home.lab.folder / "films"
    film.mkdir()
    make = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:duration=20", "-c:v", "mpeg2video")
    subprocess.run([*make, str(film / "film.mkv")], check=True)
    server = lab.start("server", sys.executable, "-u", "-m", "http.server", "80", "--directory", str(film))
    until(lambda: "Serving" in lab.log(server), 30, lambda: lab.log(server))
    path = lab.folder / "film.ledger"
    with watching(home, path):
        url = f"http://{ADDRESSES['server'][0]}/film.mkv"
        lab.must("tv", "ffmpeg", "-v", "error", "-i", url, "-f", "null", "-")
        seen = lab.log(server)
    # The server was asked by the TV itself, and nothing of it was recorded.
    assert f"{ADDRESSES['tv'][0]} - - " in seen
    assert not [o for _, o in ledger.read(path) if isinstance(o, Exchange) and o.path.startswith("/film")]


_APP = """
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.load_verify_locations(sys.argv[2])
context.verify_flags &= ~ssl.VERIFY_X509_STRICT
with socket.create_connection((sys.argv[3], 443), timeout=20) as plain:
    with context.wrap_socket(plain, server_hostname="plex.tv") as secure:
        # As OkHttp does: a handshake with whom the system trusts, then a look at who it is.
        if secure.getpeercert(True) != ssl.PEM_cert_to_DER_cert(sys.argv[4]):
            print("refused", end="")
        else:
            secure.sendall(b"GET /pinned HTTP/1.1\\r\\nHost: plex.tv\\r\\n\\r\\n")
            print(secure.recv(4096).decode().split()[-2], end="")
"""


def test_an_app_that_pins_fails_once_and_then_passes_uninspected(home: Home) -> None:
    lab, path = home.lab, home.lab.folder / "pinned.ledger"
    chain = (lab.folder / "demo-cloud.pem").read_text()
    leaf = chain[chain.index("-----BEGIN CERT") :].partition("-----END CERTIFICATE-----")
    pin, files = leaf[0] + leaf[1], (str(home.proxy_authority), str(home.authority))
    app = (sys.executable, "-c", _APP, *files, ADDRESSES["internet"][0], pin)
    with watching(home, path, PC_MAC):
        assert lab.must("pc", *app) == "refused"
        # It is known as soon as the connection is over, which the proxy's own TCP tells a moment later.
        until(lambda: [o for _, o in ledger.read(path) if isinstance(o, Contact)], 20)
        assert [lab.must("pc", *app) for _ in range(2)] == ["/pinned", "/pinned"]
    assert [o.reason for _, o in ledger.read(path) if isinstance(o, Contact)] == [LEFT, REASON, REASON]
    assert not [o for _, o in ledger.read(path) if isinstance(o, Exchange)]
