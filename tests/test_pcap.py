"""Packets become contacts, lookups and exchanges, whatever file they stand in."""

from __future__ import annotations

import gzip
import hashlib
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from captures.formats import read
from captures.formats.pcap import LATE_KEYS
from captures.model import CaptureError, Contact, Endpoint, Exchange, Lookup, Observation, Source, Unreadable
from captures.packets import http1
from packets import (
    ROUTER,
    ROUTER_MAC,
    TV,
    TV_MAC,
    VENDOR,
    block,
    connection,
    dns,
    enhanced,
    ethernet,
    fragments,
    hello,
    interface,
    ip,
    pcap,
    quic_client,
    record,
    section,
    tcp,
    udp,
)

CLIENT, SERVER = (TV, 50_000), (VENDOR, 443)
MAC = TV_MAC.hex(":")
ROOT = Path(__file__).parents[1]


def observed(tmp_path: Path, content: bytes) -> list[Observation]:
    path = tmp_path / "x"
    path.write_bytes(content)
    return list(read(path).observations())


def frames(packets: list[bytes]) -> list[bytes]:
    """Ethernet frames: what the TV's address sends has its MAC address, the rest the router's."""
    return [ethernet(p, TV_MAC if p[12:16] == b"\xc0\xa8\x01\x14" else ROUTER_MAC) for p in packets]


def test_a_tls_connection_is_a_contact_with_its_name_bytes_and_packets(tmp_path: Path) -> None:
    packets = frames(
        connection(CLIENT, SERVER, [record(hello("Metrics.Plex.tv"))], [b"\x16\x03\x03\0\1\2", b"x" * 900])
    )
    assert observed(tmp_path, pcap(packets)) == [
        Contact(
            source=Source(0, 0),
            time=1_700_000_000.0,
            end=1_700_000_000.5,
            device=MAC,
            client=Endpoint(*CLIENT),
            server=Endpoint(*SERVER),
            host="metrics.plex.tv",
            name_source="sni",
            protocol="tls",
            bytes_out=sum(len(packets[n]) for n in (0, 2, 3)),
            bytes_in=sum(len(packets[n]) for n in (1, 4, 5)),
            packets_out=3,
            packets_in=3,
            reason="is encrypted",
            alpn=("h2",),
            # SHA-256 of "1301,1302" and of "002b", the first twelve digits each.
            ja4="t13d0203h2_62ed6f6ca7ad_b9a491fefe05",
        )
    ]


@pytest.mark.parametrize("cut", [1, 5, 6, 9, 40, 60])
def test_a_client_hello_in_pieces_out_of_order_and_sent_twice_is_put_together(tmp_path: Path, cut: int) -> None:
    whole = record(hello("app.plex.tv"))
    handshake = connection(CLIENT, SERVER, [])
    first = tcp(CLIENT, SERVER, whole[:cut], sequence=101, acknowledged=501)
    second = tcp(CLIENT, SERVER, whole[cut:], sequence=101 + cut, acknowledged=501)
    for order in ([first, second], [first, first, second, second]) + (([second, first],) if cut > 5 else ()):
        (contact,) = observed(tmp_path, pcap(frames(handshake + order)))
        assert isinstance(contact, Contact)
        assert (contact.host, contact.name_source) == ("app.plex.tv", "sni")


def test_a_client_hello_split_over_records_is_put_together(tmp_path: Path) -> None:
    whole = hello("app.plex.tv")
    packets = frames(connection(CLIENT, SERVER, [record(whole[:30]) + record(whole[30:])]))
    (contact,) = observed(tmp_path, pcap(packets))
    assert isinstance(contact, Contact)
    assert contact.host == "app.plex.tv"


