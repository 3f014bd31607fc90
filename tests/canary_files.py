"""Calls full of canaries -> HAR files, flow files and packets, as far as a place exists there."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mitmproxy import connection, dns, flow, http, websocket
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow
from wsproto.frame_protocol import Opcode

import packets
from canaries import ENCODINGS, KINDS, START, VARIANTS, Call, Canary, Place
from canary_positions import FURTHER

PLACES: dict[str, Place] = {name: place for variant in (*VARIANTS, *FURTHER) for name, place in variant.items()}
"""Every position by its name."""

_ALWAYS = [("X-Plex-Product", "Plex Web"), ("X-Plex-Version", "4.116.1"), ("X-Plex-Platform", "Chrome")]


def planted(seed: int, pairs: Sequence[tuple[str, str]], *, one_in: int = 1) -> Iterator[tuple[Call, list[Canary]]]:
    """Pairs of kind and encoding -> calls in which a canary of each stands in each position.

    With `one_in`, each pair stands in so much fewer calls, of others than the next pair.
    """
    chance = random.Random(seed)
    for n, (kind, encoding) in enumerate(pairs):
        for variant in (*VARIANTS, *FURTHER)[n % one_in :: one_in]:
            call, canaries = Call(headers=list(_ALWAYS)), []
            for position, place in variant.items():
                value = KINDS[kind](chance)
                text = ENCODINGS[encoding](value)
                written = place.put(call, text) or text
                canaries.append(Canary(kind, position, encoding, value, written))
            yield call, canaries


def _url(call: Call) -> str:
    user, fragment = call.user and f"{call.user}@", call.fragment and f"#{call.fragment}"
    query = f"?{call.query.lstrip('&')}" if call.query else ""
    return f"https://{user}{call.host}{call.path}{query}{fragment}"


def _named(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def har(calls: Sequence[Call]) -> bytes:
    """Calls -> HAR file."""
    entries = []
    for n, call in enumerate(calls):
        entry: dict[str, Any] = {
            "startedDateTime": f"2025-10-09T{10 + n // 3600 % 12:02}:{n // 60 % 60:02}:{n % 60:02}Z",
            "time": 12,
            "comment": call.comment,
            "pageref": call.page or "page",
            "_initiator": {"type": "script", "url": call.started_by},
            "connection": call.started_by,
            "serverIPAddress": call.server,
            "request": {
                "method": call.method,
                "url": _url(call),
                "headers": _named(call.headers),
                "cookies": [{"name": "sid", "value": call.listed_cookie}] if call.listed_cookie else [],
                "comment": call.comment,
            },
            "response": {
                "status": call.status,
                "statusText": call.reason,
                "headers": _named(call.answer_headers),
                "content": {"encoding": "base64", "text": base64.b64encode(call.answer).decode()},
            },
        }
        if call.body:
            kind = next((value for name, value in call.headers if name == "Content-Type"), "application/json")
            content = gzip.decompress(call.body) if call.body[:2] == b"\x1f\x8b" else call.body
            entry["request"]["postData"] = {"mimeType": kind, "text": content.decode("utf-8", "replace")}
        if call.messages or call.answers:
            entry["_webSocketMessages"] = [
                {"type": kind, "time": START + n, "opcode": 1, "data": message}
                for kind, messages in (("send", call.messages), ("receive", call.answers))
                for message in messages
            ]
        entries.append(entry)
    creator = {"name": "x " + " ".join(call.creator for call in calls), "version": "1"}
    pages = [{"id": call.page, "title": call.page} for call in calls if call.page]
    log = {"version": "1.2", "creator": creator, "browser": creator, "pages": pages, "entries": entries}
    return json.dumps({"log": log}).encode()


def _bytes(pairs: Sequence[tuple[str, str]]) -> http.Headers:
    return http.Headers([(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in pairs])


def flows(calls: Sequence[Call]) -> bytes:
    """Calls -> flow file, written by mitmproxy."""
    file = io.BytesIO()
    writer = FlowWriter(file)
    for n, call in enumerate(calls):
        request = http.Request.make(call.method, f"https://{call.host}/", call.body)
        request.path = call.path + (f"?{call.query.lstrip('&')}" if call.query else "")
        request.headers = _bytes([("Host", call.host), *call.headers])
        request.timestamp_start, request.timestamp_end = START + n, START + n + 0.1
        response = http.Response.make(call.status, call.answer)
        response.reason = call.reason
        response.headers = _bytes(call.answer_headers)
        response.timestamp_start = response.timestamp_end = START + n + 0.2
        made = tflow.tflow(req=request, resp=response)
        made.comment, made.marked = call.comment, call.mark
        if call.note:
            made.metadata["note"] = call.note
        if call.error:
            made.error = flow.Error(call.error, START + n)
        made.client_conn = connection.Client(
            peername=("192.168.7.23", 50_000 + n % 10_000), sockname=("127.0.0.1", 8080)
        )
        made.client_conn.sni = call.host
        made.server_conn = connection.Server(address=(call.host, 443))
        made.server_conn.peername = ("198.51.100.7", 443)
        if call.messages or call.answers:
            said = [websocket.WebSocketMessage(Opcode.TEXT, True, m.encode()) for m in call.messages]
            said += [websocket.WebSocketMessage(Opcode.TEXT, False, m.encode()) for m in call.answers]
            made.websocket = websocket.WebSocketData(messages=said)
        writer.add(made)
        if call.refused:
            refused = tflow.ttcpflow(messages=[], err=True)
            refused.server_conn = connection.Server(address=(call.refused, 443))
            refused.client_conn.sni = call.refused
            writer.add(refused)
        for name, _, _ in call.names:
            asked = tflow.tdnsflow(req=dns.DNSMessage(
                id=7, query=True, op_code=0, authoritative_answer=False, truncation=False, recursion_desired=True,
                recursion_available=False, reserved=0, response_code=0, questions=[dns.Question(name, 1, 1)],
                answers=[], authorities=[], additionals=[], timestamp=START + n,
            ))  # fmt: skip
            writer.add(asked)
    return file.getvalue()


def _http(call: Call) -> tuple[bytes, bytes]:
    target = call.path + (f"?{call.query.lstrip('&')}" if call.query else "")
    headers = [("Host", call.host), *call.headers, ("Content-Length", str(len(call.body)))]
    answered = [*call.answer_headers, ("Content-Length", str(len(call.answer)))]
    answer = call.answer
    if call.chunked:
        answered[-1] = ("Transfer-Encoding", "chunked")
        answer = call.chunked.replace("\r\n{}\r\n", "\r\nhi\r\n").encode()
    sent = f"{call.method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    got = (
        f"HTTP/1.1 {call.status} {call.reason}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in answered)
        + "\r\n"
    )
    return sent.encode("utf-8", "surrogateescape") + call.body, got.encode("utf-8", "surrogateescape") + answer


def pcap(calls: Sequence[Call]) -> bytes:
    """Calls -> packets: clear HTTP, handshakes, questions of DNS, what is shouted at home."""
    out: list[bytes] = []
    for n, call in enumerate(calls):
        port = 20_000 + n % 40_000
        for number, (name, kind, data) in enumerate(call.names):
            out.append(packets.udp((packets.TV, port), (packets.ROUTER, 53), packets.dns(number, name, kind)))
            answer = packets.dns(number, name, kind, [(kind, data)])
            out.append(packets.udp((packets.ROUTER, 53), (packets.TV, port), answer))
        for target, payload in call.datagrams:
            out.append(packets.udp((packets.TV, port), ("239.255.255.250", target), payload))
        sent, got = _http(call)
        pieces = [[data[i : i + 1400] for i in range(0, len(data), 1400)] for data in (sent, got)]
        out += packets.connection((packets.TV, port), (packets.VENDOR, 80), *pieces)
        if call.tls or call.tls_answer:
            greeting = call.tls or [packets.record(packets.hello("shown.example"))]
            out += packets.connection((packets.TV, port), ("198.51.100.10", 443), greeting, call.tls_answer)
        if call.refused:
            out += packets.connection(
                (packets.TV, port), ("198.51.100.9", 443), [packets.record(packets.hello(call.refused))]
            )
    return packets.pcap([packets.ethernet(packet) for packet in out])


FORMATS: dict[str, Callable[[Sequence[Call]], bytes]] = {"har": har, "flow": flows, "pcap": pcap}


def capture(form: str, seed: int, pairs: Sequence[tuple[str, str]], *, one_in: int = 1) -> tuple[bytes, list[Canary]]:
    """Format, seed, pairs of kind and encoding -> a file, and the canaries that stand in it."""
    made = list(planted(seed, pairs, one_in=one_in))
    inside = [c for _, canaries in made for c in canaries if form in PLACES[c.position].formats]
    return FORMATS[form]([call for call, _ in made]), inside


def all_pairs() -> list[tuple[str, str]]:
    """Every kind with every encoding."""
    return [(kind, encoding) for kind in KINDS for encoding in ENCODINGS]


def some_pairs(seed: int) -> list[tuple[str, str]]:
    """Every kind and every encoding at least once."""
    chance = random.Random(seed)
    kinds, encodings = list(KINDS), list(ENCODINGS)
    chance.shuffle(kinds)
    chance.shuffle(encodings)
    n = max(len(kinds), len(encodings))
    return [(kinds[i % len(kinds)], encodings[i % len(encodings)]) for i in range(n)]
