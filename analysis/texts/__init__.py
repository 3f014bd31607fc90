"""Every sentence and label that people read: those of reports here, those of single parts in the other modules.

A tuple is singular and plural; `{n}` and other names in braces are filled in by the report.  A translation is one file
`<language>.po`, which `analysis.language` writes over these constants, so nobody keeps a copy of one.  The shared
report's proof takes the vocabulary that may stand in a post from here, so nothing else belongs into this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Literal

from analysis import language
from analysis.model import Category, Party, Verdict

type Occasion = Literal["restart", "film", "scan", "24-hours"]
"""Something that makes a product send: what did not happen during a capture, the capture cannot speak about."""

type Length = Literal["unknown", "<1h", "1-6h", "6-24h", "1-7d", ">7d"]
"""How long a capture is, in classes."""

type Count = Literal["0", ">0", "1", "2-5", ">5", "6-20", "21-100", "101-1000", ">1000"]
"""How many, in classes."""

type Share = Literal["<10", "10-100", ">100"]
"""How many titles, in classes."""

type Step = Literal[
    "", "1", "2", "3", "4", "5", "10", "15", "20", "30", "60", "100", "120", "180", "240", "250", "300", "500", "600",
    "900", "1000", "1200", "1800", "3600", "16", "32", "64", "128", "256", "512", "1024", "2048", "4096", "other",
]  # fmt: skip
"""Steps that somebody may choose for a rounding."""

THOUSANDS, DECIMAL = ",", "."
LONG_DATE = "{day} {month} {year}"
MONTHS: Mapping[str, str] = {
    "1": "January",
    "2": "February",
    "3": "March",
    "4": "April",
    "5": "May",
    "6": "June",
    "7": "July",
    "8": "August",
    "9": "September",
    "10": "October",
    "11": "November",
    "12": "December",
}

CATEGORIES: Mapping[Category, str] = {
    Category.UPDATE_CHECK: "update check",
    Category.UPDATE_DOWNLOAD: "update download",
    Category.PLUGIN_REPOSITORY: "plugin repository",
    Category.REMOTE_DISCOVERY: "remote discovery",
    Category.LOCAL_DISCOVERY: "local discovery",
    Category.ACCOUNT_AUTH: "account sign-in",
    Category.LICENCE_CHECK: "licence check",
    Category.SETTINGS: "settings",
    Category.CERTIFICATE: "certificate",
    Category.USAGE_STATISTICS: "usage statistics",
    Category.SESSION_REPLAY: "session replay",
    Category.CRASH_REPORT: "crash report",
    Category.LOG_UPLOAD: "log upload",
    Category.METADATA_LOOKUP: "metadata lookup",
    Category.GUIDE: "programme guide",
    Category.IMAGES_CDN: "pictures",
    Category.PLAYBACK_REPORT: "playback report",
    Category.WATCH_STATE_SYNC: "watch-state sync",
    Category.SOCIAL: "friends and sharing",
    Category.NOTIFICATIONS: "notifications",
    Category.CLOUD_CONTENT: "cloud content",
    Category.ADVERTISING: "advertising",
    Category.SEARCH: "search",
    Category.WEBHOOKS: "webhooks",
    Category.GEO_LOOKUP: "location look-up",
    Category.TIME_SYNC: "time sync",
    Category.CONNECTIVITY_CHECK: "connectivity check",
    Category.NAME_LOOKUP: "name look-up",
    Category.SERVER_API: "server control",
    Category.MEDIA_STREAM: "media stream",
    Category.UNKNOWN: "unknown purpose",
}

PARTIES: Mapping[Party, str] = {
    Party.OWN: "your own machines",
    Party.OTHER_HOME: "somebody else's server",
    Party.OWN_VIA_RELAY: "your own server, through the vendor's relay",
    Party.VENDOR: "vendor",
    Party.THIRD_PARTY: "third party",
    Party.UNKNOWN: "unknown recipient",
}

VERDICTS: Mapping[Verdict, str] = {
    Verdict.DENIED: "the list says that this is never collected",
    Verdict.OPTED_OUT: "sent although the switch that stops it was off",
    Verdict.WRONG_RECIPIENT: "the list names it for other recipients only",
    Verdict.IDENTIFIABLE: "declared as anonymous, but sent with something that tells who you are",
    Verdict.TOO_PRECISE: "the list promises to round it, and finer numbers were sent",
    Verdict.CONTRADICTORY: "the list both names and denies it",
    Verdict.UNDECLARED: "no statement of the list covers it",
    Verdict.OPTIONAL: "declared, and a switch stops it",
    Verdict.DECLARED_VAGUELY: "only a broader statement of the list covers it",
    Verdict.DECLARED: "the list names it for this recipient",
    Verdict.DOCUMENTED: "no item list covers it, but documentation describes this call, or you set it up",
    Verdict.NO_LIST: "the sender publishes no list of what it sends",
    Verdict.NOT_SEEN: "declared, and not seen in this capture",
}

VERDICT_NAMES: Mapping[Verdict, str] = {
    Verdict.DENIED: "denied",
    Verdict.OPTED_OUT: "opted-out",
    Verdict.WRONG_RECIPIENT: "wrong-recipient",
    Verdict.IDENTIFIABLE: "identifiable",
    Verdict.TOO_PRECISE: "too-precise",
    Verdict.CONTRADICTORY: "contradictory",
    Verdict.UNDECLARED: "undeclared",
    Verdict.OPTIONAL: "optional",
    Verdict.DECLARED_VAGUELY: "declared-vaguely",
    Verdict.DECLARED: "declared",
    Verdict.DOCUMENTED: "documented",
    Verdict.NO_LIST: "no-list",
    Verdict.NOT_SEEN: "not-seen",
}
"""Verdicts in one word.  In English it is their id, which commands take and JSON holds in every language."""

RECIPIENTS: Mapping[str, str] = {
    "vendor": "vendor",
    "processor-analytics": "analytics service",
    "processor-crash": "crash-report service",
    "processor-cloud": "cloud service",
    "processor-content": "content service",
    "processor-marketing": "marketing service",
    "advertiser": "advertiser",
    "other": "other recipient",
}

OCCASIONS: Mapping[Occasion, str] = {
    "restart": "a start of the server or an app",
    "film": "a film played",
    "scan": "a library scan",
    "24-hours": "a whole day (timers)",
}

LENGTHS: Mapping[Length, str] = {
    "unknown": "unknown length",
    "<1h": "less than 1 hour",
    "1-6h": "1 to 6 hours",
    "6-24h": "6 to 24 hours",
    "1-7d": "1 to 7 days",
    ">7d": "more than 7 days",
}

SWITCH_STATES: Mapping[str, str] = {"on": "on", "off": "off", "unknown": "unknown"}

PROMISE_KINDS: Mapping[str, str] = {
    "rounded": "rounded, so that nobody can be recognised by his files",
    "switched-off": "can be switched off",
    "listed": "everything is listed",
}
JUDGEMENTS: Mapping[str, str] = {
    "kept": "kept, as far as was seen",
    "broken": "broken",
    "not-in-force": "promised, but not in the policy in force",
    "cannot-tell": "cannot tell",
}

YES, NO, PARTLY = "yes", "no", "partly"
NOBODY_KNOWN = "unknown sender"
OWN_PACK = "own pack #{n}"
HOST = "host#{n}"

TITLE = "What was sent, and to whom"

ANSWERED_BY = "{recipient}, answered by {other}"
CALLED = "Called: {recipients}."
CALLED_NOBODY = "Nobody outside your own network was called in this capture."
PURPOSE = "{entity} ({purposes})"
PURPOSE_COUNT = "{purpose} {n}"
FURTHER_RECIPIENTS = ("{n} further recipient", "{n} further recipients")

UNCOVERED = "Sent, and not covered by what its sender says: {items}."
UNCOVERED_ITEM = "{items} to {entity} ({purpose}; {verdict})"
UNCOVERED_PROBABLY = "{items} to {entity} ({purpose}; {verdict}, the sender is only probable)"
UNCOVERED_UNKNOWN = "{items} to {entity} ({purpose}; {verdict}, the sender is not known)"
UNCOVERED_MORE = ("{n} more", "{n} more")
NO_LISTS = (
    "There is no list to hold against {n} kind of data that was sent: {items}.",
    "There is no list to hold against {n} kinds of data that were sent: {items}.",
)
ALL_COVERED = "In what could be read, nothing was found that the senders' lists do not cover."
NOTHING_SENT = "In what could be read, no data item was found that was sent to anybody outside."
NOTHING_READ = "No call to anybody outside could be read, so this report cannot say what was sent."

NOT_READ = ("{n} of {m} recipients could not be read", "{n} of {m} recipients could not be read")
NOT_READ_AMONG = "{counted}, among them {hosts}: what went there is not known, and may be anything."
ALL_READ = "Every recipient that was seen could be read; what bypassed the capture is not in it."
NOTHING_TO_READ = "There was no recipient outside to look into; what bypassed the capture is not in it."
NOT_READ_PLACES = (
    "{n} place in the capture is damaged or could not be read.",
    "{n} places in the capture are damaged or could not be read.",
)
DROPPED = (
    "{n} observation was dropped while recording, so the capture is not complete.",
    "{n} observations were dropped while recording, so the capture is not complete.",
)

NO_TITLES = (
    "In what could be read, no title, file name, or id, hash or picture address that names a title was found; "
    "your own titles were {searched}searched for."
)
NOT = "not "
TITLES = "What names a title was sent: {items}; your own titles were {searched}searched for."
TITLE_ITEM = "{item} to {entity}"

ASK = "Is {host} yours? It answers like a media server; if it is, say: phonehome known add --kind server {argument}"

SPEAKS_FOR = (
    "This report can speak for {read} of {n} conversation outside and for {share} of the bytes sent there.",
    "This report can speak for {read} of {n} conversations outside ({calls}) and for {share} of the bytes sent there.",
)
OCCASIONS_COVERED = "Of what makes products send, it covers: {seen}; not covered: {missing}."
OCCASIONS_ALL = "It covers all that makes products send: {seen}."
NOTHING = "nothing"
LOG_AGREES = "The server's own log tells of {n} calls to {hosts} hosts outside, and all of them are in this capture."
LOG_LACKS = (
    "The server's own log tells of {n} calls to {hosts} hosts outside; {gone} of them could not be read or are not in "
    "this capture: {named}."
)
LOG_EMPTY = "The server's own log tells of no call outside in the time of this capture."

RECIPIENTS_HEADING = "Who was called"
OWN_TRAFFIC = ("{n} call stayed with {party} ({purposes}).", "{n} calls stayed with {party} ({purposes}).")
VISITORS = (
    "{n} connection was opened from outside to your server; visitors are not counted as calls.",
    "{n} connections were opened from outside to your server; visitors are not counted as calls.",
)

VOLUMES_HEADING = "How much, and for how long"
DISCOVERY_HEADING = "What devices told everybody at home"
DISCOVERY_NOTE = (
    "This stays in the local network, where every device and app can read it: who makes what, and often names and ids."
)
PORTS_ASKED = (
    "The router was asked to let everybody on the internet in at {n} port: see “map” below.",
    "The router was asked {n} times to let everybody on the internet in at a port: see “map” below.",
)
EVERY = "every {time}"
PROTOCOLS: Mapping[str, str] = {
    "gdm": "GDM (Plex)",
    "ssdp": "SSDP (UPnP)",
    "upnp": "UPnP",
    "mdns": "mDNS",
    "jellyfin": "Jellyfin",
    "ws-discovery": "WS-Discovery",
    "nat-pmp": "NAT-PMP or PCP",
}
SERVICES: Mapping[str, str] = {
    "_googlecast.": "Chromecast",
    "_airplay.": "AirPlay",
    "_raop.": "AirPlay sound",
    "_spotify-connect.": "Spotify Connect",
    "_plexmediasvr.": "Plex Media Server",
    "_plexclient.": "Plex player",
    "_jellyfin": "Jellyfin",
    "_sonos.": "Sonos",
    "_amzn-wplay.": "Fire TV",
    "_androidtvremote": "Android TV",
    "_hap.": "HomeKit",
    "_homekit.": "HomeKit",
    "roku:ecp": "Roku",
    "dial-multiscreen-org": "casting (DIAL)",
    ":mediaserver:": "media server (DLNA)",
    ":mediarenderer:": "media player (DLNA)",
    ":internetgatewaydevice:": "router",
    ":wanipconnection:": "router, port mappings",
    ":wanpppconnection:": "router, port mappings",
    "who is": "any server",
    "jellyfinserver": "Jellyfin server",
    "embyserver": "Emby server",
    "networkvideotransmitter": "camera",
}

ITEMS_HEADING = "What was sent, and what the lists say"
VERDICT_HEADING = "{verdict}: {meaning}"
NOT_SEEN = (
    "{n} more item is declared and was not seen here: phonehome items --verdict not-seen FILE lists it.",
    "{n} more items are declared and were not seen here: phonehome items --verdict not-seen FILE lists them.",
)

ALWAYS_HEADING = "What the calls carry that every product makes"
ALWAYS_NOTE = "An update check, a search for servers or a sign-in is not harmless as such; this is what they carried."
NO_ITEMS = "no data item recognised"

RECEIVED_HEADING = "What recipients showed that they already hold"
RECEIVED_NOTE = "These items stood in answers. They were not sent in this capture, so no list is applied to them."

LOG_HEADING = "What the server's own log tells that the capture lacks"
LOG_NOTE = (
    "A log says that a call was made, not what was in it, and is not complete: what it does not name may have been "
    "called all the same."
)
LOG_CLOCK = "The times of the log were moved by {hours} hours, as calls that stand in both show."
LOG_OUTSIDE = (
    "{n} call of the log is outside the time of the capture.",
    "{n} calls of the log are outside the time of the capture.",
)
LOG_NOBODY = "not named (crash report)"
LOG_VERDICTS: Mapping[str, str] = {
    "not-in-capture": "no connection to it is in the capture: it went another way",
    "not-readable": "connections are in the capture, and could not be read",
    "partly": "fewer calls are in the capture than the log tells of",
}
LOGGED, SEEN, PATHS = "In the log", "Readable", "Not seen"

OWN_TITLES_HEADING = "Your own titles and files, and how sure it is that they are meant"
EVIDENCE: Mapping[str, str] = {
    "canary": "the invented film that you put into your library",
    "title-field": "the exact title, in a field named for titles",
    "title-and-year": "the title and its year",
    "file-name": "the name of the file",
    "path": "the whole path of the file",
    "hash": "a hash of the title or file",
    "moviehash": "the hash by which subtitle services know the file",
    "external-id": "an id of the title in a public database",
    "picture": "the address of a picture of the title",
    "slug": "the title as it is written in addresses",
    "title": "the title, as a whole value",
    "two-signs": "a common word that is a title, with year, length or id beside it",
    "encoded": "the title, encoded",
    "text": "the title within a longer text",
}
SURE: Mapping[str, str] = {"certain": "certain", "likely": "likely", "possible": "possible: look for yourself"}
EVIDENCE_COLUMN, SURE_COLUMN = "Recognised by", "How sure"

UNREAD_HEADING = "What could not be read"
UNREAD_NOTE = "Not inspected does not mean that nothing was sent."
DAMAGED_PLACE = "damaged place"

OCCASIONS_HEADING = "What this capture can speak about"
OCCASIONS_NOTE = "What did not happen cannot have been seen: record it and look again."
OCCASION_SEEN = "seen: {occasion}"
OCCASION_NOT_SEEN = "not seen: {occasion}"

REMARKS_HEADING = "Remarks"
LIST_SOURCE = "{product} was judged by its list of {declared}: {title}, {source}"

NEXT_HEADING = "What to do next"

SKIP, CONTENTS, ANSWER = "Skip to the report", "Contents", "The answer"
MORE_ROWS = "Show the other rows"

PUT_TOGETHER = "Rows of long tables are put together here, so that this fits into a post; the HTML form holds them all."
NO_DATA_IN_POST = "The form for programs is too long for a post; the JSON form holds it."
FOLDED = "Show"

RECIPIENT, HOSTS, PURPOSES, CALLS, BYTES, READABLE = "Recipient", "Hosts", "For", "Calls", "Sent", "Readable"
ITEM, VERDICT, REASON, SENDER, COUNT, WHY = "Item", "Verdict", "Why", "Sender", "Times", "Reason"
RECIPIENTS_COLUMN, BYTES_IN, OPEN = "Recipients", "Received", "Open for"
PROTOCOL, WHAT, TELLS, RHYTHM = "Protocol", "What", "What it tells", "How often"
ITEMS, CONNECTIONS, UNREAD = "Items", "Connections", "Not readable"
NUMBER, TIME, DEVICE, STATUS, HOST_COLUMN = "#", "Time", "Device", "Status", "Host"
DIRECTION, PLACE, VALUE, CALL = "Direction", "Place", "Value", "Call"

PRODUCT, DATE, KIND, STATEMENTS, DOCUMENT, SOURCE = "Product", "Date", "Kind", "Statements", "Document", "Source"
STATEMENT, WORDING, SWITCH, DOCUMENT_PLACE = "Statement", "Wording", "Switch", "Section"
CALLS_TITLE = "Calls"
ITEMS_TITLE = "Data items"
CALLS_NONE = "No call was found."
ITEMS_NONE = "No data item was found."
DIRECTIONS: Mapping[str, str] = {"sent": "sent", "received": "received"}
IMPLIED = "implied by the connection"

LISTS_TITLE = "Declared lists"
LISTS_NONE = "No declared list is known."
SWITCHED = "With a switch"
LIST_COUNTS = "{n} statements, of which {switched} have a switch."
LIST_HEAD = "A {kind}, in force from {effective}. Source: {source}"
STATUSES: Mapping[str, str] = {
    "required": "Always collected",
    "optional": "Collected unless a switch is off",
    "never": "Declared as not collected",
}
DERIVED = "worked out by the recipient, not seen on the wire"
NO_ITEM = "none of our data items"
SWITCHES_HEADING = "How to find the switches"
SWITCH_POINT = "{id} ({label}): {where}"

SHARED_TITLE = "What a media server's software sent: report of phonehome {version}"
SHARED_SENTENCE = (
    "Made by phonehome from a capture of {length}, {month}; counts are in classes, and values, names and addresses are "
    "left out."
)
SHARED_MONTH = "recorded in {month}"
SHARED_NO_MONTH = "recorded at an unknown time"
SHARED_PRODUCTS = "Software: {products}."
SHARED_PRODUCT = "{product} {versions}"
SHARED_PLATFORMS = "Platforms: {platforms}."
SHARED_LISTS = "Judged by: {lists}."
SHARED_LIST = "{product}, list of {declared}"
SHARED_SETTINGS = "Settings: {settings}."
SHARED_WITHHELD = "Not told, since beside the rest it could tell whose capture this is: {what}."
SHARED_SETTING = "{product}, {switch}: {state}"
SHARED_MAKE_UP: Mapping[str, str] = {
    "versions": "versions",
    "platforms": "platform",
    "settings": "other settings",
    "presence": "what our presence changed",
    "received": "what recipients showed",
    "fingerprints": "how many films share what was told of them",
}
SHARED_ROUNDINGS = "Numbers, beside the exact ones: {roundings}."
SHARED_ROUNDING = "{item} to {entity}: {rounding}{step}{mode} ({pairs} distinct)"
SHARED_STEP = ", step {step}"
SHARED_MODE = ", {mode}"
SHARED_FINGERPRINT = (
    "Of 100,000 titles, {share} share what {product} told {entity} of a film (median of the plays; a model, see "
    "docs/statistics.md)."
)
SHARED_NAMED = "An id, a title, a hash or a picture of the film went along, so that rounding does not matter there."

SHARED_PRESENCE = "Where the presence of phonehome changed something for a device: {effects}."
SHARED_EFFECTS: Mapping[str, str] = {
    "passed": "passed without being looked into",
    "failed-once": "failed once, before it passed",
    "lower-tls": "older TLS between device and proxy",
    "older-tls": "older TLS between proxy and server",
    "weaker-cipher": "weaker cipher between proxy and server",
    "refused-tls": "TLS of the server not accepted",
    "refused-device": "TLS of the device not accepted",
    "certificate": "server that cannot prove who it is",
    "client-certificate": "server that asks for a certificate of the device's own",
    "http-version": "another version of HTTP",
    "http3": "no HTTP/3",
    "ech": "name of the server not hidden",
    "early-data": "no early data",
    "mended": "header mended",
    "forwarded": "visitor named to the media server",
    "silent": "server that did not answer given up early",
    "blocked": "address that phonehome does not lead to",
    "turned-away": "device turned away",
}
"""Kind of effect -> what it is, in a few words; `analysis.texts.presence` says more."""

MODES = {"": "", "nearest": "to the nearest", "floor": "downwards", "ceil": "upwards"}
SHARED_PROMISES = "Promises, as far as this capture shows: {promises}."
SHARED_PROMISE = "{product}, {made}, {promise}: {verdict}"
SHARED_UNCOVERED = "Sent, and not covered by what its sender says: {items}."
SHARED_UNCOVERED_ITEM = "{items} to {entity} ({purpose}; {verdict})"
SHARED_NO_LISTS = (
    "There is no list to hold against some of what was sent; nothing else was found that lists do not cover."
)
SHARED_COVERED = "In what could be read, nothing was found that the senders' lists do not cover."
SHARED_LEFT_OUT = (
    "Its author left out a part of what was found, so that nothing can be concluded from what does not stand here."
)
SHARED_COVERAGE = (
    "Calls: {calls}, of which not readable: {unreadable}; recipients outside: {recipients}, of which not readable: "
    "{recipients_unreadable}; readable calls of unknown purpose: {unknown_category}. Not inspected does not mean that "
    "nothing was sent."
)
SHARED_HOSTS = "host#1 and so on are recipients that no pack of phonehome knows; their names are left out."
SHARED_SHOWN = "{host} is {name}."
SHARED_ALSO = "{verdict} (also {also})"
SHARED_PROBABLY = "{verdict}, probably"
SHARED_DATA = "The same for programs"
SHARED_DATA_NOTE = "Check it with: phonehome share --verify FILE"
SHARED_CHECKED = "{name}: is a valid shared report of phonehome {version}"


PAIRS = ("{n} distinct exact number", "{n} distinct exact numbers")
OUTLIERS = ("One lies off this grid and is shown.", "{n} lie off this grid and are shown.")
MISSING = (
    "About one more film with another number would decide it.",
    "About {n} more films with other numbers would decide it.",
)
POOLED = "If all numbers of this kind share one step, it is {grid}; that is a hypothesis."
OR = " or "
BINS = "into a few classes"
POWER = "power of two"
DIGITS = ("one significant digit", "{n} significant digits")
GRID_MODES: Mapping[str, str] = {
    "nearest": "to the nearest {step}",
    "floor": "down to {step}",
    "ceil": "up to {step}",
    "": "to {step}",
}

ROUNDING_REASONS: Mapping[str, str] = {
    "no-pairs": "Nothing was sent.",
    "no-grid": "{pairs} and what was sent neither agree nor lie on any grid: they may not be the same quantity.",
    "same": "What was sent equals what your own server was told ({pairs}).",
    "as-fine": "What was sent is as fine as what your own server was told ({pairs}).",
    "on-grid-anyway": "What was sent equals what your own server was told ({pairs}), but these numbers lie on a grid "
    "by themselves, so that rounding would not show.",
    "too-fine": "The exact numbers ({pairs}) are not known well enough, because the film went on meanwhile: a step "
    "below {jitter} cannot be told from none.",
    "several": "What was sent differs from what your own server was told ({pairs}) and fits {n} grids, among them "
    "{some}.",
    "one": "What was sent is what your own server was told ({pairs}), rounded {grid}; no other grid fits.",
    "bins": "What was sent are a few values, each for a range of what your own server was told ({pairs}).",
    "nothing-but-zero": "Nothing but zero was sent, which says nothing.",
    "every-unit": "The numbers that were sent have no common step.",
    "one-number": "A single number was sent, and no exact one is known beside it.",
    "no-library": "All numbers that were sent have a common step, but no exact ones are known beside them, nor how "
    "your own library is distributed: they may come so anyway.",
    "library-too": "All numbers that were sent have a common step, but those of your own library often have it too.",
    "alone-one": "All numbers that were sent lie on one grid ({grid}), which those of your own library do not; which "
    "neighbour is taken is not known without exact numbers.",
    "alone-several": "All numbers that were sent have a common step, which those of your own library do not; {some} "
    "would explain it.",
}
"""Key of a fit -> its reason."""

REJECTED: Mapping[str, str] = {
    "no-time": "the capture does not say when",
    "no-own-traffic": "the capture holds no report of a play to your own server",
    "no-play": "no play on the same device and app was seen",
    "not-near": "no play began or ended near it",
    "two-plays": "two plays fit equally well",
    "no-exact": "your own server was not told this number",
    "several-versions": "the library holds several versions of the film",
    "nothing-watched": "at the start of a play nothing has been watched yet",
    "several-plays": "it may be the sum of several plays",
    "too-few-reports": "your own server was told too little of this play",
    "start-or-end": "the field may mean where the play began or where it ended",
}
"""Why a reported number has no exact one beside it."""

GENERALISED_TITLE = "How exact the numbers are that were sent"
GENERALISED_NONE = "No length, bit rate, size, position or other measure was seen going to anybody outside."
GENERALISED_LEAD = (
    "Whether a number was rounded, and to which step, are two answers: a few numbers show the first, it takes more for "
    "the second."
)
ROUNDINGS: Mapping[str, str] = {"rounded": "rounded", "not-rounded": "not rounded", "cannot-tell": "cannot tell"}
PAIRS_COLUMN, ROUNDED_COLUMN, STEP_COLUMN = "Pairs", "Rounded", "Step"
PERHAPS = "perhaps {grid}"
SEVERAL = "one of {n} grids"
UNKNOWN_STEP = "not known"
QUANTITY_HEADING = "{item}, from {product} to {entity}"
NUMBERS = "Sent: {numbers}"
NOT_PAIRED = ("{n} number has no exact one beside it: {why}.", "{n} numbers have no exact one beside them: {why}.")
EXACT, UNCERTAIN, REPORTED, DIFFERENCE = "Exact", "Unsure by", "Sent", "Difference"
EXACT_PLACE, REPORTED_PLACE = "Told to your server in", "Sent in"
IN_CALL = "call {n}, {at}"

PLOT_TITLE = "{item}: what was sent against the exact number"

FINGERPRINT_HEADING = "What these numbers tell of a film, from {product} to {entity}"
NAMED_BY = "Rounding does not matter here: {items} went along with the numbers and names the film."
LINKED_BY = "All plays can be put together by {items}, which went along with the numbers."
AND = ", "
TOLD = (
    "One film was reported by its {sent}. How many films share that:",
    "{n} films were reported, each by its {sent}. How many films share that:",
)
DETAILS: Mapping[str, str] = {
    "duration": "length",
    "bitrate": "bit rate",
    "resolution": "size of the picture",
    "video_codec": "video codec",
    "audio_codec": "audio codec",
    "container": "container",
}
CATALOGUE, MEDIAN, LOWEST, FEW = "Titles in a catalogue", "Share it (median)", "From - to", "Fewer than 10"
ANY_FILM, ACCOUNTS = "Of any films", "Accounts alike"
FROM_TO = "{low} - {high}"
REMEDIES = "What would let 95 % of all films share it with nine others, everything else being sent as it is:"
REMEDY = "among {catalogue} titles: the length to the nearest {length}, {bitrate}"
RATE_TO = "the bit rate to the nearest {step}"
NOT_SENT = "no bit rate"
NO_REMEDY = "among {catalogue} titles: no rounding that was tried"
OWN_ALONE = (
    "{n} of {m} films is the only one of your own library of which this would be reported.",
    "{n} of {m} films are the only ones of your own library of which this would be reported.",
)
BITS = "{detail} {bits} bits"
WEIGHTS = "What does most to tell films apart: {details}."
SERIES = "Episodes of a series in their order tell more: of {catalogue} episodes, a like row begins at {rows}."
SERIES_ROW = "{k} places for {n} in a row"
MODEL_NOTE = (
    "These are estimates by a made-up catalogue with usual lengths, bit rates and formats (docs/statistics.md). What "
    "is not known to be rounded is taken as it is. The range covers other assumptions and chance. The film itself is "
    "counted."
)


def plural(n: int, forms: tuple[str, ...], **names: object) -> str:
    """A number and the forms of a text -> the fitting one, filled in."""
    return forms[language.form(n)].format(n=number(n), **names)


def number(n: float, form: str = ",") -> str:
    """A number, and how it is to be written (as `format` says) -> how it is written in the language in use.

    >>> number(1234567), number(1.5, ".1f")
    ('1,234,567', '1.5')
    """
    return f"{n:{form}}".translate({ord(","): THOUSANDS, ord("."): DECIMAL})


def long_date(day: str) -> str:
    """`YYYY-MM-DD` -> a date that people read alike everywhere.

    >>> long_date("2024-06-28")
    '28 June 2024'
    """
    # Not strftime: its names of months depend on the locale.
    year, month, number_of_day = day.split("-")
    return LONG_DATE.format(day=int(number_of_day), month=MONTHS[str(int(month))], year=year)


def phrases() -> Iterator[str]:
    """Every piece of text in this file that a report may show, without what is filled in."""
    return phrases_of(globals())


def phrases_of(names: Mapping[str, object]) -> Iterator[str]:
    """Names and texts of a file of texts -> every piece of text in it, without what is filled in."""
    for name, value in names.items():
        if name.isupper():
            yield from pieces(value)


def pieces(value: object) -> Iterator[str]:
    """A text, or texts -> what stands between the names that are filled in."""
    if isinstance(value, str):
        yield from (literal for literal, *_ in Formatter().parse(value) if literal.strip())
    elif isinstance(value, Mapping):
        for key, text in value.items():
            yield str(key)
            yield from pieces(text)
    elif isinstance(value, tuple):
        for text in value:
            yield from pieces(text)
