"""`phonehome gateway`: the set-up of a router, printed, applied and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from captures.gateway.plan import Plan, Way

_PORT = 8080


@click.group()
def gateway() -> None:
    """Lead the traffic of chosen devices through the proxy, on the router that they use.

    Only these devices are led, only while the proxy lives: when it ends, dies or hangs, they are online again within
    five seconds.  What stays in the house is never touched.

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

    click.echo(scripts.render(script, _plan(interface, devices, way, port)), nl=False)


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

    wanted = _plan(interface, devices, way, port)
    journal.up(wanted, home.journal())
    click.echo(
        f"set up for {', '.join(wanted.devices)} on {interface}; take it back with: phonehome gateway down", err=True
    )
    click.echo("next: phonehome watch --gateway", err=True)


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
        click.echo(remark, err=True)
    click.echo("taken back" if there else "nothing is set up", err=True)


@gateway.command()
def status() -> None:
    """Say what is set up, and whether devices are led through the proxy now.

    \b
    Example:
      sudo phonehome gateway status
    """
    from captures import home
    from captures.gateway import journal, network
    from captures.gateway.plan import SET

    planned = journal.read(home.journal())
    if planned is None:
        click.echo("nothing is set up")
        return
    click.echo(f"set up: {', '.join(planned.devices)} on {planned.interface}, by {planned.way}")
    led = network.run("nft", "list", "set", "inet", planned.table, SET)
    click.echo("led through the proxy now" if "elements" in led else "not led now: no proxy keeps it alive")


def _plan(interface: str, devices: tuple[str, ...], way: Way, port: int) -> Plan:
    from captures.gateway import network, plan

    macs = tuple(dict.fromkeys(network.mac(device, interface) for device in devices))
    filtered = network.sysctl("net/ipv4/conf/all/rp_filter") == "1"
    return plan.plan(way, network.lan(interface), macs, port, filtered)
