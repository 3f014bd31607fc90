"""Every sentence and label of what many reports say together, so that a translation is one file.

A pair is singular and plural; `{n}` and other names in braces are filled in.
"""

from __future__ import annotations

# Why a post is not taken ---

TOO_LARGE = "is larger than a shared report can be"
NO_JSON = "holds no shared report (phonehome share makes one)"
NO_REPORT = "is no valid shared report: {fault}"
NO_IDS = "names things that cannot be ids"
TOO_MANY = "lists more than {most} entries of one kind"
FUTURE = "is of a month that has not begun"
CONTRADICTS = "contradicts itself: its parts are more than its whole"
ID_TAKEN = "has the id of another report; the first one stays"
NO_FILE = "is no file"

# What collecting came to -----

TAKEN = ("{n} report is new", "{n} reports are new")
KNOWN = ("{n} was there already", "{n} were there already")
REJECTED = ("{n} was refused", "{n} were refused")
LEFT_OUT = (
    "{n} entry was left out: it names something that this version does not know (update phonehome)",
    "{n} entries were left out: they name something that this version does not know (update phonehome)",
)
COLLECTED = "{taken}, {known}, {rejected}."
NEXT = "phonehome community {dataset} shows what they say together."
