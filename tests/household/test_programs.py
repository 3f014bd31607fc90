"""Chromium and plexapi in the household, by each way: what people really run, with the authority where each looks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from browser import CHROMIUM
from captures import ledger
from captures.model import Contact, Exchange
from household.home import Home
from household.lab import ADDRESSES, PC_MAC, ROOT, until

INTERNET = ADDRESSES["internet"][0]


@contextmanager
def watching(home: Home, path: Path, way: str) -> Iterator[subprocess.Popen[bytes]]:
    """The PC is watched by a way into the proxy on the router."""
    lab, common = home.lab, ("--no-dashboard", "--upstream-ca", str(home.authority), "--ledger", str(path))
    if way == "regular":
        # A browser with a proxy asks nobody for addresses, and the router of the lab has nobody to ask.
        table = json.dumps({"plex.tv": [INTERNET, 443]})
        watch = lab.watch("--listen", "0.0.0.0:8080", "--set", f"phonehome_reroute={table}", *common)
    else:
        done = lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", PC_MAC, "--way", way)
        assert done.returncode == 0, done.stderr
        watch = lab.watch("--gateway", *common)
    try:
        if way != "regular":
            # Not by a fetch: it would be recorded.
            until(lambda: "led through the proxy now" in lab.phonehome("router", "gateway", "status").stdout, 30)
        yield watch
    finally:
        lab.end(watch, 90)
        if way != "regular":
            lab.phonehome("router", "gateway", "down")


@pytest.fixture(scope="module")
def profile(home: Home) -> Path:
    """The folder of a user of Chromium, who trusts the proxy's authority as `trust add` makes it."""
    folder = home.lab.folder / "user"
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{store}", "--empty-password"], check=True)
    done = home.lab.phonehome("pc", "trust", "add", "chromium", "--path", str(store))
    assert done.returncode == 0, done.stderr
    return folder


def browse(home: Home, profile: Path, path: str, *flags: str, host: str = "plex.tv") -> str:
    """What Chromium on the PC shows at a path of a host, QUIC allowed."""
    done = home.lab.run(
        "pc", "env", f"HOME={profile}", CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}/chromium",
        f"--host-resolver-rules=MAP plex.tv {INTERNET}", "--enable-quic", *flags, "--dump-dom", f"https://{host}{path}",
        timeout=120,
    )  # fmt: skip
    return re.sub(r"<[^>]*>", "", done.stdout).strip() or done.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.parametrize("way", ["tun", "redirect", "regular"])
def test_a_browser_that_trusts_the_authority_is_read(home: Home, profile: Path, way: str) -> None:
    path = home.lab.folder / f"chromium-{way}.ledger"
    proxy = (f"--proxy-server=http://{ADDRESSES['router'][0]}:8080",) if way == "regular" else ()
    with watching(home, path, way):
        shown = browse(home, profile, "/page", *proxy)
        assert shown.startswith("/page 198.51.100.1"), shown
        if way == "tun":
            served = home.lab.start(
                "internet", sys.executable, str(ROOT / "tests/household/http3.py"), "serve",
                f"{home.lab.folder}/demo-cloud.pem", INTERNET,
            )  # fmt: skip
            until(lambda: "serving" in home.lab.log(served), 30, lambda: home.lab.log(served))
            shown = browse(home, profile, "/quic", "--origin-to-force-quic-on=plex.tv:443")
            assert shown.startswith("/quic h3 198.51.100.1"), shown
            served.terminate()
    rows = [o for _, o in ledger.read(path) if isinstance(o, Exchange)]
    seen = {(o.path, o.http_version) for o in rows if o.host == "plex.tv" and o.path in ("/page", "/quic")}
    assert seen == {("/page", "HTTP/1.1")} | ({("/quic", "HTTP/3")} if way == "tun" else set())
    assert all("Chrome" in dict(o.headers)["user-agent"] for o in rows if o.path == "/page")
    assert not [o for _, o in ledger.read(path) if isinstance(o, Contact) and o.host == "plex.tv"]
    # Chromium hides the name where it can, and sends filler that looks like it where it cannot (RFC 9849, 6.2).
    assert "ech" in {one.kind for one in ledger.effects(path) if one.host == "plex.tv"}


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_that_trusts_the_authority_takes_it_for_no_name_of_the_list(home: Home, profile: Path) -> None:
    table = json.dumps({"plex.tv": [INTERNET, 443], "paypal.com": [INTERNET, 443]})
    # The proxy itself would let the name pass; what is looked at is what the certificate says.
    unsafe = ("--set", "phonehome_never=", "--set", "ssl_insecure=true", "--set", f"phonehome_reroute={table}")
    watch = home.lab.watch("--listen", "0.0.0.0:8080", "--no-dashboard", *unsafe)
    proxy = f"--proxy-server=http://{ADDRESSES['router'][0]}:8080"
    try:
        assert browse(home, profile, "/page", proxy).startswith("/page 198.51.100.1")
        refused = browse(home, profile, "/page", proxy, host="paypal.com")
        assert "ERR_CERT" in refused
        assert "198.51.100.1" not in refused
    finally:
        home.lab.end(watch, 90)


_PLEXAPI = """
from plexapi.myplex import MyPlexAccount
account = MyPlexAccount(token="made-up-token-0001")
(resource,) = account.resources()
(address,) = [connection.uri for connection in resource.connections]
server = resource.connect(ssl=False, timeout=20)
print(account.title, resource.name, server.friendlyName, [film.title for film in server.library.section("Films").all()])
"""


def test_plexapi_is_read_at_the_vendors_and_left_alone_at_home(home: Home) -> None:
    lab, path = home.lab, home.lab.folder / "plexapi.ledger"
    hosts = Path("/etc/netns") / lab.namespace("pc")
    hosts.mkdir(parents=True)
    (hosts / "hosts").write_text(f"127.0.0.1 localhost\n{INTERNET} plex.tv\n")
    place = (ADDRESSES["server"][0], "32400")
    server = lab.start("server", sys.executable, str(ROOT / "tests/media_servers.py"), "plex", "3", *place)
    until(lambda: "http" in lab.log(server), 30, lambda: lab.log(server))
    try:
        with watching(home, path, "tun"):
            trust = f"REQUESTS_CA_BUNDLE={home.proxy_authority}"
            said = lab.must("pc", "env", trust, sys.executable, "-c", _PLEXAPI, timeout=90)
    finally:
        (hosts / "hosts").unlink()
        hosts.rmdir()
    assert said.startswith("anna Shelf Shelf ['")
    rows = [o for _, o in ledger.read(path)]
    assert {(o.host, o.path) for o in rows if isinstance(o, Exchange)} == {
        ("plex.tv", "/api/v2/user"), ("plex.tv", "/api/v2/resources"),
    }  # fmt: skip
    # What stays in the house is none of our business.
    assert not [o for o in rows if ADDRESSES["server"][0] in (o.host,)]
