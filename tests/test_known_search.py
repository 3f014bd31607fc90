"""An own value is found in every encoding, at its place, and never where it is not."""

from __future__ import annotations

import base64
import codecs
import gzip
import hashlib
import html
import json
import random
import string
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.decode import decode
from analysis.example import exchange_of
from analysis.known import Known, OwnValues, search
from analysis.pack import ExampleCall
from captures.model import Body, Exchange
from captures.pseudonym import pseudonym_of

EMPTY = exchange_of(ExampleCall("POST https://metrics.example/c"), "test")
TITLE = "The Zorblax Uprising (2031)"
EMAIL = "alice.exampleton@example.org"


@cache
def otto() -> OwnValues:
    """What one person has told."""
    return OwnValues([Known("title", TITLE, 0.0), Known("email", EMAIL, 0.0), Known("name", "Otto", 0.0)])


def own(kind: str, value: str) -> OwnValues:
    return OwnValues([Known(kind, value, 0.0)])


def sent(value: Any, **changes: Any) -> Exchange:
    """A request with a value in a field of a JSON body."""
    return replace(EMPTY, body=Body(json.dumps({"event": "x", "data": {"v": value}}).encode()), **changes)


def seen(exchange: Exchange, values: OwnValues | None = None) -> list[tuple[str, tuple[str, ...]]]:
    """Place and encodings of what is found, of Otto's values unless others are given."""
    return [(one.at, one.encodings) for one in search(exchange, decode(exchange).leaves, values or otto()).sightings]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hash_of(name: str) -> Callable[[str], str]:
    return lambda value: hashlib.new(name, value.encode()).hexdigest()


def entities(value: str) -> str:
    return "".join(f"&#{ord(character)};" for character in value)


V = "body.data.v"

ENCODINGS: dict[str, tuple[Callable[[str], str], str, tuple[str, ...]]] = {
    "raw": (str, V, ()),
    "within a text": (lambda v: f"watching {v}, now", V, ()),
    "other case": (str.swapcase, V, ("casefold",)),
    "percent": (lambda v: quote(v, safe=""), f"{V}[percent]", ("percent",)),
    "percent twice": (lambda v: quote(quote(v, safe=""), safe=""), f"{V}[percent][percent]", ("percent", "percent")),
    "base64": (lambda v: b64(v.encode()), f"{V}[base64]", ("base64",)),
    "base64 after one byte": (lambda v: b64(b"\x80" + v.encode() + b"\xff"), V, ("base64",)),
    "base64 after two bytes": (lambda v: b64(b"\x80\x81" + v.encode() + b"\xff"), V, ("base64",)),
    "base64url": (lambda v: base64.urlsafe_b64encode(b"\xfb\xff\xbe" + v.encode()).decode(), V, ("base64",)),
    "hex": (lambda v: v.encode().hex(), f"{V}[hex]", ("hex",)),
    "hex in capitals": (lambda v: v.encode().hex().upper(), f"{V}[hex]", ("hex",)),
    "hex within more": (lambda v: "ff00" + v.encode().hex() + "ff", V, ("hex",)),
    "JSON in a string": (lambda v: json.dumps({"n": v}), f"{V}[json].n", ("json",)),
    "JSON escapes": (lambda v: "x" + "".join(f"\\u{ord(c):04X}" for c in v), V, ("json",)),
    "HTML": (entities, f"{V}[html]", ("html",)),
    "UTF-16": (lambda v: b64(v.encode("utf-16")), V, ("base64", "utf-16")),
    "reversed": (lambda v: v[::-1], V, ("reversed",)),
    "ROT13": (lambda v: codecs.encode(v, "rot13"), V, ("rot13",)),
    "gzip": (lambda v: b64(gzip.compress(v.encode())), f"{V}[base64][gzip]", ("base64", "gzip")),
    "deflate": (lambda v: b64(zlib.compress(v.encode())), f"{V}[base64][deflate]", ("base64", "deflate")),
    "md5": (hash_of("md5"), V, ("md5",)),
    "sha1": (hash_of("sha1"), V, ("sha1",)),
    "sha256": (hash_of("sha256"), V, ("sha256",)),
    "sha512": (hash_of("sha512"), V, ("sha512",)),
    "crc32": (lambda v: f"{zlib.crc32(v.encode()):08x}", V, ("crc32",)),
    "xxh64": (lambda v: xxhash.xxh64(v.encode()).hexdigest(), V, ("xxh64",)),
    "md5 in base64": (lambda v: b64(hashlib.md5(v.encode()).digest()), V, ("base64", "md5")),
    "md5 as a UUID": (lambda v: f"{hash_of('md5')(v)[:8]}-{hash_of('md5')(v)[8:]}", V, ("md5",)),
    "md5 of capitals": (lambda v: hash_of("md5")(v.upper()), V, ("md5", "casefold")),
    "base64 of the md5": (lambda v: b64(hash_of("md5")(v).encode()), f"{V}[base64]", ("base64", "md5")),
    "md5 of the base64": (lambda v: hash_of("md5")(b64(v.encode())), V, ("md5", "base64")),
    "md5 of the md5": (lambda v: hash_of("md5")(hash_of("md5")(v)), V, ("md5", "md5")),
    "base64 backwards": (lambda v: b64(b"\x80" + v.encode() + b"\xff")[::-1], V, ("reversed", "base64")),
    "hex of ROT13": (lambda v: codecs.encode(v, "rot13").encode().hex(), f"{V}[hex]", ("hex", "rot13")),
}


