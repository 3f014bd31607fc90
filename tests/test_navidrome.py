"""Navidrome says in public what it sends, and its program is public: what one side has and the other lacks comes out.

The payload holds every field of the struct of release 0.63.2 (core/metrics/insights/data.go), with invented values.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main

PAYLOAD: dict[str, Any] = {
    "id": "0000aaaa-0000-4000-8000-000000000001",
    "version": "0.63.2 (abcdef0)",
    "uptime": 3600,
    "build": {"settings": {"-tags": "netgo", "vcs.modified": "false"}, "goVersion": "go1.26.1"},
    "os": {
        "type": "linux", "distro": "debian", "version": "13", "containerized": True, "arch": "amd64", "numCPU": 4,
        "package": "deb",
    },
    "mem": {"alloc": 9000001, "totalAlloc": 9000002, "sys": 9000003, "numGC": 7},
    "fs": {name: {"type": "ext4"} for name in ("music", "data", "cache", "backup")},
    "library": {
        "tracks": 1460, "albums": 120, "artists": 80, "playlists": 5, "shares": 1, "radios": 2, "libraries": 2,
        "activeUsers": 3, "activePlayers": {"Invented Player 2.1": 2}, "fileSuffixes": {"flac": 1400, "mp3": 60},
    },
    "config": {
        "logLevel": "info", "logFileConfigured": True, "tlsConfigured": True, "scannerEnabled": True,
        "scannerExtractor": "taglib", "scanSchedule": "@every 1h", "scanWatcherWait": 5, "scanOnStartup": True,
        "transcodingCacheSize": "100MB", "imageCacheSize": "100MB", "enableArtworkPrecache": True,
        "enableDownloads": True, "enableSharing": True, "enableStarRating": True, "enableLastFM": True,
        "enableListenBrainz": True, "enableDeezer": True, "enableMediaFileCoverArt": True, "enableJukebox": True,
        "enablePrometheus": True, "enableArtworkUpload": True, "coverArtQuality": 75, "enableWebPEncoding": True,
        "uiCoverArtSize": 300, "enableCoverAnimation": True, "enableNowPlaying": True, "sessionTimeout": 172800,
        "searchFullString": True, "searchBackend": "fts", "recentlyAddedByModTime": True, "preferSortTags": True,
        "backupSchedule": "0 0 * * *", "backupCount": 3, "devActivityPanel": True, "defaultBackgroundURL": True,
        "hasSmartPlaylists": True, "reverseProxyConfigured": True, "hasCustomPID": True, "hasCustomTags": True,
    },
    "plugins": {"lyrics": {"name": "Lyrics", "version": "1.2.3"}},
}  # fmt: skip

UNDECLARED = {
    "os.package", "library.libraries", "library.fileSuffixes.**", "plugins.**", "config.scannerEnabled",
    "config.scannerExtractor", "config.scanWatcherWait", "config.scanOnStartup", "config.enableDeezer",
    "config.enableArtworkUpload", "config.coverArtQuality", "config.enableWebPEncoding", "config.uiCoverArtSize",
    "config.enableNowPlaying", "config.searchBackend", "config.hasSmartPlaylists", "config.reverseProxyConfigured",
    "config.hasCustomPID", "config.hasCustomTags",
}  # fmt: skip
"""What the struct has and the page of 4 January 2026 does not name, compared by hand."""


def inspected(payload: dict[str, Any], tmp_path: Path) -> list[dict[str, Any]]:
    """A capture of one report -> the comparisons that `inspect` shows."""
    headers = [
        {"name": "content-type", "value": "application/json"},
        {"name": "user-agent", "value": "Go-http-client/2.0"},
    ]
    entry = {
        "startedDateTime": "2026-07-12T03:00:00Z",
        "time": 5,
        "request": {
            "method": "POST",
            "url": "https://insights.navidrome.org/collect",
            "httpVersion": "HTTP/2",
            "headers": headers,
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": -1,
            "postData": {"mimeType": "application/json", "text": json.dumps(payload)},
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/2",
            "headers": [],
            "cookies": [],
            "content": {"size": 0, "mimeType": "text/plain", "text": ""},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 0,
        },
        "cache": {},
        "timings": {"send": 1, "wait": 1, "receive": 1},
    }
    har = {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": [entry]}}
    file, out = tmp_path / "insights.har", tmp_path / "report.json"
    file.write_text(json.dumps(har), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(file), "--format", "json", "-o", str(out)])
    assert ended.value.code == 0
    comparisons: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))["comparisons"]
    return comparisons


def fields(comparisons: list[dict[str, Any]], verdict: str) -> list[str]:
    return sorted(name for c in comparisons if c["verdict"] == verdict for name in c["fields"])


def test_exactly_the_nineteen_fields_that_the_page_lacks_are_undeclared_and_one_that_it_names_is_stale(
    tmp_path: Path,
) -> None:
    comparisons = inspected(PAYLOAD, tmp_path)
    assert fields(comparisons, "undeclared") == sorted(UNDECLARED)
    assert [c["statement"] for c in comparisons if c["verdict"] == "not-seen"] == ["config.enablespotify"]
    assert {c["verdict"] for c in comparisons} == {"undeclared", "optional", "documented", "not-seen"}


def test_what_the_page_names_is_optional_as_long_as_nothing_else_is_sent(tmp_path: Path) -> None:
    told = json.loads(json.dumps(PAYLOAD))
    del told["plugins"], told["os"]["package"], told["library"]["libraries"], told["library"]["fileSuffixes"]
    told["config"] = {k: v for k, v in told["config"].items() if f"config.{k}" not in UNDECLARED}
    comparisons = inspected(told, tmp_path)
    assert fields(comparisons, "undeclared") == []
    assert len(fields(comparisons, "optional")) == 51


def test_the_reason_names_the_fields_and_no_value(tmp_path: Path) -> None:
    comparisons = inspected(PAYLOAD, tmp_path)
    reason = {c["item"]: c["reason"] for c in comparisons if c["verdict"] == "undeclared"}
    assert reason["server.install"].endswith("not a field of ‘how the server was installed’: os.package.")
    assert "15 fields of ‘server settings’" in reason["server.config"]


def test_the_address_that_every_connection_shows_refutes_no_denial(tmp_path: Path) -> None:
    comparisons = inspected({"id": "0000aaaa-0000-4000-8000-000000000001"}, tmp_path)
    verdict = {c["item"]: (c["verdict"], c["statement"]) for c in comparisons}
    assert verdict["net.public_ip"] == ("documented", "never.network")
    assert verdict["client.user_agent"][0] == "documented"
