"""HAR 1.2, in the dialects of browsers and proxies.

Source: the HAR 1.2 specification (Jan Odvarko), and what Chrome, Firefox, Safari, Charles, Insomnia, Proxyman,
mitmproxy and PCAPdroid write instead.  Every field is taken as optional and of any type; what cannot be used is as good
as absent.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import functools
import ipaddress
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlsplit

import msgspec

from captures.formats.flows import cookies, message, parameters
from captures.model import Body, CaptureError, Endpoint, Exchange, Observation, Pairs, Source, Unreadable

NAME = "har"

REMARKS = (
    "A HAR file holds what one browser tab or program recorded: no other program, and no connection that failed "
    "before a request.",
)

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_START = re.compile(rb'[\s\xef\xbb\xbf]*\{\s*"')


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw] | None


class _File(msgspec.Struct):
    log: _Log


class _Content(msgspec.Struct, gc=False):
    """Request or answer; only what is used."""

    headers: Any = None
    method: Any = None
    url: Any = None
    httpVersion: Any = None
    postData: Any = None
    status: Any = None
    content: Any = None
    bodySize: Any = None
    headersSize: Any = None
    queryString: msgspec.Raw = msgspec.Raw(b"")
    cookies: msgspec.Raw = msgspec.Raw(b"")


class _Entry(msgspec.Struct, gc=False):
    request: _Content | None = None
    response: _Content | None = None
    startedDateTime: Any = None
    time: Any = None
    serverIPAddress: Any = None
    connection: Any = None
    _webSocketMessages: Any = None


class _Pair(msgspec.Struct, gc=False):
    name: str = ""
    value: str = ""


class _PlainContent(_Content, gc=False):
    headers: list[_Pair] | None = None


class _PlainEntry(_Entry, gc=False):
    request: _PlainContent | None = None
    response: _PlainContent | None = None


_ENTRY = msgspec.json.Decoder(_Entry)
_PLAIN_ENTRY = msgspec.json.Decoder(_PlainEntry)
"""An entry as nearly all are: its headers, which are the most of it, are texts."""


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is a HAR file: a JSON object with a `log` near its beginning."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    return _START.match(head) is not None and b'"log"' in head


def read(path: Path, number: int) -> Iterator[Observation]:
    """HAR file -> its entries in their order, each WebSocket message that the device sent after its handshake.

    A bad entry costs that entry.  Of a file that ends too early the whole entries before the damage are read.
    Raises `CaptureError` when not even one can be.
    """
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", "replace").encode()
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    whole = True
    try:
        entries: list[Any] = list(msgspec.json.decode(raw, type=_File).log.entries or ())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        entries, whole = _salvaged(raw)
        if not entries:
            raise CaptureError(f"{path.name}: is no whole HAR file ({error}); export it again") from None
    del raw
    for index, entry in enumerate(entries):
        yield from _entry(entry, Source(number, index))
    if not whole:
        place = Source(number, len(entries))
        yield Unreadable(place, None, f"after entry {len(entries) - 1}", "the file is damaged after this")


_LENIENT = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
"""Takes what writers of HAR let through: control characters in texts, half surrogate pairs, NaN."""


def _salvaged(raw: bytes) -> tuple[list[Any], bool]:
    """Entries of a file that is not strict JSON as a whole -> those before the damage, and whether that is all."""
    text = raw.decode("utf-8", "replace")
    start = re.search(r'"entries"\s*:\s*\[', text)
    entries: list[Any] = []
    if start is None:
        return entries, False
    gap, at = re.compile(r"[\s,]*"), start.end()
    while True:
        between = gap.match(text, at)
        at = between.end() if between else at
        if text[at : at + 1] == "]":
            return entries, True
        try:
            value, at = _LENIENT.raw_decode(text, at)
        except (ValueError, RecursionError):
            return entries, False
        entries.append(_strict(value))


def _strict(value: object) -> bytes:
    """JSON that every parser takes: half surrogate pairs become question marks."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _parsed(raw: msgspec.Raw | bytes) -> _Entry:
    """One entry -> its fields.  Raises `ValueError` or `RecursionError` for what is none."""
    try:
        return _PLAIN_ENTRY.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        return _ENTRY.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _ENTRY.decode(_strict(_LENIENT.decode(bytes(raw).decode("utf-8", "replace"))))