@pytest.mark.parametrize("value", [TITLE, EMAIL])
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_value_is_found_in_every_encoding_at_its_place(name: str, value: str) -> None:
    encode, at, chain = ENCODINGS[name]
    assert seen(sent(encode(value))) == [(at, chain)]


LAYERS: dict[str, Callable[[bytes], bytes]] = {
    "percent": lambda data: quote(data, safe="").encode(),
    "base64": base64.b64encode,
    "base64 in a text": lambda data: base64.b64encode(b"\x80" + data + b"\xff"),
    "hex": lambda data: data.hex().encode(),
    "hex in capitals": lambda data: data.hex().upper().encode(),
    "json": lambda data: "".join(f"\\u{ord(c):04x}" for c in data.decode()).encode(),
    "html": lambda data: entities(data.decode()).encode(),
    "reversed": lambda data: data[::-1],
    "rot13": lambda data: codecs.encode(data.decode(), "rot13").encode(),
    "md5": lambda data: hashlib.md5(data).hexdigest().encode(),
    "sha1": lambda data: hashlib.sha1(data).hexdigest().encode(),
    "sha256": lambda data: hashlib.sha256(data).hexdigest().encode(),
    "sha512": lambda data: hashlib.sha512(data).hexdigest().encode(),
    "xxh64": lambda data: xxhash.xxh64(data).hexdigest().encode(),
}


@pytest.mark.parametrize("value", [TITLE, EMAIL])
@pytest.mark.parametrize("outer", LAYERS)
def test_a_value_is_found_in_two_layers_of_encodings(outer: str, value: str) -> None:
    written = {inner: LAYERS[outer](LAYERS[inner](value.encode())).decode() for inner in LAYERS}
    missed = [inner for inner, text in written.items() if not seen(sent(text))]
    # A hash is of the value alone, not of a text around it.
    is_hash = LAYERS[outer](b"") != b"" and outer != "base64 in a text"
    assert missed == (["base64 in a text"] if is_hash else [])


@pytest.mark.parametrize("inner", LAYERS)
def test_packing_hides_no_layer_below(inner: str) -> None:
    packed = b64(gzip.compress(b"a " + LAYERS[inner](TITLE.encode())))
    assert [at.removesuffix("[percent]").removesuffix("[html]") for at, _ in seen(sent(packed))] == [
        f"{V}[base64][gzip]"
    ]


