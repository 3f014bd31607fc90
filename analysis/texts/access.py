"""Every sentence of the report on an access request, and of the letter that asks for one."""

from __future__ import annotations

from collections.abc import Mapping

TITLE = "What the answer to an access request says, beside what was seen"
MISSING_FIRST = "Sent in these captures, and not in the answer: {items}."
NONE_MISSING = "Nothing was found that was sent in these captures and is surely missing in the answer."
LIMITS = (
    "A value that is missing may have been deleted, rounded or hashed by the recipient, or lie with another company; "
    "ask for it by name. A value that agrees shows that it is held, not what it is used for."
)
HEADINGS: Mapping[str, str] = {
    "missing": "Sent, and not in the answer",
    "agrees": "Sent, and in the answer",
    "cannot-tell": "Sent, and cannot be told from the answer",
}
UNSEEN_HEADING = "In the answer, and never seen in these captures"
UNSEEN_NOTE = "It may have been sent before or elsewhere, been worked out by the recipient, or come from somebody else."
FILE, FIELD, VALUES = "File", "Field", "Values"
FOUND, WHERE = "In the answer", "Where"
OF = "{found} of {values}"
MORE_FIELDS = (
    "{n} more field: --format json lists it.",
    "{n} more fields: --format json lists them.",
)

LETTER_RECIPIENT = "To {entity}, at least:\n{items}"
LETTER = """\
[Your name]
[Your address]
[The e-mail address of your account]

[Date]

Request for access to personal data (Art. 15 GDPR, or the law that applies where I live)

To whom it may concern,

I use your software and services, and ask you:

1. to confirm whether you process data about me or my household;
2. to send me a copy of all of it in a common electronic format (JSON or CSV), with the meaning of each field;
3. for which purposes each kind is processed, on which legal basis, and for how long it is kept;
4. to whom each kind was or will be disclosed, by name, and whether it leaves the country;
5. where you have it from, as far as I did not give it to you;
6. whether it is joined with other data or used for profiles, advertising or automated decisions, and by which logic.

I looked at what your software sends from my home. It sends the following kinds of data, so please answer for each of
them, also where it is stored under an identifier of a device, an installation or a session instead of my name:

{listed}

If you hold some of it in a form that you do not connect with my account, please tell me which identifiers you need to
find it; I can give them to you. Please answer within one month.

Yours faithfully,

[Your name]
"""
