"""The values that pass from stage to stage.

`Observation --classify--> Classified --extract--> Finding --compare--> Comparison`
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from captures.model import Observation

type Direction = Literal["sent", "received"]
"""`sent`: bytes that leave the house or go to somebody else's machine; `received`: what came back."""

type FindingSource = Literal["rule", "name", "pattern", "known", "implied"]
"""How an item was recognised: a rule names the place, a well-known field name, the shape of the value, one of the
user's own values, or it stands in no bytes (the sender's public address)."""


class Category(StrEnum):
    """What a call is for: by what the answer is used for, then by the path.  No category is harmless as such."""

    UPDATE_CHECK = "update-check"
    UPDATE_DOWNLOAD = "update-download"
    PLUGIN_REPOSITORY = "plugin-repository"
    REMOTE_DISCOVERY = "remote-discovery"
    LOCAL_DISCOVERY = "local-discovery"
    ACCOUNT_AUTH = "account-auth"
    LICENCE_CHECK = "licence-check"
    SETTINGS = "settings"
    CERTIFICATE = "certificate"
    USAGE_STATISTICS = "usage-statistics"
    SESSION_REPLAY = "session-replay"
    CRASH_REPORT = "crash-report"
    LOG_UPLOAD = "log-upload"
    METADATA_LOOKUP = "metadata-lookup"
    GUIDE = "guide"
    IMAGES_CDN = "images-cdn"
    PLAYBACK_REPORT = "playback-report"
    WATCH_STATE_SYNC = "watch-state-sync"
    SOCIAL = "social"
    NOTIFICATIONS = "notifications"
    CLOUD_CONTENT = "cloud-content"
    ADVERTISING = "advertising"
    SEARCH = "search"
    WEBHOOKS = "webhooks"
    GEO_LOOKUP = "geo-lookup"
    TIME_SYNC = "time-sync"
    CONNECTIVITY_CHECK = "connectivity-check"
    NAME_LOOKUP = "name-lookup"
    SERVER_API = "server-api"
    MEDIA_STREAM = "media-stream"
    UNKNOWN = "unknown"


class Party(StrEnum):
    """Whose machine is at the other end."""

    OWN = "own"
    """Proven or named as the user's own."""
    OTHER_HOME = "other-home"
    """A media server that the vendor's answer says is somebody else's."""
    OWN_VIA_RELAY = "own-via-relay"
    """The own server, reached through the vendor's relay."""
    VENDOR = "vendor"
    """The company that makes a media product."""
    THIRD_PARTY = "third-party"
    """Another company, known by name."""
    UNKNOWN = "unknown"
    """Nothing is known, or ownership is not proven."""


