"""Data items that the shape of a value shows, whatever its field is called.  Precision before recall."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator

from analysis.evidence import DIRECT_NAME, Evidence, address_of, household

_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+(?P<end>[A-Za-z]{2,24})(?![\w@-])", re.ASCII
)
_LOGIN = re.compile(r"://[^/?#\s\"'<>]{0,200}\Z")
"""What stands before the `@` of an address with a login: `https://key@o1.ingest.sentry.io/42`, a DSN of Sentry's."""
_FILE_ENDS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "js", "mjs", "css", "json", "html", "map"})
"""`logo@2x.png` is a picture for fine screens; none of these is a top-level domain."""
_IPV4 = re.compile(r"(?<![\w.-])(?<!\w/)(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])", re.ASCII)
_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}"
    r"|(?=[0-9.]{0,13}[a-f])[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})(?![\w:-])",
    re.ASCII | re.IGNORECASE,
)
_MAC_NUMBER = re.compile(r"0x[0-9a-f]{9,12}\Z")
_JWT = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*\Z", re.ASCII)
_KERNEL = re.compile(r"\d{1,2}\.\d{1,3}\.\d{1,3}(?:[-+.][A-Za-z0-9.+_-]+)+\Z", re.ASCII)

_MARK = re.compile(r"[@.:-]|\A0x")
"""What each of the shapes holds; most values hold none."""

_NO_MAC = frozenset({"000000000000", "ffffffffffff", "020000000000"})
"""Nobody's, everybody's, and what Android has told apps since version 6."""

_MOST = 1_000
"""Different parts of one value that are looked at for each kind of shape."""

_NO_ADDRESS = frozenset({"0.0.0.0", "255.255.255.255", "::"})  # noqa: S104 - values that say nothing, not a listener

_NO_HOST = re.compile(r"\A0\.|\A\d+\.0\.0\.0\Z")
"""`8.0.0.0` is the version of a browser: no machine has such an address."""

_LABEL_BY_VALUE = {"client.model": "client.os", "server.hardware": "server.os"}


def shapes(value: str, evidence: Evidence) -> Iterable[tuple[str, str]]:
    """One value -> (item, the part of the value that is one), in the order of kinds; empty when it shows nothing.

    Found are e-mail addresses, MAC addresses (also as the number that Python's `uuid.getnode` gives), IP addresses,
    names under plex.direct, and JWTs (RFC 7519).  A UUID alone says nothing.
    """
    return _shapes(value, evidence) if _MARK.search(value) else ()


def _shapes(value: str, evidence: Evidence) -> Iterator[tuple[str, str]]:
    if "@" in value:
        yield from (("account.email", text) for text in _parts(_EMAIL, value, _is_email))
    if value.startswith("0x") and _MAC_NUMBER.match(value):
        yield "net.mac", value
    elif value.count(":") >= 5 or value.count("-") >= 5 or value.count(".") >= 2:
        yield from (("net.mac", text) for text in _parts(_MAC, value, _is_mac))
    if "plex.direct" in value:
        for name in _parts(DIRECT_NAME, value):
            dashed, digest = name.split(".")[:2]
            yield "server.cert_hash", digest
            yield address_item(address_of(dashed), evidence), dashed
    if value.count(".") >= 3:
        yield from _addresses(_IPV4, value, evidence)
    if value.count(":") >= 2:
        yield from _addresses(_IPV6, value, evidence)
    if value.startswith("eyJ") and _JWT.match(value):
        yield "auth.token", value


def _parts(pattern: re.Pattern[str], value: str, wanted: Callable[[re.Match[str]], bool] = bool) -> Iterable[str]:
    """The different parts of a value that have a shape, in their order: a log may name one address 100,000 times."""
    found: dict[str, None] = {}
    for match in pattern.finditer(value):
        if match[0] not in found and wanted(match):
            found[match[0]] = None
            if len(found) >= _MOST:
                break
    return found


def _is_email(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 250) : match.start()]
    return match["end"].lower() not in _FILE_ENDS and not _LOGIN.search(before)


def _is_mac(match: re.Match[str]) -> bool:
    return re.sub("[:.-]", "", match[0]).lower() not in _NO_MAC


def _addresses(pattern: re.Pattern[str], value: str, evidence: Evidence) -> Iterator[tuple[str, str]]:
    for part in _parts(pattern, value):
        text = part.strip(":") if part.count(":") < 7 and "::" not in part else part
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        # Times and code look like short IPv6 addresses; within a longer text only long ones count.
        if address.version == 6 and text != value and text.count(":") < 4:
            continue
        if not (str(address) in _NO_ADDRESS or _NO_HOST.search(text) or address.is_loopback or address.is_multicast):
            yield address_item(str(address), evidence), text


def address_item(address: str, evidence: Evidence) -> str:
    """Address in text form -> the item that it is: of the household's network, its public one, or somebody else's."""
    if household(address):
        return "net.lan_ip"
    ours = address in evidence.public_addresses or address in evidence.own.hosts
    return "net.public_ip" if ours else "net.other_ip"


def is_address(value: str) -> bool:
    """Whether the whole value is an IP address.

    >>> is_address("198.51.100.7"), is_address("fd00::1"), is_address("1.41.3.9314")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def label(item: str, value: str, evidence: Evidence) -> str:
    """Item that a field's name says, and the value -> the item that the value is.

    A kernel release in a field for the model is the operating system; an e-mail address in one for the user name is
    that; an address is one's own, local or another's whatever the field is called.
    """
    if item in _LABEL_BY_VALUE and _KERNEL.match(value):
        return _LABEL_BY_VALUE[item]
    if item in ("account.username", "account.name") and "@" in value and _EMAIL.fullmatch(value):
        return "account.email"
    if item in ("net.public_ip", "net.other_ip", "net.lan_ip") and is_address(value):
        seen = address_item(value, evidence)
        return item if item == "net.public_ip" and seen == "net.other_ip" else seen
    return item
