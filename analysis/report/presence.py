"""What the presence of the proxy changed while a capture was made, as the report lists it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from analysis import texts
from analysis.pipeline import Result
from analysis.report.document import Block, Bullets, Cell, Column, Heading, Paragraph, Table, Tone
from analysis.report.phrases import some
from analysis.texts import presence as words
from captures.model import Effect

_WAY = "way:"

_ALARMS: Mapping[str, Tone] = {"lower-tls": "alarm", "older-tls": "warn", "weaker-cipher": "warn"}

_PROXY = ("certificate", "revoked", "tls", "address", "names", "http3", "silence")

_ALWAYS: Mapping[str, Sequence[str]] = {
    "regular": _PROXY,
    "upstream": _PROXY,
    "socks5": _PROXY,
    "transparent": ("certificate", "revoked", "tls", "address", "http3", "silence"),
    "tun": ("certificate", "revoked", "tls", "address", "silence"),
    "wireguard": ("certificate", "revoked", "tls", "address", "names", "silence"),
    "local": ("certificate", "revoked", "tls", "silence"),
    "reverse": ("certificate", "visitors", "silence"),
    "dns": ("names",),
}
"""Way in -> what is always so."""


def presence_section(result: Result) -> Iterator[Block]:
    """What was otherwise by our presence, and what always is; nothing when no proxy made the captures."""
    yield from changed(effects_of(result))


def effects_of(result: Result) -> Sequence[Effect]:
    """All effects in captures, ways in among them."""
    return [effect for capture in result.captures for effect in capture.effects]


def changed(every: Sequence[Effect]) -> Iterator[Block]:
    """The same of effects."""
    effects, ways = _effects(every)
    if not effects and not ways:
        return
    counts: Counter[str] = Counter()
    hosts: dict[str, set[str]] = defaultdict(set)
    for effect in effects:
        counts[effect.kind] += effect.count
        hosts[effect.kind].add(effect.host)
    yield Heading(words.HEADING)
    yield Paragraph(words.NOTE)
    if rows := [kind for kind in words.EFFECTS if kind in counts]:
        yield Table(
            (Column(words.CHANGE), Column(texts.HOSTS), Column(words.TIMES, number=True)),
            tuple(
                (
                    Cell(words.EFFECTS[kind], _ALARMS.get(kind, "plain")),
                    Cell(some(sorted(hosts[kind] - {""}), 3)),
                    Cell(texts.number(counts[kind])),
                )
                for kind in rows
            ),
        )
    else:
        yield Paragraph(words.NONE)
    if facts := _facts(ways):
        named = ", ".join(words.WAYS[way] for way in words.WAYS if way in ways)
        yield Paragraph(words.ALWAYS.format(ways=named))
        yield Bullets(tuple(words.FACTS[fact] for fact in facts))


def presence_json(result: Result) -> dict[str, object]:
    """The same for programs: how many connections came on which way, what is always so there, and each effect."""
    effects, ways = _effects(effects_of(result))
    return {
        "ways": dict(ways),
        "always": _facts(ways),
        "effects": [structs.asdict(effect) for effect in effects],
    }


def _effects(every: Sequence[Effect]) -> tuple[list[Effect], Counter[str]]:
    ways: Counter[str] = Counter()
    for effect in every:
        if effect.kind.startswith(_WAY):
            ways[effect.kind.removeprefix(_WAY)] += effect.count
    return [effect for effect in every if not effect.kind.startswith(_WAY)], ways


def _facts(ways: Mapping[str, int]) -> list[str]:
    known = {fact for way in ways for fact in _ALWAYS.get(way, ())}
    return [fact for fact in words.FACTS if fact in known]
