"""Flow files of mitmproxy, written by mitmproxy itself."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import connection, flow, http, tcp, udp, websocket
from mitmproxy.flow import Error
from mitmproxy.io import FlowReader, FlowWriter, tnetstring
from mitmproxy.test import tflow
from wsproto.frame_protocol import Opcode

from captures.formats import flows
from captures.formats import tnetstring as tnetstrings
from captures.formats.flows import parameters, read, sniff, split_authority
from captures.formats.tnetstring import Reader, parse, whole
from captures.model import Body, Contact, Endpoint, Exchange, Lookup, Observation, Source, Unreadable


def call(
    url: str = "https://plex.tv/a%20b?x=1&x=%2B", headers: tuple[tuple[bytes, bytes], ...] = (), content: bytes = b""
) -> http.HTTPFlow:
    request = http.Request.make("POST", url, content)
    # Not by `make`, which writes the address into the header again.
    request.headers = http.Headers((*headers, (b"content-length", str(len(content)).encode())))
    request.timestamp_start, request.timestamp_end = 1000.0, 1000.1
    seen = tflow.tflow(req=request, resp=http.Response.make(200, b"{}", {"Content-Type": "application/json"}))
    seen.client_conn = connection.Client(peername=("192.168.1.20", 50000), sockname=("0.0.0.0", 8080))  # noqa: S104
    seen.client_conn.sni = "plex.tv"
    seen.client_conn.timestamp_start = 999.0
    seen.server_conn = connection.Server(address=("plex.tv", 443))
    seen.server_conn.peername = ("198.51.100.1", 443)
    assert seen.response
    seen.response.timestamp_start = seen.response.timestamp_end = 1000.5
    return seen


def written(*flows: flow.Flow) -> bytes:
    file = io.BytesIO()
    writer = FlowWriter(file)
    for one in flows:
        writer.add(one)
    return file.getvalue()


def observed(tmp_path: Path, raw: bytes) -> list[Observation]:
    path = tmp_path / "x.flow"
    path.write_bytes(raw)
    return list(read(path, 3))


def test_a_request_and_its_answer(tmp_path: Path) -> None:
    headers = (
        (b"Host", b"plex.tv"),
        (b"X-Plex-Token", b"t"),
        (b"Cookie", b"a=1; b=%20"),
        (b"X-Two", b"1"),
        (b"X-Two", b"2"),
    )
    (seen,) = observed(tmp_path, written(call(headers=headers, content=b"hello")))
    assert seen == Exchange(
        source=Source(3, 0),
        time=1000.0,
        end=1000.5,
        device="192.168.1.20",
        client=Endpoint("192.168.1.20", 50000),
        server_name="plex.tv",
        server=Endpoint("198.51.100.1", 443),
        method="POST",
        scheme="https",
        host="plex.tv",
        port=443,
        path="/a%20b",
        query=(("x", "1"), ("x", "+")),
        headers=(
            ("host", "plex.tv"),
            ("x-plex-token", "t"),
            ("cookie", "a=1; b=%20"),
            ("x-two", "1"),
            ("x-two", "2"),
            ("content-length", "5"),
        ),
        cookies=(("a", "1"), ("b", " ")),
        body=Body(b"hello", 5),
        status=200,
        response_headers=(("content-type", "application/json"), ("content-length", "2")),
        response_body=Body(b"{}", 2),
        http_version="HTTP/1.1",
        bytes_out=seen.bytes_out if isinstance(seen, Exchange) else 0,
        bytes_in=seen.bytes_in if isinstance(seen, Exchange) else 0,
    )


def test_what_follows_a_body_was_sent_like_any_header(tmp_path: Path) -> None:
    one = call(content=b"hello")
    one.request.trailers = http.Headers([(b"X-Sum", b"made-up")])
    (seen,) = observed(tmp_path, written(one))
    assert isinstance(seen, Exchange)
    assert seen.headers == (("content-length", "5"), ("x-sum", "made-up"))


def test_the_host_is_the_name_that_was_asked_for(tmp_path: Path) -> None:
    transparent = call("https://198.51.100.1/", ((b"Host", b"Plex.TV"),))
    with_port = call("https://198.51.100.1:32400/", ((b"Host", b"a.example:32400"),))
    bare = call("https://198.51.100.1:8443/", ())
    http2 = call("https://198.51.100.1/", ())
    http2.request.authority = "b.example"
    hosts = [
        (x.host, x.port)
        for x in observed(tmp_path, written(transparent, with_port, bare, http2))
        if isinstance(x, Exchange)
    ]
    assert hosts == [("plex.tv", 443), ("a.example", 32400), ("plex.tv", 8443), ("b.example", 443)]


def test_a_compressed_answer_is_opened_and_its_size_on_the_wire_kept(tmp_path: Path) -> None:
    one = call()
    assert one.response
    one.response.headers["content-encoding"] = "gzip"
    one.response.raw_content = gzip.compress(b"x" * 1000)
    (seen,) = observed(tmp_path, written(one))
    assert isinstance(seen, Exchange)
    assert seen.response_body == Body(b"x" * 1000, len(one.response.raw_content))


def test_a_request_without_an_answer_has_no_status(tmp_path: Path) -> None:
    one = call()
    one.response, one.error = None, Error("gone", 1001.0)
    (seen,) = observed(tmp_path, written(one))
    assert isinstance(seen, Exchange)
    assert (seen.status, seen.response_headers, seen.response_body, seen.bytes_in) == (None, (), Body(), 0)


def test_messages_of_a_websocket_that_the_device_sent_are_exchanges_of_their_own(tmp_path: Path) -> None:
    one = call("https://plex.tv/sub", ((b"Host", b"plex.tv"), (b"Upgrade", b"websocket")))
    messages = [
        websocket.WebSocketMessage(Opcode.TEXT, True, b"first", 1001.0),
        websocket.WebSocketMessage(Opcode.TEXT, False, b"not ours", 1002.0),
        websocket.WebSocketMessage(Opcode.BINARY, True, b"second", 1003.0),
    ]
    one.websocket = websocket.WebSocketData(messages=messages)
    seen = [x for x in observed(tmp_path, written(one)) if isinstance(x, Exchange)]
    assert [(x.source, x.method, x.scheme, x.host, x.path, x.time, x.body.content) for x in seen] == [
        (Source(3, 0, 0), "POST", "https", "plex.tv", "/sub", 1000.0, b""),
        (Source(3, 0, 1), "WEBSOCKET", "wss", "plex.tv", "/sub", 1001.0, b"first"),
        (Source(3, 0, 2), "WEBSOCKET", "wss", "plex.tv", "/sub", 1003.0, b"second"),
    ]


def test_raw_connections_and_questions(tmp_path: Path) -> None:
    raw = tflow.ttcpflow()
    raw.messages = [tcp.TCPMessage(True, b"abc", 5.0), tcp.TCPMessage(False, b"de", 6.0)]
    datagrams = tflow.tudpflow()
    datagrams.messages = [udp.UDPMessage(True, b"abcd", 7.0)]
    question = tflow.tdnsflow(resp=True)
    first, second, third = observed(tmp_path, written(raw, datagrams, question))
    assert isinstance(first, Contact)
    assert (first.protocol, first.host, first.bytes_out, first.bytes_in, first.packets_out) == (
        "tcp",
        "address",
        3,
        2,
        1,
    )
    assert isinstance(second, Contact)
    assert (second.protocol, second.bytes_out, second.end) == ("udp", 4, 7.0)
    assert isinstance(third, Lookup)
    assert (third.host, third.kind, third.answers, third.rcode) == (
        "dns.google",
        "A",
        ("8.8.8.8", "8.8.4.4"),
        "NOERROR",
    )


def test_who_comes_to_a_reverse_proxy_is_a_visitor(tmp_path: Path) -> None:
    from mitmproxy.proxy import mode_specs

    one = call()
    one.client_conn.proxy_mode = mode_specs.ProxyMode.parse("reverse:http://127.0.0.1:32401")
    (seen,) = observed(tmp_path, written(one))
    assert isinstance(seen, Exchange)
    assert seen.initiator == "outside"


def test_a_file_of_an_older_mitmproxy_is_converted(tmp_path: Path) -> None:
    state = call().get_state()
    state["version"] = 20
    file = io.BytesIO()
    tnetstring.dump(state, file)
    (seen,) = observed(tmp_path, file.getvalue())
    assert isinstance(seen, Exchange)
    assert seen.host == "plex.tv"


THREE = written(*(call(f"https://plex.tv/{n}", ((b"Host", b"plex.tv"),)) for n in range(3)))
STARTS = [0, *(n + 1 for n in range(len(THREE) - 20) if THREE[n : n + 1] == b"}" and sniff(THREE[n + 1 : n + 60]))]


def paths(observations: list[Observation]) -> list[str]:
    return [x.path for x in observations if isinstance(x, Exchange)]


def test_a_truncated_file_gives_the_whole_flows_before(tmp_path: Path) -> None:
    assert len(STARTS) == 3
    for end in range(1, len(THREE), 37):
        seen = observed(tmp_path, THREE[:end])
        whole = sum(start <= end for start in [*STARTS[1:], len(THREE)])
        assert paths(seen) == ["/0", "/1", "/2"][:whole]
        assert [type(x) for x in seen[whole:]] == ([] if end in STARTS else [Unreadable])


def test_a_flipped_byte_costs_one_flow_at_the_most(tmp_path: Path) -> None:
    first, second = STARTS[1], STARTS[2]
    for at in range(first, second, 5):
        raw = bytearray(THREE)
        raw[at] ^= 0x15
        seen = observed(tmp_path, bytes(raw))
        assert paths(seen)[0] == "/0"
        assert paths(seen)[-1] == "/2"
        assert all(isinstance(x, Exchange | Unreadable) for x in seen)


def test_the_last_byte_of_a_flow_costs_that_flow_alone(tmp_path: Path) -> None:
    raw = bytearray(THREE)
    raw[STARTS[1] - 1] ^= 0x15
    first, *rest = observed(tmp_path, bytes(raw))
    assert isinstance(first, Unreadable)
    assert paths(rest) == ["/1", "/2"]


def odd(**changes: object) -> bytes:
    state: dict[str, object] = {**call().get_state(), **changes}
    file = io.BytesIO()
    tnetstring.dump(state, file)
    return file.getvalue()


def test_text_of_a_websocket_in_an_old_file_is_text(tmp_path: Path) -> None:
    messages = [[1, True, "fi\u00e9", 1001.0, False, False]]
    data = {"messages": messages, "closed_by_client": None, "close_code": None, "close_reason": None}
    seen = observed(tmp_path, odd(websocket={**data, "timestamp_end": None}))
    assert [x.body.content for x in seen if isinstance(x, Exchange)][1:] == ["fi\u00e9".encode()]


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (99, "comes from a newer mitmproxy"),
        ([0, 10], "comes from a mitmproxy older than 0.11"),
        (None, "is damaged (TypeError)"),
    ],
)
def test_a_version_that_nobody_reads_is_named(tmp_path: Path, version: object, reason: str) -> None:
    (seen,) = observed(tmp_path, odd(version=version))
    assert isinstance(seen, Unreadable)
    assert seen.reason == reason


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("request", "port", "443"),
        ("request", "timestamp_start", "noon"),
        ("request", "content", "text"),
        ("response", "status_code", b"200"),
        ("client_conn", "peername", [7, "x"]),
        ("client_conn", "sni", 5),
    ],
)
def test_a_value_of_the_wrong_type_costs_its_flow_alone(tmp_path: Path, part: str, key: str, value: object) -> None:
    state = dict(call().get_state())
    bad = odd(**{part: {**state[part], key: value}})
    first, second = observed(tmp_path, bad + written(call()))
    assert isinstance(first, Unreadable)
    assert isinstance(second, Exchange)


def test_our_reader_of_tnetstrings_agrees_with_mitmproxys() -> None:
    state = call().get_state()
    file = io.BytesIO()
    tnetstring.dump(state, file)
    file.seek(0)
    assert parse(file.getvalue()) == tnetstring.load(file)
    assert [x for x in FlowReader(io.BytesIO(THREE)).stream() if isinstance(x, http.HTTPFlow)]


@pytest.fixture(scope="module")
def readers() -> tuple[Reader, Reader]:
    """One reader that knows the layouts of flows, and one that reads everything key by key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tnetstrings, "_LEARNED_AFTER", 10_000_000)
        by_key = flows._wanted()
        patch.setattr(tnetstrings, "_LEARNED_AFTER", 0)
        by_layout = flows._wanted()
    for raw in (*varied(), *varied()):
        assert whole(raw, by_layout) == whole(raw, by_key)
    return by_layout, by_key