def _entry(raw: msgspec.Raw | bytes, source: Source) -> list[Observation]:
    place = f"entry {source.index}"
    try:
        entry = _parsed(raw)
    except (ValueError, RecursionError):
        return [Unreadable(source, None, place, "is damaged")]
    time = _time(entry.startedDateTime)
    url = _text(entry.request.url).strip() if entry.request else ""
    scheme = url.partition(":")[0].lower()
    if scheme not in _PORTS:
        return [Unreadable(source, time, place, "is no network call" if scheme and url else "has no address")]
    try:
        asked = _plain_address(url) or _address(url)
    except ValueError:
        asked = None
    if asked is None or not asked.host:
        return [Unreadable(source, time, place, "has an address that cannot be read")]
    try:
        exchange = _exchange(entry, source, asked, time)
        return [exchange, *_messages(entry._webSocketMessages, exchange)]
    except Exception as error:
        # Anything may stand anywhere in these files, and one entry must not cost the others.
        return [Unreadable(source, time, place, f"is odd ({type(error).__name__})")]


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str
    query: str
    size: int
    """Characters."""


_PLAIN_ADDRESS = re.compile(
    r"(https?|wss?)://([a-zA-Z0-9._-]+)(?::([0-9]{1,5}))?((?:/[!\"$->@-~]*)?)(?:\?([!\"$-~]+))?"
)


def _plain_address(url: str) -> _Address | None:
    """As `_address` for what nearly all addresses are made of, in a quarter of the time; `None` for all others."""
    match = _PLAIN_ADDRESS.fullmatch(url)
    if match is None or int(match[3] or 0) > 65535:
        return None
    scheme, host, port, path, query = match.groups()
    return _Address(scheme, host.lower().rstrip("."), int(port or 0) or _PORTS[scheme], path, query or "", len(url))


def _address(url: str) -> _Address:
    """Raises `ValueError` for what is none; its host may be empty."""
    parts = urlsplit(url)
    host = (parts.hostname or "").partition("%")[0].rstrip(".")
    port = parts.port or _PORTS[parts.scheme]
    return _Address(parts.scheme, host, port, parts.path, parts.query, len(parts.geturl()))


def _exchange(entry: _Entry, source: Source, asked: _Address, time: float | None) -> Exchange:
    request, response = entry.request or _Content(), entry.response or _Content()
    headers, answer_headers = _headers(request.headers), _headers(response.headers)
    body, answer = _posted(request, headers), _answered(response)
    status = _number(response.status)
    answered = status is not None and 100 <= status < 1000
    took = _number(entry.time)
    address = _text(entry.serverIPAddress).strip("[]").partition("%")[0]
    return Exchange(
        source=source,
        time=time,
        end=time + took / 1000 if time is not None and took is not None and took >= 0 else time,
        device="this-computer",
        client=None,
        # A handshake names no bare address (RFC 6066, 3).
        server_name=asked.host if asked.scheme in ("https", "wss") and not _is_address(asked.host) else "",
        server=Endpoint(address, asked.port) if _is_address(address) else None,
        method=_text(request.method) or "GET",
        scheme=asked.scheme,
        host=asked.host,
        port=asked.port,
        path=asked.path or "/",
        # Insomnia and tools like it write what belongs to the address and the headers into these lists alone.
        query=parameters(asked.query) if asked.query else _listed(request.queryString),
        headers=headers,
        cookies=cookies(headers) or _listed(request.cookies),
        body=body,
        # 0 is what browsers write for a request that was blocked, cancelled or never answered.
        status=int(status) if answered and status else None,
        response_headers=answer_headers,
        response_body=answer,
        http_version=_version(_text(request.httpVersion)),
        bytes_out=asked.size + 12 + _size(headers) + body.size,
        bytes_in=(_size(answer_headers) + answer.size) if answered else 0,
    )


def _messages(messages: Any, handshake: Exchange) -> Iterator[Exchange]:
    """The WebSocket messages that the device sent."""
    part = 0
    for sent in messages if isinstance(messages, list) else ():
        if isinstance(sent, dict) and sent.get("type") in ("send", "request"):
            part += 1
            content = _decoded(_text(sent.get("data")), binary=_number(sent.get("opcode")) == 2)
            yield message(handshake, part, content, _time(sent.get("time")))


def _posted(request: _Content, headers: Pairs) -> Body:
    data = request.postData if isinstance(request.postData, dict) else {}
    size = int(max(_number(request.bodySize) or 0, 0))
    text = _text(data.get("text"))
    if text:
        content = _decoded(text, binary="base64" in (data.get("encoding"), data.get("_encoding")))
    else:
        kind = next((value for name, value in headers if name == "content-type"), "")
        content = _form(data.get("params"), kind or _text(data.get("mimeType")))
    # Browsers leave out what is long or was sent from a file.
    return Body(content, size or len(content)) if content or not size else Body(None, size, False, _NOT_KEPT)


