"""What nftables has counted of the chosen devices, while they are led."""

from __future__ import annotations

import json

import msgspec

from captures.gateway import network
from captures.gateway.journal import Journal
from captures.gateway.plan import KINDS, SET, counter
from captures.model import CaptureError


class Count(msgspec.Struct, frozen=True):
    """What a device sent."""

    packets: int = 0
    """Number of them."""
    bytes: int = 0
    """With the headers of IP."""


class Device(msgspec.Struct, frozen=True):
    """One chosen device."""

    mac: str
    """Lower case."""
    now: bool
    """Whether it is led now."""
    led: Count
    """To the proxy, since `gateway up`."""
    excluded: Count
    """On its usual way, while it was led: what stays in the house, and what is none of our business."""


def read(planned: Journal) -> tuple[Device, ...]:
    """What is set up -> its devices, in their order.  Raises `CaptureError` when nftables tells nothing of it."""
    told = _json("-j", "list", "counters", "table", "inet", planned.table)
    counts = {
        str(entry["counter"]["name"]): Count(int(entry["counter"]["packets"]), int(entry["counter"]["bytes"]))
        for entry in told
        if "counter" in entry
    }
    sets = _json("-j", "list", "set", "inet", planned.table, SET)
    elements = [element for entry in sets if "set" in entry for element in entry["set"].get("elem", ())]
    led = {str(element["elem"]["val"] if isinstance(element, dict) else element) for element in elements}
    return tuple(
        Device(mac, mac in led, *(counts.get(counter(kind, mac), Count()) for kind in KINDS)) for mac in planned.devices
    )


def _json(*arguments: str) -> list[dict]:  # type: ignore[type-arg]  # nftables' own
    try:
        found = json.loads(network.run("nft", *arguments))["nftables"]
    except (ValueError, KeyError, TypeError):
        raise CaptureError(f"nft {' '.join(arguments)}: says something unknown; is it older than 0.9?") from None
    return list(found)
