"""What a device sent, as one type, whatever recorded it.

A reader turns a capture (a flow file, a HAR, packets, a ledger, a DNS log) into `Observation`s.  Nothing here knows
what a call is for; that is `analysis`.

Every value in these types may be private: addresses, tokens, titles.  Nothing here is fit to be posted.

They are msgspec's structs, since there are millions of them: a frozen dataclass takes ten times as long to make.
`msgspec.structs.replace` gives a changed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import msgspec

type Pairs = tuple[tuple[str, str], ...]
"""Names and values in the order in which they were sent; a name may occur more than once."""

type Initiator = Literal["inside", "outside"]
"""Who opened the connection: a machine of the household, or a visitor of its own server."""


type Sentence = str
"""A sentence for people, in English: who shows it looks up its translation."""


class CaptureError(ValueError):
    """A capture that cannot be read at all.  The message is one sentence: place, what is wrong, what to do."""


class Source(NamedTuple):
    """Where an observation stands."""

    capture: int
    """Number of the file among those given, from 0."""
    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody calls on a place
    """0-based flow or HAR entry; for packets the conversation by its first packet; for a ledger the row id."""
    part: int = 0
    """0 for the request, 1… for the WebSocket messages that the device sent in it."""


class Endpoint(NamedTuple):
    """One end of a connection."""

    address: str
    """IPv4 or IPv6 address in its usual text form, without brackets or zone."""
    port: int
    """0 when it is not known."""


class Body(msgspec.Struct, frozen=True):
    """The content of a message, after its content-encoding was undone."""

    content: bytes | None = b""
    """The bytes; empty when there was none; `None` when it was not kept (streamed media, a damaged encoding)."""
    size: int = 0
    """Bytes on the wire, before the content-encoding was undone."""
    cut: bool = False
    """Whether `content` is only the beginning."""
    problem: str = ""
    """Why the content is missing or cut, in a few words; empty when it is whole."""


class Exchange(msgspec.Struct, frozen=True):
    """One HTTP request and what is known of its answer; or one WebSocket message that the device sent."""

    source: Source
    """Where it stands."""
    time: float | None
    """When the request began, seconds since the epoch (UTC); `None` when the capture does not say."""
    end: float | None
    """When the answer ended, likewise."""
    device: str
    """Name, MAC or address of the device, or `this-computer`."""
    client: Endpoint | None
    """The device's end of the connection; `None` when the capture does not say."""
    server_name: str
    """The name in the TLS handshake (SNI), lower case; empty when there was none."""
    server: Endpoint | None
    """The other end, as it was really connected to; `None` when the capture does not say."""
    method: str
    """As sent; `WEBSOCKET` for a WebSocket message."""
    scheme: str
    """`http`, `https`, `ws` or `wss`."""
    host: str
    """Host that was asked for, lower case, without port; an IPv6 address without brackets."""
    port: int
    """Port that was asked for."""
    path: str
    """As sent (percent-encoded), without the query."""
    query: Pairs
    """Decoded names and values."""
    headers: Pairs
    """Request headers, names in lower case."""
    cookies: Pairs
    """Decoded `Cookie` header."""
    body: Body
    """What the device sent."""
    status: int | None
    """HTTP status; `None` when no answer came."""
    response_headers: Pairs
    """The answer's headers, names in lower case; empty when no answer came."""
    response_body: Body
    """What came back."""
    http_version: str
    """`HTTP/1.1`, `HTTP/2.0`, `HTTP/3`; empty when the capture does not say."""
    bytes_out: int
    """Bytes that the device sent: start line, headers and body as far as the capture tells."""
    bytes_in: int
    """Bytes that came back, likewise."""
    initiator: Initiator = "inside"
    """Who opened the connection."""
    process: str = ""
    """Name of the program that sent it, where the capture knows; else empty."""
    sources: tuple[Source, ...] = ()
    """Further places where the same traffic stands (filled by `join`)."""

    def header(self, name: str) -> str:
        """Value of the first request header of this (lower-case) name, or the empty string."""
        return next((value for key, value in self.headers if key == name), "")


