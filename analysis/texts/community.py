"""Every sentence and label of what many reports say together, so that a translation is one file.

A pair is singular and plural; `{n}` and other names in braces are filled in.
"""

from __future__ import annotations

from collections.abc import Mapping

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

TAKEN = ("{n} report is new", "{n} reports are new")
KNOWN = ("{n} was there already", "{n} were there already")
REJECTED = ("{n} was refused", "{n} were refused")
LEFT_OUT = (
    "{n} entry was left out: it names something that this version does not know (update phonehome)",
    "{n} entries were left out: they name something that this version does not know (update phonehome)",
)
COLLECTED = "{taken}, {known}, {rejected}."
NEXT = "phonehome community {dataset} shows what they say together."

TITLE = "What many homes report"
BASIS = (
    "From {reports} reports of {posters} people, {first} to {last}. Each person counts once, however often he posts; "
    "fewer than {minimum} people are not told of. Shares are those of people who looked, with the range in which the "
    "true share lies (95 %). What nobody looked at is not shown as not sent."
)
BASIS_EMPTY = (
    "There are too few reports to tell anything yet: at least {minimum} people have to look at the same product. "
    "phonehome collect takes more."
)
ALIKE = "{alike} further reports are nearly the same as an earlier one and do not count."
UNKNOWN = (
    "{n} entry names something that this version of phonehome does not know; it is counted and not shown.",
    "{n} entries name something that this version of phonehome does not know; they are counted and not shown.",
)
OUTLIERS_COUNTED = (
    "{n} thing is reported by a few people only, among many who looked, and is not named here.",
    "{n} things are reported by a few people only, among many who looked, and are not named here.",
)
REPORTED = (
    "Reports are what people posted; anybody may post anything. “Reproduced” means that a named maintainer can repeat "
    "it from a capture whose hash is given. No verdict that accuses is a headline without that."
)

HEADLINES = "The most important"
NO_HEADLINES = "Nothing is certain enough to stand here: see the tables."
HEADLINE_APPEARED = "{product} sends {item} to {entity} ({purpose}) since version {version}."
HEADLINE_GONE = "{product} no longer sends {item} to {entity} ({purpose}), or more rarely, since version {version}."
HEADLINE_EXPLAINED = "Whether {product} sends {item} to {entity} ({purpose}) depends on {factor}."
HEADLINE_VERDICT = "What the list says of {item} that {product} sends to {entity} ({purpose}) depends on {factor}."
HEADLINE_REPRODUCED = "{product} sends {item} to {entity} ({purpose}): {meaning}. Reproduced by {maintainer}."
FACTORS = {
    "setting": "the setting “{name}”",
    "platform": "the platform ({name})",
    "occasion": "what happened in the capture ({name})",
}

CHANGES = "What changed between versions"
CHANGE, APPEARED, GONE = "Change", "sent since then", "no longer, or more rarely"
VERSION, BEFORE, AFTER, SINCE = "Version", "Before", "After", "Since"
FIRM, FIRM_YES, FIRM_NO = "Firm", "yes", "five who lie together could have made it up"
REVISIONS = "What changed between lists"
LISTS, WAS, NOW = "Lists", "Was", "Is"
DISAGREEMENTS = "Where reports disagree"
DIFFERENCE, WHETHER, EXPLAINED, UNEXPLAINED = "They differ in", "whether it is sent", "Explained by", "nothing known"
WITH, WITHOUT = "With it", "Without it"
STATEMENTS = "Who gets what"
SEEN_BY, STATUS, SLICE = "Seen by", "Status", "Only"
SHARE = "{low}-{high} % ({posters} of {of} people)"
SHARE_FEW = "at most {high} % ({posters} of {of} people)"
SHARE_ALL = "at least {low} % ({posters} of {of} people)"
FROM_VERSION = "{version} or earlier"
VERDICT_SHARE = "{verdict} ({posters})"
DISPUTED = "reports differ"
STATUSES = {"reported": "reported", "reproduced": "reproduced"}
ANY = "all reports"
ONLY_VERSION, ONLY_PLATFORM = "version {version}", "on {platform}"
ONLY_SETTING = "“{switch}” {state}"
GAPS = "What needs a capture"
GAPS_NOTE = "Fewer than {minimum} people have looked at these. A capture of yours would help: phonehome share."
NO_GAPS = "Every product was looked at on every platform."
PLATFORMS, LOOKED, ANY_VERSION = "Platforms", "Looked at on", "any version"
OUTLIERS = "Reported by a few only (for your eyes: look at their posts)"
PEOPLE = "People"
NO_PACK = "a recipient that is not known"

SITE, SKIP = "Pages", "Skip to what this page says"
MENU = {
    "index.html": "Start",
    "changes.html": "Changes",
    "gaps.html": "Needs a capture",
    "search.html": "Search",
    "about.html": "How it is counted",
}
FEED_TITLE = "What media servers send: changes"
FEED_AUTHOR = "The people who shared reports"
SITE_FILES = {
    "feed.xml": "Changes as a feed (Atom)",
    "data/answers.json": "Everything for programs (JSON)",
    "forum-post.md": "A text for a forum post (Markdown)",
    "forum-post.bbcode.txt": "A text for a forum post (BBCode)",
}
PRODUCTS, FILES, RECIPIENTS = "Products", "Files", "Recipients"
PRODUCT, ITEM_WORD, RECIPIENT_WORD = "product", "data item", "recipient"
PRODUCT_NOTE = "What {product} sends to others, as many people report it."
PRODUCT_FILE = "The same for programs (JSON)"
PARTS = "By version, platform and setting"
PARTS_NOTE = "Only parts about which enough people report, and which leave enough others."
NOT_MEANT = "Not meant: {other}"
RECIPIENT_TITLE = "What is sent to {entity}"
CHANGE_TITLE = "What changed in {product} {version}"
CHANGE_NOTE = "Tested so that in a hundred such lists one holds a change that is none."
CHANGES_TITLE = "Changes"
NO_CHANGES = "No change is known yet."
SEARCH_TITLE = "Search"
SHOWN = "shown"
ABOUT_TITLE = "How it is counted"
ABOUT: Mapping[str, str] = {
    "reports": "Reports are made with phonehome share, which takes out everything private, and posted by whoever wants "
    "to. They hold no values, names, addresses or times.",
    "counting": "A report that is not valid is refused. Who posts many counts once; everybody without a name counts as "
    "one person together; a report that is nearly the same as another one counts once. What a few of many say is not "
    "shown.",
    "changes": "Changes and explanations are tested together so that 99 of 100 such lists hold no wrong one; what "
    "stands among the most important also holds if five who speak for it lied.",
    "classes": "Numbers of people are told as 3+, 5+, 10+, 20+, 50+ and 100+, shares in steps of 5 %, times in months, "
    "and nothing is told of a group whose rest would be too small.",
}
"""The paragraphs of the page, in their order."""

VERDICT_WORDS = "What the verdicts mean"
STATEMENT = "{product} sends {item} to {entity} ({purpose}): {verdict}."
REVISED = "{product}, {item} to {entity} ({purpose}): {was} by the list of {old}, {now} by that of {new}."
REPRODUCED_BY = "reproduced by {maintainer} from {capture}"
SITE_MADE = "{n} files in {folder}; any web server can serve them, and a browser can open index.html."
SITE_TWICE = (
    "{folder} held a site of the same month ({month}): who keeps both can tell what single new reports say; "
    "publish once a month."
)
