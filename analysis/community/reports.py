"""Dataset -> the reports that count: near-duplicates once, and nothing but words that this version ships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from analysis.community.dataset import UNKNOWN_SENDER, Dataset
from analysis.model import Verdict
from analysis.vocabulary import Vocabulary, vocabulary

ALIKE = 0.9
"""Two reports of the same products, versions and settings that agree in so much of what they list count once."""


class Cell(NamedTuple):
    """What goes where: the smallest thing that people can agree on."""

    product: str
    """Id of the sender's shipped pack."""
    item: str
    """Id of the data item."""
    entity: str
    """Name of the recipient from a shipped pack; empty for one that no pack knows."""
    category: str
    """What the calls are for."""


class Said(NamedTuple):
    """What one report says of a cell."""

    verdict: str
    """What the list says."""
    declared: str
    """Date of the list, or empty."""
    recipient: str
    """What the recipient is to the vendor."""
    sure: bool
    """False when the sender is only probable."""


@dataclass(frozen=True, slots=True)
class View:
    """What one report says of one product."""

    order: int
    """Position in the dataset: later reports of a person replace earlier ones where one is to speak for him."""
    report: str
    """Id of the report."""
    voice: int
    """Number of the person; everybody without a name has the same."""
    month: str
    """`YYYY-MM`; empty when the capture has no times."""
    version: str
    """Version of the product, if the capture shows exactly one; else empty."""
    platforms: frozenset[str]
    """Families of platforms."""
    settings: Mapping[str, str]
    """Id of a switch -> `on` or `off`, where that is known."""
    occasions: frozenset[str]
    """What happened in the capture."""
    cells: Mapping[Cell, Said]
    """What was sent."""
    left_out: bool = False
    """Whether its author left out something that was found: what it does not name may have been sent all the same."""

    def looked(self, cell: Cell) -> bool:
        """Whether it says of a cell that it was sent, or that it was not."""
        return cell in self.cells or not self.left_out


@dataclass(slots=True)
class Reports:
    """What counts, by product."""

    views: dict[str, list[View]] = field(default_factory=dict)
    """Id of a shipped pack -> what was said of it, in the order of the dataset."""
    collected: int = 0
    """Reports in the dataset up to the month that was asked for."""
    alike: int = 0
    """Of these, near-duplicates of an earlier one, which do not count."""
    voices: int = 0
    """People, as far as names tell them apart."""
    unknown: int = 0
    """Entries that name what this version of the tool does not ship."""


def load(dataset: Dataset, until: str = "") -> Reports:
    """Dataset -> reports of captures up to a month (`YYYY-MM`; empty: all).  Raises `DatasetError`."""
    heads = dataset.reports()
    rows: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for product, row in dataset.cells():
        rows[row["report"]].append((product, row))
    heads = [head for head in heads if not until or not head["month"] or head["month"] <= until]
    kept = _distinct([(head["report"], rows[head["report"]]) for head in heads])
    found = Reports(collected=len(heads), alike=len(heads) - len(kept), unknown=sum(head["unknown"] for head in heads))
    numbers: dict[str, int] = {}
    reader = _Reader(vocabulary())
    for order, head in enumerate(heads):
        if head["report"] not in kept:
            continue
        voice = numbers.setdefault(head["poster"], len(numbers))
        for product, row in rows[head["report"]]:
            if product != UNKNOWN_SENDER and product in reader.products:
                found.views.setdefault(product, []).append(reader.view(order, voice, head["month"], product, row))
    found.voices = len(numbers)
    found.unknown += reader.unknown
    return found


def months_of[T](said: Iterable[tuple[T, View]], minimum: int) -> dict[T, tuple[str, str]]:
    """Things, each with a report that says it -> first and last month in which enough people did."""
    voices: dict[tuple[T, str], set[int]] = defaultdict(set)
    for thing, view in said:
        if view.month:
            voices[thing, view.month].add(view.voice)
    found: dict[T, tuple[str, str]] = {}
    for (thing, month), who in voices.items():
        if len(who) >= minimum:
            first, last = found.get(thing, (month, month))
            found[thing] = min(first, month), max(last, month)
    return found