@pytest.mark.parametrize(
    ("written", "chain"),
    [
        ("the-zorblax-uprising-2031", ("slug",)),
        ("The.Zorblax.Uprising.2031", ("slug",)),
        ("TheZorblaxUprising2031", ("no-separators",)),
        ("The Zorblax Uprising - 2031", ("separators",)),
        (hashlib.sha1(b"the-zorblax-uprising-2031").hexdigest(), ("sha1", "slug")),
        (b64(b"\x80the-zorblax-uprising-2031\xff"), ("base64", "slug")),
    ],
)
def test_a_title_is_found_with_other_separators(written: str, chain: tuple[str, ...]) -> None:
    assert seen(sent(written)) == [(V, chain)]


@pytest.mark.parametrize("value", ["Amélie & Søn / Zwölf", "東京の静かな港"])
@pytest.mark.parametrize(
    "encode",
    [
        str,
        html.escape,
        quote_plus,
        lambda v: v.encode("ascii", "xmlcharrefreplace").decode(),
        lambda v: json.dumps(json.dumps("é" + v)),
        lambda v: b64(b"\x80" + v.encode() + b"\xff"),
        lambda v: hashlib.md5(v.encode()).hexdigest(),
    ],
)
def test_a_value_in_another_script_is_found(value: str, encode: Callable[[str], str]) -> None:
    assert len(seen(sent(encode(value)), own("title", value))) == 1


def test_both_alphabets_of_base64_are_known() -> None:
    value = "Où? ¿Qué? ÿ>ÿ?"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(b"\x80" + value.encode() + b"\xff").decode()
        assert set("+/-_") & set(text)
        assert seen(sent(text), own("title", value)) == [(V, ("base64",))]


def test_accents_that_are_left_out_or_written_apart_are_no_hindrance() -> None:
    mine = own("title", "Amélie Zwölfender")
    assert seen(sent("amelie zwolfender"), mine) == [(V, ("accents",))]
    assert seen(sent("Ame\u0301lie Zwo\u0308lfender"), mine) == [(V, ())]


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("2a:11:ce:00:00:02", ()),
        ("2A-11-CE-00-00-02", ()),
        ("2a11.ce00.0002", ()),
        ("2A11CE000002", ()),
        ("0x2a11ce000002", ()),
        (hashlib.md5(b"2A:11:CE:00:00:02").hexdigest(), ("md5",)),
        (hashlib.sha1(b"2a11ce000002").hexdigest(), ("sha1",)),
        (hashlib.sha1(b"2a-11-ce-00-00-02").hexdigest(), ("sha1",)),
    ],
)
def test_a_mac_address_is_found_in_all_notations(text: str, chain: tuple[str, ...]) -> None:
    assert seen(sent(text), own("mac", "2a:11:ce:00:00:02")) == [(V, chain)]


@pytest.mark.parametrize(
    "text",
    [
        "2001:db8::7:1",
        "[2001:DB8::7:1]:32400",
        "2001:db8:0:0:0:0:7:1",
        "2001:0db8:0000:0000:0000:0000:0007:0001",
        "2001:db8:0::7:1",
        "2001:0db8::0007:0001",
        "2001:db8::0.7.0.1",
    ],
)
def test_an_ipv6_address_is_found_in_all_notations(text: str) -> None:
    assert seen(sent(text), own("ip", "2001:db8::7:1")) == [(V, ())]


def test_an_address_is_not_found_in_a_longer_one_nor_in_a_version() -> None:
    mine = own("ip", "203.0.113.7")
    assert seen(sent("203.0.113.7"), mine) == [(V, ())]
    assert seen(sent("https://203-0-113-7.ab12.plex.direct:32400"), mine) == [(V, ())]
    assert [seen(sent(text), mine) for text in ("203.0.113.77", "1203.0.113.7", "1203-0-113-7", "20301137")] == [[]] * 4


