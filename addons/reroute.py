"""Sends connections for chosen names to another address, for the demo: the vendor's cloud is then on loopback.

The name in the TLS handshake stays, and the certificate is still verified against it.
"""

from __future__ import annotations

import json

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.server_hooks import ServerConnectionHookData


class Reroute:
    """The addon."""

    def __init__(self) -> None:
        self._table: dict[str, tuple[str, int]] = {}

    def load(self, loader: Loader) -> None:
        """Adds our option."""
        loader.add_option("phonehome_reroute", str, "", 'JSON table {"host": ["127.0.0.1", port]}; empty: nothing.')

    def configure(self, updated: set[str]) -> None:
        """Reads the table once.  Raises `OptionsError` for another form."""
        if "phonehome_reroute" not in updated:
            return
        text = ctx.options.phonehome_reroute
        try:
            table = json.loads(text) if text else {}
            self._table = {host: (str(address), int(port)) for host, (address, port) in table.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise exceptions.OptionsError(f"phonehome_reroute: is no table of hosts: {error}") from error

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Changes where a connection goes, before it is made."""
        if data.server.address and (target := self._table.get(data.server.address[0])):
            data.server.address = target


addons = [Reroute()]
