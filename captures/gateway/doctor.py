"""What stands in the way of a capture on this machine.  Looks, and changes nothing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from captures import home
from captures.gateway import authority, journal, network, trust, wireguard
from captures.model import CaptureError, Sentence

type State = Literal["fine", "problem", "unknown"]

_MITMPROXY = (12, 2)
_ROOM = 2 * 1024**3
"""Bytes: about a day of an ordinary household, with room to spare."""

_FILES = 4096
"""Each connection of a device takes two."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What."""
    state: State
    """`unknown`: it could not be looked at here."""
    said: str
    """What was found, for people."""
    remedy: str = ""
    """What to do; empty when nothing is to be done."""
    needed: str = "every way"
    """For which way of watching it counts."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What can be expected of one kind of device or server."""

    name: str
    """What the user has."""
    way: str
    """How it is watched."""
    seen: str
    """`readable`, `names only` or `nothing`."""
    effort: str
    """`low`, `middle` or `high`."""
    risk: str
    """What may break."""
    tested: tuple[str, ...]
    """Which of `seen`, `effort` and `risk` the project has tried with this very product; the others follow from what is
    known of it."""

    def cell(self, name: str) -> str:
        """One of the three, and whether it was tried."""
        return f"{getattr(self, name)} ({'tested' if name in self.tested else 'not tested'})"


def setups() -> tuple[Setup, ...]:
    """The table of set-ups, in the order in which it is shown."""
    table = tomllib.loads(Path(__file__).with_name("setups.toml").read_text("utf-8"))
    return tuple(Setup(**{**entry, "tested": tuple(entry["tested"])}) for entry in table["setup"])


def markdown() -> str:
    """The table of set-ups for a page."""
    head = "| my set-up | what is seen | effort | risk | how |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {each.name} | {each.cell('seen')} | {each.cell('effort')} | {each.cell('risk')} | {each.way} |\n"
        for each in setups()
    )


def examine(port: int = 8080) -> tuple[Check, ...]:
    """All checks in order; one that fails by itself is `unknown`.  `port` is that on which the proxy would listen."""
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Python", _python),
        ("mitmproxy", _mitmproxy),
        ("port", lambda: _port(port)),
        ("WireGuard's port", _wireguard),
        ("authority", _authority),
        ("disk", _disk),
        ("open files", _files),
        ("clock", _clock),
        ("IPv6", _ipv6),
        ("forwarding", _forwarding),
        ("nftables", _nftables),
        ("bridge-nf-call-iptables", _bridge),
        ("kernel", _kernel),
        ("capabilities", _capabilities),
        ("local capture", _cgroup),
        ("changed by phonehome", _changed),
        ("DNS over HTTPS", _doh),
    )
    return tuple(_tried(name, check) for name, check in checks)


