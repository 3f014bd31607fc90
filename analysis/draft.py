"""Unknown calls of a capture -> a pack to begin with: rules, items, made-up examples and near misses."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlencode

from msgspec import structs

from analysis.at import normalise
from analysis.entities import registrable
from analysis.example import exchange_of
from analysis.knowledge import Knowledge
from analysis.made_up import is_id, key_of, made_up, made_up_body
from analysis.model import Category, Classified, Finding, FindingSource
from analysis.pack import ExampleCall, ItemPlace, Match, Product, Rule
from analysis.pipeline import Result
from analysis.traffic import is_outside
from analysis.trial import carried
from captures.model import Exchange, Sentence

_MOST_VALUES = 3
"""A step of a path that has more different values is no fixed part of it."""

_LONGEST_BODY = 4_000
"""Characters of a body that an example shows."""

_PLAIN = re.compile(r"[\w.~!$&'()+,;=:@%-]*", re.ASCII)
"""A step of a path as RFC 3986 allows it, less the characters that mean something in a pattern."""

_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*|[0-9a-f.]*:[0-9a-f:.]*")
"""A name or an address: a client may write anything where one belongs, and no rule can be about that."""

_MEDIA = frozenset({"mkv", "mp4", "m4v", "avi", "mov", "ts", "webm", "iso", "mp3", "flac", "m4a", "ogg", "srt"})
"""Endings of files whose names are titles."""

_WHY: Mapping[FindingSource, str] = {
    "name": "name of the field",
    "pattern": "form of the value",
    "known": "held a value of the user's own",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls to one host that differ only in ids."""

    host: str
    """The host, or a pattern of hosts."""
    method: str
    """The method; empty for connections whose content is not known."""
    path: str
    """The path, ids as `*`; empty likewise."""
    calls: tuple[Classified, ...]
    """The calls.  Private."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A pack that was not written yet."""

    id: str
    """Name of its folder."""
    files: Mapping[str, str]
    """Name in the folder -> text.  Holds the recipient's host and the names of its fields, and no value that was
    recognised."""
    left: tuple[str, ...]
    """What a person still has to fill in or look at, one sentence each."""


def recipients(result: Result) -> dict[str, tuple[Classified, ...]]:
    """Recipients (registrable domain, else host) of calls whose purpose no rule knows -> these calls; the most called
    first.  Empty when every call is known.  What is no name of a host is left out."""
    found: dict[str, list[Classified]] = defaultdict(list)
    for call in result.calls:
        if call.category is Category.UNKNOWN and _HOST.fullmatch(call.observation.host) and is_outside(call):
            found[registrable(call.observation.host) or call.observation.host].append(call)
    return {name: tuple(calls) for name, calls in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))}


def kinds(calls: Iterable[Classified], findings: Iterable[Finding]) -> tuple[Kind, ...]:
    """Calls to one recipient -> the kinds of calls among them, the most frequent first.

    What was found in a path is no fixed part of it.
    """
    private = {found.value for found in findings if found.at.startswith("path") and len(found.value) > 1}
    groups: dict[tuple[str, str, str], list[Classified]] = defaultdict(list)
    for call in calls:
        seen = call.observation
        host = _host_pattern(seen.host)
        if isinstance(seen, Exchange) and seen.path.startswith("/"):
            groups[host, seen.method, "/".join(_step(step, private) for step in seen.path.split("/"))].append(call)
        else:
            groups[host, "", ""].append(call)
    merged: dict[tuple[str, str, str], list[Classified]] = defaultdict(list)
    varying = _varying(groups)
    for (host, method, path), members in groups.items():
        steps = [
            "*" if (host, method, _without(path, n)) in varying else step for n, step in enumerate(path.split("/"))
        ]
        merged[host, method, "/".join(steps)].extend(members)
    found = (Kind(*key, tuple(members)) for key, members in merged.items())
    return tuple(sorted(found, key=lambda kind: (-len(kind.calls), kind.host, kind.path, kind.method)))


