"""What doctor says of this machine, and of one that lacks something."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from analysis.cli import main
from captures import home
from captures.gateway import authority, doctor, network, trust
from captures.gateway.doctor import Check
from fake_cloud import ROOT


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def check(name: str, port: int = 0) -> Check:
    (found,) = (each for each in doctor.examine(port) if each.name == name)
    return found


def test_every_problem_has_a_remedy_and_every_check_a_word() -> None:
    checks = doctor.examine()
    assert [each.name for each in checks] == [
        "Python", "mitmproxy", "port", "WireGuard's port", "authority", "disk", "open files", "clock", "IPv6",
        "forwarding", "nftables", "bridge-nf-call-iptables", "kernel", "capabilities", "local capture",
        "changed by phonehome", "DNS over HTTPS",
    ]  # fmt: skip
    for each in checks:
        assert each.said
        assert each.state != "problem" or each.remedy


def test_a_port_in_use_is_a_problem_and_a_free_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = check("port", port)
        assert (found.state, found.said) == ("problem", f"{port} is in use by another program")
    assert check("port", port).state == "fine"


def test_the_authority_is_looked_into() -> None:
    assert check("authority").said == "none yet; watch or trust add makes one"
    authority.ensure(home.authority())
    assert check("authority").state == "fine"
    key = home.authority() / "mitmproxy-ca.pem"
    key.chmod(0o644)
    assert check("authority").said == "others can read its key"
    key.write_text("nothing")
    assert "cannot be read" in check("authority").said


def test_one_that_mitmproxy_made_is_valid_for_banks() -> None:
    from mitmproxy.certs import CertStore

    CertStore.create_store(home.authority(), "mitmproxy", 2048)
    assert "is valid for every name" in check("authority").said


def test_sysctls_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, state in (("0", "problem"), ("1", "fine"), (None, "unknown")):
        monkeypatch.setattr(network, "sysctl", lambda _, value=value: value)
        assert check("forwarding").state == state


def test_a_browser_that_asks_past_the_households_dns_is_named(tmp_path: Path) -> None:
    assert check("DNS over HTTPS").state == "fine"
    profile = tmp_path / ".mozilla/firefox/made-up.default"
    profile.mkdir(parents=True)
    (profile / "prefs.js").write_text('user_pref("network.trr.mode", 5);\n')
    assert check("DNS over HTTPS").state == "fine"
    (profile / "prefs.js").write_text('user_pref("network.trr.mode", 3);\n')
    state = tmp_path / ".config/chromium/Local State"
    state.parent.mkdir(parents=True)
    state.write_text('{"dns_over_https": {"mode": "secure"}}')
    assert check("DNS over HTTPS").said.startswith("is on in Firefox, chromium")
    state.write_text("no JSON")
    assert check("DNS over HTTPS").state == "unknown"


def test_the_table_of_set_ups_uses_the_words_it_explains() -> None:
    setups = doctor.setups()
    assert {setup.seen for setup in setups} <= {"readable", "names only", "nothing"}
    assert {setup.effort for setup in setups} <= {"low", "middle", "high"}
    assert {name for setup in setups for name in setup.tested} <= {"seen", "effort", "risk"}
    told = " ".join(setup.name for setup in setups)
    for name in ("Docker", "Windows", "NAS", "Jellyfin", "browser", "Android", "iPhone", "Apple TV", "Roku", "webOS",
                 "Tizen", "Fire TV"):  # fmt: skip
        assert name in told


def exists(test: str) -> bool:
    """Whether there is a test, named as pytest names it, or a file of tests."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and (not name or f"def {name}(" in path.read_text("utf-8"))


def test_behind_each_cell_that_was_tested_and_each_threat_stands_a_test() -> None:
    table = tomllib.loads((ROOT / "captures/gateway/setups.toml").read_text("utf-8"))["setup"]
    named = [test for setup in table for test in setup["tested"].values()]
    assert len(named) > 3
    assert [test for test in named if not exists(test)] == []
    threats = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")][2:]
    assert len(threats) > 15
    for line in threats:
        files = re.findall(r"`(tests/[^`]+)`", line.rsplit("|", 2)[1])
        assert files, line
        assert [file for file in files if not exists(file)] == []


def test_json_holds_checks_and_set_ups_and_nothing_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--format", "json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "phonehome/doctor/1"
    assert {"name", "state", "said", "remedy", "needed"} == set(told["checks"][0])
    assert {"name", "way", "seen", "effort", "risk", "tested"} == set(told["setups"][0])
    assert list(home.root().rglob("*.pem")) == []


def test_a_person_reads_two_tables(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "doctor"], capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "my set-up" in done.stdout
    assert "not tested" in done.stdout


def test_each_cell_of_the_table_for_the_readme_says_whether_it_was_tested() -> None:
    lines = doctor.markdown().splitlines()
    assert lines[0] == "| my set-up | what is seen | effort | risk | how |"
    assert len(lines) == 2 + len(doctor.setups())
    for line in lines[2:]:
        for cell in line.split(" | ")[1:4]:
            assert cell.endswith(("(tested)", "(not tested)")), line
    page = (Path(__file__).parents[1] / "docs/at-home.md").read_text("utf-8")
    if os.environ.get("UPDATE_DOCS"):
        begin, end = "<!-- set-ups -->\n", "<!-- end -->"
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}\n{doctor.markdown()}\n{end}{rest.partition(end)[2]}"
        (Path(__file__).parents[1] / "docs/at-home.md").write_text(page, "utf-8")
    assert doctor.markdown() in page


def test_what_was_changed_is_listed_with_the_command_that_takes_it_back(tmp_path: Path) -> None:
    assert check("changed by phonehome").said == "nothing"
    bundle = tmp_path / "cacert.pem"
    bundle.write_text("")
    trust.add(trust.stores()["plex"], bundle, authority.ensure(home.authority()), home.journal())
    assert (
        check("changed by phonehome").said == f"trust of plex in {bundle}; all of it is taken back by: phonehome undo"
    )


def test_a_port_of_wireguard_in_use_is_a_problem() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 51820))
        assert check("WireGuard's port").state == "problem"
    assert check("WireGuard's port").state == "fine"
