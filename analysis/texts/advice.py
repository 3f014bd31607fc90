"""Words about what the user can do: switches, and names to block with what that breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from analysis.model import Category

type Effect = Literal["block", "weigh", "keep"]
"""What blocking a name does: nothing is missed; something is; the product no longer works."""

HEADING = "What you can do"
NOTE = (
    "A switch is better than a block: the rest goes on working. Turn it off, record again, and phonehome optout shows "
    "what it stopped. Where there is none, the name of the recipient can be blocked, at a price."
)
HOST, CARRIED, SWITCH, BLOCK, BREAKS = "Recipient", "What goes there", "Switch", "Block the name?", "What breaks"
NO_SWITCH = "none is known"
SWITCH_AT = "{label}: {where}"
SWITCH_OFF = "{label}: {where} (was off when seen last)"
ENTITY = "{host} ({entity})"
EFFECTS: Mapping[Effect, str] = {"block": "yes", "weigh": "weigh it", "keep": "better not"}
NOT_READ = "could not be read"

BLOCKED_CATEGORIES: Mapping[Category, str] = {
    Category.USAGE_STATISTICS: "usage statistics",
    Category.SESSION_REPLAY: "session recordings",
    Category.CRASH_REPORT: "crash reports",
    Category.LOG_UPLOAD: "uploads of logs",
    Category.ADVERTISING: "advertisements",
}
"""Purposes that nobody misses."""

LOSSES: Mapping[Category, str] = {
    Category.UPDATE_CHECK: "no notice of updates, also of those that close security holes",
    Category.UPDATE_DOWNLOAD: "no updates, also none that close security holes",
    Category.PLUGIN_REPOSITORY: "no plugins and none of their updates",
    Category.REMOTE_DISCOVERY: "apps may no longer find your server",
    Category.LOCAL_DISCOVERY: "apps may no longer find your server",
    Category.ACCOUNT_AUTH: "nobody can sign in",
    Category.LICENCE_CHECK: "paid features may end",
    Category.SETTINGS: "settings are not read or kept",
    Category.CERTIFICATE: "secure connections may fail",
    Category.METADATA_LOOKUP: "no descriptions and posters for what is new in the library",
    Category.GUIDE: "no programme guide",
    Category.IMAGES_CDN: "no pictures",
    Category.PLAYBACK_REPORT: "progress is not kept there",
    Category.WATCH_STATE_SYNC: "what was watched is not kept in step",
    Category.SOCIAL: "no friends and no sharing",
    Category.NOTIFICATIONS: "no notifications",
    Category.CLOUD_CONTENT: "none of the vendor's own films and channels",
    Category.SEARCH: "search finds your own titles alone",
    Category.WEBHOOKS: "what you set up to be told is not told",
    Category.GEO_LOOKUP: "places are not shown",
    Category.TIME_SYNC: "clocks may go wrong",
    Category.CONNECTIVITY_CHECK: "a device may think that it is offline",
}
"""What is missed when calls of a purpose fail."""

ONLY_SEEN = "only {purposes} were seen there; what else it is for is not known"
LOST = "{losses} (by what was seen there; it may be more)"
NOT_KNOWN = "not known: block it for a day and see what fails"

RULES_HEADING = "Rules to copy"
RULES_NOTE = "These block the names above to which the answer is yes, and nothing else."
PIHOLE = "Pi-hole, on its command line (version 5: pihole -b instead of pihole deny):"
ADGUARD = "AdGuard Home, under Filters › Custom filtering rules:"
NFTABLES = (
    "nftables, on the router. It knows addresses alone: these were seen in the capture, change without notice, and may "
    "serve other names too. Use it only where a device does not ask your name server."
)
"""Tools, each before its rules."""
