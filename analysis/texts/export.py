"""Words of the exports: redacted HAR, OpenAPI, block lists, Internet Access Policy."""

from __future__ import annotations

HAR_NOTE = (
    "Made by phonehome {version}. Each entry stands for all calls of one kind; values, names and times are left out. "
    "In their place stands which kind of data it was."
)
HAR_CALLS = "{purpose} to {entity}, {count} calls"
HAR_ALSO = "also, at places that no pack names: {items}"
VALUE = "({item})"

OPENAPI_TITLE = "Calls that were seen"
OPENAPI_NOTE = (
    "Made by phonehome {version} from a capture: what was called, and what it carried. It is no documentation of the "
    "vendor's and not complete. Places that no pack of phonehome names are left out."
)
OPENAPI_ANSWER = "What came back is not described, but for the data items that were recognised."

BLOCK_NOTE = (
    "Made by phonehome {version} from a capture. Names to block, with what goes there and what breaks. A line that is "
    "active is missed by nobody; the others are comments: take the mark away from those that you want."
)
BLOCK_UNNAMED = "Hosts that no pack of phonehome names are left out ({n}); name one with --show HOST."
BLOCK_NONE = "No name was called that a pack of phonehome knows."
BLOCK_HOST = "{name} ({entity}): {purposes}"
BLOCK_CARRIED = "carried: {items}"
BLOCK_EFFECT = "block it: {effect}; what breaks: {breaks}"
BLOCK_SWITCH = "A switch is better than a block: phonehome inspect names it."
BLOCK_NFT = (
    "nftables knows addresses alone, and those of a name change. dnsmasq (2.87 or later) fills these sets whenever a "
    "device asks it for a name; its lines stand below."
)
BLOCK_PATTERN = "{name} is a pattern, which this kind of list does not know."

IAP_ABOUT = "Connections of home media software, as seen by phonehome {version}; no policy of a vendor."
IAP_PURPOSE = "{purposes}; carried: {items}"
IAP_NOTHING = "no data item recognised"
IAP_DENY = "{breaks}"
