"""Posts as the engines of forums show them: every table whole, and nothing loaded, linked or run."""

from __future__ import annotations

import functools
from html import unescape
from html.parser import HTMLParser
from typing import Any

import bbcode as engine
import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

import hostile as corpus
from analysis import pipeline, redact, texts
from analysis.model import Party, Verdict
from analysis.pipeline import Result
from analysis.post import EXPORTS, FORMS, post
from analysis.report import bbcode, markdown
from analysis.report.document import Data, Document, Table
from analysis.report.private import private
from analysis.report.shared import shared
from analysis.vocabulary import vocabulary
from reporting import call, comparison, evening, exchange, finding, result

HARMLESS = {
    "table", "thead", "tbody", "tr", "th", "td", "p", "h1", "h2", "h3", "code", "pre", "strong", "em", "ul", "li", "br",
    "details", "summary", "html", "body", "hr",
}  # fmt: skip
"""Elements that load, link and run nothing."""

HOSTILE = (
    "![x](http://evil.example/x.png)",
    "[url=http://evil.example]x[/url][img]http://evil.example/x[/img][/code][/list]",
    "http://evil.example www.evil.example evil@evil.example <http://evil.example>",
    "</details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "a|b|c \\| d ` e `` f",
    "@alice #7 ~~~ ``` ::: spoiler",
    "[code] [quote] [youtube]x[/youtube] [attach]1[/attach] [user]1[/user]",
)


class Page(HTMLParser):
    """Elements with their attributes, and the cells of each row of each table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.tables: list[list[int]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in ("td", "th"):
            self.tables[-1][-1] += 1


def hostile() -> Document:
    """A private report in which captured text stands wherever it can."""
    calls = [
        call(exchange(f"{text[:50]}.example", text, index=n), party=Party.UNKNOWN, entity="", product="", service="")
        for n, text in enumerate(HOSTILE)
    ]
    findings = [finding(n, "media.title", text, at=f"body.{text}") for n, text in enumerate(HOSTILE)]
    compared = [
        comparison("media.title", Verdict.NO_LIST, (n,), product="", declared="", recipient="other", entity=text)
        for n, text in enumerate(HOSTILE)
    ]
    return private(result(calls, findings, compared, remarks=HOSTILE))


def large() -> Document:
    """A post about many unknown recipients."""
    numbers = range(300)
    unknown: dict[str, Any] = {"party": Party.UNKNOWN, "entity": "", "product": "", "service": ""}
    calls = [call(exchange(f"h{n}.example", index=n), **unknown) for n in numbers]
    told = {"product": "", "declared": "", "recipient": "other"}
    compared = [comparison("client.id", Verdict.NO_LIST, (n,), entity=f"h{n}.example", **told) for n in numbers]
    return shared(redact.redact(result(calls, (), compared)))


def whole() -> Document:
    """The private report of a capture in which hostile text stands in every field."""
    return private(captured())


@functools.cache
def captured() -> Result:
    return pipeline.run([corpus.capture(corpus.SHORTER)], vocabulary().shipped)


REPORTS = {
    "captured": functools.cache(whole),
    "evening": functools.cache(lambda: shared(redact.redact(evening()))),
    "hostile": functools.cache(hostile),
    "large": functools.cache(large),
}


def widths(found: Document) -> list[int]:
    """Columns of each table."""
    return [len(block.columns) for block in found.blocks if isinstance(block, Table)]


def rendered(text: str, by: str) -> str:
    if by == "cmark-gfm":
        return str(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


@pytest.mark.parametrize("forum", sorted(markdown.FORUMS))
@pytest.mark.parametrize("name", REPORTS)
def test_markdown_keeps_its_tables_and_loads_nothing(name: str, forum: str) -> None:
    found = REPORTS[name]()
    text = markdown.render(found, forum)
    assert len(text) <= {"reddit": 40_000, "discourse": 32_000, "any": 32_000, "lemmy": 50_000, "github": 65_536}[forum]
    for by in ("cmark-gfm", "markdown-it"):
        page = Page(rendered(text, by))
        assert page.elements <= HARMLESS, by
        assert page.attributes <= {"class", "align", "style", "lang"}, by
        assert [set(rows) for rows in page.tables] == [{width} for width in widths(found)], by


@pytest.mark.parametrize("form", [*FORMS, *EXPORTS])
def test_nothing_hostile_stands_in_a_post_or_an_export(form: str) -> None:
    text = post(captured(), redact.redact(captured()), form)
    assert not any(sign in text for sign in ("canary", "evil.example", "\x1b", "\u202e", "xxxxxxxx"))


def forum() -> Any:
    """An engine that knows the tags of SMF and XenForo too, and everything that would load something."""
    parser = engine.Parser(install_defaults=True, replace_links=True)
    parser.add_simple_formatter("img", '<img src="%(value)s">')
    parser.add_simple_formatter("spoiler", "<details><summary></summary>%(value)s</details>")
    for tag in ("table", "tr", "th", "td"):
        parser.add_simple_formatter(tag, f"<{tag}>%(value)s</{tag}>", transform_newlines=False, strip=True)
    return parser


@pytest.mark.parametrize("place", ["smf", "xenforo"])
@pytest.mark.parametrize("name", REPORTS)
def test_bbcode_tables_are_whole_where_a_forum_knows_them(name: str, place: str) -> None:
    found = REPORTS[name]()
    page = Page(forum().format(bbcode.render(found, place)))
    assert page.elements <= HARMLESS
    assert page.attributes <= {"class"}
    assert [set(rows) for rows in page.tables] == [{width} for width in widths(found)]


@pytest.mark.parametrize(("place", "most"), [("any", 60_000), ("phpbb", 60_000), ("smf", 20_000), ("xenforo", 10_000)])
@pytest.mark.parametrize("name", ["evening", "large"])
def test_a_bbcode_post_fits_its_forum(name: str, place: str, most: int) -> None:
    text = bbcode.render(REPORTS[name](), place)
    assert len(text) <= most
    assert (texts.NO_DATA_IN_POST in text) is (name == "large")
    assert ("Check it with" in text) is (name != "large")
    assert forum().format(text).count("<code>") == text.count("[code]") == text.count("[/code]")


@pytest.mark.parametrize("name", REPORTS)
def test_bbcode_keeps_its_tables_and_loads_nothing(name: str) -> None:
    found = REPORTS[name]()
    text = bbcode.render(found)
    shown = forum().format(text)
    page = Page(shown)
    assert page.elements <= HARMLESS
    assert page.attributes <= {"class"}
    blocks = [block for block in found.blocks if isinstance(block, Data | Table)]
    left_out = texts.NO_DATA_IN_POST in text
    assert shown.count("<code>") >= len(blocks) - left_out
    plain = unescape(shown) + unescape(unescape(shown))
    # Where rows were put together, a cell lists some of what they held.
    tables = () if texts.PUT_TOGETHER in text else (block for block in blocks if isinstance(block, Table))
    firsts = [row[0].text for table in tables for row in table.rows]
    assert [text for text in firsts if bbcode.escape(text)[:20].strip() not in plain] == []
