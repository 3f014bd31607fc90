"""The filter of the passive path, run by the kernel itself on a pair of sockets: that takes no rights."""

from __future__ import annotations

import ctypes
import random
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import packets
from captures.formats import pcap
from captures.gateway import bpf
from packets import ROUTER, TV, VENDOR, ethernet, hello, record, tcp, udp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="classic BPF on sockets is Linux's")

NOISE = random.Random(1).randbytes(1200).replace(b"\x16\x03", b"\x17\x03")
APPLICATION = b"\x17\x03\x03\x04\xb0" + NOISE
"""A record of encrypted data, as nearly all packets of films are."""

type Filter = Callable[[bytes], int]
"""Packet -> how many bytes of it pass."""


def attached(program: bytes) -> Iterator[Filter]:
    """The program in the kernel."""
    inside, outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    code = ctypes.create_string_buffer(program, len(program))
    inside.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    inside.setblocking(False)

    def passed(packet: bytes) -> int:
        outside.send(packet)
        try:
            return len(inside.recv(70_000))
        except BlockingIOError:
            return 0

    with inside, outside:
        yield passed


@pytest.fixture(scope="module")
def passed() -> Iterator[Filter]:
    yield from attached(bpf.program(1))


def to(port: int, payload: bytes, flags: int = 0x18, source: int = 40000) -> bytes:
    return tcp((TV, source), (VENDOR, port), payload, flags=flags)


def datagram(port: int, payload: bytes, source: int = 40000) -> bytes:
    return udp((TV, source), (VENDOR, port), payload)


def wide(protocol: int, content: bytes) -> bytes:
    return packets.ip("2001:db8::20", "2001:db8:1::7", protocol, content)


_HELLO = record(hello("plex.example", packets.extension(21, bytes(800))))

SAYS = {
    "SYN": to(9999, APPLICATION, flags=0x02),
    "FIN": to(9999, APPLICATION, flags=0x11),
    "RST": to(9999, APPLICATION, flags=0x04),
    "ClientHello on any port": to(9999, _HELLO),
    "second segment of a ClientHello": to(443, NOISE),
    "request in clear on any port": to(9999, b"POST /a HTTP/1.1\r\n" + NOISE),
    "answer in clear on any port": to(40000, b"HTTP/1.1 200 OK\r\n" + NOISE, source=9999),
    "body to a server that speaks in clear": to(32400, NOISE),
    "body from a server that speaks in clear": to(40000, NOISE, source=80),
    "DNS over TCP": to(40000, NOISE, source=53),
    "SOCKS 5": to(1080, b"\5\1\0\3\xff" + NOISE[:255] + b"\1\xbb"),
    "SOCKS 4a": to(1080, b"\4\1\1\xbb\0\0\0\1" + NOISE),
    "DNS": datagram(53, NOISE),
    "answer of DNS": datagram(40000, NOISE, source=53),
    "mDNS": datagram(5353, NOISE),
    "GDM": datagram(32414, NOISE),
    "answer of SSDP to any port": datagram(40000, b"HTTP/1.1 200 OK\r\n" + NOISE),
    "QUIC": datagram(443, b"\xc3\0\0\0\1" + NOISE),
    "QUIC version 2": datagram(443, b"\xd3\x6b\x33\x43\xcf" + NOISE),
    "Google's QUIC": datagram(443, b"\x0d" + bytes(8) + b"Q043" + NOISE),
    "VXLAN": datagram(4789, NOISE),
    "IPv4 fragment": packets.fragments(datagram(9999, APPLICATION), 600)[1],
    "IPv6 fragment": packets.fragments(wide(17, bytes(8) + APPLICATION), 600)[0],
    "IPv6 in IPv4": packets.ip(TV, VENDOR, 41, wide(6, APPLICATION)),
    "ClientHello over IPv6": wide(6, to(9999, _HELLO)[20:]),
    "IPv6 with options": wide(0, bytes([6, 0, 1, 4, 0, 0, 0, 0]) + APPLICATION),
}

SAYS_NOTHING = {
    "encrypted data": (to(9999, APPLICATION), 54),
    "encrypted data from a server": (to(40000, APPLICATION, source=443), 54),
    "ServerHello": (to(40000, b"\x16\x03\x03\4\0\2" + NOISE, source=443), 54),
    "a word like a method": (to(9999, b"GETS" + NOISE), 54),
    "a datagram": (datagram(9999, NOISE), 42),
    "QUIC of another version": (datagram(443, b"\xc3\x12\x34\x56\x78" + NOISE), 42),
    "QUIC with a short header": (datagram(443, b"\x43" + bytes(40) + NOISE), 42),
    "encrypted data over IPv6": (wide(6, to(9999, APPLICATION)[20:]), 74),
}


