"""Classified -> findings: which data items a call carries, and where."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis.decode import Decoded, Leaf, decode
from analysis.evidence import Evidence
from analysis.knowledge import Knowledge
from analysis.model import Classified, Direction, Finding, FindingSource, Party
from analysis.names import NameTable
from analysis.places import FILLERS, Field, Place, is_wanted, rule_places
from analysis.shapes import is_address, label, shapes
from captures.model import Contact, Exchange, Lookup

if TYPE_CHECKING:
    from analysis.known import Sighting

_REACHED = (Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN)


def extract(
    classified: Classified,
    knowledge: Knowledge,
    evidence: Evidence,
    decoded: Decoded | None = None,
    sightings: Iterable[Sighting] = (),
) -> tuple[Finding, ...]:
    """One classified call -> its findings, in the order of the leaves, each (item, place, value) once; never raises.

    At one place a rule outranks a well-known name, and that the shape of the value; an id that is a MAC address in
    disguise is both.  The sender's public address reaches every recipient outside, though it stands in no bytes
    (`implied`).  `decoded` are the call's leaves if they are known already; `sightings` are the user's own values in
    it: they come last, and only where that was not said before.  Empty for what could not be read.
    """
    call = classified.observation
    found: dict[tuple[str, str, str], Finding] = {}
    # Behind a reverse proxy the own server's answers leave the house, and what a visitor asks comes in.
    visit = isinstance(call, Exchange | Contact) and call.initiator == "outside"

    def add(leaf: Leaf, item: str, value: str, source: FindingSource, evidence: str = "") -> None:
        at = leaf.at
        if (item, at, value) not in found:
            direction: Direction = "sent" if at.startswith("response.") == visit else "received"
            finding = Finding(classified.n, direction, item, at, value, leaf.encodings, source, evidence)
            found[item, at, value] = finding

    if isinstance(call, Exchange):
        leaves = (decoded or decode(call)).leaves
        for leaf, labels in _labelled(leaves, call, classified, knowledge, evidence):
            for item, value, source in labels:
                add(leaf, item, value, source)
    elif isinstance(call, Contact | Lookup):
        leaf = Leaf("host", call.host)
        for item, value in _by_shape(leaf, leaf.at, [], classified, evidence):
            add(leaf, item, value, "pattern")
    for seen in sightings:
        if _is_news(seen, found.values(), classified, knowledge):
            add(Leaf(seen.at, seen.value, seen.encodings), seen.item, seen.value, "known", seen.evidence)
        elif seen.evidence:
            for key, finding in found.items():
                if finding.at == seen.at and finding.item == seen.item and not finding.evidence:
                    found[key] = replace(finding, evidence=seen.evidence)
    if classified.party in _REACHED and isinstance(call, Exchange | Contact) and call.initiator == "inside":
        line = next(iter(evidence.public_addresses)) if len(evidence.public_addresses) == 1 else ""
        add(Leaf("", line), "net.public_ip", line, "implied")
    return tuple(found.values())


type _Labels = list[tuple[str, str, FindingSource]]


@dataclass(slots=True)
class _Met:
    """What leaves were met, and what was said of them: a client sends the same headers with each call."""

    evidence: Evidence
    labels: dict[tuple[str, str, Party], dict[Leaf, _Labels]]
    """Rule, role of the sender, party -> leaf -> labels, where nothing else in the call matters."""
    count: int = 0


_MOST_MET = 50_000
_LONGEST_MET = 300
"""Leaves that are remembered, and characters of place and value of one: hostile traffic must not fill the memory."""


@functools.lru_cache(maxsize=4)
def _met(knowledge: Knowledge) -> _Met:  # noqa: ARG001  one for each
    return _Met(Evidence(), {})


def _labelled(
    leaves: Iterable[Leaf], call: Exchange, classified: Classified, knowledge: Knowledge, evidence: Evidence
) -> Iterator[tuple[Leaf, _Labels]]:
    """Leaves of a call -> what rules, names and shapes say of each; those of which nothing is said are left out."""
    met = _met(knowledge)
    if met.evidence is not evidence:
        # What is said depends on which addresses are the household's own.
        same = met.evidence.public_addresses == evidence.public_addresses and met.evidence.own == evidence.own
        met.evidence, met.count = evidence, met.count if same else _MOST_MET + 1
    if met.count > _MOST_MET:
        met.count = 0
        met.labels.clear()
    known = met.labels.setdefault((classified.rule, classified.role, classified.party), {})
    looked = _Look(call, classified, knowledge, evidence, leaves)
    for leaf in leaves:
        labels = known.get(leaf)
        if labels is None:
            labels = looked.labels(leaf)
            if not looked.around() and len(leaf.at) <= _LONGEST_MET and len(leaf.value) <= _LONGEST_MET:
                known[leaf] = labels
                met.count += 1
        if labels:
            yield leaf, labels


class _Look:
    """One call's leaves, looked at one by one."""

    def __init__(
        self, call: Exchange, classified: Classified, knowledge: Knowledge, evidence: Evidence, leaves: Iterable[Leaf]
    ) -> None:
        self._call, self._classified, self._evidence = call, classified, evidence
        self._table = _table(knowledge)
        self._places = rule_places(knowledge)[classified.rule]
        self._context = _Context(call)
        self._around = self._table.among(tuple(leaves), classified.role, classified.party)

    def around(self) -> bool:
        """Whether the last leaf's labels depend on more of the call than rule, role and party."""
        return self._context.asked or self._around.asked

    def labels(self, leaf: Leaf) -> _Labels:
        """At one place a rule outranks a well-known name, and that the shape of the value."""
        self._context.asked = self._around.asked = False
        place = self._places[leaf.at]
        labelled = self._named(leaf, place)
        labels: _Labels = [(label(item, value, self._evidence), value, source) for item, value, source in labelled]
        known = [item for item, _, _ in labelled if item not in self._table.free_text]
        if not known:
            labels += [(item, value, "pattern") for item, value in self._table.forms(leaf)]
        if place.shaped and not leaf.peeled:
            shown = _by_shape(leaf, place.name, known, self._classified, self._evidence)
            labels += [(item, value, "pattern") for item, value in shown]
        return labels

    def _named(self, leaf: Leaf, place: Place) -> _Labels:
        """What the rule, or else a name, says of a leaf."""
        value = leaf.value
        if parts := self._places.parts(leaf.at, value):
            return [(item, part, "rule") for item, part in parts]
        if value in FILLERS:
            return []
        if named := [item for item, only, never in place.items if is_wanted(value, only, never)]:
            return [(item, value, "rule") for item in named]
        for entry in place.fields:
            if _holds(entry, value, self._context):
                return [(entry.server_item if self._classified.role == "server" else entry.item, value, "name")]
        if place.item:
            return [(place.item, value, "name")]
        if self._is_own_page(leaf):
            return []
        return [(item, text, "name") for item, text in self._table.labels(leaf, self._around)]

    def _is_own_page(self, leaf: Leaf) -> bool:
        """Whether a Referer names no page (Origin says as much), or one of the recipient's own."""
        if leaf.at != "header.referer":
            return False
        self._context.asked = True
        site, _, page = leaf.value.partition("://")[2].partition("/")
        return not page or site.partition(":")[0].lower() == self._call.host


