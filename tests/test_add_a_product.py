"""The pack that docs/add-a-product.md builds really works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.classify import classify
from analysis.compare import compare
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import load, load_pack
from analysis.model import Finding, Verdict
from analysis.schema import KnowledgeError

PAGE = (Path(__file__).parents[1] / "docs/add-a-product.md").read_text("utf-8")
FILES = dict(re.findall(r"^`(shelfie/\S+\.toml)`\n\n```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def test_the_page_shows_all_three_kinds_of_files() -> None:
    assert sorted(FILES) == [
        "shelfie/calls/statistics.toml",
        "shelfie/declared/2026-03-01.toml",
        "shelfie/product.toml",
    ]


def test_the_pack_is_discovered_and_judges_its_own_example(packs: Path) -> None:
    known = load(own=packs)
    assert "shelfie" not in known.shipped
    rule = known.rule("shelfie/statistics")
    exchange = exchange_of(rule.example[0], rule.id)
    call = classify(exchange, known, Evidence())
    findings = [f for f in extract(call, known, Evidence()) if f.source == "rule"]
    assert (call.rule, call.category, call.party, call.entity) == (
        "shelfie/statistics",
        "usage-statistics",
        "vendor",
        "Shelfie Oy",
    )
    assert findings == [
        Finding(0, "sent", "server.version", "body.version", "2.1", (), "rule"),
        Finding(0, "sent", "library.counts", "body.library.albums", "120", (), "rule"),
        Finding(0, "sent", "library.counts", "body.library.tracks", "1460", (), "rule"),
    ]
    sent = replace(exchange, headers=(*exchange.headers, ("user-agent", "ShelfieServer/2.1")))
    verdicts = {c.item: c.verdict for c in compare([classify(sent, known, Evidence())], findings, known, Evidence())}
    assert verdicts["server.version"] is Verdict.OPTIONAL
    assert verdicts["library.counts"] is Verdict.DENIED


def test_its_near_miss_is_missed(packs: Path) -> None:
    known = load(own=packs)
    rule = known.rule("shelfie/statistics")
    near = exchange_of(rule.near_miss[0], rule.id)
    assert classify(near, known, Evidence()).rule == ""


def test_a_slip_is_named_as_the_page_says(packs: Path) -> None:
    path = packs / "shelfie/calls/statistics.toml"
    path.write_text(path.read_text("utf-8").replace('why = "obvious name"', 'wy = "obvious name"'), "utf-8")
    with pytest.raises(KnowledgeError) as raised:
        load_pack(packs / "shelfie")
    expected = next(line.strip() for line in PAGE.splitlines() if line.startswith("    shelfie/"))
    assert expected in str(raised.value).splitlines()
