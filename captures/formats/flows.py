"""mitmproxy's flow files.

A flow file is a sequence of tnetstrings (`<length>:<data><type>`), one a flow.  Exchanges are built from the parsed
state directly: making mitmproxy's own flow objects first costs more than the rest together.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote

from captures.content import undo
from captures.formats.tnetstring import Reader, long, pairs, parse, pick, remembered, value, whole
from captures.model import (
    Body,
    Contact,
    Endpoint,
    Exchange,
    Initiator,
    Lookup,
    Observation,
    Pairs,
    Source,
    Unreadable,
)

NAME = "flow"

REMARKS = (
    "A flow file holds no failed connections: apps that refused to be looked into do not show in it "
    "(`phonehome watch` records them).",
)

type State = Mapping[str, Any]
"""A flow as mitmproxy stores it (`Flow.get_state()`)."""

_CURRENT = 21
"""Version of the flow format that is read without mitmproxy's converters (mitmproxy 11 and 12)."""

_HEAD = re.compile(rb"(\d{1,12}):")
_KEYS = (
    b"backup|client_conn|comment|error|id|intercepted|is_replay|marked|messages|metadata|mode|request|response"
    b"|server_conn|timestamp_created|type|version|websocket"
)
_START = re.compile(rb"\d{2,12}:\d{1,3}:(?:" + _KEYS + rb")[;,]")
"""How a flow begins: a dictionary whose first key is one that flows have; before mitmproxy 0.18 keys were bytes."""
_NEXT = re.compile(rb"(?<=\})" + _START.pattern)


_MESSAGE = dict.fromkeys((b"timestamp_start", b"timestamp_end", b"trailers"), value) | {
    b"content": long,
    b"headers": pairs,
}


def _wanted() -> Reader:
    """What `observations` looks at: a fifth of what a flow holds, certificates being the most of the rest."""
    return pick(
        dict.fromkeys((b"type", b"version", b"messages", b"websocket"), value)
        | {
            b"request": pick(
                _MESSAGE
                | dict.fromkeys((b"method", b"scheme", b"host", b"port", b"authority", b"path", b"http_version"), value)
                # Of a DNS question, which has no headers.
                | dict.fromkeys((b"questions", b"timestamp"), value)
            ),
            b"response": pick(_MESSAGE | dict.fromkeys((b"status_code", b"answers", b"response_code"), value)),
            b"client_conn": remembered(
                pick(
                    dict.fromkeys(
                        (b"peername", b"sni", b"tls", b"proxy_mode", b"timestamp_start", b"timestamp_end"), value
                    )
                )
            ),
            b"server_conn": remembered(pick(dict.fromkeys((b"peername", b"address", b"sni"), value))),
        }
    )


_WANTED = _wanted()


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is a flow file."""
    return _START.match(head) is not None


def read(path: Path, number: int) -> Iterator[Observation]:
    """Flow file -> its observations in their order.

    A damaged flow costs that flow alone: each has its length before it.  Where the length itself is damaged,
    reading goes on at the next place that looks like the beginning of a flow.
    """
    import mmap

    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = index = 0
        while at < len(data):
            source = Source(number, index)
            end = _end(data, at)
            if end is None:
                end = _following(data, at)
                reason = "is cut off or damaged" if end == len(data) else "is damaged"
                yield Unreadable(source, None, f"flow {index} at byte {at}", f"{reason}; {end - at} bytes were skipped")
            else:
                yield from _flow(data[at:end], source, at)
            at, index = end, index + 1


def _end(data: Any, at: int) -> int | None:
    """End of the tnetstring that begins here, or `None` when there is none."""
    head = _HEAD.match(data, at)
    if head is None:
        return None
    end = head.end() + int(head[1]) + 1
    return end if end <= len(data) and data[end - 1] == ord("}") else None


def _following(data: Any, at: int) -> int:
    """Where reading goes on after a flow that begins here and whose frame is damaged."""
    head = _HEAD.match(data, at)
    end = head.end() + int(head[1]) + 1 if head else len(data)
    # Only its last byte may be wrong.
    if end < len(data) and _START.match(data, end):
        return end
    following = _NEXT.search(data, at + 1)
    return following.start() if following else len(data)


def _flow(raw: bytes, source: Source, at: int) -> list[Observation]:
    version = None
    try:
        state = whole(raw, _WANTED)
        version = state.get("version")
        if version != _CURRENT:
            state = _converted(parse(raw))
    except Exception as error:
        reason = f"is damaged ({type(error).__name__})"
        if isinstance(version, int) and version > _CURRENT:
            reason = "comes from a newer mitmproxy"
        elif isinstance(version, list) and version < [0, 11]:
            reason = "comes from a mitmproxy older than 0.11"
        return [Unreadable(source, None, f"flow {source.index} at byte {at}", reason)]
    return observations(state, source)


def _converted(state: Any) -> State:
    """A flow of an older mitmproxy -> the same in today's form.  Raises nearly anything for a damaged one."""
    # 0.35 s to import, and only old files need it.
    from mitmproxy.io import compat

    return cast("State", compat.migrate_flow(state))


