"""Keeps devices from reaching, through the proxy, what they could not reach, or should not, without it.

A proxy connects from this machine, for which doors are open that a device at home has no key to: services that listen
on loopback alone, and those that trust the machine that they run on.  The address is looked at after the name was
resolved, and the connection goes to that very address, so that a name cannot mean something else a moment later.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import connection, ctx, http
from mitmproxy.addons.dns_resolver import DnsResolver
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.mode_specs import (
    DnsMode,
    LocalMode,
    RegularMode,
    ReverseMode,
    Socks5Mode,
    TransparentMode,
    TunMode,
    UpstreamMode,
    WireGuardMode,
)

from captures.gateway import ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mitmproxy.addonmanager import Loader
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from addons.observe import Observe

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LOCAL = "this address belongs to the machine on which phonehome runs, and cannot be reached through it"
"""Why a connection was refused."""

LAN = "this address is in your household; `phonehome watch --allow-lan` lets devices reach others at home"
"""Why a connection was refused."""

OURS = "ports of phonehome itself cannot be reached through it"
"""Why a connection was refused."""

STRANGER = "the proxy refused somebody from the Internet; allow such with --set phonehome_strangers=true"
"""Why a client was turned away."""

_HOUSEHOLDS = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
)
"""Addresses that mean something inside a network alone (RFC 1918, 6598, 4193, 3879)."""

_NAT64 = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96"))
"""An IPv4 address stands in the last four bytes (RFC 6052, 8215, 7915)."""

_NOWHERE = ipaddress.ip_network("0.0.0.0/8")
"""Connections to it end on the machine itself."""

_AVOIDED = 600.0
"""Seconds for which an address that did not answer is taken after all others of its name."""

_MOST = 1000
"""Addresses of which that is remembered."""


class Guard:
    """The addon.  Add it after those that change where a connection goes."""

    def __init__(self, observe: Observe) -> None:
        """`observe` counts what goes wrong."""
        self._observe = observe
        self._names: dict[str, tuple[str, int]] = {}
        self._silent: dict[str, float] = {}

    def load(self, loader: Loader) -> None:
        """Adds our options."""
        loader.add_option("phonehome_strangers", bool, False, "Let clients from the Internet use the proxy.")
        loader.add_option("phonehome_allow_lan", bool, False, "Let devices reach others at home through the proxy.")

    def client_connected(self, client: connection.Client) -> None:
        """Turns a stranger away: a proxy that everybody on the Internet can use is a danger to the household."""
        try:
            if self._strange(client):
                client.error = f"phonehome: {STRANGER}"
                self._observe.effect("blocked", client)
                self._observe.fault("a connection", STRANGER)
        except (OSError, ValueError) as fault:
            self._observe.fault("guard", f"a fault of phonehome's ({type(fault).__name__})")

    def _strange(self, client: connection.Client) -> bool:
        """Whether a client comes from the Internet to a port that is there for the household.

        A media server has visitors from there, and packets that were led here were let into the house by its router.
        """
        if client.error or ctx.options.phonehome_strangers or client.peername is None:
            return False
        if not (_chooses(client) or isinstance(client.proxy_mode, TransparentMode)):
            return False
        address = _address(str(client.peername[0]).partition("%")[0])
        return address.is_global and not (self._at_home(client) or _lan(address))

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        """Resolves the name, and either pins one of its addresses or refuses the connection."""
        client, server = data.client, data.server
        if server.error or not server.address or _configured(client, server):
            return
        host, port = server.address[:2]
        addresses = await self._resolved(host, port)
        if isinstance(addresses, str):
            server.error = addresses
            return
        reasons = [self._refusal(client, address, port) for address in addresses]
        allowed = [address for address, reason in zip(addresses, reasons, strict=True) if not reason]
        if not allowed:
            server.error = f"phonehome: {reasons[0]}"
            self._observe.effect("blocked", client, str(host))
            return
        pinned = str(await self._chosen(allowed, port))
        if pinned != host:
            self._names[server.id] = (host, port)
            server.address = (pinned, port)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Gives the connection its name back: certificates are verified, and requests find it, by that."""
        if name := self._names.pop(data.server.id, None):
            # `Server` refuses a change while it is open, to keep others from thinking that this moves it.
            vars(data.server)["address"] = name

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Likewise; and the next time another address of this name is tried first."""
        if name := self._names.pop(data.server.id, None):
            if data.server.address:
                if len(self._silent) >= _MOST:
                    self._silent.pop(next(iter(self._silent)))
                self._silent[data.server.address[0]] = time.monotonic()
            data.server.address = name

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel through a further proxy, which may be on this machine as well."""
        if reason := await self._beyond(flow):
            flow.response = http.Response.make(403, f"phonehome: {reason}\n", {"Content-Type": "text/plain"})

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request through a further proxy.  An answer of ours would not go together with a streamed body."""
        if flow.killable and await self._beyond(flow):
            flow.kill()

    async def _beyond(self, flow: http.HTTPFlow) -> str:
        """Why a further proxy is not asked for something; empty when it is.

        It resolves names by itself, so that nothing can be pinned, and a name that we do not know is its business.
        Of names that this machine asks for we ask nobody: who goes on through Tor has reasons.
        """
        if not isinstance(flow.client_conn.proxy_mode, UpstreamMode):
            return ""
        numbers = socket.AI_NUMERICHOST if self._at_home(flow.client_conn) else 0
        addresses = await self._resolved(flow.request.host, flow.request.port, numbers)
        if isinstance(addresses, str):
            return ""
        reasons = (self._refusal(flow.client_conn, address, flow.request.port) for address in addresses)
        return next((reason for reason in reasons if reason), "")

    async def _resolved(self, host: str, port: int, flags: int = 0) -> list[Address] | str:
        """Addresses of a name in the order in which they are tried, or why there are none."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        except OSError as error:
            return str(error)
        except ValueError:
            return "this is no name of a server"
        addresses = dict.fromkeys(_address(str(entry[4][0])) for entry in found)
        now = time.monotonic()
        return sorted(addresses, key=lambda address: now - self._silent.get(str(address), -_AVOIDED) < _AVOIDED)

    def _refusal(self, client: connection.Client, address: Address, port: int) -> str:
        """Why a client may not reach an address; empty when it may."""
        here = self._at_home(client)
        try:
            reason = "" if here else _refusal(address, _chooses(client))
            return reason or (OURS if port in _ports() and _here(address) else "")
        except Exception as fault:
            # Traffic first; but what cannot be told from a way into this machine is none that was ever allowed.
            self._observe.fault("guard", f"a fault of phonehome's ({type(fault).__name__})")
            return "" if here or address.is_global else LOCAL

    def _at_home(self, client: connection.Client) -> bool:
        """Whether a client runs on this machine.

        Where the proxy reads packets itself nobody but the sender vouches for their source, which may well be an
        address of this machine: WireGuard's own for the device, 10.0.0.1, is that of many a router.
        """
        if isinstance(client.proxy_mode, WireGuardMode | TunMode):
            return False
        try:
            return client.peername is not None and _here(_address(str(client.peername[0])))
        except (OSError, ValueError) as fault:
            self._observe.fault("guard", f"a fault of phonehome's ({type(fault).__name__})")
            return False

    async def _chosen(self, allowed: Sequence[Address], port: int) -> Address:
        """The address to connect to.  Of this machine's own (`localhost` has two) the first that takes connections."""
        if len(allowed) > 1:
            for address in allowed:
                with suppress(OSError, TimeoutError):
                    if not _here(address):
                        break
                    async with asyncio.timeout(0.5):
                        _, writer = await asyncio.open_connection(str(address), port)
                    writer.close()
                    return address
        return allowed[0]


