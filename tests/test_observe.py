"""The recording, through the real proxy: what is seen, and that the traffic never suffers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mitmproxy.hooks import all_hooks
from mitmproxy.io import FlowReader

from addons.observe import Observe
from addons.passthrough import Passthrough
from analysis.model import Verdict
from captures.formats.flows import read
from captures.model import Contact, Endpoint, Exchange, Lookup, Unreadable
from fake_cloud import (
    Cloud,
    Shared,
    answer,
    connect,
    program,
    read_request,
    recorded,
    resident,
    shared,
    small,
    trust,
    written,
)

LARGE = 40 * 1024 * 1024


@pytest.fixture(scope="module")
def _recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared(tmp_path_factory.mktemp("shared"), ("plex.tv",)) as one:
        yield one


@pytest.fixture
def recording(_recording: Shared) -> Shared:
    """One proxy for all tests that neither stop nor set it otherwise."""
    return _recording.taken()


def test_a_request_and_its_answer_are_recorded_with_the_secret_concealed(recording: Shared) -> None:
    with recording.connect("plex.tv") as connection:
        connection.request("POST", "/api/v2/ping?a=1", body=b'{"x": 1}', headers={"X-Plex-Token": "madeUpToken123"})
        assert connection.getresponse().read() == b'{"ok": true}'
        (seen,) = recording.written(1)
    assert isinstance(seen, Exchange)
    assert (seen.method, seen.scheme, seen.host, seen.port, seen.path, seen.query) == (
        "POST", "https", "plex.tv", 443, "/api/v2/ping", (("a", "1"),),
    )  # fmt: skip
    assert (seen.body.content, seen.status, seen.response_body.content) == (b'{"x": 1}', 200, b'{"ok": true}')
    assert seen.header("x-plex-token").startswith("ps:")
    assert b"madeUpToken123" not in b"".join(side.read_bytes() for side in recording.folder.glob("test.ledger*"))


def media(connection: ssl.SSLSocket) -> None:
    if read_request(connection):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {LARGE}\r\n\r\n"
        connection.sendall(head.encode())
        block = bytes(1 << 20)
        for _ in range(LARGE >> 20):
            connection.sendall(block)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to read another process's memory")
def test_media_are_streamed_and_not_held(recording: Shared) -> None:
    def download() -> None:
        with recording.connect("plex.tv") as connection:
            connection.request("GET", "/film.mp4")
            response = connection.getresponse()
            size = 0
            while block := response.read(1 << 18):
                size += len(block)
            sizes.append(size)

    sizes: list[int] = []
    recording.taken(media)
    before = resident(recording.proxy.pid)
    threads = [threading.Thread(target=download) for _ in range(3)]
    for thread in threads:
        thread.start()
    most = before
    while any(thread.is_alive() for thread in threads):
        most = max(most, resident(recording.proxy.pid))
        time.sleep(0.02)
    seen = recording.written(3)
    assert sizes == [LARGE] * 3
    assert most - before < LARGE
    assert [(x.response_body.content, x.response_body.size) for x in seen if isinstance(x, Exchange)] == [
        (None, LARGE)
    ] * 3


def test_the_first_event_of_a_stream_arrives_at_once(recording: Shared) -> None:
    go_on = threading.Event()

    def events(connection: ssl.SSLSocket) -> None:
        if read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
            go_on.wait(10)
            connection.sendall(b"data: two\n\n")

    recording.taken(events)
    with recording.connect("plex.tv") as connection:
        connection.request("GET", "/events")
        response = connection.getresponse()
        # The server sends the second event only after the first one was received.
        assert response.fp.readline() == b"data: one\n"
        go_on.set()
        assert response.read().endswith(b"data: two\n\n")
        (seen,) = recording.written(1)
    assert isinstance(seen, Exchange)
    assert seen.response_body.content == b"data: one\n\ndata: two\n\n"


def frame(text: bytes, *, masked: bool) -> bytes:
    """A WebSocket text frame (RFC 6455) of up to 125 bytes; the mask is all zeros."""
    return b"\x81" + bytes([len(text) | (0x80 if masked else 0)]) + (bytes(4) if masked else b"") + text


def test_messages_of_a_websocket_that_the_device_sent_are_recorded_each(recording: Shared) -> None:
    def echo(connection: ssl.SSLSocket) -> None:
        request = read_request(connection).decode()
        (key,) = re.findall(r"(?i)^sec-websocket-key: *(\S+)", request, re.MULTILINE)
        accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324 - RFC 6455
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while connection.recv(65536):
            connection.sendall(frame(b"answer", masked=False))

    recording.taken(echo)
    with recording.connect("plex.tv") as connection:
        connection.request(
            "GET",
            "/sub",
            headers={
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
            },
        )
        wire = connection.sock
        assert b"101" in wire.recv(4096)
        for text in (b"first", b"second"):
            wire.sendall(frame(text, masked=True))
            assert wire.recv(4096) == frame(b"answer", masked=False)
        seen = recording.written(3)
        connection.close()
    first = seen[0].source.index
    assert [
        (x.source.index - first, x.source.part, x.method, x.body.content) for x in seen if isinstance(x, Exchange)
    ] == [
        (0, 0, "GET", b""),
        (0, 1, "WEBSOCKET", b"first"),
        (0, 2, "WEBSOCKET", b"second"),
    ]


def test_a_locked_ledger_does_not_stop_the_traffic_and_loses_nothing(recording: Shared) -> None:
    with recording.connect("plex.tv") as connection:
        lock = sqlite3.connect(recording.path, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        for number in range(20):
            connection.request("GET", f"/{number}")
            assert connection.getresponse().read() == b'{"ok": true}'
        lock.execute("COMMIT")
        lock.close()
        seen = recording.written(20)
    assert [x.path for x in seen if isinstance(x, Exchange)] == [f"/{number}" for number in range(20)]


def test_a_ledger_that_is_taken_away_does_not_stop_the_traffic(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path), connect(proxy, trust(tmp_path), "plex.tv") as connection:
        connection.request("GET", "/before")
        connection.getresponse().read()
        written(path, 1)
        for side in ("", "-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.mkdir()
        for _ in range(5):
            connection.request("GET", "/after")
            assert connection.getresponse().read() == b'{"ok": true}'


def test_a_server_that_does_not_answer_is_recorded_without_a_status(recording: Shared) -> None:
    def silent(connection: ssl.SSLSocket) -> None:
        read_request(connection)

    recording.taken(silent)
    with recording.connect("plex.tv") as connection:
        connection.request("GET", "/gone")
        assert connection.getresponse().status == 502
        (seen,) = recording.written(1)
    assert isinstance(seen, Exchange)
    assert (seen.path, seen.status) == ("/gone", None)


def test_raw_bytes_through_a_tunnel_are_counted_and_pass(recording: Shared) -> None:
    def shout(connection: ssl.SSLSocket) -> None:
        while data := connection.recv(65536):
            connection.sendall(data.upper())

    recording.taken(shout)
    plain = socket.create_connection(recording.proxy.listening[0])
    plain.sendall(b"CONNECT plex.tv:443 HTTP/1.1\r\nHost: plex.tv:443\r\n\r\n")
    assert b"200" in plain.recv(4096)
    wire = trust(recording.folder).wrap_socket(plain, server_hostname="plex.tv")
    wire.sendall(b"\x00\x01hello")
    assert wire.recv(4096) == b"\x00\x01HELLO"
    wire.close()
    (seen,) = recording.written(1)
    assert isinstance(seen, Contact)
    assert (seen.host, seen.bytes_out, seen.bytes_in) == ("plex.tv", 7, 7)


STATISTICS = {
    "User-Agent": "Mozilla/5.0",
    "X-Plex-Product": "Plex Web",
    "X-Plex-Client-Identifier": "madeupmadeupmadeup123456",
    "Content-Type": "application/json",
}
EVENT = json.dumps({"event": "client:view", "interaction": "x", "properties": {"page": "home"}}).encode()


def send(proxy: tuple[str, int], folder: Path) -> None:
    """A call that says how the app is used, and one of an unknown kind."""
    with connect(proxy, trust(folder), "analytics.plex.tv") as connection:
        connection.request("POST", "/collect/event", body=EVENT, headers=STATISTICS)
        connection.getresponse().read()
    with connect(proxy, trust(folder), "unknown.example") as connection:
        connection.request("GET", "/")
        connection.getresponse().read()


HOSTS = ("analytics.plex.tv", "unknown.example")


def test_in_mitmdump_the_script_labels_flows_and_the_filter_finds_them(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, HOSTS, small)
    saved, found = tmp_path / "all.flow", tmp_path / "found.flow"
    with program("mitmdump", tmp_path, cloud, HOSTS, "-w", str(saved)) as proxy:
        send(proxy, tmp_path)
    cloud.close()
    with saved.open("rb") as file:
        flows = [(f.comment, f.marked, f.metadata.get("phonehome.category")) for f in FlowReader(file).stream()]
    assert flows == [
        ("usage-statistics · plex", ":bar_chart:", "usage-statistics"),
        ("unknown · unknown sender", ":question:", "unknown"),
    ]
    subprocess.run(
        [sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()",
         "-nqr", saved, "-w", found, "~comment usage-statistics"],
        check=True, timeout=60,
    )  # fmt: skip
    assert [x.host for x in read(found, 0) if isinstance(x, Exchange)] == ["analytics.plex.tv"]


def test_in_mitmweb_the_worst_verdict_is_appended_to_the_comment(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, HOSTS, small)
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = int(free.getsockname()[1])
    options = ("--no-web-open-browser", "--set", f"web_port={web}", "--set", "web_password=madeUpPassword")
    with program("mitmweb", tmp_path, cloud, HOSTS, *options) as proxy:
        send(proxy, tmp_path)
        comments: list[str] = []
        for _ in range(100):
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/flows?token=madeUpPassword", timeout=10) as page:
                comments = [flow["comment"] for flow in json.load(page)]
            if len(comments) == 2 and comments[0].count("·") == 2:
                break
            time.sleep(0.1)
    cloud.close()
    first, _, verdict = comments[0].rpartition(" · ")
    assert first == "usage-statistics · plex"
    assert Verdict(verdict) is not Verdict.NOT_SEEN
    # Nothing is judged of a call in which nothing was found.
    assert comments[1] == "unknown · unknown sender"


def test_what_is_open_at_the_end_is_recorded(tmp_path: Path) -> None:
    """A film that still plays, a question that is not answered yet: they were sent."""
    asked = threading.Event()

    def handler(connection: ssl.SSLSocket) -> None:
        if b"/film" in read_request(connection):
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 9999999\r\n\r\n0123456789"
            )
        asked.wait(20)

    with recorded(tmp_path, handler) as (proxy, path), contextlib.ExitStack() as clients:
        for target in ("/film", "/question"):
            client = clients.enter_context(connect(proxy, trust(tmp_path), "plex.tv"))
            client.request("GET", target)
            if target == "/film":
                assert client.getresponse().read(10) == b"0123456789"
        time.sleep(0.3)
        os.kill(proxy.pid, signal.SIGTERM)
        seen = [(x.path, x.status, x.response_body.size) for x in written(path, 2) if isinstance(x, Exchange)]
        assert proxy.last_words() == "the proxy ended by itself: it said nothing"
        asked.set()
    assert sorted(seen) == [("/film", 200, 10), ("/question", None, 0)]


def test_a_server_that_cannot_be_reached_is_recorded(recording: Shared) -> None:
    with socket.create_connection(recording.proxy.listening[0]) as plain:
        plain.sendall(b"CONNECT nobody.invalid:443 HTTP/1.1\r\nHost: nobody.invalid:443\r\n\r\n")
        assert plain.recv(64).startswith(b"HTTP/1.1 502")
    (seen,) = recording.written(1)
    assert isinstance(seen, Contact)
    assert (seen.host, seen.name_source, seen.reason) == ("nobody.invalid", "host", "the server could not be reached")


def test_a_text_of_unknown_length_is_passed_on_at_once_and_kept(recording: Shared) -> None:
    go_on = threading.Event()

    def chunks(connection: ssl.SSLSocket) -> None:
        if read_request(connection):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + b'5\r\n{"a":\r\n')
            go_on.wait(10)
            connection.sendall(b"2\r\n1}\r\n0\r\n\r\n")

    recording.taken(chunks)
    with recording.connect("plex.tv") as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(5) == b'{"a":'
        go_on.set()
        assert response.read() == b"1}"
        (seen,) = recording.written(1)
    assert isinstance(seen, Exchange)
    assert (seen.response_body.content, seen.response_body.size, seen.response_body.cut) == (b'{"a":1}', 7, False)


def test_of_a_large_upload_the_beginning_is_kept(recording: Shared) -> None:
    body = gzip.compress(os.urandom(3_000_000).hex().encode(), 1)
    with recording.connect("plex.tv") as connection:
        connection.request(
            "POST", "/log", body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        )
        assert connection.getresponse().read() == b'{"ok": true}'
        (seen,) = recording.written(1)
    assert isinstance(seen, Exchange)
    assert (seen.body.size, seen.body.cut, seen.body.problem) == (len(body), True, "only the beginning was kept")
    assert seen.body.content
    assert seen.body.content == gzip.decompress(body)[: len(seen.body.content)]


def test_messages_do_not_pile_up(recording: Shared) -> None:
    """Raw bytes through a tunnel: 60 MB each way leave no trace in the proxy's memory."""

    def echo(connection: ssl.SSLSocket) -> None:
        while data := connection.recv(1 << 18):
            connection.sendall(data)

    recording.taken(echo)
    with socket.create_connection(recording.proxy.listening[0]) as plain:
        plain.sendall(b"CONNECT plex.tv:443 HTTP/1.1\r\nHost: plex.tv:443\r\n\r\n")
        plain.recv(4096)
        with trust(recording.folder).wrap_socket(plain, server_hostname="plex.tv") as wire:
            before, block = resident(recording.proxy.pid), bytes(1 << 18)
            for _ in range(240):
                wire.sendall(block)
                received = 0
                while received < len(block):
                    received += len(wire.recv(1 << 18))
            grown = resident(recording.proxy.pid) - before
    (seen,) = recording.written(1)
    assert grown < 30_000_000
    assert isinstance(seen, Contact)
    assert (seen.bytes_out, seen.bytes_in, seen.reason) == (240 << 18, 240 << 18, "is not HTTP")


