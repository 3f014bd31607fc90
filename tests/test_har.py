"""HAR files, in the dialects of browsers and proxies."""

from __future__ import annotations

import base64
import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mitmproxy.addons.savehar import SaveHar
from mitmproxy.http import Headers, Request, Response
from mitmproxy.test.tflow import tflow

from captures.formats import har
from captures.formats.har import read, sniff
from captures.model import Body, CaptureError, Endpoint, Exchange, Observation, Source, Unreadable

REQUEST: dict[str, Any] = {"method": "GET", "url": "https://plex.tv/a?x=1", "headers": []}
RESPONSE: dict[str, Any] = {"status": 200, "headers": [], "content": {"text": "OK"}}


def file(tmp_path: Path, *entries: object, bom: bytes = b"") -> Path:
    path = tmp_path / "x.har"
    path.write_bytes(bom + json.dumps({"log": {"version": "1.2", "entries": entries}}).encode())
    return path


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2031-01-01T00:00:00.500Z",
        "time": 250,
        "request": REQUEST,
        "response": RESPONSE,
        **changes,
    }


def one(tmp_path: Path, **changes: Any) -> Exchange:
    (seen,) = read(file(tmp_path, entry(**changes)), 3)
    assert isinstance(seen, Exchange)
    return seen


def test_a_whole_entry_of_chrome(tmp_path: Path) -> None:
    request = {
        "method": "POST",
        "url": "https://Analytics.Plex.tv/collect/event?a=%20b&a=",
        "httpVersion": "h2",
        "headers": [
            {"name": ":authority", "value": "analytics.plex.tv"},
            {"name": "Content-Type", "value": "text/plain"},
            {"name": "Cookie", "value": "c=d"},
        ],
        "postData": {"mimeType": "text/plain", "text": '{"event": 1}'},
        "bodySize": 12,
        "headersSize": -1,
    }
    response = {
        "status": 200,
        "headers": [{"name": "content-encoding", "value": "br"}],
        "content": {"size": 4, "text": base64.b64encode(b"\x00\x01\x02\xff").decode(), "encoding": "base64"},
        "bodySize": 40,
    }
    seen = one(tmp_path, request=request, response=response, serverIPAddress="[2001:db8::1]")
    assert seen == Exchange(
        source=Source(3, 0),
        time=1924992000.5,
        end=1924992000.75,
        device="this-computer",
        client=None,
        server_name="analytics.plex.tv",
        server=Endpoint("2001:db8::1", 443),
        method="POST",
        scheme="https",
        host="analytics.plex.tv",
        port=443,
        path="/collect/event",
        query=(("a", " b"), ("a", "")),
        headers=(("content-type", "text/plain"), ("cookie", "c=d")),
        cookies=(("c", "d"),),
        body=Body(b'{"event": 1}', 12),
        status=200,
        response_headers=(("content-encoding", "br"),),
        response_body=Body(b"\x00\x01\x02\xff", 40),
        http_version="HTTP/2.0",
        bytes_out=seen.bytes_out,
        bytes_in=seen.bytes_in,
    )


PACKED = base64.b64encode(b'{"ok": true}').decode()
NAMED = [{"name": "login", "value": "me@example.org"}, {"name": "code", "value": "4711"}]

