"""TLS whose keys are known -> the HTTP in it.  tshark undoes the encryption, where it is installed."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from captures.model import CaptureError
from captures.packets import http1, http2
from captures.packets.conversations import Conversation
from captures.packets.payloads import Said
from captures.packets.summary import End

_MOST_STREAMS = 5_000
_AT_ONCE = 250
"""Connections that tshark follows in one pass over the file."""


def available() -> bool:
    """Whether tshark is installed."""
    return shutil.which("tshark") is not None


@dataclass(slots=True)
class _Followed:
    """One connection as tshark shows it."""

    stream: int
    pieces: list[tuple[float, int, bytes]] = field(default_factory=list)
    """When, which side, the bytes."""
    peers: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Side -> (address, port); tshark knows one of the two."""


def decrypt(path: Path, keys: Path | None, conversations: Iterable[Conversation]) -> None:
    """Puts the HTTP of connections whose keys are known into what their conversation said.

    `keys` is a key log as browsers and curl write it (SSLKEYLOGFILE); without one the secrets in a pcapng file are
    used.  Raises `CaptureError` when tshark is missing or cannot read the file.
    """
    if not available():
        raise CaptureError(
            f"{path.name}: tshark is needed to decrypt with keys; install it (Debian: apt install tshark)"
        )
    known = {}
    for conversation in conversations:
        said = conversation.said
        if isinstance(said, Said) and said.hello and conversation.opener is not None:
            known[conversation.ends[conversation.opener]] = said
    clients = _clients(path, keys)
    streams = [stream for stream in list(clients)[:_MOST_STREAMS] if clients[stream] in known]
    for begin in range(0, len(streams), _AT_ONCE):
        for followed in _follow(path, keys, streams[begin : begin + _AT_ONCE]):
            client = clients[followed.stream]
            if (found := _http(followed, client)) and found.calls:
                known[client].http = found


def _run(path: Path, keys: Path | None, options: Sequence[str]) -> Iterator[str]:
    """Lines that tshark prints.  It gets no settings of the user's, and asks nobody for names."""
    with tempfile.TemporaryDirectory(prefix="phonehome-") as folder:
        log = ["-o", f"tls.keylog_file:{keys}"] if keys else []
        environment = {**os.environ, "WIRESHARK_CONFIG_DIR": folder, "HOME": folder}
        command = ["tshark", "-n", "-r", str(path), *log, *options]
        process = subprocess.Popen(  # noqa: S603 - the user's file is an argument of tshark, no command
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=environment,
            text=True,
            errors="replace",
        )
        with process:
            if process.stdout:
                yield from process.stdout
        # 2 says that the end of the file is missing; what came before was read.
        if process.returncode not in (0, 2):
            raise CaptureError(f"{path.name}: tshark cannot read it; give it without the keys")


def _clients(path: Path, keys: Path | None) -> dict[int, End]:
    """Number of each TLS connection, as tshark counts -> the client's end."""
    found: dict[int, End] = {}
    fields = [option for name in ("tcp.stream", "ip.src", "ipv6.src", "tcp.srcport") for option in ("-e", name)]
    for line in _run(path, keys, ["-Y", "tls.handshake.type == 1 && tcp", "-T", "fields", *fields]):
        stream, four, six, port = (*(text.partition(",")[0] for text in line.rstrip("\n").split("\t")), "", "", "")[:4]
        try:
            found.setdefault(int(stream), End(ipaddress.ip_address(four or six).packed, int(port)))
        except ValueError:
            continue
    return found


def _follow(path: Path, keys: Path | None, streams: Sequence[int]) -> Iterator[_Followed]:
    """Connections -> the bytes in them, decrypted; one that could not be decrypted has none."""
    options = ["-q", *(option for stream in streams for option in ("-z", f"follow,tls,yaml,{stream}"))]
    remaining = iter(streams)
    current: _Followed | None = None
    side, when, encoded = 0, 0.0, list[str]()
    for line in _run(path, keys, options):
        name, _, value = line.strip().removeprefix("- ").partition(": ")
        if encoded and not line.startswith("      "):
            _take(current, when, side, encoded)
        if line.startswith("peers:"):
            if current:
                yield current
            current = _Followed(next(remaining, -1))
        elif name == "peer" and value.isdecimal():
            side = int(value)
        elif current and name in ("host", "port") and value:
            address, port = current.peers.get(side, ("", ""))
            current.peers[side] = (value, port) if name == "host" else (address, value)
        elif name == "timestamp":
            when = _number(value)
        elif line.startswith("      "):
            encoded.append(line.strip())
    if encoded:
        _take(current, when, side, encoded)
    if current:
        yield current


def _take(current: _Followed | None, when: float, side: int, encoded: list[str]) -> None:
    try:
        content = base64.b64decode("".join(encoded))
    except binascii.Error:
        content = b""
    if current and content:
        current.pieces.append((when, side, content))
    encoded.clear()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _http(followed: _Followed, client: End) -> http1.Http | http2.Http2 | None:
    """The requests and answers of one connection; `None` when it is no HTTP."""
    theirs = (str(ipaddress.ip_address(client.address)), str(client.port))
    mine = next((side for side, peer in followed.peers.items() if peer == theirs), None)
    if mine is None:
        # tshark names the other end alone.
        mine = next((1 - side for side, peer in followed.peers.items() if all(peer) and peer[0]), 0)
    first = b"".join(content for _, side, content in followed.pieces if side == mine)[: len(http2.PREFACE)]
    found: http1.Http | http2.Http2
    if first == http2.PREFACE:
        found = http2.Http2()
    elif http1.is_request(first):
        found = http1.Http()
    else:
        return None
    for when, side, content in followed.pieces:
        found.feed(content, when, from_client=side == mine)
    return found