def resolve(data: bytes) -> bytes:
    """The answer of a name server to a question for an address."""
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"
    return data[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + data[12:] + record


@contextlib.contextmanager
def by_udp(reply: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers each datagram -> its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    data, client = server.recvfrom(4096)
                    server.sendto(reply(data), client)

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])


class Behind(NamedTuple):
    """Servers of the household, and one proxy that stands before all three."""

    recording: Shared
    names: tuple[str, int]
    datagrams: tuple[str, int]
    datagrams_behind: int
    media: tuple[str, int]
    asked: list[bytes]


@pytest.fixture(scope="module")
def _behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    asked: list[bytes] = []

    def handler(connection: ssl.SSLSocket) -> None:
        while request := read_request(connection):
            asked.append(request)
            connection.sendall(answer(b"{}"))

    cloud = Cloud(tmp_path_factory.mktemp("own"), ("localhost",), handler)
    with by_udp(resolve) as names, by_udp(bytes.upper) as datagrams:
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            free = [int(server.getsockname()[1]) for server in (one, other)]
        mode = [
            f"reverse:dns://127.0.0.1:{names}@{free[0]}",
            f"reverse:udp://127.0.0.1:{datagrams}@{free[1]}",
            f"reverse:https://localhost:{cloud.port}",
        ]
        options: dict[str, Any] = {"mode": mode, "ssl_insecure": True, "phonehome_device": "tv"}
        with shared(tmp_path_factory.mktemp("behind"), ("plex.tv",), **options) as recording:
            for_names, for_datagrams = (("127.0.0.1", port) for port in free)
            yield Behind(recording, for_names, for_datagrams, datagrams, recording.proxy.listening[-1], asked)
    cloud.close()


