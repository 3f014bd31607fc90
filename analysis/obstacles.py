"""A contrast -> what else could be the reason that calls are missing on one side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from analysis.contrasts import Contrast, Scene
from analysis.model import Classified, Finding
from analysis.sides import Side
from analysis.texts.promises import Obstacle
from analysis.traffic import host, recipient
from captures.model import Exchange, Unreadable


def obstacles(contrast: Contrast, there: Sequence[Classified], gone: Side, scene: Scene) -> Iterator[Obstacle]:
    """Why calls may be missing on a side (`gone`) that were seen on the other (`there`); empty when none is known."""
    result, sides, product = scene.result, scene.sides, contrast.first.product
    hosts = {host(call) for call in there}
    addresses = {
        c.observation.server.address for c in there if isinstance(c.observation, Exchange) and c.observation.server
    }

    def on_side(call: Classified) -> bool:
        seen = call.observation
        if seen.time is None:
            return sides.label(seen.source.capture) in (gone, "")
        return sides.at(product, seen.source.capture, seen.time) == gone

    closed = [call for call in scene.closed if on_side(call)]
    if any(host(call) in hosts or host(call) in addresses for call in closed):
        yield "unreadable"
    if any(isinstance(call.observation, Unreadable) and not host(call) for call in closed):
        yield "damaged"
    if any(host(call) in hosts and on_side(call) for call in scene.lookups):
        yield "refused"
    if any(info.dropped and sides.label(n) in (gone, "") for n, info in enumerate(result.captures)):
        yield "dropped"
    if not contrast.whole and any(_cut(call) for call in _same_kind(contrast, scene) if scene.side[call.n] == gone):
        yield "cut"
    if _differs(_versions(product, contrast.first.role, scene), gone):
        yield "version"
    if _differs(_accounts(product, scene), gone):
        yield "account"


def _same_kind(contrast: Contrast, scene: Scene) -> Iterator[Classified]:
    return (
        call
        for call in scene.result.calls
        if (call.product, call.rule) == (contrast.first.product, contrast.first.rule)
        and recipient(call) == contrast.entity
    )


def _cut(call: Classified) -> bool:
    body = call.observation.body if isinstance(call.observation, Exchange) else None
    return body is not None and (body.content is None or body.cut)


type _Shown = Mapping[str, Mapping[Side, set[str]]]
"""Place or item -> side -> values."""


def _differs(shown: _Shown, gone: Side) -> bool:
    """Whether something that stood on the one side is another on the other, where nothing was seen."""
    there: Side = "on" if gone == "off" else "off"
    return any(sides.get(there) and sides.get(gone) and not sides[there] <= sides[gone] for sides in shown.values())


_VERSION = re.compile(r"v?[0-9]+(?:\.[0-9]+)+[\w.+-]*|[^/\s]+/v?[0-9]+(?:\.[0-9]+)+[^\s]*")
"""A version alone, or `Name/version` at the beginning of a user agent."""

_VERSION_ITEMS = frozenset({"server.version", "client.app", "client.user_agent"})

_ACCOUNTS = frozenset({"account.id", "account.uuid", "account.email", "account.username"})


def _versions(product: str, role: str, scene: Scene) -> _Shown:
    """Versions that a sender gave of itself, by the place where it gave them."""

    def version(finding: Finding) -> str:
        found = _VERSION.match(finding.value)
        whole = found and (finding.item == "client.user_agent" or found.end() == len(finding.value))
        return found[0] if found and whole else ""

    return _values(product, role, _VERSION_ITEMS, version, scene)


def _accounts(product: str, scene: Scene) -> _Shown:
    return _values(product, "", _ACCOUNTS, lambda finding: finding.value, scene)


def _values(product: str, role: str, items: Collection[str], value: Callable[[Finding], str], scene: Scene) -> _Shown:
    calls = {c.n: c for c in scene.result.calls if c.product == product and (not role or c.role == role)}
    shown: dict[str, dict[Side, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in scene.result.findings:
        if finding.item in items and finding.call in calls and finding.direction == "sent" and value(finding):
            place = finding.item if finding.item in _ACCOUNTS else finding.at
            shown[place][scene.side[finding.call]].add(value(finding))
    return shown
