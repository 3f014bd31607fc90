"""Result -> which third parties were told what is watched, and by what they can join it with what they know already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.model import Category, Classified
from analysis.pipeline import Result
from analysis.traffic import is_outside, is_readable, recipient

WHAT = frozenset(
    {
        "media.title", "media.channel", "media.external_id", "media.url", "media.file_hash", "media.file_path_or_name",
        "play.watchlist", "ui.search_text",
    }
)  # fmt: skip
"""Items that say what is watched."""

WHEN = frozenset({"play.start_time", "play.watched_time", "play.position_time"})
"""Items that say when, or how much of it, if they come with one of these."""

JOINING = frozenset(
    {
        "account.id", "account.uuid", "account.email", "account.email_hash", "account.username", "auth.token",
        "client.id", "client.advertising_id", "client.serial", "client.device_name", "client.session_id",
        "server.machine_id", "net.public_ip", "net.mac",
    }
)  # fmt: skip
"""Items by which a recipient knows the same person, device or household again."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """A third party, and what it was told."""

    entity: str
    """Its name, or its host.  Private in the latter case."""
    what: tuple[str, ...]
    """Items that say what is watched, and when; empty when it was told nothing of that."""
    joins: tuple[str, ...]
    """Items that it received, in any call, and by which it can join that."""
    advertises: bool
    """Whether it is called for advertising, or is an advertiser."""


def watching(result: Result) -> tuple[Watcher, ...]:
    """A result -> third parties that were told what is watched, or that advertise, by name.

    The makers of the media software are not among them, except for what they are sent for advertising.
    """
    calls = {call.n: call for call in result.calls if is_outside(call) and is_readable(call)}
    advertise = {recipient(call) for call in calls.values() if _advertises(call, result)}
    others = {recipient(call) for call in calls.values() if not _makes_media_software(call, result)}
    carried: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for finding in result.findings:
        if finding.direction == "sent" and finding.call in calls:
            carried[recipient(calls[finding.call])][finding.call].add(finding.item)
    found = (
        _watcher(entity, carried.get(entity, {}), entity in advertise)
        for entity in sorted(advertise | others)
        if entity
    )
    return tuple(watcher for watcher in found if watcher.what or watcher.advertises)


def _advertises(call: Classified, result: Result) -> bool:
    service = result.knowledge.products.get(call.service)
    return call.category is Category.ADVERTISING or bool(service and service.recipient == "advertiser")


def _makes_media_software(call: Classified, result: Result) -> bool:
    service = result.knowledge.products.get(call.service)
    return bool(service and service.kind == "media-product")


def _watcher(entity: str, carried: Mapping[int, set[str]], advertises: bool) -> Watcher:
    what: set[str] = set()
    for items in carried.values():
        if items & WHAT:
            what |= items & (WHAT | WHEN)
    every = set().union(*carried.values())
    return Watcher(entity, tuple(sorted(what)), tuple(sorted(every & JOINING)), advertises)
