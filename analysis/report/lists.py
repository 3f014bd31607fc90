"""Results and knowledge -> documents that are one list: calls, data items, verdicts, declared lists.

Private, but for the declared lists.
"""

from __future__ import annotations

from analysis import texts
from analysis.knowledge import Knowledge
from analysis.listed import counted, listed
from analysis.model import Classified, Verdict
from analysis.pack import DeclaredList, Statement
from analysis.pipeline import Result
from analysis.report.document import Block, Bullets, Cell, Column, Document, Heading, Paragraph, Table, brief, size
from analysis.report.phrases import label, local_time, product_name
from analysis.report.private import tone_of
from analysis.report.promised import counted_sentences, listed_section
from analysis.texts import promises as words
from analysis.traffic import bytes_out, host, recipient
from captures.model import Exchange, Lookup


def calls_of(result: Result) -> Document:
    """Every call, by time; those without a time stand at the end."""
    columns = (
        Column(texts.NUMBER, number=True),
        Column(texts.TIME),
        Column(texts.DEVICE),
        Column(texts.SENDER),
        Column(texts.CALL),
        Column(texts.STATUS, number=True),
        Column(texts.BYTES, number=True),
        Column(texts.PURPOSES),
        Column(texts.RECIPIENT),
    )
    rows = tuple(_call_row(call, result) for call in sorted(result.calls, key=_by_time))
    return _listed(texts.CALLS_TITLE, columns, rows, texts.CALLS_NONE)


def _by_time(call: Classified) -> tuple[bool, float, int]:
    time = call.observation.time
    return time is None, time or 0.0, call.n


def _call_row(call: Classified, result: Result) -> tuple[Cell, ...]:
    seen = call.observation
    called, status = host(call), ""
    if isinstance(seen, Exchange):
        called, status = f"{seen.method} {host(call)}{seen.path}", str(seen.status or "")
    elif isinstance(seen, Lookup):
        called, status = " ".join(part for part in (seen.protocol, seen.kind, seen.host) if part), seen.rcode
    return (
        Cell(str(call.n)),
        Cell(local_time(seen.time)),
        Cell(brief(seen.device)),
        Cell(product_name(call.product, result) if call.product else ""),
        Cell(brief(called)),
        Cell(status),
        Cell(size(bytes_out(call))),
        Cell(texts.CATEGORIES[call.category]),
        Cell(brief(_recipient_of(call))),
    )


def _recipient_of(call: Classified) -> str:
    if call.answered_by:
        return texts.ANSWERED_BY.format(recipient=recipient(call), other=call.answered_by)
    return call.entity or texts.PARTIES[call.party]


def items_of(result: Result) -> Document:
    """Every finding, in the order of the calls, with its value."""
    columns = (
        Column(texts.CALL, number=True),
        Column(texts.ITEM),
        Column(texts.VALUE),
        Column(texts.DIRECTION),
        Column(texts.RECIPIENT),
        Column(texts.PLACE),
    )
    calls = {call.n: call for call in result.calls}
    rows = tuple(
        (
            Cell(str(f.call)),
            Cell(label(f.item, result)),
            Cell(brief(f.value)),
            Cell(texts.DIRECTIONS[f.direction]),
            Cell(brief(recipient(calls[f.call]))),
            Cell(brief(f.at) or texts.IMPLIED),
        )
        for f in result.findings
    )
    return _listed(texts.ITEMS_TITLE, columns, rows, texts.ITEMS_NONE)


def verdicts_of(result: Result, verdict: str) -> Document:
    """The comparisons of one verdict, each with its reason."""
    columns = (
        Column(texts.ITEM),
        Column(texts.SENDER),
        Column(texts.RECIPIENT),
        Column(texts.PURPOSES),
        Column(texts.CALLS),
        Column(texts.WHY),
    )
    rows = tuple(
        (
            Cell(label(c.item, result), tone_of(c)),
            Cell(product_name(c.product, result)),
            Cell(brief(c.entity)),
            Cell(texts.CATEGORIES[c.category] if c.calls else ""),
            Cell(", ".join(map(str, c.calls))),
            Cell(c.reason),
        )
        for c in result.comparisons
        if c.verdict == verdict
    )
    title = texts.VERDICT_HEADING.format(
        verdict=texts.VERDICT_NAMES[Verdict(verdict)], meaning=texts.VERDICTS[Verdict(verdict)]
    )
    return _listed(title, columns, rows, texts.ITEMS_NONE)