def observations(state: State, source: Source) -> list[Observation]:
    """State of one flow -> its observations: a request, and each WebSocket message that the device sent in it.

    Never raises: a state that is not one gives an `Unreadable`.
    """
    try:
        kind = state["type"]
        if kind == "http":
            exchange = _exchange(state, source)
            return [exchange, *_messages(state, exchange)]
        if kind == "dns":
            return [_lookup(state, source)]
        if kind in ("tcp", "udp"):
            return [_contact(state, source)]
    except Exception as error:
        return [Unreadable(source, None, f"flow {source.index}", f"is odd ({type(error).__name__})")]
    return [Unreadable(source, None, f"flow {source.index}", "is of an unknown kind")]


def _exchange(state: State, source: Source) -> Exchange:
    request, response = state["request"], state["response"]
    client, server = state["client_conn"], state["server_conn"]
    sent, came = _block(request), _block(response) if response else _NO_HEADERS
    path, query = _target(_text(request["path"]))
    scheme = _text(request["scheme"]) or "http"
    host, port = _host(request, sent.host, client)
    body = _body(request["content"], sent.encoding)
    answer = _body(response["content"], came.encoding) if response else Body()
    return Exchange(
        source=source,
        time=_number(request["timestamp_start"]),
        end=_number((response or request)["timestamp_end"]),
        device=_address(client["peername"]),
        client=_endpoint(client["peername"]),
        server_name=_name(client["sni"]),
        server=_endpoint(server["peername"] or server["address"]),
        method=_text(request["method"]),
        scheme=scheme,
        host=host,
        port=port,
        path=path,
        query=query,
        headers=sent.headers,
        cookies=sent.cookies,
        body=body,
        status=_typed(response["status_code"], int) if response else None,
        response_headers=came.headers,
        response_body=answer,
        http_version=_text(request["http_version"]),
        bytes_out=len(request["method"]) + len(request["path"]) + 12 + sent.size + body.size,
        bytes_in=(15 + came.size + answer.size) if response else 0,
        initiator=_initiator(client),
    )


def _messages(state: State, handshake: Exchange) -> Iterator[Exchange]:
    """The WebSocket messages that the device sent: [opcode, from client, content, time, dropped, injected]."""
    part = 0
    for _, from_client, content, time, *_ in (state.get("websocket") or {}).get("messages", ()):
        if from_client:
            part += 1
            # Files of mitmproxy 7 and before have text as text.
            sent = content.encode("utf-8", "replace") if isinstance(content, str) else _typed(content, bytes)
            yield message(handshake, part, sent, _number(time))


def message(handshake: Exchange, part: int, content: bytes, time: float | None) -> Exchange:
    """One WebSocket message that the device sent -> an exchange of its own, at the place of its handshake."""
    return Exchange(
        source=handshake.source._replace(part=part),
        time=time,
        end=time,
        device=handshake.device,
        client=handshake.client,
        server_name=handshake.server_name,
        server=handshake.server,
        method="WEBSOCKET",
        scheme="wss" if handshake.scheme in ("https", "wss") else "ws",
        host=handshake.host,
        port=handshake.port,
        path=handshake.path,
        query=(),
        headers=(),
        cookies=(),
        body=Body(content, len(content)),
        status=None,
        response_headers=(),
        response_body=Body(),
        http_version=handshake.http_version,
        bytes_out=len(content),
        bytes_in=0,
        initiator=handshake.initiator,
        process=handshake.process,
    )


