"""A household in network namespaces: a TV, a PC and a media server behind a router, and the Internet behind that.

Needs root, iproute2 and nftables.  Names and addresses are made up (RFC 5737, RFC 3849).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

TV_MAC = "02:00:00:00:00:20"
PC_MAC = "02:00:00:00:00:30"
SERVER_MAC = "02:00:00:00:00:40"

ADDRESSES = {
    "tv": ("192.168.50.20", "2001:db8:50::20"),
    "pc": ("192.168.50.30", "2001:db8:50::30"),
    "server": ("192.168.50.40", "2001:db8:50::40"),
    "router": ("192.168.50.1", "2001:db8:50::1"),
    "internet": ("203.0.113.10", "2001:db8:ff::10"),
}
"""Host -> its IPv4 and IPv6 address."""

_MACS = {"tv": TV_MAC, "pc": PC_MAC, "server": SERVER_MAC}


class Lab:
    """The household; use as a context.  All that it starts ends with it."""

    def __init__(self, folder: Path) -> None:
        """`folder`: for certificates, logs and the tool's own folder."""
        self.folder = folder
        self.home = folder / "home"
        self._prefix = f"ph{os.getpid()}"
        self._started: list[subprocess.Popen[bytes]] = []

    def namespace(self, host: str) -> str:
        """Name of a host's namespace."""
        return f"{self._prefix}-{host}"

    def run(self, host: str, *command: str, text: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs a command on a host until it ends."""
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace(host), *command],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=self._environment(),
        )

    def must(self, host: str, *command: str, text: str = "", timeout: float = 60) -> str:
        """Runs a command that must succeed -> what it prints."""
        done = self.run(host, *command, text=text, timeout=timeout)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def start(self, host: str, *command: str) -> subprocess.Popen[bytes]:
        """Starts a command on a host; it ends with the lab."""
        with (self.folder / f"{host}-{len(self._started)}.log").open("wb") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace(host), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """What a started command has said."""
        place = self._started.index(process)
        return next(self.folder.glob(f"*-{place}.log")).read_text("utf-8", "replace")

    def phonehome(self, host: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the tool on a host."""
        return self.run(host, sys.executable, "-m", "analysis", *arguments)

    def watch(self, *arguments: str, host: str = "router") -> subprocess.Popen[bytes]:
        """Starts `phonehome watch` and waits until it listens."""
        process = self.start(host, sys.executable, "-m", "analysis", "watch", *arguments)
        until(lambda: "Ctrl-C ends it" in self.log(process), 60, lambda: self.log(process))
        return process

    def end(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Ends a started command by Ctrl-C, if it still runs, and waits for it."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(seconds)

    def proxy_of(self, watch: subprocess.Popen[bytes]) -> int:
        """Number of the proxy's process that a `watch` has started."""
        pids = subprocess.run(
            ["pgrep", "-f", "-P", str(watch.pid), "addons"], capture_output=True, text=True, check=False
        )
        return int(pids.stdout.split()[0])

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PHONEHOME_HOME": str(self.home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}

    def __enter__(self) -> Lab:
        """Builds it."""
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        for host in ADDRESSES:
            _ip("netns", "add", self.namespace(host))
            # Else addresses appear a second later, and what `ip` shows changes by itself.
            self.must(host, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0")
            self.must(host, "ip", "link", "set", "lo", "up")
        router = self.namespace("router")
        self.must("router", "ip", "link", "add", "br-lan", "type", "bridge")
        for host, mac in _MACS.items():
            _ip(
                "-n",
                router,
                "link",
                "add",
                f"to-{host}",
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                self.namespace(host),
            )
            self.must("router", "ip", "link", "set", f"to-{host}", "master", "br-lan", "up")
            self.must(host, "ip", "link", "set", "eth0", "address", mac, "up")
            self._address(host, "eth0", host, ADDRESSES["router"])
        _ip(
            "-n",
            router,
            "link",
            "add",
            "wan",
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            self.namespace("internet"),
        )
        self.must("router", "ip", "link", "set", "br-lan", "up")
        self._address("router", "br-lan", "router", ())
        self.must("router", "ip", "link", "set", "wan", "up")
        for family, near, far in (
            ("-4", "198.51.100.1/24", "198.51.100.2/24"),
            ("-6", "2001:db8:fe::1/64", "2001:db8:fe::2/64"),
        ):
            nodad = ("nodad",) if family == "-6" else ()
            self.must("router", "ip", family, "addr", "add", near, "dev", "wan", *nodad)
            self.must("internet", "ip", family, "addr", "add", far, "dev", "eth0", *nodad)
            self.must("router", "ip", family, "route", "add", "default", "via", far.partition("/")[0])
        self.must("internet", "ip", "link", "set", "eth0", "up")
        for address, network, via in (
            (ADDRESSES["internet"][0] + "/32", "192.168.50.0/24", "198.51.100.1"),
            (ADDRESSES["internet"][1] + "/128", "2001:db8:50::/64", "2001:db8:fe::1"),
        ):
            nodad = ("nodad",) if ":" in address else ()
            self.must("internet", "ip", "addr", "add", address, "dev", "lo", *nodad)
            self.must("internet", "ip", "route", "add", network, "via", via)
        self.must("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")

    def _address(self, host: str, interface: str, whose: str, gateway: tuple[str, ...]) -> None:
        four, six = ADDRESSES[whose]
        self.must(host, "ip", "addr", "add", f"{four}/24", "dev", interface)
        self.must(host, "ip", "addr", "add", f"{six}/64", "dev", interface, "nodad")
        for address in gateway:
            self.must(host, "ip", "route", "add", "default", "via", address)

    def __exit__(self, *_: object) -> None:
        """Ends what was started, and takes it down."""
        for process in reversed(self._started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for host in ADDRESSES:
            subprocess.run(["ip", "netns", "pids", self.namespace(host)], capture_output=True, check=False)
            for pid in _pids(self.namespace(host)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", self.namespace(host)], capture_output=True, check=False)


def until(true: object, seconds: float, told: object = "") -> float:
    """Waits until a function gives something true -> seconds that it took.  Fails when it takes too long."""
    begin = time.monotonic()
    assert callable(true)
    while not true():
        assert time.monotonic() - begin < seconds, told() if callable(told) else told
        time.sleep(0.05)
    return time.monotonic() - begin


def _pids(namespace: str) -> Iterator[int]:
    told = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False).stdout
    yield from map(int, told.split())


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