def test_without_a_name_in_the_handshake_the_dns_answer_names_the_contact(tmp_path: Path) -> None:
    asked = [
        udp((TV, 40_000), (ROUTER, 53), dns(7, "Relay.Plex.tv")),
        udp((ROUTER, 53), (TV, 40_000), dns(7, "relay.plex.tv", answers=[(1, bytes([198, 51, 100, 7]))])),
    ]
    seen = observed(tmp_path, pcap(frames(asked + connection(CLIENT, SERVER, [b"\x00binary"]))))
    lookup, contact = seen
    assert isinstance(contact, Contact)
    assert (contact.host, contact.name_source, contact.reason) == ("relay.plex.tv", "dns", "is not HTTP")
    assert lookup == Lookup(
        Source(0, 0),
        1_700_000_000.0,
        MAC,
        Endpoint(TV, 40_000),
        Endpoint(ROUTER, 53),
        "dns",
        "relay.plex.tv",
        "A",
        (VENDOR,),
        "NOERROR",
        left_house=False,
        bytes_out=31,
        bytes_in=47,
    )


def test_an_answer_to_another_question_binds_no_name(tmp_path: Path) -> None:
    asked = [udp((ROUTER, 53), (TV, 40_000), dns(7, "relay.plex.tv", answers=[(1, bytes([198, 51, 100, 8]))]))]
    contact = observed(tmp_path, pcap(frames(asked + connection(CLIENT, SERVER, [b"\x00binary"]))))[1]
    assert isinstance(contact, Contact)
    assert (contact.host, contact.name_source) == (VENDOR, "address")


def test_http_in_clear_becomes_exchanges(tmp_path: Path) -> None:
    sent = b"POST /collect?a=1%202 HTTP/1.1\r\nHost: Plex.tv\r\nContent-Length: 4\r\nCookie: k=v\r\n\r\nbody"
    more = b"GET /second HTTP/1.1\r\nHost: plex.tv\r\n\r\n"
    answers = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No\r\n\r\n",
    )
    packets = connection(
        CLIENT, (VENDOR, 80), [sent[:30], sent[30:] + more], [answers[0][:50], answers[0][50:], answers[1]]
    )
    first, second = observed(tmp_path, pcap(frames(packets)))
    assert isinstance(first, Exchange)
    assert isinstance(second, Exchange)
    assert (first.method, first.host, first.port, first.path, first.query) == (
        "POST",
        "plex.tv",
        80,
        "/collect",
        (("a", "1 2"),),
    )
    assert (first.body.content, first.cookies, first.status) == (b"body", (("k", "v"),), 200)
    assert (first.response_body.content, first.source, first.client) == (b"abcde", Source(0, 0), Endpoint(*CLIENT))
    assert (second.path, second.status, second.source) == ("/second", 204, Source(0, 0, 1))


def test_a_proxy_on_the_way_is_seen_as_one_connection(tmp_path: Path) -> None:
    """A router that redirects records what goes out with the proxy's address, what comes back with the server's."""
    proxy = (ROUTER, 8080)
    packets = connection(CLIENT, SERVER, [record(hello("plex.tv"))], [b"\x16\x03\x03\0\1\2"])
    out = connection(CLIENT, proxy, [record(hello("plex.tv"))])
    packets = [out[0], packets[1], out[2], out[3], packets[4]]
    (contact,) = observed(tmp_path, pcap(frames(packets)))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.server) == ("plex.tv", Endpoint(*SERVER))
    assert (contact.packets_out, contact.packets_in) == (3, 2)


def test_a_port_used_again_is_another_connection(tmp_path: Path) -> None:
    first = connection(CLIENT, SERVER, [record(hello("one.plex.tv"))])
    again = [tcp(CLIENT, SERVER, flags=2, sequence=9000)]
    again.append(tcp(CLIENT, SERVER, record(hello("two.plex.tv")), sequence=9001))
    repeated = [tcp(CLIENT, SERVER, flags=2, sequence=9000)]
    seen = observed(tmp_path, pcap(frames(first + again + repeated)))
    assert [(x.host, x.packets_out) for x in seen if isinstance(x, Contact)] == [("one.plex.tv", 3), ("two.plex.tv", 3)]


