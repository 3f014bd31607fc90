"""The sentences that give the reason for a verdict.  `{what}` is a data item, `{quoted}` the words of the statement."""

from __future__ import annotations

from collections.abc import Mapping

WHAT = "‘{label}’"
THE_LIST = "the list"
TITLED = "{title} of {date}"
QUOTED = "“{wording}”, {place}"
A_PROGRAM = "A program that is not known"
SWITCH = "the switch “{label}” ({where})"
THE_SWITCH = "the switch"

DENIED = "{list} says that {what} is never collected ({quoted}), but it was sent."
OPTED_OUT = "{list} lists {what} as optional ({quoted}); {switch} was off, and it was sent all the same."
WRONG_RECIPIENT = "{list} names {what} for other recipients only ({quoted}), but it was sent here."
IDENTIFIABLE = (
    "{list} says that {what} is anonymous or aggregated ({quoted}), but the recipient can tell whose it is by "
    "{beside}, which it received too."
)
TOO_PRECISE = "{list} says that {what} is {rounding} ({quoted}), but finer numbers were sent."
BEATEN = "It also denies {what} in general ({quoted}), and what is more special counts."
CONTRADICTORY = "{list} both names {what} ({named}) and denies it ({denied})."
UNDECLARED = "{list} does not name {what} for this kind of call."
UNDECLARED_FIELDS = (
    "{list} names each field that is sent, and not a field of {what}: {fields}.",
    "{list} names each field that is sent, and not {n} fields of {what}: {fields}.",
)
REACHED = (
    "Every connection shows {what} to the other end. {list} says that {what} is not collected ({quoted}); if it is "
    "cannot be seen from here."
)
OPTIONAL: Mapping[str, str] = {
    "on": "{list} lists {what} as optional ({quoted}); {switch}: it was on.",
    "off": "{list} lists {what} as optional ({quoted}); {switch}: it was off.",
    "unknown": "{list} lists {what} as optional ({quoted}); {switch}: its state is not known from this capture.",
}
VAGUELY = "{list} covers {what} only in general terms ({quoted})."
VAGUELY_NAMED = "{list} names {what} ({quoted}), and this recipient only in general terms."
DECLARED = "{list} names {what} ({quoted})."
DECLARED_TWICE = (
    "{list} names {what} twice: as required ({required}) and as optional ({optional}); the switch does not clearly "
    "cover it."
)
DOCUMENTED = "{name} publishes no list that covers {what}; its documentation describes this call ({address})."
DESCRIBED = (
    "{name} publishes no list that covers {what}; its documentation says that such calls carry it ({title}: {quoted})."
)
SET_UP = "You set this recipient up yourself, and {what} goes there for that reason alone."
NO_LIST = "{name} publishes no list of what it sends, and it sent {what}."
NO_LIST_PARTLY = "{name} publishes no list of what calls of this kind send, and it sent {what}."
IN_GENERAL = "It says in general: “{wording}”."
REPEATS = "{titled} repeats this promise."
REPEATS_NOT = "{titled} does not repeat this promise."
PROBABLY = "{name} probably sent {what}, but the call does not say so, so no list is applied."
NO_SENDER = "It is not known which program sent {what}, so there is no list to hold against it."
RECEIVER_NAMES = "{titled}, the recipient's own list, names it."
RECEIVER_NAMES_NOT = "{titled}, the recipient's own list, does not name it."

NOT_SEEN = "{list} names {what} ({quoted}); it was not seen: {why}."
NOT_SEEN_DERIVED = "the recipient works it out, which cannot be seen from here"
NOT_SEEN_CALLS = (
    "{n} call that can carry it was made without it",
    "{n} calls that can carry it were made without it",
)
NOT_SEEN_NO_OCCASION = "there was no occasion for it in this capture"
NOT_SEEN_MADE = "there was no occasion for it in this capture (such calls are made {occasions})"
OR = " or "
AT = "at a {when}"
OCCASIONS: Mapping[str, str] = {
    "start": "at a start",
    "on play": "on play",
    "on scan": "on scan",
    "on crash": "on crash",
    "on search": "on search",
    "on sign-in": "on sign-in",
    "on sign-out": "on sign-out",
}
"""`when` of a rule -> words; anything else is said as it stands in the rule."""
