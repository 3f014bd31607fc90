"""Patterns of places: of hosts, of paths, and of where a data item stands (`at`).

Compiled once, when packs are loaded.  Matching takes a time of the order of the text's length: `consistency` bounds
what a pattern may hold, and a path is looked at as far as `LONGEST_PATH`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from analysis.pack import ItemPlace

LONGEST_PATH = 2_048
"""Characters of a path that patterns are tried on."""

_MOST_PLACES = 5_000
_LONGEST_PLACE = 200
"""Places whose items are kept, so that hostile calls do not fill the memory, and the characters of one."""

_PLACEHOLDER = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)(?:=(?P<pattern>[^{}]*))?\}|(?P<many>\*\*)|(?P<one>\*)")


def compile_path(pattern: str) -> re.Pattern[str]:
    """Path pattern of a rule -> regular expression with its named parts as groups; to be used with `fullmatch`.

    A slash at the end of the path is tolerated.

    >>> compile_path("/api/v2/user/{uuid}/**").fullmatch("/api/v2/user/ab12/settings/x")["uuid"]
    'ab12'
    >>> compile_path("{key=/library/metadata/*}/children").fullmatch("/library/metadata/7/children")["key"]
    '/library/metadata/7'
    >>> bool(compile_path("/api/users").fullmatch("/api/users/")), bool(compile_path("/a/*").fullmatch("/a/b/c"))
    (True, False)
    """
    return re.compile(_regex(pattern, "/") + ("" if pattern.endswith(("/", "**")) else "/?"))


def compile_host(pattern: str) -> re.Pattern[str]:
    """Host pattern of a rule -> regular expression; to be used with `fullmatch`.

    A leading `*.` stands for one label or more, any other `*` for a part of one, `{name}` for one.

    >>> bool(compile_host("*.sentry.io").fullmatch("o1.ingest.sentry.io")), bool(compile_host("*.a.b").fullmatch("a.b"))
    (True, False)
    >>> compile_host("{address}.{hash}.plex.direct").fullmatch("192-168-1-5.ab.plex.direct")["address"]
    '192-168-1-5'
    """
    first, rest = ("**.", pattern[2:]) if pattern.startswith("*.") else ("", pattern)
    return re.compile(_regex(first + rest, "."))


def _regex(pattern: str, separator: str, least: str = "") -> str:
    """`least` is `?` when the earliest end is wanted."""
    one = f"[^{re.escape(separator)}]"
    parts: list[str] = []
    end = 0
    for match in _PLACEHOLDER.finditer(pattern):
        if match.start() < end:
            continue
        parts.append(re.escape(pattern[end : match.start()]))
        end = match.end()
        if match["name"]:
            inner = _regex(match["pattern"], separator) if match["pattern"] else one + "+"
            parts.append(f"(?P<{match['name']}>{inner})")
        elif settled := _settled(pattern[end:], match["many"], separator):
            # The earliest end leaves most to the next wildcard, so that no other need be tried.
            parts.append(f"(?>{'.' if match['many'] else one}*?{_regex(settled, separator, '?')})")
            end += len(settled)
        else:
            parts.append(".+" if match["many"] and separator == "." else ".*" if match["many"] else f"{one}*{least}")
    return "".join(parts) + re.escape(pattern[end:])


def _settled(rest: str, many: str | None, separator: str) -> str:
    """What stands between a wildcard and the next that reaches as far; empty when it is the last, or a name follows."""
    between = re.match(r"([^{}]+?)\*\*" if many else rf"([^{{}}*{re.escape(separator)}]+)\*", rest)
    return between[1] if between and separator == "/" else ""


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a rule's items, ready to be asked which of them a leaf stands at."""

    exact: Mapping[str, tuple[ItemPlace, ...]]
    """Normalised place -> items."""
    patterns: Mapping[str, tuple[tuple[re.Pattern[str], ItemPlace], ...]]
    """Last step -> places with wildcards elsewhere; empty: those whose last step holds one."""
    met: dict[str, tuple[ItemPlace, ...]] = field(default_factory=dict, compare=False, repr=False)
    """Places that were asked for: calls of one kind have the same ones."""

    def match(self, at: str) -> tuple[ItemPlace, ...]:
        """Place of a leaf -> the items that the rule names there, exact places first; empty when it names none."""
        found = self.met.get(at)
        if found is None:
            found = self._find(normalise(at))
            if len(self.met) >= _MOST_PLACES:
                self.met.clear()
            if len(at) <= _LONGEST_PLACE:
                self.met[at] = found
        return found

    def _find(self, place: str) -> tuple[ItemPlace, ...]:
        found = self.exact.get(place, ())
        for last in (place.rpartition(".")[2], ""):
            for pattern, item in self.patterns.get(last, ()):
                if item not in found and pattern.fullmatch(place):
                    found = (*found, item)
        return found