DIALECTS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "Chrome": (
        {
            "httpVersion": "h3",
            "headers": [{"name": ":method", "value": "POST"}, {"name": "x-plex-token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "login=me%40example.org&code=4711",
                         "params": [{"name": "login", "value": "me%40example.org"}, {"name": "code", "value": "4711"}]},
        },
        {"content": {"size": 12, "mimeType": "application/json", "text": PACKED, "encoding": "base64"},
         "_transferSize": 300, "_error": None},
        {"_initiator": {"type": "script"}, "_priority": "High", "connection": "4711", "serverIPAddress": "192.0.2.7"},
    ),
    "Firefox": (
        {
            "httpVersion": "HTTP/2",
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "params": NAMED, "text": ""},
            "headersSize": 900,
        },
        {"content": {"mimeType": "application/json; charset=utf-8", "size": 12, "text": '{"ok": true}'}},
        {"startedDateTime": "2031-01-01T01:00:00.500+01:00", "pageref": "page_1", "_securityState": "secure"},
    ),
    "Safari": (
        {
            "httpVersion": "HTTP/2",
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "login=me%40example.org&code=4711"},
            "bodySize": -1,
        },
        {"content": {"size": 12, "compression": 0, "mimeType": "application/json", "text": '{"ok": true}'}},
        {"_fetchType": "Network Load", "_priority": "medium", "serverIPAddress": ""},
    ),
    "Charles": (
        {
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "params": NAMED},
            "bodySize": 32,
        },
        {"content": {"size": 12, "mimeType": "application/json", "text": PACKED, "encoding": "base64"},
         "_charlesStatus": "COMPLETE"},
        {"startedDateTime": "2031-01-01T00:00:00.500+0000", "serverIPAddress": "192.0.2.7"},
    ),
    "Insomnia": (
        {
            "url": "https://plex.tv/api/v2/users/signin",
            "queryString": [{"name": "x", "value": "1"}, {"name": "y", "value": "a b"}],
            "cookies": [{"name": "c", "value": "d"}],
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "params": NAMED, "text": ""},
        },
        {"content": {"size": 12, "mimeType": "", "text": '{"ok": true}'}},
        {"comment": "Sign in"},
    ),
    "Proxyman": (
        {
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "", "params": [], "text": "login=me%40example.org&code=4711"},
        },
        {"content": {"size": 12, "mimeType": "application/json", "encoding": "base64", "text": PACKED}},
        {"_id": "12", "_clientName": "Plex", "_clientBundlePath": "/Applications/Plex.app", "connection": None},
    ),
    "mitmproxy": (
        {
            "httpVersion": "HTTP/2.0",
            "headers": [{"name": "x-plex-token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "login=me%40example.org&code=4711",
                         "params": NAMED},
        },
        {"content": {"size": 12, "compression": 0, "mimeType": "application/json", "text": '{"ok": true}'}},
        {"startedDateTime": "2031-01-01T00:00:00.500000+00:00", "_resourceType": None, "_webSocketMessages": None},
    ),
    "PCAPdroid": (
        {
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "X-Plex-Token", "value": "t"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "login=me%40example.org&code=4711"},
            "bodySize": 32, "headersSize": 200,
        },
        {"content": {"size": 12, "mimeType": "application/json", "text": '{"ok": true}'}},
        {"_appName": "Plex", "serverIPAddress": "192.0.2.7"},
    ),
}  # fmt: skip
"""What is peculiar to each: request, answer, entry."""


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", DIALECTS)
def test_the_same_call_is_read_in_each_dialect(tmp_path: Path, name: str, bom: bytes) -> None:
    request, response, rest = DIALECTS[name]
    sent = {"method": "POST", "url": "https://plex.tv/api/v2/users/signin?x=1&y=a%20b", **request}
    (seen,) = read(file(tmp_path, entry(request=sent, response={**RESPONSE, **response}, **rest), bom=bom), 3)
    assert isinstance(seen, Exchange)
    assert (seen.time, seen.method, seen.host, seen.path) == (1924992000.5, "POST", "plex.tv", "/api/v2/users/signin")
    assert (seen.query, seen.header("x-plex-token")) == ((("x", "1"), ("y", "a b")), "t")
    assert parse_qsl((seen.body.content or b"").decode()) == [("login", "me@example.org"), ("code", "4711")]
    assert (seen.status, seen.response_body.content) == (200, b'{"ok": true}')
    assert seen.cookies == ((("c", "d"),) if name == "Insomnia" else ())


def test_what_mitmproxy_itself_exports_is_read_as_its_flows_are(tmp_path: Path) -> None:
    flow = tflow(
        req=Request.make("POST", "https://plex.tv/a?x=1", b"login=me", Headers(x_plex_token="t", cookie="c=d"))
    )
    flow.request.timestamp_start, flow.response = 1_900_000_000.5, Response.make(200, b'{"ok": true}')
    path = tmp_path / "x.har"
    path.write_text(json.dumps(SaveHar().make_har([flow])), "utf-8")
    (seen,) = read(path, 0)
    assert isinstance(seen, Exchange)
    assert (seen.method, seen.host, seen.path, seen.query) == ("POST", "plex.tv", "/a", (("x", "1"),))
    assert (seen.time, seen.header("x-plex-token"), seen.cookies) == (1_900_000_000.5, "t", (("c", "d"),))
    assert (seen.body.content, seen.status, seen.response_body.content) == (b"login=me", 200, b'{"ok": true}')


@pytest.mark.parametrize("odd", [None, 5, "x=1", {"x": 1}, [None, 5, {"name": None}, {"value": "1"}]])
def test_odd_lists_of_parameters_and_cookies_cost_nothing(tmp_path: Path, odd: object) -> None:
    seen = one(tmp_path, request={**REQUEST, "url": "https://plex.tv/a", "queryString": odd, "cookies": odd})
    assert (seen.path, seen.query, seen.cookies) == ("/a", (), ())


