"""What the README and the docs show is what the program prints; what they link to exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", *map(str, ROOT.glob("docs/*.md")))]


def test_the_table_of_set_ups_is_what_the_program_prints() -> None:
    doctor = [sys.executable, "-m", "analysis", "doctor", "--format", "markdown"]
    printed = subprocess.run(doctor, capture_output=True, text=True, check=False, cwd=ROOT).stdout
    shown = re.search(
        r"(?<=doctor --format markdown -->\n).*?(?=\n<!-- end of set-ups -->)",
        (ROOT / "README.md").read_text("utf-8"),
        re.DOTALL,
    )
    assert shown is not None
    assert shown[0] in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_file_that_contributing_names_exists() -> None:
    named = re.findall(
        r"`((?:analysis|captures|addons|docs|tests)/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []
