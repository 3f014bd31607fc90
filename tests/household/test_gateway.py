"""A router's set-up, with real packets in network namespaces."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from household.home import Home
from household.lab import ADDRESSES, PC_MAC, TV_MAC, until

WAYS = pytest.mark.parametrize("way", ["tun", "redirect"])


def up(home: Home, way: str) -> None:
    done = home.lab.phonehome("router", "gateway", "up", "--interface", "br-lan", "--device", TV_MAC, "--way", way)
    assert done.returncode == 0, done.stderr


def down(home: Home) -> None:
    done = home.lab.phonehome("router", "gateway", "down")
    assert done.returncode == 0, done.stderr


@contextmanager
def watching(home: Home, way: str) -> Iterator[subprocess.Popen[bytes]]:
    up(home, way)
    watch = home.lab.watch("--gateway", "--upstream-ca", str(home.authority))
    try:
        until(lambda: home.watched("tv"), 15, lambda: home.lab.log(watch))
        yield watch
    finally:
        home.lab.end(watch, 30)
        down(home)


@WAYS
def test_only_the_chosen_device_is_watched_and_nothing_that_stays_in_the_house(home: Home, way: str) -> None:
    before = home.rules()
    with watching(home, way):
        assert home.watched("tv", 0)
        assert home.watched("tv", 1)
        assert home.direct("pc", 0)
        assert home.direct("pc", 1)
        assert home.direct("tv", 0, "server")
        assert home.direct("tv", 1, "server")
    assert home.rules() == before


@WAYS
def test_without_a_proxy_the_set_up_has_no_effect(home: Home, way: str) -> None:
    up(home, way)
    assert home.direct("tv", 0)
    assert home.direct("tv", 1)
    assert "not led now" in home.lab.phonehome("router", "gateway", "status").stdout
    down(home)


@WAYS
def test_a_device_is_online_again_soon_after_the_proxy_died(home: Home, way: str) -> None:
    """And after it hung: see test_failures.py."""
    before = home.rules()
    with watching(home, way) as watch:
        os.kill(home.lab.proxy_of(watch), signal.SIGKILL)
        until(lambda: home.direct("tv", 0), 10)
        assert home.direct("tv", 1)
    assert home.rules() == before


@WAYS
def test_the_device_is_let_go_at_once_when_watching_ends_in_order(home: Home, way: str) -> None:
    with watching(home, way) as watch:
        os.killpg(watch.pid, signal.SIGINT)
        watch.wait(30)
        assert home.direct("tv", 0)
        assert home.direct("tv", 1)


def test_the_proxys_port_refuses_who_calls_it_directly(home: Home) -> None:
    with watching(home, "redirect"):
        for host in ("pc", "tv", "internet"):
            address = ADDRESSES["router"][0] if host != "internet" else "198.51.100.1"
            done = home.lab.run(
                host, "curl", "-sS", "--max-time", "5", "-x", f"http://{address}:8080", "http://plex.tv/"
            )
            # 7: nobody took the connection; 28 would be a time-out, 56 and others an answer.
            assert done.returncode == 7, done


@WAYS
def test_what_is_led_and_what_is_not_is_counted_for_the_chosen_device_alone(home: Home, way: str) -> None:
    with watching(home, way):
        before = counted(home)
        assert home.direct("pc", 0)
        assert counted(home)[0] == before[0]
        assert home.watched("tv", 0)
        led, excluded = counted(home)
        assert led[0] > before[0][0]
        # A handshake and a request.
        assert led[1] - before[0][1] > 500
        # The device may look for routers meanwhile.
        assert excluded[1] - before[1][1] < 500
        assert home.direct("tv", 0, "server")
        assert counted(home)[0] == led
        # What one device at home sends to another passes the router's rules only where bridges are filtered.
        for _ in range(3):
            assert "Couldn't connect" in home.fetch("tv", home.authority, to="router")
        assert counted(home)[1][0] >= excluded[0] + 3
        said = home.lab.phonehome("router", "gateway", "status").stdout.splitlines()
        assert said[1] == "led through the proxy now"
        assert said[-1].startswith(f"{TV_MAC} ")
        assert f"{counted(home)[0][0]:,} packets" in said[-1]


def counted(home: Home) -> tuple[tuple[int, int], tuple[int, int]]:
    """Packets and bytes of the TV that were led to the proxy, and that were not."""
    done = home.lab.phonehome("router", "gateway", "status", "--format", "json")
    told = json.loads(done.stdout)
    assert (told["schema"], told["set_up"], told["led"]) == ("phonehome/gateway/1", True, True)
    (device,) = told["devices"]
    assert device["mac"] == TV_MAC
    led, excluded = device["led"], device["excluded"]
    return (led["packets"], led["bytes"]), (excluded["packets"], excluded["bytes"])


def test_what_was_killed_while_setting_up_or_taking_back_leaves_nothing(home: Home) -> None:
    before = home.rules()
    chance = random.Random(7)
    for turn in range(50):
        way = ("tun", "redirect")[turn % 2]
        arguments = ["gateway", "up", "--interface", "br-lan", "--device", PC_MAC, "--way", way]
        if turn % 3 == 2:
            up(home, way)
            arguments = ["gateway", "down"]
        process = home.lab.start("router", sys.executable, "-m", "analysis", *arguments)
        time.sleep(chance.uniform(0.05, 0.9))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        down(home)
        assert home.rules() == before, turn


def settings(home: Home) -> list[str]:
    """All settings of the router's interfaces; traffic changes none of them."""
    told = home.lab.must("router", "sysctl", "net.ipv4.conf", "net.ipv4.ip_forward", "net.ipv6.conf")
    return [line for line in told.splitlines() if "stable_secret" not in line]


