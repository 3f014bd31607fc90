"""The sentence that gives the reason for a verdict, made of `texts/reasons.py`.  It holds no captured value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import language
from analysis.knowledge import Knowledge
from analysis.pack import DeclaredList, Product, Statement
from analysis.texts import long_date, number, plural
from analysis.texts import reasons as words


@dataclass(frozen=True, slots=True)
class Words:
    """What the sentences about one comparison are made of."""

    knowledge: Knowledge
    item: str
    who: str
    """Name of the recipient, or its host.  Private in the latter case."""
    sender: Product | None
    policy: DeclaredList | None

    def _say(self, sentence: str, statement: Statement | None = None, **names: str) -> str:
        return sentence.format(
            list=_titled(self.policy) if self.policy else words.THE_LIST,
            what=self._label(self.item),
            name=self._name(),
            quoted=_quoted(statement) if statement else "",
            **names,
        )

    def _label(self, item: str) -> str:
        return words.WHAT.format(label=self.knowledge.label(item))

    def _name(self) -> str:
        return self.sender.name if self.sender else words.A_PROGRAM

    def denied(self, statement: Statement) -> str:
        """The list says never."""
        return self._say(words.DENIED, statement)

    def opted_out(self, statement: Statement) -> str:
        """Switched off and sent."""
        return self._say(words.OPTED_OUT, statement, switch=self._switch(statement))

    def wrong_recipient(self, statement: Statement) -> str:
        """Sent to somebody whom the list excludes."""
        return self._say(words.WRONG_RECIPIENT, statement)

    def identifiable(self, statement: Statement, beside: str) -> str:
        """Declared anonymous, and is not."""
        return self._say(words.IDENTIFIABLE, statement, beside=self._label(beside))

    def too_precise(self, statement: Statement) -> str:
        """Declared rounded, and is not."""
        return self._say(words.TOO_PRECISE, statement, rounding=statement.rounding)

    def beaten(self, denial: Statement) -> str:
        """A denial that a more special statement goes before."""
        return self._say(words.BEATEN, denial)

    def contradictory(self, named: Statement, denied: Statement) -> str:
        """The list says both."""
        return self._say(words.CONTRADICTORY, named=_quoted(named), denied=_quoted(denied))

    def undeclared(self) -> str:
        """No statement applies."""
        return self._say(words.UNDECLARED)

    def undeclared_fields(self, fields: Sequence[str]) -> str:
        """A list of fields, and these are not in it."""
        sentence = words.UNDECLARED_FIELDS[language.form(len(fields))]
        return self._say(sentence, n=number(len(fields)), fields=", ".join(fields))

    def reached(self, denial: Statement) -> str:
        """Whoever is called sees the caller's address; what he keeps is not seen."""
        return self._say(words.REACHED, denial)

    def optional(self, statement: Statement, on: bool | None) -> str:
        """A switch stops it."""
        state = {True: "on", False: "off", None: "unknown"}[on]
        return self._say(words.OPTIONAL[state], statement, switch=self._switch(statement))

    def vaguely(self, statement: Statement, named: bool) -> str:
        """Only a general statement covers it, or names (`named`) it for others than this recipient in particular."""
        return self._say(words.VAGUELY_NAMED if named else words.VAGUELY, statement)

    def declared(self, statement: Statement) -> str:
        """The list names it."""
        return self._say(words.DECLARED, statement)

    def declared_twice(self, required: Statement, optional: Statement) -> str:
        """Once as required, once as optional."""
        return self._say(words.DECLARED_TWICE, required=_quoted(required), optional=_quoted(optional))

    def documented(self, address: str) -> str:
        """The vendor's documentation describes the call."""
        return self._say(words.DOCUMENTED, address=address)

    def described(self, document: DeclaredList, statement: Statement) -> str:
        """The vendor's documentation names the item in such calls."""
        return self._say(words.DESCRIBED, statement, title=document.title)

    def set_up(self) -> str:
        """The user chose the recipient."""
        return self._say(words.SET_UP)

    def no_list(self, blanket: Statement | None, receivers: DeclaredList | None, *, partly: bool = False) -> str:
        """The sender publishes no list, or (`partly`) none that is about such calls."""
        said = [self._say(words.NO_LIST_PARTLY if partly else words.NO_LIST)]
        if blanket:
            said.append(words.IN_GENERAL.format(wording=blanket.wording))
        return " ".join((*said, *self._remark(receivers)))

    def promise(self, policy: DeclaredList | None, repeated: bool) -> str:
        """What became of a promise since."""
        if policy is None:
            return ""
        return (words.REPEATS if repeated else words.REPEATS_NOT).format(titled=_titled(policy))

    def sender_unknown(self, product: str, receivers: DeclaredList | None) -> str:
        """Nobody can be held to a list."""
        said = self._say(words.PROBABLY if product and self.sender else words.NO_SENDER)
        return " ".join((said, *self._remark(receivers)))

    def not_seen(self, statement: Statement, count: int, when: Sequence[str]) -> str:
        """Listed, and in no call.  `count` calls could have carried it; `when` such calls are made, as far as known."""
        if statement.derived:
            why = words.NOT_SEEN_DERIVED
        elif count:
            why = plural(count, words.NOT_SEEN_CALLS)
        elif when:
            why = words.NOT_SEEN_MADE.format(occasions=words.OR.join(map(_occasion, when)))
        else:
            why = words.NOT_SEEN_NO_OCCASION
        return self._say(words.NOT_SEEN, statement, why=why)

    def _remark(self, receivers: DeclaredList | None) -> Sequence[str]:
        """What the receiver's own list says: a remark, since the receiver did not send it."""
        if receivers is None:
            return ()
        named = any(s.status != "never" for s in self.knowledge.about(receivers, self.item))
        said = words.RECEIVER_NAMES if named else words.RECEIVER_NAMES_NOT
        return (said.format(titled=_titled(receivers)),)

    def _switch(self, statement: Statement) -> str:
        switches = {switch.id: switch for switch in self.sender.switches} if self.sender else {}
        switch = switches.get(statement.switch)
        return words.SWITCH.format(label=switch.label, where=switch.where) if switch else words.THE_SWITCH


def _occasion(when: str) -> str:
    """`when` of a rule -> words: `start` -> `at a start`."""
    if said := words.OCCASIONS.get(when):
        return said
    bare = when.startswith(("on ", "every ", "at ", "after ", "before ", "when "))
    return when if bare else words.AT.format(when=when)


def _quoted(statement: Statement) -> str:
    return words.QUOTED.format(wording=statement.wording, place=statement.place)


def _titled(declared: DeclaredList) -> str:
    return words.TITLED.format(title=declared.title, date=long_date(declared.effective))