def test_params_without_text_become_the_form_again(tmp_path: Path) -> None:
    """Firefox and Charles leave out the text of forms."""
    params = [{"name": "login", "value": "me%40example.org"}, {"name": "password", "value": "a b&c"}]
    request = {**REQUEST, "postData": {"mimeType": "application/x-www-form-urlencoded", "params": params}}
    assert one(tmp_path, request=request).body.content == b"login=me%40example.org&password=a+b%26c"


def test_files_of_a_multipart_form_keep_their_names(tmp_path: Path) -> None:
    headers = [{"name": "Content-Type", "value": "multipart/form-data; boundary=B"}]
    params = [{"name": "dump", "fileName": 'a".dmp', "value": "x"}]
    expected = b'--B\r\nContent-Disposition: form-data; name="dump"; filename="a%22.dmp"\r\n\r\nx\r\n--B--\r\n'
    posted: dict[str, Any] = {"mimeType": "multipart/form-data", "params": params}
    assert one(tmp_path, request={**REQUEST, "headers": headers, "postData": posted}).body.content == expected
    posted["mimeType"] += "; boundary=B"
    assert one(tmp_path, request={**REQUEST, "postData": posted}).body.content == expected


def test_a_blocked_request_has_no_status(tmp_path: Path) -> None:
    assert one(tmp_path, response={"status": 0, "headers": [], "content": {}}).status is None


def test_a_content_that_was_not_kept_is_not_an_empty_one(tmp_path: Path) -> None:
    seen = one(tmp_path, response={**RESPONSE, "content": {"size": 500}, "bodySize": 300})
    assert seen.response_body == Body(None, 300, False, "was not kept")
    assert one(tmp_path, response={**RESPONSE, "content": {"size": 0}}).response_body == Body()


def test_messages_that_the_device_sent_follow_their_handshake(tmp_path: Path) -> None:
    messages = [
        {"type": "send", "time": 1924992001.0, "opcode": 1, "data": "hello"},
        {"type": "receive", "time": 1924992002.0, "opcode": 1, "data": "not ours"},
        {"type": "send", "time": 1924992003.0, "opcode": 2, "data": base64.b64encode(b"\x01\x02").decode()},
    ]
    request = {**REQUEST, "url": "wss://pubsub.plex.tv/sub"}
    seen = list(read(file(tmp_path, entry(request=request, _webSocketMessages=messages)), 0))
    assert [(x.source.part, x.method, x.body.content, x.time) for x in seen if isinstance(x, Exchange)] == [
        (0, "GET", b"", 1924992000.5),
        (1, "WEBSOCKET", b"hello", 1924992001.0),
        (2, "WEBSOCKET", b"\x01\x02", 1924992003.0),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2031-01-01T01:00:00+01:00", 1924992000.0),
        ("2031-01-01T00:00:00.1234567Z", 1924992000.123456),
        (1924992000, 1924992000.0),
        (1924992000000, 1924992000.0),
        (None, None),
        ("yesterday", None),
        ("2031-01-01T00:00:00", None),
        (10**400, None),
        ({}, None),
    ],
)
def test_times_in_all_forms(tmp_path: Path, given: object, expected: float | None) -> None:
    assert one(tmp_path, startedDateTime=given).time == expected


def test_a_byte_order_mark_and_missing_fields_do_no_harm(tmp_path: Path) -> None:
    path = file(tmp_path, {"request": {"url": "http://[fd00::1]:8096/x"}}, bom=b"\xef\xbb\xbf")
    assert sniff(path.read_bytes())
    (seen,) = read(path, 0)
    assert isinstance(seen, Exchange)
    assert (seen.host, seen.port, seen.method, seen.status, seen.time) == ("fd00::1", 8096, "GET", None, None)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (17, "is damaged"),
        ({"request": 5}, "is damaged"),
        ({}, "has no address"),
        (entry(request={**REQUEST, "url": "data:text/plain,x"}), "is no network call"),
        (entry(request={**REQUEST, "url": "https://[bad/"}), "has an address that cannot be read"),
        (entry(request={**REQUEST, "url": "https:///x"}), "has an address that cannot be read"),
        (entry(request={**REQUEST, "url": "chrome-extension://abc/x.js"}), "is no network call"),
    ],
)
def test_a_bad_entry_costs_that_entry(tmp_path: Path, bad: object, reason: str) -> None:
    seen = list(read(file(tmp_path, entry(), bad, entry()), 0))
    assert [type(x) for x in seen] == [Exchange, Unreadable, Exchange]
    assert [x.source.index for x in seen] == [0, 1, 2]
    assert isinstance(seen[1], Unreadable)
    assert (seen[1].place, seen[1].reason) == ("entry 1", reason)


