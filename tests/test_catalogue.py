"""docs/coverage.md is what the packs know."""

from __future__ import annotations

import os
from pathlib import Path

from analysis.catalogue import page
from analysis.knowledge import Knowledge
from analysis.model import Category
from analysis.pack import (
    DeclaredList,
    ExampleCall,
    Field,
    Item,
    ItemPlace,
    Match,
    Names,
    Product,
    Rule,
    Statement,
    ValuePattern,
)
from shipped import KNOWLEDGE

PAGE = Path(__file__).parents[1] / "docs/coverage.md"

CALL = (ExampleCall("GET https://a.example/"),)


def rule(name: str, category: Category, evidence: str, *items: str, path: str = "/x", when: str = "") -> Rule:
    places = tuple(ItemPlace(item, (f"query.{item}",), "obvious") for item in items)
    match = Match(host=("a.example",), path=path)
    return Rule(category, match, evidence, "a test", CALL, CALL, items=places, when=when, id=name)  # type: ignore[arg-type]


def test_the_page_is_made_from_the_packs() -> None:
    made = page(KNOWLEDGE)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made, "utf-8")
    assert PAGE.read_text("utf-8") == made, (
        "docs/coverage.md is not what the packs know now; `make docs` writes it anew"
    )


def test_the_page_can_be_read() -> None:
    assert len(PAGE.read_text("utf-8").splitlines()) < 400


def test_it_says_what_is_known_of_each_pack_and_what_is_not() -> None:
    statements = (
        Statement("a", ("client.id", "client.os", "media.title"), "required", "model", "top"),
        Statement("b", ("media.file_hash",), "never", "hash", "top"),
    )
    known = Knowledge(
        {
            "client.id": Item("id", "it", "not it", "pd:Identifier", "device", id="client.id"),
            "account.phone": Item("phone", "it", "not it", "x", "user", planned="was not seen", id="account.phone"),
        },
        {
            "acme": Product(
                "Acme", "media-product", "Acme", ("a.example",), fields=(Field("x", "client.os"),), id="acme"
            ),
            "bare": Product("Bare", "media-product", "Bare", id="bare"),
            "tool": Product("Tool", "tool", "Tool", id="tool"),
            "own": Product("Own", "service", "Own", id="own"),
            "cdn": Product("Cdn", "service", "Cdn", id="cdn"),
        },
        {
            r.id: r
            for r in (
                rule("acme/a", Category.SEARCH, "captured", "client.id", when="on play"),
                rule("acme/b", Category.SEARCH, "documented", "client.app"),
                rule("acme/c", Category.SETTINGS, "source-code"),
                rule("cdn/a", Category.IMAGES_CDN, "inferred", path=""),
                rule("own/a", Category.SOCIAL, "captured", "account.id"),
            )
        },
        (DeclaredList("L", "policy", "2024-01-01", "x", statements, product="acme", id="2024-01-01"),),
        {},
        frozenset({"acme", "bare", "tool", "cdn"}),
        Names(pattern=(ValuePattern("client.app", ("x",)),)),
    )
    missing = [c for c in Category if c not in ("search", "settings", "images-cdn", "unknown")]
    assert page(known).partition("inferred from something else.\n")[2] == (
        "\n## Media products\n\n"
        "### Acme\n\n"
        "What it declares: 2024-01-01 (policy).\n"
        "In headers and parameters of any call: client.os.\n\n"
        "| purpose | calls | how sure | data items |\n|---|--:|---|---|\n"
        "| search | 2 | 1d 1c | client.app, client.id |\n"
        "| settings | 1 | 1s |  |\n\n"
        "### Bare\n\n"
        "What it declares: none is known, so nothing that it sends can be called declared or undeclared.\n\n"
        "| purpose | calls | how sure | data items |\n|---|--:|---|---|\n\n"
        "## Programs of third parties that talk to them\n\n"
        "| pack | calls by purpose | how sure | data items |\n|---|---|---|---|\n"
        "| Tool | as a sender only |  |  |\n\n"
        "## Services that they call\n\n"
        "| pack | calls by purpose | how sure | data items |\n|---|---|---|---|\n"
        "| Cdn | images-cdn 1 | 1i |  |\n\n"
        "## Calls to anybody\n\n"
        "Names of fields and forms of values show in any call, also to hosts that no pack knows:\nclient.app.\n\n"
        "## What is not known\n\n"
        f"- No call is known that serves: {', '.join(missing)}.\n"
        "- Acme declares, and no call is known that carries it: media.title.\n"
        "- Only the host is known, not the single calls: Cdn.\n"
        "- All is inferred: Cdn.\n"
        "- Of 3 kinds of calls it is not known on which occasion they are made; *not seen* says so there.\n"
        "- No rule finds account.phone: was not seen.\n"
    )
