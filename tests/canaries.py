"""Makes captures full of canaries: every kind of private value, in every place of a call, written in every way.

A canary is a made-up value that stands nowhere else.  One call carries a canary in each of several places; the same
calls are written as a HAR file, a flow file and packets, as far as a place exists there.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import re
import string
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from mitmproxy import connection, dns, http, websocket
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow
from wsproto.frame_protocol import Opcode

import packets
import scanner

START = 1_760_000_000


class Canary(NamedTuple):
    """One planted value."""

    kind: str
    position: str
    encoding: str
    value: str
    """The private value."""
    written: str
    """As it stands in the call; differs from the value in places that take few characters."""


@dataclass
class Call:
    """One call, before it is written in some format."""

    method: str = "POST"
    host: str = "analytics.plex.tv"
    path: str = "/collect/event"
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    status: int = 200
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    answer: bytes = b""
    messages: list[str] = field(default_factory=list)
    comment: str = ""
    server: str = "198.51.100.7"
    names: list[tuple[str, int, bytes]] = field(default_factory=list)
    """Questions of DNS: name, type, data of the answer."""
    datagrams: list[tuple[int, bytes]] = field(default_factory=list)
    """What was shouted at home: port, payload."""
    refused: str = ""
    """A name that was called without success."""


# Kinds ----------------------------------------------------------------------------------------------------------------


def _letters(chance: random.Random, n: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(chance.choices(alphabet, k=n))


def _hex(chance: random.Random, n: int) -> str:
    return _letters(chance, n, "0123456789abcdef")


def _word(chance: random.Random) -> str:
    """A name that nobody has."""
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiouäö") for _ in range(5)).title()


def _mac(chance: random.Random) -> str:
    return ":".join(_hex(chance, 2) for _ in range(6))


def _address(chance: random.Random) -> str:
    return f"{chance.randint(20, 90)}.{chance.randint(100, 255)}.{chance.randint(100, 255)}.{chance.randint(100, 254)}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "X-Plex-Token": lambda r: _letters(r, 20),
    "accessToken": lambda r: _letters(r, 24),
    "authToken": lambda r: "auth-" + _letters(r, 22),
    "MediaBrowser token": lambda r: _hex(r, 32),
    "api_key": lambda r: _letters(r, 32, string.ascii_lowercase + string.digits),
    "machineIdentifier": lambda r: _hex(r, 40),
    "client identifier": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "DeviceId": lambda r: base64.b64encode(r.randbytes(15)).decode(),
    "session id": lambda r: _letters(r, 25, string.ascii_lowercase + string.digits),
    "e-mail": lambda r: f"{_letters(r, 6, string.ascii_lowercase)}.{_hex(r, 4)}@{_letters(r, 9, 'bdfgaeiou')}.example",
    "user name": lambda r: _word(r) + _letters(r, 4, string.digits),
    "password": lambda r: _letters(r, 12, string.ascii_letters + string.digits + "!%&/+#"),
    "user uuid": lambda r: _hex(r, 16),
    "friendlyName": lambda r: f"{_word(r)}'s {_word(r)} box",
    "public IPv4": _address,
    "LAN IPv4": lambda r: f"192.168.{r.randint(100, 250)}.{r.randint(100, 250)}",
    "IPv6": lambda r: "2a02:" + ":".join("1" + _hex(r, 3) for _ in range(7)),
    "MAC with colons": _mac,
    "MAC with dashes": lambda r: _mac(r).replace(":", "-").upper(),
    "MAC with dots": lambda r: re.sub(r"(.{4})(?=.)", r"\1.", _hex(r, 12)),
    "MAC as digits": lambda r: _hex(r, 12),
    "plex.direct": lambda r: f"{_address(r).replace('.', '-')}.{_hex(r, 32)}.plex.direct",
    "DDNS name": lambda r: f"{_letters(r, 9, string.ascii_lowercase)}.duckdns.example",
    "LAN host": lambda r: f"{_letters(r, 8, string.ascii_lowercase)}.fritz.box",
    "POSIX path": lambda r: f"/mnt/{_word(r)}/Films/{_word(r)} {_word(r)} (1997).mkv",
    "Windows path": lambda r: f"D:\\{_word(r)}\\{_word(r)} {_word(r)}.mp4",
    "UNC path": lambda r: f"\\\\{_word(r)}\\{_word(r)}\\{_word(r)}.avi",
    "title": lambda r: f"The {_word(r)} of {_word(r)}",
    "GPS": lambda r: f"{r.uniform(40, 50):.6f},{r.uniform(5, 15):.6f}",
    "city": lambda r: f"{_word(r)}{_word(r).lower()}",
    "post code": lambda r: f"{_letters(r, 4, 'QXZJ')} {_letters(r, 4, string.digits)}",
    "device name": lambda r: f"{_word(r)} TV {_hex(r, 4)}",
    "serial": lambda r: "SN" + _letters(r, 14, string.ascii_uppercase + string.digits),
    "advertising id": lambda r: str(uuid.UUID(int=r.getrandbits(128))).upper(),
    "cookie": lambda r: "s%3A" + _letters(r, 32),
    "phone": lambda r: "+49 171 " + _letters(r, 8, string.digits),
    "SSID": lambda r: f"WLAN-{_word(r)}-{_hex(r, 4)}",
    "avatar address": lambda r: f"https://plex.tv/users/{_hex(r, 16)}/avatar?c={_letters(r, 10, string.digits)}",
    "claim token": lambda r: "claim-" + _letters(r, 20),
    "webhook address": lambda r: f"https://discord.com/api/webhooks/{_letters(r, 18, string.digits)}/{_letters(r, 40)}",
    "library name": lambda r: f"{_word(r)} documentaries",
    "certificate's serial": lambda r: _hex(r, 32),
    "certificate's fingerprint": lambda r: ":".join(_hex(r, 2).upper() for _ in range(20)),
    "time": lambda r: f"2026-10-{r.randint(10, 28)}T21:{r.randint(10, 59)}:17.{r.randint(10**5, 10**6)}Z",
}  # fmt: skip

# Encodings ------------------------------------------------------------------------------------------------------------

ENCODINGS = scanner.ENCODINGS
"""How a value is written; the scanner knows how to read each."""

# Positions ------------------------------------------------------------------------------------------------------------

_LABEL = re.compile(r"[^a-z0-9]+")


def label(text: str) -> str:
    """A text as part of a host name."""
    return _LABEL.sub("-", text.lower()).strip("-")[:60].strip("-") or "x"


def _token(text: str) -> str:
    """A text as the name of a header."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text)[:120]


