"""The wheel: what is in it, and that the demo runs from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a checkout in which somebody left captures of his own."""
    checkout = tmp_path_factory.mktemp("checkout")
    files = subprocess.run(["git", "ls-files", "-z"], capture_output=True, cwd=ROOT, check=False).stdout.split(b"\0")
    if files == [b""]:
        pytest.skip("needs a git checkout: git clone the project")
    for name in filter(None, files):
        source, target = ROOT / name.decode(), checkout / name.decode()
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    for place in ("captures/mine.har", "captures/samples/mine.ledger", "analysis/mine.flow", "mine.flow"):
        (checkout / place).parent.mkdir(parents=True, exist_ok=True)
        (checkout / place).write_bytes(b"private")
    subprocess.run(["git", "init", "-q"], cwd=checkout, check=True)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_it_holds_the_three_packages_their_data_and_nobodys_captures(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.partition("/")[0] for name in names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"addons", "analysis", "captures"}
    assert {f"{package}/py.typed" for package in ("addons", "analysis", "captures")} <= names
    assert {"analysis/items.toml", "captures/secrets.toml", "analysis/products/plex/product.toml"} <= names
    assert [name for name in names if "mine" in name or name.endswith((".har", ".flow", ".pcap", ".ledger"))] == []


def test_the_demo_runs_from_it_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed, wheel],
        check=True,
        capture_output=True,
    )
    where = "import analysis, sys; sys.stdout.write(analysis.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed), "PHONEHOME_HOME": str(tmp_path / "home")}
    ran = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "check": True, "timeout": 60}
    assert subprocess.run([sys.executable, "-c", where], **ran).stdout.startswith(str(installed))  # type: ignore[call-overload]
    demo = subprocess.run([sys.executable, "-m", "analysis", "demo", "--format", "json"], **ran)  # type: ignore[call-overload]
    assert "analytics.plex.tv" in {call["host"] for call in json.loads(demo.stdout)["calls"]}
    assert "phonehome inspect FILE.har" in demo.stderr