def draft(
    recipient: str, kinds: Sequence[Kind], categories: Sequence[Category], result: Result, pack: str = ""
) -> Draft:
    """Kinds of calls to one recipient, and what each is for -> a pack named `pack`, else after the recipient.

    The rules are tried on their examples, so that what an example says is what the rule finds in it.
    """
    pack = pack or _slug(recipient)
    left: list[Sentence] = []
    owner = result.knowledge.owner(recipient)
    product = Product(
        name=recipient,
        kind="service",
        entity=result.knowledge.products[owner].entity if owner else recipient,
        domains=() if owner or not registrable(recipient) else (recipient,),
        id=pack,
    )
    rules: dict[str, Rule] = {}
    for kind, category in zip(kinds, categories, strict=True):
        name = _free(_slug(f"{kind.method} {kind.path}" if kind.path.strip("/*") else kind.method or "host"), rules)
        place = f"{pack}/calls/{name}.toml"
        if category is Category.UNKNOWN:
            left.append(f"{place}: category: choose what the call is for")
        rules[name] = _rule(kind, category, f"{pack}/{name}", result)
        left.extend(f"{place}: example: {call.note}" for call in rules[name].example if call.note)
    known = result.knowledge
    known = replace(
        known,
        products={**known.products, pack: product},
        rules={**known.rules, **{rule.id: rule for rule in rules.values()}},
    )
    files = {"product.toml": _product_text(product)}
    for name, rule in rules.items():
        files[f"calls/{name}.toml"] = _rule_text(_shown(rule, known))
    left.append(f"{pack}/product.toml: name, entity: write the name of the company behind {recipient}")
    left.extend(_told(pack, files, kinds, result.findings))
    return Draft(pack, files, tuple(left))


def _host_pattern(host: str) -> str:
    """A host whose first labels are ids -> a pattern of the domain below which they stand."""
    labels = host.split(".")
    ids = [n for n, label in enumerate(labels[:-2]) if is_id(label)]
    return "*." + ".".join(labels[ids[-1] + 1 :]) if ids and registrable(host) else host


def _step(step: str, private: Collection[str]) -> str:
    plain = unquote(step)
    if any(value in plain for value in private):
        return "*"
    stem, dot, ending = step.rpartition(".")
    if dot and stem and len(ending) <= 4 and ending.isalnum() and not ending.isdigit():
        return f"*.{ending}" if is_id(stem) or ending.lower() in _MEDIA else step
    return step if _PLAIN.fullmatch(step) and not is_id(step) else "*"


def _without(path: str, n: int) -> tuple[int, str]:
    steps = path.split("/")
    return n, "/".join(steps[:n] + steps[n + 1 :])


def _varying(groups: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, tuple[int, str]]]:
    """Places in paths at which many different values stand, everything else being the same."""
    values: dict[tuple[str, str, tuple[int, str]], set[str]] = defaultdict(set)
    for host, method, path in groups:
        for n, step in enumerate(path.split("/")):
            values[host, method, _without(path, n)].add(step)
    return {place for place, seen in values.items() if len(seen) > _MOST_VALUES}


def _rule(kind: Kind, category: Category, name: str, result: Result) -> Rule:
    days = [call.observation.time for call in kind.calls if call.observation.time]
    items = tuple(_items(kind, result.findings))
    example = _example(kind, result.findings)
    start, _, _ = example.request.partition("\n")
    method, _, url = start.partition(" ")
    near = url.partition("?")[0].rstrip("/") + "/other" if kind.path else "https://other.example/"
    return Rule(
        category=category,
        match=Match(host=(kind.host,), path=kind.path, method=(kind.method,) if kind.method else ()),
        evidence="captured",
        source="own capture",
        example=(example,),
        near_miss=(ExampleCall(f"{method} {near}"),),
        seen_date=dt.datetime.fromtimestamp(max(days), dt.UTC).strftime("%Y-%m") if days else "",
        items=items,
        id=name,
    )


def _items(kind: Kind, findings: Sequence[Finding]) -> Iterator[ItemPlace]:
    """Items that names and forms showed in the query or in the body; those in headers are found in any call."""
    numbers = {call.n for call in kind.calls}
    places: dict[tuple[str, FindingSource], set[str]] = defaultdict(set)
    for found in findings:
        sent = found.call in numbers and found.direction == "sent" and found.source in _WHY
        if sent and found.at.startswith(("query.", "body")) and "*" not in found.at:
            places[found.item, found.source].add(_generalised(found.at))
    for (item, source), at in sorted(places.items()):
        yield ItemPlace(item, tuple(sorted(at)), _WHY[source])


def _generalised(at: str) -> str:
    """Positions in lists, and names that are ids, as `*`."""
    return ".".join("*" if is_id(step) else step for step in normalise(at).split("."))