def test_a_client_that_says_so_in_clear_rejected_the_certificate(tmp_path: Path) -> None:
    alert = record(b"\x02\x30", 21)
    for sent, received, reason in (
        ([record(hello("a.tv")), alert], [], "client rejected the certificate"),
        ([record(hello("a.tv")), record(b"\x02\x28", 21)], [], "is encrypted"),
        ([record(hello("a.tv"))], [alert], "is encrypted"),
        ([record(hello("a.tv")), record(bytes(40), 21)], [], "is encrypted"),
    ):
        packets = connection(CLIENT, SERVER, sent, [b"\x16\x03\x03\0\1\2", *received])
        (contact,) = observed(tmp_path, pcap(frames(packets)))
        assert isinstance(contact, Contact)
        assert contact.reason == reason


def test_a_connection_that_is_refused_or_not_answered_is_told_apart(tmp_path: Path) -> None:
    syn = tcp(CLIENT, SERVER, flags=2, sequence=100)
    reset = tcp(SERVER, CLIENT, flags=0x14, sequence=0, acknowledged=101)
    reasons = [
        x.reason for p in ([syn], [syn, reset]) for x in observed(tmp_path, pcap(frames(p))) if isinstance(x, Contact)
    ]
    assert reasons == ["was not answered", "was refused"]


WHOLE = frames(connection(CLIENT, SERVER, [record(hello("plex.tv"))]))
BARE = connection(CLIENT, SERVER, [record(hello("plex.tv"))])


def vlan(packet: bytes, *tags: bytes) -> bytes:
    return packet[:12] + b"".join(tags) + packet[12:]


def pppoe(packet: bytes) -> bytes:
    return packet[:12] + b"\x88\x64\x11\0\0\1" + struct.pack("!H", len(packet) - 12) + b"\0\x21" + packet[14:]


def cooked(packet: bytes) -> bytes:
    return struct.pack("!HHH8sH", 0, 1, 6, TV_MAC + b"\0\0", 0x0800) + packet


def cooked2(packet: bytes) -> bytes:
    return struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, TV_MAC + b"\0\0") + packet


def radio(packet: bytes, *, closed: bool = False) -> bytes:
    head = b"\0\0\x08\0\0\0\0\0" + bytes([0x88, 0x41 if closed else 0x01, 0, 0])
    return head + ROUTER_MAC + TV_MAC + ROUTER_MAC + b"\0\0\0\0" + b"\xaa\xaa\x03\0\0\0\x08\0" + packet


@pytest.mark.parametrize(
    ("link", "packets"),
    [
        (1, WHOLE),
        (1, [vlan(p, b"\x81\0\0\5") for p in WHOLE]),
        (1, [vlan(p, b"\x88\xa8\0\7", b"\x81\0\0\5") for p in WHOLE]),
        (1, [pppoe(p) for p in WHOLE]),
        (101, BARE),
        (0, [b"\2\0\0\0" + p for p in BARE]),
        (108, [b"\0\0\0\2" + p for p in BARE]),
        (113, [cooked(p) for p in BARE]),
        (276, [cooked2(p) for p in BARE]),
        (9, [b"\xff\x03\0\x21" + p for p in BARE]),
        (127, [radio(p) for p in BARE]),
        (101, [ip("203.0.113.1", "203.0.113.2", 4, p) for p in BARE]),
        (101, [ip("203.0.113.1", "203.0.113.2", 47, b"\0\0\x08\0" + p) for p in BARE]),
    ],
)
def test_every_link_type_carries_the_same(tmp_path: Path, link: int, packets: list[bytes]) -> None:
    (contact,) = observed(tmp_path, pcap(packets, link=link))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.client, contact.packets_out, contact.packets_in) == (
        "plex.tv",
        Endpoint(*CLIENT),
        3,
        1,
    )


def test_what_the_radio_link_encrypts_and_an_unknown_link_are_counted(tmp_path: Path) -> None:
    assert observed(tmp_path, pcap([radio(p, closed=True) for p in BARE], link=127)) == [
        Unreadable(Source(0, 0, 1), None, "4 packets", "is encrypted on the radio link")
    ]
    assert observed(tmp_path, pcap(WHOLE, link=9999)) == [
        Unreadable(Source(0, 0, 1), None, "4 packets", "is of link type 9999, which is not known")
    ]


