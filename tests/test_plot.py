"""Plots in letters and as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET  # the text is our own

from analysis.report import html
from analysis.report.document import Document, Plot
from analysis.report.plot import letters, svg

PLOT = Plot(
    "a <title>",
    "exact",
    "sent",
    ((0.0, 0.0, False), (100.0, 60.0, False), (50.0, 99.0, True)),
    ((0.0, 30.0, 0.0), (30.0, 90.0, 60.0)),
)


def test_letters_show_pairs_outliers_and_the_grid_within_the_width() -> None:
    lines = letters(PLOT, 40)
    assert max(map(len, lines)) <= 40
    text = "\n".join(lines)
    assert (text.count("o"), text.count("x")) == (2, 2)  # and the x of `exact`
    assert "······" in text
    assert lines[0] == "sent"


def test_the_picture_holds_each_pair_and_runs_and_loads_nothing() -> None:
    root = ET.fromstring(svg(PLOT))  # noqa: S314  made here
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert (names.count("circle"), names.count("title")) == (2, 1)
    assert set(names) <= {"svg", "title", "path", "text", "circle"}
    assert "<title>a &lt;title&gt;</title>" in svg(PLOT)


def test_a_page_with_a_picture_needs_no_other_style() -> None:
    page = html.render(Document("x", (PLOT,)))
    assert "<svg" in page
    assert "style=" not in page


def test_one_point_alone_has_room_around_it() -> None:
    assert "nan" not in svg(Plot("t", "x", "y", ((5.0, 5.0, False),)))
    assert any("o" in line for line in letters(Plot("t", "x", "y", ((0.0, 0.0, False),))))
