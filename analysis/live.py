"""Observations as they come -> what is to be seen of them now: calls by purpose, newest items, what stayed closed.

Also the worst verdict of a single call.  Nothing here shows anything, and memory stays flat however long it runs.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from analysis.classify import classify
from analysis.compare import judged
from analysis.compare.alike import judged_by
from analysis.evidence import NO_SERVERS, Evidence, Servers
from analysis.gather import gather
from analysis.knowledge import Knowledge
from analysis.known import OwnValues
from analysis.look import Found, look
from analysis.model import Category, Classified, Comparison, Finding, Verdict
from analysis.occasions import DAY, shown_by
from analysis.texts import Occasion
from analysis.traffic import is_outside, recipient, unread_reason
from captures.model import Exchange, Observation

_NEWEST = 8

_PROOFS = 200
"""Answers that are remembered because they prove something; a newer one of the same call replaces the older."""

_MOST = 1000
"""Different hosts that stayed closed, counted apart."""

_MOST_MET = 1000
_LONGEST_MET = 20_000
"""Judgements that are remembered, and characters of what one depends on: hostile traffic must not fill the memory."""


class Sent(NamedTuple):
    """What one call sent to somebody else.  Private: the recipient may be a host of the household."""

    items: tuple[str, ...]
    """Labels of the items, those with the worst verdict first."""
    recipient: str
    """Who got them."""
    purpose: Category
    """What for."""
    verdict: Verdict
    """The worst that the sender's list says of them, as far as this call alone shows."""


@dataclass(frozen=True, slots=True)
class Now:
    """What is to be seen at this moment.  Private."""

    calls: int
    """Observations so far."""
    purposes: tuple[tuple[Category, int], ...]
    """Calls by purpose, the most frequent first."""
    newest: tuple[Sent, ...]
    """What was sent last to somebody else, the last at the end; the same again is moved there."""
    closed: tuple[tuple[str, str, int], ...]
    """Host, why it could not be read, and how many connections, the most frequent first."""
    occasions: frozenset[Occasion] = frozenset()
    """What happened so far, of what makes products send."""


class Seen(NamedTuple):
    """One call as far as it alone shows.  Private."""

    call: Classified
    """The call."""
    findings: tuple[Finding, ...]
    """What stands in it."""
    comparisons: tuple[Comparison, ...]
    """What the sender's list says of that, the worst first."""
    ran_out: tuple[str, ...]
    """What was not looked at."""


