"""What stands in the files of a product pack, as types.

A pack is a folder `products/<id>/` with `product.toml`, `calls/<call>.toml` and `declared/<date>.toml`.
`schema.convert` turns these files into the types below; the docstring under a field is its documentation for those who
write a pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from analysis.model import Category, Party
from analysis.schema import Derived

type Evidence = Literal["documented", "captured", "source-code", "inferred"]
"""How a rule is known: the vendor's documents or own code say so; seen in traffic; read in the code of a third
party that makes the call; concluded from something else."""

type SenderRole = Literal["server", "app", "website", "any"]
"""Which part of a product sends: the server, an app (also the web app), the public website, or any of them."""

type RecipientKind = Literal[
    "vendor",
    "processor-analytics",
    "processor-crash",
    "processor-cloud",
    "processor-content",
    "processor-marketing",
    "advertiser",
    "other",
]
"""What a recipient is to the vendor."""

KINDS: tuple[str, ...] = get_args(RecipientKind.__value__)
"""All kinds of recipients."""

type Proof = Literal["", "servers", "identity", "public-address"]
"""What an answer proves about the household: `servers` lists servers with whether they are owned, `identity` is a
server naming itself, `public-address` is the household's address, as text or in the field `ip`."""


class ItemPlace(msgspec.Struct, frozen=True):
    """One data item and where it stands in a call."""

    id: str
    """Id in `items.toml`."""
    at: tuple[str, ...]
    """Places as findings show them: `query.x`, `header.x-y`, `cookie.x`, `path.name` and `host.name` (a named part of
    the pattern), `path`, `host`, `body.a.*.b`, in answers `response.body…`; `*` stands for one step, `**` for any
    number."""
    why: str
    """How it is known that this place holds this item."""
    unit: str = ""
    """Unit of a number: `s`, `ms`, `kbps`, `bytes`; empty for anything else."""
    only_if: tuple[str, ...] = ()
    """Glob patterns (`*`); the item is there only if the value fits one of them.  Empty: any value."""
    not_if: tuple[str, ...] = ()
    """Glob patterns of filler values that say nothing."""


class Match(msgspec.Struct, frozen=True):
    """Which calls a rule is about.  All conditions must hold."""

    host: tuple[str, ...] = ()
    """Exact names, or patterns: `*.sentry.io` (any subdomain), `{address}.{hash}.plex.direct` (one label each)."""
    party: Literal["", "own"] = ""
    """`own`: any call to a media server of this product, whatever its host, instead of `host`."""
    path: str = ""
    """Exact path, or a pattern: `*` within a segment, `**` across segments, `{name}` one segment, `{name=/a/*}` a
    pattern with a name.  Empty: any path, also connections whose path is not known."""
    method: tuple[str, ...] = ()
    """Methods; empty: any."""
    query: tuple[str, ...] = ()
    """Query parameters that must be there: `name`, or `name=pattern`."""
    header: tuple[str, ...] = ()
    """Request headers that must be there: `name`, or `name=pattern`."""
    contains: tuple[str, ...] = ()
    """Texts that must stand in the request body as it was sent."""


class SwitchPlace(msgspec.Struct, frozen=True):
    """A place in a call that shows the state of a switch."""

    id: str
    """Id of the switch in `product.toml`."""
    at: str
    """Place, as in `ItemPlace.at`."""
    off: tuple[str, ...]
    """Glob patterns of values that mean: the data is not to be sent."""
    on: tuple[str, ...]
    """Glob patterns of values that mean: it may be sent."""
    beside: str = ""
    """`name=value`: a field of the same table that must say this, where a list holds all settings alike."""


