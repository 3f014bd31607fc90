"""What every log of a resolver tells of one question."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

BLOCKED = "BLOCKED"
"""Stands for the rcode where a filter on the own network answered in place of whom the name belongs to."""


@dataclass(slots=True)
class Question:
    """One question, as far as the log has told of it."""

    name: str
    """Lower case, without the final dot."""
    kind: str
    """`A`, `AAAA`, …; empty when the log does not say."""
    time: float | None
    """When it was asked, seconds since the epoch (UTC); `None` when the log does not say."""
    client: str = ""
    """Address of who asked; empty when the log does not say."""
    answers: list[str] = field(default_factory=list)
    """Addresses and names that came back."""
    rcode: str = ""
    """As in DNS, or `BLOCKED`; empty when no answer is told."""
    forwarded: bool | None = None
    """Whether the resolver asked another one outside for it; `None` when the log does not say."""


_MOST_OPEN = 4096
_LONGEST_WAIT = 30.0
"""Questions that may wait for their answers, and for how long in seconds; logs tell both within a moment."""

MOST_ANSWERS = 100
"""Answers that are kept of one question."""


class Open:
    """Questions whose answers may still follow, in the order in which they were asked."""

    def __init__(self) -> None:
        self._waiting: deque[Question] = deque()
        self._of: dict[tuple[str, ...], Question] = {}

    def ask(self, question: Question, *keys: tuple[str, ...]) -> Iterator[Question]:
        """Takes a question that answers will name by one of `keys`; gives those for which it is too late now."""
        self._waiting.append(question)
        self._of.update(dict.fromkeys(keys, question))
        while self._waiting and (len(self._waiting) > _MOST_OPEN or self._late(self._waiting[0], question)):
            yield self._waiting.popleft()
        # Keys of what was given away would pile up.
        if len(self._of) > 4 * _MOST_OPEN:
            kept = {id(waiting) for waiting in self._waiting}
            self._of = {key: asked for key, asked in self._of.items() if id(asked) in kept}

    @staticmethod
    def _late(first: Question, last: Question) -> bool:
        return first.time is not None and last.time is not None and abs(last.time - first.time) > _LONGEST_WAIT

    def find(self, *key: str) -> Question | None:
        """The latest question of this key, or `None`."""
        return self._of.get(key)

    def also(self, question: Question, *key: str) -> None:
        """Answers of this key are told of the question too: a name that it led to."""
        self._of[key] = question

    def rest(self) -> Iterator[Question]:
        """All that still wait."""
        yield from self._waiting
