"""Conversations and what they said -> observations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from msgspec.structs import replace

from captures.content import undo
from captures.formats.flows import cookies, message, split_authority
from captures.model import Body, Contact, Endpoint, Exchange, Initiator, Lookup, Observation, Pairs, Source, Unreadable
from captures.packets.addresses import text
from captures.packets.columns import TCP
from captures.packets.conversations import Conversation
from captures.packets.http1 import Call, Content
from captures.packets.names import Names
from captures.packets.payloads import Said
from captures.packets.places import household, local
from captures.packets.summary import End

_SERVICES = frozenset({53, 67, 80, 123, 443, 547, 853, 1900, 3478, 5351, 5353, 8080, 8443, 8920, 8096, 32400})
"""Ports at which somebody answers, for conversations whose beginning is not in the capture; besides all below 1024."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Who called whom."""

    client: int
    """0 when `ends[0]` is the client, else 1."""
    initiator: Initiator
    """Whether the client is a machine of the household."""


def observations(
    conversations: list[Conversation], names: Names, devices: Mapping[bytes, str], number: int
) -> Iterator[Observation]:
    """Conversations of a file -> its observations, by the first packet of their conversation.

    HTTP in clear gives its exchanges, DNS and discovery their lookups, anything else one contact.
    """
    for conversation in conversations:
        said = conversation.said if isinstance(conversation.said, Said) else Said()
        sides = _sides(conversation)
        maker = _Maker(conversation, said, sides, names, devices, Source(number, conversation.index))
        if said.asked:
            yield from maker.lookups()
        elif said.http and said.http.calls:
            yield from maker.exchanges()
        else:
            yield maker.contact()


def _sides(conversation: Conversation) -> Sides:
    first, second = conversation.ends
    client = 0
    if conversation.opener is not None:
        client = conversation.opener
    elif _is_service(first) and not _is_service(second):
        client = 1
    elif conversation.protocol == TCP and household(second.address) and not household(first.address):
        client = 0 if _is_service(second) else 1
    here, there = conversation.ends[client].address, conversation.ends[1 - client].address
    return Sides(client, "outside" if household(there) and not household(here) else "inside")


def _is_service(end: End) -> bool:
    return end.port < 1024 or end.port in _SERVICES


@dataclass(slots=True)
class _Maker:
    """Makes the observations of one conversation."""

    conversation: Conversation
    said: Said
    sides: Sides
    names: Names
    devices: Mapping[bytes, str]
    source: Source

    def _end(self, way: int) -> Endpoint:
        end = self.conversation.ends[way]
        return Endpoint(text(end.address), end.port)

    def _device(self, way: int) -> str:
        address = self.conversation.ends[way].address
        return self.devices.get(address) or text(address)

    def contact(self) -> Contact:
        """The conversation as one whose content is not known."""
        seen, client = self.conversation, self.sides.client
        server = seen.ends[1 - client].address
        host, how = self.said.name, self.said.name_source
        if not host:
            host = self.names.of(text(server), seen.ends[client].address, seen.first)
        hello = self.said.hello
        return Contact(
            source=self.source,
            time=_time(seen.first),
            end=_time(seen.last),
            device=self._device(client),
            client=self._end(client),
            server=self._end(1 - client),
            host=host or text(server),
            name_source=how or ("dns" if host else "address"),
            protocol=self.said.protocol or ("tcp" if seen.protocol == TCP else "udp"),
            bytes_out=seen.bytes[client],
            bytes_in=seen.bytes[1 - client],
            packets_out=seen.packets[client],
            packets_in=seen.packets[1 - client],
            reason=self._reason(),
            initiator=self.sides.initiator,
            alpn=hello.alpn if hello else (),
            ech=hello.ech if hello else False,
            ja4=hello.ja4 if hello else "",
        )

    def _reason(self) -> str:
        if self.said.reason:
            return self.said.reason
        if self.conversation.refused:
            return "was refused"
        if not self.conversation.packets[1 - self.sides.client]:
            return "was not answered"
        if self.said.protocol:
            return "is encrypted"
        if not any(self.conversation.content):
            return "carried nothing"
        return "is NTP" if self.conversation.ends[1 - self.sides.client].port == 123 else "is not HTTP"

    def lookups(self) -> Iterator[Lookup]:
        """DNS questions and discovery."""
        for part, asked in enumerate(self.said.asked):
            client, server = self.conversation.ends[asked.way], self.conversation.ends[1 - asked.way]
            stays = local(client.address, server.address)
            yield Lookup(
                source=self.source._replace(part=part),
                time=_time(asked.time),
                device=self._device(asked.way),
                client=self._end(asked.way),
                server=self._end(1 - asked.way),
                protocol=asked.protocol,
                host=asked.host,
                kind=asked.kind,
                answers=asked.answers,
                rcode=asked.rcode,
                left_house=not stays,
                bytes_out=asked.bytes[0],
                bytes_in=asked.bytes[1],
            )

    def exchanges(self) -> Iterator[Observation]:
        """HTTP in clear, with the WebSocket messages of the client; each is a part of the conversation."""
        http = self.said.http
        part = 0
        for call in http.calls if http else ():
            exchange = self._exchange(call, part)
            yield exchange
            for time, content in call.messages:
                part += 1
                sent = message(exchange, 0, content, time)
                yield replace(sent, source=self.source._replace(part=part))
            part += 1
        if http and http.damaged:
            place = f"conversation {self.source.index}"
            yield Unreadable(
                self.source._replace(part=part),
                _time(self.conversation.last),
                place,
                "a part of its HTTP is missing or damaged",
                exchange.host,
                self._device(self.sides.client),
            )

    def _port(self, host: str, server: Endpoint) -> int:
        """Port that was asked for, where the request does not say."""
        usual = 443 if self.said.hello else 80
        return usual if host and host != server.address else server.port

    def _exchange(self, call: Call, part: int) -> Exchange:
        server = self._end(1 - self.sides.client)
        target = call.target
        scheme, absolute, rest = target.partition("://")
        authority = rest.partition("/")[0] if absolute and scheme in ("http", "ws") else call.header("host")
        path, _, query = ("/" + rest.partition("/")[2] if absolute and scheme in ("http", "ws") else target).partition(
            "?"
        )
        host, port = split_authority(authority)
        return Exchange(
            source=self.source._replace(part=part),
            time=_time(call.time),
            end=_time(call.end),
            device=self._device(self.sides.client),
            client=self._end(self.sides.client),
            server_name=self.said.name if self.said.hello else "",
            server=server,
            method=call.method,
            scheme="https" if self.said.hello else "http",
            host=host or server.address,
            port=port or self._port(host, server),
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True, errors="replace")) if query else (),
            headers=call.headers,
            cookies=cookies(call.headers),
            body=_body(call.body, call.headers),
            status=call.status,
            response_headers=call.answer_headers,
            response_body=_body(call.answer, call.answer_headers),
            http_version=call.version,
            bytes_out=call.head_out + call.body.size,
            bytes_in=call.head_in + call.answer.size,
            initiator=self.sides.initiator,
        )


def _body(content: Content, headers: Pairs) -> Body:
    if content.lost:
        return Body(None, content.size, False, "bytes are missing in the capture")
    if content.size and not content.kept:
        return Body(None, content.size, False, "was not kept")
    encoding = next((value for name, value in headers if name == "content-encoding"), "")
    body = undo(bytes(content.kept), encoding)
    if content.size <= len(content.kept):
        return body
    return Body(body.content, content.size, True, "only the beginning was kept")


def _time(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds
