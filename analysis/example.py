"""The made-up calls in rule files, as text -> Exchange."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from analysis.pack import ExampleCall
from analysis.schema import KnowledgeError
from captures.model import Body, Exchange, Pairs, Source

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def exchange_of(call: ExampleCall, place: str) -> Exchange:
    """`POST https://host/path`, headers, an empty line, body (and an answer in the same form) -> an exchange.

    It was sent by `this-computer` at the epoch.  Raises `KnowledgeError` with `place` when the text has another form.
    """
    start, headers, body = _parts(call.request)
    method, _, target = start.partition(" ")
    url = urlsplit("")
    try:
        url = urlsplit(target.strip())
        port = url.port or _PORTS.get(url.scheme, 0)
    except ValueError:
        port = 0
    if not method.isupper() or not url.hostname or not port:
        raise KnowledgeError(f"{place}: request: must begin like `GET https://host/path`, not {start[:60]!r}")
    status, response_headers, response_body = _answer(call.response, place)
    return Exchange(
        source=Source(0, 0),
        time=0.0,
        end=0.0,
        device="this-computer",
        client=None,
        server_name=url.hostname if url.scheme in ("https", "wss") else "",
        server=None,
        method=method,
        scheme=url.scheme,
        host=url.hostname,
        port=port,
        path=url.path or "/",
        query=tuple(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        cookies=_cookies(headers),
        body=Body(body, len(body)),
        status=status,
        response_headers=response_headers,
        response_body=Body(response_body, len(response_body)),
        http_version="HTTP/1.1",
        bytes_out=len(call.request.encode()),
        bytes_in=len(call.response.encode()),
    )


def _answer(text: str, place: str) -> tuple[int | None, Pairs, bytes]:
    if not text:
        return None, (), b""
    start, headers, body = _parts(text)
    if not start.isdigit():
        raise KnowledgeError(f"{place}: response: must begin with the status, not {start[:60]!r}")
    return int(start), headers, body


def _parts(text: str) -> tuple[str, Pairs, bytes]:
    head, _, body = text.strip().partition("\n\n")
    start, *lines = head.splitlines() or [""]
    pairs = (line.partition(":") for line in lines)
    return start.strip(), tuple((name.strip().lower(), value.strip()) for name, _, value in pairs), body.encode()


def _cookies(headers: Pairs) -> Pairs:
    cookies = (part.partition("=") for name, value in headers if name == "cookie" for part in value.split(";"))
    return tuple((name.strip(), unquote(value)) for name, _, value in cookies if name.strip())
