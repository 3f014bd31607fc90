"""What a router's network looks like, as the kernel tells it (iproute2's JSON, /proc/sys)."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captures.model import CaptureError

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_SYSCTLS = Path("/proc/sys")


@dataclass(frozen=True, slots=True)
class Lan:
    """The household's side of a router."""

    interface: str
    """Name of the interface: `br-lan`."""
    networks4: tuple[str, ...]
    """Its IPv4 networks: `192.168.1.0/24`."""
    networks6: tuple[str, ...]
    """Its IPv6 networks, without link-local ones."""
    addresses4: tuple[str, ...] = ()
    """This machine's own IPv4 addresses there."""
    link_local: str = ""
    """And its IPv6 address that holds on this link alone, which no provider changes; empty when it has none."""


def run(*command: str, text: str = "") -> str:
    """Command of iproute2 or nftables -> what it prints.  Raises `CaptureError` with one sentence."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except FileNotFoundError:
        package = "nftables" if command[0] == "nft" else "iproute2"
        raise CaptureError(f"{command[0]}: is not installed; install the package {package}") from None
    except subprocess.TimeoutExpired:
        raise CaptureError(f"{' '.join(command)}: did not end within 30 seconds; try again") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        if "ermitted" in done.stderr:
            raise CaptureError(f"{' '.join(command)}: may only be run as root; try with sudo")
        quoted = (said or ["—"])[0][:200]
        raise CaptureError(f"{' '.join(command)}: was refused: {quoted}")
    return done.stdout


def lan(interface: str) -> Lan:
    """Name of an interface -> its networks.  Raises `CaptureError` when it does not exist or has no address."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", interface):
        raise CaptureError(f"--interface {interface[:20]!r}: is no name of an interface; `ip link` shows them")
    told = _json("-j", "addr", "show", "dev", interface)
    every = [address for link in told for address in link.get("addr_info", ())]
    addresses = [address for address in every if address.get("scope") == "global"]
    found: dict[int, set[str]] = {4: set(), 6: set()}
    for address in addresses:
        network = ipaddress.ip_network(f"{address['local']}/{address['prefixlen']}", strict=False)
        found[network.version].add(str(network))
    if not found[4] and not found[6]:
        raise CaptureError(f"--interface {interface}: has no address; name the one to which your devices are connected")
    own = tuple(str(address["local"]) for address in addresses if ":" not in address["local"])
    near = (str(address["local"]) for address in every if address.get("scope") == "link" and ":" in address["local"])
    return Lan(interface, tuple(sorted(found[4])), tuple(sorted(found[6])), own, next(near, ""))


def addresses() -> tuple[str, ...]:
    """All addresses of this machine that others may reach, in the kernel's order.  Raises `CaptureError`."""
    told = _json("-j", "addr", "show", "up", "scope", "global")
    return tuple(str(address["local"]) for link in told for address in link.get("addr_info", ()) if "local" in address)


def way_out() -> str:
    """Interface that leads to the Internet; empty when there is none, or it cannot be told."""
    try:
        routes = _json("-j", "route", "show", "default")
    except CaptureError:
        return ""
    return next((str(route["dev"]) for route in routes if "dev" in route), "")


def mac(device: str, interface: str) -> str:
    """MAC or address of a device -> its MAC in lower case.  Raises `CaptureError` when it is not known."""
    text = device.lower().replace("-", ":")
    if _MAC.fullmatch(text):
        return text
    try:
        wanted = ipaddress.ip_address(text)
    except ValueError:
        raise CaptureError(f"--device {device[:40]}: is neither a MAC nor an address; `ip neigh` shows both") from None
    for neighbour in _json("-j", "neigh", "show", "dev", interface):
        if ipaddress.ip_address(neighbour["dst"]) == wanted and _MAC.fullmatch(neighbour.get("lladdr", "")):
            return str(neighbour["lladdr"])
    raise CaptureError(f"--device {device}: is not a neighbour on {interface}; switch it on, or give its MAC")


def sysctl(name: str) -> str | None:
    """`net/ipv4/ip_forward` -> its value; `None` when this kernel has none."""
    try:
        return (_SYSCTLS / name).read_text().strip()
    except OSError:
        return None


def sysctls(pattern: str) -> tuple[str, ...]:
    """`net/ipv4/conf/*/forwarding` -> the names that there are, sorted."""
    return tuple(sorted(str(path.relative_to(_SYSCTLS)) for path in _SYSCTLS.glob(pattern)))


def advertised() -> tuple[str, ...]:
    """Interfaces by which this machine has learned its way into the IPv6 Internet from a router's advertisements.

    The kernel forgets that way when it begins to forward, unless told not to (`accept_ra` is 2).
    """
    try:
        routes = _json("-6", "-j", "route", "show", "default")
    except CaptureError:
        return ()
    found = dict.fromkeys(str(route["dev"]) for route in routes if route.get("protocol") == "ra" and "dev" in route)
    # Where it is 0 another program looks after these routes, and the kernel leaves them alone.
    return tuple(name for name in found if sysctl(f"net/ipv6/conf/{name}/accept_ra") == "1")


def set_sysctl(name: str, value: str) -> None:
    """Sets one for the running system.  Raises `CaptureError`."""
    try:
        (_SYSCTLS / name).write_text(value + "\n")
    except OSError as error:
        raise CaptureError(f"/proc/sys/{name}: cannot be set ({error.strerror}); run it as root") from None


def _json(*arguments: str) -> list[dict[str, Any]]:
    text = run("ip", *arguments)
    return [entry for entry in json.loads(text or "[]") if entry]