def test_a_value_split_over_two_neighbouring_fields_is_found_at_the_first() -> None:
    halves = {"a": "x", "user": "alice.exampleton", "domain": "example.org", "z": "y"}
    assert seen(replace(EMPTY, body=Body(json.dumps(halves).encode()))) == [("body.user", ("split",))]
    digest = hashlib.md5(TITLE.encode()).hexdigest()
    parts = replace(EMPTY, query=(("a", digest[:10]), ("b", digest[10:])))
    assert seen(parts) == [("query.a", ("split", "md5"))]


def test_what_is_in_two_fields_that_are_no_neighbours_is_no_value() -> None:
    apart = {"user": "alice.exampleton", "n": "7", "domain": "example.org"}
    assert seen(replace(EMPTY, body=Body(json.dumps(apart).encode()))) == []
    thirds = replace(EMPTY, query=(("a", "alice.exa"), ("b", "mpleton"), ("c", "example.org")))
    assert seen(thirds) == []
    parts = replace(EMPTY, query=(("a", "alice.exampleton"),), body=Body(b'{"domain":"example.org"}'))
    assert seen(parts) == []


def test_what_stands_in_no_leaf_has_the_place_of_its_part() -> None:
    assert seen(replace(EMPTY, body=Body(json.dumps({TITLE: 1}).encode()))) == [("body", ())]
    assert seen(replace(EMPTY, query=((TITLE, ""),))) == [("query", ())]
    assert seen(replace(EMPTY, response_body=Body(json.dumps({EMAIL: 1}).encode()))) == [("response.body", ())]


@pytest.mark.parametrize(
    "path", ["/f/The%20Zorblax%20Uprising%20(2031)/x", "/f/%54he%20Zorblax%20Uprisin%67%20%282031%29"]
)
def test_a_path_is_read_however_much_of_it_is_escaped(path: str) -> None:
    assert seen(replace(EMPTY, path=path)) == [("path", ("percent",))]
    assert seen(sent(b64(b"\x80/" + path.encode() + b"\xff"))) == ([(V, ("base64", "percent"))] if "(" in path else [])


def test_every_part_of_a_call_is_searched() -> None:
    everywhere = replace(
        EMPTY,
        path="/films/" + quote(TITLE, safe=""),
        query=(("q", TITLE),),
        headers=(("x-title", TITLE),),
        cookies=(("last", TITLE),),
        body=Body(f"title={quote_plus(TITLE)}&n=1".encode()),
        response_headers=(("x-echo", TITLE),),
        response_body=Body(f"<a t='{TITLE}'/>".encode()),
    )
    assert seen(everywhere) == [
        ("path", ("percent",)),
        ("query.q", ()),
        ("header.x-title", ()),
        ("cookie.last", ()),
        ("body.title", ()),
        ("response.header.x-echo", ()),
        ("response.body.a.t", ()),
    ]


def test_a_value_within_a_longer_own_value_is_not_named_twice() -> None:
    both = OwnValues([Known("name", "Exampleton", 0.0), Known("email", EMAIL, 0.0)])
    found = search(sent(EMAIL), decode(sent(EMAIL)).leaves, both).sightings
    assert [(one.item, one.value) for one in found] == [("account.email", EMAIL)]


def test_a_large_library_is_looked_for_in_fewer_layers_and_that_is_said() -> None:
    def library(count: int) -> OwnValues:
        titles = [Known("title", f"Zorblax Uprising {number}", 0.0) for number in range(10_001, 10_001 + count)]
        return OwnValues([*titles, Known("token", "tOkEn-0123456789abcdef", 0.0)])

    title = "Zorblax Uprising 10001"
    ways = (b64(title.encode()), hash_of("sha512")(title), hash_of("md5")(hash_of("md5")(title)))
    secret = hash_of("md5")(hash_of("md5")("tOkEn-0123456789abcdef"))
    for count, found, said in (
        (100, 3, ()),
        (101, 2, ("Of 101 own titles and files, each was looked for in one layer of encodings, not in two.",)),
        (
            1_001,
            1,
            (
                "Of 1,001 own titles and files, each was looked for by its words where decoding shows them, and by its "
                "MD5, SHA-1 and SHA-256.",
            ),
        ),
    ):
        mine = library(count)
        assert [bool(seen(sent(way), mine)) for way in ways] == [number < found for number in range(3)]
        assert seen(sent(secret), mine)
        assert mine.remarks == said