def test_ipv6_with_extension_headers_is_read(tmp_path: Path) -> None:
    tv, server = ("fd00::20", 50_000), ("2001:db8::7", 443)
    packets = [
        ip(p[0], p[1], 0, b"\x3c\0" + bytes(6) + b"\6\1" + bytes(14) + body)
        for p, body in (
            (("fd00::20", "2001:db8::7"), x[40:]) for x in connection(tv, server, [record(hello("plex.tv"))])
        )
    ]
    (contact,) = observed(tmp_path, pcap(packets[:1] + packets[3:], link=101))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.server, contact.packets_out) == ("plex.tv", Endpoint("2001:db8::7", 443), 2)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_byte_orders_and_time_resolutions_of_pcap_make_no_difference(tmp_path: Path, order: str, nano: bool) -> None:
    assert observed(tmp_path, pcap(WHOLE, order=order, nano=nano)) == observed(tmp_path, pcap(WHOLE))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_keeps_time_and_link_type_by_interface(tmp_path: Path, order: str) -> None:
    power = struct.pack(order + "HHB3x", 9, 1, 0x80 | 10)
    shifted = struct.pack(order + "HHq", 14, 8, 1000)
    content = section(order) + interface(1, order=order) + interface(101, power + shifted, order)
    content += block(0x0BAD, b"something else", order)
    content += enhanced(WHOLE[0], 1_700_000_000_250_000, 0, order)
    content += b"".join(enhanced(p, (1_699_999_000 << 10) + 512, 1, order) for p in BARE[1:])
    (contact,) = observed(tmp_path, content)
    assert isinstance(contact, Contact)
    assert (contact.host, contact.time, contact.end) == ("plex.tv", 1_700_000_000.25, 1_700_000_000.5)


def test_sections_of_either_byte_order_follow_one_another(tmp_path: Path) -> None:
    content = b"".join(
        section(order)
        + interface(1, order=order)
        + b"".join(enhanced(p, 1_700_000_000_000_000, 0, order) for p in half)
        for order, half in (("<", WHOLE[:2]), (">", WHOLE[2:]))
    )
    (contact,) = observed(tmp_path, content)
    assert isinstance(contact, Contact)
    assert (contact.host, contact.packets_out, contact.time) == ("plex.tv", 3, 1_700_000_000.0)


def test_a_file_that_is_cut_off_loses_its_end_only(tmp_path: Path) -> None:
    content = pcap(WHOLE)
    contact, unreadable = observed(tmp_path, content[:-5])
    assert isinstance(contact, Contact)
    assert contact.packets_out == 2
    at = len(content) - 16 - len(WHOLE[-1])
    assert unreadable == Unreadable(
        Source(0, 1), None, f"packet 3 at byte {at}", f"is cut off; {16 + len(WHOLE[-1]) - 5} bytes were skipped"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who writes a file")
def test_a_file_that_is_still_being_written_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    content = pcap(WHOLE)
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(content[:-5])
        file.flush()
        contact, unreadable = read(path).observations()
    assert isinstance(contact, Contact)
    assert isinstance(unreadable, Unreadable)
    assert contact.packets_out == 2
    assert unreadable.reason == "is still being written; give it again when the recording has ended"


def test_a_damaged_record_costs_itself_alone(tmp_path: Path) -> None:
    packets = WHOLE + frames(connection((TV, 50_001), SERVER, [record(hello("two.plex.tv"))]))
    content = bytearray(pcap(packets))
    content[24 + 8 : 24 + 12] = b"\xff\xff\xff\xff"
    seen = observed(tmp_path, bytes(content))
    assert [x.host for x in seen if isinstance(x, Contact)] == ["plex.tv", "two.plex.tv"]
    assert [x.reason for x in seen if isinstance(x, Unreadable)] == ["is damaged; 70 bytes were skipped"]


def test_a_file_without_its_header_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"^x: is cut off within its header; record or copy it again$"):
        observed(tmp_path, pcap([])[:20])