def _header(text: str) -> str:
    return re.sub(r"[\r\n\0]+", " ", text)


type Put = Callable[[Call, str], str | None]
"""Writes a text into a call; gives the text as it stands there if that is another."""


def _query(name: str) -> Put:
    def put(call: Call, text: str) -> None:
        call.query += f"&{name}={quote(text, safe='')}"

    return put


def _raw_query(call: Call, text: str) -> str:
    shown = quote(text, safe="%+=:/,;.-_~")
    call.query += f"&raw={shown}"
    return shown


def _named_parameter(call: Call, text: str) -> None:
    call.query += f"&{quote(text, safe='')}=1"


def _path(call: Call, text: str) -> None:
    call.path = f"/api/v2/users/{quote(text, safe='')}"


def _request_header(name: str, before: str = "", after: str = "") -> Put:
    def put(call: Call, text: str) -> None:
        call.headers.append((name, before + _header(text) + after))

    return put


def _basic(call: Call, text: str) -> None:
    call.headers.append(("Authorization", "Basic " + base64.b64encode(f"alice:{text}".encode()).decode()))


def _named_header(call: Call, text: str) -> str:
    call.headers.append(("X-" + _token(text), "1"))
    return _token(text)


def _answer_header(name: str, before: str = "", after: str = "") -> Put:
    def put(call: Call, text: str) -> None:
        call.answer_headers.append((name, before + _header(text) + after))

    return put


def _json(call: Call) -> dict[str, Any]:
    return json.loads(call.body) if call.body else {}


def _in_json(*steps: str) -> Put:
    def put(call: Call, text: str) -> None:
        whole = _json(call)
        place = whole
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = text
        call.body = json.dumps(whole).encode()

    return put