def test_titles_that_begin_alike_are_told_apart_in_a_long_list_of_them() -> None:
    titles = [f"Zorblax Uprising, the long series, part {number}" for number in range(1000, 5000)]
    mine = OwnValues(Known("title", title, 0.0) for title in titles)
    answer = replace(EMPTY, response_body=Body(json.dumps([{"n": title} for title in titles]).encode()))
    searched = search(answer, decode(answer).leaves, mine)
    assert [one.value for one in searched.sightings] == titles
    assert searched.ran_out == ()


def test_what_is_left_out_for_want_of_time_is_told() -> None:
    endless = OwnValues([Known("name", "Otto", 0.0)])
    otto = replace(EMPTY, response_body=Body(b"otto " * 300_000))
    searched = search(otto, decode(otto).leaves, endless)
    assert {one.value for one in searched.sightings} == {"Otto"}
    assert searched.ran_out == ("A call has too many places where an own value may stand",)


def test_of_two_values_with_the_same_letters_the_one_that_is_written_so_is_meant() -> None:
    both = OwnValues([Known("name", "Alice Exampleton", 0.0), Known("username", "alice.exampleton", 0.0)])

    def items(text: str) -> list[str]:
        return [one.item for one in search(sent(text), decode(sent(text)).leaves, both).sightings]

    assert items("alice.exampleton") == ["account.username"]
    assert items("ALICE EXAMPLETON") == ["account.name"]
    assert items("Alice; Exampleton") == ["account.name"]
    assert items("alice@exampleton.org") == []


def test_a_value_whose_separators_are_a_part_of_it_is_found_split_all_the_same() -> None:
    mine = own("username", "alice.exampleton")
    assert seen(sent("alice@exampleton.org"), mine) == seen(sent("alice, exampleton"), mine) == []
    assert seen(sent("alice-exampleton"), mine) == [(V, ("slug",))]
    split = replace(EMPTY, query=(("a", "alice.exa"), ("b", "mpleton")))
    assert seen(split, mine) == [("query.a", ("split",))]


def test_a_short_name_is_found_as_a_word_alone() -> None:
    assert [bool(seen(sent(text))) for text in ("otto", "by Otto!", "/home/otto/x", "user-otto")] == [True] * 4
    wrong = ("ottoman", "risotto", "a oTtO b", "kR8xPq2LmZ/otto/Xw3aQ9", "0tto", "oTTo-9aB8cD7eF6")
    assert [seen(sent(text)) for text in wrong] == [[]] * 6
    assert seen(sent("ff4f74746fff")) == [], "eight hex digits are met by chance"


def test_a_checksum_is_found_as_a_whole_value_alone() -> None:
    checksum = f"{zlib.crc32(TITLE.encode()):08x}"
    assert seen(sent(f"{checksum}-0000-4000-8000-000000000000")) == []


def test_a_hash_of_an_address_is_an_item_of_its_own() -> None:
    def item(text: str) -> list[str]:
        return [one.item for one in search(sent(text), decode(sent(text)).leaves, otto()).sightings]

    assert item(EMAIL) == ["account.email"]
    assert item(hash_of("md5")(EMAIL)) == ["account.email_hash"]
    assert item(hash_of("md5")(TITLE)) == ["media.title"]


def test_the_hash_of_a_file_is_found_and_named() -> None:
    digest = "8e245d9679d31e12"
    mine = OwnValues([Known("moviehash", digest, 0.0, "/films/a.mkv")])
    (found,) = search(sent(digest.upper()), decode(sent(digest.upper())).leaves, mine).sightings
    assert tuple(found) == ("media.file_hash", digest, V, ("moviehash",), "moviehash")


