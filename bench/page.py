"""How large the page of a long capture is, and how long a browser takes to open and to search it.

The browser is Debian's Chromium; without it the sizes alone are printed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import browser  # noqa: E402  the path is set above
import test_page  # noqa: E402  likewise
from analysis.report import html  # noqa: E402  likewise
from analysis.report.private import private  # noqa: E402  likewise

RUNS = 5
"""Times that a page is opened; the median counts."""

OPENED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
SEARCHED = """
const begin = performance.now(), find = document.getElementById('find');
find.value = 'value 99'; document.getElementById('filter').dispatchEvent(new Event('change'));
return performance.now() - begin
"""


def main() -> None:
    """Prints the table."""
    print(f"{'calls':>8} {'kinds':>10} {'page MB':>8} {'made s':>7} {'open ms':>8} {'search ms':>9}")
    for n, alike in ((10_000, True), (10_000, False), (100_000, True)):
        found = test_page.many(n, alike=alike)
        begin = time.perf_counter()
        page = html.render(private(found, page=True))
        made = time.perf_counter() - begin
        times = _opened(page) if not browser.MISSING else "  skipped: " + browser.MISSING
        kinds = "few" if alike else "all differ"
        print(f"{n:8,} {kinds:>10} {len(page.encode()) / 1e6:8.2f} {made:7.1f} {times}")


def _opened(page: str) -> str:
    with tempfile.TemporaryDirectory() as folder, browser.browser() as driver:
        path = Path(folder) / "page.html"
        path.write_text(page, "utf-8")
        opened, searched = [], []
        for _ in range(RUNS):
            browser.look(driver, path)
            opened.append(float(driver.execute_script(OPENED)))
            searched.append(float(driver.execute_script(SEARCHED)))
    return f"{statistics.median(opened):8.0f} {statistics.median(searched):9.0f}"


if __name__ == "__main__":
    main()
