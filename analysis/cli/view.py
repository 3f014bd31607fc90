"""What `watch` shows while it records.  Everything is worked out in this process, never in the proxy's."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from analysis import language, texts
from analysis.evidence import NO_SERVERS, Servers
from analysis.knowledge import Knowledge
from analysis.known import OwnValues
from analysis.live import Now, Watcher
from analysis.report.document import printable
from analysis.texts import Occasion
from analysis.texts import recorded as words
from captures import ledger
from captures.model import Sentence

_MOST = 200
"""Observations taken in at a time, so that Ctrl-C never waits for a long ledger."""


class View:
    """Reads what is new in a ledger.  On a terminal it shows calls by purpose, the newest items and what stayed closed;
    elsewhere a line the first time that a host cannot be read, and when observations are dropped."""

    def __init__(
        self,
        knowledge: Knowledge,
        path: Path,
        named: Servers = NO_SERVERS,
        own: OwnValues | None = None,
        *,
        terminal: bool,
    ) -> None:
        """`terminal`: whether standard error is one; `named` are the user's own servers, `own` his own values."""
        self._watcher = Watcher(knowledge, named, own)
        self._path = path
        self._last = 0
        self._dropped = 0
        self._told = False
        self._remark = ""
        self.seen = False
        """Whether anything was recorded."""
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

    def update(self) -> bool:
        """Takes in what was recorded since the last time, and shows it; whether there is more."""
        count = 0
        for count, (number, observation) in enumerate(ledger.read(self._path, self._last), 1):
            self._last, self.seen = number, True
            closed = self._watcher.take(observation)
            if closed and self._live is None:
                host, reason = closed
                _remark(
                    words.LIVE_NOT_READ.format(host=printable(host) or words.A_CONNECTION, reason=language.said(reason))
                )
            if count >= _MOST:
                break
        counters = ledger.counters(self._path)
        dropped = counters.get("dropped", 0)
        if self._live:
            shown = screen(self._watcher.now(), dropped, counters.get("faults", 0), self._remark * (not self.seen))
            self._live.update(shown, refresh=True)
        elif dropped > self._dropped:
            _remark(words.LIVE_DROPPED.format(n=dropped))
        elif counters.get("faults", 0) and not self._told:
            self._told = True
            _remark(words.LIVE_FAULT)
        self._dropped = dropped
        return count >= _MOST

    def remark(self, text: str) -> None:
        """Something that counts until anything is seen; elsewhere than on a terminal it is said once."""
        self._remark = text
        if text and self._live is None:
            _remark(text)

    def tell(self, text: Sentence) -> None:
        """Says something of the recording itself, above what is shown, in the language in use."""
        if self._live:
            self._live.console.print(Text(language.said(text)), soft_wrap=True)
        else:
            _remark(language.said(text))

    def go_on(self) -> None:
        """After rows were deleted: their numbers may be given out again."""
        self._last = min(self._last, ledger.newest(self._path))


def screen(now: Now, dropped: int, faults: int, remark: str = "") -> Group:
    """What is to be seen now -> what stands on the terminal; `remark` stands above the last line."""
    purposes = _table(words.CALLS_BY_PURPOSE.format(n=now.calls), texts.PURPOSES, texts.CALLS)
    for purpose, count in now.purposes:
        purposes.add_row(texts.CATEGORIES[purpose], str(count))
    newest = _table(words.NEWEST, texts.ITEMS, texts.RECIPIENT, texts.PURPOSES, texts.VERDICT)
    for sent in now.newest:
        items = ", ".join(sent.items[:4]) + (f", +{len(sent.items) - 4}" if len(sent.items) > 4 else "")
        newest.add_row(
            Text(items),
            Text(printable(sent.recipient)),
            texts.CATEGORIES[sent.purpose],
            texts.VERDICT_NAMES[sent.verdict],
        )
    parts: list[Table | Text] = [purposes, newest]
    if now.closed:
        closed = _table(texts.UNREAD_HEADING, texts.HOST_COLUMN, texts.REASON, texts.CONNECTIONS)
        for host, reason, count in now.closed:
            closed.add_row(Text(printable(host)), Text(printable(language.said(reason))), str(count))
        parts.append(closed)
    parts.append(_checklist(now.occasions))
    trouble = words.LIVE_TROUBLE.format(dropped=dropped, faults=faults) if dropped + faults else ""
    if remark:
        parts.append(Text(remark, style="yellow"))
    return Group(*parts, Text(trouble + words.LIVE_END))


def _checklist(occasions: frozenset[Occasion]) -> Table:
    """What happened so far and what did not: a report cannot speak about the latter."""
    table = _table(words.SO_FAR, "", words.OCCASION)
    for occasion, said in texts.OCCASIONS.items():
        done = occasion in occasions
        table.add_row(Text("[x]" if done else "[ ]"), Text(said, style="" if done else "dim"))
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        numeric = heading in (texts.CALLS, texts.CONNECTIONS)
        table.add_column(heading, justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True)
    return table


def _remark(text: str) -> None:
    click.echo(text, err=True)
