"""Rows of a ledger -> the tables of the sums: new ones, and those of which something else is true since.

What a row proves is learned before the rows that came with it are judged; what it proves about earlier rows (a server
turns out to be the user's own, a connection to be an app's) has these judged again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analysis.classify import classify
from analysis.evidence import Evidence, Servers, SwitchState
from analysis.gather import conclude
from analysis.index import Index
from analysis.knowledge import Knowledge
from analysis.look import Found, look
from analysis.model import Attribution, Classified
from analysis.parallel import mapped
from analysis.parties import judged_host
from analysis.privates import is_brief, of_call, of_finding
from analysis.proofs import Proof, Prover, alias, sender_shown, switch_states
from analysis.sums import alike
from analysis.sums.store import (
    CONTACT,
    EXCHANGE,
    LOOKUP,
    UNREADABLE,
    Brief,
    Row,
    Store,
    client_text,
    decoded,
    encoded,
    path_number,
    place_text,
)
from analysis.traffic import milliseconds
from captures import ledger
from captures.join import NEAR, named, names
from captures.model import Contact, Endpoint, Exchange, Lookup, Observation, Unreadable

if TYPE_CHECKING:
    from analysis.known import OwnValues

_MOST_ROWS, _MOST_BYTES = 10_000, 32 * 1024 * 1024
"""Rows, and bytes of their bodies, that are taken in together."""

_TYPES: dict[type, int] = {Exchange: EXCHANGE, Contact: CONTACT, Lookup: LOOKUP, Unreadable: UNREADABLE}

_UNSHOWN = (Attribution.NEIGHBOUR, Attribution.UNKNOWN)

_NOTHING_KNOWN = Evidence()

type Numbered = tuple[int, Observation]
"""A row of a ledger."""


class DamagedError(Exception):
    """The ledger is damaged in a way that only reading it as a whole deals with."""


class Judged(NamedTuple):
    """What becomes of one row."""

    key: bytes
    """Of its kind."""
    found: bytes
    """What was found in it, packed; empty when its kind was met."""
    addresses: tuple[str, ...]
    """See `alike.addresses`; likewise."""
    timed: bool
    """See `alike.is_timed`."""
    waits: bool
    lag: float | None
    states: tuple[SwitchState, ...]
    """Switches whose state it shows."""
    briefs: tuple[Brief, ...]
    """What must not be posted of it, as far as it is brief and was not met."""


class Intake:
    """Takes in rows."""

    def __init__(
        self, store: Store, path: Path, index: Index, knowledge: Knowledge, named: Servers, own: OwnValues | None
    ) -> None:
        """`path` is the ledger, `index` packs what is found, `named` are the user's servers, `own` his values."""
        self._store, self._path, self._index = store, path, index
        self._knowledge, self._named, self._own = knowledge, named, own
        self._prover = Prover(knowledge)
        self._places = {number for number, _, _ in store.places()}
        self.evidence = self._concluded()

    def all(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Takes in what is new.  Raises `sqlite3.Error`, `CaptureError` and `DamagedError`."""
        taken = int(self._store.about("taken") or b"0")
        # The user may have named other servers since.
        with self._store.together():
            self._judge(self._of_places(), ())
        end = ledger.newest(self._path)
        for rows in _together(ledger.read(self._path, taken), taken):
            with self._store.together():
                self._take(rows)
                self._store.say("taken", b"%d" % rows[-1][0])
            if progress:
                progress(rows[-1][0] - taken, max(end, rows[-1][0]) - taken)

    def _take(self, rows: Sequence[Numbered]) -> None:
        clients, addresses = self._learn(rows)
        again = self._store.rows_where("client", clients, "AND waits")
        again += self._store.rows_where("unnamed", addresses)
        if (evidence := self._concluded()) != self.evidence:
            self.evidence = evidence
            again += self._of_places()
        self._judge(again, rows)

    def rows(self, numbers: Iterable[int]) -> Iterator[Numbered]:
        """Rows of the ledger by their numbers, with the names of connections.  Raises `CaptureError`."""
        return (self._named_row(row)[:2] for row in ledger.rows(self._path, numbers))

    def _concluded(self) -> Evidence:
        return conclude(self._store.proofs(), self._named, self._own.addresses if self._own else ())

    def _learn(self, rows: Sequence[Numbered]) -> tuple[set[int], set[int]]:
        """Rows -> clients whose sender is another one now, and addresses with a new name."""
        proofs: dict[Proof, tuple[int, int]] = {}
        shown: set[tuple[Endpoint, str]] = set()
        asked: dict[str, str] = {}
        aliases: dict[str, str] = {}
        for number, seen in rows:
            if isinstance(seen, Exchange):
                call = classify(seen, self._knowledge, _NOTHING_KNOWN, number)
                for proof in self._prover.proofs(call):
                    proofs[proof] = proofs.get(proof, (number, 0))[0], number
                if sender := sender_shown(call):
                    shown.add(sender)
            elif isinstance(seen, Lookup):
                asked.update(dict.fromkeys(names(seen), seen.host))
                if name := alias(seen):
                    aliases[seen.host] = name
        store = self._store
        store.prove(proofs)
        for host, name in aliases.items():
            store.alias(store.number(encoded(host)), store.number(encoded(name)))
        return set(self._senders(shown)), set(self._names(asked))

    def _senders(self, shown: Iterable[tuple[Endpoint, str]]) -> Iterator[int]:
        for client, product in shown:
            number = self._store.number(client_text(client))
            former = self._store.products(number)
            if product not in former:
                self._store.show_sender(number, product)
                if len(former) < 2:  # two are as good as none, and so are three
                    yield number

    def _names(self, asked: Mapping[str, str]) -> Iterator[int]:
        for address, host in asked.items():
            number, name = self._store.number(encoded(address)), encoded(host)
            if self._store.host_of(number) != name:
                self._store.name_address(number, self._store.number(name))
                yield number

    def _of_places(self) -> list[int]:
        """Rows at places that are judged otherwise by the evidence as it is now, and rows that name such addresses."""
        store = self._store
        judged = [(number, how) for number, of, before in store.places() if (how := self._place(*of)) != before]
        store.judge_places(judged)
        found = store.rows_where("place", (number for number, _ in judged))
        ours = self.evidence.public_addresses | self.evidence.own.hosts
        before = frozenset(ast.literal_eval(store.about("ours").decode() or "()"))
        if ours != before:
            found += store.mentioning(ours ^ before)
            store.say("ours", repr(sorted(ours)).encode())
        return found

    def _place(self, kind: int, host: str, port: int) -> bytes:
        """Everything about a place that depends on the evidence."""
        if kind == LOOKUP:
            return b"%d" % (host in self.evidence.public_addresses)
        judged = judged_host(host, port, self._knowledge, self.evidence, seen_whole=kind == EXCHANGE)
        return repr(judged).encode()

    def _judge(self, again: Iterable[int], new: Sequence[Numbered]) -> None:
        """Rows of these numbers that were judged before, and new ones -> what is kept of them."""
        numbers = iter(sorted(set(again)))
        while some := list(islice(numbers, _MOST_ROWS)):
            self._keep([self._named_row(row) for row in ledger.rows(self._path, some)])
        if new:
            self._keep([self._named_row(row) for row in new])

    def _named_row(self, row: Numbered) -> tuple[int, Observation, int | None]:
        """A row, with its name if it is a connection of which only the address is known, and the number of that."""
        number, seen = row
        if not isinstance(seen, Contact) or seen.name_source != "address":
            return number, seen, None
        address = self._store.number(encoded(seen.host))
        name = self._store.host_of(address)
        return number, named(seen, decoded(name) if name else None), address

    def _keep(self, rows: Sequence[tuple[int, Observation, int | None]]) -> None:
        evidence = replace(self.evidence, senders=self.senders(seen for _, seen, _ in rows))
        store, kept = self._store, []

        def judge(row: tuple[int, Observation, int | None]) -> Judged:
            return self._judged(row[0], row[1], evidence)

        states: list[tuple[int, SwitchState]] = []
        briefs: list[Brief] = []
        for (number, seen, address), judged in zip(rows, mapped(judge, rows, Judged), strict=True):
            kind = store.kind(judged.key, judged.found, judged.addresses, timed=judged.timed)
            kept.append(self._row(number, seen, address, kind, judged))
            states += ((number, state) for state in judged.states)
            briefs += judged.briefs
        store.put(kept, states)
        store.hide(briefs)
        contacts = [row.id for row in kept if row.type == CONTACT]
        store.fold([*contacts, *store.contacts_beside([row for row in kept if row.type == EXCHANGE])], NEAR)

    def senders(self, seen: Iterable[Observation]) -> dict[Endpoint, str]:
        """Observations -> the one product that showed itself on each of their connections, where there is one."""
        found: dict[Endpoint, str] = {}
        for client in {one.client for one in seen if isinstance(one, Exchange | Contact) and one.client}:
            number = self._store.known(client_text(client))
            products = self._store.products(number) if number is not None else ()
            if len(products) == 1:
                found[client] = products[0]
        return found

    def _judged(self, number: int, seen: Observation, evidence: Evidence) -> Judged:
        call = classify(seen, self._knowledge, evidence, number)
        found = look(call, self._knowledge, evidence, self._own)
        states: tuple[SwitchState, ...] = ()
        if (rule := self._knowledge.rules.get(call.rule)) and rule.switches:
            states = tuple(switch_states(call, self._knowledge, evidence))
        key = alike.key(call, found.findings, found.ran_out, self._knowledge)
        new = key not in self._store.kinds
        return Judged(
            key=key,
            found=self._index.packed(found) if new else b"",
            addresses=tuple(alike.addresses(found.findings)) if new else (),
            timed=alike.is_timed(call, self._knowledge),
            waits=call.attribution in _UNSHOWN and isinstance(seen, Exchange | Contact),
            lag=alike.lag(call, found.findings, self._knowledge),
            states=states,
            briefs=tuple(brief for brief in self._briefs(call, found) if brief not in self._store.briefs),
        )

    def _briefs(self, call: Classified, found: Found) -> Iterator[Brief]:
        """What must not be posted of a call, as far as it is brief."""
        for private in set(of_call(call)):
            if is_brief(private):
                yield Brief(private.value, False, private.what, private.any_length)
        for finding in found.findings:
            if (value := of_finding(finding, self._knowledge)) and is_brief(value):
                known = finding.source == "known"
                kept = self._index.numbered(value.value) if known else value.value
                yield Brief(kept, known, value.what, value.any_length)

    def _row(self, number: int, seen: Observation, address: int | None, kind: int, judged: Judged) -> Row:
        store, type_ = self._store, _TYPES[type(seen)]
        client = None if isinstance(seen, Unreadable) else seen.client
        server = None if isinstance(seen, Unreadable) else seen.server
        port = seen.port if isinstance(seen, Exchange) else server.port if server and type_ == CONTACT else 0
        host = (server.address if server else "") if type_ == LOOKUP else seen.host
        place = store.number(place_text(type_, host, port))
        if place not in self._places:
            self._places.add(place)
            store.judge_places([(place, self._place(type_, host, port))])
        at_end = client is not None and client.port != 0
        return Row(
            id=number,
            type=type_,
            kind=kind,
            folded=0,
            time=seen.time,
            end=seen.end if isinstance(seen, Contact) else None,
            place=place,
            device=store.number(encoded(seen.device)),
            client=store.number(client_text(client)) if client and at_end and type_ != LOOKUP else None,
            waits=judged.waits,
            unnamed=address,
            carrier=None if at_end or type_ != CONTACT else store.number(place_text(EXCHANGE, host, port)),
            bytes_out=0 if isinstance(seen, Unreadable) else seen.bytes_out,
            bytes_in=0 if isinstance(seen, Unreadable) else seen.bytes_in,
            open=milliseconds(seen),
            server=store.number(encoded(server.address)) if server and type_ in (EXCHANGE, CONTACT) else None,
            lag=judged.lag,
            path=path_number(seen.path) if isinstance(seen, Exchange) else 0,
        )


def _together(rows: Iterable[Numbered], last: int) -> Iterator[list[Numbered]]:
    """Rows after row `last` -> some at a time, so that they do not fill the memory.  Raises `DamagedError`."""
    some: list[Numbered] = []
    size = 0
    for number, seen in rows:
        if number <= last:  # what stands on a damaged page has no numbers
            raise DamagedError
        last = number
        some.append((number, seen))
        if isinstance(seen, Exchange):
            size += len(seen.body.content or b"") + len(seen.response_body.content or b"")
        if len(some) >= _MOST_ROWS or size > _MOST_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some
