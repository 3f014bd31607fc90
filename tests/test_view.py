"""While it records, `watch` shows what a report could speak about."""

from __future__ import annotations

from rich.console import Console

from analysis.cli.view import screen
from analysis.live import Now


def test_the_checklist_says_what_happened_and_what_did_not() -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(screen(Now(0, (), (), (), frozenset({"film", "24-hours"})), 0, 0))
    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    start = lines.index("So far the report can speak about")
    assert lines[start + 2 : start + 6] == [
        "[ ] a start of the server or an app",
        "[x] a film played",
        "[ ] a library scan",
        "[x] a whole day (timers)",
    ]
