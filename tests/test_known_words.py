"""An own library of any size is found by its words, and common words alone are never taken for a title."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from analysis import known
from analysis.decode import decode
from analysis.example import exchange_of
from analysis.known import MediaFile, OwnValues, Work, search
from analysis.pack import ExampleCall
from analysis.sureness import EVIDENCE
from captures.model import Body, Exchange

EMPTY = exchange_of(ExampleCall("POST https://metrics.example/c"), "test")

ZORBLAX = Work(
    "movie",
    "The Zorblax Uprising",
    original="L'Été de Zorblax",
    year=2031,
    ids=("imdb://tt7654321", "tmdb://7654321", "plex://movie/5d7768ba96b655001fdc0408"),
    pictures=("https://images.example/t/p/kqjL17yufvn9OVLyXYpvtyrFfak.jpg",),
    files=(MediaFile("/films/z/the.zorblax.uprising.2031.mkv", 6345.5, moviehash="8e245d9679d31e12"),),
)
UP = Work("movie", "Up", year=2009, ids=("imdb://tt1049413",), files=(MediaFile("/films/up.mkv", 5760.0),))
CONNECTION = Work("movie", "The Connection", year=1961)
INTERFERENCE = Work("movie", "Interference", year=1928)


@pytest.fixture(scope="module", params=[0, 1_000], ids=["small", "large"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OwnValues:
    """These three films, and so many others that forms are made of none."""
    others = [Work("movie", f"Quiet Harbour, part {number}") for number in range(request.param)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PHONEHOME_HOME", str(tmp_path_factory.mktemp("home")))
        known.keep("csv", "/films.csv", [ZORBLAX, UP, CONNECTION, INTERFERENCE, *others])
        loaded = known.load()
    assert loaded is not None
    return loaded


def sent(value: Any, path: str = "/c") -> Exchange:
    return replace(EMPTY, path=path, body=Body(json.dumps(value).encode()))


def seen(own: OwnValues, exchange: Exchange) -> list[tuple[str, str, str, str]]:
    """Item, value, place and evidence of what is found."""
    found = search(exchange, decode(exchange).leaves, own)
    return [(one.item, one.value, one.at, one.evidence) for one in found.sightings]


TITLE = "The Zorblax Uprising"


@pytest.mark.parametrize(
    ("body", "item", "value", "at", "evidence"),
    [
        ({"a": {"title": TITLE}}, "media.title", TITLE, "body.a.title", "title-field"),
        ({"a": "the ZORBLAX uprising"}, "media.title", TITLE, "body.a", "title"),
        ({"a": "see The Zorblax Uprising now"}, "media.title", TITLE, "body.a", "text"),
        ({"a": "the zorblax uprising 2031 720p"}, "media.title", TITLE, "body.a", "title-and-year"),
        ({"a": "the-zorblax-uprising"}, "media.title", TITLE, "body.a", "slug"),
        ({"name": "L’ete de ZORBLAX"}, "media.title", "L'Été de Zorblax", "body.name", "title-field"),
        (
            {"a": "D:\\x\\The.Zorblax.Uprising.2031.mkv"},
            "media.file_path_or_name",
            "the.zorblax.uprising.2031.mkv",
            "body.a",
            "file-name",
        ),
        (
            {"a": "8E245D9679D31E12"},
            "media.file_hash",
            "8E245D9679D31E12",
            "body.a",
            "moviehash",
        ),
        ({"a": "imdb:tt7654321"}, "media.external_id", "tt7654321", "body.a", "external-id"),
        ({"a": "tmdb://7654321"}, "media.external_id", "tmdb://7654321", "body.a", "external-id"),
        ({"a": "x/5d7768ba96b655001fdc0408"}, "media.external_id", "5d7768ba96b655001fdc0408", "body.a", "external-id"),
        (
            {"a": "https://cdn.example/w500/kqjL17yufvn9OVLyXYpvtyrFfak.webp"},
            "media.url",
            "https://cdn.example/w500/kqjL17yufvn9OVLyXYpvtyrFfak.webp",
            "body.a",
            "picture",
        ),
    ],
)
def test_what_is_in_the_library_is_found_with_how_it_was_recognised(
    own: OwnValues, body: Any, item: str, value: str, at: str, evidence: str
) -> None:
    assert (item, value, at, evidence) in seen(own, sent(body))
    assert evidence in EVIDENCE


@pytest.mark.parametrize(
    "body",
    [
        {"message": "the connection was closed", "error": "The Connection was refused"},
        {"message": "Interference", "title": "Interference", "n": 1},
        {"title": "Up"},
        {"state": "Up", "year": 2009},
        {"item": {"title": "Up"}, "other": {"year": 2009}},
        {"item": {"title": "Up", "year": 2010}},
        {"item": {"title": "Up", "duration": 5765}},
        {"item": {"title": "Up", "guid": "imdb://tt1049414"}},
        {"title": "Zorblax Uprising"},
        {"title": "The Zorblax Uprisings"},
        {"a": "tt7654322", "b": "tmdb://17", "c": "8e245d9679d31e13", "d": "file.mkv", "e": "7654321"},
    ],
)
def test_common_words_and_near_misses_are_no_titles(own: OwnValues, body: Any) -> None:
    assert seen(own, sent(body)) == []


@pytest.mark.parametrize(
    "beside",
    [
        {"year": 2009},
        {"releaseDate": "2009-05-29"},
        {"duration": 5760},
        {"duration": 5_760_000},
        {"runtime": 96},
        {"RunTimeTicks": 57_600_000_000},
        {"Guid": [{"id": "imdb://tt1049413"}]},
    ],
)
def test_a_common_title_is_found_with_a_second_sign_beside_it(own: OwnValues, beside: dict[str, Any]) -> None:
    found = seen(own, sent({"item": {"title": "Up", **beside}}))
    assert ("media.title", "Up", "body.item.title", "two-signs") in found
    assert ("media.title", "Up", "body.title", "two-signs") in seen(own, sent({"title": "Up (2009)"}))


def test_a_slug_in_a_path_is_found_and_its_words_within_others_are_not(own: OwnValues) -> None:
    assert seen(own, sent({}, "/movie/the-zorblax-uprising")) == [("media.title", TITLE, "path", "slug")]
    assert seen(own, sent({}, "/movie/the-zorblax-uprising-review")) == []


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


COVERED: dict[str, Callable[[str], Any]] = {
    "as it is": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: b64(text.encode()),
    "base64 in a URL": lambda text: "https://x.example/?q=" + quote(b64(text.encode())),
    "JSON in base64": lambda text: b64(json.dumps({"title": text, "n": 1}).encode()),
    "JSON in text": lambda text: json.dumps({"title": text, "n": 1}),
    "gzip in base64": lambda text: b64(gzip.compress(json.dumps({"title": text}).encode())),
    "hex": lambda text: text.encode().hex(),
    "HTML": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "MD5": lambda text: hashlib.md5(text.encode()).hexdigest(),
    "SHA-1": lambda text: hashlib.sha1(text.encode()).hexdigest(),
    "SHA-256 of lower case": lambda text: hashlib.sha256(text.lower().encode()).hexdigest(),
}
NOT_COVERED: dict[str, Callable[[str], Any]] = {
    "ROT13": lambda text: "".join(
        chr((ord(c) - 97 + 13) % 26 + 97) if c.islower() else c for c in text.lower().replace(" ", "")
    ),
    "reversed": lambda text: text[::-1],
    "SHA-512": lambda text: hashlib.sha512(text.encode()).hexdigest(),
    "MD5 of MD5": lambda text: hashlib.md5(hashlib.md5(text.encode()).hexdigest().encode()).hexdigest(),
    "no separators within a word": lambda text: "x" + text.replace(" ", "").lower() + "x",
}


@pytest.mark.parametrize("own", [1_000], indirect=True, ids=["large"], scope="module")
@pytest.mark.parametrize("way", COVERED)
def test_of_a_large_library_these_encodings_are_covered(own: OwnValues, way: str) -> None:
    found = seen(own, sent({"v": COVERED[way](TITLE)}))
    assert [value for _, value, _, _ in found] == [TITLE]


@pytest.mark.parametrize("own", [1_000], indirect=True, ids=["large"], scope="module")
@pytest.mark.parametrize("way", NOT_COVERED)
def test_of_a_large_library_these_encodings_are_not_covered(own: OwnValues, way: str) -> None:
    assert seen(own, sent({"v": NOT_COVERED[way](TITLE)})) == []


def test_random_requests_hold_no_title_of_a_large_library(own: OwnValues) -> None:
    rnd = random.Random(7)
    for _ in range(300):
        body = {"id": rnd.randbytes(12).hex(), "token": b64(rnd.randbytes(24)), "n": rnd.randrange(10**7), "t": "Up"}
        assert seen(own, sent(body)) == []
