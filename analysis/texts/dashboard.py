"""Words of the dashboard."""

from __future__ import annotations

TITLE = "phonehome"
SKIP = "Skip to the page"
PAGES = "Pages"
NOW, EXPLORE, COMPARE, REPORT, SHARE, SETTINGS = "Now", "Calls", "Compare", "Report", "Share", "Settings"

PROGRESS = "{done} of {total} calls are looked at so far; the rest follows."
BEHIND = "Shown are calls up to {time}: {done} of {total} are looked at so far; the rest follows."
PREPARING = "This page weighs all calls together. It appears here by itself as soon as it is ready."
PREPARED = "{done} of {total} calls are taken in so far."
IN_USE = "Another program is taking in this ledger. This page waits for it, and appears here by itself."
ALONE = "Verdicts say what each call alone shows; the report weighs all calls together and may say more."
READ_ONLY = "This dashboard only shows. Start it with --allow-changes to keep notes, name devices and hide calls."

SUM = ("{n} call outside; {share} could be read.", "{n} calls outside; {share} could be read.")
SUM_NONE = "No call to anybody outside was seen so far."
BYTES = "{out} were sent outside, {closed} of these in connections that could not be read."
BYTES_READ = "{out} were sent outside, all in calls that could be read."
AT_HOME = (
    "{n} more stayed at home, was a media stream or asked for a name.",
    "{n} more stayed at home, were media streams or asked for names.",
)
DROPPED = (
    "{n} observation had to be dropped while recording.",
    "{n} observations had to be dropped while recording.",
)
NONE_DROPPED = "Nothing had to be dropped while recording."
LIVE, NOT_LIVE = "Live", "Not live: reload the page to see what is new."
BY_PURPOSE, BY_DEVICE, BY_RECIPIENT = "By purpose", "By device", "By recipient"
READ, CLOSED = "Readable", "Not readable"
TOLD, TOLD_NONE = "Newest findings", "Nothing was found so far that a list could speak about."
NEWEST, NEWEST_NONE = "Newest calls", "No call so far."
ALL_CALLS = "All calls"

APPLY, CLEAR, ANY = "Show", "Clear", "any"
WORDS, WORDS_HINT = "Words", "host, path, device, value"
DEVICE, SENDER, PURPOSE, ITEM, VERDICT, HOST = "Device", "Sent by", "For", "Data", "Verdict", "Host or recipient"
SINCE, UNTIL = "From", "Until"
NOISE = "also own traffic, streams, look-ups and what you hid"
UNREADABLE = "could not be read"
RECEIVED = "came back"
FOUND = ("{n} call", "{n} calls")
FOUND_MORE = "more than {n} calls"
FOUND_NONE = "No call is like that. Choose less."
OLDER, NEWER = "Older", "Back to the newest"
FRESH_ONE, FRESH = "1 new call: show it", "{n} new calls: show them"
TIME, CALLED, DATA, SENT = "Time", "Called", "Data", "Bytes sent"
SEEN, NOTED = "looked at", "note"
UNKNOWN_SENDER, UNKNOWN = "unknown sender", "unknown"

CALL = "Call {n}"
NO_CALL = "There is no such call here; it may have been deleted from the ledger."
TREE, TREE_NOTE = "The request", "What is marked was recognised. Brackets name what had to be undone to see it."
TREE_LEFT = (
    "{n} more value is not shown; phonehome explain lists it.",
    "{n} more values are not shown; phonehome explain lists them.",
)
CURL, CURL_NOTE = (
    "As a command for curl",
    "Secrets are masked. Running it would send the rest to the recipient once more.",
)
RULE, RULE_NOTE = (
    "Make a rule from this",
    "Save these files as a folder in {folder}, fill in what is left open, and run phonehome packs check.",
)
RULE_LINK = "Draft a rule for such calls"
RULE_LEFT = "Still to do"
RULE_NONE = "A rule can be drafted only for a call that could be read."
RULE_CANNOT = "No rule can be drafted from this call: its host or path is none that a rule could name."
RULE_OF = ("Drafted from {n} call.", "Drafted from {n} calls to this host.")
FINDINGS, NOTHING_FOUND = "What was found", "No data item was recognised."
PLACE, VALUE = "Place", "Value"
WHY = "How it came to that, step by step"
NOTE, NOTE_SAVE, NOTE_SEEN = "Your note", "Keep", "I have looked at this call"
LIKE = "Calls like this"
LIKE_HOST, LIKE_PURPOSE = "to the same host", "for the same purpose"
HIDE, SHOW_AGAIN = "Hide calls to this host for this purpose", "Show again"

COMPARE_NOTE = (
    "What stopped, what went on? Choose a time with the switch on and one with it off. The same films played in both "
    "say most."
)
BEFORE, AFTER = "With the switch on", "With the switch off"
COMPARE_DO = "Compare"
WRONG_TIMES = "Each period needs a beginning before its end, and the two must not overlap."

SHARE_NOTE = (
    "First line by line what a post would say and what of it stays here: tick what you want to leave out as well. "
    "Below is the post as it would read. Nothing is sent; copy the text yourself, or use phonehome share."
)
CHOICES = "Line by line"
LEAVE_OUT, LEAVE_OUT_DO = "Leave out", "Show the post without what is ticked"
NOTHING_GOES = "nothing"
GOES, STAYS = "What would go", "What stays here"
STAYS_ROW = ("{n} value", "{n} values")
STAYS_NONE = "Nothing private was recognised; the post is made of an allow list all the same."
PROVEN = "The text was searched for everything private that was recognised, in all encodings: nothing was found."
REFUSED = "This post is refused: {why}"
POST = "The post, in Markdown"

SETTINGS_DEVICES, SETTINGS_HIDDEN = "Names of devices", "What you hid"
NAME, KEEP = "Name", "Keep"
HIDDEN_NONE = "Nothing is hidden beside own traffic, streams and look-ups."

NO_ENTRY = "This dashboard opens by the link that phonehome shows in the terminal. Each link works once."
LOCKED = "Too many wrong tokens: wait a minute, then use the link that phonehome shows now."
WRONG = "This link was used already, or is wrong; use the one that phonehome shows now."
REFUSAL = "Refused: {why}."
NOT_HERE = "There is no such page."
FAULT = "Something went wrong here: {kind}. The recording and the traffic are not touched by that."
MADE_ANEW = "What is shown here is just made anew; reload the page in a moment."
TOO_BUSY = "Another page is still being worked out; try again in a moment."
