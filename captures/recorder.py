"""Keeps a ledger from a process of its own, so that concealing and storing cost the proxy next to nothing.

`python -m captures.recorder` is that process.  First a line of JSON (`path`, `keep_secrets`) comes in on its standard
input, then frames of observations; it answers with a line: the number of the next flow, or what is wrong.  When its
input ends, it writes what is left and ends.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from msgspec.structs import replace

from captures.content import Limits, undo
from captures.formats.flows import observations
from captures.ledger import Writer
from captures.model import (
    Body,
    CaptureError,
    Contact,
    Effect,
    Exchange,
    Lookup,
    Observation,
    Pairs,
    Source,
    Unreadable,
)
from captures.pseudonym import key


class Streamed(NamedTuple):
    """A body that passed piece by piece."""

    size: int
    """Bytes in all."""
    kept: bytes
    """Its beginning; empty for a medium."""


class Raw(NamedTuple):
    """An HTTP flow as the proxy has it, from which the exchange is made here: that is most of the work."""

    state: dict[str, Any]
    """What `flows.observations` looks at."""
    number: int
    """Number of the flow."""
    device: str
    """Name of the device; empty: its address."""
    sent: Streamed | None
    """Body of the request, if it was streamed."""
    answered: Streamed | None
    """Body of the answer, if it was streamed."""


_LENGTH = struct.Struct(">I")

_KINDS: tuple[type[Exchange | Contact | Lookup | Unreadable | Effect], ...] = (
    Exchange,
    Contact,
    Lookup,
    Unreadable,
    Effect,
)

_RAW = len(_KINDS)

_ROWS = msgspec.msgpack.Decoder(tuple[int, list[tuple[int, msgspec.Raw]]])
_ENCODER = msgspec.msgpack.Encoder()

# A small bomb must cost little.
_LIMITS = Limits(size=4 * 1024 * 1024)


class _Order(msgspec.Struct):
    path: str
    keep_secrets: bool


def order(path: Path, *, keep_secrets: bool) -> bytes:
    """The first line: which ledger, and whether tokens and passwords stay as they are."""
    return msgspec.json.encode(_Order(str(path), keep_secrets)) + b"\n"


def exchange(raw: Raw) -> Exchange | Unreadable:
    """Flow -> the exchange; `Unreadable` when its state is none that a flow should have."""
    seen = observations(raw.state, Source(0, raw.number))[0]
    if not isinstance(seen, Exchange):
        return Unreadable(seen.source, None, f"flow {raw.number}", getattr(seen, "reason", "is odd"))
    changes: dict[str, Any] = {"device": raw.device} if raw.device else {}
    if raw.sent:
        body = _body(raw.sent, seen.headers)
        changes |= {"body": body, "bytes_out": seen.bytes_out + body.size}
    if raw.answered:
        body = _body(raw.answered, seen.response_headers)
        changes |= {"response_body": body, "bytes_in": seen.bytes_in + body.size}
    return replace(seen, **changes) if changes else seen


def _body(streamed: Streamed, headers: Pairs) -> Body:
    if not streamed.size:
        return Body()
    if not streamed.kept:
        return Body(None, streamed.size, True, "a medium, which is not kept")
    encoding = next((value for name, value in headers if name == "content-encoding"), "")
    opened = undo(streamed.kept, encoding, _LIMITS)
    if streamed.size == len(streamed.kept):
        return opened
    return Body(opened.content, streamed.size, True, "only the beginning was kept")


def packed(item: Observation | Effect | Raw) -> bytes:
    """An observation or a flow as a row of a frame; one that cannot be packed becomes an `Unreadable`."""
    try:
        return _ENCODER.encode((_RAW if isinstance(item, Raw) else _KINDS.index(type(item)), item))
    except Exception as error:
        number = item.number if isinstance(item, Raw) else 0 if isinstance(item, Effect) else item.source.index
        odd = Unreadable(Source(0, number), None, f"flow {number}", f"is odd ({type(error).__name__})")
        return _ENCODER.encode((_KINDS.index(Unreadable), odd))


def frame(rows: Iterable[bytes], lost: int) -> bytes:
    """What `packed` made, and the number of observations that were lost before, as one frame."""
    data = _ENCODER.encode((lost, [msgspec.Raw(row) for row in rows]))
    return _LENGTH.pack(len(data)) + data


def frames(pipe: BinaryIO) -> Iterator[tuple[int, list[Observation | Effect]]]:
    """What `frame` packed, until the pipe ends; a frame that is cut off ends it too."""
    while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        lost, rows = _ROWS.decode(data)
        yield lost, [one for kind, row in rows for one in _unpacked(kind, row)]


def _unpacked(kind: int, data: msgspec.Raw) -> list[Observation | Effect]:
    try:
        if kind != _RAW:
            return [msgspec.msgpack.decode(data, type=_KINDS[kind])]
        raw = msgspec.msgpack.decode(data, type=Raw)
        seen = exchange(raw)
        offered = isinstance(seen, Exchange) and _http3_offered(seen, raw.state["client_conn"]["proxy_mode"])
        return [seen, _effect("http3", seen)] if offered else [seen]
    except Exception as error:
        return [Unreadable(Source(0, 0), None, "a flow", f"is odd ({type(error).__name__})")]


def _http3_offered(seen: Exchange, way: str) -> bool:
    """Whether a server offers HTTP/3 to a device that came by a way on which no UDP passes (RFC 7838)."""
    told = next((value for name, value in seen.response_headers if name == "alt-svc"), "")
    return "h3" in told and way.partition(":")[0] in _TCP_WAYS


_TCP_WAYS = frozenset({"regular", "upstream", "socks5", "transparent"})


def _effect(kind: str, seen: Exchange | Unreadable) -> Effect:
    time = seen.time or 0.0
    return Effect(kind, seen.host, seen.device, 1, time, time)


def main() -> None:
    """Records until standard input ends."""
    pipe = sys.stdin.buffer
    wanted = msgspec.json.decode(pipe.readline(), type=_Order)
    try:
        writer = Writer(Path(wanted.path), None if wanted.keep_secrets else key())
    except (CaptureError, OSError) as error:
        sys.stdout.write(f"{error}\n")
        return
    sys.stdout.write(f"{writer.next_flow}\n")
    sys.stdout.flush()
    for lost, found in frames(pipe):
        writer.missed(lost)
        for one in found:
            if isinstance(one, Effect):
                writer.effect(one)
                continue
            writer.put(one)
    writer.close()


if __name__ == "__main__":
    main()