def declared_lists(known: Knowledge) -> Document:
    """The declared lists that are known, by product and date."""
    columns = (
        Column(texts.PRODUCT),
        Column(texts.DATE),
        Column(texts.KIND),
        Column(texts.STATEMENTS, number=True),
        Column(texts.SWITCHED, number=True),
        Column(texts.DOCUMENT),
        Column(texts.SOURCE),
    )
    rows = tuple(
        (
            Cell(x.product, "strong"),
            Cell(x.id),
            Cell(x.kind),
            Cell(str(len(x.statements))),
            Cell(str(sum(bool(s.switch) for s in x.statements))),
            Cell(x.title),
            Cell(x.source),
        )
        for x in known.lists
    )
    return _listed(texts.LISTS_TITLE, columns, rows, texts.LISTS_NONE)


def declared_list(declared: DeclaredList, known: Knowledge, result: Result | None = None) -> Document:
    """One declared list in full: every statement with the items that it names.

    `result` is what was seen in captures, to be laid beside the list.
    """
    product = known.products[declared.product]
    switches = {switch.id: switch for switch in product.switches}
    blocks: list[Block] = [
        Paragraph(texts.LIST_HEAD.format(kind=declared.kind, effective=declared.effective, source=declared.source))
    ]
    switched = sum(bool(statement.switch) for statement in declared.statements)
    blocks.append(Paragraph(texts.LIST_COUNTS.format(n=len(declared.statements), switched=switched)))
    blocks.extend(Paragraph(note, "dim") for note in (declared.read, declared.note) if note)
    if declared.kind == "policy":
        blocks.append(Paragraph(" ".join(counted_sentences(counted(declared, product), product))))
    if result:
        beside = [x for x in listed(result) if (x.product, x.declared) == (declared.product, declared.id)]
        blocks.extend(listed_section(beside, result) if beside else [Paragraph(words.NOT_APPLIED, "warn")])
    columns = (
        Column(texts.STATEMENT),
        Column(texts.ITEMS),
        Column(texts.WORDING),
        Column(texts.RECIPIENT),
        Column(texts.SWITCH),
        Column(texts.DOCUMENT_PLACE),
    )
    for status, heading in texts.STATUSES.items():
        rows = tuple(_statement_row(s, known) for s in declared.statements if s.status == status)
        if rows:
            blocks += [Heading(heading), Table(columns, rows)]
    if offered := {s.switch for s in declared.statements if s.switch}:
        blocks.append(Heading(texts.SWITCHES_HEADING))
        blocks.append(
            Bullets(
                tuple(
                    texts.SWITCH_POINT.format(id=s.id, label=s.label, where=s.where)
                    for s in switches.values()
                    if s.id in offered
                )
            )
        )
    return Document(f"{product.name}: {declared.title}", tuple(blocks))


def _statement_row(statement: Statement, known: Knowledge) -> tuple[Cell, ...]:
    items = ", ".join(map(known.label, statement.items))
    return (
        Cell(statement.id),
        Cell(items or (texts.DERIVED if statement.derived else texts.NO_ITEM)),
        Cell(statement.wording),
        Cell(", ".join(recipient_label(kind, known) for kind in statement.recipients)),
        Cell(statement.switch),
        Cell(statement.place),
    )


def recipient_label(kind: str, known: Knowledge) -> str:
    """Kind of recipient, or a broader term -> what people read."""
    term = known.ontology.recipients.get(kind)
    return term.label if term else texts.RECIPIENTS[kind]


def _listed(title: str, columns: tuple[Column, ...], rows: tuple[tuple[Cell, ...], ...], none: str) -> Document:
    return Document(title, (Table(columns, rows, one_line=True),) if rows else (Paragraph(none),))
