"""What must not be posted: the values, names and addresses in one call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from analysis.knowledge import Knowledge
from analysis.model import Classified, Finding
from analysis.traffic import host, is_outside, recipient
from analysis.vocabulary import is_plain_version
from captures.model import Unreadable

BEGINNING = 200
"""Characters of a longer value that are searched: so a copy that was cut off is found as well, however long it was."""

BRIEF = 4
"""Letters and digits of private values of which all are kept in the sums of a ledger: more than stand between our own
words in a text that holds nothing else."""

RECIPIENT = "the name of a recipient"
"""What such a name is; those that shipped packs name may stand in a post."""

_ANY_LENGTH = ("auth.", "net.", "geo.", "account.", "licence.", "social.")
"""Beginnings of items whose values are searched at any length, as whole words."""


class Private(NamedTuple):
    """Something that must not stand in a post."""

    value: str
    """The value itself."""
    what: str
    """What it is, for the person who is refused."""
    any_length: bool
    """Whether it is searched however short it is."""


def of_finding(finding: Finding, knowledge: Knowledge) -> Private | None:
    """What was found in a call -> the same as something that must not be posted; `None` when it may be."""
    if not finding.value or _is_public(finding, knowledge):
        return None
    item = knowledge.items.get(finding.item)
    any_length = finding.source == "known" or bool(item and item.linking)
    what = of_item(finding.item, knowledge)
    return Private(finding.value, what, any_length or finding.item.startswith(_ANY_LENGTH))


def of_item(item: str, knowledge: Knowledge) -> str:
    """Id of an item -> what a value of it is, for the person who is refused."""
    found = knowledge.items.get(item)
    return f"a value of {item}" + (f" ({found.label})" if found else "")


def of_call(call: Classified) -> Iterator[Private]:
    """Names and addresses in a call that must not be posted; of recipients also those that shipped packs name."""
    seen = call.observation
    yield Private(host(call), "the name of a host", True)
    yield Private(seen.device, "the name of a device", True)
    for name in (recipient(call), call.answered_by) if is_outside(call) else ():
        yield Private(name, RECIPIENT, True)
    if not isinstance(seen, Unreadable):
        for end in (seen.client, seen.server):
            yield Private(end.address if end else "", "an address", True)


def _is_public(finding: Finding, knowledge: Knowledge) -> bool:
    """Whether a value may stand in a post: an entry of the item's closed list, or a version."""
    item = knowledge.items.get(finding.item)
    if item is None or not item.public_values:
        return False
    if item.public_values == ("version",):
        return is_plain_version(finding.value)
    return finding.value.casefold() in {v.casefold() for v in item.public_values}


def weight(text: str) -> int:
    """How many letters and digits stand in a text: no way of writing it has fewer."""
    return sum(map(str.isalnum, text))


def is_brief(private: Private) -> bool:
    """Whether a value is so short that all such values of a ledger are kept."""
    return bool(private.value.strip()) and not _MORE.match(private.value.strip()[:BEGINNING])


_MORE = re.compile(rf"(?:[\W_]*[^\W_]){{{BRIEF + 1}}}")
"""More letters and digits than are brief."""
