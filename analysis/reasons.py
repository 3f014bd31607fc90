"""The sentences that give the reason for a verdict.  They hold no captured value.

A data item stands in single quotation marks: its label is a name and has no article.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.knowledge import Knowledge
from analysis.pack import DeclaredList, Product, Statement


@dataclass(frozen=True, slots=True)
class Words:
    """What the sentences about one comparison are made of."""

    knowledge: Knowledge
    item: str
    who: str
    """Name of the recipient, or its host.  Private in the latter case."""
    sender: Product | None
    policy: DeclaredList | None

    def _what(self) -> str:
        return self._label(self.item)

    def _label(self, item: str) -> str:
        return f"‘{self.knowledge.label(item)}’"

    def _list(self) -> str:
        return _titled(self.policy) if self.policy else "the list"

    def _name(self) -> str:
        return self.sender.name if self.sender else "A program that is not known"

    def denied(self, statement: Statement) -> str:
        """The list says never."""
        return f"{self._list()} says that {self._what()} is never collected ({_quoted(statement)}), but it was sent."

    def opted_out(self, statement: Statement) -> str:
        """Switched off and sent."""
        return (
            f"{self._list()} lists {self._what()} as optional ({_quoted(statement)}); "
            f"{self._switch(statement)} was off, and it was sent all the same."
        )

    def wrong_recipient(self, statement: Statement) -> str:
        """Sent to somebody whom the list excludes."""
        said = f"{self._list()} names {self._what()} for other recipients only ({_quoted(statement)})"
        return f"{said}, but it was sent here."

    def identifiable(self, statement: Statement, beside: str) -> str:
        """Declared anonymous, and is not."""
        return (
            f"{self._list()} says that {self._what()} is anonymous or aggregated ({_quoted(statement)}), "
            f"but the recipient can tell whose it is by {self._label(beside)}, which it received too."
        )

    def too_precise(self, statement: Statement) -> str:
        """Declared rounded, and is not."""
        said = f"{self._list()} says that {self._what()} is {statement.rounding} ({_quoted(statement)})"
        return f"{said}, but finer numbers were sent."

    def beaten(self, denial: Statement) -> str:
        """A denial that a more special statement goes before."""
        return f"It also denies {self._what()} in general ({_quoted(denial)}), and what is more special counts."

    def contradictory(self, named: Statement, denied: Statement) -> str:
        """The list says both."""
        return f"{self._list()} both names {self._what()} ({_quoted(named)}) and denies it ({_quoted(denied)})."

    def undeclared(self) -> str:
        """No statement applies."""
        return f"{self._list()} does not name {self._what()} for this kind of call."

    def undeclared_fields(self, fields: Sequence[str]) -> str:
        """A list of fields, and these are not in it."""
        many = f"{len(fields)} fields of {self._what()}" if len(fields) > 1 else f"a field of {self._what()}"
        return f"{self._list()} names each field that is sent, and not {many}: {', '.join(fields)}."

    def reached(self, denial: Statement) -> str:
        """Whoever is called sees the caller's address; what he keeps is not seen."""
        said = f"{self._list()} says that {self._what()} is not collected ({_quoted(denial)})"
        return f"Every connection shows {self._what()} to the other end. {said}; if it is cannot be seen from here."

    def optional(self, statement: Statement, on: bool | None) -> str:
        """A switch stops it."""
        known = {True: "it was on", False: "it was off", None: "its state is not known from this capture"}[on]
        listed = f"{self._list()} lists {self._what()} as optional ({_quoted(statement)})"
        return f"{listed}; {self._switch(statement)}: {known}."

    def vaguely(self, statement: Statement, named: bool) -> str:
        """Only a general statement covers it, or names (`named`) it for others than this recipient in particular."""
        if named:
            return (
                f"{self._list()} names {self._what()} ({_quoted(statement)}), and this recipient only in general terms."
            )
        return f"{self._list()} covers {self._what()} only in general terms ({_quoted(statement)})."

    def declared(self, statement: Statement) -> str:
        """The list names it."""
        return f"{self._list()} names {self._what()} ({_quoted(statement)})."

    def declared_twice(self, required: Statement, optional: Statement) -> str:
        """Once as required, once as optional."""
        return (
            f"{self._list()} names {self._what()} twice: as required ({_quoted(required)}) and as optional "
            f"({_quoted(optional)}); the switch does not clearly cover it."
        )

    def documented(self, address: str) -> str:
        """The vendor's documentation describes the call."""
        listed = f"{self._name()} publishes no list that covers {self._what()}"
        return f"{listed}; its documentation describes this call ({address})."

    def described(self, document: DeclaredList, statement: Statement) -> str:
        """The vendor's documentation names the item in such calls."""
        return (
            f"{self._name()} publishes no list that covers {self._what()}; its documentation says that such calls "
            f"carry it ({document.title}: {_quoted(statement)})."
        )

    def set_up(self) -> str:
        """The user chose the recipient."""
        return f"You set this recipient up yourself, and {self._what()} goes there for that reason alone."

    def no_list(self, blanket: Statement | None, receivers: DeclaredList | None, *, partly: bool = False) -> str:
        """The sender publishes no list, or (`partly`) none that is about such calls."""
        said = f" It says in general: “{blanket.wording}”." if blanket else ""
        of = "calls of this kind send" if partly else "it sends"
        listed = f"{self._name()} publishes no list of what {of}, and it sent {self._what()}."
        return f"{listed}{said}{self._remark(receivers)}"

    def promise(self, policy: DeclaredList | None, repeated: bool) -> str:
        """What became of a promise since."""
        if policy is None:
            return ""
        return f"{_titled(policy)} {'repeats' if repeated else 'does not repeat'} this promise."

    def sender_unknown(self, product: str, receivers: DeclaredList | None) -> str:
        """Nobody can be held to a list."""
        if product and self.sender:
            said = f"{self._name()} probably sent {self._what()}, but the call does not say so, so no list is applied."
        else:
            said = f"It is not known which program sent {self._what()}, so there is no list to hold against it."
        return said + self._remark(receivers)

    def not_seen(self, statement: Statement, count: int, when: Sequence[str]) -> str:
        """Listed, and in no call.  `count` calls could have carried it; `when` such calls are made, as far as known."""
        occasions = f" (such calls are made {' or '.join(map(_occasion, when))})" if when else ""
        if statement.derived:
            why = "the recipient works it out, which cannot be seen from here"
        elif count:
            calls = (
                "1 call that can carry it was made" if count == 1 else f"{count:,} calls that can carry it were made"
            )
            why = f"{calls} without it"
        else:
            why = f"there was no occasion for it in this capture{occasions}"
        return f"{self._list()} names {self._what()} ({_quoted(statement)}); it was not seen: {why}."

    def _remark(self, receivers: DeclaredList | None) -> str:
        """What the receiver's own list says: a remark, since the receiver did not send it."""
        if receivers is None:
            return ""
        named = any(s.status != "never" for s in self.knowledge.about(receivers, self.item))
        return f" {_titled(receivers)}, the recipient's own list, {'names' if named else 'does not name'} it."

    def _switch(self, statement: Statement) -> str:
        switches = {switch.id: switch for switch in self.sender.switches} if self.sender else {}
        switch = switches.get(statement.switch)
        return f"the switch “{switch.label}” ({switch.where})" if switch else "the switch"