def test_packed_files_are_read_the_same(tmp_path: Path) -> None:
    plain = observed(tmp_path, pcap(WHOLE))
    assert observed(tmp_path, gzip.compress(pcap(WHOLE))) == plain
    assert observed(tmp_path, zstandard.compress(pcap(WHOLE))) == plain


def test_packets_from_standard_input_are_read_without_a_copy(tmp_path: Path) -> None:
    code = "from captures.formats import read, given; c = read('-'); seen = list(c.observations()); "
    code += "print(seen, given._temporary, c.digest())"
    keys = block(10, struct.pack("<II", 0x544C534B, 4) + b"none")
    for content, reasons in (
        (pcap(WHOLE), []),
        (gzip.compress(pcap(WHOLE)), []),
        (section() + interface() + enhanced(WHOLE[0], 1) * 900 + keys, [LATE_KEYS]),
    ):
        plain = observed(tmp_path, content)
        run = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True, cwd=ROOT)
        told: list[Observation] = [x for x in plain if not isinstance(x, Unreadable)]
        told += [Unreadable(Source(0, 1, 1), None, "1 packets", reason) for reason in reasons]
        assert run.stdout.decode().strip() == f"{told} [] {hashlib.sha256(content).hexdigest()}"


def test_a_compressed_file_that_is_damaged_gives_the_packets_before(tmp_path: Path) -> None:
    packed = gzip.compress(pcap(WHOLE * 500))
    seen = observed(tmp_path, packed[: len(packed) // 2])
    assert isinstance(seen[0], Contact)
    assert seen[0].host == "plex.tv"
    assert [x.reason.partition(";")[0] for x in seen if isinstance(x, Unreadable)] == ["is cut off"]


def test_a_visitor_from_outside_is_no_call(tmp_path: Path) -> None:
    packets = connection(("203.0.113.9", 40_000), (TV, 32_400), [record(hello("x.plex.direct"))])
    (contact,) = observed(tmp_path, pcap(packets, link=101))
    assert isinstance(contact, Contact)
    assert (contact.initiator, contact.client) == ("outside", Endpoint("203.0.113.9", 40_000))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("wide", [False, True])
def test_a_name_in_a_datagram_that_came_in_fragments_is_read(
    tmp_path: Path, order: tuple[int, ...], wide: bool
) -> None:
    ends = (("fd00::20", 40_000), ("2001:db8::7", 53)) if wide else ((TV, 40_000), (VENDOR, 53))
    whole = udp(*ends, dns(7, "a-rather-long-name.relay.plex.tv"))
    parts = fragments(whole, 24)
    assert len(parts) == 3
    (lookup,) = observed(tmp_path, pcap([parts[n] for n in order], link=101))
    assert isinstance(lookup, Lookup)
    assert (lookup.host, lookup.client) == ("a-rather-long-name.relay.plex.tv", Endpoint(*ends[0]))


def test_all_fragments_are_counted_for_their_conversation(tmp_path: Path) -> None:
    parts = fragments(udp(CLIENT, (VENDOR, 9999), bytes(100)), 48)
    (contact,) = observed(tmp_path, pcap([parts[1], parts[0], parts[2]], link=101))
    assert isinstance(contact, Contact)
    assert (contact.packets_out, contact.bytes_out) == (3, sum(map(len, parts)))


def test_fragments_of_a_client_hello_are_put_together(tmp_path: Path) -> None:
    packets = connection(CLIENT, SERVER, [record(hello("plex.tv"))])
    (contact,) = observed(tmp_path, pcap(packets[:3] + fragments(packets[3], 40), link=101))
    assert isinstance(contact, Contact)
    assert contact.host == "plex.tv"


@pytest.mark.parametrize(
    "around",
    [
        lambda p: udp(("203.0.113.1", 5), ("203.0.113.2", 4789), b"\x08\0\0\0\0\0\1\0" + ethernet(p)),
        lambda p: udp(("203.0.113.1", 2152), ("203.0.113.2", 2152), b"\x30\xff\0\x40\0\0\0\1" + p),
        lambda p: udp(("203.0.113.1", 2152), ("203.0.113.2", 2152), b"\x32\xff\0\x40\0\0\0\1\0\1\0\0" + p),
    ],
)
def test_tunnels_in_datagrams_are_looked_into(tmp_path: Path, around: Callable[[bytes], bytes]) -> None:
    (contact,) = observed(tmp_path, pcap([around(p) for p in BARE], link=101))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.client, contact.packets_out) == ("plex.tv", Endpoint(*CLIENT), 3)


def test_a_datagram_to_the_port_of_a_tunnel_that_is_none_stays_what_it_is(tmp_path: Path) -> None:
    packets = [udp(CLIENT, (VENDOR, port), b"\x08\1\0\0" + bytes(60)) for port in (4789, 2152)]
    assert [(x.host, x.protocol) for x in observed(tmp_path, pcap(packets, link=101)) if isinstance(x, Contact)] == [
        (VENDOR, "udp"),
        (VENDOR, "udp"),
    ]


def test_names_in_utf_8_are_read_as_such_and_what_cannot_be_shown_is_escaped(tmp_path: Path) -> None:
    asked = [dns(7, name) for name in ("小佛專機.local", "a\u202eb.tv")] + [dns(7, "x.tv").replace(b"x", b"\xff")]
    packets = [udp((TV, 40_000 + n), ("224.0.0.252", 5355), text) for n, text in enumerate(asked)]
    hosts = [x.host for x in observed(tmp_path, pcap(packets, link=101)) if isinstance(x, Lookup)]
    assert hosts == ["小佛專機.local", "a\\226\\128\\174b.tv", "\\255.tv"]


def test_a_request_after_padding_that_was_taken_for_content_is_read(tmp_path: Path) -> None:
    packets = connection(CLIENT, (VENDOR, 80), [])
    packets.append(tcp(CLIENT, (VENDOR, 80), b"\0\0", flags=0x10, sequence=101, acknowledged=501))
    packets.append(tcp(CLIENT, (VENDOR, 80), b"PROPFIND / HTTP/1.1\r\nHost: plex.tv\r\n\r\n", sequence=101))
    (exchange,) = observed(tmp_path, pcap(packets, link=101))
    assert isinstance(exchange, Exchange)
    assert (exchange.method, exchange.host) == ("PROPFIND", "plex.tv")


@pytest.mark.parametrize("payload", [b"\5\1\0\3", b"\5\1\0\3\x07plex.tv\1\xbb", b"\4\1\1\xbb\0\0\0\1me\0plex.tv\0"])
def test_what_a_socks_proxy_is_asked_for_names_the_contact(tmp_path: Path, payload: bytes) -> None:
    (contact,) = observed(tmp_path, pcap(connection(CLIENT, ("192.168.1.9", 1080), [payload]), link=101))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.name_source) == (
        ("plex.tv", "host") if b"plex" in payload else ("192.168.1.9", "address")
    )


