"""Servers that ask for a certificate that only the device has are reached at the second try, by the device itself."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis.demo.certificates import make
from captures.model import Contact, Exchange
from fake_cloud import recorded, small, trust, written
from test_passthrough import fetch, strict

WANTED = "not inspected: the server wants a certificate that only the device has"


@contextmanager
def asking(folder: Path, *arguments: str, authorities: str = "-CAfile") -> Iterator[tuple[int, Path]]:
    """A server (OpenSSL's) that asks for a client's certificate -> its port, and the certificate that it accepts."""
    (folder / "x").mkdir()
    mine = folder / "mine.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a device", "-keyout",
         str(mine), "-out", f"{mine}.crt"], check=True, capture_output=True,
    )  # fmt: skip
    mine.write_bytes(mine.read_bytes() + Path(f"{mine}.crt").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    chain = folder / "demo-cloud.pem"
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(chain), "-key", str(chain), authorities,
         f"{mine}.crt", "-www", "-quiet", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.05)
        yield port, mine
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    ("version", "authorities"),
    [("-tls1_2", "-CAfile"), pytest.param("-tls1_3", "-CAfile", marks=pytest.mark.slow), ("-tls1_3", "-verifyCAfile")],
    ids=["TLS 1.2", "TLS 1.3", "TLS 1.3, and names no authority"],
)
def test_a_server_that_asks_for_the_devices_own_certificate_is_reached_at_the_second_try(
    tmp_path: Path, version: str, authorities: str
) -> None:
    make(tmp_path, ("plex.tv",))
    with asking(tmp_path, "-Verify", "1", "-verify_return_error", version, authorities=authorities) as (port, mine):
        reroute = json.dumps({"plex.tv": ["127.0.0.1", port]})
        with recorded(tmp_path / "x", small, ssl_verify_upstream_trusted_ca=str(tmp_path / "demo-ca.pem"),
                      phonehome_reroute=reroute) as (proxy, path):  # fmt: skip
            device = trust(tmp_path / "x")
            device.load_cert_chain(mine)
            # OpenSSL's server leaves the connection open after it has refused; nobody waits for that.
            assert b"s_server" not in fetch(proxy, device)
            written(path, 1)
            device = strict(tmp_path)
            device.load_cert_chain(mine)
            assert b"s_server" in fetch(proxy, device)
            # Of old TLS the refusal is seen twice.
            rows = written(path, 3 if version == "-tls1_2" else 2)
            assert [x.reason for x in rows if isinstance(x, Contact)][-1] == WANTED


def test_one_that_asks_and_does_without_is_still_looked_into(tmp_path: Path) -> None:
    make(tmp_path, ("plex.tv",))
    with asking(tmp_path, "-verify", "1") as (port, _):
        reroute = json.dumps({"plex.tv": ["127.0.0.1", port]})
        with recorded(tmp_path / "x", small, ssl_verify_upstream_trusted_ca=str(tmp_path / "demo-ca.pem"),
                      phonehome_reroute=reroute) as (proxy, path):  # fmt: skip
            for _ in range(2):
                assert b"s_server" in fetch(proxy, trust(tmp_path / "x"))
            assert [type(x) for x in written(path, 2)] == [Exchange, Exchange]