def _tried(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (OSError, ValueError) as error:
        return Check(name, "unknown", f"could not be looked at ({error})")


def _python() -> Check:
    # An older one installs no phonehome.
    return Check("Python", "fine", f"{platform.python_version()}, {sys.executable}")


def _mitmproxy() -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("mitmproxy")
    except PackageNotFoundError:
        return Check("mitmproxy", "problem", "is not installed", "install phonehome again: pip install phonehome")
    if tuple(map(int, found.split(".")[:2])) < _MITMPROXY or not found.startswith("12."):
        return Check("mitmproxy", "problem", found, "install a version of at least 12.2.3 and below 13")
    return Check("mitmproxy", "fine", found)


def _port(port: int) -> Check:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return Check("port", "problem", f"{port} may not be used", "choose one above 1023: watch --listen PORT")
        except OSError:
            return Check(
                "port", "problem", f"{port} is in use by another program", "choose another: watch --listen PORT"
            )
    return Check("port", "fine", f"{port} is free")


def _wireguard() -> Check:
    name, needed = "WireGuard's port", "phones by WireGuard"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", wireguard.PORT))
        except OSError:
            said = f"{wireguard.PORT} is in use, perhaps by a WireGuard of your own"
            return Check(name, "problem", said, "choose another: watch --mode wireguard@PORT", needed=needed)
    place = wireguard.here()
    if not place:
        return Check(name, "problem", "this machine has no address", "connect it to your network", needed=needed)
    return Check(name, "fine", f"{wireguard.PORT} is free; devices find it at {place}", needed=needed)


def _changed() -> Check:
    """What phonehome has changed on this machine and not taken back yet."""
    name = "changed by phonehome"
    planned = journal.read(home.journal())
    changed: list[Sentence] = [f"gateway on {planned.interface} for {', '.join(planned.devices)}"] if planned else []
    changed += [f"trust of {entry.product} in {entry.path}" for entry in trust.listed(home.journal())]
    if not changed:
        return Check(name, "fine", "nothing")
    return Check(name, "fine", f"{'; '.join(changed)}; all of it is taken back by: phonehome undo")


def _authority() -> Check:
    try:
        ours = authority.read(home.authority())
    except CaptureError as error:
        return Check("authority", "problem", str(error), "phonehome trust remove --all, then trust add")
    anew = "phonehome trust remove --all, then trust add"
    if ours is None:
        return Check("authority", "fine", "none yet; watch or trust add makes one")
    left = (ours.until.timestamp() - time.time()) / 86400
    if left < 0:
        return Check("authority", "problem", f"has ended on {ours.until:%Y-%m-%d}", anew)
    if not ours.private:
        return Check(
            "authority",
            "problem",
            "others can read its key",
            "phonehome trust remove --all, then trust add: the key may be known by now",
        )
    if not ours.constrained:
        said = "is valid for every name, banks as well; it was made by another program"
        return Check("authority", "problem", said, anew)
    return Check("authority", "fine", f"until {ours.until:%Y-%m-%d}, not valid for {len(ours.never)} names")


def _disk() -> Check:
    free = shutil.disk_usage(home.root()).free
    said = f"{free / 1024**3:.1f} GB free at {home.root()}"
    if free < _ROOM:
        return Check("disk", "problem", said, "free some, or record elsewhere: watch --ledger FILE")
    return Check("disk", "fine", said)


def _files() -> Check:
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < _FILES:
        return Check(
            "open files", "problem", f"at most {most}", "raise it: ulimit -Hn 65536, or LimitNOFILE= in the unit"
        )
    return Check("open files", "fine", "no limit" if most == resource.RLIM_INFINITY else f"at most {most}")


def _clock() -> Check:
    # Without a network: no clock of a machine on which this program was installed stands before that.
    if time.time() < Path(__file__).stat().st_mtime - 86400:
        said = f"{time.strftime('%Y-%m-%d %H:%M')}, before phonehome was installed"
        return Check("clock", "problem", said, "set it: certificates would not be valid")
    if Path("/run/systemd/timesync").is_dir() and not Path("/run/systemd/timesync/synchronized").exists():
        return Check("clock", "problem", "is not set by the network yet", "timedatectl set-ntp true")
    return Check("clock", "fine", time.strftime("%Y-%m-%d %H:%M %Z"))


def _ipv6() -> Check:
    table = Path("/proc/net/if_inet6")
    if not table.exists():
        return Check("IPv6", "unknown", "cannot be told on this system", needed="router")
    scopes = [line.split()[3] for line in table.read_text("ascii").splitlines()]
    # Scope 00 is global.
    if "00" in scopes:
        return Check("IPv6", "fine", "is in use; `gateway` leads both", needed="router")
    return Check("IPv6", "fine", "is not in use", needed="router")


def _forwarding() -> Check:
    four, six = network.sysctl("net/ipv4/ip_forward"), network.sysctl("net/ipv6/conf/all/forwarding")
    if four is None:
        return Check("forwarding", "unknown", "cannot be told on this system", needed="router")
    if four != "1":
        return Check("forwarding", "problem", "is off", "`gateway up` switches it on, `down` off", needed="router")
    said = "is on for IPv4 and IPv6" if six == "1" else "is on for IPv4"
    return Check("forwarding", "fine", said, needed="router")


def _nftables() -> Check:
    if not shutil.which("nft"):
        return Check("nftables", "problem", "is not installed", "install the package nftables", needed="router")
    if os.geteuid():
        return Check(
            "nftables", "unknown", "is installed; only root sees more", "run doctor with sudo", needed="router"
        )
    try:
        network.run("nft", "list", "tables")
    except CaptureError as error:
        return Check("nftables", "problem", str(error), "use a kernel with nf_tables", needed="router")
    return Check("nftables", "fine", "works", needed="router")


def _bridge() -> Check:
    name = "bridge-nf-call-iptables"
    found = network.sysctl(f"net/bridge/{name}")
    if found != "1":
        return Check(name, "fine", "is off" if found == "0" else "is not there", needed="router")
    said = "is on: rules see what devices at home say to each other; those of `gateway` leave that alone"
    return Check(name, "fine", said, needed="router")


def _kernel() -> Check:
    if sys.platform != "linux":
        said = f"{platform.system()}: no router, no capture of one program by its name"
        return Check("kernel", "unknown", said, needed="router")
    if not Path("/dev/net/tun").exists():
        return Check(
            "kernel", "problem", "has no /dev/net/tun", "modprobe tun; or gateway up --way redirect", needed="router"
        )
    return Check("kernel", "fine", f"{platform.release()}, with TUN", needed="router")


_CAPABILITIES = {12: "CAP_NET_ADMIN", 13: "CAP_NET_RAW"}


def _capabilities() -> Check:
    status = Path("/proc/self/status")
    if not status.exists():
        return Check("capabilities", "unknown", "cannot be told on this system", needed="router, sniff")
    line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
    held = int(line.split()[1], 16)
    missing = [name for bit, name in _CAPABILITIES.items() if not held >> bit & 1]
    if missing:
        return Check(
            "capabilities", "problem", f"without {' and '.join(missing)}", "run it with sudo", needed="router, sniff"
        )
    return Check("capabilities", "fine", "network administration and raw sockets", needed="router, sniff")


def _cgroup() -> Check:
    name, needed = "local capture", "one program by its name"
    if sys.platform != "linux":
        return Check(name, "unknown", "was tried on Linux alone", needed=needed)
    if os.geteuid():
        return Check(name, "problem", "only root may capture one program", "run watch with sudo", needed=needed)
    missing = [] if Path("/sys/fs/cgroup/cgroup.controllers").exists() else ["cgroup v2 at /sys/fs/cgroup"]
    missing += [] if shutil.which("sudo") else ["sudo"]
    if missing and "cgroup2" not in Path("/proc/filesystems").read_text("ascii"):
        said = "this kernel has no cgroup v2"
        return Check(name, "problem", said, "use `watch` as a proxy, or another kernel", needed=needed)
    said = f"without {' and '.join(missing)}, which watch supplies for itself" if missing else "cgroup v2 and sudo"
    return Check(name, "fine", said, needed=needed)


def _doh() -> Check:
    """Whether a browser of this user asks for names past the household's DNS."""
    name, remedy = (
        "DNS over HTTPS",
        "switch it off in the browser while you watch names by DNS; the proxy needs nothing",
    )
    asking = []
    for prefs in sorted(Path("~/.mozilla/firefox").expanduser().glob("*/prefs.js")):
        text = prefs.read_text("utf-8", "replace")
        if '"network.trr.mode", 2' in text or '"network.trr.mode", 3' in text:
            asking.append("Firefox")
    for browser in ("chromium", "google-chrome", "BraveSoftware/Brave-Browser"):
        state = Path("~/.config").expanduser() / browser / "Local State"
        if state.exists() and json.loads(state.read_bytes()).get("dns_over_https", {}).get("mode") == "secure":
            asking.append(browser)
    if asking:
        said = f"is on in {', '.join(dict.fromkeys(asking))}: names stand in no DNS log"
        return Check(name, "problem", said, remedy, needed="DNS logs, sniff")
    return Check(name, "fine", "no browser of yours was told to use it always", needed="DNS logs, sniff")