class ExampleCall(msgspec.Struct, frozen=True):
    """A made-up call, as text: start line, headers, empty line, body."""

    request: str
    """`POST https://host/path`, headers, an empty line, body."""
    response: str = ""
    """`200`, headers, an empty line, body; empty: no answer."""
    items: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Expected `item id` -> values, of the items that this rule names, in the order of `items`."""
    note: str = ""
    """What the example shows."""


class Rule(msgspec.Struct, frozen=True):
    """One kind of call: how to recognise it, what it is for, what it carries, and how that is known."""

    category: Category
    """What the call is for."""
    match: Match
    """Which calls."""
    evidence: Evidence
    """How the rule is known."""
    source: str
    """Where that can be checked: document, code base or capture."""
    example: tuple[ExampleCall, ...]
    """Calls that this rule must win."""
    near_miss: tuple[ExampleCall, ...]
    """Calls that look alike and must not fit."""
    when: str = ""
    """Occasion: `start`, `every 24 h`, `on play`, `on scan`, `on crash`, `on sign-in`…; empty: not known."""
    seen_version: str = ""
    """Version of the sender in which it was seen; empty: not known."""
    seen_date: str = ""
    """When it was seen (year, month or day); empty: not known."""
    note: str = ""
    """What a reader should know beyond that."""
    sender: SenderRole = "any"
    """Which part of a product makes this call."""
    pinned: bool = False
    """Whether only this pack's own product calls this host, so that the host alone tells the sender."""
    proves: Proof = ""
    """What the answer proves about the household."""
    items: tuple[ItemPlace, ...] = ()
    """What it carries."""
    switches: tuple[SwitchPlace, ...] = ()
    """Switches whose state it shows."""
    documented: str = ""
    """Address of the vendor's documentation that describes this call and what it needs; empty: none."""
    set_up_by_user: bool = False
    """Whether the call is made only because the user named this recipient (webhook, scrobbler, notifier)."""
    id: Derived = ""
    """`pack/file name`, set by the loader."""


class SenderSign(msgspec.Struct, frozen=True):
    """A sign by which this product is known to be the sender."""

    at: str
    """`header.name` or `query.name`, in any case; `header.referer` and `header.origin` show the page that sent it."""
    value: tuple[str, ...]
    """Glob patterns; one must fit."""
    role: SenderRole = "any"
    """Which part of the product it shows."""
    among: tuple[str, ...] = ()
    """Glob patterns of the values that name a product at all (`MediaBrowser *` of `authorization`); any other says
    nothing of the sender.  Empty: every value names one."""


class Field(msgspec.Struct, frozen=True):
    """A name of the product's own vocabulary and the data item that it holds.

    Several entries of one name are tried in their order; the first that fits counts."""

    name: str
    """Header or query parameter, in any case."""
    item: str
    """Id in `items.toml`."""
    server_item: str = ""
    """The item it is when the sender is a server; empty: the same."""
    only_if: tuple[str, ...] = ()
    """Glob patterns, in any case; the entry fits only if one fits the value.  Empty: any value."""
    when: tuple[str, ...] = ()
    """Headers or parameters of the same call, as `name=pattern` in any case; the entry fits only if one of them is
    there.  Empty: always."""


class Switch(msgspec.Struct, frozen=True):
    """A setting by which the user can stop something."""

    id: str
    """Id, unique in the pack."""
    label: str
    """As the product calls it."""
    where: str
    """How to find it."""
    place: Literal["", "account", "server", "app", "device"] = ""
    """Where it is set: in the account, the server, each app, or the device's own settings; empty: not known."""


class Blocking(msgspec.Struct, frozen=True):
    """What happens when names are blocked, in the name server or at the router."""

    host: tuple[str, ...]
    """Exact names, or patterns: `*.example.org` (any subdomain).  Of several entries the first that fits counts."""
    effect: Literal["block", "weigh", "keep"]
    """`block`: nobody misses it; `weigh`: something useful stops; `keep`: the product no longer works."""
    breaks: str
    """What stops then, as a clause that a layman understands."""
    source: str
    """How that is known."""


