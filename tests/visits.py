"""Looks at report and dashboard of captures in a real browser, in both themes and on a phone: `python tests/visits.py
FILE_OR_FOLDER...`.

What a visit finds wrong is printed, and pictures of what the window shows are kept in `.screenshots` (or SCREENSHOTS).
The tests visit captures of ours in the same way.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
from analysis.pipeline import Result, run
from analysis.report import html
from analysis.report.private import private
from captures import formats
from dashboard import served
from reporting import known

LOOKS = ((False, 1280), (True, 1280), (False, 380), (True, 380))
"""Dark or not, and how wide."""

PAGES = ("/", "/calls?noise=1", "/call/1", "/compare", "/share", "/settings")
"""Pages of the dashboard."""

FORMATS = (".flow", ".pcap", ".har", ".ledger", ".gz", ".pcapng")
"""Files in a folder that are captures."""


def visit(
    chrome: Any, result: Result, folder: Path, name: str, looks: tuple[tuple[bool, int], ...] = LOOKS
) -> list[str]:
    """Opens everything -> what is wrong, a line each: what the console says, what is asked for elsewhere, what runs,
    what axe finds, what is wider than the window."""
    wrong: list[str] = []
    report = folder / f"{name}.html"
    report.write_text(html.render(private(result, page=True)), "utf-8")
    with served(result) as client:
        browser.look(chrome, client.links[-1])
        home = f"http://127.0.0.1:{client.port}"
        for dark, width in looks:
            for page in (report.as_uri(), *(home + path for path in PAGES)):
                title = page.removeprefix(home).strip("/").partition("?")[0] if page.startswith(home) else "report"
                browser.look(chrome, page, dark=dark, width=width)
                kind = f"{name}-{(title or 'now').replace('/', '-')}-{'dark' if dark else 'light'}-{width}"
                browser.screenshot(chrome, kind)
                wrong += [f"{kind}: {fault}" for fault in _faults(chrome, page, home, width)]
    return wrong


def _faults(chrome: Any, page: str, home: str, width: int) -> Iterator[str]:
    from axe_selenium_python import Axe

    chrome.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true })")
    if chrome.execute_script("return window.called"):
        yield "captured text ran"
    if (wide := chrome.execute_script("return document.documentElement.scrollWidth")) > width:
        yield f"is {wide} wide"
    ours = (page.partition("?")[0], f"{home}/", "data:")
    yield from (f"asked for {url}" for url in browser.requests(chrome) if not url.startswith(ours))
    yield from browser.console(chrome)
    axe = Axe(chrome)
    axe.inject()
    for violation in axe.run(options="{resultTypes: ['violations']}")["violations"]:
        yield f"{violation['id']}: {[node['html'][:120] for node in violation['nodes']][:3]}"


def main(places: list[str]) -> int:
    """Visits each capture; the exit status says whether something is wrong."""
    files = [file for place in map(Path, places) for file in (sorted(place.iterdir()) if place.is_dir() else [place])]
    with tempfile.TemporaryDirectory() as temporary, browser.browser() as chrome:
        os.environ["PHONEHOME_HOME"] = str(Path(temporary) / "home")
        wrong = []
        for file in files:
            if file.suffix in FORMATS and file.stat().st_size:
                result = run([formats.read(file)], known())
                found = visit(chrome, result, Path(temporary), file.name)
                print(f"{file.name}: {len(result.calls)} calls, {len(found)} faults", *found, sep="\n  ", flush=True)  # noqa: T201  it is for this
                wrong += found
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
