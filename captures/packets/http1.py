"""HTTP/1 in clear: the two streams of a connection -> its requests and answers.  Source: RFC 9112, 6455."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from captures.model import Pairs

MOST_KEPT = 1 << 20
"""Bytes of a body that are kept; films are sent in clear too."""

_LONGEST_HEAD = 64 * 1024

_REQUEST = re.compile(rb"([A-Z][A-Z-]{1,19}) (\S{1,65000}) (HTTP/1\.[01])\r?\n")
_STATUS = re.compile(rb"(HTTP/1\.[01]) (\d{3})(?: [^\r\n]*)?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[^\n]{0,4096}\n")

_WITHOUT_BODY = (204, 304)

_ENDLESS = 1 << 62
"""Bytes of a body that ends with the connection."""


MOST_KEPT_OF_ALL = 64 << 20
"""Bytes of all bodies of a file that are kept; the observations hold them until they are read."""

_MEDIA = ("video/", "audio/")
"""Kinds of content of which nothing is kept."""


@dataclass(slots=True)
class Room:
    """What may still be kept of the bodies of a file."""

    left: int = MOST_KEPT_OF_ALL
    """Bytes."""


@dataclass(slots=True)
class Content:
    """A body as it came on the wire, without its chunks."""

    kept: bytearray = field(default_factory=bytearray)
    """Its beginning."""
    size: int = 0
    """Bytes in all."""
    lost: bool = False
    """Whether bytes are missing in it."""
    most: int = MOST_KEPT
    """Bytes that are kept of it."""
    room: Room = field(default_factory=Room)
    """What is left for all bodies."""

    @property
    def keeps(self) -> bool:
        """Whether anything of further bytes would be kept."""
        return not self.lost and len(self.kept) < self.most and self.room.left > 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)
        if self.keeps:
            fresh = data[: min(self.most - len(self.kept), self.room.left)]
            self.room.left -= len(fresh)
            self.kept += fresh


@dataclass(slots=True)
class Call:
    """One request and its answer."""

    time: float
    """Of the first packet of the request."""
    end: float
    """Of the last packet of the answer so far."""
    method: str
    """As sent."""
    target: str
    """As sent: path and query, or a whole address."""
    version: str
    """`HTTP/1.1` or `HTTP/1.0`."""
    headers: Pairs
    """Names in lower case."""
    head_out: int
    """Bytes of the request's head."""
    body: Content = field(default_factory=Content)
    """What was sent."""
    status: int | None = None
    """`None` while no answer came."""
    answer_headers: Pairs = ()
    """Names in lower case."""
    head_in: int = 0
    """Bytes of the answer's head."""
    answer: Content = field(default_factory=Content)
    """What came back."""
    messages: list[tuple[float, bytes]] = field(default_factory=list)
    """WebSocket messages of the client: when, what."""

    def header(self, name: str) -> str:
        """First request header of this lower-case name, or empty."""
        return next((value for key, value in self.headers if key == name), "")


def is_request(data: bytes) -> bool:
    """Beginning of a segment -> whether a request begins here, as far as its first line tells."""
    line = data[:65_536]
    return _REQUEST.match(line) is not None or (b"\n" not in line and _METHOD.match(line) is not None)


_METHOD = re.compile(rb"[A-Z][A-Z-]{1,19} [/*h]\S*")


