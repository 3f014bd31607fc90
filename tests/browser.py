"""A real browser without a window, for tests of pages: Debian's Chromium, driven by selenium."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver import Chrome

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

MISSING = "" if CHROMIUM and DRIVER else "chromium and chromedriver are not installed (Debian: chromium-driver)"
"""Why no browser can be started; empty when one can."""

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[1] / ".screenshots"))
"""Where pictures of pages are kept."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
)

CANARY = "window.called = 0; window.canary = () => { window.called += 1 };"
"""Defines the function that nothing captured may ever call."""


@contextmanager
def browser() -> Iterator[Chrome]:
    """A browser that logs its console and its requests, and knows the canary."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(120)
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CANARY})
        yield driver
    finally:
        driver.quit()


def look(driver: Chrome, page: Path | str, *, dark: bool = False, width: int = 1280, scripts: bool = True) -> None:
    """Opens a page (a file, or an address) in a theme and a width, with or without scripts."""
    theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    for log in ("browser", "performance"):
        driver.get_log(log)  # what came before is over
    driver.get(page if isinstance(page, str) else page.as_uri())


def console(driver: Chrome) -> list[str]:
    """What the page wrote to the console, which holds what a policy forbade, too."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver: Chrome) -> list[str]:
    """Addresses that the page asked for."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


def screenshot(driver: Chrome, name: str) -> None:
    """Keeps what the window shows."""
    SCREENSHOTS.mkdir(exist_ok=True)
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