def _example(kind: Kind, findings: Sequence[Finding]) -> ExampleCall:
    """The call that shows most, with made-up values."""
    shown = defaultdict(set)
    for found in findings:
        shown[found.call].add(found.item)
    host = f"[{kind.host}]" if ":" in kind.host else re.sub(r"^\*", "a1b2c3d4", kind.host)
    exchanges = [call for call in kind.calls if isinstance(call.observation, Exchange)]
    if not exchanges or not kind.path:
        return ExampleCall(f"GET https://{host}/")
    best = max(exchanges, key=lambda call: (len(shown[call.n]), -call.observation.source.index))
    call = best.observation
    assert isinstance(call, Exchange)  # noqa: S101 - chosen as one above
    steps = zip(kind.path.split("/"), call.path.split("/"), strict=True)
    path = "/".join(_invented(pattern, step) for pattern, step in steps)
    query = urlencode([(key_of(name), made_up(value)) for name, value in call.query], quote_via=quote)
    port = "" if call.port in (80, 443) else f":{call.port}"
    lines = [f"{kind.method} {call.scheme}://{host}{port}{path}" + (f"?{query}" if query else "")]
    body = made_up_body(call.body.content or b"")
    if 0 < len(body) <= _LONGEST_BODY:
        kind_of_body = re.match(r"[\w.+/-]*", call.header("content-type"), re.ASCII)
        lines += [f"content-type: {kind_of_body[0]}"] if kind_of_body and kind_of_body[0] else []
        return ExampleCall("\n".join([*lines, "", body]))
    note = (
        "the body is left out, since it is no short JSON or form; write one of its shape" if call.body.content else ""
    )
    return ExampleCall("\n".join(lines), note=note)


def _invented(pattern: str, step: str) -> str:
    if not pattern.startswith("*"):
        return step
    ending = pattern[1:]
    return quote(made_up(step.removesuffix(ending)), safe="") + ending


def _shown(rule: Rule, knowledge: Knowledge) -> Rule:
    """The rule with what it finds in its own example, without the items that the example does not show."""
    (example,) = rule.example
    found = carried(exchange_of(example, rule.id), rule, knowledge)
    return structs.replace(
        rule,
        example=(structs.replace(example, items=found),),
        items=tuple(item for item in rule.items if item.id in found),
    )


def _told(
    pack: str, files: Mapping[str, str], kinds: Sequence[Kind], findings: Sequence[Finding]
) -> Iterator[Sentence]:
    """Values that were recognised in the calls and still stand in the files, as in a fixed part of a path."""
    numbers = {call.n for kind in kinds for call in kind.calls}
    values = {(f.item, f.value) for f in findings if f.call in numbers and f.direction == "sent" and len(f.value) >= 4}
    for name, text in files.items():
        for item in sorted({item for item, value in values if value in text and made_up(value) != value}):
            yield f"{pack}/{name}: holds a value that was sent ({item}): replace it before you pass the pack on"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48].strip("-") or "pack"


def _free(name: str, taken: Mapping[str, object]) -> str:
    return next(free for n in range(1, len(taken) + 2) if (free := name if n == 1 else f"{name}-{n}") not in taken)


def _product_text(product: Product) -> str:
    domains = f"domains = [{', '.join(map(_quoted, product.domains))}]\n" if product.domains else ""
    return (
        f'name = {_quoted(product.name)}\nkind = "{product.kind}"\nentity = {_quoted(product.entity)}\n{domains}'
        'recipient = "other"\n'
    )


def _rule_text(rule: Rule) -> str:
    (example,), (near,) = rule.example, rule.near_miss
    lines = [f'category = "{rule.category}"', f'evidence = "{rule.evidence}"', f"source = {_quoted(rule.source)}"]
    if rule.seen_date:
        lines.append(f'seen-date = "{rule.seen_date}"')
    if rule.items:
        lines += ["", "items = ["]
        lines += [f'  {{ id = "{i.id}", at = {_listed(i.at)}, why = {_quoted(i.why)} }},' for i in rule.items]
        lines.append("]")
    lines += ["", "[match]", f"host = {_listed(rule.match.host)}"]
    lines += [f"path = {_quoted(rule.match.path)}"] if rule.match.path else []
    lines += [f"method = {_listed(rule.match.method)}"] if rule.match.method else []
    lines += ["", "[[example]]", 'request = """', _escaped(example.request), '"""']
    if example.items:
        pairs = ", ".join(f'"{item}" = {_listed(values)}' for item, values in example.items.items())
        lines.append(f"items = {{ {pairs} }}")
    return "\n".join([*lines, "", "[[near-miss]]", f"request = {_quoted(near.request)}", ""])


def _listed(values: Sequence[str]) -> str:
    return _quoted(values[0]) if len(values) == 1 else f"[{', '.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's but for U+007F and lone surrogates."""
    plain = text.encode("utf-8", "replace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def _escaped(text: str) -> str:
    """Lines of a multi-line TOML string, in which a quotation mark may stand as it is."""
    lines = (_quoted(line)[1:-1] for line in text.split("\n"))
    return "\n".join(line if '\\"\\"' in line else line.replace('\\"', '"') for line in lines)