class _Half:
    """One direction: heads and bodies."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.state = "head"
        self.left: int | None = 0
        self.content: Content | None = None
        self.time = 0.0

    def begin(self, content: Content, left: int | None, *, chunked: bool) -> None:
        self.content, self.left = content, left
        self.state = "chunk" if chunked else "body" if left != 0 else "head"

    def whole(self, data: bytes) -> bool:
        """Takes bytes that lie within a body altogether, as nearly all of a film do; gives whether they did."""
        if self.state not in ("body", "data") or self.buffer or (self.left is not None and self.left <= len(data)):
            return False
        if self.content is not None:
            self.content.add(data)
        if self.left is not None:
            self.left -= len(data)
        return True

    def body(self) -> bool:
        """Takes what there is of a body; gives whether anything can go on."""
        if self.state == "chunk":
            return self._chunk()
        taken = bytes(self.buffer if self.left is None else self.buffer[: self.left])
        del self.buffer[: len(taken)]
        if self.content is not None:
            self.content.add(taken)
        if self.left is not None:
            self.left -= len(taken)
            if not self.left:
                self.state = {"body": "head", "data": "chunk-end"}[self.state]
                return bool(self.buffer)
        return False

    def _chunk(self) -> bool:
        match = _CHUNK.match(self.buffer)
        if not match:
            if len(self.buffer) > 4200:
                self.state = "broken"
            return False
        # Before the deletion: a match on a bytearray looks at what stands there now.
        self.left = int(match[1], 16)
        del self.buffer[: match.end()]
        self.state = "data" if self.left else "trailer"
        return True

    def line(self) -> bool:
        """Takes the line end after a chunk, or the trailer after the last one."""
        at = self.buffer.find(b"\n")
        if at < 0:
            if len(self.buffer) > _LONGEST_HEAD:
                self.state = "broken"
            return False
        empty = at == 0 or self.buffer[:at] == b"\r"
        del self.buffer[: at + 1]
        if self.state == "chunk-end":
            self.state = "chunk" if empty else "broken"
        elif empty:
            self.state = "head"
        return True


class Http:
    """The requests and answers of one connection, as their bytes come in."""

    def __init__(self, room: Room | None = None) -> None:
        self.calls: list[Call] = []
        self._room = room or Room()
        self.tunnel = ""
        """Target of a CONNECT that was granted."""
        self.damaged = False
        """Whether a part could not be read."""
        self._client, self._server = _Half(), _Half()
        self._open: deque[Call] = deque()
        self._current: Call | None = None
        self._socket: _Messages | None = None

    def ended(self, *, from_client: bool) -> bool:
        """Whether the following bytes of one direction do not matter: it was no HTTP, or is none any more."""
        half = self._client if from_client else self._server
        return half.state == "broken" or (half.state == "socket" and not (from_client and self._socket))

    def feed(self, data: bytes, time: float, *, from_client: bool) -> None:
        """The next bytes of one direction."""
        half = self._client if from_client else self._server
        if half.state == "lost" and not (is_request(data) if from_client else _STATUS.match(data)):
            return
        if half.state == "lost":
            half.state = "head"
        if half.state == "broken" or self.tunnel:
            return
        if not from_client and self._current and half.state != "head":
            self._current.end = time
        if half.whole(data):
            return
        if not half.buffer:
            half.time = time
        half.buffer += data
        while half.buffer and self._step(half, from_client):
            half.time = time
        if half.state == "broken":
            self.damaged = True

    def unread(self, *, from_client: bool) -> int:
        """How many further bytes of one direction need not be looked at: those within a body that is not kept."""
        half = self._client if from_client else self._server
        if half.state not in ("body", "data") or half.buffer or self.tunnel or (half.content and half.content.keeps):
            return 0
        # The last byte of a body is looked at, since what follows it begins there.
        return _ENDLESS if half.left is None else half.left - 1

    def pass_over(self, count: int, time: float, *, from_client: bool) -> None:
        """So many bytes of one direction, of those that need not be looked at, the last at this time."""
        half = self._client if from_client else self._server
        if half.content is not None:
            half.content.size += count
        if half.left is not None:
            half.left -= count
        if not from_client and self._current:
            self._current.end = time

    def gap(self, missing: int, *, from_client: bool) -> None:
        """Bytes that the capture lacks: in a body they cost these bytes, elsewhere what follows to the next head."""
        half = self._client if from_client else self._server
        self.damaged = True
        if half.state in ("body", "data") and not half.buffer and (half.left is None or half.left > missing):
            if half.content is not None:
                half.content.lost = True
                half.content.size += missing
            if half.left is not None:
                half.left -= missing
            return
        self._open.clear()
        for each in (self._client, self._server):
            each.buffer.clear()
            each.state = "lost" if each.state != "socket" else "broken"

    def _step(self, half: _Half, from_client: bool) -> bool:
        if half.state == "head":
            return self._request(half) if from_client else self._answer(half)
        if half.state in ("body", "data", "chunk"):
            return half.body()
        if half.state in ("chunk-end", "trailer"):
            return half.line()
        if half.state == "socket" and self._socket and from_client:
            self.calls[-1].messages.extend((half.time, text) for text in self._socket.feed(bytes(half.buffer)))
        half.buffer.clear()
        return False

    def _head(self, half: _Half) -> bytes:
        """The next head with its empty line; empty while it is not whole."""
        # Empty lines before a head are ignored (RFC 9112, 2.2).
        while half.buffer and half.buffer[0] in b"\r\n":
            del half.buffer[:1]
        match = _END.search(half.buffer)
        if not match or match.end() > _LONGEST_HEAD:
            if len(half.buffer) > _LONGEST_HEAD:
                half.state = "broken"
            return b""
        head = bytes(half.buffer[: match.end()])
        del half.buffer[: match.end()]
        return head

    def _request(self, half: _Half) -> bool:
        head = self._head(half)
        line = _REQUEST.match(head)
        if not line:
            half.state = "broken" if head else half.state
            return False
        headers = _fields(head[line.end() :])
        call = Call(
            half.time,
            half.time,
            line[1].decode(),
            line[2].decode("utf-8", "replace"),
            line[3].decode(),
            headers,
            len(head),
            body=Content(room=self._room),
            answer=Content(room=self._room),
        )
        self.calls.append(call)
        self._open.append(call)
        size, chunked = _framing(headers)
        half.begin(call.body, size or 0, chunked=chunked)
        return True

    def _answer(self, half: _Half) -> bool:
        head = self._head(half)
        line = _STATUS.match(head)
        if not line or not self._open:
            half.state = "broken" if head else half.state
            return False
        call, status = self._open[0], int(line[2])
        if 100 <= status < 200 and status != 101:
            return True
        self._open.popleft()
        call.status, call.end, call.head_in = status, half.time, len(head)
        call.answer_headers = _fields(head[line.end() :])
        if call.method == "CONNECT" and status < 300:
            self.tunnel = call.target
            return False
        if status == 101:
            websocket = "websocket" in call.header("upgrade").lower()
            self._socket = _Messages() if websocket else None
            self._client.state = self._server.state = "socket"
            return True
        if any(name == "content-type" and value.startswith(_MEDIA) for name, value in call.answer_headers):
            call.answer.most = 0
        size, chunked = _framing(call.answer_headers)
        if call.method == "HEAD" or status in _WITHOUT_BODY:
            size, chunked = 0, False
        self._current = call
        half.begin(call.answer, size, chunked=chunked)
        return True


def _framing(headers: Pairs) -> tuple[int | None, bool]:
    """Headers -> (length, `None` when they do not say; whether it comes in chunks) (RFC 9112, 6.3)."""
    table = dict(headers)
    if "chunked" in table.get("transfer-encoding", "").lower():
        return None, True
    length = table.get("content-length", "").partition(",")[0].strip()
    return (int(length), False) if length.isdecimal() and len(length) < 16 else (None, False)


def _fields(raw: bytes) -> Pairs:
    pairs = []
    for line in raw.split(b"\n")[:500]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append((name.strip().decode("latin-1").lower(), value.strip().decode("utf-8", "replace")))
    return tuple(pairs)


class _Messages:
    """WebSocket frames of the client -> its messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._message = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The next bytes -> the text and binary messages that are now whole, each cut at `MOST_KEPT`."""
        self._buffer += data
        found: list[bytes] = []
        while (end := self._frame(found)) is not None:
            del self._buffer[:end]
        if len(self._buffer) > MOST_KEPT + 14:
            self._buffer.clear()
        return found

    def _frame(self, found: list[bytes]) -> int | None:
        if len(self._buffer) < 6:
            return None
        code, size, at = self._buffer[0] & 15, self._buffer[1] & 127, 2
        if size > 125:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(self._buffer[2 : 2 + wide]), 2 + wide
        masked = self._buffer[1] >> 7
        end = at + 4 * masked + size
        if len(self._buffer) < end:
            return None
        content = bytes(self._buffer[at + 4 * masked : end])
        if masked:
            key = bytes(self._buffer[at : at + 4]) * (size // 4 + 1)
            content = (int.from_bytes(content) ^ int.from_bytes(key[:size])).to_bytes(size)
        if code < 3:
            self._message += content[: MOST_KEPT - len(self._message)]
            if self._buffer[0] & 0x80:
                found.append(bytes(self._message))
                self._message.clear()
        return end
