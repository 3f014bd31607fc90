"""Outline -> HAR 1.2 without values: one entry for each kind of call, in the order of the alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from analysis import VERSION, texts
from analysis.outline import Outline, OutlineCall
from analysis.report.as_json import Json, dump
from analysis.texts import export as words
from analysis.vocabulary import vocabulary

WORDS = (
    "log", "creator", "name", "version", "method",
    "entries", "startedDateTime", "time", "request", "response", "url", "httpVersion", "HTTP/1.1",
    "cookies", "headers", "queryString", "postData", "mimeType", "application/json", "text", "headersSize", "bodySize",
    "statusText", "content", "size", "redirectURL", "cache", "timings", "send", "wait", "receive", "comment", "value",
    "1.2", "https://", "phonehome", "any", "-01T00:00:00.000Z", "1970-01", "status", ".invalid", "unnamed", "host-",
    "own-pack-", "0",
)  # fmt: skip
"""What this output writes around texts."""


def render(outline: Outline) -> str:
    """Outline -> HAR."""
    log = {
        "version": "1.2",
        "creator": {"name": "phonehome", "version": VERSION},
        "entries": [_entry(call, outline.month) for call in outline.calls],
        "comment": words.HAR_NOTE.format(version=VERSION),
    }
    return dump({"log": log})


def host(name: str) -> str:
    """Name in an outline -> a host name: patterns are filled with `any`, numbered ones end in `.invalid` (RFC 2606).

    >>> host("*.sentry.io"), host("api*.plex.direct"), host("host#3"), host("")
    ('any.sentry.io', 'api-any.plex.direct', 'host-3.invalid', 'unnamed.invalid')
    """
    if "#" in name or not name:
        return re.sub(r"[ #]+", "-", name or "unnamed") + ".invalid"
    return _filled(name)


def path(pattern: str) -> str:
    """Pattern of a path -> a path that fits it.

    >>> path("/api/v2/user/{uuid}/**"), path("{key=/library/*}/children"), path("")
    ('/api/v2/user/any/any', '/library/any/children', '/')
    """
    plain = re.sub(r"\{[a-z0-9_]+=([^{}]*)\}", r"\1", pattern)
    made = _filled(plain)
    return made if made.startswith("/") else f"/{made}"


def _filled(pattern: str) -> str:
    """A pattern with `any` for its wildcards, as a word of its own: what is not of our words stands in no post."""
    marked = re.sub(r"\{[^}]*\}|\*+", "\0", pattern)
    return re.sub(r"(?<=[\w\0])(?=\0)|(?<=\0)(?=\w)", "-", marked).replace("\0", "any")


def label(item: str) -> str:
    """Data item -> what stands in the place of its value."""
    return words.VALUE.format(item=item)


def _entry(call: OutlineCall, month: str) -> Json:
    query, headers, cookies = (dict(_named(call, place)) for place in ("query", "header", "cookie"))
    address = f"https://{host(call.name)}{path(call.path)}"
    if query:
        address += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    body = tree((i.item, i.at) for i in call.items if i.at.startswith("body"))
    request: Json = {
        "method": call.method,
        "url": address,
        "httpVersion": "HTTP/1.1",
        "cookies": _pairs(cookies),
        "headers": _pairs(headers),
        "queryString": _pairs(query),
        "headersSize": -1,
        "bodySize": -1,
    }
    if body is not None:
        request["postData"] = {"mimeType": "application/json", "text": dump(body).strip()}
    return {
        "startedDateTime": f"{month or '1970-01'}-01T00:00:00.000Z",
        "time": 0,
        "request": request,
        "response": _answer(call),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "comment": comment(call),
    }


def _answer(call: OutlineCall) -> Json:
    held = ((i.item, i.at.removeprefix("response.")) for i in call.items if i.at.startswith("response.body"))
    body = tree(held)
    content: Json = {"size": 0, "mimeType": "application/json" if body is not None else ""}
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": content | ({"text": dump(body).strip()} if body is not None else {}),
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def comment(call: OutlineCall) -> str:
    """What a kind of call is for, to whom, how often; and the items that stand at no place that a pack names."""
    entity = call.entity or texts.NOBODY_KNOWN
    told = words.HAR_CALLS.format(purpose=texts.CATEGORIES[call.category], entity=entity, count=call.count)
    labels = vocabulary().shipped.items
    shown = {i.item for i in call.items if i.at}
    rest = sorted({labels[i.item].label for i in call.items if not i.at and i.item not in shown})
    return f"{told}; {words.HAR_ALSO.format(items=', '.join(rest))}" if rest else told


def _named(call: OutlineCall, place: str) -> Iterator[tuple[str, str]]:
    for item in call.items:
        where, _, name = item.at.partition(".")
        if where == place and name:
            yield name, label(item.item)


def _pairs(named: dict[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in named.items()]


def tree(items: Iterable[tuple[str, str]]) -> object:
    """Items and their places in a body -> JSON that holds a label at each of these; `None` when there are none.

    Steps that stand for any number of others are left out, positions of lists become one.
    """
    whole: Json = {}
    for item, at in items:
        steps = [step for step in re.sub(r"\[[^\]]*\]", "", at).split(".")[1:] if step not in ("", "**")] or ["any"]
        place = whole
        for step in steps[:-1]:
            below = place.setdefault(step, {})
            if not isinstance(below, dict):  # a value stands there in other calls of this kind
                below = place[step] = {"any": below}
            place = below
        held = place.get(steps[-1])
        if isinstance(held, dict):
            held["any"] = label(item)
        else:
            place[steps[-1]] = label(item)
    return _lists(whole) if whole else None


def _lists(node: object) -> object:
    """Tables whose only step is `*` -> lists of one."""
    if not isinstance(node, dict):
        return node
    if set(node) == {"*"}:
        return [_lists(node["*"])]
    return {("any" if name == "*" else name): _lists(value) for name, value in node.items()}
