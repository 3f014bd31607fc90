"""Makes the pictures of the README from the demo, in a real browser: `make pictures`.

Everything in them is made up.  They are written to `docs/pictures/`, each of less than 200 kB.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


PICTURES = ROOT / "docs" / "pictures"

MOST = 200_000
"""Bytes of a picture."""


def main() -> None:
    """Records the demo and takes the pictures."""
    import browser

    with tempfile.TemporaryDirectory() as temporary, browser.browser() as chrome:
        folder = Path(temporary)
        os.environ["PHONEHOME_HOME"] = str(folder / "home")
        os.environ["TZ"] = "UTC"
        from analysis.cli import options
        from analysis.cli.demo import record
        from analysis.evidence import NO_SERVERS
        from analysis.report import html
        from analysis.report.private import private
        from analysis.web.origin import Ledger
        from dashboard import served

        ledger = folder / "demo.ledger"
        record(folder, ledger)
        result = options.answer(options.Question((str(ledger),)))
        page = folder / "report.html"
        page.write_text(html.render(private(result, page=True, grace=0)), "utf-8")
        browser.look(chrome, page)
        take(chrome, "report")
        with served(Ledger(ledger, result.knowledge, NO_SERVERS, None)) as client:
            browser.look(chrome, client.links[-1])
            chrome.execute_script("document.getElementById('state').remove()")
            take(chrome, "dashboard")


def take(chrome: Any, name: str) -> None:
    """One picture of what the window shows."""
    size = {"width": 1080, "height": 660, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    shot = chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})
    data = base64.b64decode(shot["data"])
    if len(data) > MOST:
        raise SystemExit(f"{name}: {len(data):,} bytes are too many")
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(data)


if __name__ == "__main__":
    main()