@pytest.mark.parametrize(
    "odd",
    [
        b'"comment": "half an emoji: \\ud83d"',
        b'"comment": "\xff\xfe"',
        b'"comment": "a\nb\x01"',
        b'"cache": NaN',
        b'"time": 1' + b"0" * 400,
        b'"_webSocketMessages": {"type": "send"}',
    ],
)
def test_what_strict_json_forbids_costs_nothing(tmp_path: Path, odd: bytes) -> None:
    path = file(tmp_path, entry(), entry(connection="here"), entry())
    path.write_bytes(path.read_bytes().replace(b'"connection": "here"', odd))
    seen = list(read(path, 0))
    assert [(type(x), x.source) for x in seen] == [(Exchange, Source(0, n)) for n in range(3)]


def test_an_entry_is_there_once_whatever_its_messages_hold(tmp_path: Path) -> None:
    messages = [{"type": "send", "time": 10**400, "data": {"x": 1}}, None, {"type": "send", "opcode": "2", "data": "é"}]
    seen = list(read(file(tmp_path, entry(_webSocketMessages=messages)), 0))
    assert [(x.source.part, x.time, x.body.content) for x in seen if isinstance(x, Exchange)] == [
        (0, 1924992000.5, b""),
        (1, None, b""),
        (2, None, "é".encode()),
    ]


def test_rubbish_after_the_entries_costs_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, entry(), entry())
    path.write_bytes(path.read_bytes() + b"</html>")
    assert [type(x) for x in read(path, 0)] == [Exchange, Exchange]


@pytest.mark.parametrize("entries", [b"[]", b"null"])
def test_a_file_without_entries_is_an_empty_capture(tmp_path: Path, entries: bytes) -> None:
    path = tmp_path / "x.har"
    path.write_bytes(b'{"log": {"entries": ' + entries + b"}}")
    assert list(read(path, 0)) == []


def test_a_file_in_utf_16_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, entry())
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    assert sniff(path.read_bytes())
    assert [type(x) for x in read(path, 0)] == [Exchange]


def test_what_was_sent_but_not_kept_is_not_nothing(tmp_path: Path) -> None:
    """Chrome leaves out large bodies and those that came from a file."""
    assert one(tmp_path, request={**REQUEST, "bodySize": 5000}).body == Body(None, 5000, False, "was not kept")
    assert one(tmp_path, request={**REQUEST, "bodySize": "-1", "postData": None}).body == Body()


def test_a_bare_address_was_named_in_no_handshake(tmp_path: Path) -> None:
    seen = one(tmp_path, request={**REQUEST, "url": "https://192.0.2.1:32400/"}, serverIPAddress="plex.tv")
    assert (seen.server_name, seen.server, seen.host, seen.port) == ("", None, "192.0.2.1", 32400)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("h2", "HTTP/2.0"),
        ("http/2.0", "HTTP/2.0"),
        ("HTTP/2", "HTTP/2.0"),
        ("h3", "HTTP/3"),
        ("h3-29", "HTTP/3"),
        ("HTTP/3.0", "HTTP/3"),
        ("http/1.1", "HTTP/1.1"),
        ("unknown", ""),
        ("", ""),
        (None, ""),
        ([], ""),
    ],
)
def test_versions_of_http_in_all_spellings(tmp_path: Path, given: object, expected: str) -> None:
    assert one(tmp_path, request={**REQUEST, "httpVersion": given}).http_version == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(200, 200), ("404", 404), (0, None), (-1, None), (None, None), ("", None), (1e14, None), (True, None)],
)
def test_a_status_is_a_number_of_three_digits_or_none(tmp_path: Path, given: object, expected: int | None) -> None:
    seen = one(tmp_path, response={**RESPONSE, "status": given})
    assert seen.status == expected
    assert (seen.bytes_in > 0) == (expected is not None)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": "AAEC/w==", "encoding": "base64"}, b"\x00\x01\x02\xff"),
        ({"text": "AAEC\n/w", "encoding": "base64"}, b"\x00\x01\x02\xff"),
        ({"text": "is no base64!", "encoding": "base64"}, b"is no base64!"),
        ({"text": "AAEC/w=="}, b"AAEC/w=="),
        ({"text": "ü"}, "ü".encode()),
    ],
)
def test_bodies_in_base64_and_as_text(tmp_path: Path, content: dict[str, str], expected: bytes) -> None:
    assert one(tmp_path, response={**RESPONSE, "content": content}).response_body == Body(expected, len(expected))
    request = {**REQUEST, "method": "POST", "postData": content}
    assert one(tmp_path, request=request).body == Body(expected, len(expected))


