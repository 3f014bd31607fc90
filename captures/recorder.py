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
from typing import BinaryIO

import msgspec

from captures.ledger import Writer
from captures.model import CaptureError, Contact, Exchange, Lookup, Observation, Unreadable
from captures.pseudonym import key

_LENGTH = struct.Struct(">I")

_KINDS: tuple[type[Exchange | Contact | Lookup | Unreadable], ...] = (Exchange, Contact, Lookup, Unreadable)

_ROWS = msgspec.msgpack.Decoder(tuple[int, list[tuple[int, msgspec.Raw]]])


class _Order(msgspec.Struct):
    path: str
    keep_secrets: bool


def order(path: Path, *, keep_secrets: bool) -> bytes:
    """The first line: which ledger, and whether tokens and passwords stay as they are."""
    return msgspec.json.encode(_Order(str(path), keep_secrets)) + b"\n"


def frame(observations: Iterable[Observation], lost: int) -> bytes:
    """Observations, and the number of those that were lost before, as one frame."""
    rows = [(_KINDS.index(type(observation)), observation) for observation in observations]
    data = msgspec.msgpack.encode((lost, rows))
    return _LENGTH.pack(len(data)) + data


def frames(pipe: BinaryIO) -> Iterator[tuple[int, list[Observation]]]:
    """What `frame` packed, until the pipe ends; a frame that is cut off ends it too."""
    while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        lost, rows = _ROWS.decode(data)
        yield lost, [msgspec.msgpack.decode(raw, type=_KINDS[kind]) for kind, raw in rows]


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
    for lost, observations in frames(pipe):
        writer.missed(lost)
        for observation in observations:
            writer.put(observation)
    writer.close()


if __name__ == "__main__":
    main()
