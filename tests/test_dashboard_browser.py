"""The dashboard in a real browser: it loads nothing, runs nothing of what was captured, and everybody can use it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hostile
from analysis.evidence import NO_SERVERS
from analysis.pipeline import run
from analysis.web import pages
from analysis.web.origin import Ledger
from captures import formats
from dashboard import Client, served
from fake_cloud import ROOT, connect, recorded, small, trust
from reporting import evening, known

browsing = pytest.importorskip("browser", reason="selenium is not installed (extra dev)")
visit = pytest.importorskip("visits", reason="selenium is not installed (extra dev)").visit
pytestmark = pytest.mark.skipif(bool(browsing.MISSING), reason=browsing.MISSING)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browsing.browser() as driver:
        yield driver


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def evenings(chrome: Any) -> Iterator[str]:
    """Address of a dashboard over a made-up evening, entered by its link."""
    with served(evening(), changes=True) as client:
        browsing.look(chrome, client.links[-1])
        assert chrome.current_url == f"http://127.0.0.1:{client.port}/"
        yield chrome.current_url.rstrip("/")


def outside(chrome: Any, client: Client) -> list[str]:
    """Addresses that pages asked for elsewhere."""
    ours = f"http://127.0.0.1:{client.port}/"
    # Pictures of its own widgets the browser finds in itself.
    return [url for url in browsing.requests(chrome) if not url.startswith((ours, "data:"))]


def wait(chrome: Any, script: str, seconds: float = 30) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(chrome, seconds).until(lambda driver: driver.execute_script(f"return {script}"))


def test_nothing_that_was_captured_runs_or_loads_anything_on_any_page(chrome: Any) -> None:
    result = run([hostile.capture(hostile.SHORTER)], known())
    with served(result, changes=True) as client:
        browsing.look(chrome, client.links[-1])
        # Without our policy, so that it is the escaping that is tested.
        chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        try:
            _ask_everything(chrome, client, len(result.calls))
        finally:
            chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
        assert outside(chrome, client) == []
        assert [line for line in browsing.console(chrome) if "422" not in line] == []


def _ask_everything(chrome: Any, client: Client, calls: int) -> None:
    pages = ["/", "/calls?noise=1", "/settings", "/share", "/report", "/compare?go=1&since1=2023-11-14T00:00"]
    pages += [f"/call/{n}" for n in range(calls) if n % 8 == 1 or n < 9] + ["/call/0/rule", "/call/1/rule"]
    pages += ["/calls?text=" + "%3Cscript%3Ecanary()%3C/script%3E&host=%22%3E%3Csvg%20onload=canary()%3E"]
    own = {"/report": 2}
    for page in pages:
        chrome.get(f"http://127.0.0.1:{client.port}{page}")
        chrome.execute_script(
            "document.querySelectorAll('details').forEach((e) => { e.open = true });"
            "document.querySelectorAll('*').forEach((e) => { e.focus?.(); e.dispatchEvent(new Event('mouseover')) })"
        )
        assert chrome.execute_script("return [window.called, typeof canary]") == [0, "function"], page
        foreign = (
            "return document.querySelectorAll('img,iframe,base,meta[http-equiv=refresh],a[href^=javascript]').length"
        )
        assert chrome.execute_script(foreign) == 0, page
        scripts = chrome.execute_script("return document.querySelectorAll('script').length")
        assert scripts <= own.get(page, 1), page
        assert chrome.current_url.startswith(f"http://127.0.0.1:{client.port}/"), page


def test_the_canary_sings_where_a_page_lets_it(chrome: Any, evenings: str) -> None:
    """The control of the test above, and what the policy is for."""
    browsing.look(chrome, f"{evenings}/calls")
    inject = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=canary()>')"
    chrome.execute_script(inject)
    time.sleep(0.5)
    assert chrome.execute_script("return window.called") == 0
    assert "violates" in "".join(browsing.console(chrome))
    chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    try:
        browsing.look(chrome, f"{evenings}/calls")
        chrome.execute_script(inject)
        wait(chrome, "window.called === 1")
    finally:
        chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 380)])
@pytest.mark.parametrize("page", ["/", "/calls?noise=1", "/call/1", "/compare", "/share", "/settings", "/nothing"])
def test_everybody_can_read_the_pages(chrome: Any, evenings: str, page: str, dark: bool, width: int) -> None:
    from axe_selenium_python import Axe

    browsing.look(chrome, evenings + page, dark=dark, width=width)
    name = page.strip("/").partition("?")[0].replace("/", "-") or "now"
    browsing.screenshot(chrome, f"dashboard-{name}-{'dark' if dark else 'light'}-{width}")
    chrome.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true })")
    axe = Axe(chrome)
    axe.inject()
    found = axe.run(options="{resultTypes: ['violations']}")["violations"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found] == []
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    assert [line for line in browsing.console(chrome) if page != "/nothing" or "404" not in line] == []


@pytest.mark.slow
def test_what_a_real_client_sent_is_shown_without_a_fault(chrome: Any, tmp_path: Path) -> None:
    """`python tests/visits.py` does the same to captures of any folder, in every look."""
    result = run([formats.read(ROOT / "tests/data/kodi.flow.gz")], known())
    assert visit(chrome, result, tmp_path, "kodi", [(True, 380)]) == []


def test_the_keyboard_alone_leads_to_a_call_and_its_note(chrome: Any, evenings: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> Any:
        for key in keys:
            ActionChains(chrome).send_keys(key).perform()
        return chrome.switch_to.active_element

    def tab_to(fits: Any) -> Any:
        for _ in range(60):
            if fits(at := press(Keys.TAB)):
                return at
        raise AssertionError("not reached")

    browsing.look(chrome, f"{evenings}/")
    skip = press(Keys.TAB)
    assert (skip.text, skip.is_displayed()) == ("Skip to the page", True)
    assert press(Keys.ENTER).get_attribute("id") == "page"
    browsing.look(chrome, f"{evenings}/")
    tab_to(lambda at: at.text == "Calls")
    press(Keys.ENTER)
    wait(chrome, "location.pathname === '/calls'")
    tab_to(lambda at: at.get_attribute("id") == "text")
    press("collect", Keys.ENTER)
    wait(chrome, "location.search.includes('text=collect')")
    assert "1 call" in chrome.find_element("id", "count").text
    tab_to(lambda at: at.text.startswith("POST analytics"))
    press(Keys.ENTER)
    wait(chrome, "location.pathname.startsWith('/call/')")
    tab_to(lambda at: at.get_attribute("id") == "note")
    press("ask the vendor <b>")
    tab_to(lambda at: at.get_attribute("type") == "checkbox")
    press(Keys.SPACE)
    tab_to(lambda at: at.text == "Keep")
    press(Keys.ENTER)
    wait(chrome, "document.getElementById('note')?.value === 'ask the vendor <b>'")
    wait(chrome, "document.getElementById('seen').checked")


def test_choosing_asks_at_once_and_the_address_can_be_kept(chrome: Any, evenings: str) -> None:
    from selenium.webdriver.support.select import Select

    browsing.look(chrome, f"{evenings}/calls")
    Select(chrome.find_element("id", "purpose")).select_by_visible_text("update check")
    wait(chrome, "location.search.includes('purpose=update-check')")
    assert chrome.execute_script("return document.querySelectorAll('tr[data-id]').length") == 1
    kept = chrome.current_url
    Select(chrome.find_element("id", "purpose")).select_by_visible_text("any")
    wait(chrome, "document.querySelectorAll('tr[data-id]').length === 6")
    chrome.get(kept)
    assert chrome.execute_script("return document.querySelectorAll('tr[data-id]').length") == 1


def test_a_line_of_the_post_is_left_out_by_the_keyboard(chrome: Any, evenings: str) -> None:
    browsing.look(chrome, f"{evenings}/share")
    assert "device name" in chrome.find_element("id", "text").text
    box = chrome.find_element("css selector", "[name=without][value='client.device_name']")
    box.send_keys(" ")
    box.submit()
    wait(chrome, "location.search.includes('without=client.device_name')")
    assert "device name" not in chrome.find_element("id", "text").text
    assert browsing.console(chrome) == []


@pytest.mark.parametrize("page", ["/share", "/settings", "/"])
def test_a_page_fits_on_paper_and_has_nothing_to_click(chrome: Any, evenings: str, page: str) -> None:
    browsing.look(chrome, evenings + page)
    wait(chrome, "!document.querySelector('main > p.plain:only-of-type')")
    wide = 717  # of A4 with Chromium's margins
    metrics = {"width": wide, "height": 1046, "deviceScaleFactor": 1, "mobile": False}
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        shown = chrome.execute_script(
            """const seen = [...document.body.querySelectorAll('*')].filter(e => e.checkVisibility());
            const style = (e, name) => getComputedStyle(e)[name];
            return {
              beyond: seen.filter(e => e.getBoundingClientRect().right > arguments[0] + 1).map(e => e.outerHTML),
              clicked: seen.filter(e => e.matches('button, .pages, [type=checkbox]')).map(e => e.tagName),
              orphans: seen.filter(e => e.matches('h2, h3') && style(e, 'breakAfter') !== 'avoid').length,
              torn: seen.filter(e => e.matches('tr') && style(e, 'breakInside') !== 'avoid-page').length,
              paper: style(document.documentElement, 'backgroundColor') + style(document.body, 'backgroundColor'),
            }""",
            wide,
        )
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    white = {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    assert shown.pop("paper") in {one + other for one in white for other in white}
    assert shown == {"beyond": [], "clicked": [], "orphans": 0, "torn": 0}


def test_pages_are_whole_without_scripts(chrome: Any, evenings: str) -> None:
    browsing.look(chrome, f"{evenings}/calls", scripts=False)
    try:
        chrome.find_element("id", "text").send_keys("collect")
        chrome.find_element("css selector", "#filter button").click()
        assert [row.text for row in chrome.find_elements("css selector", "a.what")] == [
            "POST analytics.plex.tv/collect/event"
        ]
        assert not chrome.find_element("id", "fresh").is_displayed()
    finally:
        browsing.look(chrome, f"{evenings}/calls")


def test_calls_come_while_real_traffic_flows_through_the_real_proxy(
    chrome: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded(tmp_path, small) as (proxy, path):
        origin = Ledger(path, known(), NO_SERVERS, None)
        with served(origin) as client, connect(proxy, trust(tmp_path), "analytics.plex.tv") as connection:
            browsing.look(chrome, client.links[-1])
            wait(chrome, "document.getElementById('state').textContent === 'Live'")
            now, first = chrome.current_window_handle, chrome.execute_script("return document.body.innerText")
            assert "No call so far." in first
            chrome.switch_to.new_window("tab")
            chrome.get(f"http://127.0.0.1:{client.port}/calls?text=collect")
            listed = chrome.current_window_handle
            for n in range(3):
                connection.request("POST", f"/collect/event?n={n}", b'{"event": "x"}')
                connection.getresponse().read()
            wait(chrome, "document.getElementById('fresh').textContent === '3 new calls: show them'")
            chrome.find_element("id", "fresh").click()
            wait(chrome, "document.querySelectorAll('tr[data-id]').length === 3")
            chrome.close()
            chrome.switch_to.window(now)
            assert listed != now
            wait(chrome, "document.getElementById('newest').innerText.includes('POST analytics.plex.tv/collect/event')")
            wait(chrome, "document.getElementById('sum').innerText.includes('3 calls outside')")
            browsing.screenshot(chrome, "dashboard-live")
            # Nothing is made for a page that nobody sees, until it is seen again.
            hide = "Object.defineProperty(document, 'hidden', { get: () => %s, configurable: true });"
            chrome.execute_script(hide % "true")
            connection.request("POST", "/collect/event?n=4", b'{"event": "x"}')
            connection.getresponse().read()
            while origin.progress().done < 4:
                time.sleep(0.05)
            time.sleep(1.0)
            assert "3 calls outside" in chrome.find_element("id", "sum").text
            chrome.execute_script(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
            wait(chrome, "document.getElementById('sum').innerText.includes('4 calls outside')")
            # As if others had all processors: an open page says up to when it shows calls.
            assert not chrome.find_element("id", "behind").is_displayed()
            origin._ending.set()
            origin._thread.join()
            monkeypatch.setattr(pages, "_MOMENT", 0.0)
            connection.request("POST", "/collect/event?n=5", b'{"event": "x"}')
            connection.getresponse().read()
            wait(chrome, "document.getElementById('behind').innerText.includes('4 of 5 are looked at so far')")
            assert browsing.console(chrome) == []
            assert outside(chrome, client) == []