def _json_list(call: Call, text: str) -> None:
    call.body = json.dumps({**_json(call), "list": [1, [text], {"x": text}]}).encode()


def _json_in_json(call: Call, text: str) -> None:
    call.body = json.dumps({**_json(call), "payload": json.dumps({"user": {"email": text}})}).encode()


def _json_in_base64(call: Call, text: str) -> None:
    packed = base64.b64encode(json.dumps({"name": text}).encode()).decode()
    call.body = json.dumps({**_json(call), "content": packed}).encode()


def _json_key(call: Call, text: str) -> None:
    call.body = json.dumps({**_json(call), text: "x"}).encode()


def _answer(kind: str, write: Callable[[str], str]) -> Put:
    def put(call: Call, text: str) -> None:
        call.answer_headers.append(("Content-Type", kind))
        call.answer = write(text).encode("utf-8", "surrogatepass")

    return put


def _body(kind: str, write: Callable[[str], str]) -> Put:
    def put(call: Call, text: str) -> None:
        call.headers.append(("Content-Type", kind))
        call.body = write(text).encode("utf-8", "surrogatepass")

    return put


def _xml(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _multipart(text: str) -> str:
    return f'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n{text}\r\n--b--\r\n'


def _file_name(text: str) -> str:
    name = re.sub(r'["\r\n\\]', "_", text)
    return f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\nx\r\n--b--\r\n'


def _compressed(call: Call, text: str) -> None:
    call.headers += [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    call.body = gzip.compress(json.dumps({"deviceName": text}).encode(), mtime=0)


def _png(call: Call, text: str) -> None:
    """A picture with a comment in it."""
    chunks = [(b"IHDR", bytes(13)), (b"tEXt", b"Comment\0" + text.encode()), (b"IEND", b"")]
    call.body = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _protobuf(call: Call, text: str) -> None:
    data = text.encode()
    sizes = b""
    n = len(data)
    while n > 127:
        sizes, n = sizes + bytes([n & 127 | 128]), n >> 7
    message = b"\x08\x2a\x12" + sizes + bytes([n]) + data
    call.headers.append(("Content-Type", "application/grpc"))
    call.body = b"\0" + struct.pack(">I", len(message)) + message


def _message(call: Call, text: str) -> None:
    call.messages.append(json.dumps({"event": "hello", "title": text}))


def _comment(call: Call, text: str) -> None:
    call.comment = text


def _server_address(call: Call, text: str) -> None:
    call.server = text


def _host(call: Call, text: str) -> str:
    call.host = f"{label(text)}.tracker.example"
    return label(text)


def _direct(call: Call, text: str) -> str:
    """In the name of somebody's server, which a shipped pattern knows."""
    call.host = f"192-168-1-5.{label(text)}.plex.direct"
    return label(text)


def _refused(call: Call, text: str) -> str:
    call.refused = f"{label(text)}.pinned.example"
    return label(text)


def _asked(call: Call, text: str) -> str:
    call.names.append((f"{label(text)}.plex.direct", 1, bytes([198, 51, 100, 7])))
    return label(text)


def _answered(call: Call, text: str) -> str:
    call.names.append(("metrics.plex.tv", 5, packets.name(f"{label(text)}.cdn.example")))
    return label(text)


def _reverse(call: Call, text: str) -> str:
    call.names.append(("7.113.0.203.in-addr.arpa", 12, packets.name(f"{label(text)}.isp.example")))
    return label(text)


def _gdm(call: Call, text: str) -> None:
    said = f"HELLO * HTTP/1.0\r\nContent-Type: plex/media-player\r\nName: {_header(text)}\r\nPort: 32400\r\n\r\n"
    call.datagrams.append((32413, said.encode()))


def _ssdp(call: Call, text: str) -> None:
    said = f"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nSERVER: {_header(text)}\r\n\r\n"
    call.datagrams.append((1900, said.encode()))


class Place(NamedTuple):
    """A position, and the formats that have it."""

    put: Put
    formats: str = "har flow pcap"


VARIANTS: tuple[dict[str, Place], ...] = (
    {
        "known parameter": Place(_query("X-Plex-Token")),
        "unknown parameter": Place(_query("zz")),
        "parameter as it is": Place(_raw_query),
        "name of a parameter": Place(_named_parameter),
        "Referer": Place(_request_header("Referer", "https://app.plex.tv/desktop/?t=")),
        "known header": Place(_request_header("X-Plex-Device-Name")),
        "unknown header": Place(_request_header("X-Zz")),
        "User-Agent": Place(_request_header("User-Agent", "Plex/1.2 (", ")")),
        "known field of JSON": Place(_in_json("context", "device", "model")),
        "unknown field of JSON": Place(_in_json("zz", "yy")),
        "list of JSON": Place(_json_list),
        "JSON within JSON": Place(_json_in_json),
        "JSON within base64": Place(_json_in_base64),
        "key of JSON": Place(_json_key),
        "Set-Cookie": Place(_answer_header("Set-Cookie", "sid=", "; Path=/")),
        "Location": Place(_answer_header("Location", "https://app.plex.tv/#?code=")),
        "JSON answer": Place(_answer("application/json", lambda t: json.dumps({"email": t, "friendlyName": t}))),
        "comment": Place(_comment, "har flow"),
    },
    {
        "path": Place(_path),
        "Cookie": Place(_request_header("Cookie", "sid=")),
        "MediaBrowser": Place(_request_header("X-Emby-Authorization", 'MediaBrowser Client="x", Token="', '"')),
        "Bearer": Place(_request_header("Authorization", "Bearer ")),
        "form": Place(_body("application/x-www-form-urlencoded", lambda t: "login=x&email=" + quote(t, safe=""))),
        "XML answer": Place(_answer("text/xml", lambda t: f'<MediaContainer friendlyName="{_xml(t)}"/>')),
        "name of a header": Place(_named_header),
        "question of DNS": Place(_asked, "pcap"),
    },
    {
        "host": Place(_host),
        "Basic": Place(_basic),
        "multipart": Place(_body("multipart/form-data; boundary=b", _multipart)),
        "text of XML": Place(_answer("text/xml", lambda t: f"<user><title>{_xml(t)}</title></user>")),
        "answer of DNS": Place(_answered, "pcap"),
        "GDM": Place(_gdm, "pcap"),
    },
    {
        "server's name": Place(_direct),
        "file's name": Place(_body("multipart/form-data; boundary=b", _file_name)),
        "page": Place(_answer("text/html", lambda t: f"<html><body><p>{_xml(t)}</p></body></html>")),
        "ETag": Place(_answer_header("ETag", '"', '"')),
        "reverse name": Place(_reverse, "pcap"),
        "SSDP": Place(_ssdp, "pcap"),
    },
    {
        "compressed body": Place(_compressed),
        "comment of a page": Place(_answer("text/html", lambda t: f"<html><!-- {t.replace('--', '')} --></html>")),
        "Origin": Place(_request_header("Origin", "https://")),
        "name in a refused handshake": Place(_refused, "flow pcap"),
    },
    {
        "picture": Place(_png),
        "playlist": Place(_answer("application/vnd.apple.mpegurl", lambda t: f"#EXTM3U\nhttp://h/s.ts?t={quote(t)}\n")),
        "message of a WebSocket": Place(_message, "har flow"),
        "server's address": Place(_server_address, "har"),
    },
    {
        "protobuf": Place(_protobuf),
        "events": Place(_answer("text/event-stream", lambda t: f"event: x\ndata: {json.dumps({'name': t})}\n\n")),
        "X-Forwarded-For": Place(_request_header("X-Forwarded-For")),
    },
    {
        "text": Place(_body("text/plain", lambda t: f"ERROR could not open {t}: no such file")),
        "line of a log": Place(_answer("text/plain", lambda t: f"2026-01-01 DEBUG user={t} said hello")),
        "content of a Client header": Place(_request_header("X-Plex-Client-Name")),
    },
)
"""Positions that fit into one call, call by call."""

POSITIONS = tuple(name for variant in VARIANTS for name in variant)

_ALWAYS = [("X-Plex-Product", "Plex Web"), ("X-Plex-Version", "4.116.1"), ("X-Plex-Platform", "Chrome")]


def planted(seed: int, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[Call, list[Canary]]]:
    """Pairs of kind and encoding -> calls in which a canary of each stands in each position."""
    chance = random.Random(seed)
    for kind, encoding in pairs:
        for variant in VARIANTS:
            call, canaries = Call(headers=list(_ALWAYS)), []
            for position, place in variant.items():
                value = KINDS[kind](chance)
                text = ENCODINGS[encoding](value)
                written = place.put(call, text) or text
                canaries.append(Canary(kind, position, encoding, value, written))
            yield call, canaries


# Formats --------------------------------------------------------------------------------------------------------------


def _url(call: Call) -> str:
    return f"https://{call.host}{call.path}" + (f"?{call.query.lstrip('&')}" if call.query else "")


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
            "serverIPAddress": call.server,
            "request": {
                "method": call.method,
                "url": _url(call),
                "headers": _named(call.headers),
                "comment": call.comment,
            },
            "response": {
                "status": call.status,
                "headers": _named(call.answer_headers),
                "content": {"encoding": "base64", "text": base64.b64encode(call.answer).decode()},
            },
        }
        if call.body:
            kind = next((value for name, value in call.headers if name == "Content-Type"), "application/json")
            content = gzip.decompress(call.body) if call.body[:2] == b"\x1f\x8b" else call.body
            entry["request"]["postData"] = {"mimeType": kind, "text": content.decode("utf-8", "replace")}
        if call.messages:
            entry["_webSocketMessages"] = [
                {"type": "send", "time": START + n, "opcode": 1, "data": message} for message in call.messages
            ]
        entries.append(entry)
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    ).encode()


