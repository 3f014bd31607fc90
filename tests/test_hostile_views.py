"""Every hostile text in every captured field, in every view and export: text stays text."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

import hostile
from analysis import pipeline, redact, report
from analysis.explain import explain
from analysis.generalise import generalise
from analysis.model import Party
from analysis.optout import optout
from analysis.pipeline import Result
from analysis.post import post
from analysis.report import as_json, blocklists, explained, generalised, html, lists, terminal
from analysis.report import optout as before_after
from analysis.report.bbcode import FORUMS as BBCODE
from analysis.report.document import Commands, Document
from analysis.report.markdown import FORUMS as MARKDOWN
from analysis.report.private import private
from analysis.web.curl import curl
from captures.model import Exchange
from reporting import call, exchange, known, result

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What moves a cursor, hides text, or turns its direction round; a line break is ours."""

UNSEEN = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0\U000e0000-\U000e0fff]")
"""Letters that nobody sees."""


@functools.cache
def found() -> Result:
    return pipeline.run([hostile.capture(hostile.SHORTER)], known())


def views() -> Iterator[tuple[str, Callable[[], Document]]]:
    """What is shown to the user alone."""
    yield "report", lambda: private(found())
    yield "calls", lambda: lists.calls_of(found())
    yield "items", lambda: lists.items_of(found())
    yield "generalise", lambda: generalised.document(generalise(found()), found())
    yield "optout", lambda: before_after.optout_of(optout(_twice(), off={1}, on={0}, grace=0), _twice())
    for n in range(8):
        yield f"explain {n}", functools.partial(_explained, n)


