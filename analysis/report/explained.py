"""The chain of one call, from its bytes to the verdicts -> a document, and JSON for programs.  Private."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from msgspec import structs

from analysis import language, texts
from analysis.explain import Explanation, Judged
from analysis.model import Attribution, Category, Verdict
from analysis.pack import Statement
from analysis.pipeline import Result
from analysis.report import as_json as whole
from analysis.report.as_json import Json
from analysis.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Commands,
    Document,
    Heading,
    Paragraph,
    Table,
    brief,
    size,
)
from analysis.report.phrases import label, local_time, product_name
from analysis.texts import long_date, steps
from analysis.traffic import OUTSIDE, host, recipient
from captures.model import Body, Contact, Exchange, Lookup, Unreadable

_MOST_LEAVES = 200
"""Values that a document shows."""


def document(chain: Explanation, result: Result, path: str) -> Document:
    """The chain -> a section for each stage.  `path` is the capture as the user typed it."""
    sections = (
        (steps.OBSERVED, _observed(chain)),
        (steps.PURPOSE, _purpose(chain)),
        (steps.SENDER, _sender(chain, result)),
        (steps.PARTY_HEADING, _party(chain)),
        (steps.LEAVES.format(n=texts.number(len(chain.leaves))), _leaves(chain)),
        (steps.FINDINGS.format(n=texts.number(len(chain.findings))), _findings(chain, result)),
        (steps.VERDICTS, _verdicts(chain, result)),
        (steps.BY_HAND, _by_hand(chain, path)),
    )
    seen = chain.call.observation
    what = f"{seen.method} {host(chain.call)}{seen.path}" if isinstance(seen, Exchange) else host(chain.call)
    title = steps.TITLE.format(n=chain.call.n, what=brief(what))
    return Document(title, tuple(b for heading, blocks in sections for b in (Heading(heading), *blocks)))


def _observed(chain: Explanation) -> Iterator[Block]:
    seen, capture = chain.call.observation, chain.capture
    points = [
        steps.FILE.format(
            name=brief(capture.name), sha256=capture.sha256, format=capture.format, index=seen.source.index
        )
    ]
    if seen.source.part:
        points.append(steps.FILE_PART.format(part=seen.source.part))
    if others := {source.capture for source in seen.sources} - {seen.source.capture}:
        points.append(steps.MANY.format(n=len(others)))
    points.append(
        steps.TIME.format(time=local_time(seen.time) or steps.NO_TIME, device=brief(seen.device) or steps.NO_TIME)
    )
    match seen:
        case Exchange():
            points.append(
                steps.REQUEST.format(
                    method=brief(seen.method), scheme=seen.scheme, host=brief(seen.host), port=seen.port,
                    path=brief(seen.path), status=seen.status or steps.NO_ANSWER, bytes_out=size(seen.bytes_out),
                    bytes_in=size(seen.bytes_in),
                )
            )  # fmt: skip
            points.extend(_kept(seen.body))
        case Contact():
            port = seen.server.port if seen.server else steps.NO_TIME
            points.append(steps.CONTACT.format(host=brief(seen.host), port=port, reason=language.said(seen.reason)))
        case Lookup():
            points.append(steps.LOOKUP.format(host=brief(seen.host), kind=brief(seen.kind), protocol=seen.protocol))
        case Unreadable():
            points.append(steps.UNREADABLE.format(place=brief(seen.place), reason=language.said(seen.reason)))
    yield Bullets(tuple(points))


def _kept(body: Body) -> Iterator[str]:
    if body.content is None and body.size:
        yield steps.NOT_KEPT.format(size=texts.number(body.size))
    elif body.cut and body.content is not None:
        yield steps.CUT.format(size=texts.number(body.size), kept=texts.number(len(body.content)))


def _purpose(chain: Explanation) -> Iterator[Block]:
    category = texts.CATEGORIES[chain.call.category]
    rule = chain.rule
    if rule:
        won = next((c for c in chain.candidates if c.rule == rule.id), None)
        how = _specificity(won.specificity) if won else ""
        yield Paragraph(steps.WON.format(category=category, rule=rule.id, specificity=how), "strong")
        yield Paragraph(steps.EVIDENCE.format(evidence=steps.EVIDENCES[rule.evidence], source=rule.source))
        if rule.seen_version or rule.seen_date:
            version, date = rule.seen_version or steps.NO_TIME, rule.seen_date or steps.NO_TIME
            yield Paragraph(steps.SEEN.format(version=version, date=date))
        if rule.note:
            yield Paragraph(rule.note, "dim")
    elif not isinstance(chain.call.observation, Exchange | Contact):
        yield Paragraph(steps.NOT_CHOSEN)
    else:
        yield Paragraph(
            steps.BY_PARTY.format(category=category) if chain.call.category is not Category.UNKNOWN else steps.NO_RULE
        )
    others = [c for c in chain.candidates if not rule or c.rule != rule.id]
    if near := [c for c in others if c.misfit != "path"]:
        yield Paragraph(texts.plural(len(near), steps.TRIED))
        rows = tuple((Cell(c.rule), Cell(steps.MISFITS[c.misfit]), Cell(_specificity(c.specificity))) for c in near)
        yield Table((Column("Rule"), Column("Why not"), Column("How specific")), rows)
    if far := len(others) - len(near):
        yield Paragraph(texts.plural(far, steps.OTHER_PATHS), "dim")


def _specificity(specificity: tuple[int, ...]) -> str:
    on_host, _, on_path, _, conditions = specificity
    said = (
        ("any own server", "pattern of a host", "exact host")[on_host],
        ("any path", "pattern of a path", "exact path")[on_path],
        f"{conditions} further {'condition' if conditions == 1 else 'conditions'}",
    )
    return ", ".join(said)


def _sender(chain: Explanation, result: Result) -> Iterator[Block]:
    call = chain.call
    role = steps.ROLE.format(role=call.role) if call.role else ""
    how = steps.ATTRIBUTIONS[call.attribution]
    yield Paragraph(steps.SENT_BY.format(product=product_name(call.product, result), role=role, how=how), "strong")
    if points := tuple(
        steps.SIGN.format(
            at=brief(sign.at),
            value=brief(sign.value),
            product=product_name(sign.product, result) if sign.product else steps.SIGN_UNKNOWN,
        )
        for sign in chain.signs
    ):
        yield Bullets(points)
    if call.attribution in (Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN):
        yield Paragraph(steps.UNSURE, "warn")


def _party(chain: Explanation) -> Iterator[Block]:
    call = chain.call
    why = steps.PARTY[chain.party].format(entity=brief(call.entity))
    yield Paragraph(steps.PARTY_SENTENCE.format(party=texts.PARTIES[call.party], why=why), "strong")
    if call.answered_by:
        yield Paragraph(steps.ANSWERED_BY.format(other=brief(call.answered_by)))
    if chain.judged:
        yield Paragraph(steps.RECIPIENT.format(kind=texts.RECIPIENTS[chain.judged[0].comparison.recipient]))


def _leaves(chain: Explanation) -> Iterator[Block]:
    if not isinstance(chain.call.observation, Exchange):
        yield Paragraph(steps.NOT_READ, "warn")
        return
    if rows := tuple(
        (Cell(brief(leaf.at)), Cell(", ".join(leaf.encodings)), Cell(brief(leaf.value)))
        for leaf in chain.leaves[:_MOST_LEAVES]
    ):
        yield Table((Column(texts.PLACE), Column("Undone"), Column(texts.VALUE)), rows)
    if (rest := len(chain.leaves) - _MOST_LEAVES) > 0:
        yield Paragraph(steps.MORE.format(n=texts.number(rest)))
    for sentence in chain.ran_out:
        yield Paragraph(steps.RAN_OUT.format(sentence=sentence), "warn")


def _findings(chain: Explanation, result: Result) -> Iterator[Block]:
    rows = tuple(
        (
            Cell(label(f.item, result), "strong"),
            Cell(brief(f.value)),
            Cell(brief(f.at) or texts.IMPLIED),
            Cell(", ".join(f.encodings)),
            Cell(texts.DIRECTIONS[f.direction]),
            Cell(steps.SOURCES[f.source]),
        )
        for f in chain.findings
    )
    columns = (
        Column(texts.ITEM), Column(texts.VALUE), Column(texts.PLACE), Column("Undone"), Column(texts.DIRECTION),
        Column("Known by"),
    )  # fmt: skip
    yield Table(columns, rows) if rows else Paragraph(steps.NO_ITEMS)


def _verdicts(chain: Explanation, result: Result) -> Iterator[Block]:
    if not chain.judged:
        yield Paragraph(steps.NOT_JUDGED[not_judged(chain, result)])
    for judged in chain.judged:
        yield from _verdict(judged, steps.VERDICT, result)
    for judged in chain.promised:
        yield from _verdict(judged, steps.PROMISE, result)


def not_judged(chain: Explanation, result: Result) -> str:
    """Why nothing in a call was judged, as a key of `steps.NOT_JUDGED`."""
    call = chain.call
    if isinstance(call.observation, Lookup):
        return "lookup"
    if call.party not in OUTSIDE:
        return "home"
    return "asks" if host(call) in result.evidence.asks else "received"


def _verdict(judged: Judged, heading: str, result: Result) -> Iterator[Block]:
    c, document = judged.comparison, judged.document
    yield Heading(heading.format(item=label(c.item, result), verdict=texts.VERDICT_NAMES[c.verdict]), 3)
    yield Paragraph(c.reason, "strong")
    if c.also:
        yield Paragraph(steps.ALSO.format(also=", ".join(texts.VERDICT_NAMES[verdict] for verdict in c.also)))
    if document is None:
        if c.verdict is Verdict.NO_LIST:
            yield Paragraph(steps.NO_DOCUMENT)
        return
    yield Paragraph(
        steps.SOURCE.format(title=document.title, effective=long_date(document.effective), source=document.source)
    )
    if judged.weighed:
        columns = (Column(texts.STATEMENT), Column(texts.WORDING), Column(texts.KIND), Column("Counts"))
        rows = tuple(
            (
                Cell(w.statement.id, "strong" if w.why == "decided" else "plain"),
                Cell(_wording(w.statement)),
                Cell(w.statement.status),
                Cell(steps.WHY[w.why]),
            )
            for w in judged.weighed
        )
        yield Table(columns, rows)


def _wording(statement: Statement) -> str:
    return f"“{statement.wording}”, {statement.place}"


def _by_hand(chain: Explanation, path: str) -> Iterator[Block]:
    seen = chain.call.observation
    looks = [j.comparison.look for j in chain.judged if j.comparison.look and j.comparison.look[0] == chain.call.n]
    places = dict.fromkeys(at for _, at in looks if at)
    if places:
        yield Bullets(tuple(steps.PLACE.format(n=chain.call.n, at=brief(at)) for at in places))
    file, index, kind = shlex.quote(path), seen.source.index, chain.capture.format
    commands = {
        "flow": (f"mitmweb --no-server --rfile {file}",),
        "har": (f"jq '.log.entries[{index}]' {file}",),
        "pcap": (f"tshark -r {file} -V -Y {shlex.quote(_packets(chain))}",),
    }.get(kind, (f"phonehome items {file}",))
    if kind in steps.HANDS:
        yield Paragraph(steps.HANDS[kind].format(number=index + 1))
    yield Commands(commands)
    if chain.rule:
        yield Paragraph(steps.EXAMPLES.format(path=chain.rule.id.replace("/", "/calls/", 1)), "dim")


def _packets(chain: Explanation) -> str:
    """Filter that shows the packets of a call."""
    seen = chain.call.observation
    if isinstance(seen, Unreadable) or seen.client is None:
        return "ip"
    version = "ipv6" if ":" in seen.client.address else "ip"
    return (
        f"{version}.addr == {seen.client.address} && (tcp.port == {seen.client.port} || udp.port == {seen.client.port})"
    )


def as_json(chain: Explanation, result: Result) -> Json:
    """The chain -> one object, `phonehome/explain/1`."""
    call, rule = chain.call, chain.rule
    return {
        "schema": "phonehome/explain/1",
        "call": whole.calls([call])[0],
        "capture": {"name": chain.capture.name, "sha256": chain.capture.sha256, "format": chain.capture.format},
        "candidates": [c._asdict() for c in chain.candidates],
        "rule": {
            "id": rule.id,
            "evidence": rule.evidence,
            "source": rule.source,
            "seen_version": rule.seen_version,
            "seen_date": rule.seen_date,
            "when": rule.when,
        }
        if rule
        else None,
        "sender": {
            "product": call.product,
            "attribution": call.attribution.value,
            "role": call.role,
            "signs": [{**sign._asdict(), "attribution": sign.attribution.value} for sign in chain.signs],
        },
        "party": {
            "party": call.party.value,
            "entity": call.entity,
            "recipient": recipient(call),
            "why": steps.PARTY[chain.party].format(entity=call.entity),
        },
        "leaves": [{"at": leaf.at, "encodings": list(leaf.encodings), "value": leaf.value} for leaf in chain.leaves],
        "ran_out": list(chain.ran_out),
        "findings": whole.findings(chain.findings),
        "comparisons": [_judged_json(judged, result) for judged in chain.judged],
        "promised": [_judged_json(judged, result) for judged in chain.promised],
    }


def _judged_json(judged: Judged, result: Result) -> Json:
    weighed = [{**structs.asdict(w.statement), "applied": w.why, "why": steps.WHY[w.why]} for w in judged.weighed]
    return whole.comparisons([judged.comparison], result.knowledge)[0] | {"statements": weighed}
