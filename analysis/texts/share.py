"""Words of `share --preview`, of what `share --verify` says, and of `compare-reports`."""

from __future__ import annotations

from collections.abc import Mapping

PREVIEW_TITLE = "What would be posted, and what stays here"
PREVIEW_NOTE = "Left what the post says, right what is in your captures and is not told. Nothing has been written."
GOES, STAYS, LEAVE_OUT = "Goes into the post", "Stays here", "To leave it out"
NOTHING_GOES = "nothing"
SECTION_NAMES: Mapping[str, str] = {
    "month": "month",
    "length": "length of the capture",
    "versions": "versions",
    "platforms": "platforms",
    "settings": "settings",
    "occasions": "what happened",
    "received": "what recipients showed",
    "calls": "who was called",
    "promises": "promises",
    "roundings": "rounding of numbers",
    "fingerprints": "how many films share it",
    "presence": "what our presence changed",
}
ROW = "{item}: to {entity} ({purposes}), {verdicts}"
VALUES = ("{n} value: {some}", "{n} values, among them {some}")
VALUES_AT = "{values}; at {places}"
NAMES = ("{n} name: {some}", "{n} names, among them {some}")
RECIPIENT = "{entity}: {purposes}"
EXACT_TIMES = "from {first} to {last}"
EXACT_CALLS = ("{n} call, {size} sent; {hosts}", "{n} calls, {size} sent; {hosts}")
PRIVATE_THINGS: Mapping[str, str] = {
    "devices": "devices: {some}",
    "files": "files: {some}",
    "own": "your own values and titles",
    "addresses": "addresses: {some}",
}
AND_MORE = "{some} and {n} more"
ASK = "Write it? y: yes; n: no; or numbers of lines to leave out, such as 2 5"
LEFT_OUT_NOW = "Left out: {words}. A number once more takes its line in again."
NONE_LEFT_OUT = "Nothing is left out."
NOT_UNDERSTOOD = "That is neither y nor n, nor numbers that stand before a line above."
NOT_WRITTEN = "Nothing was written."
PREVIEW_HINT = "Nothing was written: this is no terminal, so nobody could be asked. Without --preview it is written."
LEFT_OUT_ARGUMENT = "--leave-out {word}"

WRITTEN = "{name}: written, {size}, readable for you alone; nothing was sent."
THEN: Mapping[str, str] = {
    "markdown": (
        "Check it with phonehome share --verify {file}, then copy its text into a post (GitHub, Discourse, Reddit, "
        "Lemmy; --forum makes it fit one of them)."
    ),
    "bbcode": (
        "Check it with phonehome share --verify {file}, then copy its text into a post (phpBB, SMF, XenForo; --forum "
        "makes it fit one of them)."
    ),
    "html": "Check it with phonehome share --verify {file}, then attach it to a post or open it in a browser.",
    "json": "Check it with phonehome share --verify {file}, then attach it to a post; programs read it.",
    "har": "Open it in the network tools of a browser, or attach it to a post.",
    "openapi": "Open it in a viewer of OpenAPI, or attach it to a post.",
}
"""Form -> what to do with it."""
THEN_COPY = "Copy its text into a post. The form for programs does not fit into it, so --verify takes the JSON form."
THEN_LOAD = "Read in it what each name breaks, then load it into the program that is to block them."

HELD = "{name}: holds {what} of these captures; do not post it"
NOT_HELD = "{name}: holds nothing private of these captures"
SAME_CAPTURE = "{name}: says the same as a report of these captures would"
OTHER_CAPTURE = "{name}: says something else than a report of these captures would ({differs})"

COMPARED_TITLE = "How {n} reports differ"
COMPARED_SAME = "They say the same, but for their ids."
COMPARED_NOTE = (
    "Counts are classes, so that small differences do not show. What one report does not have may not have happened "
    "while it was recorded: compare what happened first."
)
REPORTS_HEADING = "The reports"
REPORT_COLUMN, MONTH_COLUMN, LENGTH_COLUMN, SOFTWARE_COLUMN = "Report", "Month", "Length", "Software"
PLATFORM_COLUMN, OCCASIONS_COLUMN, CALLS_COLUMN, READ_COLUMN = "Platform", "What happened", "Calls", "Not readable"
SECTIONS_COMPARED: Mapping[str, str] = {
    "packs": "Versions of phonehome's packs",
    "lists": "Lists that they were judged by",
    "versions": "Versions of software",
    "settings": "Settings",
    "rows": "What was sent, and what the lists say",
    "received": "What recipients showed",
    "calls": "Who was called, and what for",
    "promises": "Promises",
    "roundings": "Rounding",
    "fingerprints": "How many films share it",
    "presence": "What our presence changed",
}
ABSENT = "—"
PRESENT = "yes"
WHAT = "What"
SWITCH_COMPARED = "{label}: {where}"
LIST_OF = "list of {declared}"
VALUES_COMPARED: Mapping[str, str] = {
    "count": "number: {value}",
    "unreadable": "not readable: {value}",
    "step": "step {value}",
    "pairs": "{value} distinct",
    "share": "{value} films",
}
"""Field of a row -> how its value is said; classes of counts among them."""
ALIKE = ("{n} entry is the same in all.", "{n} entries are the same in all.")
