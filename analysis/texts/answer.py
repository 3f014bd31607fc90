"""Words of the first screen: the answer, for somebody who has never seen a packet."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.model import Category, Verdict

SECONDS = ("{n} second", "{n} seconds")
MINUTES = ("{n} minute", "{n} minutes")
HOURS = ("{n} hour", "{n} hours")
DAYS = ("{n} day", "{n} days")

MADE = ("In {time}, {who} made {n} call outside.", "In {time}, {who} made {n} calls outside.")
MADE_ONCE = ("In this capture, {who} made {n} call outside.", "In this capture, {who} made {n} calls outside.")
SERVERS = ("your {product} server", "{n} {product} servers")
APPS = ("{n} app", "{n} apps")
APPS_NAMED = "{apps} ({names})"
WEBSITES = "the website of {product}"
UNKNOWN_SENDERS = "senders that are not known"
AND = "{some} and {last}"

SHARES = "What for: {shares}."
SHARE = "{share} {aim}"
LESS_THAN_ONE = "less than 1\N{NO-BREAK SPACE}%"
REST = "other purposes"
AIMS: Mapping[Category, str] = {
    Category.UPDATE_CHECK: "to look for updates",
    Category.UPDATE_DOWNLOAD: "to fetch updates",
    Category.PLUGIN_REPOSITORY: "to look for plugins",
    Category.REMOTE_DISCOVERY: "for ways to reach your server",
    Category.LOCAL_DISCOVERY: "to find devices at home",
    Category.ACCOUNT_AUTH: "to sign in",
    Category.LICENCE_CHECK: "to check the licence",
    Category.SETTINGS: "for settings",
    Category.CERTIFICATE: "for certificates",
    Category.USAGE_STATISTICS: "for usage statistics",
    Category.SESSION_REPLAY: "for session replay",
    Category.CRASH_REPORT: "for crash reports",
    Category.LOG_UPLOAD: "to upload logs",
    Category.METADATA_LOOKUP: "to look up titles",
    Category.GUIDE: "for the programme guide",
    Category.IMAGES_CDN: "for pictures",
    Category.PLAYBACK_REPORT: "to report what is played",
    Category.WATCH_STATE_SYNC: "to keep in step what was watched",
    Category.SOCIAL: "for friends and sharing",
    Category.NOTIFICATIONS: "for notifications",
    Category.CLOUD_CONTENT: "for the vendor's own films and channels",
    Category.ADVERTISING: "for advertising",
    Category.SEARCH: "to search",
    Category.WEBHOOKS: "for webhooks",
    Category.GEO_LOOKUP: "to look up places",
    Category.TIME_SYNC: "to set the clock",
    Category.CONNECTIVITY_CHECK: "to see whether the internet is there",
    Category.NAME_LOOKUP: "to look up names",
    Category.SERVER_API: "to control a server",
    Category.MEDIA_STREAM: "for films and music",
    Category.UNKNOWN: "for a purpose that is not known",
}
"""Purpose -> as it follows a share."""

WATCHED = (
    "{n} call carried something of what you watch or own to {hosts}: {items}.",
    "{n} calls carried something of what you watch or own to {hosts}: {items}.",
)
WATCHED_MORE = (
    "{n} further recipient got something of what you watch or own; see below.",
    "{n} further recipients got something of what you watch or own; see below.",
)
ROUNDED = "{item} (rounded)"
ROUNDED_TO = "{item} (rounded {grid})"
NOT_ROUNDED = "{item} (not rounded)"
SAYS: Mapping[Verdict, str] = {
    Verdict.DENIED: "{product} says that it never collects {items}.",
    Verdict.OPTED_OUT: "{product} lists {items} as optional, and the switch was off.",
    Verdict.WRONG_RECIPIENT: "{product} lists {items} for other recipients only.",
    Verdict.IDENTIFIABLE: "{product} lists {items} as anonymous, but sent along was what tells who you are.",
    Verdict.TOO_PRECISE: "{product} promises to round {items}, and finer numbers were sent.",
    Verdict.CONTRADICTORY: "{product} both lists and denies {items}.",
    Verdict.UNDECLARED: "{product} does not list {items}.",
    Verdict.OPTIONAL: "{product} lists {items} as optional.",
    Verdict.DECLARED_VAGUELY: "{product} lists {items} in broader words only.",
    Verdict.DECLARED: "{product} lists {items}.",
    Verdict.DOCUMENTED: "{product} has no list that names {items}, but documentation describes this, or you set it up.",
    Verdict.NO_LIST: "{product} publishes no list that could name {items}.",
}
"""Verdict -> what is said of items that tell what is watched."""
PROBABLY = "Probably: {said}"
NO_SENDER = "Who sent {items} is not known, so no list can be held against it."
SWITCH = "The switch is {label}: {where}."
SWITCH_WAS_OFF = "The switch is {label}: {where}; it was off when seen last."
UNLISTED = (
    "{product} publishes no list; it sent {n} kind of data to {recipients}.",
    "{product} publishes no list; it sent {n} kinds of data to {recipients}.",
)
IMPORT_TITLES = "phonehome known import lets them be searched for."
NO_FILM = "No film was played, so nothing can be said about playback."
NO_FILM_READ = "In what could be read, no film was played, so nothing can be said about playback."
FREE_TEXT = "Free text, which may name a title, was sent: {items}."
