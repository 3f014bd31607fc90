"""What is remembered from call to call changes nothing: each result is the same as without a memory."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from analysis import decode as decoding
from analysis import extract as extraction
from analysis import knowledge
from analysis.classify import classify
from analysis.decode import decode, walk
from analysis.decode.body import _met as bodies
from analysis.decode.peel import peel_bytes, peel_value
from analysis.decode.walk import BUDGET, Walk
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.gather import gather
from analysis.knowledge import Knowledge
from analysis.model import Classified, Party
from analysis.pack import ExampleCall
from analysis.rules import rule_of
from captures.formats import flows, read
from captures.formats.tnetstring import parse, whole
from captures.model import Body, Exchange

DATA = Path(__file__).parent / "data"
CAPTURES = ["plexapi", "tautulli", "web-session", "telemetry-node"]


@pytest.mark.parametrize("name", CAPTURES)
def test_findings_are_the_same_with_and_without_a_memory(name: str) -> None:
    known = knowledge.load()
    observations = list(read(DATA / f"{name}.flow.gz").observations())
    evidence = gather(observations, known)
    calls = [classify(seen, known, evidence, n) for n, seen in enumerate(observations)]
    remembered = [extract(call, known, evidence) for call in calls]
    again = [extract(call, known, evidence) for call in calls]
    alone = []
    for call in calls:
        extraction._met.cache_clear()
        decoding._met.clear()
        bodies.clear()
        walk._plain.clear()
        alone.append(extract(call, known, evidence))
    assert remembered == again == alone
    assert any(remembered)


POST = "POST https://collect.example/x\ncontent-type: application/json\n"
AROUND = {
    "header": (
        POST + "x-plex-platform: Chrome\nx-plex-platform-version: 120.0",
        POST + "x-plex-platform: Roku\nx-plex-platform-version: 120.0",
    ),
    "field": (POST + '\n{"title": "Nosferatu", "year": 2031}', POST + '\n{"title": "Nosferatu", "id": 7}'),
    "key": (POST + '\n{"tags": [["host.name", "ann-nas"]]}', POST + '\n{"tags": [["colour", "ann-nas"]]}'),
    "host": (
        "GET https://collect.example/x\nreferer: https://shop.example/film",
        "GET https://shop.example/x\nreferer: https://shop.example/film",
    ),
}
"""What stands beside a value -> two calls in which the same value at the same place is not the same thing."""


@pytest.mark.parametrize("beside", AROUND)
def test_what_depends_on_the_rest_of_a_call_is_not_taken_from_another(beside: str) -> None:
    known, nothing = knowledge.load(), Evidence()
    calls = [classify(exchange_of(ExampleCall(text, ""), "test"), known, nothing) for text in AROUND[beside]]
    alone = []
    for call in calls:
        extraction._met.cache_clear()
        alone.append(items(call, known, nothing))
    assert alone[0] != alone[1]
    for order in ((0, 1), (1, 0)):
        extraction._met.cache_clear()
        assert [items(calls[n], known, nothing) for n in order] == [alone[n] for n in order]


def items(call: Classified, known: Knowledge, evidence: Evidence) -> set[tuple[str, str]]:
    findings = extract(replace(call, rule="", role="", party=Party.VENDOR), known, evidence)
    return {(finding.item, finding.at) for finding in findings}


@pytest.mark.parametrize("name", CAPTURES)
def test_leaves_and_rules_are_the_same_with_and_without_a_memory(name: str) -> None:
    known = knowledge.load()
    observations = [seen for seen in read(DATA / f"{name}.flow.gz").observations() if isinstance(seen, Exchange)]
    evidence = gather(observations, known)
    remembered = [decode(seen) for seen in observations]
    alone = []
    for seen in observations:
        decoding._met.clear()
        bodies.clear()
        walk._plain.clear()
        alone.append(decode(seen))
    assert remembered == alone
    calls = [classify(seen, known, evidence) for seen in observations]
    fitting = [call.rule for call in calls]
    assert [rule_of(seen, known, evidence) for seen in observations] == fitting


def test_a_body_is_remembered_with_its_place_and_type_and_only_if_it_is_small() -> None:
    bodies.clear()
    form, large = b"user=ann", b'{"a": "' + b"x" * 600 + b'"}'
    call = exchange_of(ExampleCall("POST https://h.example/p"), "test")
    of = [
        replace(call, headers=(("content-type", kind),), body=Body(content, len(content)))
        for content, kind in ((form, "text/plain"), (form, "application/grpc"), (large, ""), (b"", ""))
    ]
    of.append(replace(call, response_body=Body(form, len(form))))
    alone = []
    for one in of:
        bodies.clear()
        alone.append(decode(one))
    bodies.clear()
    assert [decode(one) for one in (*of, *of)] == [*alone, *alone]
    assert sorted(bodies) == [
        ("body", form, "application/grpc"), ("body", form, "text/plain"), ("response.body", form, ""),
    ]  # fmt: skip


def test_a_value_for_which_there_was_no_room_is_looked_at_in_the_next_call() -> None:
    value = base64.b64encode(zlib.compress(b"ann@example.org " * 3)[2:-4]).decode()
    walk._plain.clear()
    short, enough = (Walk(BUDGET, peel_value, peel_bytes) for _ in range(2))
    short.room = 10
    for one in (short, enough):
        one.text("body.a", value)
    assert [len(one) for one in (short, enough)] == [1, 2]


def raw_flows(name: str) -> Iterator[bytes]:
    data = gzip.decompress((DATA / f"{name}.flow.gz").read_bytes())
    at = 0
    while at < len(data):
        end = flows._end(data, at)
        assert end
        yield data[at:end]
        at = end


@pytest.mark.parametrize("name", CAPTURES)
def test_what_is_picked_from_a_flow_is_what_a_full_parse_gives(name: str) -> None:
    for raw in raw_flows(name):
        picked, full = whole(raw, flows._WANTED), parse(raw)
        assert picked.keys() <= full.keys()
        assert {key: _like(part, full[key]) for key, part in picked.items()} == picked
        for table in ("request", "client_conn", "server_conn"):
            assert picked[table].keys() == full[table].keys() & picked[table].keys()
            assert len(picked[table]) >= 3


def _like(picked: Any, full: Any) -> Any:
    """The part of a full value that was picked; pairs are lists in the one and tuples in the other."""
    if isinstance(picked, dict):
        return {key: _like(part, full[key]) for key, part in picked.items()}
    if isinstance(picked, list) and picked and isinstance(picked[0], tuple):
        return [tuple(pair) for pair in full]
    return full
