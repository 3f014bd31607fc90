"""Further places in which a canary can stand: what formats, protocols and programs carry beside the usual parts."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from typing import Any
from urllib.parse import quote

import packets
from canaries import Call, Place, Put, answer, answer_header, body, label, query, request_header, token


def _half(text: str) -> str:
    """The second half of a text, which is to be found as little as the whole."""
    return text[len(text) // 2 :]


def _split_parameters(call: Call, text: str) -> str:
    query("first")(call, text[: len(text) // 2])
    query("last")(call, _half(text))
    return _half(text)


def _split_messages(call: Call, text: str) -> str:
    call.messages += [text[: len(text) // 2], _half(text)]
    return _half(text)


def _field(name: str) -> Put:
    """In a part of a call that not every format has."""

    def put(call: Call, text: str) -> None:
        setattr(call, name, text)

    return put


def _plain(name: str) -> Put:
    """The same, where few characters may stand."""

    def put(call: Call, text: str) -> str:
        setattr(call, name, token(text))
        return token(text)

    return put


def _instead(name: str) -> Put:
    """In place of a header that each call has."""

    def put(call: Call, text: str) -> None:
        call.headers = [(seen, value) for seen, value in call.headers if seen != name]
        request_header(name)(call, text)

    return put


def _server_version(call: Call, text: str) -> None:
    _instead("X-Plex-Product")(call, "Plex Media Server")
    _instead("X-Plex-Version")(call, text)


def _matrix(call: Call, text: str) -> None:
    call.path += f";jsessionid={quote(text, safe='')}"


def _subdomain(call: Call, text: str) -> str:
    """In front of the name of a known company."""
    call.host = f"{label(text)}.plex.tv"
    return label(text)


def _binary(kind: str, before: bytes) -> Put:
    def put(call: Call, text: str) -> None:
        data = text.encode()
        sizes = {"msgpack": b"\xda" + struct.pack(">H", len(data)), "cbor": b"\x79" + struct.pack(">H", len(data))}
        call.headers.append(("Content-Type", f"application/{kind}"))
        call.body = before + sizes[kind] + data

    return put


def _received_message(call: Call, text: str) -> None:
    call.answers.append(json.dumps({"title": text}))


def _text_record(call: Call, text: str) -> None:
    data = text.encode()[:255]
    call.names.append(("_plexmediasvr.plex.tv", 16, bytes([len(data)]) + data))


def _mdns(call: Call, text: str) -> None:
    data = text.encode()[:250]
    told = packets.dns(0, "box._http._tcp.local", 16, [(16, bytes([len(data)]) + data)])
    call.datagrams.append((5353, told))


def _dhcp(call: Call, text: str) -> None:
    name = text.encode()[:250]
    head = bytes([1, 1, 6, 0]) + bytes(24) + packets.TV_MAC + bytes(10 + 192) + b"\x63\x82\x53\x63"
    call.datagrams.append((67, head + b"\x35\x01\x01\x0c" + bytes([len(name)]) + name + b"\xff"))


def _log_datagram(call: Call, text: str) -> None:
    call.datagrams.append((514, f"<14>Oct 11 22:14:15 box plex: user={text}".encode()))


def _protocol(call: Call, text: str) -> str:
    """A name of a protocol in a handshake."""
    data = label(text).encode()
    listed = packets.extension(16, struct.pack("!HB", len(data) + 1, len(data)) + data)
    call.tls.append(packets.record(packets.hello("pinned.example", listed)))
    return label(text)


def _certificate(call: Call, text: str) -> None:
    """The certificate that a server shows in the clear before TLS 1.3; the text stands in it as a name."""
    name = text.encode()
    made = b"\x30\x82" + struct.pack("!H", len(name) + 4) + b"\x0c\x82" + struct.pack("!H", len(name)) + name
    chain = len(made).to_bytes(3) + made
    message = len(chain).to_bytes(3) + chain
    call.tls_answer.append(packets.record(b"\x0b" + len(message).to_bytes(3) + message))


def _chunks(call: Call, text: str) -> None:
    """In an extension of a chunk and in a field after the last one."""
    shown = re.sub(r"[\r\n\0]+", " ", text)
    call.chunked = f'2;name="{shown}"\r\n{{}}\r\n0\r\nX-Note: {shown}\r\n\r\n'


def _envelope(text: str) -> str:
    head, event = {"dsn": f"https://{label(text)}@sentry.example/1"}, {"user": {"username": text}}
    return "\n".join(map(json.dumps, (head, {"type": "event"}, event)))


def _cdata(text: str) -> str:
    shown = re.sub(r"[^ -~]", " ", text).replace("]]>", " ")
    return f"<user><name><![CDATA[{shown}]]></name><!-- {label(text)} --></user>"


def _listed(text: str) -> str:
    """A property list of Apple's."""
    shown = re.sub(r"[^ -~]", " ", text).replace("&", "&amp;").replace("<", "&lt;")
    return f'<?xml version="1.0"?><plist version="1.0"><dict><key>name</key><string>{shown}</string></dict></plist>'


def _graphql(text: str) -> str:
    return json.dumps({"query": f"query {{ user(name: {json.dumps(text)}) {{ id }} }}", "variables": {"name": text}})


