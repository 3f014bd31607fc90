"""What one capture gives -> rows of the tables, and the tables' columns.

Two kinds of dataset: a private one holds values; a shared one holds what `redact` lets through and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from analysis import traffic
from analysis.pipeline import Result
from captures.model import Contact, Exchange, Lookup, Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

type Rows = dict[str, list[dict[str, Any]]]
"""Name of a table -> its rows for one capture, without `capture`."""

PRIVATE: Mapping[str, Mapping[str, str]] = {
    "calls": {
        "n": "int64",
        "kind": "string",
        "time": "double",
        "device": "string",
        "host": "string",
        "port": "int32",
        "method": "string",
        "path": "string",
        "status": "int32",
        "bytes_out": "int64",
        "bytes_in": "int64",
        "initiator": "string",
        "product": "string",
        "service": "string",
        "attribution": "string",
        "category": "string",
        "party": "string",
        "entity": "string",
        "rule": "string",
        "reason": "string",
    },
    "findings": {
        "call": "int64",
        "direction": "string",
        "item": "string",
        "at": "string",
        "value": "string",
        "source": "string",
        "product": "string",
        "entity": "string",
        "category": "string",
    },
    "verdicts": {
        "product": "string",
        "declared": "string",
        "item": "string",
        "recipient": "string",
        "entity": "string",
        "category": "string",
        "verdict": "string",
        "sure": "bool",
        "count": "int64",
    },
    "coverage": {
        "format": "string",
        "first": "double",
        "last": "double",
        "calls": "int64",
        "readable": "int64",
        "unreadable": "int64",
        "unknown_category": "int64",
        "bytes_out": "int64",
        "bytes_out_readable": "int64",
        "recipients": "int64",
        "recipients_unreadable": "int64",
        "month": "string",
        "versions": "map",
        "tool": "string",
    },
}
"""Tables of a private dataset: column -> type.  Each has `capture` (SHA-256 of the file) before them.

`calls.reason`: why a call could not be read.  `versions`: product -> version that the capture shows.  Times are seconds
since the epoch (UTC).
"""

SHARED: Mapping[str, Mapping[str, str]] = {
    "calls": {"party": "string", "entity": "string", "category": "string", "count": "string", "unreadable": "string"},
    "verdicts": {**PRIVATE["verdicts"], "count": "string"},
    "coverage": {
        "calls": "string",
        "readable": "string",
        "unreadable": "string",
        "unknown_category": "string",
        "recipients": "string",
        "recipients_unreadable": "string",
        "month": "string",
        "versions": "map",
        "tool": "string",
    },
}
"""Tables of a dataset that may be given away: counts are classes."""


def schema(shared: bool, table: str) -> pa.Schema:
    """Columns of a table."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "int64": pa.int64(),
        "int32": pa.int32(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "map": pa.list_(pa.struct([("product", pa.string()), ("version", pa.string())])),
    }
    columns = (SHARED if shared else PRIVATE)[table]
    return pa.schema([("capture", pa.string()), *((name, kinds[kind]) for name, kind in columns.items())])


def rows(result: Result, shared: bool) -> Rows:
    """What was found in one capture -> rows.  Raises `LeakError` when a shared row would hold something private."""
    return _shared(result) if shared else _private(result)


def _shared(result: Result) -> Rows:
    from analysis import redact
    from analysis.proof import prove

    report = redact.redact(result)
    prove(redact.json(report), result, report, None)
    said: dict[str, Any] = msgspec.to_builtins(report)
    coverage = {**said["coverage"], "month": report.month, "versions": said["versions"], "tool": report.tool}
    verdicts = [{name: row[name] for name in SHARED["verdicts"]} for row in said["rows"]]
    return {"calls": said["calls"], "verdicts": verdicts, "coverage": [coverage]}


def _private(result: Result) -> Rows:
    from analysis import VERSION, redact

    by_n = {call.n: call for call in result.calls}
    (info,) = result.captures
    coverage = {name: getattr(result.coverage, name) for name in _COVERAGE}
    coverage |= {
        "format": info.format,
        "first": info.first,
        "last": info.last,
        "month": redact.month(result),
        "versions": [{"product": v.product, "version": v.version} for v in redact.versions_of(result)],
        "tool": VERSION,
    }
    return {
        "calls": [_call(call) for call in result.calls],
        "findings": [
            {
                "call": f.call,
                "direction": f.direction,
                "item": f.item,
                "at": f.at,
                "value": f.value,
                "source": f.source,
                "product": by_n[f.call].product,
                "entity": traffic.recipient(by_n[f.call]),
                "category": by_n[f.call].category.value,
            }
            for f in result.findings
        ],
        "verdicts": [
            {
                "product": c.product,
                "declared": c.declared,
                "item": c.item,
                "recipient": c.recipient,
                "entity": c.entity,
                "category": c.category.value,
                "verdict": c.verdict.value,
                "sure": c.sure,
                "count": c.count,
            }
            for c in result.comparisons
        ],
        "coverage": [coverage],
    }


_COVERAGE = (
    "calls",
    "readable",
    "unreadable",
    "unknown_category",
    "bytes_out",
    "bytes_out_readable",
    "recipients",
    "recipients_unreadable",
)

_KINDS = {Exchange: "exchange", Contact: "contact", Lookup: "lookup", Unreadable: "unreadable"}


def _call(call: Any) -> dict[str, Any]:
    seen = call.observation
    return {
        "n": call.n,
        "kind": _KINDS[type(seen)],
        "time": seen.time,
        "device": seen.device,
        "host": seen.host,
        "port": getattr(seen, "port", None) or getattr(getattr(seen, "server", None), "port", None),
        "method": getattr(seen, "method", None),
        "path": getattr(seen, "path", None),
        "status": getattr(seen, "status", None),
        "bytes_out": getattr(seen, "bytes_out", None),
        "bytes_in": getattr(seen, "bytes_in", None),
        "initiator": getattr(seen, "initiator", None),
        "product": call.product,
        "service": call.service,
        "attribution": call.attribution.value,
        "category": call.category.value,
        "party": call.party.value,
        "entity": traffic.recipient(call),
        "rule": call.rule,
        "reason": traffic.unread_reason(call),
    }
