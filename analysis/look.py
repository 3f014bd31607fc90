"""One classified call -> what stands in it: its content decoded, own values searched for, data items found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.decode import decode
from analysis.evidence import Evidence
from analysis.extract import extract
from analysis.knowledge import Knowledge
from analysis.model import Classified, Finding
from captures.model import Exchange

if TYPE_CHECKING:
    from analysis.known import OwnValues


class Found(NamedTuple):
    """What was found in one call."""

    findings: tuple[Finding, ...]
    """Its findings, as `extract` gives them."""
    ran_out: tuple[str, ...]
    """Sentences about what was not looked at."""


def look(call: Classified, knowledge: Knowledge, evidence: Evidence, own: OwnValues | None) -> Found:
    """A call -> what stands in it; `own` are the user's own values, `None` when none are searched for."""
    decoded = decode(call.observation) if isinstance(call.observation, Exchange) else None
    leaves, ran_out = decoded or ((), ())
    if own is None:
        return Found(extract(call, knowledge, evidence, decoded), tuple(ran_out))
    from analysis.known import search  # which takes a tenth of a second to load

    searched = search(call.observation, leaves, own)
    findings = extract(call, knowledge, evidence, decoded, searched.sightings)
    return Found(findings, (*ran_out, *searched.ran_out))