class Product(msgspec.Struct, frozen=True):
    """One pack."""

    name: str
    """As people call it."""
    kind: Literal["media-product", "tool", "service"]
    """`media-product`: a vendor's media software; `tool`: a third party's program that talks to one; `service`: a
    company that others call."""
    entity: str
    """Company or project at the other end."""
    domains: tuple[str, ...] = ()
    """Domains (with all subdomains) that belong to the entity."""
    recipient: RecipientKind = "vendor"
    """What the entity is to those whose software calls it."""
    homepage: str = ""
    """Address of the product."""
    note: str = ""
    """What a reader should know."""
    senders: tuple[SenderSign, ...] = ()
    """Signs that this product sent a call."""
    server_headers: tuple[str, ...] = ()
    """Response headers (lower case) that only this product's media server sends, whoever runs it."""
    fields: tuple[Field, ...] = ()
    """The product's own vocabulary of headers and parameters."""
    switches: tuple[Switch, ...] = ()
    """Settings that stop something."""
    blocking: tuple[Blocking, ...] = ()
    """What happens when its names are blocked."""
    id: Derived = ""
    """Name of the folder, set by the loader."""


class Statement(msgspec.Struct, frozen=True):
    """One sentence of a declared list, about one or more data items."""

    id: str
    """Unique in its file: `device.model`."""
    items: tuple[str, ...]
    """Ids in `items.toml` that the sentence names, or broader terms of `ontology.toml`; empty when it maps to none
    (then `derived` or `note` says why)."""
    status: Literal["required", "optional", "never"]
    """`required`: always collected; `optional`: a switch stops it; `never`: declared as not collected."""
    wording: str
    """Short quotation or own wording of what the list says."""
    place: str
    """Section of the document."""
    switch: str = ""
    """Id of the switch in `product.toml`; empty: none is offered."""
    recipients: tuple[str, ...] = ("vendor",)
    """Who is said to receive it, as a `RecipientKind` or a broader term of `ontology.toml` (`service-provider`); of a
    denial, to whom it is said not to go (`vendor`: to nobody)."""
    only_recipients: bool = False
    """Whether it says that nobody else receives it."""
    sender: SenderRole = "any"
    """Which part of the product it is about."""
    content: Literal["personal", "vendor-provided", "any"] = "any"
    """Whether it is about the user's own library, the vendor's content, or both."""
    categories: tuple[Category, ...] = ()
    """Kinds of calls it covers; empty: all."""
    except_categories: tuple[Category, ...] = ()
    """Kinds of calls that it names as exceptions."""
    fields: tuple[str, ...] = ()
    """Glob patterns, in any case, of the names of fields that it means ("video bitrate": `*video*bitrate*`); one with a
    dot is compared with the whole place in a body (`os.version`).  A field that no statement about the item means in
    this way is undecided, and all are about it.  Empty: any name."""
    broad: bool = False
    """Whether it covers the items without naming them or a broader term for them: by what follows from it, or by an
    "and the like" (`declared-vaguely`)."""
    blanket: bool = False
    """Whether it denies in general terms ("no tracking"): quoted beside `no-list`, never `denied`."""
    promise: Literal["", "rounded", "switched-off", "listed"] = ""
    """Of a promise, which of those that are judged: numbers are rounded; a switch stops it; all of it is listed."""
    rounding: str = ""
    """What it promises about precision: `rounded`, `truncated`, `city`; empty: nothing."""
    anonymous: bool = False
    """Whether it says that the data is anonymous or aggregated."""
    derived: bool = False
    """Whether it cannot be seen on the wire (worked out by the recipient)."""
    note: str = ""
    """What a reader should know."""


class DeclaredList(msgspec.Struct, frozen=True):
    """One document in which a vendor says what it collects."""

    title: str
    """Title of the document."""
    kind: Literal["policy", "promise", "documentation"]
    """Policies replace one another; a promise stays until withdrawn and is judged apart; documentation describes
    calls without being an item list."""
    effective: str
    """Date from which it applies, `YYYY-MM-DD`."""
    source: str
    """Where it can be read."""
    statements: tuple[Statement, ...]
    """What it says."""
    recipients: tuple[str, ...] = ()
    """Kinds of recipients, or broader terms for them, that the document names in general for anything that it lists."""
    names_fields: bool = False
    """Whether it names each field of what is sent: a field that no statement means is then undeclared, not undecided,
    and a field that is named and not sent is stale."""
    itemised: tuple[str, ...] = ()
    """Sections of the document (`place`) that list items one by one; empty: all."""
    categories: tuple[Category, ...] = ()
    """Kinds of calls that the document is about at all; of others it says nothing, so it judges none.  Empty: all."""
    withdrawn: str = ""
    """Date from which a promise no longer holds, `YYYY-MM-DD`; empty: it holds still."""
    read: str = ""
    """How much of the document was read, and in which copy."""
    note: str = ""
    """What a reader should know."""
    product: Derived = ""
    """Pack id, set by the loader."""
    id: Derived = ""
    """File name without its ending, set by the loader."""


