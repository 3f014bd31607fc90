"""Handshakes of real clients and servers with the proxy: what fails is told apart, and nobody becomes less safe."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import socket
import ssl
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from addons.handshake import by_device, by_server
from analysis.knowledge import load
from analysis.pipeline import run
from analysis.proxy import Proxy
from analysis.report.private import private
from analysis.report.terminal import render
from analysis.texts import presence as words
from captures import ledger
from captures.formats import read
from captures.model import Contact
from fake_cloud import small
from test_presence import serving

type Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)
ANY = "DEFAULT@SECLEVEL=0"
"""Ciphers with which OpenSSL talks any TLS that it knows."""


class Authority:
    """Signs certificates of servers."""

    def __init__(self, name: str, folder: Path) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        basic = x509.BasicConstraints(ca=True, path_length=None)
        made = self._signed(self.name, self.name, self.key, NOW - DAY).add_extension(basic, critical=True)
        self.file.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, issuer: x509.Name, subject: x509.Name, key: Key, begin: datetime.datetime
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        return made.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + 2 * DAY)

    def server(
        self, host: str, folder: Path, *, key: Key | None = None, age: datetime.timedelta = DAY, alone: bool = False
    ) -> tuple[ssl.SSLContext, x509.Certificate]:
        """A server with a certificate for a host, two days long, that began so long ago; `alone`: signs for itself."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        made = self._signed(subject if alone else self.name, subject, key, NOW - age)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        certificate = made.sign(key if alone else self.key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = folder / f"{host}.chain"
        chain.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(chain)
        return context, certificate

    def revoking(self, certificate: x509.Certificate, folder: Path) -> Path:
        """A list of this authority that revokes a certificate."""
        revoked = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW).next_update(NOW + DAY)
        path = folder / "revoked.crl"
        whole = made.add_revoked_certificate(revoked.build()).sign(self.key, hashes.SHA256())
        path.write_bytes(whole.public_bytes(serialization.Encoding.PEM))
        return path


type Got = tuple[int, str]
"""curl's status, and the answer or the reason why there is none."""

CLIENTS: dict[str, tuple[str, ...]] = {
    "old-server.example": ("--tlsv1.0", "--ciphers", ANY),
    "old-device.example": ("--tlsv1.0", "--tls-max", "1.0", "--ciphers", ANY),
    "expired.example": (), "early.example": (), "alone.example": (), "unknown.example": (), "wrong.example": (),
    "weak.example": (), "asking.example": (), "revoked.example": (),
}  # fmt: skip
"""Name of a server -> options of the curl that is used with it."""


@dataclass
class Seen:
    """What clients got of each server: without the proxy, with it the first and second time; and what was recorded."""

    direct: dict[str, Got]
    first: dict[str, Got]
    second: dict[str, Got]
    strict: dict[str, Got]
    """Who asks whether the certificate was revoked: without the proxy, and with it."""
    early: str
    """What openssl says that sent early data."""
    reasons: dict[str, list[str]]
    effects: dict[str, set[str]]
    report: str


def curl(place: tuple[str, ...], host: str, *arguments: str) -> Got:
    command = ("curl", "-sS", "--max-time", "10", "--noproxy", "", *place, *arguments, f"https://{host}/")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout or done.stderr


def oldest(context: ssl.SSLContext, newest: ssl.TLSVersion) -> ssl.SSLContext:
    with warnings.catch_warnings():
        # Python advises against them, rightly.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
    return context