class _Reader:
    """Rows of the dataset -> views; equal values are kept once."""

    def __init__(self, words: Vocabulary) -> None:
        self.products = words.shipped.products
        self.unknown = 0
        self._words = words
        self._cells: dict[tuple[str, ...], Cell | None] = {}
        self._said: dict[Said, Said] = {}

    def view(self, order: int, voice: int, month: str, product: str, row: dict[str, Any]) -> View:
        cells: dict[Cell, Said] = {}
        for entry in row["cells"]:
            cell = self._cell(product, entry)
            if cell is None:
                self.unknown += 1
                continue
            said = Said(entry["verdict"], entry["declared"], entry["recipient"], entry["sure"])
            said = self._said.setdefault(said, said)
            before = cells.get(cell)
            # Several recipients that no pack knows are one cell: the worst verdict stands.
            if before is None or self._rank(said) < self._rank(before):
                cells[cell] = said
        fits = self._words.fields
        versions = [version for version in row["versions"] if fits["version"](version)]
        switches = {switch.id for switch in self.products[product].switches}
        return View(
            order=order,
            report=row["report"],
            voice=voice,
            month=month,
            version=versions[0] if len(versions) == 1 else "",
            platforms=frozenset(filter(fits["platforms"], row["platforms"])),
            settings={
                s["switch"]: s["state"]
                for s in row["settings"]
                if s["switch"] in switches and s["state"] in ("on", "off")
            },
            occasions=frozenset(filter(fits["occasions"], row["occasions"])),
            cells=cells,
            left_out=row["left_out"],
        )

    def _cell(self, product: str, entry: dict[str, Any]) -> Cell | None:
        """The cell of an entry; `None` when it names what is not shipped."""
        key = (product, entry["item"], entry["entity"], entry["category"], entry["verdict"], entry["declared"])
        if key not in self._cells:
            fits = self._words.fields
            fields = ("item", "entity", "category", "verdict", "declared", "recipient")
            known = all(fits[name](entry[name]) for name in fields)
            entity = entry["entity"] if entry["entity"] in self._words.entities else ""
            self._cells[key] = Cell(product, entry["item"], entity, entry["category"]) if known else None
        return self._cells[key]

    def _rank(self, said: Said) -> int:
        return _VERDICTS.index(said.verdict)


_VERDICTS: tuple[str, ...] = tuple(Verdict)


def _distinct(reports: Iterable[tuple[str, list[tuple[str, dict[str, Any]]]]]) -> set[str]:
    """Ids of the reports that count: of those that are nearly the same, the one that was collected first."""
    kept: set[str] = set()
    groups: dict[object, list[tuple[frozenset[int], frozenset[int]]]] = defaultdict(list)
    numbers: dict[object, int] = {}  # numbers are compared a hundred times as fast as what they stand for
    for report, rows in reports:
        about = frozenset(
            (product, *row["versions"], *sorted(f"{s['switch']}={s['state']}" for s in row["settings"]))
            for product, row in rows
        )
        places, said = set(), set()
        for product, row in rows:
            for c in row["cells"]:
                place = (product, c["item"], c["entity"], c["recipient"], c["category"], c["declared"])
                places.add(numbers.setdefault(place, len(numbers)))
                said.add(numbers.setdefault((*place, c["verdict"], c["count"]), len(numbers)))
        one = frozenset(places), frozenset(said)
        if not any(_alike(one, other) for other in groups[about]):
            groups[about].append(one)
            kept.add(report)
    return kept


def _alike(one: tuple[frozenset[int], frozenset[int]], other: tuple[frozenset[int], frozenset[int]]) -> bool:
    """Whether two reports (places, and what is said of them) agree in nine of ten places that either names."""
    small, great = sorted((len(one[0]), len(other[0])))
    return small >= ALIKE * great and len(one[1] & other[1]) >= ALIKE * len(one[0] | other[0])
