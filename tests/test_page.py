"""The page in a real browser: it loads nothing, runs nothing of what was captured, and can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from analysis.model import Category, Party, Verdict
from analysis.pipeline import Result
from analysis.report import html, svg
from analysis.report.document import Cell, Column, Document, Flows, Heading, Lanes, Paragraph, Table
from analysis.report.listing import MOST
from analysis.report.private import private
from hostile import TEXTS
from reporting import call, comparison, contact, evening, exchange, finding, result

browsing = pytest.importorskip("browser", reason="selenium is not installed (extra dev)")
pytestmark = pytest.mark.skipif(bool(browsing.MISSING), reason=browsing.MISSING)

HOSTILE = (*TEXTS[:-1], TEXTS[-1][-100_000:])
"""The last one is cut: a page of names of a megabyte each is no page."""


def hostile() -> Result:
    """Each hostile text in each captured field that a report knows."""
    calls, findings, comparisons = [], [], []
    for n, text in enumerate(HOSTILE):
        seen = structs.replace(exchange(text, "/" + text, index=2 * n), device=text, method=text[:40])
        calls.append(structs.replace(call(seen, party=Party.UNKNOWN, entity="", product=text), answered_by=text))
        closed = structs.replace(contact(text, index=2 * n + 1, reason=text), device=text)
        calls.append(call(closed, party=Party.THIRD_PARTY, entity=text))
        findings.append(finding(2 * n, "media.title", text, at=f"body.{text}", encodings=(text,)))
        comparisons.append(comparison("media.title", Verdict.UNDECLARED, (2 * n,), entity=text, reason=text))
    found = result(calls, findings, comparisons, remarks=HOSTILE)
    return replace(found, captures=(replace(found.captures[0], name=HOSTILE[0]),))


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browsing.browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {"evening": evening(), "hostile": hostile()}
    for name, found in made.items():
        text = html.render(private(found, page=True))
        (folder / f"{name}.html").write_text(text, "utf-8")
        # Without its policy, so that it is the escaping that is tested.
        bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        (folder / f"{name}-bare.html").write_text(bare, "utf-8")
    return {path.stem: path for path in folder.iterdir()}


def open_all(driver: Any) -> None:
    driver.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true })")


@pytest.mark.parametrize("page", ["evening", "hostile", "hostile-bare"])
def test_the_page_loads_nothing_and_runs_nothing_that_was_captured(
    chrome: Any, pages: dict[str, Path], page: str
) -> None:
    browsing.look(chrome, pages[page])
    open_all(chrome)
    chrome.execute_script("document.querySelectorAll('*').forEach((e) => { e.focus?.(); e.click?.() })")
    assert chrome.execute_script("return [window.called, typeof canary]") == [0, "function"]
    assert (
        chrome.execute_script(
            "return document.querySelectorAll('img,iframe,base,link,meta[http-equiv=refresh]').length"
        )
        == 0
    )
    assert browsing.console(chrome) == []
    assert [url.partition("#")[0] for url in browsing.requests(chrome)] == [pages[page].as_uri()]


def test_the_policy_forbids_a_script_that_is_not_ours(chrome: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    """The control of the test above: the canary sings where it can."""
    bad = (
        pages["evening"]
        .read_text("utf-8")
        .replace("</main>", "<img src=x onerror=canary()><script>canary()</script></main>")
    )
    (tmp_path / "bad.html").write_text(bad, "utf-8")
    browsing.look(chrome, tmp_path / "bad.html")
    assert chrome.execute_script("return window.called") == 0
    assert "violates" in "".join(browsing.console(chrome))
    (tmp_path / "bare.html").write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", bad), "utf-8")
    browsing.look(chrome, tmp_path / "bare.html")
    assert chrome.execute_script("return window.called") >= 1


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 380), (True, 380)])
def test_everybody_can_read_the_page(chrome: Any, pages: dict[str, Path], dark: bool, width: int) -> None:
    from axe_selenium_python import Axe

    browsing.look(chrome, pages["evening"], dark=dark, width=width)
    browsing.screenshot(chrome, f"report-{'dark' if dark else 'light'}-{width}")
    open_all(chrome)
    axe = Axe(chrome)
    axe.inject()
    found = axe.run(options="{resultTypes: ['violations']}")["violations"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("page", ["evening", "hostile"])
def test_a_phone_scrolls_the_page_in_one_direction_only(chrome: Any, pages: dict[str, Path], page: str) -> None:
    browsing.look(chrome, pages[page], width=380)
    open_all(chrome)
    assert chrome.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [380, 380]


def test_a_phone_shows_each_picture_in_its_width(chrome: Any, pages: dict[str, Path]) -> None:
    """Three layers beside one another do not fit there: each recipient gets its own bars, each purpose its own lane."""
    shown = """
    return ['svg.picture', 'svg.lane', 'ul.narrow svg.bar'].map(wanted => [...document.querySelectorAll(wanted)]
      .filter(e => e.getClientRects().length && e.getBoundingClientRect().width <= innerWidth).length)"""
    browsing.look(chrome, pages["evening"])
    assert chrome.execute_script(shown) == [2, 0, 0]
    browsing.look(chrome, pages["evening"], width=380)
    assert chrome.execute_script(shown) == [0, 4, 6]
    said = chrome.find_element("css selector", "ul.narrow").text.splitlines()
    assert said[:4] == ["Plex", "Sent by: Plex on 192.168.7.23", "device and app", "2"]


def test_a_phone_has_what_can_be_chosen_folded(chrome: Any, pages: dict[str, Path]) -> None:
    for width, shown in ((1280, True), (380, False)):
        browsing.look(chrome, pages["evening"], width=width)
        assert chrome.find_element("id", "verdict").is_displayed() == shown
        assert chrome.find_element("css selector", "#choices summary").is_displayed() != shown
        assert chrome.find_element("id", "find").is_displayed()
    chrome.find_element("css selector", "#choices summary").click()
    assert chrome.find_element("id", "verdict").is_displayed()


def test_a_command_in_a_sentence_breaks_between_its_words_alone(chrome: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    said = "Say phonehome known add --kind server it.example " * 30 + "of 4 % " * 30
    path.write_text(html.render(Document("x", (Heading("A"), Paragraph(said)))), "utf-8")
    browsing.look(chrome, path, width=380)
    assert set(
        chrome.execute_script("return [...document.querySelectorAll('code')].map(e => e.getClientRects().length)")
    ) == {1}
    lines = """
    const range = document.createRange(), lines = {};
    for (const text of document.querySelectorAll('p')[0].childNodes) for (let i = 0; i < text.textContent.length; i++) {
      if (text.nodeType !== 3) continue;
      range.setStart(text, i); range.setEnd(text, i + 1);
      const at = Math.round(range.getBoundingClientRect().top);
      lines[at] = (lines[at] || '') + text.textContent[i];
    }
    return Object.values(lines)"""
    shown = chrome.execute_script(lines)
    assert len(shown) > 10
    assert not [line for line in shown if line.strip().startswith("%")]


def test_the_page_is_whole_without_scripts(chrome: Any, pages: dict[str, Path]) -> None:
    browsing.look(chrome, pages["evening"], scripts=False)
    try:
        assert not chrome.find_element("id", "filter").is_displayed()
        kinds = chrome.find_elements("css selector", "#listing > details")
        assert [kind.is_displayed() for kind in kinds] == [True] * 7
        assert not chrome.find_elements("css selector", "tbody.calls tr")[0].is_displayed()
        kinds[0].find_element("tag name", "summary").click()
        assert kinds[0].find_elements("css selector", "tbody.calls tr")[0].is_displayed()
    finally:
        browsing.look(chrome, pages["evening"])


def test_the_keyboard_alone_leads_to_everything(chrome: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> Any:
        for key in keys:
            ActionChains(chrome).send_keys(key).perform()
        return chrome.switch_to.active_element

    browsing.look(chrome, pages["evening"])
    skip = press(Keys.TAB)
    assert (skip.text, skip.is_displayed()) == ("Skip to the report", True)
    assert press(Keys.ENTER).get_attribute("id") == "report"
    first = press(Keys.TAB)
    assert (first.tag_name, first.text) == ("a", "Who gets what")
    for _ in range(200):
        if press(Keys.TAB).get_attribute("id") == "find":
            break
    press("analytics")
    kinds = "return [...document.querySelectorAll('#listing > details')].filter((e) => !e.hidden).length"
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(chrome, 20).until(lambda d: d.execute_script(kinds) == 1)
    for _ in range(20):
        if (at := press(Keys.TAB)).tag_name == "summary":
            break
    at.send_keys(Keys.ENTER)
    assert at.find_element("xpath", "..").get_attribute("open") is not None
    browsing.screenshot(chrome, "report-search")


def test_no_name_and_no_number_of_a_picture_stands_outside_it(chrome: Any, tmp_path: Path) -> None:
    lanes = Lanes(
        "Beginning at", ("a", "b"), "c", (("Aufzeichnung der Bedienung", (4_000_000, 285_714)), ("x", (1, 0)))
    )
    flows = Flows(
        "Who",
        ("Sent by", "To", "Data"),
        "Times",
        (("Jellyfin on a television in the room", "t" * 60, "your films", 9, "alarm"),),
    )
    path = tmp_path / "page.html"
    path.write_text(html.render(Document("x", (Heading("A"), lanes, Heading("B"), flows))), "utf-8")
    browsing.look(chrome, path)
    outside = """
    return [...document.querySelectorAll('svg.picture text')].filter(text => {
      const at = text.getBoundingClientRect(), around = text.closest('svg').getBoundingClientRect();
      return at.left < around.left || at.right > around.right;
    }).map(text => text.textContent)"""
    assert chrome.execute_script(outside) == []


def test_the_marks_under_a_timeline_do_not_run_into_one_another() -> None:
    times = tuple(f"2026-11-26 22:01:{n}" for n in range(10, 31))
    row = (("update check", (1,) * 3),)
    short, room = (svg.lanes(Lanes("x", times[:n], times[n], (("update check", (1,) * n),))).marks for n in (3, 20))
    assert ([anchor for *_, anchor in short], [anchor for *_, anchor in room]) == (
        ["start", "end"],
        ["start", "middle", "end"],
    )
    short = svg.lanes(Lanes("x", ("22:01", "22:02", "22:03"), "22:04", row)).marks
    assert [anchor for *_, anchor in short] == ["start", "middle", "end"]


def test_what_is_searched_and_chosen_is_shown_with_its_number(chrome: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.support.select import Select

    browsing.look(chrome, pages["evening"])
    shown = "return [document.getElementById('kinds').textContent, document.getElementById('calls').textContent]"
    assert chrome.execute_script(shown) == ["7", "7"]
    Select(chrome.find_element("id", "verdict")).select_by_visible_text("not readable")
    assert chrome.execute_script(shown) == ["2", "2"]
    chrome.find_element("id", "find").send_keys("METRICS")
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(chrome, 20).until(lambda d: d.execute_script(shown) == ["1", "1"])
    chrome.find_element("css selector", "button[type=reset]").click()
    WebDriverWait(chrome, 20).until(lambda d: d.execute_script(shown) == ["7", "7"])


def test_paper_has_neither_contents_nor_filter(chrome: Any, pages: dict[str, Path]) -> None:
    browsing.look(chrome, pages["evening"])
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not chrome.find_element("tag name", "nav").is_displayed()
        assert not chrome.find_element("id", "filter").is_displayed()
        assert chrome.find_element("css selector", ".answer").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_paper_shows_the_rows_that_are_folded_on_a_screen(chrome: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    table = Table((Column("A"),), tuple((Cell(f"row {n}"),) for n in range(60)))
    path.write_text(html.render(Document("x", (Heading("A"), table))), "utf-8")
    browsing.look(chrome, path)
    visible = "e => e.checkVisibility({contentVisibilityAuto: true})"
    row = f"return [...document.querySelectorAll('td')].filter({visible}).length"
    assert chrome.execute_script(row) == 40
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert chrome.execute_script(row) == 60
        assert not chrome.find_element("css selector", ".more summary").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def many(n: int, *, alike: bool) -> Result:
    """A long capture: of a few kinds of calls, or of none that is like another."""
    calls, findings = [], []
    for i in range(n):
        name = "plex.tv" if alike else f"h{i % 3000}.example"
        seen = exchange(name, f"/library/{i}/" + "p" * 60, index=i)
        calls.append(call(seen, list(Category)[i % 7]))
        findings += [finding(i, item, f"value {i}") for item in ("media.duration", "client.id", "server.version")]
    return result(calls, findings)


@pytest.mark.parametrize(
    ("n", "alike"), [(10_000, True), (10_000, False), pytest.param(30_000, True, marks=pytest.mark.slow)]
)
def test_a_page_stays_small_and_says_what_it_leaves_out(n: int, alike: bool) -> None:
    page = html.render(private(many(n, alike=alike), page=True))
    assert len(page.encode()) < 2_000_000
    assert len(page) < MOST * 1.5
    listed = page.count("value 0 · value")
    assert listed or not alike
    rows = len(re.findall(r"<tr><td>\d+<td>20", page))
    assert rows == n or "phonehome calls lists all" in page