def test_a_pseudonym_in_a_ledger_means_the_same_value() -> None:
    key = b"k" * 32
    mine = OwnValues([Known("token", "tOkEn-0123456789abcdef", 0.0)], key)
    assert seen(sent(pseudonym_of("tOkEn-0123456789abcdef", key)), mine) == [(V, ("pseudonym",))]
    assert seen(sent(pseudonym_of("tOkEn-0123456789abcdef", b"x" * 32)), mine) == []


@cache
def household() -> OwnValues:
    """Values of all kinds of a household."""
    return OwnValues(
        Known(kind, value, 0.0)
        for kind, value in (
            *(("title", f"{word} {other}") for word in ("Quiet", "Zorblax", "Copper") for other in ("Lantern", "Reef")),
            *(("title", title) for title in ("Vertigo", "Titanic", "Moana", "Drei", "東京物語")),
            *(("name", name) for name in ("Otto", "Anna", "Annabel", "Hanna Example", "Jörg")),
            *(("email", f"{name}@example.org") for name in ("otto", "annabel", "hanna", "info")),
            *(("mac", f"2a:11:ce:00:00:{number:02x}") for number in range(6)),
            *(("token", hashlib.sha1(bytes([number])).hexdigest()[:20]) for number in range(6)),
            *(("ip", f"203.0.113.{number}") for number in range(4)),
            *(("file", f"Quiet {word}.mkv") for word in ("Reef", "Lantern", "Harbour", "Meridian")),
            ("serial", "7081922334"), ("serial", "5cd9130a"), ("ip", "2001:db8::7"), ("library", "Abendkino"),
            ("host", "nas.exampleton.example"), ("device", "Ottos Tablet"), ("phone", "+43 660 1234567"),
            ("username", "otto99"), ("username", "annab"), ("moviehash", "8e245d9679d31e12"),
        )
    )  # fmt: skip


def random_tokens(count: int, seed: int) -> list[str]:
    """Tokens as programs make them: hex, UUIDs, base64 of both alphabets, digits, letters."""
    rnd = random.Random(seed)
    kinds: list[Callable[[], str]] = [
        lambda: rnd.randbytes(rnd.randrange(4, 40)).hex(),
        lambda: "-".join(rnd.randbytes(n).hex() for n in (4, 2, 2, 2, 6)),
        lambda: b64(rnd.randbytes(rnd.randrange(4, 60))),
        lambda: base64.urlsafe_b64encode(rnd.randbytes(rnd.randrange(4, 60))).decode().rstrip("="),
        lambda: "".join(rnd.choices(string.digits, k=rnd.randrange(4, 20))),
        lambda: "".join(rnd.choices(string.ascii_lowercase, k=rnd.randrange(4, 24))),
        lambda: "".join(rnd.choices(string.ascii_letters + string.digits, k=rnd.randrange(6, 40))),
        lambda: rnd.randbytes(4).hex(),
    ]
    return [rnd.choice(kinds)() for _ in range(count)]


def false_hits(count: int, seed: int) -> list[object]:
    tokens = random_tokens(count, seed)
    found: list[object] = []
    for start in range(0, count, 50):
        exchange = replace(EMPTY, query=tuple((f"k{n}", token) for n, token in enumerate(tokens[start : start + 50])))
        found += search(exchange, decode(exchange).leaves, household()).sightings
    return found


def test_nothing_is_found_in_ten_thousand_random_tokens() -> None:
    assert false_hits(10_000, 1) == []


@pytest.mark.slow
def test_nothing_is_found_in_a_million_random_tokens() -> None:
    assert false_hits(1_000_000, 2) == []


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=80), st.sampled_from([TITLE, EMAIL, "Otto", "ottootto", "é"]))
def test_whatever_a_call_holds_the_search_ends_and_never_raises(raw: bytes, text: str, value: str) -> None:
    exchange = replace(
        EMPTY, query=((text, text + value), (value[:4], value[4:])), body=Body(raw + value.encode() + raw)
    )
    search(exchange, decode(exchange).leaves, otto())
