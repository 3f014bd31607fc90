"""A device at home tries to reach, through the proxy, what runs on the proxy's machine and elsewhere at home."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from household.home import Home
from household.lab import ADDRESSES, ROOT, until

SECRET = "what nobody outside may read"

PORTS = {"get": 8080, "tunnel": 8080, "socks": 1080, "get beyond": 8082, "tunnel beyond": 8082}
"""Way of asking -> port of the proxy; `beyond`: it asks a further proxy, on its own machine."""

SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "127.0.0.2", "127.255.255.254", "2130706433", "017700000001", "0177.0.0.1",
    "0177.0.0.01", "0x7f000001", "0x7f.0.0.1", "0X7F.1", "0x7f.0x0.0x0.0x1", "0", "0.0.0.0", "localhost", "localhost.",
    "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "192.168.50.1", "3232248321", "0xc0a83201", "198.51.100.1",
    "[2001:db8:50::1]", "[2001:DB8:fe::1]", "[::ffff:192.168.50.1]", "169.254.169.254", "inside.example",
    "INSIDE.example.", "mapped.example", "router.example", "alias.example", "127.0.0.1.", "127.0.0.1..", "localhost..",
    "[::1%1]", "[::1%251]", "[fe80::1%1]", "[::ffff:127.0.0.1%1]", "[64:ff9b:1::7f00:1]", "[::ffff:0:127.0.0.1]",
    "00000000000000000177.0.0.1", "2130706433.", "１２７.0.0.1", "127。0。0。1", "127.0.0.1%00",
    "127.0.0.1%2f@203.0.113.10",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[Home]:
    """The same secret on the router and on a device at home, something harmless on the Internet, and names."""
    settings = Path("/etc/netns") / home.lab.namespace("router")
    settings.mkdir(parents=True)
    (settings / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (settings / "nsswitch.conf").write_text("hosts: files dns\n")
    try:
        for host in ("router", "server", "internet"):
            folder = home.lab.folder / f"www-{host}"
            folder.mkdir()
            (folder / "secret").write_text("harmless" if host == "internet" else SECRET)
            serve = (sys.executable, "-u", "-m", "http.server", "9000", "--bind", "::", "--directory", str(folder))
            started = home.lab.start(host, *serve)
            until(lambda started=started: "Serving" in home.lab.log(started), 30)
        names = home.lab.start("router", sys.executable, str(ROOT / "tests/household/names.py"))
        until(lambda: "serving" in home.lab.log(names), 30, lambda: home.lab.log(names))
        further = home.lab.start(
            "router", sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()",
            "--listen-host", "127.0.0.1", "--listen-port", "8081", "--set", f"confdir={home.lab.folder}/further",
        )  # fmt: skip
        until(lambda: "listening" in home.lab.log(further), 60, lambda: home.lab.log(further))
        yield home
    finally:
        shutil.rmtree(settings)


@contextmanager
def watching(home: Home, *arguments: str, shift: int = 0) -> Iterator[None]:
    modes = (f"regular@{8080 + shift}", f"socks5@{1080 + shift}", f"upstream:http://127.0.0.1:8081@{8082 + shift}")
    watch = home.lab.watch(
        "--listen", f"0.0.0.0:{8080 + shift}", *(part for mode in modes for part in ("--mode", mode)),
        "--set", "ssl_insecure=true", *arguments,
    )  # fmt: skip
    try:
        yield
    finally:
        watch.terminate()
        watch.wait(30)


@pytest.fixture(scope="module")
def proxy(served: Home) -> Iterator[Home]:
    with watching(served):
        yield served


def asked_all(
    home: Home, way: str, hosts: Iterable[str], port: int = 9000, by: str = "tv", proxy: int = 0
) -> dict[str, str]:
    """Host -> what a host at home gets of it through the proxy."""
    hosts = list(hosts)
    done = home.lab.run(
        by, sys.executable, str(ROOT / "tests/household/ask.py"), way.split()[0], ADDRESSES["router"][0],
        str(proxy or PORTS[way]), str(port), *hosts, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(hosts, json.loads(done.stdout), strict=True))


def asked(home: Home, way: str, host: str, port: int = 9000, by: str = "tv", proxy: int = 0) -> str:
    """Likewise, of one."""
    return asked_all(home, way, (host,), port, by, proxy)[host]


@pytest.mark.parametrize("way", PORTS)
def test_the_internet_is_reached(proxy: Home, way: str) -> None:
    for host in (ADDRESSES["internet"][0], "outside.example"):
        # The further proxy asks the same DNS server.
        assert "harmless" in asked(proxy, way, host)


@pytest.mark.parametrize("way", PORTS)
def test_the_proxys_machine_is_not_reached(proxy: Home, way: str) -> None:
    for host, got in asked_all(proxy, way, SPELLINGS).items():
        assert SECRET not in got, host
        # That the proxy has refused it, and not something else has failed.
        known = got.startswith("refused") or "belongs to the machine" in got or (way == "get beyond" and not got)
        # What mitmproxy itself finds wrong is 400; some are no names, as the resolver or the further proxy finds.
        none = (" 400 ", "[Errno -", "no name of a server", "refused HTTP CONNECT request: 502")
        assert known or any(text in got for text in none), (host, got)


RAW = {
    "a path, and the name in Host": "GET /secret HTTP/1.1\\r\\nHost: INSIDE",
    "two slashes": "GET //INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "no scheme": "GET INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "only a name": "GET INSIDE HTTP/1.1\\r\\nHost: INSIDE",
    "another scheme": "GET ftp://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a scheme in capitals": "GET HTTP://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "with TLS": "GET https://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a WebSocket": "GET http://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE\\r\\nConnection: Upgrade"
    "\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: bWFkZSB1cCB2YWx1ZSEhIQ==",
    "the scheme of WebSocket": "GET ws://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a user like a server": "GET http://OUTSIDE@INSIDE/secret HTTP/1.1\\r\\nHost: OUTSIDE",
    "a password like a server": "GET http://OUTSIDE:80@INSIDE/secret HTTP/1.1\\r\\nHost: OUTSIDE",
    "a backslash": "GET http://OUTSIDE\\\\@INSIDE/secret HTTP/1.1\\r\\nHost: OUTSIDE",
    "another backslash": "GET http://INSIDE\\\\@OUTSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a fragment": "GET http://OUTSIDE#@INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a question": "GET http://OUTSIDE?@INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a port that is too large": "GET http://127.0.0.1:74536/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a negative port": "GET http://127.0.0.1:-56536/secret HTTP/1.1\\r\\nHost: INSIDE",
    "NUL in the name": "GET http://127.0.0.1\\x00.example:9000/secret HTTP/1.1\\r\\nHost: INSIDE",
    "escapes in the name": "GET http://%31%32%37.0.0.1:9000/secret HTTP/1.1\\r\\nHost: INSIDE",
    "a tunnel by a URL": "CONNECT http://INSIDE/ HTTP/1.1\\r\\nHost: INSIDE",
    "a tunnel to a user": "CONNECT OUTSIDE@INSIDE HTTP/1.1\\r\\nHost: INSIDE",
    "an old version": "GET http://INSIDE/secret HTTP/1.0",
    "the second request": "GET http://OUTSIDE/x HTTP/1.1\\r\\nHost: OUTSIDE\\r\\n\\r\\n"
    "GET http://INSIDE/secret HTTP/1.1\\r\\nHost: INSIDE",
}
"""Other ways to write a request for the secret, as a line of bytes without its end."""


@pytest.mark.parametrize("port", [8080, 8082])
def test_however_a_request_is_written_it_does_not_lead_there(proxy: Home, port: int) -> None:
    places = {"INSIDE": "127.0.0.1:9000", "OUTSIDE": f"{ADDRESSES['internet'][0]}:9000"}
    written = [text + r"\r\nConnection: close\r\n\r\n" for text in RAW.values()]
    for word, place in places.items():
        written = [text.replace(word, place) for text in written]
    for name, got in zip(RAW, asked_all(proxy, "raw", written, proxy=port).values(), strict=True):
        assert SECRET not in got, name


def test_what_is_sent_within_a_tunnel_stays_in_it(proxy: Home) -> None:
    outside = f"{ADDRESSES['internet'][0]}:9000"
    tunnel = rf"CONNECT {outside} HTTP/1.1\r\nHost: {outside}\r\n\r\n"
    written = [
        tunnel + rf"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nConnection: close\r\n\r\n"
        for target in ("/secret", "http://127.0.0.1:9000/secret", "//127.0.0.1:9000/secret")
    ]
    got = asked_all(proxy, "raw", written, proxy=8080)
    assert "harmless" in got[written[0]]
    assert not any(SECRET in answer for answer in got.values())


def test_the_name_of_http2_does_not_lead_there(proxy: Home) -> None:
    inside = ("127.0.0.1:9000", "localhost:9000", "192.168.50.1:9000", "[::1]:9000")
    outside = f"{ADDRESSES['internet'][0]}:9000"
    got = asked_all(proxy, "http2", (*inside, outside), port=0, proxy=8080)
    assert "harmless" in got.pop(outside)
    for name, answer in got.items():
        assert "belongs to the machine" in answer, name


def test_the_names_of_tls_and_http_within_a_tunnel_do_not_lead_there(proxy: Home) -> None:
    assert "\r\n\r\n/secret " in asked(proxy, "http2", ADDRESSES["internet"][0], port=443, proxy=8080)


@pytest.mark.parametrize("way", ["get", "tunnel", "socks"])
def test_of_a_name_with_two_addresses_the_harmless_one_is_reached(proxy: Home, way: str) -> None:
    assert "harmless" in asked(proxy, way, "both.example")


@pytest.mark.parametrize("way", ["get", "tunnel", "socks"])
def test_a_name_that_changes_its_meaning_never_leads_to_the_proxys_machine(proxy: Home, way: str) -> None:
    got = [asked(proxy, way, "changes.example") for _ in range(6)]
    assert not any(SECRET in answer for answer in got)
    assert any("harmless" in answer for answer in got)


def test_a_redirect_does_not_lead_there(proxy: Home) -> None:
    lab = proxy.lab
    script = (
        "import http.server as h\n"
        "class R(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(302); self.send_header('Location', 'http://127.0.0.1:9000/secret')\n"
        "        self.send_header('Content-Length', '0'); self.end_headers()\n"
        "print('serving', flush=True)\n"
        "h.HTTPServer(('0.0.0.0', 9001), R).serve_forever()"
    )
    server = lab.start("internet", sys.executable, "-c", script)
    until(lambda: "serving" in lab.log(server), 30, lambda: lab.log(server))
    url = f"http://{ADDRESSES['internet'][0]}:9001/"
    got = lab.must("tv", "curl", "-sSL", "--max-time", "8", "-x", "http://192.168.50.1:8080", url)
    assert "belongs to the machine" in got


def test_a_name_in_the_header_host_does_not_lead_there(proxy: Home) -> None:
    lab = proxy.lab
    url = f"http://{ADDRESSES['internet'][0]}:9000/secret"
    got = lab.must("tv", "curl", "-sS", "-x", "http://192.168.50.1:8080", "-H", "Host: 127.0.0.1:9000", url)
    assert got == "harmless"


@pytest.mark.parametrize("way", ["get", "tunnel", "socks"])
def test_others_at_home_are_not_reached(proxy: Home, way: str) -> None:
    for host, got in asked_all(proxy, way, (ADDRESSES["server"][0], f"[{ADDRESSES['server'][1]}]")).items():
        assert SECRET not in got
        assert got.startswith("refused") or "watch --allow-lan" in got or " 400 " in got, host


ANYWAY = ("127.0.0.1", "127.1", "localhost", "192.168.50.1", "[::1]", "192.168.50.40")


@pytest.mark.parametrize("way", ["get", "tunnel", "socks"])
def test_a_program_on_the_proxys_machine_reaches_what_it_reaches_anyway(proxy: Home, way: str) -> None:
    for host, got in asked_all(proxy, way, ANYWAY, by="router").items():
        assert SECRET in got, host


@pytest.mark.parametrize("port", [8080, 1080, 8082])
def test_but_not_the_proxys_own_ports(proxy: Home, port: int) -> None:
    hosts = ("127.1", "127.0.0.2", "localhost.", "192.168.50.1", "[::ffff:127.0.0.1]", "0")
    for host, got in asked_all(proxy, "get", hosts, port, by="router").items():
        assert "ports of phonehome itself" in got, host


def test_others_at_home_are_reached_when_asked_for_but_never_the_proxys_machine(served: Home) -> None:
    # Lazily, a device is offered HTTP/2 whatever the server speaks.
    with watching(served, "--allow-lan", "--set", "connection_strategy=lazy", shift=1000):
        server, router = ADDRESSES["server"][0], ADDRESSES["router"][0]
        for way in ("get", "tunnel", "socks"):
            got = asked_all(served, way, (server, router, "127.0.0.1"), proxy=PORTS[way] + 1000)
            assert SECRET in got.pop(server)
            assert not any(SECRET in answer for answer in got.values())
        outside = ADDRESSES["internet"][0]
        assert asked(served, "http2", outside, port=443, proxy=9080).startswith("200 /secret")
