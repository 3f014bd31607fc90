"""`phonehome watch`: record live, until Ctrl-C."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis import language
from analysis.cli import options, recording, tell

if TYPE_CHECKING:
    from analysis.proxy import Proxy
    from analysis.web.running import Dashboard
    from captures.gateway.ways import Places
    from captures.model import Sentence

_PLACE = "127.0.0.1:8080"
"""Where the proxy listens unless told otherwise."""


@click.command()
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="MODE",
    help="As mitmproxy's: regular (default), transparent, wireguard, local:NAME (or the number of a process), "
    "reverse:URL; may be repeated.",
)
@click.option(
    "--listen",
    metavar="[HOST:]PORT",
    help="Where the proxy listens [default: 127.0.0.1:8080; WireGuard: port 51820 of all addresses].",
)
@click.option(
    "--ledger", "file", type=click.Path(dir_okay=False, path_type=Path), help="Where to record [default: a new file]."
)
@click.option("--gateway", is_flag=True, help="Take the devices that `gateway up` leads here.")
@click.option("--allow-lan", is_flag=True, help="Let devices reach others at home through the proxy.")
@click.option("--no-dashboard", is_flag=True, help="Start no dashboard.")
@click.option(
    "--dashboard-port", type=click.IntRange(0, 65535), help="Where it listens [default: 8321, or a free port]."
)
@click.option("--allow-changes", is_flag=True, help="Let the dashboard keep notes, name devices and hide calls.")
@click.option("--device", default="", metavar="NAME", help="Name of the device that all this traffic is from.")
@click.option("--product", default="", metavar="ID", help="Report only calls that this product sent.")
@click.option(
    "--upstream-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An authority of your own to trust towards servers.",
)
@click.option("--retest", is_flag=True, help="Try again the devices that did not accept the proxy's certificate.")
@click.option("--keep-secrets", is_flag=True, help="Keep tokens and passwords as they are, instead of pseudonyms.")
@click.option("--keep", "days", type=float, metavar="DAYS", help="Delete from the ledger what is older.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any option of mitmproxy; repeatable.")
@options.output("terminal", "json", "markdown", "html")
@click.pass_context
def watch(
    ctx: click.Context,
    modes: tuple[str, ...],
    listen: str | None,
    file: Path | None,
    gateway: bool,
    allow_lan: bool,
    no_dashboard: bool,
    dashboard_port: int | None,
    allow_changes: bool,
    device: str,
    product: str,
    upstream_ca: Path | None,
    retest: bool,
    keep_secrets: bool,
    days: float | None,
    settings: tuple[str, ...],
    form: str,
    out: str,
) -> None:
    """Record what devices send, live, until Ctrl-C, then report.

    Starts a proxy. Set it as the proxy of the program or device to be watched, and let that trust the authority whose
    file is named. Traffic goes on whatever happens to the recording. A dashboard runs beside it, on this machine
    alone; its link is printed. On a terminal and without options it asks what is to be watched.

    \b
    Example:
      phonehome watch
      phonehome watch --listen 0.0.0.0:8080 --device tv
      phonehome watch --mode reverse:http://127.0.0.1:32401@32400
    """
    from analysis.proxy import Proxy
    from analysis.web.running import Dashboard
    from captures import home
    from captures.gateway import authority, ways

    if _unasked(ctx):
        from analysis.cli import guided

        start = guided.ask()
        if start is None:
            return
        if start.interface:
            from analysis.cli.sniff import sniff

            ctx.invoke(sniff, interface=start.interface)
            return
        modes, listen, gateway = start.modes, start.listen, start.gateway
    path = recording.ledger(file, days)
    places = ways.placed(modes, *_listen(listen or _PLACE), chosen=listen is not None)
    wanted = _options(places, path, device, upstream_ca, keep_secrets, settings)
    wanted["phonehome_allow_lan"] = allow_lan
    # Before mitmproxy makes one that is valid for ten years and for every name.
    authority.ensure(home.authority())
    wanted["phonehome_never"] = str(authority.never())
    wanted["phonehome_refusals"] = str(home.refusals())
    if retest:
        home.refusals().unlink(missing_ok=True)
    if gateway:
        wanted.update(_gateway(modes))
    pictures = _tunnels(places)
    shown = nullcontext() if no_dashboard else Dashboard(path, dashboard_port, changes=allow_changes)
    with recording.until_interrupted() as interrupted, Proxy(wanted) as proxy, shown as dashboard:
        _introduce(proxy.listening, path, modes, pictures)
        hung = _follow(path, proxy, dashboard, interrupted, days, modes)
        words = "" if proxy.running or interrupted else hung or proxy.last_words()
    recording.report(path, product, form, out)
    for remark in () if gateway else ways.ended(modes):
        tell(remark)
    if words:
        raise click.ClickException(words)


def _unasked(ctx: click.Context) -> bool:
    """Whether somebody at a terminal has said nothing about what he wants."""
    default = click.core.ParameterSource.DEFAULT
    return (
        sys.stdin.isatty()
        and sys.stderr.isatty()
        and all(ctx.get_parameter_source(name) is default for name in ctx.params)
    )


def _options(
    places: Places,
    path: Path,
    device: str,
    upstream_ca: Path | None,
    keep_secrets: bool,
    settings: tuple[str, ...],
) -> dict[str, object]:
    from captures import home

    wanted: dict[str, object] = {
        "mode": list(places.modes),
        "listen_host": places.host,
        "listen_port": places.port,
        "confdir": str(home.authority()),
        "phonehome_ledger": str(path),
        "phonehome_device": device,
        "phonehome_keep_secrets": keep_secrets,
        "set": list(settings),
    }
    if upstream_ca:
        wanted["ssl_verify_upstream_trusted_ca"] = str(upstream_ca)
    for setting in settings:
        if "=" not in setting:
            raise click.UsageError(f"--set {setting}: must be NAME=VALUE")
    return wanted


def _gateway(modes: tuple[str, ...]) -> dict[str, object]:
    """Options of the proxy for what `gateway up` has set up."""
    from captures import home
    from captures.gateway import journal
    from captures.gateway.plan import TUN

    if modes:
        raise click.UsageError("--gateway: brings its own mode; leave --mode out")
    planned = journal.read(home.journal())
    if planned is None:
        raise click.UsageError("--gateway: nothing is set up; run phonehome gateway up first")
    return {
        "mode": [f"tun:{TUN}" if planned.way == "tun" else f"transparent@{planned.port}"],
        # Redirected packets come to the address of the interface; the table of rules refuses all others.
        "listen_host": "",
        # Who is led here has a public address in an IPv6 household; the table of rules refuses all others.
        "phonehome_strangers": True,
        "phonehome_gateway": str(home.journal()),
    }


def _tunnels(places: Places) -> tuple[str, ...]:
    """Makes the keys of WireGuard and writes the settings of the device -> these settings, each with its file."""
    from captures import home
    from captures.gateway import ways, wireguard

    written = []
    for keys, host, port in ways.tunnels(places, home.authority()):
        path = home.authority() / "wireguard-client.conf"
        settings = wireguard.settings(wireguard.ensure(keys), host or "ADDRESS-OF-THIS-MACHINE", port)
        home.write(path, settings.encode())
        written.append(settings)
    return tuple(written)


def _introduce(
    listening: Sequence[tuple[str, int]], path: Path, modes: tuple[str, ...], tunnels: tuple[str, ...]
) -> None:
    """Says that it is ready, and how it is used."""
    from captures import home
    from captures.gateway import ways, wireguard

    for host, port in listening:
        # Programs wait for this line, so it is the same in every language.
        click.echo(f"listening on {f'[{host}]' if ':' in host else host}:{port}", err=True)
    tell(f"recording to {path}")
    authority = home.authority()
    for settings in tunnels:
        tell(f"WireGuard settings for the device, private: {authority}/wireguard-client.conf")
        if sys.stderr.isatty():
            tell("or let the WireGuard app of the phone look at this:")
            click.echo(wireguard.picture(settings), err=True)
    for remark in ways.remarks(modes):
        tell(remark)
    tell(f"the watched device must trust this authority: {authority}/mitmproxy-ca-cert.pem")
    if sys.stderr.isatty():
        from captures.gateway.doctor import setups

        for seen in ("readable", "names only"):
            names = "; ".join(language.said(setup.name) for setup in setups() if setup.seen == seen)
            tell(f"{language.said(seen)}: {names}")
        tell("how, and what may break: phonehome doctor")
    tell("Ctrl-C ends it and shows the report")


def _listen(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:(\[[0-9a-fA-F:]+\]|[^:\[\]]+):)?(\d{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise click.UsageError(f"--listen {text}: must be PORT or HOST:PORT, e.g. 127.0.0.1:8080")
    return (match[1] or "127.0.0.1").strip("[]"), int(match[2])


_PRUNE_EVERY = 3600.0
"""Seconds between two looks for what is too old to be kept."""


_SILENT = 20.0
"""Seconds without anything seen, after which a way that may be deaf is spoken of."""


_HANGS = "the proxy does not respond: what goes through it waits until it does, or until Ctrl-C ends it"

_GOES_ON = "the proxy responds again"

_HUNG = "the proxy did not respond and was ended, so that nothing waits for it; what it had recorded is in the report"


def _follow(
    path: Path,
    proxy: Proxy,
    dashboard: Dashboard | None,
    interrupted: list[int],
    days: float | None,
    modes: tuple[str, ...],
) -> Sentence:
    """Shows what comes, until the end is asked for or the proxy ends by itself; deletes what becomes too old.

    Gives why the proxy was ended here; empty when it was not.
    """
    from analysis import known
    from analysis.cli.view import View
    from analysis.evidence import Servers
    from captures import ledger
    from captures.gateway import ways
    from captures.model import CaptureError

    silent, hangs = ways.silent(modes), False
    named = Servers(hosts=frozenset(server.value for server in known.listed("server")))
    with View(options.known(), path, named, known.load(), terminal=sys.stderr.isatty()) as view:
        begun = pruned = time.monotonic()
        clock = time.time()
        link = ""
        while proxy.running and not interrupted:
            more = False
            if gone := ways.gone(modes):
                view.tell(gone)
                break
            if proxy.hangs != hangs:
                hangs = not hangs
                if hangs and ways.frees(modes):
                    proxy.kill()
                    return _HUNG
                view.tell(_HANGS if hangs else _GOES_ON)
            if dashboard and link != dashboard.link:
                link = dashboard.link
                view.tell(f"dashboard (this link works once): {link}" if link else "the dashboard ended")
            # A ledger that cannot be read now ends neither the recording nor the traffic.
            with suppress(CaptureError, sqlite3.Error, OSError):
                more = view.update()
                if silent and (view.seen or time.monotonic() - begun > _SILENT):
                    view.remark("" if view.seen else language.said(silent))
                    silent = ""
                if days is not None and time.monotonic() - pruned > _PRUNE_EVERY:
                    pruned = time.monotonic()
                    # A clock that jumps ahead must not delete what is new; what it spares goes at the next start.
                    ledger.prune(path, days, min(time.time(), clock + pruned - begun))
                    view.go_on()
            if not more:
                time.sleep(0.25)
    return ""
