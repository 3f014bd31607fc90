"""One call of a result -> the chain from its bytes to the verdicts: what each stage took, left, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.compare import applying
from analysis.compare.scope import Misfit, meant, misfit, scope_of
from analysis.decode import Leaf, decode
from analysis.model import Classified, Comparison, Finding, Verdict
from analysis.pack import DeclaredList, Rule, Statement
from analysis.parties import party_ground
from analysis.pipeline import CaptureInfo, Result
from analysis.rules import Candidate, candidates
from analysis.senders import Sign, signs
from captures.model import Contact, Exchange

_DENIED = frozenset({Verdict.DENIED, Verdict.CONTRADICTORY})

type Why = Misfit | Literal["decided", "applies", "field", "recipient", "beaten"]
"""What a statement about an item has to do with the verdict: it decided; it applies too; it means another field; it
names other recipients; a more special statement goes before it; else why it is not about such calls."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One statement about an item, and what it has to do with the verdict."""

    statement: Statement
    """The statement."""
    why: Why
    """Why it decided, applies or does not."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict on an item of the call."""

    comparison: Comparison
    """The verdict."""
    document: DeclaredList | None
    """The list, promise or documentation by which it was judged; `None` when there is none."""
    weighed: tuple[Weighed, ...]
    """Every statement of it about the item, in its order."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain.  Private."""

    call: Classified
    """The call, as it was classified."""
    capture: CaptureInfo
    """The file in which it stands."""
    candidates: tuple[Candidate, ...]
    """Rules that were tried, the most specific first; the first that fits won."""
    rule: Rule | None
    """The rule that won; `None` when none did."""
    signs: tuple[Sign, ...]
    """What in the call shows its sender, the strongest first; empty when nothing does."""
    party: str
    """By what the party was decided, as a key of `steps.PARTY`."""
    leaves: tuple[Leaf, ...]
    """Every value in it; empty for what could not be read."""
    ran_out: tuple[str, ...]
    """Budgets of decoding that ran out."""
    findings: tuple[Finding, ...]
    """The data items in it."""
    judged: tuple[Judged, ...]
    """The verdicts on them, the worst first."""
    promised: tuple[Judged, ...]
    """What promises say of them."""


def explain(result: Result, n: int) -> Explanation:
    """A result and the number of a call -> the chain.  Raises `KeyError` when no call has that number."""
    call = next((call for call in result.calls if call.n == n), None)
    if call is None:
        raise KeyError(n)
    seen, known = call.observation, result.knowledge
    decoded = decode(seen) if isinstance(seen, Exchange) else None
    tried: Sequence[Candidate] = ()
    if isinstance(seen, Exchange | Contact):
        tried = candidates(seen, known, result.evidence)
    findings = tuple(finding for finding in result.findings if finding.call == n)
    return Explanation(
        call=call,
        capture=result.captures[seen.source.capture],
        candidates=tuple(tried),
        rule=known.rules.get(call.rule),
        signs=tuple(signs(seen, known)) if isinstance(seen, Exchange) else (),
        party=party_ground(call, known, result.evidence),
        leaves=decoded.leaves if decoded else (),
        ran_out=tuple(decoded.ran_out) if decoded else (),
        findings=findings,
        judged=tuple(_judged(result.comparisons, call, findings, result)),
        promised=tuple(_judged(result.promised, call, findings, result)),
    )


def _judged(
    compared: Sequence[Comparison], call: Classified, findings: Sequence[Finding], result: Result
) -> Iterator[Judged]:
    for comparison in compared:
        if call.n in comparison.calls:
            document = result.knowledge.list_of(comparison.product, comparison.declared)
            weighed = _weighed(comparison, document, call, findings, result) if document else ()
            yield Judged(comparison, document, tuple(weighed))


def _weighed(
    comparison: Comparison, document: DeclaredList, call: Classified, findings: Sequence[Finding], result: Result
) -> Iterator[Weighed]:
    known = result.knowledge
    carried: dict[str, set[str]] = {}
    for finding in findings:
        if finding.direction == "sent":
            carried.setdefault(finding.item, set()).add(finding.value)
    such = scope_of(call, carried, known.products.get(call.product), known)
    said = known.about(document, comparison.item)
    places = [f.at for f in findings if f.item == comparison.item and f.direction == "sent"]
    fits = {s.id for at in places for s in applying(said, such, meant(said, at), document, known)}
    for statement in said:
        why: Why = misfit(statement, such, known.ontology)
        recipients = (*statement.recipients, *document.recipients)
        if not why and statement.id not in fits:
            why = "field"
        elif not why and statement.status != "never" and not known.ontology.covers_recipient(recipients, such.kind):
            why = "recipient"
        elif not why and statement.status == "never" and not _DENIED & {comparison.verdict, *comparison.also}:
            why = "beaten"
        if statement.id == comparison.statement:
            why = "decided"
        yield Weighed(statement, why or "applies")