class NamedField(msgspec.Struct, frozen=True):
    """Names of fields that hold one data item in anybody's calls, if the form of the value fits."""

    item: str
    """Id in `items.toml`; empty: the name means nothing that is reported."""
    names: tuple[str, ...]
    """Words in lower case: `os version`; `* os version`: other words may stand before."""
    value: str = ""
    """Form of the value, a key of `values`; empty: any."""
    server_item: str = ""
    """The item it is when the sender is a server; empty: the same."""
    beside: tuple[str, ...] = ()
    """Keys of `beside`; the entry fits only if a name of one of them stands in the same table.  Empty: always."""
    not_beside: tuple[str, ...] = ()
    """Keys of `beside`; the entry does not fit if a name of one of them stands in the same table."""
    party: tuple[Party, ...] = ()
    """At whose machines the name has this meaning; empty: at all."""


class ValuePattern(msgspec.Struct, frozen=True):
    """A form that shows what a value is, wherever it stands."""

    item: str
    """Id in `items.toml`."""
    text: tuple[str, ...]
    """Regular expressions; what one of them finds is the value."""
    holds: tuple[str, ...] = ()
    """Texts of which a value must hold one to be looked at: most hold none.  Empty: any value."""
    within: bool = False
    """Whether it is looked for within long texts too; its time must then be of the order of the text's length."""


class Names(msgspec.Struct, frozen=True):
    """Names of fields and forms of values that say what they hold in anybody's calls (`names.toml`)."""

    values: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Form of a value -> regular expressions for the whole of it, in any case; one must fit."""
    beside: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Kind of table -> names that show it."""
    container: tuple[str, ...] = ()
    """Words that mean nothing in the name of a table."""
    pair_key: tuple[str, ...] = ()
    """Fields whose value is the name of the field beside them."""
    pair_value: tuple[str, ...] = ()
    """Fields that hold what such a name means."""
    free_text: tuple[str, ...] = ()
    """Items that are texts, in which other forms are looked for."""
    filler: tuple[str, ...] = ()
    """Values that say nothing, in lower case."""
    only_sent: tuple[str, ...] = ()
    """Items that are not looked for in answers."""
    field: tuple[NamedField, ...] = ()
    """Names, in their order."""
    pattern: tuple[ValuePattern, ...] = ()
    """Forms, in their order."""


class Item(msgspec.Struct, frozen=True):
    """One entry of the vocabulary (`items.toml`)."""

    label: str
    """What people read in a report."""
    is_: str
    """What it is."""
    is_not: str
    """What it is not: the neighbours it is mistaken for."""
    dpv: str
    """Nearest term of the W3C Data Privacy Vocabulary 2.3; `~` before it: a broader term, no exact one exists."""
    subject: Literal["user", "other-person", "device", "content"]
    """Whom or what it is about."""
    public_values: tuple[str, ...] = ()
    """Closed list of values that may stand in a shared report, or `version` (major.minor only); empty: every value is
    private."""
    linking: bool = False
    """Whether it tells a person or household apart (account id, e-mail, token, licence key, device name, MAC)."""
    names: tuple[str, ...] = ()
    """Well-known places that hold it in any product's calls: `header.user-agent`."""
    planned: str = ""
    """Why no rule uses it yet; empty when one does."""
    id: Derived = ""
    """Key of the table, set by the loader."""