def _multipart_head(text: str) -> str:
    name = re.sub(r'["\r\n\\]', "_", text)
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\nContent-ID: <{name}>\r\n\r\nx\r\n--b--\r\n'


def _packed(call: Call, text: str) -> None:
    """JSON, as a text in JSON, as a text in JSON, in base64."""
    whole: Any = {"user": text}
    for _ in range(3):
        whole = {"payload": json.dumps(whole)}
    call.body = json.dumps({"data": base64.b64encode(json.dumps(whole).encode()).decode()}).encode()


def _utf16(call: Call, text: str) -> None:
    call.headers.append(("Content-Type", "application/json; charset=utf-16"))
    call.body = json.dumps({"email": text}).encode("utf-16")


def _grpc_text(call: Call, text: str) -> None:
    """A frame of gRPC-Web in base64; its message has one field."""
    data = text.encode()[:127]
    message = bytes([10, len(data)]) + data
    call.headers.append(("Content-Type", "application/grpc-web-text"))
    call.body = base64.b64encode(b"\0" + struct.pack(">I", len(message)) + message)


def _packed_answer(call: Call, text: str) -> None:
    call.answer_headers.append(("Content-Type", "application/json"))
    call.answer = zlib.compress(json.dumps({"email": text}).encode())


def _json_body(write: Put) -> Put:
    def put(call: Call, text: str) -> str | None:
        call.headers.append(("Content-Type", "application/json"))
        return write(call, text)

    return put


FURTHER: tuple[dict[str, Place], ...] = (
    {
        "server's version": Place(_server_version),
        "split over two parameters": Place(_split_parameters),
        "parameter in the path": Place(_matrix),
        "header of X-Plex-Platform": Place(_instead("X-Plex-Platform")),
        "JSON three times": Place(_json_body(_packed)),
        "realm": Place(answer_header("WWW-Authenticate", 'Basic realm="', '"')),
        "domain of a cookie": Place(answer_header("Set-Cookie", "a=1; Domain=", "; Path=/")),
        "name for a download": Place(answer_header("Content-Disposition", "attachment; filename*=UTF-8''")),
        "address for reports": Place(answer_header("Report-To", '{"url":"https://r.example/?u=', '"}')),
        "record of text": Place(_text_record, "pcap"),
        "certificate": Place(_certificate, "pcap"),
        "reason of an answer": Place(_plain("reason")),
    },
    {
        "app's version": Place(_instead("X-Plex-Version")),
        "label before a known name": Place(_subdomain),
        "GraphQL": Place(body("application/json", _graphql)),
        "header of X-Plex-Product": Place(_instead("X-Plex-Product")),
        "answer in lines of JSON": Place(answer("application/x-ndjson", lambda t: json.dumps({"a": t}) + "\n{}\n")),
        "creator": Place(_field("creator"), "har"),
        "initiator": Place(_field("started_by"), "har"),
        "title of a page": Place(_field("page"), "har"),
        "fragment": Place(_field("fragment"), "har"),
        "user in the address": Place(_plain("user"), "har"),
        "message of an error": Place(_field("error"), "flow"),
        "note in the metadata": Place(_field("note"), "flow"),
        "mark": Place(_field("mark"), "flow"),
        "mDNS": Place(_mdns, "pcap"),
        "protocol in a handshake": Place(_protocol, "pcap"),
    },
    {
        "envelope": Place(body("application/x-sentry-envelope", _envelope)),
        "property list": Place(answer("application/x-plist", _listed)),
        "method": Place(_plain("method"), "har flow"),
        "received message": Place(_received_message, "har flow"),
        "split over two messages": Place(_split_messages, "har flow"),
        "DHCP": Place(_dhcp, "pcap"),
        "line of syslog": Place(_log_datagram, "pcap"),
    },
    {
        "MessagePack": Place(_binary("msgpack", b"\x81\xa4name")),
        "marked section of XML": Place(answer("text/xml", _cdata)),
        "digest": Place(request_header("Authorization", 'Digest username="', '", realm="x"')),
    },
    {
        "CBOR": Place(_binary("cbor", b"\xa1\x64name")),
        "key of a signature": Place(request_header("Authorization", "AWS4-HMAC-SHA256 Credential=", "/20261010/x")),
        "chain of proxies": Place(request_header("Forwarded", 'for="', '";proto=https')),
    },
    {
        "name of a part": Place(body("multipart/form-data; boundary=b", _multipart_head)),
        "list of titles in a feed": Place(
            answer("application/rss+xml", lambda t: f"<rss><title>{_cdata(t)}</title></rss>")
        ),
    },
    {
        "chunk": Place(_chunks, "pcap"),
        "form with brackets": Place(
            body("application/x-www-form-urlencoded", lambda t: f"user[names][]={quote(t, safe='')}")
        ),
        "From": Place(request_header("From")),
        "value within a cookie": Place(request_header("Cookie", "prefs=a|user=", "|b; theme=dark")),
    },
    {
        "body in UTF-16": Place(_utf16, "flow pcap"),
        "answer as a script": Place(answer("application/javascript", lambda t: f"call({json.dumps({'email': t})});")),
        "list of cookies": Place(_field("listed_cookie"), "har"),
    },
    {
        "gRPC as text": Place(_grpc_text),
        "answer that is packed unsaid": Place(_packed_answer),
    },
)
"""Positions that fit into one call, call by call."""
