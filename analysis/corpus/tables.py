"""What one capture gives -> columns of the tables, and their types.

Two kinds of dataset: a private one holds values; a shared one holds what `redact` lets through and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from analysis import traffic
from analysis.model import Classified
from analysis.pipeline import Result
from captures.model import Contact, Exchange, Lookup, Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

type Columns = dict[str, list[Any]]
"""Name of a column -> its values, one for each row."""

type Tables = dict[str, Columns]
"""Name of a table -> what one capture gives to it, without `capture`."""

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


def rows(result: Result, shared: bool) -> Tables:
    """What was found in one capture -> rows.  Raises `LeakError` when a shared row would hold something private."""
    return _shared(result) if shared else _private(result)


def _shared(result: Result) -> Tables:
    from analysis import redact, shared_report
    from analysis.proof import prove

    report = redact.redact(result)
    prove(shared_report.json(report), result, report, None)
    said: dict[str, Any] = msgspec.to_builtins(report)
    coverage = {**said["coverage"], "month": report.month, "versions": said["versions"], "tool": report.tool}
    given = {"calls": said["calls"], "verdicts": said["rows"], "coverage": [coverage]}
    return {table: {name: [row[name] for row in given[table]] for name in columns} for table, columns in SHARED.items()}


def _private(result: Result) -> Tables:
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
        "calls": _columns("calls", result.calls, _CALLS),
        "findings": _columns("findings", [(found, by_n[found.call]) for found in result.findings], _FINDINGS),
        "verdicts": _columns("verdicts", result.comparisons, _VERDICTS),
        "coverage": {name: [coverage[name]] for name in PRIVATE["coverage"]},
    }


def _columns(table: str, values: Iterable[Any], known: Mapping[str, Callable[[Any], Any]]) -> Columns:
    """Values -> the columns of a table: those that are known in their way, all others are attributes."""
    values = list(values)
    return {
        name: [_text(read(value)) for value in values] if kind == "string" else [read(value) for value in values]
        for name, kind in PRIVATE[table].items()
        for read in (known.get(name) or attrgetter(name),)
    }


def _text(value: str | None) -> str | None:
    """As it is, or with half a surrogate pair, which hostile bodies hold and no file may, written out."""
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode()


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

_KINDS: Mapping[type, str] = {Exchange: "exchange", Contact: "contact", Lookup: "lookup", Unreadable: "unreadable"}


def _port(call: Classified) -> int | None:
    seen = call.observation
    port: int | None = getattr(seen, "port", None) or getattr(getattr(seen, "server", None), "port", None)
    return port


def _seen(name: str) -> Callable[[Classified], Any]:
    """Reads what some kinds of observation have and others lack."""
    return lambda call: getattr(call.observation, name, None)


def _first(name: str) -> Callable[[tuple[Any, Any]], Any]:
    """Reads from a finding that stands beside its call."""
    return lambda pair: getattr(pair[0], name)


_CALLS: Mapping[str, Callable[[Any], Any]] = {
    "kind": lambda call: _KINDS[type(call.observation)],
    "port": _port,
    **{name: _seen(name) for name in ("time", "device", "host", "method", "path", "status")},
    **{name: _seen(name) for name in ("bytes_out", "bytes_in", "initiator")},
    "attribution": lambda call: call.attribution.value,
    "category": lambda call: call.category.value,
    "party": lambda call: call.party.value,
    "entity": traffic.recipient,
    "reason": traffic.unread_reason,
}

_FINDINGS: Mapping[str, Callable[[Any], Any]] = {
    **{name: _first(name) for name in ("call", "direction", "item", "at", "value", "source")},
    "product": lambda pair: pair[1].product,
    "entity": lambda pair: traffic.recipient(pair[1]),
    "category": lambda pair: pair[1].category.value,
}

_VERDICTS: Mapping[str, Callable[[Any], Any]] = {
    "category": lambda comparison: comparison.category.value,
    "verdict": lambda comparison: comparison.verdict.value,
}
