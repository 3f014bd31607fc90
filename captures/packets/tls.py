"""What a TLS handshake says in clear.  Sources: RFC 8446, 6066, 7301, 9849; JA4: FoxIO's technical description."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from functools import lru_cache

_SNI, _ALPN, _VERSIONS, _SIGNATURES, _ECH = 0, 16, 43, 13, 0xFE0D

_NAMES = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0xFEFF: "d1", 0xFEFD: "d2"}

_DISTRUST = {
    42: "client rejected the certificate",
    43: "client rejected the certificate",
    44: "client rejected the certificate",
    45: "client rejected the certificate",
    46: "client rejected the certificate",
    48: "client rejected the certificate",
}
"""Alerts with which a client says that it does not trust the certificate (RFC 8446, 6.2)."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A ClientHello."""

    name: str
    """Server name (SNI), lower case, as far as it is a possible host name; empty when there is none."""
    alpn: tuple[str, ...]
    """Protocols that the client offers: `h2`, `http/1.1`, `h3`…"""
    ech: bool
    """Whether it has an encrypted ClientHello, or what cannot be told from one (GREASE)."""
    ja4: str
    """JA4 fingerprint of the client."""


def handshake(stream: bytes) -> tuple[bytes, bool]:
    """Beginning of a TLS stream -> (handshake bytes of its records, whether it can go on).

    A ClientHello may be split over several records.
    """
    found, at = bytearray(), 0
    while at + 5 <= len(stream):
        kind, major, size = stream[at], stream[at + 1], stream[at + 3] << 8 | stream[at + 4]
        if kind != 22 or major != 3 or not 0 < size <= 16_640:
            return bytes(found), False
        found += stream[at + 5 : at + 5 + size]
        at += 5 + size
    return bytes(found), True


def hello(message: bytes, transport: str = "t") -> Hello | None:
    """Handshake message with its head of four bytes -> what the ClientHello says.

    `None` for what is none or is not whole.  `transport` is `t` (TCP), `q` (QUIC) or `d` (DTLS), for the fingerprint.
    Never raises.
    """
    if len(message) < 4 or message[0] != 1 or int.from_bytes(message[1:4]) + 4 > len(message):
        return None
    try:
        return _hello(message[4 : 4 + int.from_bytes(message[1:4])], transport)
    except (IndexError, struct.error):
        return None


def size(message: bytes) -> int | None:
    """Bytes of the handshake message that begins here, with its head; `None` while that is not known."""
    return int.from_bytes(message[1:4]) + 4 if len(message) >= 4 else None


def _hello(body: bytes, transport: str) -> Hello:
    version = body[0] << 8 | body[1]
    at = 34
    at += 1 + body[at]
    if transport == "d":
        at += 1 + body[at]
    (length,) = struct.unpack_from("!H", body, at)
    ciphers = _numbers(body[at + 2 : at + 2 + length])
    at += 2 + length
    at += 1 + body[at]
    listed = _extensions(body, at)
    extensions = dict(listed)
    alpn = _alpn(extensions.get(_ALPN, b""))
    offered = extensions.get(_VERSIONS, b"")
    versions = tuple(number for number in _numbers(offered[1:]) if not _grease(number))
    sent = tuple(code for code, _ in listed if not _grease(code))
    signatures = extensions.get(_SIGNATURES, b"")[2:]
    return Hello(
        name=_server_name(extensions.get(_SNI, b"")),
        alpn=tuple(text for text in alpn if text),
        ech=_ECH in extensions,
        ja4=_ja4(
            transport, versions or (version,), ciphers, sent, signatures, next(iter(alpn), ""), _SNI in extensions
        ),
    )


def _numbers(raw: bytes) -> tuple[int, ...]:
    """Numbers of two bytes each; a byte that is left over is none."""
    return struct.unpack_from(f"!{len(raw) // 2}H", raw)


def _grease(number: int) -> bool:
    """RFC 8701: values that clients send so that servers get used to unknown ones."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _extensions(body: bytes, at: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    if at + 2 > len(body):
        return found
    end = min(at + 2 + struct.unpack_from("!H", body, at)[0], len(body))
    at += 2
    while at + 4 <= end:
        code, length = struct.unpack_from("!HH", body, at)
        found.append((code, body[at + 4 : min(at + 4 + length, end)]))
        at += 4 + length
    return found


def _server_name(value: bytes) -> str:
    if len(value) < 5 or value[2] != 0:
        return ""
    return host_name(value[5 : 5 + (value[3] << 8 | value[4])])


def host_name(raw: bytes) -> str:
    """Bytes -> host name in lower case, without a final dot; empty when a host cannot be called so."""
    name = raw.rstrip(b".")
    return name.decode().lower() if _NAME.fullmatch(name) else ""


_NAME = re.compile(rb"[0-9A-Za-z._:-]{1,253}")


def _alpn(value: bytes) -> list[str]:
    at, found = 2, []
    while at < len(value):
        found.append(value[at + 1 : at + 1 + value[at]].decode("latin-1"))
        at += 1 + value[at]
    return found


# A client says the same each time but for the name.
@lru_cache(maxsize=1024)
def _ja4(
    transport: str,
    versions: tuple[int, ...],
    ciphers: tuple[int, ...],
    extensions: tuple[int, ...],
    signatures: bytes,
    first: str,
    named: bool,
) -> str:
    kept = [number for number in ciphers if not _grease(number)]
    ends = f"{first[0]}{first[-1]}" if first else "00"
    if first and not (first[0].isalnum() and first[-1].isalnum() and first.isascii()):
        coded = first.encode("latin-1").hex()
        ends = coded[0] + coded[-1]
    version = _NAMES.get(max(versions) if transport != "d" else min(versions), "00")
    count = f"{min(len(kept), 99):02}{min(len(extensions), 99):02}"
    ordered = sorted(f"{code:04x}" for code in extensions if code not in (_SNI, _ALPN))
    algorithms = [f"{number:04x}" for number in _numbers(signatures)]
    text = ",".join(ordered) + ("_" + ",".join(algorithms) if algorithms else "")
    return "_".join(
        (
            f"{transport}{version}{'d' if named else 'i'}{count}{ends}",
            _short_hash(",".join(sorted(f"{code:04x}" for code in kept))),
            _short_hash(text if ordered else ""),
        )
    )


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def rejection(payload: bytes) -> str:
    """Payload that begins with a clear alert record -> why the client refused, or the empty string."""
    if len(payload) != 7 or payload[0] != 21 or payload[1] != 3 or payload[3:5] != b"\0\2" or payload[5] != 2:
        return ""
    return _DISTRUST.get(payload[6], "")
