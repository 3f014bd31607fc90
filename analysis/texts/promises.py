"""The sentences about what a switch stopped, what a list lacks, and which promises were kept.

A pair is singular and plural; names in braces are filled in by the report.  They stand apart from those that
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

PROMISES_HEADING = "The promises"
PROMISE_HEADING = "{product}, {promise}: {verdict}"
PROMISED = {
    "rounded": "{product} promised on {date} that numbers in playback statistics are rounded.",
    "switched-off": "{product} promised on {date} that playback data of the own library can be switched off.",
    "listed": "{product} promised on {date} a full list of everything that is collected.",
}
JUDGED = {
    "kept": "As far as this capture shows, that was kept: {why}",
    "broken": "That was broken: {why}",
    "not-in-force": "Whether it still holds is open, since the policy in force says otherwise or nothing: {why}",
    "cannot-tell": "Whether that was kept cannot be told, because {why}",
}
REPEATED = {
    "rounded": "The policy of {date} promises it too.",
    "switched-off": "The policy of {date} offers such a switch too.",
    "listed": "The policy of {date} is such a list.",
}
REPEATED_IN_PART = "The policy of {date}, which is in force, offers less."
NOT_REPEATED = "The policy of {date}, which is in force, does not say so."

NO_NUMBERS = "no such number was sent in this capture."
NUMBERS_FINE = "finer numbers than any rounding would leave were sent ({items})."
NUMBERS_ROUNDED = "the numbers that were sent are rounded ({items})."
NUMBERS_PARTLY = "some numbers are rounded ({items}), and of others there are too few to tell ({rest})."
NUMBERS_OPEN = "there are too few numbers whose exact values were seen too."

SWITCH_NOT_SEEN = (
    "the switch was not seen in this capture; record once with it on and once with it off, and run phonehome optout."
)
SWITCH_NOT_OFF = "the switch was not off in this capture; record once more with it off, and run phonehome optout."
ALL_STOPPED = "what was sent before the switch was turned off was not sent afterwards ({items})."
SOME_STOPPED = "with the switch off, some of it was no longer sent ({items}); "
WENT_ON = "items were sent all the same with the switch off ({items})."
WENT_ON_REQUIRED = (
    "other items were sent all the same ({items}), and the policy in force lists these as always collected."
)
NOT_TESTED = "too little happened: {before} films were played with the switch on and {after} with it off."
NEVER_ON = (
    "the switch was off all the time, so nothing shows what it stops; {plays} films were played, and nothing of it "
    "was sent."
)

NO_POLICY = "no list is known."
NOT_LISTED = "items were sent that the list in force does not name for these calls ({items})."
NOTHING_COMPARED = "nothing that could be compared with the list was sent in this capture."
LISTED_AS_FAR = (
    "some of what was sent could not be read, or its purpose is not known; in the rest nothing is missing in the list."
)
ALL_LISTED = "each of the {n} kinds of data that were sent is on the list."

LISTED_HEADING = "The list, item by item"
HAVE_SWITCH = "{product}: {n} of {m} listed items have a switch ({places})."
SWITCH_PLACES = {
    "account": "{n} in the account",
    "server": "{n} in the server",
    "app": "{n} in the app",
    "device": "{n} in the device's own settings, which is no switch of the vendor",
    "": "{n} at a place that is not known",
}
NO_SWITCHES = "{product}: none of {m} listed items has a switch."
SEEN_HAVE_SWITCH = "Of the {s} listed items that were seen here, {n} have one."
SEEN_PERHAPS = "{n} more may have been: their kind of data was seen, under names that do not say which is meant."
ELSEWHERE = "Outside these lists, {n} more statements of the document have one."
NOT_APPLIED = "Nothing in the captures is to be judged by this list, so there is nothing to lay beside it."
DECLARED_SEEN = "Declared and seen: {items}."
SEEN_NOT_DECLARED = "Seen and not declared: {items}."
NOTHING_UNDECLARED = "Nothing was seen that is not declared."
NOT_SEEN_HEADING = "Declared and not seen, and how much that says"
SWITCHES_TABLE = "Which switch turns what off"
STATE, TURNS_OFF, WHERE = "State", "Turns off", "Where"
SAYS, STATEMENTS_COLUMN = "What that says", "Items of the list"

SAYS_DERIVED = "nothing: the recipient works it out, which cannot be seen from here"
SAYS_UNKNOWN = "nothing: which call would carry it is not known"
SAYS_NO_OCCASION = "nothing: there was no occasion for it ({kinds})"
SAYS_CALLS = (
    "something: the {n} call that can carry it was made without it",
    "something: {n} calls that can carry it were made without it, so that it comes with fewer than {share} of them",
)
SAYS_OCCASIONS = (
    "little: there was 1 occasion ({kinds}), and no call that can carry it",
    "something: there were {n} occasions ({kinds}), and it comes on fewer than {share} of them",
)

WATCHING_HEADING = "Who learns what is watched"
WATCHING_NONE = (
    "In what could be read, no third party was told what is watched (title, channel, content id, address of a film)."
)
WATCHING = "Third parties that were told what is watched, and by what they can join it with what they already know:"
WATCHED, JOINED = "What they were told", "What they can join it by"
ADVERTISERS = "Identifiers that were handed to companies that advertise: {named}."
ADVERTISER = "{entity} ({items})"
NO_ADVERTISER = "No company that advertises was called in what could be read."
SOLD = "Whether a recipient sells or shares what it received cannot be seen on the wire."
