"""What the tests ask of the household."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from household.lab import ADDRESSES, Lab


@dataclass
class Home:
    """The lab, with what its tests ask for."""

    lab: Lab
    authority: Path
    """Of the servers on the Internet and at home."""

    @property
    def proxy_authority(self) -> Path:
        """Of the proxy."""
        return self.lab.home / "ca" / "mitmproxy-ca-cert.pem"

    def fetch(
        self, host: str, authority: Path, family: int = 0, to: str = "internet", path: str = "/x", seconds: int = 6
    ) -> str:
        """What curl gets on a host that trusts this authority alone: the answer, or why there is none."""
        address = ADDRESSES[to][family]
        place = f"[{address}]" if family else address
        url = f"https://plex.tv{path}"
        trust = ("--cacert", str(authority), "--resolve", f"plex.tv:443:{place}")
        done = self.lab.run(host, "curl", "-sS", "--max-time", str(seconds), *trust, url)
        return done.stdout.strip() or done.stderr.strip()

    def direct(self, host: str, family: int = 0, to: str = "internet") -> bool:
        """Whether a host reaches a server without the proxy between them."""
        return self.fetch(host, self.authority, family, to).startswith("/x")

    def watched(self, host: str, family: int = 0, to: str = "internet") -> bool:
        """Whether the proxy stands between a host and a server."""
        return self.fetch(host, self.proxy_authority, family, to).startswith("/x")

    def rules(self) -> tuple[str, ...]:
        """All of the router that a set-up may change."""
        commands = (
            ("nft", "-s", "list", "ruleset"),
            ("ip", "rule"),
            ("ip", "-6", "rule"),
            ("ip", "route", "show", "table", "all"),
            ("ip", "-6", "route", "show", "table", "all"),
            ("sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.rp_filter"),
        )
        return tuple(line for command in commands for line in self.lab.must("router", *command).splitlines())