class _Context:
    """Headers and parameters of a call, on which the meaning of one of them may depend."""

    __slots__ = ("_call", "_values", "asked")

    def __init__(self, call: Exchange) -> None:
        self.asked = False
        """Whether they were asked for."""
        self._call = call
        self._values: dict[str, str] | None = None

    def values(self) -> dict[str, str]:
        """Name in lower case -> value."""
        self.asked = True
        if self._values is None:
            self._values = {name.lower(): value for name, value in (*self._call.query, *self._call.headers)}
        return self._values


def _is_news(seen: Sighting, found: Iterable[Finding], classified: Classified, knowledge: Knowledge) -> bool:
    """Whether an own value says more than what was found there: neither who is called nor what was said before.

    What somebody searched for may well be a title, if a pack knows that it is a search.
    """
    if seen.at == "host" and seen.value.casefold() == classified.observation.host:
        return False
    others = [finding for finding in found if finding.source != "known"]
    searches = (f for f in others if f.item == "ui.search_text" and (f.source == "rule" or classified.service))
    if seen.item == "media.title" and any(_same_field(f.at, seen.at) for f in searches):
        return False
    return not any(_says(finding, seen, knowledge) for finding in others if finding.at == seen.at)


def _says(finding: Finding, seen: Sighting, knowledge: Knowledge) -> bool:
    """Whether a finding says what an own value in the same place says.

    A rule knows what its place holds.  A host's name in a field for the device's name is that: both are of the device.
    A text may hold anything.
    """
    value, own = finding.value.casefold(), seen.value.casefold()
    if finding.item == seen.item:
        return finding.source != "pattern" or own in value
    if finding.source == "rule" and value == own:
        return True
    if finding.item in knowledge.names.free_text:
        return False
    one, other = knowledge.items.get(finding.item), knowledge.items.get(seen.item)
    return finding.source != "pattern" and own in value and bool(one and other and one.subject == other.subject)


def _same_field(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "[") or other.startswith(one + "[")


@functools.lru_cache(maxsize=4)
def _table(knowledge: Knowledge) -> NameTable:
    return NameTable(knowledge.names)


def _holds(entry: Field, value: str, context: _Context) -> bool:
    if entry.only and not entry.only(value):
        return False
    if not entry.when:
        return True
    values = context.values()
    return any(name in values and (fits is None or bool(fits(values[name]))) for name, fits in entry.when)


_VERSION = re.compile(r"version|build|release|agent|-ua-|firmware|driver|sdk")
"""Names of fields with versions of four numbers."""

_ID = re.compile(r"(?:id|identifier|uuid|mac|node|serial)\Z")
"""Names of fields with ids; elsewhere a number such as `0x7f3a11ce0000` is a place in a program's memory."""

_MAC = re.compile(r"(?<!h)mac(?:[_-]?addr(?:ess)?)?\Z")
_BARE_MAC = re.compile(r"[0-9a-f]{12}\Z", re.IGNORECASE)

_IDS = frozenset({"client.id", "server.machine_id", "client.serial", "net.mac"})


def _by_shape(
    leaf: Leaf, name: str, known: list[str], classified: Classified, evidence: Evidence
) -> Iterator[tuple[str, str]]:
    """What the value's shape shows in a field of this name; where items are `known`, only a MAC in disguise and
    machines."""
    # The recipient's own address tells it nothing.
    if leaf.at == "host" and is_address(leaf.value) and classified.party in _REACHED:
        return
    if len(leaf.value) == 12 and _BARE_MAC.match(leaf.value) and _MAC.search(name):
        yield "net.mac", leaf.value
    for item, value in shapes(leaf.value, evidence):
        if known and item not in ("net.mac", "server.cert_hash") and not _is_machine(value, leaf.value):
            continue
        if item == "net.mac" and value.startswith("0x"):
            if not (_ID.search(name) or not _IDS.isdisjoint(known)):
                continue
        elif item.startswith("net.") and _VERSION.search(name):
            continue
        yield item, value


def _is_machine(value: str, text: str) -> bool:
    """Whether an address is that of a machine, whatever else the text is: `http://192.168.1.5:32400/library`."""
    return "plex.direct" in text or f"://{value}" in text
