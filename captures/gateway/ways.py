"""Ways in as the user names them (mitmproxy's modes) -> where each listens, and what has to be said about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from captures.gateway import wireguard
from captures.model import Sentence

_PORTLESS = ("local", "tun")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the proxy listens."""

    modes: tuple[str, ...]
    """For mitmproxy."""
    host: str
    """For modes that name none; empty: all addresses."""
    port: int
    """Likewise."""


def placed(modes: tuple[str, ...], host: str, port: int, *, chosen: bool) -> Places:
    """Modes, and the place that was asked for -> where each listens.

    `chosen`: whether the user has named the place.  If not, it is meant for proxies, which only this machine needs;
    WireGuard is of use to other devices alone, so that it listens on all addresses and its own port.

    >>> placed(("wireguard",), "127.0.0.1", 8080, chosen=False)
    Places(modes=('wireguard@51820',), host='', port=51820)
    >>> placed(("wireguard", "regular"), "127.0.0.1", 8080, chosen=False).modes
    ('wireguard@51820', 'regular@127.0.0.1:8080')
    """
    modes = modes or ("regular",)
    if chosen or not any(map(_wireguard, modes)):
        return Places(modes, host, port)
    return Places(tuple(_at(mode, host, port) for mode in modes), "", wireguard.PORT)


def _wireguard(mode: str) -> bool:
    return mode.partition("@")[0].partition(":")[0] == "wireguard"


def _at(mode: str, host: str, port: int) -> str:
    if _wireguard(mode):
        return mode if "@" in mode else f"{mode}@{wireguard.PORT}"
    if mode.partition(":")[0] in _PORTLESS:
        return mode
    head, _, place = mode.rpartition("@")
    if not head:
        return f"{mode}@{host}:{port}"
    return mode if ":" in place else f"{head}@{host}:{place}"


def tunnels(places: Places, folder: Path) -> Iterator[tuple[Path, str, int]]:
    """Ways by WireGuard among these: file of its keys, address at which devices find it (empty: unknown), and port.

    `folder`: of the authority, where mitmproxy looks for the keys.
    """
    for mode in places.modes:
        if not _wireguard(mode):
            continue
        head, _, place = mode.rpartition("@") if "@" in mode else (mode, "", "")
        file = head.partition(":")[2]
        host, _, port = place.rpartition(":")
        host = host.strip("[]") or places.host
        everywhere = host in ("", "0.0.0.0", "::")  # noqa: S104 - where it listens is somebody else's decision
        path = Path(file).expanduser() if file else folder / "wireguard.conf"
        yield path, wireguard.here() if everywhere else host, int(port or places.port)


def remarks(modes: tuple[str, ...]) -> Iterator[Sentence]:
    """What a person has to know before he uses these modes, in sentences."""
    for mode in modes:
        name, _, rest = mode.partition(":")
        if name == "reverse":
            target = rest.rpartition("@")[0] or rest
            yield (
                f"the server at {target} sees every visitor come from this machine: it may give strangers the rights "
                "and the quality of somebody at home, and shows no addresses; X-Forwarded-For names the visitor to "
                "servers that are told to trust this machine as a proxy (Jellyfin: Networking, Known proxies)"
            )
        elif name == "local":
            what = _program(rest)
            if rest.isdigit():
                yield f"only what {what} connects to from now on is seen; what it has opened before is not"
            else:
                yield f"only what {what} connects to from now on is seen; start it again if it runs already"
        elif _wireguard(mode):
            yield (
                "a device whose tunnel is on while this does not run is offline: switch the tunnel off on the device "
                "before you end this"
            )


def ended(modes: tuple[str, ...]) -> Iterator[Sentence]:
    """What a person has to know when the proxy of these modes does not run any more, in sentences."""
    names = [mode.partition("@")[0].partition(":")[0] for mode in modes or ("regular",)]
    if "wireguard" in names:
        yield (
            "a device whose WireGuard tunnel is on is offline from now on: switch the tunnel off on the device, or "
            "start watch again"
        )
    if "reverse" in names:
        yield (
            "visitors who come by the proxy's port find nobody there from now on: give the media server its own port "
            "back, or start watch again"
        )
    if {"regular", "socks5", "upstream"} & set(names):
        yield "whoever has this proxy in his settings is offline from now on: take it out there, or start watch again"


def frees(modes: tuple[str, ...]) -> bool:
    """Whether everybody is online again when the proxy of these modes ends, so that one that hangs is better ended."""
    return bool(modes) and all(mode.partition(":")[0] == "local" for mode in modes)


def silent(modes: tuple[str, ...]) -> Sentence:
    """What is to be said when nothing was seen for a while; empty where that means nothing."""
    names = [rest for name, _, rest in (mode.partition(":") for mode in modes) if name == "local"]
    if not names:
        return ""
    what = " and ".join(map(_program, names))
    if all(map(str.isdigit, names)):
        return (
            f"nothing was seen of {what} yet: see that it still runs (`ps -p`), and that it is not in a container of "
            "its own"
        )
    return (
        f"nothing was seen of {what} yet: look whether it runs under that very name (`ps -e`), start it again, and see "
        "that it is not in a container of its own"
    )


def gone(modes: tuple[str, ...]) -> Sentence:
    """What is to be said when all that is watched are processes, by their numbers, and none runs any more; else empty.

    Their numbers may be given to others, whom nobody has asked for.
    """
    watched = [mode.removeprefix("local:") for mode in modes]
    if not watched or not all(map(str.isdigit, watched)) or any(_runs(int(number)) for number in watched):
        return ""
    what = " and ".join(map(_program, watched))
    return f"{what} ended, and with that the recording"


def _runs(number: int) -> bool:
    """Whether a process runs; one that is over, and for whose end its parent has not asked, does not."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's, or a system without that folder
        return True


def _program(name: str) -> Sentence:
    """One program as it is spoken of."""
    return f"process {name}" if name.isdigit() else name or "a program"