@contextmanager
def not_forwarding(home: Home) -> Iterator[None]:
    """A machine that is no router yet, and whose user has settings of his own."""
    lab = home.lab
    lab.must("router", "sysctl", "-qw", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")
    own = ("net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.wan.forwarding=1", "net.ipv6.conf.wan.forwarding=1")
    lab.must("router", "sysctl", "-qw", *own)
    try:
        yield
    finally:
        lab.must("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


@WAYS
def test_settings_that_the_kernel_changes_by_itself_come_back_too(home: Home, way: str) -> None:
    with not_forwarding(home):
        before, rules = settings(home), home.rules()
        up(home, way)
        assert settings(home) != before
        down(home)
        assert settings(home) == before
        assert home.rules() == rules


def test_after_a_reboot_nothing_is_left_and_what_a_start_has_set_stays(home: Home) -> None:
    with not_forwarding(home):
        before, rules = settings(home), home.rules()
        up(home, "tun")
        # All that `up` did is gone, and only the journal tells of it.
        home.lab.must("router", "nft", "delete", "table", "inet", "phonehome")
        for family in ("-4", "-6"):
            home.lab.must("router", "ip", family, "rule", "del", "pref", "7068")
        home.lab.must("router", "sysctl", "-qw", *(line.replace(" = ", "=") for line in differing(home, before)))
        down(home)
        assert settings(home) == before
        assert home.rules() == rules
        assert "nothing is set up" in home.lab.phonehome("router", "gateway", "down").stderr


def differing(home: Home, before: list[str]) -> list[str]:
    now = set(settings(home))
    return [line for line in before if line not in now]


def plan(home: Home, script: str, way: str) -> str:
    arguments = ("--interface", "br-lan", "--device", TV_MAC, "--way", way, "--script", script)
    return home.lab.must("router", sys.executable, "-m", "analysis", "gateway", "plan", *arguments)


@WAYS
def test_the_printed_script_does_what_up_does_and_says_how_it_is_taken_back(home: Home, way: str) -> None:
    before, script = home.rules(), plan(home, "shell", way)
    up(home, way)
    wanted = home.rules()
    down(home)
    home.lab.must("router", "sh", "-s", text=script)
    assert home.rules() == wanted != before
    back = script.partition("# To take it back:\n")[2].replace("# ", "")
    home.lab.must("router", "sh", "-es", text=back)
    assert home.rules() == before


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_the_printed_units_need_no_more_rights_than_they_give(home: Home) -> None:
    lab, before = home.lab, home.rules()
    commands = [
        line.replace("/usr/local/bin/phonehome", f"{sys.executable} -m analysis")
        .replace("/var/lib/phonehome", str(lab.home)).split()
        for line in re.findall(r"(?m)^Exec(?:Start|Stop)=(.*)$", plan(home, "systemd", "tun"))
    ]  # fmt: skip
    watching, setting_up, taking_back, _ = commands
    only = ("-all,+net_admin", "--inh-caps", "-all,+net_admin")
    confined = ("setpriv", "--no-new-privs", "--bounding-set", *only)
    lab.must("router", *confined, *setting_up)
    watch = lab.start("router", *confined, *watching, "--upstream-ca", str(home.authority))
    try:
        until(lambda: home.watched("tv"), 40, lambda: lab.log(watch))
        rights = Path(f"/proc/{lab.proxy_of(watch)}/status").read_text()
        assert re.findall(r"Cap(?:Eff|Bnd):\s+(\w+)", rights) == [f"{1 << 12:016x}"] * 2
    finally:
        lab.end(watch, 60)
        lab.must("router", *confined, *taking_back)
    assert home.rules() == before


_ADVERTISE = """
from scapy.all import Ether, IPv6, ICMPv6ND_RA, sendp
sendp(Ether(dst="33:33:00:00:00:01") / IPv6(dst="ff02::1") / ICMPv6ND_RA(routerlifetime=1800), iface="eth0", count=2)
"""


def test_a_way_into_the_ipv6_internet_that_was_advertised_is_kept(home: Home) -> None:
    lab = home.lab
    lab.must("router", "ip", "-6", "route", "del", "default", "via", "2001:db8:fe::2")
    try:
        with not_forwarding(home):
            lab.must("router", "sysctl", "-qw", "net.ipv6.conf.wan.forwarding=0", "net.ipv6.conf.wan.accept_ra=1")
            lab.must("internet", sys.executable, "-c", _ADVERTISE)
            until(lambda: "proto ra" in lab.must("router", "ip", "-6", "route", "show", "default"), 10)
            before = settings(home)
            up(home, "tun")
            assert "proto ra" in lab.must("router", "ip", "-6", "route", "show", "default")
            down(home)
            assert settings(home) == before
            assert "proto ra" in lab.must("router", "ip", "-6", "route", "show", "default")
    finally:
        lab.must("router", "ip", "-6", "route", "flush", "default")
        lab.must("router", "ip", "-6", "route", "add", "default", "via", "2001:db8:fe::2")


_PROCD = """
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_set_param() { if [ "$1" = command ]; then shift; "$@" & fi; }
. "$1"
case "$2" in start) start_service; wait;; stop) stop_service;; esac
"""
"""What an OpenWrt router brings; the script is all ours."""


@pytest.mark.skipif(shutil.which("wget") is None, reason="needs wget")
def test_another_router_sends_a_device_here_only_while_it_is_led(home: Home) -> None:
    """The script for OpenWrt on the router, which hides the house behind its address; phonehome on the server."""
    lab, server = home.lab, ("--interface", "eth0", "--port", "8080")
    done = lab.phonehome("server", "gateway", "plan", *server, "--device", TV_MAC, "--script", "openwrt")
    assert 'HOST="${PHONEHOME_HOST:-192.168.50.40}"' in done.stdout
    script, runner, include = (lab.folder / name for name in ("openwrt.sh", "procd.sh", "phonehome.nft"))
    script.write_text(done.stdout)
    runner.write_text(_PROCD)
    nat = 'table ip nat { chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }'
    run = ("env", f"PHONEHOME_INCLUDE={include}", "sh", str(runner), str(script))
    # What OpenWrt's firewall may do with packets of connections of which the router sees one half alone.
    fw4 = "table inet fw4 { chain forward { type filter hook forward priority 0; ct state invalid counter drop; }; }"
    lab.must("router", "nft", "-f", "-", text=nat + "\n" + fw4)
    # There, rules see nothing of what devices at home say to each other.
    bridged = [f"net.bridge.bridge-nf-call-{kind}tables" for kind in ("ip", "ip6")]
    lab.run("router", "sysctl", "-qw", *(f"{name}=0" for name in bridged))
    before = home.rules()
    # So that it knows the router's MAC.
    lab.run("server", "curl", "-s", "--max-time", "2", f"http://{ADDRESSES['router'][0]}/")
    done = lab.phonehome("server", "gateway", "up", *server, "--device", ADDRESSES["router"][0])
    assert done.returncode == 0, done.stderr
    service = lab.start("router", *run, "start")
    watch = lab.watch("--gateway", "--no-dashboard", "--upstream-ca", str(home.authority), host="server")
    try:
        until(lambda: home.watched("tv"), 20, lambda: lab.log(watch) + lab.log(service))
        for family in (0, 1):
            assert home.watched("tv", family)
            assert home.direct("pc", family)
            assert home.direct("tv", family, "server")
        os.kill(lab.proxy_of(watch), signal.SIGKILL)
        until(lambda: home.direct("tv"), 10)
        until(lambda: home.direct("tv", 1), 10)
        # Nor when that machine is gone altogether.
        lab.must("server", "ip", "link", "set", "eth0", "down")
        for family in (0, 1):
            until(lambda family=family: home.direct("tv", family), 15)
    finally:
        lab.must("server", "ip", "link", "set", "eth0", "up")
        lab.run("server", "ip", "addr", "add", f"{ADDRESSES['server'][1]}/64", "dev", "eth0", "nodad")
        for address in ADDRESSES["router"]:
            lab.run("server", "ip", "route", "add", "default", "via", address)
        lab.end(watch, 30)
        lab.phonehome("server", "gateway", "down")
        os.killpg(service.pid, signal.SIGTERM)
        lab.must("router", *run, "stop")
        assert home.rules() == before
        lab.must("router", "nft", "delete", "table", "ip", "nat")
        lab.must("router", "nft", "delete", "table", "inet", "fw4")
        lab.run("router", "sysctl", "-qw", *(f"{name}=1" for name in bridged))


def test_a_setting_that_somebody_else_has_changed_since_is_left_and_said(home: Home) -> None:
    lab = home.lab
    lab.must("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=0")
    try:
        up(home, "tun")
        assert "= 1" in lab.must("router", "sysctl", "net.ipv6.conf.all.forwarding")
        lab.must("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=2")
        done = lab.phonehome("router", "gateway", "down")
        assert "net/ipv6/conf/all/forwarding is 2 now, which is not our doing; it stays" in done.stderr
    finally:
        lab.must("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")


def test_what_cannot_be_done_is_said_in_one_sentence(home: Home) -> None:
    for arguments, said in (
        (("up", "--interface", "eth9", "--device", TV_MAC), 'Device "eth9" does not exist'),
        (("up", "--interface", "br-lan", "--device", "192.168.50.99"), "is not a neighbour on br-lan"),
        (("up", "--interface", "br-lan", "--device", "tv"), "is neither a MAC nor an address"),
        (("up", "--interface", "br lan;", "--device", TV_MAC), "is no name of an interface"),
    ):
        done = home.lab.phonehome("router", "gateway", *arguments)
        assert done.returncode != 0
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert (
        home.lab.phonehome("router", "watch", "--gateway").stderr.count("nothing is set up; run phonehome gateway up")
        == 1
    )
