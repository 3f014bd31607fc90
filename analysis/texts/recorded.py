"""What the recording and the machine say of themselves, in English: why something could not be read, what a kind of
capture cannot show, what `doctor` found.

Keys are what the lower layers say, with names in braces for what changes; they know no languages, and JSON holds their
words as they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from analysis import language

_KEYS = (
    "client rejected the certificate",
    "disconnected during the handshake",
    "client left during the handshake",
    "client accepted the handshake and left without a request",
    "the server's certificate is not trusted",
    "client and proxy share no version or cipher of TLS",
    "server refused TLS",
    "the server asked for a certificate that only the device has",
    "the server could not be reached",
    "was not looked into",
    "is not HTTP",
    "is STUN",
    "was not answered",
    "was not kept",
    "only the beginning was kept",
    "bytes are missing in the capture",
    "a part of its HTTP is missing or damaged",
    "not inspected: the app does not accept the proxy's certificate",
    "not inspected: device, proxy and server have no version or cipher of TLS in common",
    "not inspected: the proxy cannot verify the server's certificate, so the app decides by itself",
    "not inspected: the server wants a certificate that only the device has",
    "not inspected: on your list of names that are never intercepted",
    "this address belongs to the machine on which phonehome runs, and cannot be reached through it",
    "this address is in your household; `phonehome watch --allow-lan` lets devices reach others at home",
    "ports of phonehome itself cannot be reached through it",
    "this is no name of a server",
    "is damaged",
    "is damaged ({kind})",
    "is odd ({kind})",
    "is cut off",
    "is cut off or damaged",
    "is of an unknown kind",
    "comes from a newer mitmproxy",
    "has no address",
    "has an address that cannot be read",
    "is no network call",
    "the file is damaged after this",
    "is encrypted on the radio link",
    "is cut off within its headers",
    "{reason}; {n} bytes were skipped",
    (
        "A flow file holds no failed connections: apps that refused to be looked into do not show in it "
        "(`phonehome watch` records them)."
    ),
    (
        "A HAR file holds what one browser tab or program recorded: no other program, and no connection that "
        "failed before a request."
    ),
    "Packets show whom a device called, when and how much; what was encrypted could not be read.",
    "Bytes of connections are counted on the wire, with all headers and with what was sent twice.",
    # What `doctor` says.
    "every way",
    "router",
    "router, sniff",
    "DNS logs, sniff",
    "{port} is free",
    "at most {n}",
    "no limit",
    "works",
    "is off",
    "port",
    "WireGuard's port",
    "authority",
    "disk",
    "open files",
    "clock",
    "forwarding",
    "kernel",
    "capabilities",
    "local capture",
    "changed by phonehome",
    "is not installed",
    "install phonehome again: pip install phonehome",
    "could not be looked at ({why})",
    "cannot be told on this system",
    "{port} may not be used",
    "choose one above 1023: watch --listen PORT",
    "{port} is in use by another program",
    "choose another: watch --listen PORT",
    "choose another: watch --mode wireguard@PORT",
    "{port} is in use, perhaps by a WireGuard of your own",
    "{port} is free; devices find it at {address}",
    "this machine has no address",
    "connect it to your network",
    "phones by WireGuard",
    "none yet; watch or trust add makes one",
    "has ended on {date}",
    "others can read its key",
    "until {date}, not valid for {n} names",
    "is valid for every name, banks as well; it was made by another program",
    "{n} GB free at {folder}",
    "free some, or record elsewhere: watch --ledger FILE",
    "raise it: ulimit -Hn 65536, or LimitNOFILE= in the unit",
    "{time}, before phonehome was installed",
    "set it: certificates would not be valid",
    "is not set by the network yet",
    "is in use; `gateway` leads both",
    "is not in use",
    "`gateway up` switches it on, `down` off",
    "is on for IPv4",
    "install the package nftables",
    "is installed; only root sees more",
    "run doctor with sudo",
    "is not there",
    "is on: rules see what devices at home say to each other; those of `gateway` leave that alone",
    "run it with sudo",
    "network administration and raw sockets",
    "one program by its name",
    "was tried on Linux alone",
    "only root may capture one program",
    "run watch with sudo",
    "this kernel has no cgroup v2",
    "use `watch` as a proxy, or another kernel",
    "cgroup v2 and sudo",
    "is on in {where}: names stand in no DNS log",
    "switch it off in the browser while you watch names by DNS; the proxy needs nothing",
    "no browser of yours was told to use it always",
    "{things}; all of it is taken back by: phonehome undo",
)

SAID: Mapping[str, str] = {key: key for key in _KEYS}

STATES: Mapping[str, str] = {"fine": "fine", "problem": "problem", "unknown": "not known"}
NEEDED_FOR, FOUND, TO_DO = "for", "found", "do"
SET_UP, SEEN, EFFORT, RISK, HOW = "my set-up", "readable?", "effort", "risk", "how"

# The live view ---

CALLS_BY_PURPOSE = "{n} calls, by purpose"
NEWEST = "Newest"
SO_FAR = "So far the report can speak about"
OCCASION = "Occasion"
LIVE_NOT_READ = "not read: {host}: {reason}"
A_CONNECTION = "a connection"
LIVE_DROPPED = "{n} observations had to be dropped so far: the ledger cannot be written fast enough"
LIVE_FAULT = "the ledger cannot be written at the moment; the traffic goes on, and what is lost is counted"
LIVE_TROUBLE = "{dropped} observations dropped, {faults} times the ledger could not be written.  "
LIVE_END = "Ctrl-C ends and reports."


def said(text: str) -> str:
    """What a lower layer says -> the same in the language in use; as it is where nobody has translated it."""
    if language.current() == language.SOURCE:
        return text
    if text in SAID:
        return SAID[text]
    for pattern, key in _patterns():
        if found := pattern.fullmatch(text):
            parts = {name: said(part) if name == "reason" else part for name, part in found.groupdict().items()}
            return SAID[key].format(**parts)
    return text


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Keys in which something changes, as patterns."""
    changing = (key for key in SAID if "{" in key)
    return tuple((re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(key))), key) for key in changing)
