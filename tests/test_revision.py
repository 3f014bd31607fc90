"""What a revision of a list changed is told apart: added, dropped, moved, reworded, changed, the same."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from analysis.cli import commands
from analysis.model import Category
from analysis.pack import DeclaredList, Statement
from analysis.revision import Changed, revise
from shipped import KNOWLEDGE

LISTS = {f"{x.product}@{x.id}": x for x in KNOWLEDGE.lists}
TITLE = Statement("usage.title", ("media.title",), "optional", "title", "1", switch="s")


def declared(*statements: Statement, kind: str = "policy") -> DeclaredList:
    return DeclaredList("L", kind, "2020-01-01", "https://x", statements, product="a", id="2020-01-01")  # type: ignore[arg-type]


def became(old: Statement | None, new: Statement | None) -> list[str]:
    revision = revise(declared(*[old] if old else []), declared(*[new] if new else []))
    return [change.kind for change in revision.statements]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, TITLE, ["added"]),
        (TITLE, None, ["dropped"]),
        (TITLE, TITLE, ["same"]),
        (TITLE, replace(TITLE, place="2", note="x"), ["same"]),
        (TITLE, replace(TITLE, status="required"), ["moved"]),
        (TITLE, replace(TITLE, wording="titles that you play"), ["reworded"]),
        (TITLE, replace(TITLE, wording=" TITLE "), ["same"]),
        (TITLE, replace(TITLE, switch=""), ["changed"]),
        (TITLE, replace(TITLE, status="required", wording="other", switch=""), ["moved"]),
        # another id: the same words about the same item, or nearly the same words
        (TITLE, replace(TITLE, id="optional.title"), ["same"]),
        (TITLE, replace(TITLE, id="optional.title", wording="titles"), ["reworded"]),
        (TITLE, replace(TITLE, id="optional.title", wording="what is called so"), ["added", "dropped"]),
        (TITLE, replace(TITLE, id="optional.title", items=("media.year",)), ["added", "dropped"]),
        (TITLE, replace(TITLE, id="never.title", wording="titles", status="never"), ["added", "dropped"]),
        # other fields are other statements, however alike they read
        (replace(TITLE, fields=("a",)), replace(TITLE, id="b", wording="titles", fields=("b",)), ["added", "dropped"]),
        (replace(TITLE, fields=("A",)), replace(TITLE, id="b", wording="titles", fields=("a",)), ["reworded"]),
    ],
)
def test_what_became_of_a_statement(old: Statement | None, new: Statement | None, expected: list[str]) -> None:
    assert became(old, new) == expected


def test_each_statement_continues_at_most_one_and_the_likest() -> None:
    other = replace(TITLE, id="b", wording="titles")
    revision = revise(declared(TITLE), declared(other, replace(TITLE, id="c")))
    assert [(c.kind, c.before.id if c.before else "", c.after.id if c.after else "") for c in revision.statements] == [
        ("added", "", "b"),
        ("same", "usage.title", "c"),
    ]


def test_what_changed_otherwise_is_named() -> None:
    new = replace(TITLE, rounding="", anonymous=True, categories=(Category.SEARCH, Category.GUIDE))
    (change,) = revise(declared(replace(TITLE, rounding="rounded")), declared(new)).statements
    assert change.changed == (
        Changed("categories", "", "guide, search"),
        Changed("rounding", "rounded", ""),
        Changed("anonymous", "", "yes"),
    )


def test_documentation_denies_and_promises_nothing() -> None:
    never = replace(TITLE, id="never", status="never")
    page = declared(replace(TITLE, anonymous=True), never)
    struct = declared(TITLE, kind="documentation")
    assert [c.kind for c in revise(page, struct).statements] == ["same"]
    assert [c.kind for c in revise(page, declared(TITLE)).statements] == ["changed", "dropped"]


def test_plex_2018_to_2024() -> None:
    revision = revise(LISTS["plex@2018-05-23"], LISTS["plex@2024-06-28"])
    items = {change.item: change for change in revision.items}
    assert (items["client.model"].kind, items["client.model"].after) == ("moved", ("required",))
    assert (items["media.bitrate"].before, items["media.bitrate"].after) == (
        ("optional",),
        ("required", "optional", "never"),
    )
    assert items["client.advertising_id"].kind == "added"
    assert items["account.email"].kind == "same"
    changes = {c.before.id: c for c in revision.statements if c.before}
    duration = changes["usage.duration"]
    assert duration.after
    assert duration.after.id == "optional-server-library.duration"
    assert Changed("rounding", "rounded", "") in duration.changed
    assert changes["never.titles"].kind == "reworded"
    assert changes["usage.media-format"].kind == "dropped"


def test_navidromes_page_and_its_program() -> None:
    revision = revise(LISTS["navidrome@2026-01-04"], LISTS["navidrome@2026-07-11"])
    kinds = Counter(change.kind for change in revision.statements)
    assert (kinds["added"], kinds["dropped"], kinds["moved"], kinds["changed"]) == (19, 1, 0, 0)
    assert [c.before.id for c in revision.statements if c.kind == "dropped" and c.before] == ["config.enablespotify"]


@pytest.mark.parametrize("kind", list(LISTS))
def test_a_list_and_itself_are_the_same(kind: str) -> None:
    revision = revise(LISTS[kind], LISTS[kind])
    assert {c.kind for c in revision.items} | {c.kind for c in revision.statements} == {"same"}


def diff(*words: str) -> str:
    done = CliRunner().invoke(commands, ["declared", "diff", *words])
    return done.output if done.exit_code == 0 else done.output.partition("Error: ")[2].strip()


def test_lists_can_be_named_in_any_sane_way() -> None:
    expected = diff("plex", "2018-05-23", "2024-06-28")
    assert "Data items that moved between required, optional and never (11)" in expected
    for words in (
        ["plex@2018-05-23", "plex@2024-06-28"],
        ["plex", "2018", "2024"],
        ["plex 2018", "plex 2024"],
        ["plex"],
    ):
        assert diff(*words) == expected


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["plex", "2018", "1999"], "plex 1999: no such list; there are: 2017-08-19, 2018-05-23, 2024-06-28"),
        (["plex", "20", "2024"], "plex 20: several lists begin so; there are: 2017-08-19, 2018-05-23, 2024-06-28"),
        (["tautulli", "1", "2"], "tautulli: no list is known; lists are known of: "),
        (["plex", "2018"], "name two lists: phonehome declared diff plex 2018-05-23 2024-06-28"),
        (["navidrome"], "navidrome: there are no two policies to compare; name the lists by their dates"),
    ],
)
def test_what_is_no_list_is_told_in_one_sentence(words: list[str], error: str) -> None:
    assert diff(*words).startswith(error)


def test_programs_get_the_same_as_json() -> None:
    told = json.loads(diff("plex", "2018", "2024", "--format", "json"))
    assert told["schema"] == "phonehome/declared-diff/1"
    assert (told["before"]["declared"], told["after"]["declared"]) == ("2018-05-23", "2024-06-28")
    item = {
        "item": "client.model",
        "label": "device model",
        "change": "moved",
        "before": ["optional"],
        "after": ["required"],
    }
    assert item in told["items"]
    dropped = [x for x in told["statements"] if x["change"] == "dropped"]
    assert {x["before"]["id"] for x in dropped} == {"usage.media-format", "usage.media-type", "matching.file-names"}
    assert all(x["after"] is None for x in dropped)
