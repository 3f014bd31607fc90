"""The way by WireGuard: keys that only the user can read, the settings of the device, and their picture for its camera.

mitmproxy makes keys by itself when there are none, in a file that everybody can read, and writes them to its log; so
they are made before it starts, in the form in which it looks for them.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from captures import home
from captures.gateway import network
from captures.model import CaptureError

PORT = 51820
"""UDP port that WireGuard has by custom."""

_ADDRESSES = "10.0.0.1/32, fd00:7068::1/128"
"""Of the device inside the tunnel.  Both, or what it sends by IPv6 would go past the tunnel, and nobody would know."""

_HOUSEHOLDS = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

_RESOLVER = "10.0.0.53"
"""mitmproxy answers questions for names here."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys of both ends, base64."""

    server: str
    """Of the proxy."""
    client: str
    """Of the device."""


def ensure(path: Path) -> Keys:
    """mitmproxy's file of keys -> the keys, made when there are none; the file is 0600.  Raises `CaptureError`."""
    if path.exists():
        home.private_file(path)
        try:
            found = json.loads(path.read_text("utf-8"))
            return Keys(found["server_key"], found["client_key"])
        except (ValueError, KeyError, TypeError):
            raise CaptureError(f"{path}: holds no keys of WireGuard; delete it, and new ones are made") from None
    keys = Keys(_private(), _private())
    # A link that leads nowhere is none of ours.
    home.private_file(path)
    home.write(path, json.dumps({"server_key": keys.server, "client_key": keys.client}, indent=4).encode())
    return keys


def settings(keys: Keys, host: str, port: int) -> str:
    """Keys and the place at which the device finds the proxy -> its settings, as WireGuard's apps read them.

    Private: they hold the device's key.
    """
    place = f"[{host}]" if ":" in host else host
    return (
        "[Interface]\n"
        f"PrivateKey = {keys.client}\n"
        f"Address = {_ADDRESSES}\n"
        f"DNS = {_RESOLVER}\n"
        "\n"
        "[Peer]\n"
        f"PublicKey = {_public(keys.server)}\n"
        "AllowedIPs = 0.0.0.0/0, ::/0\n"
        f"Endpoint = {place}:{port}\n"
    )


def picture(text: str) -> str:
    """Settings -> a QR code in lines of a terminal, which WireGuard's apps read with the camera.  Private."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def here() -> str:
    """Address of this machine in the household, as devices find it; empty when it has none.  Nothing is sent."""
    found = [_towards(socket.AF_INET, "192.0.2.1"), _towards(socket.AF_INET6, "2001:db8::1")]
    # A router's way out has the address that the provider gave it; devices know the other one.
    with suppress(CaptureError):
        found += network.addresses()
    known = [ipaddress.ip_address(address) for address in found if address]
    at_home = [address for address in known if any(address in household for household in _HOUSEHOLDS)]
    return str(next(iter(at_home or known), ""))


def _towards(family: socket.AddressFamily, somewhere: str) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((somewhere, 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _private() -> str:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode("ascii")


def _public(private: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    try:
        key = X25519PrivateKey.from_private_bytes(base64.b64decode(private, validate=True))
    except ValueError:
        raise CaptureError("wireguard.conf: holds no keys of WireGuard; delete it, and new ones are made") from None
    return base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")
