"""What goes wrong on our side costs the household nothing that the way does not imply: real packets through a proxy
whose parts fail, by each way."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from captures import ledger
from captures.model import Exchange
from household.home import Home
from household.lab import ADDRESSES, ROOT, TV_MAC, until
from household.test_guard import RAW, SECRET
from household.tunnel import needs_wireguard, tunnel

_BROKEN = '''
"""A script of the user's that fails in each event, and all of ours: as a whole, or in whatever the hooks call."""
import functools, inspect, sys
from pathlib import Path
from mitmproxy import hooks
import addons.__main__ as ours
from addons.observe import guarded

def now():
    # At the start everything is whole, or the proxy would not begin.
    return Path("FLAG").read_text() if Path("FLAG").exists() else ""

def broken(function, when):
    @functools.wraps(function)
    def fails(*arguments, **named):
        if now() == when:
            raise FAULT("made up")
        return function(*arguments, **named)
    return fails

EVENTS = set(hooks.all_hooks) - {"load", "configure", "running", "done"}

class Everything:
    pass

for hook in EVENTS:
    setattr(Everything, hook, staticmethod(broken(lambda *_: None, "hooks")))

# What renews the set-up of a router is no hook, and has a test of its own.
parts = {one for one in vars(ours).values() if inspect.isclass(one) and one.__module__.startswith("addons.")}
parts = {one for one in parts if EVENTS & set(vars(one))}
names = {one.__name__ for one in parts}
assert names >= {"Passthrough", "Presence", "Wellformed", "Forwarded", "Limits", "Observe", "Reroute", "Guard"}, names
for part in parts:
    for name, method in list(vars(part).items()):
        if not inspect.isfunction(method) or name.startswith("__"):
            continue
        if name in EVENTS:
            inner = getattr(method, "__wrapped__", None)
            setattr(part, name, guarded(broken(inner, "hooks")) if inner else broken(method, "hooks"))
        elif name.startswith("_"):
            setattr(part, name, broken(method, "parts"))
    module = sys.modules[part.__module__]
    for name, function in list(vars(module).items()):
        if inspect.isfunction(function) and function.__module__ == part.__module__ and name != "guarded":
            setattr(module, name, broken(function, "parts"))
