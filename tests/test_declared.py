"""What Plex declares is taken in whole, and refers to things that exist."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from analysis.cli import commands
from analysis.pack import DeclaredList, Statement
from shipped import KNOWLEDGE

LISTS = {(x.product, x.id): x for x in KNOWLEDGE.lists}
POLICY = LISTS["plex", "2024-06-28"]

GROUPS = {
    "application": 3,
    "device": 23,
    "network-session": 4,
    "interaction": 6,
    "playback-all-content": 78,
    "server-library": 17,
    "optional-server-library": 14,
}
"""Groups of the policy's item list -> number of different terms in them, counted in the policy."""


def group(statement: Statement) -> str:
    return statement.id.partition(".")[0]


def test_the_item_list_of_2024_is_whole() -> None:
    counts = Counter(group(statement) for statement in POLICY.statements)
    assert {name: counts[name] for name in GROUPS} == GROUPS
    # "architecture" and "num items" stand in two groups, so that 143 different terms remain.
    assert len({s.wording for s in POLICY.statements if group(s) in GROUPS}) == 143


def test_the_other_groups_of_2024_are_there_too() -> None:
    others = Counter(group(s) for s in POLICY.statements if group(s) not in GROUPS)
    assert others == {
        "account": 8,
        "server": 7,
        "connections": 4,
        "transactions": 5,
        "diagnostics": 5,
        "guide": 3,
        "push": 1,
        "matching": 3,
        "sharing": 3,
        "never": 5,
        "website": 1,
    }


def test_optional_data_has_a_switch_that_the_product_knows() -> None:
    switches = {switch.id for switch in KNOWLEDGE.products["plex"].switches}
    optional = [s for s in POLICY.statements if group(s) == "optional-server-library"]
    assert {s.switch for s in optional} == {"send-playback-data"}
    assert {s.switch for x in KNOWLEDGE.lists for s in x.statements if s.switch and x.product == "plex"} <= switches


def test_what_is_denied_names_its_exceptions() -> None:
    denied = {s.id: {str(c) for c in s.except_categories} for s in POLICY.statements if s.status == "never"}
    assert "crash-report" in denied["never.file-names"]
    assert "metadata-lookup" in denied["never.titles"]
    assert "watch-state-sync" in denied["never.titles"]
    assert all(s.content == "personal" or s.derived for s in POLICY.statements if s.status == "never")


def test_only_the_older_texts_promise_rounding_of_lengths() -> None:
    rounded = {x.id for x in LISTS.values() for s in x.statements if s.rounding == "rounded"}
    assert rounded == {"2017-08-19", "2018-05-23"}
    assert LISTS["plex", "2017-08-19"].kind == "promise"


def test_advertisers_are_said_to_receive_three_things() -> None:
    said = [s for s in POLICY.statements if s.status != "never" and s.sender != "website"]
    shared = {item for s in said if "advertiser" in s.recipients for item in s.items}
    assert shared == {"account.email_hash", "client.id", "client.advertising_id", "net.public_ip"}


@pytest.mark.parametrize("declared", LISTS.values(), ids=lambda x: f"{x.product}-{x.id}")
def test_a_list_is_in_order(declared: DeclaredList) -> None:
    ids = Counter(statement.id for statement in declared.statements)
    assert [name for name, count in ids.items() if count > 1] == []
    assert declared.source.startswith("https://")
    assert all(s.wording and s.place for s in declared.statements)
    assert all(s.items or s.derived or s.note for s in declared.statements)


def test_the_list_of_lists_and_each_list_say_how_many_statements_have_a_switch() -> None:
    def shown(*words: str) -> str:
        return CliRunner().invoke(commands, ["declared", *words]).output

    switched = sum(bool(s.switch) for s in POLICY.statements)
    assert 0 < switched < len(POLICY.statements)
    (line,) = [line for line in shown("list").splitlines() if "plex" in line and "2024-06-28" in line]
    assert line.split()[3:5] == [str(len(POLICY.statements)), str(switched)]
    assert f"{len(POLICY.statements)} statements, of which {switched} have a switch." in shown("show", "plex")
    brief = [x for x in json.loads(shown("list", "--format", "json")) if x["declared"] == "2024-06-28"]
    assert [x["switched"] for x in brief] == [switched]


@pytest.mark.parametrize(
    "declared", [pytest.param(x, id=f"{x.product} {x.id}") for x in KNOWLEDGE.lists if x.kind == "policy"]
)
def test_a_list_that_speaks_of_some_kinds_of_calls_alone_judges_no_others(declared: DeclaredList) -> None:
    spoken_of = [statement.categories for statement in declared.statements]
    everywhere = not all(spoken_of)
    assert set(declared.categories) == (set() if everywhere else set().union(*spoken_of))
