"""What `doctor` and the live view say of the machine and the recording."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, str] = {"fine": "fine", "problem": "problem", "unknown": "not known"}
TESTED: Mapping[bool, str] = {True: "tested", False: "not tested"}
NEEDED_FOR, FOUND, TO_DO = "for", "found", "do"
SET_UP, SEEN, EFFORT, RISK, HOW = "my set-up", "readable?", "effort", "risk", "how"

WAYS: Mapping[str, str] = {
    "browser": "this computer's browser or an app, as its proxy",
    "program": "one program on this computer, by its name",
    "phone": "a phone or a TV, by WireGuard",
    "router": "everything of one device, on the router that it uses",
    "server": "what visitors ask a media server on this computer",
    "look": "just look whom devices call, without decrypting",
}
"""What `watch` offers to watch."""

# The live view ---

CALLS_BY_PURPOSE = "{n} calls, by purpose"
NEWEST = "Newest"
SO_FAR = "So far the report can speak about"
OCCASION = "Occasion"
LIVE_NOT_READ = "not read: {host}: {reason}"
A_CONNECTION = "a connection"
LIVE_DROPPED = "{n} observations had to be dropped so far: the ledger cannot be written fast enough"
LIVE_FAULT = "the ledger cannot be written at the moment; the traffic goes on, and what is lost is counted"
LIVE_TROUBLE = "{dropped} observations dropped, {faults} times the ledger could not be written.  "
LIVE_END = "Ctrl-C ends and reports."
