"""Builders of made-up plays: what a client tells its own server and what it tells the vendor, as a HAR file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

SERVER = "http://192.168.7.40:32400"
ANALYTICS = "https://analytics.plex.tv/collect/event"
START = 1_750_000_000.0


def entry(
    time: float, method: str, url: str, *, body: str = "", headers: Mapping[str, str] | None = None, answer: str = "OK"
) -> dict[str, Any]:
    """One HAR entry, `time` seconds after `START`."""
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "headers": [{"name": k, "value": v} for k, v in (headers or {}).items()],
    }
    if body:
        request["postData"] = {"mimeType": "text/plain", "text": body}
    return {
        "startedDateTime": datetime.fromtimestamp(START + time, UTC).isoformat().replace("+00:00", "Z"),
        "time": 20,
        "request": request,
        "response": {"status": 200, "headers": [], "content": {"text": answer}},
    }


def timeline(
    time: float, state: str, position: int, duration: int, *, key: int = 101, client: str = "web-0001", **more: object
) -> dict[str, Any]:
    """What a Plex client tells its own server; milliseconds."""
    query = {
        "ratingKey": key,
        "key": f"/library/metadata/{key}",
        "state": state,
        "time": position,
        "duration": duration,
        **more,
    }
    return entry(time, "GET", f"{SERVER}/:/timeline?{urlencode(query)}", headers=plex_headers(client))


def plex_headers(client: str = "web-0001") -> dict[str, str]:
    return {
        "X-Plex-Product": "Plex Web",
        "X-Plex-Client-Identifier": client,
        "X-Plex-Session-Identifier": f"run-of-{client}",
    }


def statistics(time: float, event: str, *, client: str = "web-0001", **properties: object) -> dict[str, Any]:
    """What Plex Web tells the vendor of an event."""
    said = {
        "deviceIdentifier": client,
        "context": {
            "device": {"product": "Plex Web", "version": "4.116.1", "screenResolution": "1683x921,1920x1080"},
            "user": {"anonymous": False},
        },
        "userId": 5550001,
        "event": event,
        "sessionIdentifier": f"run-of-{client}",
        "properties": {"type": "movie", "container": "mkv", "videoCodec": "h264", "audioCodec": "aac", **properties},
    }
    return entry(time, "POST", ANALYTICS, body=json.dumps(said), headers={"Content-Type": "text/plain"})


def har(entries: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}).encode()


def plex_web() -> list[dict[str, Any]]:
    """One film of 10:34 begun twice: 37.8 seconds watched, then 11.4."""
    film: dict[str, Any] = {"duration": 660, "bitrate": 4608, "offset": 0}
    return [
        timeline(0, "playing", 0, 634_000, playbackTime=0),
        statistics(0.3, "playback:itemstart", **film, latency=540),
        timeline(10, "playing", 9_800, 634_000, playbackTime=9_800),
        timeline(20, "playing", 19_800, 634_000, playbackTime=19_800),
        timeline(30, "playing", 29_800, 634_000, playbackTime=29_800),
        timeline(38, "stopped", 37_844, 634_000, playbackTime=37_844),
        statistics(38.1, "playback:itemend", **film, playbackTime=60),
        timeline(60, "playing", 0, 634_000, playbackTime=0),
        statistics(60.4, "playback:itemstart", **film, latency=523),
        timeline(70, "playing", 9_900, 634_000, playbackTime=9_900),
        timeline(71.6, "stopped", 11_433, 634_000, playbackTime=11_433),
        statistics(71.7, "playback:itemend", **film, playbackTime=0),
    ]
