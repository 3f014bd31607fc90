"""Exchange -> leaves: every single value in it, with the place and the encodings that led to it.

| module | knows |
|---|---|
| `walk` | the leaves, and the limits on their number, depth and time |
| `body` | what a body is: JSON, NDJSON, XML, form, multipart, text |
| `json_text`, `xml_text`, `multipart` | how these are read; `xml_text` also XML-RPC |
| `binary`, `protobuf` | gRPC, Protocol Buffers, MessagePack, CBOR |
| `page`, `playlist`, `graphql` | forms in HTML, m3u8, the arguments of a GraphQL document |
| `header` | headers that hold several values: Authorization, Set-Cookie |
| `peel` | encodings of a single value: JSON, form, XML, base64, hex, percent, HTML escapes, gzip, JWT, URL |
"""

from __future__ import annotations

from collections import defaultdict

from analysis.decode.body import body
from analysis.decode.header import header
from analysis.decode.peel import peel_bytes, peel_value
from analysis.decode.walk import BUDGET, Budget, Decoded, Leaf, Piece, Walk, step
from captures.model import Exchange, Pairs

__all__ = ["BUDGET", "Budget", "Decoded", "Leaf", "decode"]

_SILENT = frozenset({"host", ":authority", "content-length", "cookie", "set-cookie"})
"""Headers whose values come out elsewhere, or count bytes."""


_MOST_MET = 5_000
_LONGEST_MET = 600
"""Fields that are remembered of each part of a call, and characters of one, so that hostile traffic does not fill the
memory."""

_met: defaultdict[str, dict[tuple[str, str], Piece]] = defaultdict(dict)
"""Part of a call -> name and value -> what came out: a client sends the same headers with each call."""


def decode(exchange: Exchange, budget: Budget = BUDGET) -> Decoded:
    """One exchange -> its leaves, requests first, each part in its order; never raises.

    Places: `path`, `host`, `query.<name>`, `header.<name>` (lower case), `cookie.<name>`, `body…`, in the answer
    `response.header.<name>`, `response.cookie.<name>`, `response.body…`.  Steps are joined by `.`, positions in lists
    are numbers, an encoding that was undone stands in brackets: `body.payload[base64][json].user.email`.  Names are not
    escaped, since forms use brackets and dots (`body.user[login]`): a key that holds a dot looks like two steps, and
    only `Leaf.encodings` says what was undone.  Content-encodings, and reading a whole body as what it is, are no
    steps.  What a budget leaves out is told in `ran_out`, and a part that cannot be read as what the body is stands
    as a text at the body's place.  Values are private.
    """
    walk = Walk(budget, peel_value, peel_bytes)
    walk.text("path", exchange.path, peel=False)
    walk.text("host", exchange.host, peel=False)
    _fields(walk, "query", exchange.query)
    _fields(walk, "header", exchange.headers)
    _fields(walk, "cookie", exchange.cookies)
    body(walk, "body", exchange.body, exchange.headers)
    _fields(walk, "response.header", exchange.response_headers)
    body(walk, "response.body", exchange.response_body, exchange.response_headers)
    return walk.result()


def _fields(walk: Walk, where: str, fields: Pairs) -> None:
    """Adds headers, parameters or cookies; one that was met before without taking it apart again."""
    met = _met[where]
    known = [piece for piece in map(met.get, fields) if piece is not None]
    if len(known) == len(fields) and walk.add(known):
        return
    for field in fields:
        piece = met.get(field)
        if piece is not None and walk.add((piece,)):
            continue
        begin = walk.mark()
        _field(walk, where, *field)
        piece = walk.piece(begin)
        if piece is not None and len(field[0]) + len(field[1]) <= _LONGEST_MET:
            if len(met) >= _MOST_MET:
                met.clear()
            met[field] = piece


def _field(walk: Walk, where: str, name: str, value: str) -> None:
    if name == "set-cookie" and where == "response.header":
        cookie, _, content = value.partition(";")[0].partition("=")
        walk.text(step("response.cookie", cookie.strip()), content)
    elif not where.endswith("header"):
        walk.text(step(where, name), value)
    elif name not in _SILENT:
        header(walk, step(where, name), name, value)
