"""Words of the page that the private report alone has: its pictures and its list of calls."""

from __future__ import annotations

from collections.abc import Mapping

WHO_HEADING = "Who gets what"
WHO_NOTE = (
    "From left to right: who sends, who receives, and which kind of data. The wider a band, the more often. Red: what "
    "no list covers. Hatched: what could not be read, and may be anything."
)
WHO_TITLE = "Who sends what to whom"
FROM, TO, DATA, TIMES = "Sent by", "Sent to", "Kind of data", "Times"
NOT_INSPECTED = "could not be read"
NO_DATA = "no data item recognised"
OTHERS = ("{n} other", "{n} others")
SENDER_ON = "{product} on {device}"

GROUPS: Mapping[str, str] = {
    "account": "your account",
    "ads": "advertising",
    "auth": "keys to your account",
    "client": "device and app",
    "diag": "faults and logs",
    "epg": "TV programme",
    "event": "what you click",
    "geo": "where you are",
    "home": "your household",
    "library": "your library",
    "licence": "licence",
    "media": "films and music",
    "net": "your network",
    "notification": "notifications",
    "play": "what you play, and how",
    "server": "your server",
    "social": "people you know",
    "ui": "what you search for",
}
"""First part of an item's id -> what kind of data that is."""

PURPOSES_HEADING = "What for"
READ_PART, UNREAD_PART = "Readable calls", "Not readable"

WHEN_HEADING = "When"
WHEN_NOTE = "Calls to others by purpose, from {begin} to {end}; each bar stands for {span}."
WHEN_TITLE = "Beginning at"

TABLE_OF = "The same as a table"

CALLS_HEADING = "Every call, and what it carried"
CALLS_NOTE = "Calls of one kind stand together, the most serious first. Open one to see what it carried and when."
CALLS_LEFT_OUT = (
    "{n} more call is of a kind that is too rare to fit on this page: phonehome calls lists all.",
    "{n} more calls are of kinds that are too many for this page: phonehome calls lists all.",
)
CALLS_SHOWN = (
    "{n} more call of this kind does not fit on this page: phonehome calls lists all.",
    "{n} more calls of this kind do not fit on this page: phonehome calls lists all.",
)
CALLS_OF = ("{n} call", "{n} calls")
CARRIED = "What they carried"
CALLS_MADE = "The calls"
SEARCH = "Search"
CHOOSE = "Choose calls"
SEARCH_HINT = "host, path, device, data, value"
ANY = "any"
FOUND = "kinds of calls shown; calls in them:"
CLEAR = "Clear"
HIDDEN = "(hidden; phonehome items shows it)"
UNREADABLE_VERDICT = "not readable"
NOTHING_JUDGED = "nothing to judge"
DATA_COLUMN = "Data (numbers above)"
PATH = "Path"
KEY = "No."
VALUES = "Values"
