"""The sentences about what a switch stopped, what a list lacks, and which promises were kept.

A pair is singular and plural; names in braces are filled in by the report.  They stand apart from `texts`, whose words
may stand in a post.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

type Obstacle = Literal["unreadable", "damaged", "refused", "dropped", "cut", "version", "account"]
"""Something else that could be the reason that calls are no longer seen."""

OBSTACLES: Mapping[Obstacle, str] = {
    "unreadable": "a connection to the same host could not be read on that side",
    "damaged": "a place in the capture of that side is damaged",
    "refused": "the name of the host was blocked or could not be resolved on that side",
    "dropped": "observations were dropped while that side was recorded",
    "cut": "calls of this kind were recorded without their whole content on that side",
    "version": "the program has another version on that side",
    "account": "another account was signed in on that side",
}

OUTCOMES: Mapping[str, str] = {
    "stopped": "stopped",
    "reduced": "reduced",
    "goes-on": "goes on",
    "new": "new",
    "cannot-tell": "cannot tell",
}

# phonehome optout -----------------------------------------------------------------------------------------------------

OPTOUT_TITLE = "What the switch stopped"

SWITCH_SEEN = "{product}: the switch “{label}” ({where}) was turned {state} at {time}."
SWITCH_SHOWN = "{product}: an answer at {time} shows the switch “{label}” {state}."
SWITCH_UNSEEN = (
    "No change of a switch was seen in the traffic, so it is taken from you that it was on in the first captures and "
    "off in the others; whether that was minutes before is not known."
)
ONE_TURN = (
    "There is one before and one after: this shows what followed the switch, not that the switch caused it. Turn it on "
    "again, record once more, and compare: phonehome optout --off FILE... --on FILE..."
)
MORE_TURNS = (
    "The switch was turned {n} times between what is compared: what goes and comes with it each time goes and comes "
    "because of it, as far as traffic can show."
)
NO_SIDE = {
    "on": "No call to anybody outside was recorded with the switch on, so there is nothing to compare with.",
    "off": "No call to anybody outside was recorded with the switch off, so nothing was tested.",
}
LEFT_OUT = (
    "{n} call in the first {minutes} minutes after a change is left out: it may carry what was collected before.",
    "{n} calls in the first {minutes} minutes after a change are left out: they may carry what was collected before.",
)
PLAYS = "Films played: {before} with the switch on, {after} with it off."
NOTHING_PLAYED = "Nothing was played with the switch off, so nothing that is sent when a film is played was tested."
SUMMARY = {
    "stopped": "Stopped: {items}.",
    "reduced": "Sent less often: {items}.",
    "goes-on": "Goes on: {items}.",
    "new": "New since: {items}.",
    "cannot-tell": "Not enough to tell: {items}.",
}
SUMMARY_NOTHING = "No data item was sent to anybody outside on either side."

LISTED_HEADINGS = {
    "never": "What the list says is never collected",
    "optional": "What the list says is optional",
    "required": "What the list says is always collected",
    "unlisted": "What the list does not name",
    "documented": "What documentation describes, or you set up",
    "no-list": "What there is no list for",
}
CALLS_HEADING = "Call by call"
CALL_ITEMS = "with {items}"
CALL_WHOLE = "{purpose} ({rule})"

BEFORE, AFTER, EXPECTED, OUTCOME, WHY = "Before", "After", "Expected", "What became of it", "Reason"
TESTED_BY = "Tested by"

OCCASION_KINDS = {
    "play": ("film played", "films played"),
    "start": ("start", "starts"),
    "scan": ("library scan", "library scans"),
    "crash": ("crash", "crashes"),
    "search": ("search", "searches"),
    "sign-in": ("sign-in", "sign-ins"),
    "sign-out": ("sign-out", "sign-outs"),
    "profile": ("change of profile", "changes of profile"),
    "setting": ("change of a setting", "changes of a setting"),
    "timer": ("period of its timer", "periods of its timer"),
    "time": ("quarter of an hour in use", "quarters of an hour in use"),
}
SEEN_AT = "seen at {k} of {n} {occasions}"
COMPARED = "{before} before and {after} after"
STOPPED = "It was {compared}; the chance of that if nothing had changed is {chance}."
REDUCED = "It was {compared}: less often, by more than chance explains."
GOES_ON = "It was sent with the switch off: {compared}."
GOES_ON_SOON = (
    " All of that was in the first {minutes} minutes of a capture: look again later if you had just turned it."
)
NEW = "It was {compared}; the chance of that if nothing had changed is {chance}."
CANNOT_TELL = "It was {compared}."
HINDERED = "Something else may be the reason: {obstacles}."
NEVER_TESTED = "There was no occasion for it with the switch off."

ADD = {
    "play": ("play about {n} more film", "play about {n} more films"),
    "start": ("start it about {n} more time", "start it about {n} more times"),
    "scan": ("let it scan the library about {n} more time", "let it scan the library about {n} more times"),
    "search": ("search about {n} more time", "search about {n} more times"),
    "sign-in": ("sign in about {n} more time", "sign in about {n} more times"),
    "sign-out": ("sign out about {n} more time", "sign out about {n} more times"),
    "timer": ("record about {n} more period of {period}", "record about {n} more periods of {period}"),
    "time": ("use it for about {n} more quarter of an hour", "use it for about {n} more quarters of an hour"),
}
ADD_OTHER = ("wait for {n} more {occasion}", "wait for {n} more {occasions}")
ADD_AFTER = "Not enough to tell: {what} with the switch off."
ADD_BEFORE = "Not enough to tell: {what} with the switch on."
ADD_BOTH = "Not enough to tell: {before} with the switch on, and {after} with it off."
ADD_HOPELESS = "It came too seldom, or at no occasion that is known, to tell by recording a little more."
ADD_HOPELESS_NEW = "Whether it is new or only had no occasion before cannot be told from so few."

EXCEPTIONS_HEADING = "What went on and is needed for a function"
EXCEPTIONS_NOTE = (
    "None of these calls needs everything that it carries. What goes beyond its function, and how to do without:"
)
EXCEPTIONS_NONE = "No update check, remote discovery, sign-in or licence check was seen with the switch off."
FUNCTION, NEEDED, BEYOND, WITHOUT = "Function", "What it needs", "What it carries beyond that", "How to do without"
NOTHING_BEYOND = "nothing that was recognised"
DO_WITHOUT = "{function}: it needs {why}. To do without: {without}"
CHANCE = "1 in {n}"
CERTAIN = "1"