def _configured(client: connection.Client, server: connection.Server) -> bool:
    """Whether a connection goes where the user said that it goes, or where a program on this machine went anyway."""
    mode = client.proxy_mode
    if isinstance(mode, ReverseMode | DnsMode | LocalMode):
        return True
    assert server.address  # noqa: S101 - looked at before
    if isinstance(mode, UpstreamMode):
        return server.address == mode.address
    if _chooses(client) or server.address[1] != 53:
        return False
    # Questions that mitmproxy hands on to the system's resolver, which often listens on loopback.
    resolver = ctx.master.addons.get("dnsresolver")
    return isinstance(resolver, DnsResolver) and server.address[0] in resolver.name_servers()


def _chooses(client: connection.Client) -> bool:
    """Whether a client asks the proxy for a server; else its packets went there, and it reaches the LAN by itself."""
    return isinstance(client.proxy_mode, RegularMode | Socks5Mode | UpstreamMode)


def _refusal(address: Address, asked: bool) -> str:
    """Why a device elsewhere may not reach an address; `asked`: it asks the proxy for it."""
    for meant in _meanings(address):
        if meant.is_loopback or meant.is_link_local or meant.is_unspecified or meant.is_multicast:
            return LOCAL
        # Of IPv6 what Python calls reserved holds the addresses of NAT64.
        if meant.version == 4 and (meant.is_reserved or meant in _NOWHERE):
            return LOCAL
        if asked and _here(meant):
            return LOCAL
        if asked and not ctx.options.phonehome_allow_lan and _lan(meant):
            return LAN
    return ""


