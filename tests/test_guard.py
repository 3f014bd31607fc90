"""What a client on this machine may reach through a real proxy; tests/household asks from another machine."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from mitmproxy.addons.dns_resolver import DnsResolver
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Server
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons

from addons import guard
from addons.guard import LAN, LOCAL, OURS, STRANGER, Guard
from addons.observe import Observe
from analysis.proxy import Proxy
from captures.gateway import ports
from fake_cloud import Cloud, connect, small, trust
from household.test_guard import RAW


def tried(
    host: str, peer: str = "192.0.2.20", mode: str = "regular", port: int = 9000, **options: object
) -> tuple[str, tuple[str, int]]:
    """What the guard makes of a connection -> why it is refused, and where it goes."""

    async def run() -> tuple[str, tuple[str, int]]:
        observe = Observe()
        addon = Guard(observe)
        with taddons.context(addon, Proxyserver(), DnsResolver()) as context:
            context.options.update(**options)
            client = Client(peername=(peer, 50000), sockname=("192.0.2.1", 8080), proxy_mode=ProxyMode.parse(mode))
            server = Server(address=(host, port))
            await addon.server_connect(ServerConnectionHookData(server, client))
            assert server.address
            return server.error or "", server.address

    return asyncio.run(run())


def turned_away(peer: str, mode: str = "regular", **options: object) -> str:
    """Why a client is turned away at the door; empty when it is not."""
    observe = Observe()
    addon = Guard(observe)
    with taddons.context(addon, Proxyserver(), DnsResolver()) as context:
        context.options.update(**options)
        client = Client(peername=(peer, 50000), sockname=("192.0.2.1", 8080), proxy_mode=ProxyMode.parse(mode))
        addon.client_connected(client)
        return client.error or ""


STRANGERS = ("8.8.8.8", "2a02:8109:1::20", "::ffff:8.8.8.8")


@pytest.mark.parametrize("peer", STRANGERS)
@pytest.mark.parametrize("mode", ["regular", "socks5", "upstream:http://127.0.0.1:9000", "transparent"])
def test_strangers_from_the_internet_use_no_proxy_of_the_household(peer: str, mode: str) -> None:
    assert turned_away(peer, mode) == f"phonehome: {STRANGER}"
    assert turned_away(peer, mode, phonehome_strangers=True) == ""


@pytest.mark.parametrize("peer", STRANGERS)
@pytest.mark.parametrize("mode", ["reverse:http://127.0.0.1:9000", "wireguard", "tun", "local:curl"])
def test_a_media_server_has_visitors_and_a_router_lets_in_whom_it_leads(peer: str, mode: str) -> None:
    assert turned_away(peer, mode) == ""


def test_a_device_with_a_public_address_of_the_same_network_is_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for peer in ("192.168.1.20", "fe80::1%eth0", "fd00::1", "127.0.0.1", "::1"):
        assert turned_away(peer) == ""
    monkeypatch.setattr(guard, "_source", lambda _: ipaddress.ip_address("2a02:8109:1::1"))
    assert turned_away("2a02:8109:1::20") == ""
    assert turned_away("2a02:8109:2::20") == f"phonehome: {STRANGER}"


INSIDE = (
    "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "017700000001", "0x7f.1", "0", "0.0.0.0", "0.1.2.3",
    "localhost", "LocalHost", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1", "2002:7f00:1::", "169.254.169.254", "fe80::1", "::ffff:169.254.1.1", "224.0.0.1", "ff02::1",
    "255.255.255.255", "240.0.0.1", "::1%1", "fe80::1%1", "::ffff:127.0.0.1%1", "::ffff:0:127.0.0.1",
    "00000000000177.0.0.1", "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "0177.0x0.0.1", "127.0x1", "0x7f.1.1",
)  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("mode", ["regular", "socks5", "transparent", "wireguard", "tun"])
def test_no_device_elsewhere_reaches_this_machine_in_any_spelling(host: str, mode: str) -> None:
    assert tried(host, mode=mode)[0] == f"phonehome: {LOCAL}"
    assert tried(host, mode=mode, phonehome_allow_lan=True)[0] == f"phonehome: {LOCAL}"


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "172.31.0.1", "192.168.1.1", "3232235777", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:c0a8:101::"],
)  # fmt: skip
def test_others_at_home_are_reached_when_asked_for_or_by_packets_that_went_there_anyway(host: str) -> None:
    assert tried(host)[0] == f"phonehome: {LAN}"
    for case in (
        tried(host, phonehome_allow_lan=True),
        tried(host, mode="wireguard"),
        tried(host, mode="transparent"),
        tried(host, peer="127.0.0.1"),
    ):
        assert case[0] == ""


@pytest.mark.parametrize(
    "host", ["203.0.113.10", "172.32.0.1", "2001:db8:7::1", "64:ff9b::cb00:710a", "2002:cb00:710a::", "::ffff:8.8.8.8"]
)
def test_the_internet_is_reached(host: str) -> None:
    assert tried(host)[0] == ""


def test_what_the_user_has_chosen_is_reached_wherever_it_is() -> None:
    assert tried("127.0.0.1", mode="reverse:http://127.0.0.1:9000") == ("", ("127.0.0.1", 9000))
    assert tried("127.0.0.1", mode="upstream:http://127.0.0.1:9000") == ("", ("127.0.0.1", 9000))
    assert tried("127.0.0.1", mode="upstream:http://127.0.0.1:9001")[0] == f"phonehome: {LOCAL}"


def test_a_name_that_is_none_is_said_and_not_asked_a_second_time() -> None:
    for host in ("a" * 300, "no\0name", ".."):
        error, address = tried(host)
        assert error
        assert address == (host, 9000)


@pytest.mark.parametrize("mode", ["wireguard", "tun"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "0.0.0.0", "::ffff:127.0.0.1"])
def test_who_writes_packets_himself_is_not_believed_to_be_this_machine(mode: str, peer: str) -> None:
    """The device chooses its address within the tunnel, and 10.0.0.1, the usual one, is that of many a router."""
    for host in ("127.0.0.1", "::1", "169.254.169.254"):
        assert tried(host, peer=peer, mode=mode)[0] == f"phonehome: {LOCAL}"
    assert tried("8.8.8.8", peer=peer, mode=mode)[0] == ""


def test_the_systems_resolver_answers_phones_that_come_by_wireguard() -> None:
    assert tried("127.0.0.53", mode="wireguard", port=53, dns_name_servers=["127.0.0.53"])[0] == ""
    assert tried("127.0.0.53", mode="regular", port=53, dns_name_servers=["127.0.0.53"])[0] == f"phonehome: {LOCAL}"
    assert tried("127.0.0.53", mode="wireguard", port=80, dns_name_servers=["127.0.0.53"])[0] == f"phonehome: {LOCAL}"


def test_ports_of_the_dashboard_are_closed_to_programs_on_this_machine_as_well() -> None:
    with ports.registered(8081):
        for host in ("127.0.0.1", "localhost", "0", "::ffff:127.0.0.1", "127.9.9.9"):
            assert tried(host, peer="127.0.0.1", port=8081)[0] == f"phonehome: {OURS}"
            assert tried(host, peer="127.0.0.1", port=8082)[0] == ""
    assert tried("127.0.0.1", peer="127.0.0.1", port=8081)[0] == ""


def test_a_fault_of_ours_stops_no_traffic_that_was_ever_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("made up")

    monkeypatch.setattr(guard, "_refusal", broken)
    monkeypatch.setattr(guard, "_ports", broken)
    assert tried("8.8.8.8")[0] == ""
    assert tried("127.0.0.1", peer="127.0.0.1")[0] == ""
    assert tried("127.0.0.1")[0] == f"phonehome: {LOCAL}"


def test_an_address_of_an_interface_is_known_even_where_all_addresses_can_be_listened_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for nonlocal_bind in (False, True):
        monkeypatch.setattr(guard, "_nonlocal", lambda nonlocal_bind=nonlocal_bind: nonlocal_bind)
        assert guard._here(ipaddress.ip_address("127.0.0.1"))
        assert not guard._here(ipaddress.ip_address("203.0.113.10"))
        if own := guard._source(ipaddress.ip_address("192.0.2.1")):
            assert guard._here(own)


@contextmanager
def inside(host: str = "127.0.0.1") -> Iterator[tuple[int, list[int]]]:
    """A plain server on loopback -> its port, and the ports from which it was called."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, 0), family=family)
    peers: list[int] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside")

    def accept() -> None:
        while True:
            try:
                connection, peer = server.accept()
            except OSError:
                return
            peers.append(peer[1])
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1], peers
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    with Proxy({"listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(folder)}) as running:
        yield running


def get(proxy: Proxy, *urls: str) -> list[tuple[int, bytes]]:
    answers = []
    with closing(http.client.HTTPConnection(*proxy.listening[0], timeout=20)) as connection:
        for url in urls:
            connection.request("GET", url)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
    return answers


@pytest.mark.parametrize("listens", ["127.0.0.1", "::1"])
def test_of_this_machines_addresses_the_one_is_chosen_on_which_something_listens(listens: str) -> None:
    """`localhost` often means two addresses, and servers listen on one."""
    both = [ipaddress.ip_address(text) for text in ("::1", "127.0.0.1")]
    with inside(listens) as (port, _):
        assert str(asyncio.run(Guard(Observe())._chosen(both, port))) == listens


def test_localhost_is_reached(proxy: Proxy) -> None:
    with inside() as (port, _):
        assert get(proxy, f"http://localhost:{port}/") == [(200, b"inside")]


def test_a_connection_keeps_its_name_so_that_the_next_request_finds_it(proxy: Proxy) -> None:
    with inside() as (port, peers):
        url = f"http://127.1:{port}/"
        assert get(proxy, url, url, url) == [(200, b"inside")] * 3
        assert len(peers) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost", "0", "2130706433", "[::ffff:127.0.0.1]"])
def test_the_proxys_own_port_is_closed_in_any_spelling(proxy: Proxy, host: str) -> None:
    ((status, body),) = get(proxy, f"http://{host}:{proxy.listening[0][1]}/")
    assert status == 502
    assert b"inside" not in body


def test_certificates_are_verified_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, ("localhost",), small)
    settings = {
        "listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(tmp_path / "ca"),
        "ssl_verify_upstream_trusted_ca": str(cloud.authority),
    }  # fmt: skip
    try:
        with Proxy(settings) as proxy:
            for name, status in (("localhost", 200), ("127.0.0.1", 502)):
                with connect(proxy, trust(tmp_path), name) as connection:
                    connection.set_tunnel(name, cloud.port)
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    assert (name, answer.status) == (name, status), answer.read()
    finally:
        cloud.close()


def test_a_server_before_which_the_proxy_stands_is_all_that_a_visitor_reaches(tmp_path: Path) -> None:
    with inside() as (port, _), inside() as (other, called):
        mode = f"reverse:http://127.0.0.1:{port}"
        options = {"listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(tmp_path), "mode": [mode]}
        with Proxy(options) as reverse:
            get(reverse, f"http://127.0.0.1:{other}/")
            places = {"INSIDE": f"127.0.0.1:{other}", "9000": str(other), "OUTSIDE": f"127.0.0.1:{port}"}
            forms = [*RAW.values(), r"GET /secret HTTP/1.1\r\nHost: INSIDE"]
            for word, place in places.items():
                forms = [form.replace(word, place) for form in forms]
            with ThreadPoolExecutor(len(forms)) as visitors:
                answers = dict(zip(forms, visitors.map(partial(said, reverse), forms), strict=True))
        assert called == []
    # The name is handed on, and leads nowhere.
    assert answers[forms[-1]].endswith(b"inside")


def said(proxy: Proxy, written: str) -> bytes:
    """What comes back for what a visitor writes, with escapes of Python."""
    got = b""
    with socket.create_connection(proxy.listening[0], timeout=5) as connection, suppress(OSError):
        connection.sendall(
            (written + r"\r\nConnection: close\r\n\r\n").encode("latin-1").decode("unicode_escape").encode()
        )
        while part := connection.recv(65536):
            got += part
    return got
