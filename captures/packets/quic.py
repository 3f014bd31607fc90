"""QUIC: decrypts the client's first packets, whose keys follow from what stands in clear, to read the ClientHello.

Sources: RFC 9000 17.2, RFC 9001 5, RFC 9369 3; Google's and Facebook's versions as they are seen on the wire.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from functools import lru_cache

_V2 = 0x6B3343CF
_Q050, _T050, _T051 = 0x51303530, 0x54303530, 0x54303531

_DRAFT_22, _DRAFT_23, _DRAFT_29, _FINAL = (
    "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
    "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    "afbfec289993d24c9e9786f19c6111e04390a899",
    "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
)

_SALTS = {
    0x00000001: _FINAL,
    _V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    0xFF000016: _DRAFT_22,
    **dict.fromkeys(range(0xFF000017, 0xFF00001D), _DRAFT_23),
    **dict.fromkeys(range(0xFF00001D, 0xFF000021), _DRAFT_29),
    **dict.fromkeys((0xFF000021, 0xFF000022), _FINAL),
    # Facebook's, after drafts 22 and 27.
    0xFACEB001: _DRAFT_22,
    **dict.fromkeys((0xFACEB002, *range(0xFACEB00D, 0xFACEB011)), _DRAFT_23),
    # Google's, with its own handshake and with TLS.
    _Q050: "504574efd066fe2f9d945cfcdbd3a7f0d3b56b45",
    _T050: "7ff579e5acd072915580304c43a2367c60488310",
    _T051: "7a4edef4e7ccee5fa4506c19124fc8ccda6e033d",
}
"""Version -> salt of the first keys."""

VERSIONS = tuple(_SALTS)
"""Versions whose first packets can be decrypted."""

_MOST_CRYPTO = 64 * 1024
"""Bytes of a handshake that are collected; a ClientHello with post-quantum keys has about 2 kB."""

_MOST_PACKETS = 64


def is_initial(version: int) -> bool:
    """Version in a long header -> whether its first packets can be decrypted."""
    return version in _SALTS


@dataclass(slots=True)
class Handshake:
    """The client's handshake bytes of one connection, collected over its packets."""

    first: bytes = b""
    """Connection id that the keys follow from."""
    pieces: dict[int, bytes] = field(default_factory=dict)
    """Offset -> bytes."""
    packets: int = 0
    """Packets that were tried."""
    google: bytes = b""
    """Server name that stood in a handshake of Google's own."""

    def feed(self, datagram: bytes) -> bytes:
        """One datagram of the client -> the handshake from its beginning, as far as it is known by now.

        Several packets may share a datagram.  Never raises.
        """
        at = 0
        while at + 7 < len(datagram) and datagram[at] & 0x80 and self.packets < _MOST_PACKETS:
            self.packets += 1
            try:
                at = self._packet(datagram, at)
            except (IndexError, struct.error):
                break
        return self._joined()

    def _packet(self, datagram: bytes, at: int) -> int:
        first, version = datagram[at], int.from_bytes(datagram[at + 1 : at + 5])
        if version not in _SALTS:
            raise IndexError
        size = datagram[at + 5]
        identity = datagram[at + 6 : at + 6 + size]
        place = at + 6 + size
        place += 1 + datagram[place]
        kind = (first >> 4 & 3) - (version == _V2) & 3
        if kind == 3:
            # A retry ends the datagram; what follows it uses another id.
            return len(datagram)
        if kind == 0:
            length, place = _number(datagram, place)
            place += length
        length, place = _number(datagram, place)
        end = place + length
        if kind == 0 and end <= len(datagram):
            self._decrypt(datagram[at:end], place - at, version, identity)
        return end

    def _decrypt(self, packet: bytes, place: int, version: int, identity: bytes) -> None:
        for candidate in dict.fromkeys((self.first or identity, identity)):
            plain = _plain(packet, place, version, candidate)
            if plain is not None:
                self.first = candidate
                if version == _Q050:
                    self.google = self.google or google_name(plain)
                else:
                    self._frames(plain)
                return

    def _frames(self, plain: bytes) -> None:
        at = 0
        while at < len(plain):
            kind = plain[at]
            at += 1
            # T050 and T051 number these frames otherwise.
            if kind in (6, 8):
                offset, at = _number(plain, at)
                length, at = _number(plain, at)
                if offset + length <= _MOST_CRYPTO:
                    piece = plain[at : at + length]
                    if len(piece) > len(self.pieces.get(offset, b"")):
                        self.pieces[offset] = piece
                at += length
            elif kind in (2, 3):
                at = _acknowledgement(plain, at, kind == 3)
            elif kind > 1:
                # Padding and pings are the only others that a ClientHello comes with.
                return

    def _joined(self) -> bytes:
        found = bytearray()
        for offset in sorted(self.pieces):
            if offset > len(found):
                break
            found[offset:] = self.pieces[offset] if offset + len(self.pieces[offset]) > len(found) else found[offset:]
        return bytes(found)


