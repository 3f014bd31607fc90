"""How an own title was recognised, and how sure that makes it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Literal

type Sure = Literal["certain", "likely", "possible", ""]
"""`certain`: chance does not make it; `likely`: somebody else's words would be a rare accident; `possible`: a reader
has to look; empty: the item is no title."""

EVIDENCE: Mapping[str, Sure] = {
    "canary": "certain",
    "title-field": "certain",
    "file-name": "certain",
    "path": "certain",
    "hash": "certain",
    "moviehash": "certain",
    "external-id": "certain",
    "picture": "certain",
    "title-and-year": "certain",
    "slug": "likely",
    "title": "likely",
    "two-signs": "likely",
    "encoded": "likely",
    "text": "possible",
}
"""How a title was recognised -> how sure it is."""

_TITLE = re.compile(
    r"(?:^|[._-])[a-z_-]*(?:title|titel|name|movie|film|show|series|episode|album|track|media|video|content|item|program"
    r"(?:me)?|query|search(?:term)?|q)\Z",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=4096)
def is_title_field(at: str) -> bool:
    """Whether a place is a field that is named for titles.

    >>> [is_title_field(at) for at in ("body.item.grandparentTitle", "query.q", "body.items.0.Name", "header.via")]
    [True, True, True, False]
    """
    return bool(_TITLE.search(re.sub(r"(?:\.[0-9]+|\[[a-z0-9-]+\])+\Z", "", at)))


def sure(evidence: str) -> Sure:
    """How it was recognised -> how sure that is."""
    return EVIDENCE.get(evidence, "")