@pytest.mark.parametrize("name", SAYS)
def test_what_says_something_passes_whole(passed: Filter, name: str) -> None:
    packet = ethernet(SAYS[name])
    assert passed(packet) == len(packet)


@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_of_the_rest_the_headers_and_a_little_pass(passed: Filter, name: str) -> None:
    packet, headers = SAYS_NOTHING[name]
    assert passed(ethernet(packet)) == headers + bpf.KEPT


def test_short_packets_pass_whole(passed: Filter) -> None:
    for packet in (to(9999, b""), to(9999, b"\x15\x03\x03\0\2\2\x30"), datagram(9999, b"a"), wide(17, bytes(8))):
        assert passed(ethernet(packet)) == len(packet) + 14


def test_what_is_no_tcp_and_no_udp_does_not_pass(passed: Filter) -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    for frame in (arp, ethernet(packets.ip(TV, ROUTER, 1, bytes(64))), ethernet(wide(58, bytes(64))), bytes(10)):
        assert passed(frame) == 0


@pytest.mark.parametrize(
    ("between", "offset"),
    [(b"\x81\x00\x00\x07\x08\x00", 4), (b"\x88\x64\x11\x00\x00\x01\x04\xe2\x00\x21", 8)],
    ids=["VLAN", "PPPoE"],
)
def test_tags_and_ppp_are_stepped_over(passed: Filter, between: bytes, offset: int) -> None:
    frame = bytes(12) + between
    assert passed(frame + to(9999, APPLICATION)) == 14 + offset + 40 + bpf.KEPT
    assert passed(frame + to(9999, _HELLO)) == 14 + offset + 40 + len(_HELLO)


def test_without_a_link_the_packet_begins_at_once() -> None:
    for passed in attached(bpf.program(101)):
        assert passed(to(9999, APPLICATION)) == 40 + bpf.KEPT
        assert passed(to(9999, _HELLO)) == 40 + len(_HELLO)
        assert passed(wide(6, to(9999, APPLICATION)[20:])) == 60 + bpf.KEPT
        assert passed(b"\0" + bytes(60)) == 0


def test_there_is_room_for_ports_at_which_clear_text_was_heard() -> None:
    ports = bpf.CLEAR | set(range(10_001, 10_001 + bpf.MOST_CLEAR - len(bpf.CLEAR)))
    for passed in attached(bpf.program(1, ports, loopback=True)):
        for port in (10_001, max(ports)):
            assert passed(ethernet(to(port, APPLICATION))) == len(APPLICATION) + 54
        assert passed(ethernet(to(9999, APPLICATION))) == 54 + bpf.KEPT
        assert passed(ethernet(SAYS["QUIC"])) == len(SAYS["QUIC"]) + 14


def test_what_was_cut_gives_the_same_observations(passed: Filter, tmp_path: Path) -> None:
    client, server = (TV, 40001), (VENDOR, 443)
    frames = [ethernet(packet) for packet in packets.connection(client, server, [_HELLO, APPLICATION], [APPLICATION])]
    frames += [ethernet(datagram(53, packets.dns(1, "plex.example")))]
    frames += [ethernet(datagram(443, sent)) for sent in packets.quic_client("quic.example")]
    frames += [ethernet(datagram(9999, NOISE, source=40000 + chance)) for chance in range(20)]
    clear = [b"POST /a HTTP/1.1\r\nhost: plex.example\r\ncontent-length: 1200\r\n\r\n", NOISE]
    frames += [ethernet(packet) for packet in packets.connection((TV, 40002), (VENDOR, 80), clear)]
    whole, cut = tmp_path / "whole.pcap", tmp_path / "cut.pcap"
    whole.write_bytes(packets.pcap(frames))
    kept = [frame[: passed(frame)] for frame in frames]
    cut.write_bytes(packets.pcap(kept, lengths=[len(frame) for frame in frames]))
    assert sum(map(len, kept)) < 0.6 * sum(map(len, frames))
    assert list(pcap.read(cut, 0)) == list(pcap.read(whole, 0))
