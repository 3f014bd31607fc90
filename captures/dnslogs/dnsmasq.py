"""The log of dnsmasq (`log-queries`, also `=extra`), and of Pi-hole, which is built on it.

`query[A] example.org from 192.0.2.7`, `forwarded example.org to 192.0.2.1`, `reply example.org is 203.0.113.5`,
`gravity blocked ads.example is 0.0.0.0`.  Source: dnsmasq's `src/cache.c` (`log_query`), Pi-hole's documentation of its
log.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from captures.dnslogs.clock import Clock
from captures.dnslogs.question import BLOCKED, MOST_ANSWERS, Open, Question

_TOLD = re.compile(
    r"(?:\S+ )?(?:\S+\.\S+ )?dnsmasq(?:\[\d+\])?: "
    r"(?:(?P<number>\d+) (?P<asker>[0-9a-fA-F.:]+)/(?P<port>\d+) )?(?P<what>.*)"
)
_ASKED = re.compile(r"query\[(?P<kind>[A-Za-z0-9=]{1,16})\] (?P<name>\S+) from (?P<client>[0-9a-fA-F.:%a-z]+)\Z")
_FORWARDED = re.compile(r"forwarded (?P<name>\S+) to \S+\Z")
_ANSWERED = re.compile(r"(?P<how>\S.*?) (?P<name>\S+) is (?P<answer>\S.*)\Z")
_REFUSALS = ("blocked", "blacklisted", "denied", "special domain")

_LOCAL = ("cached", "config", "DHCP", "/", "cached-stale")


def is_line(line: str) -> bool:
    """Whether a line of a log is one of these."""
    told = _TOLD.match(Clock(0).read(line)[1])
    return bool(told and (_ASKED.match(told["what"]) or _FORWARDED.match(told["what"])))


def questions(lines: Iterable[str], clock: Clock) -> Iterator[Question]:
    """Lines -> the questions in their order.  Other lines, and answers whose question is not there, say nothing."""
    waiting = Open()
    alias: Question | None = None
    for line in lines:
        time, rest = clock.read(line)
        told = _TOLD.match(rest)
        if told is None:
            continue
        number, what = told["number"] or "", told["what"].strip()
        if asked := _ASKED.match(what):
            name = _plain(asked["name"])
            question = Question(name, asked["kind"].upper(), time, asked["client"].partition("%")[0])
            yield from waiting.ask(question, (number, name))
        elif forwarded := _FORWARDED.match(what):
            if found := waiting.find(number, _plain(forwarded["name"])):
                found.forwarded = True
        elif answered := _ANSWERED.match(what):
            name = _plain(answered["name"])
            found = waiting.find(number, name)
            # After `reply a is <CNAME>` the next line tells of the name that a stands for.
            if found is None and alias is not None:
                found = alias
                waiting.also(found, number, name)
                found.answers.append(name)
            alias = found if answered["answer"].startswith("<CNAME>") else None
            if found is not None:
                _answer(found, answered["how"], answered["answer"])
    yield from waiting.rest()


def _answer(question: Question, how: str, answer: str) -> None:
    if any(word in how for word in _REFUSALS):
        question.rcode, question.forwarded = BLOCKED, bool(question.forwarded)
        question.answers.clear()
        return
    if question.forwarded is None and how.startswith(_LOCAL):
        question.forwarded = False
    if question.rcode == BLOCKED:
        return
    question.rcode = answer if answer in ("NXDOMAIN", "SERVFAIL", "REFUSED") else "NOERROR"
    if len(question.answers) < MOST_ANSWERS and (_is_address(answer) or question.kind == "PTR"):
        question.answers.append(_plain(answer))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return name.lower().rstrip(".")