@pytest.mark.parametrize("version", [1, 0x6B3343CF])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("long", [False, True])
def test_a_quic_client_is_named_by_its_hello_over_all_its_packets(
    tmp_path: Path, version: int, order: int, long: bool
) -> None:
    alpn = ("h3", *("x" * 200 for _ in range(12))) if long else ("h3",)
    datagrams = quic_client("H3.plex.tv", version=version, alpn=alpn)
    assert len(datagrams) == (3 if long else 1)
    (contact,) = observed(tmp_path, pcap([udp(CLIENT, SERVER, datagram) for datagram in datagrams[::order]], link=101))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.name_source, contact.protocol, contact.alpn[0]) == (
        "h3.plex.tv",
        "quic",
        "quic",
        "h3",
    )
    assert contact.ja4.startswith("q13d")


def test_packets_that_share_a_datagram_are_all_read(tmp_path: Path) -> None:
    """A handshake packet, which nobody can read, before the first one."""
    (datagram,) = quic_client("h3.plex.tv")
    other = bytes([0xE0]) + datagram[1:14] + b"\0\x14" + bytes(20)
    (contact,) = observed(tmp_path, pcap([udp(CLIENT, SERVER, other + datagram)], link=101))
    assert isinstance(contact, Contact)
    assert contact.host == "h3.plex.tv"


