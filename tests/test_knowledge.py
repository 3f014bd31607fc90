"""Packs are discovered, loaded strictly, and kept safely."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from analysis import knowledge
from analysis.knowledge import MOST_BYTES, SHIPPED, inspect, load, load_pack
from analysis.schema import KnowledgeError

PRODUCT = 'name = "Own"\nkind = "service"\nentity = "Own"\ndomains = ["own.example"]\n'
RULE = """
category = "update-check"
evidence = "captured"
source = "a test"
items = [{ id = "client.app", at = "query.v", why = "obvious" }]
match = { host = "own.example", path = "/latest" }
[[example]]
request = "GET https://own.example/latest?v=1"
items = { "client.app" = "1" }
[[near-miss]]
request = "GET https://own.example/other"
"""


def pack(root: Path, *, product: str = PRODUCT, rule: str = RULE, name: str = "own") -> Path:
    (root / name / "calls").mkdir(parents=True)
    (root / name / "product.toml").write_text(product, "utf-8")
    (root / name / "calls/latest.toml").write_text(rule, "utf-8")
    return root


def errors(root: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as raised:
        load(own=root)
    return str(raised.value).splitlines()


def test_the_shipped_packs_load_and_an_own_one_joins_them(tmp_path: Path) -> None:
    known = load(own=pack(tmp_path))
    assert known.rule("own/latest").category == "update-check"
    assert "plex" in known.shipped
    assert "own" not in known.shipped
    assert known.owner("a.b.own.example") == "own"
    assert known.owner("notown.example") == ""


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("update-check", "update", "own/calls/latest.toml: category: 'update' is not known"),
        ("why", "wy", "own/calls/latest.toml: items.0.wy: unknown key; known: at, id"),
        ("client.app", "client.ap", "own/calls/latest.toml: items: client.ap: is not in items.toml"),
        ('category = "', 'category = "\n', "latest.toml: cannot be read:"),
    ],
)
def test_a_slip_in_an_own_pack_is_named_with_its_place(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert any(error in line for line in errors(pack(tmp_path, rule=RULE.replace(old, new, 1))))


def test_the_slips_of_all_packs_are_named_at_once(tmp_path: Path) -> None:
    pack(tmp_path, product="", name="a")
    pack(tmp_path, rule="", name="b")
    named = errors(tmp_path)
    assert "a/product.toml" in named[0]
    assert any("b/calls/latest.toml" in line for line in named)


def test_an_own_pack_cannot_take_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    assert any("a pack named plex exists already" in line for line in errors(pack(tmp_path, name="plex")))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("own/calls/link.toml", "is a link; put the file itself into the pack"),
        ("own/declared", "is a link; put the folder itself into the pack"),
        ("linked", "is a link; put the pack itself into the folder"),
    ],
)
def test_a_link_in_a_pack_is_refused(tmp_path: Path, name: str, error: str) -> None:
    elsewhere = pack(tmp_path / "elsewhere")
    (pack(tmp_path / "packs") / name).symlink_to(elsewhere / "own")
    assert any(error in line for line in errors(tmp_path / "packs"))


def test_what_is_no_plain_file_of_a_pack_is_refused_and_never_read(tmp_path: Path) -> None:
    pack(tmp_path)
    (tmp_path / "own/calls/more").mkdir()
    (tmp_path / "own/call").mkdir()
    (tmp_path / "half/calls").mkdir(parents=True)
    os.mkfifo(tmp_path / "own/calls/pipe.toml")  # reading it would wait for ever
    (tmp_path / "own/calls/large.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    (tmp_path / "own/latest.toml").write_text(RULE, "utf-8")
    (tmp_path / "own/calls/Rule One.toml").write_text(RULE, "utf-8")
    assert sorted(line.removeprefix(f"{tmp_path}/").removeprefix("own/") for line in errors(tmp_path)) == [
        "call: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml",
        "calls/Rule One.toml: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml",
        "calls/large.toml: is larger than 512 kB; split it into several files",
        "calls/more: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml",
        "calls/pipe.toml: is no plain file; remove it",
        "half: has no product.toml, which says whose pack it is",
        "latest.toml: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml",
    ]


def test_more_files_or_calls_than_people_write_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path)
    for n in range(3):
        (tmp_path / f"own/calls/more-{n}.toml").write_text(RULE.replace("/latest", f"/latest-{n}"), "utf-8")
    monkeypatch.setattr(knowledge, "MOST_RULES", 4)
    assert len([rule for rule in load(own=tmp_path).rules if rule.startswith("own/")]) == 4
    monkeypatch.setattr(knowledge, "MOST_RULES", 3)
    assert errors(tmp_path) == [f"{tmp_path}: holds 4 calls; at most 3 are read"]
    monkeypatch.setattr(knowledge, "MOST_PACKS", 0)
    assert errors(tmp_path)[0] == f"{tmp_path}: holds 1 packs; at most 0 are read"
    monkeypatch.setattr(knowledge, "MOST_FILES", 4)
    assert errors(tmp_path) == [f"{tmp_path}: holds too many files; at most 4 are read"]


def test_inspecting_packs_tells_every_slip_and_keeps_what_is_right(tmp_path: Path) -> None:
    pack(tmp_path)
    (tmp_path / "own/calls/broken.toml").write_text("category =", "utf-8")
    pack(tmp_path, name="plex")
    known, slips = inspect([tmp_path / "own", tmp_path / "plex", SHIPPED / "tmdb"])
    assert known.rule("own/latest").category == "update-check"
    assert "tmdb" in known.products
    assert [line.partition(":")[0] for line in slips] == ["own/calls/broken.toml", str(tmp_path / "plex")]


def test_what_was_kept_is_the_same_and_private(tmp_path: Path) -> None:
    own, cache = pack(tmp_path / "packs"), tmp_path / "cache"
    first = load(own, cache)
    (kept,) = cache.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    second = load(own, cache)
    assert (second.items, second.products, second.rules, second.lists, second.hashes, second.shipped) == (
        first.items,
        first.products,
        first.rules,
        first.lists,
        first.hashes,
        first.shipped,
    )


def test_a_damaged_cache_is_built_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    rules = load(cache=cache).rules
    (kept,) = cache.iterdir()
    kept.write_bytes(b"\xff" + kept.read_bytes()[:100])
    assert load(cache=cache).rules == rules


def test_a_changed_pack_is_read_anew(tmp_path: Path) -> None:
    own, cache = pack(tmp_path / "packs"), tmp_path / "cache"
    load(own, cache)
    path = own / "own/calls/latest.toml"
    path.write_text(RULE.replace("update-check", "search"), "utf-8")
    assert load(own, cache).rule("own/latest").category == "search"


def test_a_pack_of_another_company_may_be_loaded_alone(tmp_path: Path) -> None:
    product, rules, lists = load_pack(pack(tmp_path) / "own")
    assert (product.id, [rule.id for rule in rules], lists) == ("own", ["own/latest"], ())


def test_the_list_in_force_is_the_one_of_the_day() -> None:
    known = load()
    dates = [known.in_force("plex", day) for day in ("2016-01-01", "2019-05-01", "2025-01-01", "")]
    assert [x.id if x else None for x in dates][1:] == ["2018-05-23", "2024-06-28", "2024-06-28"]
    asked = known.in_force("plex", "2025-01-01", "2018-05-23")
    assert asked is not None
    assert asked.id == "2018-05-23"
    assert known.in_force("plex", "2025-01-01", "1999-01-01") is None
    assert known.in_force("nobody", "2025-01-01") is None