def hangs_up(secure: ssl.SSLSocket) -> None:
    """A server that has asked for a certificate without saying whose it accepts, and leaves without a word."""
    if secure.getpeercert(binary_form=True):
        small(secure)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("handshakes")
    ours, other = Authority("authority", folder), Authority("nobody", folder)
    made = {host: ours.server(host, folder)[0] for host in ("old-server.example", "old-device.example")}
    oldest(made["old-server.example"], ssl.TLSVersion.TLSv1)
    oldest(made["old-device.example"], ssl.TLSVersion.TLSv1_3)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is what is tried
    made["expired.example"], _ = ours.server("expired.example", folder, age=3 * DAY)
    made["early.example"], _ = ours.server("early.example", folder, age=-DAY / 2)
    made["alone.example"], _ = ours.server("alone.example", folder, alone=True)
    made["unknown.example"], _ = other.server("unknown.example", folder)
    made["wrong.example"], _ = ours.server("right.example", folder)
    made["weak.example"], _ = ours.server("weak.example", folder, key=weak)
    made["asking.example"], _ = ours.server("asking.example", folder)
    made["asking.example"].verify_mode = ssl.CERT_OPTIONAL
    made["asking.example"].load_verify_locations(ours.file)
    made["revoked.example"], revoked = ours.server("revoked.example", folder)
    for host in ("hidden.example", "hasty.example"):
        made[host], _ = ours.server(host, folder)
    crl, own = ours.revoking(revoked, folder), folder / "right.example.chain"
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("PHONEHOME_HOME", str(folder / "home"))
        ports = {
            host: stack.enter_context(serving(context, hangs_up if host == "asking.example" else small))
            for host, context in made.items()
        }
        proxy = stack.enter_context(recording(folder, ours, ports))
        both = folder / "both.pem"
        both.write_bytes(ours.file.read_bytes() + (folder / "ca/mitmproxy-ca-cert.pem").read_bytes())
        trusted = ("--cacert", str(both))
        address, port = proxy.listening[0]
        through = ("--proxy", f"http://{address}:{port}", *trusted)
        beside = {host: ("--connect-to", f"{host}:443:127.0.0.1:{ports[host]}", *trusted) for host in CLIENTS}
        arguments = {**CLIENTS, "asking.example": ("--cert", str(own))}
        direct = {host: curl(beside[host], host, *arguments[host]) for host in CLIENTS}
        first = {host: curl(through, host, *arguments[host]) for host in CLIENTS}
        path = folder / "test.ledger"
        until(path, "failed-once", 9)
        second = {host: curl(through, host, *arguments[host]) for host in CLIENTS}
        host, asks = "revoked.example", ("--crlfile", str(crl))
        strict = {"direct": curl(beside[host], host, *asks), "proxy": curl(through, host, *asks)}
        encrypted_hello(proxy, "hidden.example")
        early = early_data(proxy, "hasty.example", folder)
        until(path, "early-data", 1)
        until(path, "passed", 9)
        rows = [o for _, o in ledger.read(path) if isinstance(o, Contact)]
        effects = ledger.effects(path)
        yield Seen(
            direct, first, second, strict, early,
            {host: [row.reason for row in rows if row.host == host] for host in CLIENTS},
            {host: {one.kind for one in effects if one.host == host} for host in made},
            render(private(run([read(path)], load())), width=400),
        )  # fmt: skip


def recording(folder: Path, authority: Authority, ports: dict[str, int], **options: object) -> Proxy:
    """A proxy that records, before these servers."""
    path = folder / "test.ledger"
    ledger.create(path)
    table = {host: ["127.0.0.1", port] for host, port in ports.items()}
    return Proxy({
        "listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(folder / "ca"),
        "ssl_verify_upstream_trusted_ca": str(authority.file), "phonehome_ledger": str(path),
        "phonehome_reroute": json.dumps(table), **options,
    })  # fmt: skip


def until(path: Path, kind: str, hosts: int) -> None:
    """Waits until an effect is noted of so many hosts."""
    end = time.monotonic() + 20
    while sum(one.kind == kind for one in ledger.effects(path)) < hosts and time.monotonic() < end:
        time.sleep(0.05)


def encrypted_hello(proxy: Proxy, host: str) -> None:
    """Sends a ClientHello as of a client that hides the name (RFC 9849), and waits for what a server says to it."""
    with socket.create_connection(proxy.listening[0], timeout=10) as plain:
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert b" 200 " in plain.recv(4096)
        plain.sendall(hello(host, (0xFE0D, b"\0" + bytes(200))))
        # That of a server which has no key for it (RFC 9849, 7.1).
        assert plain.recv(1) == b"\x16"


def hello(name: str, *extensions: tuple[int, bytes]) -> bytes:
    """A ClientHello as OpenSSL makes it for a name, with further extensions (RFC 8446, 4.1.2)."""
    outgoing, context = ssl.MemoryBIO(), ssl.create_default_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    message = bytearray(outgoing.read()[9:])
    place = 34
    for width in (1, 2, 1):
        place += width + int.from_bytes(message[place : place + width])
    more = b"".join(kind.to_bytes(2) + len(data).to_bytes(2) + data for kind, data in extensions)
    message[place : place + 2] = (int.from_bytes(message[place : place + 2]) + len(more)).to_bytes(2)
    message[place + 2 : place + 2] = more
    handshake = b"\1" + len(message).to_bytes(3) + message
    return b"\x16\3\1" + len(handshake).to_bytes(2) + handshake