def _explained(kind: int) -> Document:
    """What led to each call of this kind, one after the other."""
    some = [call.n for call in found().calls if call.n % 8 == kind]
    made = [explained.document(explain(found(), n), found(), hostile.SHORTER[n // 8]) for n in some]
    return Document(made[0].title, tuple(block for one in made for block in one.blocks))


@functools.cache
def _twice() -> Result:
    return pipeline.run([hostile.capture(hostile.SHORTER), hostile.capture(hostile.SHORTER, "x.flow")], known())


VIEWS = dict(views())
made = functools.cache(lambda name: VIEWS[name]())


class Page(HTMLParser):
    """Elements and attributes of a page, and what its scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.scripts: list[str] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        self._in = tag

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts.append(data)

    def handle_endtag(self, _: str) -> None:
        self._in = ""


def test_the_capture_holds_each_text_in_each_field() -> None:
    """The control: what is not in the capture proves nothing."""
    calls = found().calls
    assert len(calls) == 8 * len(hostile.SHORTER)
    leaves = {f.value for f in found().findings}
    text = as_json.render(found())
    for hostile_text in hostile.SHORTER:
        assert json.dumps(hostile_text)[1:-1].encode("ascii").decode() in text
    assert "<script>canary()</script>" in leaves
    assert json.loads(text)["captures"][0]["name"] == hostile.TEXTS[0]


@pytest.mark.parametrize("name", VIEWS)
def test_a_terminal_shows_text_and_nothing_else(name: str) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(made(name), colour=True))
    if name == "report":
        shown += terminal.render(made(name), width=40)
    assert not CONTROL.search(shown)
    assert not UNSEEN.search(shown)


@pytest.mark.parametrize("name", [*VIEWS, "page"])
def test_a_page_has_no_element_and_no_attribute_of_captured_text(name: str) -> None:
    text = html.render(private(found(), page=True) if name == "page" else made(name))
    assert not CONTROL.search(text)
    page = Page(text)
    assert not page.elements & {"img", "iframe", "base", "link", "object", "embed"}
    names = {attribute for attribute, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style", "srcdoc", "action")}
    assert {value[:1] for attribute, value in page.attributes if attribute == "href"} <= {"#"}
    assert [value for attribute, value in page.attributes if attribute == "http-equiv"] == ["Content-Security-Policy"]
    assert not [script for script in page.scripts if "canary" in script]


@pytest.mark.parametrize("name", [name for name in VIEWS if not name.startswith("explain")])
def test_a_spreadsheet_finds_no_formula_in_whatever_it_takes_for_a_separator(name: str) -> None:
    text = report.rendered(made(name), "csv")
    assert not CONTROL.search(text)
    for separator in ",;|\t":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip(' "').startswith(tuple("=+-@＝＋－＠"))]


def test_json_is_ascii_that_no_terminal_acts_upon() -> None:
    whole = as_json.render(found())
    chains = [as_json.dump(explained.as_json(explain(found(), n), found())) for n in range(16)]
    pairs = generalised.as_json(generalise(found()))
    change = before_after.as_json(optout(_twice(), off={1}, on={0}, grace=0), _twice())
    for text in (whole, *chains, pairs, change):
        json.loads(text)
        assert text.isascii()
        assert not CONTROL.search(text)


@pytest.mark.parametrize("name", VIEWS)
def test_no_forum_mentions_somebody_or_links_to_something(name: str) -> None:
    alone = name.startswith("explain")  # which has one form of Markdown, and no BBCode
    for forum in ("github",) if alone else MARKDOWN:
        text = report.rendered(made(name), "markdown", forum)
        assert not CONTROL.search(text)
        outside = re.sub(r"^(`{3,})[a-z]*\n.*?^\1$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not re.search(r"@\w|(?<![\w#])#\d|https?:|www\.|\]\(|\]:|<(?!/?(?:details|summary)>)", outside)
    for forum in () if alone else BBCODE:
        text = report.rendered(made(name), "bbcode", forum)
        assert not CONTROL.search(text)
        tags = re.findall(r"\[/?([a-z*]+)[^\]]*\]", text)
        assert set(tags) <= {"b", "list", "*", "code", "table", "tr", "td", "th", "spoiler"}
        assert not re.search(r"@\w|://|www\.", text)


def test_no_name_that_is_none_gets_into_a_rule() -> None:
    """Neither into what the report proposes, nor into a list that the user makes of everything that was called."""
    good = "statistics.tracker.example"
    calls = [
        call(exchange(host, index=n), party=Party.UNKNOWN, entity=host, product="", service="")
        for n, host in enumerate((good, *hostile.SHORTER))
    ]
    proposed = result(calls)
    blocks = [block for block in private(proposed).blocks if isinstance(block, Commands)]
    rules = [line for block in blocks for line in block.lines if not line.startswith("phonehome")]
    assert rules == [
        f"pihole deny {good}",
        f"||{good}^",
    ]
    told = redact.redact(proposed, show={call.observation.host for call in calls})
    rule = {
        "hosts": ["# 0.0.0.0 {}", "0.0.0.0 {}"],
        "adblock": ["! ||{}^", "||{}^"],
        "unbound": ['#     local-zone: "{}" always_nxdomain', '    local-zone: "{}" always_nxdomain', "server:"],
        "nft": ["# nftset=/{}/4#inet#phonehome#names4,6#inet#phonehome#names6"],
    }
    for form, (mark, *_) in blocklists.LINES.items():
        text = post(proposed, told, form)
        assert text.isprintable() or not CONTROL.search(text)
        lines = [line for line in text.splitlines() if good in line and not line.startswith(f"{mark} {good}")]
        assert set(lines) <= {line.format(good) for line in rule[form]}, form
        assert lines
        active = [line for line in text.splitlines() if line and not line.startswith(mark) and line not in lines]
        assert "\n".join(active) == {"nft": blocklists._NFT, "unbound": "server:"}.get(form, "")
        assert not re.search("canary|bank|evil|xxxx", text)
    policy = json.loads(post(proposed, told, "iap"))
    assert [connection["Host"] for connection in policy["Connections"]] == [good]


def test_a_command_to_repeat_a_call_is_one_line_that_runs_curl() -> None:
    import shlex

    for one in found().calls:
        if isinstance(one.observation, Exchange):
            line = curl(one.observation, ())
            assert "\n" not in line
            assert not CONTROL.search(line)
            # In `$'…'` only a quote ends the word, and it stands behind a backslash.
            words = shlex.split(re.sub(r"\$'(?:[^'\\]|\\.)*'", "x", line))
            assert words[0] == "curl"
            assert not [word for word in words if word in (";", "&&", "|")]
