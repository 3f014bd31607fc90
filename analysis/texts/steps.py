"""The sentences that explain one call, from its bytes to the verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.model import Attribution

TITLE = "Call {n}: {what}"

OBSERVED = "What was observed"
PURPOSE = "What it is for"
SENDER = "Who sent it"
PARTY_HEADING = "Whose machine answers"
LEAVES = "What stands in it ({n} values)"
FINDINGS = "Which data items that is ({n})"
VERDICTS = "What was declared"
VERDICT = "{item}: {verdict}"
PROMISE = "{item}: {verdict}, by a promise"
BY_HAND = "Look at it by hand"

FILE = "File {name} (SHA-256 {sha256}), {format}, number {index}, counted from 0."
FILE_PART = "Part {part}: a message that the device sent within it."
MANY = "Also in {n} other files."
TIME = "Time: {time}. Device: {device}."
NO_TIME = "unknown"
REQUEST = "{method} {scheme}://{host}:{port}{path}; answer {status}; {bytes_out} sent, {bytes_in} received."
NO_ANSWER = "none was seen"
CUT = "Of the body of {size} bytes, {kept} were kept; what follows was not looked at."
NOT_KEPT = "The body of {size} bytes was not kept, so what it carries is not known."
CONTACT = "A connection to {host}, port {port}, whose content could not be read: {reason}."
LOOKUP = "A question for {host} ({kind}, {protocol})."
UNREADABLE = "Could not be read: {place}, {reason}."

WON = "{category}, by the rule {rule}: {specificity}."
EVIDENCE = "How sure the rule is: {evidence}. Where that can be checked: {source}."
SEEN = "Seen in version {version}, {date}."
NO_RULE = "No rule fits, so its purpose is not known."
BY_PARTY = "{category}: no rule fits, and that follows from whose machine it is."
NOT_CHOSEN = "No rule is asked for such an observation; its purpose follows from what it is."
TRIED = ("One more rule was tried:", "{n} more rules were tried:")
OTHER_PATHS = (
    "{n} more rule of this host is about another path.",
    "{n} more rules of this host are about other paths.",
)

EVIDENCES: Mapping[str, str] = {
    "documented": "the vendor's documents or own code say so",
    "captured": "seen in traffic",
    "source-code": "read in the code of a third party that makes the call",
    "inferred": "concluded from something else",
}

MISFITS: Mapping[str, str] = {
    "": "fits too, and is less specific",
    "content": "needs the content, which could not be read",
    "path": "is about another path",
    "method": "is about another method",
    "query": "needs a parameter that is not there",
    "header": "needs a header that is not there",
    "body": "needs a text that is not in the body",
}

ATTRIBUTIONS: Mapping[Attribution, str] = {
    Attribution.PINNED_HOST: "only this product calls that host",
    Attribution.USER_AGENT: "the User-Agent shows it",
    Attribution.PRODUCT_HEADER: "the product names itself",
    Attribution.PROCESS: "the program that made the connection is known",
    Attribution.REFERER: "the page that made the call is this product's",
    Attribution.DEVICE: "the device is known to run it; that is no proof",
    Attribution.NEIGHBOUR: "another call on the same connection showed it; that is no proof",
    Attribution.UNKNOWN: "nothing shows it",
}

SENT_BY = "{product}{role}: {how}."
ROLE = ", as its {role}"
SIGN = "{at} is “{value}”: {product}"
SIGN_UNKNOWN = "a program that no pack knows"
UNSURE = "So no verdict is worse than no-list."

PARTY: Mapping[str, str] = {
    "direct-own": "its certificate is that of your own server, at an address of yours",
    "direct-other-home": "its certificate is that of a server that an answer lists as somebody else's",
    "direct-own-via-relay": "its certificate is that of your own server, at an address that is not yours: a relay",
    "direct-unknown": "it is the certificate name of a server that nothing shows to be yours",
    "relay": "an answer lists it as the relay of your own server",
    "own": "an answer lists it as your own server, or you named it",
    "other": "an answer lists it as somebody else's server",
    "domain": "the name belongs to the domains of {entity}",
    "household": "it is an address within a home network",
    "list": "the list of third parties names {entity} for this domain",
    "rule": "the rule names this host",
    "server": "it answers as a media server, and nothing shows whose it is",
    "lookup-own": "the question stayed in the house",
    "lookup": "the question left the house, and who answers is not known",
    "nothing": "nothing is known of this name",
}
PARTY_SENTENCE = "{party}: {why}."
RECIPIENT = "To the sender it is: {kind}."
ANSWERED_BY = "By DNS the name is answered by {other}."

NOT_READ = "Its content could not be read: what was sent is not known."
NO_ITEMS = "No data item was recognised in it."
MORE = "{n} more values are left out here; --format json holds them all."
RAN_OUT = "Decoding stopped early: {sentence}."

SOURCES: Mapping[str, str] = {
    "rule": "the rule names the place",
    "name": "a well-known field name",
    "pattern": "the form of the value",
    "known": "one of your own values",
    "implied": "every connection shows it",
}

NOT_JUDGED: Mapping[str, str] = {
    "home": "Nothing is judged here: it did not go to a vendor, a third party or somebody unknown.",
    "asks": "Nothing is judged here: the host answers as a media server, and may be yours.",
    "lookup": "Nothing is judged here: a question for a name is judged by nobody's list.",
    "received": "Nothing is judged here: nothing was found that was sent.",
}

WHY: Mapping[str, str] = {
    "decided": "decides",
    "applies": "applies as well",
    "field": "not applied: it means another field",
    "recipient": "not applied: it names other recipients",
    "beaten": "not applied: a more special statement goes before it",
    "derived": "not applied: it is about what cannot be seen on the wire",
    "blanket": "not applied: it speaks in general terms only",
    "exception": "not applied: it names this kind of call as an exception",
    "category": "not applied: it is about another kind of call",
    "sender": "not applied: it is about another part of the product, or which part sent this is not known",
    "content": "not applied: it is about other content, or what content this is about is not known",
    "elsewhere": "not applied: it denies this for other recipients",
}

SOURCE = "{title} of {effective}, {source}"
NO_DOCUMENT = "There is no list to hold against it."
ALSO = "Also holds: {also}."

PLACE = "Call {n}, place {at}."
HANDS: Mapping[str, str] = {
    "flow": "In mitmweb, it is flow {number} of the list, counted from 1.",
    "har": "The entry, as it stands in the file:",
    "pcap": "The connection, as it stands in the file:",
}
EXAMPLES = "The rule and its examples stand in analysis/products/{path}.toml."
