"""Which statements of a list are about a finding: one covers the app and not the server, one the field beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from analysis import entities
from analysis.knowledge import Knowledge
from analysis.model import Category, Classified
from analysis.ontology import Ontology
from analysis.pack import Product, Statement

type Misfit = Literal["", "derived", "blanket", "exception", "category", "sender", "content", "elsewhere"]
"""Why a statement is not about a call: it cannot be seen on the wire; denies in general terms only; names this kind of
call as an exception; is about another kind, another part of the product, other content; denies it for others."""

_VENDORS_CONTENT = (Category.CLOUD_CONTENT, Category.ADVERTISING, Category.GUIDE)

PERSONAL: Mapping[str, frozenset[str]] = {
    "server.config": frozenset({"owned", "true"}),
    "library.settings": frozenset({"com.plexapp.plugins.library"}),
}
"""Findings that show that a call is about the user's own library: item -> values."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a statement must be about to apply to a call."""

    category: Category
    """What the call is for."""
    role: str
    """Part of the product that sends: `server`, `app`, `website`, or empty when it is not known."""
    content: str
    """`personal` (the user's own library), `vendor-provided`, or `any` when it is not known."""
    kind: str
    """What the recipient is to the sender."""
    guessed: bool
    """Whether that is known from the recipient's main business alone."""


def scope_of(call: Classified, items: Mapping[str, Collection[str]], sender: Product | None, known: Knowledge) -> Scope:
    """A call, the values that it carries by item, and its sender -> what a statement must be about."""
    kind, guessed = _recipient(call, sender, known)
    return Scope(call.category, call.role, content(call, items), kind, guessed)


def _recipient(call: Classified, sender: Product | None, known: Knowledge) -> tuple[str, bool]:
    service = known.products.get(call.service)
    if service:
        return "vendor" if sender and sender.entity == service.entity else service.recipient, False
    company = entities.entity(call.observation.host)
    kind = known.ontology.businesses.get(company.category, "") if company else ""
    return kind or "other", bool(kind)


def content(call: Classified, items: Mapping[str, Collection[str]]) -> str:
    """Whose content a call is about, by the values that it carries by item: see `Scope.content`."""
    if items and any(not values.isdisjoint(items.get(item, ())) for item, values in PERSONAL.items()):
        return "personal"
    return "vendor-provided" if call.category in _VENDORS_CONTENT else "any"


def meant(statements: Sequence[Statement], at: str) -> frozenset[str]:
    """Place of a finding -> ids of the statements that mean a field of this name; empty: the name is undecided."""
    steps = [step.partition("[")[0] for step in at.lower().split(".")]
    name = next((step for step in reversed(steps) if not step.isdigit()), "")
    whole = ".".join(steps[1:])
    return frozenset(
        s.id for s in statements if any(fnmatchcase(whole if "." in p else name, p.lower()) for p in s.fields)
    )


def misfit(statement: Statement, scope: Scope, ontology: Ontology) -> Misfit:
    """Why a statement is not about such a call; empty when it is.

    What is denied must surely be meant; what is named may be: with an unknown part of the product a named item may be
    covered, and a denied one is not known to be.
    """
    if statement.derived:
        return "derived"
    if statement.blanket:
        return "blanket"
    if scope.category in statement.except_categories:
        return "exception"
    if statement.categories and scope.category not in statement.categories:
        return "category"
    denies = statement.status == "never"
    if statement.sender not in ("any", scope.role) and (denies or scope.role):
        return "sender"
    if statement.content not in ("any", scope.content) and (denies or scope.content != "any"):
        return "content"
    if denies and statement.recipients != ("vendor",) and not _reaches(statement, scope, ontology):
        return "elsewhere"
    return ""


def _reaches(statement: Statement, scope: Scope, ontology: Ontology) -> bool:
    return ontology.covers_recipient(statement.recipients, scope.kind)


def is_exact(statement: Statement, item: str) -> bool:
    """Whether a statement names the item itself."""
    return item in statement.items and not statement.broad


def is_more_special(one: Statement, other: Statement, item: str, ontology: Ontology) -> bool:
    """Whether of two statements about an item, the first is the more special.  Of some, neither is.

    What names the item comes before what names a broader term, and that before a broader one still; then what names
    kinds of calls, then content, then the part of the product.
    """
    if _is_narrower(one, other, item, ontology):
        return True
    return not _is_narrower(other, one, item, ontology) and _conditions(one) > _conditions(other)


def _is_narrower(one: Statement, other: Statement, item: str, ontology: Ontology) -> bool:
    if is_exact(one, item) or is_exact(other, item):
        return is_exact(one, item) and not is_exact(other, item)
    if one.broad or other.broad:
        return False
    return ontology.is_narrower(one.items, other.items, item)


def _conditions(statement: Statement) -> tuple[bool, bool, bool]:
    return bool(statement.categories), statement.content != "any", statement.sender != "any"
