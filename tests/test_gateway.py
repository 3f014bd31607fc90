"""A router's set-up as text; tests/household tries it with real packets."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from analysis.cli import main
from captures.gateway import journal, scripts
from captures.gateway.network import Lan
from captures.gateway.plan import Plan, Way, plan, renewal
from captures.model import CaptureError
from fake_cloud import start

LAN = Lan("br-lan", ("192.168.1.0/24", "198.51.100.0/24"), ("2001:db8:1::/64",))
MAC = "02:00:00:00:00:20"


def planned(way: Way = "tun", lan: Lan = LAN, filtered: bool = False) -> Plan:
    return plan(way, lan, (MAC,), 8080, filtered)


def test_packets_of_the_chosen_devices_alone_are_marked() -> None:
    assert (
        planned().ruleset
        == """\
table inet phonehome {
  set watched { type ether_addr; flags timeout; }
  counter led_020000000020 { }
  counter excluded_020000000020 { }
  chain led {
    counter name ether saddr map { 02:00:00:00:00:20 : "led_020000000020" }
    meta mark set meta mark | 0x40000000
  }
  chain excluded {
    counter name ether saddr map { 02:00:00:00:00:20 : "excluded_020000000020" }
  }
  chain from_device {
    type filter hook prerouting priority mangle; policy accept;
    iifname != "br-lan" return
    ether saddr != @watched return
    fib daddr type != unicast goto excluded
    ip6 daddr { fe80::/10, fc00::/7, ff00::/8 } goto excluded
    ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 127.0.0.0/8 } goto excluded
    ip daddr { 198.51.100.0/24 } goto excluded
    ip6 daddr { 2001:db8:1::/64 } goto excluded
    meta l4proto tcp goto led
    udp dport { 53, 443, 853 } goto led
    goto excluded
  }
}
"""
    )
    assert planned().rules == (
        ("-4", "pref", "7068", "fwmark", "0x40000000/0x40000000", "lookup", "7068"),
        ("-6", "pref", "7068", "fwmark", "0x40000000/0x40000000", "lookup", "7068"),
    )


def test_a_household_without_ipv6_gets_no_rule_for_it() -> None:
    four = planned(lan=Lan("br-lan", ("192.168.1.0/24",), ()))
    assert [rule[0] for rule in four.rules] == ["-4"]
    assert four.sysctls == (("net/ipv4/ip_forward", "1"),)
    # Before forwarding, which would make the kernel forget the way.
    assert plan("redirect", LAN, (MAC,), 8080, False, ("eth0",)).sysctls == (
        ("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/eth0/accept_ra", "2"), ("net/ipv6/conf/all/forwarding", "1"),
    )  # fmt: skip
    assert planned(filtered=True).sysctls[-1] == ("net/ipv4/conf/all/rp_filter", "2")


def test_a_renewal_replaces_the_set_at_once_and_none_empties_it() -> None:
    assert (
        renewal((MAC,), "redirect")
        == f"flush set inet phonehome watched\nadd element inet phonehome watched {{ {MAC} timeout 5s }}\n"
    )
    assert renewal((), "tun") == "flush set inet phonehome watched\n"


@pytest.mark.parametrize("kind", scripts.NAMES)
@pytest.mark.parametrize("way", ["tun", "redirect"])
def test_each_script_names_the_device_and_holds_nothing_that_was_left_open(kind: str, way: Way) -> None:
    text = scripts.render(kind, planned(way))
    assert "{{" not in text
    assert "{%" not in text
    assert text.endswith("\n")
    assert MAC in text or kind == "docker"


def test_a_shell_script_is_one_that_a_shell_understands(tmp_path: Path) -> None:
    for kind in ("shell", "openwrt"):
        script = tmp_path / kind
        script.write_text(scripts.render(kind, planned("redirect")))
        done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_taken_back_when_nothing_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path))
    assert journal.read(tmp_path) is None
    assert journal.down(tmp_path) == ()
    with pytest.raises(SystemExit) as ended:
        main(["gateway", "down"])
    assert ended.value.code == 0
    assert capsys.readouterr().err == "nothing is set up\n"


def test_a_journal_that_is_none_is_told_in_one_sentence(tmp_path: Path) -> None:
    journal.place(tmp_path).write_text("{")
    with pytest.raises(
        CaptureError, match=r"gateway\.json: cannot be read .*; look what `nft list table inet phonehome`"
    ):
        journal.read(tmp_path)


def units() -> dict[str, str]:
    """Name of each unit that is printed -> its text."""
    parts = re.split(r"(?m)^# .*?/etc/systemd/system/(\S+\.service).*$", scripts.render("systemd", planned()))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze: install systemd")
def test_units_are_understood_by_systemd_and_leave_little_open(tmp_path: Path) -> None:
    files = []
    for name, text in units().items():
        files.append(tmp_path / name)
        files[-1].write_text(text.replace("/usr/local/bin/phonehome", "/bin/true"))
    assert [file.name for file in files] == [
        "phonehome.service", "phonehome-gateway.service", "phonehome-gateway-back.service",
    ]  # fmt: skip
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    # Of other units on this machine it may complain as well.
    assert (done.returncode, "phonehome" in done.stderr) == (0, False), done.stderr
    for file in files:
        # In tenths; a service without any of these lines has 9.6.
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=25", file],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_a_container_is_one_that_compose_knows_and_its_command_runs(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    told = YAML(typ="safe").load(scripts.render("docker", planned()))
    service = told["services"]["phonehome"]
    # As the Compose Specification has it.
    assert set(told) == {"services", "volumes"}
    assert service.keys() <= {
        "build", "command", "init", "stop_signal", "ports", "volumes", "healthcheck", "cap_drop", "security_opt",
        "read_only", "tmpfs", "restart",
    }  # fmt: skip
    assert [volume.partition(":")[0] for volume in service["volumes"]] == list(told["volumes"]) == ["ledger"]
    steps = service["build"]["dockerfile_inline"].replace("\\\n", "").splitlines()
    assert [step.split()[0] for step in steps] == ["FROM", "RUN", "COPY", "RUN", "ENV", "ENTRYPOINT"]
    assert "PHONEHOME_HOME=/data" in steps[4]
    # The place of the volume and the port are others here.
    command = service["command"].replace("/data", str(tmp_path)).replace("0.0.0.0:8080", "127.0.0.1:0").split()
    process = start(*command, home=tmp_path)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        port = line.strip().rpartition(":")[2]
        _, *healthy = [part.replace("8080", port) for part in service["healthcheck"]["test"]]
        assert subprocess.run(healthy, check=False).returncode == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert subprocess.run(healthy, check=False, capture_output=True).returncode == 1
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "household.ledger").exists()


@pytest.mark.skipif(not shutil.which("apt-cache"), reason="needs apt")
def test_what_the_image_is_made_of_is_known_to_debian() -> None:
    found = re.search(r"--no-install-recommends (.*?)\\", scripts.render("docker", planned()))
    assert found
    packages = found[1].split()
    done = subprocess.run(["apt-cache", "policy", *packages], capture_output=True, text=True, check=True)
    if not done.stdout.count("http"):
        pytest.skip("needs lists of packages: apt-get update")
    assert done.stdout.count("Candidate: ") - done.stdout.count("Candidate: (none)") == len(packages) == 3
