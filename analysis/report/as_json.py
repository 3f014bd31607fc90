"""Result -> JSON for programs, `phonehome/inspect/1`.  Private: it holds every value.

Keys that a kind of observation lacks are null.  Times are seconds since the epoch (UTC), sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from msgspec import structs

from analysis import VERSION
from analysis.discovery import discovered
from analysis.knowledge import Knowledge
from analysis.listed import listed
from analysis.model import Classified, Comparison, Finding
from analysis.occasions import covered
from analysis.pack import DeclaredList
from analysis.pipeline import Result
from analysis.promises import promises
from analysis.report.presence import presence_json
from analysis.sides import GRACE
from analysis.sureness import sure
from analysis.watching import watching
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable

type Json = dict[str, object]

_KINDS: dict[type, str] = {Exchange: "exchange", Contact: "contact", Lookup: "lookup", Unreadable: "unreadable"}

_SEEN: tuple[str, ...] = ("initiator", "time", "device", "host", "port", "method", "path", "status", "reason")
_SEEN += ("bytes_out", "bytes_in", "bytes_source", "end", "protocol", "answers", "name_source", "ja4", "ech")


def render(result: Result, *, grace: float = GRACE) -> str:
    """Everything that was found -> the whole JSON document.

    `grace` are the seconds after a change of a switch that are left out when it is asked what the switch stopped.
    """
    from analysis.report import promised  # it makes its part with the types of this module

    captures = [
        {
            "name": capture.name,
            "sha256": capture.sha256,
            "format": capture.format,
            "first": capture.first,
            "last": capture.last,
            "observations": capture.observations,
        }
        for capture in result.captures
    ]
    coverage = result.coverage
    return dump(
        {
            "schema": "phonehome/inspect/1",
            "tool": {"version": VERSION, "packs": dict(result.knowledge.hashes)},
            "captures": captures,
            "calls": calls(result.calls),
            "discovery": [asdict(shouted) for shouted in discovered(result.calls)],
            "findings": findings(result.findings),
            "comparisons": comparisons(result.comparisons, result.knowledge),
            "promised": comparisons(result.promised, result.knowledge),
            "coverage": {
                "calls": coverage.calls,
                "readable": coverage.readable,
                "unreadable": coverage.unreadable,
                "unknown_category": coverage.unknown_category,
                "bytes_out": coverage.bytes_out,
                "bytes_out_readable": coverage.bytes_out_readable,
                "recipients": coverage.recipients,
                "recipients_unreadable": coverage.recipients_unreadable,
                "unreadable_hosts": list(coverage.unreadable_hosts),
                "reasons": dict(coverage.reasons),
                "dropped": coverage.dropped,
                "occasions": sorted(covered(result)),
                "log": asdict(result.logs) if result.logs else None,
            },
            "promises": promised.promises_json(promises(result, grace=grace)),
            "lists": promised.listed_json(listed(result)),
            "watching": promised.watching_json(watching(result)),
            "presence": presence_json(result),
            "asks": sorted(result.evidence.asks),
            "remarks": list(result.remarks),
        }
    )


def dump(value: object) -> str:
    """JSON values -> text with a line break at the end.  Lone surrogates from a damaged capture are escaped."""
    import json

    import msgspec

    compact = json.dumps(value, allow_nan=False)
    try:
        # A fifth of the time that `json` needs to indent.
        return msgspec.json.format(compact, indent=1) + "\n"
    except msgspec.DecodeError:  # lone surrogates, which hostile JSON bodies hold
        return json.dumps(value, indent=1, allow_nan=False) + "\n"


def calls(classified: Sequence[Classified]) -> list[Json]:
    """Calls -> one object each, in their order."""
    return [_call(call) for call in classified]


def findings(found: Sequence[Finding]) -> list[Json]:
    """Findings -> one object each, in their order."""
    return [
        {
            "call": finding.call,
            "direction": finding.direction,
            "item": finding.item,
            "at": finding.at,
            "value": finding.value,
            "encodings": list(finding.encodings),
            "source": finding.source,
            "evidence": finding.evidence or None,
            "sure": sure(finding.evidence) or None,
        }
        for finding in found
    ]


def comparisons(compared: Sequence[Comparison], known: Knowledge) -> list[Json]:
    """Comparisons -> one object each, in their order."""
    return [
        {
            "product": c.product,
            "declared": c.declared,
            "item": c.item,
            "recipient": c.recipient,
            "entity": c.entity,
            "category": c.category.value,
            "verdict": c.verdict.value,
            "also": [verdict.value for verdict in c.also],
            "reason": c.reason,
            "statement": c.statement,
            "count": c.count,
            "calls": list(c.calls),
            "sure": c.sure,
            "fields": list(c.fields),
            **_grounds(c, known),
        }
        for c in compared
    ]


def _grounds(c: Comparison, known: Knowledge) -> Json:
    """What a verdict rests on, and where to look by hand; null where there is no such thing."""
    document = known.list_of(c.product, c.declared) if c.declared else None
    said = known.statement(c.product, c.declared, c.statement) if c.declared else None
    rule = known.rules.get(c.rule)
    return {
        "wording": said.wording if said else None,
        "section": said.place if said else None,
        "document": document.title if document else None,
        "effective": document.effective if document else None,
        "source": document.source if document else None,
        "rule": c.rule or None,
        "evidence": rule.evidence if rule else None,
        "rule_source": rule.source if rule else None,
        "look": {"call": c.look[0], "at": c.look[1]} if c.look else None,
    }


def declared(known: DeclaredList, *, brief: bool = False) -> Json:
    """A declared list -> one object; `brief`: without its statements."""
    head: Json = {
        "product": known.product,
        "declared": known.id,
        "kind": known.kind,
        "title": known.title,
        "effective": known.effective,
        "source": known.source,
    }
    if brief:
        switched = sum(bool(statement.switch) for statement in known.statements)
        return head | {"statements": len(known.statements), "switched": switched}
    return head | {"read": known.read, "note": known.note, "statements": [structs.asdict(s) for s in known.statements]}


def _call(call: Classified) -> Json:
    seen = call.observation
    source = seen.source
    return {
        "n": call.n,
        "capture": source.capture,
        "index": source.index,
        "part": source.part,
        "captures": sorted({source.capture, *(other.capture for other in seen.sources)}),
        "kind": _KINDS[type(seen)],
        **_traffic(seen),
        "product": call.product,
        "service": call.service,
        "attribution": call.attribution.value,
        "role": call.role,
        "category": call.category.value,
        "rule": call.rule,
        "party": call.party.value,
        "entity": call.entity,
        "answered_by": call.answered_by,
    }


def _traffic(seen: Observation) -> Json:
    """What was observed, with the same keys for every kind."""
    nothing: Json = dict.fromkeys(_SEEN)
    common: Json = {"time": seen.time, "device": seen.device or None, "host": seen.host or None}
    match seen:
        case Exchange():
            kind: Json = {"port": seen.port, "method": seen.method, "path": seen.path, "status": seen.status}
            return nothing | common | kind | {"initiator": seen.initiator} | _bytes(seen, "http")
        case Contact():
            port = seen.server.port if seen.server else None
            known: Json = {"end": seen.end, "protocol": seen.protocol, "name_source": seen.name_source}
            return (
                nothing
                | common
                | known
                | {"port": port, "initiator": seen.initiator, "reason": seen.reason}
                | {"ja4": seen.ja4 or None, "ech": seen.ech}
                | _bytes(seen, "packets" if seen.packets_out else "stream")
            )
        case Lookup():
            port = seen.server.port if seen.server else None
            told: Json = {"protocol": seen.protocol, "answers": list(seen.answers)}
            return nothing | common | told | {"port": port, "method": seen.kind} | _bytes(seen, "packets")
        case Unreadable():
            return nothing | common | {"reason": seen.reason}


def _bytes(seen: Exchange | Contact | Lookup, source: str) -> Json:
    return {"bytes_out": seen.bytes_out, "bytes_in": seen.bytes_in, "bytes_source": source}
