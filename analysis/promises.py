"""Result -> were the promises kept?  Rounded, switched off, listed: each with a verdict and one plain paragraph.

A promise stays until it is withdrawn; whether the policy in force repeats it is said beside the verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analysis.model import Attribution, Comparison, Verdict
from analysis.pack import DeclaredList, Statement
from analysis.pipeline import Result
from analysis.sides import GRACE
from analysis.texts import long_date
from analysis.texts import promises as words
from analysis.traffic import is_outside, is_readable

if TYPE_CHECKING:
    from analysis.generalise import Generalised
    from analysis.optout import ItemRow, OptOut

type Kind = Literal["rounded", "switched-off", "listed"]
"""What was promised: numbers are rounded; a switch stops it; all of it is listed."""

type Judgement = Literal["kept", "broken", "not-in-force", "cannot-tell"]
"""Kept or broken, as far as was seen; promised, but no longer in the policy in force; cannot tell."""

_KINDS: tuple[Kind, ...] = ("rounded", "switched-off", "listed")

_GUESSED = (Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, judged by what was seen.  Holds no captured value."""

    product: str
    """Pack id of whose promise it is."""
    kind: Kind
    """What was promised."""
    made: str
    """Id of the list in which it stands: its date, `YYYY-MM-DD`."""
    verdict: Judgement
    """Whether it was kept."""
    repeated: bool | None
    """Whether the policy in force says so too; `None` when there is none."""
    policy: str
    """Date of that policy; empty when there is none."""
    text: str
    """One paragraph for a layman."""


