"""Makes captures full of canaries: every kind of private value, in every place of a call, written in every way.

A canary is a made-up value that stands nowhere else.  One call carries a canary in each of several places; the same
calls are written as a HAR file, a flow file and packets, as far as a place exists there.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import string
import struct
import unicodedata
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

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
    reason: str = "OK"
    """Beside the status."""
    error: str = ""
    """What went wrong, as the proxy says it."""
    answers: list[str] = field(default_factory=list)
    """Messages of a WebSocket that came back."""
    creator: str = ""
    """Program that wrote the file."""
    page: str = ""
    """Title of the page that made the call."""
    started_by: str = ""
    """Script that made the call."""
    fragment: str = ""
    """Of the address."""
    user: str = ""
    """In the address, before the host."""
    note: str = ""
    """In what the proxy keeps beside the call."""
    mark: str = ""
    """By which its user marked it."""
    tls: list[bytes] = field(default_factory=list)
    """Records of a handshake that are sent…"""
    tls_answer: list[bytes] = field(default_factory=list)
    """…and those that come back."""
    listed_cookie: str = ""
    """In the list of cookies alone, as some programs write it."""
    chunked: str = ""
    """A body in chunks: the first chunk's size, and, after `{}`, what follows it."""


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
    "IPv6 of a MAC": lambda r: f"2a02:{_hex(r, 4)}:1:1:{_hex(r, 4)}:{_hex(r, 2)}ff:fe{_hex(r, 2)}:{_hex(r, 4)}",
    "latitude": lambda r: f"{r.uniform(40, 50):.7f}",
    "invitation": lambda r: f"https://app.plex.tv/desktop/#!/invites/{_hex(r, 24)}",
    "subscription": lambda r: f"plexpass-lifetime-{_hex(r, 12)}",
    "time zone": lambda r: f"Europe/{_word(r)}_{_word(r)}",
    "size of a library": lambda r: f"{r.randint(10**8, 10**9)} films",
    "time of a packet": lambda r: str(r.randint(10**9, 2**32 - 1)),
    "IBAN": lambda r: f"AT{_letters(r, 2, string.digits)} " + " ".join(_letters(r, 4, string.digits) for _ in range(4)),
    "version with a name": lambda r: f"1.{r.randint(40, 99)}.2.{r.randint(1000, 9999)}-{_letters(r, 9)}",
    "name beside a word of ours": lambda r: f"Plex {_word(r)} usage {_word(r)}",
    "IPv6 with a zone": lambda r: "fe80:" + "".join(f":1{_hex(r, 3)}" for _ in range(4)) + "%wlan0",
    "file of subtitles": lambda r: f"{_word(r)}.{_word(r)}.2019.1080p-{_word(r).upper()}.ger.srt",
    "title with accents apart": lambda r: unicodedata.normalize("NFD", f"É {_word(r)} {_word(r)}"),
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


