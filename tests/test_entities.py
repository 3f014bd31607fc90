"""Companies behind hosts, by a list whose origin and licence stand beside it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import entities, entities_update
from analysis.entities import Entity, entity, registrable

PACKAGE = b'{"name": "third-party-web", "version": "1.2.3", "license": "MIT", "main": "x.js"}'


def listed(*rows: tuple[str, str, list[str]], company: str | None = None) -> bytes:
    extra = {} if company is None else {"company": company}
    return msgspec.json.encode([{"name": n, "category": c, "domains": d, "homepage": "x"} | extra for n, c, d in rows])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("doubleclick.net", Entity("Google", "ad")),
        ("securepubads.g.doubleclick.net", Entity("Google", "ad")),
        ("events.fwmrm.net", Entity("freewheel.tv", "content")),
        ("notdoubleclick.net", None),
        ("net", None),
        ("", None),
        ("...", None),
        ("203.0.113.7", None),
        ("2001:db8::7", None),
    ],
)
def test_the_longest_ending_that_the_list_knows_names_the_company(host: str, expected: Entity | None) -> None:
    assert entity(host) == expected


def test_a_longer_ending_outranks_a_shorter_one() -> None:
    assert entity("d1va5oqn59yrvt.cloudfront.net") == Entity("Bluegg", "hosting")
    assert entity("other.cloudfront.net") == Entity("Amazon", "utility")


@given(st.text(max_size=400))
def test_any_text_is_answered(host: str) -> None:
    entity(host)
    assert host.lower().endswith(registrable(host).lower())


def test_the_list_says_where_it_comes_from_and_its_licence_stands_beside_it() -> None:
    first = entities.LIST.read_text("utf-8").splitlines()[0]
    assert re.fullmatch(r"# third-party-web \d+\.\d+\.\d+ \(npm\), licence MIT: entities\.licence\.txt", first)
    assert "The MIT License" in entities_update.LICENCE.read_text("utf-8")


def test_the_package_becomes_a_sorted_table_of_companies_without_addresses() -> None:
    rows = listed(
        ("Shop &amp; Co", "ad", ["*.Shop.example", "a.shop.example", "203.0.113.7"]), ("Ads", "cdn", ["ads.example"])
    )
    assert entities_update.table(rows, PACKAGE) == (
        "# third-party-web 1.2.3 (npm), licence MIT: entities.licence.txt\n"
        "Ads\tcdn\tads.example\n"
        "Shop & Co\tad\ta.shop.example shop.example\n"
    )
    assert "Maker\tad\t" in entities_update.table(listed(("Thing", "ad", ["a.example"]), company="Maker"), PACKAGE)


@pytest.mark.parametrize(
    ("name", "domain"), [("A\tB", "a.example"), ("#A", "a.example"), ("A", "a b.example"), ("A", "example")]
)
def test_what_would_break_the_table_is_refused(name: str, domain: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        entities_update.table(listed((name, "ad", [domain])), PACKAGE)


def test_the_archive_of_the_package_is_what_the_list_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "package.tgz"
    files = {
        "dist/entities-nostats.json": listed(("Ads", "ad", ["ads.example"])),
        "package.json": PACKAGE,
        "LICENSE": b"MIT",
    }
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    monkeypatch.setattr(entities_update, "LIST", tmp_path / "list.tsv")
    monkeypatch.setattr(entities_update, "LICENCE", tmp_path / "licence.txt")
    entities_update.update(archive)
    assert (tmp_path / "list.tsv").read_text("utf-8").splitlines()[1:] == ["Ads\tad\tads.example"]
    assert (tmp_path / "licence.txt").read_bytes() == b"MIT"


def test_the_lists_wait_until_they_are_needed() -> None:
    code = (
        "import sys, analysis.parties as c\n"
        "sys.exit('publicsuffixlist' in sys.modules or c.listed.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
