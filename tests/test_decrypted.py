"""TLS whose keys are known: real handshakes of OpenSSL, decrypted by tshark, become exchanges."""

from __future__ import annotations

import shutil
import ssl
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hpack import Encoder

from analysis.demo.certificates import make
from captures.formats import pcap as pcap_format
from captures.formats import read
from captures.model import CaptureError, Contact, Endpoint, Exchange, Observation, Unreadable
from captures.packets.http2 import PREFACE, Http2
from packets import TV, VENDOR, block, connection, enhanced, interface, pcap, section, tcp

CLIENT, SERVER = (TV, 50_000), (VENDOR, 443)
REQUEST = b"POST /collect?x=1 HTTP/1.1\r\nHost: plex.tv\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

with_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


def conversation(folder: Path, sent: bytes, received: bytes, version: ssl.TLSVersion) -> list[bytes]:
    """A TLS connection as packets; its keys are in `keys` in the folder."""
    authority, server = make(folder, ("plex.tv",))
    server.maximum_version = version
    client = ssl.create_default_context(cafile=authority)
    client.keylog_filename = str(folder / "keys")
    inside, outside, given, taken = (ssl.MemoryBIO() for _ in range(4))
    here = client.wrap_bio(inside, outside, server_hostname="plex.tv")
    there = server.wrap_bio(given, taken, server_side=True)
    packets, due = connection(CLIENT, SERVER, []), [101, 501]

    def carry() -> None:
        for way, ends, out, into in ((0, (CLIENT, SERVER), outside, given), (1, (SERVER, CLIENT), taken, inside)):
            if data := out.read():
                packets.append(tcp(*ends, data, sequence=due[way], acknowledged=due[1 - way]))
                due[way] += len(data)
                into.write(data)

    for _ in range(4):
        for side in (here, there):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            carry()
    here.write(sent)
    carry()
    there.write(received)
    carry()
    return packets


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3) + struct.pack("!BBI", kind, flags, stream) + content


def http2(pairs: Sequence[tuple[str, str]], body: bytes = b"", encoder: Encoder | None = None) -> bytes:
    block_ = (encoder or Encoder()).encode(pairs)
    # Split over a continuation, with padding and a priority.
    head = b"\x03" + bytes(5) + block_[:4] + bytes(3)
    return frame(1, 0x28, 1, head) + frame(9, 4, 1, block_[4:]) + frame(0, 9, 1, b"\x02" + body + bytes(2))


ASKED = ((":method", "POST"), (":scheme", "https"), (":authority", "plex.tv"), (":path", "/collect?x=1"), ("a", "b"))
GIVEN = ((":status", "200"), ("content-type", "text/plain"))


def decrypted(folder: Path, content: bytes, keys: bool = True) -> list[Observation]:
    path = folder / "x.pcap"
    path.write_bytes(content)
    return list(read(path, tls_keys=folder / "keys" if keys else None).observations())


def told(exchange: Observation) -> tuple[object, ...]:
    assert isinstance(exchange, Exchange)
    return (
        *(exchange.method, exchange.scheme, exchange.host, exchange.port, exchange.path, exchange.query),
        *(exchange.body.content, exchange.status, exchange.response_body.content, exchange.http_version),
        *(exchange.server_name, exchange.client),
    )


EXPECTED = ("POST", "https", "plex.tv", 443, "/collect", (("x", "1"),), b"body", 200, b"hi")


@with_tshark
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_http_1_is_decrypted_with_a_key_log(tmp_path: Path, version: ssl.TLSVersion) -> None:
    (exchange,) = decrypted(tmp_path, pcap(conversation(tmp_path, REQUEST, ANSWER, version), link=101))
    assert told(exchange) == (*EXPECTED, "HTTP/1.1", "plex.tv", Endpoint(*CLIENT))


@with_tshark
def test_http_2_is_decrypted_with_a_key_log(tmp_path: Path) -> None:
    sent = PREFACE + frame(4, 0, 0, b"") + http2(ASKED, b"body")
    packets = conversation(tmp_path, sent, frame(4, 0, 0, b"") + http2(GIVEN, b"hi"), ssl.TLSVersion.TLSv1_3)
    (exchange,) = decrypted(tmp_path, pcap(packets, link=101))
    assert told(exchange) == (*EXPECTED, "HTTP/2.0", "plex.tv", Endpoint(*CLIENT))


def with_secrets(folder: Path) -> bytes:
    packets = conversation(folder, REQUEST, ANSWER, ssl.TLSVersion.TLSv1_3)
    keys = (folder / "keys").read_bytes()
    secrets = block(10, struct.pack("<II", 0x544C534B, len(keys)) + keys)
    return section() + interface(101) + secrets + b"".join(enhanced(p, 1_700_000_000_000_000) for p in packets)


@with_tshark
def test_the_keys_in_a_pcapng_file_are_used_without_being_asked_for(tmp_path: Path) -> None:
    (exchange,) = decrypted(tmp_path, with_secrets(tmp_path), keys=False)
    assert told(exchange)[:9] == EXPECTED


@with_tshark
def test_without_the_right_keys_it_stays_a_contact(tmp_path: Path) -> None:
    content = pcap(conversation(tmp_path, REQUEST, ANSWER, ssl.TLSVersion.TLSv1_3), link=101)
    (tmp_path / "keys").write_text("CLIENT_RANDOM " + "00" * 32 + " " + "11" * 48 + "\n")
    (contact,) = decrypted(tmp_path, content)
    assert isinstance(contact, Contact)
    assert (contact.host, contact.reason) == ("plex.tv", "is encrypted")


def test_without_tshark_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = with_secrets(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureError, match=r"^x\.pcap: tshark is needed to decrypt with keys; install it \(Debian: "):
        decrypted(tmp_path, content)
    contact, unreadable = decrypted(tmp_path, content, keys=False)
    assert isinstance(contact, Contact)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason == pcap_format.NO_TSHARK


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_http_2_is_read_whatever_pieces_it_comes_in(step: int) -> None:
    http, encoder = Http2(), Encoder()
    sent = PREFACE + http2(ASKED, b"body", encoder)
    for at in range(0, len(sent), step):
        http.feed(sent[at : at + step], 1.0, from_client=True)
    http.feed(http2(GIVEN, b"hi"), 2.0, from_client=False)
    (call,) = http.calls
    assert (call.method, call.target, call.headers) == ("POST", "/collect?x=1", (("host", "plex.tv"), ("a", "b")))
    assert (bytes(call.body.kept), call.status, bytes(call.answer.kept), call.end) == (b"body", 200, b"hi", 2.0)
    assert not http.damaged


def test_http_2_with_damaged_headers_ends_without_an_escape() -> None:
    http = Http2()
    http.feed(PREFACE + frame(1, 4, 1, b"\xff\xff\xff\xff\xff\xff") + http2(ASKED), 1.0, from_client=True)
    assert (http.calls, http.damaged) == ([], True)