DATA = Path(__file__).parent / "data"


def varied() -> list[bytes]:
    """Flows of different kinds, and of real programs."""
    made = [written(call(headers=((b"Host", b"plex.tv"), (b"A", b"b, c")), content=b"7:x;" * n)) for n in range(5)]
    made += [
        written(one) for one in (tflow.tflow(ws=True, resp=True), tflow.tdnsflow(resp=True), tflow.ttcpflow(err=True))
    ]
    for name in ("plexapi", "web-session"):
        raw = gzip.decompress((DATA / f"{name}.flow.gz").read_bytes())
        at = 0
        while at < len(raw):
            end = flows._end(raw, at)
            assert end
            made.append(raw[at:end])
            at = end
    return made


VARIED = varied()


def outcome(raw: bytes, reader: Reader) -> object:
    try:
        return whole(raw, reader)
    except Exception as error:
        return type(error)


@settings(max_examples=600)
@given(st.sampled_from(VARIED), st.randoms(use_true_random=False), st.integers(0, 3))
def test_a_damaged_flow_reads_the_same_by_its_layout_as_key_by_key(
    readers: tuple[Reader, Reader], raw: bytes, chance: random.Random, damages: int
) -> None:
    damaged = bytearray(raw)
    for _ in range(damages):
        at = chance.randrange(8, len(damaged) - 1)
        match chance.randrange(4):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                # Another length or number, in the form of one.
                digits = [n for n in range(at, min(at + 200, len(damaged))) if chr(damaged[n]).isdigit()]
                damaged[digits[0] if digits else at] = ord(chance.choice("0123456789"))
            case 2:
                other = chance.randrange(8, len(damaged) - 1)
                size = chance.randrange(1, 40)
                damaged[at : at + size] = damaged[other : other + size]
            case _:
                damaged[at:at] = chance.choice((b"0:~", b",]", b"4:path;", b";", b"3:443#"))
    by_layout, by_key = readers
    mended = bytes(damaged).partition(b":")[2]
    for one in (bytes(damaged), b"%d:%b" % (len(mended) - 1, mended)):
        assert outcome(one, by_layout) == outcome(one, by_key)