def promises(result: Result, *, grace: float = GRACE, numbers: Generalised | None = None) -> tuple[Promise, ...]:
    """A result -> the promises of all products that surely sent something, by product, in the order of `Kind`.

    `grace` are the seconds after a change of a switch that are left out; `numbers` is what `generalise` says, if the
    caller has it.  Empty when nobody promised anything.
    """
    senders = {
        call.product
        for call in result.calls
        if call.product and call.attribution not in _GUESSED and is_outside(call) and is_readable(call)
    }
    made = [x for x in result.knowledge.lists if x.kind == "promise" and x.product in senders]
    return tuple(
        _judged(made_list, kind, statements, result, grace, numbers)
        for made_list in made
        for kind in _KINDS
        if (statements := [s for s in made_list.statements if s.promise == kind])
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    verdict: Judgement
    why: str


def _judged(
    promise: DeclaredList,
    kind: Kind,
    statements: Sequence[Statement],
    result: Result,
    grace: float,
    numbers: Generalised | None,
) -> Promise:
    policy = _in_force(promise.product, result)
    repeated = _repeated(kind, statements, policy) if policy else None
    match kind:
        case "rounded":
            answer = _rounded(promise.product, statements, result, numbers)
        case "switched-off":
            answer = _switched_off(promise.product, statements, policy, result, grace)
        case "listed":
            answer = _listed(promise.product, policy, result)
    verdict: Judgement = answer.verdict
    if verdict == "cannot-tell" and repeated is False:
        verdict = "not-in-force"
    product = result.knowledge.products[promise.product].name
    parts = [
        words.PROMISED[kind].format(product=product, date=long_date(promise.effective)),
        words.JUDGED[verdict].format(why=answer.why),
    ]
    if policy:
        in_part = words.REPEATED_IN_PART if verdict == "not-in-force" else words.REPEATED[kind]
        said = in_part if repeated else words.NOT_REPEATED
        parts.append(said.format(date=long_date(policy.effective)))
    return Promise(
        product=promise.product,
        kind=kind,
        made=promise.id,
        verdict=verdict,
        repeated=repeated,
        policy=policy.id if policy else "",
        text=" ".join(parts),
    )


def _in_force(product: str, result: Result) -> DeclaredList | None:
    """The policy by which the product was judged."""
    dates = [c.declared for c in result.comparisons if c.product == product and c.declared]
    return result.knowledge.in_force(product, "", max(dates, default=""))


def _repeated(kind: Kind, statements: Sequence[Statement], policy: DeclaredList) -> bool:
    items = {item for s in statements for item in s.items}
    about = [s for s in policy.statements if s.status != "never" and items & set(s.items)]
    match kind:
        case "rounded":
            return any(s.rounding for s in about)
        case "switched-off":
            switches = {s.switch for s in statements}
            return any(s.status == "optional" and s.switch in switches for s in about)
        case "listed":
            return any(s.items for s in policy.statements if s.status != "never")


def _named(items: Collection[str], result: Result) -> str:
    known = result.knowledge.items
    return ", ".join(sorted(known[item].label if item in known else item for item in items))


def _rounded(product: str, statements: Sequence[Statement], result: Result, numbers: Generalised | None) -> _Answer:
    """By the numbers that were sent: one that is shown not to be rounded breaks it."""
    wanted = {(item, category) for s in statements for item in s.items for category in s.categories}
    category = {call.n: call.category for call in result.calls}
    sent = {(f.item, category[f.call]) for f in result.findings if f.direction == "sent" and f.call in category}
    if not wanted & sent:
        return _Answer("cannot-tell", words.NO_NUMBERS)
    from analysis.generalise import generalise  # NumPy, which only a capture with such numbers needs

    # Zero is what it is in any rounding.
    about = [
        q
        for q in (numbers or generalise(result)).quantities
        if q.product == product
        and any(q.numbers)
        and any((q.item, category[n]) in wanted for n in q.calls if n in category)
    ]
    fine = {q.item for q in about if q.verdict == "not-rounded"}
    coarse = {q.item for q in about if q.verdict == "rounded"} - fine
    open_ = {q.item for q in about} - fine - coarse
    if fine:
        return _Answer("broken", words.NUMBERS_FINE.format(items=_named(fine, result)))
    if coarse and not open_:
        return _Answer("kept", words.NUMBERS_ROUNDED.format(items=_named(coarse, result)))
    if coarse:
        said = words.NUMBERS_PARTLY.format(items=_named(coarse, result), rest=_named(open_, result))
        return _Answer("cannot-tell", said)
    return _Answer("cannot-tell", words.NUMBERS_OPEN)


def _switched_off(
    product: str, statements: Sequence[Statement], policy: DeclaredList | None, result: Result, grace: float
) -> _Answer:
    """By what was sent with the switch off: nothing of it, or else what the policy in force does not call required."""
    items = {item for s in statements for item in s.items}
    switches = {s.switch for s in statements}
    states = [s for s in result.evidence.switches if s.product == product and s.switch in switches]
    if not any(not state.on for state in states):
        return _Answer("cannot-tell", words.SWITCH_NOT_OFF if states else words.SWITCH_NOT_SEEN)
    from analysis.optout import optout  # which only a switch that was turned needs

    found = optout(result, grace=grace)
    if not any(change.product == product and change.switch in switches for change in found.changes):
        shown = optout(result, off=range(len(result.captures)), grace=grace)
        return _always_off(shown, items, statements, policy, result)
    rows = list(_rows(found, product, items, statements))
    stopped = {row.item for row in rows if _stopped(row, statements)}
    on = {row.item for row in rows if _after(row, statements)}
    if on:
        return _went_on(on, stopped, statements, policy, result)
    if stopped and len(stopped) == len(rows):
        return _Answer("kept", words.ALL_STOPPED.format(items=_named(stopped, result)))
    return _Answer("cannot-tell", words.NOT_TESTED.format(before=found.plays[0], after=found.plays[1]))


def _rows(found: OptOut, product: str, items: Collection[str], statements: Sequence[Statement]) -> Iterator[ItemRow]:
    categories = {category for s in statements for category in s.categories}
    return (
        row
        for row in found.items
        if row.product == product and row.item in items and any(r.category in categories for r in row.rows)
    )


def _after(row: ItemRow, statements: Sequence[Statement]) -> int:
    """Calls with the switch off that the promise is about."""
    categories = {category for s in statements for category in s.categories}
    return sum(r.after for r in row.rows if r.category in categories)


def _stopped(row: ItemRow, statements: Sequence[Statement]) -> bool:
    """Whether it stopped in all calls that the promise is about."""
    categories = {category for s in statements for category in s.categories}
    return {r.verdict for r in row.rows if r.category in categories} == {"stopped"}


def _always_off(
    found: OptOut, items: Collection[str], statements: Sequence[Statement], policy: DeclaredList | None, result: Result
) -> _Answer:
    """The switch was off the whole time: what was sent broke the promise; that nothing was sent shows little."""
    product = policy.product if policy else ""
    on = {row.item for row in _rows(found, product, items, statements) if _after(row, statements)}
    if on:
        return _went_on(on, set(), statements, policy, result)
    return _Answer("cannot-tell", words.NEVER_ON.format(plays=found.plays[1]))


def _went_on(
    on: set[str],
    stopped: set[str],
    statements: Sequence[Statement],
    policy: DeclaredList | None,
    result: Result,
) -> _Answer:
    """What was sent all the same: broken, but for what the policy in force calls required."""
    categories = {category for s in statements for category in s.categories}
    required = {
        item
        for s in (policy.statements if policy else ())
        if s.status == "required" and (not s.categories or categories & set(s.categories))
        for item in s.items
    }
    said = words.SOME_STOPPED.format(items=_named(stopped, result)) if stopped else ""
    if broken := on - required:
        return _Answer("broken", said + words.WENT_ON.format(items=_named(broken, result)))
    return _Answer("not-in-force", said + words.WENT_ON_REQUIRED.format(items=_named(on, result)))


def _listed(product: str, policy: DeclaredList | None, result: Result) -> _Answer:
    """By what was sent and is in no list."""
    mine = [c for c in result.comparisons if c.product == product and c.sure and c.verdict is not Verdict.NOT_SEEN]
    if policy is None:
        return _Answer("broken" if mine else "cannot-tell", words.NO_POLICY)
    lacking = {c.item for c in mine if _is_lacking(c)}
    if lacking:
        return _Answer("broken", words.NOT_LISTED.format(items=_named(lacking, result)))
    if not mine:
        return _Answer("cannot-tell", words.NOTHING_COMPARED)
    coverage = result.coverage
    if coverage.recipients_unreadable or coverage.unknown_category or coverage.dropped:
        return _Answer("cannot-tell", words.LISTED_AS_FAR)
    return _Answer("kept", words.ALL_LISTED.format(n=len({c.item for c in mine})))


def _is_lacking(c: Comparison) -> bool:
    return c.verdict in (Verdict.UNDECLARED, Verdict.DENIED)