def token(text: str) -> str:
    """A text as the name of a header."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text)[:120]


def _header(text: str) -> str:
    return re.sub(r"[\r\n\0]+", " ", text)


type Put = Callable[[Call, str], str | None]
"""Writes a text into a call; gives the text as it stands there if that is another."""


def query(name: str) -> Put:
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


def request_header(name: str, before: str = "", after: str = "") -> Put:
    def put(call: Call, text: str) -> None:
        call.headers.append((name, before + _header(text) + after))

    return put


def _basic(call: Call, text: str) -> None:
    call.headers.append(("Authorization", "Basic " + base64.b64encode(f"alice:{text}".encode()).decode()))


def _named_header(call: Call, text: str) -> str:
    call.headers.append(("X-" + token(text), "1"))
    return token(text)


def answer_header(name: str, before: str = "", after: str = "") -> Put:
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


def answer(kind: str, write: Callable[[str], str]) -> Put:
    def put(call: Call, text: str) -> None:
        call.answer_headers.append(("Content-Type", kind))
        call.answer = write(text).encode("utf-8", "surrogatepass")

    return put


def body(kind: str, write: Callable[[str], str]) -> Put:
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
        "known parameter": Place(query("X-Plex-Token")),
        "unknown parameter": Place(query("zz")),
        "parameter as it is": Place(_raw_query),
        "name of a parameter": Place(_named_parameter),
        "Referer": Place(request_header("Referer", "https://app.plex.tv/desktop/?t=")),
        "known header": Place(request_header("X-Plex-Device-Name")),
        "unknown header": Place(request_header("X-Zz")),
        "User-Agent": Place(request_header("User-Agent", "Plex/1.2 (", ")")),
        "known field of JSON": Place(_in_json("context", "device", "model")),
        "unknown field of JSON": Place(_in_json("zz", "yy")),
        "list of JSON": Place(_json_list),
        "JSON within JSON": Place(_json_in_json),
        "JSON within base64": Place(_json_in_base64),
        "key of JSON": Place(_json_key),
        "Set-Cookie": Place(answer_header("Set-Cookie", "sid=", "; Path=/")),
        "Location": Place(answer_header("Location", "https://app.plex.tv/#?code=")),
        "JSON answer": Place(answer("application/json", lambda t: json.dumps({"email": t, "friendlyName": t}))),
        "comment": Place(_comment, "har flow"),
    },
    {
        "path": Place(_path),
        "Cookie": Place(request_header("Cookie", "sid=")),
        "MediaBrowser": Place(request_header("X-Emby-Authorization", 'MediaBrowser Client="x", Token="', '"')),
        "Bearer": Place(request_header("Authorization", "Bearer ")),
        "form": Place(body("application/x-www-form-urlencoded", lambda t: "login=x&email=" + quote(t, safe=""))),
        "XML answer": Place(answer("text/xml", lambda t: f'<MediaContainer friendlyName="{_xml(t)}"/>')),
        "name of a header": Place(_named_header),
        "question of DNS": Place(_asked, "pcap"),
    },
    {
        "host": Place(_host),
        "Basic": Place(_basic),
        "multipart": Place(body("multipart/form-data; boundary=b", _multipart)),
        "text of XML": Place(answer("text/xml", lambda t: f"<user><title>{_xml(t)}</title></user>")),
        "answer of DNS": Place(_answered, "pcap"),
        "GDM": Place(_gdm, "pcap"),
    },
    {
        "server's name": Place(_direct),
        "file's name": Place(body("multipart/form-data; boundary=b", _file_name)),
        "page": Place(answer("text/html", lambda t: f"<html><body><p>{_xml(t)}</p></body></html>")),
        "ETag": Place(answer_header("ETag", '"', '"')),
        "reverse name": Place(_reverse, "pcap"),
        "SSDP": Place(_ssdp, "pcap"),
    },
    {
        "compressed body": Place(_compressed),
        "comment of a page": Place(answer("text/html", lambda t: f"<html><!-- {t.replace('--', '')} --></html>")),
        "Origin": Place(request_header("Origin", "https://")),
        "name in a refused handshake": Place(_refused, "flow pcap"),
    },
    {
        "picture": Place(_png),
        "playlist": Place(answer("application/vnd.apple.mpegurl", lambda t: f"#EXTM3U\nhttp://h/s.ts?t={quote(t)}\n")),
        "message of a WebSocket": Place(_message, "har flow"),
        "server's address": Place(_server_address, "har"),
    },
    {
        "protobuf": Place(_protobuf),
        "events": Place(answer("text/event-stream", lambda t: f"event: x\ndata: {json.dumps({'name': t})}\n\n")),
        "X-Forwarded-For": Place(request_header("X-Forwarded-For")),
    },
    {
        "text": Place(body("text/plain", lambda t: f"ERROR could not open {t}: no such file")),
        "line of a log": Place(answer("text/plain", lambda t: f"2026-01-01 DEBUG user={t} said hello")),
        "content of a Client header": Place(request_header("X-Plex-Client-Name")),
    },
)
"""Positions that fit into one call, call by call."""
