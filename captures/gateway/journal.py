"""What was changed on this machine, written down before it is changed, so that it can be taken back.

The file is `journal/gateway.json` below the tool's folder.  Taking back asks of each step whether it is there at all,
so that it may follow a crash in the middle of setting up or of taking back, or a reboot.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from captures import home
from captures.gateway import network
from captures.gateway.plan import TABLE, Plan, Way
from captures.model import CaptureError, Sentence

_VERSION = 1


class Sysctl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting of the kernel that was changed."""

    name: str
    """Below /proc/sys."""
    before: str
    """What it was."""
    after: str
    """What it was set to."""


class Journal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that has to be taken back."""

    way: Way
    """`tun` or `redirect`."""
    interface: str
    """The household's side."""
    devices: tuple[str, ...]
    """MACs."""
    port: int
    """Port of the proxy."""
    table: str
    """Table in nftables."""
    rules: tuple[tuple[str, ...], ...]
    """Arguments of `ip rule add`."""
    sysctls: tuple[Sysctl, ...]
    """Settings of the kernel."""
    beside: tuple[Sysctl, ...] = ()
    """Settings that the kernel changes by itself when those are taken back; `after` is what it makes of them."""
    version: int = _VERSION
    """Of this file's form."""


def place(folder: Path) -> Path:
    """Folder of the journal -> its file."""
    return folder / "gateway.json"


def read(folder: Path) -> Journal | None:
    """Folder -> what is set up, or `None`.  Raises `CaptureError` for a file that is none of ours."""
    path = place(folder)
    try:
        found = msgspec.json.decode(home.read(path), type=Journal)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, OSError) as error:
        raise CaptureError(
            f"{path}: cannot be read ({error}); look what `nft list table inet {TABLE}` shows, delete that by hand, "
            "then this file"
        ) from None
    if found.version != _VERSION:
        raise CaptureError(f"{path}: comes from a newer phonehome; take back with that one")
    return found


def up(wanted: Plan, folder: Path) -> Journal:
    """Sets a plan up; what an earlier one set up is taken back first.  Raises `CaptureError`; then nothing is left."""
    if read(folder):
        down(folder)
    changed = tuple(
        Sysctl(name, before, after)
        for name, after in wanted.sysctls
        if (before := network.sysctl(name)) is not None and before != after
    )
    planned = Journal(
        wanted.way, wanted.lan.interface, wanted.devices, wanted.port, TABLE, wanted.rules, changed,
        tuple(beside for sysctl in changed for beside in _beside(sysctl)),
    )  # fmt: skip
    home.write(place(folder), msgspec.json.encode(planned))
    _settle(folder)
    try:
        # Alone it has no effect: the set of devices is empty.
        network.run("nft", "-f", "-", text=f"add table inet {TABLE}\ndelete table inet {TABLE}\n{wanted.ruleset}")
        for rule in wanted.rules:
            network.run("ip", rule[0], "rule", "add", *rule[1:])
        for sysctl in changed:
            network.set_sysctl(sysctl.name, sysctl.after)
    except CaptureError:
        down(folder)
        raise
    return planned


def down(folder: Path) -> tuple[Sentence, ...]:
    """Takes back what the journal names -> sentences about what was left as somebody else has set it since.

    Nothing when nothing is set up.  Raises `CaptureError` when something cannot be taken back; the journal stays then.
    """
    planned = read(folder)
    if planned is None:
        return ()
    remarks = []
    if f"table inet {planned.table}" in network.run("nft", "list", "tables").splitlines():
        network.run("nft", "delete", "table", "inet", planned.table)
    for rule in planned.rules:
        while _stands(rule):
            network.run("ip", rule[0], "rule", "del", *rule[1:])
    # Backwards: what keeps routes while forwarding changes goes last.
    for sysctl in reversed(planned.sysctls):
        now = network.sysctl(sysctl.name)
        if now == sysctl.after:
            network.set_sysctl(sysctl.name, sysctl.before)
        elif now != sysctl.before:
            remarks.append(f"{sysctl.name} is {now} now, which is not our doing; it stays")
    for sysctl in planned.beside:
        if network.sysctl(sysctl.name) == sysctl.after:
            network.set_sysctl(sysctl.name, sysctl.before)
    place(folder).unlink()
    _settle(folder)
    return tuple(remarks)


def _beside(sysctl: Sysctl) -> Iterator[Sysctl]:
    """What the kernel overwrites when forwarding is set to its former value: that of each interface, and for IPv4
    whether redirects are accepted (`inet_forward_change`, `addrconf_forward_change`)."""
    forced = {}
    if sysctl.name == "net/ipv4/ip_forward":
        forced = dict.fromkeys(network.sysctls("net/ipv4/conf/*/forwarding"), sysctl.before)
        forced["net/ipv4/conf/all/accept_redirects"] = "1" if sysctl.before == "0" else "0"
    elif sysctl.name == "net/ipv6/conf/all/forwarding":
        forced = dict.fromkeys(network.sysctls("net/ipv6/conf/*/forwarding"), sysctl.before)
    for name, after in forced.items():
        before = network.sysctl(name)
        if before is not None and before != after and name != sysctl.name:
            yield Sysctl(name, before, after)


def _stands(rule: tuple[str, ...]) -> bool:
    """Whether such a rule stands: the same preference, mark and table."""
    family, _, preference, *_ = rule
    mark, table = rule[rule.index("fwmark") + 1], rule[rule.index("lookup") + 1]
    wanted = f"{preference}:\tfrom all fwmark {mark} lookup {table}"
    return wanted in network.run("ip", family, "rule", "show", "pref", preference)


def _settle(folder: Path) -> None:
    """Has the names in a folder written to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