def _contact(state: State, source: Source) -> Contact:
    client, server = state["client_conn"], state["server_conn"]
    end = _endpoint(server["peername"] or server["address"])
    sni = _name(client["sni"] or server["sni"])
    named = _name(server["address"][0]) if server["address"] else ""
    messages = state["messages"]
    sent = [len(m[1]) for m in messages if m[0]]
    received = [len(m[1]) for m in messages if not m[0]]
    times = [time for m in messages if (time := _number(m[2])) is not None]
    protocol = state["type"]
    return Contact(
        source=source,
        time=_number(client["timestamp_start"]),
        end=max(times, default=_number(client["timestamp_end"])),
        device=_address(client["peername"]),
        client=_endpoint(client["peername"]),
        server=end,
        host=sni or named or (end.address if end else ""),
        name_source="sni" if sni else "address" if not named or (end and named == end.address) else "host",
        protocol="tls" if client["tls"] and protocol == "tcp" else "quic" if client["tls"] else protocol,
        bytes_out=sum(sent),
        bytes_in=sum(received),
        packets_out=len(sent),
        packets_in=len(received),
        reason="is not HTTP",
        initiator=_initiator(client),
    )


def _lookup(state: State, source: Source) -> Lookup:
    # Only DNS flows need it; the cost of mitmproxy's import is paid by few files.
    from mitmproxy.net.dns import response_codes, types

    request, response, client = state["request"], state["response"], state["client_conn"]
    question: State = request["questions"][0] if request["questions"] else {"name": "", "type": 0}
    answers = response["answers"] if response else []
    return Lookup(
        source=source,
        time=_number(request["timestamp"]),
        device=_address(client["peername"]),
        client=_endpoint(client["peername"]),
        server=_endpoint(state["server_conn"]["address"]),
        protocol="dns",
        host=question["name"].rstrip(".").lower(),
        kind=types.to_str(question["type"]),
        answers=tuple(_record(answer) for answer in answers),
        rcode=response_codes.to_str(response["response_code"]) if response else "",
        left_house=None,
    )


def _record(answer: State) -> str:
    import ipaddress

    data: bytes = answer["data"]
    if answer["type"] in (1, 28) and len(data) in (4, 16):
        return str(ipaddress.ip_address(data))
    if answer["type"] == 5:
        from mitmproxy.net.dns import domain_names

        return domain_names.unpack(data).rstrip(".").lower()
    return data.hex()


def _host(request: State, header: str, client: State) -> tuple[str, int]:
    """The name that was asked for, and its port: in a transparent capture the connection knows the address only."""
    host, port = split_authority(_text(request["authority"]) or header)
    if not host:
        return _name(client["sni"] or request["host"]), _typed(request["port"], int)
    # Without a port the name means the scheme's own (RFC 9110, 7.2), wherever the connection was led to.
    default = 443 if _text(request["scheme"]) == "https" else 80
    return host, port or (_typed(request["port"], int) if host == _name(request["host"]) else default)


_AUTHORITY = re.compile(r"(?:[^@/]*@)?(?:\[([0-9a-fA-F:.]+)(?:%[^\]]*)?\]|([^:/\[\]]+))(?::(\d{1,5}))?\Z")


@functools.lru_cache(maxsize=1024)
def split_authority(authority: str) -> tuple[str, int]:
    """`Host` header or `:authority` -> host in lower case without brackets, port or 0; an empty host for nonsense.

    >>> split_authority("Plex.TV"), split_authority("[fd00::1]:32400"), split_authority("a b:c")
    (('plex.tv', 0), ('fd00::1', 32400), ('', 0))
    """
    match = _AUTHORITY.match(authority.strip())
    return ((match[1] or match[2]).lower().rstrip("."), int(match[3] or 0)) if match else ("", 0)


def _target(target: str) -> tuple[str, Pairs]:
    path, _, query = target.partition("?")
    if "://" in path[:9]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path, parameters(query) if query else ()


