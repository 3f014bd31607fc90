"""The site in a real browser: nothing loaded, nothing run that was posted, readable by everybody, searched alone."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("pyarrow")

from analysis.cli import main
from analysis.community import sentences
from analysis.community.answers import Answers, answers
from analysis.community.collect import collect
from analysis.community.dataset import Dataset, DatasetError, Reproduced
from analysis.community.site import site
from communities import simulate

browsing = pytest.importorskip("browser", reason="selenium is not installed (extra dev)")
browser = pytest.mark.skipif(bool(browsing.MISSING), reason=browsing.MISSING)

KEEPER = '<script>canary()</script> & "Keeper" <img src=x onerror=canary()>'
"""A maintainer's name is the one text on the site that is not ours."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder / "posts", seed=11, people=60, reports=300)
    made = Dataset(folder / "dataset", make=True)
    collect([folder / "posts"], made)
    for head in made.reports()[:40]:
        made.add_reproduced(Reproduced(head["report"], KEEPER, "sha256:" + "ab" * 32))
    return made


@pytest.fixture(scope="module")
def found(dataset: Dataset) -> Answers:
    return answers(dataset)[0]


@pytest.fixture(scope="module")
def pages(found: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "site"
    site(found, folder, "https://statistics.example/")
    return folder


class Links(HTMLParser):
    """Addresses that a page names, in any attribute that loads or leads somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("img", "iframe", "base", "object", "embed", "audio", "video")
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]


def test_every_link_leads_to_a_page_of_the_site(pages: Path) -> None:
    html = sorted(pages.rglob("*.html"))
    kinds = {page.relative_to(pages).parts[0] for page in html}
    assert {"products", "items", "recipients", "changes", "index.html", "search.html", "gaps.html"} <= kinds
    for page in html:
        links = Links()
        links.feed(page.read_text("utf-8"))
        assert links.found
        for link in links.found:
            assert link.startswith("#") or (page.parent / link).is_file(), (page, link)


def test_nothing_forged_stands_anywhere(pages: Path) -> None:
    everything = "".join(path.read_text("utf-8") for path in pages.rglob("*") if path.is_file())
    for forged in ("account.email", "e-mail address", "account.uuid", "account.soul", "Evil Corp", "9.99"):
        assert forged not in everything


def test_the_planted_change_has_a_page_and_stands_in_the_feed(pages: Path, found: Answers) -> None:
    headline = next(iter(sentences.headlines(found)))
    assert "since version 1.37" in headline
    assert headline in (pages / "changes" / "plex-1.37.html").read_text("utf-8")
    assert headline in (pages / "index.html").read_text("utf-8")
    assert "library name to Google" in (pages / "forum-post.md").read_text("utf-8")
    assert headline in (pages / "forum-post.bbcode.txt").read_text("utf-8")
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring((pages / "feed.xml").read_text("utf-8"))  # noqa: S314  ours
    assert [entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")] == [headline]
    ids = [element.text or "" for element in feed.iter(f"{atom}id")]
    assert len(set(ids)) == len(ids) == 2
    assert all(identity.startswith("urn:uuid:") for identity in ids)
    assert [link.get("href") for link in feed.iter(f"{atom}link")] == [
        "https://statistics.example/feed.xml",
        "https://statistics.example/index.html",
        "https://statistics.example/changes/plex-1.37.html",
    ]
    assert re.fullmatch(r"2025-\d\d-01T00:00:00Z", feed.findtext(f"{atom}updated") or "")


def test_programs_get_the_same(pages: Path, found: Answers) -> None:
    everything = json.loads((pages / "data" / "answers.json").read_text("utf-8"))
    plex = json.loads((pages / "data" / "products" / "plex.json").read_text("utf-8"))
    assert len(everything["statements"]) == len(found.statements)
    assert plex["changes"] == everything["changes"]
    assert "poster" not in {key for one in everything["statements"] for key in one}


def test_a_site_is_replaced_as_a_whole_and_nothing_else_is(found: Answers, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    count = site(found, folder)
    (folder / "products" / "old.html").touch()
    assert site(found, folder) == count
    assert not (folder / "products" / "old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert all(path.stat().st_mode & stat.S_IROTH for path in folder.rglob("*"))
    assert folder.stat().st_mode & stat.S_IXOTH
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(DatasetError, match="holds other things"):
        site(found, tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").exists()


def test_a_person_is_told_where_it_is_and_not_to_publish_twice_a_month(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for expected in ("any web server can serve", "publish once a month"):
        with pytest.raises(SystemExit) as end:
            main(["community", str(dataset.folder), "--site", str(tmp_path / "site")])
        assert end.value.code == 0
        told = capsys.readouterr()
        assert told.out == ""
        assert expected in told.err


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browsing.browser() as driver:
        yield driver


SHOWN = ("index.html", "products/plex.html", "search.html", "changes/plex-1.37.html", "about.html")


@browser
@pytest.mark.parametrize("bare", [False, True])
def test_a_page_loads_nothing_and_runs_nothing_that_was_posted(
    chrome: Any, pages: Path, tmp_path: Path, bare: bool
) -> None:
    for name in SHOWN:
        page = pages / name
        if bare:  # without its policy, so that it is the escaping that is tested
            text = page.read_text("utf-8")
            page = tmp_path / name.replace("/", "-")
            page.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text), "utf-8")
        browsing.look(chrome, page)
        chrome.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true })")
        chrome.execute_script("document.querySelectorAll('summary, input').forEach((e) => { e.focus(); e.click() })")
        assert chrome.execute_script("return [window.called, typeof canary]") == [0, "function"]
        assert browsing.console(chrome) == []
        assert [url.partition("#")[0] for url in browsing.requests(chrome)] == [page.as_uri()]
    repeated = [one["repeated"] for one in json.loads((pages / "data/answers.json").read_text())["statements"]]
    assert any(by["maintainer"] == KEEPER for some in repeated for by in some)


@browser
@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 380)])
def test_everybody_can_read_the_pages(chrome: Any, pages: Path, dark: bool, width: int) -> None:
    from axe_selenium_python import Axe

    for name in ("index.html", "products/plex.html", "search.html"):
        browsing.look(chrome, pages / name, dark=dark, width=width)
        browsing.screenshot(chrome, f"site-{name.replace('/', '-')}-{width}")
        chrome.execute_script("for (const e of [...document.querySelectorAll('details')].slice(0, 1)) e.open = true")
        axe = Axe(chrome)
        axe.inject()
        faults = axe.run(options="{resultTypes: ['violations']}")["violations"]
        assert [(name, v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in faults] == []
        assert chrome.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [width, width]


@browser
def test_the_search_works_from_a_file_and_the_list_is_there_without_it(chrome: Any, pages: Path) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    shown = (
        "return [...document.querySelectorAll('#list > li')].filter((e) => !e.hidden).map((e) => e.textContent.trim())"
    )
    browsing.look(chrome, pages / "search.html")
    everything = chrome.execute_script(shown)
    chrome.find_element("id", "find").send_keys("LIBRARY google")
    WebDriverWait(chrome, 20).until(lambda d: 0 < len(d.execute_script(shown)) < len(everything))
    assert all("library name to Google" in text for text in chrome.execute_script(shown))
    browsing.look(chrome, pages / "search.html", scripts=False)
    try:
        assert not chrome.find_element("id", "filter").is_displayed()
        links = chrome.find_elements("css selector", "#list a")
        assert len(links) == len(everything)
        links[0].click()
        WebDriverWait(chrome, 20).until(lambda d: d.find_element("tag name", "h1").text == "Plex")
    finally:
        browsing.look(chrome, pages / "index.html")


@browser
def test_the_keyboard_leads_into_the_page(chrome: Any, pages: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browsing.look(chrome, pages / "index.html")
    ActionChains(chrome).send_keys(Keys.TAB).perform()
    assert chrome.switch_to.active_element.text == "Skip to what this page says"
    ActionChains(chrome).send_keys(Keys.ENTER).perform()
    assert chrome.switch_to.active_element.get_attribute("id") == "main"
