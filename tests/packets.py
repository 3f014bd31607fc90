"""Builds packets and files of packets for tests: made-up addresses, real layouts."""

from __future__ import annotations

import ipaddress
import random
import struct
from collections.abc import Iterable, Sequence

TV, VENDOR, ROUTER = "192.168.1.20", "198.51.100.7", "192.168.1.1"
TV_MAC, ROUTER_MAC = bytes.fromhex("020000000020"), bytes.fromhex("020000000001")


def ip(source: str, destination: str, protocol: int, content: bytes, *, number: int = 1, piece: int = 0) -> bytes:
    """IPv4 or IPv6 packet; `piece` is IPv4's field of flags and fragment offset."""
    a, b = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    if len(a) == 4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), number, piece, 64, protocol, 0) + a + b + content
    return struct.pack("!IHBB", 6 << 28, len(content), protocol, 64) + a + b + content


def ethernet(packet: bytes, source: bytes = TV_MAC, destination: bytes = ROUTER_MAC) -> bytes:
    """Ethernet frame."""
    return destination + source + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def udp(source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> bytes:
    """UDP packet."""
    content = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return ip(source[0], destination[0], 17, content)


def fragments(packet: bytes, size: int) -> list[bytes]:
    """IPv4 or IPv6 packet -> its fragments of `size` bytes, a multiple of eight."""
    wide = packet[0] >> 4 == 6
    head, protocol, content = packet[: 40 if wide else 20], packet[6 if wide else 9], packet[40 if wide else 20 :]
    a, b = (head[8:24], head[24:40]) if wide else (head[12:16], head[16:20])
    ends = str(ipaddress.ip_address(a)), str(ipaddress.ip_address(b))
    found = []
    for at in range(0, len(content), size):
        more = at + size < len(content)
        if wide:
            found.append(ip(*ends, 44, struct.pack("!BBHI", protocol, 0, at | more, 77) + content[at : at + size]))
        else:
            found.append(ip(*ends, protocol, content[at : at + size], piece=at // 8 | more << 13))
    return found


def tcp(
    source: tuple[str, int],
    destination: tuple[str, int],
    payload: bytes = b"",
    *,
    flags: int = 0x18,
    sequence: int = 1,
    acknowledged: int = 1,
) -> bytes:
    """TCP packet."""
    head = struct.pack("!HHIIBBHHH", source[1], destination[1], sequence, acknowledged, 0x50, flags, 8192, 0, 0)
    return ip(source[0], destination[0], 6, head + payload)


def connection(
    client: tuple[str, int], server: tuple[str, int], sent: Sequence[bytes], received: Sequence[bytes] = ()
) -> list[bytes]:
    """A TCP connection: handshake, the client's segments, the server's."""
    packets = [
        tcp(client, server, flags=0x02, sequence=100),
        tcp(server, client, flags=0x12, sequence=500, acknowledged=101),
        tcp(client, server, flags=0x10, sequence=101, acknowledged=501),
    ]
    mine, theirs = 101, 501
    for segment in sent:
        packets.append(tcp(client, server, segment, sequence=mine, acknowledged=theirs))
        mine += len(segment)
    for segment in received:
        packets.append(tcp(server, client, segment, sequence=theirs, acknowledged=mine))
        theirs += len(segment)
    return packets


def name(text: str) -> bytes:
    """Name as DNS writes it."""
    return b"".join(bytes([len(label.encode())]) + label.encode() for label in text.split(".")) + b"\0"


def dns(
    number: int, asked: str, kind: int = 1, answers: Iterable[tuple[int, bytes]] = (), *, answer: bool = False
) -> bytes:
    """DNS message; each answer is (type, data) of the name that was asked for."""
    records = [b"\xc0\x0c" + struct.pack("!HHIH", code, 1, 60, len(data)) + data for code, data in answers]
    flags = 0x8180 if answer or records else 0x0100
    head = struct.pack("!6H", number, flags, 1, len(records), 0, 0)
    return head + name(asked) + struct.pack("!HH", kind, 1) + b"".join(records)


def extension(code: int, value: bytes) -> bytes:
    """TLS extension."""
    return struct.pack("!HH", code, len(value)) + value


def hello(host: str, extensions: bytes = b"", ciphers: Sequence[int] = (0x1301, 0x1302)) -> bytes:
    """ClientHello as a handshake message."""
    names = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host.encode()
    alpn = b"\x00\x03\x02h2"
    versions = b"\x04\x03\x04\x03\x03"
    listed = extension(0, names) + extension(16, alpn) + extension(43, versions) + extensions
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack("!H", 2 * len(ciphers))
    body += b"".join(struct.pack("!H", code) for code in ciphers) + b"\x01\0" + struct.pack("!H", len(listed)) + listed
    return b"\1" + len(body).to_bytes(3) + body


def record(message: bytes, kind: int = 22) -> bytes:
    """TLS record."""
    return struct.pack("!BHH", kind, 0x0301, len(message)) + message


def pcap(
    packets: Iterable[bytes],
    *,
    link: int = 1,
    order: str = "<",
    nano: bool = False,
    snap: int = 262_144,
    lengths: Sequence[int] = (),
) -> bytes:
    """pcap file; the packets follow one another every tenth of a second from 1700000000.0.

    `lengths` are those on the wire of packets that were cut.
    """
    parts = [struct.pack(order + "IHHIIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snap, link)]
    for place, packet in enumerate(packets):
        kept, fraction = packet[:snap], place % 10 * (100_000_000 if nano else 100_000)
        length = lengths[place] if lengths else len(packet)
        parts.append(struct.pack(order + "IIII", 1_700_000_000 + place // 10, fraction, len(kept), length) + kept)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    """pcapng section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, options: bytes = b"", order: str = "<") -> bytes:
    """pcapng interface description."""
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)


def enhanced(packet: bytes, ticks: int, number: int = 0, order: str = "<") -> bytes:
    """pcapng enhanced packet block."""
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, head + packet, order)


def quic_client(host: str, *, version: int = 1, alpn: Sequence[str] = ("h3",), seed: int = 0) -> list[bytes]:
    """Datagrams with which a QUIC client begins, made by aioquic; many protocols make a ClientHello longer than one.

    The same seed gives the same connection id.
    """
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    client = QuicConnection(
        configuration=QuicConfiguration(
            server_name=host, alpn_protocols=list(alpn), original_version=version, supported_versions=[version]
        )
    )
    client._peer_cid.cid = random.Random(seed).randbytes(8)  # the only way to choose it
    client.connect((VENDOR, 443), now=0.0)
    return [datagram for datagram, _ in client.datagrams_to_send(now=0.0)]


def _conversations() -> list[bytes]:
    client, server = (TV, 50_000), (VENDOR, 443)
    http = b"POST /a HTTP/1.1\r\nHost: plex.tv\r\nContent-Length: 4\r\n\r\nbody"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    gdm = b"HELLO * HTTP/1.0\r\nContent-Type: plex/media-player\r\nName: tv\r\nResource-Identifier: 0123\r\n\r\n"
    whole = record(hello("plex.tv"))
    return [
        udp((TV, 40_000), (ROUTER, 53), dns(7, "plex.tv")),
        udp((ROUTER, 53), (TV, 40_000), dns(7, "plex.tv", answers=[(1, bytes([198, 51, 100, 7]))])),
        *connection(client, server, [whole[:60], whole[60:]], [record(b"\2" + bytes(40))]),
        *connection((TV, 50_001), (VENDOR, 80), [http], [answer]),
        *(udp((TV, 50_002), server, datagram) for datagram in quic_client("h3.plex.tv")),
        *fragments(udp((TV, 40_001), (ROUTER, 53), dns(8, "a-long-name.relay.plex.tv")), 24),
        udp((TV, 32_412), ("239.0.0.250", 32_413), gdm),
        udp((TV, 40_002), ("239.255.255.250", 1900), b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n"),
        udp((TV, 40_003), (ROUTER, 5351), b"\0\2\0\0" + struct.pack("!HHI", 32400, 32400, 7200)),
    ]


def containers() -> dict[str, bytes]:
    """File name -> a small capture: both containers, the same conversations of all kinds."""
    packets = _conversations()
    blocks = b"".join(enhanced(ethernet(p), 1_700_000_000_000_000 + n) for n, p in enumerate(packets))
    return {
        "made-up.pcap": pcap([ethernet(packet) for packet in packets]),
        "made-up-raw.pcap": pcap(packets, link=101, order=">", nano=True),
        "made-up.pcapng": section() + interface() + blocks,
    }