def test_a_quic_packet_that_was_changed_gives_no_name(tmp_path: Path) -> None:
    (datagram,) = quic_client("h3.plex.tv")
    broken = datagram[:150] + bytes([datagram[150] ^ 1]) + datagram[151:]
    (contact,) = observed(tmp_path, pcap([udp(CLIENT, SERVER, broken)], link=101))
    assert isinstance(contact, Contact)
    assert (contact.host, contact.protocol) == (VENDOR, "quic")


def test_headers_that_stand_deep_in_a_packet_are_found(tmp_path: Path) -> None:
    """Extension headers of 256 bytes between two other packets: all three in their order."""
    deep = ip("fd00::20", "2001:db8::7", 60, b"\x06\x1f" + bytes(254) + tcp(CLIENT, SERVER, b"x")[20:])
    frames = [ethernet(packet) for packet in (BARE[0], deep, BARE[2])]
    seen = observed(tmp_path, pcap(frames))
    assert [(x.client, x.packets_out) for x in seen if isinstance(x, Contact)] == [
        (Endpoint(*CLIENT), 2),
        (Endpoint("fd00::20", CLIENT[1]), 1),
    ]


def test_a_large_file_of_many_batches_gives_what_its_parts_give(tmp_path: Path) -> None:
    """More packets than a batch holds, in both containers."""
    count = 70_000
    data = tcp(CLIENT, SERVER, b"x" * 10, sequence=1000)
    many = pcap([*BARE, *[data] * count], link=101)
    (contact,) = observed(tmp_path, many)
    assert isinstance(contact, Contact)
    assert (contact.packets_out, contact.host) == (count + 3, "plex.tv")
    blocks = b"".join(enhanced(p, 1_700_000_000_000_000) for p in BARE) + enhanced(data, 1_700_000_000_000_000) * count
    (again,) = observed(tmp_path, section() + interface(101) + blocks)
    assert isinstance(again, Contact)
    assert (again.packets_out, again.host) == (count + 3, "plex.tv")


def media(kind: bytes, size: int, port: int = 50_000) -> list[bytes]:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, size) + bytes(size)
    pieces = [answer[at : at + 60_000] for at in range(0, len(answer), 60_000)]
    return connection((TV, port), (VENDOR, 80), [b"GET /a HTTP/1.1\r\nHost: plex.tv\r\n\r\n"], pieces)


def test_of_films_nothing_is_kept_and_of_other_bodies_the_beginning(tmp_path: Path) -> None:
    packets = media(b"video/mp4", 1_300_000) + media(b"text/plain", 1_300_000, 50_001)
    film, words = observed(tmp_path, pcap(packets, link=101))
    assert isinstance(film, Exchange)
    assert isinstance(words, Exchange)
    assert (film.response_body.content, film.response_body.size) == (None, 1_300_000)
    assert film.response_body.problem == "was not kept"
    assert words.response_body.content is not None
    assert (len(words.response_body.content), words.response_body.size, words.response_body.cut) == (
        1 << 20,
        1_300_000,
        True,
    )


def test_all_bodies_of_a_file_share_one_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1.Room.__init__, "__defaults__", (250,))
    packets = [packet for n in range(3) for packet in media(b"text/plain", 100, 50_000 + n)]
    seen = [x.response_body for x in observed(tmp_path, pcap(packets, link=101)) if isinstance(x, Exchange)]
    assert [(len(x.content or b""), x.cut) for x in seen] == [(100, False), (100, False), (50, True)]