def test_of_a_truncated_file_the_whole_entries_are_read(tmp_path: Path) -> None:
    path = file(tmp_path, *(entry() for _ in range(3)))
    raw = path.read_bytes()
    starts = [match.start() for match in re.finditer(rb'{"startedDateTime"', raw)]
    ends = [*(start - len(", ") for start in starts[1:]), len(raw) - len("]}}")]
    for end in range(ends[0], len(raw) + 1, 3):
        path.write_bytes(raw[:end])
        whole, rest = sum(end >= x for x in ends), [] if end > ends[2] else [Unreadable]
        seen = list(read(path, 0))
        assert [type(x) for x in seen] == [Exchange] * whole + rest
        if rest:
            assert seen[-1] == Unreadable(
                Source(0, whole), None, f"after entry {whole - 1}", "the file is damaged after this"
            )


def test_a_file_without_one_whole_entry_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_bytes(b'{"log": {"entries": [{"req')
    with pytest.raises(CaptureError, match=r"^x.har: is no whole HAR file \(.*\); export it again$"):
        list(read(path, 0))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["url", "headers", "name", "value", "text", "postData", "params", "content", "status", "time"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(request_=JSON, response=JSON, rest=JSON)
def test_nothing_is_raised_whatever_stands_in_an_entry(tmp_path: Path, request_: Any, response: Any, rest: Any) -> None:
    base = {"url": "https://plex.tv/"}
    request = {**base, **request_} if isinstance(request_, dict) else base
    seen: list[Observation] = list(
        read(
            file(tmp_path, entry(request=request, response=response, _webSocketMessages=rest, startedDateTime=rest)), 0
        )
    )
    assert [x.source.index for x in seen if x.source.part == 0] == [0]


@given(
    st.from_regex(r"(https?|wss|ws|HTTP)://[ -~]{0,40}", fullmatch=True)
    | st.text("htps:/?#[]@%.&=0:A \xe9", max_size=30)
)
def test_a_plain_address_is_read_as_the_standard_library_does(url: str) -> None:
    plain = har._plain_address(url)
    assert plain is None or plain == har._address(url)


def test_nearly_all_addresses_are_plain() -> None:
    for url in (
        "https://plex.tv",
        "https://Plex.tv:443/a/b%20c;d?x=1&y=[2]",
        "http://127.0.0.1:32400/?a",
        "wss://a.b/c",
    ):
        assert har._plain_address(url) == har._address(url)


RICH = json.dumps(
    entry(
        request={
            "method": "POST",
            "url": "https://plex.tv/a?x=1&y=%2B",
            "httpVersion": "h3",
            "headers": [
                {"name": ":path", "value": "/a"},
                {"name": "Cookie", "value": "a=1; b=%20"},
                {"name": "Content-Type", "value": "application/json", "comment": "x"},
            ],
            "queryString": [{"name": "x", "value": "1"}],
            "cookies": [],
            "postData": {"mimeType": "application/json", "text": "{}", "params": []},
            "bodySize": 2,
        },
        response={
            "status": 200,
            "headers": [{"name": "Date", "value": "today"}],
            "content": {"text": "T0s=", "size": 2},
        },
        serverIPAddress="198.51.100.1",
        _webSocketMessages=[{"type": "send", "time": 1.5, "opcode": 1, "data": "x"}],
    )
).encode()

VALUES = ("null", "7", "-1.5", "true", "[]", "{}", '""', '"x"', "[[]]", "[null]", '[{"name":null}]', '"\\ud800"', "NaN")


@settings(max_examples=400)
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_a_damaged_entry_reads_the_same_the_fast_way_and_the_tolerant_way(chance: random.Random, damages: int) -> None:
    raw = RICH
    for _ in range(damages):
        if chance.random() < 0.3:
            at = chance.randrange(len(raw))
            raw = raw[:at] + bytes([chance.randrange(32, 127)]) + raw[at + 1 :]
        else:
            places = list(re.finditer(rb'(?<=": )("[^"]*"|-?[0-9.]+)|"(?:name|value|url|headers|text)"', raw))
            place = chance.choice(places) if places else None
            if place:
                new = chance.choice(VALUES).encode() if place[1] else b'"odd"'
                raw = raw[: place.start()] + new + raw[place.end() :]
    fast = har._entry(raw, Source(0, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(har, "_PLAIN_ENTRY", har._ENTRY)
        patch.setattr(har, "_plain_address", lambda url: None)  # noqa: ARG005  named as it is called
        tolerant = har._entry(raw, Source(0, 0))
    assert fast == tolerant