def _occasion(when: str) -> str:
    """`when` of a rule -> words: `start` -> `at a start`."""
    return when if when.startswith(("on ", "every ", "at ", "after ", "before ", "when ")) else f"at a {when}"


def _quoted(statement: Statement) -> str:
    return f"“{statement.wording}”, {statement.place}"


def _titled(declared: DeclaredList) -> str:
    return f"{declared.title} of {long_date(declared.effective)}"


def long_date(day: str) -> str:
    """`YYYY-MM-DD` -> a date that people read alike everywhere.

    >>> long_date("2024-06-28")
    '28 June 2024'
    """
    date = datetime.date.fromisoformat(day)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


# Not strftime: its names of months depend on the locale.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


# What a revision of a list changed.

CHANGES = {
    "added": "added",
    "dropped": "dropped",
    "moved": "moved between required, optional and never",
    "reworded": "in other words",
    "changed": "otherwise changed",
    "same": "the same",
}
"""What became of an item or a statement -> words, in the order of the summary."""

CHANGE_HEADINGS = {
    ("items", "moved"): "Data items that moved between required, optional and never ({n})",
    ("items", "dropped"): "Data items that are no longer named ({n})",
    ("items", "added"): "Data items that are named now ({n})",
    ("statements", "moved"): "Statements that moved ({n})",
    ("statements", "reworded"): "Statements in other words ({n})",
    ("statements", "changed"): "Statements that changed otherwise ({n})",
    ("statements", "dropped"): "Statements that were dropped ({n})",
    ("statements", "added"): "Statements that were added ({n})",
}

REVISION = {
    "title": "What changed from {before}, to {after}",
    "read": "List of {date}: {read}. {note}",
    "items": "Data items: {counts}.",
    "statements": "Statements: {counts}.",
    "unnamed": "not named",
}