def compile_places(items: Iterable[ItemPlace]) -> Places:
    """Items of a rule -> `Places`.

    >>> place = ItemPlace("media.title", ("body.*.title", "body.props.**.name"), "obvious")
    >>> places = compile_places([place])
    >>> [bool(places.match(at)) for at in ("body.3.title", "body.x.title", "body.props.a.b.name", "body.props.name")]
    [True, True, True, True]
    >>> [bool(places.match(at)) for at in ("body.3.a.title", "body.props.names")]
    [False, False]
    """
    exact: dict[str, list[ItemPlace]] = {}
    patterns: dict[str, list[tuple[re.Pattern[str], ItemPlace]]] = {}
    for item in items:
        for at in item.at:
            place = normalise(at)
            if "*" not in at:
                exact.setdefault(place, []).append(item)
            else:
                last = place.rpartition(".")[2]
                patterns.setdefault("" if "*" in last else last, []).append((_place_regex(place), item))
    return Places(
        exact={place: tuple(found) for place, found in exact.items()},
        patterns={last: tuple(found) for last, found in patterns.items()},
    )


def named_as(items: Iterable[ItemPlace], item: str, at: str) -> str:
    """Place of a finding -> the place by which a rule names the item there; empty when the rule names none.

    >>> named_as([ItemPlace("media.title", ("body.**.title",), "obvious")], "media.title", "body.0.title")
    'body.**.title'
    """
    place = normalise(at)
    for known in items:
        for pattern in known.at if known.id == item else ():
            if _place_regex(normalise(pattern)).fullmatch(place):
                return pattern
    return ""


_NUMBER = re.compile(r"(?<=\.)[0-9]+(?=[.\[]|\Z)")
_ANY_CASE = ("header.", "query.", "cookie.", "response.header.", "response.cookie.")


def normalise(at: str) -> str:
    """Place of a leaf or of a rule -> the same for all positions of a list, and for all spellings of a header.

    The numbers of protobuf's fields are names.

    >>> normalise("body.3.events.0.name"), normalise("query.X-Plex-Token"), normalise("body.1a")
    ('body.*.events.*.name', 'query.x-plex-token', 'body.1a')
    """
    if at.startswith(_ANY_CASE):
        at = at.lower()
    at, binary, fields = at.partition("[protobuf]")
    return _NUMBER.sub("*", at) + binary + fields


def first_place(at: str) -> str:
    """Place of a leaf -> the same in the first elements of all lists; rules and names say the same of both.

    >>> first_place("body.3.events.12.name"), first_place("body.1a[protobuf].7"), first_place("query.q")
    ('body.0.events.0.name', 'body.1a[protobuf].7', 'query.q')
    """
    at, binary, fields = at.partition("[protobuf]")
    return _NUMBER.sub("0", at) + binary + fields


def _place_regex(place: str) -> re.Pattern[str]:
    """`*` is one step, `**` any number of them, also none; where another `**` follows, the fewest (see `_regex`)."""
    begin, *parts = (re.escape(part).replace(r"\*", r"[^.]+") for part in place.split(".**"))
    *settled, end = parts or [""]
    fewest = "".join(rf"(?>(?:\..+?)??{part}(?![^.]))" for part in settled)
    return re.compile(begin + fewest + (r"(?:\..+)?" + end if parts else ""))