def test_a_value_that_looks_like_the_rest_of_the_flow_is_that_value_alone(tmp_path: Path) -> None:
    """What a server sends must not become another status or other headers."""
    forged = b"OK,11:status_code;3:404#13:timestamp_end;0:~15:timestamp_start;0:~"
    good, bad = call(), call(headers=((b"X", b"1,]20:4:Host,7:evil.tv,]"),))
    assert bad.response
    bad.response.reason = forged.decode()
    seen = observed(tmp_path, written(*[good] * 150, bad, *[good] * 3))
    assert [one.status for one in seen if isinstance(one, Exchange)] == [200] * 154
    assert isinstance(seen[150], Exchange)
    assert seen[150].header("x") == "1,]20:4:Host,7:evil.tv,]"
    assert not seen[150].header("host")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"5:abc,",
        b"1:x",
        b"99999999999999:x,",
        b"3:abc?",
        b":",
        b"10:2:a}",
        # A negative length leads back to what has been read.
        b"6:0:,-4:]",
        # Keys are text.
        b"6:0:~0:~}",
    ],
)
def test_what_is_no_tnetstring_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is for nobody
        parse(raw)


def test_deep_nesting_is_a_value_error_too() -> None:
    raw = b""
    for _ in range(5000):
        raw = str(len(raw)).encode() + b":" + raw + b"]"
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is for nobody
        parse(raw)


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        ("plex.tv", ("plex.tv", 0)),
        ("PLEX.tv.:443", ("plex.tv", 443)),
        ("[fd00::1%eth0]:32400", ("fd00::1", 32400)),
        ("user@host:1", ("host", 1)),
        ("", ("", 0)),
        ("a b", ("a b", 0)),
        ("a:b:c", ("", 0)),
    ],
)
def test_an_authority_is_host_and_port(authority: str, expected: tuple[str, int]) -> None:
    assert split_authority(authority) == expected


@given(st.text("ab=&%+;2F\xe4\ud800", max_size=20))
def test_a_query_is_read_as_the_standard_library_does(query: str) -> None:
    assert parameters(query) == tuple(parse_qsl(query, keep_blank_values=True, errors="replace"))
