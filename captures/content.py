"""Undoes content-encodings and whole-file compression, with a limit on what comes out.

A body of 2 kB can stand for gigabytes (brotli, zstd, gzip and deflate bombs), and mitmproxy sets no limit.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Protocol, cast

from captures.model import Body

_BLOCK = 64 * 1024

_PIECE = 8 * 1024

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
    yield from _inflate(raw, 31)


def _deflate(raw: bytes) -> Iterator[bytes]:
    """With the zlib header, as RFC 9110 says, or without, as some servers send it."""
    zlib_header = len(raw) > 1 and raw[0] & 0x0F == 8 and (raw[0] * 256 + raw[1]) % 31 == 0
    yield from _inflate(raw, 15 if zlib_header else -15)


def _inflate(raw: bytes, window: int) -> Iterator[bytes]:
    stream = None
    # In pieces: what zlib leaves over is copied each time, and a body may be a million empty members.
    for at in range(0, len(raw), _PIECE):
        piece = raw[at : at + _PIECE]
        if at and stream is None:
            piece = piece.lstrip(b"\0")
        while piece:
            stream = stream or zlib.decompressobj(window)
            yield stream.decompress(piece, _BLOCK)
            piece = stream.unconsumed_tail
            if stream.eof and window != 31:
                return
            if stream.eof:
                # A gzip file may hold several members; what follows the last one is padding.
                piece, stream = stream.unused_data.lstrip(b"\0"), None
    while stream and not stream.eof:
        part = stream.decompress(b"", _BLOCK)
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
    if encoding == "gzip":
        yield from _gunzip(file)
        return
    if encoding == "zlib":
        yield from _unzlib(file)
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


def _unzlib(file: Readable) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    while not stream.eof:
        block = stream.unconsumed_tail or file.read(_BLOCK)
        if not block:
            raise _Damaged
        yield stream.decompress(block, 1 << 20)


def _gunzip(file: Readable) -> Iterator[bytes]:
    with gzip.open(cast("IO[bytes]", file)) as stream:
        try:
            # Not `read`, which keeps the good part back when the end is missing.
            while block := stream.read1(_BLOCK):
                yield block
        except (EOFError, OSError) as error:
            raise _Damaged from error