def _lan(address: Address) -> bool:
    """Whether an address is in a household; at home those of IPv6 are public ones, in the same network as ours."""
    if any(address in network for network in _HOUSEHOLDS):
        return True
    source = _source(address) if address.version == 6 else None
    return source is not None and source.version == 6 and int(address) >> 64 == int(source) >> 64


def _meanings(address: Address) -> Iterator[Address]:
    """An address, and the IPv4 addresses that stand in it.

    >>> [str(meant) for meant in _meanings(ipaddress.ip_address("64:ff9b::7f00:1"))]
    ['64:ff9b::7f00:1', '127.0.0.1']
    """
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    # ::127.0.0.1, long deprecated (RFC 4291).
    if any(address in network for network in _NAT64) or 1 < int(address) < 1 << 32:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _here(address: Address) -> bool:
    """Whether an address is one of this machine: the kernel lets nobody listen on others."""
    for meant in _meanings(address):
        if meant.is_loopback or meant.is_unspecified:
            return True
        if _nonlocal():
            if _source(meant) == meant:
                return True
            continue
        with _socket(meant) as probe:
            try:
                probe.bind((str(meant), 0))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EINVAL):
                    raise
            else:
                return True
    return False


def _nonlocal() -> bool:
    """Whether this kernel lets programs listen on any address, so that this tells nothing (`ip_nonlocal_bind`)."""
    for version in ("ipv4", "ipv6"):
        with suppress(OSError):
            if Path(f"/proc/sys/net/{version}/ip_nonlocal_bind").read_text("ascii").strip() == "1":
                return True
    return False


def _source(address: Address) -> Address | None:
    """From which own address packets would go there, or `None` when they cannot.  None is sent."""
    with _socket(address) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return None
        return _address(str(probe.getsockname()[0]))


def _socket(address: Address) -> socket.socket:
    return socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)


def _ports() -> set[int]:
    """Ports of ours on this machine."""
    proxyserver = ctx.master.addons.get("proxyserver")
    assert isinstance(proxyserver, Proxyserver)  # noqa: S101 - mitmproxy's own
    listening = {place[1] for server in proxyserver.servers for place in server.listen_addrs}
    return listening | ports.ours()


def _address(text: str) -> Address:
    """Address as the socket module writes it -> address; IPv4 that stands in IPv6 as IPv4."""
    address = ipaddress.ip_address(text)
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
