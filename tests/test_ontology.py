"""Broader words cover what they should, and the file that says so is whole."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analysis import entities
from analysis.ontology import Ontology, Term, faults
from analysis.pack import KINDS
from shipped import KNOWLEDGE

SHIPPED = KNOWLEDGE.ontology
SMALL = Ontology(
    items={
        "device": Term("device information", ("ids", "model")),
        "ids": Term("identifiers", ("id",)),
        "contact": Term("contact", ("mail", "id")),
    },
    recipients={"partner": Term("partners", ("ads", "other"))},
)


def test_the_shipped_file_is_whole() -> None:
    assert list(faults(SHIPPED, KNOWLEDGE.items, KINDS)) == []


def test_each_business_of_the_list_of_third_parties_is_decided() -> None:
    """What is neither mapped nor left as `other` on purpose would be forgotten when the list grows."""
    others = {"utility", "other", "customer-success", "consent-provider", "social"}
    lines = [line.split("\t") for line in entities.LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert {line[1] for line in lines} == others | set(SHIPPED.businesses)


def test_a_public_address_is_no_location() -> None:
    """What is denied by a broader word is denied: only what is always a kind of it may stand below."""
    assert not SHIPPED.covers_item(("location",), "net.public_ip")
    assert SHIPPED.covers_item(("location",), "geo.latlon")


def test_words_cover_over_any_number_of_steps() -> None:
    assert SMALL.broader_items["id"] == {"device", "ids", "contact"}
    assert SMALL.covers_item(("device",), "id")
    assert SMALL.covers_item(("id",), "id")
    assert not SMALL.covers_item(("ids",), "model")
    assert not SMALL.covers_item((), "id")
    assert SMALL.covers_recipient(("partner",), "ads")
    assert not SMALL.covers_recipient(("ads",), "other")


@pytest.mark.parametrize(
    ("one", "other", "narrower"),
    [
        (("id",), ("ids",), True),
        (("ids",), ("id",), False),
        (("ids",), ("device",), True),
        (("device",), ("ids",), False),
        (("id",), ("id",), False),
        (("ids",), ("contact",), False),
        (("contact",), ("device",), False),
    ],
)
def test_which_of_two_is_narrower(one: tuple[str, ...], other: tuple[str, ...], narrower: bool) -> None:
    assert SMALL.is_narrower(one, other, "id") is narrower


@pytest.mark.parametrize(
    ("ontology", "fault"),
    [
        (SMALL, ""),
        (
            replace(SMALL, items={**SMALL.items, "id": Term("x", ("mail",))}),
            "items.id: is the name of what it is to cover",
        ),
        (replace(SMALL, items={**SMALL.items, "x": Term("x", ("nobody",))}), "items.x: nobody: is no id that can be"),
        (
            replace(SMALL, items={**SMALL.items, "ids": Term("x", ("id", "device"))}),
            "items.device: covers itself by a circle",
        ),
        (replace(SMALL, recipients={}), "recipients: ads: is covered by no term; add it to one"),
        (replace(SMALL, businesses={"ad": "nobody"}), "businesses.ad: nobody: is no kind of recipient; there are: ads"),
    ],
)
def test_faults_are_named(ontology: Ontology, fault: str) -> None:
    found = list(faults(ontology, ("id", "model", "mail"), ("ads", "other")))
    assert found[0].startswith(fault) if fault else found == []
