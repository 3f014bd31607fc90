"""HAR 1.2, in the dialects of browsers and proxies.

Source: the HAR 1.2 specification (Jan Odvarko), and what Chrome, Firefox, Safari, Charles, Insomnia, Proxyman,
mitmproxy and PCAPdroid write instead.  Every field is taken as optional and of any type; what cannot be used is as good
as absent.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import msgspec

from captures.formats.flows import cookies, message
from captures.model import Body, CaptureError, Endpoint, Exchange, Observation, Pairs, Source, Unreadable

NAME = "har"

REMARKS = (
    "A HAR file holds what one browser tab or program recorded: no other program, and no connection that failed "
    "before a request.",
)

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_START = re.compile(rb'[\s\xef\xbb\xbf]*\{\s*"')


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]


class _File(msgspec.Struct):
    log: _Log


class _Content(msgspec.Struct):
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


class _Entry(msgspec.Struct):
    request: _Content | None = None
    response: _Content | None = None
    startedDateTime: Any = None
    time: Any = None
    serverIPAddress: Any = None
    connection: Any = None
    _webSocketMessages: Any = None


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
    damaged = ""
    try:
        entries: list[Any] = list(msgspec.json.decode(raw, type=_File).log.entries)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        entries = _salvaged(raw)
        damaged = "the file is damaged after this" if "truncated" in str(error) else "the file is damaged"
        if not entries:
            raise CaptureError(f"{path.name}: is no whole HAR file ({error}); export it again") from None
    del raw
    for index, entry in enumerate(entries):
        yield from _entry(entry, Source(number, index))
    if damaged:
        place = Source(number, len(entries))
        yield Unreadable(place, None, f"after entry {len(entries) - 1}", damaged)


def _salvaged(raw: bytes) -> list[Any]:
    """Whole entries of a file that is not JSON as a whole."""
    import json

    text = raw.decode("utf-8", "replace")
    start = re.search(r'"entries"\s*:\s*\[', text)
    entries: list[Any] = []
    if start is None:
        return entries
    decoder, at = json.JSONDecoder(strict=False), start.end()
    while True:
        gap = re.compile(r"[\s,]*").match(text, at)
        at = gap.end() if gap else at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return entries
        entries.append(json.dumps(value).encode())


def _entry(raw: msgspec.Raw | bytes, source: Source) -> Iterator[Observation]:
    place = f"entry {source.index}"
    try:
        entry = msgspec.json.decode(raw, type=_Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield Unreadable(source, None, place, "is damaged")
        return
    time = _time(entry.startedDateTime)
    url = _text(entry.request.url) if entry.request else ""
    scheme = url.partition(":")[0].lower()
    if scheme not in _PORTS:
        yield Unreadable(source, time, place, "is no network call" if scheme and url else "has no address")
        return
    try:
        yield from _exchange(entry, source, url, time)
    except Exception as error:
        # Anything may stand anywhere in these files, and one entry must not cost the others.
        yield Unreadable(source, time, place, f"is odd ({type(error).__name__})")


def _exchange(entry: _Entry, source: Source, url: str, time: float | None) -> Iterator[Exchange]:
    request, response = entry.request or _Content(), entry.response or _Content()
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]
    if not host:
        raise ValueError
    headers, answer_headers = _headers(request.headers), _headers(response.headers)
    body, answer = _posted(request, headers), _answered(response)
    status = _number(response.status)
    took = _number(entry.time)
    address = _text(entry.serverIPAddress).strip("[]")
    exchange = Exchange(
        source=source,
        time=time,
        end=time + took / 1000 if time is not None and took is not None and took >= 0 else time,
        device="this-computer",
        client=None,
        server_name=host if parts.scheme in ("https", "wss") else "",
        server=Endpoint(address, port) if address else None,
        method=_text(request.method) or "GET",
        scheme=parts.scheme,
        host=host,
        port=port,
        path=parts.path or "/",
        query=tuple(parse_qsl(parts.query, keep_blank_values=True, errors="replace")) if parts.query else (),
        headers=headers,
        cookies=cookies(headers),
        body=body,
        # 0 is what browsers write for a request that was blocked, cancelled or never answered.
        status=int(status) if status else None,
        response_headers=answer_headers,
        response_body=answer,
        http_version=_version(_text(request.httpVersion)),
        bytes_out=len(url) + 12 + sum(len(name) + len(value) + 4 for name, value in headers) + body.size,
        bytes_in=(sum(len(name) + len(value) + 4 for name, value in answer_headers) + answer.size) if status else 0,
    )
    yield exchange
    part = 0
    for sent in entry._webSocketMessages if isinstance(entry._webSocketMessages, list) else ():
        if isinstance(sent, dict) and sent.get("type") in ("send", "request"):
            part += 1
            content = _decoded(_text(sent.get("data")), binary=sent.get("opcode") == 2)
            yield message(exchange, part, content, _number(sent.get("time")))


def _posted(request: _Content, headers: Pairs) -> Body:
    data = request.postData
    if not isinstance(data, dict):
        return Body()
    text = _text(data.get("text"))
    if text:
        content = _decoded(text, binary=data.get("encoding") == "base64" or data.get("_encoding") == "base64")
    else:
        content = _form(data.get("params"), headers)
    size = _number(request.bodySize)
    return Body(content, int(size) if size and size > 0 else len(content))


def _form(params: Any, headers: Pairs) -> bytes:
    """`params` -> the body they were read from, as a form; of files the name and, if kept, the content."""
    if not isinstance(params, list):
        return b""
    kind = next((value for name, value in headers if name == "content-type"), "")
    named = [p for p in params if isinstance(p, dict)]
    if "multipart" in kind.lower():
        return _multipart(named, kind)
    # Chrome and Firefox give the values as they stood in the body, already encoded.
    pairs = ((_text(p.get("name")), _text(p.get("value"))) for p in named)
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs).encode()


def _encoded(text: str) -> str:
    return text if re.fullmatch(r"(?:[A-Za-z0-9_.~*+/:!'(),;@$-]|%[0-9A-Fa-f]{2})*", text) else quote_plus(text)


def _multipart(params: list[dict[str, Any]], kind: str) -> bytes:
    match = re.search(r'boundary="?([^";,]+)"?', kind)
    boundary = match[1] if match else "boundary"
    parts = []
    for param in params:
        name, file = _text(param.get("name")), _text(param.get("fileName"))
        shown = f'; filename="{file}"' if file else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
        parts.append(head + _text(param.get("value")) + "\r\n")
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def _answered(response: _Content) -> Body:
    """HAR holds the content after its encoding was undone; `bodySize` is the size on the wire where it is known."""
    content = response.content if isinstance(response.content, dict) else {}
    size = _number(response.bodySize)
    text = content.get("text")
    if not isinstance(text, str):
        whole = _number(content.get("size")) or 0
        kept = None if whole > 0 else b""
        return Body(kept, int(max(size or 0, 0)), whole > 0, "was not kept" if whole > 0 else "")
    decoded = _decoded(text, binary=content.get("encoding") == "base64")
    return Body(decoded, int(size) if size and size > 0 else len(decoded))


def _decoded(text: str, *, binary: bool) -> bytes:
    if binary:
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return text.encode("utf-8", "replace")
    return text.encode("utf-8", "replace")


def _headers(pairs: Any) -> Pairs:
    """Headers, names in lower case, without HTTP/2's pseudo-headers."""
    if not isinstance(pairs, list):
        return ()
    named = ((_text(p.get("name")).lower(), _text(p.get("value"))) for p in pairs if isinstance(p, dict))
    return tuple((name, value) for name, value in named if name and not name.startswith(":"))


def _time(value: Any) -> float | None:
    """ISO 8601 with a zone, or seconds or milliseconds since the epoch -> seconds since the epoch (UTC)."""
    number = _number(value) if not isinstance(value, str) else None
    if number is not None:
        return number / 1000 if number > 1e11 else number
    try:
        moment = datetime.datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=datetime.UTC).timestamp()


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number and abs(number) < 1e15 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


_VERSIONS = {"h2": "HTTP/2.0", "http/2": "HTTP/2.0", "h3": "HTTP/3", "http/3": "HTTP/3", "unknown": ""}


def _version(text: str) -> str:
    return _VERSIONS.get(text.lower(), text.upper())
