"""HTTP/2 whose encryption was undone: the two streams of a connection -> its requests and answers.

Sources: RFC 9113, 7541 (`hpack` reads the headers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from captures.packets.http1 import Call

if TYPE_CHECKING:
    from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_DATA, _HEADERS, _PROMISE, _CONTINUATION = 0, 1, 5, 9
_END_HEADERS, _PADDED, _PRIORITY = 0x04, 0x08, 0x20
_MOST_CALLS = 10_000
_LONGEST_HEAD = 256 * 1024


class _Half:
    """One direction: its frames, and the table of its headers."""

    def __init__(self) -> None:
        from hpack import Decoder

        self.buffer = bytearray()
        self.decoder: Decoder = Decoder(max_header_list_size=_LONGEST_HEAD)
        self.decoder.max_allowed_table_size = 1 << 20
        self.block = bytearray()
        """Header block of which more frames follow."""
        self.broken = False


class Http2:
    """The requests and answers of one connection, as their bytes come in; like `http1.Http`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.damaged = False
        """Whether a part could not be read."""
        self._halves = {True: _Half(), False: _Half()}
        self._open: dict[int, Call] = {}
        self._begun = False

    def feed(self, data: bytes, time: float, *, from_client: bool) -> None:
        """The next bytes of one direction."""
        half = self._halves[from_client]
        if half.broken:
            return
        half.buffer += data
        if from_client and not self._begun:
            if len(half.buffer) < len(PREFACE):
                return
            self._begun = True
            del half.buffer[: len(PREFACE)]
        while len(half.buffer) >= 9 and not half.broken:
            size = int.from_bytes(half.buffer[:3])
            if len(half.buffer) < 9 + size:
                break
            kind, flags = half.buffer[3], half.buffer[4]
            stream = int.from_bytes(half.buffer[5:9]) & 0x7FFFFFFF
            content = bytes(half.buffer[9 : 9 + size])
            del half.buffer[: 9 + size]
            self._frame(half, kind, flags, stream, content, time, from_client)

    def _frame(
        self, half: _Half, kind: int, flags: int, stream: int, content: bytes, time: float, from_client: bool
    ) -> None:
        if kind in (_DATA, _HEADERS, _PROMISE) and flags & _PADDED:
            content = content[1 : len(content) - content[0]] if content else b""
        if kind == _DATA and (call := self._open.get(stream)):
            (call.body if from_client else call.answer).add(content)
            call.end = time
        if kind == _HEADERS and flags & _PRIORITY:
            content = content[5:]
        # A promised request must be decoded, too: all headers of a direction share one table.
        if kind == _PROMISE:
            content = content[4:]
        if kind in (_HEADERS, _PROMISE, _CONTINUATION):
            half.block += content
            if len(half.block) > _LONGEST_HEAD:
                half.broken = self.damaged = True
            elif flags & _END_HEADERS:
                block = bytes(half.block)
                half.block.clear()
                self._headers(half, block, stream, time, from_client, promised=kind == _PROMISE)

    def _headers(
        self, half: _Half, block: bytes, stream: int, time: float, from_client: bool, *, promised: bool
    ) -> None:
        from hpack import HPACKError

        try:
            raw = half.decoder.decode(block, raw=True)
        except (HPACKError, ValueError):
            half.broken = self.damaged = True
            return
        pairs = tuple((bytes(n).decode("latin-1").lower(), bytes(v).decode("utf-8", "replace")) for n, v in raw)
        table = dict(pairs)
        headers = tuple((name, value) for name, value in pairs if not name.startswith(":"))
        size = sum(len(name) + len(value) + 4 for name, value in pairs)
        call = self._open.get(stream)
        if from_client and ":method" in table and call is None and len(self.calls) < _MOST_CALLS:
            host = () if "host" in table or ":authority" not in table else (("host", table[":authority"]),)
            call = Call(time, time, table[":method"], table.get(":path", "/"), "HTTP/2.0", (*host, *headers), size)
            self._open[stream] = call
            self.calls.append(call)
        elif not from_client and not promised and call and table.get(":status", "").isdecimal():
            status = int(table[":status"][:3])
            if status >= 200:
                call.status, call.answer_headers, call.head_in, call.end = status, headers, size, time