class Attribution(StrEnum):
    """How the sender of a call is known.  With the last three no verdict is worse than `no-list`."""

    PINNED_HOST = "pinned-host"
    USER_AGENT = "user-agent"
    PRODUCT_HEADER = "product-header"
    PROCESS = "process"
    REFERER = "referer"
    DEVICE = "device"
    NEIGHBOUR = "neighbour"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What the lists say of an item; the order is the precedence: the first that holds is the verdict."""

    DENIED = "denied"
    OPTED_OUT = "opted-out"
    WRONG_RECIPIENT = "wrong-recipient"
    IDENTIFIABLE = "identifiable"
    TOO_PRECISE = "too-precise"
    CONTRADICTORY = "contradictory"
    UNDECLARED = "undeclared"
    OPTIONAL = "optional"
    DECLARED_VAGUELY = "declared-vaguely"
    DECLARED = "declared"
    DOCUMENTED = "documented"
    NO_LIST = "no-list"
    NOT_SEEN = "not-seen"


class Alike(msgspec.Struct, frozen=True):
    """Calls of which a report says the same, so that one of them, the first, stands for all.

    Its sizes are those of all together.
    """

    count: int
    """How many, with the first."""
    addresses: tuple[str, ...]
    """Addresses that answered them.  Private."""
    open: int
    """Milliseconds that they took together."""
    places: array[int]
    """Numbers of the calls; empty where nobody asks when each was made."""
    times: array[float]
    """When each was made, as long as `places`, seconds since the epoch (UTC); not a number when it is not known."""
    one_path: bool
    """Whether they have the same path."""
    between: tuple[float, float] | None
    """The first and the last time of them, seconds since the epoch (UTC); `None` when none is known."""
    spread: Mapping[int, int] = msgspec.field(default_factory=dict)
    """How many were made in each of the `spans` of the picture of their result; empty where none is drawn."""


class Classified(msgspec.Struct, frozen=True):
    """One observation, and what the call is for.  Each observation comes out exactly once, in order."""

    n: int
    """Position among the calls, unique over all files."""
    observation: Observation
    """What was observed."""
    product: str
    """Pack id of the sender; empty when it is not known."""
    service: str
    """Pack id of the receiver; empty when no pack knows the host."""
    attribution: Attribution
    """How the sender is known."""
    role: str
    """Part of the product that sends: `server`, `app`, `website`, or empty when it is not known."""
    category: Category
    """What the call is for."""
    party: Party
    """Whose machine is at the other end."""
    entity: str
    """Name of the company at the other end, of an unknown one the registrable domain; empty for a household, a media
    server whose owner is not known, and an address.  Private unless a shipped pack names it."""
    rule: str
    """`pack/call` of the rule that decided; empty iff the category is unknown or comes from the party or the
    answer alone."""
    answered_by: str = ""
    """Company (or registrable domain) to whose name DNS sent the caller by a CNAME, if that is another one than
    `entity`; empty when none is known.  Private like `entity`."""
    alike: Alike | None = None
    """The calls that this one stands for; `None`: itself alone."""


class Finding(msgspec.Struct, frozen=True):
    """One data item in one call.  Private: `value` is what was sent."""

    call: int
    """`Classified.n` of the call."""
    direction: Direction
    """Whether the item left the house or came back."""
    item: str
    """Id in `items.toml`."""
    at: str
    """Path that a person can look up: `body.properties.duration`, `header.x-plex-token`, `response.body.0.name`;
    empty for `implied`."""
    value: str
    """The value as it was sent, after `encodings` were undone; empty for `implied` when it is not known."""
    encodings: tuple[str, ...]
    """Encodings that were undone to see it, outermost first; transport and content-encoding are none."""
    source: FindingSource
    """How it was recognised."""
    evidence: str = ""
    """Of an own title, file or hash: by what it was recognised, a key of `sureness.EVIDENCE`; else empty."""


class Comparison(msgspec.Struct, frozen=True):
    """What the sender's list says of one item to one recipient for one purpose."""

    product: str
    """Pack id of the sender whose list is applied; empty when the sender is not known."""
    declared: str
    """Date of the list that was applied; empty when there is none."""
    item: str
    """Id in `items.toml`."""
    recipient: str
    """Kind of recipient: `vendor`, `processor-crash`, `advertiser`, …, `other`."""
    entity: str
    """Name of the recipient, or its host when no name is known.  Private unless a shipped pack names it."""
    category: Category
    """What the calls are for."""
    verdict: Verdict
    """The first verdict that holds."""
    also: tuple[Verdict, ...]
    """The others that hold, in their order."""
    reason: str
    """One sentence for a layman.  Names statement, list and date; holds no captured value."""
    statement: str
    """Id of the statement that decided; empty when there is none."""
    count: int
    """Number of findings."""
    calls: tuple[int, ...]
    """The calls in which the item stands, ascending, each once; empty for `not-seen`."""
    sure: bool = True
    """False when the sender is only probable, so that no accusation rests on it."""
    fields: tuple[str, ...] = ()
    """Where the list names fields one by one: those to which the verdict applies, as the rule names their places."""
    rule: str = ""
    """Id of the rule by which the call that decided was known; empty when there is none."""
    look: tuple[int, str] | None = None
    """Where to look by hand: `n` of a call in which the item stands, and its place there; `None` for `not-seen`."""
