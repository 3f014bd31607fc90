"""What the README and the docs show is what the program prints; what they link to exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", *map(str, ROOT.glob("docs/*.md")))]
SHOWN = re.compile(r"(?<=<!-- demo: the beginning of the report -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def test_the_picture_of_the_report_is_what_the_demo_prints(tmp_path: Path) -> None:
    """`UPDATE_README=1` writes it anew."""
    environment = {**os.environ, "PHONEHOME_HOME": str(tmp_path), "COLUMNS": "92", "NO_COLOR": "1"}
    demo = subprocess.run(
        [sys.executable, "-m", "analysis", "demo"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    lines = [line.rstrip() for line in demo.stdout.splitlines()]
    picture = "\n```\n" + "\n".join([*lines[: lines.index("Who was called") + 10], "…"]) + "\n```\n"
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    if os.environ.get("UPDATE_README"):
        readme.write_text(SHOWN.sub(lambda _: picture, text), "utf-8")
    else:
        assert [_timeless(shown) for shown in SHOWN.findall(text)] == [_timeless(picture)]


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


def _timeless(text: str) -> str:
    """A picture whatever the demo took, and where its lines were broken for it."""
    return re.sub(r"In \d+ seconds?,", "In 1 second,", " ".join(text.split()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_file_that_contributing_names_exists() -> None:
    named = re.findall(
        r"`((?:analysis|captures|addons|docs|tests)/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []
