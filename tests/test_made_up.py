"""Invented values have the shape of what was captured and nothing else of it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.made_up import made_up, made_up_body


@pytest.mark.parametrize(
    ("value", "invented"),
    [
        ("", ""),
        ("true", "true"),
        ("Living Room", "Madeup Made"),
        ("alice@home.example.net", "somebody@example.org"),
        ("192.168.7.23", "192.168.1.5"),
        ("198.51.100.77", "203.0.113.7"),
        ("fd12::34", "fd00::5"),
        ("2001:db8:1::9", "2001:db8::7"),
        ("AA:BB:CC:DD:EE:01", "02:00:5E:10:00:01"),
        ("aa-bb-cc-dd-ee-01", "02-00-5e-10-00-01"),
        ("9f8e7d6c-5b4a-4c3d-8e7f-001122334455", "aa1bbc2d-ca3b-da4b-ea5b-f60789a1b2c3"),
        ("0xa11ce00002", "0x2005e10000"),
        ("1699999999", "1700000000"),
        ("1699999999123", "1700000000000"),
        ("2023-11-14T22:13:20.5+01:00", "2026-01-02T03:04:05.0+00:00"),
        ("2023-11-14", "2026-01-02"),
        ("4.116.1", "1.2.3"),
        ("de-AT", "fr-FR"),
        ("https://shop.example/basket/77?user=alice", "https://host.example/madeup/12?user=madeu"),
        ('{"name": "Alice", "n": 634}', '{"name":"Madeu","n":123}'),
        ("S\u00f8ren\u2764", "Madeu-"),
    ],
)
def test_a_value_becomes_one_of_its_shape(value: str, invented: str) -> None:
    assert made_up(value) == invented


WORDS = st.text('abcdefghijklmnopqrstuvwxyzABCDEF0123456789 -_.:@/{}[]"', max_size=40)


@given(WORDS)
def test_the_same_value_is_always_invented_in_the_same_way_and_never_kept(value: str) -> None:
    invented = made_up(value)
    assert invented == made_up(value)
    if re.search(r"[b-z]{6}", value) and set(value) - set("madeup"):
        assert value not in invented


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
        lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=5), child, max_size=3),
    )
)
def test_a_body_of_json_stays_json(document: object) -> None:
    sent = json.dumps(document)
    if sent[0] in "{[":
        json.loads(made_up_body(sent.encode()))


@pytest.mark.parametrize(
    ("sent", "invented"),
    [
        (b'{"user": "alice", "n": [1, 2, 3], "on": true}', '{"user": "madeu", "n": [1, 1], "on": true}'),
        (b'{"alice@example.net": {"1337": "x"}}', '{"somebody@example.org": {"1234": "m"}}'),
        (b'{"a": 1}\n{"b": "two"}\n{"c": 3}', '{"a": 1}\n{"b": "mad"}'),
        (b"user=alice&mail=a%40b.example", "user=madeu&mail=somebody%40example.org"),
        (b"<user>alice</user>", ""),
        (b"\x00\xff\x01", ""),
        (b'{"cut": ', ""),
        (b"", ""),
    ],
)
def test_a_body_becomes_one_of_its_shape_or_is_left_out(sent: bytes, invented: str) -> None:
    assert made_up_body(sent) == invented
