"""What a page shows of sums beside what other reports do: when calls were made, and some of them one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from analysis import sample
from analysis.classify import classify
from analysis.look import look
from analysis.model import Classified, Finding
from analysis.pipeline import Result
from analysis.sample import Sample
from analysis.spans import spans
from analysis.sums.intake import Intake
from analysis.sums.store import Group, Store
from analysis.traffic import between, is_outside, recipient
from captures.model import Body, Exchange, Observation


def spread(
    calls: Sequence[Classified], groups: Sequence[Group], store: Store, limits: Sequence[float], alone: Sequence[int]
) -> list[Classified]:
    """Calls, the first of groups -> the same with how many were made in each span of time, where a picture shows it.

    `limits` and `alone` are those by which the groups were made.  Raises `sqlite3.Error`.
    """
    drawn = [is_outside(call) and bool(recipient(call)) for call in calls]
    times = [found for call, is_drawn in zip(calls, drawn, strict=True) if is_drawn and (found := between(call))]
    if not times or (first := min(t for t, _ in times)) == (last := max(t for _, t in times)):
        return list(calls)
    counted = store.spread(spans(first, last), limits, alone)
    return [
        structs.replace(call, alike=structs.replace(call.alike, spread=counted[group.kind, group.stretch]))
        if call.alike and is_drawn
        else call
        for call, group, is_drawn in zip(calls, groups, drawn, strict=True)
    ]


def sampled(result: Result, groups: Sequence[Group], store: Store, intake: Intake) -> Sample:
    """A result of the first calls of groups -> the calls that a page shows one by one, without their content.

    Raises `CaptureError` and `sqlite3.Error`.
    """
    kinds: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for call, group in zip(result.calls, groups, strict=True):
        kinds[sample.kind(call)].append(group.kind)
    each = sample.most(result.coverage.calls, len(kinds))
    rows = sorted(row for some in kinds.values() for row in store.first(dict.fromkeys(some), each))
    places = dict(zip(rows, store.before(rows), strict=True))
    calls: list[Classified] = []
    findings: list[Finding] = []
    for row, seen in intake.rows(rows):
        evidence = replace(result.evidence, senders=intake.senders([seen]))
        call = classify(seen, result.knowledge, evidence, places[row])
        findings += look(call, result.knowledge, evidence, result.own).findings
        calls.append(structs.replace(call, observation=_bare(seen)))
    return Sample(tuple(calls), tuple(findings))


def _bare(seen: Observation) -> Observation:
    if not isinstance(seen, Exchange):
        return seen
    return structs.replace(
        seen, query=(), headers=(), cookies=(), body=_EMPTY, response_headers=(), response_body=_EMPTY
    )


_EMPTY = Body()
