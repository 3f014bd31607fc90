"""Formats that stand in bodies, messages and values, alone and within one another."""

from __future__ import annotations

import base64
import gzip
import json
import random
import struct
import uuid
import zlib
from collections.abc import Callable

import brotli
import cbor2
import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.decode import Budget, decode, protobuf
from captures.model import Body
from test_decode import AMPLE, PLAIN, body, packed, sent, value


def field(number: int, content: bytes | str | int | float) -> bytes:
    """One field of a protobuf message."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, float):
        return varint(number << 3 | 1) + struct.pack("<d", content)
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(number: int) -> bytes:
    found = b""
    number &= (1 << 64) - 1
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def framed(message: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(message).to_bytes(4) + message


PERSON = field(1, "Annabel Exampleton") + field(2, 150) + field(3, field(1, "ann@example.org") + field(2, 47.07))
TRACE_ID = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
MAP = field(3, field(1, "device.id") + field(2, "tv-in-the-den")) + field(3, field(1, "os.name") + field(2, "Tizen"))
READ = [
    ("1", "Annabel Exampleton"), ("2", "150"), ("3.1", "ann@example.org"), ("3.2", "47.07"),
]  # fmt: skip


def under(place: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"{place}.{at}", text) for at, text in pairs]


@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/protobuf; charset=utf-8", "", "text/plain"])
def test_a_protobuf_message_comes_out_by_the_numbers_of_its_fields(kind: str) -> None:
    assert body(PERSON, kind) == under("body[protobuf]", READ)


def test_repeated_fields_are_numbered_and_entries_of_a_map_have_their_names() -> None:
    version = field(6, field(1, "1.45.2"))
    message = field(1, "first") + field(1, "second") + MAP + field(4, TRACE_ID) + field(5, -1) + version
    assert body(message, "application/x-protobuf") == [
        ("body[protobuf].1.0", "first"),
        ("body[protobuf].1.1", "second"),
        ("body[protobuf].3.0.1", "device.id"),
        ("body[protobuf].3.0.device.id", "tv-in-the-den"),
        ("body[protobuf].3.1.1", "os.name"),
        ("body[protobuf].3.1.os.name", "Tizen"),
        ("body[protobuf].4", TRACE_ID.hex()),
        ("body[protobuf].5", "-1"),
        ("body[protobuf].6.1", "1.45.2"),
    ]


def test_a_message_that_begins_with_a_line_break_is_no_text() -> None:
    # Field 1 of ten, and of thirteen bytes: a line break and a line break, a line break and a carriage return.
    for inner in ("ten bytes!", "13 characters"):
        assert body(field(7, field(1, inner)), "application/x-protobuf") == [("body[protobuf].7.1", inner)]
    text = "\nThe first line is empty."
    assert body(field(7, text), "application/x-protobuf") == [("body[protobuf].7", text)]


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "application/grpc-web+proto", ""])
def test_a_grpc_body_comes_out_frame_by_frame(kind: str) -> None:
    content = framed(PERSON) + framed(gzip.compress(field(1, "Annabel again"), mtime=0), 1)
    assert body(content, kind) == [
        *under("body[grpc].0[protobuf]", READ),
        ("body[grpc].1[gzip][protobuf].1", "Annabel again"),
    ]


def test_the_last_words_of_grpc_for_browsers_are_a_text_and_the_whole_may_be_base64() -> None:
    content = framed(PERSON) + framed(b"grpc-status:0\r\n", 0x80)
    expected = [*under("body[grpc].0[protobuf]", READ), ("body[grpc].1", "grpc-status:0\r\n")]
    assert body(content, "application/grpc-web+proto") == expected
    assert body(packed(content), "application/grpc-web-text") == expected


TREE = {"user": {"email": "ann@example.org", "n": 5, "ratio": 0.5}, "list": [True, None, "x"], "id": TRACE_ID}
TREE_READ = [
    ("user.email", "ann@example.org"), ("user.n", "5"), ("user.ratio", "0.5"), ("list.0", "true"), ("list.2", "x"),
    ("id", TRACE_ID.hex()),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["application/msgpack", "application/x-msgpack", "application/octet-stream", ""])
def test_messagepack_comes_out_as_json_does(kind: str) -> None:
    assert body(msgspec.msgpack.encode(TREE), kind) == under("body[msgpack]", TREE_READ)


@pytest.mark.parametrize("kind", ["application/cbor", "application/senml+cbor", ""])
@pytest.mark.parametrize("begin", [b"", b"\xd9\xd9\xf7"])
def test_cbor_comes_out_as_json_does(kind: str, begin: bytes) -> None:
    assert body(begin + cbor2.dumps(TREE), kind) == under("body[cbor]", TREE_READ)


def test_what_cbor_marks_as_special_stays_what_was_sent() -> None:
    device = uuid.UUID("6d92078a-8246-4ba4-ae5b-76104861e7dc")
    tagged = cbor2.dumps({"id": device, "at": cbor2.CBORTag(0, "2026-01-02T03:04:05Z"), "own": cbor2.CBORTag(777, "x")})
    assert body(tagged, "application/cbor") == [
        ("body[cbor].id", device.hex), ("body[cbor].at", "2026-01-02T03:04:05Z"), ("body[cbor].own", "x"),
    ]  # fmt: skip


def test_a_list_that_holds_itself_ends() -> None:
    endless = b"\xd8\x1c\x82\xd8\x1d\x00\xd8\x1d\x00"
    assert body(b"\xa1\x61a" + endless, "application/cbor") == [("body[cbor].a.0", "0"), ("body[cbor].a.1", "0")]


RAW: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
JSON = json.dumps({"user": {"email": "ann@example.org", "name": "Annabel Exampleton"}}).encode()


@pytest.mark.parametrize("name", RAW)
def test_what_is_packed_is_undone_in_a_body_and_in_a_value(name: str) -> None:
    inner = RAW[name](JSON)
    assert body(inner)[0] == (f"body[{name}].user.email", "ann@example.org")
    assert value(packed(inner))[1] == (f"query.q[base64][{name}][json].user.email", "ann@example.org")
    assert value(inner.hex())[1] == (f"query.q[hex][{name}][json].user.email", "ann@example.org")


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("br", brotli.compress(JSON * 3)),
        ("deflate", zlib.compress(JSON * 3, wbits=-15)),
    ],
)
def test_what_is_packed_without_a_mark_is_undone_where_a_longer_text_comes_out(name: str, inner: bytes) -> None:
    assert value(packed(inner))[0] == (f"query.q[base64][{name}]", (JSON * 3).decode())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (msgspec.msgpack.encode({"email": "ann@example.org"}), "[msgpack].email"),
        (cbor2.dumps({"email": "ann@example.org"}), "[cbor].email"),
        (field(4, "ann@example.org"), "[protobuf].4"),
        (gzip.compress(field(4, "ann@example.org"), mtime=0), "[gzip][protobuf].4"),
        (framed(field(4, "ann@example.org")), "[grpc].0[protobuf].4"),
    ],
)
def test_binary_formats_are_read_in_values_too(content: bytes, expected: str) -> None:
    assert (f"query.q[base64]{expected}", "ann@example.org") in value(packed(content))
    wrapped = json.dumps({"events": [{"blob": packed(content)}]})
    assert (f"body.events.0.blob[base64]{expected}", "ann@example.org") in body(wrapped)


def test_the_encodings_of_a_leaf_are_in_the_order_of_its_place() -> None:
    blob = packed(gzip.compress(framed(field(1, packed(b'{"email": "ann@example.org"}')))))
    found = decode(sent(json.dumps({"p": blob})), Budget(seconds=60, layers=9))
    last = found.leaves[-1]
    assert last.at == "body.p[base64][gzip][grpc].0[protobuf].1[base64][json].email"
    assert last.encodings == ("base64", "gzip", "grpc", "protobuf", "base64", "json")
    assert found.ran_out == ()


TEXTS = [
    ("a=1&user=ann%40example.org", [("[form].a", "1"), ("[form].user", "ann@example.org")]),
    ("?q=The+Film&p=2", [("[form].q", "The Film"), ("[form].p", "2")]),
    ("/find?q=The%20Film", [("[url].path", "/find"), ("[url].query.q", "The Film")]),
    ("rtsp://ann:secret@nas.example/a", [
        ("[url].host", "nas.example"), ("[url].path", "/a"), ("[url].username", "ann"), ("[url].password", "secret")]),
    ("https://a.example/cb#access_token=t0ken&state=x", [
        ("[url].host", "a.example"), ("[url].path", "/cb"), ("[url].fragment.access_token", "t0ken"),
        ("[url].fragment.state", "x")]),
    ("<u n='ann'>hello</u>", [("[xml].u.n", "ann"), ("[xml].u", "hello")]),
    ("{&quot;u&quot;:&#34;ann&#x22;}", [("[html]", '{"u":"ann"}'), ("[html][json].u", "ann")]),
    ("ann%252540example.org", [
        ("[percent]", "ann%2540example.org"), ("[percent][percent]", "ann%40example.org"),
        ("[percent][percent][percent]", "ann@example.org")]),
    ('42["seen",{"title":"The Film"}]', [("[json].0", "seen"), ("[json].1.title", "The Film")]),
    ('42/room,17["seen"]', [("[json].0", "seen")]),
    ("data:application/json;charset=utf-8;base64," + packed(JSON), [
        ("[base64]", JSON.decode()), ("[base64][json].user.email", "ann@example.org"),
        ("[base64][json].user.name", "Annabel Exampleton")]),
    (base64.urlsafe_b64encode(b'{"u":"ann"}').decode().rstrip("=") + ".ZxyAbc.c2lnbmF0dXJlIQ", [
        ("[base64]", '{"u":"ann"}'), ("[base64][json].u", "ann")]),
    ("0x" + b"ann@example.org".hex(), [("[hex]", "ann@example.org")]),
    ('query Find($n: Int) { user(email: "ann@example.org", first: $n) { films(filter: {title: "The Film", years: '
     '[1999, 2000]}) { id } } }', [
        ("[graphql].user.email", "ann@example.org"), ("[graphql].films.filter.title", "The Film"),
        ("[graphql].films.filter.years.0", "1999"), ("[graphql].films.filter.years.1", "2000")]),
    ('{ user(id: 7, note: """two\nlines""") { name } }', [
        ("[graphql].user.id", "7"), ("[graphql].user.note", "two\nlines")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_in_a_value_is_undone(text: str, expected: list[tuple[str, str]]) -> None:
    assert value(text) == [(f"query.q{at}", inner) for at, inner in expected]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_base64_that_begins_within_a_group_is_undone_as_far_as_it_is_whole(cut: int) -> None:
    text = "Annabel Exampleton saw it twice"
    ((at, found),) = value(packed(text.encode())[cut:])
    assert at == "query.q[base64]"
    assert found in text
    assert len(found) >= len(text) - 3
    assert value("xyz"[:cut] + packed(text.encode())) == [("query.q[base64]", text)]


@pytest.mark.parametrize(
    "text",
    [
        "a=1", "a = 1 & b = 2", "AT&T", "Tom & Jerry;", "/usr/lib/x", "<3 you", "I <3 you>", "{ id }", "[12] a film",
        "what?", "query me", "mutation {", "data:text/plain,hello there", "R&B; soul", "12[abc]", "https://x.example/",
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert value(text) == []


def test_no_random_token_is_taken_for_something_packed() -> None:
    rnd = random.Random(5)  # noqa: S311 - made-up values, the same at every run
    wrong = []
    for _ in range(300):
        raws = [rnd.randbytes(rnd.choice((9, 12, 16, 20, 24, 32, 48, 64))) for _ in range(20)]
        texts = [form(raw) for raw in raws for form in (packed, bytes.hex)]
        found = decode(replace(PLAIN, query=tuple((str(n), text) for n, text in enumerate(texts))), AMPLE)
        wrong += [leaf for leaf in found.leaves if leaf.encodings]
    assert wrong == []


PAGE = """<!DOCTYPE html><html><head><meta name="user-login" content="ann">
<script type="application/json">{"user": {"email": "ann@example.org"}}</script></head><body>
<input name="loose" value="l"><form action="/save"><input name="user[name]" value="Ann &amp; Co">
<input type="checkbox" name="off" value="1"><input type="radio" name="on" value="2" checked>
<select name="lang"><option value="en">E</option><option value="de" selected>D</option></select>
<textarea name="note">my own words</textarea></form></body></html>"""


def test_the_fields_of_a_page_and_its_json_come_out() -> None:
    found = body(PAGE, "text/html")
    assert found == [
        ("body[html].meta.user-login", "ann"),
        ("body[html].script.0", '{"user": {"email": "ann@example.org"}}'),
        ("body[html].script.0[json].user.email", "ann@example.org"),
        ("body[html].field.loose", "l"),
        ("body[html].form.0.action", "/save"),
        ("body[html].form.0.user[name]", "Ann & Co"),
        ("body[html].form.0.on", "2"),
        ("body[html].form.0.lang", "de"),
        ("body[html].form.0.note", "my own words"),
        ("body", PAGE),
    ]


def test_a_playlist_comes_out_tag_by_tag() -> None:
    text = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=8000,CODECS="avc1,mp4a"\nlow/index.m3u8?token=t0ken\n'
        '#EXTINF:9.0,The Film\r\na.ts\n#EXT-X-KEY:METHOD=AES-128,URI="https://k.example/k?u=ann"\n#EXT-X-ENDLIST\n'
    )
    assert body(text) == [
        ("body[m3u8].EXT-X-STREAM-INF.0.BANDWIDTH", "8000"),
        ("body[m3u8].EXT-X-STREAM-INF.0.CODECS", "avc1,mp4a"),
        ("body[m3u8].uri.0", "low/index.m3u8?token=t0ken"),
        ("body[m3u8].EXTINF.0", "9.0,The Film"),
        ("body[m3u8].uri.1", "a.ts"),
        ("body[m3u8].EXT-X-KEY.0.METHOD", "AES-128"),
        ("body[m3u8].EXT-X-KEY.0.URI", "https://k.example/k?u=ann"),
        ("body[m3u8].EXT-X-KEY.0.URI[url].host", "k.example"),
        ("body[m3u8].EXT-X-KEY.0.URI[url].path", "/k"),
        ("body[m3u8].EXT-X-KEY.0.URI[url].query.u", "ann"),
    ]


BODIES = [
    ("en=play&ep.title=The%20Film\r\nen=stop", "text/plain", [
        ("body.0.en", "play"), ("body.0.ep.title", "The Film"), ("body.1.en", "stop")]),
    ('{"type":1}\x1e{"type":6,"target":"seen"}\x1e', "", [
        ("body.0.type", "1"), ("body.1.type", "6"), ("body.1.target", "seen")]),
    ('{"type":1}\x1e', "", [("body.type", "1")]),
    ('event: x\ndata: {"user": "ann"}\n\ndata: second one\n', "text/event-stream", [
        ("body.0", '{"user": "ann"}'), ("body.0[json].user", "ann"), ("body.1", "second one")]),
    ('{"query":"{ user(id: 7) { name } }","variables":{"email":"ann@example.org"}}', "application/json", [
        ("body.query", "{ user(id: 7) { name } }"), ("body.query[graphql].user.id", "7"),
        ("body.variables.email", "ann@example.org")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "expected"), BODIES)
def test_a_body_of_several_parts_comes_out_part_by_part(text: str, kind: str, expected: list[tuple[str, str]]) -> None:
    assert body(text, kind) == expected


def test_a_line_break_within_something_compressed_ends_no_line_of_an_envelope() -> None:
    replay = next(
        packed for n in range(1_000) if b"\n" in (packed := zlib.compress(b'[{"href": "https://a.example/%d"}]' % n))
    )
    recording = b'{"segment_id": 0}\n' + replay
    head = b'{"event_id": "e"}\n{"type": "replay_recording", "length": %d}\n' % len(recording)
    found = decode(sent(head + recording), AMPLE)
    assert found.ran_out == ()
    places = [leaf.at for leaf in found.leaves]
    assert places[-3:] == ["body.1.length", "body.2.0.segment_id", "body.2.1[deflate].0.href"]


def test_a_packed_part_of_a_multipart_form_is_read() -> None:
    part = b'--B\r\nContent-Disposition: form-data; name="p"\r\n\r\n' + PERSON + b"\r\n--B--\r\n"
    assert body(part, "multipart/form-data; boundary=B") == under("body.p[protobuf]", READ)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Digest username="ann", nonce="n0nce", uri="/x"', [("[digest].username", "ann"), ("[digest].nonce", "n0nce"),
                                                           ("[digest].uri", "/x")]),
        ('OAuth oauth_token="t0ken%2B", oauth_nonce="1"', [("[oauth].oauth_token", "t0ken%2B"),
                                                          ("[oauth].oauth_token[percent]", "t0ken+"),
                                                          ("[oauth].oauth_nonce", "1")]),
        ("AWS4-HMAC-SHA256 Credential=AK1/2/3, Signature=abc", [("[aws4-hmac-sha256].Credential", "AK1/2/3"),
                                                               ("[aws4-hmac-sha256].Signature", "abc")]),
        ("justatokenwithoutscheme", []),
    ],
)  # fmt: skip
def test_credentials_of_any_scheme_come_out(header: str, expected: list[tuple[str, str]]) -> None:
    call = replace(PLAIN, headers=(("authorization", header),))
    places = [(leaf.at, leaf.value) for leaf in decode(call, AMPLE).leaves[2:]]
    assert places == [("header.authorization", header), *((f"header.authorization{at}", v) for at, v in expected)]


def nested(times: int) -> bytes:
    message = field(1, "the innermost text")
    for _ in range(times):
        message = field(1, message)
    return message


def test_depth_leaves_and_layers_of_binary_formats_run_out_aloud() -> None:
    deep = decode(sent(nested(150), "application/x-protobuf"), AMPLE)
    assert deep.ran_out == ("A call is nested more deeply than is looked at",)
    many = decode(sent(field(1, 7) * 20_000, "application/x-protobuf"), AMPLE)
    assert many.ran_out == ("A call holds more values than are looked at",)
    wrapped = b"the innermost text"
    for _ in range(8):
        wrapped = field(1, "around it") + field(2, gzip.compress(wrapped, mtime=0))
    layers = decode(sent(wrapped, "application/x-protobuf"), AMPLE)
    assert layers.ran_out[0] == "A value is encoded more often than is undone"
    large = decode(sent(cbor2.dumps(["x"] * MEGA), "application/cbor"), AMPLE)
    assert large.ran_out == ("A body is larger than is looked at",)
    unknown = decode(sent(bytes(range(256)) * 4, "application/x-protobuf"), AMPLE)
    assert unknown.ran_out == ("A body is in a form that is not known",)


MEGA = 1_000_000


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (field(1, 7) * MEGA, "application/x-protobuf"),
        (field(1, b"") * MEGA, "application/x-protobuf"),
        (nested(20_000), "application/x-protobuf"),
        (nested(20_000), ""),
        (framed(b"") * (MEGA // 2), "application/grpc"),
        (b"\x81" * MEGA, "application/cbor"),
        (b"\x91" * MEGA, "application/msgpack"),
        (b"\xdd\xff\xff\xff\xff", "application/msgpack"),
        (b"\xc4\x82\x1b\x00\x00\x00\x00\xff\xff\xff\xff\x01", "application/cbor"),
        (b"\xa1\x61a\xc2\x5a\x00\x0f\x42\x40" + b"\xff" * MEGA, "application/cbor"),
        (cbor2.dumps(["x"] * MEGA), "application/cbor"),
        (b"<" * 2 * MEGA, "text/html"),
        (b"<a " + b"x=y " * MEGA, "text/html"),
        (b"<!--" * MEGA, "text/html"),
        (b"<html>" + b"<input name=a value=b>" * 200_000, "text/html"),
        (b"#EXTM3U\n" + b"a.ts\n" * MEGA, ""),
        (b"#EXTM3U\n#EXT-X-A:" + b"A=," * MEGA, ""),
        (json.dumps({"query": "{ a(" + "b:{" * 100_000}), ""),
        (json.dumps({"query": "{ a(b:[" + "1 " * MEGA + "])}"}), ""),
        (json.dumps({"x": "a=b&" * MEGA + "c=d"}), ""),
        (json.dumps({"x": "&amp;" * MEGA}), ""),
        (b"data:x\n" * MEGA, "text/event-stream"),
        (b"a=b&c=d\n" * MEGA, ""),
    ],
    ids=range(23),
)
@pytest.mark.usefixtures("no_hang")
def test_no_format_costs_much_time(content: bytes | str, kind: str) -> None:
    decode(sent(content, kind))


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(),
        st.recursive(st.text() | st.integers(0, 2**63) | st.binary(), lambda inner: st.lists(inner), max_leaves=8).map(
            msgspec.msgpack.encode
        ),
        st.text().map(lambda text: f"<html><form>{text}</form>".encode()),
        st.text().map(lambda text: f"query {{ a({text}) }}".encode()),
        st.text().map(lambda text: f"#EXTM3U\n#EXT-X-A:{text}".encode()),
        st.lists(st.tuples(st.integers(1, 9), st.text() | st.integers(-9, 2**63) | st.floats())).map(
            lambda fields: b"".join(field(*pair) for pair in fields)
        ),
    ),
    st.sampled_from(["", "application/x-protobuf", "application/grpc", "application/msgpack", "application/cbor",
                     "text/html", "application/grpc-web-text"]),
)  # fmt: skip
def test_whatever_the_bytes_nothing_is_raised(content: bytes, kind: str) -> None:
    decode(sent(content, kind))
    decode(replace(PLAIN, response_body=Body(content, len(content))))


WORD = st.text(st.characters(exclude_categories=("C", "M")), min_size=2, max_size=20)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.builds("{}a{}".format, WORD, WORD), st.integers(0, 3))
def test_a_text_in_a_message_is_never_overlooked(text: str, depth: int) -> None:
    """What is looked for first, a run of characters, is in every message in which a text is."""
    content = text.encode("utf-8", "replace")
    for _ in range(depth + 1):
        content = b"\x0a" + bytes([len(content) & 0x7F | 0x80, len(content) >> 7]) + content
    assume(protobuf.text(text.encode("utf-8", "replace")) is not None)
    assert protobuf.holds_text(content)


def test_bytes_without_a_text_are_no_message_that_holds_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is done to find that out: 500 fields of one byte are a message as well."""
    monkeypatch.setattr(protobuf, "message", None)
    assert not protobuf.holds_text(b"\x82\x08\x20" * 500)