observing = sys.modules["addons.observe"]
observing.kept = broken(observing.kept, "parts")
renewing = sys.modules["addons.heartbeat"]
renewing.renewal = broken(renewing.renewal, "renewal")
addons = [Everything()]
'''

FAULTS = {
    "tun": "RuntimeError", "redirect": "RecursionError", "proxy": "MemoryError", "wireguard": "UnicodeError",
    "local": "KeyError", "reverse": "OSError",
}  # fmt: skip
"""Way -> what is raised: led by the router in two ways, as a proxy that the TV was told, and so on."""

NAMED = r"GET /secret HTTP/1.1\r\nHost: localhost:9000"

OWN_PORT = 8443
"""At which the proxy stands before the server at home."""


@dataclass
class Watched:
    """A proxy that is watching one device, or the server at home."""

    home: Home
    way: str
    process: subprocess.Popen[bytes]
    ledger: Path
    flag: Path
    """Says what of the proxy fails: `hooks`, `parts` or `renewal`."""
    trusted: Path
    """The proxy's authority and that of the servers."""
    program: str
    """What is watched by its name."""

    @property
    def place(self) -> Path:
        """The small disk on which the ledger is."""
        return self.ledger.parent

    @property
    def host(self) -> str:
        """Who is watched."""
        return "pc" if self.way == "local" else "tv"

    def fetch(self, path: str, family: int = 0, seconds: int = 30, authority: Path | None = None) -> str:
        """What the device gets through it; a proxy that listens on IPv4 alone is asked by that."""
        to = "server" if self.way == "reverse" else "internet"
        family *= self.way != "reverse"
        address, port = ADDRESSES[to][family], OWN_PORT if self.way == "reverse" else 443
        place = f"[{address}]" if family else address
        proxy = ("-x", f"http://{ADDRESSES['router'][0]}:8080") if self.way == "proxy" else ()
        done = self.home.lab.run(
            self.host, self.program if self.way == "local" else "curl", "-sS", "--max-time", str(seconds), *proxy,
            "--cacert", str(authority or self.trusted), "--connect-to", f"plex.tv:{port}:{place}:{port}",
            f"https://plex.tv:{port}{path}",
        )  # fmt: skip
        return done.stdout.strip() or done.stderr.strip()

    def past(self, family: int = 0) -> bool:
        """Whether a device goes past the proxy: the server sees its own address."""
        return self.fetch("/x", family, 3) == f"/x {ADDRESSES[self.host][family]}"

    def said(self) -> str:
        """By `watch`."""
        return self.home.lab.log(self.process)

    def paths(self, beginning: str) -> set[str]:
        """What was recorded that begins so."""
        rows = ledger.read(self.ledger)
        return {o.path for _, o in rows if isinstance(o, Exchange) and o.path.startswith(beginning)}


@pytest.fixture(scope="module", params=[*FAULTS])
def watched(home: Home, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """One for all tests of a way, with the ledger on a small disk of its own."""
    way = str(request.param)
    if way == "wireguard" and needs_wireguard.args[0]:
        pytest.skip(needs_wireguard.kwargs["reason"])
    lab = home.lab
    place, flag, script = (lab.folder / f"{name}-{way}" for name in ("small", "flag", "script.py"))
    place.mkdir()
    script.with_suffix(".py").write_text(_BROKEN.replace("FAULT", FAULTS[way]).replace("FLAG", str(flag)))
    program = lab.folder / f"c{os.getpid()}"
    shutil.copy(shutil.which("curl") or "", program)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], check=True)
    try:
        common = (
            "--no-dashboard", "--upstream-ca", str(home.authority), "--set", f"scripts={script.with_suffix('.py')}",
            "--ledger", str(place / "all.ledger"),
        )  # fmt: skip
        with led(home, way, program.name, common) as process:
            trusted = lab.folder / "both.pem"
            trusted.write_text(home.proxy_authority.read_text() + home.authority.read_text())
            one = Watched(home, way, process, place / "all.ledger", flag, trusted, str(program))
            until(lambda: one.fetch("/x", authority=home.proxy_authority).startswith("/x"), 30, one.said)
            yield one
    finally:
        flag.unlink(missing_ok=True)
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def led(home: Home, way: str, program: str, common: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """A device, a program or a server is led to the proxy, and afterwards not any more."""
    lab = home.lab
    with ExitStack() as after:
        if way in ("tun", "redirect"):
            device = ("--interface", "br-lan", "--device", TV_MAC)
            done = lab.phonehome("router", "gateway", "up", *device, "--way", way)
            assert done.returncode == 0, done.stderr
            after.callback(lab.phonehome, "router", "gateway", "down")
        arguments, host = {
            "proxy": (("--listen", "0.0.0.0:8080"), "router"),
            "wireguard": (("--mode", "wireguard"), "router"),
            "local": (("--mode", f"local:{program}"), "pc"),
            "reverse": (("--mode", f"reverse:https://127.0.0.1:443@0.0.0.0:{OWN_PORT}"), "server"),
        }.get(way, (("--gateway",), "router"))
        process = lab.watch(*arguments, *common, host=host)
        after.callback(lab.end, process, 60)
        if way == "wireguard":
            after.enter_context(tunnel(home))
        yield process


def test_others_are_not_touched(watched: Watched) -> None:
    """Nor what stays in the house."""
    home = watched.home
    other = "tv" if watched.way == "local" else "pc"
    for family in (0, 1):
        assert home.direct(other, family)
        assert home.direct(other, family, "server")
        # In a tunnel, what is in the house is nearer.
        assert home.direct("tv", family, "server")
        # Only the program is watched, and the server's visitors.
        if watched.way in ("local", "reverse", "proxy"):
            assert home.direct(watched.host, family)
    assert watched.fetch("/last").startswith("/last")
    until(lambda: watched.paths("/last"), 20)
    of = {o.device for _, o in ledger.read(watched.ledger) if isinstance(o, Exchange)}
    # The first two are mitmproxy's, inside a tunnel and for what runs here.
    assert of <= {"10.0.0.1", "169.254.0.1", *ADDRESSES[watched.host]}, of


@pytest.fixture(scope="module")
def secret(home: Home) -> None:
    """Of the machine on which the proxy runs, for itself alone; something harmless on the Internet."""
    for host, bound, port in (("router", "127.0.0.1", "9000"), ("internet", "::", "80")):
        folder = home.lab.folder / f"www-{host}"
        folder.mkdir()
        (folder / "secret").write_text("harmless" if host == "internet" else SECRET)
        serve = (sys.executable, "-u", "-m", "http.server", port, "--bind", bound, "--directory", str(folder))
        started = home.lab.start(host, *serve)
        until(lambda started=started: "Serving" in home.lab.log(started), 30)
    assert home.lab.must("router", "curl", "-s", "http://127.0.0.1:9000/secret") == SECRET


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("watched", ["tun", "redirect", "wireguard"], indirect=True)
def test_however_a_request_is_written_it_leads_where_its_packets_went(watched: Watched) -> None:
    """Of a proxy that is asked for a server, and of one before a server, see the two test_guard.py."""
    outside = ADDRESSES["internet"][0]
    forms = {**RAW, "as it should be": r"GET /secret HTTP/1.1\r\nHost: OUTSIDE", "only the name": NAMED}
    written = [text + r"\r\nConnection: close\r\n\r\n" for text in forms.values()]
    for word, place in (("INSIDE", "127.0.0.1:9000"), ("OUTSIDE", outside)):
        written = [text.replace(word, place) for text in written]
    ask = (sys.executable, str(ROOT / "tests/household/ask.py"), "raw", outside, "80", "0", *written)
    answers = dict(zip(forms, json.loads(watched.home.lab.must("tv", *ask, timeout=180)), strict=True))
    assert not [name for name, got in answers.items() if SECRET in got]
    for name in ("as it should be", "only the name", "a path, and the name in Host"):
        assert answers[name].endswith("harmless"), (name, answers[name])


@pytest.mark.parametrize("what", ["hooks", "parts"])
def test_an_exception_in_every_hook_costs_no_request(watched: Watched, what: str) -> None:
    assert watched.fetch(f"/whole-{what}").startswith("/whole")
    until(lambda: watched.paths(f"/whole-{what}"), 20)
    watched.flag.write_text(what)
    try:
        for family in (0, 1):
            got = watched.fetch(f"/broken-{what}", family)
            assert got.startswith("/broken"), got
    finally:
        watched.flag.unlink()
    assert watched.fetch(f"/mended-{what}").startswith("/mended")
    until(lambda: watched.paths(f"/mended-{what}"), 20)
    # It was really broken.
    assert not watched.paths(f"/broken-{what}")


def test_a_locked_ledger_costs_no_request_and_little_of_the_record(watched: Watched) -> None:
    with closing(sqlite3.connect(watched.ledger, timeout=20)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for number in range(5):
            assert watched.fetch(f"/locked-{number}").startswith("/locked")
        other.rollback()
    until(lambda: len(watched.paths("/locked")) == 5, 20, lambda: watched.paths("/locked"))


def test_a_full_disk_costs_no_request_and_is_said(watched: Watched) -> None:
    with (watched.place / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
        while rest.write(bytes(1024)):
            pass
    for number in range(30):
        assert watched.fetch(f"/{'x' * 1000}{number}").startswith("/x")
    until(lambda: "the ledger cannot be written at the moment" in watched.said(), 20, watched.said)
    (watched.place / "rest").unlink()
    assert watched.fetch("/x").startswith("/x")


@pytest.mark.parametrize("watched", ["tun", "redirect"], indirect=True)
def test_a_router_that_cannot_be_told_to_lead_a_device_lets_it_go_until_it_can(watched: Watched) -> None:
    watched.flag.write_text("renewal")
    try:
        until(watched.past, 15, watched.said)
        assert watched.past(1)
    finally:
        watched.flag.unlink()
    until(lambda: not watched.past(), 15, watched.said)
    assert watched.fetch("/led").startswith("/led")


@pytest.mark.parametrize("watched", [way for way in FAULTS if way != "local"], indirect=True)
def test_a_proxy_that_hangs_is_said_and_takes_nobody_with_it(watched: Watched) -> None:
    """What it holds up waits, or is led past it; one of which all are rid when it ends is ended (below)."""
    proxy = watched.home.lab.proxy_of(watched.process)
    os.kill(proxy, signal.SIGSTOP)
    try:
        assert watched.home.direct("pc")
        assert watched.home.direct("tv", 0, "server")
        if watched.way in ("tun", "redirect"):
            until(watched.past, 15)
            assert watched.past(1)
        until(lambda: "the proxy does not respond" in watched.said(), 40, watched.said)
    finally:
        os.kill(proxy, signal.SIGCONT)
    until(lambda: watched.fetch("/again", 0, 5, watched.home.proxy_authority).startswith("/again"), 30, watched.said)
    until(lambda: "the proxy responds again" in watched.said(), 10, watched.said)


AFTERWARDS = {
    "proxy": "whoever has this proxy in his settings is offline from now on: take it out there",
    "wireguard": "a device whose WireGuard tunnel is on is offline from now on: switch the tunnel off",
    "reverse": "visitors who come by the proxy's port find nobody there from now on",
}
"""Way on which somebody is offline without the proxy -> what is said of that."""


def test_one_that_is_killed_leaves_nothing_behind_and_who_is_offline_is_told_why(watched: Watched) -> None:
    home, way = watched.home, watched.way
    proxy = home.lab.proxy_of(watched.process)
    before = _ours(proxy)
    # A program is online as soon as the proxy is gone: one that hangs is ended for that.
    os.kill(proxy, signal.SIGSTOP if way == "local" else signal.SIGKILL)
    if way in ("local", "tun", "redirect"):
        until(lambda: watched.fetch("/direct", 0, 2, home.authority).startswith("/direct"), 40, watched.said)
    else:
        assert not watched.fetch("/gone", 0, 2).startswith("/gone")
    assert home.direct("pc")
    assert home.direct("tv", 0, "server")
    assert watched.process.wait(60) == 1
    said = watched.said()
    why = "did not respond and was ended" if way == "local" else "was ended from outside (signal 9)"
    assert f"Error: the proxy {why}" in said
    assert [text for text in AFTERWARDS.values() if text in said] == list(filter(None, [AFTERWARDS.get(way)]))
    # The recorder, the redirector, and whatever else was started.
    until(lambda: not [pid for pid in before if Path(f"/proc/{pid}").exists()], 20, lambda: before)
    if way == "wireguard":
        # As the sentence says: nothing but the tunnel keeps it.
        name = home.lab.must("tv", "wg", "show", "interfaces").strip()
        home.lab.must("tv", "ip", "link", "set", name, "down")
        for address in ADDRESSES["router"]:
            home.lab.must("tv", "ip", "route", "add", "default", "via", address)
        assert home.direct("tv", 0)
        assert home.direct("tv", 1)


def _ours(pid: int) -> list[int]:
    """A process, and all that it and its own have started."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += map(int, (task / "children").read_text("ascii").split())
    return found
