"""Every encoding, a hit and a near miss; the places; what happens when a budget runs out."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.decode import BUDGET, Budget, Decoded, decode
from analysis.example import exchange_of
from analysis.pack import ExampleCall
from captures.model import Body, Exchange, Pairs

PLAIN = exchange_of(ExampleCall("POST https://h.example/p"), "test")
START = (("path", "/p"), ("host", "h.example"))


def sent(body: bytes | str, kind: str = "", **changes: object) -> Exchange:
    content = body.encode() if isinstance(body, str) else body
    headers: Pairs = (("content-type", kind),) if kind else ()
    return replace(PLAIN, headers=headers, body=Body(content, len(content)), **changes)


AMPLE = Budget(seconds=60)
"""A machine with other work stalls a test now and then."""


def leaves(exchange: Exchange, budget: Budget = AMPLE) -> list[tuple[str, str]]:
    """Places and values, without path, host and content type."""
    found = [(leaf.at, leaf.value) for leaf in decode(exchange, budget).leaves]
    return [pair for pair in found if pair[0] not in ("path", "host", "header.content-type")]


def body(content: bytes | str, kind: str = "") -> list[tuple[str, str]]:
    return leaves(sent(content, kind))


def value(text: str) -> list[tuple[str, str]]:
    """What comes out beside the value itself when it stands in a query parameter."""
    (at, first), *rest = leaves(replace(PLAIN, query=(("q", text),)))
    assert (at, first) == ("query.q", text)
    return rest


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_call_comes_out_part_by_part() -> None:
    call = replace(
        sent('{"a": [{"b": 1}]}', "text/plain"),
        path="/library/1",
        query=(("X-Plex-Token", "t1"), ("X-Plex-Token", "t2")),
        cookies=(("sid", "c1"),),
        headers=(("host", "h.example"), ("content-length", "17"), ("cookie", "sid=c1"), ("x-plex-product", "Plex Web")),
        response_headers=(("set-cookie", "sid=c2; Path=/; Secure"), ("set-cookie", "empty"), ("server", "s")),
        response_body=Body(b'{"ok": true}', 12),
    )
    assert [(leaf.at, leaf.value) for leaf in decode(call).leaves] == [
        ("path", "/library/1"),
        ("host", "h.example"),
        ("query.X-Plex-Token", "t1"),
        ("query.X-Plex-Token", "t2"),
        ("header.x-plex-product", "Plex Web"),
        ("cookie.sid", "c1"),
        ("body.a.0.b", "1"),
        ("response.cookie.sid", "c2"),
        ("response.cookie.empty", ""),
        ("response.header.server", "s"),
        ("response.body.ok", "true"),
    ]


REPLAY = b'{"segment_id": 0}\n' + zlib.compress(b'[{"u": "v"}]')


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        ("login=ann&pw=a%20b&x=", "application/x-www-form-urlencoded", [("login", "ann"), ("pw", "a b"), ("x", "")]),
        ("login=ann&pw=b", "", [("login", "ann"), ("pw", "b")]),
        ("login=", "", [("login", "")]),
        ("login ann & pw", "", [("", "login ann & pw")]),
        ("user[login]=ann&a.b=c", "", [("user[login]", "ann"), ("a.b", "c")]),
        ("name=ann b", "application/x-www-form-urlencoded", [("name", "ann b")]),
        ("YW5uQGV4YW1wbGUub3JnLCBhbHdheXMgYQ==", "", [
            ("", "YW5uQGV4YW1wbGUub3JnLCBhbHdheXMgYQ=="), ("[base64]", "ann@example.org, always a")]),
        ('{"a": {"b.c": [1, "x"]}, "n": null, "t": true}', "", [("a.b.c.0", "1"), ("a.b.c.1", "x"), ("t", "true")]),
        ("[7, [8]]", "", [("0", "7"), ("1.0", "8")]),
        ('\ufeff {"a": 1}', "", [("a", "1")]),
        ('{"a": 1, "b": [2, {"c": "x"', "", [("a", "1"), ("b.0", "2"), ("b.1.c", "x")]),
        ('{"a": 1, "b": "ann@exa', "", [("a", "1"), ("", ' "ann@exa')]),
        ('{"a": [1, 2]} and more', "", [("a.0", "1"), ("a.1", "2"), ("", " and more")]),
        ("{a: 1}", "", [("", "{a: 1}")]),
        ("{}", "", []),
        ("<a/>", "", []),
        ("<a><b></b> & x", "", [("", " & x")]),
        (" ", "", []),
        ("[red] alert", "", [("", "[red] alert")]),
        ('{"a": 1, "a": 2}', "", [("a", "2")]),
        ('{"a": 1}\n{"a": 2}\n', "", [("0.a", "1"), ("1.a", "2")]),
        ('{"event_id": "9"}\n{"type": "event"}\n{"level": "error"}', "", [
            ("0.event_id", "9"), ("1.type", "event"), ("2.level", "error")]),
        ('{"event_id": "9"}\n{"type": "attachment"}\nlog line\n{"type": "event"}', "", [
            ("0.event_id", "9"), ("1.type", "attachment"), ("2", "log line"), ("3.type", "event")]),
        (b'{}\n{"type": "log", "length": 7}\none\ntwo\n{"type": "event"}', "", [
            ("1.type", "log"), ("1.length", "7"), ("2", "one\ntwo"), ("3.type", "event")]),
        (b'{}\n{"type": "log", "length": 6}\none\ntwo\n{"type": "event"}', "", [
            ("1.type", "log"), ("1.length", "6"), ("2", "one"), ("3", "two"), ("4.type", "event")]),
        (b'{}\n{"type": "replay_recording", "length": %d}\n%b' % (len(REPLAY), REPLAY), "", [
            ("1.type", "replay_recording"), ("1.length", str(len(REPLAY))), ("2.0.segment_id", "0"),
            ("2.1[deflate].0.u", "v")]),
        ("line\n{\"a\": 1}", "", [("", 'line\n{"a": 1}')]),
        ("<R a='1'><D k='x'/><D k='y'>text</D><E/></R>", "", [
            ("R.a", "1"), ("R.D.0.k", "x"), ("R.D.1.k", "y"), ("R.D.1", "text")]),
        ("<R a='1'><D k='x'/><D", "", [("R.a", "1"), ("R.D.0.k", "x"), ("", "<D")]),
        ("<R a='1'> & x", "", [("R.a", "1"), ("", " & x")]),
        ("<?xml version='1.0'?>\n<methodCall><methodName>f</methodName><params><param><value><string>x</string></value>"
         "</param><param><value><array><data><value><struct><member><name>a</name><value><int>1</int></value></member>"
         "<member><name>b</name><value>2</value></member></struct></value><value>3</value></data></array></value>"
         "</param></params></methodCall>", "", [
            ("methodCall.methodName", "f"), ("methodCall.param-1", "x"), ("methodCall.param-2.0.a", "1"),
            ("methodCall.param-2.0.b", "2"), ("methodCall.param-2.1", "3")]),
        ("<methodCall><methodName>f</methodName><params><param><value>x</value></par", "", [
            ("methodCall.methodName", "f"), ("methodCall.param-1", "x"), ("", "</par")]),
        ("<methodCalls><member><name>a</name></member></methodCalls>", "", [("methodCalls.member.0.name.0", "a")]),
        ("<R a='1'/> ann@example.org", "", [("R.a", "1"), ("", " ann@example.org")]),
        ("<?xml version='1.0' encoding='shift_jis'?><R a='1'/>", "", [
            ("", "<?xml version='1.0' encoding='shift_jis'?><R a='1'/>")]),
        ('{"a":\n{"b": 1}', "", [("a.b", "1")]),
        ("<html", "", [("", "<html")]),
        ("just text", "text/plain", [("", "just text")]),
        ("h\u00e9", "text/plain", [("", "h\u00e9")]),
        (b"h\xe9 there, all of it", "text/plain", [("", "h\u00e9 there, all of it")]),
        ("\ufeff{\"a\": \"b\"}".encode("utf-16-le"), "", [("a", "b")]),
        (gzip.compress(b'{"a": 1}', mtime=0), "", [("[gzip].a", "1")]),
        (b"\x1f\x8bno gzip at all \0", "", []),
        (b"\x89PNG\0\0", "image/png", []),
        (b"", "application/json", []),
    ],
)  # fmt: skip
def test_a_body_is_read_as_what_it_is(content: bytes | str, kind: str, expected: list[tuple[str, str]]) -> None:
    places = [(("body" if at.startswith("[") else "body." if at else "body") + at, text) for at, text in expected]
    assert body(content, kind) == places


MULTIPART = (
    b'--Bound\r\nContent-Disposition: form-data; name="login"\r\n\r\nann\r\n'
    b'--Bound\r\nContent-Disposition: form-data; name="dump"; filename="/home/ann/x.dmp"\r\n\r\nMDMP\r\n'
    b"--Bound\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n"
    b'--Bound\r\nContent-Disposition: form-data; name="raw"\r\n\r\n\x00\x01\r\n--Bound--\r\n'
)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=Bound", "multipart/form-data", ""])
def test_a_multipart_form_gives_its_fields_and_the_names_of_its_files(kind: str) -> None:
    assert body(MULTIPART, kind) == [
        ("body.login", "ann"), ("body.dump.filename", "/home/ann/x.dmp"), ("body.dump", "MDMP"),
        ("body.2", "nameless"),
    ]  # fmt: skip
    assert decode(sent(MULTIPART, kind)).ran_out == ("A body is in a form that is not known",)


def test_what_only_claims_to_be_multipart_is_a_text() -> None:
    assert body("hello you", "multipart/form-data; boundary=Bound") == [("body", "hello you")]


def test_numbers_stay_the_texts_that_were_sent() -> None:
    huge = "9" * 5000
    assert body(f'{{"a": {huge}, "b": 1.50, "c": 1e999, "d": NaN}}') == [
        ("body.a", huge), ("body.b", "1.50"), ("body.c", "1e999"), ("body.d", "NaN"),
    ]  # fmt: skip


@pytest.mark.usefixtures("no_hang")
def test_endless_nesting_is_noted_and_ends() -> None:
    found = decode(sent(b"[" * 200_000))
    assert found.ran_out == ("A call is nested more deeply than is looked at",)
    assert [leaf.at for leaf in found.leaves] == ["path", "host", "body"]


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x v="&b;">&b;</x>'


@pytest.mark.parametrize("text", [LAUGHS, '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x v="1"/>'])
def test_a_document_type_is_refused_so_that_no_entity_unfolds(text: str) -> None:
    assert body(text) == [("body", text)]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("authorization: Basic YW5uOnM6MQ==", [
            ("", "Basic YW5uOnM6MQ=="), ("[base64].username", "ann"), ("[base64].password", "s:1")]),
        ("authorization: Basic YW5u", [("", "Basic YW5u"), ("[base64].username", "ann")]),
        ("authorization: Basic ???", [("", "Basic ???")]),
        ("authorization: Basic Zürich", [("", "Basic Zürich")]),
        ("authorization: Bearer abc.def", [("", "Bearer abc.def"), ("[bearer]", "abc.def")]),
        ("authorization: token abc", [("", "token abc"), ("[bearer]", "abc")]),
        ("authorization: abc", [("", "abc")]),
        ("authorization: Emby UserId=u1,Client=Kodi , Device=\"a b=c\", x", [
            ("", 'Emby UserId=u1,Client=Kodi , Device="a b=c", x'), ("[mediabrowser].UserId", "u1"),
            ("[mediabrowser].Client", "Kodi"), ("[mediabrowser].Device", "a b=c")]),
        (
            'authorization: MediaBrowser Client="Jellyfin Web", DeviceId="d1", Token="t1"',
            [
                ("", 'MediaBrowser Client="Jellyfin Web", DeviceId="d1", Token="t1"'),
                ("[mediabrowser].Client", "Jellyfin Web"),
                ("[mediabrowser].DeviceId", "d1"),
                ("[mediabrowser].Token", "t1"),
            ],
        ),
    ],
)  # fmt: skip
def test_credentials_come_out_as_what_they_consist_of(headers: str, expected: list[tuple[str, str]]) -> None:
    call = exchange_of(ExampleCall(f"GET https://h.example/\n{headers}"), "test")
    assert leaves(call) == [(f"header.authorization{at}", text) for at, text in expected]


def test_another_header_of_the_same_form_is_left_whole() -> None:
    call = exchange_of(ExampleCall("GET https://h.example/\nx-note: Basic YW5uOnM6MQ=="), "test")
    assert leaves(call) == [("header.x-note", "Basic YW5uOnM6MQ==")]


def token(payload: object) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, payload))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + ".c2ln"


JWT = token({"sub": "ann", "aud": ["x"]})
LONG = "ann@example.org, always ann"
ODD = "Zürich? über??>"

HITS = [
    ('{"a": [1]}', [("[json].a.0", "1")]),
    ("[1, 2, 3]", [("[json].0", "1"), ("[json].1", "2"), ("[json].2", "3")]),
    (packed(LONG.encode()), [("[base64]", LONG)]),
    (packed(LONG.encode()).rstrip("="), [("[base64]", LONG)]),
    (base64.urlsafe_b64encode(ODD.encode()).decode().rstrip("="), [("[base64]", ODD)]),
    (packed(b'{"u": "ann"}'), [("[base64]", '{"u": "ann"}'), ("[base64][json].u", "ann")]),
    (LONG.encode().hex(), [("[hex]", LONG)]),
    (LONG.encode().hex().upper(), [("[hex]", LONG)]),
    ("ann%40example.org", [("[percent]", "ann@example.org")]),
    (packed(gzip.compress(b'{"u": "ann"}', mtime=0)), [
        ("[base64][gzip]", '{"u": "ann"}'), ("[base64][gzip][json].u", "ann")]),
    ("https://x.example/a?u=ann&v=", [
        ("[url].host", "x.example"), ("[url].path", "/a"), ("[url].query.u", "ann"), ("[url].query.v", "")]),
    (JWT, [("[jwt].sub", "ann"), ("[jwt].aud.0", "x")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), HITS)
def test_an_encoding_is_undone(text: str, expected: list[tuple[str, str]]) -> None:
    assert value(text) == [(f"query.q{at}", inner) for at, inner in expected]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1}',
        "[a, b, c]",
        "0123456789abcdef0123456789abcdef",
        "e3b0c44298fc1c149afbf4c8996fb924",
        "d9428888-122b-11e1-b85c-61cd3cbb3210",
        "Xb8_kZq2-PwLm4tRvYs9",
        "abcdefghijklmnopq",
        "100% sure of it",
        "https://x.example/a",
        "eyJhbGciOiJub25lIn0.not-base64.sig",
        packed(gzip.compress(b"x" * 50, mtime=0)[:20]),
        packed(bytes(range(200, 230))),
        packed(b"a sentence with a bell\7"),
        "PlexMediaServerConfiguration",
    ],
)
def test_what_might_as_well_be_an_id_is_left_alone(text: str) -> None:
    assert value(text) == []


def test_a_leaf_says_what_was_undone_and_whether_what_it_holds_comes_out_too() -> None:
    inner = packed(b'{"u": "ann"}')
    found = decode(sent(json.dumps({"p": inner})))
    assert [(leaf.at, leaf.encodings, leaf.peeled) for leaf in found.leaves[2:]] == [
        ("body.p", (), True),
        ("body.p[base64]", ("base64",), True),
        ("body.p[base64][json].u", ("base64", "json"), False),
    ]
    assert found.ran_out == ()


def test_a_layer_too_many_is_noted() -> None:
    text = "ann@example.org"
    for _ in range(3):
        text = packed(text.encode())
    call = replace(PLAIN, query=(("q", text),))
    assert [leaf.at for leaf in decode(call, Budget(layers=3)).leaves][-1] == "query.q[base64][base64][base64]"
    assert decode(call).ran_out == ()
    short = decode(call, Budget(layers=2))
    assert [leaf.at for leaf in short.leaves][-1] == "query.q[base64][base64]"
    assert short.ran_out == ("A value is encoded more often than is undone",)


def test_leaves_beyond_the_budget_are_noted() -> None:
    call = sent(json.dumps(list(range(8))))
    assert len(decode(call, Budget(leaves=10)).leaves) == 10
    assert decode(call, Budget(leaves=10)).ran_out == ()
    short = decode(call, Budget(leaves=9))
    assert (len(short.leaves), short.ran_out) == (9, ("A call holds more values than are looked at",))


def test_depth_beyond_the_budget_is_noted() -> None:
    call = sent("[[[1]], 2]")
    assert decode(call, Budget(depth=3)).ran_out == ()
    assert decode(call, Budget(depth=2)) == Decoded(
        (*decode(PLAIN).leaves, decode(call).leaves[-1]), ("A call is nested more deeply than is looked at",)
    )
    deep = sent("<a><b><c v='1'/></b></a>")
    assert decode(deep, Budget(depth=4)).ran_out == ()
    assert decode(deep, Budget(depth=3)).ran_out == ("A call is nested more deeply than is looked at",)


def test_a_body_beyond_the_budget_is_noted() -> None:
    call = sent("a" * 20)
    assert decode(call, Budget(size=20)).ran_out == ()
    short = decode(call, Budget(size=19))
    assert (short.leaves[-1].value, short.ran_out) == ("a" * 19, ("A body is larger than is looked at",))


def test_time_beyond_the_budget_is_noted() -> None:
    call = sent(json.dumps([packed(LONG.encode())] * 300))
    assert decode(call, Budget(seconds=60)).ran_out == ()
    assert decode(call, Budget(seconds=0)).ran_out == ("A call took too long to take apart",)


@pytest.mark.parametrize(("content", "cut"), [(None, False), (b"a", True)])
def test_a_body_that_was_not_kept_whole_is_noted(content: bytes | None, cut: bool) -> None:
    assert decode(replace(PLAIN, body=Body(content, 9, cut))).ran_out == ("The content of a body was not kept whole",)
    assert decode(replace(PLAIN, body=Body(b"a", 1))).ran_out == ()


def bomb(size: int) -> str:
    return packed(gzip.compress(b"a" * size, mtime=0))


MEGA = 1_000_000


@pytest.mark.parametrize(
    "made",
    [
        lambda: json.dumps([bomb(50 * MEGA)]),
        lambda: json.dumps([bomb(MEGA)] * 3_000),
        lambda: b"{}\n" * 2 * MEGA,
        lambda: b'{"a": 1}\n' * MEGA,
        lambda: b"[" + b"1," * 4 * MEGA + b"1]",
        lambda: b"[" + b"[]," * 2 * MEGA + b"1]",
        lambda: b'["' + b"%2525" * MEGA + b'"]',
        lambda: b"a=b&" * 2 * MEGA,
        lambda: b"<r>" + b"<a/>" * (2 * MEGA) + b"</r>",
        lambda: b"--\n" * 2 * MEGA,
        lambda: b"--x\r\n" + b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n' * (MEGA // 9),
        lambda: b"--x\r\n" + b";name=" * MEGA + b"\r\n\r\nv\r\n",
        lambda: b'{"type": "x", "length": 7}\n' * (MEGA // 4),
        lambda: b'{"' + b"k" * 80_000 + b'": {"' + b"k" * 80_000 + b'": [' + b"1," * 9_000 + b"1]}}",
        lambda: gzip.compress(b"a" * 50 * MEGA, mtime=0),
    ],
    ids=range(15),
)  # fmt: skip
@pytest.mark.usefixtures("no_hang")
def test_no_body_costs_much_time_or_memory(made: Callable[[], bytes | str]) -> None:
    found = decode(sent(made())).leaves
    assert sum(len(leaf.at) + len(leaf.value) for leaf in found) < 20 * MEGA


def test_a_name_of_any_length_gives_a_place_that_can_be_read() -> None:
    name = "k" * 101
    assert body(json.dumps({name: 1, name[1:]: 2})) == [(f"body.{name[1:]}…", "1"), (f"body.{name[1:]}", "2")]
    deep = 'x": {"'.join([name[3:]] * 12)
    call = sent('{"' + deep + '": 1' + "}" * 12)
    assert decode(call).ran_out == ("A call is nested more deeply than is looked at",)


@pytest.mark.parametrize("blank", ["", " " * 300_000])
def test_a_large_json_text_comes_out_as_a_small_one_does(blank: str) -> None:
    text = (
        "{"
        + blank
        + (
            '"a": [1, [], {}, [2, {"b": null, "c\\u00e9\\"": "x\\ny"}], -1.50e3, NaN, true, false],\n'
            ' "": {"d": {"e": [[3]]}} , "f": ""}'
        )
    )
    assert body(text) == [
        ("body.a.0", "1"), ("body.a.3.0", "2"), ('body.a.3.1.c\u00e9"', "x\ny"), ("body.a.4", "-1.50e3"),
        ("body.a.5", "NaN"), ("body.a.6", "true"), ("body.a.7", "false"), ("body..d.e.0.0", "3"), ("body.f", ""),
    ]  # fmt: skip
    assert value(text.strip())[-1] == ("query.q[json].f", "")


def test_a_large_body_does_not_fill_the_memory() -> None:
    content = b"[" + b"12," * MEGA + b"1]"
    tracemalloc.start()
    assert len(decode(sent(content), Budget(seconds=60)).leaves) == BUDGET.leaves
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(content)


def test_envelopes_within_envelopes_end() -> None:
    content = b"ann@example.org"
    for _ in range(500):
        content = b'{}\n{"type": "x", "length": %d}\n%b' % (len(content), content)
    found = leaves(sent(content))
    assert found[0] == ("body.1.type", "x")
    assert found[-1][0].startswith("body.2.2.2.2.2.2")
    assert "ann@example.org" in found[-1][1]


@pytest.mark.parametrize(
    ("kind", "noted"), [("application/octet-stream", False), ("", True), ("image/png", False), ("text/plain", True)]
)
def test_an_answer_that_is_a_file_is_no_gap_and_a_request_is(kind: str, noted: bool) -> None:
    binary = Body(b"\x89\xff\0\0 binary", 13)
    gap = ("A body is in a form that is not known",)
    answer = replace(PLAIN, response_body=binary, response_headers=(("content-type", kind),))
    assert decode(answer).ran_out == (gap if noted else ())
    request = decode(replace(PLAIN, body=binary, headers=(("content-type", kind),)))
    assert request.ran_out == (() if kind == "image/png" else gap)


def test_a_value_beyond_the_budget_is_cut_and_noted() -> None:
    text = packed(("ann " * 10).encode())
    call = replace(PLAIN, query=(("q", text),))
    assert decode(call, Budget(longest=len(text))).ran_out == ()
    short = decode(call, Budget(longest=len(text) - 1))
    assert [leaf.value for leaf in short.leaves[2:]] == [text[:-1], "ann " * 10]
    assert short.ran_out == ("A value is longer than is looked at",)


def test_what_is_packed_beyond_the_budget_is_noted() -> None:
    call = replace(PLAIN, query=(("q", packed(b"ann ann ann")), ("r", packed(b"bob bob bob"))))
    assert decode(call, Budget(size=22)).ran_out == ()
    short = decode(call, Budget(size=21))
    assert [leaf.at for leaf in short.leaves[2:]] == ["query.q", "query.q[base64]", "query.r"]
    assert short.ran_out == ("A call unpacks to more than is looked at",)


@pytest.mark.parametrize("place", ["query", "body"])
def test_a_bomb_is_noted(place: str) -> None:
    raw = gzip.compress(b"a" * 3_000_000, mtime=0)
    call = sent(raw) if place == "body" else replace(PLAIN, query=(("q", packed(raw)),))
    found = decode(call)
    assert found.ran_out[0] == "A call unpacks to more than is looked at"
    assert [leaf.at for leaf in found.leaves[2:]] == (["query.q"] if place == "query" else [])


def test_what_comes_out_of_compressed_values_counts_together() -> None:
    raw = packed(gzip.compress(b"ann ann ann", mtime=0))
    call = replace(PLAIN, query=(("q", raw), ("r", raw)))
    whole, short = decode(call, Budget(size=22)), decode(call, Budget(size=21))
    assert [leaf.at for leaf in whole.leaves[2:]] == [
        "query.q",
        "query.q[base64][gzip]",
        "query.r",
        "query.r[base64][gzip]",
    ]
    assert whole.ran_out == ()
    assert [leaf.at for leaf in short.leaves[2:]] == ["query.q", "query.q[base64][gzip]", "query.r"]
    assert short.ran_out == ("A call unpacks to more than is looked at",)


TEXTS = st.one_of(st.text(), st.sampled_from([text for text, _ in HITS]))
PAIRS = st.lists(st.tuples(st.text(max_size=20), TEXTS), max_size=4).map(tuple)
BODIES = st.one_of(
    st.binary(),
    st.tuples(st.sampled_from([b"{", b"[", b"<a>", b"--x\r\n", b"\x1f\x8b", b"\xff\xfe", b"a=b&"]), st.binary()).map(
        b"".join
    ),
    st.recursive(st.none() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        lambda tree: json.dumps(tree).encode()
    ),
)
KINDS = st.sampled_from(["", "application/json", "multipart/form-data; boundary=x", "image/png", "text/xml"])


@settings(deadline=None)
@given(BODIES, BODIES, KINDS, PAIRS, PAIRS, st.sampled_from(["authorization", "x-y", "set-cookie"]))
def test_whatever_is_sent_nothing_is_raised(
    content: bytes, answer: bytes, kind: str, query: Pairs, headers: Pairs, name: str
) -> None:
    call = replace(
        sent(content, kind),
        query=query,
        cookies=query,
        headers=(("content-type", kind), *((name, text) for _, text in headers)),
        response_headers=(("content-type", kind), *headers),
        response_body=Body(answer, len(answer)),
    )
    found = decode(call)
    assert [(leaf.at, leaf.value) for leaf in found.leaves[:2]] == list(START)
    assert len(found.leaves) <= BUDGET.leaves


def test_time_that_others_had_the_processor_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found must not depend on how busy the machine is."""
    waited = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(waited)))
    calls = [sent(json.dumps([f"what is long enough, {n}, {m}" for m in range(3)]), "application/json") for n in (0, 1)]
    assert decode(calls[0]).ran_out == ()
    monkeypatch.setattr(time, "thread_time", lambda: float(next(waited)))
    assert decode(calls[1]).ran_out == ("A call took too long to take apart",)