@pytest.fixture
def behind(_behind: Behind) -> Behind:
    _behind.recording.taken()
    return _behind


def ask(address: tuple[str, int], data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(data, address)
        return client.recv(4096)


QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04Plex\x02tv\x00\x00\x01\x00\x01"


def test_a_dns_question_and_its_answer_are_recorded(behind: Behind) -> None:
    assert ask(behind.names, QUESTION).endswith(b"\xc0\x00\x02\x07")
    (seen,) = behind.recording.written(1)
    assert isinstance(seen, Lookup)
    assert (seen.device, seen.protocol, seen.host, seen.kind, seen.answers, seen.rcode) == (
        "tv", "dns", "plex.tv", "A", ("192.0.2.7",), "NOERROR",
    )  # fmt: skip


def test_a_server_behind_the_proxy_is_asked_for_the_name_that_the_visitor_used(behind: Behind) -> None:
    connection = http.client.HTTPConnection(*behind.media, timeout=10)
    connection.request("GET", "/identity", headers={"Host": "home.example:32400"})
    assert connection.getresponse().read() == b"{}"
    connection.close()
    (seen,) = behind.recording.written(1)
    assert b"host: home.example:32400" in behind.asked[0].lower()
    assert isinstance(seen, Exchange)
    assert (seen.host, seen.initiator) == ("home.example", "outside")


def test_datagrams_are_counted_and_pass(behind: Behind) -> None:
    assert ask(behind.datagrams, b"hello") == b"HELLO"
    # They are written when nothing more can come.
    behind.recording.proxy.__exit__()
    (seen,) = behind.recording.written(1)
    assert isinstance(seen, Contact)
    assert (seen.protocol, seen.bytes_out, seen.bytes_in, seen.packets_out, seen.packets_in) == ("udp", 5, 5, 1, 1)
    assert (seen.initiator, seen.server) == ("outside", Endpoint("127.0.0.1", behind.datagrams_behind))


class Poison:
    """Whoever looks at it gets a fault."""

    def __init__(self, fault: BaseException) -> None:
        object.__setattr__(self, "fault", fault)

    def __getattribute__(self, name: str) -> object:
        raise object.__getattribute__(self, "fault")


class Counting(Observe):
    """Remembers its faults instead of recording them."""

    def fault(self, place: str, reason: str) -> None:
        self.__dict__.setdefault("seen", []).append((place, reason))


HOOKS = [
    (addon, name)
    for addon in (Observe, Passthrough)
    for name in all_hooks
    if hasattr(addon, name) and name not in ("load", "configure", "running", "done")
]
FAULTS = [RuntimeError, RecursionError, MemoryError, BaseException, asyncio.CancelledError, GeneratorExit]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("addon", "hook"), HOOKS)
def test_no_fault_of_any_type_leaves_a_hook(addon: type, hook: str, fault: type[BaseException]) -> None:
    counting = Counting()
    one = counting if addon is Observe else Passthrough(counting)
    # Else it looks at nothing.
    one.__dict__["_refusals"] = {("", ""): None}
    getattr(one, hook)(Poison(fault("made up")))
    seen = counting.__dict__["seen"]
    assert [reason for _, reason in seen] == [f"a fault of phonehome's ({fault.__name__})"]


def test_all_hooks_are_among_them() -> None:
    assert {"requestheaders", "response", "error", "websocket_message", "tcp_message", "udp_end"} <= {
        hook for addon, hook in HOOKS if addon is Observe
    }


@pytest.mark.parametrize("fault", ["RuntimeError", "BaseException"])
def test_the_traffic_goes_on_whatever_our_code_raises(tmp_path: Path, fault: str) -> None:
    script = tmp_path / "poison.py"
    names = ("classify", "kept", "_state")
    script.write_text(
        f"from addons import observe as ours\n\ndef poison(*_, **__):\n    raise {fault}('made up')\n\n"
        + "".join(f"ours.{name} = poison\n" for name in names),
        "utf-8",
    )
    with recorded(tmp_path, small, scripts=[str(script)]) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            for _ in range(3):
                connection.request("POST", "/", body=b"x" * 1000)
                assert connection.getresponse().read() == b'{"ok": true}'
        seen = written(path, 9)
    assert Counter((x.place, x.reason) for x in seen if isinstance(x, Unreadable)) == {
        (f"hook {hook}", f"a fault of phonehome's ({fault})"): 3
        for hook in ("requestheaders", "responseheaders", "response")
    }