def parameters(query: str) -> Pairs:
    """Query of an address -> its names and values, decoded, in their order.

    >>> parameters("a=1&b&a=%20")
    (('a', '1'), ('b', ''), ('a', ' '))
    """
    if "%" in query or "+" in query:
        return tuple(parse_qsl(query, keep_blank_values=True, errors="replace"))
    # Most have nothing to decode, which takes a third of the time.
    pieces = [piece.partition("=") for piece in query.split("&") if piece]
    return tuple([(name, value) for name, _, value in pieces])


def cookies(headers: Pairs) -> Pairs:
    """Request headers -> cookies, percent-decoded, in their order; empty when there are none (RFC 6265, 4.2)."""
    values = [part for name, value in headers if name == "cookie" for part in value.split(";")]
    if not values:
        return ()
    pairs = (part.strip().partition("=") for part in values)
    return tuple((name, unquote(value)) for name, _, value in pairs if name)


def _body(content: bytes | None, encoding: str | None) -> Body:
    if content is None:
        return Body(None, 0, False, "was not kept")
    if encoding is not None:
        return undo(_typed(content, bytes), encoding)
    return Body(_typed(content, bytes), len(content))


class _Block(NamedTuple):
    """The headers of one message, and what is looked up in them."""

    headers: Pairs
    cookies: Pairs
    host: str
    encoding: str | None
    size: int
    """Bytes."""


_NO_HEADERS = _Block((), (), "", None, 0)


def _block(message: State) -> _Block:
    """Headers of a message, and what followed its body.  Raises nearly anything for a damaged one."""
    headers = message["headers"]
    if trailers := message.get("trailers"):
        headers = [*headers, *trailers]
    return _looked_up(tuple(map(tuple, headers)))


def _looked_up(pairs: tuple[tuple[bytes, bytes], ...]) -> _Block:
    """A client sends the same headers with most of its requests."""
    headers = _headers(pairs)
    first = dict(reversed(headers))
    return _Block(
        headers=headers,
        cookies=cookies(headers),
        host=first.get("host", ""),
        encoding=first.get("content-encoding"),
        size=len(b"".join(chain.from_iterable(pairs))) + 4 * len(pairs),
    )


_MOST_HEADERS = 4096
_LONGEST_HEADER = 256
"""Headers that are remembered, and the bytes of one."""

_headers_met: dict[tuple[bytes, bytes], tuple[str, str]] = {}


def _headers(pairs: tuple[tuple[bytes, bytes], ...]) -> Pairs:
    found = list(map(_headers_met.get, pairs))
    for n, known in enumerate(found):
        if known is None:
            name, value = pairs[n]
            found[n] = header = _header_name(name), _text(value)
            if len(name) + len(value) <= _LONGEST_HEADER:
                if len(_headers_met) >= _MOST_HEADERS:
                    _headers_met.clear()
                _headers_met[name, value] = header
    return cast("Pairs", tuple(found))


@functools.lru_cache(maxsize=1024)
def _header_name(raw: bytes) -> str:
    return _text(raw).lower()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _number(value: Any) -> float | None:
    """A time, or `None` when there is none or it is no number that can be compared."""
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise ValueError
    return float(value) if math.isfinite(value) else None


def _typed[T](value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise ValueError
    return value


def _name(value: Any) -> str:
    """A host's name in lower case; empty when there is none.  Files of mitmproxy before 11 have it as bytes."""
    return _text(value).lower() if isinstance(value, bytes) else _typed(value or "", str).lower()


def _address(name: Any) -> str:
    return str(name[0]) if name else ""


def _endpoint(name: Any) -> Endpoint | None:
    return _end_of(name[0], name[1]) if name else None


@functools.lru_cache(maxsize=1024, typed=True)
def _end_of(address: Any, port: Any) -> Endpoint:
    return Endpoint(_name(address).partition("%")[0], _typed(port, int))


def _initiator(client: State) -> Initiator:
    """Who comes to a reverse proxy comes to the own server."""
    return "outside" if str(client.get("proxy_mode", "")).startswith("reverse") else "inside"