def _bytes(pairs: Sequence[tuple[str, str]]) -> http.Headers:
    return http.Headers([(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in pairs])


def flow(calls: Sequence[Call]) -> bytes:
    """Calls -> flow file, written by mitmproxy."""
    file = io.BytesIO()
    writer = FlowWriter(file)
    for n, call in enumerate(calls):
        request = http.Request.make(call.method, f"https://{call.host}/", call.body)
        request.path = call.path + (f"?{call.query.lstrip('&')}" if call.query else "")
        request.headers = _bytes([("Host", call.host), *call.headers])
        request.timestamp_start, request.timestamp_end = START + n, START + n + 0.1
        response = http.Response.make(call.status, call.answer)
        response.headers = _bytes(call.answer_headers)
        response.timestamp_start = response.timestamp_end = START + n + 0.2
        made = tflow.tflow(req=request, resp=response)
        made.comment = call.comment
        made.client_conn = connection.Client(
            peername=("192.168.7.23", 50_000 + n % 10_000), sockname=("127.0.0.1", 8080)
        )
        made.client_conn.sni = call.host
        made.server_conn = connection.Server(address=(call.host, 443))
        made.server_conn.peername = ("198.51.100.7", 443)
        if call.messages:
            said = [websocket.WebSocketMessage(Opcode.TEXT, True, m.encode()) for m in call.messages]
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
    sent = f"{call.method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    got = f"HTTP/1.1 {call.status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in answered) + "\r\n"
    return sent.encode("utf-8", "surrogateescape") + call.body, got.encode("utf-8", "surrogateescape") + call.answer


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
        if call.refused:
            out += packets.connection(
                (packets.TV, port), ("198.51.100.9", 443), [packets.record(packets.hello(call.refused))]
            )
    return packets.pcap([packets.ethernet(packet) for packet in out])


FORMATS: dict[str, Callable[[Sequence[Call]], bytes]] = {"har": har, "flow": flow, "pcap": pcap}


def capture(form: str, seed: int, pairs: Sequence[tuple[str, str]]) -> tuple[bytes, list[Canary]]:
    """Format, seed, pairs of kind and encoding -> a file, and the canaries that stand in it."""
    made = list(planted(seed, pairs))
    places = {name: place for variant in VARIANTS for name, place in variant.items()}
    inside = [c for _, canaries in made for c in canaries if form in places[c.position].formats]
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
