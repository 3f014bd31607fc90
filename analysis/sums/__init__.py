"""The report of a ledger from sums: of many calls alike one is looked at, with how many they are.

| module | knows |
|---|---|
| `alike` | which calls are alike, and which stand alone |
| `store` | the tables in the index beside the ledger |
| `intake` | rows of the ledger -> these tables, also when something else is true of earlier rows since |
| `shown` | what a page shows beside: when calls were made, and some of them one by one |

It says what `pipeline.run` would say of the same ledger, but for which calls it was: `Result.calls` holds the first of
each kind, with what it stands for in `Classified.alike`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from analysis import VERSION, sample
from analysis.classify import classify
from analysis.evidence import Evidence, Servers
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.look import Found, look
from analysis.model import Alike, Classified, Finding
from analysis.pipeline import CaptureInfo, Result, concluded, few_collections
from analysis.privates import Private
from analysis.sums import shown
from analysis.sums.intake import DamagedError, Intake
from analysis.sums.store import FORM, Group, Store, decoded
from captures import ledger
from captures.model import Capture, CaptureError, Contact, Exchange, Lookup

if TYPE_CHECKING:
    from analysis.known import OwnValues


def summed(
    capture: Capture,
    path: Path,
    knowledge: Knowledge,
    index: Index,
    *,
    declared: str = "",
    named: Servers,
    keep: Callable[[Classified], bool] | None = None,
    within: Callable[[float | None], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
    own: OwnValues | None = None,
    page: bool = False,
) -> Result | None:
    """A ledger -> what reports say of it, as `pipeline.run`; `None` where that has to be asked.

    That is so for a damaged ledger, when the index cannot be used, and where a switch was seen to be off of which it
    was promised what it stops: whether it did is shown by all calls, one by one.  `keep` may choose by what all calls
    of a kind have in common, `within` by the time of each.  `page`: with what a page shows beside (`Result.sample`,
    `Alike.spread`), unless it shows every call.
    """
    if index.connection is None:
        return None
    index.knows(own)
    try:
        if page and ledger.newest(path) <= sample.ALL:
            return None
        ledger.counters(path)
        store = Store(index.connection, _circumstances(knowledge, own, index.identity))
        intake = Intake(store, path, index, knowledge, named, own)
        with few_collections():
            intake.all(progress)
            if within:
                store.choose(within)
            return _result(capture, store, intake, index, knowledge, declared, keep, own, page=page)
    except (
        sqlite3.Error,
        CaptureError,
        DamagedError,
        OverflowError,
        ValueError,
        IndexError,
        msgspec.MsgspecError,
    ) as error:
        index.told(error)
        return None


def _circumstances(knowledge: Knowledge, own: OwnValues | None, identity: bytes) -> str:
    facts = (FORM, VERSION, sorted(knowledge.hashes.items()), own.revision if own else "", identity)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _result(
    capture: Capture,
    store: Store,
    intake: Intake,
    index: Index,
    knowledge: Knowledge,
    declared: str,
    keep: Callable[[Classified], bool] | None,
    own: OwnValues | None,
    *,
    page: bool,
) -> Result | None:
    switches = store.switches()
    if any(not state.on and (state.product, state.switch) in _promised(knowledge) for state in switches):
        return None
    first, last, count = store.span()
    limits = _limits(knowledge, [state.time for state in switches], first, last)
    alone = store.slowest()
    groups = store.groups(limits, alone)
    seen = dict(intake.rows([group.first for group in groups]))
    senders = intake.senders(seen.values())
    evidence = replace(intake.evidence, senders=senders, aliases=store.aliases(), switches=switches)
    moments = _moments(store, limits, alone)
    calls: list[Classified] = []
    kept: list[Group] = []
    findings: list[Finding] = []
    ran_out: Counter[str] = Counter()
    for group in groups:
        call = classify(seen[group.first], knowledge, evidence, group.first)
        if keep and not keep(call):
            continue
        # What stands alone has values of its own; those of a kind are the values of the first that was met.
        packed = b"" if group.stretch[1] else store.found(group.kind)
        found = _found(call, packed, index, knowledge, evidence, own)
        calls.append(_standing_for(call, group, moments.get((group.kind, group.stretch)), store))
        kept.append(group)
        findings += found.findings
        ran_out.update(dict.fromkeys(found.ran_out, group.calls))
    info = CaptureInfo(
        capture.name, "", capture.format, first, last, count, capture.remarks, capture.dropped, capture.effects
    )
    if page:
        calls = shown.spread(calls, kept, store, limits, alone)
    result = concluded([capture], (info,), calls, findings, ran_out, knowledge, evidence, own, declared)
    return replace(
        result,
        sample=shown.sampled(result, kept, store, intake) if page else None,
        brief=frozenset(_privates(store, index)),
    )


def _privates(store: Store, index: Index) -> Iterator[Private]:
    """What must not be posted, as far as it is brief."""
    for value, known, what, any_length in store.hidden():
        yield Private(index.named(value) if known else value, what, any_length)


_NO_DAY = (-62_135_596_800.0, 0.0, 5e-324, 253_402_300_800.0)
"""Before the year 1, at zero itself and after the year 9999 a call has no day (`compare.day_of`)."""


def _limits(knowledge: Knowledge, turns: Sequence[float], first: float | None, last: float | None) -> list[float]:
    """Moments from which on something else applies: another document, another state of a switch."""
    days = {day for known in knowledge.lists for day in (known.effective, known.withdrawn) if day}
    begins = [dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp() for day in days]
    every = (*turns, *begins, *_NO_DAY)
    return sorted({moment for moment in every if first is not None and last is not None and first <= moment <= last})


def _promised(knowledge: Knowledge) -> set[tuple[str, str]]:
    """Switches of which somebody promised what they stop."""
    promises = (known for known in knowledge.lists if known.kind == "promise")
    return {(known.product, s.switch) for known in promises for s in known.statements if s.promise == "switched-off"}


type _Which = tuple[int, tuple[int, int]]

type _Moments = tuple[array[int], array[float]]


def _moments(store: Store, limits: Sequence[float], alone: Sequence[int]) -> Mapping[_Which, _Moments]:
    """Kind and stretch of time -> its rows and their times, where it matters."""
    found: dict[_Which, _Moments] = defaultdict(lambda: (array("q"), array("d")))
    for kind, stretch, row, time in store.timed(limits, alone):
        rows, times = found[kind, stretch]
        rows.append(row)
        times.append(float("nan") if time is None else time)
    return found


def _found(
    call: Classified, packed: bytes, index: Index, knowledge: Knowledge, evidence: Evidence, own: OwnValues | None
) -> Found:
    try:
        return index.unpacked(packed, call.n)
    except (msgspec.MsgspecError, ValueError, IndexError):
        return look(call, knowledge, evidence, own)


def _standing_for(call: Classified, group: Group, moments: _Moments | None, store: Store) -> Classified:
    """The first call of a group, with what the others have."""
    seen = call.observation
    if isinstance(seen, Exchange | Contact | Lookup):
        seen = structs.replace(seen, bytes_out=group.bytes_out, bytes_in=group.bytes_in)
    addresses = tuple(sorted(decoded(store.text(server)) for server in group.servers))
    rows, times = moments or (array("q"), array("d"))
    one_path = group.paths[0] == group.paths[1]
    stands = Alike(group.calls, addresses, group.open, rows, times, one_path, group.times)
    return structs.replace(call, observation=seen, alike=stands)
