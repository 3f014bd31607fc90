"""Words of what the presence of the proxy changes for devices."""

from __future__ import annotations

from collections.abc import Mapping

HEADING = "Where our presence changes behaviour"
NOTE = "While phonehome looks into what a device sends, some things go on otherwise than they would without it."
CHANGE, TIMES = "what was otherwise", "times"
NONE = "Beside what is always so, nothing was seen to be otherwise in this capture."
ALWAYS = "What is always so, by the way on which the devices came ({ways}):"

EFFECTS: Mapping[str, str] = {
    "lower-tls": "device and proxy talk an older TLS than the device offers: a downgrade by us",
    "older-tls": (
        "the server talks an older TLS to the proxy than the proxy to the device, so the device does not see how old "
        "it is"
    ),
    "weaker-cipher": (
        "the server takes a weaker cipher than the device uses with the proxy, so the device does not see how weak it "
        "is"
    ),
    "refused-tls": (
        "the server talks no TLS that device and proxy both accept; the device got an error, and passes untouched from "
        "then on"
    ),
    "refused-device": (
        "the device talks no TLS that the proxy accepts; it got an error, and passes untouched from then on"
    ),
    "certificate": "the server cannot prove who it is; the device got an error instead of deciding by itself",
    "client-certificate": "the server asks for a certificate that only the device has",
    "failed-once": "a connection failed once, until it was learned that this device has to pass untouched here",
    "passed": "the connection passed untouched, and was not inspected",
    "http-version": "the device talks another version of HTTP to the proxy than the proxy to the server",
    "http3": "the server offers HTTP/3, which does not pass this way: the device stays with HTTP/2 or HTTP/1.1",
    "ech": "the device offers to hide the server's name (ECH, or filler that looks like it); the proxy needs the name",
    "early-data": "the device would send before the handshake is over (0-RTT); the proxy lets it wait",
    "mended": "a folded line or a stray control character in a header became a space",
    "forwarded": "`X-Forwarded-For` names the visitor to your media server; what he claimed there was not handed on",
    "silent": "the server did not answer, and was given up earlier than the device would have",
    "blocked": "phonehome does not let devices reach this address through it",
    "turned-away": "the proxy had too few open files left and turned the device away",
}
"""Kind of effect -> what it is."""

WAYS: Mapping[str, str] = {
    "regular": "as a proxy",
    "upstream": "as a proxy before another one",
    "socks5": "as a SOCKS proxy",
    "transparent": "by router",
    "tun": "by router, through an interface",
    "wireguard": "by WireGuard",
    "local": "one program",
    "reverse": "before your media server",
    "dns": "as a name server",
}
"""mitmproxy's name of a way in -> what people call it."""

FACTS: Mapping[str, str] = {
    "certificate": (
        "the device sees certificates of your own authority, and has to trust that the proxy checks the real ones"
    ),
    "revoked": "the proxy does not ask whether a server's certificate was revoked, which some devices do",
    "tls": "servers see the proxy's TLS instead of the device's",
    "address": (
        "servers see the address of the machine on which the proxy runs; behind a router that differs for IPv6 alone"
    ),
    "names": "the proxy's machine looks up the names",
    "http3": "HTTP/3 is not used",
    "silence": "a server that does not answer is given up after half a minute",
    "visitors": "the server sees every visitor come from this machine, and may take strangers for people at home",
}
"""What is always so."""
