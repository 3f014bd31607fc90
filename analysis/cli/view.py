"""What `watch` shows while it records.  Everything is worked out here, never in the proxy's process."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from analysis.classify import classify
from analysis.evidence import Evidence
from analysis.extract import extract
from analysis.gather import gather
from analysis.knowledge import Knowledge
from analysis.model import Classified
from analysis.report.document import printable
from analysis.traffic import is_outside, recipient
from captures import ledger
from captures.model import Contact, Exchange, Unreadable

_NEWEST = 8


class View:
    """Reads what is new in a ledger and shows calls by purpose, the newest findings, and what could not be read."""

    def __init__(self, knowledge: Knowledge, path: Path, *, terminal: bool) -> None:
        """`terminal`: whether standard error is one; otherwise nothing is shown."""
        self._knowledge = knowledge
        self._path = path
        self._last = 0
        self._evidence = Evidence()
        self._proofs: list[Exchange] = []
        self._purposes: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()
        self._newest: deque[tuple[str, str, str]] = deque(maxlen=_NEWEST)
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True) if terminal else None

    def __enter__(self) -> View:
        """Begins to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clears the screen for the report."""
        if self._live:
            self._live.stop()

    def update(self) -> None:
        """Takes in what was recorded since the last time."""
        if self._live is None:
            return
        for number, observation in ledger.read(self._path, self._last):
            self._last = number
            call = classify(observation, self._knowledge, self._evidence, number)
            self._learn(call)
            self._count(call)
        self._live.update(self._screen(), refresh=True)

    def _learn(self, call: Classified) -> None:
        rule = self._knowledge.rules.get(call.rule)
        if rule and rule.proves and isinstance(call.observation, Exchange):
            self._proofs.append(call.observation)
            self._evidence = gather(self._proofs, self._knowledge)

    def _count(self, call: Classified) -> None:
        seen = call.observation
        self._purposes[call.category.value] += 1
        if isinstance(seen, Contact | Unreadable):
            self._closed[f"{printable(seen.host)}: {seen.reason}"] += 1
        if not is_outside(call):
            return
        for finding in extract(call, self._knowledge, self._evidence):
            if finding.direction == "sent" and finding.source != "implied":
                item = self._knowledge.items[finding.item].label
                self._newest.append((item, printable(recipient(call)), call.category.value))

    def _screen(self) -> Group:
        purposes = Table(title="Calls by purpose", title_justify="left", box=None)
        purposes.add_column("Purpose")
        purposes.add_column("Calls", justify="right")
        for purpose, count in self._purposes.most_common(12):
            purposes.add_row(purpose, str(count))
        newest = Table(title="Newest", title_justify="left", box=None)
        for heading in ("Item", "To", "For"):
            newest.add_column(heading)
        for row in self._newest:
            newest.add_row(*(Text(cell) for cell in row))
        closed = Table(title="Not inspected", title_justify="left", box=None)
        closed.add_column("Host and reason")
        closed.add_column("Connections", justify="right")
        for reason, count in self._closed.most_common(6):
            closed.add_row(Text(reason), str(count))
        dropped = ledger.counters(self._path).get("dropped", 0)
        last = Text(f"{dropped} observations had to be dropped.  Ctrl-C ends and reports.")
        return Group(purposes, newest, closed, last)
