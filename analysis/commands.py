"""The commands, each with its help in one line: what the command line loads, and what texts may name."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command of the group."""

    module: str
    """Module under `analysis.cli` that defines it, under the command's own name."""
    help: str
    """What it does, in one line."""
    group: bool = False
    """Whether a further word says what it is to do."""


COMMANDS = {
    "demo": Entry("demo", "Show the whole way on this machine alone, without the internet."),
    "watch": Entry("watch", "Record what devices send, live, until Ctrl-C, then report."),
    "sniff": Entry("sniff", "Record whom devices call, when and how much, live, until Ctrl-C, then report."),
    "inspect": Entry("inspect", "Report what captures show: who was called, what was sent, what was declared."),
    "calls": Entry("calls", "List the calls of captures, one line each."),
    "items": Entry("items", "List the data items of captures, one line each."),
    "generalise": Entry(
        "generalise", "Tell whether the numbers that were sent are rounded, and what they still give away."
    ),
    "open": Entry("open", "Open the dashboard over captures or a ledger."),
    "explain": Entry("explain", "Show how one call came to its verdicts, step by step."),
    "share": Entry("share", "Write a redacted report that can be posted."),
    "collect": Entry("collect", "Take shared reports of many people into a dataset."),
    "community": Entry("community", "Show what many people's shared reports say together."),
    "compare-reports": Entry(
        "compare_reports", "Tell in which ways shared reports differ: versions, settings, items, verdicts."
    ),
    "corpus": Entry("corpus", "Run the pipeline over thousands of captures.", group=True),
    "optout": Entry("optout", "Show what an opt-out stopped, item by item and call by call."),
    "known": Entry("known", "Tell what is yours: names, titles, servers.", group=True),
    "access": Entry("access", "Hold the vendor's answer to an access request beside what was seen."),
    "declared": Entry("declared", "Show what vendors say that they collect.", group=True),
    "packs": Entry("packs", "Check rule packs, and begin new ones.", group=True),
    "doctor": Entry("doctor", "Say what stands in the way of a capture on this machine, and what to do about it."),
    "gateway": Entry(
        "gateway", "Lead the traffic of chosen devices through the proxy, on the router that they use.", group=True
    ),
    "trust": Entry("trust", "Let a product trust the proxy's certificate authority, and undo it.", group=True),
    "undo": Entry("undo", "Take back everything that phonehome has changed on this machine."),
    "completion": Entry("completion", "Print the completion script for a shell."),
}
"""All commands, in the order of the help."""
