"""`phonehome gateway`: the set-up of a router, printed, applied and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analysis import language
from analysis.cli import Group, options, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from captures.gateway.counters import Count, Device
    from captures.gateway.journal import Journal
    from captures.gateway.plan import Plan, Way

_PORT = 8080


@click.group(cls=Group)
def gateway() -> None:
    """Lead the traffic of chosen devices through the proxy, on the router that they use.

    Only these devices are led, only while the proxy lives: when it ends, dies or hangs, they are online again within
    ten seconds.  What stays in the house is never touched.

    \b
    Example:
      phonehome gateway plan --interface br-lan --device 192.168.1.20
      sudo phonehome gateway up --interface br-lan --device 192.168.1.20
      sudo phonehome watch --gateway
      sudo phonehome gateway down
    """


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that choose the devices and the way."""
    for option in (
        click.option(
            "--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True, help="Port of the proxy."
        ),
        click.option(
            "--way",
            type=click.Choice(("tun", "redirect")),
            default="tun",
            show_default=True,
            help="tun: also QUIC, and online again at once; redirect: TCP ports 80 and 443 alone.",
        ),
        click.option(
            "--device", "devices", multiple=True, required=True, metavar="MAC|IP", help="Device to watch; repeatable."
        ),
        click.option(
            "--interface", required=True, metavar="NAME", help="Interface to which the devices are connected."
        ),
    ):
        command = option(command)
    return command


@gateway.command("plan")
@_chosen
@click.option(
    "--script",
    type=click.Choice(("text", "shell", "openwrt", "opnsense", "systemd", "docker")),
    default="text",
    show_default=True,
    help="For people, or to be run or installed.",
)
def plan_(interface: str, devices: tuple[str, ...], way: Way, port: int, script: str) -> None:
    """Print exactly what `up` will do; nothing is changed.

    \b
    Example:
      phonehome gateway plan --interface br-lan --device 192.168.1.20
      phonehome gateway plan --interface br-lan --device 02:00:00:00:00:14 --script openwrt
    """
    from captures.gateway import scripts

    text = scripts.render(script, planned(interface, devices, way, port))
    click.echo(language.lines(text) if script == "text" else text, nl=False)


@gateway.command()
@_chosen
def up(interface: str, devices: tuple[str, ...], way: Way, port: int) -> None:
    """Set it up.  Nothing is led anywhere before `phonehome watch --gateway` runs.

    What is changed is written down before, in $PHONEHOME_HOME/journal, so that `down` finds it after a crash or a
    reboot as well.

    \b
    Example:
      sudo phonehome gateway up --interface br-lan --device 192.168.1.20
    """
    from captures import home
    from captures.gateway import journal

    wanted = planned(interface, devices, way, port)
    journal.up(wanted, home.journal())
    tell(f"set up for {', '.join(wanted.devices)} on {interface}; take it back with: phonehome gateway down")
    tell("next: phonehome watch --gateway")


@gateway.command()
def down() -> None:
    """Take back what `up` did, also after a crash or a reboot.  Does nothing when nothing is set up.

    \b
    Example:
      sudo phonehome gateway down
    """
    from captures import home
    from captures.gateway import journal

    there = journal.read(home.journal()) is not None
    for remark in journal.down(home.journal()):
        tell(remark)
    tell("taken back" if there else "nothing is set up")


@gateway.command()
@options.output("terminal", "json")
def status(form: str, out: str) -> None:
    """Say what is set up, whether devices are led through the proxy now, and how much of each one was.

    What is counted is what a device sent while it was led: to the proxy, and on its usual way (what stays in the house,
    and what is none of our business).

    \b
    Example:
      sudo phonehome gateway status
      sudo phonehome gateway status --format json
    """
    from captures import home
    from captures.gateway import counters, journal

    planned = journal.read(home.journal())
    devices = counters.read(planned) if planned else ()
    if form == "json":
        text = _status_json(planned, devices)
    else:
        text = _status(planned, devices) if planned else language.said("nothing is set up") + "\n"
    options.write(text, out)


def _status(planned: Journal, devices: Sequence[Device]) -> str:
    led = any(device.now for device in devices)
    sent, proxy, usual = map(language.said, ("what it sent while it was led", "to the proxy", "on its usual way"))
    lines = [
        language.said(f"set up: {', '.join(planned.devices)} on {planned.interface}, by {planned.way}"),
        language.said("led through the proxy now" if led else "not led now: no proxy keeps it alive"),
        f"{sent:34}{proxy:>26}{usual:>26}",
    ]
    lines += [f"{device.mac:34}{_amount(device.led):>26}{_amount(device.excluded):>26}" for device in devices]
    return "\n".join([*lines, ""])


def _amount(count: Count) -> str:
    from analysis.texts import number

    return language.said(f"{number(count.packets)} packets, {number(count.bytes / 1e6, ',.1f')} MB")


def _status_json(planned: Journal | None, devices: Sequence[Device]) -> str:
    import msgspec

    told = {
        "schema": "phonehome/gateway/1",
        "set_up": planned is not None,
        "way": planned.way if planned else None,
        "interface": planned.interface if planned else None,
        "led": any(device.now for device in devices),
        "devices": devices,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def planned(interface: str, devices: tuple[str, ...], way: Way, port: int) -> Plan:
    """What has to be set up on this machine for devices, by address or MAC.  Raises `CaptureError`."""
    from captures.gateway import network, plan

    macs = tuple(dict.fromkeys(network.mac(device, interface) for device in devices))
    filtered = network.sysctl("net/ipv4/conf/all/rp_filter") == "1"
    return plan.plan(way, network.lan(interface), macs, port, filtered, network.advertised())