def early_data(proxy: Proxy, host: str, folder: Path) -> str:
    """A session with the server itself allows openssl to send early data, which it then does through the proxy."""
    session, request, chain = folder / "session", folder / "request", str(folder / f"{host}.chain")
    request.write_bytes(f"GET /early HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    address, listening = proxy.listening[0]
    client = ("s_client", "-servername", host, "-ign_eof")
    with openssl("s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-key", chain, "-early_data"):
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.05)
        with openssl(*client, "-connect", f"127.0.0.1:{port}", "-sess_out", str(session)):
            for _ in range(200):
                if session.exists() and session.stat().st_size:
                    break
                time.sleep(0.05)
    done = subprocess.run(
        ["openssl", *client, "-proxy", f"{address}:{listening}", "-connect", f"{host}:443", "-sess_in", str(session),
         "-early_data", str(request)], capture_output=True, check=False, timeout=30,
        input=f"GET /late HTTP/1.0\r\nHost: {host}\r\n\r\n".encode(),
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def openssl(*arguments: str) -> Iterator[None]:
    """Runs as long as the block."""
    process = subprocess.Popen(
        ["openssl", *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.communicate()


FINE = (0, '{"ok": true}')
DOUBTED = "not inspected: the proxy cannot verify the server's certificate, so the app decides by itself"
NO_TLS = "not inspected: device, proxy and server have no version or cipher of TLS in common"
WANTED = "not inspected: the server wants a certificate that only the device has"


@pytest.mark.parametrize(
    ("host", "kind", "passes"),
    [("old-server.example", "refused-tls", NO_TLS), ("old-device.example", "refused-device", NO_TLS),
     ("asking.example", "client-certificate", WANTED)],
)  # fmt: skip
def test_who_cannot_do_with_the_proxy_between_fails_once_and_is_told_apart(
    seen: Seen, host: str, kind: str, passes: str
) -> None:
    assert (seen.direct[host], seen.second[host]) == (FINE, FINE)
    assert seen.first[host] != FINE
    assert seen.effects[host] == {kind, "failed-once", "passed"}
    # An old device is not said to have rejected a certificate, which it never saw.
    assert "client rejected the certificate" not in seen.reasons[host]
    assert seen.reasons[host][-1] == passes
    assert host in told(seen.report, kind)
    assert passes in seen.report


@pytest.mark.parametrize(
    ("host", "shown", "refused"),
    [
        ("expired.example", "certificate has expired", "certificate has expired"),
        ("early.example", "certificate is not yet valid", "certificate is not yet valid"),
        ("alone.example", "self-signed certificate", "self-signed certificate"),
        ("unknown.example", "unable to get local issuer certificate", "unable to get local issuer certificate"),
        ("wrong.example", "hostname mismatch", "no alternative certificate subject name matches"),
        ("weak.example", "EE certificate key too weak", "EE certificate key too weak"),
    ],
)
def test_a_servers_certificate_that_is_not_valid_is_never_made_good(
    seen: Seen, host: str, shown: str, refused: str
) -> None:
    # The first time the device hears it from the proxy, then it sees the certificate itself.
    for status, said in (seen.direct[host], seen.second[host]):
        assert (status, refused in said) == (60, True)
    assert "502 Bad Gateway" in seen.first[host][1]
    assert f"Certificate verify failed: {shown}" in seen.first[host][1]
    assert seen.effects[host] == {"certificate", "failed-once", "passed"}
    assert seen.reasons[host] == ["the server's certificate is not trusted", DOUBTED]


def test_that_nobody_asks_whether_a_certificate_was_revoked_is_said(seen: Seen) -> None:
    host = "revoked.example"
    assert (seen.direct[host], seen.first[host]) == (FINE, FINE)
    assert "certificate revoked" in seen.strict["direct"][1]
    # Who asks sees the certificate of another authority, of which no list says anything, and accepts that neither.
    assert seen.strict["proxy"][0] == 60
    assert words.FACTS["revoked"] in seen.report


def test_a_hidden_name_and_early_data_are_counted_and_cost_nothing(seen: Seen) -> None:
    for host, kind in (("hidden.example", "ech"), ("hasty.example", "early-data")):
        assert kind in seen.effects[host]
        assert host in told(seen.report, kind)
    assert "Early data was rejected" in seen.early
    assert '{"ok": true}' in seen.early


def test_a_downgrade_by_us_another_http_and_early_data_of_quic_are_counted_and_told(tmp_path: Path) -> None:
    ours = Authority("authority", tmp_path)
    context, _ = ours.server("plex.tv", tmp_path)
    chain = tmp_path / "plex.tv.chain"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    modes = ["regular", f"reverse:http3://127.0.0.1:{port}@127.0.0.1:0"]
    lowered = {"tls_version_client_max": "TLS1_2", "connection_strategy": "lazy", "upstream_cert": False}
    with serving(context) as server, recording(
        tmp_path, ours, {"plex.tv": server}, mode=modes, **lowered
    ) as proxy:  # fmt: skip
        address, listening = proxy.listening[0]
        trusted = tmp_path / "ca/mitmproxy-ca-cert.pem"
        through = ("--proxy", f"http://{address}:{listening}", "--cacert", str(trusted), "--http2")
        assert curl(through, "plex.tv") == FINE
        said = asyncio.run(quic(port, proxy.listening[1][1], chain, ours.file, trusted))
        until(tmp_path / "test.ledger", "early-data", 1)
        until(tmp_path / "test.ledger", "lower-tls", 1)
    assert said == [(b"/first", False), (b"/again", True), (b"/proxy", False)]
    counted = {one.kind for one in ledger.effects(tmp_path / "test.ledger")}
    assert {"lower-tls", "http-version", "early-data"} <= counted
    report = render(private(run([read(tmp_path / "test.ledger")], load())), width=400)
    assert ["plex.tv" in told(report, kind) for kind in ("lower-tls", "http-version", "early-data")] == [True] * 3


async def quic(port: int, proxy: int, chain: Path, authority: Path, proxys: Path) -> list[tuple[bytes, bool]]:
    """aioquic asks a server, again with early data, then the proxy likewise -> path, whether the data were taken."""
    from aioquic.asyncio.client import connect
    from aioquic.asyncio.server import serve
    from aioquic.h3.connection import H3_ALPN
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.tls import SessionTicket

    from household.http3 import Server, Speaker

    known: dict[bytes, SessionTicket] = {}
    tickets: list[SessionTicket] = []
    settings = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    settings.load_cert_chain(chain, chain)
    server = await serve(
        "127.0.0.1", port, configuration=settings, create_protocol=Server, session_ticket_fetcher=known.get,
        session_ticket_handler=lambda ticket: known.update({ticket.ticket: ticket}),
    )  # fmt: skip
    said = []
    for path, to, trusted in ((b"/first", port, authority), (b"/again", port, authority), (b"/proxy", proxy, proxys)):
        early = tickets[0] if tickets else None
        asks = QuicConfiguration(alpn_protocols=H3_ALPN, server_name="plex.tv", idle_timeout=10, session_ticket=early)
        asks.load_verify_locations(str(trusted))
        async with connect(
            "127.0.0.1", to, configuration=asks, create_protocol=Speaker, session_ticket_handler=tickets.append,
            wait_connected=early is None,
        ) as plain:  # fmt: skip
            client = cast("Speaker", plain)
            stream = client._quic.get_next_available_stream_id()
            named = ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"plex.tv"), (b":path", path))
            client.http.send_headers(stream, list(named), end_stream=True)
            client.transmit()
            async with asyncio.timeout(10):
                await client.ended
                while not tickets:
                    await asyncio.sleep(0.02)
            said.append((client.body.split()[0], client._quic.tls.early_data_accepted))
    server.close()  # type: ignore[no-untyped-call]  # aioquic's
    return said


def told(report: str, kind: str) -> str:
    """The line of the report about a kind of effect."""
    (line,) = (line for line in report.partition(words.HEADING)[2].splitlines() if words.EFFECTS[kind] in line)
    return line


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("connection closed early", "left"),
        ("The client disconnected during the handshake. If this happens", "left"),
        ("Client and mitmproxy cannot agree on a TLS version to use.", "tls"),
        ("The client may not trust the proxy's certificate for a ([('SSL routines', '', 'no shared cipher')])", "tls"),
        ("The client does not trust the proxy's certificate for a (tlsv1 alert unknown ca)", "certificate"),
    ],
)
def test_why_a_device_did_not_go_on(error: str, cause: str) -> None:
    assert by_device(error) == cause


def test_what_a_server_asked_for_comes_before_what_it_says() -> None:
    assert by_server("Certificate verify failed: hostname mismatch", asked=False) == "server"
    assert by_server("sslv3 alert bad certificate", asked=True) == "asked"
    assert by_server("sslv3 alert handshake failure", asked=True) == "asked"
    assert by_server("sslv3 alert handshake failure", asked=False) == "tls"