_NOT_KEPT = "was not kept"


def _form(params: Any, kind: str) -> bytes:
    """`params` -> the body they were read from, as a form; of files the name and, if kept, the content."""
    if not isinstance(params, list):
        return b""
    named = [p for p in params if isinstance(p, dict)]
    if "multipart" in kind.lower():
        return _multipart(named, kind)
    # Chrome and Firefox give the values as they stood in the body, already encoded.
    pairs = ((_text(p.get("name")), _text(p.get("value"))) for p in named)
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs).encode()


def _encoded(text: str) -> str:
    return text if re.fullmatch(r"(?:[A-Za-z0-9_.~*+/:!'(),;@$-]|%[0-9A-Fa-f]{2})*", text) else quote_plus(text)


_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def _multipart(params: list[dict[str, Any]], kind: str) -> bytes:
    match = re.search(r'boundary="?([^";,]+)"?', kind)
    boundary = match[1] if match else "boundary"
    parts = []
    for param in params:
        # Quotes and line ends as browsers escape them (HTML, 4.10.21.8).
        name, file = (_text(param.get(key)).translate(_QUOTED) for key in ("name", "fileName"))
        shown = f'; filename="{file}"' if file else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
        parts.append(head + _text(param.get("value")) + "\r\n")
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def _answered(response: _Content) -> Body:
    """HAR holds the content after its encoding was undone; `bodySize` is the size on the wire where it is known."""
    content = response.content if isinstance(response.content, dict) else {}
    size = int(max(_number(response.bodySize) or 0, 0))
    text = content.get("text")
    if not isinstance(text, str):
        came = size or (_number(content.get("size")) or 0) > 0
        return Body(None, size, False, _NOT_KEPT) if came else Body()
    decoded = _decoded(text, binary=content.get("encoding") == "base64")
    return Body(decoded, size or len(decoded))


def _decoded(text: str, *, binary: bool) -> bytes:
    """Text of a body, in base64 if it is `binary`, -> the bytes; what is no base64 is taken as it stands."""
    if binary:
        packed = "".join(text.split()).rstrip("=")
        try:
            return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        except (binascii.Error, ValueError):
            pass
    return text.encode("utf-8", "replace")


def _headers(pairs: Any) -> Pairs:
    """Headers, names in lower case, without HTTP/2's pseudo-headers."""
    if not isinstance(pairs, list):
        return ()
    if pairs and isinstance(pairs[0], _Pair):
        plain = [(_lower(pair.name), pair.value) for pair in pairs]
        return tuple([pair for pair in plain if pair[0] and pair[0][0] != ":"])
    named = ((_text(p.get("name")).lower(), _text(p.get("value"))) for p in pairs if isinstance(p, dict))
    return tuple((name, value) for name, value in named if name and not name.startswith(":"))


_lower = functools.lru_cache(maxsize=1024)(str.lower)


def _size(headers: Pairs) -> int:
    """Characters of headers as HTTP/1 writes them."""
    return len("".join(chain.from_iterable(headers))) + 4 * len(headers)


def _listed(raw: msgspec.Raw) -> Pairs:
    """A list of names and values, as it stands in the file."""
    pairs = msgspec.json.decode(raw) if raw else None
    if not isinstance(pairs, list):
        return ()
    named = ((_text(p.get("name")), _text(p.get("value"))) for p in pairs if isinstance(p, dict))
    return tuple((name, value) for name, value in named if name)


def _time(value: Any) -> float | None:
    """ISO 8601, or seconds or milliseconds since the epoch -> seconds since the epoch (UTC).

    `None` for a time without its zone, which may be half a day off, and for what is no time.
    """
    number = _number(value) if not isinstance(value, str) else None
    if number is not None:
        return number / 1000 if number > 1e11 else number
    try:
        moment = datetime.datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == number and abs(number) < 1e15 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


@functools.lru_cache(maxsize=1024)
def _is_address(text: str) -> bool:
    if not text or not (text[0].isdigit() or ":" in text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_VERSIONS = {"2": "HTTP/2.0", "3": "HTTP/3"}

_VERSION = re.compile(r"(?:http/|h)([123](?:\.\d)?)(?:[+-].*)?\Z")


@functools.lru_cache(maxsize=64)
def _version(text: str) -> str:
    """`h2`, `http/2.0`, `h3-29`… -> as `Exchange.http_version` has it; empty for what is none."""
    match = _VERSION.match(text.lower())
    return _VERSIONS.get(match[1].partition(".")[0], f"HTTP/{match[1]}") if match else ""
