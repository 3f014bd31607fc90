"""Items that the shape of a value shows: a hit and a near miss of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence import Evidence, Servers
from analysis.shapes import label, shapes

HASH = "ab" * 16
EVIDENCE = Evidence(own=Servers(hosts=frozenset({"198.51.100.8"})), public_addresses=frozenset({"198.51.100.7"}))
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2ln"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ann@example.org", [("account.email", "ann@example.org")]),
        ("To: ann.b+c@mail.example.org, x", [("account.email", "ann.b+c@mail.example.org")]),
        ("a@example.org b@example.com", [("account.email", "a@example.org"), ("account.email", "b@example.com")]),
        ("2a:11:ce:00:00:02", [("net.mac", "2a:11:ce:00:00:02")]),
        ("2A-11-CE-00-00-02", [("net.mac", "2A-11-CE-00-00-02")]),
        ("id=2a11.ce00.0002;", [("net.mac", "2a11.ce00.0002")]),
        ("2a11.ce00.0002", [("net.mac", "2a11.ce00.0002")]),
        ("<ann@example.org> mailto:ann@example.org", [("account.email", "ann@example.org")]),
        ("http://x.example/?to=ann@example.org", [("account.email", "ann@example.org")]),
        ("0x2a11ce00002", [("net.mac", "0x2a11ce00002")]),
        ("198.51.100.7", [("net.public_ip", "198.51.100.7")]),
        ("198.51.100.8", [("net.public_ip", "198.51.100.8")]),
        ("203.0.113.9", [("net.other_ip", "203.0.113.9")]),
        ("http://192.168.1.5:32400/x", [("net.lan_ip", "192.168.1.5")]),
        ("192.168.1.5, 203.0.113.9", [("net.lan_ip", "192.168.1.5"), ("net.other_ip", "203.0.113.9")]),
        ("fd00::5", [("net.lan_ip", "fd00::5")]),
        ("2001:db8::7", [("net.other_ip", "2001:db8::7")]),
        ("http://[2001:db8:0:0:0:0:0:7]:32400/", [("net.other_ip", "2001:db8:0:0:0:0:0:7")]),
        (
            f"https://192-168-1-5.{HASH}.plex.direct:32400",
            [("server.cert_hash", HASH), ("net.lan_ip", "192-168-1-5")],
        ),
        (
            f"https://198-51-100-7.{HASH}.plex.direct:32400",
            [("server.cert_hash", HASH), ("net.public_ip", "198-51-100-7")],
        ),
        (JWT, [("auth.token", JWT)]),
    ],
)
def test_a_shape_shows_an_item(value: str, expected: list[tuple[str, str]]) -> None:
    assert list(shapes(value, EVIDENCE)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "@",
        "ann@localhost",
        "logo@2x.png",
        "icon@retina.svg",
        "https://0123456789abcdef@o1.ingest.sentry.io/42",
        "ftp://ann:secret@files.example.org/",
        "00:00:00:00:00:00",
        "FF-FF-FF-FF-FF-FF",
        "02:00:00:00:00:00",
        "1234.5678.9012",
        '"Not_A Brand";v="8.0.0.0"',
        "0.1.2.3",
        "npm/@scope/pkg@1.2.3",
        "2a:11:ce:00:00",
        "2a:11:ce:00:00:02:07",
        "2a-11-ce-00-00-02-07",
        "0x2a11ce",
        "0x2a11ce0000200",
        "1.41.3.9314",
        "1.41.3.9314-a0bfb8370",
        "Chrome/131.0.0.0",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
        "6.1.0.17.3",
        "256.1.1.1",
        "1.2.3",
        "12:30:45",
        "2024-06-28T12:30:45+02:00",
        "00:12:30:45",
        "a::b c",
        "std::vector",
        "127.0.0.1",
        "::1",
        "::",
        "0.0.0.0",  # noqa: S104 - a value, not a listener
        "239.255.255.250",
        "d9428888-122b-11e1-b85c-61cd3cbb3210",
        "D9428888-122B-11E1-B85C-61CD3CBB3210",
        f"192-168-1-5.{HASH[:-1]}.plex.direct",
        f"{HASH}.plex.direct",
        "eyJhbGciOiJub25lIn0.c2ln",
        "5460",
        "eyJ",
    ],
)
def test_what_only_looks_alike_shows_nothing(value: str) -> None:
    assert list(shapes(value, EVIDENCE)) == []


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ("client.model", "6.1.0-17-amd64", "client.os"),
        ("client.model", "SM-G991B", "client.model"),
        ("client.model", "6.1.0", "client.model"),
        ("server.hardware", "5.10.55+ #42962", "server.hardware"),
        ("server.hardware", "5.10.55+", "server.hardware"),
        ("server.hardware", "5.10.55-synology", "server.os"),
        ("net.other_ip", "198.51.100.7", "net.public_ip"),
        ("net.public_ip", "192.168.1.5", "net.lan_ip"),
        ("net.public_ip", "203.0.113.9", "net.public_ip"),
        ("net.lan_ip", "203.0.113.9", "net.other_ip"),
        ("net.lan_ip", "nas.local", "net.lan_ip"),
        ("account.username", "ann@example.org", "account.email"),
        ("account.username", "ann", "account.username"),
        ("account.username", "ann@home", "account.username"),
        ("client.device_name", "ann@example.org", "client.device_name"),
        ("client.device_name", "192.168.1.5", "client.device_name"),
    ],
)
def test_a_value_is_called_what_it_is(item: str, value: str, expected: str) -> None:
    assert label(item, value, EVIDENCE) == expected


@given(st.text() | st.text(alphabet="0123456789abcdef.:-x@ "))
def test_no_text_is_too_odd(value: str) -> None:
    assert all(part in value for _, part in shapes(value, EVIDENCE))


@pytest.mark.usefixtures("no_hang")
def test_a_value_full_of_addresses_costs_little_time() -> None:
    assert list(shapes("10.1.2.3 " * 100_000, EVIDENCE)) == [("net.lan_ip", "10.1.2.3")]
    many = " ".join(f"10.{n // 65536 + 1}.{n // 256 % 256}.{n % 256} a{n}@example.org" for n in range(30_000))
    assert len(list(shapes(many, EVIDENCE))) == 2_000
    for text in ("a@", "ab.", "a@" + "a.", "1.", "::", "a:b:", "a-b-", "http://a@"):
        list(shapes(text * (1_000_000 // len(text)), EVIDENCE))