class Contact(msgspec.Struct, frozen=True):
    """One connection whose content is not known: encrypted, not HTTP, or never established."""

    source: Source
    """Where it stands."""
    time: float | None
    """First packet or attempt, seconds since the epoch (UTC)."""
    end: float | None
    """Last packet, likewise."""
    device: str
    """Name, MAC or address of the device, or `this-computer`."""
    client: Endpoint | None
    """The device's end."""
    server: Endpoint | None
    """The other end."""
    host: str
    """Name of the other end, lower case, or its address when no name is known."""
    name_source: Literal["sni", "quic", "host", "dns", "address"]
    """How `host` is known."""
    protocol: str
    """`tls`, `quic`, `tcp` or `udp`."""
    bytes_out: int
    """Bytes that the device sent."""
    bytes_in: int
    """Bytes that came back."""
    packets_out: int
    """Packets that the device sent; 0 when they were not counted."""
    packets_in: int
    """Packets that came back, likewise."""
    reason: str
    """Why the content is not known, in a few words, e.g. `client rejected the certificate`."""
    initiator: Initiator = "inside"
    """Who opened the connection."""
    process: str = ""
    """Name of the program, where the capture knows."""
    alpn: tuple[str, ...] = ()
    """Protocols that the client offered in its ClientHello: `h2`, `http/1.1`, `h3`…"""
    ech: bool = False
    """Whether the ClientHello held an encrypted one, or what cannot be told from one (RFC 9849, GREASE): then `host`
    may be a name that stands for many."""
    ja4: str = ""
    """JA4 fingerprint of the ClientHello; empty when none was seen."""
    sources: tuple[Source, ...] = ()
    """Further places where the same traffic stands."""


class Lookup(msgspec.Struct, frozen=True):
    """One DNS question, or one discovery datagram (GDM, SSDP, mDNS, NAT-PMP, Jellyfin 7359)."""

    source: Source
    """Where it stands."""
    time: float | None
    """When it was asked, seconds since the epoch (UTC)."""
    device: str
    """Name, MAC or address of the device, or `this-computer`."""
    client: Endpoint | None
    """Who asked."""
    server: Endpoint | None
    """Who was asked: the resolver, or the multicast address."""
    protocol: str
    """`dns`, `mdns`, `llmnr`, `gdm`, `ssdp`, `nat-pmp`, `upnp`, `jellyfin`."""
    host: str
    """The name asked for, lower case, without the final dot; empty for a search without a name."""
    kind: str
    """Record type or message type: `A`, `AAAA`, `HTTPS`, `M-SEARCH`…"""
    answers: tuple[str, ...]
    """Addresses and names that came back; empty when none did."""
    rcode: str
    """`NOERROR`, `NXDOMAIN`, …; `BLOCKED` when a filter on the own network answered instead; empty when no answer came
    or it has none."""
    left_house: bool | None
    """Whether the datagram was sent beyond the local network; `None` when that is not known."""
    bytes_out: int = 0
    """Bytes that the device sent."""
    bytes_in: int = 0
    """Bytes that came back."""
    sources: tuple[Source, ...] = ()
    """Further places where the same traffic stands."""


class Unreadable(msgspec.Struct, frozen=True):
    """Something in a capture that could not be read.  It is counted in the report, never dropped."""

    source: Source
    """Where it stands."""
    time: float | None
    """When, if that much could be read."""
    place: str
    """Where, for a person: `flow 7 at byte 4711`."""
    reason: str
    """What is wrong, in a few words, without captured text."""
    host: str = ""
    """Host, if that much could be read."""
    device: str = ""
    """Device, if that much could be read."""
    sources: tuple[Source, ...] = ()
    """Further places where the same traffic stands."""


type Observation = Exchange | Contact | Lookup | Unreadable


class Effect(msgspec.Struct, frozen=True):
    """Something that the presence of our proxy changed for a device, or the way in by which it came."""

    kind: str
    """What: a key of `analysis.texts.presence.EFFECTS`, or `way:` and the name of the way in."""
    host: str
    """Name or address of the other end, lower case; empty when it does not matter or there are too many.  Private."""
    device: str
    """Name or address of the device; empty when there are too many.  Private."""
    count: int
    """How often."""
    first: float
    """When it was seen first, seconds since the epoch (UTC)."""
    last: float
    """When it was seen last, likewise."""


class Capture(msgspec.Struct, frozen=True):
    """One file as `captures.read` hands it out."""

    name: str
    """File name without its folders, `-` for standard input.  Private."""
    format: str
    """Name of the format that recognised it: `flow`, `har`, `ledger`…"""
    observations: Callable[[], Iterator[Observation]]
    """Starts reading and yields the observations in the order of the file.  Raises `CaptureError` when the file
    cannot be read at all; a bad part of it becomes an `Unreadable`."""
    digest: Callable[[], str]
    """SHA-256 of the file as it was given, in hex.  Reads the whole file."""
    remarks: tuple[str, ...] = ()
    """Sentences for the report about what this kind of file cannot show."""
    dropped: int = 0
    """Observations that had to be dropped while it was recorded, as far as it says."""
    effects: tuple[Effect, ...] = ()
    """What the proxy changed while it was recorded, as far as it says."""
