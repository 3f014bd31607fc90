"""The words that reports use, and what each means: `docs/glossary.md` is made from this and from the other texts."""

from __future__ import annotations

from collections.abc import Mapping

TITLE = "Glossary"
LEAD = (
    "One word for one thing, in every report, post, page and command. The id is the same "
    "in every language: commands take it, and JSON holds it."
)
ID, WORD, MEANING = "Id", "Word", "Meaning"
GENERAL, CATEGORIES, PARTIES, VERDICTS, OCCASIONS, ITEMS = (
    "General words",
    "What calls are for",
    "Whose machine answers",
    "Verdicts",
    "What makes products send",
    "Kinds of data",
)

WORDS: Mapping[str, str] = {
    "call": "call",
    "recipient": "recipient",
    "item": "data item",
    "capture": "capture",
    "ledger": "ledger",
    "vendor": "vendor",
    "list": "list",
    "statement": "statement",
    "switch": "switch",
    "promise": "promise",
    "readable": "readable",
    "rounded": "rounded",
    "pack": "pack",
    "rule": "rule",
    "post": "post",
    "dashboard": "dashboard",
}
MEANINGS: Mapping[str, str] = {
    "call": "A request that a device or program made to another machine, or a connection whose content was not read.",
    "recipient": "Who got a call: the company or project, or the host's name where nobody is known.",
    "item": "One kind of data in a call, such as the length of the film.",
    "capture": "What was recorded of the traffic: a file, or a ledger.",
    "ledger": "The file in which phonehome records calls while they happen.",
    "vendor": "Who makes the product that sends.",
    "list": "What a vendor publishes about the data that it collects, such as a privacy policy with an item list.",
    "statement": "One entry of a list: an item, whether it is required or optional, and for whom.",
    "switch": "A setting of the product that stops something from being sent.",
    "promise": "What a vendor announced beside its list: rounding, opting out, a complete list.",
    "readable": "The content could be looked into. What is not readable may hold anything.",
    "rounded": "Sent less exactly than it was known, so that it tells less about a single film.",
    "pack": "What phonehome knows of one product: its calls, its lists, its switches.",
    "rule": "How a kind of call is recognised, and which items stand where in it.",
    "post": "The report for others, without values, names, addresses and times.",
    "dashboard": "The pages that show calls while they are recorded.",
}
