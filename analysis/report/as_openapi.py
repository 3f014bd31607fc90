"""Outline -> OpenAPI 3.1: which calls were seen, and what they carried."""

from __future__ import annotations

import re
from collections import defaultdict

from analysis import VERSION, texts
from analysis.outline import OTHER, Outline, OutlineCall
from analysis.report import as_har
from analysis.report.as_json import Json, dump
from analysis.texts import export as words
from analysis.vocabulary import vocabulary

WORDS = (
    *as_har.WORDS, "openapi", "3.1.0", "info", "title", "summary", "description", "version", "servers", "paths", "tags",
    "parameters", "in", "path", "query", "header", "cookie", "required", "schema", "type", "string", "object", "array",
    "properties", "items", "requestBody", "responses", "default", "x-phonehome-item", "x-phonehome-calls", "get", "put",
    "post", "delete", "options", "head", "patch", "trace", "operationId", "additionalProperties", "x-other", "/",
    "2", "3", "4", "5",
)  # fmt: skip
"""What this output writes around texts."""

_METHODS = {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"}


def render(outline: Outline) -> str:
    """Outline -> OpenAPI in JSON.  Calls whose path no pack knows are left out."""
    groups: dict[str, dict[str, list[OutlineCall]]] = defaultdict(lambda: defaultdict(list))
    for call in outline.calls:
        if call.path and call.method != OTHER:
            method = call.method.lower() if call.method in _METHODS else "get"
            groups[template(call.path)][method].append(call)
    return dump(
        {
            "openapi": "3.1.0",
            "info": {
                "title": words.OPENAPI_TITLE,
                "version": VERSION,
                "description": words.OPENAPI_NOTE.format(version=VERSION),
            },
            "paths": {
                path: {method: _operation(path, calls) for method, calls in sorted(methods.items())}
                for path, methods in sorted(groups.items())
            },
        }
    )


def template(pattern: str) -> str:
    """Pattern of a path -> OpenAPI's.

    >>> template("/api/v2/user/{uuid}/**"), template("{key=/library/metadata/*}/children")
    ('/api/v2/user/{uuid}/{any}', '/library/metadata/{key}/children')
    """
    made = re.sub(r"\{([a-z0-9_]+)=([^{}*]*)\*+\}", r"\2{\1}", pattern)
    made = re.sub(r"\{([a-z0-9_]+)=([^{}]*)\}", r"{\1}", made)
    taken = 0

    def numbered(_: re.Match[str]) -> str:
        nonlocal taken
        taken += 1
        return "{any}" if taken == 1 else f"{{any-{taken}}}"

    made = re.sub(r"\*+", numbered, made)
    return made if made.startswith("/") else f"/{made}"


def _operation(path: str, calls: list[OutlineCall]) -> Json:
    items = sorted({(i.item, i.at) for call in calls for i in call.items})
    body = as_har.tree((item, at) for item, at in items if at.startswith("body"))
    held = as_har.tree((item, at.removeprefix("response.")) for item, at in items if at.startswith("response.body"))
    made: Json = {
        "summary": "; ".join(dict.fromkeys(as_har.comment(call) for call in calls)),
        "tags": sorted({texts.CATEGORIES[call.category] for call in calls}),
        "servers": [{"url": f"https://{as_har.host(name)}"} for name in sorted({call.name for call in calls})],
        "parameters": [*_in_path(path), *_parameters(items)],
        "responses": {"default": {"description": words.OPENAPI_ANSWER}},
    }
    if body is not None:
        made["requestBody"] = {"content": {"application/json": {"schema": _schema(body)}}}
    if held is not None:
        answer: Json = {"description": words.OPENAPI_ANSWER, "content": {"application/json": {"schema": _schema(held)}}}
        made["responses"] = {"default": answer}
    return made


def _in_path(path: str) -> list[Json]:
    names = re.findall(r"\{([^}]*)\}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameters(items: list[tuple[str, str]]) -> list[Json]:
    found: dict[tuple[str, str], str] = {}
    for item, at in items:
        where, _, name = at.partition(".")
        if where in ("query", "header", "cookie") and name and "*" not in name:
            found.setdefault((where, name), item)
    return [
        {"name": name, "in": where, "description": _label(item), "x-phonehome-item": item, "schema": {"type": "string"}}
        for (where, name), item in found.items()
    ]


def _schema(node: object) -> Json:
    if isinstance(node, dict):
        return {"type": "object", "properties": {name: _schema(value) for name, value in node.items()}}
    if isinstance(node, list):
        return {"type": "array", "items": _schema(node[0])}
    item = str(node).strip("()")
    return {"type": "string", "description": _label(item), "x-phonehome-item": item}


def _label(item: str) -> str:
    return vocabulary().shipped.items[item].label