def _acknowledgement(plain: bytes, at: int, counted: bool) -> int:
    _, at = _number(plain, at)
    _, at = _number(plain, at)
    ranges, at = _number(plain, at)
    for _ in range(min(1 + 2 * ranges + 3 * counted, len(plain))):
        _, at = _number(plain, at)
    return at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length and where it ends (RFC 9000, 16)."""
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size]) & (1 << (8 * size - 2)) - 1, at + size


def _plain(packet: bytes, place: int, version: int, identity: bytes) -> bytes | None:
    """One packet and where its packet number begins -> its frames; `None` when the keys do not fit."""
    # 0.03 s, and only captures with QUIC need it.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sample = packet[place + 4 : place + 20]
    if len(sample) < 16:
        return None
    key, start, hide = _keys(version, identity)
    mask = Cipher(algorithms.AES(hide), modes.ECB()).encryptor().update(sample)  # noqa: S305  # as RFC 9001 has it
    first = packet[0] ^ mask[0] & 15
    size = (first & 3) + 1
    digits = bytes(a ^ b for a, b in zip(packet[place : place + size], mask[1:5], strict=False))
    head = bytes([first]) + packet[1:place] + digits
    nonce = bytes(a ^ b for a, b in zip(start, digits.rjust(12, b"\0"), strict=True))
    try:
        return AESGCM(key).decrypt(nonce, packet[place + size :], head)
    except (InvalidTag, ValueError):
        return None


@lru_cache(maxsize=256)
def _keys(version: int, identity: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, nonce's base and header protection key of the client's first packets."""
    secret = hmac.digest(bytes.fromhex(_SALTS[version]), identity, hashlib.sha256)
    client = _expanded(secret, b"client in", 32)
    kind = b"quicv2" if version == _V2 else b"quic"
    return (
        _expanded(client, kind + b" key", 16),
        _expanded(client, kind + b" iv", 12),
        _expanded(client, kind + b" hp", 16),
    )


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1), for at most 32 bytes."""
    label = b"tls13 " + label
    info = struct.pack("!HB", size, len(label)) + label + b"\0\1"
    return hmac.digest(secret, info, hashlib.sha256)[:size]


def google_name(datagram: bytes) -> bytes:
    """First message of Google's own QUIC -> the server name in it; empty when there is none.

    It is made of tags, each with the end of its value, and stands in clear up to version Q046.
    """
    at = datagram.find(b"CHLO")
    if at < 0 or at + 8 > len(datagram):
        return b""
    count = int.from_bytes(datagram[at + 4 : at + 6], "little")
    values, begin = at + 8 + 8 * count, 0
    for place in range(at + 8, min(values, len(datagram) - 8), 8):
        end = int.from_bytes(datagram[place + 4 : place + 8], "little")
        if datagram[place : place + 4] == b"SNI\0":
            return datagram[values + begin : values + end]
        begin = end
    return b""
