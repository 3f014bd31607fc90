"""The start of `phonehome watch` for who does not know what to type: questions, checks, and what follows from them."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from analysis import language
from analysis.cli import tell


@dataclass(frozen=True, slots=True)
class Start:
    """What `watch` is started with."""

    modes: tuple[str, ...] = ()
    """As of `--mode`."""
    listen: str | None = None
    """As of `--listen`."""
    gateway: bool = False
    """As of `--gateway`."""
    interface: str = ""
    """Not empty: `sniff` is started instead, on this interface."""


def ask() -> Start | None:
    """Asks on the terminal what is to be watched -> how to start; `None` when one command of the user's is missing.

    The command is said then.  Nothing is changed without being asked.
    """
    from rich.console import Console

    from analysis.cli.doctor import table
    from analysis.texts import recorded as words
    from captures.gateway.doctor import setups

    console = Console(stderr=True, highlight=False)
    console.print(table(setups()))
    tell("")
    tell("What is to be watched?")
    for number, said in enumerate(words.WAYS.values(), 1):
        click.echo(f"  {number}  {said}", err=True)
    number = click.prompt(language.said("Number"), type=click.IntRange(1, len(words.WAYS)), default=1, err=True)
    return _STARTS[tuple(words.WAYS)[number - 1]]()


def _browser() -> Start:
    tell("next, in another terminal: phonehome trust add chromium (or firefox, python, node, system)")
    tell(
        "then let the program use the address after `listening on` as its proxy (Chromium: "
        "--proxy-server=http://ADDRESS; programs in a terminal: HTTPS_PROXY=http://ADDRESS)"
    )
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            tell("port 8080 is in use; another one is taken")
            return Start(listen="127.0.0.1:0")
    return Start()


def _program() -> Start | None:
    name = click.prompt(language.said("Name of the program, as `ps -e` shows it"), err=True)
    if sys.platform == "linux" and os.geteuid():
        return _missing(f"sudo phonehome watch --mode 'local:{name}'")
    tell("it must trust the proxy: phonehome trust add -h says how")
    return Start(modes=(f"local:{name}",))


def _phone() -> Start:
    tell("on the device: install the WireGuard app, add a tunnel, and let it look at the picture below")
    tell("then let it trust the proxy: phonehome trust add ios (or android, tvos)")
    return Start(modes=("wireguard",))


def _router() -> Start | None:
    from analysis.cli.gateway import planned
    from captures import home
    from captures.gateway import journal

    if there := journal.read(home.journal()):
        tell(
            f"set up already for {', '.join(there.devices)} on {there.interface}; for another device, first: "
            "phonehome gateway down"
        )
        return Start(gateway=True) if not os.geteuid() else _missing("sudo phonehome watch --gateway")
    interface = click.prompt(
        language.said("Interface to which the device is connected (`ip link` shows them)"), err=True
    )
    device = click.prompt(language.said("Address or MAC of the device (`ip neigh` shows them)"), err=True)
    if os.geteuid():
        return _missing(f"sudo phonehome gateway up --interface {interface} --device {device}")
    if not shutil.which("nft"):
        return _missing("apt install nftables")
    wanted = planned(interface, (device,), "tun", 8080)
    tell(f"phonehome gateway plan --interface {interface} --device {device} prints what would be done")
    what = f"Set this machine up so that {wanted.devices[0]} is led through the proxy?"
    if not click.confirm(language.said(what), err=True):
        return None
    journal.up(wanted, home.journal())
    tell("take it back with: phonehome gateway down")
    return Start(gateway=True)


def _server() -> Start | None:
    port = click.prompt(
        language.said("Port of the server (Plex 32400, Jellyfin 8096)"),
        type=click.IntRange(1, 65534),
        default=32400,
        err=True,
    )
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex(("127.0.0.1", port)):
            tell(f"nothing listens on port {port} of this computer; start the server, then try again")
            return None
    tell(f"open port {port + 1} of this computer in the app instead of {port}")
    return Start(modes=(f"reverse:http://127.0.0.1:{port}@0.0.0.0:{port + 1}",))


def _look() -> Start | None:
    from captures.gateway import network

    interface = click.prompt(language.said("Interface to listen to"), default=network.way_out() or None, err=True)
    if os.geteuid():
        return _missing(f"sudo phonehome sniff -i {interface}")
    return Start(interface=interface)


def _missing(command: str) -> Start | None:
    tell(f"one command is missing: {command}")
    return None


_STARTS: dict[str, Callable[[], Start | None]] = {
    "browser": _browser,
    "program": _program,
    "phone": _phone,
    "router": _router,
    "server": _server,
    "look": _look,
}
