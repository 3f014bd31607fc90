"""The first screen: the answer in sentences, the same in every output, and never more than was seen."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.known import Known, OwnValues
from analysis.model import Attribution, Category, Classified
from analysis.pipeline import Result, run
from analysis.report import bbcode, html, markdown, terminal
from analysis.report.document import Paragraph
from analysis.report.private import private
from captures.formats import read
from reporting import call, contact, exchange, finding, known, result
from sessions import har, plex_web


def first_screen(found: Result) -> list[str]:
    """The paragraphs before the first heading."""
    blocks = private(found).blocks
    end = next(n for n, block in enumerate(blocks) if not isinstance(block, Paragraph))
    return [block.text for block in blocks[:end] if isinstance(block, Paragraph)]


def test_the_answer_says_what_tells_what_you_watch_with_the_switch_and_the_rounding(tmp_path: Path) -> None:
    path = tmp_path / "session.har"
    path.write_bytes(har(plex_web()))
    found = run([read(path)], known())
    assert first_screen(found)[0].startswith(
        "In 72 seconds, 1 app (Plex) made 4 calls outside. What for: 100\N{NO-BREAK SPACE}% for usage"
    )
    (said,) = [s for s in first_screen(found) if "what you watch or own" in s]
    assert said.startswith("4 calls carried something of what you watch or own to analytics.plex.tv: ")
    assert "time watched (rounded to the nearest 60 s)" in said
    assert "as optional." in said
    assert "The switch is " in said
    assert "No film was played" not in " ".join(first_screen(found))


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([call(exchange("plex.tv"), product="", service="")], "senders that are not known made 1 call"),
        ([replace(call(exchange("plex.tv")), role="server")], "your Plex server made 1 call"),
        ([replace(call(exchange("plex.tv")), role="website")], "the website of Plex made 1 call"),
        ([replace(call(exchange("plex.tv")), role="server", product="tautulli")], "Tautulli made 1 call"),
    ],
)
def test_the_answer_says_who_called(calls: list[Classified], told: str) -> None:
    assert told in first_screen(result(calls))[0]
    assert first_screen(result(calls, hours=0))[0].startswith("In this capture, ")


def test_an_app_that_is_known_by_its_neighbours_too_is_named_once() -> None:
    seen = replace(call(exchange("plex.tv")), role="app")
    beside = replace(call(exchange("plex.tv", index=1)), role="", attribution=Attribution.NEIGHBOUR)
    assert "1 app (Plex) made 2 calls" in first_screen(result([seen, beside]))[0]


def test_nobody_says_that_no_film_was_played_who_could_not_read_everything() -> None:
    read, closed = call(exchange("plex.tv")), call(contact("metrics.plex.tv", index=1))
    assert "No film was played, so nothing" in " ".join(first_screen(result([read])))
    told = " ".join(first_screen(result([read, closed])))
    assert "No film was played" not in told
    assert "In what could be read, no film was played, so nothing can be said about playback." in told


def test_free_text_may_name_a_title_unless_the_own_ones_were_searched_for() -> None:
    sent = [finding(0, "notification.text", "alice is watching Zorblax Uprising")]
    found = result([call(exchange("discord.com"), entity="Discord")], sent)
    free = "Free text, which may name a title, was sent: message text to Discord."
    assert free in " ".join(first_screen(found))
    own = OwnValues([Known("title", "Zorblax Uprising", 0)])
    searched = result([call(exchange("discord.com"), entity="Discord")], sent, own=own)
    assert free not in " ".join(first_screen(searched))


def test_shares_are_never_said_to_be_more_than_they_are() -> None:
    calls = [call(exchange("plex.tv", index=n)) for n in range(400)]
    calls += [call(exchange("plex.tv", index=400), Category.ADVERTISING)]
    assert (
        "What for: 99\N{NO-BREAK SPACE}% for usage statistics, less than 1\N{NO-BREAK SPACE}% for advertising."
        in first_screen(result(calls))[0]
    )


@pytest.mark.parametrize("name", ["tautulli", "kodi", "telemetry-node"])
def test_the_answer_is_the_same_in_every_output(name: str) -> None:
    """Without the marks of each output, and where each sets a host, the sentences are the same."""
    found = private(run([read(Path(__file__).with_name("data") / f"{name}.flow.gz")], known()))
    wanted = [" ".join(block.text.split()) for block in found.blocks[:6] if isinstance(block, Paragraph)]
    written = {
        "terminal": terminal.render(found, width=100),
        "markdown": markdown.render(found, "github").replace("`", "").replace("**", ""),
        "bbcode": bbcode.render(found),
        "html": unescape(re.sub(r"<[^>]*>", " ", html.render(found))),
    }
    for form, text in written.items():
        plain = " ".join(text.split())
        assert [sentence for sentence in wanted if sentence not in plain] == [], form
