"""Secrets become keyed pseudonyms at the places of `secrets.toml`, and wherever else they stand in the same call."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.example import exchange_of
from analysis.pack import ExampleCall
from captures.model import Body, Exchange, Source, Unreadable
from captures.pseudonym import conceal, key, pseudonym_of

KEY = b"k" * 32
SECRET = "madeUpSecret/+42"
HIDDEN = pseudonym_of(SECRET, KEY)


def concealed(request: str, response: str = "") -> Exchange:
    seen = conceal(exchange_of(ExampleCall(request, response), "test"), KEY)
    assert isinstance(seen, Exchange)
    return seen


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"x-plex-token: {SECRET}", HIDDEN),
        (f"authorization: Bearer {SECRET}", f"Bearer {HIDDEN}"),
        (f"authorization: Basic {SECRET}", f"Basic {HIDDEN}"),
        (f'authorization: MediaBrowser Client="a", Token="{SECRET}"', f'MediaBrowser Client="a", Token="{HIDDEN}"'),
        ('authorization: MediaBrowser Client="a"', 'MediaBrowser Client="a"'),
        (f"cookie: a={SECRET}; b=x", f"a={HIDDEN}; b={pseudonym_of('x', KEY)}"),
        ("x-plex-product: Plex Web", "Plex Web"),
    ],
)
def test_a_secret_in_a_header(header: str, expected: str) -> None:
    seen = concealed(f"GET https://plex.tv/\n{header}")
    assert seen.headers[0][1] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{"authToken": "{SECRET}", "id": 1}}', f'{{"authToken": "{HIDDEN}", "id": 1}}'),
        ('{"tokens": "not one"}', '{"tokens": "not one"}'),
        ("login=me&password=short", f"login=me&password={pseudonym_of('short', KEY)}"),
        ("mypassword=short", "mypassword=short"),
        (f'<user authToken="{SECRET}" id="1"/>', f'<user authToken="{HIDDEN}" id="1"/>'),
        (f"<a><token>{SECRET}</token></a>", f"<a><token>{HIDDEN}</token></a>"),
        (
            f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--x--',
            f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{HIDDEN}\r\n--x--',
        ),
    ],
)
def test_a_secret_in_a_body(body: str, expected: str) -> None:
    call = replace(exchange_of(ExampleCall("POST https://plex.tv/"), "test"), body=Body(body.encode(), len(body)))
    seen = conceal(call, KEY)
    assert isinstance(seen, Exchange)
    assert seen.body.content == expected.encode()


def test_a_secret_in_an_answer() -> None:
    seen = concealed("GET https://plex.tv/", f"200\nset-cookie: s={SECRET}; Path=/\n\n<user authToken='{SECRET}'/>")
    assert seen.response_headers == (("set-cookie", f"s={HIDDEN}; Path=/"),)
    assert seen.response_body.content == f"<user authToken='{HIDDEN}'/>".encode()


def test_the_same_secret_is_hidden_wherever_it_stands_in_the_call_again() -> None:
    encoded = "madeUpSecret%2F%2B42"
    seen = concealed(
        f"POST https://plex.tv/sub/{encoded}?x={encoded}&X-Plex-Token={encoded}\nreferer: https://a/?t={encoded}\n\n"
        f"said {SECRET}"
    )
    assert seen.path == f"/sub/{HIDDEN}"
    assert seen.query == (("x", HIDDEN), ("X-Plex-Token", HIDDEN))
    assert seen.header("referer") == f"https://a/?t={HIDDEN}"
    assert seen.body.content == f"said {HIDDEN}".encode()


def test_a_short_secret_is_hidden_at_its_own_place_alone() -> None:
    seen = concealed("GET https://plex.tv/on?password=on&state=on")
    assert (seen.path, seen.query) == ("/on", (("password", pseudonym_of("on", KEY)), ("state", "on")))


def test_a_secret_that_no_name_announces_stays() -> None:
    assert concealed(f"GET https://plex.tv/{SECRET}").path == f"/{SECRET}"


def test_a_secret_may_hold_half_of_a_character() -> None:
    call = concealed("GET https://plex.tv/")
    seen = conceal(replace(call, headers=(("x-plex-token", f"{SECRET}\ud800"),), path=f"/{SECRET}\ud800"), KEY)
    assert isinstance(seen, Exchange)
    assert seen.path == f"/{pseudonym_of(SECRET + chr(0xD800), KEY)}"


def test_it_can_be_done_twice_and_depends_on_the_key() -> None:
    once = concealed(f"GET https://plex.tv/\nx-plex-token: {SECRET}")
    assert conceal(once, KEY) == once
    assert pseudonym_of(SECRET, b"other" * 6) != HIDDEN
    assert HIDDEN.startswith("ps:")
    assert len(HIDDEN) == 25


def test_what_is_no_call_has_no_secrets() -> None:
    broken = Unreadable(Source(0, 0), None, "flow 0", "is damaged")
    assert conceal(broken, KEY) is broken


def test_the_key_is_made_once_and_is_for_the_user_alone(home: Path) -> None:
    first = key()
    assert (len(first), key()) == (32, first)
    assert stat.S_IMODE((home / "pseudonym.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\"\\<>&'%\n\r\t"), min_size=8)


def stored(secret: str, other: bytes) -> bytes:
    call = exchange_of(ExampleCall("POST https://plex.tv/"), "test")
    body = b'{"note": "' + secret.encode() + b'", "password": "' + secret.encode() + b'"}'
    call = replace(
        call,
        query=(("token", secret), ("x", secret)),
        headers=(("x-plex-token", secret),),
        body=Body(body, len(body)),
        response_body=Body(other, len(other)),
    )
    return msgspec.msgpack.encode(conceal(call, KEY))


@given(secret=SECRETS, other=st.binary(max_size=200))
def test_no_secret_at_a_named_place_is_in_what_is_stored(secret: str, other: bytes) -> None:
    # A "secret" such as HTTP/1.1 stands in every row for another reason.
    if secret.encode() not in stored("madeUpMadeUp", other):
        assert secret.encode() not in stored(secret, other)
