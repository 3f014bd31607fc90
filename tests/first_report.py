"""Writes docs/first-report.md: what somebody types from nothing to a post, and what he gets, by really doing it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from sessions import entry, har, plex_headers, plex_web

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/first-report.md"

HEAD = """# From nothing to a post

Three commands, in the folder of this repository. The recording here is made up; yours comes out of a browser: open the
web app, press F12, choose *Network*, play something for two minutes, stop it, and save all as `plex.har`. The page is
made by `python tests/first_report.py`, which really types this.

## 1. Install, and see what to expect

    make demo

installs into `.venv` and plays a made-up household: a server, an app and a vendor, through the real proxy. It ends with
a report like the next one.

"""

SECOND = """## 2. Look at your own recording

"""

THIRD = """## 3. Make a post of it

"""

END = """Nothing was sent: the file is yours to post. Before it was written it was searched for every value of the
recording. Whoever reads it can check that it is what it says to be, with `phonehome share --verify report.md`, and you
can see line by line what goes and what stays with `phonehome share --preview plex.har`.
"""


def recording() -> bytes:
    """A made-up evening with Plex Web."""
    more = [
        entry(
            -5, "GET", "https://plex.tv/api/v2/user", headers={**plex_headers(), "X-Plex-Token": "made-up-token-0001"}
        ),
        entry(-4, "GET", "https://tracker.example.net/pixel.gif?page=home"),
    ]
    return har([*more, *plex_web()])


def page() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "plex.har").write_bytes(recording())
        looked = _typed("phonehome inspect plex.har", place)
        shared = _typed("phonehome share plex.har -o report.md", place)
        written = (place / "report.md").read_text("utf-8")
    shown = looked[: looked.index("\nWho was called")] + "\n…\n"
    post = written[: written.index("\n## Who was called")] + "\n…\n"
    parts = [HEAD, SECOND, _block("phonehome inspect plex.har", shown), THIRD]
    parts += [
        _block("phonehome share plex.har -o report.md", shared),
        "`report.md` begins so:\n\n",
        _fenced(post, "markdown"),
        END,
    ]
    return "".join(parts)


def _typed(command: str, place: Path) -> str:
    environment = {**os.environ, "PHONEHOME_HOME": str(place / "home"), "TZ": "UTC", "COLUMNS": "92", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "analysis", *command.split()[1:]]
    environment["PYTHONPATH"] = str(ROOT)
    ran = subprocess.run(arguments, cwd=place, env=environment, capture_output=True, text=True, check=True)
    return re.sub(r" +$", "", ran.stdout + ran.stderr, flags=re.MULTILINE)


def _block(command: str, shown: str) -> str:
    return _fenced(f"$ .venv/bin/{command}\n{shown}", "")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