class Watcher:
    """Takes in one observation after the other."""

    def __init__(
        self, knowledge: Knowledge, named: Servers = NO_SERVERS, own: OwnValues | None = None, first: int = 0
    ) -> None:
        """`named` are servers that the user named as the own ones; `own` are his own values, to be searched for;
        `first` is the number of the first call."""
        self._knowledge = knowledge
        self._named = named
        self._own = own
        self._addresses = own.addresses if own else frozenset()
        self._evidence = gather((), knowledge, named, self._addresses)
        self._proofs: OrderedDict[tuple[str, str], Exchange] = OrderedDict()
        self._met: dict[str, tuple[Comparison, ...]] = {}
        self._n = first
        self._purposes: Counter[Category] = Counter()
        self._closed: Counter[tuple[str, str]] = Counter()
        self._newest: deque[Sent] = deque(maxlen=_NEWEST)
        self._occasions: set[Occasion] = set()
        self._first: float | None = None

    def take(self, observation: Observation) -> tuple[str, str] | None:
        """Takes in an observation; gives host and reason the first time that a host cannot be read for it."""
        call = self._classified(observation)
        self._purposes[call.category] += 1
        self._happened(call)
        if sent := self._sent(call):
            if sent in self._newest:
                self._newest.remove(sent)
            self._newest.append(sent)
        reason = unread_reason(call)
        if not reason:
            return None
        key = (observation.host, reason)
        if key not in self._closed and len(self._closed) >= _MOST:
            key = ("other hosts", reason)
        self._closed[key] += 1
        return key if self._closed[key] == 1 else None

    def now(self) -> Now:
        """What is to be seen at this moment."""
        closed = tuple((host, reason, count) for (host, reason), count in self._closed.most_common(6))
        return Now(
            sum(self._purposes.values()),
            tuple(self._purposes.most_common(12)),
            tuple(self._newest),
            closed,
            frozenset(self._occasions),
        )

    def _happened(self, call: Classified) -> None:
        self._occasions.update(shown_by(call, self._knowledge))
        if (time := call.observation.time) is not None:
            self._first = time if self._first is None else min(self._first, time)
            if time - self._first >= DAY:
                self._occasions.add("24-hours")

    @property
    def evidence(self) -> Evidence:
        """What was proven so far."""
        return self._evidence

    def look(self, observation: Observation, n: int | None = None) -> Seen:
        """Takes in an observation, and gives all that it shows; with `n` it is looked at again under that number."""
        former = None if n is None else classify(observation, self._knowledge, self._evidence, n)
        call = former or self._classified(observation)
        found, ran_out = self._found(call)
        return Seen(call, found, self._judged(call, found), ran_out)

    def proves(self, call: Classified) -> bool:
        """Whether a call proves something about the household; what it proves is learned."""
        rule, seen = self._knowledge.rules.get(call.rule), call.observation
        if not (rule and rule.proves and isinstance(seen, Exchange)):
            return False
        self._learn(call.rule, seen)
        return True

    def worst(self, exchange: Exchange) -> Verdict | None:
        """The worst verdict on what an exchange sent, as far as it alone shows; `None` when nothing is judged."""
        sent = self._sent(self._classified(exchange))
        return sent.verdict if sent else None

    def _classified(self, observation: Observation) -> Classified:
        call = classify(observation, self._knowledge, self._evidence, self._n)
        self._n += 1
        if self.proves(call):
            call = classify(observation, self._knowledge, self._evidence, call.n)
        return call

    def _learn(self, rule: str, proof: Exchange) -> None:
        """Servers ask the same every few minutes: only what is new costs a look at all proofs."""
        key = (rule, f"{proof.host}{proof.path}")
        former = self._proofs.get(key)
        self._proofs[key] = proof
        self._proofs.move_to_end(key)
        if len(self._proofs) > _PROOFS:
            self._proofs.popitem(last=False)
        if former is None or former.response_body != proof.response_body:
            self._evidence = gather(tuple(self._proofs.values()), self._knowledge, self._named, self._addresses)
            self._met.clear()

    def _sent(self, call: Classified) -> Sent | None:
        if not is_outside(call) or not isinstance(call.observation, Exchange):
            return None
        findings = [f for f in self._found(call)[0] if f.source != "implied"]
        # The worst comes first.
        said = self._judged(call, findings)
        if not said:
            return None
        items = dict.fromkeys(self._knowledge.items[c.item].label for c in said)
        return Sent(tuple(items), recipient(call), call.category, said[0].verdict)

    def _judged(self, call: Classified, findings: Sequence[Finding]) -> tuple[Comparison, ...]:
        """What lists say of a call.  A household sends the same again and again, and to judge costs more than to look:
        what was said of such a call is remembered."""
        time, switches = call.observation.time, self._evidence.switches
        before = sum(time is not None and state.time <= time for state in switches)
        key = repr((before, judged_by(call, findings)))
        said = self._met.get(key)
        if said is None:
            said = judged((call,), findings, self._knowledge, self._evidence)
            if len(key) <= _LONGEST_MET:
                if len(self._met) >= _MOST_MET:
                    self._met.clear()
                self._met[key] = said
        return tuple(replace(one, calls=(call.n,), look=one.look and (call.n, one.look[1])) for one in said)

    def _found(self, call: Classified) -> Found:
        """What stands in a call, and what was not looked at."""
        return look(call, self._knowledge, self._evidence, self._own)
