"""Everything that was changed on this machine is taken back by one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cli import main
from captures import home
from captures.gateway import authority, journal, trust


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["undo", *arguments])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


def test_nothing_is_taken_back_where_nothing_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "--list") == (0, "nothing is changed\n", "")
    assert ran(capsys) == (0, "", "gateway: nothing is set up\n")


def test_trust_and_authority_are_listed_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "cacert.pem"
    bundle.write_bytes(b"# authorities of the world\n")
    trust.add(trust.stores()["plex"], bundle, authority.ensure(home.authority()), home.journal())
    status, out, _ = ran(capsys, "--list")
    assert (status, out) == (0, f"trust: plex in {bundle}\nauthority: {home.authority()}\n")
    status, _, said = ran(capsys)
    assert status == 0
    assert f"{bundle}: as it was before" in said
    assert bundle.read_bytes() == b"# authorities of the world\n"
    assert list(home.authority().glob("mitmproxy-ca*")) == []
    assert ran(capsys, "--list")[1] == "nothing is changed\n"


def test_one_that_cannot_be_taken_back_keeps_not_the_others_but_the_authority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "cacert.pem"
    bundle.write_bytes(b"before")
    trust.add(trust.stores()["plex"], bundle, authority.ensure(home.authority()), home.journal())
    gone = tmp_path / "gone.pem"
    gone.write_bytes(b"before")
    trust.add(trust.stores()["kodi"], gone, authority.ensure(home.authority()), home.journal())
    gone.unlink()
    gone.mkdir()
    journal.place(home.journal()).write_text("{")
    status, _, said = ran(capsys)
    assert status == 1
    assert "gateway.json: cannot be read" in said
    assert "gone.pem" in said
    assert bundle.read_bytes() == b"before"
    assert authority.read(home.authority())
    journal.place(home.journal()).unlink()
    gone.rmdir()
    assert ran(capsys)[0] == 0
    assert authority.read(home.authority()) is None
