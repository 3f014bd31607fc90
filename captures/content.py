"""Undoes content-encodings and whole-file compression, with a limit on what comes out.

A body of 2 kB can stand for gigabytes (brotli, zstd, gzip and deflate bombs), and mitmproxy sets no limit.
"""

from __future__ import annotations

import functools
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol, cast

from captures.model import Body

_BLOCK = 64 * 1024

_PIECE = 8 * 1024

_FILE_BLOCK = 1 << 20

_MOST_ENCODINGS = 8
"""Each may cost a pass over the body; real messages have one, seldom two."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may come out of a compressed body."""

    size: int = 64 * 1024 * 1024
    """Bytes in all."""
    ratio: int = 200
    """Times the bytes that went in; it counts only above `free`."""
    free: int = 1024 * 1024
    """Bytes that may always come out, since short texts compress well."""

    def allowed(self, raw: int) -> int:
        """Bytes in -> bytes that may come out."""
        return min(self.size, max(self.free, raw * self.ratio))


LIMITS = Limits()
"""The limits for captured bodies."""


def undo(raw: bytes, encoding: str, limits: Limits = LIMITS) -> Body:
    """Body as on the wire and its `Content-Encoding` -> `Body`; of several encodings the last is undone first.

    Never raises.  A damaged encoding keeps the good beginning (`cut`), an unknown one or more than eight keep nothing
    (`None`), a bomb keeps what the limits allow (`cut`).  Source: RFC 9110, 8.4.
    """
    content, problem = raw, ""
    names = [part.strip().lower() for part in encoding.split(",")]
    if len(names) > _MOST_ENCODINGS:
        return Body(None, len(raw), False, "too many content-encodings")
    for name in reversed(names):
        if name in ("", "identity", "aws-chunked"):
            continue
        content, problem = _undo_one(content, name, limits)
        if problem:
            break
    if problem.startswith("unknown"):
        return Body(None, len(raw), False, problem)
    return Body(content, len(raw), bool(problem), problem)


def _undo_one(raw: bytes, name: str, limits: Limits) -> tuple[bytes, str]:
    decoder = _DECODERS.get(name)
    if decoder is None:
        return b"", "unknown content-encoding"
    allowed = limits.allowed(len(raw))
    parts: list[bytes] = []
    size = 0
    try:
        for part in decoder(raw):
            parts.append(part)
            size += len(part)
            if size > allowed:
                return b"".join(parts)[:allowed], f"{name}: unpacks to more than {allowed} bytes"
    except DAMAGE:
        # Many clients label a plain body as compressed.
        return (raw, "") if not parts and name != "br" and _is_text(raw) else (b"".join(parts), f"{name}: is damaged")
    return b"".join(parts), ""


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Damaged(ValueError):
    """The data ends too early or goes wrong."""


def _gzip(raw: bytes) -> Iterator[bytes]:
    yield from _inflate(_pieces(raw), 31, _BLOCK)


def _deflate(raw: bytes) -> Iterator[bytes]:
    """With the zlib header, as RFC 9110 says, or without, as some servers send it."""
    zlib_header = len(raw) > 1 and raw[0] & 0x0F == 8 and (raw[0] * 256 + raw[1]) % 31 == 0
    yield from _inflate(_pieces(raw), 15 if zlib_header else -15, _BLOCK)


def _pieces(raw: bytes) -> Iterator[bytes]:
    for at in range(0, len(raw), _PIECE):
        yield raw[at : at + _PIECE]


def _inflate(blocks: Iterable[bytes], window: int, most: int) -> Iterator[bytes]:
    """Compressed blocks -> content, at most `most` bytes at once.  Raises `DAMAGE` after what is good.

    A large block goes through zlib in one call, in which other threads run.  From where a member ends or goes wrong it
    goes in pieces: what zlib leaves over is copied each time, and a file may be a million empty members.
    """
    stream, begun = None, False
    waiting: deque[bytes] = deque()
    for block in blocks:
        waiting.append(block)
        while waiting:
            # A gzip file may hold several members; what follows the last one is padding.
            piece = waiting.popleft().lstrip(b"\0" if begun and stream is None else b"")
            if not piece:
                continue
            stream, begun = stream or zlib.decompressobj(window), True
            before = stream.copy() if len(piece) > _PIECE else None
            try:
                yield stream.decompress(piece, most)
            except zlib.error:
                if before is None:
                    raise
                stream = before
                waiting.extendleft(reversed([*_pieces(piece)]))
                continue
            if stream.eof and window != 31:
                return
            if stream.eof:
                waiting.extendleft(reversed([*_pieces(stream.unused_data)]))
                stream = None
            elif stream.unconsumed_tail:
                waiting.appendleft(stream.unconsumed_tail)
    while stream and not stream.eof:
        part = stream.decompress(b"", most)
        if not part and not stream.eof:
            raise _Damaged
        yield part


def _brotli(raw: bytes) -> Iterator[bytes]:
    # Loaded when a body needs it.
    import brotli

    stream = brotli.Decompressor()
    pending = raw
    try:
        while not stream.is_finished():
            part = stream.process(pending, output_buffer_limit=_BLOCK)
            if not part and not pending:
                raise _Damaged
            pending = b""
            yield part
    except brotli.error as error:
        raise _Damaged from error


def _zstd(raw: bytes) -> Iterator[bytes]:
    import zstandard

    # A frame may ask for 4 GiB of window; 128 MiB is ample for HTTP (RFC 9659 asks for 8).
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        stream, done = decompressor.decompressobj(), 0
        while done < len(raw):
            # Four bytes can stand for a block of 128 KiB: small pieces keep what comes out at once small.
            piece = raw[done : done + 512]
            yield stream.decompress(piece)
            done += len(piece)
            if stream.eof:
                done -= len(stream.unused_data)
                stream = decompressor.decompressobj() if done < len(raw) else stream
    except zstandard.ZstdError as error:
        raise _Damaged from error
    if not stream.eof:
        raise _Damaged


_DECODERS = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}

DAMAGE: tuple[type[Exception], ...] = (_Damaged, zlib.error)
"""What is raised for data that ends too early or goes wrong."""


class Readable(Protocol):
    """What a compressed file is read from."""

    def read(self, size: int, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""
        ...


def unpack(file: Readable, encoding: str) -> Iterator[bytes]:
    """A compressed file (`gzip`, `zlib` or `zstd`) -> its content in blocks; memory stays flat.

    Raises one of `DAMAGE` where the file is damaged or ends too early, after the good blocks.
    """
    if encoding != "zstd":
        blocks = iter(functools.partial(file.read, _FILE_BLOCK), b"")
        yield from _inflate(blocks, 31 if encoding == "gzip" else 15, 4 * _FILE_BLOCK)
        return
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(
            cast("IO[bytes]", file), read_across_frames=True
        ) as stream:
            while block := stream.read(1 << 20):
                yield block
    except zstandard.ZstdError as error:
        raise _Damaged from error
